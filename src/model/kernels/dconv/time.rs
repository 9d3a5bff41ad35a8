//! DConv in the time branch, where the norms span the whole signal: three passes, fused with those of
//! the neighbouring operations.
//!
//! The first pass computes a block of the input and convolves it to the hidden channels while it is
//! in the cache. The second normalises the hidden channels and sums their products with each other.
//! These give the moments of the wide activation, which is never computed as a whole. The operation
//! that reads the result runs the third pass, [`Branch::add`].

use rayon::prelude::*;

use super::{
    super::{
        maps::TimeMap,
        math::{gelu_one, mad},
        norm::{LANES, Moments},
        row_conv::{After, Columns, Fields, multiply},
        time_conv::{BlockScratch, block_frames},
        vectorised::vectorised,
    },
    DConvWeights,
};
use crate::model::arena::Buffer;

/// One layer of a branch.
#[derive(Clone, Debug)]
pub struct TimeDConv {
    weights: DConvWeights,
    conv: Columns,
    dilation: usize,
    channels: usize,
    hidden: usize,
    /// Hidden channels padded to whole vectors.
    stride: usize,
    /// `expandᵀ · expand`, `[hidden, hidden]`.
    square: Vec<f64>,
}

/// A layer whose norms are known: the values to add to the activation.
#[derive(Debug)]
pub struct Branch {
    expand: Columns,
    /// `[frames, stride]`.
    hidden: Buffer,
    stride: usize,
    channels: usize,
}

impl Branch {
    /// Adds the branch to the frames from `start` on. Frames before the first and after the last
    /// stay unchanged.
    pub fn add(&self, start: isize, rows: &mut [f32]) {
        let before = (-start).max(0) as usize * self.channels;
        let from = start.max(0) as usize * self.stride;
        if let (Some(hidden), Some(rows)) = (self.hidden.get(from..), rows.get_mut(before..)) {
            let frames = (hidden.len() / self.stride).min(rows.len() / self.channels);
            let fields = Fields { taps: 1, gap: 0, step: self.stride };
            multiply(hidden, fields, &self.expand, &mut rows[..frames * self.channels]);
        }
    }
}

impl TimeDConv {
    /// A layer whose taps are `dilation` frames apart.
    pub fn new(weights: DConvWeights, dilation: usize) -> Self {
        let (channels, hidden) = (weights.scale.len(), weights.conv_bias.len());
        let stride = hidden.next_multiple_of(LANES);
        let mut bias = weights.conv_bias.clone();
        bias.resize(stride, 0.0);
        let conv = Columns::new(3 * channels, &bias, After::Store, |k, h| {
            let (tap, channel) = (k / channels, k % channels);
            if h < hidden { weights.conv[(h * channels + channel) * 3 + tap] } else { 0.0 }
        });
        let mut square = vec![0.0; hidden * hidden];
        for row in weights.expand.chunks_exact(hidden) {
            for (line, a) in square.chunks_exact_mut(hidden).zip(row) {
                for (sum, b) in line.iter_mut().zip(row) {
                    *sum += f64::from(*a) * f64::from(*b);
                }
            }
        }
        Self { weights, conv, dilation, channels, hidden, stride, square }
    }

    /// Runs all layers but the third pass of the last, on a map whose blocks
    /// `fill(first frame, frames, scratch)` writes.
    pub fn chain(
        layers: &[Self],
        y: &mut TimeMap,
        fill: impl Fn(usize, &mut [f32], &mut BlockScratch) + Sync,
    ) -> Option<Branch> {
        let Some((first, rest)) = layers.split_first() else {
            let (block, channels) = (block_frames(y.channels), y.channels);
            let chunks = y.inner_mut().par_chunks_mut(block * channels).enumerate();
            chunks.for_each_init(BlockScratch::default, |scratch, (index, y)| {
                fill(index * block, y, scratch);
            });
            return None;
        };
        let mut branch = first.open(y, fill);
        for layer in rest {
            branch = layer.open(y, |start, rows, _| branch.add(start as isize, rows));
        }
        Some(branch)
    }

