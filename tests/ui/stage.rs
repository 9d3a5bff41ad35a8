//! The real window in a harness: events in, commands out, and a player that only records its calls.

use std::{
    cell::{Cell, RefCell},
    path::{Path, PathBuf},
    rc::Rc,
    sync::Arc,
};

use crossbeam_channel::{Receiver, Sender, bounded};
use egui_kittest::{
    Harness,
    kittest::{NodeT as _, Queryable as _},
};
use partita::{
    engine::{
        AudioFormat, Command, Event, Job, JobId, JobState, Lane, ModelState, Note, Notes, Problem,
        RequestId, Song, SongId, SongState,
        audio::{
            decode::{DecodeError, Foreign, NotAudio},
            peaks::Peak,
            repitch::KeySpeed,
        },
        player::{Device, Gains, Monitor},
        problem::DeviceProblem,
        separation::options::Quality,
    },
    i18n::Language,
    ui::{
        app::App,
        state::engine_link::{EngineLink, Playback},
    },
};

use super::raster::Raster;

/// Terms that are shown before the model is installed.
pub const TERMS: &str = "These are the terms of the weights, as their publisher has written them.";

/// The Portuguese language.
pub fn portuguese() -> Language {
    Language::for_locale("pt-BR").unwrap()
}

/// Records the window's calls to the player.
#[derive(Default)]
pub struct Deck {
    pub playing: Cell<bool>,
    pub position: Cell<u64>,
    pub gains: RefCell<Vec<f32>>,
    /// Left and right gains of every lane.
    pub sides: RefCell<Gains>,
    pub region: Cell<Option<(u64, u64)>>,
    pub speed: Cell<f32>,
    pub cents: Cell<i32>,
    /// The level of every lane.
    pub level: Cell<f32>,
    pub monitor: Cell<Monitor>,
    pub volume: Cell<f32>,
    pub has_no_device: Cell<bool>,
    pub output: RefCell<Option<String>>,
}

/// The player interface of a deck.
struct OnDeck(Rc<Deck>);

impl Playback for OnDeck {
    fn play(&self) {
        self.0.playing.set(true);
    }
    fn pause(&self) {
        self.0.playing.set(false);
    }
    fn is_playing(&self) -> bool {
        self.0.playing.get()
    }
    fn seek(&self, frame: u64) {
        self.0.position.set(frame);
    }
    fn position(&self) -> u64 {
        self.0.position.get()
    }
    fn set_gains(&self, gains: &Gains) {
        *self.0.gains.borrow_mut() = gains.stems.iter().map(|[left, _]| *left).collect();
        self.0.sides.borrow_mut().clone_from(gains);
    }
    fn set_monitor(&self, monitor: Monitor) {
        self.0.monitor.set(monitor);
    }
    fn set_volume(&self, volume: f32) {
        self.0.volume.set(volume);
    }
    fn levels(&self) -> [f32; 2] {
        [self.0.level.get(); 2]
    }
    fn lane_levels(&self) -> Vec<[f32; 2]> {
        let lanes = self.0.sides.borrow().stems.len() + 1;
        vec![[self.0.level.get(), 0.7 * self.0.level.get()]; lanes]
    }
    fn set_loop(&self, region: Option<(u64, u64)>) {
        self.0.region.set(region);
    }
    fn loop_region(&self) -> Option<(u64, u64)> {
        self.0.region.get()
    }
    fn set_key_speed(&self, change: KeySpeed) {
        self.0.speed.set(change.speed());
        self.0.cents.set(change.cents());
    }
    fn set_output(&self, id: Option<String>) {
        *self.0.output.borrow_mut() = id;
    }
    fn device(&self) -> Device {
        if self.0.has_no_device.get() {
            Device::Unavailable(DeviceProblem::None)
        } else {
            Device::Idle
        }
    }
}

