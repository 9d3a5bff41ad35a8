//! Listening while it is computed: `cargo bench --bench listen -- FILE [--minutes M]`.
//!
//! Drives the engine in this process and plays through the default sound device (a paced sink behind
//! ALSA's `file` plug-in will do). Says how long it takes from Process to the first sound of a stem at
//! the play head, and after a jump ahead, beside the time of one segment; then plays for M minutes
//! while the song is separated again and again, with seeks, loops, gains and speeds, and says how many
//! underruns there were and how much memory it took.

#![expect(clippy::print_stdout, reason = "figures are what it is for")]

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
    Command, Compute, Config, Engine, Event, JobState, SAMPLE_RATE, SongId,
    player::{Device, LaneSettings, Monitor, gains},
};
use tempfile::TempDir;

/// How long anything is waited for.
const PATIENCE: Duration = Duration::from_mins(5);

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let (file, minutes) = match words[..] {
        [file] => (file, 0.0),
        [file, "--minutes", minutes] => (file, minutes.parse()?),
        _ => bail!("FILE [--minutes M]"),
    };
    let mut session = Session::start(fs::canonicalize(file)?)?;
    session.first_sounds()?;
    if minutes > 0.0 {
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
    /// Seconds of the segments that were computed, and how many.
    computed: (f64, usize),
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
            stays: true,
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
            is_done: false,
            is_analysed: false,
            _home: home,
        };
        session.open()?;
        Ok(session)
    }

    /// Imports the file and opens it.
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
            Event::ImportFailed { reason, .. } => bail!("{reason}"),
            _ => {}
        }
        Ok(())
    }

    /// Takes events for so long.
    fn attend(&mut self, time: Duration) -> Result<()> {
        let until = Instant::now() + time;
        loop {
            match self.events.recv_deadline(until) {
                Ok(event) => self.take(event)?,
                Err(RecvTimeoutError::Timeout) => return Ok(()),
                Err(RecvTimeoutError::Disconnected) => bail!("the engine has ended"),
            }
        }
    }

    fn wait(&mut self, what: &str, reached: impl Fn(&Self) -> bool) -> Result<()> {
        let since = Instant::now();
        while !reached(self) {
            if since.elapsed() > PATIENCE {
                bail!("waited in vain for {what}");
            }
            self.attend(Duration::from_millis(1))?;
        }
        Ok(())
    }

    fn process(&self) {
        let from_frame = self.engine.player().position();
        self.engine.send(Command::Process { song: self.song, stems: Vec::new(), from_frame });
    }

    /// Waits for the first sound of a stem; a lane's level says that it is mixed into what the
    /// device takes.
    fn until_a_stem_sounds(&mut self, since: Instant) -> Result<f64> {
        self.engine.player().lane_levels();
        self.wait("a stem", |session| {
            session.engine.player().lane_levels().iter().flatten().any(|level| *level > 0.0)
        })?;
        Ok(since.elapsed().as_secs_f64())
    }

    fn first_sounds(&mut self) -> Result<()> {
        let player = self.engine.player().clone();
        // The model is loaded, and its pace is known, as it is for whoever has used the program.
        self.process();
        self.wait("the first segments", |session| session.computed.1 >= 2)?;
        self.again()?;
        self.wait("the analysis", |session| session.is_analysed)?;
        player.seek(self.frames / 4);
        player.play();
        self.wait("the sound device", |session| {
            session.engine.player().position() > session.frames / 4
        })?;
        if let Device::Unavailable(words) = player.device() {
            bail!("{words}");
        }
        let since = Instant::now();
        self.process();
        let first = self.until_a_stem_sounds(since)?;
        // Well into the next segment, which then has to give way.
        self.attend(Duration::from_secs_f64(0.3 * first))?;
        let since = Instant::now();
        player.seek(3 * self.frames / 4);
        self.attend(Duration::from_millis(100))?; // what was on its way is stems too
        let after_jump = self.until_a_stem_sounds(since)?;
        self.wait("more segments", |session| session.computed.1 >= 6 || session.is_done)?;
        let segment = self.computed.0 / self.computed.1 as f64;
        println!(
            "A segment: {segment:.2} s. From Process to the first sound of a stem: {first:.2} s, \
             × {:.2}; after a jump ahead: {after_jump:.2} s, × {:.2}. Underruns: {}",
            first / segment,
            after_jump / segment,
            player.underruns()
        );
        Ok(())
    }

    /// Takes the song out and in again, so that there is everything to compute.
    fn again(&mut self) -> Result<()> {
        self.engine.send(Command::Remove(self.song));
        (self.computed, self.is_done) = ((0.0, 0), false);
        self.open()
    }

    fn endure(&mut self, time: Duration) -> Result<()> {
        let player = self.engine.player().clone();
        let (start, before) = (Instant::now(), player.underruns());
        let (mut rounds, mut told) = (0u32, Instant::now());
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
            if told.elapsed() > Duration::from_mins(1) {
                told = Instant::now();
                self.report(start, rounds, player.underruns() - before);
            }
        }
        self.report(start, rounds, player.underruns() - before);
        Ok(())
    }

    /// What a user does, something else each time.
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
            14 => player.set_speed([0.8, 1.2, 1.0][second as usize / 20 % 3]),
            17 => player.set_speed(1.0),
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
