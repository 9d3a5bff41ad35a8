//! One export of a library song, from the request to the files.
//!
//! Runs on the calling thread.

use std::path::PathBuf;

use super::{Exported, Origin, Place, Selection, Settings};
use crate::engine::export;
use crate::engine::{
    note::Note,
    problem::Result,
    separation::{chain::Tree, options::SeparationOptions},
    store::track::SongTrack,
    types::{CancelToken, Song},
};

/// Request to export a song.
#[derive(Debug)]
pub struct SongExport {
    /// The song to export.
    pub song: Song,
    /// Folder of the song in the data folder.
    pub folder: PathBuf,
    /// Options with which the stems were separated.
    pub options: SeparationOptions,
    /// Stores of the song.
    pub track: SongTrack,
    /// Files to write.
    pub selection: Selection,
    /// Destination of the files.
    pub place: Place,
}

impl SongExport {
    /// Writes the files.
    ///
    /// # Errors
    /// Fails under the conditions of [`export::export`]. Fails with
    /// [`crate::engine::Problem::UnknownStem`] for a stem that the model lacks.
    pub fn carry_out(
        &self,
        settings: &Settings,
        progress: &mut dyn FnMut(f32),
        cancel: &CancelToken,
    ) -> Result<Exported> {
        let SeparationOptions { model, quality } = &self.options;
        let origin = Origin::of_song(&self.song, &self.folder, model, cancel)?;
        let empty = Tree::default();
        let tree = self.track.stems.as_ref().map_or(&empty, |stems| stems.tree());
        let items = self.selection.items(tree, settings.format, &self.place, origin.fields())?;
        let mut exported =
            export::export(&self.track, &origin, &items, settings, progress, cancel)?;
        if quality.is_draft && !exported.files.is_empty() && !export::stems_in(&items).is_empty() {
            exported.notes.0.push(Note::FromDraft);
        }
        Ok(exported)
    }
}
