//! The network's shape, from the arguments its class was constructed with, and the tensors that
//! follow from it.
//!
//! Arguments come from an untrusted file: each is checked, and one that asks for an unsupported
//! network is an error that names it. Reads no files.

use std::collections::HashMap;

use serde::Deserialize;

use crate::model::{
    ModelError, Result,
    findings::{Misfit, Printable},
    tensors::Expected,
    usage::{Usage, within},
};

/// The arguments as the file states them, without defaults.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Config {
    /// The stems, and the segments in which the network gets a song.
    #[serde(flatten)]
    pub usage: Usage,
    /// Channels of the mix.
    pub audio_channels: usize,
    /// Window length of the spectrogram, in samples.
    pub n_fft: usize,
    /// Distance between windows, in samples.
    pub hop_length: usize,
    /// Bins that the network sees, from 0 Hz on.
    pub dim_f: usize,
    /// Channels of the outermost scale.
    pub num_channels: usize,
    /// Channels that each scale adds to the previous one.
    pub growth: usize,
    /// Number of scales around the bottleneck.
    pub num_scales: usize,
    /// Blocks of a scale, in the encoder and in the decoder.
    pub num_blocks_per_scale: usize,
    /// Factor by which the linear layers along frequencies are narrower.
    pub bottleneck_factor: usize,
    /// Parts of the spectrum, which are channels of the network.
    pub num_subbands: usize,
    scale: Vec<usize>,
    norm: Option<String>,
    act: String,
}

/// Real and imaginary part.
const PARTS: usize = 2;

/// Values of the largest supported activation: twice that of the published networks.
const LARGEST: usize = 1 << 26;

impl Config {
    /// Reads `kwargs`, a JSON object, from the metadata of a model file.
    pub fn from_metadata(metadata: &HashMap<String, String>) -> Result<Self> {
        let Some(kwargs) = metadata.get("kwargs") else {
            return Err(Misfit::NoArguments.into());
        };
        let config: Self = serde_json::from_str(kwargs)
            .map_err(|error| Misfit::Arguments { cause: Printable::of(error) })?;
        config.check()?;
        Ok(config)
    }

    /// Columns of the spectrogram.
    pub fn columns(&self) -> usize {
        self.usage.segment_frames / self.hop_length + 1
    }

    /// Channels of the spectrum: real and imaginary parts, channels of the mix, parts of the
    /// spectrum.
    pub fn spectrum_channels(&self) -> usize {
        PARTS * self.audio_channels * self.num_subbands
    }

    /// Channels at a scale.
    pub fn channels_at(&self, scale: usize) -> usize {
        self.num_channels + scale * self.growth
    }

    /// Frequencies at a scale.
    pub fn freqs_at(&self, scale: usize) -> usize {
        (self.dim_f / self.num_subbands) >> scale
    }

    /// Features between the linear layers along frequencies.
    pub fn hidden_at(&self, scale: usize) -> usize {
        self.freqs_at(scale) / self.bottleneck_factor
    }

    /// Checks every argument, and that they fit together.
    fn check(&self) -> Result<()> {
        self.usage.check()?;
        within("audio_channels", self.audio_channels, 2, 2)?;
        within("n_fft", self.n_fft, 32, 1 << 16)?;
        within("hop_length", self.hop_length, 1, self.n_fft / 2)?;
        within("dim_f", self.dim_f, 1, self.n_fft / 2 + 1)?;
        within("num_channels", self.num_channels, 1, 4096)?;
        within("growth", self.growth, 0, 4096)?;
        within("num_scales", self.num_scales, 1, 12)?;
        within("num_blocks_per_scale", self.num_blocks_per_scale, 1, 64)?;
        within("bottleneck_factor", self.bottleneck_factor, 1, 1 << 16)?;
        within("num_subbands", self.num_subbands, 1, 1 << 12)?;
        if self.scale != [2, 2] {
            return Err(unsupported("scale", &format!("{:?}", self.scale)));
        }
        if self.norm.as_deref() != Some("InstanceNorm") {
            return Err(unsupported("norm", self.norm.as_deref().unwrap_or("null")));
        }
        if self.act != "gelu" {
            return Err(unsupported("act", &self.act));
        }
        self.check_sizes()
    }

