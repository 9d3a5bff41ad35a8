//! Snapshots of the window in its main states. `UPDATE_SNAPSHOTS=1` rewrites them; review the
//! results.

use std::path::Path;

use egui::{Key, Modifiers, Theme, vec2};
use egui_kittest::{SnapshotOptions, kittest::Queryable as _};
use partita::{
    engine::{
        Event, ExportState, Lane, ModelState, Problem, SongId,
        audio::decode::{Damage, DecodeError, Unsupported, Video},
    },
    i18n::{Language, speak},
    model::{ModelError, Remedy},
    ui::theme::size,
};

use super::{
    export::{export, open},
    instruments::{ALL, Stem, VOICES, no_kit, tree},
    models::with_missing_facts,
    pseudo::pseudo,
    stage::{Stage, fine_peaks, no_audio, portuguese, processing, separated, unprocessed},
    walk::{Scene, scenes},
};

fn picture(stage: &mut Stage, name: &str) {
    stage.harness.run_steps(2);
    // Rounding differs slightly between machines, so a few pixels on edges of glyphs may differ.
    let options = SnapshotOptions::new().threshold(1.0).max_failed_pixels(12usize);
    stage.harness.snapshot_options(name, &options);
}

/// Several selected songs, and more notices than are displayed.
fn several_songs() -> Stage {
    let mut stage = Stage::new(Theme::Dark, processing());
    stage.press(Modifiers::COMMAND, Key::A);
    let problem = Problem::TooManyImports;
    stage.emit(vec![Event::Failed { request: None, song: None, problem }; 4]);
    stage
}

