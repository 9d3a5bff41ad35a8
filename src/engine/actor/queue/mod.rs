//! The queue of jobs: a pure state machine. Each method is one transition and returns what the engine
//! has to do.
//!
//! It has no access to the library, the worker or the clock: times are passed in. Runs on the
//! engine's thread.

mod entry;

use std::time::Instant;

pub(super) use entry::JobRequest;
use entry::{Entry, Hold};

use crate::engine::{
    problem::{Class, Problem, Result},
    separation::options::SeparationOptions,
    types::{Job, JobId, JobState, RequestId, SongId},
};

#[cfg(test)]
mod sequence_tests;
#[cfg(test)]
mod tests;

/// The reason why a running job is stopped early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stop {
    Cancelled,
    Paused,
    /// The job restarts at once, perhaps with other options.
    Restart,
}

impl Stop {
    /// The job's state after the stop.
    fn state(self) -> JobState {
        match self {
            Self::Cancelled => JobState::Cancelled,
            Self::Paused => JobState::Paused,
            Self::Restart => JobState::Waiting,
        }
    }
}

/// The job that was taken to run.
#[derive(Debug)]
struct Running {
    entry: Entry,
    stop: Option<Stop>,
}

/// A job to start.
#[derive(Clone, Debug)]
pub(super) struct Next {
    pub(super) job: Job,
    pub(super) from_frame: u64,
}

/// A job that has stopped running.
#[derive(Debug)]
pub(super) struct Finished {
    pub(super) job: Job,
    pub(super) request: Option<RequestId>,
    pub(super) outcome: Outcome,
}

/// The consequence for a job that has stopped running.
#[derive(Debug, PartialEq)]
pub(super) enum Outcome {
    /// The job has ended, is paused by the user, or waits to restart, according to its state.
    Settled,
    /// The job waits for the disk. `notice` is a problem that the user was not notified of.
    HeldByDisk { notice: Option<Problem> },
    /// Another process works on the song, and owns the library's row of the job.
    HeldElsewhere,
}

/// The jobs that have not ended, and the requests that cannot become jobs yet.
#[derive(Default)]
pub(super) struct Queue {
    /// The jobs that do not run. Jobs that are not held run in this order.
    entries: Vec<Entry>,
    running: Option<Running>,
    /// Requests for stems on which another process works, one for each song and options.
    held_requests: Vec<JobRequest>,
    /// The order that [`Self::order_change`] returned last.
    announced: Vec<JobId>,
}

/// Queries.
impl Queue {
    pub(super) fn is_idle(&self) -> bool {
        self.running.is_none()
    }

    /// Whether the running job makes these stems.
    pub(super) fn is_running(&self, song: SongId, options: &SeparationOptions) -> bool {
        self.running.as_ref().is_some_and(|running| running.entry.job.is_of(song, options))
    }

    /// The running job, even while it is being stopped.
    pub(super) fn running(&self) -> Option<&Job> {
        self.running.as_ref().map(|running| &running.entry.job)
    }

    /// The job, if it is running and not being stopped.
    pub(super) fn unstopped(&self, id: JobId) -> Option<&Job> {
        let running = self.running.as_ref().filter(|running| running.stop.is_none())?;
        Some(&running.entry.job).filter(|job| job.id == id)
    }

    /// The last command that requested a job.
    pub(super) fn request_of(&self, id: JobId) -> Option<RequestId> {
        let running = self.running.iter().map(|running| &running.entry);
        running.chain(&self.entries).find(|entry| entry.job.id == id)?.request
    }

    /// The waiting jobs, the next one first, then the jobs that wait for the disk.
    pub(super) fn order(&self) -> impl Iterator<Item = JobId> {
        let on_disk = |entry: &&Entry| matches!(entry.hold, Hold::Disk { .. });
        let waiting = self.entries.iter().filter(|entry| entry.hold == Hold::None);
        waiting.chain(self.entries.iter().filter(on_disk)).map(|entry| entry.job.id)
    }

