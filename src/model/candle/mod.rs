//! The parts that the networks in candle's operations share: a weight file as a [`VarBuilder`], the
//! spectrogram, and small layers.
//!
//! Each kind of network has a `candle` module that follows its paper line by line, on any device
//! that candle supports. It is the readable reference beside the kernels, which are several times
//! faster on a processor. The kernels' layouts are not used here. Runs on the caller's thread; candle
//! shares its products over the caller's rayon pool.

mod precision;
mod spectrogram;
#[cfg(test)]
mod tests;

use candle_core::{DType, Device, Error, Shape, Tensor};
use candle_nn::{Init, Linear, VarBuilder, ops::sigmoid, var_builder::SimpleBackend};

pub(super) use precision::InPrecision;
pub(super) use spectrogram::{Framing, Spectrogram};

use super::{ModelError, Spec, Stop, findings::Printable, tensors::Tensors};

/// Result of candle's operations.
pub(super) type Result<T, E = Error> = std::result::Result<T, E>;

/// Added to a variance before its square root, as PyTorch's norms do.
const EPSILON: f64 = 1e-5;

impl From<Error> for ModelError {
    fn from(error: Error) -> Self {
        Self::Device { cause: Printable::of(error) }
    }
}

/// The tensors of a weight file, read one at a time in single precision.
pub(super) fn weights(tensors: Tensors, device: &Device) -> VarBuilder<'static> {
    VarBuilder::from_backend(Box::new(File(tensors)), DType::F32, device.clone())
}

struct File(Tensors);

impl File {
    fn read(&self, name: &str, dtype: DType, device: &Device) -> Result<Tensor> {
        let (shape, values) = self.0.take(name).map_err(Error::wrap)?;
        Tensor::from_vec(values, shape, device)?.to_dtype(dtype)
    }
}

impl SimpleBackend for File {
    fn get(
        &self,
        shape: Shape,
        name: &str,
        _init: Init,
        dtype: DType,
        device: &Device,
    ) -> Result<Tensor> {
        let tensor = self.read(name, dtype, device)?;
        if tensor.shape() != &shape {
            let msg = format!("the tensor {name} has another shape");
            return Err(Error::UnexpectedShape {
                msg,
                expected: shape,
                got: tensor.shape().clone(),
            });
        }
        Ok(tensor)
    }

    fn get_unchecked(&self, name: &str, dtype: DType, device: &Device) -> Result<Tensor> {
        self.read(name, dtype, device)
    }

    fn contains_tensor(&self, name: &str) -> bool {
        self.0.has(name)
    }
}

/// The linear layer at `weights`, with a bias if the file has one.
pub(super) fn linear(weights: &VarBuilder<'_>) -> Result<Linear> {
    let bias = weights.contains_tensor("bias").then(|| tensor(weights, "bias")).transpose()?;
    Ok(Linear::new(tensor(weights, "weight")?, bias))
}

/// A tensor in the file's shape, which has been checked against the network.
pub(super) fn tensor(weights: &VarBuilder<'_>, name: &str) -> Result<Tensor> {
    weights.get_unchecked(name)
}

/// Separates one segment, `mix: [channels, frames]`, by `forward`, which returns the stems as
/// `[sources, channels, frames]`.
///
/// # Errors
/// `mix` has another length, or those of `forward`.
pub(super) fn separate(
    spec: &Spec,
    mix: &[f32],
    device: &Device,
    forward: impl FnOnce(&Tensor) -> Result<Tensor, ModelError>,
) -> Result<Vec<f32>, ModelError> {
    spec.check_segment(mix)?;
    let mix = Tensor::from_slice(mix, (spec.channels, spec.segment_frames), device)?;
    Ok(forward(&mix)?.flatten_all()?.to_vec1()?)
}

/// Checks for cancellation between two parts of a segment.
///
/// # Errors
/// `stop` returned true.
pub(super) fn check_stop(stop: Stop<'_>) -> Result<(), ModelError> {
    if stop() { Err(ModelError::Cancelled) } else { Ok(()) }
}

/// The first half of the features along `dim`, times the sigmoid of the second.
pub(super) fn glu(x: &Tensor, dim: usize) -> Result<Tensor> {
    let halves = x.chunk(2, dim)?;
    &halves[0] * sigmoid(&halves[1])?
}

