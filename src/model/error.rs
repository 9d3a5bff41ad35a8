//! Errors of models and their weights, as data.
//!
//! The errors are cloneable and readable from JSON, because the engine's problems store them in
//! events and the library.

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::{
    CHANNELS, SAMPLE_RATE,
    device::name::Device,
    facts::MissingFact,
    findings::{Bytes, Channels, Malformed, Misfit, Printable},
};
use crate::os::{Os, OsKind, as_text};

/// An error of a model or of its weights.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModelError {
    /// The header of a weight file does not describe a network. [`Self::of_file`] adds the path.
    Header {
        /// The finding.
        misfit: Box<Misfit>,
    },
    /// The header of the weight file at `path` does not describe a network.
    Unusable {
        /// The weight file.
        #[serde(serialize_with = "as_text")]
        path: PathBuf,
        /// The finding.
        misfit: Box<Misfit>,
        /// How the weights are replaced.
        #[serde(default)]
        remedy: Remedy,
    },
    /// The file at `path` is invalid.
    File {
        /// The file.
        #[serde(serialize_with = "as_text")]
        path: PathBuf,
        /// The finding.
        fault: FileFault,
    },
    /// A publisher's address does not deliver the expected file.
    Origin {
        /// The address.
        origin: String,
        /// The finding.
        fault: FileFault,
    },
    /// No address delivered a model's weights.
    NotFetched {
        /// The model.
        model: String,
        /// The error of each address, in the order in which they were tried.
        tried: Vec<ModelError>,
    },
    /// No model has this name.
    Unknown {
        /// The name, safe to show.
        name: String,
        /// The names that exist.
        known: Vec<String>,
    },
    /// The weights of this model are not installed.
    NotInstalled {
        /// The model.
        model: String,
    },
    /// Another window or command is installing this model.
    Installing {
        /// The model.
        model: String,
    },
    /// The content of the weight file at `path` has another digest than when it was installed.
    Digest {
        /// The weight file.
        #[serde(serialize_with = "as_text")]
        path: PathBuf,
        /// The content's digest, in hexadecimal.
        found: String,
        /// The digest that the file's header states.
        noted: String,
        /// How the weights are replaced.
        #[serde(default)]
        remedy: Remedy,
    },
    /// A weight file was replaced by one with another network since the work began.
    Replaced {
        /// The weight file.
        #[serde(serialize_with = "as_text")]
        path: PathBuf,
    },
    /// A network of a bag differs from the bag's other networks in shape.
    OtherShape {
        /// The weight file.
        #[serde(serialize_with = "as_text")]
        path: PathBuf,
        /// The bag.
        model: String,
        /// How the weights are replaced.
        #[serde(default)]
        remedy: Remedy,
    },
    /// A network makes other stems than the catalogue states.
    OtherStems {
        /// The weight file.
        #[serde(serialize_with = "as_text")]
        path: PathBuf,
        /// How the weights are replaced.
        #[serde(default)]
        remedy: Remedy,
    },
    /// The network's input has another length than a segment.
    Segment {
        /// Values of the input.
        found: usize,
        /// Values of a segment.
        expected: usize,
    },
    /// An operation failed on the device that computes the network.
    Device {
        /// The library's text.
        cause: Printable,
    },
    /// This build or this machine lacks a device.
    NoDevice {
        /// The device.
        device: Device,
        /// Whether the build has it, and the machine lacks it.
        is_built: bool,
    },
    /// The network needs more memory than the limit.
    Memory {
        /// Bytes that are needed.
        needed: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// A file of the model folder could not be read or written.
    Io {
        /// The file.
        #[serde(serialize_with = "as_text")]
        path: PathBuf,
        /// The system's error.
        cause: Os,
    },
    /// A file of a model exists, but this user lacks the right to read it.
    Forbidden {
        /// The file.
        #[serde(serialize_with = "as_text")]
        path: PathBuf,
    },
    /// The network was trained on another sample rate or channel count than the engine supports.
    OtherSound {
        /// The weight file, if known.
        path: Option<String>,
        /// Samples per second.
        sample_rate: u32,
        /// Channels.
        channels: usize,
    },
    /// The checkpoint at `path` is of a kind of network that is supported, but neither it nor a
    /// configuration states everything that the network needs.
    FactsMissing {
        /// The checkpoint.
        #[serde(serialize_with = "as_text")]
        path: PathBuf,
        /// Class of the reference implementation.
        class_name: String,
        /// The missing facts, at least one.
        missing: Vec<MissingFact>,
    },
    /// The caller cancelled the work.
    Cancelled,
}

