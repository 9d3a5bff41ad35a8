//! Installed models: the locations of their weights, the stems of each network, and the division of
//! songs.

use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::{memory, options::Quality, plan::Plan};
use crate::{
    engine::{
        problem::{Problem, Result},
        store::StemStore,
    },
    model::{
        self, Device, Memory, ModelError, Precision, Spec,
        weights::{self, Model},
    },
    os::OsKind,
};

/// Catalogue name of the default model.
pub const DEFAULT: &str = "htdemucs";

/// A model whose weights are installed.
#[derive(Clone, Debug, PartialEq)]
pub struct InstalledModel {
    /// Catalogue name.
    pub name: String,
    /// Networks of the model; several only for a bag.
    pub networks: Vec<InstalledNetwork>,
    /// Digest of the weights; different weights mean different stems.
    pub digest: String,
    /// Input and output of the model.
    pub spec: Spec,
}

/// A network of an installed model.
#[derive(Clone, Debug, PartialEq)]
pub struct InstalledNetwork {
    /// Path of the weights.
    pub weights: PathBuf,
    /// Identity of the network's stems; see [`model::Description`].
    pub identity: String,
    /// Memory use of the network.
    pub memory: Memory,
    /// Share of the network in each stem, before division by the sum of all shares.
    pub shares: Vec<f32>,
}

impl InstalledModel {
    /// Finds the model `name` in the data folder; `None` if it is not installed.
    ///
    /// # Errors
    /// [`ModelError`] if a file is damaged or unreadable, or holds a network for other audio.
    pub fn find(home: &Path, name: &str) -> model::Result<Option<Self>> {
        let store = weights::Store::new(home);
        match store.find(name)? {
            Some(model) => Self::of(&store, &model),
            None => Ok(None),
        }
    }

    /// Error for work that needs the missing model `name`: the error of its file if there is one,
    /// else `otherwise`.
    pub fn why_missing(home: &Path, name: &str, otherwise: Problem) -> Problem {
        Self::find(home, name).err().map_or(otherwise, Problem::from)
    }

    /// Lists all installed and intact models, in the order of the catalogue.
    pub fn all(home: &Path) -> Vec<Self> {
        let store = weights::Store::new(home);
        let found = |model: Model| match Self::of(&store, &model) {
            Ok(found) => found,
            Err(error) => {
                tracing::warn!("{error}");
                None
            }
        };
        store.models().into_iter().filter_map(found).collect()
    }

    fn of(store: &weights::Store, model: &Model) -> model::Result<Option<Self>> {
        let mut networks = Vec::new();
        let (mut spec, mut digests) = (None, Vec::new());
        for (index, network) in model.networks.iter().enumerate() {
            let path = store.network_path(model, index);
            let description = match model::describe(&path) {
                Err(ModelError::Io { cause, .. }) if cause.kind == OsKind::NotFound => {
                    return Ok(None);
                }
                described => described?,
            };
            if *spec.get_or_insert_with(|| description.spec.clone()) != description.spec {
                let (model, remedy) = (model.name.clone(), model.remedy());
                return Err(ModelError::OtherShape { path, model, remedy });
            }
            let shares = network.weights.clone();
            let shares = shares.unwrap_or_else(|| vec![1.0; description.spec.sources.len()]);
            if shares.len() != description.spec.sources.len() {
                return Err(ModelError::OtherStems { path, remedy: model.remedy() });
            }
            digests.push((description.identity.clone(), shares.clone()));
            let (identity, memory) = (description.identity, description.memory);
            networks.push(InstalledNetwork { weights: path, identity, memory, shares });
        }
        // Without networks, the file of the model cannot be read.
        let Some(spec) = spec else { return store.find(&model.name).map(|_| None) };
        let (name, digest) = (model.name.clone(), digest_of(&digests));
        Ok(Some(Self { name, networks, digest, spec }))
    }

    /// Names of the stems: those that networks compute, then the rest if there is one.
    pub fn stems(&self) -> Vec<String> {
        self.spec.stems()
    }

    /// Divides a song of `frames` frames into segments.
    pub fn plan(&self, frames: u64, quality: Quality) -> Plan {
        Plan::of(frames, &self.spec, quality)
    }

