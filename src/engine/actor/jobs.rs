//! Jobs in the engine: asking for stems, the queue, and what becomes of each. What else the user does
//! with them is in `job_commands`.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use super::{
    Core,
    queue::{JobRequest, Running, Stop},
    worker::Task,
};
use crate::engine::{
    event::Event,
    export::ordered,
    problem::{Advice, Class, Problem, Result},
    separation::{installed::InstalledModel, options::Preset, scheduler::Listener},
    store::{StemStore, track::SongTrack},
    system::atomic_file,
    types::{CancelToken, Job, JobId, JobState, RequestId, SongId},
};

impl Core {
    /// At the start: jobs that the program's end interrupted go on.
    pub(super) fn take_up_jobs(&mut self) -> Result<()> {
        let mut jobs = self.library.queue()?;
        jobs.retain(Job::is_active);
        for mut job in jobs {
            job.state = JobState::Waiting;
            self.queue.waiting.push_back((job, 0));
        }
        self.start_next();
        Ok(())
    }

    /// Asks for stems of a song, as it is set to be separated.
    pub(super) fn process(
        &mut self,
        request: RequestId,
        id: SongId,
        stems: &[String],
        from_frame: u64,
    ) -> Result<()> {
        let (recipe, drafts_first) = (self.recipe_of(id), self.defaults.drafts_first);
        let (stems, request) = (stems.to_vec(), Some(request));
        self.request(id, JobRequest { recipe, drafts_first, stems, request }, from_frame)
    }

    /// Says which job answers a command, before the job's first event.
    fn accept(&mut self, request: Option<RequestId>, job: JobId) {
        if let Some(request) = request {
            self.queue.requests.insert(job, request);
            self.sink.send(Event::Accepted { request, job });
        }
    }

    /// Reports a failure of a job to the command that asked for it.
    fn fail_job(&self, job: &Job, error: &Problem) {
        self.fail_request(self.queue.requests.get(&job.id).copied(), Some(job.song), error);
    }

    /// Asks for stems of a song. What is in the store already is not computed again.
    pub(super) fn request(&mut self, id: SongId, asked: JobRequest, from_frame: u64) -> Result<()> {
        let song = self.library.song(id)?;
        let JobRequest { recipe, drafts_first, stems, request } = asked;
        let drafts_first = drafts_first && !recipe.quality.is_draft;
        let Some(model) = self.model(&recipe).cloned() else {
            return Err(self.why_missing(&recipe, Problem::NoModel));
        };
        let sources = &model.stems();
        let stems: Vec<String> =
            ordered(sources, &stems)?.into_iter().map(|stem| sources[stem].clone()).collect();
        let track = self.track(&song, &recipe)?;
        if let Some(job) = self.queue.job_of(id, &recipe) {
            // More ticks join the job that is there: one pass makes all stems, a bag goes on with
            // those that were not asked for yet.
            job.stems.extend(
                stems.into_iter().filter(|stem| !job.stems.contains(stem)).collect::<Vec<_>>(),
            );
            let job = job.clone();
            self.library.update_job(&job)?;
            self.accept(request, job.id);
            self.show_job(&job);
            return Ok(());
        }
        let Some(store) = &track.stems else {
            return Err(Problem::OpenedWithoutModel);
        };
        let wanted = stems_among(sources, &stems);
        let is_there = store.missing(&wanted) == 0;
        if !is_there && self.queue.track_of(id, &recipe).is_none() {
            match store.lock() {
                Ok(lock) => drop(lock),
                // Another program that works on this song keeps its job.
                Err(Problem::Locked) => {
                    let asked = JobRequest { recipe, drafts_first, stems, request };
                    self.wait_for_other(id, asked, from_frame);
                    return Ok(());
                }
                Err(e) => return Err(e),
            }
        }
        // A job that was interrupted goes on; one that did the same is shown again.
        let goes_on =
            |job: &Job| !job.is_ended() || (job.stems == stems && job.state == JobState::Done);
        let mut job = match self.library.last_job_of(id, &recipe)?.filter(goes_on) {
            Some(job) => Job { stems, ..job },
            None => self.library.add_job(id, &recipe, drafts_first, &stems)?,
        };
        job.segments_total = store.plan().len();
        job.segments_done = store.done_count_of(&wanted);
        job.state = if is_there { JobState::Done } else { JobState::Waiting };
        self.library.update_job(&job)?;
        self.accept(request, job.id);
        self.show_job(&job);
        if job.is_active() {
            self.queue.waiting.push_back((job, from_frame));
            self.start_next();
            return Ok(());
        }
        self.queue.requests.remove(&job.id);
        // A program may have been killed before it did.
        self.drop_draft(&job, &track)
    }

