//! Requests for stems, and the start of jobs. Carries out the queue's decisions: stores them in the
//! library, emits them, and sends tasks to the worker.
//!
//! The user's other commands for jobs are in `job_commands`, progress and end in `running`. Runs on
//! the engine's thread.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use super::{
    Core,
    queue::{JobRequest, Next},
    worker::{Draft, RunningTask, Task},
};
use crate::engine::{
    event::Event,
    export::ordered,
    problem::{Activity, Advice, Problem, Result},
    separation::{
        chain::{
            Chain, StepNeeds,
            draft::{draft_of, draft_stems},
        },
        scheduler::Listener,
    },
    store::StemTree,
    system::{atomic_file, panics::caught},
    types::{CancelToken, Job, JobId, JobState, RequestId, SongId},
};

impl Core {
    /// Resumes the jobs that the end of the last run interrupted.
    pub(super) fn restore_jobs(&mut self) -> Result<()> {
        self.queue.restore(self.library.queue()?);
        self.start_next();
        Ok(())
    }

    /// Requests stems of a song, with the options that were chosen for it.
    pub(super) fn process(
        &mut self,
        request: RequestId,
        song: SongId,
        stems: Vec<String>,
        from_frame: u64,
    ) -> Result<()> {
        let (options, drafts_first) = (self.options_of(song), self.defaults.drafts_first);
        let (request, reuse) = (Some(request), None);
        self.request(JobRequest { song, options, drafts_first, stems, from_frame, request, reuse })
    }

    /// Emits which job belongs to a command, before the job's first event.
    fn accept(&self, request: Option<RequestId>, job: JobId) {
        if let Some(request) = request {
            self.sink.send(Event::Accepted { request, job });
        }
    }

    /// Requests stems of a song. Segments that are already stored are not computed again.
    pub(super) fn request(&mut self, request: JobRequest) -> Result<()> {
        let song = self.library.song(request.song)?;
        let options = &request.options;
        let drafts_first = request.drafts_first && !options.quality.is_draft;
        let Some(chain) = self.chain(options).cloned() else {
            return Err(self.why_missing(options, Problem::NoModel));
        };
        let names = &chain.stems();
        let ordered =
            ordered(&chain.tree, &request.stems).map_err(|problem| chain.explain(problem))?;
        let stems: Vec<String> = ordered.into_iter().map(|stem| names[stem].clone()).collect();
        let request = JobRequest { drafts_first, stems, ..request };
        let JobRequest { options, stems, .. } = &request;
        let track = self.track(&song, options)?;
        if let Some(job) = self.queue.join(&request) {
            let task = self.task.as_ref().filter(|_| self.queue.is_running(song.id, options));
            if let Some(task) = task {
                task.heard_at.store(request.from_frame, Ordering::Relaxed);
            }
            self.library.update_job(&job)?;
            self.accept(request.request, job.id);
            self.show_job(&job);
            return Ok(());
        }
        let Some(store) = &track.stems else {
            return Err(Problem::OpenedWithoutModel);
        };
        let wanted = stems_among(names, stems);
        let is_complete = store.missing(&wanted) == 0;
        if !is_complete && self.track_of_running(song.id, options).is_none() {
            match store.try_lock(&chain.needs(&wanted)) {
                Ok(()) => {}
                // Another process works on this song; the request is repeated when it has finished.
                Err(Problem::Locked) => {
                    self.show_held_elsewhere(song.id);
                    self.queue.hold_request(request);
                    return Ok(());
                }
                Err(e) => return Err(e),
            }
        }
        // An interrupted job resumes; a finished job of the same stems is shown again.
        let fits = |job: &Job| {
            let was_same = job.state == JobState::Done && job.stems == *stems;
            !job.is_ended() || was_same || request.reuse == Some(job.id)
        };
        let mut job = match self.library.last_job_of(song.id, options)?.filter(fits) {
            Some(job) => Job { stems: stems.clone(), ..job },
            None => self.library.add_job(song.id, options, drafts_first, stems)?,
        };
        job.segments_total = store.segments_of(&wanted);
        job.segments_done = store.done_count_of(&wanted);
        job.state = if is_complete { JobState::Done } else { JobState::Waiting };
        self.library.update_job(&job)?;
        self.accept(request.request, job.id);
        self.show_job(&job);
        if job.is_active() {
            self.queue.push(job, request.request, request.from_frame);
            self.start_next();
            return Ok(());
        }
        self.queue.forget(job.id);
        // A process that completed the job may have been killed before it dropped the draft.
        self.drop_draft(&job, track)
    }