    /// The order of the waiting jobs, if it differs from the last one that was returned.
    pub(super) fn order_change(&mut self) -> Option<Vec<JobId>> {
        let has_changed = !self.order().eq(self.announced.iter().copied());
        has_changed.then(|| {
            self.announced = self.order().collect();
            self.announced.clone()
        })
    }

    /// The jobs that wait for the disk and are due for another try.
    pub(super) fn due(&self, now: Instant) -> impl Iterator<Item = &Job> {
        self.entries.iter().filter(move |entry| entry.is_due(now)).map(|entry| &entry.job)
    }

    /// The requests for stems on which another process works.
    pub(super) fn held_requests(&self) -> &[JobRequest] {
        &self.held_requests
    }
}

/// Transitions that the user requests.
impl Queue {
    /// Adds the unfinished jobs of the last run at the start, in their order.
    pub(super) fn restore(&mut self, jobs: impl IntoIterator<Item = Job>) {
        for mut job in jobs.into_iter().filter(|job| !job.is_ended()) {
            let is_paused = job.state == JobState::Paused;
            if !is_paused {
                job.state = JobState::Waiting;
            }
            let hold = if is_paused { Hold::User } else { Hold::None };
            self.entries.push(Entry { job, request: None, from_frame: 0, hold, backoff: None });
        }
    }

    /// Adds the stems of a request to a waiting or running job of the same song and options. Returns
    /// that job. One pass makes all stems; a bag continues with those that were not requested before.
    /// A job that is being stopped restarts with the new stems only.
    pub(super) fn join(&mut self, request: &JobRequest) -> Option<Job> {
        let is_same = |entry: &Entry| entry.job.is_of(request.song, &request.options);
        let running = self.running.as_mut().filter(|running| is_same(&running.entry));
        let entry = if let Some(running) = running {
            if let Some(Stop::Cancelled | Stop::Paused) = running.stop {
                running.stop = Some(Stop::Restart);
                running.entry.job.stems.clear();
                running.entry.from_frame = request.from_frame;
            }
            &mut running.entry
        } else {
            let is_waiting = |entry: &&mut Entry| is_same(entry) && entry.hold != Hold::User;
            let entry = self.entries.iter_mut().find(is_waiting)?;
            entry.from_frame = request.from_frame;
            entry
        };
        join_stems(&mut entry.job.stems, &request.stems);
        entry.request = request.request.or(entry.request);
        Some(entry.job.clone())
    }

    /// Appends a job.
    pub(super) fn push(&mut self, job: Job, request: Option<RequestId>, from_frame: u64) {
        let entry = self.renew(job, request, from_frame);
        self.entries.push(entry);
    }

    /// Takes a job from the queue, if it is there, and releases it. Keeps its request and backoff.
    fn renew(&mut self, job: Job, request: Option<RequestId>, from_frame: u64) -> Entry {
        let before = self.take(job.id);
        let request = request.or(before.as_ref().and_then(|entry| entry.request));
        let backoff = before.and_then(|entry| entry.backoff);
        Entry { job, request, from_frame, hold: Hold::None, backoff }
    }

    fn take(&mut self, id: JobId) -> Option<Entry> {
        let at = self.entries.iter().position(|entry| entry.job.id == id)?;
        Some(self.entries.remove(at))
    }

