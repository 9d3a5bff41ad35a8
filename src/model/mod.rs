//! Separation models: networks, their weights, and the separation of a segment.
//!
//! Handles tensors, and reads no files except weights. Starts no threads: work runs on the rayon pool
//! of the caller.

use std::{collections::HashMap, fs::File, io::Seek as _, path::Path};

use sha2::{Digest as _, Sha256};

pub mod arena;
mod candle;
pub mod device;
mod error;
mod facts;
pub mod findings;
pub mod htdemucs;
pub mod kernels;
pub mod mdx23c;
pub mod rate;
pub mod recognition;
pub mod roformer;
#[cfg(test)]
pub(crate) mod seam_tests;
pub mod selftest;
mod spec;
pub mod stft;
pub mod tensors;
pub mod usage;
pub mod weights;

pub use device::Device;
pub use error::{FileFault, ModelError, Remedy};
use findings::Misfit;
use recognition::{Facts, Recognised, Shapes};
use spec::MOST_STEMS;
pub use spec::{Effort, Joint, Level, MOST_OVERLAP, Overlap, Spec, check_names};
pub use weights::shared::share_in as share_weights_in;

/// Sample rate of the networks' input, in Hz.
pub const SAMPLE_RATE: u32 = 44_100;

/// Number of channels of the networks' input.
pub const CHANNELS: usize = 2;

/// Result of this module.
pub type Result<T, E = ModelError> = std::result::Result<T, E>;

/// The precision of a network's products.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    /// Single precision (f32) throughout. On CPUs with AMX, the transformer's factors are split into
    /// two bf16 each, which together hold 16 bits of a value's 24. Three products of bf16 replace
    /// one, and are summed in single precision ([`kernels::amx`]).
    #[default]
    Single,
    /// The transformer's factors rounded to bf16, summed in single precision; everything else as in
    /// [`Self::Single`]. For CPUs that multiply bf16 ([`kernels::cpu::has_bf16`]); slower on
    /// others.
    Fast,
}

impl Precision {
    /// The name on the command line, in settings and in durable keys.
    pub fn id(self) -> &'static str {
        match self {
            Self::Single => "single",
            Self::Fast => "fast",
        }
    }
}

/// Returns whether to end the current computation. Called regularly; once true, it stays true.
pub type Stop<'a> = &'a (dyn Fn() -> bool + Sync);

/// A network that separates one segment; every kind of network implements it.
pub trait Separator: Send + Sync {
    /// The network's shape.
    fn spec(&self) -> &Spec;

    /// Separates one segment of a mix. If the network requires it ([`Level`]), the mix was normalised
    /// over its whole track.
    ///
    /// `mix` is planar, `[channels, segment_frames]`. The result is planar,
    /// `[sources, channels, segment_frames]`, with the track's normalisation still applied.
    ///
    /// # Errors
    /// [`ModelError::Segment`] when `mix` has another length, [`ModelError::Device`] when an operation
    /// fails.
    fn separate(&self, mix: &[f32]) -> Result<Vec<f32>> {
        self.separate_unless(mix, &|| false)
    }

    /// Like [`Self::separate`], but calls `stop` about ten times.
    ///
    /// # Errors
    /// Also [`ModelError::Cancelled`] when `stop` returned true.
    fn separate_unless(&self, mix: &[f32], stop: Stop<'_>) -> Result<Vec<f32>>;
}

/// A kind of network: the functions for all networks of one class. A new kind needs this and a
/// [`Separator`]; `weights/README.md` describes how.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// Name of the reference's class, as weight files give it.
    pub class_name: &'static str,
    /// The common name of a kind whose networks are recognised by their tensors.
    pub title: Option<&'static str>,
    /// Reads a network's shape and memory use from the header of its weight file. Fails if the
    /// tensors do not fit the kind. Errors do not name the file.
    pub describe: fn(File) -> Result<(Spec, Memory)>,
    /// Loads the network of a weight file on the kernels.
    pub kernels: fn(&Path, Precision) -> Result<Box<dyn Separator>>,
    /// Loads the network of a weight file in candle's operations, on any device.
    pub candle: fn(&Path, &candle_core::Device) -> Result<Box<dyn Separator>>,
    /// Recognises a network whose file does not describe it; `None` if the tensors are of another
    /// kind. Errors do not name the file.
    pub recognise: fn(&Shapes, &Facts) -> Option<Result<Recognised>>,
}

impl Kind {
    /// Loads the network of a weight file on a device.
    ///
    /// # Errors
    /// The errors of [`load`], without the remedy.
    pub fn load(
        &self,
        path: &Path,
        device: Device,
        precision: Precision,
    ) -> Result<Box<dyn Separator>> {
        match device {
            Device::Cpu => (self.kernels)(path, precision),
            device => {
                let network = (self.candle)(path, &device.open()?)?;
                Ok(Box::new(candle::InPrecision::new(network, precision)))
            }
        }
    }
}

