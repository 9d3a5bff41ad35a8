//! Processing of a share, from its longest song to its shortest. Completed songs are skipped,
//! unfinished ones resumed, and failures recorded without stopping the others.
//!
//! Runs on the calling thread; the network runs on the batch's pool.

use std::{
    fmt, io,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use serde::{Serialize, Serializer};

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

/// Maximum wait at the end for another process on one of our songs: long enough to recognise its
/// death.
const PATIENCE: Duration = Duration::from_secs(SILENCE.as_secs() + 30);
/// Pause before the first check of that song; each following pause is twice as long, up to the
/// maximum.
const FIRST_LOOK: Duration = Duration::from_millis(20);
const LAST_LOOK: Duration = Duration::from_secs(1);

/// Event during the processing of a share.
#[derive(Debug)]
pub enum ShardEvent<'a> {
    /// A song is started or resumed.
    Begins(&'a Song),
    /// Progress of a song.
    Progress(&'a Song, Progress),
    /// A song is completed.
    Done(&'a Song, &'a Receipt),
    /// A song was completed before.
    Skipped(&'a Song, &'a Receipt),
    /// Another process works on the song; it is checked again at the end.
    Elsewhere(&'a Song, &'a str),
    /// A song failed.
    Failed(&'a Song, &'a Failure, &'a Problem),
}

/// Reason for stopping a share early.
#[derive(Clone, Debug, PartialEq)]
pub enum Stop {
    /// The system asked the process to end.
    Signal,
    /// A problem that concerns all songs.
    Problem(Problem),
}

/// English text, for JSON.
impl fmt::Display for Stop {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Signal => to.write_str("a signal"),
            Self::Problem(problem) => problem.fmt(to),
        }
    }
}

impl Serialize for Stop {
    fn serialize<S: Serializer>(&self, to: S) -> std::result::Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

/// Result of a share.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Summary {
    /// Number of songs of the share.
    pub songs: usize,
    /// Number of songs completed by this run.
    pub done: usize,
    /// Number of songs completed before.
    pub skipped: usize,
    /// Number of permanently failed songs.
    pub failed: usize,
    /// Number of songs that a retry may complete.
    pub temporary: usize,
    /// Number of songs not reached.
    pub left: usize,
    /// Reason for stopping early.
    pub stopped: Option<Stop>,
    /// Number of computed segments.
    pub computed: usize,
    /// Seconds of finished music.
    pub music: f64,
}

impl Summary {
    /// Whether another run may complete more songs.
    pub fn is_to_be_resumed(&self) -> bool {
        self.left > 0 || self.temporary > 0
    }
}

/// Configuration of a share.
pub struct Run<'a> {
    /// Separator of songs.
    pub batch: &'a Batch,
    /// Root folder of the results.
    pub out: &'a Path,
    /// Folder of receipts and records.
    pub state: &'a Path,
    /// Folder of unfinished work.
    pub work: &'a Path,
    /// Path of the file of failures.
    pub failures: &'a Path,
    /// Number of the share.
    pub shard: Shard,
    /// Whether completed songs are skipped.
    pub resumes: bool,
}

/// State of a running share.
struct ShardRun<'a, 'n> {
    run: &'a Run<'a>,
    cancel: &'a CancelToken,
    events: &'n mut dyn FnMut(ShardEvent<'_>),
    recorder: Recorder,
    failures: Vec<Failure>,
    summary: Summary,
}

/// Outcome of one song.
enum Outcome {
    Done,
    Elsewhere(String),
    /// The run was cancelled.
    Ended,
    /// A write failed that would fail for all following songs, too.
    Stopped(Problem),
}

