//! The queue of jobs: those that wait, the one that runs, and what keeps others from their turn.
//!
//! Pure: knows no library, no worker and no clock. Belongs to the engine's thread.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Instant,
};

use crate::engine::{
    problem::Problem,
    separation::options::SeparationOptions,
    store::track::SongTrack,
    types::{CancelToken, Job, JobId, JobState, RequestId, SongId},
};

/// Jobs that wait, in the order they were asked for, and the one that runs.
#[derive(Default)]
pub(super) struct Queue {
    pub(super) waiting: VecDeque<(Job, u64)>,
    /// Jobs that wait for the disk, not for their turn.
    pub(super) paused: Vec<Paused>,
    pub(super) backoffs: BTreeMap<JobId, Backoff>,
    /// What was asked of songs that another Partita works on.
    pub(super) held_elsewhere: Vec<(SongId, JobRequest, u64)>,
    pub(super) running: Option<Running>,
    /// The last command that asked for each job that has not ended.
    pub(super) requests: BTreeMap<JobId, RequestId>,
}

/// Why a running job was told to end before it is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// The user ended it.
    Cancelled,
    /// The user lets it rest.
    Paused,
    /// It is to go on at once, in another way.
    Again,
}

impl Stop {
    /// What the job is then.
    pub(super) fn state(self) -> JobState {
        match self {
            Self::Cancelled => JobState::Cancelled,
            Self::Paused => JobState::Paused,
            Self::Again => JobState::Waiting,
        }
    }
}

/// What is asked of a song: which stems, and how they are made.
#[derive(Clone)]
pub(super) struct JobRequest {
    pub(super) recipe: SeparationOptions,
    pub(super) drafts_first: bool,
    pub(super) stems: Vec<String>,
    /// The command that asks, where it is known.
    pub(super) request: Option<RequestId>,
}

impl JobRequest {
    /// The request that a job answers.
    pub(super) fn by(job: &Job, request: Option<RequestId>) -> Self {
        let (recipe, stems) = (job.recipe(), job.stems.clone());
        Self { recipe, drafts_first: job.drafts_first, stems, request }
    }
}

/// A job that the disk does not take, and when it is tried again.
pub(super) struct Paused {
    pub(super) job: Job,
    pub(super) from_frame: u64,
    pub(super) again: Instant,
}

/// Why a job was paused last.
pub(super) struct Backoff {
    /// How far it had come.
    pub(super) segments: usize,
    pub(super) problem: Problem,
    /// How often it was tried again without coming further.
    pub(super) tries: u32,
}

pub(super) struct Running {
    pub(super) job: Job,
    pub(super) track: SongTrack,
    pub(super) cancel: CancelToken,
    /// Why it was told to end, if it was.
    pub(super) stop: Option<Stop>,
    /// Segments that were in the store at its start, and that it has added.
    pub(super) known_segments: usize,
    /// Segments that it has added, and the seconds that they took.
    pub(super) computed: (usize, f64),
    /// The same of its draft.
    pub(super) drafted: (usize, f64),
    /// Networks that it runs for each segment.
    pub(super) networks: usize,
}

impl Running {
    /// Ends it within one segment. What was said first holds, but for the user's end.
    pub(super) fn stop(&mut self, why: Stop) {
        if self.stop.is_none() || why == Stop::Cancelled {
            self.stop = Some(why);
        }
        self.cancel.cancel();
    }
}

impl Queue {
    pub(super) fn is_idle(&self) -> bool {
        self.running.is_none()
    }

    /// The stores that a running job writes.
    pub(super) fn track_of(&self, song: SongId, recipe: &SeparationOptions) -> Option<SongTrack> {
        let running = self.running.as_ref().filter(|running| running.job.is_of(song, recipe));
        running.map(|running| running.track.clone())
    }

    /// The jobs that wait, the next one first.
    pub(super) fn order(&self) -> impl Iterator<Item = JobId> {
        let paused = self.paused.iter().map(|paused| paused.job.id);
        self.waiting.iter().map(|(job, _)| job.id).chain(paused)
    }

    /// Takes a job out that waits.
    pub(super) fn forget(&mut self, id: JobId) {
        self.waiting.retain(|(job, _)| job.id != id);
        self.paused.retain(|paused| paused.job.id != id);
    }

    /// The job of a song that waits or runs, unless it is being ended.
    pub(super) fn job_of(&mut self, song: SongId, recipe: &SeparationOptions) -> Option<&mut Job> {
        let paused = self.paused.iter_mut().map(|paused| &mut paused.job);
        let waiting = self.waiting.iter_mut().map(|(job, _)| job).chain(paused);
        self.running
            .iter_mut()
            .filter(|running| running.stop.is_none_or(|stop| stop == Stop::Again))
            .map(|running| &mut running.job)
            .chain(waiting)
            .find(|job| job.is_of(song, recipe))
    }
}
