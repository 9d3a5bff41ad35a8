//! What the window and the command line can ask of the engine.

use std::{ops::Range, path::PathBuf};

use crate::{
    engine::{
        export::{Place, Selection, Settings},
        library::Lanes,
        separation::options::{Defaults, SeparationOptions},
        settings::Preferences,
        types::{Compute, ExportId, JobId, SongId},
    },
    model::weights::ImportOptions,
};

/// A request. Sending never waits; the answer comes as one or more [`crate::engine::Event`]s, of which those
/// that end the request carry its [`crate::engine::RequestId`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Command {
    /// Adds files, and the audio files of folders, to the library.
    Import(Vec<PathBuf>),
    /// Adds an audio track of files to the library: each track of a file is a song of its own.
    ImportTrack {
        /// Files, and folders with audio files.
        paths: Vec<PathBuf>,
        /// The track of each, from 1.
        track: usize,
    },
    /// Makes a song the one that is shown and played: sends its peaks, loads the player.
    Open(SongId),
    /// Asks for peaks of a stretch of the open song that are finer than those of [`Self::Open`];
    /// answered by [`crate::engine::Event::Detail`]. The next request replaces one that is not answered yet.
    ShowDetail {
        /// The song.
        song: SongId,
        /// Which frames.
        frames: Range<u64>,
        /// Frames that one peak stands for; 1 gives the samples themselves.
        frames_per_peak: usize,
    },
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
    /// Lets a waiting or running job rest, within one segment; also over restarts.
    Pause(JobId),
    /// Lets a paused job go on, next in the queue.
    Continue(JobId),
    /// Asks once more for what an ended job was to do; what is in the store is not computed again.
    Retry(JobId),
    /// Gives a waiting job another place in the queue.
    MoveJob {
        /// The job.
        job: JobId,
        /// Its new place among the waiting ones; 0 is next.
        to: usize,
    },
    /// Takes ended jobs off the list; their stems stay. Jobs that are not over are left alone.
    ClearJobs(Vec<JobId>),
    /// Asks for the result files of a job that is done; made if they are missing. Told as
    /// [`crate::engine::Event::Tracks`].
    MakeTracks(JobId),
    /// Takes a song, its stems and its jobs out of the library. The user's file stays.
    Remove(SongId),
    /// Brings back a song that was removed since the start, with its stems and jobs, unless its room
    /// was needed meanwhile.
    Restore(SongId),
    /// Ends all jobs and removes all songs, stems and jobs. The user's files and the model stay.
    Reset,
    /// Keeps the settings.
    KeepPreferences(Box<Preferences>),
    /// Keeps what is set on the lanes of a song.
    KeepLanes(SongId, Lanes),
    /// Asks for the sound devices; answered by [`crate::engine::Event::Outputs`].
    ListOutputs,
    /// Computes in another way from now on; a job that runs begins its segment anew.
    SetCompute(Compute),
    /// Asks how much the data folder holds; answered by [`crate::engine::Event::HomeMeasured`].
    MeasureHome,
    /// Ends all jobs and removes the stems of all songs. The songs stay.
    ClearStems,
    /// Writes a report for those who mend Partita to this file; told as
    /// [`crate::engine::Event::ReportSaved`], or [`crate::engine::Event::Failed`].
    SaveReport(PathBuf),
    /// Gives a song another title in the library; its file is left alone.
    Rename {
        /// The song.
        song: SongId,
        /// Its title.
        title: String,
    },
    /// Asks what the files of a song can be named by; answered by [`crate::engine::Event::Described`].
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
    /// [`crate::engine::Event::DragReady`], or [`crate::engine::Event::Failed`].
    PrepareDrag {
        /// The song.
        song: SongId,
        /// Stem names; all of the model's when empty.
        stems: Vec<String>,
    },
    /// Ends an export and removes what it had written.
    CancelExport(ExportId),
    /// Chooses what makes the stems that a song shows; the usual when `None`. Stems of other recipes
    /// stay.
    Choose {
        /// The song.
        song: SongId,
        /// Model and quality.
        recipe: Option<SeparationOptions>,
    },
    /// Chooses the model that makes the stems that a song shows; a quality that has a name keeps it.
    UseModel {
        /// The song.
        song: SongId,
        /// The model by its name.
        model: String,
    },
    /// Shows the next of the versions of a song that are there, at the very place of the play head.
    NextVersion(SongId),
    /// Sets what is used for songs of which nothing else is said.
    SetDefaults(Defaults),
    /// Asks which models there are; answered by [`crate::engine::Event::Models`].
    ListModels,
    /// Fetches a model's weights from the catalogue's sources. The terms were accepted by the sender.
    InstallModel(String),
    /// Takes weights from a file. What neither the file, its configuration nor the options state about
    /// its network comes back as [`crate::model::ModelError::FactsMissing`].
    ImportModel {
        /// The file.
        file: PathBuf,
        /// Further facts about the network.
        options: ImportOptions,
    },
    /// Removes a model's weights; the stems that it made stay.
    RemoveModel(String),
    /// Compares every byte of a model's weights; answered by [`crate::engine::Event::Models`].
    VerifyModel(String),
    /// Stops [`Command::InstallModel`] or [`Command::ImportModel`]; what was fetched is kept.
    CancelInstall,
}
