//! Convolutions of the frequency branch: over frequencies with a stride, and over frames and
//! frequencies without, and transposed over frequencies.
//!
//! In [`FreqMap`]'s layout the rows under a kernel are one matrix `[taps · channels, frames]` in
//! memory, so one row of output is one product; a tap beside the middle of a kernel that is wide in
//! time is the same product moved by a frame. Taps outside the map are left out, not padded.

use candle_core::{Result, Tensor};
use rayon::prelude::*;

use super::{
    FreqMap,
    product::{Mat, MatMut, Parallelism, Update, product},
};

/// A convolution; PyTorch's `Conv2d` with stride and padding along frequencies.
#[derive(Clone, Debug)]
pub struct FreqConv {
    /// For each tap in time: `[freq taps, in, out]`.
    weights: Vec<Vec<f32>>,
    bias: Vec<f32>,
    inputs: usize,
    taps: usize,
    stride: usize,
    padding: usize,
}

impl FreqConv {
    /// From PyTorch's weight `[out, in, freq taps, time taps]`. Along time the stride is 1 and the
    /// padding half of the (odd) kernel.
    pub fn new(
        weight: &[f32],
        shape: [usize; 4],
        bias: Vec<f32>,
        stride: usize,
        padding: usize,
    ) -> Self {
        let [outputs, inputs, taps, time_taps] = shape;
        let mut weights = vec![vec![0.0; taps * inputs * outputs]; time_taps];
        let mut values = weight.iter();
        for o in 0..outputs {
            for i in 0..inputs {
                for f in 0..taps {
                    for (weights, value) in weights.iter_mut().zip(values.by_ref()) {
                        weights[(f * inputs + i) * outputs + o] = *value;
                    }
                }
            }
        }
        Self { weights, bias, inputs, taps, stride, padding }
    }

    /// Channels of the result.
    pub fn outputs(&self) -> usize {
        self.bias.len()
    }

    /// Frequencies of the result, when a map of `freqs` goes in.
    pub fn freqs_out(&self, freqs: usize) -> usize {
        (freqs + 2 * self.padding - self.taps) / self.stride + 1
    }

    /// Row `freq` of the result, `[out, frames]`, into `out`.
    pub fn row(&self, x: &FreqMap, freq: usize, out: &mut [f32]) {
        let (frames, outputs) = (x.frames, self.outputs());
        for (out, bias) in out.chunks_exact_mut(frames).zip(&self.bias) {
            out.fill(*bias);
        }
        let start = freq * self.stride;
        let first_tap = self.padding.saturating_sub(start);
        let end_tap = self.taps.min((x.freqs + self.padding).saturating_sub(start));
        if first_tap >= end_tap {
            return;
        }
        let rows = (end_tap - first_tap) * self.inputs;
        let under = &x.data[(start + first_tap - self.padding) * x.row_len()..];
        let middle = self.weights.len() / 2;
        for (tap, weight) in self.weights.iter().enumerate() {
            let weight = &weight[first_tap * self.inputs * outputs..];
            let weight = Mat::new(weight, rows, outputs, outputs).transposed();
            let (from, to) = (tap.saturating_sub(middle), middle.saturating_sub(tap));
            if from.max(to) >= frames {
                continue;
            }
            let width = frames - from.max(to);
            product(
                MatMut::new(&mut out[to..], outputs, width, frames),
                Update::Add,
                weight,
                Mat::new(&under[from..], rows, width, frames),
                Parallelism::None,
            );
        }
    }

    /// The whole result.
    pub fn forward(&self, x: &FreqMap) -> FreqMap {
        let mut out = FreqMap::zeros(self.freqs_out(x.freqs), self.outputs(), x.frames);
        let row_len = out.row_len();
        out.data
            .par_chunks_exact_mut(row_len)
            .enumerate()
            .for_each(|(freq, row)| self.row(x, freq, row));
        out
    }
}