/// The window with both ends of its connection to the engine.
pub struct Stage {
    pub harness: Harness<'static, App>,
    pub deck: Rc<Deck>,
    pub commands: Receiver<Command>,
    events: Sender<Event>,
}

impl Stage {
    /// A window that has received `events`.
    pub fn new(theme: egui::Theme, events: impl IntoIterator<Item = Event>) -> Self {
        let (sender, receiver) = bounded(4096);
        let (asked, commands) = bounded(4096);
        let deck = Rc::new(Deck::default());
        let player = OnDeck(Rc::clone(&deck));
        let requests = Cell::new(0);
        let send = move |command| {
            requests.set(requests.get() + 1);
            asked.send(command).unwrap();
            RequestId(requests.get())
        };
        let link = EngineLink::new(send, receiver, player);
        let mut harness = Harness::builder()
            .with_size([1280.0, 800.0])
            .with_theme(theme)
            .with_max_steps(12)
            // Short, so that two clicks form a double-click.
            .with_step_dt(1.0 / 60.0)
            .with_render_cursor(false)
            .allow_missing_glyphs()
            .renderer(Raster::default())
            .build_eframe(|cc| App::new(&cc.egui_ctx, link, TERMS));
        harness.state_mut().offer_drag_out(true);
        let mut stage = Self { harness, deck, commands, events: sender };
        stage.emit(events);
        stage
    }

    /// Sends events to the window and lets it process them.
    pub fn emit(&mut self, events: impl IntoIterator<Item = Event>) {
        for event in events {
            self.events.send(event).unwrap();
        }
        self.harness.run_steps(4);
    }

    /// Clicks the control with this name.
    pub fn click(&mut self, name: &str) {
        let is_control = |node: &egui_kittest::Node<'_>| {
            let node = node.accesskit_node();
            egui::accessibility::is_input(node.role()) && !node.is_disabled()
        };
        let mut found = self.harness.query_all_by_label(name).filter(is_control);
        let control = found.next().unwrap_or_else(|| panic!("no control has the name “{name}”"));
        assert!(found.next().is_none(), "two controls have the name “{name}”");
        drop(found);
        control.click();
        self.harness.run_steps(3);
    }

    /// Presses a key.
    pub fn press(&mut self, modifiers: egui::Modifiers, key: egui::Key) {
        self.harness.key_press_modifiers(modifiers, key);
        self.harness.run_steps(3);
    }

    /// Turns the wheel over a position, in lines.
    pub fn wheel(&mut self, at: egui::Pos2, delta: egui::Vec2, modifiers: egui::Modifiers) {
        self.harness.hover_at(at);
        self.harness.step();
        let wheel = egui::Event::MouseWheel {
            unit: egui::MouseWheelUnit::Line,
            delta,
            phase: egui::TouchPhase::Move,
            source: egui::MouseWheelSource::Unknown,
            modifiers,
        };
        self.harness.event_modifiers(wheel, modifiers);
        // Wheel movement is smoothed over several frames.
        self.harness.run_steps(30);
    }

    /// Drags from one position to another.
    pub fn drag(&mut self, from: egui::Pos2, to: egui::Pos2) {
        self.harness.drag_at(from);
        self.harness.step();
        for part in 1..=4u8 {
            self.harness.hover_at(from.lerp(to, f32::from(part) / 4.0));
            self.harness.step();
        }
        self.harness.drop_at(to);
        self.harness.run_steps(3);
    }

    /// Whether a node whose name contains this text is displayed.
    pub fn shows(&self, name: &str) -> bool {
        self.harness.query_all_by_label_contains(name).next().is_some()
    }

    /// The user's commands since the last call. The window's own commands are left out: saving
    /// settings, and queries.
    pub fn asked(&self) -> Vec<Command> {
        self.commands.try_iter().filter(is_asked_by_the_user).collect()
    }

    /// The settings and lanes saved since the last call.
    pub fn kept(&self) -> Vec<Command> {
        let is_kept = |command: &Command| {
            matches!(command, Command::KeepPreferences(_) | Command::KeepLanes(..))
        };
        self.commands.try_iter().filter(is_kept).collect()
    }

    /// Names of the library's rows, in displayed order.
    pub fn rows(&self) -> Vec<String> {
        let nodes = self.harness.root().children_recursive().map(|node| node.accesskit_node());
        let rows = nodes.filter(|node| node.role() == egui::accesskit::Role::ListBoxOption);
        rows.filter_map(|node| node.label()).collect()
    }
}

