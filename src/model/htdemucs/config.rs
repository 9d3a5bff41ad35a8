//! The network's shape, from the arguments its class was constructed with.
//!
//! Holds the arguments and computes sizes from them; `arguments` parses them. Reads no tensors and no
//! files.

use std::collections::HashMap;

use serde_json::Value;

use super::{arguments::Arguments, spectrogram::Spectrogram};
use crate::model::{
    Effort, Result, Spec,
    findings::{Misfit, Printable},
};

/// The constructor's arguments that matter to a trained network.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Stem names in the order of the output.
    pub sources: Vec<String>,
    /// Channels of mix and stems.
    pub audio_channels: usize,
    /// Channels after the first encoder layer.
    pub channels: usize,
    /// Factor of the channels from layer to layer.
    pub growth: usize,
    /// Window length of the spectrogram; the hop is a quarter.
    pub nfft: usize,
    /// Layers of each encoder and decoder.
    pub depth: usize,
    /// Weight of the frequency embedding; 0 without one.
    pub freq_emb: f32,
    /// Factor of the embedding's own weights.
    pub emb_scale: f32,
    /// Kernel of the strided convolutions.
    pub kernel_size: usize,
    /// Stride of the strided convolutions.
    pub stride: usize,
    /// Taps on either side of the decoders' `rewrite`.
    pub context: usize,
    /// Taps on either side of the encoders' `rewrite`.
    pub context_enc: usize,
    /// First layer that has group norms.
    pub norm_starts: usize,
    /// Groups of the group norms.
    pub norm_groups: usize,
    /// 1: DConv branches in the encoders, 2: in the decoders, 3: in both.
    pub dconv_mode: usize,
    /// Layers of a DConv branch.
    pub dconv_depth: usize,
    /// Factor by which a DConv branch has fewer channels.
    pub dconv_comp: f64,
    /// Channels of the transformer; 0 for the last encoder's.
    pub bottom_channels: usize,
    /// Layers of the transformer, in each branch.
    pub t_layers: usize,
    /// Attention heads.
    pub t_heads: usize,
    /// Hidden features of the feed-forward part, as a multiple of the transformer's channels.
    pub t_hidden_scale: f64,
    /// Whether each layer ends in a norm.
    pub t_norm_out: bool,
    /// Longest period of the position embeddings.
    pub t_max_period: f64,
    /// Weight of the position embeddings.
    pub t_weight_pos_embed: f32,
    /// Whether the first layer of the transformer is a cross one.
    pub t_cross_first: bool,
    /// Samples per second.
    pub samplerate: u32,
    /// Samples per channel of one forward pass: `⌊segment · samplerate⌋`.
    pub segment_frames: usize,
}

impl Config {
    /// Reads the metadata of a model file: `kwargs`, a JSON object, and, where there are any,
    /// `args`, a JSON list of positional arguments, and `klass`.
    pub fn from_metadata(metadata: &HashMap<String, String>) -> Result<Self> {
        if let Some(class) = metadata.get("klass")
            && class.rsplit('.').next() != Some("HTDemucs")
        {
            return Err(Misfit::Class { class: class.into() }.into());
        }
        let Some(kwargs) = metadata.get("kwargs") else {
            return Err(Misfit::NoArguments.into());
        };
        let json = |text: &str| {
            serde_json::from_str::<Value>(text)
                .map_err(|error| Misfit::Arguments { cause: Printable::of(error) })
        };
        let args = metadata.get("args").map_or(Ok(Value::Array(Vec::new())), |args| json(args))?;
        Self::from_arguments(&args, &json(kwargs)?)
    }