/// A network's memory use, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// The packed weights.
    pub weights: u64,
    /// The peak while separating a segment. It is freed afterwards, so that of several networks that
    /// run in turn only the largest counts.
    pub work: u64,
    /// The additional need of each thread.
    pub per_thread: u64,
    /// The reduction of the weights in fast precision.
    pub fast_saving: u64,
}

impl Memory {
    /// The memory use in a precision.
    #[must_use]
    pub fn in_precision(self, precision: Precision) -> Self {
        match precision {
            Precision::Single => self,
            Precision::Fast => {
                Self { weights: self.weights.saturating_sub(self.fast_saving), ..self }
            }
        }
    }
}

/// Every kind of network.
pub const KINDS: &[Kind] = &[
    htdemucs::KIND,
    roformer::KIND_MEL,
    roformer::KIND_BS,
    mdx23c::KIND,
    #[cfg(test)]
    seam_tests::KIND,
];

/// The kind of network with this class name; the module before the name is ignored.
pub fn kind_of(class_name: &str) -> Option<&'static Kind> {
    let name = class_name.rsplit('.').next().unwrap_or(class_name);
    KINDS.iter().find(|kind| kind.class_name == name)
}

/// The kind of the network in a weight file with this metadata. Files without a class are HTDemucs.
fn kind_in(metadata: &HashMap<String, String>) -> Result<&'static Kind> {
    let Some(class_name) = metadata.get("klass") else { return Ok(&htdemucs::KIND) };
    kind_of(class_name).ok_or_else(|| Misfit::Class { class: class_name.into() }.into())
}

/// Loads the network in a canonical weight file. Only the kernels ([`Device::Cpu`]) have a fast
/// precision; other devices always compute in single precision.
///
/// # Errors
/// [`ModelError::Unusable`] if the file is not a canonical weight file, [`ModelError::OtherSound`];
/// [`ModelError::Forbidden`] and [`ModelError::Io`] if it cannot be read; [`ModelError::NoDevice`]
/// and [`ModelError::Device`].
pub fn load(path: &Path, device: Device, precision: Precision) -> Result<Box<dyn Separator>> {
    let load = || {
        let kind = kind_in(&weights::read_metadata(path)?)?;
        let network = kind.load(path, device, precision)?;
        network.spec().check()?;
        Ok(network)
    };
    load().map_err(|error: ModelError| error.of_file(path).remedied(remedy(path)))
}

/// Checks that the weight file at `path` has the content that was installed. Reads the file once for each
/// version of it; see [`weights`].
///
/// # Errors
/// [`ModelError::Digest`]. Files that cannot be read pass: [`load`] fails with the reason.
pub fn check_intact(path: &Path) -> Result<()> {
    weights::intact::check(path, remedy(path))
}

/// The remedy for a damaged weight file, by its name: the catalogue has a name for each of its files.
fn remedy(path: &Path) -> Remedy {
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    if weights::Catalog::builtin().has_file(&name) { Remedy::Install } else { Remedy::Import }
}

/// Escapes the control characters of a text that may come from a file, so that no control sequence
/// reaches a terminal.
pub(crate) fn on_one_line(message: &str) -> String {
    let mut line = String::with_capacity(message.len());
    for character in message.chars() {
        match character {
            control if control.is_control() => line.extend(control.escape_default()),
            other => line.push(other),
        }
    }
    line
}

/// The contents of a weight file's header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// The network's shape.
    pub spec: Spec,
    /// Digest of the weights; empty if the file has none.
    pub digest: String,
    /// Identity of the network's stems. It is a digest of the weights and, except for HTDemucs, of
    /// the constructor arguments: those of other kinds may not follow from the weights.
    pub identity: String,
    /// Memory use.
    pub memory: Memory,
}

/// Reads a weight file's shape and content digest from its header alone.
///
/// # Errors
/// [`ModelError::Unusable`] if the file is not a canonical weight file, [`ModelError::OtherSound`];
/// [`ModelError::Forbidden`] and [`ModelError::Io`] if it cannot be read.
pub fn describe(path: &Path) -> Result<Description> {
    describe_file(&File::open(path).map_err(|source| ModelError::reading(path, source))?)
        .map_err(|error| error.of_file(path).remedied(remedy(path)))
}

/// [`describe`] for an open file; errors do not name it.
fn describe_file(file: &File) -> Result<Description> {
    let header = weights::read_texts(file)?;
    let kind = kind_in(&header)?;
    let mut file = file.try_clone()?;
    file.rewind()?;
    let (spec, memory) = (kind.describe)(file)?;
    spec.check()?;
    let digest = header.get("digest").cloned().unwrap_or_default();
    let identity = if kind.class_name == htdemucs::KIND.class_name {
        digest.clone()
    } else {
        let kwargs = header.get("kwargs").map_or("", String::as_str);
        weights::hex(&Sha256::digest(format!("{}\0{digest}\0{kwargs}", kind.class_name)))
    };
    Ok(Description { spec, digest, identity, memory })
}
