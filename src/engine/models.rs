//! The installed model, as the engine needs it: where its weights are, and how it cuts a song.

use std::path::{Path, PathBuf};

use super::{
    EngineError, Result, memory,
    plan::{OVERLAP_PERCENT, Plan},
};
use crate::model::{self, Spec, weights};

/// The catalogue's name of the model that is used.
pub const DEFAULT: &str = "htdemucs";

/// A model whose weights are installed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstalledModel {
    /// Catalogue name.
    pub name: String,
    /// The weights.
    pub weights: PathBuf,
    /// Content digest of the weights: stems of other weights are other stems.
    pub digest: String,
    /// What goes in and comes out.
    pub spec: Spec,
}

impl InstalledModel {
    /// The model `name` in the data folder; `None` where it is not installed.
    ///
    /// # Errors
    /// [`crate::model::ModelError`] when its file is damaged.
    pub fn find(home: &Path, name: &str) -> model::Result<Option<Self>> {
        let weights = weights::Store::new(home).path(name);
        if !weights.exists() {
            return Ok(None);
        }
        let (spec, digest) = model::describe(&weights)?;
        Ok(Some(Self { name: name.to_owned(), weights, digest, spec }))
    }

    /// How a song of `frames` frames is cut.
    pub fn plan(&self, frames: u64) -> Plan {
        Plan::new(frames, self.spec.segment_frames)
    }

    /// Bytes of memory that Partita takes with it, at least: on one thread, with a window.
    pub fn least_memory(&self) -> u64 {
        memory::need(&self.spec, self.weight_bytes(), 1) + memory::WINDOW
    }

    /// Bytes of the weights' file.
    pub fn weight_bytes(&self) -> u64 {
        self.weights.metadata().map_or(0, |about| about.len())
    }

    /// Where a song's stems are: a folder for each set of options that change samples.
    pub fn stem_folder(&self, song_folder: &Path) -> PathBuf {
        let digest = self.digest.get(..16).unwrap_or(&self.digest);
        song_folder.join("stems").join(format!("{}-{digest}-o{OVERLAP_PERCENT}", self.name))
    }
}

/// The place of a stem among `sources`.
///
/// # Errors
/// [`EngineError::Unknown`] names those that there are.
pub fn stem_index(sources: &[String], name: &str) -> Result<usize> {
    sources.iter().position(|source| source == name).ok_or_else(|| {
        EngineError::Unknown(format!(
            "the model has no stem \"{name}\"; it has: {}",
            sources.join(", ")
        ))
    })
}
