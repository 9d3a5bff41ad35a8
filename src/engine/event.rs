//! What the engine tells the window and the command line.

use std::{path::PathBuf, sync::Arc};

use crossbeam_channel::Sender;

use crate::{
    engine::{
        audio::peaks::Peak,
        export::Fields,
        library::Lanes,
        note::Notes,
        player::Output,
        problem::{LeftOut, Problem},
        separation::options::{QualityCost, SeparationOptions, Version},
        types::{ExportId, Job, JobId, RequestId, Song, SongId, Thumbnail},
    },
    model::{
        recognition::Summary,
        weights::{State, Step},
    },
};

/// One lane of a song.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Lane {
    /// The song as it came.
    Original,
    /// A stem, by its place in the model's order.
    Stem(usize),
    /// What no stem holds: the song less all its stems, where those are finished.
    Residual,
}

/// Whether the model can be used.
#[derive(Clone, Debug, PartialEq)]
pub enum ModelState {
    /// No weights are installed.
    Missing,
    /// Weights are on their way.
    Installing {
        /// The step.
        step: Step,
        /// 0 to 1, where it is known.
        fraction: Option<f32>,
    },
    /// Installed and verified.
    Ready {
        /// The model's stems in its order.
        sources: Vec<String>,
        /// Bytes of memory that it takes at least.
        least_memory: u64,
    },
    /// It could not be installed or used; the user may try again.
    Failed(Problem),
}

/// A model, as the user can manage it.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelEntry {
    /// What it is called.
    pub name: String,
    /// One line for people; empty for one of the user's own.
    pub title: String,
    /// Its stems.
    pub sources: Vec<String>,
    /// The terms of its weights.
    pub terms: String,
    /// Bytes to fetch; roughly.
    pub bytes: u64,
    /// Whether it is installed.
    pub state: State,
    /// Networks that are installed, and all of them.
    pub networks: (usize, usize),
    /// Whether it is the user's own.
    pub is_own: bool,
}

/// What is being done to a model's weights, or what came of it.
#[derive(Clone, Debug, PartialEq)]
pub enum ModelTask {
    /// It goes on.
    Running {
        /// The step.
        step: Step,
        /// 0 to 1, where it is known.
        fraction: Option<f32>,
    },
    /// Every byte is as it should be.
    Verified,
    /// The weights of a file were installed.
    Imported {
        /// The name that the model has now.
        model: String,
        /// The recognised network, where the file did not state how it is built.
        summary: Option<Summary>,
    },
    /// It failed.
    Failed(Problem),
    /// It is over, and there is nothing to say.
    Ended,
}

/// Where an export stands.
#[derive(Clone, Debug, PartialEq)]
pub enum ExportState {
    /// 0 to 1.
    Running(f32),
    /// Complete.
    Done {
        /// The files written.
        files: Vec<PathBuf>,
        /// Notes for the user: folded down to stereo, went through the limiter.
        notes: Notes,
        /// Common gain in dB that kept integer samples from clipping; 0 when none was needed.
        gain_db: f32,
    },
    /// These files are there, and the sender wanted its user to be asked. Nothing was written.
    Exists(Vec<PathBuf>),
    /// It failed.
    Failed(Problem),
    /// Ended by the user; nothing is left on disk.
    Cancelled,
}

