//! The network in candle's operations, over any device; see [`crate::model::candle`].
//!
//! Shapes are `[1, channels, columns, frequencies]`. Runs on the caller's thread.

use candle_core::{Device, Tensor};
use candle_nn::{Linear, Module as _, VarBuilder, ops::pixel_shuffle};

use super::{Config, cost};
use crate::model::{
    ModelError, Separator, Spec, Stop,
    candle::{Affine, Framing, Result, Spectrogram, check_stop, linear, separate, tensor, weights},
    stft::Stft,
    tensors::Tensors,
};

/// The network.
#[derive(Debug)]
pub struct Mdx23c {
    config: Config,
    spec: Spec,
    device: Device,
    spectrogram: Spectrogram,
    first_conv: Tensor,
    encoder_blocks: Vec<(TfcTdf, Scale)>,
    bottleneck_block: TfcTdf,
    decoder_blocks: Vec<(Scale, TfcTdf)>,
    final_conv: [Tensor; 2],
}

impl Mdx23c {
    /// Reads the tensors of a file, which have been checked against the configuration.
    pub fn new(config: Config, tensors: Tensors, device: &Device) -> Result<Self> {
        let weights = weights(tensors, device);
        let blocks = config.num_blocks_per_scale;
        let encoder = |scale: usize| {
            let weights = weights.pp(format!("encoder_blocks.{scale}"));
            let tfc_tdf = TfcTdf::new(&weights.pp("tfc_tdf"), blocks)?;
            Ok((tfc_tdf, Scale::new(&weights.pp("downscale.conv"))?))
        };
        let decoder = |index: usize| {
            let weights = weights.pp(format!("decoder_blocks.{index}"));
            let upscale = Scale::new(&weights.pp("upscale.conv"))?;
            Ok((upscale, TfcTdf::new(&weights.pp("tfc_tdf"), blocks)?))
        };
        let stft = Stft::hann(config.n_fft);
        let framing =
            Framing { hop: config.hop_length, before: config.n_fft / 2, columns: config.columns() };
        let envelope = stft.envelope(config.hop_length, config.usage.segment_frames);
        Ok(Self {
            spec: cost::spec(&config),
            spectrogram: Spectrogram::new(&stft, framing, config.dim_f, 1.0, envelope, device)?,
            first_conv: tensor(&weights, "first_conv.weight")?,
            encoder_blocks: (0..config.num_scales).map(encoder).collect::<Result<_>>()?,
            bottleneck_block: TfcTdf::new(&weights.pp("bottleneck_block"), blocks)?,
            decoder_blocks: (0..config.num_scales).map(decoder).collect::<Result<_>>()?,
            final_conv: [
                tensor(&weights, "final_conv.0.weight")?,
                tensor(&weights, "final_conv.2.weight")?,
            ],
            device: device.clone(),
            config,
        })
    }

    fn forward(&self, mix: &Tensor, stop: Stop<'_>) -> Result<Tensor, ModelError> {
        let (bands, bins, columns) =
            (self.config.num_subbands, self.config.dim_f, self.config.columns());
        // Parts of the spectrum are channels.
        let spectra = self.spectrogram.analyse(mix)?;
        let spectra =
            spectra.reshape((1, (), bins / bands, columns))?.transpose(2, 3)?.contiguous()?;
        let first = conv(&spectra, &self.first_conv)?;
        let (mut x, mut skips) = (first.clone(), Vec::new());
        for (tfc_tdf, downscale) in &self.encoder_blocks {
            check_stop(stop)?;
            let skip = tfc_tdf.forward(&x)?;
            x = downscale.down(&skip)?;
            skips.push(skip);
        }
        x = self.bottleneck_block.forward(&x)?;
        for ((upscale, tfc_tdf), skip) in self.decoder_blocks.iter().zip(skips.iter().rev()) {
            check_stop(stop)?;
            x = tfc_tdf.forward(&Tensor::cat(&[&upscale.up(&x)?, skip], 1)?)?;
        }
        x = (x * first)?;
        let [hidden, last] = &self.final_conv;
        x = conv(&Tensor::cat(&[&spectra, &x], 1)?, hidden)?.gelu_erf()?;
        x = conv(&x, last)?;
        let spectra = x.transpose(2, 3)?.reshape(((), 2, bins, columns))?;
        Ok(self.spectrogram.synthesise(&spectra)?)
    }
}

