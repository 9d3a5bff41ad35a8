//! End-to-end tests as a user works: the real window on a screen, a file dropped by another
//! program, clicks and keys. The resulting sound is compared with exported files. Without Xvfb or
//! xdotool, the test prints a note and is skipped.

mod sound;
mod xdnd;

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Stdio,
    sync::Arc,
    time::{Duration, Instant},
};

use egui_kittest::{
    Harness, Node,
    kittest::{NodeT as _, Queryable as _},
};
use partita::{
    engine::{
        CHANNELS, CancelToken, Compute, Config, Engine, JobState, SAMPLE_RATE, look_into_library,
    },
    ui::{app::App, state::engine_link::EngineLink},
};
use sound::Sound;
use tempfile::TempDir;

use crate::{
    player::{FOLDER, captured, write_sound_system},
    support::xvfb::{Ends, Screen},
    support::{command, home, read_wav, tiny_home, walk},
};

/// Frames in a second.
const SECOND: usize = SAMPLE_RATE as usize;

const PATIENCE: Duration = Duration::from_mins(5);

fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let until = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < until, "timed out waiting for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn pass(seconds: f64) {
    std::thread::sleep(Duration::from_secs_f64(seconds));
}

/// The window and the tools that operate it.
struct UiState {
    screen: Screen,
    window: String,
    home: TempDir,
    /// The folder of exports, also of the sound system.
    folder: TempDir,
    // Dropped before the screen, because the device needs its sink until then.
    program: Option<Ends>,
}

impl UiState {
    /// Opens the window; `None` if no screen is available.
    fn open(home: TempDir) -> Option<Self> {
        let screen = Screen::start()?;
        let folder = tempfile::tempdir().unwrap();
        write_sound_system(folder.path());
        let mut program = command(home.path(), &[]);
        program
            .env("ALSA_CONFIG_PATH", folder.path().join("asound.conf"))
            .env(FOLDER, folder.path())
            .env("HOME", folder.path())
            .env("LANG", "C")
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        let program = Ends(screen.shows(&mut program).spawn().unwrap());
        let window = wait_for("the window", || {
            let found = screen.xdotool("search --onlyvisible --name Partita")?;
            found.lines().next().map(str::to_owned)
        });
        Some(Self { screen, window, home, folder, program: Some(program) })
    }

    fn key(&self, key: &str) {
        let words = format!("windowfocus {} key --clearmodifiers {key}", self.window);
        self.screen.xdotool(&words).unwrap();
        pass(0.3);
    }

    fn click(&self, [x, y]: [f32; 2]) {
        let words = format!("mousemove --window {} {x:.0} {y:.0} click 1", self.window);
        self.screen.xdotool(&words).unwrap();
        pass(0.3);
    }

    /// Number of frames that the device has received.
    fn frames(&self) -> usize {
        captured(self.folder.path()).len()
    }

    /// Clicks at a fraction of a waveform, near its top: the row of the original becomes lower when
    /// stems arrive.
    fn seek(&self, wave: egui::Rect, part: f32) {
        self.click([wave.left() + part * wave.width(), wave.top() + 0.2 * wave.height()]);
    }

    /// Seeks, and resumes playback if the song had ended.
    fn play_from(&self, wave: egui::Rect, part: f32) {
        self.seek(wave, part);
        pass(1.0);
        if !self.sounds() {
            self.key("space");
            wait_for("sound", || self.sounds().then_some(()));
        }
    }

    /// Whether the last frames are not silent: a device stays open for a while after the song.
    fn sounds(&self) -> bool {
        let all = captured(self.folder.path());
        let last = &all[all.len().saturating_sub(4_000)..];
        !last.is_empty() && last.iter().all(|frame| *frame != [0.0; 2])
    }

    fn drop_file(&self, file: &Path) {
        let window = self.window.parse().unwrap();
        assert!(
            xdnd::drop_file(&self.screen.display, window, file),
            "the window did not accept the file"
        );
    }

