//! Layers of the time branch: blocks of frames are shared out over the threads.

use rayon::prelude::*;
use tracing::trace_span;

use super::GroupNorm;
use crate::model::kernels::{
    TimeMap,
    dconv::TimeDConv,
    elementwise::{add, gelu, glu_rows},
    time_conv::{TimeConv, TimeConvTranspose},
};

/// An encoder layer of the time branch.
#[derive(Clone, Debug)]
pub struct TimeEncoder {
    /// Over frames, with the stride.
    pub conv: TimeConv,
    /// After `conv`.
    pub norm1: Option<GroupNorm>,
    /// To twice the channels, for the gate.
    pub rewrite: TimeConv,
    /// After `rewrite`.
    pub norm2: Option<GroupNorm>,
    /// Residual branches.
    pub dconv: Vec<TimeDConv>,
}

impl TimeEncoder {
    /// `[frames, in]` to `[frames / stride, out]`.
    pub fn forward(&self, x: &TimeMap) -> TimeMap {
        let span = trace_span!("time encoder: conv").entered();
        let mut y = self.conv.forward(x, |block| {
            if self.norm1.is_none() {
                gelu(block);
            }
        });
        if let Some(norm) = &self.norm1 {
            norm.time(&mut y);
            gelu(y.inner_mut());
        }
        drop(span);
        let span = trace_span!("time encoder: dconv").entered();
        for layer in &self.dconv {
            layer.time(&mut y);
        }
        drop(span);
        let _span = trace_span!("time encoder: rewrite").entered();
        gated_time(&self.rewrite, self.norm2.as_ref(), &y)
    }
}

/// A decoder layer of the time branch.
#[derive(Clone, Debug)]
pub struct TimeDecoder {
    /// To twice the channels, for the gate.
    pub rewrite: TimeConv,
    /// After `rewrite`.
    pub norm1: Option<GroupNorm>,
    /// Residual branches.
    pub dconv: Vec<TimeDConv>,
    /// Over frames, with the stride.
    pub conv_tr: TimeConvTranspose,
    /// After `conv_tr`, over what is then cut off too.
    pub norm2: Option<GroupNorm>,
    /// What is cut off either end of `conv_tr`'s result.
    pub trim: usize,
    /// Whether this is the outermost layer, after which there is no GELU.
    pub last: bool,
}

impl TimeDecoder {
    /// `[frames, in]`, and the encoder's output of that shape, to `[frames_out, out]`.
    pub fn forward(&self, mut x: TimeMap, skip: &TimeMap, frames_out: usize) -> TimeMap {
        let block = x.channels * 1024;
        x.inner_mut()
            .par_chunks_mut(block)
            .zip(skip.inner().par_chunks(block))
            .for_each(|(x, skip)| add(x, skip));
        let span = trace_span!("time decoder: rewrite").entered();
        let mut y = gated_time(&self.rewrite, self.norm1.as_ref(), &x);
        drop((span, x));
        let span = trace_span!("time decoder: dconv").entered();
        for layer in &self.dconv {
            layer.time(&mut y);
        }
        drop(span);
        let _span = trace_span!("time decoder: conv_tr").entered();
        let Some(norm) = &self.norm2 else {
            let finish = |block: &mut [f32]| {
                if !self.last {
                    gelu(block);
                }
            };
            return self.conv_tr.forward(&y, self.trim, frames_out, finish);
        };
        let mut z = self.conv_tr.forward(&y, 0, self.conv_tr.frames_out(y.frames), |_| {});
        norm.time(&mut z);
        let mut z = z.cropped(self.trim, frames_out);
        if !self.last {
            gelu(z.inner_mut());
        }
        z
    }
}

/// `glu(norm(rewrite(x)))`.
fn gated_time(rewrite: &TimeConv, norm: Option<&GroupNorm>, x: &TimeMap) -> TimeMap {
    /// Frames per task.
    const BLOCK: usize = 512;
    let channels = rewrite.outputs() / 2;
    let mut out = TimeMap::zeros(x.frames, channels, x.margin);
    if let Some(norm) = norm {
        let mut wide = rewrite.forward(x, |_| {});
        norm.time(&mut wide);
        glu_rows(wide.inner(), channels, out.inner_mut());
        return out;
    }
    out.inner_mut().par_chunks_mut(BLOCK * channels).enumerate().for_each_init(
        || vec![0.0; BLOCK * 2 * channels],
        |wide, (index, block)| {
            let wide = &mut wide[..2 * block.len()];
            rewrite.block(x, index * BLOCK, wide);
            glu_rows(wide, channels, block);
        },
    );
    out
}
