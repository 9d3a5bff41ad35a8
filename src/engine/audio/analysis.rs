//! Analysis of a song after its import: tempo, key and loudness.
//!
//! Runs once per song on a dedicated low-priority thread. Reads the mix from its store and holds at
//! most [`LISTEN_SECONDS`] of it in memory.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use crossbeam_channel::{Receiver, Sender, bounded};
use ebur128::{EbuR128, Mode};
use timestretch_analysis::{KeyMode, detect_bpm, detect_key};

use crate::engine::{
    problem::{Activity, Problem, Result},
    store::MixStore,
    system::{
        panics::caught,
        threads::{self, Thread},
    },
    types::{Analysis, CHANNELS, SAMPLE_RATE, SongId},
};

/// Length of the section in the middle of a song from which tempo and key are derived; more would
/// not improve them.
const LISTEN_SECONDS: u64 = 180;

/// Minimum length in seconds for tempo and key.
const LEAST_SECONDS: u64 = 8;

/// Number of frames read at once.
const CHUNK_FRAMES: usize = 1 << 15;

/// Names of the pitch classes from C on, in the usual spelling of keys and of ID3. Few fonts have
/// musical accidentals.
const NOTES: [&str; 12] = ["C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B"];

/// Analyses a song; `None` if `stop` was requested.
///
/// # Errors
/// I/O errors of the store, and [`Problem::Loudness`] if the loudness meter fails.
pub fn analyse(mix: &MixStore, stop: &AtomicBool) -> Result<Option<Analysis>> {
    let cannot_measure = |e: ebur128::Error| Problem::Loudness { cause: e.to_string() };
    let mut meter = EbuR128::new(CHANNELS as u32, SAMPLE_RATE, Mode::I | Mode::HISTOGRAM)
        .map_err(cannot_measure)?;
    let frames = mix.frames();
    let listen = frames.min(LISTEN_SECONDS * u64::from(SAMPLE_RATE));
    let from = (frames - listen) / 2;
    let mut mono = Vec::with_capacity(listen as usize);
    let mut stereo = vec![0.0; CHUNK_FRAMES * CHANNELS];
    let mut at = 0;
    while at < frames {
        if stop.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let now = (frames - at).min(CHUNK_FRAMES as u64);
        let chunk = &mut stereo[..now as usize * CHANNELS];
        mix.read(at, chunk).map_err(|e| Problem::read(&mix.path(), e))?;
        meter.add_frames_f32(chunk).map_err(cannot_measure)?;
        for (frame, sides) in (at..).zip(chunk.chunks_exact(CHANNELS)) {
            if (from..from + listen).contains(&frame) {
                mono.push(f32::midpoint(sides[0], sides[1]));
            }
        }
        at += now;
    }
    let lufs = meter.loudness_global().map_err(cannot_measure)?;
    let mut found = Analysis {
        loudness_lufs: Some(lufs as f32).filter(|lufs| lufs.is_finite()),
        ..Analysis::default()
    };
    let is_silent = found.loudness_lufs.is_none();
    if listen >= LEAST_SECONDS * u64::from(SAMPLE_RATE) && !is_silent {
        let bpm = detect_bpm(&mono, SAMPLE_RATE) as f32;
        found.bpm = Some(bpm).filter(|bpm| bpm.is_finite() && *bpm > 0.0);
        found.key = detect_key(&mono, SAMPLE_RATE).and_then(|key| {
            let note = NOTES.get(usize::from(key.root))?;
            let mode = if key.mode == KeyMode::Minor { "minor" } else { "major" };
            Some(format!("{note} {mode}"))
        });
    }
    Ok(Some(found))
}

/// Analysis thread, which takes one song at a time. Songs left over are analysed after the next
/// start.
pub(in crate::engine) struct Analyst {
    inbox: Option<Sender<(SongId, PathBuf)>>,
    stop: Arc<AtomicBool>,
    thread: Option<Thread>,
}

impl Analyst {
    pub(in crate::engine) fn start(
        report: impl Fn(SongId, Option<Analysis>) + Send + 'static,
    ) -> Result<Self> {
        let (inbox, songs) = bounded(1);
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let work = move || run(&songs, &stopped, &look, &report);
        let thread = threads::start_idle("analysis", work)?;
        Ok(Self { inbox: Some(inbox), stop, thread: Some(thread) })
    }