/// The remedy for damaged weights of an installed model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Remedy {
    /// Install the model of the catalogue again.
    #[default]
    Install,
    /// Import the file of the user's own model again.
    Import,
    /// Download the file again that is to be imported.
    Download,
}

impl fmt::Display for Remedy {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(match self {
            Self::Install => "install the model again",
            Self::Import => "import the file that the model came from again",
            Self::Download => "download the file again",
        })
    }
}

/// The reason why a file or an address does not contain a model. Its `Display` is a predicate, such
/// as "is cut off: …".
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileFault {
    /// The file ends too early.
    CutOff {
        /// The length of the file, if known.
        have: Option<Bytes>,
        /// The length that the whole file should have, if known.
        whole: Option<Bytes>,
        /// How the file is replaced.
        #[serde(default = "download")]
        remedy: Remedy,
    },
    /// The file has 0 bytes.
    Empty,
    /// The path leads to a folder.
    Folder,
    /// The path leads to a device or a pipe.
    NotAFile,
    /// The file is of no known kind.
    NotAModel {
        /// The first bytes of the file, safe to show.
        start: String,
    },
    /// The file does not describe its network.
    Undescribed,
    /// The server cannot be reached.
    Unreachable {
        /// The cause, in English.
        cause: String,
    },
    /// The server cannot be reached, for a reason that the system knows.
    NoConnection {
        /// The system's error.
        cause: Os,
    },
    /// The server's address was not found, usually because the network connection is missing.
    NoHost,
    /// The system does not permit reading the file.
    Unreadable {
        /// The system's error.
        cause: Os,
    },
    /// Any other finding of the readers of formats and of the download.
    Malformed(Box<Malformed>),
}

impl fmt::Display for FileFault {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CutOff { have: None, remedy, .. } => write!(to, "is cut off; {remedy}"),
            Self::CutOff { have: Some(have), whole: Some(whole), remedy } => {
                write!(to, "is cut off: {have} of {whole}; {remedy}")
            }
            Self::CutOff { have: Some(have), whole: None, remedy } => {
                write!(to, "is cut off: it ends after {have}; {remedy}")
            }
            Self::Empty => to.write_str("is empty; download the file again"),
            Self::Folder => to.write_str("is a folder, not a file"),
            Self::NotAFile => to.write_str("is not a file, but a device or a pipe"),
            Self::NotAModel { start } => write!(to, "is not a model file: it begins with {start}"),
            Self::Undescribed => to.write_str("does not say how its network is built"),
            Self::Unreachable { cause } => write!(to, "cannot be reached: {cause}"),
            Self::NoConnection { cause } => write!(to, "cannot be reached: {cause}"),
            Self::NoHost => to.write_str(
                "cannot be reached: its address was not found; check the network connection",
            ),
            Self::Unreadable { cause } => write!(to, "cannot be read: {cause}"),
            Self::Malformed(fault) => fault.fmt(to),
        }
    }
}

impl std::error::Error for ModelError {}

impl fmt::Display for ModelError {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header { misfit } => misfit.fmt(to),
            Self::Unusable { path, misfit, remedy } => {
                write!(to, "could not use the model file {}: {misfit}; {remedy}", path.display())
            }
            Self::File { path, fault } => write!(to, "{} {fault}", path.display()),
            Self::Origin { origin, fault } => write!(to, "{origin} {fault}"),
            Self::NotFetched { model, tried } => {
                let tried: Vec<String> = tried.iter().map(Self::to_string).collect();
                write!(
                    to,
                    "could not install {model}; tried: {}; download one of these files elsewhere \
                     and import it",
                    tried.join("; ")
                )
            }
            Self::Unknown { name, known } => {
                write!(to, "unknown model {name}; expected one of: {}", known.join(", "))
            }
            Self::NotInstalled { model } => write!(to, "{model} is not installed"),
            Self::Installing { model } => {
                write!(to, "{model} is already being installed by another window or command")
            }
            Self::Digest { path, found, noted, remedy } => write!(
                to,
                "{} is damaged: the digest of its content is {found}, not {noted}; {remedy}",
                path.display()
            ),
            Self::Replaced { path } => write!(
                to,
                "{} was replaced by another network; start the work again",
                path.display()
            ),
            Self::OtherShape { path, model, remedy } => write!(
                to,
                "{} does not fit the other networks of {model}; {remedy}",
                path.display()
            ),
            Self::OtherStems { path, remedy } => write!(
                to,
                "{} makes other stems than the catalogue states; {remedy}",
                path.display()
            ),
            Self::Device { cause } => write!(to, "could not compute the network: {cause}"),
            Self::NoDevice { device, is_built } => no_device(to, *device, *is_built),
            Self::Memory { needed, limit } => write!(
                to,
                "the network needs {} MB of memory; the limit is {} MB",
                needed.div_ceil(1 << 20),
                limit.div_ceil(1 << 20)
            ),
            Self::Segment { found, expected } => write!(
                to,
                "could not run the network: a segment has {found} values instead of {expected}"
            ),
            Self::Io { path, cause } if path.as_os_str().is_empty() => write!(to, "{cause}"),
            Self::Io { path, cause } => write!(to, "{}: {cause}", path.display()),
            Self::Forbidden { path } => write!(
                to,
                "{} may not be read by this user; change its permissions or its owner",
                path.display()
            ),
            Self::OtherSound { path, sample_rate, channels } => {
                other_sound(to, path.as_deref(), *sample_rate, *channels)
            }
            Self::FactsMissing { path, missing, .. } => {
                let flags: Vec<String> = missing.iter().map(MissingFact::flag).collect();
                write!(
                    to,
                    "{} does not state everything about its network; put its publisher's YAML beside \
                     it, name that with --config, or state what is missing, for example {}",
                    path.display(),
                    flags.join(" ")
                )
            }
            Self::Cancelled => to.write_str("cancelled"),
        }
    }
}

