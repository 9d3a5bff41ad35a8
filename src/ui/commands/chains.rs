//! Performs the actions about chains: edit, save, import, remove. Main thread, at the end of a frame.

use std::path::PathBuf;

use crate::{
    engine::{Command, Event},
    ui::{action::Action, app::App, state::ui_state::Purpose},
};

impl App {
    pub(super) fn perform_on_chains(&mut self, action: Action) {
        match action {
            Action::EditChain(form) => self.ui_state.chain = Some(*form),
            Action::ChainForm(new) => {
                if let Some(form) = &mut self.ui_state.chain {
                    *form = *new;
                }
            }
            Action::SaveChain => self.save_chain(),
            Action::CloseChain => self.ui_state.chain = None,
            Action::RemoveChain(name) => self.link.send(Command::RemoveChain(name)),
            Action::ChooseChain => self.dialogs.open(Purpose::Chain, PathBuf::new()),
            _ => {}
        }
    }

    /// Saves the chain of the open form, unless that has a flaw.
    fn save_chain(&mut self) {
        let Some(form) = &mut self.ui_state.chain else { return };
        if form.request.is_some() || form.flaw(|name| self.state.is_taken(name)).is_some() {
            return;
        }
        let (name, file) = (form.name.trim().to_owned(), Box::new(form.file()));
        form.error = None;
        form.request = Some(self.link.request(Command::SaveChain { name, file }));
    }

    /// Closes the form once its chain is saved, or shows there why it is not.
    pub(in crate::ui) fn follow_chain(&mut self, event: &Event) {
        let Some(form) = self.ui_state.chain.as_mut().filter(|form| form.request.is_some()) else {
            return;
        };
        match event {
            Event::Chains(_) => self.ui_state.chain = None,
            Event::Failed { request, problem, .. } if *request == form.request => {
                form.request = None;
                form.error = Some(problem.clone());
            }
            _ => {}
        }
    }
}