    /// Reads positional arguments (a JSON list) and keyword arguments (a JSON object).
    pub fn from_arguments(args: &Value, kwargs: &Value) -> Result<Self> {
        let arguments = Arguments::new(args, kwargs)?;
        let samplerate = arguments.whole("samplerate", 44_100, 1, 768_000)? as u32;
        let config = Self {
            sources: arguments.sources()?,
            audio_channels: arguments.whole("audio_channels", 2, 1, 16)?,
            channels: arguments.whole("channels", 48, 1, 1024)?,
            growth: arguments.whole("growth", 2, 1, 4)?,
            nfft: arguments.nfft()?,
            depth: arguments.whole("depth", 4, 1, 8)?,
            freq_emb: arguments.number("freq_emb", 0.2, 0.0, 1e3)? as f32,
            emb_scale: arguments.number("emb_scale", 10.0, 0.0, 1e6)? as f32,
            kernel_size: arguments.whole("kernel_size", 8, 1, 64)?,
            stride: arguments.whole("stride", 4, 1, 16)?,
            context: arguments.whole("context", 1, 0, 8)?,
            context_enc: arguments.whole("context_enc", 0, 0, 8)?,
            norm_starts: arguments.whole("norm_starts", 4, 0, 64)?,
            norm_groups: arguments.whole("norm_groups", 4, 1, 64)?,
            dconv_mode: arguments.whole("dconv_mode", 1, 0, 3)?,
            dconv_depth: arguments.whole("dconv_depth", 2, 0, 8)?,
            dconv_comp: arguments.number("dconv_comp", 8.0, 1.0, 1024.0)?,
            bottom_channels: arguments.whole("bottom_channels", 0, 0, 8192)?,
            t_layers: arguments.whole("t_layers", 5, 0, 64)?,
            t_heads: arguments.whole("t_heads", 8, 1, 256)?,
            t_hidden_scale: arguments.number("t_hidden_scale", 4.0, 0.0, 64.0)?,
            t_norm_out: arguments.flag("t_norm_out", true),
            t_max_period: arguments.number("t_max_period", 10_000.0, 1.0, 1e9)?,
            t_weight_pos_embed: arguments.number("t_weight_pos_embed", 1.0, -1e3, 1e3)? as f32,
            t_cross_first: arguments.flag("t_cross_first", false),
            samplerate,
            segment_frames: arguments.segment_frames(samplerate)?,
        };
        config.check()?;
        Ok(config)
    }

    /// The shape of the input and the output.
    pub fn spec(&self) -> Spec {
        // The published sizes take 335 GFLOP; nearly all of it grows with the square of the width.
        let relative_width = self.channels as f64 / 48.0;
        let relative_length = self.segment_frames as f64 / 343_980.0;
        Spec {
            sample_rate: self.samplerate,
            channels: self.audio_channels,
            megaflop: (335e3 * relative_width.powi(2) * relative_length) as u64,
            effort: Effort { percent: 86, fast_share: 78 },
            ..Spec::triangle(self.sources.clone(), self.segment_frames)
        }
    }

    /// Channels of encoder layer `index`'s output.
    pub fn channels_at(&self, index: usize) -> usize {
        self.channels * self.growth.pow(index as u32)
    }

    /// Channels of the transformer.
    pub fn transformer_channels(&self) -> usize {
        if self.bottom_channels > 0 {
            self.bottom_channels
        } else {
            self.channels_at(self.depth - 1)
        }
    }

    /// Hidden features of the transformer's feed-forward part.
    pub fn transformer_hidden(&self) -> usize {
        (self.transformer_channels() as f64 * self.t_hidden_scale) as usize
    }

    /// Channels inside a DConv branch on `channels`.
    pub fn dconv_hidden(&self, channels: usize) -> usize {
        (channels as f64 / self.dconv_comp) as usize
    }

    /// Padding of the strided convolutions; their transposes are cut by the same number.
    pub fn padding(&self) -> usize {
        self.kernel_size / 4
    }

    /// Zeros on either side of the time branch, enough for every convolution that reads it.
    pub fn margin(&self) -> usize {
        let dilation = 1_usize << self.dconv_depth.saturating_sub(1);
        let context = self.context.max(self.context_enc);
        (self.kernel_size + 2 * self.stride).max(dilation).max(context)
    }