    /// Positions of controls, from a harness of the same size on a copy of the library.
    fn places(&self, labels: &[&str]) -> Vec<egui::Rect> {
        let copy = tempfile::tempdir().unwrap();
        // Skips the socket through which later starts reach the window.
        for file in walk(self.home.path()).into_iter().filter(|file| file.is_file()) {
            let to = copy.path().join(file.strip_prefix(self.home.path()).unwrap());
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::copy(&file, to).unwrap();
        }
        let (home, waker) = (copy.path().to_owned(), Arc::new(|| {}));
        let config = Config { home, compute: Compute::default(), interactive: true, waker };
        let (engine, events) = Engine::start(&config).unwrap();
        let link = EngineLink::to_engine(engine, events);
        let mut harness = Harness::builder()
            .with_size([1280.0, 800.0])
            .build_eframe(|cc| App::new(&cc.egui_ctx, link, "terms"));
        wait_for("the song in the copy", || {
            harness.step();
            harness.state().state().open().map(drop)
        });
        harness.run_steps(5);
        let place = |label: &&str| {
            let is_control =
                |node: &Node<'_>| egui::accessibility::is_input(node.accesskit_node().role());
            let found: Vec<_> = harness.query_all_by_label(label).collect();
            let control = found.iter().find(|node| is_control(node)).or(found.first());
            control.unwrap_or_else(|| panic!("no control has the name “{label}”")).rect()
        };
        labels.iter().map(place).collect()
    }

    fn is_done(&self) -> Option<()> {
        let jobs = look_into_library(self.home.path()).ok()?.0.jobs().ok()?;
        let job = jobs.first()?;
        assert!(!matches!(job.state, JobState::Failed(_)), "{job:?}");
        (job.state == JobState::Done).then_some(())
    }

    fn song_frames(&self) -> usize {
        let songs = look_into_library(self.home.path()).unwrap().0.songs().unwrap();
        songs[0].frames as usize
    }

    /// Duration of a segment in seconds.
    fn pace(&self) -> f64 {
        let job = look_into_library(self.home.path()).unwrap().0.jobs().unwrap().remove(0);
        job.seconds / job.segments_done as f64
    }

    fn segments(&self) -> Option<usize> {
        let jobs = look_into_library(self.home.path()).ok()?.0.jobs().ok()?;
        Some(jobs.first()?.segments_done)
    }

    /// Exports the audible mix to `to`, with the dialog's default choices.
    fn export(&self, to: &str) -> Vec<f32> {
        self.key("ctrl+e");
        self.key("Return");
        let written = wait_for("the export", || {
            let mut files = walk(self.folder.path()).into_iter();
            files.find(|file| file.extension().is_some_and(|ending| ending == "wav"))
        });
        let kept = self.home.path().join(to);
        fs::rename(written, &kept).unwrap();
        read_wav(&kept)
    }
}

/// Results of a session: the device's sound, and the exported files.
struct Session {
    heard: Sound,
    original: Vec<f32>,
    /// The mix of all stems except the first, and the second stem alone.
    mix: Vec<f32>,
    solo: Vec<f32>,
    /// Positions in the capture at the time of the actions, in frames.
    process_at: usize,
    /// The positions after a seek during the job, once a segment had arrived but not all: in the
    /// capture, and approximately in the song.
    early_at: Option<(usize, usize)>,
    /// Duration of a segment in seconds.
    pace: f64,
    solo_at: usize,
    mix_at: usize,
}

