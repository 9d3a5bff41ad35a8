//! A 2×2 convolution with a stride of two, of an activated map.

use rayon::prelude::*;

use super::{
    super::{
        activation::{Activation, activate},
        dense::{Columns, multiply},
        layout::NR,
        maps::{FreqMap, Lines},
        pack::Strips,
    },
    Rows, task_rows,
};

/// A 2×2 convolution with a stride of two and no bias.
#[derive(Clone, Debug)]
pub struct DownConv {
    /// `[out, freq taps · in · frame taps]`.
    weight: Strips,
}

impl DownConv {
    /// From PyTorch's weight `[out, in, 2, 2]`, whose taps are `[frames, freqs]`.
    pub fn new(weight: &[f32], [outputs, inputs]: [usize; 2]) -> Self {
        let weight = Strips::new(outputs, 4 * inputs, |output, k| {
            let (freq, input, frame) = (k / 2 / inputs, k / 2 % inputs, k % 2);
            weight[(output * inputs + input) * 4 + frame * 2 + freq]
        });
        Self { weight }
    }

    /// `conv(activation(x))`; `x` has even numbers of frequencies and frames.
    pub fn forward(&self, x: &FreqMap, activation: &Activation) -> FreqMap {
        let mut out = FreqMap::any(x.freqs / 2, self.weight.rows(), x.frames / 2);
        let (frames, row_len) = (out.frames, out.row_len());
        let (lines, rows) = (frames.div_ceil(NR), task_rows(frames));
        out.data.par_chunks_mut(rows * row_len).enumerate().for_each_init(
            Lines::default,
            |packed, (task, out)| {
                let columns = Pairs { x, activation, first: task * rows, lines };
                let panels = 0..out.len() / row_len * lines;
                let sink = &mut Rows { out, channels: self.weight.rows(), frames, lines };
                multiply(&self.weight, panels, &columns, packed, sink);
            },
        );
        out
    }
}

/// Activated pairs of rows and frames, for rows of the result from `first` on.
struct Pairs<'a> {
    x: &'a FreqMap,
    activation: &'a Activation,
    first: usize,
    lines: usize,
}

impl Columns for Pairs<'_> {
    #[inline(always)]
    fn pack<const FMA: bool>(&self, index: usize, packed: &mut [[f32; NR]]) {
        let (freq, line) = (self.first + index / self.lines, index % self.lines);
        let from = line * 2 * NR;
        let count = (2 * NR).min(self.x.frames - from);
        let rows = &self.x.data[2 * freq * self.x.row_len()..][..2 * self.x.row_len()];
        let folded = self.activation.factor.iter().zip(&self.activation.addend).cycle();
        let lines = rows.chunks_exact(self.x.frames).zip(folded);
        for ((values, (factor, addend)), to) in lines.zip(packed.as_chunks_mut::<2>().0) {
            let mut activated = [0.0; 2 * NR];
            if let Some(values) = values[from..].first_chunk::<{ 2 * NR }>() {
                activate::<FMA>(values, *factor, *addend, &mut activated);
            } else {
                activate::<FMA>(&values[from..], *factor, *addend, &mut activated[..count]);
            }
            for t in 0..NR {
                to[0][t] = activated[2 * t];
                to[1][t] = activated[2 * t + 1];
            }
        }
    }
}
