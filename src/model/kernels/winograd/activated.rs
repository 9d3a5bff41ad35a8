//! A 3×3 convolution whose input is normalised and passed through a GELU while it is read.
//!
//! A block of rows is activated once, with zero padding on all sides, and packed from there. The
//! weights are kept as taps and transformed before each use. Keeping them transformed would take four
//! times the memory and save less than a hundredth of the time.

use rayon::prelude::*;

use super::{
    super::{
        activation::{Activation, activate_row},
        layout::{MR, NR, Tile},
        maps::{FreqMap, Lines},
        product::Update,
        vectorised::vectorised,
    },
    DEEP, DEEP_PANELS, G, PANELS, POINTS, PointWeights, REACH, SIDE, SPAN, STRIPS, TILE_ROWS,
    Tiling, pack_run, products, results,
};
use crate::model::{arena::Buffer, weights::shared::SharedWeights};

/// Taps of a kernel.
const TAPS: usize = 9;
/// Weights that are transformed at a time.
const WIDTH: usize = 8;

/// A 3×3 convolution without a bias, of activated maps.
#[derive(Clone, Debug)]
pub struct ActivatedWinograd {
    /// `[strips, TAPS, inputs][MR]`, taps along frequencies outermost.
    taps: SharedWeights,
    inputs: usize,
    outputs: usize,
}

impl ActivatedWinograd {
    /// From PyTorch's weight `[out, in, 3, 3]`, whose taps are `[frames, freqs]`.
    pub fn new(weight: &[f32], [outputs, inputs]: [usize; 2]) -> Self {
        let mut taps = Buffer::any(outputs.div_ceil(MR) * TAPS * inputs * MR);
        let cells = taps.as_chunks_mut::<MR>().0;
        for (index, cell) in cells.iter_mut().enumerate() {
            let (strip, tap, input) =
                (index / inputs / TAPS, index / inputs % TAPS, index % inputs);
            for (lane, value) in cell.iter_mut().enumerate() {
                let output = strip * MR + lane;
                let at = (output * inputs + input) * TAPS + tap % 3 * 3 + tap / 3;
                *value = if output < outputs { weight[at] } else { 0.0 };
            }
        }
        Self { taps: SharedWeights::new(taps), inputs, outputs }
    }

    /// `conv(activation(parts))`, where the channels of the parts follow each other.
    pub fn forward(&self, parts: &[&FreqMap], activation: &Activation) -> FreqMap {
        let (freqs, frames) = parts.first().map_or((0, 0), |x| (x.freqs, x.frames));
        let mut out = FreqMap::any(freqs, self.outputs, frames);
        self.run(parts, activation, &mut out, Update::Set);
        out
    }

    /// Adds `conv(activation(x))` to `out`.
    pub fn add_to(&self, x: &FreqMap, activation: &Activation, out: &mut FreqMap) {
        self.run(&[x], activation, out, Update::Add);
    }

    fn run(&self, parts: &[&FreqMap], activation: &Activation, out: &mut FreqMap, update: Update) {
        let weights = self.transformed();
        let (freqs, frames) = (out.freqs, out.frames);
        let row_len = out.row_len();
        let lines = frames.div_ceil(NR);
        let block_rows = SIDE * TILE_ROWS;
        // The threads share blocks, and also the work within a block if there are few.
        let shared = freqs.div_ceil(block_rows) < 4 * rayon::current_num_threads();
        let blocks = out.data.par_chunks_mut(block_rows * row_len).enumerate();
        blocks.for_each_init(Scratch::default, |scratch, (index, rows)| {
            let tiling = Tiling { rows: rows.len() / row_len, lines };
            let mut block = Block {
                input: Input { parts, activation, first: index * block_rows, tiling },
                weights: &weights,
                update,
                strips: by_strip(rows, self.outputs, frames),
                shared,
            };
            block.run(scratch);
        });
    }

