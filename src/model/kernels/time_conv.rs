//! Convolutions of the time branch: strided, dilated, and transposed.
//!
//! In [`TimeMap`]'s layout the receptive field of an output frame is contiguous, and the fields of
//! neighbouring frames overlap: a product whose left matrix has a row stride shorter than its rows.
//! The zero margins of the map are the padding.

use candle_core::{Result, Tensor};
use rayon::prelude::*;

use super::{
    TimeMap,
    freq_conv::pack_transposed,
    product::{Mat, MatMut, Parallelism, Update, product},
};

/// Output frames per rayon task: some hundred kilobytes, so that what follows finds them in the
/// cache.
const BLOCK: usize = 512;

/// A convolution; PyTorch's `Conv1d`.
#[derive(Clone, Debug)]
pub struct TimeConv {
    /// `[taps, in, out]`.
    weight: Vec<f32>,
    bias: Vec<f32>,
    inputs: usize,
    taps: usize,
    stride: usize,
    dilation: usize,
    padding: usize,
}

impl TimeConv {
    /// From PyTorch's weight `[out, in, taps]`.
    pub fn new(
        weight: &[f32],
        shape: [usize; 3],
        bias: Vec<f32>,
        stride: usize,
        dilation: usize,
        padding: usize,
    ) -> Self {
        let [outputs, inputs, taps] = shape;
        let mut packed = vec![0.0; weight.len()];
        let mut values = weight.iter();
        for o in 0..outputs {
            for i in 0..inputs {
                for (tap, value) in (0..taps).zip(values.by_ref()) {
                    packed[(tap * inputs + i) * outputs + o] = *value;
                }
            }
        }
        Self { weight: packed, bias, inputs, taps, stride, dilation, padding }
    }

    /// Channels of the result.
    pub fn outputs(&self) -> usize {
        self.bias.len()
    }

    /// Frames of the result, when `frames` go in that are first extended by zeros to a multiple of
    /// the stride.
    pub fn frames_out(&self, frames: usize) -> usize {
        let whole = frames.next_multiple_of(self.stride) + 2 * self.padding;
        (whole - self.dilation * (self.taps - 1) - 1) / self.stride + 1
    }

    /// Frames from `start` on of the result, as many as `out: [frames, out]` has room for.
    pub fn block(&self, x: &TimeMap, start: usize, out: &mut [f32]) {
        let outputs = self.outputs();
        for out in out.chunks_exact_mut(outputs) {
            out.copy_from_slice(&self.bias);
        }
        let frames = out.len() / outputs;
        let first = (start * self.stride) as isize - self.padding as isize;
        let taps_at_once = if self.dilation == 1 { self.taps } else { 1 };
        let depth = taps_at_once * self.inputs;
        for tap in (0..self.taps).step_by(taps_at_once) {
            let fields = x.starting_at(first + (tap * self.dilation) as isize);
            product(
                MatMut::new(out, frames, outputs, outputs),
                Update::Add,
                Mat::new(fields, frames, depth, self.stride * self.inputs),
                Mat::new(&self.weight[tap * self.inputs * outputs..], depth, outputs, outputs),
                Parallelism::None,
            );
        }
    }

    /// The whole result; `finish` is applied to every block of it while that is in the cache.
    pub fn forward(&self, x: &TimeMap, finish: impl Fn(&mut [f32]) + Sync) -> TimeMap {
        let mut out = TimeMap::zeros(self.frames_out(x.frames), self.outputs(), x.margin);
        out.inner_mut().par_chunks_mut(BLOCK * self.outputs()).enumerate().for_each(
            |(index, block)| {
                self.block(x, index * BLOCK, block);
                finish(block);
            },
        );
        out
    }
}

/// Twin of [`TimeConv`]: `x: [1, in, frames]`, PyTorch's weight and bias.
pub fn conv_plain(
    x: &Tensor,
    weight: &Tensor,
    bias: &Tensor,
    stride: usize,
    dilation: usize,
    padding: usize,
) -> Result<Tensor> {
    let frames = x.dim(2)?;
    let x = x.pad_with_zeros(2, 0, frames.next_multiple_of(stride) - frames)?;
    x.conv1d(weight, padding, stride, dilation, 1)?.broadcast_add(&bias.reshape((1, (), 1))?)
}

/// A transposed convolution; PyTorch's `ConvTranspose1d`.
#[derive(Clone, Debug)]
pub struct TimeConvTranspose {
    /// `[reach · in, stride · out]`, see [`pack_transposed`].
    weight: Vec<f32>,
    bias: Vec<f32>,
    inputs: usize,
    taps: usize,
    stride: usize,
}

impl TimeConvTranspose {
    /// From PyTorch's weight `[in, out, taps]`.
    pub fn new(weight: &[f32], shape: [usize; 3], bias: Vec<f32>, stride: usize) -> Self {
        let [inputs, _, taps] = shape;
        Self { weight: pack_transposed(weight, shape, stride), bias, inputs, taps, stride }
    }

    /// Frames of the untrimmed result, when `frames` go in.
    pub fn frames_out(&self, frames: usize) -> usize {
        (frames - 1) * self.stride + self.taps
    }

