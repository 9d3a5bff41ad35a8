//! The network's shape, from the arguments its class was constructed with.
//!
//! Names, order and defaults are those of `HTDemucs.__init__` in the Python package `demucs` 4.1.0.
//! Arguments come from a file that may be anything: every one is checked, and one that asks for
//! what is not built here is an error that names it.

use std::collections::HashMap;

use serde_json::{Map, Value};

use crate::model::{ModelError, Result, Spec, spectrogram::Spectrogram};

/// The constructor's arguments, in its order.
const SIGNATURE: &[&str] = &[
    "sources",
    "audio_channels",
    "channels",
    "channels_time",
    "growth",
    "nfft",
    "wiener_iters",
    "end_iters",
    "wiener_residual",
    "cac",
    "depth",
    "rewrite",
    "multi_freqs",
    "multi_freqs_depth",
    "freq_emb",
    "emb_scale",
    "emb_smooth",
    "kernel_size",
    "time_stride",
    "stride",
    "context",
    "context_enc",
    "norm_starts",
    "norm_groups",
    "dconv_mode",
    "dconv_depth",
    "dconv_comp",
    "dconv_init",
    "bottom_channels",
    "t_layers",
    "t_emb",
    "t_hidden_scale",
    "t_heads",
    "t_dropout",
    "t_max_positions",
    "t_norm_in",
    "t_norm_in_group",
    "t_group_norm",
    "t_norm_first",
    "t_norm_out",
    "t_max_period",
    "t_weight_decay",
    "t_lr",
    "t_layer_scale",
    "t_gelu",
    "t_weight_pos_embed",
    "t_sin_random_shift",
    "t_cape_mean_normalize",
    "t_cape_augment",
    "t_cape_glob_loc_scale",
    "t_sparse_self_attn",
    "t_sparse_cross_attn",
    "t_mask_type",
    "t_mask_random_seed",
    "t_sparse_attn_window",
    "t_global_window",
    "t_sparsity",
    "t_auto_sparsity",
    "t_cross_first",
    "rescale",
    "samplerate",
    "segment",
    "use_train_segment",
];

/// Arguments that have to be true here.
const ONLY_TRUE: &[&str] = &[
    "cac",
    "rewrite",
    "t_norm_in",
    "t_norm_first",
    "t_layer_scale",
    "t_gelu",
    "use_train_segment",
];

/// Arguments that have to be false, zero, null or empty here.
const ONLY_FALSE: &[&str] = &[
    "channels_time",
    "wiener_iters",
    "end_iters",
    "multi_freqs",
    "t_group_norm",
    "t_sin_random_shift",
    "t_sparse_self_attn",
    "t_sparse_cross_attn",
];

