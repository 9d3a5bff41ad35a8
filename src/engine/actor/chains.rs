//! Chains in the engine: listing, saving, importing and removing the user's. Runs on the engine's
//! thread; the files are small.

use std::path::Path;

use super::Core;
use crate::engine::{
    event::{ChainEntry, Event},
    problem::Result,
    separation::chain::{
        Chain,
        file::ChainFile,
        resolve::{self, Listed},
    },
};

impl Core {
    /// Emits the list of chains.
    pub(super) fn list_chains(&self) {
        let (listed, _) = resolve::listed(self.library.home());
        let entry = |Listed { name, file, path }: Listed| {
            let chain = resolve::resolve(&name, &file, &self.models).ok();
            let stems = chain.as_ref().map(Chain::stems).unwrap_or_default();
            let missing = chain.map(|chain| chain.missing).unwrap_or_default();
            ChainEntry { name, file, is_own: path.is_some(), stems, missing }
        };
        self.sink.send(Event::Chains(listed.into_iter().map(entry).collect()));
    }

    /// Saves a chain of the user.
    pub(super) fn save_chain(&mut self, name: &str, file: &ChainFile) -> Result<()> {
        resolve::save(self.library.home(), name, file)?;
        self.show_models();
        Ok(())
    }

    /// Copies a chain file to the user's chains.
    pub(super) fn import_chain(&mut self, path: &Path) -> Result<()> {
        resolve::import(self.library.home(), path)?;
        self.show_models();
        Ok(())
    }

    /// Removes a chain of the user. Pauses the chain's jobs first.
    pub(super) fn remove_chain(&mut self, name: &str) -> Result<()> {
        for job in self.library.queue()?.iter().filter(|job| job.model == name) {
            self.pause_job(job.id)?;
        }
        resolve::remove(self.library.home(), name)?;
        self.show_models();
        Ok(())
    }
}
