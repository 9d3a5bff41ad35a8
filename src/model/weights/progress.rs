//! Progress and cancellation of fetching and reading weights.

use std::fmt;

use super::error::{Fault, Result};
use crate::model::ModelError;

/// The current step. Its `Display` is for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing yet.
    Starting,
    /// Receiving a file from this host.
    Downloading(String),
    /// Fetching this package by the npm client, which reports no progress.
    Packing(String),
    /// Reading tensors from a file.
    Reading,
    /// Comparing the content with the catalogue.
    Checking,
    /// Writing the canonical file.
    Writing,
    /// An origin failed with this error; the next one is tried.
    NextOrigin(ModelError),
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Starting => f.write_str("Starting"),
            Self::Downloading(host) => write!(f, "Downloading from {host}"),
            Self::Packing(package) => write!(f, "Fetching {package} with npm"),
            Self::Reading => f.write_str("Reading"),
            Self::Checking => f.write_str("Checking"),
            Self::Writing => f.write_str("Writing"),
            Self::NextOrigin(error) => write!(f, "Trying the next source: {error}"),
        }
    }
}

/// Progress of a [`Step`], in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The current step.
    pub what: Step,
    /// Bytes so far.
    pub done: u64,
    /// Total bytes, where known.
    pub total: Option<u64>,
}

/// The caller's functions for progress and cancellation, passed to all long operations.
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