    /// Pauses a job until [`Self::resume`]. Returns whether it runs: the engine then stops the
    /// worker.
    #[must_use]
    pub(super) fn pause(&mut self, id: JobId) -> bool {
        if self.stop(Some(id), Stop::Paused) {
            return true;
        }
        self.held_requests.retain(|request| request.reuse != Some(id));
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.job.id == id) {
            entry.hold = Hold::User;
            entry.job.state = JobState::Paused;
        }
        false
    }

    /// Restarts the running job if it is this one and is being paused. Returns whether this job runs.
    pub(super) fn resume_running(&mut self, id: JobId) -> bool {
        let Some(running) = self.running.as_mut().filter(|running| running.entry.job.id == id)
        else {
            return false;
        };
        if running.stop == Some(Stop::Paused) {
            running.stop = Some(Stop::Restart);
        }
        true
    }

    /// Moves a paused job to the front and releases it.
    pub(super) fn resume(&mut self, job: Job) {
        let entry = self.renew(job, None, 0);
        self.entries.insert(0, entry);
    }

    /// Cancels a job. If it does not run, also drops the held requests for its song. Returns whether
    /// it runs: the engine then stops the worker.
    #[must_use]
    pub(super) fn cancel(&mut self, id: JobId, song: Option<SongId>) -> bool {
        if self.stop(Some(id), Stop::Cancelled) {
            return true;
        }
        self.take(id);
        if song.is_some() {
            self.drop_held_requests(song);
        }
        false
    }

    /// Drops the held requests for a song, or all.
    pub(super) fn drop_held_requests(&mut self, song: Option<SongId>) {
        self.held_requests.retain(|request| song.is_some_and(|song| request.song != song));
    }

    /// Moves a job to another place among the waiting jobs. Returns whether the job was waiting.
    pub(super) fn move_to(&mut self, id: JobId, place: usize) -> bool {
        let is_waiting = |entry: &Entry| entry.job.id == id && entry.hold == Hold::None;
        let Some(from) = self.entries.iter().position(is_waiting) else { return false };
        let entry = self.entries.remove(from);
        let waiting = self.entries.iter().enumerate().filter(|(_, entry)| entry.hold == Hold::None);
        let places: Vec<usize> = waiting.map(|(at, _)| at).collect();
        let end = places.last().map_or(0, |at| at + 1);
        self.entries.insert(places.get(place).copied().unwrap_or(end), entry);
        true
    }

    /// Restarts the running job. Returns whether a job runs: the engine then stops the worker.
    #[must_use]
    pub(super) fn restart_running(&mut self) -> bool {
        self.stop(None, Stop::Restart)
    }

    /// Drops jobs and requests that are no longer in the library. Returns whether the running job is
    /// among them: the engine then stops the worker.
    #[must_use]
    pub(super) fn retain(
        &mut self,
        has_job: impl Fn(JobId) -> bool,
        has_song: impl Fn(SongId) -> bool,
    ) -> bool {
        self.entries.retain(|entry| has_job(entry.job.id));
        self.held_requests.retain(|request| has_song(request.song));
        let is_lost = self.running().is_some_and(|job| !has_job(job.id));
        is_lost && self.stop(None, Stop::Cancelled)
    }

    /// Stops the running job if it is `id`, or any running job if `id` is `None`. The first reason
    /// wins, except that a cancellation overrides it.
    fn stop(&mut self, id: Option<JobId>, why: Stop) -> bool {
        let is_meant = |running: &&mut Running| id.is_none_or(|id| running.entry.job.id == id);
        let Some(running) = self.running.as_mut().filter(is_meant) else { return false };
        if running.stop.is_none() || why == Stop::Cancelled {
            running.stop = Some(why);
        }
        true
    }
}

/// Transitions of the running job.
impl Queue {
    /// Takes the next job that is not held, unless one runs. The engine starts it, and reports
    /// [`Self::started`] or [`Self::finish`].
    pub(super) fn start_next(&mut self) -> Option<Next> {
        if self.running.is_some() {
            return None;
        }
        let at = self.entries.iter().position(|entry| entry.hold == Hold::None)?;
        let entry = self.entries.remove(at);
        let next = Next { job: entry.job.clone(), from_frame: entry.from_frame };
        self.running = Some(Running { entry, stop: None });
        Some(next)
    }

    /// Records that the worker has the job. After an interruption, the job resumes at the listener's
    /// position or at the start of the song.
    pub(super) fn started(&mut self, job: Job) {
        self.progressed(job);
        if let Some(running) = &mut self.running {
            running.entry.from_frame = 0;
        }
    }

    /// Records progress of the running job.
    pub(super) fn progressed(&mut self, job: Job) {
        if let Some(running) = self.running.as_mut().filter(|now| now.entry.job.id == job.id) {
            running.entry.job = job;
        }
    }

