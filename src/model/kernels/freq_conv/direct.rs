//! A convolution with any kernel, for layers of unpublished networks. Each output row is one product
//! of the `gemm` crate.

use rayon::prelude::*;

use super::super::{
    maps::FreqMap,
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

    /// Frequencies of the result for an input of `freqs`.
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
        let mut out = FreqMap::any(self.freqs_out(x.freqs), self.outputs(), x.frames);
        let row_len = out.row_len();
        out.data
            .par_chunks_exact_mut(row_len)
            .enumerate()
            .for_each(|(freq, row)| self.row(x, freq, row));
        out
    }
}