    /// Requests the analysis of the song whose stores are in `folder`; the result of the previous
    /// request must have arrived.
    pub(in crate::engine) fn ask(&self, song: SongId, folder: PathBuf) {
        if self.inbox.as_ref().is_none_or(|inbox| inbox.try_send((song, folder)).is_err()) {
            tracing::warn!("song {} is not analysed: the thread has ended", song.0);
        }
    }

    /// Stops the thread after the current chunk, and waits for its end.
    pub(in crate::engine) fn join(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.inbox = None;
        self.thread = None;
    }
}

impl Drop for Analyst {
    fn drop(&mut self) {
        self.join();
    }
}

/// Analyses the song whose stores are in `folder`.
fn look(folder: &Path, stop: &AtomicBool) -> Result<Option<Analysis>> {
    MixStore::open(folder).and_then(|mix| analyse(&mix, stop))
}

fn run(
    songs: &Receiver<(SongId, PathBuf)>,
    stop: &AtomicBool,
    look: &dyn Fn(&Path, &AtomicBool) -> Result<Option<Analysis>>,
    report: &dyn Fn(SongId, Option<Analysis>),
) {
    for (song, folder) in songs {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        // A panic leaves only this song without results.
        match caught(Activity::Analysing, || look(&folder, stop)) {
            Ok(Some(found)) => report(song, Some(found)),
            Ok(None) => return,
            Err(e) => {
                tracing::warn!("song {} is not analysed: {e}", song.0);
                report(song, None);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::store::MixWriter;

    /// Analyses a mix computed by a function of time, equal in both channels.
    fn of(seconds: u32, sample: impl Fn(f64) -> f32) -> Analysis {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = MixWriter::create(folder.path()).unwrap();
        for frame in 0..seconds * SAMPLE_RATE {
            let x = sample(f64::from(frame) / f64::from(SAMPLE_RATE));
            writer.push(&[x, x]).unwrap();
        }
        let mix = writer.finish().unwrap();
        analyse(&mix, &AtomicBool::new(false)).unwrap().unwrap()
    }

    fn tone(hz: f64, time: f64) -> f64 {
        (std::f64::consts::TAU * hz * time).sin()
    }

    #[test]
    fn a_tone_has_the_loudness_of_the_standard() {
        // EBU Tech 3341, case 1: a stereo sine of 1 kHz at -23 dBFS has -23 LUFS.
        let found = of(20, |time| (10f64.powf(-23.0 / 20.0) * tone(1000.0, time)) as f32);
        assert!((found.loudness_lufs.unwrap() + 23.0).abs() < 0.1, "{found:?}");
    }

    #[test]
    fn detects_key_and_tempo() {
        // Clicks at 120 per minute over A minor: A, C, E, an octave apart.
        let found = of(40, |time| {
            let chord = [220.0, 261.63, 329.63, 440.0].map(|hz| tone(hz, time)).iter().sum::<f64>();
            let since = time % 0.5;
            let click = (-since * 60.0).exp() * (tone(2_000.0, time) + tone(3_100.0, time));
            (0.08 * chord + 0.3 * click) as f32
        });
        let bpm = found.bpm.unwrap();
        assert!((bpm - 120.0).abs() < 1.0, "{bpm}");
        assert_eq!(found.key.as_deref(), Some("A minor"));
    }

    #[test]
    fn silence_has_no_results_and_short_audio_only_loudness() {
        assert_eq!(of(10, |_| 0.0), Analysis::default());
        let short = of(2, |time| 0.5 * tone(440.0, time) as f32);
        assert_eq!((short.bpm, short.key), (None, None));
        assert!(short.loudness_lufs.is_some());
    }

    #[test]
    fn a_panic_skips_one_song_and_keeps_the_thread_alive() {
        let (inbox, songs) = bounded(3);
        for song in 1..=3 {
            inbox.send((SongId(song), PathBuf::from(song.to_string()))).unwrap();
        }
        drop(inbox);
        let look = |folder: &Path, _: &AtomicBool| {
            assert_ne!(folder, Path::new("2"), "on purpose");
            Ok(Some(Analysis::default()))
        };
        let results = std::sync::Mutex::new(Vec::new());
        run(&songs, &AtomicBool::new(false), &look, &|song, found| {
            results.lock().unwrap().push((song.0, found.is_some()));
        });
        assert_eq!(results.into_inner().unwrap(), [(1, true), (2, false), (3, true)]);
    }

    #[test]
    fn stops_on_request() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = MixWriter::create(folder.path()).unwrap();
        writer.push(&[0.5; 2000]).unwrap();
        let mix = writer.finish().unwrap();
        assert_eq!(analyse(&mix, &AtomicBool::new(true)).unwrap(), None);
    }
}
