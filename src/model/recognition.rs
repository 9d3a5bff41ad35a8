//! Recognition of networks whose file does not state how they are built: what is known of such a
//! file, and what recognition finds.
//!
//! Shapes come from the file; facts from a YAML file beside it, as Music-Source-Separation-Training
//! writes them, or from the user, who has the last word. Knows no files, and no kind of network:
//! each [`super::Kind`] recognises its own. Pure data; any thread.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::{Map, Value, json};

pub use super::facts::{MissingFact, Stated};
use super::{
    MOST_OVERLAP, MOST_STEMS, ModelError, Result, check_names,
    findings::{EntryFault, Misfit, NameCount, Printable, StemCount, Variant},
    kind_of,
};

/// The shape of every tensor of a file, by its PyTorch name without prefixes such as `module.`.
pub type Shapes = BTreeMap<String, Vec<usize>>;

/// Longest segment, in frames: six minutes at 44.1 kHz.
const MOST_FRAMES: usize = 1 << 24;

/// The largest whole number of a configuration: 2³².
const MOST_WHOLE: u64 = 1 << 32;

/// The default overlap of Music-Source-Separation-Training's configurations: `num_overlap` 2.
const USUAL_OVERLAP: usize = 2;

/// The facts about a network that its tensors do not show.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// Name of the file that `config` comes from, for messages.
    pub origin: String,
    /// A configuration file's sections: `audio`, `model`, `training`, `inference`. `Null` without one.
    pub config: Value,
    /// The user's statements, which override `config`.
    pub stated: Stated,
}

/// The result of a recognition.
#[derive(Clone, Debug, PartialEq)]
pub enum Recognised {
    /// Every constructor argument.
    Complete(Map<String, Value>),
    /// The facts that neither shapes nor [`Facts`] give.
    Missing(Vec<MissingFact>),
}

impl Facts {
    /// The value at a path such as `["model", "dim"]`; `None` where absent or null.
    pub fn value(&self, path: &[&str]) -> Option<&Value> {
        path.iter()
            .try_fold(&self.config, |value, key| value.get(*key))
            .filter(|value| !value.is_null())
    }

    /// The finite number at a path; texts such as `1e-5` count.
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

    /// The whole number at a path, up to 2³².
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

    /// Whether the value at a path is true, as Python has it; texts such as `yes` and `off` count.
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

    /// The list of whole numbers at a path.
    pub fn wholes(&self, path: &[&str]) -> Result<Option<Vec<usize>>> {
        let Some(value) = self.value(path) else { return Ok(None) };
        let whole = |item: &Value| item.as_u64().and_then(|whole| usize::try_from(whole).ok());
        let list = value.as_array().and_then(|items| items.iter().map(whole).collect());
        match list {
            Some(list) => Ok(Some(list)),
            None => Err(self.wrong(path, EntryFault::NotWholes)),
        }
    }

    /// The text at a path; numbers and truth values are written out.
    pub fn text(&self, path: &[&str]) -> Result<Option<String>> {
        match self.value(path) {
            None => Ok(None),
            Some(value) => match plain(value) {
                Some(text) => Ok(Some(text)),
                None => Err(self.wrong(path, EntryFault::NotAName)),
            },
        }
    }

    /// Fails when the configuration states something else than the tensors say.
    pub fn agree(&self, path: &[&str], found: usize) -> Result<()> {
        match self.whole(path)? {
            Some(stated) if stated != found => {
                Err(self.wrong(path, EntryFault::Disagrees { stated, found }))
            }
            _ => Ok(()),
        }
    }

    /// Fails when the configuration's value at a path is true.
    pub fn refuse(&self, path: &[&str], variant: &Variant) -> Result<()> {
        match self.flag(path) {
            Some(true) => Err(self.wrong(path, EntryFault::Asks { variant: variant.clone() })),
            _ => Ok(()),
        }
    }

