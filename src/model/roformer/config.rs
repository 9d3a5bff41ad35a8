//! The shape of a RoFormer, from the arguments in its weight file, and the tensors it needs.
//!
//! Arguments come from an untrusted file: each is checked. Their names are those of
//! Music-Source-Separation-Training's classes; the importer writes every one of them. Reads no files.

use std::{collections::HashMap, ops::Range};

use serde::Deserialize;

use super::bands;
use crate::model::{
    CHANNELS, ModelError, Result,
    findings::{Misfit, Printable},
    tensors::Expected,
    usage::{Usage, within},
};

/// The class of networks with given, disjoint bands.
pub const BS: &str = "BSRoformer";
/// The class of networks with mel bands.
pub const MEL: &str = "MelBandRoformer";

/// Hidden features of the feed-forward part per feature.
pub const FEED_FORWARD: usize = 4;

/// Values of the largest buffer: half a gibibyte, seven times the published networks'.
const LARGEST: usize = 1 << 27;

/// The kind of a network's bands, which also determines the places of its norms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bands {
    /// BS-RoFormer: disjoint bands; one norm at the end.
    Split,
    /// Mel-Band RoFormer: overlapping bands; a norm at the end of every transformer.
    Mel,
}

/// The constructor's arguments that matter to a trained network, and its usage.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "the constructor's own arguments")]
pub struct Arguments {
    /// The stems, and the segments in which the network gets a song.
    #[serde(flatten)]
    pub usage: Usage,
    /// Features of a token.
    pub dim: usize,
    /// Pairs of time and band transformers.
    pub depth: usize,
    /// Whether mix and stems have two channels instead of one.
    pub stereo: bool,
    /// Layers of a time transformer.
    pub time_transformer_depth: usize,
    /// Layers of a band transformer.
    pub freq_transformer_depth: usize,
    /// Layers of the transformers with attention over features; 0 without them.
    pub linear_transformer_depth: usize,
    /// Features of a head.
    pub dim_head: usize,
    /// Attention heads.
    pub heads: usize,
    /// Samples of a transform.
    pub stft_n_fft: usize,
    /// Samples between windows.
    pub stft_hop_length: usize,
    /// Samples of a window.
    pub stft_win_length: usize,
    /// Whether spectra are scaled by `1/√n_fft`.
    pub stft_normalized: bool,
    /// Whether 0 Hz is left out of the stems.
    pub zero_dc: bool,
    /// Layers of the mask estimators, as the class counts them.
    pub mask_estimator_depth: usize,
    /// Hidden features of the mask estimators for each feature.
    pub mlp_expansion_factor: usize,
    /// Whether each pair of transformers also reads the results of all previous pairs.
    pub skip_connection: bool,
    /// Mel: number of bands.
    pub num_bands: Option<usize>,
    /// Mel: samples per second of the mel scale.
    pub sample_rate: Option<f64>,
    /// Mel: whether the result is as long as a mix that the hop does not divide.
    #[serde(default)]
    pub match_input_audio_length: bool,
    /// BS: bins of each band.
    pub freqs_per_bands: Option<Vec<usize>>,
}

/// The shape of a network.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The arguments.
    pub arguments: Arguments,
    /// The kind of bands.
    pub kind: Bands,
    /// Bins of each band.
    pub bands: Vec<Range<usize>>,
}

impl Config {
    /// Reads the metadata of a weight file: `klass`, and `kwargs`, a JSON object.
    pub fn from_metadata(metadata: &HashMap<String, String>) -> Result<Self> {
        let class_name = metadata.get("klass").map(String::as_str).unwrap_or_default();
        let kind = match class_name.rsplit('.').next() {
            Some(BS) => Bands::Split,
            Some(MEL) => Bands::Mel,
            _ => return Err(Misfit::Class { class: class_name.into() }.into()),
        };
        let Some(kwargs) = metadata.get("kwargs") else {
            return Err(Misfit::NoArguments.into());
        };
        let arguments: Arguments = serde_json::from_str(kwargs)
            .map_err(|error| Misfit::Arguments { cause: Printable::of(error) })?;
        arguments.check()?;
        let bands = match (kind, &arguments.freqs_per_bands, arguments.num_bands) {
            (Bands::Split, Some(widths), _) => split(widths, arguments.bins())?,
            (Bands::Split, None, _) => return Err(missing("freqs_per_bands")),
            (Bands::Mel, _, Some(count)) => {
                within("num_bands", count, 1, 512)?;
                let rate = arguments.sample_rate.unwrap_or(f64::from(arguments.usage.samplerate));
                bands::mel(rate, arguments.stft_n_fft, count)?
            }
            (Bands::Mel, _, None) => return Err(missing("num_bands")),
        };
        let config = Self { arguments, kind, bands };
        config.check_memory()?;
        Ok(config)
    }

