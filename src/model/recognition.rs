//! Recognition of networks whose file does not state their construction: the known facts about such
//! a file, and the result.
//!
//! Shapes come from the file. Facts come from a YAML file next to it, as written by
//! Music-Source-Separation-Training, or from the user, who takes precedence. This module is
//! independent of files and kinds of networks: each [`super::Kind`] recognises its own. Pure data;
//! usable from any thread.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::{Map, Value, json};

pub use super::facts::{MissingFact, Stated};
use super::{
    MOST_OVERLAP, MOST_STEMS, ModelError, Result, check_names,
    findings::{EntryFault, Misfit, NameCount, Printable, StemCount, Variant},
    kind_of,
};

/// Shape of every tensor of a file, by its PyTorch name without prefixes such as `module.`.
pub type Shapes = BTreeMap<String, Vec<usize>>;

/// Maximum length of a segment in frames: six minutes at 44.1 kHz.
const MOST_FRAMES: usize = 1 << 24;

/// The largest whole number of a configuration: 2³².
const MOST_WHOLE: u64 = 1 << 32;

/// Default overlap in configurations of Music-Source-Separation-Training: `num_overlap` 2.
const USUAL_OVERLAP: usize = 2;

/// Facts about a network that its tensors do not show.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// Name of the file of `config`, for messages.
    pub origin: String,
    /// Sections of a configuration file: `audio`, `model`, `training`, `inference`. `Null` without
    /// one.
    pub config: Value,
    /// Facts stated by the user, which override `config`.
    pub stated: Stated,
}

/// Result of a recognition.
#[derive(Clone, Debug, PartialEq)]
pub enum Recognised {
    /// Complete constructor arguments.
    Complete(Map<String, Value>),
    /// Facts missing in both shapes and [`Facts`].
    Missing(Vec<MissingFact>),
}

impl Facts {
    /// Value at a path such as `["model", "dim"]`; `None` if absent or null.
    pub fn value(&self, path: &[&str]) -> Option<&Value> {
        path.iter()
            .try_fold(&self.config, |value, key| value.get(*key))
            .filter(|value| !value.is_null())
    }

    /// Finite number at a path; texts such as `1e-5` are converted.
    pub fn number(&self, path: &[&str]) -> Result<Option<f64>> {
        let Some(value) = self.value(path) else { return Ok(None) };
        let number = match value {
            Value::Number(number) => number.as_f64(),
            Value::String(text) => text.trim().replace('_', "").parse().ok(),
            _ => None,
        };
        match number.filter(|number: &f64| number.is_finite()) {
            Some(number) => Ok(Some(number)),
            None => Err(self.wrong(path, EntryFault::NotANumber)),
        }
    }

    /// Whole number at a path, up to 2³².
    pub fn whole(&self, path: &[&str]) -> Result<Option<usize>> {
        match self.number(path)? {
            None => Ok(None),
            Some(number) if number.fract() != 0.0 => {
                Err(self.wrong(path, EntryFault::NotWhole { value: Printable::of(number) }))
            }
            Some(number) if (0.0..=MOST_WHOLE as f64).contains(&number) => {
                Ok(Some(number as usize))
            }
            Some(number) => {
                let (value, least, most) = (Printable::of(number), 0, MOST_WHOLE as usize);
                Err(self.wrong(path, EntryFault::OutOfRange { value, least, most }))
            }
        }
    }

    /// Whether the value at a path is true in Python's terms; texts such as `yes` and `off` are
    /// converted.
    pub fn flag(&self, path: &[&str]) -> Option<bool> {
        Some(match self.value(path)? {
            Value::Null => false,
            Value::Bool(value) => *value,
            Value::Number(value) => value.as_f64() != Some(0.0),
            Value::String(text) => {
                !matches!(text.to_ascii_lowercase().as_str(), "" | "no" | "off" | "false" | "none")
            }
            Value::Array(items) => !items.is_empty(),
            Value::Object(entries) => !entries.is_empty(),
        })
    }

    /// List of whole numbers at a path.
    pub fn wholes(&self, path: &[&str]) -> Result<Option<Vec<usize>>> {
        let Some(value) = self.value(path) else { return Ok(None) };
        let whole = |item: &Value| item.as_u64().and_then(|whole| usize::try_from(whole).ok());
        let list = value.as_array().and_then(|items| items.iter().map(whole).collect());
        match list {
            Some(list) => Ok(Some(list)),
            None => Err(self.wrong(path, EntryFault::NotWholes)),
        }
    }

