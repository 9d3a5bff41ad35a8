//! The DConv residual branch: a thin dilated convolution, GroupNorm, GELU, a 1×1 convolution back to
//! twice the channels, GroupNorm, GLU, LayerScale, and the sum with what went in.
//!
//! In the frequency branch everything happens within one row, which stays in the cache. In the time
//! branch the norms span the whole signal; the wide activation between them is computed twice, once
//! for its moments and once for its use, and never stored.

use candle_core::{Result, Tensor};
use rayon::prelude::*;

use super::{
    TimeMap,
    elementwise::{gelu_one, gelu_plain, glu_plain, mad, sigmoid},
    norm::{Affine, Moments, group_norm_plain},
    product::{Mat, MatMut, Parallelism, Update, product},
    time_conv::{TimeConv, conv_plain},
    vectorised,
};

/// Frames per rayon task in the time branch.
const BLOCK: usize = 512;

/// Weights of one layer of a branch, as in PyTorch; the numbers are the module's indices.
#[derive(Clone, Debug)]
pub struct DConvWeights {
    /// `0.weight`: `[hidden, channels, 3]`.
    pub conv: Vec<f32>,
    /// `0.bias`.
    pub conv_bias: Vec<f32>,
    /// `1`: over the hidden channels.
    pub norm_hidden: Affine,
    /// `3.weight`: `[2 · channels, hidden, 1]`.
    pub expand: Vec<f32>,
    /// `3.bias`.
    pub expand_bias: Vec<f32>,
    /// `4`: over twice the channels.
    pub norm_wide: Affine,
    /// `6.scale`.
    pub scale: Vec<f32>,
}

/// One layer of a branch.
#[derive(Clone, Debug)]
pub struct DConvLayer {
    weights: DConvWeights,
    /// `[3, channels, hidden]`, in the time branch's layout.
    conv: TimeConv,
    /// `[3][hidden, channels]`, in the frequency branch's.
    taps: [Vec<f32>; 3],
    /// `[hidden, 2 · channels]`.
    expand: Vec<f32>,
    channels: usize,
    hidden: usize,
    dilation: usize,
}

/// What a thread needs besides the row: made once per task.
#[derive(Debug, Default)]
pub struct Scratch {
    hidden: Vec<f32>,
    wide: Vec<f32>,
}

impl DConvLayer {
    /// A layer whose taps are `dilation` frames apart.
    pub fn new(weights: DConvWeights, dilation: usize) -> Self {
        let (channels, hidden) = (weights.scale.len(), weights.conv_bias.len());
        let taps = std::array::from_fn(|tap| {
            weights.conv.iter().skip(tap).step_by(3).copied().collect::<Vec<f32>>()
        });
        let conv = TimeConv::new(
            &weights.conv,
            [hidden, channels, 3],
            weights.conv_bias.clone(),
            1,
            dilation,
            dilation,
        );
        let mut expand = vec![0.0; weights.expand.len()];
        for (o, values) in weights.expand.chunks_exact(hidden).enumerate() {
            for (h, value) in values.iter().enumerate() {
                expand[h * 2 * channels + o] = *value;
            }
        }
        Self { weights, conv, taps, expand, channels, hidden, dilation }
    }

    /// Adds the branch to one row of the frequency branch, `y: [channels, frames]`.
    pub fn row(&self, y: &mut [f32], scratch: &mut Scratch) {
        let frames = y.len() / self.channels;
        scratch.hidden.resize(self.hidden * frames, 0.0);
        scratch.wide.resize(2 * self.channels * frames, 0.0);
        let Scratch { hidden, wide } = scratch;

        fill_lines(hidden, frames, &self.weights.conv_bias);
        for (tap, weight) in self.taps.iter().enumerate() {
            let (from, to) = match tap {
                0 => (0, self.dilation),
                1 => (0, 0),
                _ => (self.dilation, 0),
            };
            if from.max(to) >= frames {
                continue;
            }
            let width = frames - from.max(to);
            product(
                MatMut::new(&mut hidden[to..], self.hidden, width, frames),
                Update::Add,
                Mat::new(weight, self.hidden, self.channels, self.channels),
                Mat::new(&y[from..], self.channels, width, frames),
                Parallelism::None,
            );
        }
        let (factor, addend) = self.weights.norm_hidden.fold(Moments::of(hidden));
        affine_gelu_lines(hidden, frames, &factor, &addend);

        fill_lines(wide, frames, &self.weights.expand_bias);
        product(
            MatMut::new(wide, 2 * self.channels, frames, frames),
            Update::Add,
            Mat::new(&self.weights.expand, 2 * self.channels, self.hidden, self.hidden),
            Mat::new(hidden, self.hidden, frames, frames),
            Parallelism::None,
        );
        let (factor, addend) = self.weights.norm_wide.fold(Moments::of(wide));
        glu_residual_lines(y, wide, frames, &factor, &addend, &self.weights.scale);
    }