    /// Channels of one pass; a network for one channel separates the channels one at a time.
    pub fn channels(&self) -> usize {
        if self.arguments.stereo { 2 } else { 1 }
    }

    /// Whether stems are as long as the mix instead of ending with the last whole hop.
    pub fn is_whole(&self) -> bool {
        self.kind == Bands::Split || self.arguments.match_input_audio_length
    }

    /// Columns of a segment's spectrogram.
    pub fn columns(&self) -> usize {
        self.arguments.usage.segment_frames / self.arguments.stft_hop_length + 1
    }

    /// Numbers of each band: real and imaginary part of every bin and channel.
    pub fn widths(&self) -> Vec<usize> {
        self.bands.iter().map(|band| 2 * self.channels() * band.len()).collect()
    }

    /// Features of all heads.
    pub fn inner(&self) -> usize {
        self.arguments.heads * self.arguments.dim_head
    }

    /// Linear layers of a mask estimator's band.
    pub fn mask_layers(&self) -> usize {
        match self.kind {
            Bands::Split => self.arguments.mask_estimator_depth,
            Bands::Mel => self.arguments.mask_estimator_depth + 1,
        }
    }

    /// The depths of a layer's transformers: over features if it has one, over time, over bands.
    pub fn transformers(&self) -> Vec<usize> {
        let Arguments {
            linear_transformer_depth,
            time_transformer_depth,
            freq_transformer_depth,
            ..
        } = self.arguments;
        let linear = (linear_transformer_depth > 0).then_some(linear_transformer_depth);
        linear.into_iter().chain([time_transformer_depth, freq_transformer_depth]).collect()
    }

    fn check_memory(&self) -> Result<()> {
        let Arguments { dim, usage, .. } = &self.arguments;
        let tokens = self.columns().saturating_mul(self.bands.len());
        let masks = self.columns().saturating_mul(self.widths().iter().sum());
        let stems = usage.sources.len().saturating_mul(CHANNELS * usage.segment_frames);
        let widest = (*dim).max(16);
        if tokens.saturating_mul(widest).max(masks).max(stems) > LARGEST {
            return Err(usage.too_long());
        }
        Ok(())
    }

    /// Every tensor that a network of this shape has, under its name in PyTorch.
    pub fn expected_tensors(&self) -> Expected {
        let mut list = List(Expected::new());
        let Arguments { dim, depth, heads, mlp_expansion_factor, .. } = self.arguments;
        let (inner, has_linear) = (self.inner(), self.transformers().len() == 3);
        for (band, width) in self.widths().into_iter().enumerate() {
            let name = format!("band_split.to_features.{band}");
            list.add(format!("{name}.0.gamma"), &[width]);
            list.linear(&format!("{name}.1"), width, dim);
        }
        for layer in 0..depth {
            for (part, depth) in self.transformers().into_iter().enumerate() {
                let transformer = format!("layers.{layer}.{part}");
                for block in 0..depth {
                    let name = format!("{transformer}.layers.{block}");
                    list.add(format!("{name}.0.norm.gamma"), &[dim]);
                    if has_linear && part == 0 {
                        list.add(format!("{name}.0.to_qkv.0.weight"), &[3 * inner, dim]);
                        list.add(format!("{name}.0.temperature"), &[heads, 1, 1]);
                        list.add(format!("{name}.0.to_out.1.weight"), &[dim, inner]);
                    } else {
                        list.add(format!("{name}.0.to_qkv.weight"), &[3 * inner, dim]);
                        list.linear(&format!("{name}.0.to_gates"), dim, heads);
                        list.add(format!("{name}.0.to_out.0.weight"), &[dim, inner]);
                    }
                    list.add(format!("{name}.1.net.0.gamma"), &[dim]);
                    list.linear(&format!("{name}.1.net.1"), dim, FEED_FORWARD * dim);
                    list.linear(&format!("{name}.1.net.4"), FEED_FORWARD * dim, dim);
                }
                if self.kind == Bands::Mel {
                    list.add(format!("{transformer}.norm.gamma"), &[dim]);
                }
            }
        }
        if self.kind == Bands::Split {
            list.add("final_norm.gamma".to_owned(), &[dim]);
        }
        let hidden = dim * mlp_expansion_factor;
        for stem in 0..self.arguments.usage.sources.len() {
            for (band, width) in self.widths().into_iter().enumerate() {
                let layers = self.mask_layers();
                for layer in 0..layers {
                    let inputs = if layer == 0 { dim } else { hidden };
                    let outputs = if layer + 1 == layers { 2 * width } else { hidden };
                    let name = mask_layer(stem, band, layer);
                    list.linear(&name, inputs, outputs);
                }
            }
        }
        list.0
    }

