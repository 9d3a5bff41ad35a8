//! The running job: progress of its segments, and its end.
//!
//! Decides nothing about the order of jobs, which is the queue's. Runs on the engine's thread.

use std::time::Instant;

use super::{
    Core,
    jobs::wanted_of,
    queue::{Finished, Outcome},
    worker::RunningTask,
};
use crate::engine::{
    event::Event,
    problem::{Problem, Result},
    separation::{
        installed::InstalledModel,
        options::{Preset, SeparationOptions},
    },
    store::track::SongTrack,
    types::{Job, JobId, JobState, RequestId, SongId},
};

impl Core {
    /// The stores that the running job writes, if it is of this song and these options.
    pub(super) fn track_of_running(
        &self,
        song: SongId,
        options: &SeparationOptions,
    ) -> Option<SongTrack> {
        let task = self.task.as_ref().filter(|_| self.queue.is_running(song, options));
        task.map(|task| task.track.clone())
    }

    /// Stops the worker within one segment; it reports the end of its job.
    pub(super) fn stop_worker(&self) {
        if let Some(task) = &self.task {
            task.cancel.cancel();
        }
    }

    /// The worker computes a segment, or one of the draft.
    pub(super) fn segment_begins(&self, id: JobId, segment: usize, is_of_draft: bool) {
        let (Some(job), Some(task)) = (self.queue.unstopped(id), &self.task) else { return };
        let stems = if is_of_draft { &task.track.draft } else { &task.track.stems };
        if let Some(stems) = stems {
            let frames = stems.plan().segment(segment);
            let frames = Some((frames.start, frames.end));
            self.sink.send(Event::Computing { song: job.song, frames });
        }
    }

    /// A segment can be read.
    pub(super) fn segment_readable(&self, id: JobId, segment: usize, is_of_draft: bool) {
        if let Some(job) = self.queue.unstopped(id) {
            self.show_segment(job.song, segment, is_of_draft);
        }
    }

    /// The worker put one more segment into the store.
    pub(super) fn segment_done(&mut self, id: JobId, is_of_draft: bool, seconds: f64) {
        let (Some(job), Some(task)) = (self.queue.unstopped(id), &mut self.task) else { return };
        let mut job = job.clone();
        let count = if is_of_draft { &mut task.drafted } else { &mut task.computed };
        *count = (count.0 + 1, count.1 + seconds);
        if is_of_draft {
            job.drafts_left = job.drafts_left.saturating_sub(1);
        } else {
            job.segments_done = done_of(&job, &task.track);
            job.drafts_left = 0;
            task.known_segments += 1;
        }
        job.seconds += seconds;
        self.queue.progressed(job.clone());
        match self.library.update_job(&job) {
            // The next segment will find the disk full, too, and the user is notified of that.
            Err(e) if e.is_no_room() => tracing::debug!("{e}"),
            Err(e) => self.fail_request(self.queue.request_of(id), Some(job.song), &e),
            Ok(()) => {}
        }
        self.sink.send(Event::Job(job));
    }

    /// The worker ended a job.
    pub(super) fn job_ended(&mut self, id: JobId, result: Result<()>) {
        if let Some(mut job) = self.queue.running().filter(|job| job.id == id).cloned()
            && let Some(task) = self.task.take()
        {
            job.segments_done = done_of(&job, &task.track);
            // The queue first: a bug in what follows must not leave the job in its turn.
            let finished = self.queue.finish(job, result, Instant::now());
            if let Some(finished) = finished {
                self.note_pace(&finished.job, &task);
                self.sink.send(Event::Computing { song: finished.job.song, frames: None });
                self.tell_need(finished.job.song, &task.track);
                let is_settled = finished.outcome == Outcome::Settled;
                let job = finished.job.clone();
                self.end_turn(finished);
                if is_settled {
                    self.show_end(&job, &task);
                }
            }
        }
        self.start_next();
    }