    /// Text at a path; numbers and booleans are converted.
    pub fn text(&self, path: &[&str]) -> Result<Option<String>> {
        match self.value(path) {
            None => Ok(None),
            Some(value) => match plain(value) {
                Some(text) => Ok(Some(text)),
                None => Err(self.wrong(path, EntryFault::NotAName)),
            },
        }
    }

    /// Fails if the configuration contradicts the tensors.
    pub fn agree(&self, path: &[&str], found: usize) -> Result<()> {
        match self.whole(path)? {
            Some(stated) if stated != found => {
                Err(self.wrong(path, EntryFault::Disagrees { stated, found }))
            }
            _ => Ok(()),
        }
    }

    /// Fails if the configuration's value at a path is true.
    pub fn refuse(&self, path: &[&str], variant: &Variant) -> Result<()> {
        match self.flag(path) {
            Some(true) => Err(self.wrong(path, EntryFault::Asks { variant: variant.clone() })),
            _ => Ok(()),
        }
    }

    /// Creates an error about the value at a path.
    pub fn wrong(&self, path: &[&str], fault: EntryFault) -> ModelError {
        let (path, origin) = (path.join(".").into(), self.origin.as_str().into());
        Misfit::Entry { path, origin, fault }.into()
    }

    /// Frames between spectra, from the user or from this path.
    pub fn hop(&self, path: &[&str], n_fft: usize) -> Result<Option<usize>> {
        let hop = self.stated.hop.or(self.whole(path)?);
        hop.map_or(Ok(()), |hop| check_hop(hop, n_fft))?;
        Ok(hop)
    }

    /// Length of a segment in frames, from the user or the configuration. A configuration for
    /// Ultimate Vocal Remover may only state the number of spectra, `inference.dim_t`.
    pub fn chunk(&self, hop: Option<usize>, n_fft: usize) -> Result<Option<usize>> {
        let mut chunk = self.stated.chunk;
        for path in [["inference", "chunk_size"], ["audio", "chunk_size"]] {
            chunk = chunk.or(self.whole(&path)?);
        }
        for path in [["inference", "dim_t"], ["audio", "dim_t"]] {
            let spectra = self.whole(&path)?.and_then(|spectra| spectra.checked_sub(1));
            chunk = chunk.or(spectra.zip(hop).map(|(spectra, hop)| spectra * hop));
        }
        chunk.map_or(Ok(()), |chunk| check_chunk(chunk, n_fft))?;
        Ok(chunk)
    }

    /// Arguments common to every kind except for names: rate, segment, overlap, normalisation.
    pub fn common(&self, chunk: usize) -> Result<Map<String, Value>> {
        let rate = self.whole(&["audio", "sample_rate"])?.unwrap_or(44_100);
        let path = ["inference", "num_overlap"];
        let passes = self.whole(&path)?.unwrap_or(USUAL_OVERLAP);
        if passes == 0 {
            return Err(self.wrong(&path, EntryFault::NoOverlap));
        }
        let overlap = (100 - (100.0 / passes as f64).round() as usize).min(MOST_OVERLAP.into());
        let normalize = self.flag(&["inference", "normalize"]).unwrap_or(false);
        let common = json!({
            "samplerate": rate, "segment_frames": chunk, "overlap": overlap, "normalize": normalize,
        });
        Ok(common.as_object().cloned().unwrap_or_default())
    }

    /// Names of the `count` outputs of a network, and of the rest, as `sources` and `rest`; `None`
    /// if they are not stated.
    ///
    /// The configuration's `training.target_instrument` names the only output of a network;
    /// otherwise `training.instruments` names all. The rest of a single output is the other of two
    /// instruments, or "instrumental" for vocals, or "rest". Several outputs have no rest.
    pub fn names(&self, count: usize) -> Result<Option<Names>> {
        let Some((sources, other)) = self.outputs(count)? else { return Ok(None) };
        let usual = || match sources.first().map(String::as_str) {
            Some("vocals") => "instrumental",
            _ => "rest",
        };
        let rest = match (&self.stated.rest, other) {
            (Some(stated), _) => Some(lower(stated)),
            (None, Some(other)) => Some(other),
            (None, None) if count == 1 => Some(usual().to_owned()),
            (None, None) => None,
        };
        let names = Names { sources, rest };
        names.check()?;
        Ok(Some(names))
    }

