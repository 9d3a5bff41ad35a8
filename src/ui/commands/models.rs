//! Performs the actions about models: import, install, verify, remove. Follows imports to ask for
//! missing facts and to announce results. Main thread, at the end of a frame.

use std::path::PathBuf;

use crate::{
    engine::{Command, Event, ModelTask, Problem, RequestId},
    model::{ModelError, weights::ImportOptions},
    ui::{
        action::Action,
        app::App,
        state::{facts_form::FactsForm, view_state::Said},
    },
};

impl App {
    pub(super) fn perform_on_models(&mut self, action: Action) {
        match action {
            Action::ImportModel(file, config) => self.import_model(file, config),
            Action::State(form) => {
                if let Some(open) = &mut self.ui_state.facts {
                    open.take_typed(*form);
                }
            }
            Action::AcceptFacts => self.accept_facts(),
            Action::CloseFacts => self.close_facts(),
            Action::InstallModel(name) => {
                self.ui_state.terms_of = None;
                self.link.send(Command::InstallModel(name));
            }
            Action::VerifyModel(name) => self.link.send(Command::VerifyModel(name)),
            Action::RemoveModel(name) => self.link.send(Command::RemoveModel(name)),
            Action::ChooseOptions(song, options) => {
                self.link.send(Command::Choose { song, options: Some(options) });
            }
            Action::UseModel(song, model) => self.link.send(Command::UseModel { song, model }),
            Action::ShowTerms(name) => self.ui_state.terms_of = name,
            _ => {}
        }
    }

    /// Imports a model from a file, with an accompanying configuration.
    pub(super) fn import_model(&mut self, file: PathBuf, config: Option<PathBuf>) {
        self.ui_state.model_config.clone_from(&config);
        let options = ImportOptions { config, ..ImportOptions::default() };
        self.link.send(Command::ImportModel { file, options });
    }

    /// Imports the checkpoint of the open form, if all missing facts are stated.
    fn accept_facts(&mut self) {
        let Some(form) = self.ui_state.facts.as_mut().filter(|form| !form.is_running()) else {
            return;
        };
        let Ok(stated) = form.stated() else { return };
        let options = ImportOptions { config: form.config.clone(), stated, name: None };
        let import = Command::ImportModel { file: form.file.clone(), options };
        form.error = None;
        form.request = Some(self.link.request(import));
    }

    /// Closes the form and cancels its import.
    fn close_facts(&mut self) {
        if self.ui_state.facts.take().is_some_and(|form| form.is_running()) {
            self.link.send(Command::CancelInstall);
        }
    }

    /// Announces the result of a model import. If facts are missing, the form is opened instead,
    /// and an error of the open form's import is displayed there.
    pub(in crate::ui) fn follow_model_import(&mut self, event: &Event) {
        match event {
            Event::ModelTask(None, ModelTask::Failed(problem)) => self.import_failed(problem),
            Event::ModelTask(None, ModelTask::Imported { model, summary }) => {
                self.ui_state.facts.take_if(|form| form.is_running());
                self.state.say(None, Said::ModelImported(model.clone(), summary.clone()));
            }
            Event::ModelTask(None, ModelTask::Ended) => {
                if let Some(form) = &mut self.ui_state.facts {
                    form.request = None;
                }
            }
            Event::Failed { request: Some(request), problem, .. } => {
                self.refused(*request, problem);
            }
            _ => {}
        }
    }

    fn import_failed(&mut self, problem: &Problem) {
        let open = self.ui_state.facts.as_mut().filter(|form| form.is_running());
        match (problem, open) {
            (Problem::Model(ModelError::FactsMissing { missing, .. }), Some(form)) => {
                form.request = None;
                form.missing.clone_from(missing);
            }
            (_, Some(form)) => {
                form.request = None;
                form.error = Some(problem.clone());
            }
            (Problem::Model(error), None) => {
                let config = self.ui_state.model_config.take();
                match FactsForm::of(error, config) {
                    Some(form) => self.ui_state.facts = Some(form),
                    None => self.state.say(None, problem.clone()),
                }
            }
            (_, None) => self.state.say(None, problem.clone()),
        }
    }

    /// Handles a refusal by the engine to start the import of the open form.
    fn refused(&mut self, request: RequestId, problem: &Problem) {
        if let Some(form) = self.ui_state.facts.as_mut().filter(|f| f.request == Some(request)) {
            form.request = None;
            form.error = Some(problem.clone());
        }
    }
}
