//! Benchmark of listening during separation: `cargo bench --bench listen -- FILE [--rounds N]
//! [--minutes M]`.
//!
//! Drives the engine in this process and plays through the default sound device (a paced sink
//! behind ALSA's `file` plug-in suffices). Prints, N times, the seconds from Process to the first
//! sound of a stem at the play head, with a breakdown. Also prints the seconds after a seek ahead,
//! and the time of one segment. Then plays for M minutes while the song is separated repeatedly,
//! with seeks, loops, gains and speeds, and prints the underruns and the memory.

#![expect(clippy::print_stdout, reason = "the figures are the result")]

mod folder;
mod memory;

use std::{
    fs,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};
use crossbeam_channel::{Receiver, RecvTimeoutError};
use partita::engine::{
    Command, Compute, Config, Engine, Event, JobState, LaneSettings, SAMPLE_RATE, SongId,
    audio::repitch::KeySpeed,
    player::{Device, Monitor, gains},
};
use tempfile::TempDir;

/// Frames between the starts of segments. The play head starts at a segment's start, so that the
/// result does not depend on its position within a segment.
const STRIDE: u64 = 257_985;

/// Longest wait for anything.
const PATIENCE: Duration = Duration::from_mins(5);

fn main() -> Result<()> {
    let mut words = std::env::args().skip(1).filter(|word| word != "--bench");
    let Some(file) = words.next() else { bail!("FILE [--rounds N] [--minutes M]") };
    let (mut rounds, mut minutes) = (3, 0.0);
    while let Some(word) = words.next() {
        let value = words.next().unwrap_or_default();
        match word.as_str() {
            "--rounds" => rounds = value.parse()?,
            "--minutes" => minutes = value.parse()?,
            _ => bail!("FILE [--rounds N] [--minutes M]"),
        }
    }
    let file = fs::canonicalize(file)?;
    for _ in 0..rounds {
        Session::start(file.clone())?.first_sounds()?;
    }
    if minutes > 0.0 {
        let mut session = Session::start(file)?;
        session.process();
        session.endure(Duration::from_secs_f64(60.0 * minutes))?;
    }
    Ok(())
}

struct Session {
    engine: Engine,
    events: Receiver<Event>,
    file: PathBuf,
    song: SongId,
    frames: u64,
    /// Total duration, in seconds, and number of the computed segments.
    computed: (f64, usize),
    /// The start times of the segments, and the time when the first one was readable.
    begun: Vec<Instant>,
    readable: Option<Instant>,
    is_done: bool,
    is_analysed: bool,
    // Dropped last.
    _home: TempDir,
}

impl Session {
    fn start(file: PathBuf) -> Result<Self> {
        let home = folder::home()?;
        let config = Config {
            home: home.path().to_owned(),
            compute: Compute::default(),
            interactive: true,
            waker: Arc::new(|| {}),
        };
        let (engine, events) = Engine::start(&config)?;
        let (song, computed) = (SongId(0), (0.0, 0));
        let mut session = Self {
            engine,
            events,
            file,
            song,
            frames: 0,
            computed,
            begun: Vec::new(),
            readable: None,
            is_done: false,
            is_analysed: false,
            _home: home,
        };
        session.open()?;
        Ok(session)
    }

    /// Imports and opens the file.
    fn open(&mut self) -> Result<()> {
        self.engine.send(Command::Import(vec![self.file.clone()]));
        self.song = SongId(0);
        self.wait("the import", |session| session.song != SongId(0))?;
        self.engine.send(Command::Open(self.song));
        self.frames = 0;
        self.wait("the song", |session| session.frames > 0)
    }

    fn take(&mut self, event: Event) -> Result<()> {
        match event {
            Event::Imported { song, .. } => self.song = song,
            Event::Opened { frames, .. } => self.frames = frames,
            Event::Song(song) => self.is_analysed = song.loudness_lufs.is_some(),
            Event::Job(job) if job.song == self.song => {
                self.is_done = job.state == JobState::Done;
                self.computed = (job.seconds, job.segments_done);
                if let JobState::Failed(reason) = job.state {
                    bail!("the job failed: {reason}");
                }
            }
            Event::Segments { covered, .. } if !covered.is_empty() => {
                self.readable.get_or_insert_with(Instant::now);
            }
            Event::Computing { frames: Some(_), .. } => self.begun.push(Instant::now()),
            Event::ImportFailed { problem, .. } => bail!("{problem}"),
            _ => {}
        }
        Ok(())
    }

    /// Handles events for this time.
    fn attend(&mut self, time: Duration) -> Result<()> {
        let until = Instant::now() + time;
        loop {
            match self.events.recv_deadline(until) {
                Ok(event) => self.take(event)?,
                Err(RecvTimeoutError::Timeout) => return Ok(()),
                Err(RecvTimeoutError::Disconnected) => bail!("the engine has stopped"),
            }
        }
    }

    fn wait(&mut self, what: &str, reached: impl Fn(&Self) -> bool) -> Result<()> {
        let since = Instant::now();
        while !reached(self) {
            if since.elapsed() > PATIENCE {
                bail!("timed out waiting for {what}");
            }
            self.attend(Duration::from_millis(1))?;
        }
        Ok(())
    }

