//! The decoders' 3×3 convolution with its gate, by Winograd's F(4×4, 3×3): 36 products for 16
//! results where the plain convolution needs 144 (Lavin and Gray 2016, arXiv 1509.09308).
//!
//! Four frequencies by four frames are one *tile*; sixteen tiles are the columns of a packed panel
//! for each of the 36 points of the transform, and the 36 products of one panel and six rows of
//! weights (three values, their three gates) are transformed back, gated and stored before the
//! next, so that the activation of twice the channels never exists. Runs on the rayon pool of the
//! caller.

use std::ops::Range;

use rayon::prelude::*;

use super::{
    glu_pack::{self, LANES},
    layout::{MR, NR, Tile},
    maps::{FreqMap, FreqPanels, Lines},
    math::{mad, sigmoid},
    pack::Strips,
    tile::strip_by_panels,
    vectorised::vectorised,
};

/// Results of a tile along each side.
const SIDE: usize = 4;
/// Inputs under a tile along each side.
const REACH: usize = 6;
/// Points of the transform.
const POINTS: usize = REACH * REACH;
/// Frames in a line of sixteen tiles, and the two beside it, in whole vectors.
const SPAN: usize = SIDE * NR + 8;

/// A 3×3 convolution to twice the channels, and the gated linear unit that follows it.
#[derive(Clone, Debug)]
pub struct GatedWinograd {
    /// One packed matrix per point; the strips are values and gates of [`LANES`] channels.
    weights: Vec<Strips>,
    /// Bias of each strip.
    bias: Vec<[f32; MR]>,
    inputs: usize,
    outputs: usize,
}

/// Weights' transform: a row of three taps at each of the six points.
const G: [[f64; 3]; REACH] = [
    [1.0 / 4.0, 0.0, 0.0],
    [-1.0 / 6.0, -1.0 / 6.0, -1.0 / 6.0],
    [-1.0 / 6.0, 1.0 / 6.0, -1.0 / 6.0],
    [1.0 / 24.0, 1.0 / 12.0, 1.0 / 6.0],
    [1.0 / 24.0, -1.0 / 12.0, 1.0 / 6.0],
    [0.0, 0.0, 1.0],
];

impl GatedWinograd {
    /// From PyTorch's weight `[2 · out, in, 3, 3]` and bias `[2 · out]`.
    pub fn new(weight: &[f32], inputs: usize, bias: &[f32]) -> Self {
        let outputs = bias.len() / 2;
        let at = |point: usize, row: usize, input: usize| {
            let taps = &weight[(row * inputs + input) * 9..][..9];
            let (freq, time) = (&G[point / REACH], &G[point % REACH]);
            let lines = taps.chunks_exact(3).zip(freq);
            let sum: f64 = lines
                .map(|(taps, f)| {
                    f * taps.iter().zip(time).map(|(v, t)| f64::from(*v) * t).sum::<f64>()
                })
                .sum();
            sum as f32
        };
        let weights = (0..POINTS)
            .into_par_iter()
            .map(|point| glu_pack::strips(outputs, inputs, |row, input| at(point, row, input)))
            .collect();
        Self { weights, bias: glu_pack::per_strip(bias), inputs, outputs }
    }

    /// Channels of the result.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// `glu(conv(x))`, `[freqs, out, frames]`, with `finish` applied to every row while it is in
    /// the cache.
    pub fn forward(&self, x: &FreqMap, finish: impl Fn(&mut [[f32; NR]]) + Sync) -> FreqPanels {
        let mut out = FreqPanels::any(x.freqs, self.outputs, x.frames);
        let lines = x.frames.div_ceil(NR);
        let row_len = out.row_len();
        let block_rows = SIDE * TILE_ROWS;
        // The threads share blocks; where blocks are few, also their contents.
        let few = x.freqs.div_ceil(block_rows) < 4 * rayon::current_num_threads();
        let blocks = out.data.par_chunks_mut(block_rows * row_len).enumerate();
        blocks.for_each_init(Scratch::default, |scratch, (index, rows)| {
            let first = index * block_rows;
            let block = Block { x, first, rows: rows.len() / row_len, lines };
            self.block(&block, few, scratch);
            let stride = block.rows * lines * LANES;
            let gated = &scratch.gated;
            rows.par_chunks_exact_mut(row_len).enumerate().for_each(|(index, row)| {
                for (line, panel) in row.chunks_exact_mut(self.outputs).enumerate() {
                    let from = gated[(index * lines + line) * LANES..].chunks(stride);
                    for (to, from) in panel.chunks_mut(LANES).zip(from) {
                        for (to, from) in to.iter_mut().zip(from) {
                            *to = *from;
                        }
                    }
                }
                finish(row);
            });
        });
        out
    }