impl Session {
    /// Seconds from Process until the mix of the ticked stems is audible, according to the capture.
    fn first_stem_after(&self) -> Option<f64> {
        const STEP: usize = SAMPLE_RATE as usize / 100;
        let since = self.process_at - 20_000;
        let place = self.heard.find(since, 256, &self.original, 1e-3)?;
        let is_mix = |at: usize| {
            let (_, db) = self.heard.likeness(at, place + at - since, STEP, &self.mix);
            db > 60.0
        };
        let end = self.process_at + 20 * SAMPLE_RATE as usize;
        let mut steps = (self.process_at..end).step_by(STEP);
        // Three matches in a row, because a quiet moment is similar to any other.
        let first = steps.find(|&at| (0..3).all(|step| is_mix(at + step * STEP)))?;
        Some((first - self.process_at) as f64 / f64::from(SAMPLE_RATE))
    }
}

fn session(home: TempDir, song: &Path, stems: [&str; 2]) -> Option<Session> {
    let mut ui_state = UiState::open(home)?;
    ui_state.drop_file(song);
    wait_for("the song", || {
        let songs = look_into_library(ui_state.home.path()).ok()?.0.songs().ok()?;
        songs.first().map(drop)
    });
    pass(1.0);
    let wave = "Waveform of the original";
    let places = ui_state.places(&[stems[0], "Process", wave]);
    let [tick, process, wave] = places[..] else { panic!() };
    ui_state.click(tick.center().into()); // untick this stem
    ui_state.key("space");
    wait_for("sound", || (ui_state.frames() > SAMPLE_RATE as usize).then_some(()));
    let process_at = ui_state.frames();
    ui_state.click(process.center().into());
    wait_for("a segment", || ui_state.segments().filter(|&done| done > 0));
    pass(1.5);
    // Seeks ahead during the job, if the job takes long enough.
    let (before, jump_at) = (ui_state.segments(), ui_state.frames());
    ui_state.seek(wave, 0.7);
    let early_at = wait_for("a segment there", || {
        // The segment that was being computed may complete first.
        if ui_state.segments() > before.map(|count| count + 1) {
            return Some(Some(ui_state.frames()));
        }
        ui_state.is_done().map(|()| None)
    });
    pass(1.0);
    let early_at = early_at.filter(|_| ui_state.is_done().is_none());
    let to = ui_state.song_frames() * 7 / 10;
    let early_at = early_at.map(|at| (at + SECOND / 2, to + at + SECOND / 2 - jump_at));
    wait_for("the job", || ui_state.is_done());
    let pace = ui_state.pace();
    ui_state.play_from(wave, 0.2);
    let mix_at = ui_state.frames();
    pass(2.0);
    let mix = ui_state.export("mix of most.wav");
    ui_state.play_from(wave, 0.1);
    ui_state.key("1"); // the first displayed lane is the second stem
    let solo_at = ui_state.frames();
    pass(2.0);
    let solo = ui_state.export("solo.wav");
    ui_state.key("space");
    pass(0.5);
    drop(ui_state.program.take());
    pass(0.5);
    let heard = Sound(captured(ui_state.folder.path()));
    let original = decoded(song);
    Some(Session { heard, original, mix, solo, process_at, early_at, pace, solo_at, mix_at })
}

fn decoded(song: &Path) -> Vec<f32> {
    let mut samples = Vec::new();
    let mut sink = |block: &[f32]| {
        samples.extend_from_slice(block);
        Ok(())
    };
    partita::engine::audio::decode::decode(
        song,
        None,
        &CancelToken::default(),
        &mut |_| (),
        &mut sink,
    )
    .unwrap();
    samples
}

/// Writes a synthetic song in 32-bit float, so that exports also use that format.
fn write_float_song(path: &Path, seconds: u32) {
    let spec = hound::WavSpec {
        channels: CHANNELS as u16,
        sample_rate: SAMPLE_RATE,
        bits_per_sample: 32,
        sample_format: hound::SampleFormat::Float,
    };
    let mut writer = hound::WavWriter::create(path, spec).unwrap();
    let mut noise = 7u32;
    for frame in 0..seconds * SAMPLE_RATE {
        let time = f64::from(frame) / f64::from(SAMPLE_RATE);
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let beat = (-(time % 0.5) * 20.0).exp() * (f64::from(noise >> 16) / 32_768.0 - 1.0);
        let tone = |hz: f64| (std::f64::consts::TAU * hz * time).sin();
        let rise = 200.0 + 10.0 * time;
        for side in [0.04, 0.05] {
            writer.write_sample((side * (tone(110.0) + tone(rise) + beat)) as f32).unwrap();
        }
    }
    writer.finalize().unwrap();
}

