//! Jobs that cannot go on for now: the disk is full or gone, or another process has the song's stores.
//!
//! Each is tried again later, and the user is notified once. Runs on the engine's thread.

use std::time::Instant;

use super::{
    Core, LOOK_EVERY,
    jobs::{check_room, wanted_of},
    queue::{Backoff, JobRequest, Paused},
};
use crate::engine::{
    event::Event,
    problem::Problem,
    separation::options::SeparationOptions,
    system::atomic_file,
    types::{Job, JobState, SongId},
};

/// The longest pause before a job is tried again, as a power of two of looks: about a minute.
const LONGEST_PAUSE: u32 = 6;

impl Core {
    /// Pauses a job whose segments the disk does not take, until it does. Each failed try doubles the
    /// time to the next one, and the user is notified once.
    pub(super) fn pause(&mut self, mut job: Job, from_frame: u64, error: &Problem) {
        job.state = JobState::Waiting;
        // On a full disk the library may not take it either; at the next start it waits all the same.
        if let Err(e) = self.library.update_job(&job) {
            tracing::warn!("{e}");
        }
        self.sink.send(Event::Job(job.clone()));
        let problem = Problem::Paused { cause: Box::new(error.clone()) };
        let before = self.queue.backoffs.remove(&job.id);
        let (tries, is_new) = match before {
            Some(before) if before.segments == job.segments_done => {
                (before.tries + 1, before.problem != problem)
            }
            _ => (0, true),
        };
        if is_new {
            let (request, song) = (self.queue.requests.get(&job.id).copied(), Some(job.song));
            self.sink.send(Event::Failed { request, song, problem: problem.clone() });
        }
        let backoff = Backoff { segments: job.segments_done, problem, tries };
        self.queue.backoffs.insert(job.id, backoff);
        let again = Instant::now() + LOOK_EVERY * 2_u32.pow(tries.min(LONGEST_PAUSE));
        self.queue.paused.push(Paused { job, from_frame, again });
    }

    /// Resumes paused jobs whose stores can be written again.
    pub(super) fn take_up_paused(&mut self) {
        let (now, paused) = (Instant::now(), std::mem::take(&mut self.queue.paused));
        let is_ready = |paused: &Paused| now >= paused.again && self.can_go_on(&paused.job);
        let (ready, still): (Vec<_>, Vec<_>) = paused.into_iter().partition(is_ready);
        self.queue.paused = still;
        self.queue.waiting.extend(ready.into_iter().map(|paused| (paused.job, paused.from_frame)));
        self.start_next();
    }

    /// Keeps a request for a song that another process works on until that process has ended.
    pub(super) fn wait_for_other(&mut self, song: SongId, asked: JobRequest, from_frame: u64) {
        self.sink.send(Event::Waiting { song, problem: Problem::Locked });
        self.queue.held_elsewhere.retain(|(other, ..)| *other != song);
        self.queue.held_elsewhere.push((song, asked, from_frame));
    }

    /// Repeats the requests that another process held up, where it has ended.
    pub(super) fn take_up_held_elsewhere(&mut self) {
        for (song, asked, from_frame) in std::mem::take(&mut self.queue.held_elsewhere) {
            if self.is_locked(song, &asked.options) {
                self.queue.held_elsewhere.push((song, asked, from_frame));
            } else {
                let request = asked.request;
                if let Err(e) = self.request(song, asked, from_frame) {
                    self.fail_request(request, Some(song), &e);
                }
            }
        }
    }

    fn is_locked(&self, song: SongId, options: &SeparationOptions) -> bool {
        let track = self.library.song(song).and_then(|song| self.track(&song, options));
        let stems = track.map(|track| track.stems);
        let Ok(Some(stems)) = stems else { return false };
        matches!(stems.lock(), Err(Problem::Locked))
    }

    fn can_go_on(&self, job: &Job) -> bool {
        let Ok(song) = self.library.song(job.song) else { return false };
        let Ok(track) = self.track(&song, &job.options()) else { return false };
        let missing = track.stems.map_or(0, |stems| stems.missing_bytes(&wanted_of(job, &stems)));
        check_room(self.library.home(), missing).is_ok()
            && atomic_file::temporary_in(&self.library.song_folder(&song.hash)).is_ok()
    }
}
