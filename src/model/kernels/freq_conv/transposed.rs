//! The decoders' transposed convolution along frequencies.

use rayon::prelude::*;

use super::{
    super::{
        FreqMap, FreqPanels, Lines,
        elementwise::{gelu, gelu_one},
        gated::filled,
        tile::{MR, NR, Strips, strip_by_panels},
        vectorised,
    },
    GROUP, pack_transposed,
    tiled::{self, TileRows},
    unpack,
};

/// A transposed convolution along frequencies; PyTorch's `ConvTranspose2d` with a kernel
/// `(taps, 1)`.
#[derive(Clone, Debug)]
pub struct FreqConvTranspose {
    weight: Weight,
    outputs: usize,
    inputs: usize,
    taps: usize,
    stride: usize,
}

/// `[stride · out, reach · in]`, see [`pack_transposed`].
#[derive(Clone, Debug)]
enum Weight {
    /// With the bias for each strip.
    Strips(Strips, Vec<[f32; MR]>),
    Tiles(TileRows),
}

/// A thread's memory for groups of rows.
#[derive(Debug, Default)]
struct Space {
    packed: Lines,
    tiles: tiled::Scratch,
}

/// Some rows of the result, made from the same rows of what goes in.
#[derive(Clone, Copy)]
struct Group {
    index: usize,
    /// Rows of it that are cut off at the start.
    phase: usize,
    activate: bool,
}

impl FreqConvTranspose {
    /// From PyTorch's weight `[in, out, taps]`.
    pub fn new(weight: &[f32], shape: [usize; 3], bias: &[f32], stride: usize) -> Self {
        let [inputs, outputs, taps] = shape;
        let packed = pack_transposed(weight, shape, stride);
        let rows = stride * outputs;
        let depth = packed.len() / rows;
        let at = |row: usize, k: usize| packed[k * rows + row];
        let tiles = TileRows::new([rows, depth], |row| bias[row % outputs], at);
        let weight = if let Some(tiles) = tiles {
            Weight::Tiles(tiles)
        } else {
            let weight = Strips::new(rows, depth, at);
            let bias = (0..weight.count())
                .map(|strip| std::array::from_fn(|i| bias[(strip * MR + i) % outputs]))
                .collect();
            Weight::Strips(weight, bias)
        };
        Self { weight, outputs, inputs, taps, stride }
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
        groups.into_par_iter().for_each_init(Space::default, |space, (index, phase, out)| {
            let group = Group { index, phase, activate };
            match &self.weight {
                Weight::Strips(weight, bias) => {
                    space.packed.resize(GROUP * weight.depth());
                    self::group(self, (weight, bias), x, group, &mut space.packed, out);
                }
                Weight::Tiles(weight) => self.group_by_tiles(weight, x, group, space, out),
            }
        });
        out
    }

    /// The rows that those of a group are made from; and how many of as many as there are weights
    /// for are missing before them.
    fn under(&self, x: &FreqPanels, group: usize) -> (std::ops::Range<usize>, usize) {
        let reach = self.taps.div_ceil(self.stride);
        let freqs = (group + 1).saturating_sub(reach)..(group + 1).min(x.freqs);
        let missing = freqs.start + reach - (group + 1);
        (freqs, missing)
    }

    fn group_by_tiles(
        &self,
        weight: &TileRows,
        x: &FreqPanels,
        Group { index, phase, activate }: Group,
        Space { packed, tiles }: &mut Space,
        out: &mut [f32],
    ) {
        let (freqs, missing) = self.under(x, index);
        let depth = self.taps.div_ceil(self.stride) * self.inputs;
        packed.resize(depth);
        packed.fill([0.0; NR]);
        let (rows, skipped) = (out.len() / x.frames, phase * self.outputs);
        let lines = x.frames.div_ceil(NR);
        for first in (0..lines).step_by(tiled::GROUP) {
            let count = tiled::GROUP.min(lines - first);
            let sums = weight.multiply(count, tiles, |p, tiles| {
                let packed_rows = packed[missing * self.inputs..].chunks_exact_mut(self.inputs);
                for (packed, freq) in packed_rows.zip(freqs.clone()) {
                    packed.copy_from_slice(x.panel(freq, first + p));
                }
                tiled::pack(packed.as_flattened(), NR, [depth, NR], tiles);
            });
            for (p, sums) in sums.chunks_exact_mut(weight.lines()).enumerate() {
                let sums = &mut sums[skipped..][..rows];
                if activate {
                    gelu(sums.as_flattened_mut());
                }
                unpack(sums, out, x.frames, (first + p) * NR);
            }
        }
    }
}

vectorised! {
    /// The outputs of one group, into `out: [rows, out, frames]`.
    fn group<FMA>(
        conv: &FreqConvTranspose,
        weights: (&Strips, &[[f32; MR]]),
        x: &FreqPanels,
        which: Group,
        packed: &mut [[f32; NR]],
        out: &mut [f32],
    ) {
        let (weight, bias) = weights;
        let Group { index, phase, activate } = which;
        let (inputs, frames) = (conv.inputs, x.frames);
        let (freqs, missing) = conv.under(x, index);
        let missing = missing * inputs;
        let depth = freqs.len() * inputs;
        // Rows of the strips, of which the first `skipped` are cut off.
        let skipped = phase * conv.outputs;
        let rows = skipped..skipped + out.len() / frames;
        let lines = frames.div_ceil(NR);
        for first in (0..lines).step_by(GROUP) {
            let count = GROUP.min(lines - first);
            for p in 0..count {
                // The rows an output is made from, one after the other.
                let packed = packed[p * depth..][..depth].chunks_exact_mut(inputs);
                for (packed, freq) in packed.zip(freqs.clone()) {
                    for (to, line) in packed.iter_mut().zip(x.panel(freq, first + p)) {
                        *to = *line;
                    }
                }
            }
            for s in rows.start / MR..rows.end.div_ceil(MR) {
                let strip = &weight.strip(s)[missing..][..depth];
                let cut = rows.start.saturating_sub(s * MR);
                let out = &mut out[(s * MR + cut - skipped) * frames..];
                let tiles = &mut [filled(&bias[s]); GROUP][..count];
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
