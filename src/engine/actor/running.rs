//! Progress and end of the running job.
//!
//! The order of jobs is decided by the queue. Runs on the engine's thread.

use std::time::Instant;

use super::{
    Core,
    jobs::wanted_of,
    queue::{Finished, Outcome},
    worker::RunningTask,
};
use crate::{
    engine::{
        event::Event,
        problem::{Problem, Result},
        separation::{chain::Chain, device::choice::Failure, options::SeparationOptions},
        store::{At, StemTree, track::SongTrack},
        types::{Job, JobId, JobState, RequestId, SongId},
    },
    model::Device,
};

impl Core {
    /// The stores to which the running job writes, if the job has this song and these options.
    pub(super) fn track_of_running(
        &self,
        song: SongId,
        options: &SeparationOptions,
    ) -> Option<SongTrack> {
        let task = self.task.as_ref().filter(|_| self.queue.is_running(song, options));
        task.map(|task| task.track.clone())
    }

    /// Stops the worker within one segment. The worker then reports the end of its job.
    pub(super) fn stop_worker(&self) {
        if let Some(task) = &self.task {
            task.cancel.cancel();
        }
    }

    /// Emits that the worker computes a segment of the stems or of their draft.
    pub(super) fn segment_begins(&self, id: JobId, at: At, is_of_draft: bool) {
        let (Some(job), Some(task)) = (self.queue.unstopped(id), &self.task) else { return };
        let stems = if is_of_draft { &task.track.draft } else { &task.track.stems };
        if let Some(stems) = stems {
            let frames = stems.frames_of(at);
            let frames = Some((frames.start, frames.end));
            self.sink.send(Event::Computing { song: job.song, frames });
        }
    }

    /// Shows a segment that can be read.
    pub(super) fn segment_readable(&self, id: JobId, at: At, is_of_draft: bool) {
        if let Some(job) = self.queue.unstopped(id) {
            self.show_segment(job.song, at, is_of_draft);
        }
    }

