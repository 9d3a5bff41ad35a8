//! The constructor's arguments, read one by one from JSON.
//!
//! Names, order and defaults are those of `HTDemucs.__init__` in the Python package `demucs` 4.1.0.
//! Arguments come from a file that may be anything: every one is checked, and one that asks for
//! what is not built here is an error that names it. Whether they fit together is `config`'s.

use serde_json::{Map, Value};

use super::config::{Config, unusable};
use crate::model::Result;

/// The constructor's arguments, in its order.
pub(super) const SIGNATURE: &[&str] = &[
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

/// Arguments by name.
pub(super) struct Arguments(pub Map<String, Value>);

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

    /// The configuration, each argument within its bounds.
    pub fn read(&self) -> Result<Config> {
        self.check_supported()?;
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
