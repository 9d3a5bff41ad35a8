//! Recognises Mel-Band and BS-RoFormers by the names and shapes of their tensors.
//!
//! The reference is the classes of Music-Source-Separation-Training. Nearly every constructor
//! argument follows from the shapes; a configuration file is held against them. Hop length, segment
//! and the stems' names do not: [`Facts`] has to state them. Knows no files and no values.

use serde_json::{Map, Value, json};

use crate::model::{
    Result,
    findings::{EntryFault, Misfit, Printable, Variant},
    recognition::{Facts, Names, Recognised, Shapes, missing, modules, shape},
};

/// Parts of tensor names that only variants of these networks have, and the variants' names.
const FOREIGN_TENSORS: &[(&str, Variant)] = &[
    ("pope_embed", Variant::Pope),
    (".segm.", Variant::Segm),
    ("hyperace", Variant::HyperAce),
    ("to_value_residual_mix", Variant::ValueResiduals),
    ("static_alpha", Variant::HyperConnections),
    ("static_beta", Variant::HyperConnections),
    ("dynamic_alpha", Variant::HyperConnections),
    ("hyper_conn", Variant::HyperConnections),
    ("lora_", Variant::Lora),
    (".out_norm.", Variant::Conformer),
    ("mamba", Variant::Mamba),
    (".fno", Variant::Fno),
];

/// Arguments of the configuration's `model` section that only variants have, when true.
const FOREIGN_ARGUMENTS: &[(&str, Variant)] = &[
    ("use_pope", Variant::Pope),
    ("add_value_residual", Variant::ValueResiduals),
    ("use_value_residual_learning", Variant::ValueResiduals),
    ("use_hyperace", Variant::HyperAce),
    ("use_fno", Variant::Fno),
    ("conv_kernel_size", Variant::Conformer),
];

/// The most of any count in a file's header that a network could have.
const MOST: usize = 1 << 14;

/// Most bands of a network.
const MOST_BANDS: usize = 512;

/// Hops of published networks.
const HOPS: [usize; 2] = [441, 512];

/// Segments of published networks, in frames.
const CHUNKS: [usize; 4] = [352_800, 131_584, 485_100, 588_800];

/// A function that recognises one kind.
pub type Recognise = fn(&Shapes, &Facts) -> Option<Result<Recognised>>;

/// The two kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Split {
    /// Overlapping bands of a mel filter bank.
    Mel,
    /// Disjoint bands of stated widths.
    Bands,
}

/// Recognises a Mel-Band RoFormer; `None` when the tensors are of another kind of network.
pub fn mel(shapes: &Shapes, facts: &Facts) -> Option<Result<Recognised>> {
    (split(shapes)? == Split::Mel).then(|| recognise(shapes, facts, Split::Mel))
}

/// Recognises a BS-RoFormer; `None` when the tensors are of another kind of network.
pub fn bands(shapes: &Shapes, facts: &Facts) -> Option<Result<Recognised>> {
    (split(shapes)? == Split::Bands).then(|| recognise(shapes, facts, Split::Bands))
}

fn split(shapes: &Shapes) -> Option<Split> {
    let has = |prefix: &str| {
        shapes.range(prefix.to_owned()..).next().is_some_and(|(name, _)| name.starts_with(prefix))
    };
    if !(has("band_split.to_features.0.") && has("mask_estimators.0.") && has("layers.0.")) {
        return None;
    }
    let is_mel =
        shapes.contains_key("layers.0.0.norm.gamma") && !shapes.contains_key("final_norm.gamma");
    Some(if is_mel { Split::Mel } else { Split::Bands })
}

fn recognise(shapes: &Shapes, facts: &Facts, split: Split) -> Result<Recognised> {
    refuse_variants(shapes, facts)?;
    let (mut kwargs, count) = body(shapes, facts)?;
    let (masks, mlp) = masks(shapes, facts, split)?;
    kwargs.extend(masks);
    let widths = widths(shapes)?;
    let n_fft = match split {
        Split::Mel => mel_bands(&widths, facts, &mut kwargs)?,
        Split::Bands => plain_bands(&widths, facts, &mut kwargs)?,
    };
    let window = facts.whole(&["model", "stft_win_length"])?.unwrap_or(n_fft);
    if window == 0 || window > n_fft {
        return Err(facts.wrong(&["model", "stft_win_length"], EntryFault::LongerWindow));
    }
    kwargs.insert("stft_n_fft".into(), n_fft.into());
    kwargs.insert("stft_win_length".into(), window.into());
    kwargs.insert("mlp_expansion_factor".into(), mlp.into());
    // The class's defaults, where a configuration does not override them.
    for (name, default) in
        [("stft_normalized", false), ("zero_dc", true), ("skip_connection", false)]
    {
        let value = facts.flag(&["model", name]).unwrap_or(default);
        kwargs.insert(name.into(), value.into());
    }
    let names = facts.names(count)?;
    let hop = facts.hop(&["model", "stft_hop_length"], n_fft)?;
    let chunk = facts.chunk(hop, n_fft)?;
    match (hop, chunk, names) {
        (Some(hop), Some(chunk), Some(Names { sources, rest })) => {
            kwargs.extend(facts.common(chunk)?);
            kwargs.insert("stft_hop_length".into(), hop.into());
            kwargs.insert("sources".into(), sources.into());
            kwargs.insert("rest".into(), rest.into());
            Ok(Recognised::Complete(kwargs))
        }
        (hop, chunk, names) => {
            let hops = usual_first(facts.whole(&["audio", "hop_length"])?, &HOPS);
            Ok(Recognised::Missing(missing((hop, &hops), (chunk, &CHUNKS), (&names, count))))
        }
    }
}

