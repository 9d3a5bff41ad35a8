//! Convolutions of the time branch: strided, and transposed.
//!
//! In [`TimeMap`]'s layout the receptive field of an output frame is contiguous, so both are
//! convolutions over rows of `stride` frames. The zero margins of the map are the padding. The
//! threads of the caller's rayon pool share blocks of frames.

use candle_core::{Result, Tensor};
use rayon::prelude::*;

use super::{
    maps::TimeMap,
    row_conv::{After, RowConv, Scratch},
};

/// Frames per rayon task: a block stays in the second-level cache through several operations.
pub(super) fn block_frames(channels: usize) -> usize {
    /// Whole tiles of every product.
    const UNIT: usize = 96;
    (UNIT * 192 / channels.max(1)).clamp(UNIT, 4 * UNIT) / UNIT * UNIT
}

/// A thread's memory for one block.
#[derive(Debug, Default)]
pub struct BlockScratch {
    rows: Vec<f32>,
    conv: Scratch,
}

/// A convolution; PyTorch's `Conv1d` without dilation.
#[derive(Clone, Debug)]
pub struct TimeConv {
    conv: RowConv,
    inputs: usize,
    taps: usize,
    stride: usize,
    padding: usize,
}

impl TimeConv {
    /// From PyTorch's weight `[out, in, taps]`, with an epilogue.
    pub fn new(
        weight: &[f32],
        shape: [usize; 3],
        bias: &[f32],
        stride: usize,
        padding: usize,
        after: After,
    ) -> Self {
        let [_, inputs, taps] = shape;
        let conv = RowConv::new(
            [taps.div_ceil(stride), stride * inputs],
            bias,
            after,
            |row, at, output| {
                let (tap, input) = (row * stride + at / inputs, at % inputs);
                if tap < taps { weight[(output * inputs + input) * taps + tap] } else { 0.0 }
            },
        );
        Self { conv, inputs, taps, stride, padding }
    }

    /// Channels of the result.
    pub fn outputs(&self) -> usize {
        self.conv.outputs()
    }

    /// Frames of the result for an input of `frames`, extended by zeros to a multiple of the
    /// stride.
    pub fn frames_out(&self, frames: usize) -> usize {
        let whole = frames.next_multiple_of(self.stride) + 2 * self.padding;
        (whole - self.taps) / self.stride + 1
    }

    /// Computes frames of the result from `start` on, into `out: [frames, out]`.
    pub fn block(&self, x: &TimeMap, start: usize, out: &mut [f32], scratch: &mut BlockScratch) {
        let first = (start * self.stride) as isize - self.padding as isize;
        self.conv.rows(x.starting_at(first), out, &mut scratch.conv);
    }

    /// [`Self::block`] for an input that is computed block by block. `load` writes frames from its
    /// first argument on, and zeros outside the input. The stride is 1.
    pub fn block_from(
        &self,
        load: impl Fn(isize, &mut [f32]),
        start: usize,
        out: &mut [f32],
        scratch: &mut BlockScratch,
    ) {
        let frames = out.len() / self.outputs() + self.taps - 1;
        let BlockScratch { rows, conv } = scratch;
        rows.resize(frames * self.inputs, 0.0);
        load(start as isize - self.padding as isize, rows);
        self.conv.rows(rows, out, conv);
    }

