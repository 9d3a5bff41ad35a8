//! Benchmarks of the whole program: `cargo bench --bench whole -- --first-stem`, `-- --first-draft
//! WEIGHTS`, or `-- --memory MINUTES [--segments N]`.
//!
//! `--first-stem` drives the engine in this process, with the model already loaded. It prints the
//! seconds from Process to the stems of the first segment, and the time of the network alone.
//! `--first-draft` compares the time to the draft of a slow model with a segment of the default one.
//! `--memory` runs `partita separate` on a song of this length and prints the peak memory. With
//! `--segments`, the run is stopped after N segments, because the memory has stopped growing long
//! before. All create temporary songs and data folders.

#![expect(clippy::print_stdout, reason = "the figures are the result")]

mod folder;
mod memory;

use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use crossbeam_channel::Receiver;
use partita::{
    engine::{
        CHANNELS, Command as Ask, Compute, Config, Engine, Event, JobState, ModelState,
        SAMPLE_RATE, SongId,
        separation::{
            installed::{DEFAULT, InstalledModel},
            options::{Defaults, Quality, SeparationOptions},
            pool,
        },
    },
    model::{self, Device, Precision, weights::Store},
};

/// Songs that are measured.
const ROUNDS: usize = 5;

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["--first-stem"] => first_stem(),
        ["--first-draft", weights] => first_draft(Path::new(weights)),
        ["--memory", minutes] => memory_of(minutes.parse()?, None),
        ["--memory", minutes, "--segments", segments] => {
            memory_of(minutes.parse()?, Some(segments.parse()?))
        }
        _ => bail!(
            "expected --first-stem, --first-draft WEIGHTS, or --memory MINUTES [--segments N]"
        ),
    }
}

