//! What the actions about exports do. Main thread, at the end of a frame.

use std::path::PathBuf;

use crate::{
    engine::{Command, ExportId, SongId, export::OnExists},
    ui::{app::App, export::Asked},
};

impl App {
    /// Opens the dialog for the chosen song, and asks what its files can be named by.
    pub(super) fn open_export(&mut self) {
        let is_separated = |id: &SongId| self.state.is_separated(*id);
        let Some(song) = self.desk.selected.filter(is_separated) else { return };
        if self.desk.choices.folder.as_os_str().is_empty() {
            self.desk.choices.folder = usual_folder();
        }
        self.desk.export = Some(song);
        self.link.send(Command::Describe(song));
    }

    /// Exports what is chosen; nothing while something is wrong with it.
    pub(super) fn export(&mut self) {
        let Some(song) = self.desk.export else { return };
        let (stems, choices) = (self.state.stems(song), &self.desk.choices);
        let lanes = self.desk.lanes(song, stems);
        let lanes = (&lanes[..], self.desk.residual(song));
        let plan = choices.plan(stems, lanes, &self.state.fields(song));
        let (Ok(plan), Ok(settings)) = (plan, choices.settings()) else { return };
        let title = self.state.song(song).map(|song| song.title.clone()).unwrap_or_default();
        let (selection, place) = (plan.selection, plan.place);
        self.desk.export = None;
        self.ask_for(&Asked { song, title, selection, place, settings });
    }

    /// Asks once more for an export, under another number: the engine may still be at the end of
    /// the one that found files of its names.
    pub(super) fn export_again(&mut self, id: ExportId, on_exists: OnExists) {
        self.state.dismiss_export(id);
        if let Some(mut asked) = self.desk.exports.remove(&id) {
            asked.settings.on_exists = on_exists;
            self.ask_for(&asked);
        }
    }

    pub(super) fn dismiss_export(&mut self, id: ExportId) {
        self.state.dismiss_export(id);
        if self.state.exports().iter().all(|export| export.id != id) {
            self.desk.exports.remove(&id);
        }
    }

    fn ask_for(&mut self, asked: &Asked) {
        let id = self.desk.new_export(asked.clone());
        self.link.send(asked.command(id));
    }
}

/// Where music is kept, or what is next to it.
fn usual_folder() -> PathBuf {
    let dirs = directories::UserDirs::new();
    let folder = dirs.as_ref().map(|dirs| dirs.audio_dir().unwrap_or(dirs.home_dir()));
    folder.map_or_else(|| PathBuf::from("."), PathBuf::from)
}