impl Run<'_> {
    /// Processes the songs of the share in order. `about` describes the manifest.
    ///
    /// # Errors
    /// [`Problem::File`] if even records cannot be written.
    pub fn run(
        &self,
        songs: &[Song],
        about: Record,
        cancel: &CancelToken,
        events: &mut dyn FnMut(ShardEvent<'_>),
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
            ShardRun { run: self, cancel, events, recorder, failures: Vec::new(), summary };
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
                    (self.events)(ShardEvent::Elsewhere(song, &host));
                    later.push(song);
                }
                Outcome::Ended => return self.stop(left + 1, Stop::Signal),
                Outcome::Stopped(problem) => return self.stop(left, Stop::Problem(problem)),
            }
        }
        while let Some(song) = later.first().copied() {
            match self.wait_for(song)? {
                Outcome::Ended => return self.stop(later.len(), Stop::Signal),
                Outcome::Stopped(problem) => {
                    return self.stop(later.len() - 1, Stop::Problem(problem));
                }
                Outcome::Done | Outcome::Elsewhere(_) => drop(later.remove(0)),
            }
        }
        self.recorder.end(State::Ended)
    }

    fn stop(&mut self, left: usize, reason: Stop) -> Result<()> {
        (self.summary.left, self.summary.stopped) = (left, Some(reason));
        self.recorder.end(State::Stopped)
    }

    /// Waits for the process that works on a song, until the song is completed or free, or until a
    /// timeout.
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
            self.recorder.update();
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
            // The process may have been killed after writing the receipt.
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
        // The previous owner may have just finished the song.
        if let Some(receipt) = self.done_already(song) {
            self.clear_up(claim, wanted);
            return Ok(self.skip_completed(song, &receipt));
        }
        (self.events)(ShardEvent::Begins(song));
        let error = match self.make(song, source, &claim) {
            Ok(receipt) => {
                self.clear_up(claim, wanted);
                return Ok(self.did(song, &receipt));
            }
            Err(error) => error,
        };
        // Regardless of the failure, another process may have finished the song in the meantime.
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
            // The work is useless to every other process, too.
            self.clear_up(claim, wanted);
        }
        self.record_failure(song, &error)
    }

    /// Removes the work on a song: our own, and that of dead processes.
    fn clear_up(&self, claim: Claim, wanted: Wanted<'_>) {
        claim.remove();
        claim::clear(self.run.work, wanted);
    }

    /// Receipt of a completed song that is to be skipped.
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
        // Check after looking at the files: the song's own files never appear without a mark.
        let is_begun = receipt::is_begun(run.state, &song.keys);
        step(Step::SawMark);
        let is_replaced = is_begun || song.request.settings.on_exists == OnExists::Replace;
        if !there.is_empty() && !is_replaced {
            return Err(Problem::Exists(there));
        }
        receipt::begin(run.state, &song.keys, &song.request.file)
    }

    /// Separates a song that is marked as begun; existing files with its names belong to it and are
    /// replaced.
    fn separate(&mut self, song: &Song, claim: &Claim) -> Result<Separated> {
        let (run, cancel) = (self.run, self.cancel);
        let mut request = song.request.clone();
        request.settings.on_exists = OnExists::Replace;
        let (events, recorder, computed) =
            (&mut *self.events, &mut self.recorder, &mut self.summary.computed);
        let (before, mut first) = (*computed, None);
        run.batch.separate_in(&request, claim.path(), cancel, &mut |progress| {
            if let Some((done, _)) = progress.segments {
                *computed = before + done - *first.get_or_insert(done);
                recorder.record.computed = *computed;
                recorder.update();
            }
            events(ShardEvent::Progress(song, progress));
        })
    }

    /// Writes the receipt of a completed song. Its files are synced and have their final names.
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
            song: path_text(song),
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
        self.recorder.update();
        (self.events)(ShardEvent::Done(song, receipt));
        Outcome::Done
    }

    fn skip_completed(&mut self, song: &Song, receipt: &Receipt) -> Outcome {
        self.summary.done += 1;
        self.summary.skipped += 1;
        let record = &mut self.recorder.record;
        (record.done, record.skipped) = (self.summary.done, self.summary.skipped);
        self.recorder.update();
        (self.events)(ShardEvent::Skipped(song, receipt));
        Outcome::Done
    }

    fn record_failure(&mut self, song: &Song, error: &Problem) -> Result<Outcome> {
        self.failed(song, error)?;
        let stops = error.concerns_all();
        Ok(if stops { Outcome::Stopped(error.clone()) } else { Outcome::Done })
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
        (self.events)(ShardEvent::Failed(song, &failure, problem));
        self.failures.push(failure);
        self.recorder.update();
        match self.write_failures() {
            // The song's own failure is reported; on a full disk, no more is possible.
            Err(error) if error.concerns_all() => {
                tracing::warn!("could not record the failure: {error}");
                Ok(())
            }
            written => written,
        }
    }

    /// Writes the file of failures; without failures the file is removed.
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

fn path_text(song: &Song) -> String {
    song.request.file.display().to_string()
}

/// A point between two accesses to the shared folder, at which tests run another process.
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
