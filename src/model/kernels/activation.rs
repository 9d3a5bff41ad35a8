//! Normalisation of each channel, followed by a GELU, as kernels apply them to the values they read.
//!
//! A normalisation is a factor and an addend per channel once the moments are known, so a map is
//! read once for the moments, and is never written in its normalised form. Runs on the rayon pool
//! of the caller.

use candle_core::{Result, Tensor};
use rayon::prelude::*;

use super::{
    elementwise::gelu_plain,
    maps::FreqMap,
    math::{gelu_one, mad},
    norm::{Affine, Moments, fold, group_norm_plain},
    vectorised::vectorised,
};

/// `gelu(factor · x + addend)` with a factor and an addend for each channel.
#[derive(Clone, Debug)]
pub struct Activation {
    pub(super) factor: Vec<f32>,
    pub(super) addend: Vec<f32>,
}

impl Activation {
    /// PyTorch's `InstanceNorm2d` and a GELU, for channels of these moments.
    pub fn new(affine: &Affine, moments: impl IntoIterator<Item = Moments>) -> Self {
        let pairs = affine.weight.iter().zip(&affine.bias).zip(moments);
        let (factor, addend) =
            pairs.map(|((weight, bias), moments)| fold(*weight, *bias, moments)).unzip();
        Self { factor, addend }
    }
}

/// Applies an activation to a line of one channel.
#[inline(always)]
pub(super) fn activate<const FMA: bool>(x: &[f32], factor: f32, addend: f32, out: &mut [f32]) {
    for (out, x) in out.iter_mut().zip(x) {
        *out = gelu_one::<FMA>(mad::<FMA>(*x, factor, addend));
    }
}

/// Moments of each channel of a map.
pub fn channel_moments(map: &FreqMap) -> Vec<Moments> {
    let (channels, frames) = (map.channels, map.frames);
    let mut lines = vec![Moments::default(); map.freqs * channels];
    let rows = map.data.par_chunks_exact(map.row_len());
    lines.par_chunks_exact_mut(channels).zip(rows).for_each(|(moments, row)| {
        for (moments, line) in moments.iter_mut().zip(row.chunks_exact(frames)) {
            *moments = Moments::from_slice(line);
        }
    });
    // In the order of the rows, so that the result does not depend on the threads.
    let add = |mut sums: Vec<Moments>, row: &[Moments]| {
        for (sum, moments) in sums.iter_mut().zip(row) {
            *sum = sum.and(*moments);
        }
        sums
    };
    lines.chunks_exact(channels).fold(vec![Moments::default(); channels], add)
}

vectorised! {
    /// The activation of one row of some maps, whose channels follow each other: `width` values
    /// for each channel, of which the first is zero and the frames follow it.
    pub(super) fn activate_row<FMA>(
        parts: &[&FreqMap],
        freq: usize,
        activation: &Activation,
        width: usize,
        out: &mut [f32],
    ) {
        let mut lines = out.chunks_exact_mut(width);
        let mut folded = activation.factor.iter().zip(&activation.addend);
        for map in parts {
            let row = &map.data[freq * map.row_len()..][..map.row_len()];
            let values = row.chunks_exact(map.frames);
            for (line, ((factor, addend), to)) in values.zip(folded.by_ref().zip(lines.by_ref())) {
                to[0] = 0.0;
                let (inner, after) = to[1..].split_at_mut(map.frames);
                activate::<FMA>(line, *factor, *addend, inner);
                after.fill(0.0);
            }
        }
    }
}

/// Twin of an [`Activation`] by the moments of `x: [1, channels, freqs, frames]` itself.
pub fn activate_plain(x: &Tensor, affine: &Affine) -> Result<Tensor> {
    gelu_plain(&group_norm_plain(x, affine.weight.len(), affine)?)
}
