//! A walk through every panel and dialog in both languages. Every control has a name, and no two
//! controls of a panel have the same one.

use std::collections::BTreeMap;

use egui::{Key, Modifiers, Theme, accesskit::Role};
use egui_kittest::{Harness, Node, kittest::NodeT as _};
use partita::{
    engine::{Event, ExportState, JobState, ModelState, SongState},
    i18n::{Language, speak},
    model::weights::Step,
    ui::{
        app::App,
        platform::dialogs::{Answer, Outcome},
        state::ui_state::Purpose,
    },
};

use super::{
    export::export,
    instruments, models,
    stage::{Stage, disk_full, job, library, no_audio, processing, separated, stage, unprocessed},
};

/// Whether a node is a control, or an image with information.
fn needs_a_name(node: &Node<'_>) -> bool {
    let role = node.accesskit_node().role();
    let says_something = [Role::Image, Role::Meter, Role::ProgressIndicator];
    egui::accessibility::is_input(role) || says_something.contains(&role)
}

/// Positions and roles of all nodes that need a name and have none.
fn nameless<State>(harness: &Harness<'_, State>) -> Vec<String> {
    let nodes = harness.root().children_recursive().filter(needs_a_name);
    let without = nodes
        .filter(|node| node.accesskit_node().label().is_none_or(|label| label.trim().is_empty()));
    without.map(|node| format!("{:?} at {:?}", node.accesskit_node().role(), node.rect())).collect()
}

/// Controls with the same role and name.
fn namesakes<State>(harness: &Harness<'_, State>) -> Vec<String> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let is_control = |node: &Node<'_>| egui::accessibility::is_input(node.accesskit_node().role());
    for node in harness.root().children_recursive().filter(is_control) {
        let node = node.accesskit_node();
        let name = format!("{:?} “{}”", node.role(), node.label().unwrap_or_default());
        *seen.entry(name).or_default() += 1;
    }
    seen.into_iter().filter(|(_, count)| *count > 1).map(|(name, _)| name).collect()
}

