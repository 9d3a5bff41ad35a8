//! Requests of the window and the command line to the engine.

use std::{ops::Range, path::PathBuf};

use crate::{
    engine::{
        export::{Place, Selection, Settings},
        library::Lanes,
        separation::{
            chain::file::ChainFile,
            options::{Defaults, SeparationOptions},
        },
        settings::Preferences,
        types::{Compute, ExportId, JobId, SongId},
    },
    model::weights::ImportOptions,
};

/// A request to the engine. Sending never blocks; the answer arrives as one or more
/// [`crate::engine::Event`]s. Events that end the request carry its [`crate::engine::RequestId`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Command {
    /// Adds files, and the audio files of folders, to the library.
    Import(Vec<PathBuf>),
    /// Adds an audio track of files to the library; each track of a file is a separate song.
    ImportTrack {
        /// Files, and folders with audio files.
        paths: Vec<PathBuf>,
        /// Track of each file, from 1.
        track: usize,
    },
    /// Opens a song: sends its peaks and loads the player.
    Open(SongId),
    /// Requests the stores of a song for reading without the player. Answered by
    /// [`crate::engine::Event::Track`], after [`crate::engine::Event::Shown`] if a model is installed.
    ReadSong(SongId),
    /// Requests peaks of a section of the open song with a higher resolution than those of
    /// [`Self::Open`]; answered by [`crate::engine::Event::Detail`]. The next request replaces an
    /// unanswered one.
    ShowDetail {
        /// Song to draw.
        song: SongId,
        /// Range of frames.
        frames: Range<u64>,
        /// Frames per peak; 1 returns the samples themselves.
        frames_per_peak: usize,
    },
    /// Separates a song. Stems that the model lacks are rejected with an error.
    Process {
        /// Song to separate.
        song: SongId,
        /// Stem names; empty for all of the model's.
        stems: Vec<String>,
        /// Frame whose segment is computed first. A running job goes on from there, unless its song
        /// is open: it then follows the player.
        from_frame: u64,
    },
    /// Cancels a waiting or running job within one segment; finished segments stay.
    Cancel(JobId),
    /// Pauses a waiting or running job within one segment; it stays paused across restarts.
    Pause(JobId),
    /// Resumes a paused job as the next in the queue.
    Continue(JobId),
    /// Requests the stems of an ended job again; stored segments are not computed again.
    Retry(JobId),
    /// Moves a waiting job within the queue.
    MoveJob {
        /// Job to move.
        job: JobId,
        /// New position among the waiting jobs; 0 is next.
        to: usize,
    },
    /// Removes ended jobs from the list; their stems stay. Unfinished jobs are kept.
    ClearJobs(Vec<JobId>),
    /// Requests the result files of a completed job; missing ones are written. Answered by
    /// [`crate::engine::Event::Tracks`].
    MakeTracks(JobId),
    /// Removes a song with its stems and jobs from the library. The user's file stays.
    Remove(SongId),
    /// Restores a song that was removed since the start, with its stems and jobs, unless its disk
    /// space was reclaimed.
    Restore(SongId),
    /// Cancels all jobs and removes all songs, stems and jobs. The user's files and the model stay.
    Reset,
    /// Saves the settings.
    KeepPreferences(Box<Preferences>),
    /// Saves the lane settings of a song.
    KeepLanes(SongId, Lanes),
    /// Requests the sound devices; answered by [`crate::engine::Event::Outputs`].
    ListOutputs,
    /// Requests the graphics cards; answered by [`crate::engine::Event::Devices`].
    ListDevices,
    /// Changes the compute settings; a running job restarts its segment.
    SetCompute(Compute),
    /// Requests the size of the data folder; answered by [`crate::engine::Event::HomeMeasured`].
    MeasureHome,
    /// Cancels all jobs and removes the stems of all songs. The songs stay.
    ClearStems,
    /// Writes a bug report to this file; answered by [`crate::engine::Event::ReportSaved`] or
    /// [`crate::engine::Event::Failed`].
    SaveReport(PathBuf),
    /// Changes the title of a song in the library; its file is unchanged.
    Rename {
        /// Song to rename.
        song: SongId,
        /// New title.
        title: String,
    },
    /// Requests the fields for naming the files of a song; answered by
    /// [`crate::engine::Event::Described`].
    Describe(SongId),
    /// Exports files.
    Export {
        /// ID chosen by the sender, repeated in the events.
        id: ExportId,
        /// Song to export.
        song: SongId,
        /// Contents of the files.
        selection: Selection,
        /// Destination of the files.
        place: Place,
        /// Format settings.
        settings: Settings,
    },
    /// Prepares stem files to be dragged out of the window, in the song's folder in the data
    /// folder. Existing files are reused. Answered by [`crate::engine::Event::DragReady`] or
    /// [`crate::engine::Event::Failed`].
    PrepareDrag {
        /// Song of the stems.
        song: SongId,
        /// Stem names; empty for all of the model's.
        stems: Vec<String>,
    },
    /// Cancels an export and removes what it has written.
    CancelExport(ExportId),
    /// Selects the separation options of a song's shown stems; `None` for the defaults. Stems with
    /// other options stay.
    Choose {
        /// Song to change.
        song: SongId,
        /// Model and quality.
        options: Option<SeparationOptions>,
    },
    /// Selects the model of a song's shown stems; a preset quality keeps its name.
    UseModel {
        /// Song to change.
        song: SongId,
        /// Name of the model.
        model: String,
    },
    /// Shows the next available version of a song, at the current playback position.
    NextVersion(SongId),
    /// Sets the default separation options.
    SetDefaults(Defaults),
    /// Requests the list of models; answered by [`crate::engine::Event::Models`].
    ListModels,
    /// Requests the list of chains; answered by [`crate::engine::Event::Chains`].
    ListChains,
    /// Saves a chain of the user, replacing one of the same name; answered by
    /// [`crate::engine::Event::Chains`] or [`crate::engine::Event::Failed`].
    SaveChain {
        /// Name of the chain, which must differ from the models' names.
        name: String,
        /// The chain.
        file: Box<ChainFile>,
    },
    /// Copies a chain file to the user's chains; the chain gets the file's name.
    ImportChain(PathBuf),
    /// Removes a chain of the user; stems computed with it stay.
    RemoveChain(String),
    /// Downloads a model's weights from the catalogue's sources. The sender has obtained consent to
    /// the terms.
    InstallModel(String),
    /// Imports weights from a file. Facts about the network that neither the file, its
    /// configuration nor the options state are reported as
    /// [`crate::model::ModelError::FactsMissing`].
    ImportModel {
        /// Path of the file.
        file: PathBuf,
        /// Additional facts about the network.
        options: ImportOptions,
    },
    /// Removes a model's weights; stems computed with it stay.
    RemoveModel(String),
    /// Verifies every byte of a model's weights; answered by [`crate::engine::Event::Models`].
    VerifyModel(String),
    /// Cancels [`Command::InstallModel`] or [`Command::ImportModel`]; downloaded data is kept.
    CancelInstall,
}