    /// Sources that are computed together: all for a single network, each separately for a bag.
    pub fn groups(&self) -> Vec<Vec<usize>> {
        let stems = 0..self.spec.sources.len();
        if self.networks.len() == 1 {
            vec![stems.collect()]
        } else {
            stems.map(|stem| vec![stem]).collect()
        }
    }

    /// Sources needed for these stems; the rest needs all.
    pub fn sources_of(&self, stems: &[usize]) -> Vec<usize> {
        let sources = self.spec.sources.len();
        if stems.iter().any(|stem| *stem >= sources) {
            (0..sources).collect()
        } else {
            stems.to_vec()
        }
    }

    /// Networks with a share in any of these stems.
    pub fn networks_for(&self, stems: &[usize]) -> Vec<usize> {
        let sources = self.sources_of(stems);
        let has_share = |network: &usize| {
            sources
                .iter()
                .any(|stem| self.networks[*network].shares.get(*stem).is_some_and(|s| *s > 0.0))
        };
        (0..self.networks.len()).filter(has_share).collect()
    }

    /// Opens the stems of a song of `frames` frames in a folder; creates them if missing.
    ///
    /// # Errors
    /// Fails with the errors of [`StemStore::open_in_groups`].
    pub fn open_stems(&self, folder: &Path, frames: u64, quality: Quality) -> Result<StemStore> {
        let plan = self.plan(frames, quality);
        let names = (&self.spec.sources[..], self.spec.rest.as_deref());
        StemStore::open_in_groups(folder, plan, names, &self.groups())
    }

    /// Minimum memory use of Partita with this model in bytes: on one thread, with a window.
    pub fn least_memory(&self) -> u64 {
        memory::need(self.memory(), 1) + memory::WINDOW
    }

    /// Memory use of the largest network; only one network of a bag must fit at a time.
    pub fn memory(&self) -> Memory {
        let networks = self.networks.iter().map(|network| network.memory);
        networks.max_by_key(|memory| memory.weights + memory.work).unwrap_or_default()
    }

    /// Folder of a song's stems, one for each set of options that change samples.
    pub fn stem_folder(&self, song_folder: &Path, quality: Quality) -> PathBuf {
        let quality = quality.within(&self.spec).suffix();
        let name = format!("{}-{}-{quality}", self.name, self.short_digest());
        song_folder.join("stems").join(name)
    }

    /// First 16 digits of the weights' digest.
    pub fn short_digest(&self) -> &str {
        self.digest.get(..16).unwrap_or(&self.digest)
    }

    /// Name under which the pace of a quality is stored, for each precision and device. A draft may
    /// be computed in another precision than the one requested.
    pub fn pace_name(&self, quality: Quality, precision: Precision, device: Device) -> String {
        let name = match precision {
            _ if quality.is_draft => format!("{} draft", self.name),
            Precision::Single => self.name.clone(),
            Precision::Fast => format!("{} fast", self.name),
        };
        match device {
            Device::Cpu => name,
            device => format!("{name} {device}"),
        }
    }
}

/// Digest of the only network, or of all networks of a bag and their shares.
fn digest_of(networks: &[(String, Vec<f32>)]) -> String {
    if let [(digest, _)] = networks {
        return digest.clone();
    }
    let mut hash = Sha256::new();
    for (digest, shares) in networks {
        hash.update(digest.as_bytes());
        hash.update([0]);
        for share in shares {
            hash.update(share.to_le_bytes());
        }
    }
    crate::engine::system::digest::hex(&hash.finalize())
}

/// Index of a stem among `sources`. The spelling of checkpoints varies: without an exact match, the
/// comparison ignores case.
///
/// # Errors
/// [`Problem::UnknownStem`].
pub fn stem_index(sources: &[String], name: &str) -> Result<usize> {
    let same = sources.iter().position(|source| source == name);
    let alike = || sources.iter().position(|source| source.eq_ignore_ascii_case(name));
    same.or_else(alike)
        .ok_or_else(|| Problem::UnknownStem { stem: name.to_owned(), known: sources.to_vec() })
}