    /// Names of the outputs, and the name of the rest if the configuration has one.
    fn outputs(&self, count: usize) -> Result<Option<(Vec<String>, Option<String>)>> {
        let stems = &self.stated.stems;
        if !stems.is_empty() {
            return Ok(Some((stated_sources(stems, count)?, None)));
        }
        let path = ["training", "instruments"];
        let instruments = match self.value(&path).map(names) {
            None => Vec::new(),
            Some(Some(names)) => names,
            Some(None) => return Err(self.wrong(&path, EntryFault::NotNames)),
        };
        let target = self.text(&["training", "target_instrument"])?.map(|name| lower(&name));
        // PyYAML reads Python's `None` as a text.
        if let Some(target) = target.filter(|name| name != "none") {
            if count != 1 {
                let fault =
                    EntryFault::OneTarget { target: target.into(), stems: StemCount(count) };
                return Err(self.wrong(&["training", "target_instrument"], fault));
            }
            if !instruments.is_empty() && !instruments.contains(&target) {
                let known = instruments.iter().collect();
                let fault = EntryFault::NoInstrument { target: target.into(), known };
                return Err(self.wrong(&["training", "target_instrument"], fault));
            }
            let mut others = instruments.iter().filter(|name| **name != target);
            let other = match (instruments.len(), others.next(), others.next()) {
                (2, Some(other), None) => Some(other.clone()),
                _ => None,
            };
            return Ok(Some((vec![target], other)));
        }
        match instruments.len() {
            0 => Ok(None),
            names if names == count => Ok(Some((instruments, None))),
            names => {
                let fault = EntryFault::OtherCount { count: names, stems: StemCount(count) };
                Err(self.wrong(&path, fault))
            }
        }
    }
}

/// Names of a network's outputs and of the rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    /// Names of the network's own outputs, in order.
    pub sources: Vec<String>,
    /// Name of the rest, if offered as a stem.
    pub rest: Option<String>,
}

impl Names {
    fn check(&self) -> Result<()> {
        check_names(&self.sources.iter().chain(&self.rest).cloned().collect::<Vec<_>>())
    }
}

/// Checks the names that the user stated for the `count` outputs of a network.
fn stated_sources(stems: &[String], count: usize) -> Result<Vec<String>> {
    if count > MOST_STEMS || stems.len() != count {
        let names = stems.iter().collect();
        return Err(Misfit::StatedNames {
            stems: StemCount(count),
            stated: NameCount(stems.len()),
            names,
        }
        .into());
    }
    Ok(stems.iter().map(|name| lower(name)).collect())
}

/// Overrides the constructor arguments of a file by those stated by the user. The kind validates
/// the result when it reads the network's shape.
///
/// # Errors
/// [`ModelError::Header`] for an invalid name or a wrong number of names. Also for a network whose
/// class has no such arguments, such as HTDemucs.
pub fn restate(stated: &Stated, kwargs: &mut Map<String, Value>) -> Result<()> {
    if *stated == Stated::default() {
        return Ok(());
    }
    let whole = |kwargs: &Map<String, Value>, name: &str| {
        kwargs.get(name)?.as_u64().and_then(|value| usize::try_from(value).ok())
    };
    let hop_name =
        ["stft_hop_length", "hop_length"].into_iter().find(|name| kwargs.contains_key(*name));
    let sources = kwargs.get("sources").and_then(names);
    let (Some(chunk), Some(hop_name), Some(sources)) =
        (whole(kwargs, "segment_frames"), hop_name, sources)
    else {
        return Err(Misfit::TakesNoFacts.into());
    };
    let rest = kwargs.get("rest").and_then(Value::as_str).map(str::to_owned);
    let names = Names {
        sources: match stated.stems.as_slice() {
            [] => sources,
            stems => stated_sources(stems, sources.len())?,
        },
        rest: stated.rest.as_deref().map(lower).or(rest),
    };
    names.check()?;
    let hop = stated.hop.or(whole(kwargs, hop_name)).filter(|hop| *hop > 0);
    let hop = hop.ok_or(Misfit::NoHop)?;
    let chunk = stated.chunk.unwrap_or(chunk);
    if let Some(n_fft) = whole(kwargs, "stft_n_fft").or(whole(kwargs, "n_fft")) {
        check_hop(hop, n_fft)?;
        check_chunk(chunk, n_fft)?;
    }
    if kwargs.contains_key("dim_t") {
        kwargs.insert("dim_t".into(), (chunk / hop + 1).into());
    }
    kwargs.insert(hop_name.into(), hop.into());
    kwargs.insert("segment_frames".into(), chunk.into());
    kwargs.insert("sources".into(), names.sources.into());
    kwargs.insert("rest".into(), names.rest.into());
    Ok(())
}

/// Rejects a hop that does not fit the windows.
fn check_hop(hop: usize, n_fft: usize) -> Result<()> {
    if hop == 0 || hop > n_fft {
        return Err(Misfit::Hop { hop, window: n_fft }.into());
    }
    Ok(())
}