/// Whether a command results from a user's action.
pub fn is_asked_by_the_user(command: &Command) -> bool {
    !matches!(
        command,
        Command::KeepPreferences(_)
            | Command::KeepLanes(..)
            | Command::MeasureHome
            | Command::ListOutputs
            | Command::ListDevices
            | Command::ListModels
    )
}

/// A window in the dark theme that has received `events`, with its first commands drained.
pub fn stage(events: Vec<Event>) -> Stage {
    let stage = Stage::new(egui::Theme::Dark, events);
    stage.asked();
    stage
}

pub fn names(stems: &[&str]) -> Vec<String> {
    stems.iter().map(|stem| (*stem).to_owned()).collect()
}

pub const FRAMES: u64 = 44_100 * 327;

pub fn stems() -> Vec<String> {
    ["drums", "bass", "other", "vocals"].map(str::to_owned).into()
}

pub fn song(id: i64, title: &str, artist: Option<&str>, state: SongState) -> Song {
    Song {
        id: SongId(id),
        path: PathBuf::from(format!("/music/{title}.flac")),
        hash: format!("{:016x}", id.wrapping_mul(0x1234_5678_9abc_def1)),
        sound: None,
        title: title.into(),
        artist: artist.map(Into::into),
        album: None,
        format: AudioFormat {
            name: "FLAC".into(),
            sample_rate: 44_100,
            channels: 2,
            bits: Some(16),
            ..AudioFormat::default()
        },
        frames: FRAMES,
        bpm: None,
        key: None,
        bpm_from_tags: false,
        key_from_tags: false,
        track: None,
        tracks: Vec::new(),
        loudness_lufs: None,
        warning: Notes::default(),
        state,
        cover: None,
    }
}

pub fn job(id: i64, song: i64, state: JobState, done: usize) -> Job {
    Job {
        id: JobId(id),
        song: SongId(song),
        model: "htdemucs".into(),
        quality: Quality::default(),
        drafts_first: false,
        stems: Vec::new(),
        state,
        segments_done: done,
        segments_total: 56,
        drafts_left: 0,
        created_at: 0,
        seconds: 0.0,
    }
}

/// A problem with the same text in all languages.
pub fn recorded(text: &str) -> Problem {
    Problem::Recorded { text: text.into() }
}

/// The problem of a text file that was dropped.
pub fn no_audio() -> Problem {
    Problem::Decode(DecodeError::NotAudio(NotAudio::Other(Foreign::Text)))
}

/// The problem of a full disk.
pub fn disk_full() -> Problem {
    Problem::write(Path::new("/home/me/Music"), std::io::Error::from_raw_os_error(28))
}

/// A library of a few songs, the first one in this state.
pub fn library(state: SongState) -> Event {
    let mut songs = vec![
        song(7, "Lithium", Some("Software-Entwicklungskit"), state),
        song(6, "Let's Go Fishin'", Some("Karissa Hobbs"), SongState::Separated),
        song(5, "On the run", Some("Joshua Morin"), SongState::Ready),
        song(4, "Vibe Ace", Some("Kevin MacLeod"), SongState::Separated),
        song(3, "take 3 (rough mix)", None, SongState::Ready),
    ];
    songs[4].warning = Note::CutOff { at: 327 * 44_100, whole: None }.into();
    Event::Library { songs, jobs: Vec::new() }
}