    /// The `frames` of the result after the first `trim`; `finish` is applied to every block of it while that is in
    /// the cache. A group of `stride` output frames is one row of a product, so nothing is added up
    /// afterwards.
    pub fn forward(
        &self,
        x: &TimeMap,
        trim: usize,
        frames: usize,
        finish: impl Fn(&mut [f32]) + Sync,
    ) -> TimeMap {
        let outputs = self.bias.len();
        let mut out = TimeMap::zeros(frames, outputs, x.margin);
        let width = self.stride * outputs;
        let groups = (frames + trim).div_ceil(self.stride);
        let reach = self.taps.div_ceil(self.stride);
        let depth = reach * self.inputs;
        // The first and the last group reach into the margins of the result.
        let whole = &mut out.starting_at_mut(-(trim as isize))[..groups * width];
        let groups_per_task = (BLOCK / self.stride).max(1);
        whole.par_chunks_mut(groups_per_task * width).enumerate().for_each(|(index, block)| {
            for out in block.chunks_exact_mut(outputs) {
                out.copy_from_slice(&self.bias);
            }
            let rows = block.len() / width;
            let first = (index * groups_per_task) as isize - (reach as isize - 1);
            product(
                MatMut::new(block, rows, width, width),
                Update::Add,
                Mat::new(x.starting_at(first), rows, depth, self.inputs),
                Mat::new(&self.weight, depth, width, width),
                Parallelism::None,
            );
            finish(block);
        });
        out.clear_margins();
        out
    }
}

/// Twin of [`TimeConvTranspose`]: `x: [1, in, frames]`, weight `[in, out, taps]`.
pub fn conv_transpose_plain(
    x: &Tensor,
    weight: &Tensor,
    bias: &Tensor,
    stride: usize,
    trim: usize,
    frames: usize,
) -> Result<Tensor> {
    let whole = x.conv_transpose1d(weight, 0, 0, stride, 1, 1)?;
    whole.narrow(2, trim, frames)?.broadcast_add(&bias.reshape((1, (), 1))?)
}

#[cfg(test)]
mod tests {
    use super::{
        super::testing::{assert_same, noise, tensor, values},
        *,
    };

    /// More than any kernel here reaches.
    const MARGIN: usize = 20;

    #[test]
    fn convolutions_match_their_twin_on_odd_shapes() {
        // [out, in, taps], stride, dilation, padding, frames
        let cases = [
            ([5, 3, 8], 4, 1, 2, 1203),
            ([2, 1, 8], 4, 1, 2, 5),
            ([6, 4, 3], 1, 1, 1, 513),
            ([3, 4, 3], 1, 2, 2, 700),
            ([3, 4, 3], 1, 4, 4, 3),
            ([4, 3, 1], 1, 1, 0, 1),
        ];
        for (shape, stride, dilation, padding, frames) in cases {
            let [outputs, inputs, _] = shape;
            let weight = noise(shape.iter().product(), 1);
            let bias = noise(outputs, 2);
            let x = TimeMap::noise(frames, inputs, MARGIN, 3);
            let conv = TimeConv::new(&weight, shape, bias.clone(), stride, dilation, padding);
            let got = conv.forward(&x, |_| {}).to_tensor();
            let (weight, bias) = (tensor(&weight, &shape), tensor(&bias, &[outputs]));
            let twin =
                conv_plain(&x.to_tensor(), &weight, &bias, stride, dilation, padding).unwrap();
            assert_eq!(got.dims(), twin.dims());
            assert_same(&values(&twin), &values(&got), &format!("{shape:?}"));
        }
    }

    #[test]
    fn transposed_convolutions_match_their_twin_and_leave_the_margins_zero() {
        // [in, out, taps], stride, trim, frames, frames out
        let cases = [
            ([3, 5, 8], 4, 2, 301, 1203),
            ([2, 3, 8], 4, 2, 1, 4),
            ([4, 1, 4], 2, 1, 600, 1199),
            ([2, 3, 7], 3, 0, 5, 19),
        ];
        for (shape, stride, trim, frames, frames_out) in cases {
            let [inputs, outputs, _] = shape;
            let weight = noise(shape.iter().product(), 1);
            let bias = noise(outputs, 2);
            let x = TimeMap::noise(frames, inputs, MARGIN, 3);
            let conv = TimeConvTranspose::new(&weight, shape, bias.clone(), stride);
            let got = conv.forward(&x, trim, frames_out, |_| {});
            let margin = MARGIN * outputs;
            let whole = got.starting_at(-(MARGIN as isize));
            assert!(whole[..margin].iter().all(|v| *v == 0.0));
            assert!(whole[whole.len() - margin..].iter().all(|v| *v == 0.0));
            let (weight, bias) = (tensor(&weight, &shape), tensor(&bias, &[outputs]));
            let x = x.to_tensor();
            let twin = conv_transpose_plain(&x, &weight, &bias, stride, trim, frames_out).unwrap();
            assert_same(&values(&twin), &values(&got.to_tensor()), &format!("{shape:?}"));
        }
    }
}