/// Writes noise, which depends on the seed, as a 16-bit WAV.
fn write_song(path: &Path, seconds: f64, seed: u32) -> Result<()> {
    let spec = hound::WavSpec {
        channels: CHANNELS as u16,
        sample_rate: SAMPLE_RATE,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(path, spec)?;
    let mut state = seed.wrapping_mul(2_654_435_761) | 1;
    for _ in 0..(seconds * f64::from(SAMPLE_RATE)) as usize * CHANNELS {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        writer.write_sample((state >> 18) as i16)?;
    }
    Ok(writer.finalize()?)
}

/// A running engine with its events.
struct Session {
    engine: Engine,
    events: Receiver<Event>,
}

impl Session {
    /// Starts the engine and waits until the model is found.
    fn start(home: &Path) -> Result<Self> {
        let config = Config {
            home: home.to_owned(),
            compute: Compute::default(),
            interactive: false,
            waker: Arc::new(|| {}),
        };
        let (engine, events) = Engine::start(&config)?;
        let session = Self { engine, events };
        session.wait(|event| match event {
            Event::Model(ModelState::Ready { .. }) => Some(()),
            _ => None,
        })?;
        Ok(session)
    }

    /// Waits for an event that `choose` accepts.
    fn wait<T>(&self, mut choose: impl FnMut(Event) -> Option<T>) -> Result<T> {
        loop {
            match self.events.recv()? {
                Event::Failed { problem, .. } | Event::ImportFailed { problem, .. } => {
                    bail!(problem)
                }
                event => {
                    if let Some(found) = choose(event) {
                        return Ok(found);
                    }
                }
            }
        }
    }

    fn import(&self, file: &Path) -> Result<SongId> {
        self.engine.send(Ask::Import(vec![file.to_owned()]));
        self.wait(|event| match event {
            Event::Imported { song, .. } => Some(song),
            _ => None,
        })
    }

    fn open(&self, song: SongId) -> Result<()> {
        self.engine.send(Ask::Open(song));
        self.wait(|event| matches!(event, Event::Opened { .. }).then_some(()))
    }

    /// Requests all stems and returns the seconds until the first can be heard. Cancels the job.
    fn first_sound(&self, song: SongId) -> Result<f64> {
        let start = Instant::now();
        self.engine.send(Ask::Process { song, stems: Vec::new(), from_frame: 0 });
        let (mut seconds, mut running) = (None, None);
        self.wait(|event| match event {
            Event::Segments { covered, .. } if !covered.is_empty() && seconds.is_none() => {
                seconds = Some(start.elapsed().as_secs_f64());
                if let Some(job) = running {
                    self.engine.send(Ask::Cancel(job));
                }
                None
            }
            Event::Job(job) if job.is_active() => {
                running = Some(job.id);
                None
            }
            Event::Job(_) => seconds,
            _ => None,
        })
    }

    /// Requests all stems and waits for the end of the job. Returns the seconds until the first
    /// stems.
    fn process(&self, song: SongId) -> Result<f64> {
        let start = Instant::now();
        let stems = Vec::new();
        self.engine.send(Ask::Process { song, stems, from_frame: 0 });
        let mut first = None;
        self.wait(|event| match event {
            Event::Segments { covered, .. } if !covered.is_empty() => {
                first.get_or_insert_with(|| start.elapsed());
                None
            }
            Event::Job(job) if !job.is_active() => Some(job.state),
            _ => None,
        })
        .and_then(|state| match (state, first) {
            (JobState::Done, Some(first)) => Ok(first.as_secs_f64()),
            (state, _) => bail!("unexpected end of the job: {state:?}"),
        })
    }
}

/// The minimum seconds of [`ROUNDS`] songs, in turn: of a segment by the default model's network
/// alone, and of a session's first sound.
fn compared(
    session: &Session,
    home: &Path,
    precision: Precision,
    first_sound: impl Fn(SongId) -> Result<f64>,
) -> Result<(f64, f64)> {
    let installed = InstalledModel::find(home, DEFAULT)?.context("the model is missing")?;
    let pool = pool::new(Compute::default())?;
    let network =
        pool.install(|| model::load(&installed.networks[0].weights, Device::Cpu, precision))?;
    let mix = vec![0.1; CHANNELS * installed.spec.segment_frames];
    let (mut alone, mut first) = (f64::INFINITY, f64::INFINITY);
    for round in 0..=ROUNDS {
        let file = home.join("song.wav");
        write_song(&file, 10.0, round as u32)?;
        let song = session.import(&file)?;
        session.open(song)?;
        let start = Instant::now();
        pool.install(|| network.separate(&mix))?;
        let seconds = (start.elapsed().as_secs_f64(), first_sound(song)?);
        // The first round loads the engine's model and warms up both.
        if round > 0 {
            (alone, first) = (alone.min(seconds.0), first.min(seconds.1));
        }
    }
    Ok((alone, first))
}

fn first_stem() -> Result<()> {
    let home = folder::home()?;
    let session = Session::start(home.path())?;
    let first = |song| session.process(song);
    let (alone, first) = compared(&session, home.path(), Precision::Single, first)?;
    println!(
        "From Process to the first stems: {first:.3} s; only the network: {alone:.3} s for a \
         segment (× {:.3}).\nThe minimum of {ROUNDS} runs each, in turn; the model was loaded already.",
        first / alone
    );
    Ok(())
}

/// Prints the seconds to the first sound if another model's stems are drafted by the default model.
fn first_draft(weights: &Path) -> Result<()> {
    let home = folder::home()?;
    let slow = Store::new(home.path()).import(weights, &mut |_| {}, &|| false)?.name;
    let session = Session::start(home.path())?;
    let options = SeparationOptions { model: slow.clone(), quality: Quality::STANDARD };
    session.engine.send(Ask::SetDefaults(Defaults { options, drafts_first: true }));
    let precision = pool::precision_for(Compute::default().precision, true);
    let first = |song| session.first_sound(song);
    let (alone, first) = compared(&session, home.path(), precision, first)?;
    println!(
        "From Process to the first draft of {slow}: {first:.3} s; a segment of {DEFAULT} in the \
         draft's precision alone: {alone:.3} s (× {:.3}).",
        first / alone
    );
    Ok(())
}

/// A child process that is killed when dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // Killing a child that has exited fails, which is ignored.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn memory_of(minutes: f64, stop_after: Option<usize>) -> Result<()> {
    const EARLY: usize = 3;
    let home = folder::home()?;
    let song = home.path().join("song.wav");
    write_song(&song, 60.0 * minutes, 1)?;
    let out = home.path().join("out");
    let start = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_partita"));
    child.env("PARTITA_HOME", home.path()).arg("separate").arg(&song).arg("--out").arg(&out);
    let mut child = Running(child.stdout(Stdio::null()).spawn()?);
    let id = child.0.id().to_string();
    let (mut peak, mut early, mut segments) = (0, None, 0);
    let ended = loop {
        if let Some(status) = child.0.try_wait()? {
            break Some(status);
        }
        peak = memory::high_water_mark(&id).unwrap_or(0).max(peak);
        segments = segments_in(&out.join("song")).max(segments);
        if segments >= EARLY {
            early.get_or_insert(peak);
        }
        if stop_after.is_some_and(|most| segments >= most) {
            break None;
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    let seconds = start.elapsed().as_secs_f64();
    let how = match ended {
        None => format!("stopped after {seconds:.0} s, before files were written"),
        Some(status) if status.success() => format!("completed in {seconds:.0} s"),
        Some(status) => bail!("partita separate failed: {status}"),
    };
    println!(
        "partita separate on {minutes} minutes: peak memory {} MB, {} MB after {EARLY} segments \
         ({segments} segments, {how}).",
        peak / 1_000_000,
        early.unwrap_or(peak) / 1_000_000
    );
    Ok(())
}

/// Number of finished segments in the hidden working folder beside the results.
fn segments_in(folder: &Path) -> usize {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let flags = entries.filter_map(|entry| fs::read(entry.path().join("stems/segments")).ok());
    flags.map(|flags| flags.iter().map(|flag| usize::from(*flag == 1)).sum::<usize>()).sum()
}
