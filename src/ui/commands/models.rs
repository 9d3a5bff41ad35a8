//! What the actions about models do: import, install, verify, remove. Main thread, at the end of a
//! frame.

use crate::{
    engine::Command,
    model::weights::ImportOptions,
    ui::{action::Action, app::App},
};

impl App {
    pub(super) fn perform_on_models(&mut self, action: Action) {
        match action {
            Action::ImportModel(file, config) => {
                let options = ImportOptions { config, ..ImportOptions::default() };
                self.link.send(Command::ImportModel { file, options });
            }
            Action::State(form) => self.ui_state.facts = Some(*form),
            Action::AcceptFacts => self.accept_facts(),
            Action::CloseFacts => self.ui_state.facts = None,
            Action::InstallModel(name) => {
                self.ui_state.terms_of = None;
                self.link.send(Command::InstallModel(name));
            }
            Action::VerifyModel(name) => self.link.send(Command::VerifyModel(name)),
            Action::RemoveModel(name) => self.link.send(Command::RemoveModel(name)),
            Action::ShowTerms(name) => self.ui_state.terms_of = name,
            _ => {}
        }
    }

    /// Imports the file of the open form, once everything that is missing is stated.
    fn accept_facts(&mut self) {
        let Some(form) = &self.ui_state.facts else { return };
        let Some(stated) = form.stated() else { return };
        let options = ImportOptions { stated, ..ImportOptions::default() };
        self.link.send(Command::ImportModel { file: form.file.clone(), options });
        self.ui_state.facts = None;
    }
}