/// Rejects a segment shorter than a window or longer than six minutes.
fn check_chunk(chunk: usize, n_fft: usize) -> Result<()> {
    if chunk < n_fft || chunk > MOST_FRAMES {
        return Err(Misfit::Chunk { chunk, least: n_fft, most: MOST_FRAMES }.into());
    }
    Ok(())
}

/// Parses a list of names.
fn names(value: &Value) -> Option<Vec<String>> {
    value.as_array()?.iter().map(|name| plain(name).map(|name| lower(&name))).collect()
}

/// Converts a scalar to text.
fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(value) => Some(value.to_string()),
        _ => None,
    }
}

/// Converts a stem's name to lower case, so that `Vocals` and `vocals` of two models share a lane.
fn lower(name: &str) -> String {
    name.trim().to_lowercase()
}

/// Lists the missing ones of these facts.
pub fn missing(
    hop: (Option<usize>, &[usize]),
    chunk: (Option<usize>, &[usize]),
    names: (&Option<Names>, usize),
) -> Vec<MissingFact> {
    let mut missing = Vec::new();
    if hop.0.is_none() {
        missing.push(MissingFact::Hop { usual: hop.1.to_vec() });
    }
    if chunk.0.is_none() {
        missing.push(MissingFact::Chunk { usual: chunk.1.to_vec() });
    }
    if names.0.is_none() {
        missing.push(MissingFact::Stems { count: names.1 });
    }
    missing
}

/// Number of modules in a list: names with `prefix` must continue with 0, 1, …, without a gap.
pub fn modules(shapes: &Shapes, prefix: &str) -> Result<usize> {
    let mut indices = BTreeSet::new();
    let inside = shapes.range(prefix.to_owned()..).take_while(|(name, _)| name.starts_with(prefix));
    for (name, _) in inside {
        let rest = name.get(prefix.len()..).unwrap_or_default();
        let index = rest.split('.').next().and_then(|digits| digits.parse::<usize>().ok());
        indices.extend(index);
    }
    match indices.iter().enumerate().find(|(expected, index)| expected != *index) {
        Some((expected, _)) => {
            let prefix = format!("{prefix}{expected}").into();
            Err(Misfit::TensorsMissing { prefix }.into())
        }
        None => Ok(indices.len()),
    }
}

/// Shape of a tensor, which must have `N` non-zero dimensions.
pub fn shape<const N: usize>(shapes: &Shapes, name: &str) -> Result<[usize; N]> {
    let Some(shape) = shapes.get(name) else {
        return Err(Misfit::TensorMissing { name: name.into() }.into());
    };
    let of_dimensions = <[usize; N]>::try_from(shape.as_slice()).ok();
    of_dimensions.filter(|shape| !shape.contains(&0)).ok_or_else(|| {
        let (name, found) = (name.into(), shape.into());
        Misfit::TensorDimensions { name, found, dimensions: N }.into()
    })
}

/// A summary of a recognised network, for display.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// Common name of the kind of network.
    pub kind: &'static str,
    /// Features of a token, or channels of the first scale.
    pub width: usize,
    /// Number of layers, or scales.
    pub layers: usize,
    /// Number of frequency bands, if the network has any.
    pub bands: Option<usize>,
    /// Names of the network's own outputs.
    pub sources: Vec<String>,
    /// Name of the rest, if offered as a stem.
    pub rest: Option<String>,
    /// Length of a segment, in seconds.
    pub seconds: f64,
}

impl Summary {
    /// Summarises the metadata of a canonical weight file; `None` for a network that states its own
    /// construction.
    pub fn of(metadata: &HashMap<String, String>) -> Option<Self> {
        let kind = kind_of(metadata.get("klass")?)?.title?;
        let kwargs: Value = serde_json::from_str(metadata.get("kwargs")?).ok()?;
        let whole = |name: &str| kwargs.get(name)?.as_u64().map(|value| value as usize);
        let either = |a: &str, b: &str| whole(a).or_else(|| whole(b));
        let widths = kwargs.get("freqs_per_bands").and_then(Value::as_array).map(Vec::len);
        Some(Self {
            kind,
            width: either("dim", "num_channels")?,
            layers: either("depth", "num_scales")?,
            bands: whole("num_bands").or(widths),
            sources: names(kwargs.get("sources")?)?,
            rest: kwargs.get("rest").and_then(Value::as_str).map(str::to_owned),
            seconds: whole("segment_frames")? as f64 / whole("samplerate")?.max(1) as f64,
        })
    }
}