fn no_device(to: &mut fmt::Formatter<'_>, device: Device, is_built: bool) -> fmt::Result {
    match device {
        _ if is_built => {
            write!(to, "this computer has no device {device}; `partita doctor` lists its devices")
        }
        Device::Metal(_) => {
            to.write_str("only Partita for macOS computes on metal; choose another device")
        }
        _ => write!(
            to,
            "this build of Partita does not compute on {device}; use one that was built with \
             the feature `cuda`, or choose another device"
        ),
    }
}

fn other_sound(
    to: &mut fmt::Formatter<'_>,
    path: Option<&str>,
    sample_rate: u32,
    channels: usize,
) -> fmt::Result {
    if let Some(path) = path {
        write!(to, "could not use the model file {path}: ")?;
    }
    write!(
        to,
        "the network was trained at {sample_rate} Hz, {}; only {SAMPLE_RATE} Hz {} networks are \
         supported yet",
        Channels(channels),
        Channels(CHANNELS)
    )
}

impl ModelError {
    /// The error of a file that could not be read or written.
    pub(super) fn io(path: &Path, error: impl Into<Os>) -> Self {
        Self::Io { path: path.to_owned(), cause: error.into() }
    }

    /// The error of a model's file that could not be read.
    pub(crate) fn reading(path: &Path, error: impl Into<Os>) -> Self {
        let cause = error.into();
        match cause.kind {
            OsKind::Denied => Self::Forbidden { path: path.to_owned() },
            _ => Self::Io { path: path.to_owned(), cause },
        }
    }

    /// An error of an installed model's file, with the remedy for that model.
    pub(super) fn remedied(self, remedy: Remedy) -> Self {
        match self {
            Self::Unusable { path, misfit, .. } => Self::Unusable { path, misfit, remedy },
            Self::File { path, fault } => Self::File { path, fault: fault.remedied(remedy) },
            other => other,
        }
    }

    /// An error that names the file.
    pub(super) fn of_file(self, path: &Path) -> Self {
        match self {
            Self::Header { misfit } => {
                let remedy = Remedy::default();
                Self::Unusable { path: path.to_owned(), misfit, remedy }
            }
            Self::Io { cause, .. } => Self::reading(path, cause),
            Self::File { path: unnamed, fault } if unnamed.as_os_str().is_empty() => {
                Self::File { path: path.to_owned(), fault }
            }
            Self::OtherSound { sample_rate, channels, .. } => {
                let path = Some(path.to_string_lossy().into_owned());
                Self::OtherSound { path, sample_rate, channels }
            }
            other => other,
        }
    }
}

impl From<Misfit> for ModelError {
    fn from(misfit: Misfit) -> Self {
        Self::Header { misfit: Box::new(misfit) }
    }
}

impl FileFault {
    /// The fault of an installed model's file, with the remedy for that model.
    #[must_use]
    pub(super) fn remedied(self, remedy: Remedy) -> Self {
        match self {
            Self::CutOff { have, whole, .. } => Self::CutOff { have, whole, remedy },
            Self::Empty => Self::CutOff { have: Some(Bytes(0)), whole: None, remedy },
            other => other,
        }
    }
}

/// The remedy for files before they are installed, and in data of earlier versions.
fn download() -> Remedy {
    Remedy::Download
}

/// An error of a file that is not named yet.
impl From<io::Error> for ModelError {
    fn from(error: io::Error) -> Self {
        Self::io(Path::new(""), error)
    }
}
