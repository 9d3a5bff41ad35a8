//! Events from the engine to the window and the command line.

use std::{path::PathBuf, sync::Arc};

use crossbeam_channel::Sender;

use crate::{
    engine::{
        audio::peaks::Peak,
        export::Fields,
        library::Lanes,
        note::{Note, Notes},
        player::Output,
        problem::{LeftOut, Problem},
        separation::{
            chain::{MissingStems, file::ChainFile},
            options::{Maker, QualityCost, SeparationOptions, StemInfo, Version},
        },
        store::track::SongTrack,
        types::{ExportId, Job, JobId, RequestId, Song, SongId, Thumbnail},
    },
    model::{
        device::Card,
        recognition::Summary,
        weights::{State, Step},
    },
};

/// One lane of a song.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Lane {
    /// The original song.
    Original,
    /// A stem, by its index in the model's order.
    Stem(usize),
    /// The residual: the original minus all stems, where those are finished.
    Residual,
}

/// Availability of the model.
#[derive(Clone, Debug, PartialEq)]
pub enum ModelState {
    /// No weights are installed.
    Missing,
    /// Weights are being installed.
    Installing {
        /// Current step.
        step: Step,
        /// Completed fraction, 0 to 1, if known.
        fraction: Option<f32>,
    },
    /// Installed and verified.
    Ready {
        /// Stems of the model, in its order.
        sources: Vec<String>,
        /// Minimum memory use in bytes.
        least_memory: u64,
    },
    /// Installation or use failed; the user may retry.
    Failed(Problem),
}

/// A model in the list of models.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelEntry {
    /// Name of the model.
    pub name: String,
    /// One-line description; empty for a user's own model.
    pub title: String,
    /// Stems of the model.
    pub sources: Vec<String>,
    /// Terms of its weights.
    pub terms: String,
    /// Approximate download size in bytes.
    pub bytes: u64,
    /// Installation state.
    pub state: State,
    /// Number of installed networks, and of all networks.
    pub networks: (usize, usize),
    /// Whether the model was imported by the user.
    pub is_own: bool,
}

/// A chain, for the list of chains.
#[derive(Clone, Debug, PartialEq)]
pub struct ChainEntry {
    /// Name of the chain.
    pub name: String,
    /// The chain as written.
    pub file: ChainFile,
    /// Whether the user made the chain; others come with the program.
    pub is_own: bool,
    /// Stems that the installed models can make; empty if the chain cannot be used.
    pub stems: Vec<String>,
    /// Stems for which networks are missing.
    pub missing: Vec<MissingStems>,
}

impl ChainEntry {
    /// Name of the stem that a stem is a part of, be it available or missing.
    pub fn parent(&self, stem: &str) -> Option<&str> {
        match self.file.find(stem) {
            Some(stem) => stem.parent.as_deref(),
            // A rest that the file does not name.
            None => Some(&self.file.find(stem.strip_suffix(" rest")?)?.name),
        }
    }
}

/// Progress or result of a task on a model's weights.
#[derive(Clone, Debug, PartialEq)]
pub enum ModelTask {
    /// The task is running.
    Running {
        /// Current step.
        step: Step,
        /// Completed fraction, 0 to 1, if known.
        fraction: Option<f32>,
    },
    /// Verification succeeded for every byte.
    Verified,
    /// Weights were imported from a file.
    Imported {
        /// Name given to the model.
        model: String,
        /// Recognised network, if the file did not state its construction.
        summary: Option<Summary>,
    },
    /// The task failed.
    Failed(Problem),
    /// The task ended without further information.
    Ended,
}

/// State of an export.
#[derive(Clone, Debug, PartialEq)]
pub enum ExportState {
    /// Running, with the completed fraction from 0 to 1.
    Running(f32),
    /// Complete.
    Done {
        /// Written files.
        files: Vec<PathBuf>,
        /// Notes for the user, such as a downmix to stereo or use of the limiter.
        notes: Notes,
        /// Common gain in dB that kept integer samples from clipping; 0 if none was needed.
        gain_db: f32,
    },
    /// These files exist, and the sender requested that the user decides. Nothing was written.
    Exists(Vec<PathBuf>),
    /// The export failed.
    Failed(Problem),
    /// Cancelled by the user; nothing is left on disk.
    Cancelled,
}