pub type Scene = (&'static str, fn() -> Stage);

/// The window after pressing a key.
fn after(mut stage: Stage, modifiers: Modifiers, key: Key) -> Stage {
    stage.press(modifiers, key);
    stage
}

/// Every state of the window, with its name.
pub fn scenes() -> Vec<Scene> {
    vec![
        ("empty", || {
            let library = Event::Library { songs: Vec::new(), jobs: Vec::new() };
            stage(vec![library, Event::Model(ModelState::Missing)])
        }),
        ("no model", || stage(vec![library(SongState::Ready), Event::Model(ModelState::Missing)])),
        ("installing", || {
            let installing = ModelState::Installing {
                step: Step::Downloading("example.org".into()),
                fraction: Some(0.3),
            };
            stage(vec![library(SongState::Ready), Event::Model(installing)])
        }),
        ("importing", || {
            let mut stage = stage(unprocessed());
            let path = |name: &str| format!("/home/me/Music/{name}").into();
            stage.emit([
                Event::Importing { path: path("A long concert.flac"), fraction: 0.37 },
                Event::Importing { path: path("Another song.mp3"), fraction: 0.0 },
                Event::ImportFailed { path: path("notes.txt"), problem: no_audio() },
            ]);
            stage
        }),
        ("unprocessed", || stage(unprocessed())),
        ("processing", || stage(processing())),
        ("failed", || {
            let mut stage = stage(unprocessed());
            stage.emit([Event::Job(job(1, 7, JobState::Failed(disk_full()), 2))]);
            stage
        }),
        ("separated", || stage(separated())),
        ("no device", || {
            let stage = stage(separated());
            stage.deck.has_no_device.set(true);
            stage
        }),
        ("zoomed with a loop", || {
            let mut stage = stage(separated());
            for key in [Key::Plus, Key::Plus, Key::L] {
                stage.press(Modifiers::NONE, key);
            }
            stage
        }),
        ("jobs", || after(stage(processing()), Modifiers::COMMAND, Key::J)),
        ("settings", || after(stage(separated()), Modifiers::COMMAND, Key::Comma)),
        ("models", models::in_the_settings),
        ("instruments", instruments::with_parts),
        ("chains", instruments::in_the_settings),
        ("a chain", instruments::editor),
        ("missing facts", models::with_missing_facts),
        ("options", models::with_options),
        ("a question", || {
            let mut stage = stage(separated());
            stage.press(Modifiers::COMMAND, Key::Comma);
            stage.click("Reset everything…");
            stage
        }),
        ("folded library", || after(stage(separated()), Modifiers::COMMAND, Key::B)),
        ("a new title", || after(stage(separated()), Modifiers::NONE, Key::F2)),
        ("shortcuts", || after(stage(separated()), Modifiers::NONE, Key::F1)),
        ("export", || after(stage(separated()), Modifiers::COMMAND, Key::E)),
        ("export cards", || {
            let mut stage = stage(separated());
            super::export::open(&mut stage);
            let there = ExportState::Exists(vec!["/home/me/Music/mix.wav".into()]);
            let id = export(&mut stage).id;
            stage.emit([Event::Export { id, state: there }]);
            stage
        }),
        ("asking for a path", || {
            let mut stage = stage(separated());
            let ctx = stage.harness.ctx.clone();
            let answer = Answer { purpose: Purpose::Songs, outcome: Outcome::Unavailable };
            stage.harness.state_mut().answered(&ctx, answer);
            stage
        }),
        ("light", || Stage::new(Theme::Light, separated())),
    ]
}

#[test]
fn no_control_of_any_panel_or_dialog_is_without_a_name() {
    for language in Language::all() {
        for (name, scene) in scenes() {
            // The scene is built in English, because it uses English names.
            speak(Language::english());
            let mut stage = scene();
            speak(language);
            stage.harness.run_steps(4);
            let found = nameless(&stage.harness);
            assert!(found.is_empty(), "{name}, {}: {found:#?}", language.name());
            let found = namesakes(&stage.harness);
            assert!(found.is_empty(), "{name}, {}: {found:#?}", language.name());
            let controls = stage.harness.root().children_recursive().filter(needs_a_name).count();
            assert!(controls > 3, "{name}: only {controls}");
        }
    }
    speak(Language::english());
}

#[test]
fn the_walk_finds_what_has_no_name() {
    let harness = Harness::builder().with_accessibility_check(false).build_ui(|ui| {
        let rect = egui::Rect::from_min_size(egui::pos2(20.0, 20.0), egui::vec2(20.0, 20.0));
        let response = ui.interact(rect, egui::Id::unique("bare"), egui::Sense::click());
        response.widget_info(|| egui::WidgetInfo::new(egui::Role::Button));
        for place in ["one", "two"] {
            let response = ui.interact(rect, egui::Id::unique(place), egui::Sense::click());
            response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, "Twin"));
        }
    });
    assert_eq!(nameless(&harness).len(), 1);
    assert_eq!(namesakes(&harness), ["Button “Twin”"]);
}

#[test]
fn every_scene_is_a_different_window() {
    let shown = |harness: &Harness<'static, App>| -> Vec<String> {
        let nodes = harness.root().children_recursive();
        let said = |node: Node<'_>| {
            let node = node.accesskit_node();
            [node.label(), node.value()].into_iter().flatten().collect::<Vec<_>>()
        };
        nodes.flat_map(said).collect()
    };
    let all: Vec<(Theme, Vec<String>)> = scenes()
        .into_iter()
        .map(|(_, scene)| {
            let mut stage = scene();
            stage.harness.run_steps(4);
            (stage.harness.ctx.theme(), shown(&stage.harness))
        })
        .collect();
    for (i, one) in all.iter().enumerate() {
        for other in &all[i + 1..] {
            assert_ne!(one, other);
        }
    }
}
