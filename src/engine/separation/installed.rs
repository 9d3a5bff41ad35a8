//! The installed models, as the engine needs them: where their weights are, which network makes which
//! stem, and how they cut a song.

use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::{memory, options::Quality, plan::Plan};
use crate::{
    engine::{
        problem::{Problem, Result},
        store::{MixStore, StemStore},
    },
    model::{
        self, Memory, ModelError, Precision, Spec,
        weights::{self, Model},
    },
    os::OsKind,
};

/// The catalogue's name of the model that is used unless another is chosen.
pub const DEFAULT: &str = "htdemucs";

/// A model whose weights are installed.
#[derive(Clone, Debug, PartialEq)]
pub struct InstalledModel {
    /// Catalogue name.
    pub name: String,
    /// Its networks; one, but for a bag.
    pub networks: Vec<InstalledNetwork>,
    /// Content digest of the weights: stems of other weights are other stems.
    pub digest: String,
    /// What goes in and comes out.
    pub spec: Spec,
}

/// A network of an installed model.
#[derive(Clone, Debug, PartialEq)]
pub struct InstalledNetwork {
    /// The weights.
    pub weights: PathBuf,
    /// What it takes of memory.
    pub memory: Memory,
    /// Its share in each stem, before it is divided by the sum of all networks' shares.
    pub shares: Vec<f32>,
}

impl InstalledModel {
    /// The model `name` in the data folder; `None` where it is not installed.
    ///
    /// # Errors
    /// [`ModelError`] when a file of it is damaged, cannot be read, or holds a network
    /// for other sound.
    pub fn find(home: &Path, name: &str) -> model::Result<Option<Self>> {
        let store = weights::Store::new(home);
        match store.find(name)? {
            Some(model) => Self::of(&store, &model),
            None => Ok(None),
        }
    }

    /// The error of work that needs the model `name`, which was not found: the fault of its file where
    /// there is one, else `otherwise`.
    pub fn why_missing(home: &Path, name: &str, otherwise: Problem) -> Problem {
        Self::find(home, name).err().map_or(otherwise, Problem::from)
    }

    /// Every model that is installed and whole, in the order in which they are listed.
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
            let its = match model::describe(&path) {
                Err(ModelError::Io { cause, .. }) if cause.kind == OsKind::NotFound => {
                    return Ok(None);
                }
                described => described?,
            };
            if *spec.get_or_insert_with(|| its.spec.clone()) != its.spec {
                let (model, remedy) = (model.name.clone(), model.remedy());
                return Err(ModelError::OtherShape { path, model, remedy });
            }
            let shares = network.weights.clone();
            let shares = shares.unwrap_or_else(|| vec![1.0; its.spec.sources.len()]);
            if shares.len() != its.spec.sources.len() {
                return Err(ModelError::OtherStems { path, remedy: model.remedy() });
            }
            digests.push((its.identity, shares.clone()));
            networks.push(InstalledNetwork { weights: path, memory: its.memory, shares });
        }
        // A model without networks is one whose file cannot be read.
        let Some(spec) = spec else { return store.find(&model.name).map(|_| None) };
        let (name, digest) = (model.name.clone(), digest_of(&digests));
        Ok(Some(Self { name, networks, digest, spec }))
    }

    /// The names of its stems: those that the networks make, then the rest where there is one.
    pub fn stems(&self) -> Vec<String> {
        self.spec.stems()
    }

    /// How a song of `frames` frames is cut.
    pub fn plan(&self, frames: u64, quality: Quality) -> Plan {
        Plan::of(frames, &self.spec, quality)
    }

    /// The sources that come together: all of them from one network, each for itself from a bag.
    pub fn groups(&self) -> Vec<Vec<usize>> {
        let stems = 0..self.spec.sources.len();
        if self.networks.len() == 1 {
            vec![stems.collect()]
        } else {
            stems.map(|stem| vec![stem]).collect()
        }
    }

    /// The sources that these stems are made from; the rest is made from all.
    pub fn sources_of(&self, stems: &[usize]) -> Vec<usize> {
        let sources = self.spec.sources.len();
        if stems.iter().any(|stem| *stem >= sources) {
            (0..sources).collect()
        } else {
            stems.to_vec()
        }
    }

    /// The networks that have a share in any of these stems.
    pub fn networks_for(&self, stems: &[usize]) -> Vec<usize> {
        let sources = self.sources_of(stems);
        let has_share = |network: &usize| {
            sources
                .iter()
                .any(|stem| self.networks[*network].shares.get(*stem).is_some_and(|s| *s > 0.0))
        };
        (0..self.networks.len()).filter(has_share).collect()
    }

    /// Opens, or makes, the stems of a song in a folder.
    ///
    /// # Errors
    /// Those of [`StemStore::open_in_groups`].
    pub fn open_stems(&self, folder: &Path, mix: &MixStore, quality: Quality) -> Result<StemStore> {
        let plan = self.plan(mix.frames(), quality);
        let names = (&self.spec.sources[..], self.spec.rest.as_deref());
        StemStore::open_in_groups(folder, plan, names, &self.groups())
    }

    /// Bytes of memory that Partita takes with it, at least: on one thread, with a window.
    pub fn least_memory(&self) -> u64 {
        memory::need(self.memory(), 1) + memory::WINDOW
    }

    /// What its largest network takes of memory: of a bag, one at a time must fit.
    pub fn memory(&self) -> Memory {
        let networks = self.networks.iter().map(|network| network.memory);
        networks.max_by_key(|memory| memory.weights + memory.work).unwrap_or_default()
    }

    /// Where a song's stems are: a folder for each set of options that change samples.
    pub fn stem_folder(&self, song_folder: &Path, quality: Quality) -> PathBuf {
        let quality = quality.within(&self.spec).suffix();
        let name = format!("{}-{}-{quality}", self.name, self.short_digest());
        song_folder.join("stems").join(name)
    }

    /// The first 16 digits of the digest of its weights.
    pub fn short_digest(&self) -> &str {
        self.digest.get(..16).unwrap_or(&self.digest)
    }

    /// The name under which the pace of a quality is kept; each precision has its own. A draft may be
    /// computed in another precision than it was asked for.
    pub fn pace_name(&self, quality: Quality, precision: Precision) -> String {
        match precision {
            _ if quality.is_draft => format!("{} draft", self.name),
            Precision::Single => self.name.clone(),
            Precision::Fast => format!("{} fast", self.name),
        }
    }
}

/// That of the only network, or of all of a bag and their shares.
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

/// The place of a stem among `sources`. Checkpoints write names in either case: where no name is the
/// same, one in another case is taken.
///
/// # Errors
/// [`Problem::UnknownStem`].
pub fn stem_index(sources: &[String], name: &str) -> Result<usize> {
    let same = sources.iter().position(|source| source == name);
    let alike = || sources.iter().position(|source| source.eq_ignore_ascii_case(name));
    same.or_else(alike)
        .ok_or_else(|| Problem::UnknownStem { stem: name.to_owned(), known: sources.to_vec() })
}
