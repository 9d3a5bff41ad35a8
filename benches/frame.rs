//! CPU time of a frame of the busiest screen: eight lanes with an hour of song, ten thousand songs
//! in the library, a running job. Everything is moving. Without GPU: layout, drawing into shapes,
//! and tessellation into triangles, which the window does on its main thread.
//!
//! `cargo bench --bench frame` prints the median and the 99th percentile for each scene; an
//! argument sets the number of frames.

#![expect(clippy::print_stdout, reason = "the figures are the result")]

use std::{path::PathBuf, sync::Arc, time::Instant};

use crossbeam_channel::bounded;
use eframe::App as _;
use egui::{Event as Input, Key, Modifiers, MouseWheelUnit, Pos2, Rect, pos2, vec2};
use partita::{
    engine::{
        AudioFormat, Event, Job, JobId, JobState, Lane, ModelState, RequestId, Song, SongId,
        SongState,
        audio::peaks::Peak,
        player::{Device, Gains, Monitor},
        separation::options::Quality,
    },
    ui::{
        app::App,
        state::engine_link::{EngineLink, Playback},
    },
};

const SONGS: i64 = 10_000;
const FRAMES: u64 = 44_100 * 3_600;
const STEMS: [&str; 6] = ["drums", "bass", "other", "vocals", "guitar", "piano"];
const SIZE: egui::Vec2 = vec2(2560.0, 1440.0);

/// A silent player with an advancing play head and varying levels.
struct Rolling(Instant);

impl Playback for Rolling {
    fn play(&self) {}
    fn pause(&self) {}
    fn is_playing(&self) -> bool {
        true
    }
    fn seek(&self, _frame: u64) {}
    fn position(&self) -> u64 {
        44_100 * 1_000 + (self.0.elapsed().as_secs_f64() * 44_100.0) as u64
    }
    fn set_gains(&self, _gains: &Gains) {}
    fn set_monitor(&self, _monitor: Monitor) {}
    fn set_volume(&self, _volume: f32) {}
    fn levels(&self) -> [f32; 2] {
        [(self.0.elapsed().as_secs_f32() * 9.0).sin().abs(); 2]
    }
    fn lane_levels(&self) -> Vec<[f32; 2]> {
        vec![self.levels(); STEMS.len() + 1]
    }
    fn device(&self) -> Device {
        Device::Idle
    }
}

fn song(id: i64) -> Song {
    Song {
        id: SongId(id),
        path: PathBuf::from(format!("/music/{id}.flac")),
        hash: format!("{id:064x}"),
        sound: None,
        title: format!("Song {id} of the large library"),
        artist: Some(format!("Artist {}", id % 700)),
        album: None,
        format: AudioFormat::default(),
        frames: FRAMES,
        bpm: Some(120.0),
        key: Some("A minor".into()),
        bpm_from_tags: false,
        key_from_tags: false,
        track: None,
        tracks: Vec::new(),
        loudness_lufs: Some(-9.8),
        warning: partita::engine::Notes::default(),
        state: if id % 3 == 0 { SongState::Separated } else { SongState::Ready },
        cover: None,
    }
}

fn job(done: usize) -> Event {
    Event::Job(Job {
        id: JobId(1),
        song: SongId(SONGS),
        model: "htdemucs".into(),
        quality: Quality::default(),
        drafts_first: false,
        stems: STEMS.map(str::to_owned).into(),
        state: JobState::Running,
        segments_done: done,
        segments_total: 616,
        drafts_left: 0,
        created_at: 0,
        seconds: 0.0,
    })
}

/// The events that lead to the busiest screen.
fn busiest_screen() -> Vec<Event> {
    let stems: Vec<String> = STEMS.map(str::to_owned).into();
    let song_id = SongId(SONGS);
    let bins = FRAMES.div_ceil(512) as usize;
    let peaks: Arc<[Peak]> = (0..bins)
        .map(|bin| {
            let level = 0.5 + 0.4 * (bin as f32 * 0.37).sin() * (bin as f32 / 900.0).sin();
            Peak { min: -level, max: level, rms: 0.4 * level }
        })
        .collect();
    let lanes = (0..STEMS.len()).map(Lane::Stem).chain([Lane::Original, Lane::Residual]);
    let mut events = vec![
        Event::Library { songs: (1..=SONGS).rev().map(song).collect(), jobs: Vec::new() },
        Event::Model(ModelState::Ready { sources: stems.clone(), least_memory: 560 << 20 }),
        Event::Opened { song: song_id, frames: FRAMES, stems },
    ];
    for lane in lanes {
        events.push(Event::Peaks { song: song_id, lane, first: 0, peaks: Arc::clone(&peaks) });
    }
    // Every other segment is finished, as after many seeks ahead.
    let covered: Vec<_> = (0..300).map(|i| (i * 515_970, i * 515_970 + 343_980)).collect();
    events.push(Event::Segments { song: song_id, refined: covered.clone(), covered });
    events.push(Event::Computing { song: song_id, frames: Some((44_100_000, 44_443_980)) });
    events.push(job(300));
    events
}