    /// Adds the branch to the time branch.
    pub fn time(&self, y: &mut TimeMap) {
        let mut hidden = vec![0.0; y.frames * self.hidden];
        let moments = hidden
            .par_chunks_mut(BLOCK * self.hidden)
            .enumerate()
            .map(|(index, block)| {
                self.conv.block(y, index * BLOCK, block);
                Moments::of(block)
            })
            .reduce(Moments::default, Moments::and);
        let (factor, addend) = self.weights.norm_hidden.fold(moments);
        // The rows are short: several at once fill the registers.
        let repeat = 64_usize.div_ceil(self.hidden);
        let (factor, addend) = (factor.repeat(repeat), addend.repeat(repeat));
        let moments = hidden
            .par_chunks_mut(BLOCK * self.hidden)
            .map_init(Vec::new, |wide, block| {
                affine_gelu_rows(block, &factor, &addend);
                self.widen(block, wide);
                Moments::of(wide)
            })
            .reduce(Moments::default, Moments::and);
        let (factor, addend) = self.weights.norm_wide.fold(moments);
        y.inner_mut()
            .par_chunks_mut(BLOCK * self.channels)
            .zip(hidden.par_chunks(BLOCK * self.hidden))
            .for_each_init(Vec::new, |wide, (y, block)| {
                self.widen(block, wide);
                glu_residual_rows(y, wide, &factor, &addend, &self.weights.scale);
            });
    }

    /// `[frames, hidden]` to `[frames, 2 · channels]`.
    fn widen(&self, hidden: &[f32], wide: &mut Vec<f32>) {
        let (frames, width) = (hidden.len() / self.hidden, 2 * self.channels);
        wide.resize(frames * width, 0.0);
        for row in wide.chunks_exact_mut(width) {
            row.copy_from_slice(&self.weights.expand_bias);
        }
        product(
            MatMut::new(wide, frames, width, width),
            Update::Add,
            Mat::new(hidden, frames, self.hidden, self.hidden),
            Mat::new(&self.expand, self.hidden, width, width),
            Parallelism::None,
        );
    }
}

/// Twin of a layer: `x: [batch, channels, frames]`, one batch a row of the frequency branch or the
/// whole time branch.
pub fn layer_plain(x: &Tensor, weights: &DConvWeights, dilation: usize) -> Result<Tensor> {
    let (channels, hidden) = (weights.scale.len(), weights.conv_bias.len());
    let tensor = |v: &[f32], shape: &[usize]| Tensor::from_slice(v, shape, x.device());
    let conv = tensor(&weights.conv, &[hidden, channels, 3])?;
    let h = conv_plain(x, &conv, &tensor(&weights.conv_bias, &[hidden])?, 1, dilation, dilation)?;
    let h = gelu_plain(&group_norm_plain(&h, 1, &weights.norm_hidden)?)?;
    let expand = tensor(&weights.expand, &[2 * channels, hidden, 1])?;
    let z = conv_plain(&h, &expand, &tensor(&weights.expand_bias, &[2 * channels])?, 1, 1, 0)?;
    let z = glu_plain(&group_norm_plain(&z, 1, &weights.norm_wide)?, 1)?;
    x + z.broadcast_mul(&tensor(&weights.scale, &[1, channels, 1])?)?
}

/// Fills each line of `x: [values.len(), frames]` with its value.
fn fill_lines(x: &mut [f32], frames: usize, values: &[f32]) {
    for (line, value) in x.chunks_exact_mut(frames).zip(values) {
        line.fill(*value);
    }
}

vectorised! {
    /// `x = gelu(factor · x + addend)` for `x: [factor.len(), frames]`.
    fn affine_gelu_lines<FMA>(x: &mut [f32], frames: usize, factor: &[f32], addend: &[f32]) {
        for ((line, factor), addend) in x.chunks_exact_mut(frames).zip(factor).zip(addend) {
            for v in line {
                *v = gelu_one::<FMA>(mad::<FMA>(*v, *factor, *addend));
            }
        }
    }
}

vectorised! {
    /// `x = gelu(factor · x + addend)` for `x` in rows of `factor.len()`, the last one cut short.
    fn affine_gelu_rows<FMA>(x: &mut [f32], factor: &[f32], addend: &[f32]) {
        for row in x.chunks_mut(factor.len()) {
            for ((v, factor), addend) in row.iter_mut().zip(factor).zip(addend) {
                *v = gelu_one::<FMA>(mad::<FMA>(*v, *factor, *addend));
            }
        }
    }
}

