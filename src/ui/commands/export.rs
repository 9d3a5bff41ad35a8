//! Performs the actions about exports. Main thread, at the end of a frame.

use std::path::PathBuf;

use super::export_plan::{Asked, Heard};
use crate::{
    engine::{Command, ExportId, SongId, export::OnExists},
    ui::app::App,
};

impl App {
    /// Opens the dialog for the selected song, and requests the song's naming fields.
    pub(super) fn open_export(&mut self) {
        self.open_export_of(&Vec::from_iter(self.ui_state.selected));
    }

    /// Opens the dialog for several songs, except those that are not separated.
    pub(super) fn open_export_of(&mut self, songs: &[SongId]) {
        let separated = songs.iter().copied().filter(|id| self.state.is_separated(*id));
        let mut separated: Vec<SongId> = separated.collect();
        // The dialog previews the names of the selected song, if the selection includes it.
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
        self.ui_state.choices.heard = self.ui_state.key_speed();
        self.ui_state.export = Some(song);
        self.link.send(Command::Describe(song));
    }

    /// Starts the export with the current choices, unless they are invalid.
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

    /// The request for a song with the current choices; `None` if they are invalid.
    fn asked(&self, song: SongId) -> Option<Asked> {
        let (stems, has_rest) = (self.state.instruments(song), self.state.has_rest(song));
        let choices = self.ui_state.choices.for_stems(has_rest);
        let lanes = self.ui_state.lanes(song, stems);
        let residual = self.ui_state.residual(song, has_rest);
        let heard = Heard { stems, lanes: &lanes, residual };
        let plan = choices.plan(heard, &self.state.fields(song)).ok()?;
        let title = self.state.song(song).map(|song| song.title.clone()).unwrap_or_default();
        let (selection, place, settings) = (plan.selection, plan.place, choices.settings().ok()?);
        Some(Asked { song, title, selection, place, settings })
    }

    /// Retries an export with a new id, because the engine may not have finished the one that found
    /// existing files.
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

/// The user's music folder, otherwise the home folder.
fn usual_folder() -> PathBuf {
    let dirs = directories::UserDirs::new();
    let folder = dirs.as_ref().map(|dirs| dirs.audio_dir().unwrap_or(dirs.home_dir()));
    folder.map_or_else(|| PathBuf::from("."), PathBuf::from)
}
