//! Jobs in the engine: asking for stems, the queue, and what becomes of each. What else the user does
//! with them is in `queue.rs`.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use super::{
    super::{
        CancelToken, EngineError, Event, Job, JobId, JobState, Result, SongId, SongTrack,
        aim::Listener, export::ordered, files, worker::Task,
    },
    Core,
    queue::Stop,
};

/// Jobs that wait, in the order they were asked for, and the one that runs.
#[derive(Default)]
pub(super) struct Queue {
    pub(super) waiting: VecDeque<(Job, u64)>,
    /// Jobs that wait for the disk, not for their turn.
    paused: Vec<(Job, u64)>,
    pub(super) running: Option<Running>,
}

pub(super) struct Running {
    pub(super) job: Job,
    track: SongTrack,
    cancel: CancelToken,
    /// Why it was told to end, if it was.
    pub(super) stop: Option<Stop>,
    /// Segments that were in the store at its start, and that it has added.
    known_segments: usize,
    /// Segments that it has added, and the seconds that they took.
    computed: (usize, f64),
}

impl Running {
    /// Ends it within one segment. What was said first holds, but for the user's end.
    pub(super) fn stop(&mut self, why: Stop) {
        if self.stop.is_none() || why == Stop::Cancelled {
            self.stop = Some(why);
        }
        self.cancel.cancel();
    }
}

impl Queue {
    pub(super) fn is_idle(&self) -> bool {
        self.running.is_none()
    }

    /// The stores that a running job writes.
    pub(super) fn track_of(&self, song: SongId) -> Option<SongTrack> {
        let running = self.running.as_ref().filter(|running| running.job.song == song);
        running.map(|running| running.track.clone())
    }

    /// The jobs that wait, the next one first.
    pub(super) fn order(&self) -> impl Iterator<Item = JobId> {
        self.waiting.iter().chain(&self.paused).map(|(job, _)| job.id)
    }

    /// Takes a job out that waits.
    pub(super) fn forget(&mut self, id: JobId) {
        self.waiting.retain(|(job, _)| job.id != id);
        self.paused.retain(|(job, _)| job.id != id);
    }

