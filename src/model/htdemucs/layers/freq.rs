//! Layers of the frequency branch: the threads share the rows of the spectrogram.

use rayon::prelude::*;
use tracing::trace_span;

use super::GroupNorm;
use crate::model::kernels::{
    FreqMap, FreqPanels, Lines,
    dconv::{FreqDConv, Scratch},
    elementwise::{add, gelu, glu},
    freq_conv::{FreqConv, FreqConvTranspose, GatedPointwise, StridedConv},
    layout::NR,
    winograd::GatedWinograd,
};

/// Values per task in passes over whole maps.
const BLOCK: usize = 1 << 16;

/// A layer's convolution to twice the channels, and its gate.
#[derive(Clone, Debug)]
pub enum Rewrite {
    /// 1×1, without a norm.
    Pointwise(GatedPointwise),
    /// 3×3, without a norm.
    Winograd(GatedWinograd),
    /// Of any kernel, with or without a norm between convolution and gate.
    Direct(FreqConv, Option<GroupNorm>),
}

/// An encoder layer of the frequency branch.
#[derive(Clone, Debug)]
pub struct FreqEncoder {
    /// Over frequencies, with the stride.
    pub conv: StridedConv,
    /// After `conv`.
    pub norm1: Option<GroupNorm>,
    /// Residual branches.
    pub dconv: Vec<FreqDConv>,
    /// With `norm2`.
    pub rewrite: Rewrite,
}

impl FreqEncoder {
    /// `[freqs, in, frames]` to `[freqs / stride, out, frames]`.
    pub fn forward(&self, x: &FreqMap) -> FreqMap {
        let _span = trace_span!("freq encoder").entered();
        let freqs = self.conv.freqs_out(x.freqs);
        if let (None, Rewrite::Pointwise(rewrite)) = (&self.norm1, &self.rewrite) {
            let mut out = FreqMap::any(freqs, self.conv.outputs(), x.frames);
            let row_len = out.row_len();
            out.data.par_chunks_exact_mut(row_len).enumerate().for_each_init(
                || {
                    let mut row = Lines::default();
                    row.resize(x.frames.div_ceil(NR) * self.conv.outputs());
                    (row, Lines::default(), Scratch::default())
                },
                |(row, packed, scratch), (freq, out)| {
                    self.conv.row(x, freq, true, row, packed);
                    self.branches(row, x.frames, scratch);
                    rewrite.row(row, x.frames, out);
                },
            );
            return out;
        }
        let mut y = FreqPanels::any(freqs, self.conv.outputs(), x.frames);
        let row_len = y.row_len();
        y.data.par_chunks_exact_mut(row_len).enumerate().for_each_init(
            Lines::default,
            |packed, (freq, row)| {
                self.conv.row(x, freq, self.norm1.is_none(), row, packed);
            },
        );
        if let Some(norm) = &self.norm1 {
            let mut map = y.to_map();
            norm.freq(&mut map);
            gelu(&mut map.data);
            y = FreqPanels::from_map(&map);
        }
        y.data
            .par_chunks_exact_mut(row_len)
            .for_each_init(Scratch::default, |scratch, row| self.branches(row, x.frames, scratch));
        self.rewrite.forward(&y.to_map(), |_| {}).to_map()
    }

    fn branches(&self, row: &mut [[f32; NR]], frames: usize, scratch: &mut Scratch) {
        for layer in &self.dconv {
            layer.row(row, frames, scratch);
        }
    }
}

/// A decoder layer of the frequency branch.
#[derive(Clone, Debug)]
pub struct FreqDecoder {
    /// With `norm1`.
    pub rewrite: Rewrite,
    /// Residual branches.
    pub dconv: Vec<FreqDConv>,
    /// Over frequencies, with the stride.
    pub conv_tr: FreqConvTranspose,
    /// After `conv_tr`, before its result is cut.
    pub norm2: Option<GroupNorm>,
    /// Rows that are cut off either end of `conv_tr`'s result.
    pub trim: usize,
    /// Whether this is the outermost layer, which has no GELU.
    pub last: bool,
}

impl FreqDecoder {
    /// `[freqs, in, frames]`, and the encoder's output of that shape, to
    /// `[freqs · stride, out, frames]`.
    pub fn forward(&self, mut x: FreqMap, skip: FreqMap) -> FreqMap {
        let span = trace_span!("freq decoder: rewrite, dconv").entered();
        x.data
            .par_chunks_mut(BLOCK)
            .zip(skip.data.par_chunks(BLOCK))
            .for_each(|(x, skip)| add(x, skip));
        drop(skip); // before the next map is allocated
        let y = self.rewrite.forward(&x, |row| {
            let mut scratch = Scratch::default();
            for layer in &self.dconv {
                layer.row(row, x.frames, &mut scratch);
            }
        });
        drop((span, x)); // the next map uses its memory
        let _span = trace_span!("freq decoder: conv_tr").entered();
        let Some(norm) = &self.norm2 else {
            return self.conv_tr.forward(&y, self.trim, !self.last);
        };
        let mut z = self.conv_tr.forward(&y, 0, false);
        norm.freq(&mut z);
        let mut z = z.cropped(self.trim);
        if !self.last {
            gelu(&mut z.data);
        }
        z
    }
}

impl Rewrite {
    /// `glu(norm(rewrite(x)))`, with `finish` applied to every row while it is in the cache.
    fn forward(&self, x: &FreqMap, finish: impl Fn(&mut [[f32; NR]]) + Sync) -> FreqPanels {
        let mut gated = match self {
            Self::Winograd(conv) => return conv.forward(x, finish),
            Self::Pointwise(conv) => {
                let x = FreqPanels::from_map(x);
                let mut out = FreqMap::any(x.freqs, conv.outputs(), x.frames);
                let row_len = out.row_len();
                let rows = out.data.par_chunks_exact_mut(row_len);
                rows.zip(x.data.par_chunks_exact(x.row_len()))
                    .for_each(|(out, row)| conv.row(row, x.frames, out));
                FreqPanels::from_map(&out)
            }
            Self::Direct(conv, norm) => {
                let mut wide = conv.forward(x);
                if let Some(norm) = norm {
                    norm.freq(&mut wide);
                }
                let mut out = FreqMap::any(x.freqs, conv.outputs() / 2, x.frames);
                let row_len = out.row_len();
                let rows = out.data.par_chunks_exact_mut(row_len);
                rows.zip(wide.data.par_chunks_exact(2 * row_len)).for_each(|(out, wide)| {
                    let (value, gate) = wide.split_at(row_len);
                    glu(value, gate, out);
                });
                FreqPanels::from_map(&out)
            }
        };
        let row_len = gated.row_len();
        gated.data.par_chunks_exact_mut(row_len).for_each(&finish);
        gated
    }
}