    fn process(&self) {
        let from_frame = self.engine.player().position();
        self.engine.send(Command::Process { song: self.song, stems: Vec::new(), from_frame });
    }

    /// Waits for the first sound of a stem: a lane's level is above 0 once the stem is in the mix
    /// for the device.
    fn until_a_stem_sounds(&mut self, since: Instant) -> Result<f64> {
        self.engine.player().lane_levels();
        self.wait("a stem", |session| {
            session.engine.player().lane_levels().iter().flatten().any(|level| *level > 0.0)
        })?;
        Ok(since.elapsed().as_secs_f64())
    }

    /// Measures the first sounds for a user who has just started the program and opened a song.
    fn first_sounds(&mut self) -> Result<()> {
        let player = self.engine.player().clone();
        self.wait("the analysis", |session| session.is_analysed)?;
        let at_quarter = self.frames / 4 / STRIDE * STRIDE;
        player.seek(at_quarter);
        player.play();
        self.wait("the sound device", |session| session.engine.player().position() > at_quarter)?;
        if let Device::Unavailable(words) = player.device() {
            bail!("{words}");
        }
        let since = Instant::now();
        self.process();
        let first = self.until_a_stem_sounds(since)?;
        let (Some(begun), Some(readable)) = (self.begun.first().copied(), self.readable) else {
            bail!("a stem is audible before a segment was computed");
        };
        // Well into the next segment, which the seek then preempts.
        self.attend(Duration::from_secs_f64(0.3 * first))?;
        let jump = Instant::now();
        player.seek(3 * self.frames / 4);
        // Stems that are already queued for the device must not count.
        self.attend(Duration::from_millis(100))?;
        let after_jump = self.until_a_stem_sounds(jump)?;
        self.wait("more segments", |session| session.computed.1 >= 8 || session.is_done)?;
        let segment = self.segment_seconds();
        println!(
            "A segment: {segment:.2} s. From Process to the first sound of a stem: {first:.2} s, \
             × {:.2} (started at {:.2}, readable {:.2} later, audible {:.2} later); after a seek: \
             {after_jump:.2} s, × {:.2}. Underruns: {}",
            first / segment,
            (begun - since).as_secs_f64(),
            (readable - begun).as_secs_f64(),
            first - (readable - since).as_secs_f64(),
            after_jump / segment,
            player.underruns()
        );
        Ok(())
    }

    /// Seconds of a segment in the middle of the job: the median from start to start, once no more
    /// segments are preempted.
    fn segment_seconds(&self) -> f64 {
        let begun = self.begun.get(3..).unwrap_or_default();
        let mut seconds: Vec<f64> =
            begun.windows(2).map(|pair| (pair[1] - pair[0]).as_secs_f64()).collect();
        seconds.sort_by(f64::total_cmp);
        seconds.get(seconds.len() / 2).copied().unwrap_or(f64::NAN)
    }

    /// Removes the song and imports it again, so that all segments have to be computed.
    fn again(&mut self) -> Result<()> {
        self.engine.send(Command::Remove(self.song));
        (self.computed, self.is_done) = ((0.0, 0), false);
        self.open()
    }

    fn endure(&mut self, time: Duration) -> Result<()> {
        let player = self.engine.player().clone();
        let (start, before) = (Instant::now(), player.underruns());
        let (mut rounds, mut reported) = (0u32, Instant::now());
        while start.elapsed() < time {
            if self.is_done {
                self.again()?;
                self.process();
                rounds += 1;
            }
            if !player.is_playing() {
                player.play();
            }
            self.disturb(start.elapsed().as_secs());
            self.attend(Duration::from_secs(1))?;
            if reported.elapsed() > Duration::from_mins(1) {
                reported = Instant::now();
                self.report(start, rounds, player.underruns() - before);
            }
        }
        self.report(start, rounds, player.underruns() - before);
        Ok(())
    }

    /// Performs one of several user actions, depending on the second.
    fn disturb(&self, second: u64) {
        let player = self.engine.player();
        let lane = LaneSettings::default();
        let place = second * 7_919 % 100 * self.frames / 100;
        match second % 20 {
            3 => player.seek(place),
            6 => player.set_loop(Some((place, place + 3 * u64::from(SAMPLE_RATE)))),
            9 => player.set_loop(None),
            11 => player.set_monitor(Monitor::Original),
            12 => player.set_monitor(Monitor::Mix),
            14 => player.set_key_speed(KeySpeed::new(0, [0.8, 1.2, 1.0][second as usize / 20 % 3])),
            17 => player.set_key_speed(KeySpeed::default()),
            _ => {
                let mute = LaneSettings { muted: second.is_multiple_of(2), pan: 0.3, ..lane };
                player.set_gains(&gains(&[lane, mute, lane, lane], LaneSettings::of_residual()));
            }
        }
    }

    fn report(&self, start: Instant, rounds: u32, underruns: u64) {
        let memory = memory::high_water_mark("self").unwrap_or_default() / 1_000_000;
        println!(
            "{:.0} min: underruns {underruns}, memory at most {memory} MB, now {} MB, separated \
             {rounds} times and {} segments",
            start.elapsed().as_secs_f64() / 60.0,
            memory::field("self", "VmRSS:").unwrap_or_default() / 1_000_000,
            self.computed.1
        );
    }
}
