//! One export of a song of the library, from what was asked for to its files.
//!
//! Runs on the caller's thread.

use std::path::PathBuf;

use super::{
    CancelToken, Result, Song, SongTrack,
    export::{self, Exported, Origin, Place, Selection, Settings},
};

/// What is to be exported.
#[derive(Debug)]
pub struct Order {
    /// The song.
    pub song: Song,
    /// Its folder in the data folder.
    pub folder: PathBuf,
    /// Catalogue name of the model that made the stems.
    pub model: String,
    /// Its stores.
    pub track: SongTrack,
    /// What of it.
    pub selection: Selection,
    /// Where to.
    pub place: Place,
}

impl Order {
    /// Writes the files.
    ///
    /// # Errors
    /// Those of [`export::export`], and [`super::EngineError::Unknown`] for a stem that the model
    /// does not have.
    pub fn carry_out(
        &self,
        settings: &Settings,
        progress: &mut dyn FnMut(f32),
        cancel: &CancelToken,
    ) -> Result<Exported> {
        let origin = Origin::of_song(&self.song, &self.folder, &self.model, cancel)?;
        let sources = self.track.stems.as_ref().map(|stems| stems.sources()).unwrap_or_default();
        let items = self.selection.items(sources, settings.format, &self.place, origin.fields())?;
        export::export(&self.track, &origin, &items, settings, progress, cancel)
    }
}