/// Twin of [`FreqConv`]: `x: [1, in, freqs, frames]`, PyTorch's weight and bias.
pub fn conv_plain(
    x: &Tensor,
    weight: &Tensor,
    bias: &Tensor,
    stride: usize,
    padding: usize,
) -> Result<Tensor> {
    let (outputs, _, taps, time_taps) = weight.dims4()?;
    let side = time_taps / 2;
    let x = x.pad_with_zeros(2, padding, padding)?.pad_with_zeros(3, side, side)?;
    let dense = x.conv2d(weight, 0, 1, 1, 1)?;
    let rows = ((x.dim(2)? - taps) / stride + 1) as u32;
    let kept: Vec<u32> = (0..rows).map(|row| row * stride as u32).collect();
    let kept = Tensor::new(kept, x.device())?;
    dense.index_select(&kept, 2)?.broadcast_add(&bias.reshape((1, outputs, 1, 1))?)
}

/// A transposed convolution's weight for products that gather: for the group of `stride` outputs
/// that starts at input `g`, `[reach · in, stride · out]` over the inputs `g − reach + 1 ..= g`,
/// where `reach` is how many inputs an output sees. From PyTorch's `[in, out, taps]`.
pub(super) fn pack_transposed(weight: &[f32], shape: [usize; 3], stride: usize) -> Vec<f32> {
    let [inputs, outputs, taps] = shape;
    let reach = taps.div_ceil(stride);
    let mut packed = vec![0.0; reach * inputs * stride * outputs];
    let mut values = weight.iter();
    for i in 0..inputs {
        for o in 0..outputs {
            for (tap, value) in (0..taps).zip(values.by_ref()) {
                let (back, phase) = (tap / stride, tap % stride);
                let row = (reach - 1 - back) * inputs + i;
                packed[(row * stride + phase) * outputs + o] = *value;
            }
        }
    }
    packed
}

/// A transposed convolution along frequencies; PyTorch's `ConvTranspose2d` with a kernel
/// `(taps, 1)`.
#[derive(Clone, Debug)]
pub struct FreqConvTranspose {
    /// `[reach · in, stride · out]`, see [`pack_transposed`].
    weight: Vec<f32>,
    bias: Vec<f32>,
    inputs: usize,
    taps: usize,
    stride: usize,
}

impl FreqConvTranspose {
    /// From PyTorch's weight `[in, out, taps]`.
    pub fn new(weight: &[f32], shape: [usize; 3], bias: Vec<f32>, stride: usize) -> Self {
        let [inputs, _, taps] = shape;
        Self { weight: pack_transposed(weight, shape, stride), bias, inputs, taps, stride }
    }

    /// The result without `trim` rows at either end; `finish` is applied to every piece of it while
    /// that is in the cache.
    pub fn forward(&self, x: &FreqMap, trim: usize, finish: impl Fn(&mut [f32]) + Sync) -> FreqMap {
        let freqs = (x.freqs - 1) * self.stride + self.taps - 2 * trim;
        let mut out = FreqMap::zeros(freqs, self.bias.len(), x.frames);
        let row_len = out.row_len();
        let mut rest = out.data.as_mut_slice();
        let mut groups = Vec::new();
        for group in 0.. {
            let (start, end) = (group * self.stride, (group + 1) * self.stride);
            let rows = end.min(freqs + trim).saturating_sub(start.max(trim));
            if rows > 0 {
                let (piece, after) = rest.split_at_mut(rows * row_len);
                groups.push((group, trim.saturating_sub(start), piece));
                rest = after;
            }
            if end >= freqs + trim {
                break;
            }
        }
        groups.into_par_iter().for_each(|(group, phase, piece)| {
            self.group(x, group, phase, piece);
            finish(piece);
        });
        out
    }

    /// The outputs of one group from `phase` on, into `out: [rows, out, frames]`.
    fn group(&self, x: &FreqMap, group: usize, phase: usize, out: &mut [f32]) {
        let (outputs, frames) = (self.bias.len(), x.frames);
        for (line, bias) in out.chunks_exact_mut(frames).zip(self.bias.iter().cycle()) {
            line.fill(*bias);
        }
        let reach = self.taps.div_ceil(self.stride);
        let first = (group + 1).saturating_sub(reach);
        let end = (group + 1).min(x.freqs);
        if first >= end {
            return;
        }
        let depth = (end - first) * self.inputs;
        let width = self.stride * outputs;
        let skipped = (first + reach - (group + 1)) * self.inputs;
        let lines = out.len() / frames;
        let weight = &self.weight[skipped * width + phase * outputs..];
        product(
            MatMut::new(out, lines, frames, frames),
            Update::Add,
            Mat::new(weight, depth, lines, width).transposed(),
            Mat::new(&x.data[first * x.row_len()..], depth, frames, frames),
            Parallelism::None,
        );
    }
}