/// The constructor's arguments, as far as they matter to a trained network.
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
    /// Weight of the frequency embedding; without one, 0.
    pub freq_emb: f32,
    /// Factor of the embedding's own weights.
    pub emb_scale: f32,
    /// Kernel of the strided convolutions.
    pub kernel_size: usize,
    /// Their stride.
    pub stride: usize,
    /// Taps on either side of the decoders' `rewrite`.
    pub context: usize,
    /// The same of the encoders'.
    pub context_enc: usize,
    /// First layer that has group norms.
    pub norm_starts: usize,
    /// Their groups.
    pub norm_groups: usize,
    /// 1: DConv branches in the encoders, 2: in the decoders, 3: in both.
    pub dconv_mode: usize,
    /// Layers of a DConv branch.
    pub dconv_depth: usize,
    /// A branch has this many times fewer channels.
    pub dconv_comp: f64,
    /// Channels of the transformer; 0 for those of the last encoder.
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
    /// Their weight.
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
            return Err(unusable(&format!("a network of the class {class} is not supported")));
        }
        let Some(kwargs) = metadata.get("kwargs") else {
            return Err(unusable("the file does not say how its network is built (no \"kwargs\")"));
        };
        let json = |name: &str, text: &str| {
            serde_json::from_str::<Value>(text)
                .map_err(|error| unusable(&format!("{name} in the metadata is not JSON: {error}")))
        };
        let args =
            metadata.get("args").map_or(Ok(Value::Array(Vec::new())), |a| json("args", a))?;
        Self::from_arguments(&args, &json("kwargs", kwargs)?)
    }

    /// Reads positional arguments (a JSON list) and keyword arguments (a JSON object).
    pub fn from_arguments(args: &Value, kwargs: &Value) -> Result<Self> {
        let (Value::Array(args), Value::Object(kwargs)) = (args, kwargs) else {
            return Err(unusable("args must be a list, and kwargs an object"));
        };
        let mut all = kwargs.clone();
        for (index, value) in args.iter().enumerate() {
            let Some(name) = SIGNATURE.get(index) else {
                return Err(unusable("too many positional arguments"));
            };
            all.insert((*name).to_owned(), value.clone());
        }
        let arguments = Arguments(all);
        arguments.check_supported()?;
        let config = arguments.read()?;
        config.check()?;
        Ok(config)
    }

    /// What the engine has to know.
    pub fn spec(&self) -> Spec {
        Spec {
            sources: self.sources.clone(),
            sample_rate: self.samplerate,
            channels: self.audio_channels,
            segment_frames: self.segment_frames,
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

    /// Padding of the strided convolutions, and what their transposes are cut by.
    pub fn padding(&self) -> usize {
        self.kernel_size / 4
    }

    /// Zeros to either side of the time branch: enough for every convolution that reads it.
    pub fn margin(&self) -> usize {
        let dilation = 1_usize << self.dconv_depth.saturating_sub(1);
        let context = self.context.max(self.context_enc);
        (self.kernel_size + 2 * self.stride).max(dilation).max(context)
    }

    /// Whether layer `index` has group norms.
    pub fn has_norm(&self, index: usize) -> bool {
        index >= self.norm_starts
    }

    /// Frequencies that go into each encoder layer, and at the end those that come out of the last.
    pub fn freqs(&self) -> Vec<usize> {
        let next = |freqs: &usize| {
            Some((freqs + 2 * self.padding()).saturating_sub(self.kernel_size) / self.stride + 1)
        };
        std::iter::successors(Some(self.nfft / 2), next).take(self.depth + 1).collect()
    }

    /// Frames that go into each encoder layer of the time branch, and those that come out.
    pub fn frames(&self) -> Vec<usize> {
        let next = |frames: &usize| {
            let padded = frames.next_multiple_of(self.stride) + 2 * self.padding();
            Some(padded.saturating_sub(self.kernel_size) / self.stride + 1)
        };
        std::iter::successors(Some(self.segment_frames), next).take(self.depth + 1).collect()
    }

    /// Checks that the arguments fit together and ask for nothing absurd.
    fn check(&self) -> Result<()> {
        /// Values of the largest activation: 1 GiB.
        const LARGEST: usize = 1 << 28;
        let (freqs, frames, padding) = (self.freqs(), self.frames(), self.padding());
        let (kernel, stride) = (self.kernel_size, self.stride);
        if self.segment_frames < Spectrogram::shortest(self.nfft) {
            return Err(unusable("segment is too short for nfft"));
        }
        if kernel - 2 * padding != stride {
            return Err(unusable("kernel_size and stride do not fit together"));
        }
        for index in 0..self.depth {
            if freqs[index] <= kernel {
                return Err(unusable(
                    "depth, nfft, stride and kernel_size ask for a network whose branches merge \
                     before the transformer, which is not supported",
                ));
            }
            if !freqs[index].is_multiple_of(stride) {
                return Err(unusable("stride does not divide the frequencies of nfft"));
            }
            let columns = self.segment_frames.div_ceil(self.nfft / 4);
            let channels = 2 * self.channels_at(index);
            if freqs[index + 1].saturating_mul(channels).saturating_mul(columns) > LARGEST
                || frames[index + 1].saturating_mul(channels) > LARGEST
            {
                return Err(unusable("channels, segment and nfft ask for too much memory"));
            }
            if self.dconv_mode > 0 && self.dconv_hidden(self.channels_at(index)) == 0 {
                return Err(unusable("dconv_comp leaves no channels"));
            }
            if self.has_norm(index) && !self.groups_fit(index) {
                return Err(unusable("norm_groups does not divide the channels"));
            }
        }
        let dim = self.transformer_channels();
        if self.t_layers > 0
            && (!dim.is_multiple_of(self.t_heads)
                || !dim.is_multiple_of(4)
                || self.transformer_hidden() == 0)
        {
            return Err(unusable("t_heads or t_hidden_scale does not fit the channels"));
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

/// An error about the model file; the caller adds which.
fn unusable(what: &str) -> ModelError {
    ModelError::Weights(what.to_owned())
}

/// Arguments by name.
struct Arguments(Map<String, Value>);

impl Arguments {
    /// Names every argument that asks for what is not built here.
    fn check_supported(&self) -> Result<()> {
        for (name, value) in &self.0 {
            let name = name.as_str();
            let supported = if ONLY_TRUE.contains(&name) {
                truthy(value)
            } else if ONLY_FALSE.contains(&name) {
                !truthy(value)
            } else if name == "t_emb" {
                value == "sin"
            } else if SIGNATURE.contains(&name) {
                true
            } else {
                return Err(unusable(&format!("HTDemucs has no argument {name}")));
            };
            if !supported {
                return Err(unusable(&format!(
                    "a network with the argument {name} = {value} is not supported"
                )));
            }
        }
        Ok(())
    }

    fn read(&self) -> Result<Config> {
        let samplerate = self.whole("samplerate", 44_100, 1, 768_000)? as u32;
        Ok(Config {
            sources: self.sources()?,
            audio_channels: self.whole("audio_channels", 2, 1, 16)?,
            channels: self.whole("channels", 48, 1, 1024)?,
            growth: self.whole("growth", 2, 1, 4)?,
            nfft: self.nfft()?,
            depth: self.whole("depth", 4, 1, 8)?,
            freq_emb: self.number("freq_emb", 0.2, 0.0, 1e3)? as f32,
            emb_scale: self.number("emb_scale", 10.0, 0.0, 1e6)? as f32,
            kernel_size: self.whole("kernel_size", 8, 1, 64)?,
            stride: self.whole("stride", 4, 1, 16)?,
            context: self.whole("context", 1, 0, 8)?,
            context_enc: self.whole("context_enc", 0, 0, 8)?,
            norm_starts: self.whole("norm_starts", 4, 0, 64)?,
            norm_groups: self.whole("norm_groups", 4, 1, 64)?,
            dconv_mode: self.whole("dconv_mode", 1, 0, 3)?,
            dconv_depth: self.whole("dconv_depth", 2, 0, 8)?,
            dconv_comp: self.number("dconv_comp", 8.0, 1.0, 1024.0)?,
            bottom_channels: self.whole("bottom_channels", 0, 0, 8192)?,
            t_layers: self.whole("t_layers", 5, 0, 64)?,
            t_heads: self.whole("t_heads", 8, 1, 256)?,
            t_hidden_scale: self.number("t_hidden_scale", 4.0, 0.0, 64.0)?,
            t_norm_out: self.0.get("t_norm_out").is_none_or(truthy),
            t_max_period: self.number("t_max_period", 10_000.0, 1.0, 1e9)?,
            t_weight_pos_embed: self.number("t_weight_pos_embed", 1.0, -1e3, 1e3)? as f32,
            t_cross_first: self.0.get("t_cross_first").is_some_and(truthy),
            samplerate,
            segment_frames: self.segment_frames(samplerate)?,
        })
    }

    /// A whole number between `least` and `most`; `null` counts as 0.
    fn whole(&self, name: &str, default: usize, least: usize, most: usize) -> Result<usize> {
        let value = self.number(name, default as f64, least as f64, most as f64)?;
        if value.fract() == 0.0 {
            Ok(value as usize)
        } else {
            Err(unusable(&format!("the argument {name} = {value} is not a whole number")))
        }
    }

    /// A number between `least` and `most`; `null` counts as 0.
    fn number(&self, name: &str, default: f64, least: f64, most: f64) -> Result<f64> {
        let value = match self.0.get(name) {
            None => default,
            Some(Value::Null) => 0.0,
            Some(value) => value
                .as_f64()
                .ok_or_else(|| unusable(&format!("the argument {name} is not a number")))?,
        };
        if (least..=most).contains(&value) {
            Ok(value)
        } else {
            Err(unusable(&format!(
                "the argument {name} = {value} is not between {least} and {most}"
            )))
        }
    }

    /// A multiple of 8, so that half a hop is whole.
    fn nfft(&self) -> Result<usize> {
        let nfft = self.whole("nfft", 4096, 32, 65_536)?;
        if nfft.is_multiple_of(8) {
            Ok(nfft)
        } else {
            Err(unusable("the argument nfft is not a multiple of 8"))
        }
    }

    fn sources(&self) -> Result<Vec<String>> {
        let names = self.0.get("sources").and_then(Value::as_array).map(|names| {
            names.iter().map(|name| name.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>()
        });
        match names.flatten() {
            Some(names)
                if (1..=32).contains(&names.len())
                    && names.iter().all(|name| (1..=64).contains(&name.len()))
                    && names.iter().enumerate().all(|(i, name)| !names[..i].contains(name)) =>
            {
                Ok(names)
            }
            _ => Err(unusable("sources is not a list of 1 to 32 different names")),
        }
    }

    /// `⌊segment · samplerate⌋`; the segment is a number, "39/5", or the publisher's
    /// `{"_type": "fraction", "numerator": 39, "denominator": 5}`, in seconds.
    fn segment_frames(&self, samplerate: u32) -> Result<usize> {
        /// Six minutes at 44.1 kHz.
        const MOST: u128 = 1 << 24;
        let wrong = || unusable("segment is not a length in seconds");
        let fraction = match self.0.get("segment") {
            None => Some((10, 1)),
            Some(Value::String(text)) => {
                let (numerator, denominator) = text.split_once('/').unwrap_or((text, "1"));
                numerator.trim().parse().ok().zip(denominator.trim().parse().ok())
            }
            Some(Value::Object(parts)) => {
                let part = |name| parts.get(name).and_then(Value::as_u64);
                part("numerator").zip(part("denominator"))
            }
            Some(Value::Number(number)) => {
                let seconds = number.as_f64().filter(|s| *s >= 0.0 && *s < MOST as f64);
                let frames = seconds.ok_or_else(wrong)? * f64::from(samplerate);
                Some((frames as u64, u64::from(samplerate)))
            }
            Some(_) => None,
        };
        let (numerator, denominator) = fraction.filter(|(_, d)| *d > 0).ok_or_else(wrong)?;
        let frames = u128::from(numerator) * u128::from(samplerate) / u128::from(denominator);
        if frames == 0 || frames > MOST {
            return Err(unusable("segment is empty or absurdly long"));
        }
        Ok(frames as usize)
    }
}

/// Python's idea of truth.
fn truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(value) => *value,
        Value::Number(value) => value.as_f64() != Some(0.0),
        Value::String(value) => !value.is_empty(),
        Value::Array(value) => !value.is_empty(),
        Value::Object(value) => !value.is_empty(),
    }
}