    /// Writes and shows what the queue has decided on a job whose turn is over.
    pub(super) fn end_turn(&mut self, Finished { job, request, outcome }: Finished) {
        match outcome {
            Outcome::Settled => self.end_job(&job, request),
            Outcome::HeldByDisk { notice } => self.show_held_by_disk(job, request, notice),
            Outcome::HeldElsewhere => self.show_held_elsewhere(job.song),
        }
    }

    /// Shows the song as the job left it.
    fn show_end(&mut self, job: &Job, task: &RunningTask) {
        if job.state == JobState::Done
            && let Err(e) = self.drop_draft(job, &task.track)
        {
            self.fail(Some(job.song), &e);
        }
        if let Some(open) = self.open.as_ref().filter(|open| open.song == job.song) {
            self.tell_shown(job.song, &open.options, &open.track);
        }
        if job.segments_done != task.known_segments {
            // Another program has added some.
            self.show_stems(job.song);
        }
    }

    /// What a job's segments took tells how long those of the next will take.
    fn note_pace(&mut self, job: &Job, task: &RunningTask) {
        if let Err(e) = self.add_to_paces(job, task) {
            self.fail(None, &e);
        }
        self.show_pace();
    }

    fn add_to_paces(&mut self, job: &Job, task: &RunningTask) -> Result<()> {
        let (options, networks) = (job.options(), task.networks);
        let Some(model) = self.model(&options) else { return Ok(()) };
        let draft = Preset::Draft.quality(&model.spec);
        let counts = [(options.quality, task.computed), (draft, task.drafted)];
        let precision = self.compute.precision;
        let counts = counts.map(|(quality, count)| (model.pace_name(quality, precision), count));
        for (name, (segments, seconds)) in counts {
            self.library.add_to_pace(&name, segments * networks, seconds)?;
        }
        Ok(())
    }

    /// Tells how long a segment is expected to take.
    pub(super) fn show_pace(&self) {
        let options = self.default_options();
        let Some(model) = self.model(&options) else { return };
        if let Some(seconds) = self.pace_of(model, options.quality) {
            self.sink.send(Event::Pace(seconds));
        }
    }

    /// Writes and shows the new state of a job whose turn is over.
    fn end_job(&mut self, job: &Job, request: Option<RequestId>) {
        // A song that was removed meanwhile has no job to note; the command that requested
        // it fails, unless the job was cancelled because of that.
        if self.library.job(job.id).is_err() {
            self.queue.forget(job.id);
            if job.state != JobState::Cancelled {
                self.fail_request(request, Some(job.song), &Problem::SongRemoved);
            }
            return;
        }
        if let Err(e) = self.library.update_job(job).and_then(|()| self.end_others(job)) {
            self.fail_request(request, Some(job.song), &e);
        }
        self.show_job(job);
    }

    /// A model of one network has made all stems, whatever the job asked for.
    fn end_others(&mut self, job: &Job) -> Result<()> {
        let model = self.model(&job.options()).filter(|model| model.networks.len() == 1);
        match model.map(InstalledModel::stems) {
            Some(stems) if job.state == JobState::Done => self.library.end_others(job, &stems),
            _ => Ok(()),
        }
    }

    /// At the end of the program: writes how far the running job is, which resumes at the next start.
    pub(super) fn interrupt_running_job(&mut self) {
        self.stop_worker();
        let Some(job) = self.queue.interrupted() else { return };
        if let Err(e) = self.library.update_job(&job) {
            tracing::error!("{e}");
        }
        if let Some(task) = self.task.take()
            && let Err(e) = self.add_to_paces(&job, &task)
        {
            tracing::error!("{e}");
        }
    }
}

/// Segments that are there of all that a job asks for.
fn done_of(job: &Job, track: &SongTrack) -> usize {
    track.stems.as_ref().map_or(0, |stems| stems.done_count_of(&wanted_of(job, stems)))
}
