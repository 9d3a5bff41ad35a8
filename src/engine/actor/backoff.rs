//! Jobs that are held because the disk is full or missing, or another process has locked the song's
//! stores.
//!
//! The queue decides when a job is tried again. Runs on the engine's thread.

use std::time::Instant;

use super::{
    Core,
    jobs::{check_room, wanted_of},
};
use crate::engine::{
    event::Event,
    problem::Problem,
    separation::options::SeparationOptions,
    system::atomic_file,
    types::{Job, JobId, RequestId, SongId},
};

impl Core {
    /// Stores and emits that a job waits for the disk, and notifies the user of a new problem.
    pub(super) fn show_held_by_disk(
        &mut self,
        job: Job,
        request: Option<RequestId>,
        notice: Option<Problem>,
    ) {
        // The library may not be writable either. The job then resumes from its older state.
        if let Err(e) = self.library.update_job(&job) {
            tracing::warn!("{e}");
        }
        let song = Some(job.song);
        self.sink.send(Event::Job(job));
        if let Some(problem) = notice {
            self.sink.send(Event::Failed { request, song, problem });
        }
    }

    /// Emits that another process works on a song.
    pub(super) fn show_held_elsewhere(&self, song: SongId) {
        self.sink.send(Event::Waiting { song, problem: Problem::Locked });
    }

    /// Releases the jobs whose stores can be written again.
    pub(super) fn release_jobs(&mut self) {
        let now = Instant::now();
        let ready: Vec<JobId> =
            self.queue.due(now).filter(|job| self.can_resume(job)).map(|job| job.id).collect();
        self.queue.release(&ready, now);
        self.start_next();
    }

    /// Repeats the requests for stores that another process has unlocked.
    pub(super) fn repeat_held_requests(&mut self) {
        let held = self.queue.held_requests().iter();
        let free = held.filter(|held| !self.is_locked(held.song, &held.options));
        let free: Vec<_> = free.map(|held| (held.song, held.options.clone())).collect();
        for request in self.queue.take_requests(&free) {
            let (song, command) = (request.song, request.request);
            if let Err(e) = self.request(request) {
                self.fail_request(command, Some(song), &e);
            }
        }
    }

    fn is_locked(&self, song: SongId, options: &SeparationOptions) -> bool {
        let track = self.library.song(song).and_then(|song| self.track(&song, options));
        let stems = track.map(|track| track.stems);
        let Ok(Some(stems)) = stems else { return false };
        let all: Vec<usize> = (0..stems.names().len()).collect();
        matches!(stems.try_lock(&stems.chain().needs(&all)), Err(Problem::Locked))
    }

    fn can_resume(&self, job: &Job) -> bool {
        let Ok(song) = self.library.song(job.song) else { return false };
        let Ok(track) = self.track(&song, &job.options()) else { return false };
        let missing = track.stems.map_or(0, |stems| stems.missing_bytes(&wanted_of(job, &stems)));
        check_room(self.library.home(), missing).is_ok()
            && atomic_file::temporary_in(&self.library.song_folder(&song.hash)).is_ok()
    }
}