    /// Ends a job; finished segments stay.
    pub(super) fn cancel(&mut self, id: JobId) -> Result<()> {
        if let Some(running) = self.queue.running.as_mut().filter(|running| running.job.id == id) {
            running.stop(Stop::Cancelled);
            return Ok(());
        }
        self.queue.forget(id);
        let mut job = self.library.job(id)?;
        self.queue.held_elsewhere.retain(|(song, ..)| *song != job.song);
        if !job.is_ended() {
            job.state = JobState::Cancelled;
            self.library.update_job(&job)?;
            self.show_job(&job);
        }
        Ok(())
    }

    /// Ends the jobs of a song, or all, before its stores are removed.
    pub(super) fn end_jobs_of(&mut self, song: Option<SongId>) -> Result<()> {
        let jobs = self.library.jobs()?;
        for job in jobs.iter().filter(|job| song.is_none_or(|song| job.song == song)) {
            self.cancel(job.id)?;
        }
        Ok(())
    }

    /// Ends jobs that are not in the library any more.
    pub(super) fn drop_lost_jobs(&mut self) {
        let Self { queue, library, .. } = self;
        queue.waiting.retain(|(job, _)| library.job(job.id).is_ok());
        queue.paused.retain(|paused| library.job(paused.job.id).is_ok());
        queue.held_elsewhere.retain(|(song, ..)| library.song(*song).is_ok());
        if let Some(running) =
            queue.running.as_mut().filter(|running| library.job(running.job.id).is_err())
        {
            running.stop(Stop::Cancelled);
        }
    }

    /// Gives the worker the next waiting job, if it has none.
    pub(super) fn start_next(&mut self) {
        while self.queue.running.is_none() {
            let Some((job, from_frame)) = self.queue.waiting.pop_front() else { return };
            let id = job.id;
            match self.start(job.clone(), from_frame) {
                Ok(()) => {}
                // Another program works on this song: its job is not ours to write.
                Err(Problem::Locked) => {
                    let request = self.queue.requests.get(&id).copied();
                    self.wait_for_other(job.song, JobRequest::by(&job, request), from_frame);
                }
                Err(e) if e.class() == Class::WaitForDisk => {
                    self.queue.running = None;
                    self.pause(job, from_frame, &e);
                }
                Err(e) => {
                    self.queue.running = None;
                    self.end_job(&Job { id, state: JobState::Failed(e), ..job });
                }
            }
        }
    }

    fn start(&mut self, mut job: Job, from_frame: u64) -> Result<()> {
        let song = self.library.song(job.song)?;
        let recipe = job.recipe();
        let Some(model) = self.model(&recipe).cloned() else {
            let gone = Problem::ModelMissing { model: job.model };
            return Err(self.why_missing(&recipe, gone));
        };
        let mut track = self.track(&song, &recipe)?;
        if job.drafts_first {
            track = track.with_draft(&self.library.song_folder(&song.hash), &model)?;
        }
        let Some(stems) = track.stems.clone() else {
            return Err(Problem::OpenedWithoutModel);
        };
        let wanted = wanted_of(&job, &stems);
        let draft = track.draft.clone().filter(|_| job.drafts_first);
        let draft_bytes = draft.as_ref().map_or(0, |draft| draft.missing_bytes(&wanted));
        let undrafted = |draft: &Arc<StemStore>| draft.plan().len() - draft.done_count_of(&wanted);
        job.drafts_left = draft.as_ref().map_or(0, undrafted);
        self.make_room(stems.missing_bytes(&wanted) + draft_bytes)?;
        drop(stems.lock()?);
        job.state = JobState::Running;
        job.segments_total = stems.plan().len();
        job.segments_done = stems.done_count_of(&wanted);
        let (cancel, networks) = (CancelToken::default(), model.networks_for(&wanted).len());
        let pace = self.pace_of(&model, job.quality);
        let task = Task {
            job: job.id,
            mix: Arc::clone(&track.mix),
            stems,
            draft,
            pace,
            model,
            wanted,
            is_draft: job.quality.is_draft,
            cancel: cancel.clone(),
            compute: self.compute,
            listener: self.listener_of(job.song, from_frame),
        };
        self.library.update_job(&job)?;
        if let Some(seconds) = pace {
            self.sink.send(Event::JobPace(job.id, seconds * networks as f64));
        }
        self.sink.send(Event::Job(job.clone()));
        self.show_draft(&job, &track);
        self.queue.running = Some(Running {
            known_segments: job.segments_done,
            computed: (0, 0.0),
            drafted: (0, 0.0),
            networks,
            job,
            track,
            cancel,
            stop: None,
        });
        self.worker.give(task)
    }