/// News from the engine. Carries ids, numbers and `Arc`s.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// The library as it is: sent first, and after [`crate::engine::Command::Reset`].
    Library {
        /// Every song, newest first.
        songs: Vec<Song>,
        /// Every job, newest first.
        jobs: Vec<Job>,
    },
    /// A song came, or changed.
    Song(Song),
    /// A song's cover was read; at the start, when the library is already told.
    Cover {
        /// The song.
        song: SongId,
        /// Its picture.
        cover: Arc<Thumbnail>,
    },
    /// A song was removed, with its jobs.
    SongRemoved(SongId),
    /// A file is being read.
    Importing {
        /// The file.
        path: PathBuf,
        /// 0 to 1.
        fraction: f32,
    },
    /// A file is in the library; its [`Event::Song`] came just before.
    Imported {
        /// The file.
        path: PathBuf,
        /// Its song.
        song: SongId,
    },
    /// A file could not be added.
    ImportFailed {
        /// The file.
        path: PathBuf,
        /// The reason.
        problem: Problem,
    },
    /// Files of a folder were left out of an import.
    PassedOver {
        /// The folder.
        folder: PathBuf,
        /// How many, and why.
        left_out: LeftOut,
    },
    /// All files of one [`crate::engine::Command::Import`] were handled.
    ImportEnded,
    /// A job came, or changed.
    Job(Job),
    /// The jobs that wait, the next one first; told whenever that has changed.
    Queue(Vec<JobId>),
    /// Jobs were taken off the list.
    JobsCleared(Vec<JobId>),
    /// The result files of a job are there, whole.
    Tracks {
        /// The job.
        job: JobId,
        /// One for each of its stems, and their mix.
        files: Vec<PathBuf>,
    },
    /// A song was opened: the player holds it, its peaks follow.
    Opened {
        /// The song.
        song: SongId,
        /// Its length in frames.
        frames: u64,
        /// Stem names in the order of [`Lane::Stem`]; empty when no model is installed.
        stems: Vec<String>,
    },
    /// A stretch of a waveform of the open song.
    Peaks {
        /// The song.
        song: SongId,
        /// Which lane.
        lane: Lane,
        /// The first bin's index; a bin is [`crate::engine::audio::peaks::FRAMES_PER_PEAK`] frames.
        first: usize,
        /// The bins.
        peaks: Arc<[Peak]>,
    },
    /// A stretch of a waveform of the open song, finer than [`Self::Peaks`].
    Detail {
        /// The song.
        song: SongId,
        /// Which lane.
        lane: Lane,
        /// The first bin's first frame.
        first_frame: u64,
        /// Frames of a bin.
        frames_per_peak: usize,
        /// The bins.
        peaks: Arc<[Peak]>,
    },
    /// The segment that is being computed changed.
    Computing {
        /// The song.
        song: SongId,
        /// Its frames `[start, end)`; `None` when nothing of this song is computed any more.
        frames: Option<(u64, u64)>,
    },
    /// What is still to be computed of a song: told when it is opened, and when a job of it ends.
    Need {
        /// The song.
        song: SongId,
        /// Segments that are not in the store.
        segments: usize,
        /// Bytes that they will take on the disk.
        bytes: u64,
    },
    /// Segments of the open song that are in the stem store, in any order.
    Segments {
        /// The song.
        song: SongId,
        /// Frame ranges `[start, end)` that stems cover, ascending and disjoint.
        covered: Vec<(u64, u64)>,
        /// Those of them whose stems are final, and no draft.
        refined: Vec<(u64, u64)>,
    },
    /// What the open song shows, and what there is to choose from: told when it is opened, and when a
    /// job of it ends.
    Shown {
        /// The song.
        song: SongId,
        /// What makes the stems that it shows.
        recipe: SeparationOptions,
        /// Whether the last stem is the mix without all others: then there is no residual.
        has_rest: bool,
        /// For each stem the networks that make it: a bag runs those of the ticked stems.
        makers: Vec<Vec<usize>>,
        /// For each stem the segments that are missing of it.
        missing: Vec<usize>,
        /// What its qualities cost.
        offers: Vec<QualityCost>,
        /// The versions of its stems that are there.
        versions: Vec<Version>,
    },
    /// The models, as they can be managed.
    Models(Vec<ModelEntry>),
    /// What is being done to the weights of a model; without a name where it is not known yet.
    ModelTask(Option<String>, ModelTask),
    /// The model's state changed; sent at the start too.
    Model(ModelState),
    /// Seconds that a segment is expected to take on this machine: told at the start, before the
    /// model's state, where it is known, and whenever it has changed.
    Pace(f64),
    /// Seconds that a segment of a job is expected to take; told when the job begins, where it is
    /// known.
    JobPace(JobId, f64),
    /// What the files of a song can be named by.
    Described {
        /// The song.
        song: SongId,
        /// Without what differs from file to file.
        fields: Fields,
    },
    /// What was set on the lanes of songs when they were used last; told at the start.
    Lanes(Vec<(SongId, Lanes)>),
    /// The sound devices that there are, the system's choice first.
    Outputs(Vec<Output>),
    /// The songs whose own files are not where they were.
    Missing(Vec<SongId>),
    /// How much the data folder holds, in bytes.
    HomeMeasured {
        /// The data folder.
        home: PathBuf,
        /// All that is in it.
        all: u64,
        /// Size of the stems that [`crate::engine::Command::ClearStems`] would remove.
        stems: u64,
    },
    /// A report is in this file.
    ReportSaved(PathBuf),
    /// An export's state changed.
    Export {
        /// The export.
        id: ExportId,
        /// Its state.
        state: ExportState,
    },
    /// Files that can be dragged out of the window are there, whole.
    DragReady {
        /// The song.
        song: SongId,
        /// What was asked for.
        stems: Vec<String>,
        /// One for each stem, in the model's order.
        files: Vec<PathBuf>,
    },
    /// What was asked of a song waits for somebody else, and then goes on by itself.
    Waiting {
        /// The song.
        song: SongId,
        /// The obstacle.
        problem: Problem,
    },
    /// A job answers a [`crate::engine::Command::Process`] or [`crate::engine::Command::Retry`]; its
    /// [`Event::Job`]s follow.
    Accepted {
        /// The command.
        request: RequestId,
        /// The job; several commands may share one.
        job: JobId,
    },
    /// Something failed that no other event reports.
    Failed {
        /// The command that failed; `None` where the engine itself met the failure.
        request: Option<RequestId>,
        /// The song it is about, if any.
        song: Option<SongId>,
        /// The reason.
        problem: Problem,
    },
}

/// Sends events from any of the engine's threads.
#[derive(Clone)]
pub(super) struct EventSink {
    sender: Sender<Event>,
    waker: Arc<dyn Fn() + Send + Sync>,
}

impl EventSink {
    pub(super) fn new(sender: Sender<Event>, waker: Arc<dyn Fn() + Send + Sync>) -> Self {
        Self { sender, waker }
    }

    /// Sends an event that must arrive; waits while the channel is full.
    pub(super) fn send(&self, event: Event) {
        // The receiver is gone when the program ends.
        if self.sender.send(event).is_ok() {
            (self.waker)();
        }
    }

    /// Sends an event that the next one replaces, such as progress; dropped when the channel is full.
    pub(super) fn try_send(&self, event: Event) {
        if self.sender.try_send(event).is_ok() {
            (self.waker)();
        }
    }
}
