//! The decoders' 3×3 convolution of HTDemucs with its gate.
//!
//! The 36 products of one panel and six rows of weights (three values, their three gates) are
//! transformed back, gated and stored before the next, so that the activation of twice the channels
//! never exists.

use rayon::prelude::*;

use super::{
    super::{
        glu_pack::{self, LANES},
        layout::{MR, NR, Tile},
        maps::{FreqMap, FreqPanels, Lines},
        math::sigmoid,
        pack::Strips,
        vectorised::vectorised,
    },
    DEEP, DEEP_PANELS, G, PANELS, POINTS, REACH, Run, SIDE, SPAN, STRIPS, TILE_ROWS, Tiling,
    pack_run, products, results,
};

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
        // The threads share blocks, and also the work within a block if there are few.
        let few = x.freqs.div_ceil(block_rows) < 4 * rayon::current_num_threads();
        let blocks = out.data.par_chunks_mut(block_rows * row_len).enumerate();
        blocks.for_each_init(Scratch::default, |scratch, (index, rows)| {
            let first = index * block_rows;
            let tiling = Tiling { rows: rows.len() / row_len, lines };
            self.block(&Block { x, first, tiling }, few, scratch);
            let stride = tiling.rows * lines * LANES;
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
        let stride = block.tiling.rows * block.tiling.lines * LANES;
        let panels = block.tiling.panels();
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
        let stride = block.tiling.rows * block.tiling.lines * LANES;
        let strips = index * STRIPS..index * STRIPS + out.len() / stride;
        let panels = packed.len() / (POINTS * self.inputs);
        sums.resize(panels * STRIPS * POINTS, [[0.0; NR]; MR]);
        products(&self.weights, packed, strips.clone(), sums);
        for (p, sums) in sums.chunks_exact(STRIPS * POINTS).enumerate() {
            let sums = sums.chunks_exact(POINTS).zip(&self.bias[strips.clone()]);
            for ((sums, bias), out) in sums.zip(out.chunks_exact_mut(stride)) {
                transform_back(block, first + p, sums, bias, out);
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

/// Rows of the result, and their input.
struct Block<'a> {
    x: &'a FreqMap,
    /// The first row of the result.
    first: usize,
    tiling: Tiling,
}

vectorised! {
    /// Packs a panel of the block's input: `[POINTS, inputs][NR]`.
    fn transform<FMA>(block: &Block<'_>, panel: usize, inputs: usize, packed: &mut [[f32; NR]]) {
        let mut lines = [[0.0; SPAN]; REACH];
        for run in block.tiling.runs(panel) {
            for c in 0..inputs {
                gather(block, &run, c, &mut lines);
                pack_run::<FMA>(&lines, &run, inputs, c, packed);
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
            // At the beginning or the end of the map.
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

vectorised! {
    /// Transforms the sums of one panel and one strip back, adds the bias, gates, and stores into
    /// the strip's `out: [rows, lines, LANES][NR]`.
    fn transform_back<FMA>(
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
            for run in block.tiling.runs(panel) {
                let top = run.row * SIDE;
                for (row, value) in (top..block.tiling.rows).zip(&value) {
                    for k in 0..run.count {
                        let first = (run.at + k) * SIDE;
                        let line = &mut out[(row * block.tiling.lines + run.line + k) * LANES + lane];
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

#[cfg(test)]
mod tests {
    use super::{
        super::super::{
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