    /// Whether there is room for `bytes` of stems. What was removed can be brought back until its room
    /// is needed.
    fn make_room(&mut self, bytes: u64) -> Result<()> {
        match check_room(self.library.home(), bytes) {
            Err(_) if self.purge_removed() => check_room(self.library.home(), bytes),
            room => room,
        }
    }

    /// Where the listener is: the play head while the song is open, else where the job started.
    fn listener_of(&self, song: SongId, from: u64) -> Box<dyn Fn() -> Listener + Send + Sync> {
        let (player, listened) = (self.player.clone(), Arc::clone(&self.listened));
        let last = AtomicU64::new(from);
        Box::new(move || {
            let is_open = listened.load(Ordering::Relaxed) == song.0;
            if is_open {
                last.store(player.position(), Ordering::Relaxed);
            }
            let speed = if is_open && player.is_playing() { player.speed() } else { 0.0 };
            Listener::moving(last.load(Ordering::Relaxed), speed.into())
        })
    }

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
                self.tell_shown(job.song, &open.recipe, &open.track);
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
        let (recipe, networks) = (running.job.recipe(), running.networks);
        let Some(model) = self.model(&recipe) else { return Ok(()) };
        let draft = Preset::Draft.quality(&model.spec);
        let counts = [(recipe.quality, running.computed), (draft, running.drafted)];
        let precision = self.compute.precision;
        let counts = counts.map(|(quality, count)| (model.pace_name(quality, precision), count));
        for (name, (segments, seconds)) in counts {
            self.library.add_to_pace(&name, segments * networks, seconds)?;
        }
        Ok(())
    }

    /// Tells how long a segment is expected to take.
    pub(super) fn show_pace(&self) {
        let recipe = self.default_options();
        let Some(model) = self.model(&recipe) else { return };
        if let Some(seconds) = self.pace_of(model, recipe.quality) {
            self.sink.send(Event::Pace(seconds));
        }
    }

    fn end_job(&mut self, job: &Job) {
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
        let model = self.model(&job.recipe()).filter(|model| model.networks.len() == 1);
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

/// The stems that a job asks for, by their places.
pub(super) fn wanted_of(job: &Job, stems: &StemStore) -> Vec<usize> {
    stems_among(stems.names(), &job.stems)
}

fn stems_among(sources: &[String], stems: &[String]) -> Vec<usize> {
    (0..sources.len()).filter(|&stem| stems.contains(&sources[stem])).collect()
}

/// Segments that are there of all that a job asks for.
fn done_of(job: &Job, track: &SongTrack) -> usize {
    track.stems.as_ref().map_or(0, |stems| stems.done_count_of(&wanted_of(job, stems)))
}

/// Whether the disk of the data folder has room for `bytes`, and some for the library.
pub(super) fn check_room(home: &std::path::Path, bytes: u64) -> Result<()> {
    const LIBRARY: u64 = 1 << 20;
    if bytes == 0 {
        Ok(())
    } else {
        atomic_file::check_room(home, bytes + LIBRARY, home, Advice::None)
    }
}