    /// Records that the worker has stored a segment.
    pub(super) fn segment_done(&mut self, id: JobId, at: At, is_of_draft: bool, seconds: f64) {
        let (Some(job), Some(task)) = (self.queue.unstopped(id), &mut self.task) else { return };
        let mut job = job.clone();
        let counts = if is_of_draft { &mut task.drafted } else { &mut task.computed };
        if let Some(count) = counts.get_mut(at.step) {
            *count = (count.0 + 1, count.1 + seconds);
        }
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
            // The next segment fails on the full disk too, and notifies the user.
            Err(e) if e.is_no_room() => tracing::debug!("{e}"),
            Err(e) => self.fail_request(self.queue.request_of(id), Some(job.song), &e),
            Ok(()) => {}
        }
        self.sink.send(Event::Job(job));
    }

    /// Emits that the processor computes the rest of a job.
    pub(super) fn device_failed(&self, id: JobId, failure: Failure) {
        if let Some(job) = self.queue.running().filter(|job| job.id == id) {
            self.sink.send(Event::Noted { song: job.song, note: failure.into() });
        }
    }

    /// Handles the end of a job in the worker.
    pub(super) fn job_ended(&mut self, id: JobId, result: Result<()>) {
        if let Some(mut job) = self.queue.running().filter(|job| job.id == id).cloned()
            && let Some(task) = self.task.take()
        {
            job.segments_done = done_of(&job, &task.track);
            // The queue first: after a panic in the code below, the queue would wait for the job
            // forever.
            let finished = self.queue.finish(job, result, Instant::now());
            if let Some(finished) = finished {
                self.record_pace(&finished.job, &task);
                self.sink.send(Event::Computing { song: finished.job.song, frames: None });
                let is_settled = finished.outcome == Outcome::Settled;
                let job = finished.job.clone();
                self.end_turn(finished);
                if is_settled {
                    self.show_end(&job, task);
                }
            }
        }
        self.start_next();
    }

    /// Stores and emits the queue's decision on a job whose turn is over.
    pub(super) fn end_turn(&mut self, Finished { job, request, outcome }: Finished) {
        match outcome {
            Outcome::Settled => self.end_job(&job, request),
            Outcome::HeldByDisk { notice } => self.show_held_by_disk(job, request, notice),
            Outcome::HeldElsewhere => self.show_held_elsewhere(job.song),
        }
    }

    /// Shows the song's stems after a job.
    fn show_end(&mut self, job: &Job, task: RunningTask) {
        let RunningTask { track, known_segments, .. } = task;
        if job.state == JobState::Done
            && let Err(e) = self.drop_draft(job, track)
        {
            self.fail(Some(job.song), &e);
        }
        if let Some(open) = self.open.as_ref().filter(|open| open.song == job.song) {
            self.emit_shown(job.song, &open.options, &open.track);
        }
        if job.segments_done != known_segments {
            // Another program has added segments.
            self.show_stems(job.song);
        }
    }

    /// Adds a job's segments to the measured paces, from which later estimates are made.
    fn record_pace(&mut self, job: &Job, task: &RunningTask) {
        if let Err(e) = self.add_to_paces(job, task) {
            self.fail(None, &e);
        }
        self.show_pace();
    }

    fn add_to_paces(&mut self, job: &Job, task: &RunningTask) -> Result<()> {
        let RunningTask { track, computed, drafted, devices, .. } = task;
        let counts = track.stems.iter().zip([computed]).chain(track.draft.iter().zip([drafted]));
        for (stems, counts) in counts {
            self.add_step_paces(job, stems, counts, devices)?;
        }
        Ok(())
    }

    fn add_step_paces(
        &mut self,
        job: &Job,
        stems: &StemTree,
        counts: &[(usize, f64)],
        devices: &[Device],
    ) -> Result<()> {
        let chain = stems.chain();
        let now = self.devices_of(chain);
        let wanted =
            if chain.name == job.model { wanted_of(job, stems) } else { stems.claimed_stems() };
        for needs in chain.needs(&wanted) {
            let step = needs.step;
            let Some(&(segments, seconds)) = counts.get(step).filter(|(count, _)| *count > 0)
            else {
                continue;
            };
            // If the device was measured, or has failed, parts of the time are of another device.
            if chain.name == job.model && devices.get(step) != now.get(step) {
                continue;
            }
            let (quality, precision) = (stems.quality(), self.compute.precision);
            let name = chain.pace_name(step, quality, precision, now[step]);
            let runs = segments * chain.networks_for(&needs);
            self.library.add_to_pace(&name, runs, seconds)?;
        }
        Ok(())
    }

    /// Emits the expected duration of a segment.
    pub(super) fn show_pace(&self) {
        let options = self.default_options();
        let Some(chain) = self.chain(&options) else { return };
        if let Some(seconds) = self.pace_of(chain, 0, options.quality) {
            self.sink.send(Event::Pace(seconds));
        }
    }

    /// Stores and emits the new state of a job whose turn is over.
    fn end_job(&mut self, job: &Job, request: Option<RequestId>) {
        // The job of a song that was removed meanwhile is gone. The command that requested the job
        // fails, unless the removal cancelled it.
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

    /// Ends other jobs of the same song and options: a model of one network always makes all stems.
    fn end_others(&mut self, job: &Job) -> Result<()> {
        let makes_all = |chain: &&std::sync::Arc<Chain>| {
            chain.model().is_some_and(|model| model.networks.len() == 1)
        };
        let chain = self.chain(&job.options()).filter(makes_all);
        match chain.map(|chain| chain.stems()) {
            Some(stems) if job.state == JobState::Done => self.library.end_others(job, &stems),
            _ => Ok(()),
        }
    }

    /// Stores the progress of the running job at the end of the program; the next start resumes it.
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

/// The number of stored segments among those of the job's stems.
fn done_of(job: &Job, track: &SongTrack) -> usize {
    track.stems.as_ref().map_or(0, |stems| stems.done_count_of(&wanted_of(job, stems)))
}
