//! Tracks of a finished job as files in the data folder: one WAV per stem, and the mix.
//!
//! All files are written together on first request. Runs on the calling thread.

use std::{path::PathBuf, sync::Arc};

use super::{
    ExportItem, Fields, NamePattern, OnExists, Origin, Part, Place, Selection, Settings, export,
};
use crate::engine::{
    library::{Library, paths::TRACKS},
    problem::{Problem, Result},
    separation::chain::{Tree, resolve::Chains},
    store::track::SongTrack,
    types::{CancelToken, Job},
};

/// Names and files of a job's tracks, the mix last.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct JobTracks {
    /// Name and path of each track.
    pub files: Vec<(String, PathBuf)>,
    /// Common gain in dB that avoided clipping; 0 if none was needed or the files existed already.
    pub gain_db: f32,
}

/// Tracks of a completed job; missing files are written.
///
/// # Errors
/// Fails if a store or the disk fails. Fails with [`Problem::ModelMissing`] if files are missing
/// and the model is no longer installed.
pub fn of_job(library: &Library, job: &Job) -> Result<JobTracks> {
    let items = items(library, job, &Tree::flat(&job.stems, None))?;
    if items.iter().all(|item| item.to.is_file()) {
        return Ok(JobTracks { files: named(items), gain_db: 0.0 });
    }
    let chain = match Chains::find(library.home(), &job.model) {
        Err(Problem::UnknownChain { name, .. }) => {
            return Err(Problem::ModelMissing { model: name });
        }
        found => Arc::new(found?),
    };
    let song = library.song(job.song)?;
    let folder = library.song_folder(&song.hash);
    let track = SongTrack::open(&folder, Some(&chain), job.quality)?;
    let items = self::items(library, job, &chain.tree)?;
    let cancel = CancelToken::default();
    let origin = Origin::of_song(&song, &folder, &chain.name, &cancel)?;
    let settings = Settings { on_exists: OnExists::Replace, ..Settings::default() };
    let exported = export(&track, &origin, &items, &settings, &mut |_| {}, &cancel)?;
    Ok(JobTracks { files: exported.files, gain_db: exported.gain_db })
}

/// Tracks of a job that have already been written.
///
/// # Errors
/// Fails if the library cannot be read.
pub fn written(library: &Library, job: &Job) -> Result<Vec<(String, PathBuf)>> {
    let mut files = named(items(library, job, &Tree::flat(&job.stems, None))?);
    files.retain(|(_, path)| path.is_file());
    Ok(files)
}

/// Items for the job's stems and their mix; the names do not depend on other stems.
fn items(library: &Library, job: &Job, tree: &Tree) -> Result<Vec<ExportItem>> {
    let song = library.song(job.song)?;
    let folder = library.song_folder(&song.hash).join(TRACKS).join(job.id.0.to_string());
    let pattern = NamePattern::new("{stem}")?;
    let mut selection = Selection::of_stems(tree, &job.stems)?;
    selection.mix = Some(selection.stems.iter().map(|stem| Part::plain(stem)).collect());
    let place = Place { folder, pattern };
    selection.items(tree, Settings::default().format, &place, Fields::default())
}

fn named(items: Vec<ExportItem>) -> Vec<(String, PathBuf)> {
    items.into_iter().map(|item| (item.name, item.to)).collect()
}
