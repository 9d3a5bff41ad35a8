//! The user's commands for existing jobs: pause, resume, retry, move in the queue, clear.
//!
//! Runs on the engine's thread.

use super::{
    Core,
    exports::spawn,
    queue::{JobRequest, Stop},
};
use crate::engine::{
    event::Event,
    export::job_tracks,
    library::Library,
    problem::{Activity, Problem, Result},
    system::panics::caught,
    types::{Job, JobId, JobState, RequestId},
};

impl Core {
    /// Tells the order of the waiting jobs, if it has changed.
    pub(super) fn tell_queue(&mut self) {
        if !self.told_queue.iter().copied().eq(self.queue.order()) {
            self.told_queue = self.queue.order().collect();
            self.sink.send(Event::Queue(self.told_queue.clone()));
        }
    }

    /// Lets a job rest until the user wants it to go on.
    pub(super) fn pause_job(&mut self, id: JobId) -> Result<()> {
        if let Some(running) = self.queue.running.as_mut().filter(|running| running.job.id == id) {
            running.stop(Stop::Paused);
            return Ok(());
        }
        self.queue.forget(id);
        let mut job = self.library.job(id)?;
        if job.is_active() {
            job.state = JobState::Paused;
            self.library.update_job(&job)?;
            self.show_job(&job);
        }
        Ok(())
    }

    /// Lets a paused job go on, next in the queue.
    pub(super) fn continue_job(&mut self, id: JobId) -> Result<()> {
        if let Some(running) = self.queue.running.as_mut().filter(|running| running.job.id == id) {
            // It has not come to rest yet.
            if running.stop == Some(Stop::Paused) {
                running.stop = Some(Stop::Again);
            }
            return Ok(());
        }
        let mut job = self.library.job(id)?;
        if job.state == JobState::Paused {
            job.state = JobState::Waiting;
            self.library.update_job(&job)?;
            self.show_job(&job);
            self.queue.waiting.push_front((job, 0));
            self.note_order()?;
            self.start_next();
        }
        Ok(())
    }

    /// Does once more what an ended job was to do.
    pub(super) fn retry_job(&mut self, request: RequestId, id: JobId) -> Result<()> {
        let job = self.library.job(id)?;
        if !job.is_ended() {
            return Ok(());
        }
        let last = self.library.last_job_of(job.song, &job.options())?;
        if last.is_some_and(|last| last.id == id) {
            // So that it is taken up instead of a new one.
            self.library.update_job(&Job { state: JobState::Paused, ..job.clone() })?;
        }
        let result = self.request(job.song, JobRequest::by(&job, Some(request)), 0);
        if result.is_err() {
            self.library.update_job(&job)?;
        }
        result
    }

    /// Gives a waiting job another place.
    pub(super) fn move_job(&mut self, id: JobId, to: usize) -> Result<()> {
        let waiting = &mut self.queue.waiting;
        let Some(from) = waiting.iter().position(|(job, _)| job.id == id) else { return Ok(()) };
        if let Some(job) = waiting.remove(from) {
            waiting.insert(to.min(waiting.len()), job);
        }
        self.note_order()
    }

    fn note_order(&mut self) -> Result<()> {
        let order: Vec<JobId> = self.queue.order().collect();
        self.library.set_queue(&order)
    }

    /// Takes ended jobs off the list.
    pub(super) fn clear_jobs(&mut self, mut jobs: Vec<JobId>) -> Result<()> {
        jobs.retain(|id| self.library.job(*id).is_ok_and(|job| job.is_ended()));
        self.library.remove_jobs(&jobs)?;
        self.sink.send(Event::JobsCleared(jobs));
        Ok(())
    }

    /// Makes the result files of a job that is done, on a thread of their own.
    pub(super) fn make_tracks(&self, request: RequestId, id: JobId) -> Result<()> {
        let job = self.library.job(id)?;
        if job.state != JobState::Done {
            return Err(Problem::NotSeparated);
        }
        let (home, sink) = (self.library.home().to_owned(), self.sink.clone());
        let work = move || {
            let make =
                || Library::open(&home).and_then(|library| job_tracks::of_job(&library, &job));
            // A bug ends this with a word, not silently.
            let made = caught(Activity::WritingFiles, make);
            sink.send(match made {
                Ok(tracks) => {
                    let files = tracks.files.into_iter().map(|(_, path)| path).collect();
                    Event::Tracks { job: job.id, files }
                }
                Err(e) => {
                    let (request, song) = (Some(request), Some(job.song));
                    Event::Failed { request, song, problem: e }
                }
            });
        };
        spawn("tracks", work).map(drop)
    }
}
