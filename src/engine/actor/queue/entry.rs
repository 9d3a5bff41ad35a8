//! Jobs in the queue, and requests for them: plain data, with the reason and duration of a hold.
//!
//! Pure, like the queue; runs on the engine's thread.

use std::time::{Duration, Instant};

use crate::engine::{
    actor::LOOK_EVERY,
    problem::Problem,
    separation::options::SeparationOptions,
    types::{Job, JobId, JobState, RequestId, SongId},
};

/// The limit on doublings of [`LOOK_EVERY`] between two tries: about a minute.
const MOST_DOUBLINGS: u32 = 6;

/// A request for stems of a song, with the options of the separation.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::engine::actor) struct JobRequest {
    pub(in crate::engine::actor) song: SongId,
    pub(in crate::engine::actor) options: SeparationOptions,
    pub(in crate::engine::actor) drafts_first: bool,
    pub(in crate::engine::actor) stems: Vec<String>,
    /// The listener's position in frames, used if the song is not open.
    pub(in crate::engine::actor) from_frame: u64,
    /// The command that made the request, if known.
    pub(in crate::engine::actor) request: Option<RequestId>,
    /// A job to restart instead of adding one, even if it has ended. It is restarted only while it is
    /// the newest job of these options.
    pub(in crate::engine::actor) reuse: Option<JobId>,
}

impl JobRequest {
    /// A request that repeats a job.
    pub(in crate::engine::actor) fn from_job(
        job: &Job,
        request: Option<RequestId>,
        from_frame: u64,
    ) -> Self {
        Self {
            song: job.song,
            options: job.options(),
            drafts_first: job.drafts_first,
            stems: job.stems.clone(),
            from_frame,
            request,
            reuse: Some(job.id),
        }
    }
}

/// A job that has not ended.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) job: Job,
    /// The last command that requested the job.
    pub(super) request: Option<RequestId>,
    pub(super) from_frame: u64,
    pub(super) hold: Hold,
    /// The last disk failure. It outlives the hold: a try without progress doubles the time to the
    /// next one.
    pub(super) backoff: Option<Backoff>,
}

/// The reason why a job does not run although the jobs before it have ended.
///
/// A lock of another process is not a hold: that process owns the library's row of the job. The queue
/// keeps only the request, in its list of held requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hold {
    None,
    /// The user has paused the job.
    User,
    /// The disk is full or missing; the next try is not before this time.
    Disk {
        again: Instant,
    },
}

/// The last disk failure of a job.
#[derive(Clone, Debug)]
pub(super) struct Backoff {
    problem: Problem,
    /// Segments that were done at the failure.
    segments: usize,
    /// Tries since then without progress.
    tries: u32,
}

impl Entry {
    pub(super) fn is_due(&self, now: Instant) -> bool {
        matches!(self.hold, Hold::Disk { again } if now >= again)
    }

    /// Holds the job until the disk can be written. Returns the problem if it is a new one.
    pub(super) fn hold_for_disk(&mut self, error: &Problem, now: Instant) -> Option<Problem> {
        let problem = Problem::WaitsForDisk { cause: Box::new(error.clone()) };
        let segments = self.job.segments_done;
        let before = self.backoff.take().filter(|before| before.segments == segments);
        let is_known = before.as_ref().is_some_and(|before| before.problem == problem);
        let tries = before.map_or(0, |before| before.tries + 1);
        self.backoff = Some(Backoff { problem: problem.clone(), segments, tries });
        self.hold = Hold::Disk { again: now + delay(tries) };
        self.job.state = JobState::Waiting;
        (!is_known).then_some(problem)
    }
}

/// The time to the next try after this many without progress.
fn delay(tries: u32) -> Duration {
    LOOK_EVERY * 2_u32.pow(tries.min(MOST_DOUBLINGS))
}
