//! The user's commands for existing jobs: pause, resume, retry, move in the queue, clear.
//!
//! Runs on the engine's thread.

use super::{Core, queue::JobRequest};
use crate::engine::{
    event::Event,
    export::job_tracks,
    library::Library,
    problem::{Activity, Problem, Result},
    system::{panics::caught, threads},
    types::{JobId, JobState, RequestId},
};

impl Core {
    /// Emits the order of the waiting jobs, if it has changed.
    pub(super) fn show_order(&mut self) {
        if let Some(order) = self.queue.order_change() {
            self.sink.send(Event::Queue(order));
        }
    }

    /// Pauses a job until the user resumes it.
    pub(super) fn pause_job(&mut self, id: JobId) -> Result<()> {
        if self.queue.pause(id) {
            self.stop_worker();
            return Ok(());
        }
        let mut job = self.library.job(id)?;
        if job.is_active() {
            job.state = JobState::Paused;
            self.library.update_job(&job)?;
            self.show_job(&job);
        } else if job.is_ended() {
            self.queue.forget(id); // another process ended it
        }
        Ok(())
    }

    /// Resumes a paused job at the front of the queue.
    pub(super) fn resume_job(&mut self, id: JobId) -> Result<()> {
        if self.queue.resume_running(id) {
            return Ok(());
        }
        let mut job = self.library.job(id)?;
        if job.state == JobState::Paused {
            job.state = JobState::Waiting;
            self.library.update_job(&job)?;
            self.show_job(&job);
            self.queue.resume(job);
            self.store_order()?;
            self.start_next();
        }
        Ok(())
    }

    /// Retries an ended job.
    pub(super) fn retry_job(&mut self, request: RequestId, id: JobId) -> Result<()> {
        let job = self.library.job(id)?;
        if !job.is_ended() {
            return Ok(());
        }
        self.request(JobRequest::from_job(&job, Some(request), 0))
    }

    /// Moves a waiting job to another place in the queue.
    pub(super) fn move_job(&mut self, id: JobId, to: usize) -> Result<()> {
        if self.queue.move_to(id, to) { self.store_order() } else { Ok(()) }
    }

    fn store_order(&mut self) -> Result<()> {
        let order: Vec<JobId> = self.queue.order().collect();
        self.library.set_queue(&order)
    }

    /// Removes ended jobs from the list.
    pub(super) fn clear_jobs(&mut self, mut jobs: Vec<JobId>) -> Result<()> {
        jobs.retain(|id| self.library.job(*id).is_ok_and(|job| job.is_ended()));
        self.library.remove_jobs(&jobs)?;
        self.sink.send(Event::JobsCleared(jobs));
        Ok(())
    }

    /// Writes the result files of a finished job, on a separate thread.
    ///
    /// # Errors
    /// The job has not finished, or the thread could not be started.
    pub(super) fn make_tracks(&self, request: RequestId, id: JobId) -> Result<()> {
        let job = self.library.job(id)?;
        if job.state != JobState::Done {
            return Err(Problem::NotSeparated);
        }
        let (home, sink) = (self.library.home().to_owned(), self.sink.clone());
        let work = move || {
            let make =
                || Library::open(&home).and_then(|library| job_tracks::of_job(&library, &job));
            // A panic is reported too.
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
        // Detached, because it is safe to interrupt: a file gets its name only when it is complete.
        threads::start("tracks", work)?.detach();
        Ok(())
    }
}
