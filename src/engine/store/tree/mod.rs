//! All stems of a song by one chain: a stem store for each step, and the tree of stems that is read from
//! them.
//!
//! A step's store exists once the step was requested. Stems are combined, and rests subtracted, when
//! they are read, so that only the networks' results take space. Any thread may read while another
//! writes.

mod combine;
mod queries;
mod reading;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

pub use self::reading::subtract;
use super::{MixStore, StemStore, WriteLock};
use crate::engine::{
    problem::Result,
    separation::{
        chain::{Chain, StepNeeds},
        options::Quality,
        plan::Plan,
    },
};

/// A segment of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct At {
    /// Index of the step in the chain.
    pub step: usize,
    /// Index of the segment in the step's plan.
    pub segment: usize,
}

/// Stems of one song by one chain.
#[derive(Debug)]
pub struct StemTree {
    chain: Arc<Chain>,
    names: Vec<String>,
    quality: Quality,
    mix: Arc<MixStore>,
    steps: Vec<StepStore>,
}

/// The store of a step.
#[derive(Debug)]
struct StepStore {
    folder: PathBuf,
    plan: Plan,
    /// Empty until the step is requested for the first time.
    store: OnceLock<StemStore>,
}

/// Exclusive right to write the segments of steps, also across processes.
#[derive(Debug)]
pub struct TreeLock(Vec<Option<WriteLock>>);

impl TreeLock {
    /// The lock of a step.
    pub fn of(&self, step: usize) -> Option<&WriteLock> {
        self.0.get(step).and_then(Option::as_ref)
    }
}

impl StemTree {
    /// Opens the stems of a song that exist. The store of a model alone is created if missing.
    ///
    /// # Errors
    /// Fails with the errors of [`StemStore::open_in_groups`].
    pub fn open(
        chain: Arc<Chain>,
        song_folder: &Path,
        mix: Arc<MixStore>,
        quality: Quality,
    ) -> Result<Self> {
        let quality = chain.fitted(quality);
        let steps = (0..chain.steps.len()).map(|step| StepStore {
            folder: chain.step_folder(song_folder, step, quality),
            plan: chain.plan(step, mix.frames(), quality),
            store: OnceLock::new(),
        });
        let (steps, names) = (steps.collect(), chain.stems());
        let tree = Self { chain, names, quality, mix, steps };
        for step in 0..tree.steps.len() {
            if tree.chain.is_model || tree.steps[step].folder.is_dir() {
                tree.create(step)?;
            }
        }
        Ok(tree)
    }

    /// The stems of a chain of one step, whose store is open already. The store may have another plan
    /// than the chain's.
    pub fn with_store(chain: Arc<Chain>, store: StemStore, mix: Arc<MixStore>) -> Self {
        let (names, quality) = (chain.stems(), chain.fitted(Quality::default()));
        let step = StepStore { folder: PathBuf::new(), plan: *store.plan(), store: store.into() };
        Self { chain, names, quality, mix, steps: vec![step] }
    }

    /// The stems of a store, as if one network had made them.
    #[cfg(test)]
    pub fn of_store(store: StemStore, mix: Arc<MixStore>) -> Self {
        use crate::{
            engine::separation::installed::{InstalledModel, InstalledNetwork},
            model::{Memory, Spec},
        };
        let sources = store.sources().to_vec();
        let network = InstalledNetwork {
            weights: PathBuf::new(),
            identity: String::new(),
            memory: Memory::default(),
            shares: vec![1.0; sources.len()],
        };
        let all: Vec<usize> = (0..sources.len()).collect();
        // The stems of a bag form groups of one.
        let networks = vec![network; store.groups_of(&all).len()];
        let rest = store.rest().map(|rest| store.names()[rest].clone());
        let spec = Spec { rest, ..Spec::triangle(sources, store.plan().segment_frames) };
        let model = InstalledModel { name: "test".into(), networks, digest: "test".into(), spec };
        Self::with_store(Arc::new(Chain::of_model(model)), store, mix)
    }

    /// The tree with another specification of its only network.
    #[cfg(test)]
    #[must_use]
    pub fn with_spec(mut self, spec: &crate::model::Spec) -> Self {
        let mut model = self.chain.steps[0].model.clone();
        model.spec = spec.clone();
        self.chain = Arc::new(Chain::of_model(model));
        self
    }

    /// Opens the store of a step; creates it if missing.
    fn create(&self, step: usize) -> Result<&StemStore> {
        let StepStore { folder, store, .. } = &self.steps[step];
        if let Some(store) = store.get() {
            return Ok(store);
        }
        let quality = self.chain.step_quality(step, self.quality);
        let model = &self.chain.steps[step].model;
        let opened = model.open_stems(folder, self.mix.frames(), quality)?;
        Ok(store.get_or_init(|| opened))
    }

    /// Requests the outputs of steps: they count from now on.
    ///
    /// # Errors
    /// Fails with the errors of [`StemStore::claim`].
    pub fn claim(&self, needs: &[StepNeeds]) -> Result<()> {
        for StepNeeds { step, outputs, .. } in needs {
            let model = &self.chain.steps[*step].model;
            self.create(*step)?.claim(&model.sources_of(outputs))?;
        }
        Ok(())
    }

    /// Takes the write locks of steps, which must have been requested.
    ///
    /// # Errors
    /// Fails with the errors of [`StemStore::lock`] and [`StemStore::reload`].
    pub fn lock(&self, needs: &[StepNeeds]) -> Result<TreeLock> {
        let mut locks: Vec<Option<WriteLock>> = self.steps.iter().map(|_| None).collect();
        for StepNeeds { step, .. } in needs {
            let store = self.create(*step)?;
            let lock = store.lock()?;
            store.reload(&lock)?;
            locks[*step] = Some(lock);
        }
        Ok(TreeLock(locks))
    }

    /// Checks that no other process writes the steps.
    ///
    /// # Errors
    /// Fails with the errors of [`StemStore::lock`].
    pub fn try_lock(&self, needs: &[StepNeeds]) -> Result<()> {
        for StepNeeds { step, .. } in needs {
            if let Some(store) = self.store(*step) {
                drop(store.lock()?);
            }
        }
        Ok(())
    }
}