    /// Tensors that only some files have: the frequencies of the rotary embedding, otherwise the
    /// default ones, and biases, otherwise zeros.
    pub fn optional_tensors(&self) -> Expected {
        let mut list = List(Expected::new());
        let Arguments { dim, depth, dim_head, .. } = self.arguments;
        for layer in 0..depth {
            for (part, depth) in self.transformers().into_iter().enumerate() {
                for block in 0..depth {
                    let name = format!("layers.{layer}.{part}.layers.{block}.0");
                    list.add(format!("{name}.rotary_embed.freqs"), &[dim_head / 2]);
                    list.add(format!("{name}.to_qkv.bias"), &[3 * self.inner()]);
                    list.add(format!("{name}.to_out.0.bias"), &[dim]);
                }
            }
        }
        list.0
    }
}

/// The name of a mask estimator's linear layer.
pub fn mask_layer(stem: usize, band: usize, layer: usize) -> String {
    format!("mask_estimators.{stem}.to_freqs.{band}.0.{}", 2 * layer)
}

impl Arguments {
    /// Bins of a spectrum.
    pub fn bins(&self) -> usize {
        self.stft_n_fft / 2 + 1
    }

    /// Checks each argument, and the combinations that depend on each other.
    fn check(&self) -> Result<()> {
        self.usage.check()?;
        for (name, value, least, most) in [
            ("dim", self.dim, 1, 8192),
            ("depth", self.depth, 1, 64),
            ("time_transformer_depth", self.time_transformer_depth, 1, 16),
            ("freq_transformer_depth", self.freq_transformer_depth, 1, 16),
            ("linear_transformer_depth", self.linear_transformer_depth, 0, 16),
            ("dim_head", self.dim_head, 2, 1024),
            ("heads", self.heads, 1, 256),
            ("stft_n_fft", self.stft_n_fft, 16, 1 << 16),
            ("stft_hop_length", self.stft_hop_length, 1, self.stft_win_length / 2),
            ("stft_win_length", self.stft_win_length, 16, self.stft_n_fft),
            ("mask_estimator_depth", self.mask_estimator_depth, 1, 16),
            ("mlp_expansion_factor", self.mlp_expansion_factor, 1, 64),
        ] {
            within(name, value, least, most)?;
        }
        for (name, value) in [
            ("stft_n_fft", self.stft_n_fft),
            ("stft_win_length", self.stft_win_length),
            ("dim_head", self.dim_head),
        ] {
            if !value.is_multiple_of(2) {
                return Err(Misfit::ArgumentStep { name: name.into(), step: 2 }.into());
            }
        }
        if self.usage.segment_frames <= self.stft_n_fft / 2 {
            let names = ["segment_frames", "stft_n_fft"].into_iter().collect();
            return Err(Misfit::Disagree { names }.into());
        }
        if let Some(rate) = self.sample_rate.filter(|rate| !(1.0..=768e3).contains(rate)) {
            let [value, least, most] = [rate, 1.0, 768e3].map(Printable::of);
            let name = "sample_rate".into();
            return Err(Misfit::ArgumentRange { name, value, least, most }.into());
        }
        Ok(())
    }
}

/// Bands of these widths, whose sum must be `bins`.
fn split(widths: &[usize], bins: usize) -> Result<Vec<Range<usize>>> {
    let sum = widths.iter().try_fold(0_usize, |sum, width| sum.checked_add(*width));
    if widths.contains(&0) || sum != Some(bins) {
        return Err(Misfit::BandBins { found: sum.unwrap_or(usize::MAX), bins }.into());
    }
    Ok(bands::split(widths))
}

/// Collects names and shapes.
struct List(Expected);

impl List {
    fn add(&mut self, name: String, shape: &[usize]) {
        self.0.insert(name, shape.to_vec());
    }

    fn linear(&mut self, name: &str, inputs: usize, outputs: usize) {
        self.add(format!("{name}.weight"), &[outputs, inputs]);
        self.add(format!("{name}.bias"), &[outputs]);
    }
}

fn missing(name: &str) -> ModelError {
    Misfit::ArgumentMissing { name: name.into() }.into()
}