    /// The weights at the points of the transform.
    fn transformed(&self) -> Transformed {
        let count = self.inputs * MR;
        let mut cells = Buffer::any(self.taps.len() / TAPS * POINTS);
        cells
            .par_chunks_exact_mut(POINTS * count)
            .zip(self.taps.par_chunks_exact(TAPS * count))
            .for_each(|(out, taps)| transform_weights(taps, count, out));
        Transformed { cells, inputs: self.inputs }
    }
}

/// Weights at the points of the transform: `[strips, POINTS, inputs][MR]`.
struct Transformed {
    cells: Buffer,
    inputs: usize,
}

impl PointWeights for Transformed {
    #[inline(always)]
    fn depth(&self) -> usize {
        self.inputs
    }

    #[inline(always)]
    fn strip(&self, point: usize, index: usize) -> &[[f32; MR]] {
        let cells = self.cells.as_chunks().0;
        &cells[(index * POINTS + point) * self.inputs..][..self.inputs]
    }
}

vectorised! {
    /// `taps: [TAPS][count]` to `out: [POINTS][count]`, in double precision and rounded once.
    fn transform_weights<FMA>(taps: &[f32], count: usize, out: &mut [f32]) {
        let whole = count / WIDTH * WIDTH;
        for at in (0..whole).step_by(WIDTH) {
            transform_some::<WIDTH>(taps, count, at, out);
        }
        for at in whole..count {
            transform_some::<1>(taps, count, at, out);
        }
    }
}

/// Transforms `N` neighbouring weights.
#[inline(always)]
fn transform_some<const N: usize>(taps: &[f32], count: usize, at: usize, out: &mut [f32]) {
    let mut values = [[0.0_f64; N]; TAPS];
    for (values, taps) in values.iter_mut().zip(taps.chunks_exact(count)) {
        for (value, tap) in values.iter_mut().zip(&taps[at..at + N]) {
            *value = f64::from(*tap);
        }
    }
    for (freq, rows) in G.iter().zip(out.chunks_exact_mut(REACH * count)) {
        let mut half = [[0.0; N]; 3];
        for (t, half) in half.iter_mut().enumerate() {
            for j in 0..N {
                half[j] = (0..3).map(|f| freq[f] * values[3 * f + t][j]).sum();
            }
        }
        for (time, out) in G.iter().zip(rows.chunks_exact_mut(count)) {
            for (j, out) in out[at..at + N].iter_mut().enumerate() {
                *out = (0..3).map(|t| time[t] * half[t][j]).sum::<f64>() as f32;
            }
        }
    }
}

/// The lines `[rows, lanes]` of each strip's channels in rows of the result.
fn by_strip(rows: &mut [f32], channels: usize, frames: usize) -> Vec<Vec<&mut [f32]>> {
    let mut strips = Vec::new();
    strips.resize_with(channels.div_ceil(MR), Vec::new);
    for (index, line) in rows.chunks_exact_mut(frames).enumerate() {
        strips[index % channels / MR].push(line);
    }
    strips
}

/// A thread's memory for a block.
#[derive(Debug, Default)]
struct Scratch {
    /// `[rows, inputs, width]`: the activated input.
    activated: Buffer,
    /// `[panels, POINTS, inputs][NR]`.
    packed: Lines,
    /// `[panels, STRIPS, POINTS]`.
    sums: Vec<Tile<MR>>,
}

/// The input of a block of rows of the result.
struct Input<'a> {
    parts: &'a [&'a FreqMap],
    activation: &'a Activation,
    /// The first row of the result.
    first: usize,
    tiling: Tiling,
}

impl Input<'_> {
    /// Values of a channel in an activated row: whole runs of tiles and the frames beside them.
    fn width(&self) -> usize {
        (self.tiling.lines - 1) * NR + SPAN
    }

    /// Activates row `index` of the block's input, which begins with the row before the block;
    /// rows outside the map are zeros.
    fn activate(&self, index: usize, out: &mut [f32]) {
        let freqs = self.parts.first().map_or(0, |x| x.freqs);
        match (self.first + index).checked_sub(1).filter(|freq| *freq < freqs) {
            Some(freq) => activate_row(self.parts, freq, self.activation, self.width(), out),
            None => out.fill(0.0),
        }
    }
}

