//! A share, from its longest song to its shortest: what is done is skipped, what was begun goes on, what
//! fails is written down and stops nothing else.
//!
//! Runs on the caller's thread; the network on the batch's pool.

use std::{
    io,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use serde::Serialize;

use super::{
    Entry, Shard, Song,
    claim::{self, Asked, Claim, SILENCE, Wanted},
    failure::Failure,
    key::{self, Source},
    receipt::{self, Receipt, Written},
    record::{Record, Recorder, State, now},
};
use crate::engine::{
    export::OnExists,
    problem::{Problem, Result},
    separation::batch::{Batch, Progress, Separated},
    system::atomic_file::write_atomically,
    types::{CancelToken, SAMPLE_RATE},
};

/// How long one who is on a song of ours is waited for at the end: long enough to see that it is dead.
const PATIENCE: Duration = Duration::from_secs(SILENCE.as_secs() + 30);
/// The pause before the first look at it; each next one is twice as long, up to the last.
const FIRST_LOOK: Duration = Duration::from_millis(20);
const LAST_LOOK: Duration = Duration::from_secs(1);

/// What happens on the way.
#[derive(Debug)]
pub enum ShardEvent<'a> {
    /// A song is begun, or gone on with.
    Begins(&'a Song),
    /// How far it is.
    Progress(&'a Song, Progress),
    /// It is done.
    Done(&'a Song, &'a Receipt),
    /// It was done before.
    Skipped(&'a Song, &'a Receipt),
    /// Somebody else is on it; it comes again at the end.
    Elsewhere(&'a Song, &'a str),
    /// It failed.
    Failed(&'a Song, &'a Failure),
}

/// What became of a share.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Summary {
    /// Songs of the share.
    pub songs: usize,
    /// Songs that are done now.
    pub done: usize,
    /// Songs that were done before.
    pub skipped: usize,
    /// Songs that cannot be done.
    pub failed: usize,
    /// Songs that another try may do.
    pub temporary: usize,
    /// Songs that were not come to.
    pub left: usize,
    /// Why it was stopped.
    pub stopped: Option<String>,
    /// Segments that were computed.
    pub computed: usize,
    /// Seconds of music that were finished.
    pub music: f64,
}

impl Summary {
    /// Whether another try may do more.
    pub fn is_to_be_resumed(&self) -> bool {
        self.left > 0 || self.temporary > 0
    }
}

/// A share to be done.
pub struct Run<'a> {
    /// What separates.
    pub batch: &'a Batch,
    /// The folder of all results.
    pub out: &'a Path,
    /// Where receipts and records are.
    pub state: &'a Path,
    /// Where half-done work is.
    pub work: &'a Path,
    /// The file of failures.
    pub failures: &'a Path,
    /// Which share, of what.
    pub shard: Shard,
    /// Whether what is done is skipped.
    pub resumes: bool,
}

/// The share while it is done.
struct ShardRun<'a, 'n> {
    run: &'a Run<'a>,
    cancel: &'a CancelToken,
    news: &'n mut dyn FnMut(ShardEvent<'_>),
    recorder: Recorder,
    failures: Vec<Failure>,
    summary: Summary,
}

/// What became of one song.
enum Outcome {
    Done,
    Elsewhere(String),
    /// The signal came first.
    Ended,
    /// It, or all that would follow, cannot be written.
    Stopped(String),
}

impl Run<'_> {
    /// Does the songs of the share, in their order. `about` says of what they are a share.
    ///
    /// # Errors
    /// [`Problem::File`] where not even records can be written.
    pub fn run(
        &self,
        songs: &[Song],
        about: Record,
        cancel: &CancelToken,
        news: &mut dyn FnMut(ShardEvent<'_>),
    ) -> Result<Summary> {
        let Shard { index, count } = self.shard;
        let record = Record {
            shard: index,
            of: count,
            songs: songs.len(),
            seconds: songs.iter().filter_map(|song| song.entry.seconds).sum(),
            began: now(),
            host: claim::host(),
            threads: self.batch.threads(),
            failures: std::path::absolute(self.failures).unwrap_or_else(|_| self.failures.into()),
            ..about
        };
        let recorder = Recorder::begin(self.state, record, songs)?;
        let summary = Summary { songs: songs.len(), ..Summary::default() };
        let mut going =
            ShardRun { run: self, cancel, news, recorder, failures: Vec::new(), summary };
        going.write_failures()?;
        going.run_songs(songs)?;
        Ok(going.summary)
    }
}