pub fn ready() -> Event {
    Event::Model(ModelState::Ready { sources: stems(), least_memory: 560 << 20 })
}

pub fn opened(song: i64) -> Event {
    Event::Opened { song: SongId(song), frames: FRAMES, stems: stems() }
}

pub fn covered(song: i64, ranges: &[(u64, u64)]) -> Event {
    Event::Segments { song: SongId(song), covered: ranges.to_vec(), refined: ranges.to_vec() }
}

/// Deterministic peaks that look like music.
pub fn peaks(song: i64, lane: Lane) -> Event {
    let (seed, level, has_pauses) = match lane {
        Lane::Original => (1.0, 0.95, false),
        Lane::Stem(stem) => (2.0 + stem as f32, 0.8, stem != 2),
        Lane::Residual => (9.0, 0.06, true),
    };
    let bins = FRAMES.div_ceil(512) as usize;
    let peaks: Arc<[Peak]> = (0..bins)
        .map(|bin| {
            let t = bin as f32;
            let swell = 0.55 + 0.3 * (t / 2_700.0 + seed).sin() + 0.15 * (t / 331.0 * seed).sin();
            let beat = if bin % 43 < 5 { 1.0 } else { 0.5 + 0.2 * (t * 0.7 * seed).sin() };
            let is_on = !has_pauses || (t / 1_800.0 + 1.7 * seed).sin() > -0.35;
            let level = if is_on { level * swell * beat } else { 0.0 };
            Peak { min: -0.9 * level, max: level, rms: 0.36 * level }
        })
        .collect();
    Event::Peaks { song: SongId(song), lane, first: 0, peaks }
}

pub fn all_peaks(song: i64) -> Vec<Event> {
    let stems = (0..4).map(|stem| peaks(song, Lane::Stem(stem)));
    let others = [peaks(song, Lane::Original), peaks(song, Lane::Residual)];
    others.into_iter().chain(stems).collect()
}

/// Events for an open, separated first song.
pub fn separated() -> Vec<Event> {
    let mut events = vec![library(SongState::Separated), ready(), opened(7)];
    events.extend(all_peaks(7));
    events.push(covered(7, &[(0, FRAMES)]));
    events
}

/// Deterministic finer peaks of one lane, with 16 frames a bin.
pub fn fine_peaks(song: i64, lane: Lane, first_frame: u64, bins: usize) -> Event {
    let peaks = (0..bins)
        .map(|bin| {
            let t = (first_frame as usize / 16 + bin) as f32;
            let level = (0.4 + 0.3 * (t / 61.0).sin()) * (0.6 + 0.4 * (t / 7.0).cos());
            Peak { min: -0.8 * level, max: level, rms: 0.4 * level }
        })
        .collect();
    Event::Detail { song: SongId(song), lane, first_frame, frames_per_peak: 16, peaks }
}

/// Events for an open first song that is not separated.
pub fn unprocessed() -> Vec<Event> {
    vec![library(SongState::Ready), ready(), opened(7), peaks(7, Lane::Original)]
}

/// Events for a first song being separated, a waiting third one, a running import, and a failed
/// import.
pub fn processing() -> Vec<Event> {
    let mut events = vec![library(SongState::Ready), ready(), opened(7)];
    events.extend(all_peaks(7));
    events.push(Event::Job(job(1, 7, JobState::Running, 24)));
    events.push(Event::Job(job(2, 5, JobState::Waiting, 0)));
    events.push(covered(7, &[(0, FRAMES * 24 / 56)]));
    let frames = Some((FRAMES * 24 / 56 - 85_995, FRAMES * 24 / 56 + 257_985));
    events.push(Event::Computing { song: SongId(7), frames });
    events.push(Event::Importing { path: "/music/New song.mp3".into(), fraction: 0.42 });
    events.push(Event::ImportFailed { path: "/music/letter.txt".into(), problem: no_audio() });
    events
}