    /// Fills `scratch.gated` with the rows of a block; all threads of the pool help if `shared`.
    fn block(&self, block: &Block<'_>, shared: bool, scratch: &mut Scratch) {
        let stride = block.rows * block.lines * LANES;
        let panels = block.panels();
        let group = if self.inputs < DEEP { PANELS } else { DEEP_PANELS };
        let depth = POINTS * self.inputs;
        let Scratch { packed, sums, gated } = scratch;
        gated.resize(self.bias.len() * stride);
        for first in (0..panels).step_by(group) {
            let count = group.min(panels - first);
            packed.resize(count * depth);
            let pack = |(index, panel): (usize, &mut [[f32; NR]])| {
                transform(block, first + index, self.inputs, panel);
            };
            if shared {
                packed.par_chunks_exact_mut(depth).enumerate().for_each(pack);
                gated.par_chunks_mut(STRIPS * stride).enumerate().for_each_init(
                    Vec::new,
                    |sums, (index, out)| {
                        self.strips(block, first, packed, index, sums, out);
                    },
                );
            } else {
                packed.chunks_exact_mut(depth).enumerate().for_each(pack);
                for (index, out) in gated.chunks_mut(STRIPS * stride).enumerate() {
                    self.strips(block, first, packed, index, sums, out);
                }
            }
        }
    }

    /// Computes the results of packed panels of the block, from `first` on, and of the strips of
    /// group `index`, into `out` of those strips.
    fn strips(
        &self,
        block: &Block<'_>,
        first: usize,
        packed: &[[f32; NR]],
        index: usize,
        sums: &mut Vec<Tile<MR>>,
        out: &mut [[f32; NR]],
    ) {
        let stride = block.rows * block.lines * LANES;
        let strips = index * STRIPS..index * STRIPS + out.len() / stride;
        let panels = packed.len() / (POINTS * self.inputs);
        sums.resize(panels * STRIPS * POINTS, [[0.0; NR]; MR]);
        products(&self.weights, packed, strips.clone(), sums);
        for (p, sums) in sums.chunks_exact(STRIPS * POINTS).enumerate() {
            let sums = sums.chunks_exact(POINTS).zip(&self.bias[strips.clone()]);
            for ((sums, bias), out) in sums.zip(out.chunks_exact_mut(stride)) {
                give_back(block, first + p, sums, bias, out);
            }
        }
    }
}

/// A thread's memory for a block.
#[derive(Debug, Default)]
struct Scratch {
    /// `[panels, POINTS, inputs][NR]`.
    packed: Lines,
    /// `[panels, STRIPS, POINTS]`.
    sums: Vec<Tile<MR>>,
    /// `[rows, lines, LANES][NR]` for each strip.
    gated: Lines,
}

vectorised! {
    /// Multiplies packed panels, `[POINTS, depth]` each, with some strips, point by point, into
    /// `sums: [panels, STRIPS, POINTS]`.
    fn products<FMA>(
        weights: &[Strips],
        packed: &[[f32; NR]],
        strips: Range<usize>,
        sums: &mut [Tile<MR>],
    ) {
        for (point, weights) in weights.iter().enumerate() {
            let depth = weights.depth();
            let panel = |p: usize| &packed[(p * POINTS + point) * depth..][..depth];
            let panels = packed.len() / (POINTS * depth);
            for first in (0..panels).step_by(PANELS) {
                for (s, strip) in strips.clone().enumerate() {
                    let tiles = &mut [[[0.0; NR]; MR]; PANELS][..PANELS.min(panels - first)];
                    strip_by_panels::<FMA>(tiles, weights.strip(strip), |p| panel(first + p));
                    for (p, tile) in (first..).zip(tiles) {
                        sums[(p * STRIPS + s) * POINTS + point] = *tile;
                    }
                }
            }
        }
    }
}

/// Rows of tiles in a block: with 84 tiles a row, four fill 21 panels.
const TILE_ROWS: usize = 4;
/// Panels that are multiplied with [`STRIPS`] at a time, point by point: their sums stay in the
/// second-level cache.
const PANELS: usize = 4;
/// Strips that are multiplied with [`PANELS`] at a time.
const STRIPS: usize = 4;
/// Number of channels from which the weights fit no cache, and more panels share one pass over
/// them.
const DEEP: usize = 256;
/// [`PANELS`] from [`DEEP`] on.
const DEEP_PANELS: usize = 3 * PANELS;

/// Rows of the result, and their input.
struct Block<'a> {
    x: &'a FreqMap,
    /// The first row of the result.
    first: usize,
    /// Number of rows.
    rows: usize,
    /// Lines of [`NR`] frames in a row.
    lines: usize,
}