    fn check_sizes(&self) -> Result<()> {
        let step = 1 << self.num_scales;
        if !self.n_fft.is_multiple_of(2) {
            return Err(Misfit::ArgumentStep { name: "n_fft".into(), step: 2 }.into());
        }
        if self.usage.segment_frames <= self.n_fft / 2 {
            return disagree(&["segment_frames", "n_fft"]);
        }
        if !self.usage.segment_frames.is_multiple_of(self.hop_length) {
            return disagree(&["hop_length", "segment_frames"]);
        }
        if !self.columns().is_multiple_of(step) {
            return disagree(&["segment_frames", "hop_length", "num_scales"]);
        }
        if !self.dim_f.is_multiple_of(self.num_subbands * step) {
            return disagree(&["dim_f", "num_subbands", "num_scales"]);
        }
        if self.hidden_at(self.num_scales) == 0 {
            return disagree(&["bottleneck_factor", "dim_f"]);
        }
        for scale in 0..=self.num_scales {
            let positions = (self.columns() >> scale) * self.freqs_at(scale);
            let channels = self.channels_at(scale);
            let outputs = self.usage.sources.len() * self.spectrum_channels();
            let most = channels.max(if scale == 0 { outputs } else { 0 });
            if positions.saturating_mul(most) > LARGEST {
                return Err(self.usage.too_long());
            }
        }
        Ok(())
    }

    /// Every tensor of the network, under its name in PyTorch.
    pub fn expected_tensors(&self) -> Expected {
        let mut list = List(Expected::new());
        let (channels, spectrum) = (self.num_channels, self.spectrum_channels());
        list.add("first_conv.weight", &[channels, spectrum, 1, 1]);
        for scale in 0..self.num_scales {
            let (inner, outer) = (self.channels_at(scale + 1), self.channels_at(scale));
            let encoder = format!("encoder_blocks.{scale}");
            self.add_blocks(&mut list, &format!("{encoder}.tfc_tdf"), scale, outer);
            list.affine(&format!("{encoder}.downscale.conv.0"), outer);
            list.add(&format!("{encoder}.downscale.conv.2.weight"), &[inner, outer, 2, 2]);
            let decoder = format!("decoder_blocks.{}", self.num_scales - 1 - scale);
            list.affine(&format!("{decoder}.upscale.conv.0"), inner);
            list.add(&format!("{decoder}.upscale.conv.2.weight"), &[inner, outer, 2, 2]);
            self.add_blocks(&mut list, &format!("{decoder}.tfc_tdf"), scale, 2 * outer);
        }
        let scale = self.num_scales;
        self.add_blocks(&mut list, "bottleneck_block", scale, self.channels_at(scale));
        list.add("final_conv.0.weight", &[channels, channels + spectrum, 1, 1]);
        list.add("final_conv.2.weight", &[self.usage.sources.len() * spectrum, channels, 1, 1]);
        list.0
    }

    fn add_blocks(&self, list: &mut List, name: &str, scale: usize, inputs: usize) {
        let (channels, freqs) = (self.channels_at(scale), self.freqs_at(scale));
        let hidden = self.hidden_at(scale);
        for index in 0..self.num_blocks_per_scale {
            let block = format!("{name}.blocks.{index}");
            let inputs = if index == 0 { inputs } else { channels };
            list.affine(&format!("{block}.tfc1.0"), inputs);
            list.add(&format!("{block}.tfc1.2.weight"), &[channels, inputs, 3, 3]);
            list.affine(&format!("{block}.tdf.0"), channels);
            list.add(&format!("{block}.tdf.2.weight"), &[hidden, freqs]);
            list.affine(&format!("{block}.tdf.3"), channels);
            list.add(&format!("{block}.tdf.5.weight"), &[freqs, hidden]);
            list.affine(&format!("{block}.tfc2.0"), channels);
            list.add(&format!("{block}.tfc2.2.weight"), &[channels, channels, 3, 3]);
            list.add(&format!("{block}.shortcut.weight"), &[channels, inputs, 1, 1]);
        }
    }
}

/// Collects names and shapes.
struct List(Expected);

impl List {
    fn add(&mut self, name: &str, shape: &[usize]) {
        self.0.insert(name.to_owned(), shape.to_vec());
    }

    /// The weight and the bias of a norm.
    fn affine(&mut self, name: &str, channels: usize) {
        self.add(&format!("{name}.weight"), &[channels]);
        self.add(&format!("{name}.bias"), &[channels]);
    }
}

fn unsupported(name: &str, value: &str) -> ModelError {
    Misfit::Argument { name: name.into(), value: value.into() }.into()
}

fn disagree(names: &[&str]) -> Result<()> {
    Err(Misfit::Disagree { names: names.iter().collect() }.into())
}