    /// Ends the run of `job`, which states its progress, with this result. Returns `None` if another
    /// job or none is running.
    pub(super) fn finish(
        &mut self,
        job: Job,
        result: Result<()>,
        now: Instant,
    ) -> Option<Finished> {
        let Running { mut entry, stop } =
            self.running.take_if(|running| running.entry.job.id == job.id)?;
        let request = entry.request;
        entry.job = job;
        let continues = matches!(stop, None | Some(Stop::Restart));
        let outcome = match result {
            Err(Problem::Locked) if continues => Outcome::HeldElsewhere,
            Err(e) if continues && e.class() == Class::WaitForDisk => {
                Outcome::HeldByDisk { notice: entry.hold_for_disk(&e, now) }
            }
            result => {
                entry.job.state = state_after(&entry.job, result, stop);
                Outcome::Settled
            }
        };
        let job = entry.job.clone();
        match (&outcome, &job.state) {
            (Outcome::HeldElsewhere, _) => {
                self.hold_request(JobRequest::from_job(&job, request, entry.from_frame));
            }
            (Outcome::HeldByDisk { .. }, _) => self.entries.push(entry),
            (Outcome::Settled, JobState::Paused) => {
                self.entries.push(Entry { hold: Hold::User, ..entry });
            }
            (Outcome::Settled, JobState::Waiting) => self.entries.insert(0, entry),
            (Outcome::Settled, _) => {}
        }
        Some(Finished { job, request, outcome })
    }

    /// The running job at the end of the program, in the state from which the next start resumes it.
    pub(super) fn interrupted(&self) -> Option<Job> {
        let running = self.running.as_ref()?;
        let state = running.stop.map_or(JobState::Waiting, Stop::state);
        Some(Job { state, ..running.entry.job.clone() })
    }

    /// Removes a job that does not run.
    pub(super) fn forget(&mut self, id: JobId) {
        self.take(id);
    }
}

fn state_after(job: &Job, result: Result<()>, stop: Option<Stop>) -> JobState {
    match result {
        Ok(()) if job.segments_done == job.segments_total => JobState::Done,
        // More stems of a bag were requested meanwhile.
        Ok(()) => stop.map_or(JobState::Waiting, Stop::state),
        Err(Problem::Cancelled) => stop.map_or(JobState::Cancelled, Stop::state),
        Err(e) => JobState::Failed(e),
    }
}

/// Holds and releases.
impl Queue {
    /// Moves jobs that waited for the disk behind the waiting jobs. Jobs that are not due stay held.
    pub(super) fn release(&mut self, jobs: &[JobId], now: Instant) {
        let is_ready = |entry: &mut Entry| jobs.contains(&entry.job.id) && entry.is_due(now);
        let ready: Vec<Entry> = self.entries.extract_if(.., is_ready).collect();
        self.entries.extend(ready.into_iter().map(|entry| Entry { hold: Hold::None, ..entry }));
    }

    /// Holds a request for stems on which another process works. Merges it into an already held
    /// request for the same song and options.
    pub(super) fn hold_request(&mut self, request: JobRequest) {
        let is_same =
            |held: &&mut JobRequest| held.song == request.song && held.options == request.options;
        let Some(held) = self.held_requests.iter_mut().find(is_same) else {
            return self.held_requests.push(request);
        };
        join_stems(&mut held.stems, &request.stems);
        held.request = request.request.or(held.request);
        held.reuse = request.reuse.or(held.reuse);
        (held.drafts_first, held.from_frame) = (request.drafts_first, request.from_frame);
    }

    /// Takes the held requests for these songs and options, to be repeated.
    pub(super) fn take_requests(
        &mut self,
        free: &[(SongId, SeparationOptions)],
    ) -> Vec<JobRequest> {
        let is_free = |request: &mut JobRequest| {
            free.iter().any(|(song, options)| request.song == *song && request.options == *options)
        };
        self.held_requests.extract_if(.., is_free).collect()
    }
}

/// Appends the stems that are not in the list yet.
fn join_stems(stems: &mut Vec<String>, more: &[String]) {
    for stem in more {
        if !stems.contains(stem) {
            stems.push(stem.clone());
        }
    }
}
