//! The constructor's arguments, read one by one from JSON.
//!
//! Names, order and defaults are those of `HTDemucs.__init__` in the Python package `demucs` 4.1.0.
//! Arguments come from an untrusted file: each is checked, and one that asks for an unsupported
//! network is an error that names it. `config` checks whether they fit together.

use serde_json::{Map, Value};

use crate::model::{
    ModelError, Result,
    findings::{Misfit, Printable},
};

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

/// Arguments that must be true.
const ONLY_TRUE: &[&str] = &[
    "cac",
    "rewrite",
    "t_norm_in",
    "t_norm_first",
    "t_layer_scale",
    "t_gelu",
    "use_train_segment",
];

/// Arguments that must be false, zero, null or empty.
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
pub(super) struct Arguments(Map<String, Value>);

impl Arguments {
    /// Positional arguments (a JSON list) and keyword arguments (a JSON object), all supported.
    pub fn new(args: &Value, kwargs: &Value) -> Result<Self> {
        let (Value::Array(args), Value::Object(kwargs)) = (args, kwargs) else {
            return Err(Misfit::ArgumentsForm.into());
        };
        let mut all = kwargs.clone();
        for (index, value) in args.iter().enumerate() {
            let Some(name) = SIGNATURE.get(index) else {
                return Err(Misfit::ManyArguments.into());
            };
            all.insert((*name).to_owned(), value.clone());
        }
        let arguments = Self(all);
        arguments.check_supported()?;
        Ok(arguments)
    }

    /// Fails at the first argument that asks for an unsupported network.
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
                return Err(Misfit::ArgumentUnknown { name: name.into() }.into());
            };
            if !supported {
                let value = Printable::of(value);
                return Err(Misfit::Argument { name: name.into(), value }.into());
            }
        }
        Ok(())
    }

    /// Whether an argument is true by Python's rules.
    pub fn flag(&self, name: &str, default: bool) -> bool {
        self.0.get(name).map_or(default, truthy)
    }

    /// A whole number between `least` and `most`; `null` counts as 0.
    pub fn whole(&self, name: &str, default: usize, least: usize, most: usize) -> Result<usize> {
        let value = self.number(name, default as f64, least as f64, most as f64)?;
        if value.fract() == 0.0 {
            Ok(value as usize)
        } else {
            let value = Printable::of(value);
            Err(Misfit::ArgumentNotWhole { name: name.into(), value }.into())
        }
    }

    /// A number between `least` and `most`; `null` counts as 0.
    pub fn number(&self, name: &str, default: f64, least: f64, most: f64) -> Result<f64> {
        let value = match self.0.get(name) {
            None => default,
            Some(Value::Null) => 0.0,
            Some(value) => {
                value.as_f64().ok_or_else(|| Misfit::ArgumentNotANumber { name: name.into() })?
            }
        };
        if (least..=most).contains(&value) {
            Ok(value)
        } else {
            let [value, least, most] = [value, least, most].map(Printable::of);
            Err(Misfit::ArgumentRange { name: name.into(), value, least, most }.into())
        }
    }

    /// The window length: a multiple of 8, so that half a hop is a whole number.
    pub fn nfft(&self) -> Result<usize> {
        let nfft = self.whole("nfft", 4096, 32, 65_536)?;
        if nfft.is_multiple_of(8) {
            Ok(nfft)
        } else {
            Err(Misfit::ArgumentStep { name: "nfft".into(), step: 8 }.into())
        }
    }

    /// One to 32 different names of stems.
    pub fn sources(&self) -> Result<Vec<String>> {
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
            _ => Err(Misfit::Sources { most: 32 }.into()),
        }
    }

    /// `⌊segment · samplerate⌋`; the segment is a number, "39/5", or the publisher's
    /// `{"_type": "fraction", "numerator": 39, "denominator": 5}`, in seconds.
    pub fn segment_frames(&self, samplerate: u32) -> Result<usize> {
        /// Six minutes at 44.1 kHz.
        const MOST: u128 = 1 << 24;
        let wrong = || ModelError::from(Misfit::Length);
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
            return Err(Misfit::LengthRange.into());
        }
        Ok(frames as usize)
    }
}

/// Whether a value is true by Python's rules.
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
