//! The running job: progress of its segments, and its end.
//!
//! Decides nothing about the order of jobs, which is the queue's. Runs on the engine's thread.

use super::{
    Core,
    jobs::wanted_of,
    queue::{JobRequest, Running, Stop},
};
use crate::engine::{
    event::Event,
    problem::{Class, Problem, Result},
    separation::{installed::InstalledModel, options::Preset},
    store::track::SongTrack,
    types::{Job, JobId, JobState},
};

impl Core {
    /// The worker computes a segment, or one of the draft.
    pub(super) fn segment_begins(&self, id: JobId, segment: usize, is_of_draft: bool) {
        let goes_on = |running: &&Running| running.job.id == id && running.stop.is_none();
        let Some(running) = self.queue.running.as_ref().filter(goes_on) else { return };
        let stems = if is_of_draft { &running.track.draft } else { &running.track.stems };
        if let Some(stems) = stems {
            let frames = stems.plan().segment(segment);
            let frames = Some((frames.start, frames.end));
            self.sink.send(Event::Computing { song: running.job.song, frames });
        }
    }

    /// A segment can be read.
    pub(super) fn segment_readable(&self, id: JobId, segment: usize, is_of_draft: bool) {
        let goes_on = |running: &&Running| running.job.id == id && running.stop.is_none();
        if let Some(running) = self.queue.running.as_ref().filter(goes_on) {
            self.show_segment(running.job.song, segment, is_of_draft);
        }
    }

    /// The worker put one more segment into the store.
    pub(super) fn segment_done(&mut self, id: JobId, is_of_draft: bool, seconds: f64) {
        let goes_on = |running: &&mut Running| running.job.id == id && running.stop.is_none();
        let Some(running) = self.queue.running.as_mut().filter(goes_on) else { return };
        let job = &mut running.job;
        let count = if is_of_draft { &mut running.drafted } else { &mut running.computed };
        *count = (count.0 + 1, count.1 + seconds);
        if is_of_draft {
            job.drafts_left = job.drafts_left.saturating_sub(1);
        } else {
            job.segments_done = done_of(job, &running.track);
            job.drafts_left = 0;
            running.known_segments += 1;
        }
        job.seconds += seconds;
        let job = job.clone();
        match self.library.update_job(&job) {
            // The next segment will find the disk full, too, and the job is paused in words.
            Err(e) if e.is_no_room() => tracing::debug!("{e}"),
            Err(e) => self.fail_job(&job, &e),
            Ok(()) => {}
        }
        self.sink.send(Event::Job(job));
    }

    /// The worker ended a job.
    pub(super) fn job_ended(&mut self, id: JobId, result: Result<()>) {
        if let Some(running) = self.queue.running.take_if(|running| running.job.id == id) {
            self.note_pace(&running);
            let mut job = running.job;
            self.sink.send(Event::Computing { song: job.song, frames: None });
            self.tell_need(job.song, &running.track);
            job.segments_done = done_of(&job, &running.track);
            let waits = |e: &&Problem| e.class() == Class::WaitForDisk && running.stop.is_none();
            if let Some(e) = result.as_ref().err().filter(waits) {
                self.pause(job, 0, e);
                return self.start_next();
            }
            if matches!(result, Err(Problem::Locked)) && running.stop.is_none() {
                let request = self.queue.requests.get(&id).copied();
                self.wait_for_other(job.song, JobRequest::by(&job, request), 0);
                return self.start_next();
            }
            let is_there = job.segments_done == job.segments_total;
            job.state = match result {
                Ok(()) if is_there => JobState::Done,
                // Meanwhile more was asked of a bag.
                Ok(()) => JobState::Waiting,
                Err(Problem::Cancelled) => running.stop.map_or(JobState::Cancelled, Stop::state),
                Err(e) => JobState::Failed(e),
            };
            self.end_job(&job);
            if job.state == JobState::Done
                && let Err(e) = self.drop_draft(&job, &running.track)
            {
                self.fail(Some(job.song), &e);
            }
            if let Some(open) = self.open.as_ref().filter(|open| open.song == job.song) {
                self.tell_shown(job.song, &open.options, &open.track);
            }
            if job.segments_done != running.known_segments {
                // Another program has added some.
                self.show_stems(job.song);
            }
            if job.is_active() {
                self.queue.waiting.push_front((job, 0));
            }
        }
        self.start_next();
    }

    /// What a job's segments took tells how long those of the next will take.
    fn note_pace(&mut self, running: &Running) {
        if let Err(e) = self.add_to_paces(running) {
            self.fail(None, &e);
        }
        self.show_pace();
    }

    fn add_to_paces(&mut self, running: &Running) -> Result<()> {
        let (options, networks) = (running.job.options(), running.networks);
        let Some(model) = self.model(&options) else { return Ok(()) };
        let draft = Preset::Draft.quality(&model.spec);
        let counts = [(options.quality, running.computed), (draft, running.drafted)];
        let counts = counts.map(|(quality, count)| (model.pace_name(quality), count));
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

    pub(super) fn end_job(&mut self, job: &Job) {
        // A song that was removed meanwhile has no job to note; who waits for it is told, unless it
        // was ended because of that.
        if self.library.job(job.id).is_err() {
            if job.state != JobState::Cancelled {
                self.fail_job(job, &Problem::SongRemoved);
            }
            self.queue.requests.remove(&job.id);
            return;
        }
        if let Err(e) = self.library.update_job(job).and_then(|()| self.end_others(job)) {
            self.fail_job(job, &e);
        }
        self.show_job(job);
        if job.is_ended() {
            self.queue.requests.remove(&job.id);
        }
    }

    /// A model of one network has made all stems, whatever the job asked for.
    fn end_others(&mut self, job: &Job) -> Result<()> {
        let model = self.model(&job.options()).filter(|model| model.networks.len() == 1);
        match model.map(InstalledModel::stems) {
            Some(stems) if job.state == JobState::Done => self.library.end_others(job, &stems),
            _ => Ok(()),
        }
    }

    /// At the end of the program: the running job is noted as far as it came, and goes on next time.
    pub(super) fn keep_running_job(&mut self) {
        let Some(running) = &mut self.queue.running else { return };
        running.cancel.cancel();
        running.job.state = running.stop.map_or(JobState::Waiting, Stop::state);
        if let Err(e) = self.library.update_job(&running.job) {
            tracing::error!("{e}");
        }
        if let Some(running) = self.queue.running.take() {
            if let Err(e) = self.add_to_paces(&running) {
                tracing::error!("{e}");
            }
            self.queue.running = Some(running);
        }
    }
}

/// Segments that are there of all that a job asks for.
fn done_of(job: &Job, track: &SongTrack) -> usize {
    track.stems.as_ref().map_or(0, |stems| stems.done_count_of(&wanted_of(job, stems)))
}
