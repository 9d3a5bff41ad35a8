//! A 1×1 convolution.

use rayon::prelude::*;

use super::{
    super::{
        dense::{Columns, multiply},
        layout::NR,
        maps::{FreqMap, Lines},
        pack::{Strips, load},
    },
    Rows, task_rows,
};

/// A 1×1 convolution without a bias.
#[derive(Clone, Debug)]
pub struct Pointwise {
    weight: Strips,
}

impl Pointwise {
    /// From PyTorch's weight `[out, in]`.
    pub fn new(weight: &[f32], [outputs, inputs]: [usize; 2]) -> Self {
        Self { weight: Strips::new(outputs, inputs, |o, i| weight[o * inputs + i]) }
    }

    /// The packed weight, `[out, in]`.
    pub fn weight(&self) -> &Strips {
        &self.weight
    }

    /// `conv(parts)`, where the channels of the parts follow each other.
    pub fn forward(&self, parts: &[&FreqMap]) -> FreqMap {
        let (freqs, frames) = parts.first().map_or((0, 0), |x| (x.freqs, x.frames));
        let mut out = FreqMap::any(freqs, self.weight.rows(), frames);
        let (row_len, lines, rows) = (out.row_len(), frames.div_ceil(NR), task_rows(frames));
        out.data.par_chunks_mut(rows * row_len).enumerate().for_each_init(
            Lines::default,
            |packed, (task, out)| {
                let columns = Joined { maps: parts, first: task * rows, lines };
                let panels = 0..out.len() / row_len * lines;
                let sink = &mut Rows { out, channels: self.weight.rows(), frames, lines };
                multiply(&self.weight, panels, &columns, packed, sink);
            },
        );
        out
    }
}

/// Rows of maps from `first` on.
struct Joined<'a> {
    maps: &'a [&'a FreqMap],
    first: usize,
    lines: usize,
}

impl Columns for Joined<'_> {
    #[inline(always)]
    fn pack<const FMA: bool>(&self, index: usize, packed: &mut [[f32; NR]]) {
        let (freq, line) = (self.first + index / self.lines, index % self.lines);
        let mut packed = packed.iter_mut();
        for map in self.maps {
            let row = &map.data[freq * map.row_len()..][..map.row_len()];
            for (values, to) in row.chunks_exact(map.frames).zip(packed.by_ref()) {
                *to = load(values, line * NR);
            }
        }
    }
}