/// The transposed convolution of `x: [batch, in, positions]` with a kernel `[in, out, taps]`: a
/// product, whose overlapping results are added up stride by stride. candle's own operation gives
/// wrong results on a processor for more than one item of a batch (0.11.1).
pub(super) fn transposed_conv(x: &Tensor, kernel: &Tensor, stride: usize) -> Result<Tensor> {
    let ((batch, inputs, positions), (_, outputs, taps)) = (x.dims3()?, kernel.dims3()?);
    let x = x.transpose(1, 2)?.reshape((batch * positions, inputs))?;
    let pieces = taps.div_ceil(stride);
    let products = x
        .matmul(&kernel.reshape((inputs, outputs * taps))?)?
        .reshape((batch, positions, outputs, taps))?
        .pad_with_zeros(3, 0, pieces * stride - taps)?
        .reshape((batch, positions, outputs, pieces, stride))?;
    let mut sum: Option<Tensor> = None;
    for piece in 0..pieces {
        // Each piece of a position's results is one stride later.
        let part = products.narrow(3, piece, 1)?.squeeze(3)?;
        let part = part.pad_with_zeros(1, piece, pieces - 1 - piece)?;
        sum = Some(match sum {
            Some(sum) => (sum + part)?,
            None => part,
        });
    }
    let sum = sum.ok_or_else(|| Error::msg("a kernel without taps"))?;
    let rows = sum.permute((0, 2, 1, 3))?.reshape((batch, outputs, ()))?;
    rows.narrow(2, 0, (positions - 1) * stride + taps)
}

/// The factor and the summand of each channel of a norm.
#[derive(Clone, Debug)]
pub(super) struct Affine {
    weight: Tensor,
    bias: Tensor,
}

impl Affine {
    pub(super) fn new(weights: &VarBuilder<'_>) -> Result<Self> {
        Ok(Self { weight: tensor(weights, "weight")?, bias: tensor(weights, "bias")? })
    }

    /// Normalises the last dimension of `x`.
    pub(super) fn layer_norm(&self, x: &Tensor) -> Result<Tensor> {
        standardised(x, x.rank() - 1)?.broadcast_mul(&self.weight)?.broadcast_add(&self.bias)
    }

    /// Normalises each group of the channels of `x: [batch, channels, …]`.
    pub(super) fn group_norm(&self, x: &Tensor, groups: usize) -> Result<Tensor> {
        let channels = x.dim(1)?;
        let mut grouped = vec![x.dim(0)?, groups, channels / groups];
        grouped.extend(&x.dims()[2..]);
        let normal = standardised(&x.reshape(grouped)?, 2)?.reshape(x.shape())?;
        let mut each = vec![1; x.rank()];
        each[1] = channels;
        normal
            .broadcast_mul(&self.weight.reshape(each.as_slice())?)?
            .broadcast_add(&self.bias.reshape(each)?)
    }
}

/// `x` with the mean 0 and the variance 1 over the dimensions from `first` on.
fn standardised(x: &Tensor, first: usize) -> Result<Tensor> {
    let x = x.broadcast_sub(&mean(x, first)?)?;
    let std = (mean(&x.sqr()?, first)? + EPSILON)?.sqrt()?;
    x.broadcast_div(&std)
}

/// The mean over the dimensions from `first` on, which stay with the size 1. One dimension at a time,
/// because a sum of millions in single precision is only good to four digits.
fn mean(x: &Tensor, first: usize) -> Result<Tensor> {
    (first..x.rank()).rev().try_fold(x.clone(), |x, dim| x.mean_keepdim(dim))
}

/// Mean and unbiased standard deviation of all values of `x`.
pub(super) fn moments(x: &Tensor) -> Result<(f64, f64)> {
    let value = |x: Tensor| x.flatten_all()?.get(0)?.to_scalar::<f32>();
    let centre = mean(x, 0)?;
    let variance = f64::from(value(mean(&x.broadcast_sub(&centre)?.sqr()?, 0)?)?);
    let count = x.elem_count() as f64;
    Ok((f64::from(value(centre)?), (variance * count / (count - 1.0)).sqrt()))
}