/// Twin of [`FreqConvTranspose`]: `x: [1, in, freqs, frames]`, weight `[in, out, taps]`.
pub fn conv_transpose_plain(
    x: &Tensor,
    weight: &Tensor,
    bias: &Tensor,
    stride: usize,
    trim: usize,
) -> Result<Tensor> {
    let columns = x.squeeze(0)?.permute((2, 0, 1))?.contiguous()?;
    // One column at a time: candle 0.11.1 mixes up all but the first of a batch.
    let columns: Vec<Tensor> = (0..columns.dim(0)?)
        .map(|column| columns.narrow(0, column, 1)?.conv_transpose1d(weight, 0, 0, stride, 1, 1))
        .collect::<Result<_>>()?;
    let whole = Tensor::cat(&columns, 0)?;
    let kept = whole.narrow(2, trim, whole.dim(2)? - 2 * trim)?;
    let kept = kept.broadcast_add(&bias.reshape((1, (), 1))?)?;
    kept.permute((1, 2, 0))?.unsqueeze(0)?.contiguous()
}

#[cfg(test)]
mod tests {
    use super::{
        super::testing::{assert_same, noise, tensor, values},
        *,
    };

    #[test]
    fn convolutions_match_their_twin_on_odd_shapes() {
        // [out, in, taps, time taps], stride, padding, freqs, frames
        let cases = [
            ([5, 3, 8, 1], 4, 2, 16, 7),
            ([2, 1, 4, 1], 2, 1, 6, 1),
            ([6, 4, 3, 3], 1, 1, 5, 9),
            ([4, 3, 3, 3], 1, 1, 1, 2),
            ([7, 2, 5, 5], 1, 2, 4, 3),
            ([3, 5, 1, 1], 1, 0, 3, 11),
        ];
        for (shape, stride, padding, freqs, frames) in cases {
            let [outputs, inputs, ..] = shape;
            let weight = noise(shape.iter().product(), 1);
            let bias = noise(outputs, 2);
            let x = FreqMap::noise(freqs, inputs, frames, 3);
            let conv = FreqConv::new(&weight, shape, bias.clone(), stride, padding);
            let twin = conv_plain(
                &x.to_tensor(),
                &tensor(&weight, &shape),
                &tensor(&bias, &[outputs]),
                stride,
                padding,
            );
            let got = conv.forward(&x).to_tensor();
            assert_eq!(got.dims(), twin.as_ref().unwrap().dims());
            assert_same(&values(&twin.unwrap()), &values(&got), &format!("{shape:?}"));
        }
    }

    #[test]
    fn transposed_convolutions_match_their_twin_on_odd_shapes() {
        // [in, out, taps], stride, trim, freqs, frames
        let cases = [
            ([3, 5, 8], 4, 2, 4, 7),
            ([2, 3, 8], 4, 2, 1, 3),
            ([4, 1, 4], 2, 1, 5, 2),
            ([2, 3, 7], 3, 2, 4, 5),
            ([3, 2, 4], 4, 0, 3, 1),
        ];
        for (shape, stride, trim, freqs, frames) in cases {
            let [inputs, outputs, _] = shape;
            let weight = noise(shape.iter().product(), 1);
            let bias = noise(outputs, 2);
            let x = FreqMap::noise(freqs, inputs, frames, 3);
            let conv = FreqConvTranspose::new(&weight, shape, bias.clone(), stride);
            let got = conv.forward(&x, trim, |_| {}).to_tensor();
            let (weight, bias) = (tensor(&weight, &shape), tensor(&bias, &[outputs]));
            let twin = conv_transpose_plain(&x.to_tensor(), &weight, &bias, stride, trim).unwrap();
            assert_eq!(got.dims(), twin.dims());
            assert_same(&values(&twin), &values(&got), &format!("{shape:?}"));
        }
    }
}
