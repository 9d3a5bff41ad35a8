//! Operations on the outputs of linear layers, applied while they are in registers: factors,
//! residuals, activations, gates.
//!
//! Runs on the calling thread.

use super::{
    layout::NR,
    math::{mad, sigmoid, tanh_one},
};

/// The operation on a layer's outputs.
pub trait OutputEpilogue {
    /// Takes the outputs of `token` from `column` on.
    fn take<const FMA: bool>(&mut self, token: usize, column: usize, values: &[f32]);
}

/// Stores outputs into `[tokens, width]`, times `scale`.
#[derive(Debug)]
pub struct StoreScaled<'a> {
    /// Destination.
    pub out: &'a mut [f32],
    /// Values of a row of the destination.
    pub width: usize,
    /// A factor.
    pub scale: f32,
}

impl OutputEpilogue for StoreScaled<'_> {
    #[inline(always)]
    fn take<const FMA: bool>(&mut self, token: usize, column: usize, values: &[f32]) {
        let out = &mut self.out[token * self.width + column..][..values.len()];
        for (out, value) in out.iter_mut().zip(values) {
            *out = value * self.scale;
        }
    }
}

/// Stores the hyperbolic tangent of outputs into `[tokens, width]`.
#[derive(Debug)]
pub struct StoreTanh<'a> {
    /// Destination.
    pub out: &'a mut [f32],
    /// Values of a row of the destination.
    pub width: usize,
}

impl OutputEpilogue for StoreTanh<'_> {
    #[inline(always)]
    fn take<const FMA: bool>(&mut self, token: usize, column: usize, values: &[f32]) {
        let out = &mut self.out[token * self.width + column..][..values.len()];
        for (out, value) in out.iter_mut().zip(values) {
            *out = tanh_one::<FMA>(*value);
        }
    }
}

/// Gated linear unit: stores `value · sigmoid(gate)` into `[tokens, width]`. The layer's outputs are
/// alternately [`NR`] values and their [`NR`] gates, as [`gated`] orders them.
#[derive(Debug)]
pub struct StoreGated<'a> {
    /// Destination.
    pub out: &'a mut [f32],
    /// Values of a row of the destination.
    pub width: usize,
}

impl OutputEpilogue for StoreGated<'_> {
    #[inline(always)]
    fn take<const FMA: bool>(&mut self, token: usize, column: usize, values: &[f32]) {
        let (first, is_gate) = (column / (2 * NR) * NR, !column.is_multiple_of(2 * NR));
        let count = NR.min(self.width - first);
        let out = &mut self.out[token * self.width + first..][..count];
        if is_gate {
            for (out, gate) in out.iter_mut().zip(values) {
                *out *= sigmoid::<FMA>(*gate);
            }
        } else {
            out.copy_from_slice(&values[..count]);
        }
    }
}

/// Reorders PyTorch's weight `[2 · width, in]` and bias, values before gates, for [`StoreGated`], and
/// pads them with zeros.
pub fn gated(weight: &[f32], bias: &[f32]) -> (Vec<f32>, Vec<f32>) {
    let (width, inputs) = (bias.len() / 2, weight.len() / bias.len());
    let outputs = 2 * width.next_multiple_of(NR);
    let (mut new_weight, mut new_bias) = (vec![0.0; outputs * inputs], vec![0.0; outputs]);
    for (output, bias) in bias.iter().enumerate() {
        let (at, half) = (output % width, output / width);
        let to = at / NR * 2 * NR + half * NR + at % NR;
        new_weight[to * inputs..][..inputs].copy_from_slice(&weight[output * inputs..][..inputs]);
        new_bias[to] = *bias;
    }
    (new_weight, new_bias)
}

/// `x += scale · y` for `x: [tokens, scale.len()]`: LayerScale and residual.
#[derive(Debug)]
pub struct AddScaled<'a> {
    /// The residual.
    pub x: &'a mut [f32],
    /// A factor per feature.
    pub scale: &'a [f32],
}

impl OutputEpilogue for AddScaled<'_> {
    #[inline(always)]
    fn take<const FMA: bool>(&mut self, token: usize, column: usize, values: &[f32]) {
        let x = &mut self.x[token * self.scale.len() + column..][..values.len()];
        for ((x, y), scale) in x.iter_mut().zip(values).zip(&self.scale[column..]) {
            *x = mad::<FMA>(*scale, *y, *x);
        }
    }
}
