//! MDX23C, or TFC-TDF v3: a U-Net over a segment's spectrogram, whose 3×3 convolutions alternate
//! with linear layers along frequencies (`ZFTurbo`'s Music-Source-Separation-Training,
//! `mdx23c_tfc_tdf_v3.py`).
//!
//! Separates single segments; cutting and cross-fading are in the engine. Computes in single
//! precision at either [`Precision`](super::Precision): most of the work is convolutions, for which
//! bf16 has no transform. Runs on the rayon pool of the caller.

mod build;
mod candle;
mod config;
mod cost;
mod layers;
pub mod recognise;
mod spectrogram;
#[cfg(test)]
mod tests;

use std::path::Path;

use tracing::trace_span;

pub use config::Config;

use super::{
    Kind, ModelError, Result, Separator, Spec, Stop,
    kernels::map_conv::{Head, Pointwise},
    tensors::{Expected, Source, Tensors, open_file},
};
use layers::{Decoder, Encoder, Measured, TfcTdf};
use spectrogram::Spectrogram;

/// Largest size of a model file, in bytes.
const LARGEST_FILE: u64 = 2 << 30;

/// The network. Fields are named as PyTorch's modules.
#[derive(Clone, Debug)]
pub struct Mdx23c {
    spec: Spec,
    spectrogram: Spectrogram,
    first_conv: Pointwise,
    encoder_blocks: Vec<Encoder>,
    bottleneck_block: TfcTdf,
    decoder_blocks: Vec<Decoder>,
    final_conv: Head,
}

/// The kind of network.
pub const KIND: Kind = Kind {
    class_name: "TFC_TDF_net",
    title: Some("MDX23C"),
    describe: |file| {
        let config = open(file)?.0;
        Ok((cost::spec(&config), cost::memory(&config)))
    },
    kernels: |path, _precision| Ok(Box::new(load(path)?)),
    candle: |path, device| {
        let (config, tensors) =
            open(open_file(path, LARGEST_FILE)?).map_err(|error| error.of_file(path))?;
        Ok(Box::new(candle::Mdx23c::new(config, tensors, device)?))
    },
    recognise: recognise::recognise,
};

/// Loads a network from a safetensors file with f16 or f32 tensors under their PyTorch names and
/// the arguments in its metadata.
///
/// # Errors
/// [`ModelError::Io`] when the file cannot be read, [`ModelError::Unusable`] when it is not such a
/// file; both name it.
pub fn load(path: &Path) -> Result<Mdx23c> {
    read(open_file(path, LARGEST_FILE)?).map_err(|error| error.of_file(path))
}

fn read(file: impl Source + 'static) -> Result<Mdx23c> {
    let (config, tensors) = open(file)?;
    build::network(&config, &tensors)
}

/// The configuration of a file's network, and its tensors, which are complete.
fn open(file: impl Source + 'static) -> Result<(Config, Tensors)> {
    let tensors = Tensors::open(file)?;
    let config = Config::from_metadata(&tensors.metadata())?;
    tensors.check(&config.expected_tensors(), &Expected::new())?;
    Ok((config, tensors))
}

impl Separator for Mdx23c {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn separate_unless(&self, mix: &[f32], stop: Stop<'_>) -> Result<Vec<f32>> {
        self.spec.check_segment(mix)?;
        let _span = trace_span!("segment").entered();
        self.forward(mix, stop).ok_or(ModelError::Cancelled)
    }
}

impl Mdx23c {
    /// `[channels, frames]` to `[sources, channels, frames]`; `None` once `stop` returns true.
    fn forward(&self, mix: &[f32], stop: Stop<'_>) -> Option<Vec<f32>> {
        let input = self.spectrogram.analyse(mix, self.spec.channels);
        let mut x = Measured::new(self.first_conv.forward(&[&input]));
        let mut skips = Vec::new();
        for encoder in &self.encoder_blocks {
            if stop() {
                return None;
            }
            let skip = encoder.tfc_tdf.forward(vec![x])?;
            x = encoder.down(&skip);
            skips.push(skip);
        }
        if stop() {
            return None;
        }
        x = self.bottleneck_block.forward(vec![x])?;
        for decoder in &self.decoder_blocks {
            if stop() {
                return None;
            }
            x = decoder.up(&x);
            x = decoder.tfc_tdf.forward(vec![x, skips.pop()?])?;
        }
        let spectra = self.final_conv.forward(&input, &x.map);
        drop(x);
        Some(self.spectrogram.synthesise(&spectra))
    }
}
