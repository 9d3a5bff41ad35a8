//! Layers of the time branch: the threads share blocks of frames.
//!
//! Every norm that spans all frames ends a pass over them. All operations between two norms are
//! applied to a block while it is in the cache.

use tracing::trace_span;

use super::GroupNorm;
use crate::model::kernels::{
    TimeMap,
    dconv::{Branch, TimeDConv},
    elementwise::{gelu, glu_rows},
    time_conv::{BlockScratch, TimeConv, TimeConvTranspose},
};

/// An encoder layer of the time branch.
#[derive(Clone, Debug)]
pub struct TimeEncoder {
    /// Over frames, with the stride; GELU included without a norm.
    pub conv: TimeConv,
    /// After `conv`.
    pub norm1: Option<GroupNorm>,
    /// To twice the channels, for the gate; GLU included without a norm.
    pub rewrite: TimeConv,
    /// After `rewrite`.
    pub norm2: Option<GroupNorm>,
    /// Residual branches.
    pub dconv: Vec<TimeDConv>,
}

impl TimeEncoder {
    /// `[frames, in]` to `[frames / stride, out]`.
    pub fn forward(&self, x: &TimeMap) -> TimeMap {
        let span = trace_span!("time encoder: conv, dconv").entered();
        let mut y = TimeMap::any(self.conv.frames_out(x.frames), self.conv.outputs(), x.margin);
        let conv = |start: usize, out: &mut [f32], scratch: &mut BlockScratch| {
            self.conv.block(x, start, out, scratch);
        };
        let branch = if let Some(norm) = &self.norm1 {
            TimeDConv::chain(&[], &mut y, conv);
            norm.time(&mut y);
            gelu(y.inner_mut());
            TimeDConv::chain(&self.dconv, &mut y, |_, _, _| {})
        } else {
            TimeDConv::chain(&self.dconv, &mut y, conv)
        };
        drop(span);
        let _span = trace_span!("time encoder: dconv, rewrite").entered();
        let out = self.rewrite.forward_from(y.frames, y.margin, |start, rows| {
            load(&y, branch.as_ref(), start, rows);
        });
        match &self.norm2 {
            Some(norm) => normed_glu(norm, out),
            None => out,
        }
    }
}

/// A decoder layer of the time branch.
#[derive(Clone, Debug)]
pub struct TimeDecoder {
    /// To twice the channels, for the gate; GLU included without a norm.
    pub rewrite: TimeConv,
    /// After `rewrite`.
    pub norm1: Option<GroupNorm>,
    /// Residual branches.
    pub dconv: Vec<TimeDConv>,
    /// Over frames, with the stride; GELU included, except in the outermost layer, when there is no
    /// norm.
    pub conv_tr: TimeConvTranspose,
    /// After `conv_tr`, before its result is cut.
    pub norm2: Option<GroupNorm>,
    /// Frames that are cut off either end of `conv_tr`'s result.
    pub trim: usize,
    /// Whether this is the outermost layer, which has no GELU.
    pub last: bool,
}

impl TimeDecoder {
    /// `[frames, in]`, and the encoder's output of that shape, to `[frames_out, out]`.
    pub fn forward(&self, x: TimeMap, skip: TimeMap, frames_out: usize) -> TimeMap {
        let span = trace_span!("time decoder: rewrite, dconv").entered();
        let sum = |start: isize, rows: &mut [f32]| {
            x.load(start, rows);
            skip.add_to(start, rows);
        };
        let (y, branch) = if let Some(norm) = &self.norm1 {
            let mut y = normed_glu(norm, self.rewrite.forward_from(x.frames, x.margin, sum));
            let branch = TimeDConv::chain(&self.dconv, &mut y, |_, _, _| {});
            (y, branch)
        } else {
            let mut y = TimeMap::any(x.frames, self.rewrite.outputs(), x.margin);
            let branch = TimeDConv::chain(&self.dconv, &mut y, |start, out, scratch| {
                self.rewrite.block_from(sum, start, out, scratch);
            });
            (y, branch)
        };
        drop((span, x, skip)); // the next maps use their memory
        let _span = trace_span!("time decoder: dconv, conv_tr").entered();
        let load = |start: isize, rows: &mut [f32]| load(&y, branch.as_ref(), start, rows);
        let Some(norm) = &self.norm2 else {
            return self.conv_tr.forward_from(self.trim, frames_out, y.margin, load);
        };
        let whole = self.conv_tr.frames_out(y.frames);
        let mut z = self.conv_tr.forward_from(0, whole, y.margin, load);
        norm.time(&mut z);
        let mut z = z.cropped(self.trim, frames_out);
        if !self.last {
            gelu(z.inner_mut());
        }
        z
    }
}

/// Loads frames of `y` from `start` on and adds the branch: this is the branch's last pass.
fn load(y: &TimeMap, branch: Option<&Branch>, start: isize, rows: &mut [f32]) {
    y.load(start, rows);
    if let Some(branch) = branch {
        branch.add(start, rows);
    }
}

/// `glu(norm(wide))`.
fn normed_glu(norm: &GroupNorm, mut wide: TimeMap) -> TimeMap {
    norm.time(&mut wide);
    let mut out = TimeMap::any(wide.frames, wide.channels / 2, wide.margin);
    glu_rows(wide.inner(), out.channels, out.inner_mut());
    out
}
