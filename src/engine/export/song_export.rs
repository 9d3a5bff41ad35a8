//! One export of a song of the library, from what was asked for to its files.
//!
//! Runs on the caller's thread.

use std::path::PathBuf;

use super::{Exported, Origin, Place, Selection, Settings, Stems};
use crate::engine::export;
use crate::engine::{
    note::Note,
    problem::Result,
    separation::options::SeparationOptions,
    store::track::SongTrack,
    types::{CancelToken, Song},
};

/// What is to be exported.
#[derive(Debug)]
pub struct SongExport {
    /// The song.
    pub song: Song,
    /// Its folder in the data folder.
    pub folder: PathBuf,
    /// What made the stems.
    pub recipe: SeparationOptions,
    /// Its stores.
    pub track: SongTrack,
    /// What of it.
    pub selection: Selection,
    /// Where to.
    pub place: Place,
}

impl SongExport {
    /// Writes the files.
    ///
    /// # Errors
    /// Those of [`export::export`], and [`crate::engine::Problem::UnknownStem`] for a stem that the model
    /// does not have.
    pub fn carry_out(
        &self,
        settings: &Settings,
        progress: &mut dyn FnMut(f32),
        cancel: &CancelToken,
    ) -> Result<Exported> {
        let SeparationOptions { model, quality } = &self.recipe;
        let origin = Origin::of_song(&self.song, &self.folder, model, cancel)?;
        let stems = self.track.stems.as_ref();
        let names = stems.map(|stems| stems.names()).unwrap_or_default();
        let has_rest = stems.is_some_and(|stems| stems.rest().is_some());
        let items = self.selection.items(
            Stems { names, has_rest },
            settings.format,
            &self.place,
            origin.fields(),
        )?;
        let mut exported =
            export::export(&self.track, &origin, &items, settings, progress, cancel)?;
        if quality.is_draft && !exported.files.is_empty() && !export::stems_in(&items).is_empty() {
            exported.notes.0.push(Note::FromDraft);
        }
        Ok(exported)
    }
}
