//! The DConv residual branch: a thin dilated convolution, GroupNorm, GELU, a 1×1 convolution back
//! to twice the channels, GroupNorm, GLU, LayerScale, and the sum with the input.

mod freq;
mod time;

use candle_core::{Result, Tensor};

pub use freq::{FreqDConv, Scratch};
pub use time::{Branch, TimeDConv};

use super::{
    elementwise::{gelu_plain, glu_plain},
    norm::{Affine, group_norm_plain},
    time_conv::conv_plain,
};

/// Weights of one layer of a branch, as in PyTorch; the numbers are the module's indices.
#[derive(Clone, Debug)]
pub struct DConvWeights {
    /// `0.weight`: `[hidden, channels, 3]`.
    pub conv: Vec<f32>,
    /// `0.bias`.
    pub conv_bias: Vec<f32>,
    /// `1`: norm of the hidden channels.
    pub norm_hidden: Affine,
    /// `3.weight`: `[2 · channels, hidden, 1]`.
    pub expand: Vec<f32>,
    /// `3.bias`.
    pub expand_bias: Vec<f32>,
    /// `4`: norm of twice the channels.
    pub norm_wide: Affine,
    /// `6.scale`.
    pub scale: Vec<f32>,
}

/// Twin of a layer: `x: [batch, channels, frames]`; a batch is a row of the frequency branch, or
/// the whole time branch.
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

#[cfg(test)]
mod testing {
    use super::{super::testing::noise, *};

    /// Weights of a layer, the same for each size.
    pub fn weights(channels: usize, hidden: usize) -> DConvWeights {
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
}