/// A block of rows of the result.
struct Block<'a> {
    input: Input<'a>,
    weights: &'a Transformed,
    update: Update,
    /// The lines of each strip, `[rows, lanes]`.
    strips: Vec<Vec<&'a mut [f32]>>,
    /// Whether all threads of the pool share the block.
    shared: bool,
}

impl Block<'_> {
    fn run(&mut self, scratch: &mut Scratch) {
        let Self { input, weights, update, strips, shared } = self;
        let (weights, inputs, width, tiling) =
            (*weights, weights.inputs, input.width(), input.tiling);
        let Scratch { activated, packed, sums } = scratch;
        let row_len = inputs * width;
        let rows = tiling.rows.next_multiple_of(SIDE) + REACH - SIDE;
        if activated.len() != rows * row_len {
            *activated = Buffer::default();
            *activated = Buffer::any(rows * row_len);
        }
        let activate = |(index, row): (usize, &mut [f32])| input.activate(index, row);
        if *shared {
            activated.par_chunks_exact_mut(row_len).enumerate().for_each(activate);
        } else {
            activated.chunks_exact_mut(row_len).enumerate().for_each(activate);
        }
        let panels = tiling.panels();
        let group = if inputs < DEEP { PANELS } else { DEEP_PANELS };
        let depth = POINTS * inputs;
        for first in (0..panels).step_by(group) {
            let count = group.min(panels - first);
            packed.resize(count * depth);
            let pack = |(index, panel): (usize, &mut [[f32; NR]])| {
                pack_panel(activated, width, tiling, first + index, inputs, panel);
            };
            let place = Place { tiling, first, update: *update };
            if *shared {
                packed.par_chunks_exact_mut(depth).enumerate().for_each(pack);
                strips.par_chunks_mut(STRIPS).enumerate().for_each_init(
                    Vec::new,
                    |sums, (index, strips)| {
                        multiply(weights, packed, index, strips, place, sums);
                    },
                );
            } else {
                packed.chunks_exact_mut(depth).enumerate().for_each(pack);
                for (index, strips) in strips.chunks_mut(STRIPS).enumerate() {
                    multiply(weights, packed, index, strips, place, sums);
                }
            }
        }
    }
}

/// The place of a product's panels in the result, and how they are stored there.
#[derive(Clone, Copy)]
struct Place {
    tiling: Tiling,
    /// The first panel.
    first: usize,
    update: Update,
}

/// Computes the results of packed panels for the strips of group `index`.
fn multiply(
    weights: &Transformed,
    packed: &[[f32; NR]],
    index: usize,
    strips: &mut [Vec<&mut [f32]>],
    place: Place,
    sums: &mut Vec<Tile<MR>>,
) {
    let first = index * STRIPS;
    let panels = packed.len() / (POINTS * weights.inputs);
    sums.resize(panels * STRIPS * POINTS, [[0.0; NR]; MR]);
    products(weights, packed, first..first + strips.len(), sums);
    for (panel, sums) in sums.chunks_exact(STRIPS * POINTS).enumerate() {
        for (sums, lines) in sums.chunks_exact(POINTS).zip(&mut *strips) {
            transform_back(place, panel, sums, lines);
        }
    }
}

vectorised! {
    /// Packs a panel of activated rows: `[POINTS, inputs][NR]`.
    fn pack_panel<FMA>(
        activated: &[f32],
        width: usize,
        tiling: Tiling,
        panel: usize,
        inputs: usize,
        packed: &mut [[f32; NR]],
    ) {
        let mut lines = [[0.0; SPAN]; REACH];
        for run in tiling.runs(panel) {
            for c in 0..inputs {
                for (i, line) in lines.iter_mut().enumerate() {
                    let at = ((run.row * SIDE + i) * inputs + c) * width + run.line * NR;
                    line.copy_from_slice(&activated[at..at + SPAN]);
                }
                pack_run::<FMA>(&lines, &run, inputs, c, packed);
            }
        }
    }
}

