//! A 1×1 convolution to twice the channels and the gate after it.

use super::{
    super::{
        glu_pack::{self, LANES, filled, glu},
        layout::{MR, NR},
        pack::{Strips, unpack},
        tile::strip_by_panels,
        vectorised::vectorised,
    },
    GROUP,
};

/// `glu(conv(x))` with a kernel of one by one.
#[derive(Clone, Debug)]
pub struct GatedPointwise {
    weight: Strips,
    /// For each strip.
    bias: Vec<[f32; MR]>,
    outputs: usize,
}

impl GatedPointwise {
    /// From PyTorch's weight `[2 · out, in]` and bias.
    pub fn new(weight: &[f32], inputs: usize, bias: &[f32]) -> Self {
        let weight =
            glu_pack::strips(bias.len() / 2, inputs, |row, input| weight[row * inputs + input]);
        Self { weight, bias: glu_pack::per_strip(bias), outputs: bias.len() / 2 }
    }

    /// Channels of the result.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// One row: packed panels `x: [lines, in][NR]` to `out: [out, frames]`.
    pub fn row(&self, x: &[[f32; NR]], frames: usize, out: &mut [f32]) {
        row(self, x, frames, out);
    }
}

vectorised! {
    fn row<FMA>(conv: &GatedPointwise, x: &[[f32; NR]], frames: usize, out: &mut [f32]) {
        let depth = conv.weight.depth();
        let lines = frames.div_ceil(NR);
        for first in (0..lines).step_by(GROUP) {
            for (s, bias) in conv.bias.iter().enumerate() {
                let strip = conv.weight.strip(s);
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