/// Usual values, with the one that the configuration mentions elsewhere first.
fn usual_first(mentioned: Option<usize>, usual: &[usize]) -> Vec<usize> {
    let others = usual.iter().copied().filter(|value| Some(*value) != mentioned);
    mentioned.into_iter().chain(others).collect()
}

/// Fails for a variant that computes something else, by its tensors or its configuration.
fn refuse_variants(shapes: &Shapes, facts: &Facts) -> Result<()> {
    let variant = |variant: &Variant| Misfit::Variant { variant: variant.clone() }.into();
    for name in shapes.keys() {
        if let Some((_, what)) = FOREIGN_TENSORS.iter().find(|(part, _)| name.contains(part)) {
            return Err(variant(what));
        }
    }
    for (argument, what) in FOREIGN_ARGUMENTS {
        facts.refuse(&["model", argument], what)?;
    }
    if facts.whole(&["model", "num_residual_streams"])?.is_some_and(|streams| streams > 1) {
        return Err(variant(&Variant::HyperConnections));
    }
    Ok(())
}

/// Arguments of the layers, and the number of stems.
fn body(shapes: &Shapes, facts: &Facts) -> Result<(Map<String, Value>, usize)> {
    let [dim, _] = shape::<2>(shapes, "band_split.to_features.0.1.weight")?;
    let depth = modules(shapes, "layers.")?;
    // A layer may begin with a transformer over the channels.
    let (linear, time) = match modules(shapes, "layers.0.")? {
        2 => (0, 0),
        3 => (modules(shapes, "layers.0.0.layers.")?, 1),
        parts => {
            return Err(Misfit::Transformers { count: parts }.into());
        }
    };
    let attention = format!("layers.0.{time}.layers.0.0");
    let [heads, _] = shape::<2>(shapes, &format!("{attention}.to_gates.weight"))?;
    let [rows, _] = shape::<2>(shapes, &format!("{attention}.to_qkv.weight"))?;
    if !rows.is_multiple_of(3 * heads) {
        return Err(Misfit::Heads { rows, heads }.into());
    }
    let [hidden, _] = shape::<2>(shapes, &format!("layers.0.{time}.layers.0.1.net.1.weight"))?;
    if hidden != 4 * dim {
        return Err(Misfit::FeedForward { hidden, dim }.into());
    }
    let count = modules(shapes, "mask_estimators.")?;
    let found = [
        ("dim", dim),
        ("depth", depth),
        ("heads", heads),
        ("dim_head", rows / 3 / heads),
        ("num_stems", count),
        ("linear_transformer_depth", linear),
        ("time_transformer_depth", modules(shapes, &format!("layers.0.{time}.layers."))?),
        ("freq_transformer_depth", modules(shapes, &format!("layers.0.{}.layers.", time + 1))?),
    ];
    let mut kwargs = Map::new();
    for (name, value) in found {
        facts.agree(&["model", name], value)?;
        if value > MOST {
            return Err(Misfit::Limit { name: name.into(), value, most: MOST }.into());
        }
        kwargs.insert(name.into(), value.into());
    }
    Ok((kwargs, count))
}

/// The depth of the mask estimators as the class counts it, and the factor of their hidden width.
fn masks(shapes: &Shapes, facts: &Facts, split: Split) -> Result<(Map<String, Value>, usize)> {
    let prefix = "mask_estimators.0.to_freqs.0.0.";
    let inside = shapes.range(prefix.to_owned()..).take_while(|(name, _)| name.starts_with(prefix));
    let layers = inside.filter(|(name, _)| name.ends_with(".weight")).count();
    // BS: one hidden layer less than the depth; Mel: as many.
    let depth = match split {
        Split::Bands => layers,
        Split::Mel => layers.saturating_sub(1),
    };
    if layers == 0 || layers > MOST {
        return Err(Misfit::NoMaskLayers.into());
    }
    facts.agree(&["model", "mask_estimator_depth"], depth)?;
    let path = ["model", "mlp_expansion_factor"];
    let factor = if layers > 1 {
        let [hidden, dim] = shape::<2>(shapes, &format!("{prefix}0.weight"))?;
        if !hidden.is_multiple_of(dim) {
            return Err(Misfit::MaskWidth { hidden, dim }.into());
        }
        facts.agree(&path, hidden / dim)?;
        hidden / dim
    } else {
        facts.whole(&path)?.unwrap_or(4)
    };
    let arguments = json!({ "mask_estimator_depth": depth });
    Ok((arguments.as_object().cloned().unwrap_or_default(), factor))
}