vectorised! {
    /// Transforms the sums of one panel and one strip back, into the strip's lines.
    fn transform_back<FMA>(
        place: Place,
        panel: usize,
        sums: &[Tile<MR>],
        lines: &mut [&mut [f32]],
    ) {
        let tiling = place.tiling;
        let lanes = lines.len() / tiling.rows;
        for lane in 0..lanes {
            let values = results::<FMA>(sums, lane, 0.0);
            for run in tiling.runs(place.first + panel) {
                let top = run.row * SIDE;
                for (row, values) in (top..tiling.rows).zip(&values) {
                    let line = &mut *lines[row * lanes + lane];
                    for k in 0..run.count {
                        let from = (run.at + k) * SIDE;
                        let mut sixteen = [0.0; NR];
                        for t in 0..SIDE {
                            for b in 0..SIDE {
                                sixteen[t * SIDE + b] = values[b][from + t];
                            }
                        }
                        put(&sixteen, place, &mut line[(run.line + k) * NR..]);
                    }
                }
            }
        }
    }
}

/// Writes the values at the beginning of a line, which may be shorter.
#[inline(always)]
fn put(values: &[f32; NR], place: Place, line: &mut [f32]) {
    if let Some(line) = line.first_chunk_mut::<NR>() {
        for (to, value) in line.iter_mut().zip(values) {
            *to = if place.update == Update::Add { *to + value } else { *value };
        }
    } else {
        for (to, value) in line.iter_mut().zip(values) {
            *to = if place.update == Update::Add { *to + value } else { *value };
        }
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Tensor;

    use super::{
        super::super::{
            activation::{activate_plain, channel_moments},
            freq_conv::conv_plain,
            norm::Affine,
            testing::{noise, signal_to_error_db, tensor, values},
        },
        *,
    };

    #[test]
    fn activated_convolutions_match_their_twin_on_odd_shapes() {
        // in of each part, out, freqs, frames
        for (parts, outputs, freqs, frames) in [
            (&[3][..], 5, 1, 3),
            (&[1], 1, 4, 4),
            (&[2, 1], 3, 5, 17),
            (&[7], 13, 18, 50),
            (&[30, 18], 48, 37, 84),
            (&[260], 30, 9, 130),
        ] {
            let inputs = parts.iter().sum();
            let weight = noise(outputs * inputs * 9, 1);
            let conv = ActivatedWinograd::new(&weight, [outputs, inputs]);
            let affine = Affine { weight: noise(inputs, 2), bias: noise(inputs, 3) };
            let maps: Vec<FreqMap> =
                parts.iter().map(|c| FreqMap::noise(freqs, *c, frames, 4)).collect();
            let maps: Vec<&FreqMap> = maps.iter().collect();
            let moments = maps.iter().flat_map(|map| channel_moments(map));
            let activation = Activation::new(&affine, moments);

            let x: Vec<Tensor> = maps.iter().map(|map| map.to_tensor()).collect();
            let x = activate_plain(&Tensor::cat(&x, 1).unwrap(), &affine).unwrap();
            let weight = tensor(&weight, &[outputs, inputs, 3, 3]).transpose(2, 3).unwrap();
            let bias = tensor(&vec![0.0; outputs], &[outputs]);
            let twin = conv_plain(&x, &weight.contiguous().unwrap(), &bias, 1, 1).unwrap();
            let mut got = conv.forward(&maps, &activation);
            assert_eq!(got.to_tensor().dims(), twin.dims());
            let what = format!("{parts:?} to {outputs}, {freqs} by {frames}");
            let db = signal_to_error_db(&values(&twin), &values(&got.to_tensor()));
            assert!(db > 100.0, "{what}: {db:.1} dB");
            if let [x] = *maps {
                conv.add_to(x, &activation, &mut got);
                let twin = (twin * 2.0).unwrap();
                let db = signal_to_error_db(&values(&twin), &values(&got.to_tensor()));
                assert!(db > 100.0, "{what}, added: {db:.1} dB");
            }
        }
    }
}
