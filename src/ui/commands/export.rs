//! What the actions about exports do. Main thread, at the end of a frame.

use std::path::PathBuf;

use super::export_plan::Asked;
use crate::{
    engine::{Command, ExportId, SongId, export::OnExists},
    ui::app::App,
};

impl App {
    /// Opens the dialog for the chosen song, and asks what its files can be named by.
    pub(super) fn open_export(&mut self) {
        self.open_export_of(&Vec::from_iter(self.ui_state.selected));
    }

    /// Opens it for several songs; those that are not separated take no part.
    pub(super) fn open_export_of(&mut self, songs: &[SongId]) {
        let separated = songs.iter().copied().filter(|id| self.state.is_separated(*id));
        let mut separated: Vec<SongId> = separated.collect();
        // The dialog shows the names of the song that is shown, if it is among them.
        let first =
            separated.iter().position(|id| Some(*id) == self.ui_state.selected).unwrap_or(0);
        if separated.is_empty() {
            return;
        }
        let song = separated.remove(first);
        self.ui_state.export_with = separated;
        if self.ui_state.choices.folder.as_os_str().is_empty() {
            self.ui_state.choices.folder = usual_folder();
        }
        self.ui_state.export = Some(song);
        self.link.send(Command::Describe(song));
    }

    /// Exports what is chosen; nothing while something is wrong with it.
    pub(super) fn export(&mut self) {
        let Some(song) = self.ui_state.export else { return };
        let Some(first) = self.asked(song) else { return };
        let others: Vec<SongId> = std::mem::take(&mut self.ui_state.export_with);
        let others: Vec<Asked> = others.into_iter().filter_map(|song| self.asked(song)).collect();
        self.ui_state.export = None;
        for asked in std::iter::once(first).chain(others) {
            self.ask_for(&asked);
        }
    }

    /// What is asked for of a song as things are chosen; `None` while something is wrong with it.
    fn asked(&self, song: SongId) -> Option<Asked> {
        let (stems, has_rest) = (self.state.stems(song), self.state.has_rest(song));
        let choices = self.ui_state.choices.for_stems(has_rest);
        let lanes = self.ui_state.lanes(song, stems);
        let lanes = (&lanes[..], self.ui_state.residual(song, has_rest));
        let plan = choices.plan(stems, lanes, &self.state.fields(song)).ok()?;
        let title = self.state.song(song).map(|song| song.title.clone()).unwrap_or_default();
        let (selection, place, settings) = (plan.selection, plan.place, choices.settings().ok()?);
        Some(Asked { song, title, selection, place, settings })
    }

    /// Asks once more for an export, under another number: the engine may still be at the end of
    /// the one that found files of its names.
    pub(super) fn export_again(&mut self, id: ExportId, on_exists: OnExists) {
        self.state.dismiss_export(id);
        if let Some(mut asked) = self.ui_state.exports.remove(&id) {
            asked.settings.on_exists = on_exists;
            self.ask_for(&asked);
        }
    }

    pub(super) fn dismiss_export(&mut self, id: ExportId) {
        self.state.dismiss_export(id);
        if self.state.exports().iter().all(|export| export.id != id) {
            self.ui_state.exports.remove(&id);
        }
    }

    fn ask_for(&mut self, asked: &Asked) {
        let id = self.ui_state.new_export(asked.clone());
        self.link.send(asked.command(id));
    }
}

/// Where music is kept, or what is next to it.
fn usual_folder() -> PathBuf {
    let dirs = directories::UserDirs::new();
    let folder = dirs.as_ref().map(|dirs| dirs.audio_dir().unwrap_or(dirs.home_dir()));
    folder.map_or_else(|| PathBuf::from("."), PathBuf::from)
}