/// Writes every state of the window as a picture, in every theme, language and size.
#[test]
#[ignore = "for manual review: PARTITA_PICTURES=FOLDER"]
fn every_state_in_every_look() {
    let Some(folder) = std::env::var_os("PARTITA_PICTURES").map(std::path::PathBuf::from) else {
        return;
    };
    // Size in points, and pixels per point: a usual screen, the same at 200 %, a high-density one,
    // a large one, and the smallest window.
    let several: Scene = ("several songs", several_songs);
    let looks = [
        (vec2(1280.0, 800.0), 1.0),
        (vec2(640.0, 400.0), 2.0),
        (vec2(1280.0, 800.0), 2.0),
        (vec2(2560.0, 1440.0), 1.0),
        (size::WINDOW_MIN.into(), 1.0),
    ];
    for (name, scene) in scenes().into_iter().chain([several]) {
        for (points, scale) in looks {
            for (theme, language) in [Theme::Dark, Theme::Light].into_iter().flat_map(|theme| {
                Language::all().chain([pseudo()]).map(move |language| (theme, language))
            }) {
                speak(Language::english()); // the scenes use English names
                let mut stage = scene();
                speak(language);
                stage.harness.ctx.set_theme(theme);
                stage.harness.set_pixels_per_point(scale);
                stage.harness.run_steps(2); // the size follows the zoom
                stage.harness.set_size(points);
                stage.deck.position.set(44_100 * 103);
                stage.harness.run_steps(5);
                let (width, look) = (points.x, format!("{theme:?}").to_lowercase());
                let name = name.replace(' ', "-");
                let name = format!("{name}-{look}-{}-{width}x{scale}.png", language.tag());
                stage.harness.render().unwrap().save(folder.join(name)).unwrap();
            }
        }
    }
    speak(Language::english());
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
fn at_work_light() {
    let mut stage = Stage::new(Theme::Light, processing());
    stage.deck.position.set(44_100 * 103);
    picture(&mut stage, "processing-light");
}

/// The form about a checkpoint, half filled in.
#[test]
fn a_checkpoint_is_asked_about() {
    let mut stage = with_missing_facts();
    stage.click("441");
    stage.click("8 s");
    stage.harness.remove_cursor();
    picture(&mut stage, "checkpoint");
}

/// A playing loop, with balance and levels.
#[test]
fn mixing_with_a_loop() {
    let mut stage = Stage::new(Theme::Dark, separated());
    stage.deck.level.set(0.4);
    stage.deck.position.set(44_100 * 70);
    stage.press(Modifiers::NONE, Key::OpenBracket);
    stage.deck.position.set(44_100 * 140);
    stage.press(Modifiers::NONE, Key::CloseBracket);
    stage.deck.position.set(44_100 * 103);
    stage.click("Solo Drums");
    stage.harness.get_by_label("Pan Bass").focus();
    for _ in 0..8 {
        stage.press(Modifiers::NONE, Key::ArrowLeft);
    }
    stage.harness.remove_cursor();
    picture(&mut stage, "mixing");
}

/// High zoom: some lanes have finer peaks, others do not yet.
#[test]
fn zoomed_in() {
    let mut stage = Stage::new(Theme::Light, separated());
    stage.deck.position.set(44_100 * 60);
    for _ in 0..14 {
        stage.press(Modifiers::NONE, Key::Plus);
    }
    let first = 44_100 * 59 / 16 * 16;
    for lane in [Lane::Original, Lane::Stem(0), Lane::Stem(1), Lane::Stem(3)] {
        stage.emit([fine_peaks(7, lane, first, 6_000)]);
    }
    picture(&mut stage, "zoomed");
}

#[test]
fn shortcuts() {
    let mut stage = Stage::new(Theme::Dark, separated());
    stage.press(Modifiers::NONE, Key::F1);
    picture(&mut stage, "shortcuts");
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

#[test]
fn jobs_dark() {
    let mut stage = Stage::new(Theme::Dark, super::jobs::jobs());
    stage.press(egui::Modifiers::COMMAND, egui::Key::J);
    picture(&mut stage, "jobs-dark");
}

#[test]
fn settings_light() {
    let mut stage = super::settings::page(separated());
    stage.click("Theme: Light");
    stage.harness.remove_cursor();
    picture(&mut stage, "settings-light");
}

#[test]
fn several_songs_in_portuguese() {
    speak(portuguese());
    let mut stage = Stage::new(Theme::Dark, processing());
    stage.press(egui::Modifiers::COMMAND, egui::Key::A);
    picture(&mut stage, "several-portuguese");
    speak(Language::english());
}

/// The instruments of a song with these stems, with the parts of some in the list of ticks.
fn instruments(theme: Theme, stems: &[Stem], open: &[&str], window: egui::Vec2) -> Stage {
    let missing = if stems.len() < ALL.len() { no_kit() } else { Vec::new() };
    let mut stage = Stage::new(theme, tree(stems, missing));
    for name in open {
        stage.click(&format!("Show the parts of {name}"));
    }
    stage.deck.position.set(44_100 * 103);
    stage.harness.set_size(window);
    stage.harness.run_steps(4);
    stage.harness.remove_cursor();
    stage
}

const WIDE: egui::Vec2 = vec2(1180.0, 720.0);

#[test]
fn instruments_within_instruments() {
    let open = ["Vocals", "Drums"];
    let mut stage = instruments(Theme::Dark, &VOICES, &open, WIDE);
    stage.click("Lead, part of Vocals");
    stage.click("Mute Backing, part of Vocals");
    stage.harness.remove_cursor();
    picture(&mut stage, "parts-dark");
}

#[test]
fn instruments_within_instruments_light() {
    let mut stage = instruments(Theme::Light, &VOICES, &["Vocals"], WIDE);
    stage.click("Fold Vocals");
    stage.harness.remove_cursor();
    picture(&mut stage, "parts-folded-light");
}

#[test]
fn fourteen_lanes() {
    let mut stage = instruments(Theme::Dark, &ALL, &[], vec2(700.0, 1420.0));
    picture(&mut stage, "parts-all-dark");
}

#[test]
fn fourteen_lanes_in_a_small_window() {
    let mut stage =
        instruments(Theme::Light, &ALL, &["Vocals", "Drums", "Other"], size::WINDOW_MIN.into());
    stage.harness.run_steps(2);
    picture(&mut stage, "parts-all-narrow-light");
}

#[test]
fn fourteen_lanes_in_portuguese() {
    let mut stage = instruments(Theme::Light, &ALL, &["Vocals", "Drums"], vec2(700.0, 1420.0));
    speak(portuguese());
    picture(&mut stage, "parts-all-portuguese");
    speak(Language::english());
}

#[test]
fn chains_in_the_settings() {
    let mut stage = super::instruments::in_the_settings();
    stage.harness.set_size(vec2(1080.0, 760.0));
    stage.harness.run_steps(3);
    stage.harness.remove_cursor();
    picture(&mut stage, "chains-dark");
}

#[test]
fn a_chain_is_edited() {
    let mut stage = super::instruments::editor();
    stage.harness.remove_cursor();
    picture(&mut stage, "chain-dark");
}

#[test]
fn a_chain_is_edited_in_portuguese() {
    let mut stage = super::instruments::editor();
    speak(portuguese());
    stage.harness.ctx.set_theme(Theme::Light);
    stage.harness.run_steps(2);
    stage.wheel(egui::pos2(640.0, 400.0), vec2(0.0, -14.0), Modifiers::NONE);
    stage.harness.remove_cursor();
    picture(&mut stage, "chain-portuguese");
    speak(Language::english());
}

/// Ten situations of failure, as notices of the song that is shown.
fn ten_problems() -> [Problem; 10] {
    let system = std::io::Error::from_raw_os_error;
    let (song, folder) = (Path::new("/home/me/Music/song.mp3"), Path::new("/media/disk/Stems"));
    let weights = "/home/me/.local/share/partita/models/htdemucs.safetensors";
    let damaged = ModelError::Digest {
        path: weights.into(),
        found: "9f".repeat(32),
        noted: "4a".repeat(32),
        remedy: Remedy::Install,
    };
    [
        no_audio(),
        Problem::Decode(DecodeError::Unsupported(Unsupported::Video(Video::Flv))),
        Problem::Decode(DecodeError::Damaged(Damage::Mostly)),
        Problem::read(song, system(13)),
        Problem::WaitsForDisk { cause: Box::new(Problem::write(folder, system(28))) },
        Problem::output(folder, system(30)),
        Problem::Locked,
        Problem::MemoryLimit { needed: 1_400 << 20, limit: 500 << 20 },
        Problem::Model(damaged),
        Problem::Model(ModelError::NotInstalled { model: "htdemucs".into() }),
    ]
}

/// Draws [`ten_problems`] as a picture.
fn problems(language: Language, name: &str) {
    speak(language);
    let mut stage = Stage::new(Theme::Light, unprocessed());
    let song = Some(SongId(7));
    stage.emit(ten_problems().map(|problem| Event::Failed { request: None, song, problem }));
    picture(&mut stage, name);
    speak(Language::english());
}

#[test]
#[cfg_attr(windows, ignore = "the picture has the error numbers of Unix")]
fn ten_problems_in_english() {
    problems(Language::english(), "problems");
}

#[test]
#[cfg_attr(windows, ignore = "the picture has the error numbers of Unix")]
fn ten_problems_in_portuguese() {
    problems(portuguese(), "problems-portuguese");
}

#[test]
#[cfg_attr(windows, ignore = "the picture has a path with slashes")]
fn export_dark() {
    let mut stage = Stage::new(Theme::Dark, separated());
    stage.asked();
    open(&mut stage);
    stage.click("Content: Selected stems");
    stage.click("Format: FLAC");
    stage.click("Residual: everything outside the stems");
    stage.harness.remove_cursor();
    picture(&mut stage, "export-dark");
}

#[test]
fn export_light() {
    let mut stage = Stage::new(Theme::Light, separated());
    stage.asked();
    stage.press(egui::Modifiers::ALT, egui::Key::ArrowDown);
    open(&mut stage);
    stage.click("As heard: −1");
    stage.click("Loudness: −14 LUFS");
    stage.click("Limiter");
    stage.harness.remove_cursor();
    picture(&mut stage, "export-light");
}

#[test]
fn export_cards() {
    let mut stage = Stage::new(Theme::Dark, separated());
    stage.asked();
    open(&mut stage);
    let done = ExportState::Done {
        files: vec!["/home/me/Music/Software-Entwicklungskit - Lithium (mix).wav".into()],
        gain_db: -1.24,
        notes: partita::engine::Note::ExportedInStereo { channels: 6 }.into(),
    };
    let there = ["vocals", "drums"].map(|stem| format!("/home/me/Music/Lithium/{stem}.wav").into());
    for state in [done, ExportState::Exists(there.into()), ExportState::Running(0.42)] {
        let id = export(&mut stage).id;
        stage.emit([Event::Export { id, state }]);
        stage.press(egui::Modifiers::COMMAND, egui::Key::E);
        stage.asked();
    }
    stage.press(egui::Modifiers::NONE, egui::Key::Escape);
    picture(&mut stage, "export-cards");
}
