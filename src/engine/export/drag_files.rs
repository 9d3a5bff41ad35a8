//! Stem files for dragging out of the window. They are written once, into the song's folder in the
//! data folder, and stay as long as the song. The receiving program may copy them later, or keep
//! playing them in place.
//!
//! Runs on the calling thread and does not depend on the window.

use std::path::{Path, PathBuf};

use super::{NamePattern, OnExists, Origin, Place, Selection, Settings, ordered};
use crate::engine::{
    export,
    library::paths::DRAGGED,
    player::Track as _,
    problem::{Problem, Result},
    separation::{chain::Chain, options::Quality},
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
    (chain, quality): (&Chain, Quality),
    track: &SongTrack,
    stems: &[String],
    cancel: &CancelToken,
) -> Result<Vec<PathBuf>> {
    let tree = &chain.tree;
    let origin = Origin::of_song(song, song_folder, &chain.name, cancel)?;
    let settings = Settings { on_exists: OnExists::Skip, ..Settings::default() };
    let pattern = NamePattern::new(PATTERN)?;
    let mut name = chain.identity(quality);
    // Only some stems may be finished. The common gain depends on which, so each subset gets its own
    // folder.
    let all = 0..tree.stems().len();
    let there: Vec<usize> = all.filter(|stem| track.has_all_of(*stem)).collect();
    if !there.is_empty() && there.len() < tree.stems().len() {
        let places: Vec<String> = there.iter().map(usize::to_string).collect();
        name = format!("{name}-{}", places.join("-"));
    }
    let folder = song_folder.join(DRAGGED).join(name);
    let place = Place { folder, pattern };
    let name_of = |stem: usize| tree.stems()[stem].name.clone();
    let names: Vec<String> = there.into_iter().map(name_of).collect();
    let all = Selection::of_stems(tree, &names)?;
    let all = all.items(tree, settings.format, &place, origin.fields())?;
    let wanted = ordered(tree, stems)?;
    let item = |stem: usize| all.iter().find(|item| item.name == name_of(stem)).cloned();
    let wanted: Option<Vec<_>> = wanted.into_iter().map(item).collect();
    let wanted = wanted.ok_or(Problem::NotSeparated)?;
    export::export_some(track, &origin, (&all, &wanted), &settings, cancel)?;
    Ok(wanted.into_iter().map(|item| item.to).collect())
}
