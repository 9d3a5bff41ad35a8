//! Encoder and decoder layers of both branches. Fields are named as PyTorch's modules.
//!
//! Composes kernels and owns weights; runs on the rayon pool of the caller.

use rayon::prelude::*;
use tracing::trace_span;

use super::kernels::{
    FreqMap, TimeMap,
    dconv::{DConvLayer, Scratch},
    elementwise::{add, gelu, glu, glu_rows},
    freq_conv::{FreqConv, FreqConvTranspose},
    norm::{Affine, group_norm},
    time_conv::{TimeConv, TimeConvTranspose},
};

/// GroupNorm of an encoder or decoder layer.
#[derive(Clone, Debug)]
pub struct GroupNorm {
    /// Groups of channels.
    pub groups: usize,
    /// Weight and bias.
    pub affine: Affine,
}

impl GroupNorm {
    fn freq(&self, x: &mut FreqMap) {
        group_norm(&mut x.data, x.frames, self.groups, &self.affine);
    }

    fn time(&self, x: &mut TimeMap) {
        group_norm(x.inner_mut(), 1, self.groups, &self.affine);
    }
}

/// An encoder layer of the frequency branch.
#[derive(Clone, Debug)]
pub struct FreqEncoder {
    /// Over frequencies, with the stride.
    pub conv: FreqConv,
    /// After `conv`.
    pub norm1: Option<GroupNorm>,
    /// To twice the channels, for the gate.
    pub rewrite: FreqConv,
    /// After `rewrite`.
    pub norm2: Option<GroupNorm>,
    /// Residual branches.
    pub dconv: Vec<DConvLayer>,
}

impl FreqEncoder {
    /// `[freqs, in, frames]` to `[freqs / stride, out, frames]`.
    pub fn forward(&self, x: &FreqMap) -> FreqMap {
        let finish = |row: &mut [f32], scratch: &mut Scratch| {
            gelu(row);
            for layer in &self.dconv {
                layer.row(row, scratch);
            }
        };
        let mut y = FreqMap::zeros(self.conv.freqs_out(x.freqs), self.conv.outputs(), x.frames);
        let row_len = y.row_len();
        let span = trace_span!("freq encoder: conv, dconv").entered();
        y.data.par_chunks_exact_mut(row_len).enumerate().for_each_init(
            Scratch::default,
            |scratch, (freq, row)| {
                self.conv.row(x, freq, row);
                if self.norm1.is_none() {
                    finish(row, scratch);
                }
            },
        );
        if let Some(norm) = &self.norm1 {
            norm.freq(&mut y);
            y.data
                .par_chunks_exact_mut(row_len)
                .for_each_init(Scratch::default, |scratch, row| finish(row, scratch));
        }
        drop(span);
        let _span = trace_span!("freq encoder: rewrite").entered();
        gated(&self.rewrite, self.norm2.as_ref(), &y, |_| {})
    }
}

/// A decoder layer of the frequency branch.
#[derive(Clone, Debug)]
pub struct FreqDecoder {
    /// To twice the channels, for the gate.
    pub rewrite: FreqConv,
    /// After `rewrite`.
    pub norm1: Option<GroupNorm>,
    /// Residual branches.
    pub dconv: Vec<DConvLayer>,
    /// Over frequencies, with the stride.
    pub conv_tr: FreqConvTranspose,
    /// After `conv_tr`, over what is then cut off too.
    pub norm2: Option<GroupNorm>,
    /// What is cut off either end of `conv_tr`'s result.
    pub trim: usize,
    /// Whether this is the outermost layer, after which there is no GELU.
    pub last: bool,
}

impl FreqDecoder {
    /// `[freqs, in, frames]`, and the encoder's output of that shape, to `[freqs · stride, out, frames]`.
    pub fn forward(&self, mut x: FreqMap, skip: &FreqMap) -> FreqMap {
        let row_len = x.row_len();
        x.data
            .par_chunks_mut(row_len)
            .zip(skip.data.par_chunks(row_len))
            .for_each(|(x, skip)| add(x, skip));
        let span = trace_span!("freq decoder: rewrite, dconv").entered();
        let y = gated(&self.rewrite, self.norm1.as_ref(), &x, |row| {
            let mut scratch = Scratch::default();
            for layer in &self.dconv {
                layer.row(row, &mut scratch);
            }
        });
        drop((span, x));
        let _span = trace_span!("freq decoder: conv_tr").entered();
        let Some(norm) = &self.norm2 else {
            return self.conv_tr.forward(&y, self.trim, |piece| {
                if !self.last {
                    gelu(piece);
                }
            });
        };
        let mut z = self.conv_tr.forward(&y, 0, |_| {});
        norm.freq(&mut z);
        let mut z = z.cropped(self.trim);
        if !self.last {
            z.data.par_chunks_mut(row_len).for_each(gelu);
        }
        z
    }
}

/// `glu(norm(rewrite(x)))`, and `finish` on every row of that while it is in the cache.
fn gated(
    rewrite: &FreqConv,
    norm: Option<&GroupNorm>,
    x: &FreqMap,
    finish: impl Fn(&mut [f32]) + Sync,
) -> FreqMap {
    let mut out = FreqMap::zeros(x.freqs, rewrite.outputs() / 2, x.frames);
    let row_len = out.row_len();
    let rows = out.data.par_chunks_exact_mut(row_len).enumerate();
    if let Some(norm) = norm {
        let mut wide = rewrite.forward(x);
        norm.freq(&mut wide);
        rows.for_each(|(freq, row)| {
            let (value, gate) = wide.data[freq * 2 * row_len..][..2 * row_len].split_at(row_len);
            glu(value, gate, row);
            finish(row);
        });
    } else {
        rows.for_each_init(
            || vec![0.0; 2 * row_len],
            |wide, (freq, row)| {
                rewrite.row(x, freq, wide);
                let (value, gate) = wide.split_at(row_len);
                glu(value, gate, row);
                finish(row);
            },
        );
    }
    out
}

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
    pub dconv: Vec<DConvLayer>,
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
    pub dconv: Vec<DConvLayer>,
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
