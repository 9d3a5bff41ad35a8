//! A transposed 2×2 convolution with a stride of two, of an activated map.

use rayon::prelude::*;

use super::{
    super::{
        activation::{Activation, activate},
        dense::{Columns, Sink, multiply},
        layout::{MR, NR, Tile},
        maps::{FreqMap, Lines},
        pack::Strips,
    },
    task_rows,
};

/// A transposed 2×2 convolution with a stride of two and no bias.
#[derive(Clone, Debug)]
pub struct UpConv {
    /// `[freq phases · out · frame phases, in]`: a strip has both frames of some channels.
    weight: Strips,
    outputs: usize,
}

impl UpConv {
    /// From PyTorch's weight `[in, out, 2, 2]`, whose taps are `[frames, freqs]`.
    pub fn new(weight: &[f32], [inputs, outputs]: [usize; 2]) -> Self {
        let strips = Strips::new(4 * outputs, inputs, |row, input| {
            let (freq, output, frame) = (row / 2 / outputs, row / 2 % outputs, row % 2);
            weight[(input * outputs + output) * 4 + frame * 2 + freq]
        });
        Self { weight: strips, outputs }
    }

    /// `conv(activation(x))`.
    pub fn forward(&self, x: &FreqMap, activation: &Activation) -> FreqMap {
        let mut out = FreqMap::any(2 * x.freqs, self.outputs, 2 * x.frames);
        let (frames, row_len) = (out.frames, out.row_len());
        let (lines, rows) = (x.frames.div_ceil(NR), task_rows(x.frames));
        out.data.par_chunks_mut(2 * rows * row_len).enumerate().for_each_init(
            Lines::default,
            |packed, (task, out)| {
                let columns = Activated { x, activation, first: task * rows, lines };
                let panels = 0..out.len() / row_len / 2 * lines;
                let sink = &mut Phases { out, frames, lines, outputs: self.outputs };
                multiply(&self.weight, panels, &columns, packed, sink);
            },
        );
        out
    }
}

/// Activated rows of a map from `first` on.
struct Activated<'a> {
    x: &'a FreqMap,
    activation: &'a Activation,
    first: usize,
    lines: usize,
}

impl Columns for Activated<'_> {
    #[inline(always)]
    fn pack<const FMA: bool>(&self, index: usize, packed: &mut [[f32; NR]]) {
        let (freq, line) = (self.first + index / self.lines, index % self.lines);
        let row = &self.x.data[freq * self.x.row_len()..][..self.x.row_len()];
        let folded = self.activation.factor.iter().zip(&self.activation.addend);
        let lines = row.chunks_exact(self.x.frames).zip(folded);
        for ((values, (factor, addend)), to) in lines.zip(packed) {
            let values = &values[line * NR..];
            if let Some(values) = values.first_chunk::<NR>() {
                activate::<FMA>(values, *factor, *addend, to);
            } else {
                *to = [0.0; NR];
                activate::<FMA>(values, *factor, *addend, &mut to[..values.len()]);
            }
        }
    }
}

/// Pairs of rows `[channels, frames]` of a map, into which both phases of frames are interleaved.
struct Phases<'a> {
    out: &'a mut [f32],
    frames: usize,
    lines: usize,
    outputs: usize,
}

impl Sink for Phases<'_> {
    #[inline(always)]
    fn take<const FMA: bool>(&mut self, index: usize, row: usize, tile: &Tile<MR>) {
        let (freq, line) = (2 * (index / self.lines), index % self.lines);
        let first = line * 2 * NR;
        for (channel, phases) in (row / 2..2 * self.outputs).zip(tile.as_chunks::<2>().0) {
            // The channels of the second row of frequencies follow those of the first.
            let at = (freq * self.outputs + channel) * self.frames;
            let to = &mut self.out[at..][..self.frames][first..];
            let mut both = [0.0; 2 * NR];
            for t in 0..NR {
                both[2 * t] = phases[0][t];
                both[2 * t + 1] = phases[1][t];
            }
            if let Some(whole) = to.first_chunk_mut() {
                *whole = both;
            } else {
                let width = to.len();
                to.copy_from_slice(&both[..width]);
            }
        }
    }
}