impl ShardRun<'_, '_> {
    fn run_songs(&mut self, songs: &[Song]) -> Result<()> {
        let mut later: Vec<&Song> = Vec::new();
        for (index, song) in songs.iter().enumerate() {
            let outcome = self.run_song(song)?;
            let left = songs.len() - index - 1 + later.len();
            match outcome {
                Outcome::Done => {}
                Outcome::Elsewhere(host) => {
                    (self.news)(ShardEvent::Elsewhere(song, &host));
                    later.push(song);
                }
                Outcome::Ended => return self.stop(left + 1, "a signal".into()),
                Outcome::Stopped(reason) => return self.stop(left, reason),
            }
        }
        while let Some(song) = later.first().copied() {
            match self.wait_for(song)? {
                Outcome::Ended => return self.stop(later.len(), "a signal".into()),
                Outcome::Stopped(reason) => return self.stop(later.len() - 1, reason),
                Outcome::Done | Outcome::Elsewhere(_) => drop(later.remove(0)),
            }
        }
        self.recorder.end(State::Ended)
    }

    fn stop(&mut self, left: usize, reason: String) -> Result<()> {
        (self.summary.left, self.summary.stopped) = (left, Some(reason));
        self.recorder.end(State::Stopped)
    }

    /// Waits for the process that works on a song: until the song is done or free, or for too long.
    fn wait_for(&mut self, song: &Song) -> Result<Outcome> {
        let until = Instant::now() + PATIENCE;
        let mut pause = FIRST_LOOK;
        loop {
            let outcome = self.run_song(song)?;
            let Outcome::Elsewhere(host) = outcome else { return Ok(outcome) };
            if Instant::now() >= until {
                self.failed(song, &Problem::Elsewhere { host: host.clone() })?;
                return Ok(Outcome::Elsewhere(host));
            }
            self.recorder.tell();
            std::thread::sleep(pause);
            pause = (2 * pause).min(LAST_LOOK);
        }
    }

    fn run_song(&mut self, song: &Song) -> Result<Outcome> {
        if self.cancel.is_ending() {
            return Ok(Outcome::Ended);
        }
        let source = Source::of(&song.request.file);
        let (work, first_version) = (key::of_work(source), song.keys.first_version_work(source));
        let first_version = first_version.as_deref();
        let wanted = Wanted { song: &song.keys.song, work: &work, first_version };
        if let Some(receipt) = self.done_already(song) {
            // Its process may have been killed after the receipt.
            claim::clear(self.run.work, wanted);
            return Ok(self.skip_completed(song, &receipt));
        }
        step(Step::SawNoReceipt);
        let claim = match claim::ask(self.run.work, wanted) {
            Ok(Asked::Ours(claim)) => claim,
            Ok(Asked::Others(host)) => return Ok(Outcome::Elsewhere(host)),
            Err(error) => return self.record_failure(song, &error),
        };
        step(Step::Claimed);
        // The previous owner may have finished it just before.
        if let Some(receipt) = self.done_already(song) {
            self.clear_up(claim, wanted);
            return Ok(self.skip_completed(song, &receipt));
        }
        (self.news)(ShardEvent::Begins(song));
        let error = match self.make(song, source, &claim) {
            Ok(receipt) => {
                self.clear_up(claim, wanted);
                return Ok(self.did(song, &receipt));
            }
            Err(error) => error,
        };
        // Whatever failed: another process may have finished it meanwhile.
        if let Some(receipt) = self.done_already(song) {
            self.clear_up(claim, wanted);
            return Ok(self.skip_completed(song, &receipt));
        }
        if matches!(error, Problem::Cancelled) {
            return Ok(Outcome::Ended);
        }
        if !claim.is_held() {
            return Ok(Outcome::Elsewhere("another machine".into()));
        }
        if !error.class().is_temporary() {
            // Its work is useless to every other process, too.
            self.clear_up(claim, wanted);
        }
        self.record_failure(song, &error)
    }

    /// Removes the work on a song, our own and that of dead processes.
    fn clear_up(&self, claim: Claim, wanted: Wanted<'_>) {
        claim.remove();
        claim::clear(self.run.work, wanted);
    }

    /// The receipt of a song that is done, and is to be skipped.
    fn done_already(&self, song: &Song) -> Option<Receipt> {
        let receipt = Receipt::find(self.run.state, &song.keys).filter(|_| self.run.resumes);
        receipt.filter(|receipt| receipt.holds(&song.request.file, self.run.out))
    }

    /// Separates a song into files, and writes its receipt.
    fn make(&mut self, song: &Song, source: Option<Source>, claim: &Claim) -> Result<Receipt> {
        let started = Instant::now();
        self.begin(song)?;
        step(Step::Begun);
        let separated = self.separate(song, claim)?;
        step(Step::Separated);
        let receipt = self.write_down(song, source, &separated, started)?;
        step(Step::WroteReceipt);
        Ok(receipt)
    }

    /// Marks a song as begun, unless foreign files have its names.
    fn begin(&self, song: &Song) -> Result<()> {
        let run = self.run;
        let files = run.batch.files(&song.request)?;
        let there: Vec<PathBuf> = files.into_iter().filter(|file| file.exists()).collect();
        step(Step::SawFiles);
        // After the look at the files: its own ones cannot appear without a mark.
        let is_begun = receipt::is_begun(run.state, &song.keys);
        step(Step::SawMark);
        let is_replaced = is_begun || song.request.settings.on_exists == OnExists::Replace;
        if !there.is_empty() && !is_replaced {
            return Err(Problem::Exists(there));
        }
        receipt::begin(run.state, &song.keys, &song.request.file)
    }