vectorised! {
    /// `y += scale · glu(factor · wide + addend)` for `y: [channels, frames]` and
    /// `wide: [2 · channels, frames]`.
    fn glu_residual_lines<FMA>(
        y: &mut [f32],
        wide: &[f32],
        frames: usize,
        factor: &[f32],
        addend: &[f32],
        scale: &[f32],
    ) {
        let channels = scale.len();
        let (values, gates) = wide.split_at(channels * frames);
        let lines = y.chunks_exact_mut(frames).zip(values.chunks_exact(frames));
        for (c, ((y, values), gates)) in lines.zip(gates.chunks_exact(frames)).enumerate() {
            let (vf, va, gf, ga) =
                (factor[c], addend[c], factor[channels + c], addend[channels + c]);
            let (vf, va) = (vf * scale[c], va * scale[c]);
            for ((y, value), gate) in y.iter_mut().zip(values).zip(gates) {
                let open = sigmoid::<FMA>(mad::<FMA>(*gate, gf, ga));
                *y = mad::<FMA>(mad::<FMA>(*value, vf, va), open, *y);
            }
        }
    }
}

vectorised! {
    /// `y += scale · glu(factor · wide + addend)` for `y: [frames, channels]` and
    /// `wide: [frames, 2 · channels]`.
    fn glu_residual_rows<FMA>(
        y: &mut [f32],
        wide: &[f32],
        factor: &[f32],
        addend: &[f32],
        scale: &[f32],
    ) {
        let n = scale.len();
        let (vf, gf) = factor.split_at(n);
        let (va, ga) = addend.split_at(n);
        for (y, wide) in y.chunks_exact_mut(n).zip(wide.chunks_exact(2 * n)) {
            let (values, gates) = wide.split_at(n);
            let norms = vf.iter().zip(va).zip(gf.iter().zip(ga)).zip(scale);
            for (((y, value), gate), (((vf, va), (gf, ga)), scale)) in
                y.iter_mut().zip(values).zip(gates).zip(norms)
            {
                let open = sigmoid::<FMA>(mad::<FMA>(*gate, *gf, *ga));
                *y = mad::<FMA>(mad::<FMA>(*value, *vf, *va) * scale, open, *y);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::testing::{assert_same, noise, tensor, values},
        *,
    };

    fn weights(channels: usize, hidden: usize) -> DConvWeights {
        let affine = |n, seed| Affine { weight: noise(n, seed), bias: noise(n, seed + 1) };
        DConvWeights {
            conv: noise(hidden * channels * 3, 1),
            conv_bias: noise(hidden, 2),
            norm_hidden: affine(hidden, 3),
            expand: noise(2 * channels * hidden, 5),
            expand_bias: noise(2 * channels, 6),
            norm_wide: affine(2 * channels, 7),
            scale: noise(channels, 9),
        }
    }

    #[test]
    fn rows_and_signals_match_their_twin_on_odd_shapes() {
        for (channels, hidden, frames, dilation) in
            [(5, 2, 37, 1), (8, 3, 1, 1), (4, 1, 3, 4), (48, 6, 1100, 2), (7, 7, 513, 1)]
        {
            let weights = weights(channels, hidden);
            let layer = DConvLayer::new(weights.clone(), dilation);
            let mut x = TimeMap::noise(frames, channels, 8, 10);
            let twin = layer_plain(&x.to_tensor(), &weights, dilation).unwrap();
            let mut row = values(&x.to_tensor());
            layer.row(&mut row, &mut Scratch::default());
            let what = format!("{channels} channels, {frames} frames");
            assert_same(&values(&twin), &row, &what);
            layer.time(&mut x);
            assert_same(&values(&twin), &values(&x.to_tensor()), &what);
        }
    }

    #[test]
    fn a_scratch_can_be_used_for_rows_of_any_size() {
        let mut scratch = Scratch::default();
        for (channels, hidden, frames) in [(6, 3, 40), (4, 2, 9), (8, 4, 100)] {
            let layer = DConvLayer::new(weights(channels, hidden), 1);
            let mut row = noise(channels * frames, 11);
            let mut fresh = row.clone();
            layer.row(&mut row, &mut scratch);
            layer.row(&mut fresh, &mut Scratch::default());
            assert_eq!(row, fresh);
        }
    }

    #[test]
    fn silence_leaves_only_what_the_biases_say() {
        let weights = weights(4, 2);
        let layer = DConvLayer::new(weights.clone(), 1);
        let mut row = vec![0.0; 4 * 16];
        let twin = layer_plain(&tensor(&row, &[1, 4, 16]), &weights, 1).unwrap();
        layer.row(&mut row, &mut Scratch::default());
        assert_same(&values(&twin), &row, "silence");
    }
}
