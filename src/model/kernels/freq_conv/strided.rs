//! The encoders' convolution: over frequencies, with a stride.

use super::{
    super::{
        FreqMap, Lines,
        elementwise::{gelu, gelu_one},
        gated::filled,
        tile::{MR, NR, Strips, strip_by_panels},
        vectorised,
    },
    GROUP, pack, store,
    tiled::{self, TileRows},
};

/// A convolution along frequencies; PyTorch's `Conv2d` with a kernel `(taps, 1)`.
#[derive(Clone, Debug)]
pub struct StridedConv {
    weight: Weight,
    outputs: usize,
    inputs: usize,
    taps: usize,
    stride: usize,
    padding: usize,
}

/// `[out, taps · in]`.
#[derive(Clone, Debug)]
enum Weight {
    /// With the bias for each strip.
    Strips(Strips, Vec<[f32; MR]>),
    Tiles(TileRows),
}

/// A thread's memory for rows.
#[derive(Debug, Default)]
pub struct Space {
    packed: Lines,
    /// The rows under one that reaches beyond the map.
    edge: Vec<f32>,
    tiles: tiled::Scratch,
}

impl StridedConv {
    /// From PyTorch's weight `[out, in, taps]`.
    pub fn new(
        weight: &[f32],
        shape: [usize; 3],
        bias: &[f32],
        stride: usize,
        padding: usize,
    ) -> Self {
        let [outputs, inputs, taps] = shape;
        let size = [outputs, taps * inputs];
        let at = |o: usize, k: usize| weight[(o * inputs + k % inputs) * taps + k / inputs];
        let weight = match TileRows::new(size, |o| bias[o], at) {
            Some(tiles) => Weight::Tiles(tiles),
            None => Weight::Strips(
                Strips::new(outputs, taps * inputs, at),
                bias.chunks(MR)
                    .map(|bias| std::array::from_fn(|i| bias.get(i).copied().unwrap_or(0.0)))
                    .collect(),
            ),
        };
        Self { weight, outputs, inputs, taps, stride, padding }
    }

    /// Channels of the result.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// Frequencies of the result, when a map of `freqs` goes in.
    pub fn freqs_out(&self, freqs: usize) -> usize {
        (freqs + 2 * self.padding - self.taps) / self.stride + 1
    }

    /// Row `freq` of the result as packed panels, `out: [lines, out][NR]`, through a GELU if
    /// `activate`.
    pub fn row(
        &self,
        x: &FreqMap,
        freq: usize,
        activate: bool,
        out: &mut [[f32; NR]],
        space: &mut Space,
    ) {
        match &self.weight {
            Weight::Strips(weight, bias) => {
                space.packed.resize(GROUP * self.taps * self.inputs);
                row(self, (weight, bias), x, freq, activate, out, &mut space.packed);
            }
            Weight::Tiles(weight) => self.row_by_tiles(weight, x, freq, activate, out, space),
        }
    }

    /// The taps that lie within the map, and the row under the first of them.
    fn within(&self, x: &FreqMap, freq: usize) -> (std::ops::Range<usize>, usize) {
        let start = freq * self.stride;
        let first = self.padding.saturating_sub(start);
        let end = self.taps.min((x.freqs + self.padding).saturating_sub(start)).max(first);
        (first..end, if end == first { 0 } else { start + first - self.padding })
    }

    fn row_by_tiles(
        &self,
        weight: &TileRows,
        x: &FreqMap,
        freq: usize,
        activate: bool,
        out: &mut [[f32; NR]],
        Space { edge, tiles, .. }: &mut Space,
    ) {
        let depth = self.taps * self.inputs;
        let (taps, first) = self.within(x, freq);
        let inside = &x.data[first * x.row_len()..][..taps.len() * x.row_len()];
        let under = if taps.len() == self.taps {
            inside
        } else {
            edge.clear();
            edge.resize(depth * x.frames, 0.0);
            edge[taps.start * x.row_len()..][..inside.len()].copy_from_slice(inside);
            edge
        };
        let groups = out.chunks_mut(tiled::GROUP * self.outputs).enumerate();
        for (index, out) in groups {
            let first = index * tiled::GROUP;
            let sums = weight.multiply(out.len() / self.outputs, tiles, |p, tiles| {
                let column = (first + p) * NR;
                let width = NR.min(x.frames - column);
                tiled::pack(&under[column..], x.frames, [depth, width], tiles);
            });
            let sums = sums.chunks_exact(weight.lines());
            for (out, sums) in out.chunks_exact_mut(self.outputs).zip(sums) {
                out.copy_from_slice(&sums[..self.outputs]);
            }
            if activate {
                gelu(out.as_flattened_mut());
            }
        }
    }
}

vectorised! {
    fn row<FMA>(
        conv: &StridedConv,
        weights: (&Strips, &[[f32; MR]]),
        x: &FreqMap,
        freq: usize,
        activate: bool,
        out: &mut [[f32; NR]],
        packed: &mut [[f32; NR]],
    ) {
        let (weight, bias) = weights;
        let (taps, under) = conv.within(x, freq);
        let skipped = taps.start * conv.inputs;
        let depth = taps.len() * conv.inputs;
        let under = &x.data[under * x.row_len()..][..depth * x.frames];
        let lines = x.frames.div_ceil(NR);
        for first in (0..lines).step_by(GROUP) {
            let count = GROUP.min(lines - first);
            for p in 0..count {
                pack(under, x.frames, (first + p) * NR, &mut packed[p * depth..][..depth]);
            }
            for (s, bias) in bias.iter().enumerate() {
                let strip = &weight.strip(s)[skipped..][..depth];
                let tiles = &mut [filled(bias); GROUP][..count];
                strip_by_panels::<FMA>(tiles, strip, |p| &packed[p * depth..][..depth]);
                for (p, tile) in tiles.iter_mut().enumerate() {
                    if activate {
                        for v in tile.as_flattened_mut() {
                            *v = gelu_one::<FMA>(*v);
                        }
                    }
                    store(tile, &mut out[(first + p) * conv.outputs..][..conv.outputs][s * MR..]);
                }
            }
        }
    }
}