    /// The first two passes.
    fn open(
        &self,
        y: &mut TimeMap,
        fill: impl Fn(usize, &mut [f32], &mut BlockScratch) + Sync,
    ) -> Branch {
        let block = block_frames(self.channels);
        let mut hidden = Buffer::any(y.frames * self.stride);
        let inside = y
            .inner_mut()
            .par_chunks_mut(block * self.channels)
            .zip(hidden.par_chunks_mut(block * self.stride))
            .enumerate()
            .map_init(BlockScratch::default, |scratch, (index, (y, hidden))| {
                fill(index * block, y, scratch);
                let [start, end] = self.inside(hidden);
                self.convolve(y, &mut hidden[start..end])
            })
            .reduce(Moments::default, Moments::and);
        // Hidden frames that read two blocks.
        let mut moments = inside;
        for (index, hidden) in hidden.chunks_mut(block * self.stride).enumerate() {
            let [start, end] = self.inside(hidden);
            for edge in [0..start, end..hidden.len()] {
                let first = index * block + edge.start / self.stride;
                let fields = y.starting_at(first as isize - self.dilation as isize);
                moments = moments.and(self.convolve(fields, &mut hidden[edge]));
            }
        }
        let (factor, addend) = self.weights.norm_hidden.fold(moments);
        let (factor, addend) = (self.repeated(&factor), self.repeated(&addend));
        let sums = hidden
            .par_chunks_mut(block * self.stride)
            .map(|block| {
                affine_gelu_rows(block, &factor, &addend);
                Products::from_rows(block, self.stride)
            })
            .reduce(Products::default, Products::and);
        let expand = self.expansion(self.wide_moments(&sums, y.frames));
        Branch { expand, hidden, stride: self.stride, channels: self.channels }
    }

    /// Range of a block's hidden frames that read frames of that block alone; empty and at its end
    /// if there are none.
    fn inside(&self, hidden: &[f32]) -> [usize; 2] {
        let edge = self.dilation * self.stride;
        if hidden.len() > 2 * edge { [edge, hidden.len() - edge] } else { [hidden.len(); 2] }
    }

    /// Computes hidden frames from `x`, which begins with the first tap of the first one; returns
    /// their moments.
    fn convolve(&self, x: &[f32], hidden: &mut [f32]) -> Moments {
        let fields = Fields { taps: 3, gap: self.dilation * self.channels, step: self.channels };
        multiply(x, fields, &self.conv, hidden);
        Moments::from_rows(hidden, self.stride, self.hidden)
    }

    /// A value per hidden channel, padded with zeros and repeated: rows are short, and several at a
    /// time fill the registers.
    fn repeated(&self, values: &[f32]) -> Vec<f32> {
        let mut row = values.to_vec();
        row.resize(self.stride, 0.0);
        row.repeat(64_usize.div_ceil(self.stride))
    }

    /// Moments of `expand · hidden + bias` over all frames and channels.
    fn wide_moments(&self, sums: &Products, frames: usize) -> Moments {
        let count = frames as f64;
        let mean: Vec<f64> = sums.single[..self.hidden].iter().map(|sum| sum / count).collect();
        let rows = self.weights.expand.chunks_exact(self.hidden).zip(&self.weights.expand_bias);
        let means: Vec<f64> = rows
            .map(|(row, bias)| {
                let terms = row.iter().zip(&mean).map(|(weight, mean)| f64::from(*weight) * mean);
                f64::from(*bias) + terms.sum::<f64>()
            })
            .collect();
        let centre = means.iter().sum::<f64>() / means.len() as f64;
        let apart: f64 = means.iter().map(|mean| (mean - centre).powi(2)).sum();
        let mut within = 0.0;
        for (i, line) in self.square.chunks_exact(self.hidden).enumerate() {
            for (j, square) in line.iter().enumerate() {
                let product = sums.pairs[i * self.stride + j];
                within += square * (product - count * mean[i] * mean[j]);
            }
        }
        let deviation = count * apart + within.max(0.0);
        Moments { count: frames * means.len(), mean: centre, deviation }
    }