    /// Cancels a job. Finished segments stay.
    pub(super) fn cancel(&mut self, id: JobId) -> Result<()> {
        let job = self.library.job(id);
        if self.queue.cancel(id, job.as_ref().ok().map(|job| job.song)) {
            self.stop_worker();
            return Ok(());
        }
        let mut job = job?;
        if !job.is_ended() {
            job.state = JobState::Cancelled;
            self.library.update_job(&job)?;
            self.show_job(&job);
        }
        Ok(())
    }

    /// Cancels the jobs of a song, or all, before stores are removed.
    pub(super) fn end_jobs_of(&mut self, song: Option<SongId>) -> Result<()> {
        let jobs = self.library.jobs()?;
        for job in jobs.iter().filter(|job| song.is_none_or(|song| job.song == song)) {
            self.cancel(job.id)?;
        }
        self.queue.drop_held_requests(song);
        Ok(())
    }

    /// Drops the jobs that are no longer in the library.
    pub(super) fn drop_lost_jobs(&mut self) {
        let Self { queue, library, .. } = self;
        if queue.retain(|job| library.job(job).is_ok(), |song| library.song(song).is_ok()) {
            self.stop_worker();
        }
    }

    /// Sends the worker the next waiting job, if the worker is idle.
    pub(super) fn start_next(&mut self) {
        self.follow_models(); // a model may have been replaced within the last second
        while let Some(next) = self.queue.start_next() {
            let job = next.job.clone();
            // A panic fails this job, and the queue goes on.
            if let Err(e) = caught(Activity::Engine, || self.start(next)) {
                self.task = None;
                let finished = self.queue.finish(job, Err(e), Instant::now());
                if let Some(finished) = finished {
                    self.end_turn(finished);
                }
            }
        }
    }

    fn start(&mut self, Next { mut job, from_frame }: Next) -> Result<()> {
        let song = self.library.song(job.song)?;
        let options = job.options();
        let Some(chain) = self.chain(&options).cloned() else {
            let missing = Problem::ModelMissing { model: job.model };
            return Err(self.why_missing(&options, missing));
        };
        // The model may have been replaced by one with other stems.
        let known = chain.stems();
        if let Some(stem) = job.stems.iter().find(|stem| !known.contains(stem)) {
            return Err(Problem::UnknownStem { stem: stem.clone(), known });
        }
        let mut track = self.track(&song, &options)?;
        let Some(stems) = track.stems.clone() else {
            return Err(Problem::OpenedWithoutModel);
        };
        let wanted = wanted_of(&job, &stems);
        // No draft if at most half of the segments are missing: the final stems come about as soon.
        let (missing, all) = (stems.missing(&wanted), stems.segments_of(&wanted));
        let mut draft = None;
        if job.drafts_first && 2 * missing > all {
            let (draft_chain, quality) = draft_of(&chain, &self.chains);
            let folder = self.library.song_folder(&song.hash);
            track = track.with_draft(&folder, &draft_chain, quality)?;
            draft = track.draft.clone().map(|stems| {
                let wanted = draft_stems(&chain, stems.chain(), &wanted);
                let paces = self.paces_of(&draft_chain, quality);
                Draft { chain: draft_chain, stems, wanted, paces }
            });
        }
        let draft = draft.filter(|draft| !draft.wanted.is_empty());
        let bytes_of = |draft: &Draft| draft.stems.missing_bytes(&draft.wanted);
        let undrafted = |draft: &Draft| {
            draft.stems.segments_of(&draft.wanted) - draft.stems.done_count_of(&draft.wanted)
        };
        job.drafts_left = draft.as_ref().map_or(0, undrafted);
        let draft_bytes = draft.as_ref().map_or(0, bytes_of);
        self.make_room(stems.missing_bytes(&wanted) + draft_bytes)?;
        let needs = chain.needs(&wanted);
        stems.try_lock(&needs)?;
        // From now on, parts of a stem are heard instead of the stem.
        stems.claim(&needs)?;
        let track = track.refreshed();
        job.state = JobState::Running;
        job.segments_total = stems.segments_of(&wanted);
        job.segments_done = stems.done_count_of(&wanted);
        let (cancel, paces) = (CancelToken::default(), self.paces_of(&chain, job.quality));
        let devices = self.devices_of(&chain);
        let pace = mean_pace(&stems, &needs, &paces);
        let counts = |chain: &Chain| vec![(0, 0.0); chain.steps.len()];
        let (computed, drafted) =
            (counts(&chain), draft.as_ref().map(|draft| counts(&draft.chain)));
        let heard_at = Arc::new(AtomicU64::new(from_frame));
        let task = Task {
            job: job.id,
            mix: Arc::clone(&track.mix),
            stems,
            draft,
            paces,
            chain,
            wanted,
            is_draft: job.quality.is_draft,
            cancel: cancel.clone(),
            compute: self.compute,
            listener: self.listener_of(job.song, Arc::clone(&heard_at)),
        };
        self.library.update_job(&job)?;
        if let Some(seconds) = pace {
            self.sink.send(Event::JobPace(job.id, seconds));
        }
        self.sink.send(Event::Job(job.clone()));
        self.show_started(&job, &track);
        let (known_segments, drafted) = (job.segments_done, drafted.unwrap_or_default());
        self.queue.started(job);
        self.task = Some(RunningTask {
            track,
            cancel,
            known_segments,
            computed,
            drafted,
            devices,
            heard_at,
        });
        self.worker.give(task)
    }

