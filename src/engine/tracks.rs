//! The tracks of a finished job as files in the data folder: one WAV a stem, and their mix.
//!
//! Written together, the first time that they are asked for. Runs on the caller's thread.

use std::path::PathBuf;

use super::{
    CancelToken, Depth, EngineError, Job, Result, SongTrack,
    export::{ExportSet, export},
    library::Library,
    models::InstalledModel,
};

/// Names and files of a job's tracks, the mix last.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tracks {
    /// Each track's name and file.
    pub files: Vec<(String, PathBuf)>,
    /// Common gain in dB that kept them from clipping; 0 when none was needed, or when they were
    /// written before.
    pub gain_db: f32,
}

/// The tracks of a job that is done; writes those that are missing.
///
/// # Errors
/// Those of the stores and of the disk; [`EngineError::Busy`] when the model is not installed any
/// more and the tracks are missing.
pub fn of_job(library: &Library, job: &Job) -> Result<Tracks> {
    let folder = folder(library, job)?;
    let set = ExportSet::new(&job.stems, &job.stems, &folder, true)?;
    if set.items.iter().all(|item| item.to.is_file()) {
        return Ok(Tracks { files: set.files(), gain_db: 0.0 });
    }
    let Some(model) = InstalledModel::find(library.home(), &job.model)? else {
        return Err(EngineError::Busy(format!(
            "the model \"{}\" is not installed any more; install it again",
            job.model
        )));
    };
    let song = library.song_folder(&library.song(job.song)?.hash);
    let track = SongTrack::open(&song, Some(&model))?;
    let set = ExportSet::new(&model.spec.sources, &job.stems, &folder, true)?;
    let cancel = CancelToken::default();
    let exported = export(&track, &set.items, Depth::Int24, &mut |_| {}, &cancel)?;
    Ok(Tracks { files: set.files(), gain_db: exported.gain_db })
}

/// The tracks of a job that were written already.
///
/// # Errors
/// Those of the library.
pub fn written(library: &Library, job: &Job) -> Result<Vec<(String, PathBuf)>> {
    let folder = folder(library, job)?;
    let mut files = ExportSet::new(&job.stems, &job.stems, &folder, true)?.files();
    files.retain(|(_, path)| path.is_file());
    Ok(files)
}

fn folder(library: &Library, job: &Job) -> Result<PathBuf> {
    let song = library.song(job.song)?;
    Ok(library.song_folder(&song.hash).join("tracks").join(job.id.0.to_string()))
}