/// An event of the engine. Events carry IDs, numbers and `Arc`s, so they are cheap to clone.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// Complete state of the library: sent first, and after [`crate::engine::Command::Reset`].
    Library {
        /// Every song, newest first.
        songs: Vec<Song>,
        /// Every job, newest first.
        jobs: Vec<Job>,
    },
    /// A song was added or changed.
    Song(Song),
    /// A song's cover was loaded; at the start, after the library was sent.
    Cover {
        /// Song of the cover.
        song: SongId,
        /// Scaled picture.
        cover: Arc<Thumbnail>,
    },
    /// A song was removed with its jobs.
    SongRemoved(SongId),
    /// A file is being imported.
    Importing {
        /// Path of the file.
        path: PathBuf,
        /// Completed fraction, 0 to 1.
        fraction: f32,
    },
    /// A file was imported; its [`Event::Song`] was sent just before.
    Imported {
        /// Path of the file.
        path: PathBuf,
        /// Song of the file.
        song: SongId,
    },
    /// A file could not be imported.
    ImportFailed {
        /// Path of the file.
        path: PathBuf,
        /// Reason of the failure.
        problem: Problem,
    },
    /// Files of a folder were skipped by an import.
    PassedOver {
        /// Path of the folder.
        folder: PathBuf,
        /// Number of files by reason.
        left_out: LeftOut,
    },
    /// All files of one [`crate::engine::Command::Import`] were handled.
    ImportEnded,
    /// A job was added or changed.
    Job(Job),
    /// Waiting jobs, the next one first; sent whenever they change.
    Queue(Vec<JobId>),
    /// Jobs were removed from the list.
    JobsCleared(Vec<JobId>),
    /// All result files of a job exist.
    Tracks {
        /// Job of the files.
        job: JobId,
        /// One file for each stem, and the mix.
        files: Vec<PathBuf>,
    },
    /// A song was opened: the player has it, and its peaks follow.
    Opened {
        /// Opened song.
        song: SongId,
        /// Length in frames.
        frames: u64,
        /// Stem names in the order of [`Lane::Stem`]; empty without an installed model.
        stems: Vec<String>,
    },
    /// A section of a waveform of the open song.
    Peaks {
        /// Song of the waveform.
        song: SongId,
        /// Lane of the waveform.
        lane: Lane,
        /// Index of the first bin; a bin is [`crate::engine::audio::peaks::FRAMES_PER_PEAK`]
        /// frames.
        first: usize,
        /// Peaks of the bins.
        peaks: Arc<[Peak]>,
    },
    /// A section of a waveform of the open song, with a higher resolution than [`Self::Peaks`].
    Detail {
        /// Song of the waveform.
        song: SongId,
        /// Lane of the waveform.
        lane: Lane,
        /// First frame of the first bin.
        first_frame: u64,
        /// Frames per bin.
        frames_per_peak: usize,
        /// Peaks of the bins.
        peaks: Arc<[Peak]>,
    },
    /// The segment being computed changed.
    Computing {
        /// Song of the segment.
        song: SongId,
        /// Frames `[start, end)` of the segment; `None` if the song is no longer being computed.
        frames: Option<(u64, u64)>,
    },
    /// Finished segments of the open song, in any order.
    Segments {
        /// Song of the segments.
        song: SongId,
        /// Frame ranges `[start, end)` with stems, ascending and disjoint.
        covered: Vec<(u64, u64)>,
        /// Frame ranges with final stems, excluding drafts.
        refined: Vec<(u64, u64)>,
    },
    /// Shown stems of the open song, and the choices: sent when the song is opened, and when a job
    /// of it ends.
    Shown {
        /// Opened song.
        song: SongId,
        /// Separation options of the shown stems.
        options: SeparationOptions,
        /// The stems in the order of [`Lane::Stem`].
        stems: Vec<StemInfo>,
        /// Networks that make the stems; those of the ticked stems run.
        makers: Vec<Maker>,
        /// Stems of the chain for which networks are missing.
        missing: Vec<MissingStems>,
        /// Costs of the available qualities.
        offers: Vec<QualityCost>,
        /// Available versions of the stems.
        versions: Vec<Version>,
    },
    /// The stores of a song, as it is heard; the stems of a running job among them.
    Track {
        /// ID of the command.
        request: RequestId,
        /// Song of the stores.
        song: SongId,
        /// The stores.
        track: Box<SongTrack>,
    },
    /// List of models.
    Models(Vec<ModelEntry>),
    /// List of chains: sent with the list of models, and when a chain was changed.
    Chains(Vec<ChainEntry>),
    /// Progress of a task on a model's weights; without a name until that is known.
    ModelTask(Option<String>, ModelTask),
    /// The model's state changed; also sent at the start.
    Model(ModelState),
    /// Expected seconds per segment on this machine. Sent at the start before the model's state, if
    /// known, and after every change.
    Pace(f64),
    /// Expected seconds per segment of a job; sent when the job begins, if known.
    JobPace(JobId, f64),
    /// Fields for naming the files of a song.
    Described {
        /// Song of the fields.
        song: SongId,
        /// Values, except for those that differ between files.
        fields: Fields,
    },
    /// Last lane settings of songs; sent at the start.
    Lanes(Vec<(SongId, Lanes)>),
    /// Available sound devices, the system's default first.
    Outputs(Vec<Output>),
    /// Graphics cards on which this build can compute, the preferred one first.
    Devices(Vec<Card>),
    /// A remark about the computation of a song.
    Noted {
        /// Song of the remark.
        song: SongId,
        /// The remark.
        note: Note,
    },
    /// Songs whose files are not at their paths.
    Missing(Vec<SongId>),
    /// Size of the data folder, in bytes.
    HomeMeasured {
        /// Path of the data folder.
        home: PathBuf,
        /// Total size.
        all: u64,
        /// Size of the stems that [`crate::engine::Command::ClearStems`] would remove.
        stems: u64,
    },
    /// A bug report was written to this file.
    ReportSaved(PathBuf),
    /// An export's state changed.
    Export {
        /// ID of the export.
        id: ExportId,
        /// New state.
        state: ExportState,
    },
    /// All files to be dragged out of the window exist.
    DragReady {
        /// Song of the files.
        song: SongId,
        /// Requested stems.
        stems: Vec<String>,
        /// One file for each stem, in the model's order.
        files: Vec<PathBuf>,
    },
    /// A request for a song waits for another process and will resume automatically.
    Waiting {
        /// Song of the request.
        song: SongId,
        /// Obstacle to be waited for.
        problem: Problem,
    },
    /// A job was created for a [`crate::engine::Command::Process`] or
    /// [`crate::engine::Command::Retry`]; its [`Event::Job`]s follow.
    Accepted {
        /// ID of the command.
        request: RequestId,
        /// Job of the command; several commands may share one.
        job: JobId,
    },
    /// A command was handled; sent for each, as the last event of its handling. Work that the command
    /// began goes on.
    Handled(RequestId),
    /// A failure that no other event reports.
    Failed {
        /// Command that failed; `None` for failures of the engine itself.
        request: Option<RequestId>,
        /// Affected song, if any.
        song: Option<SongId>,
        /// Reason of the failure.
        problem: Problem,
    },
}

/// Sender of events, usable from any of the engine's threads.
#[derive(Clone)]
pub(super) struct EventSink {
    sender: Sender<Event>,
    waker: Arc<dyn Fn() + Send + Sync>,
}

impl EventSink {
    pub(super) fn new(sender: Sender<Event>, waker: Arc<dyn Fn() + Send + Sync>) -> Self {
        Self { sender, waker }
    }

    /// Sends an event that must arrive; blocks while the channel is full.
    pub(super) fn send(&self, event: Event) {
        // The receiver is gone at the end of the program.
        if self.sender.send(event).is_ok() {
            (self.waker)();
        }
    }

    /// Sends an event that the next one replaces, such as progress; dropped if the channel is full.
    pub(super) fn try_send(&self, event: Event) {
        if self.sender.try_send(event).is_ok() {
            (self.waker)();
        }
    }
}
