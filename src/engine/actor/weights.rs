//! Models in the engine: listing, downloading, importing, verifying and removing them, with progress
//! events.

use std::{fs, path::PathBuf, sync::Arc, time::SystemTime};

use super::{Core, Message, model_files::ModelFiles};
use crate::{
    engine::{
        event::{Event, ModelEntry, ModelState, ModelTask},
        problem::{Activity, Problem, Result},
        separation::{
            chain::resolve::Chains,
            installed::{DEFAULT, InstalledModel},
            options::SeparationOptions,
        },
        system::{panics::caught, threads},
        types::{CancelToken, SongId},
    },
    model::{
        self,
        recognition::Summary,
        weights::{ImportOptions, Progress, Step, Store},
    },
};

/// A change of a model's weights, carried out on a separate thread.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::engine) enum Change {
    /// Download the model of this name.
    Install(String),
    /// Import a file.
    Import(PathBuf, ImportOptions),
    /// Check every byte of the model of this name.
    Verify(String),
}

/// A model that was imported from a file.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::engine) struct NewModel {
    name: String,
    summary: Option<Summary>,
}

impl NewModel {
    fn new(store: &Store, name: String) -> Self {
        let metadata = model::weights::read_metadata(&store.path(&name)).ok();
        Self { summary: metadata.and_then(|metadata| Summary::of(&metadata)), name }
    }
}

impl Change {
    fn name(&self) -> Option<String> {
        match self {
            Self::Install(name) | Self::Verify(name) => Some(name.clone()),
            Self::Import(..) => None,
        }
    }

    fn carry_out(
        &self,
        store: &Store,
        progress: &mut dyn FnMut(Progress),
        cancel: &dyn Fn() -> bool,
    ) -> model::Result<Option<NewModel>> {
        match self {
            Self::Install(name) => store.install(name, progress, cancel).map(|()| None),
            Self::Import(file, options) => {
                let model = store.import_with(file, options, progress, cancel)?;
                Ok(Some(NewModel::new(store, model.name)))
            }
            Self::Verify(name) => store.verify(name, progress, cancel).map(|()| None),
        }
    }
}

impl Core {
    /// Finds the installed models.
    pub(super) fn find_models(&mut self) {
        let home = self.library.home();
        // Before they are read, so that later changes are noticed.
        self.model_files = ModelFiles::of(home);
        self.models = InstalledModel::all(home);
        let Chains { all, faults } = Chains::of(home, &self.models);
        self.chains = all.into_iter().map(Arc::new).collect();
        for fault in faults {
            // `partita chain list` shows them.
            tracing::info!("{fault}");
        }
        // The oldest model, so that a later import does not replace the fallback.
        let installed_at = |model: &&InstalledModel| {
            let weights = model.networks.first().map(|network| &network.weights);
            let modified = weights.and_then(|path| fs::metadata(path).ok()?.modified().ok());
            modified.unwrap_or_else(SystemTime::now)
        };
        self.fallback = self.models.iter().min_by_key(installed_at).map(|model| model.name.clone());
        let defaults = InstalledModel::find(home, &self.defaults.options.model);
        let default = InstalledModel::find(home, DEFAULT);
        let fault = defaults.and(default).err();
        self.model_fault = fault.map(Problem::from);
    }

    /// Emits the list of models for the settings.
    pub(super) fn list_models(&self) {
        let store = Store::new(self.library.home());
        let installed = |name: &str| self.models.iter().find(|model| model.name == name);
        let entry = |model: model::weights::Model| ModelEntry {
            sources: installed(&model.name)
                .map_or_else(|| model.sources.clone(), InstalledModel::stems),
            bytes: model.bytes(),
            state: store.state(&model.name),
            networks: (store.networks_there(&model), model.networks.len()),
            name: model.name,
            title: model.title,
            terms: model.terms,
            is_own: model.is_own,
        };
        self.sink.send(Event::Models(store.models().into_iter().map(entry).collect()));
        self.list_chains();
    }

