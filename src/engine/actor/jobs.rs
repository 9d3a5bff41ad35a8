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
    separation::scheduler::Listener,
    store::StemStore,
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
        let (options, drafts_first) = (self.options_of(id), self.defaults.drafts_first);
        let (stems, request) = (stems.to_vec(), Some(request));
        self.request(id, JobRequest { options, drafts_first, stems, request }, from_frame)
    }

    /// Says which job answers a command, before the job's first event.
    fn accept(&mut self, request: Option<RequestId>, job: JobId) {
        if let Some(request) = request {
            self.queue.requests.insert(job, request);
            self.sink.send(Event::Accepted { request, job });
        }
    }

    /// Reports a failure of a job to the command that asked for it.
    pub(super) fn fail_job(&self, job: &Job, error: &Problem) {
        self.fail_request(self.queue.requests.get(&job.id).copied(), Some(job.song), error);
    }

    /// Asks for stems of a song. What is in the store already is not computed again.
    pub(super) fn request(&mut self, id: SongId, asked: JobRequest, from_frame: u64) -> Result<()> {
        let song = self.library.song(id)?;
        let JobRequest { options, drafts_first, stems, request } = asked;
        let drafts_first = drafts_first && !options.quality.is_draft;
        let Some(model) = self.model(&options).cloned() else {
            return Err(self.why_missing(&options, Problem::NoModel));
        };
        let sources = &model.stems();
        let stems: Vec<String> =
            ordered(sources, &stems)?.into_iter().map(|stem| sources[stem].clone()).collect();
        let track = self.track(&song, &options)?;
        if let Some(job) = self.queue.job_of(id, &options) {
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
        if !is_there && self.queue.track_of(id, &options).is_none() {
            match store.lock() {
                Ok(lock) => drop(lock),
                // Another program that works on this song keeps its job.
                Err(Problem::Locked) => {
                    let asked = JobRequest { options, drafts_first, stems, request };
                    self.wait_for_other(id, asked, from_frame);
                    return Ok(());
                }
                Err(e) => return Err(e),
            }
        }
        // A job that was interrupted goes on; one that did the same is shown again.
        let goes_on =
            |job: &Job| !job.is_ended() || (job.stems == stems && job.state == JobState::Done);
        let mut job = match self.library.last_job_of(id, &options)?.filter(goes_on) {
            Some(job) => Job { stems, ..job },
            None => self.library.add_job(id, &options, drafts_first, &stems)?,
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
        let options = job.options();
        let Some(model) = self.model(&options).cloned() else {
            let gone = Problem::ModelMissing { model: job.model };
            return Err(self.why_missing(&options, gone));
        };
        let mut track = self.track(&song, &options)?;
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
}

/// The stems that a job asks for, by their places.
pub(super) fn wanted_of(job: &Job, stems: &StemStore) -> Vec<usize> {
    stems_among(stems.names(), &job.stems)
}

fn stems_among(sources: &[String], stems: &[String]) -> Vec<usize> {
    (0..sources.len()).filter(|&stem| stems.contains(&sources[stem])).collect()
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