    /// The expansion to twice the channels, with the norm of `moments` and the LayerScale folded
    /// in.
    fn expansion(&self, moments: Moments) -> Columns {
        let (mut factor, mut addend) = self.weights.norm_wide.fold(moments);
        for ((factor, addend), scale) in factor.iter_mut().zip(&mut addend).zip(&self.weights.scale)
        {
            *factor *= scale;
            *addend *= scale;
        }
        let folded = factor.iter().zip(&addend).zip(&self.weights.expand_bias);
        let bias: Vec<f32> =
            folded.map(|((factor, addend), bias)| factor * bias + addend).collect();
        Columns::new(self.hidden, &bias, After::AddGlu, |k, column| {
            factor[column] * self.weights.expand[column * self.hidden + k]
        })
    }
}

/// Sums over frames of the hidden channels and of their products with each other.
#[derive(Debug, Default)]
struct Products {
    single: Vec<f64>,
    /// `[stride, stride]`.
    pairs: Vec<f64>,
}

impl Products {
    fn from_rows(hidden: &[f32], stride: usize) -> Self {
        let (mut single, mut pairs) = (vec![0.0; stride], vec![0.0; stride * stride]);
        add_products(hidden, &mut single, &mut pairs);
        let wide = |sums: Vec<f32>| sums.into_iter().map(f64::from).collect();
        Self { single: wide(single), pairs: wide(pairs) }
    }

    fn and(self, other: Self) -> Self {
        let (mut sum, other) = if self.single.is_empty() { (other, self) } else { (self, other) };
        for (a, b) in sum.single.iter_mut().zip(&other.single) {
            *a += b;
        }
        for (a, b) in sum.pairs.iter_mut().zip(&other.pairs) {
            *a += b;
        }
        sum
    }
}

vectorised! {
    fn add_products<FMA>(hidden: &[f32], single: &mut [f32], pairs: &mut [f32]) {
        let stride = single.len();
        for row in hidden.chunks_exact(stride) {
            let row = row.as_chunks::<LANES>().0;
            for (sums, values) in single.as_chunks_mut::<LANES>().0.iter_mut().zip(row) {
                for (sum, v) in sums.iter_mut().zip(values) {
                    *sum += v;
                }
            }
            for (value, line) in row.as_flattened().iter().zip(pairs.chunks_exact_mut(stride)) {
                for (sums, values) in line.as_chunks_mut::<LANES>().0.iter_mut().zip(row) {
                    for (sum, v) in sums.iter_mut().zip(values) {
                        *sum = mad::<FMA>(*value, *v, *sum);
                    }
                }
            }
        }
    }
}

vectorised! {
    /// `x = gelu(factor · x + addend)` for `x` in rows of `factor.len()`, of which the last may be
    /// shorter.
    fn affine_gelu_rows<FMA>(x: &mut [f32], factor: &[f32], addend: &[f32]) {
        for row in x.chunks_mut(factor.len()) {
            for ((v, factor), addend) in row.iter_mut().zip(factor).zip(addend) {
                *v = gelu_one::<FMA>(mad::<FMA>(*v, *factor, *addend));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            super::testing::{assert_same, values},
            layer_plain,
            testing::weights,
        },
        *,
    };

    #[test]
    fn signals_match_their_twin_on_odd_shapes() {
        for (channels, hidden, frames, dilation) in
            [(5, 2, 37, 1), (8, 3, 1, 1), (4, 1, 3, 4), (48, 6, 1100, 2), (7, 7, 513, 1)]
        {
            let weights = weights(channels, hidden);
            let layer = TimeDConv::new(weights.clone(), dilation);
            let mut x = TimeMap::noise(frames, channels, 8, 10);
            let twin = layer_plain(&x.to_tensor(), &weights, dilation).unwrap();
            let branch = TimeDConv::chain(&[layer], &mut x, |_, _, _| {}).unwrap();
            branch.add(0, x.inner_mut());
            let what = format!("{channels} channels, {frames} frames");
            assert_same(&values(&twin), &values(&x.to_tensor()), &what);
        }
    }
}