/// The app without a real window.
struct Bench {
    ctx: egui::Context,
    app: App,
    frame: eframe::Frame,
    events: crossbeam_channel::Sender<Event>,
    began: Instant,
    size: egui::Vec2,
}

impl Bench {
    fn new(size: egui::Vec2) -> Self {
        let (events, receiver) = bounded(4_096);
        let ctx = egui::Context::default();
        let link = EngineLink::new(|_| RequestId(1), receiver, Rolling(Instant::now()));
        let app = App::new(&ctx, link, "terms");
        let frame = eframe::Frame::_new_kittest();
        let mut bench = Self { ctx, app, frame, events, began: Instant::now(), size };
        for event in busiest_screen() {
            bench.emit(event);
        }
        for _ in 0..30 {
            bench.draw(Vec::new());
        }
        bench
    }

    fn emit(&self, event: Event) {
        assert!(self.events.send(event).is_ok(), "the window is closed");
    }

    /// Draws one frame; returns the seconds of work and the number of triangles.
    fn draw(&mut self, events: Vec<Input>) -> (f64, usize) {
        let input = egui::RawInput {
            screen_rect: Some(Rect::from_min_size(Pos2::ZERO, self.size)),
            time: Some(self.began.elapsed().as_secs_f64()),
            events,
            ..egui::RawInput::default()
        };
        let (app, frame) = (&mut self.app, &mut self.frame);
        let began = Instant::now();
        let output = self.ctx.run_ui(input, |ui| {
            app.logic(&ui.ctx().clone(), frame);
            app.ui(ui, frame);
        });
        let meshes = self.ctx.tessellate(output.shapes, output.pixels_per_point);
        let seconds = began.elapsed().as_secs_f64();
        let triangles = meshes.iter().map(|clipped| match &clipped.primitive {
            egui::epaint::Primitive::Mesh(mesh) => mesh.indices.len() / 3,
            egui::epaint::Primitive::Callback(_) => 0,
        });
        (seconds, triangles.sum())
    }

    fn key(&mut self, key: Key) {
        for pressed in [true, false] {
            let modifiers = Modifiers::NONE;
            self.draw(vec![Input::Key {
                key,
                physical_key: None,
                pressed,
                repeat: false,
                modifiers,
            }]);
        }
    }

    /// Draws a scene `frames` times, each with its own input.
    fn scene(&mut self, name: &str, frames: usize, input: impl Fn(&Self, usize) -> Vec<Input>) {
        let mut times = Vec::with_capacity(frames);
        let mut triangles = 0;
        for i in 0..frames {
            let events = input(self, i);
            let (seconds, count) = self.draw(events);
            times.push(seconds * 1e3);
            triangles = count;
        }
        times.sort_by(f64::total_cmp);
        let at = |part: f64| times[((times.len() - 1) as f64 * part) as usize];
        println!(
            "{name:34} median {:6.2} ms   99th {:6.2} ms   {triangles:7} triangles",
            at(0.5),
            at(0.99)
        );
    }
}

fn wheel(delta: egui::Vec2, modifiers: Modifiers) -> Vec<Input> {
    let wheel = Input::MouseWheel {
        unit: MouseWheelUnit::Point,
        delta,
        phase: egui::TouchPhase::Move,
        source: egui::MouseWheelSource::Unknown,
        modifiers,
    };
    vec![wheel]
}

fn main() {
    let frames = std::env::args().find_map(|word| word.parse().ok()).unwrap_or(600);
    for (name, size) in [("1280x800", vec2(1280.0, 800.0)), ("2560x1440", SIZE)] {
        println!("{name}, {SONGS} songs, an hour, {} lanes", STEMS.len() + 2);
        let mut bench = Bench::new(size);
        bench.scene("playing, the whole song", frames, |_, _| Vec::new());
        bench.scene("a segment in each frame", frames, |bench, i| {
            bench.emit(job(300 + i % 300));
            let covered = (0..300).map(|k| (k * 515_970, k * 515_970 + 343_980 + i as u64));
            let covered: Vec<_> = covered.collect();
            bench.emit(Event::Segments { song: SongId(SONGS), refined: covered.clone(), covered });
            Vec::new()
        });
        for _ in 0..9 {
            bench.key(Key::Plus);
        }
        bench.scene("playing, high zoom", frames, |_, _| Vec::new());
        let over = pos2(size.x * 0.7, size.y * 0.6);
        bench.draw(vec![Input::PointerMoved(over)]);
        bench.scene("scrolling time", frames, |_, i| {
            let way = if i % 200 < 100 { 9.0 } else { -9.0 };
            wheel(vec2(way, 0.0), Modifiers::NONE)
        });
        bench.scene("zooming", frames, |_, i| {
            let way = if i % 40 < 20 { 9.0 } else { -9.0 };
            wheel(vec2(0.0, way), Modifiers::COMMAND)
        });
        bench.draw(vec![Input::PointerMoved(pos2(140.0, size.y * 0.4))]);
        bench.scene("scrolling the library", frames, |_, i| {
            let way = if i % 200 < 100 { -60.0 } else { 60.0 };
            wheel(vec2(0.0, way), Modifiers::NONE)
        });
    }
}