    /// The job of a song that waits or runs, unless it is being ended.
    fn job_of(&mut self, song: SongId) -> Option<&mut Job> {
        let waiting = self.waiting.iter_mut().chain(&mut self.paused).map(|(job, _)| job);
        self.running
            .iter_mut()
            .filter(|running| running.stop.is_none_or(|stop| stop == Stop::Again))
            .map(|running| &mut running.job)
            .chain(waiting)
            .find(|job| job.song == song)
    }
}

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

    /// Asks for stems of a song. What is in the store already is not computed again.
    pub(super) fn process(&mut self, id: SongId, stems: &[String], from_frame: u64) -> Result<()> {
        let song = self.library.song(id)?;
        let Some(model) = self.model.clone() else {
            return Err(EngineError::Busy(
                "no model is installed; install it first (`partita model install`)".into(),
            ));
        };
        let sources = &model.spec.sources;
        let stems: Vec<String> =
            ordered(sources, stems)?.into_iter().map(|stem| sources[stem].clone()).collect();
        let track = self.track(&song)?;
        if let Some(job) = self.queue.job_of(id) {
            // One pass makes all stems: more ticks join the job that is there.
            job.stems.extend(
                stems.into_iter().filter(|stem| !job.stems.contains(stem)).collect::<Vec<_>>(),
            );
            let job = job.clone();
            self.library.update_job(&job)?;
            self.show_job(&job);
            return Ok(());
        }
        let Some(store) = &track.stems else {
            return Err(EngineError::Busy("the song was opened without a model".into()));
        };
        if !store.is_complete() && self.queue.track_of(id).is_none() {
            // Another program that works on this song keeps its job.
            drop(store.lock()?);
        }
        // A job that was interrupted goes on; one that did the same is shown again.
        let goes_on =
            |job: &Job| !job.is_ended() || (job.stems == stems && job.state == JobState::Done);
        let mut job = match self.library.last_job(id)?.filter(goes_on) {
            Some(job) => Job { stems, ..job },
            None => self.library.add_job(id, &model.name, &stems)?,
        };
        job.segments_total = store.plan().len();
        job.segments_done = store.done_count();
        job.state = if store.is_complete() { JobState::Done } else { JobState::Waiting };
        self.library.update_job(&job)?;
        self.show_job(&job);
        if job.is_active() {
            self.queue.waiting.push_back((job, from_frame));
            self.start_next();
        }
        Ok(())
    }

    /// Ends a job; finished segments stay.
    pub(super) fn cancel(&mut self, id: JobId) -> Result<()> {
        if let Some(running) = self.queue.running.as_mut().filter(|running| running.job.id == id) {
            running.stop(Stop::Cancelled);
            return Ok(());
        }
        self.queue.forget(id);
        let mut job = self.library.job(id)?;
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
        queue.paused.retain(|(job, _)| library.job(job.id).is_ok());
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
                Err(EngineError::Locked) => self.fail(Some(job.song), &EngineError::Locked),
                Err(e) if e.is_passing() => {
                    self.queue.running = None;
                    self.pause(job, from_frame, &e);
                }
                Err(e) => {
                    self.queue.running = None;
                    self.end_job(&Job { id, state: JobState::Failed(e.in_words()), ..job });
                }
            }
        }
    }

    fn start(&mut self, mut job: Job, from_frame: u64) -> Result<()> {
        let song = self.library.song(job.song)?;
        let track = self.track(&song)?;
        let (Some(model), Some(stems)) = (&self.model, &track.stems) else {
            return Err(EngineError::Busy("the model is not installed any more".into()));
        };
        drop(stems.lock()?);
        check_room(self.library.home(), stems.missing_bytes())?;
        job.state = JobState::Running;
        job.segments_total = stems.plan().len();
        job.segments_done = stems.done_count();
        let cancel = CancelToken::default();
        let task = Task {
            job: job.id,
            mix: Arc::clone(&track.mix),
            stems: Arc::clone(stems),
            weights: model.weights.clone(),
            cancel: cancel.clone(),
            compute: self.compute,
            pace: self.library.pace(&model.name)?,
            listener: self.listener_of(job.song, from_frame),
        };
        self.library.update_job(&job)?;
        self.sink.send(Event::Job(job.clone()));
        self.queue.running = Some(Running {
            known_segments: job.segments_done,
            computed: (0, 0.0),
            job,
            track,
            cancel,
            stop: None,
        });
        self.worker.give(task)
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

    /// The worker computes a segment.
    pub(super) fn segment_begins(&self, id: JobId, segment: usize) {
        let goes_on = |running: &&Running| running.job.id == id && running.stop.is_none();
        let Some(running) = self.queue.running.as_ref().filter(goes_on) else { return };
        if let Some(stems) = &running.track.stems {
            let frames = stems.plan().segment(segment);
            let frames = Some((frames.start, frames.end));
            self.sink.send(Event::Computing { song: running.job.song, frames });
        }
    }

    /// The worker put a segment into the store.
    pub(super) fn segment_done(&mut self, id: JobId, segment: usize, seconds: f64) {
        let goes_on = |running: &&mut Running| running.job.id == id && running.stop.is_none();
        let Some(running) = self.queue.running.as_mut().filter(goes_on) else { return };
        let job = &mut running.job;
        job.segments_done = running.track.stems.as_ref().map_or(0, |stems| stems.done_count());
        running.known_segments += 1;
        running.computed = (running.computed.0 + 1, running.computed.1 + seconds);
        job.seconds += seconds;
        let job = job.clone();
        if let Err(e) = self.library.update_job(&job) {
            self.fail(Some(job.song), &e);
        }
        self.show_segment(job.song, segment);
        self.sink.send(Event::Job(job));
    }

    /// The worker ended a job.
    pub(super) fn job_ended(&mut self, id: JobId, result: Result<()>) {
        if let Some(running) = self.queue.running.take_if(|running| running.job.id == id) {
            self.note_pace(&running);
            let mut job = running.job;
            self.sink.send(Event::Computing { song: job.song, frames: None });
            self.tell_need(job.song, &running.track);
            job.segments_done = running.track.stems.as_ref().map_or(0, |stems| stems.done_count());
            if let Some(e) =
                result.as_ref().err().filter(|e| e.is_passing() && running.stop.is_none())
            {
                self.pause(job, 0, e);
                return self.start_next();
            }
            job.state = match result {
                Ok(()) => JobState::Done,
                Err(EngineError::Cancelled) => {
                    running.stop.map_or(JobState::Cancelled, Stop::state)
                }
                Err(e) => JobState::Failed(e.in_words()),
            };
            self.end_job(&job);
            if job.segments_done != running.known_segments {
                // Another program has added some.
                self.show_stems(job.song);
            }
            if running.stop == Some(Stop::Again) && job.is_active() {
                self.queue.waiting.push_front((job, 0));
            }
        }
        self.start_next();
    }

    /// The disk does not take a job's segments: it waits until there is room, and goes on then.
    fn pause(&mut self, mut job: Job, from_frame: u64, error: &EngineError) {
        job.state = JobState::Waiting;
        // On a full disk the library may not take it either; at the next start it waits all the same.
        if let Err(e) = self.library.update_job(&job) {
            tracing::warn!("{}", e.in_words());
        }
        self.sink.send(Event::Job(job.clone()));
        let reason = format!("paused, and goes on when the disk takes it: {}", error.in_words());
        self.sink.send(Event::Failed { song: Some(job.song), reason });
        self.queue.paused.push((job, from_frame));
    }

    /// Lets paused jobs go on whose stores can be written again.
    pub(super) fn take_up_paused(&mut self) {
        let paused = std::mem::take(&mut self.queue.paused);
        let (ready, still): (Vec<_>, Vec<_>) =
            paused.into_iter().partition(|(job, _)| self.can_go_on(job.song));
        self.queue.paused = still;
        self.queue.waiting.extend(ready);
        self.start_next();
    }

    fn can_go_on(&self, song: SongId) -> bool {
        let Ok(song) = self.library.song(song) else { return false };
        let Ok(track) = self.track(&song) else { return false };
        let missing = track.stems.map_or(0, |stems| stems.missing_bytes());
        check_room(self.library.home(), missing).is_ok()
            && files::temporary_in(&self.library.song_folder(&song.hash)).is_ok()
    }

    /// What a job's segments took tells how long those of the next will take.
    fn note_pace(&mut self, running: &Running) {
        let (segments, seconds) = running.computed;
        if let Err(e) = self.library.add_to_pace(&running.job.model, segments, seconds) {
            self.fail(None, &e);
        }
        self.show_pace();
    }

    /// Tells how long a segment is expected to take.
    pub(super) fn show_pace(&self) {
        let Some(model) = &self.model else { return };
        match self.library.pace(&model.name) {
            Ok(Some(seconds)) => self.sink.send(Event::Pace(seconds)),
            Ok(None) => {}
            Err(e) => self.fail(None, &e),
        }
    }

    fn end_job(&mut self, job: &Job) {
        // A song that was removed meanwhile has no job to note.
        if self.library.job(job.id).is_err() {
            return;
        }
        if let Err(e) = self.library.update_job(job) {
            self.fail(Some(job.song), &e);
        }
        self.show_job(job);
    }

    /// At the end of the program: the running job is noted as far as it came, and goes on next time.
    pub(super) fn keep_running_job(&mut self) {
        let Some(running) = &mut self.queue.running else { return };
        running.cancel.cancel();
        running.job.state = running.stop.map_or(JobState::Waiting, Stop::state);
        let (job, (segments, seconds)) = (&running.job, running.computed);
        let kept = self.library.update_job(job);
        if let Err(e) = kept.and_then(|()| self.library.add_to_pace(&job.model, segments, seconds))
        {
            tracing::error!("{}", e.in_words());
        }
    }
}

/// Whether the disk of the data folder has room for `bytes`, and some for the library.
fn check_room(home: &std::path::Path, bytes: u64) -> Result<()> {
    const LIBRARY: u64 = 1 << 20;
    let needed = bytes + LIBRARY;
    let Some(free) = files::free_bytes(home).filter(|&free| bytes > 0 && free < needed) else {
        return Ok(());
    };
    let megabytes = |bytes: u64| bytes.div_ceil(1 << 20);
    let text = format!(
        "there is not enough room: {} MB are needed, {} MB are free",
        megabytes(needed),
        megabytes(free)
    );
    let source = std::io::Error::new(std::io::ErrorKind::StorageFull, text);
    Err(EngineError::Io { what: "cannot write", path: home.to_owned(), source })
}