/// Numbers of each band: its bins, times two for the parts of complex numbers, times the channels.
fn widths(shapes: &Shapes) -> Result<Vec<usize>> {
    let bands = modules(shapes, "band_split.to_features.")?;
    if bands > MOST_BANDS {
        let name = "num_bands".into();
        return Err(Misfit::Limit { name, value: bands, most: MOST_BANDS }.into());
    }
    let width = |band: usize| {
        let [width] = shape::<1>(shapes, &format!("band_split.to_features.{band}.0.gamma"))?;
        Ok(width)
    };
    (0..bands).map(width).collect()
}

/// Adds the arguments of disjoint bands, which make up every bin of a spectrum; returns `n_fft`.
fn plain_bands(widths: &[usize], facts: &Facts, kwargs: &mut Map<String, Value>) -> Result<usize> {
    let sum = widths.iter().try_fold(0_usize, |sum, width| sum.checked_add(*width));
    let stated = facts.whole(&["model", "stft_n_fft"])?;
    // Stereo, unless the widths fit one channel only.
    let bins = |channels: usize| {
        let bins = sum.filter(|sum| sum.is_multiple_of(2 * channels))? / 2 / channels;
        let fits = match stated {
            Some(n_fft) => bins == n_fft / 2 + 1,
            None => bins > 1 && (bins - 1).is_power_of_two(),
        };
        let is_whole = widths.iter().all(|width| width.is_multiple_of(2 * channels));
        (fits && is_whole).then_some((channels, bins))
    };
    let Some((channels, bins)) = bins(2).or_else(|| bins(1)) else {
        let of = |size| Misfit::SpectrumBinsOf { size };
        return Err(stated.map_or(Misfit::SpectrumBins, of).into());
    };
    let n_fft = 2 * (bins - 1);
    refuse_other_kind(facts, "num_bands", "Mel-Band RoFormer", "BS-RoFormer")?;
    agree_on_channels(facts, channels)?;
    let widths: Vec<usize> = widths.iter().map(|width| width / 2 / channels).collect();
    let path = ["model", "freqs_per_bands"];
    if facts.wholes(&path)?.is_some_and(|stated| stated != widths) {
        return Err(facts.wrong(&path, EntryFault::OtherBands));
    }
    kwargs.insert("freqs_per_bands".into(), widths.into());
    kwargs.insert("stereo".into(), (channels == 2).into());
    Ok(n_fft)
}

/// Adds the arguments of a mel filter bank's bands; returns `n_fft`.
fn mel_bands(widths: &[usize], facts: &Facts, kwargs: &mut Map<String, Value>) -> Result<usize> {
    refuse_other_kind(facts, "freqs_per_bands", "BS-RoFormer", "Mel-Band RoFormer")?;
    facts.agree(&["model", "num_bands"], widths.len())?;
    let rate = facts.whole(&["model", "sample_rate"])?.unwrap_or(44_100);
    if rate == 0 {
        return Err(facts.wrong(&["model", "sample_rate"], EntryFault::NotARate));
    }
    let sizes = match facts.whole(&["model", "stft_n_fft"])? {
        Some(n_fft) if n_fft.is_multiple_of(2) && (16..=65_536).contains(&n_fft) => vec![n_fft],
        Some(_) => {
            let fault = EntryFault::NotEven { least: 16, most: 65_536 };
            return Err(facts.wrong(&["model", "stft_n_fft"], fault));
        }
        None => vec![2048, 4096, 1024, 8192],
    };
    for n_fft in sizes {
        let Ok(bank) = super::bands::mel(rate as f64, n_fft, widths.len()) else { continue };
        for channels in [2, 1] {
            if bank.iter().map(|band| band.len() * 2 * channels).eq(widths.iter().copied()) {
                agree_on_channels(facts, channels)?;
                kwargs.insert("num_bands".into(), widths.len().into());
                kwargs.insert("sample_rate".into(), rate.into());
                kwargs.insert("stereo".into(), (channels == 2).into());
                let length = facts.flag(&["model", "match_input_audio_length"]).unwrap_or(false);
                kwargs.insert("match_input_audio_length".into(), length.into());
                return Ok(n_fft);
            }
        }
    }
    Err(Misfit::NotMel { bands: widths.len(), rate }.into())
}

/// Fails when the configuration has an entry that only the other kind has.
fn refuse_other_kind(facts: &Facts, entry: &str, other: &str, this: &str) -> Result<()> {
    let path = ["model", entry];
    match facts.value(&path) {
        Some(_) => {
            let fault = EntryFault::OtherKind { other: other.into(), this: this.into() };
            Err(facts.wrong(&path, fault))
        }
        None => Ok(()),
    }
}

/// Fails when the configuration states other channels than the widths of the bands.
fn agree_on_channels(facts: &Facts, channels: usize) -> Result<()> {
    match facts.flag(&["model", "stereo"]) {
        Some(stereo) if stereo != (channels == 2) => {
            let fault = EntryFault::OtherChannels { stated: Printable::of(stereo), channels };
            Err(facts.wrong(&["model", "stereo"], fault))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
