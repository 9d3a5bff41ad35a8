//! The decoders' transposed convolution along frequencies.

use rayon::prelude::*;

use super::{
    super::{
        glu_pack::filled,
        layout::{MR, NR},
        maps::{FreqMap, FreqPanels, Lines},
        math::gelu_one,
        pack::{Strips, unpack},
        tile::strip_by_panels,
        vectorised::vectorised,
    },
    GROUP, pack_transposed,
};

/// A transposed convolution along frequencies; PyTorch's `ConvTranspose2d` with a kernel
/// `(taps, 1)`.
#[derive(Clone, Debug)]
pub struct FreqConvTranspose {
    /// `[stride · out, reach · in]`, see [`pack_transposed`].
    weight: Strips,
    /// For each row of `weight`'s strips.
    bias: Vec<[f32; MR]>,
    outputs: usize,
    inputs: usize,
    taps: usize,
    stride: usize,
}

impl FreqConvTranspose {
    /// From PyTorch's weight `[in, out, taps]`.
    pub fn new(weight: &[f32], shape: [usize; 3], bias: &[f32], stride: usize) -> Self {
        let [inputs, outputs, taps] = shape;
        let packed = pack_transposed(weight, shape, stride);
        let rows = stride * outputs;
        let weight = Strips::new(rows, packed.len() / rows, |row, k| packed[k * rows + row]);
        let bias = (0..weight.count())
            .map(|strip| std::array::from_fn(|i| bias[(strip * MR + i) % outputs]))
            .collect();
        Self { weight, bias, outputs, inputs, taps, stride }
    }

    /// The result without `trim` rows at either end, through a GELU if `activate`.
    pub fn forward(&self, x: &FreqPanels, trim: usize, activate: bool) -> FreqMap {
        let freqs = (x.freqs - 1) * self.stride + self.taps - 2 * trim;
        let mut out = FreqMap::any(freqs, self.outputs, x.frames);
        let row_len = out.row_len();
        let mut rest = &mut *out.data;
        let mut groups = Vec::new();
        for group in 0.. {
            let (start, end) = (group * self.stride, (group + 1) * self.stride);
            let rows = end.min(freqs + trim).saturating_sub(start.max(trim));
            if rows > 0 {
                let (piece, after) = rest.split_at_mut(rows * row_len);
                groups.push((group, trim.saturating_sub(start), piece));
                rest = after;
            }
            if end >= freqs + trim {
                break;
            }
        }
        let depth = self.weight.depth();
        groups.into_par_iter().for_each_init(
            || {
                let mut packed = Lines::default();
                packed.resize(GROUP * depth);
                packed
            },
            |packed, (group, phase, piece)| {
                self::group(self, x, group, phase, activate, packed, piece);
            },
        );
        out
    }
}

vectorised! {
    /// The outputs of one group from `phase` on, into `out: [rows, out, frames]`.
    fn group<FMA>(
        conv: &FreqConvTranspose,
        x: &FreqPanels,
        group: usize,
        phase: usize,
        activate: bool,
        packed: &mut [[f32; NR]],
        out: &mut [f32],
    ) {
        let (inputs, frames) = (conv.inputs, x.frames);
        let reach = conv.taps.div_ceil(conv.stride);
        let freqs = (group + 1).saturating_sub(reach)..(group + 1).min(x.freqs);
        let missing = (freqs.start + reach - (group + 1)) * inputs;
        let depth = freqs.len() * inputs;
        // The rows of the strips; the first `skipped` ones are cut off.
        let skipped = phase * conv.outputs;
        let rows = skipped..skipped + out.len() / frames;
        let lines = frames.div_ceil(NR);
        for first in (0..lines).step_by(GROUP) {
            let count = GROUP.min(lines - first);
            for p in 0..count {
                // The consecutive rows on which an output depends.
                let packed = packed[p * depth..][..depth].chunks_exact_mut(inputs);
                for (packed, freq) in packed.zip(freqs.clone()) {
                    for (to, line) in packed.iter_mut().zip(x.panel(freq, first + p)) {
                        *to = *line;
                    }
                }
            }
            for s in rows.start / MR..rows.end.div_ceil(MR) {
                let strip = &conv.weight.strip(s)[missing..][..depth];
                let cut = rows.start.saturating_sub(s * MR);
                let out = &mut out[(s * MR + cut - skipped) * frames..];
                let tiles = &mut [filled(&conv.bias[s]); GROUP][..count];
                strip_by_panels::<FMA>(tiles, strip, |p| &packed[p * depth..][..depth]);
                for (p, tile) in tiles.iter_mut().enumerate() {
                    if activate {
                        for v in tile.as_flattened_mut() {
                            *v = gelu_one::<FMA>(*v);
                        }
                    }
                    unpack(&tile[cut..], out, frames, (first + p) * NR);
                }
            }
        }
    }
}