    /// An error about the value at a path.
    pub fn wrong(&self, path: &[&str], fault: EntryFault) -> ModelError {
        let (path, origin) = (path.join(".").into(), self.origin.as_str().into());
        Misfit::Entry { path, origin, fault }.into()
    }

    /// Frames from one spectrum to the next, from the user or from this path.
    pub fn hop(&self, path: &[&str], n_fft: usize) -> Result<Option<usize>> {
        let hop = self.stated.hop.or(self.whole(path)?);
        hop.map_or(Ok(()), |hop| check_hop(hop, n_fft))?;
        Ok(hop)
    }

    /// Frames of a segment, from the user or the configuration. One for Ultimate Vocal Remover may
    /// only state the number of spectra, `inference.dim_t`.
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

    /// The arguments that every kind has, but for names: rate, segment, overlap, normalisation.
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
    /// where they are not stated.
    ///
    /// The configuration's `training.target_instrument` is the name of a network's only output;
    /// `training.instruments` otherwise names all. A single output's rest is the other one of two
    /// instruments, or "instrumental" beside vocals, or "rest". Several outputs have no rest.
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

    /// Names of the outputs, and the name of the rest where the configuration has one.
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

/// Names of a network's outputs, and of the mix less all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    /// The network's own outputs, in its order.
    pub sources: Vec<String>,
    /// The rest, where it is offered as a stem.
    pub rest: Option<String>,
}

impl Names {
    fn check(&self) -> Result<()> {
        check_names(&self.sources.iter().chain(&self.rest).cloned().collect::<Vec<_>>())
    }
}

/// The names that the user stated for the `count` outputs of a network.
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

/// Lets what the user stated override the constructor arguments that a file states itself. The kind
/// checks the result when it reads the network's shape.
///
/// # Errors
/// [`ModelError::Header`] for a network whose class has no such arguments, as HTDemucs, for names that
/// cannot be used, and for another number of names than the network has outputs.
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

/// Fails for a hop that does not fit the windows.
fn check_hop(hop: usize, n_fft: usize) -> Result<()> {
    if hop == 0 || hop > n_fft {
        return Err(Misfit::Hop { hop, window: n_fft }.into());
    }
    Ok(())
}

/// Fails for a segment shorter than a window, or longer than six minutes.
fn check_chunk(chunk: usize, n_fft: usize) -> Result<()> {
    if chunk < n_fft || chunk > MOST_FRAMES {
        return Err(Misfit::Chunk { chunk, least: n_fft, most: MOST_FRAMES }.into());
    }
    Ok(())
}

/// A list of names.
fn names(value: &Value) -> Option<Vec<String>> {
    value.as_array()?.iter().map(|name| plain(name).map(|name| lower(&name))).collect()
}

/// A scalar as text.
fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(value) => Some(value.to_string()),
        _ => None,
    }
}

/// A stem's name in lower case, so that `Vocals` of one model and `vocals` of another are one lane.
fn lower(name: &str) -> String {
    name.trim().to_lowercase()
}

/// The facts of these that are missing.
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

/// Number of modules in a list: names that begin with `prefix` go on with 0, 1, …, without a gap.
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

/// The shape of a tensor that has `N` dimensions, none of which is 0.
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

/// A recognised network, summarised for people.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// The usual name of the kind of network.
    pub kind: &'static str,
    /// Features of a token, or channels of the first scale.
    pub width: usize,
    /// Layers, or scales.
    pub layers: usize,
    /// Bands of the spectrum, where the network has some.
    pub bands: Option<usize>,
    /// Names of the network's own outputs.
    pub sources: Vec<String>,
    /// Name of the rest, where it is a stem.
    pub rest: Option<String>,
    /// Length of a segment, in seconds.
    pub seconds: f64,
}

impl Summary {
    /// Summarises the metadata of a canonical weight file; `None` for a network that states itself how
    /// it is built.
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
