//! The last two 1×1 convolutions of a network. They compute the network's first convolution again:
//! its result is as large as the largest activation, but takes hardly any time to compute.

use rayon::prelude::*;

use super::{
    super::{
        dense::{Columns, Sink, multiply},
        layout::{MR, NR, Tile},
        maps::{FreqMap, Lines},
        math::gelu_one,
        pack::{Strips, load},
    },
    Pointwise, Rows, task_rows,
};

/// `last(gelu(hidden(input, x · first(input))))`, all three 1×1 convolutions without a bias.
#[derive(Clone, Debug)]
pub struct Head {
    first: Strips,
    hidden: Strips,
    last: Strips,
}

/// A thread's memory.
#[derive(Default)]
struct Scratch {
    packed: Lines,
    /// `[panels, channels][NR]`.
    first: Lines,
    hidden: Lines,
}

impl Head {
    /// From the three convolutions.
    pub fn new(first: &Pointwise, hidden: &Pointwise, last: &Pointwise) -> Self {
        let weight = |conv: &Pointwise| conv.weight().clone();
        Self { first: weight(first), hidden: weight(hidden), last: weight(last) }
    }

    /// The result, from the network's input and its last activation.
    pub fn forward(&self, input: &FreqMap, x: &FreqMap) -> FreqMap {
        let mut out = FreqMap::any(x.freqs, self.last.rows(), x.frames);
        let (row_len, lines, rows) = (out.row_len(), x.frames.div_ceil(NR), task_rows(x.frames));
        out.data.par_chunks_mut(rows * row_len).enumerate().for_each_init(
            Scratch::default,
            |scratch, (task, out)| {
                let Scratch { packed, first, hidden } = scratch;
                let panels = out.len() / row_len * lines;
                first.resize(panels * self.first.rows());
                hidden.resize(panels * self.hidden.rows());
                let at = Place { input, x, first: task * rows, lines };

                let sink = &mut Panels { out: first, rows: self.first.rows(), smooth: false };
                multiply(&self.first, 0..panels, &Input(at), packed, sink);
                let columns = Gated { at, first };
                let sink = &mut Panels { out: hidden, rows: self.hidden.rows(), smooth: true };
                multiply(&self.hidden, 0..panels, &columns, packed, sink);
                let channels = self.last.rows();
                let sink = &mut Rows { out, channels, frames: x.frames, lines };
                multiply(&self.last, 0..panels, &Packed(hidden), packed, sink);
            },
        );
        out
    }
}

/// Rows of both maps from `first` on.
#[derive(Clone, Copy)]
struct Place<'a> {
    input: &'a FreqMap,
    x: &'a FreqMap,
    first: usize,
    lines: usize,
}

impl Place<'_> {
    /// Packs one panel of a map.
    #[inline(always)]
    fn pack(&self, map: &FreqMap, index: usize, packed: &mut [[f32; NR]]) {
        let (freq, line) = (self.first + index / self.lines, index % self.lines);
        let row = &map.data[freq * map.row_len()..][..map.row_len()];
        for (values, to) in row.chunks_exact(map.frames).zip(packed) {
            *to = load(values, line * NR);
        }
    }
}

/// The input.
struct Input<'a>(Place<'a>);

impl Columns for Input<'_> {
    #[inline(always)]
    fn pack<const FMA: bool>(&self, index: usize, packed: &mut [[f32; NR]]) {
        self.0.pack(self.0.input, index, packed);
    }
}

/// The input, and the last activation times the first convolution.
struct Gated<'a> {
    at: Place<'a>,
    /// `[panels, channels][NR]`.
    first: &'a [[f32; NR]],
}

impl Columns for Gated<'_> {
    #[inline(always)]
    fn pack<const FMA: bool>(&self, index: usize, packed: &mut [[f32; NR]]) {
        let (input, x) = packed.split_at_mut(self.at.input.channels);
        self.at.pack(self.at.input, index, input);
        self.at.pack(self.at.x, index, x);
        let first = &self.first[index * x.len()..];
        for (values, first) in x.iter_mut().zip(first) {
            for (value, first) in values.iter_mut().zip(first) {
                *value *= first;
            }
        }
    }
}

/// Packed panels.
struct Packed<'a>(&'a [[f32; NR]]);

impl Columns for Packed<'_> {
    #[inline(always)]
    fn pack<const FMA: bool>(&self, index: usize, packed: &mut [[f32; NR]]) {
        packed.copy_from_slice(&self.0[index * packed.len()..][..packed.len()]);
    }
}

/// Panels `[rows][NR]`, through a GELU if `smooth`.
struct Panels<'a> {
    out: &'a mut [[f32; NR]],
    rows: usize,
    smooth: bool,
}

impl Sink for Panels<'_> {
    #[inline(always)]
    fn take<const FMA: bool>(&mut self, index: usize, row: usize, tile: &Tile<MR>) {
        let count = MR.min(self.rows - row);
        let to = &mut self.out[index * self.rows + row..][..count];
        for (to, values) in to.iter_mut().zip(tile) {
            for (to, value) in to.iter_mut().zip(values) {
                *to = if self.smooth { gelu_one::<FMA>(*value) } else { *value };
            }
        }
    }
}