#[test]
fn a_file_that_is_dropped_is_heard_as_it_is_exported() {
    let files = tempfile::tempdir().unwrap();
    let song = files.path().join("A dropped song.wav");
    write_float_song(&song, 20);
    let Some(session) = session(tiny_home(), &song, ["Low", "High"]) else {
        eprintln!("SKIPPED: the end-to-end test needs Xvfb and xdotool");
        return;
    };
    let Session { heard, original, mix, solo, process_at, solo_at, mix_at, .. } = &session;
    let found = |at: usize, file: &[f32]| heard.find(at, 256, file, 0.0);
    let before = found(process_at - 20_000, original);
    assert!(before.is_some(), "expected the original before processing");
    let second = SAMPLE_RATE as usize;
    // A busy machine handles the click later. Playback alone reaches neither position.
    for (what, from, file, clicked) in [("mix", mix_at, mix, 4), ("stem", solo_at, solo, 2)] {
        let place_at = |at: &usize| {
            let place = found(*at, file).filter(|place| clicked <= place / second)?;
            let goes_on = found(at + second / 2, file) == Some(place + second / 2);
            (goes_on && place < (clicked + 6) * second).then_some((*at, place))
        };
        let mut later = (0..40).map(|quarter| from + quarter * second / 4);
        let (at, place) = later
            .find_map(|at| place_at(&at))
            .unwrap_or_else(|| panic!("the {what} was not heard from the clicked position on"));
        assert_eq!(heard.difference(at, place, second / 2, file), 0.0, "expected the same bits");
    }
}

#[test]
#[ignore = "needs the real model and a song: PARTITA_SONG=FILE"]
fn figures_on_a_song_of_yours() {
    let Some(song) = env::var_os("PARTITA_SONG").map(PathBuf::from) else { return };
    let Some(session) = session(home(), &song, ["Vocals", "Drums"]) else { return };
    let Session { heard, original, mix, solo, process_at, early_at, pace, solo_at, mix_at } =
        &session;
    println!(
        "first stem {:.2?} s after the click on Process, where a segment took {pace:.2}",
        session.first_stem_after()
    );
    match *early_at {
        None => println!("the job ended too early for a measurement during processing"),
        Some((at, place)) => {
            // While only one of two overlapping segments exists, the other will still change the
            // sound.
            let around = place.saturating_sub(SECOND)..place + SECOND;
            for (name, file) in [("mix", mix), ("original", original)] {
                let (place, correlation, db) = heard.nearest(at, SECOND / 4, file, around.clone());
                let seconds = place as f64 / f64::from(SAMPLE_RATE);
                println!(
                    "during processing, after a seek, compared with the {name}: from {seconds:.3} \
                     s on, correlation {correlation:.8}, {db:.1} dB"
                );
            }
        }
    }
    for (name, at, file) in [
        ("original before Process", process_at - 20_000, original),
        ("mix of the ticked stems", mix_at + SECOND, mix),
        ("one stem", solo_at + SECOND, solo),
    ] {
        let at = heard.loud_from(at);
        let Some(place) = heard.find(at, 256, file, 1e-3) else {
            println!("{name}: not found");
            continue;
        };
        let (correlation, db) = heard.likeness(at, place, SECOND / 2, file);
        let seconds = place as f64 / f64::from(SAMPLE_RATE);
        println!("{name}: from {seconds:.3} s on, correlation {correlation:.8}, {db:.1} dB");
    }
}