    /// Whether layer `index` has group norms.
    pub fn has_norm(&self, index: usize) -> bool {
        index >= self.norm_starts
    }

    /// Frequencies of each encoder layer's input, and of the last one's output.
    pub fn freqs(&self) -> Vec<usize> {
        let next = |freqs: &usize| {
            Some((freqs + 2 * self.padding()).saturating_sub(self.kernel_size) / self.stride + 1)
        };
        std::iter::successors(Some(self.nfft / 2), next).take(self.depth + 1).collect()
    }

    /// Frames of each time encoder layer's input, and of the last one's output.
    pub fn frames(&self) -> Vec<usize> {
        let next = |frames: &usize| {
            let padded = frames.next_multiple_of(self.stride) + 2 * self.padding();
            Some(padded.saturating_sub(self.kernel_size) / self.stride + 1)
        };
        std::iter::successors(Some(self.segment_frames), next).take(self.depth + 1).collect()
    }

    /// Checks that the arguments fit together, and that the network fits into memory.
    fn check(&self) -> Result<()> {
        /// Values of the largest activation: a quarter of a gibibyte, four times the published
        /// network's.
        const LARGEST: usize = 1 << 26;
        let (freqs, frames, padding) = (self.freqs(), self.frames(), self.padding());
        let (kernel, stride) = (self.kernel_size, self.stride);
        let columns = self.segment_frames.div_ceil(self.nfft / 4);
        if self.segment_frames < Spectrogram::shortest(self.nfft) {
            return disagree(&["segment", "nfft"]);
        }
        if kernel - 2 * padding != stride {
            return disagree(&["kernel_size", "stride"]);
        }
        for index in 0..self.depth {
            if freqs[index] <= kernel {
                return Err(Misfit::Merging.into());
            }
            if !freqs[index].is_multiple_of(stride) {
                return disagree(&["stride", "nfft"]);
            }
            let channels = 2 * self.channels_at(index);
            if freqs[index + 1].saturating_mul(channels).saturating_mul(columns) > LARGEST
                || frames[index + 1].saturating_mul(channels) > LARGEST
            {
                return too_large(&["channels", "segment", "nfft"]);
            }
            if self.dconv_mode > 0 && self.dconv_hidden(self.channels_at(index)) == 0 {
                return disagree(&["dconv_comp", "channels"]);
            }
            if self.has_norm(index) && !self.groups_fit(index) {
                return disagree(&["norm_groups", "channels"]);
            }
        }
        let dim = self.transformer_channels();
        let widest = self.transformer_hidden().max(3 * dim);
        let tokens = columns.saturating_mul(freqs[self.depth]).max(frames[self.depth]);
        if self.t_layers > 0 && tokens.saturating_mul(widest) > LARGEST {
            return too_large(&["bottom_channels", "t_hidden_scale"]);
        }
        if self.t_layers > 0
            && (!dim.is_multiple_of(self.t_heads)
                || !dim.is_multiple_of(4)
                || self.transformer_hidden() == 0)
        {
            return disagree(&["t_heads", "t_hidden_scale", "channels"]);
        }
        Ok(())
    }

    fn groups_fit(&self, index: usize) -> bool {
        let outputs = if index == 0 {
            self.audio_channels * self.sources.len()
        } else {
            self.channels_at(index - 1)
        };
        self.channels_at(index).is_multiple_of(self.norm_groups)
            && outputs.is_multiple_of(self.norm_groups)
    }
}

fn disagree(names: &[&str]) -> Result<()> {
    Err(Misfit::Disagree { names: names.iter().collect() }.into())
}

fn too_large(names: &[&str]) -> Result<()> {
    Err(Misfit::Memory { names: names.iter().collect() }.into())
}
