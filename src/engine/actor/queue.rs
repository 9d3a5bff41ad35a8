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

/// The waiting jobs in the order of their requests, and the running one.
#[derive(Default)]
pub(super) struct Queue {
    pub(super) waiting: VecDeque<(Job, u64)>,
    /// Jobs that wait for the disk, not for their turn.
    pub(super) paused: Vec<Paused>,
    pub(super) backoffs: BTreeMap<JobId, Backoff>,
    /// Requests for songs that another process works on.
    pub(super) held_elsewhere: Vec<(SongId, JobRequest, u64)>,
    pub(super) running: Option<Running>,
    /// The last command that requested each job that has not ended.
    pub(super) requests: BTreeMap<JobId, RequestId>,
}

/// The reason for which a running job is stopped before it is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// The user cancelled it.
    Cancelled,
    /// The user paused it.
    Paused,
    /// It restarts at once with other options.
    Again,
}

impl Stop {
    /// The job's state after the stop.
    pub(super) fn state(self) -> JobState {
        match self {
            Self::Cancelled => JobState::Cancelled,
            Self::Paused => JobState::Paused,
            Self::Again => JobState::Waiting,
        }
    }
}

/// A request for stems of a song, with the options of the separation.
#[derive(Clone)]
pub(super) struct JobRequest {
    pub(super) options: SeparationOptions,
    pub(super) drafts_first: bool,
    pub(super) stems: Vec<String>,
    /// The command that made the request, if known.
    pub(super) request: Option<RequestId>,
}

impl JobRequest {
    /// The request that made a job.
    pub(super) fn by(job: &Job, request: Option<RequestId>) -> Self {
        let (options, stems) = (job.options(), job.stems.clone());
        Self { options, drafts_first: job.drafts_first, stems, request }
    }
}

/// A job that waits for the disk, and the time of its next try.
pub(super) struct Paused {
    pub(super) job: Job,
    pub(super) from_frame: u64,
    pub(super) again: Instant,
}

/// The reason for the last pause of a job.
pub(super) struct Backoff {
    /// Segments that were done at that time.
    pub(super) segments: usize,
    pub(super) problem: Problem,
    /// Tries since then without progress.
    pub(super) tries: u32,
}

pub(super) struct Running {
    pub(super) job: Job,
    pub(super) track: SongTrack,
    pub(super) cancel: CancelToken,
    /// The reason for which it was stopped, if it was.
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
    /// Stops the job within one segment. The first reason wins, except that a user's cancellation
    /// overrides it.
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

    /// The stores that the running job writes, if it is of this song and these options.
    pub(super) fn track_of(&self, song: SongId, options: &SeparationOptions) -> Option<SongTrack> {
        let running = self.running.as_ref().filter(|running| running.job.is_of(song, options));
        running.map(|running| running.track.clone())
    }

    /// The waiting jobs, the next one first.
    pub(super) fn order(&self) -> impl Iterator<Item = JobId> {
        let paused = self.paused.iter().map(|paused| paused.job.id);
        self.waiting.iter().map(|(job, _)| job.id).chain(paused)
    }

    /// Removes a waiting job.
    pub(super) fn forget(&mut self, id: JobId) {
        self.waiting.retain(|(job, _)| job.id != id);
        self.paused.retain(|paused| paused.job.id != id);
    }

    /// The job of a song that waits or runs, unless it is being ended.
    pub(super) fn job_of(&mut self, song: SongId, options: &SeparationOptions) -> Option<&mut Job> {
        let paused = self.paused.iter_mut().map(|paused| &mut paused.job);
        let waiting = self.waiting.iter_mut().map(|(job, _)| job).chain(paused);
        self.running
            .iter_mut()
            .filter(|running| running.stop.is_none_or(|stop| stop == Stop::Again))
            .map(|running| &mut running.job)
            .chain(waiting)
            .find(|job| job.is_of(song, options))
    }
}
