//! Layers of the frequency branch: rows of the spectrogram are shared out over the threads.

use rayon::prelude::*;
use tracing::trace_span;

use super::GroupNorm;
use crate::model::kernels::{
    FreqMap,
    dconv::{FreqDConv, Scratch},
    elementwise::{add, gelu, glu},
    freq_conv::{FreqConv, FreqConvTranspose},
};

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
    pub dconv: Vec<FreqDConv>,
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
    pub dconv: Vec<FreqDConv>,
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
