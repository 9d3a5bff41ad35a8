//! Files of stems that are dragged out of the window: made once, in the song's folder in the data
//! folder, where they stay as long as the song. Whoever takes them may copy them later, or go on
//! playing them from where they are.
//!
//! Runs on the caller's thread, and knows no window.

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

/// Their names: in a DAW or a folder they are next to those of other songs.
const PATTERN: &str = "{artist} - {title} ({stem})";

/// Gives the files of these stems, all of the model's when `stems` is empty, in the model's order,
/// as WAV at the song's own rate and depth. Those that are not there are written. Whatever stems
/// are asked for, and when, all files of a song have one gain: they add up.
///
/// # Errors
/// Those of [`export::export`], and [`Problem::UnknownStem`] for a stem that the model does not
/// have.
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
    // Of a bag only some may be there: what has one gain is another set.
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
