//! The window with the real engine, player and model: from a dropped file to playable stems.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use egui_kittest::{Harness, kittest::Queryable as _};
use partita::{
    engine::{Compute, Config, Engine, SongState},
    ui::{app::App, state::engine_link::EngineLink},
};

use super::raster::Raster;
use crate::support::{home, write_song};

const PATIENCE: Duration = Duration::from_mins(5);

/// A dropped file as the desktop provides it.
#[derive(Debug)]
struct Dropped(PathBuf);

impl egui::DroppedFile for Dropped {
    fn path(&self) -> &Path {
        &self.0
    }
    fn bytes(&self) -> Result<Vec<u8>, String> {
        Err("the window reads no files".into())
    }
}

fn window(home: &Path) -> Harness<'static, App> {
    let waker = Arc::new(|| {});
    let config =
        Config { home: home.to_owned(), compute: Compute::default(), interactive: true, waker };
    let (engine, events) = Engine::start(&config).unwrap();
    let link = EngineLink::to_engine(engine, events);
    Harness::builder()
        .with_size([1280.0, 800.0])
        .renderer(Raster::default())
        .build_eframe(|cc| App::new(&cc.egui_ctx, link, "terms"))
}

/// Runs the window until `is_reached` returns true.
fn wait(harness: &mut Harness<'static, App>, what: &str, is_reached: impl Fn(&App) -> bool) {
    let until = Instant::now() + PATIENCE;
    while !is_reached(harness.state()) {
        assert!(Instant::now() < until, "timed out waiting for {what}");
        std::thread::sleep(Duration::from_millis(20));
        harness.step();
    }
    harness.run_steps(3);
}

#[test]
fn a_dropped_song_is_separated_heard_and_still_there_the_next_time() {
    let home = home();
    let file = home.path().join("Dropped song.wav");
    write_song(&file, 44_100 * 7, 44_100, 11);
    let mut window_ = window(home.path());
    let harness = &mut window_;
    harness.input_mut().dropped_files.push(Arc::new(Dropped(file)));
    harness.step();
    wait(harness, "the song", |app| app.state().open().is_some());
    harness.get_by_label("Process").click();
    harness.run_steps(3);
    wait(harness, "the job", |app| app.state().jobs().len() > 0);
    wait(harness, "the stems", |app| {
        app.state().songs().all(|song| song.state == SongState::Separated)
    });
    for stem in ["Vocals", "Drums", "Bass", "Other"] {
        assert!(harness.query_all_by_label_contains(stem).next().is_some(), "{stem}");
    }
    let full = |app: &App| app.state().open().is_some_and(|open| open.covered_fraction() == 1.0);
    wait(harness, "the waveforms", full);
    // Playback advances with or without a sound device.
    harness.key_press(egui::Key::Space);
    harness.run_steps(3);
    let shows = |harness: &Harness<'static, App>, text: &str| {
        harness.query_all_by_label_contains(text).next().is_some()
    };
    let until = Instant::now() + PATIENCE;
    while !shows(harness, "0:01.") {
        assert!(Instant::now() < until, "the position does not advance");
        std::thread::sleep(Duration::from_millis(20));
        harness.step();
    }
    drop(window_);
    // The next start shows the song with its stems without computing.
    let mut again = window(home.path());
    wait(&mut again, "the song", |app| app.state().open().is_some());
    wait(&mut again, "the stems", full);
    assert!(again.state().state().jobs().all(|job| !job.is_active()));
}
