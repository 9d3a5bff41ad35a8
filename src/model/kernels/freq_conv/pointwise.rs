//! A 1×1 convolution to twice the channels and the gate after it.

use super::{
    super::{
        amx, elementwise,
        gated::{self, LANES, filled, glu},
        tile::{MR, NR, Strips, strip_by_panels},
        vectorised,
    },
    GROUP,
    tiled::{self, TileRows},
    unpack,
};

/// `glu(conv(x))` with a kernel of one by one.
#[derive(Clone, Debug)]
pub struct GatedPointwise {
    weight: Weight,
    inputs: usize,
    outputs: usize,
}

#[derive(Clone, Debug)]
enum Weight {
    /// With the bias for each strip.
    Strips(Strips, Vec<[f32; MR]>),
    /// Strips of values and of their gates in turn.
    Tiles(TileRows),
}

impl GatedPointwise {
    /// From PyTorch's weight `[2 · out, in]` and bias.
    pub fn new(weight: &[f32], inputs: usize, bias: &[f32]) -> Self {
        let outputs = bias.len() / 2;
        let at = |row: usize, input: usize| weight[row * inputs + input];
        // The row of the matrix, values above gates, that is row `row` of the strips in turn.
        let source = |row: usize| {
            let (strip, lane) = (row / amx::ROWS, row % amx::ROWS);
            let channel = strip / 2 * amx::ROWS + lane;
            (channel < outputs).then_some(channel + strip % 2 * outputs)
        };
        let size = [outputs.next_multiple_of(amx::ROWS) * 2, inputs];
        let tiles = TileRows::new(
            size,
            |row| source(row).map_or(0.0, |row| bias[row]),
            |row, input| source(row).map_or(0.0, |row| at(row, input)),
        );
        let weight = match tiles {
            Some(tiles) => Weight::Tiles(tiles),
            None => Weight::Strips(gated::strips(outputs, inputs, at), gated::per_strip(bias)),
        };
        Self { weight, inputs, outputs }
    }

    /// Channels of the result.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// One row: packed panels `x: [lines, in][NR]` to `out: [out, frames]`.
    pub fn row(
        &self,
        x: &[[f32; NR]],
        frames: usize,
        out: &mut [f32],
        scratch: &mut tiled::Scratch,
    ) {
        let weight = match &self.weight {
            Weight::Strips(weight, bias) => return row(weight, bias, x, frames, out),
            Weight::Tiles(weight) => weight,
        };
        for (index, x) in x.chunks(tiled::GROUP * self.inputs).enumerate() {
            let count = x.len() / self.inputs;
            let sums = weight.multiply(count, scratch, |p, tiles| {
                let panel = x[p * self.inputs..].as_flattened();
                tiled::pack(panel, NR, [self.inputs, NR], tiles);
            });
            for (p, sums) in sums.chunks_exact(weight.lines()).enumerate() {
                let column = (index * tiled::GROUP + p) * NR;
                let strips = sums.chunks_exact(2 * amx::ROWS);
                for (sums, out) in strips.zip(out.chunks_mut(amx::ROWS * frames)) {
                    let (value, gate) = sums.split_at(amx::ROWS);
                    let mut gated = [[0.0; NR]; amx::ROWS];
                    elementwise::glu(
                        value.as_flattened(),
                        gate.as_flattened(),
                        gated.as_flattened_mut(),
                    );
                    unpack(&gated, out, frames, column);
                }
            }
        }
    }
}

vectorised! {
    fn row<FMA>(
        weight: &Strips,
        bias: &[[f32; MR]],
        x: &[[f32; NR]],
        frames: usize,
        out: &mut [f32],
    ) {
        let depth = weight.depth();
        let lines = frames.div_ceil(NR);
        for first in (0..lines).step_by(GROUP) {
            for (s, bias) in bias.iter().enumerate() {
                let strip = weight.strip(s);
                let out = &mut out[s * LANES * frames..];
                let tiles = &mut [filled(bias); GROUP][..GROUP.min(lines - first)];
                strip_by_panels::<FMA>(tiles, strip, |p| &x[(first + p) * depth..][..depth]);
                for (p, tile) in tiles.iter().enumerate() {
                    unpack(&glu::<FMA>(tile), out, frames, (first + p) * NR);
                }
            }
        }
    }
}