impl Separator for Mdx23c {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn separate_unless(&self, mix: &[f32], stop: Stop<'_>) -> Result<Vec<f32>, ModelError> {
        separate(&self.spec, mix, &self.device, |mix| self.forward(mix, stop))
    }
}

/// Blocks of a scale.
#[derive(Debug)]
struct TfcTdf(Vec<Block>);

impl TfcTdf {
    fn new(weights: &VarBuilder<'_>, blocks: usize) -> Result<Self> {
        let block = |index: usize| Block::new(&weights.pp(format!("blocks.{index}")));
        Ok(Self((0..blocks).map(block).collect::<Result<_>>()?))
    }

    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        self.0.iter().try_fold(x.clone(), |x, block| block.forward(&x))
    }
}

/// Two 3×3 convolutions with linear layers along frequencies between them, and a shortcut past all.
#[derive(Debug)]
struct Block {
    tfc1: (Affine, Tensor),
    tdf: [(Affine, Linear); 2],
    tfc2: (Affine, Tensor),
    shortcut: Tensor,
}

impl Block {
    fn new(weights: &VarBuilder<'_>) -> Result<Self> {
        let tfc = |name: &str| -> Result<_> {
            let weights = weights.pp(name);
            Ok((Affine::new(&weights.pp("0"))?, tensor(&weights, "2.weight")?))
        };
        let tdf = |norm: &str, layer: &str| -> Result<_> {
            let weights = weights.pp("tdf");
            Ok((Affine::new(&weights.pp(norm))?, linear(&weights.pp(layer))?))
        };
        Ok(Self {
            tfc1: tfc("tfc1")?,
            tdf: [tdf("0", "2")?, tdf("3", "5")?],
            tfc2: tfc("tfc2")?,
            shortcut: tensor(weights, "shortcut.weight")?,
        })
    }

    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let shortcut = conv(x, &self.shortcut)?;
        let x = conv(&activation(x, &self.tfc1.0)?, &self.tfc1.1)?;
        let mut y = x.clone();
        for (norm, linear) in &self.tdf {
            y = linear.forward(&activation(&y, norm)?)?;
        }
        conv(&activation(&(x + y)?, &self.tfc2.0)?, &self.tfc2.1)? + shortcut
    }
}

/// A step between two scales: norm, GELU, and a 2×2 convolution with stride 2, or its transpose.
#[derive(Debug)]
struct Scale {
    norm: Affine,
    weight: Tensor,
}

impl Scale {
    fn new(weights: &VarBuilder<'_>) -> Result<Self> {
        Ok(Self { norm: Affine::new(&weights.pp("0"))?, weight: tensor(weights, "2.weight")? })
    }

    fn down(&self, x: &Tensor) -> Result<Tensor> {
        activation(x, &self.norm)?.conv2d(&self.weight, 0, 2, 1, 1)
    }

    /// Squares do not overlap, so a 1×1 convolution makes the values of each.
    fn up(&self, x: &Tensor) -> Result<Tensor> {
        let (inputs, outputs, ..) = self.weight.dims4()?;
        let weight = self.weight.reshape((inputs, 4 * outputs))?.t()?.contiguous()?;
        let weight = weight.reshape((4 * outputs, inputs, 1, 1))?;
        pixel_shuffle(&conv(&activation(x, &self.norm)?, &weight)?, 2)
    }
}

/// `InstanceNorm2d`, then GELU.
fn activation(x: &Tensor, norm: &Affine) -> Result<Tensor> {
    norm.group_norm(x, x.dim(1)?)?.gelu_erf()
}

/// A convolution that keeps the size.
fn conv(x: &Tensor, weight: &Tensor) -> Result<Tensor> {
    x.conv2d(weight, weight.dim(2)? / 2, 1, 1, 1)
}