/// Neighbouring tiles of one panel.
struct Run {
    /// Row of tiles, in the block.
    row: usize,
    /// First line of [`NR`] frames; a line is four tiles.
    line: usize,
    /// First line in the panel.
    at: usize,
    /// Lines.
    count: usize,
}

impl Block<'_> {
    /// Panels of sixteen tiles: every line of frames is four tiles, rows follow each other.
    fn panels(&self) -> usize {
        (self.rows.div_ceil(SIDE) * self.lines).div_ceil(SIDE)
    }

    /// The tiles of a panel.
    fn runs(&self, panel: usize) -> impl Iterator<Item = Run> {
        let end = ((panel + 1) * SIDE).min(self.rows.div_ceil(SIDE) * self.lines);
        let (mut next, lines) = (panel * SIDE, self.lines);
        std::iter::from_fn(move || {
            let (row, line) = (next / lines, next % lines);
            let run =
                Run { row, line, at: next - panel * SIDE, count: (end - next).min(lines - line) };
            next += run.count;
            (run.count > 0).then_some(run)
        })
    }
}

vectorised! {
    /// Packs a panel of the block's input: `[POINTS, inputs][NR]`.
    fn transform<FMA>(block: &Block<'_>, panel: usize, inputs: usize, packed: &mut [[f32; NR]]) {
        let mut lines = [[0.0; SPAN]; REACH];
        for run in block.runs(panel) {
            for c in 0..inputs {
                gather(block, &run, c, &mut lines);
                let lines = along_freqs::<FMA>(&lines);
                for (i, line) in lines.iter().enumerate() {
                    let points = along_frames::<FMA>(line);
                    for (j, values) in points.iter().enumerate() {
                        let to = &mut packed[(i * REACH + j) * inputs + c];
                        if run.count == SIDE {
                            *to = *values;
                        } else {
                            let width = run.count * SIDE;
                            to[run.at * SIDE..][..width].copy_from_slice(&values[..width]);
                        }
                    }
                }
            }
        }
    }
}

/// The input under a run of tiles, zero outside the map: six rows, from the frame before on.
#[inline(always)]
fn gather(block: &Block<'_>, run: &Run, channel: usize, lines: &mut [[f32; SPAN]; REACH]) {
    let x = block.x;
    let top = block.first + run.row * SIDE;
    let start = run.line * NR;
    for (i, line) in lines.iter_mut().enumerate() {
        let Some(freq) = (top + i).checked_sub(1).filter(|freq| *freq < x.freqs) else {
            *line = [0.0; SPAN];
            continue;
        };
        let at = (freq * x.channels + channel) * x.frames + start;
        if let Some(values) = span(&x.data, at) {
            *line = *values;
        } else {
            // Where the map begins or ends.
            for (t, value) in line.iter_mut().enumerate() {
                let before = (at + t).checked_sub(1);
                *value = before.and_then(|at| x.data.get(at)).copied().unwrap_or(0.0);
            }
        }
        if start == 0 {
            line[0] = 0.0;
        }
        let end = x.frames + 1 - start;
        if end < SPAN {
            line[end..].fill(0.0);
        }
    }
}

/// Values in memory from one before `at` on.
#[inline(always)]
fn span(data: &[f32], at: usize) -> Option<&[f32; SPAN]> {
    data.get(at.checked_sub(1)?..)?.first_chunk()
}

/// Six inputs at the six points 0, 1, −1, 2, −2 and ∞.
#[inline(always)]
fn forward_one<const FMA: bool>(d: [f32; REACH]) -> [f32; REACH] {
    let even = mad::<FMA>(-4.0, d[2], d[4]);
    let odd = mad::<FMA>(-4.0, d[1], d[3]);
    let (near, far) = (d[4] - d[2], 2.0 * (d[3] - d[1]));
    [
        mad::<FMA>(-5.0, d[2], mad::<FMA>(4.0, d[0], d[4])),
        even + odd,
        even - odd,
        near + far,
        near - far,
        mad::<FMA>(-5.0, d[3], mad::<FMA>(4.0, d[1], d[5])),
    ]
}

/// Four results from six points.
#[inline(always)]
fn back_one<const FMA: bool>(m: [f32; REACH]) -> [f32; SIDE] {
    let (sum, difference) = (m[1] + m[2], m[1] - m[2]);
    let (sum_2, difference_2) = (m[3] + m[4], m[3] - m[4]);
    [
        m[0] + sum + sum_2,
        mad::<FMA>(2.0, difference_2, difference),
        mad::<FMA>(4.0, sum_2, sum),
        mad::<FMA>(8.0, difference_2, difference) + m[5],
    ]
}

#[inline(always)]
fn along_freqs<const FMA: bool>(lines: &[[f32; SPAN]; REACH]) -> [[f32; SPAN]; REACH] {
    let mut out = [[0.0; SPAN]; REACH];
    for t in 0..SPAN {
        let points = forward_one::<FMA>(std::array::from_fn(|i| lines[i][t]));
        for i in 0..REACH {
            out[i][t] = points[i];
        }
    }
    out
}