    /// Separates a song that is marked as begun: files of its names are its own, and are replaced.
    fn separate(&mut self, song: &Song, claim: &Claim) -> Result<Separated> {
        let (run, cancel) = (self.run, self.cancel);
        let mut request = song.request.clone();
        request.settings.on_exists = OnExists::Replace;
        let (news, recorder, computed) =
            (&mut *self.news, &mut self.recorder, &mut self.summary.computed);
        let (before, mut first) = (*computed, None);
        run.batch.separate_in(&request, claim.path(), cancel, &mut |progress| {
            if let Some((done, _)) = progress.segments {
                *computed = before + done - *first.get_or_insert(done);
                recorder.record.computed = *computed;
                recorder.tell();
            }
            news(ShardEvent::Progress(song, progress));
        })
    }

    /// Writes down that a song is done. Its files are synced and have their names.
    fn write_down(
        &self,
        song: &Song,
        source: Option<Source>,
        separated: &Separated,
        started: Instant,
    ) -> Result<Receipt> {
        let run = self.run;
        let files = &separated.exported.files;
        let files = files.iter().map(|(name, path)| Written::of(name, path, run.out, self.cancel));
        let mut notes = separated.exported.notes.clone();
        notes.0.extend(separated.warning.0.clone());
        let receipt = Receipt {
            is_done: true,
            song: words(song),
            key: song.keys.song.clone(),
            model: run.batch.identity().to_string(),
            source,
            files: files.collect::<Result<_>>()?,
            seconds: separated.frames as f64 / f64::from(SAMPLE_RATE),
            segments: separated.segments.0,
            computed: separated.segments.1,
            took: started.elapsed().as_secs_f64(),
            host: claim::host(),
            at: now(),
            gain_db: separated.exported.gain_db,
            notes,
        };
        receipt.write(run.state)?;
        Ok(receipt)
    }

    fn did(&mut self, song: &Song, receipt: &Receipt) -> Outcome {
        self.summary.done += 1;
        self.summary.music += receipt.seconds;
        let record = &mut self.recorder.record;
        (record.done, record.music) = (self.summary.done, self.summary.music);
        self.recorder.tell();
        (self.news)(ShardEvent::Done(song, receipt));
        Outcome::Done
    }

    fn skip_completed(&mut self, song: &Song, receipt: &Receipt) -> Outcome {
        self.summary.done += 1;
        self.summary.skipped += 1;
        let record = &mut self.recorder.record;
        (record.done, record.skipped) = (self.summary.done, self.summary.skipped);
        self.recorder.tell();
        (self.news)(ShardEvent::Skipped(song, receipt));
        Outcome::Done
    }

    fn record_failure(&mut self, song: &Song, error: &Problem) -> Result<Outcome> {
        self.failed(song, error)?;
        let stops = error.concerns_all();
        Ok(if stops { Outcome::Stopped(error.to_string()) } else { Outcome::Done })
    }

    fn failed(&mut self, song: &Song, problem: &Problem) -> Result<()> {
        let (reason, temporary) = (problem.to_string(), problem.class().is_temporary());
        let Entry { line, folder, seconds, track, options, path, .. } = song.entry.clone();
        let (path, name) = (path.to_string_lossy().into_owned(), song.request.called.clone());
        let failure =
            Failure { path, name, folder, seconds, track, options, line, reason, temporary };
        if temporary {
            self.summary.temporary += 1;
        } else {
            self.summary.failed += 1;
        }
        self.recorder.record.failed = self.summary.temporary + self.summary.failed;
        (self.news)(ShardEvent::Failed(song, &failure));
        self.failures.push(failure);
        self.recorder.tell();
        match self.write_failures() {
            // The song's own failure is told; on a full disk nothing else could be.
            Err(error) if error.concerns_all() => {
                tracing::warn!("the failure is not written down: {error}");
                Ok(())
            }
            written => written,
        }
    }

    /// Writes the file of failures; one without any is none.
    fn write_failures(&self) -> Result<()> {
        let path = self.run.failures;
        let cannot = |error| Problem::write(path, error);
        if self.failures.is_empty() {
            return match std::fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(cannot(error)),
                _ => Ok(()),
            };
        }
        let mut text = Vec::new();
        for failure in &self.failures {
            serde_json::to_writer(&mut text, failure).map_err(|e| cannot(io::Error::other(e)))?;
            text.push(b'\n');
        }
        write_atomically(path, &text)
    }
}

fn words(song: &Song) -> String {
    song.request.file.display().to_string()
}

/// A place between two accesses to the shared folder, at which tests let another process run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    SawNoReceipt,
    Claimed,
    SawFiles,
    SawMark,
    Begun,
    Separated,
    WroteReceipt,
}

#[cfg(not(test))]
fn step(_: Step) {}

#[cfg(test)]
use race_tests::step;

#[cfg(test)]
mod race_tests;
