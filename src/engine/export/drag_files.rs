//! Stem files for dragging out of the window. They are written once, into the song's folder in the
//! data folder, and stay as long as the song. The receiving program may copy them later, or keep
//! playing them in place.
//!
//! Runs on the calling thread and does not depend on the window.

use std::path::{Path, PathBuf};

use super::{NamePattern, OnExists, Origin, Place, Selection, Settings, Stems, ordered};
use crate::engine::{
    export,
    library::paths::DRAGGED,
    player::Track as _,
    problem::{Problem, Result},
    separation::{installed::InstalledModel, options::Quality},
    store::track::SongTrack,
    types::{CancelToken, Song},
};

/// Name pattern; in a DAW or a folder the files lie next to those of other songs.
const PATTERN: &str = "{artist} - {title} ({stem})";

/// Returns the files of these stems as WAV at the song's own rate and depth, in the model's order.
/// An empty `stems` selects all stems. Missing files are written. All files of a song have one
/// gain, whichever stems are requested and when, so they add up.
///
/// # Errors
/// Fails under the conditions of [`export::export`]. Fails with [`Problem::UnknownStem`] for a stem
/// that the model lacks.
pub fn files(
    song: &Song,
    song_folder: &Path,
    (model, quality): (&InstalledModel, Quality),
    track: &SongTrack,
    stems: &[String],
    cancel: &CancelToken,
) -> Result<Vec<PathBuf>> {
    let sources = &model.stems();
    let origin = Origin::of_song(song, song_folder, &model.name, cancel)?;
    let settings = Settings { on_exists: OnExists::Skip, ..Settings::default() };
    let pattern = NamePattern::new(PATTERN)?;
    let stem_folder = model.stem_folder(song_folder, quality);
    let mut name = stem_folder.file_name().unwrap_or_default().to_owned();
    // A bag of models may have only some stems finished. The common gain depends on which, so each
    // subset gets its own folder.
    let there: Vec<usize> = (0..sources.len()).filter(|stem| track.has_all_of(*stem)).collect();
    if !there.is_empty() && there.len() < sources.len() {
        let places: Vec<String> = there.iter().map(usize::to_string).collect();
        name.push(format!("-{}", places.join("-")));
    }
    let folder = song_folder.join(DRAGGED).join(name);
    let place = Place { folder, pattern };
    let names: Vec<String> = there.iter().map(|stem| sources[*stem].clone()).collect();
    let all = Selection::of_stems(sources, &names)?;
    let has_rest = model.spec.rest.is_some();
    let model_stems = Stems { names: sources, has_rest };
    let all = all.items(model_stems, settings.format, &place, origin.fields())?;
    let wanted = ordered(sources, stems)?;
    let item = |stem: usize| all.iter().find(|item| item.name == sources[stem]).cloned();
    let wanted: Option<Vec<_>> = wanted.into_iter().map(item).collect();
    let wanted = wanted.ok_or(Problem::NotSeparated)?;
    export::export_some(track, &origin, (&all, &wanted), &settings, cancel)?;
    Ok(wanted.into_iter().map(|item| item.to).collect())
}