    /// The whole result for a map of `frames`, from blocks that `load` computes as for
    /// [`Self::block_from`].
    pub fn forward_from(
        &self,
        frames: usize,
        margin: usize,
        load: impl Fn(isize, &mut [f32]) + Sync,
    ) -> TimeMap {
        let mut out = TimeMap::any(self.frames_out(frames), self.outputs(), margin);
        let block = block_frames(self.outputs());
        out.inner_mut().par_chunks_mut(block * self.outputs()).enumerate().for_each_init(
            BlockScratch::default,
            |scratch, (index, out)| {
                self.block_from(&load, index * block, out, scratch);
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
    /// An output row is a group of `stride` frames, so that outputs do not overlap.
    conv: RowConv,
    inputs: usize,
    outputs: usize,
    taps: usize,
    stride: usize,
}

impl TimeConvTranspose {
    /// From PyTorch's weight `[in, out, taps]`, with an epilogue that works on single values.
    pub fn new(
        weight: &[f32],
        shape: [usize; 3],
        bias: &[f32],
        stride: usize,
        after: After,
    ) -> Self {
        let [inputs, outputs, taps] = shape;
        let reach = taps.div_ceil(stride);
        let conv =
            RowConv::new([reach, inputs], &bias.repeat(stride), after, |row, input, column| {
                let (phase, output) = (column / outputs, column % outputs);
                let tap = (reach - 1 - row) * stride + phase;
                if tap < taps { weight[(input * outputs + output) * taps + tap] } else { 0.0 }
            });
        Self { conv, inputs, outputs, taps, stride }
    }

    /// Frames of the untrimmed result for an input of `frames`.
    pub fn frames_out(&self, frames: usize) -> usize {
        (frames - 1) * self.stride + self.taps
    }

    /// Computes the `frames` of the result after the first `trim`. The input is computed block by
    /// block: `load` writes frames from its first argument on, and zeros outside the input.
    pub fn forward_from(
        &self,
        trim: usize,
        frames: usize,
        margin: usize,
        load: impl Fn(isize, &mut [f32]) + Sync,
    ) -> TimeMap {
        let mut out = TimeMap::any(frames, self.outputs, margin);
        let width = self.stride * self.outputs;
        let groups = (frames + trim).div_ceil(self.stride);
        let before = self.taps.div_ceil(self.stride) - 1;
        let block = block_frames(self.inputs);
        // The first and the last group reach into the margins of the result.
        let whole = &mut out.starting_at_mut(-(trim as isize))[..groups * width];
        whole.par_chunks_mut(block * width).enumerate().for_each_init(
            BlockScratch::default,
            |BlockScratch { rows, conv }, (index, out)| {
                rows.resize((out.len() / width + before) * self.inputs, 0.0);
                load((index * block) as isize - before as isize, rows);
                self.conv.rows(rows, out, conv);
            },
        );
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

    /// Larger than the reach of every kernel in these tests.
    const MARGIN: usize = 20;

    #[test]
    fn convolutions_match_their_twin_on_odd_shapes() {
        // [out, in, taps], stride, padding, frames
        let cases = [
            ([5, 3, 8], 4, 2, 1203),
            ([48, 24, 8], 4, 2, 1203),
            ([2, 1, 8], 4, 2, 5),
            ([4, 3, 6], 4, 1, 50),
            ([6, 4, 3], 1, 1, 513),
            ([70, 40, 3], 1, 1, 401),
            ([4, 3, 1], 1, 0, 1),
        ];
        for (shape, stride, padding, frames) in cases {
            let [outputs, inputs, _] = shape;
            let weight = noise(shape.iter().product(), 1);
            let bias = noise(outputs, 2);
            let x = TimeMap::noise(frames, inputs, MARGIN, 3);
            let conv = TimeConv::new(&weight, shape, &bias, stride, padding, After::Store);
            let mut got = TimeMap::any(conv.frames_out(frames), outputs, MARGIN);
            let mut scratch = BlockScratch::default();
            for (i, out) in got.inner_mut().chunks_mut(100 * outputs).enumerate() {
                conv.block(&x, 100 * i, out, &mut scratch);
            }
            if stride == 1 {
                let again = conv.forward_from(frames, MARGIN, |start, rows| x.load(start, rows));
                assert_same(got.inner(), again.inner(), "from blocks");
            }
            let got = got.to_tensor();
            let (weight, bias) = (tensor(&weight, &shape), tensor(&bias, &[outputs]));
            let twin = conv_plain(&x.to_tensor(), &weight, &bias, stride, 1, padding).unwrap();
            assert_eq!(got.dims(), twin.dims());
            assert_same(&values(&twin), &values(&got), &format!("{shape:?}"));
        }
    }

    #[test]
    fn transposed_convolutions_match_their_twin_and_leave_the_margins_zero() {
        // [in, out, taps], stride, trim, frames, frames out
        let cases = [
            ([3, 5, 8], 4, 2, 301, 1203),
            ([48, 9, 8], 4, 2, 403, 1610),
            ([2, 3, 8], 4, 2, 1, 4),
            ([4, 1, 4], 2, 1, 600, 1199),
            ([2, 3, 7], 3, 0, 5, 19),
        ];
        for (shape, stride, trim, frames, frames_out) in cases {
            let [inputs, outputs, _] = shape;
            let weight = noise(shape.iter().product(), 1);
            let bias = noise(outputs, 2);
            let x = TimeMap::noise(frames, inputs, MARGIN, 3);
            let conv = TimeConvTranspose::new(&weight, shape, &bias, stride, After::Store);
            let load = |start, rows: &mut [f32]| x.load(start, rows);
            let got = conv.forward_from(trim, frames_out, MARGIN, load);
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
