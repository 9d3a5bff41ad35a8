//! What the window and the command line can ask of the engine.

use std::path::PathBuf;

use super::{
    ExportId, JobId, SongId,
    export::{Place, Selection, Settings},
};

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
    /// Brings back a song that was removed since the start, with its stems and jobs, unless its room
    /// was needed meanwhile.
    Restore(SongId),
    /// Ends all jobs and removes all songs, stems and jobs. The user's files and the model stay.
    Reset,
    /// Asks what the files of a song can be named by; told as [`super::Event::Described`].
    Describe(SongId),
    /// Writes files.
    Export {
        /// Chosen by the sender, comes back in the events.
        id: ExportId,
        /// The song.
        song: SongId,
        /// What is in the files.
        selection: Selection,
        /// Where they go.
        place: Place,
        /// How they are written.
        settings: Settings,
    },
    /// Makes files of stems that can be dragged out of the window and stay where they are, in the
    /// song's folder in the data folder; those that are there are taken as they are. Told as
    /// [`super::Event::DragReady`], or [`super::Event::Failed`].
    PrepareDrag {
        /// The song.
        song: SongId,
        /// Stem names; all of the model's when empty.
        stems: Vec<String>,
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
