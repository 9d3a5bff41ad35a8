//! The encoders' convolution: over frequencies, with a stride.

use super::{
    super::{
        glu_pack::filled,
        layout::{MR, NR},
        maps::{FreqMap, Lines},
        math::gelu_one,
        pack::{Strips, pack, store},
        tile::strip_by_panels,
        vectorised::vectorised,
    },
    GROUP,
};

/// A convolution along frequencies; PyTorch's `Conv2d` with a kernel `(taps, 1)`.
#[derive(Clone, Debug)]
pub struct StridedConv {
    /// `[out, taps · in]`.
    weight: Strips,
    /// For each strip.
    bias: Vec<[f32; MR]>,
    outputs: usize,
    inputs: usize,
    taps: usize,
    stride: usize,
    padding: usize,
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
        let weight = Strips::new(outputs, taps * inputs, |o, k| {
            weight[(o * inputs + k % inputs) * taps + k / inputs]
        });
        let bias = bias
            .chunks(MR)
            .map(|bias| std::array::from_fn(|i| bias.get(i).copied().unwrap_or(0.0)))
            .collect();
        Self { weight, bias, outputs, inputs, taps, stride, padding }
    }

    /// Channels of the result.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// Frequencies of the result for an input of `freqs`.
    pub fn freqs_out(&self, freqs: usize) -> usize {
        (freqs + 2 * self.padding - self.taps) / self.stride + 1
    }

    /// Row `freq` of the result as packed panels, `out: [lines, out][NR]`, through a GELU if
    /// `activate`. `packed` is scratch memory.
    pub fn row(
        &self,
        x: &FreqMap,
        freq: usize,
        activate: bool,
        out: &mut [[f32; NR]],
        packed: &mut Lines,
    ) {
        packed.resize(GROUP * self.taps * self.inputs);
        row(self, x, freq, activate, out, packed);
    }
}

vectorised! {
    fn row<FMA>(
        conv: &StridedConv,
        x: &FreqMap,
        freq: usize,
        activate: bool,
        out: &mut [[f32; NR]],
        packed: &mut [[f32; NR]],
    ) {
        let start = freq * conv.stride;
        let first_tap = conv.padding.saturating_sub(start);
        let end_tap = conv.taps.min((x.freqs + conv.padding).saturating_sub(start)).max(first_tap);
        let skipped = first_tap * conv.inputs;
        let depth = (end_tap - first_tap) * conv.inputs;
        let under = if depth == 0 { 0 } else { start + first_tap - conv.padding };
        let under = &x.data[under * x.row_len()..][..depth * x.frames];
        let lines = x.frames.div_ceil(NR);
        for first in (0..lines).step_by(GROUP) {
            let count = GROUP.min(lines - first);
            for p in 0..count {
                pack(under, x.frames, (first + p) * NR, &mut packed[p * depth..][..depth]);
            }
            for (s, bias) in conv.bias.iter().enumerate() {
                let strip = &conv.weight.strip(s)[skipped..][..depth];
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