    /// Checks that the disk has space for `bytes` of stems. Purges the removed songs if it has not:
    /// they can then no longer be restored.
    fn make_room(&mut self, bytes: u64) -> Result<()> {
        match check_room(self.library.home(), bytes) {
            Err(_) if self.purge_removed() => check_room(self.library.home(), bytes),
            room => room,
        }
    }

    /// A function that returns the listener's position: the play head while the song is open, else
    /// the `last` position.
    fn listener_of(
        &self,
        song: SongId,
        last: Arc<AtomicU64>,
    ) -> Box<dyn Fn() -> Listener + Send + Sync> {
        let (player, listened) = (self.player.clone(), Arc::clone(&self.listened));
        Box::new(move || {
            let is_open = listened.load(Ordering::Relaxed) == song.0;
            if is_open {
                last.store(player.position(), Ordering::Relaxed);
            }
            let speed =
                if is_open && player.is_playing() { player.key_speed().speed() } else { 0.0 };
            Listener::moving(last.load(Ordering::Relaxed), speed.into())
        })
    }
}

/// Expected seconds of an average segment of a job, if known.
fn mean_pace(stems: &StemTree, needs: &[StepNeeds], paces: &[Option<f64>]) -> Option<f64> {
    let segments: usize = needs.iter().map(|needs| stems.plan(needs.step).len()).sum();
    let seconds = |needs: &StepNeeds| {
        let runs = stems.plan(needs.step).len() * stems.chain().networks_for(needs);
        Some(paces[needs.step]? * runs as f64)
    };
    let seconds: f64 = needs.iter().map(seconds).sum::<Option<f64>>()?;
    (segments > 0).then(|| seconds / segments as f64)
}

/// The indices of the stems that a job makes.
pub(super) fn wanted_of(job: &Job, stems: &StemTree) -> Vec<usize> {
    stems_among(stems.names(), &job.stems)
}

fn stems_among(sources: &[String], stems: &[String]) -> Vec<usize> {
    (0..sources.len()).filter(|&stem| stems.contains(&sources[stem])).collect()
}

/// Checks that the disk of the data folder has space for `bytes`, and 1 MiB for the library.
///
/// # Errors
/// The disk has less space.
pub(super) fn check_room(home: &std::path::Path, bytes: u64) -> Result<()> {
    const LIBRARY: u64 = 1 << 20;
    if bytes == 0 {
        Ok(())
    } else {
        atomic_file::check_room(home, bytes + LIBRARY, home, Advice::FreeSpace)
    }
}
