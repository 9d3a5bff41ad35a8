//! What the window and the command line can ask of the engine.

use std::path::PathBuf;

use super::{Depth, ExportId, JobId, SongId};

/// A request. Sending never waits; the answer comes as one or more [`super::Event`]s.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Command {
    /// Adds files, and the audio files of folders, to the library.
    Import(Vec<PathBuf>),
    /// Makes a song the one that is shown and played: sends its peaks, loads the player.
    Open(SongId),
    /// Separates a song. Stems that the model does not have are refused with an error.
    Process {
        /// The song.
        song: SongId,
        /// Stem names; all of the model's when empty.
        stems: Vec<String>,
        /// The segment that holds this frame is computed first.
        from_frame: u64,
    },
    /// Ends a waiting or running job within one segment; finished segments stay.
    Cancel(JobId),
    /// Takes a song, its stems and its jobs out of the library. The user's file stays.
    Remove(SongId),
    /// Ends all jobs and removes all songs, stems and jobs. The user's files and the model stay.
    Reset,
    /// Writes the weighted sum of stems to one WAV file.
    ExportMix {
        /// Chosen by the sender, comes back in the events.
        id: ExportId,
        /// The song.
        song: SongId,
        /// Stem names with linear gains.
        stems: Vec<(String, f32)>,
        /// Sample format.
        depth: Depth,
        /// The file; replaced if it exists (the dialog has asked).
        to: PathBuf,
    },
    /// Writes one WAV file per stem into a new folder, named as the song.
    ExportStems {
        /// Chosen by the sender, comes back in the events.
        id: ExportId,
        /// The song.
        song: SongId,
        /// Stem names.
        stems: Vec<String>,
        /// Sample format.
        depth: Depth,
        /// Where that folder is made; a number is added to its name if there is one already.
        to: PathBuf,
    },
    /// Ends an export and removes what it had written.
    CancelExport(ExportId),
    /// Fetches the weights from the catalogue's sources. The terms were accepted by the sender.
    InstallModel,
    /// Takes the weights from a file.
    ImportModel(PathBuf),
    /// Stops [`Command::InstallModel`] or [`Command::ImportModel`]; what was fetched is kept.
    CancelInstall,
}