#[inline(always)]
fn along_frames<const FMA: bool>(line: &[f32; SPAN]) -> [[f32; NR]; REACH] {
    // One tile more, for the last two frames of the last tile.
    let mut phases = [[0.0; NR + 1]; SIDE];
    for t in 0..NR {
        for j in 0..SIDE {
            phases[j][t] = line[SIDE * t + j];
        }
    }
    for j in 0..REACH - SIDE {
        phases[j][NR] = line[SIDE * NR + j];
    }
    let [a, b, c, d] = phases;
    let mut out = [[0.0; NR]; REACH];
    for t in 0..NR {
        let points = forward_one::<FMA>([a[t], b[t], c[t], d[t], a[t + 1], b[t + 1]]);
        for j in 0..REACH {
            out[j][t] = points[j];
        }
    }
    out
}

vectorised! {
    /// Transforms the sums of one panel and one strip back, adds the bias, gates, and stores into
    /// the strip's `out: [rows, lines, LANES][NR]`.
    fn give_back<FMA>(
        block: &Block<'_>,
        panel: usize,
        sums: &[Tile<MR>],
        bias: &[f32; MR],
        out: &mut [[f32; NR]],
    ) {
        for lane in 0..LANES {
            let mut value = results::<FMA>(sums, lane, bias[lane]);
            let gate = results::<FMA>(sums, lane + LANES, bias[lane + LANES]);
            for (value, gate) in value.as_flattened_mut().iter_mut().zip(gate.as_flattened()) {
                for t in 0..NR {
                    value[t] *= sigmoid::<FMA>(gate[t]);
                }
            }
            for run in block.runs(panel) {
                let top = run.row * SIDE;
                for (row, value) in (top..block.rows).zip(&value) {
                    for k in 0..run.count {
                        let first = (run.at + k) * SIDE;
                        let line = &mut out[(row * block.lines + run.line + k) * LANES + lane];
                        for t in 0..SIDE {
                            for b in 0..SIDE {
                                line[t * SIDE + b] = value[b][first + t];
                            }
                        }
                    }
                }
            }
        }
    }
}

/// One channel's results, `[freqs, frames]` of each tile.
#[inline(always)]
fn results<const FMA: bool>(
    sums: &[Tile<MR>],
    lane: usize,
    bias: f32,
) -> [[[f32; NR]; SIDE]; SIDE] {
    let sums = &sums[..POINTS];
    let mut half = [[[0.0; NR]; REACH]; SIDE];
    for j in 0..REACH {
        for t in 0..NR {
            let rows = back_one::<FMA>(std::array::from_fn(|i| sums[i * REACH + j][lane][t]));
            for a in 0..SIDE {
                half[a][j][t] = rows[a];
            }
        }
    }
    let mut out = [[[0.0; NR]; SIDE]; SIDE];
    for (half, out) in half.iter().zip(&mut out) {
        for t in 0..NR {
            let frames = back_one::<FMA>(std::array::from_fn(|j| half[j][t]));
            for b in 0..SIDE {
                out[b][t] = frames[b] + bias;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            elementwise::glu_plain,
            freq_conv::conv_plain,
            testing::{noise, signal_to_error_db, tensor, values},
        },
        *,
    };

    #[test]
    fn gated_convolutions_match_their_twin_on_odd_shapes() {
        // in, out, freqs, frames
        for (inputs, outputs, freqs, frames) in [
            (3, 5, 1, 1),
            (1, 1, 4, 4),
            (2, 3, 5, 17),
            (7, 4, 3, 16),
            (5, 13, 18, 50),
            (48, 48, 8, 84),
            (260, 30, 9, 230),
        ] {
            let shape = [2 * outputs, inputs, 3, 3];
            let weight = noise(shape.iter().product(), 1);
            let bias = noise(2 * outputs, 2);
            let x = FreqMap::noise(freqs, inputs, frames, 3);
            let conv = GatedWinograd::new(&weight, inputs, &bias);
            let (weight, bias) = (tensor(&weight, &shape), tensor(&bias, &[2 * outputs]));
            let twin = conv_plain(&x.to_tensor(), &weight, &bias, 1, 1).unwrap();
            let twin = glu_plain(&twin, 1).unwrap();
            let got = conv.forward(&x, |_| {}).to_map().to_tensor();
            assert_eq!(got.dims(), twin.dims());
            let db = signal_to_error_db(&values(&twin), &values(&got));
            assert!(db > 100.0, "{inputs} to {outputs}, {freqs} by {frames}: {db:.1} dB");
        }
    }
}
