//! Pictures of the window in its main states. `UPDATE_SNAPSHOTS=1` writes them anew; look at them.

use egui::Theme;
use egui_kittest::SnapshotOptions;
use partita::engine::{Event, ModelState};

use super::stage::{Stage, processing, separated};

fn picture(stage: &mut Stage, name: &str) {
    stage.harness.run_steps(2);
    // Rounding differs a little between machines: a few pixels on edges of glyphs may.
    let options = SnapshotOptions::new().threshold(1.0).max_failed_pixels(12usize);
    stage.harness.snapshot_options(name, &options);
}

#[test]
fn empty() {
    let library = Event::Library { songs: Vec::new(), jobs: Vec::new() };
    let mut stage = Stage::new(Theme::Dark, [library, Event::Model(ModelState::Missing)]);
    picture(&mut stage, "empty");
}

#[test]
fn at_work() {
    let mut stage = Stage::new(Theme::Dark, processing());
    stage.deck.position.set(44_100 * 103);
    picture(&mut stage, "processing");
}

#[test]
fn with_stems_dark() {
    let mut stage = Stage::new(Theme::Dark, separated());
    stage.deck.position.set(44_100 * 103);
    stage.click("Mute Other");
    stage.harness.remove_cursor();
    picture(&mut stage, "stems-dark");
}

#[test]
fn with_stems_light() {
    let mut stage = Stage::new(Theme::Light, separated());
    stage.deck.position.set(44_100 * 103);
    stage.click("Drums");
    stage.harness.remove_cursor();
    picture(&mut stage, "stems-light");
}