    /// Starts a change of weights.
    ///
    /// # Errors
    /// Another change is running, or the thread could not be started.
    pub(super) fn change_weights(&mut self, change: Change) -> Result<()> {
        if self.install.is_some() {
            return Err(Problem::ModelBusy);
        }
        let cancel = CancelToken::default();
        self.install = Some(cancel.clone());
        let (sink, outbox) = (self.sink.clone(), self.outbox.clone());
        let store = Store::new(self.library.home()).with_mirror(self.mirror.clone());
        // While no model is installed, the window's model card shows the progress.
        let is_first = self.models.is_empty();
        let name = change.name();
        let report = move |step: Step, fraction, must: bool| {
            let running = ModelTask::Running { step: step.clone(), fraction };
            let mut events = vec![Event::ModelTask(name.clone(), running)];
            if is_first {
                events.push(Event::Model(ModelState::Installing { step, fraction }));
            }
            for event in events {
                if must { sink.send(event) } else { sink.try_send(event) }
            }
        };
        report(Step::Starting, None, true);
        let work = move || {
            let mut progress = |progress: Progress| {
                let fraction =
                    progress.total.map(|total| progress.done as f32 / total.max(1) as f32);
                report(progress.what, fraction, false);
            };
            let is_cancelled = || cancel.is_cancelled();
            let result = caught(Activity::InstallingModel, || {
                change.carry_out(&store, &mut progress, &is_cancelled).map_err(Problem::from)
            });
            let result = match result {
                // Cancelled by the user: not a failure.
                Err(_) if is_cancelled() => Ok(None),
                other => other,
            };
            drop(outbox.send(Message::Weights(change, result)));
        };
        // Detached: the end of the program cancels it, but must not wait for a slow server.
        threads::start("weights", work)?.detach();
        Ok(())
    }

    /// Handles the end of a change of weights.
    pub(super) fn weights_changed(&mut self, change: &Change, result: Result<Option<NewModel>>) {
        let was_cancelled = self.install.take().is_some_and(|cancel| cancel.is_cancelled());
        let task = match &result {
            Err(problem) => ModelTask::Failed(problem.clone()),
            Ok(Some(NewModel { name, summary })) => {
                ModelTask::Imported { model: name.clone(), summary: summary.clone() }
            }
            Ok(None) if matches!(change, Change::Verify(_)) && !was_cancelled => {
                ModelTask::Verified
            }
            Ok(None) => ModelTask::Ended,
        };
        self.sink.send(Event::ModelTask(change.name(), task));
        match result {
            // The default model is unaffected; the window reports the error in the file.
            Err(_) if matches!(change, Change::Import(..)) => {
                self.sink.send(Event::Model(self.model_state()));
                self.list_models();
            }
            Err(problem) if self.models.is_empty() => {
                self.sink.send(Event::Model(ModelState::Failed(problem)));
                self.list_models();
            }
            Err(_) => self.list_models(),
            Ok(_) => self.show_models(),
        }
    }

    /// Removes a model's weights. Pauses the model's jobs first.
    pub(super) fn remove_model(&mut self, name: &str) -> Result<()> {
        for job in self.library.queue()?.iter().filter(|job| job.model == name) {
            self.pause_job(job.id)?;
        }
        Store::new(self.library.home()).remove(name)?;
        self.show_models();
        Ok(())
    }

    /// Emits a changed set of models, and everything that depends on it.
    pub(super) fn show_models(&mut self) {
        let previous = self.default_options();
        let used = self.songs_with_stems_of(&previous);
        self.find_models();
        self.keep_options(&used, &previous);
        self.show_pace();
        self.sink.send(Event::Model(self.model_state()));
        self.list_models();
        // Songs may have stems of a model that is new, and the open song then shows them.
        if let Err(e) = self.send_library().and_then(|()| self.reopen()) {
            self.fail(None, &e);
        }
    }

    /// The songs without chosen options that have stems of the default options.
    fn songs_with_stems_of(&self, default: &SeparationOptions) -> Vec<SongId> {
        let Some(chain) = self.chain(default) else { return Vec::new() };
        let has_stems =
            |hash: &str| chain.has_stems(&self.library.song_folder(hash), default.quality);
        let songs = self.library.songs().unwrap_or_default().into_iter();
        let used =
            songs.filter(|song| self.options_of(song.id) == *default && has_stems(&song.hash));
        used.map(|song| song.id).collect()
    }

    /// Chooses the previous default options for songs that have stems of them, if the default
    /// changed.
    fn keep_options(&mut self, songs: &[SongId], options: &SeparationOptions) {
        if self.default_options() == *options || self.chain(options).is_none() {
            return;
        }
        for song in songs {
            if let Err(e) = self.library.set_song_options(*song, Some(options)) {
                tracing::warn!("{e}");
            }
        }
    }
}
