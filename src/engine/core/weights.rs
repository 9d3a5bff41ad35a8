//! The model in the engine: finding it, fetching it, and telling how that goes.

use std::path::PathBuf;

use super::{
    super::{
        CancelToken, EngineError, Event, ModelState, Result,
        mishap::caught,
        models::{DEFAULT, InstalledModel},
    },
    Core, Message,
};
use crate::model::weights::{Progress, Store};

impl Core {
    /// Looks for the installed model.
    pub(super) fn find_model(&mut self) {
        (self.model, self.model_fault) = match InstalledModel::find(self.library.home(), DEFAULT) {
            Ok(model) => (model, None),
            Err(e) => (None, Some(EngineError::from(e).in_words())),
        };
    }

    /// Fetches the weights, or takes them from a file.
    pub(super) fn install_weights(&mut self, file: Option<PathBuf>) -> Result<()> {
        if self.install.is_some() {
            return Err(EngineError::Busy("the model is being installed already".into()));
        }
        let cancel = CancelToken::default();
        self.install = Some(cancel.clone());
        let (sink, outbox, home) =
            (self.sink.clone(), self.outbox.clone(), self.library.home().to_owned());
        sink.send(Event::Model(ModelState::Installing { what: "Starting".into(), fraction: None }));
        let work = move || {
            let mut progress = |progress: Progress| {
                let fraction =
                    progress.total.map(|total| progress.done as f32 / total.max(1) as f32);
                let what = progress.what.to_string();
                sink.try_send(Event::Model(ModelState::Installing { what, fraction }));
            };
            let store = Store::new(&home);
            let is_cancelled = || cancel.is_cancelled();
            let result = caught("installing the model", || {
                match &file {
                    Some(file) => store.import(file, &mut progress, &is_cancelled).map(drop),
                    None => store.install(DEFAULT, &mut progress, &is_cancelled),
                }
                .map_err(EngineError::from)
            });
            let result = match result {
                // Ended by the user: no failure to show.
                Err(_) if is_cancelled() => Ok(()),
                other => other.map_err(|e| e.in_words()),
            };
            drop(outbox.send(Message::Weights(result)));
        };
        std::thread::Builder::new()
            .name("weights".into())
            .spawn(work)
            .map(drop)
            .map_err(|e| EngineError::Busy(format!("the system gives no thread: {e}")))
    }

    /// The weights were fetched, or were not.
    pub(super) fn weights_came(&mut self, result: std::result::Result<(), String>) {
        self.install = None;
        if let Err(reason) = result {
            self.sink.send(Event::Model(ModelState::Failed(reason)));
            return;
        }
        self.find_model();
        self.show_pace();
        self.sink.send(Event::Model(self.model_state()));
        // Songs may have stems of this model, and the open one has some from now on.
        if let Err(e) = self.send_library().and_then(|()| self.reopen()) {
            self.fail(None, &e);
        }
    }
}
