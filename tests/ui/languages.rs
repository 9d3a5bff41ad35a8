//! Scenes in every language and in the [pseudo-language](super::pseudo): no text equals the English
//! one, except titles, names of formats, and numbers.

use egui::{Key, Modifiers, Theme};
use egui_kittest::{Node, kittest::NodeT as _};
use partita::{
    engine::{
        Event, ExportState, JobState, ModelState, Note, Notes, Problem, SongState, export::FORMATS,
    },
    i18n::{Language, speak},
    model::weights::Step,
    ui::{
        platform::dialogs::{Answer, Outcome},
        state::ui_state::Purpose,
        words,
    },
};

use super::{
    export::sent,
    pseudo::{accented, pseudo},
    stage::{Stage, TERMS, job, library, processing, separated, unprocessed},
};

/// Words that are rightly the same in both languages, alone or beside numbers and names.
const SAME: &[&str] = &[
    "htdemucs",
    "Threads",
    "English",
    "Português",
    "GB",
    "MB",
    "KB",
    "Partita",
    "Original",
    "Mix",
    "Volume",
    "M",
    "S",
    "Solo",
    "Loop",
    "LUFS",
    "Loudness",
    "dB",
    "kHz",
    "FLAC",
    "WAV",
    "ALAC",
    "MP3",
    "Opus",
    "mono",
    "min",
    "s",
    "h",
    "×",
    "ct",
];

/// Labels of keys in either language.
const KEYS: &[&str] =
    &["Ctrl", "Shift", "Alt", "Enter", "Esc", "Home", "End", "PgUp", "PgDn", "F1", "F2"];

/// Names in the scenes: songs, files, and recorded sentences, which stay English.
const NAMES: &[&str] = &[
    "https",
    "Lithium",
    "Software-Entwicklungskit",
    "Let's Go Fishin'",
    "Karissa Hobbs",
    "On the run",
    "Joshua Morin",
    "Vibe Ace",
    "Kevin MacLeod",
    "take 3 (rough mix)",
    "New song.mp3",
    "mix.wav",
    "The disk is full",
    TERMS,
    "/home/me/Music",
    "/home/me",
    "letter.txt",
];

/// All visible and accessible texts of the window, in order.
fn texts(stage: &Stage) -> Vec<String> {
    let nodes = stage.harness.root().children_recursive();
    nodes
        .flat_map(|node| {
            let node = node.accesskit_node();
            let said = [node.label(), node.value(), node.placeholder().map(str::to_owned)];
            said.into_iter().flatten().collect::<Vec<_>>()
        })
        .filter(|text| !text.is_empty())
        .collect()
}

/// Extensions of exported files.
const ENDINGS: &[&str] = &[".wav", ".flac", ".m4a", ".mp3", ".opus", ".mp4", ".dawproject"];

/// Whether a text has no words of a language.
fn is_no_language(text: &str) -> bool {
    if !text.contains(": ") && ENDINGS.iter().any(|ending| text.ends_with(ending)) {
        return true;
    }
    let mut rest = text.to_owned();
    for name in NAMES {
        rest = rest.replace(name, " ");
    }
    let is_pattern = |word: &str| word.starts_with('{');
    let signs = |c: char| !c.is_alphanumeric() && c != '{' && c != '}';
    rest.split_whitespace().all(|word| {
        let bare = word.trim_matches(signs);
        // A key, such as "Ctrl+Shift+O".
        let key = bare.rsplit('+').next().unwrap_or_default();
        let is_key = key.chars().count() == 1 || KEYS.contains(&key);
        is_pattern(bare) || is_key || SAME.contains(&bare) || !bare.contains(char::is_alphabetic)
    })
}

/// Words that are the same in every language, and not from a message.
const PROPER: &[&str] = &[
    "Partita",
    "htdemucs",
    "English",
    "Português",
    "FLAC",
    "WAV",
    "ALAC",
    "MP3",
    "Opus",
    "LUFS",
    "M",
    "S",
];

/// Whether each letter of a text comes from a message of the pseudo-language.
fn is_accented(text: &str) -> bool {
    if !text.contains(": ") && ENDINGS.iter().any(|ending| text.ends_with(ending)) {
        return true;
    }
    let mut rest = text.to_owned();
    for name in NAMES {
        rest = rest.replace(name, " ");
    }
    rest.split_whitespace().all(|word| {
        let bare = word.trim_matches(|c: char| !c.is_alphanumeric() && c != '{' && c != '}');
        let key = bare.rsplit('+').next().unwrap_or_default();
        let is_key = key.chars().count() == 1 || KEYS.contains(&key);
        let is_plain = bare.contains(|c: char| c.is_ascii_alphabetic());
        !is_plain || is_key || bare.starts_with('{') || PROPER.contains(&bare)
    })
}

fn compare(name: &str, scene: impl Fn(Stage) -> Stage, events: impl Fn() -> Vec<Event>) {
    let shown = |language| {
        speak(language);
        let stage = scene(Stage::new(Theme::Dark, events()));
        stage.harness.check_accessibility();
        let texts = texts(&stage);
        speak(Language::english());
        texts
    };
    let english = shown(Language::english());
    assert!(english.len() > 5, "{name}: {english:?}");
    for language in Language::all().skip(1) {
        let other = shown(language);
        assert_eq!(english.len(), other.len(), "{name}: {english:#?}\n{other:#?}");
        for (english, other) in english.iter().zip(&other) {
            let is_translated = english != other || is_no_language(english);
            assert!(is_translated, "{name}: “{english}” is not translated in {language:?}");
        }
    }
    let plain: Vec<_> = shown(pseudo()).into_iter().filter(|text| !is_accented(text)).collect();
    assert!(plain.is_empty(), "{name}: {plain:#?} do not come from messages");
}

fn answered(mut stage: Stage, purpose: Purpose, outcome: Outcome) -> Stage {
    let ctx = stage.harness.ctx.clone();
    stage.harness.state_mut().answered(&ctx, Answer { purpose, outcome });
    stage.harness.run_steps(3);
    stage
}

/// The open export dialog with a fixed folder.
fn exporting(stage: Stage) -> Stage {
    let folder = Outcome::Picked(vec!["/home/me/Music".into()]);
    let mut stage = answered(stage, Purpose::ExportFolder, folder);
    stage.press(Modifiers::COMMAND, Key::E);
    stage.asked();
    stage
}

#[test]
fn no_panel_shows_the_other_language() {
    let empty = || {
        let library = Event::Library { songs: Vec::new(), jobs: Vec::new() };
        vec![library, Event::Model(ModelState::Missing)]
    };
    compare("empty", |stage| stage, empty);
    compare("unprocessed", |stage| stage, unprocessed);
    compare("processing", |stage| stage, processing);
    compare("separated", |stage| stage, separated);
    let installing = ModelState::Installing { step: Step::Reading, fraction: Some(0.3) };
    for state in [installing, ModelState::Failed(Problem::ModelBusy)] {
        let events = || vec![library(SongState::Ready), Event::Model(state.clone())];
        compare("model", |stage| stage, events);
    }
    let failed = || {
        let mut events = unprocessed();
        events.push(Event::Job(job(1, 7, JobState::Failed(Problem::NotSeparated), 24)));
        events.push(Event::Job(job(2, 5, JobState::Waiting, 0)));
        let problem = Problem::TooManyImports;
        events.extend(vec![Event::Failed { request: None, song: None, problem }; 4]);
        events
    };
    compare("failed", |stage| stage, failed);
}

#[test]
fn no_page_shows_the_other_language() {
    let pressed = |modifiers: Modifiers, key: Key| {
        move |mut stage: Stage| {
            stage.press(modifiers, key);
            let home = "/home/me".into();
            stage.emit([Event::HomeMeasured { home, all: 5_000_000, stems: 4_000_000 }]);
            stage
        }
    };
    let ctrl = Modifiers::COMMAND;
    compare("jobs", pressed(ctrl, Key::J), super::jobs::jobs);
    compare("no jobs", pressed(ctrl, Key::J), unprocessed);
    compare("settings", pressed(ctrl, Key::Comma), separated);
    compare("folded", pressed(ctrl, Key::B), separated);
    compare("shortcuts", pressed(Modifiers::NONE, Key::F1), separated);
    compare("loop", pressed(Modifiers::NONE, Key::L), separated);
    compare("close", pressed(Modifiers::NONE, Key::Plus), separated);
    compare("several", pressed(ctrl, Key::A), processing);
    compare("title", pressed(Modifiers::NONE, Key::F2), separated);
    for nth in 0..2 {
        let asked = |stage: Stage| {
            let mut stage = pressed(ctrl, Key::Comma)(stage);
            // On the page, to the right of the library and above the transport.
            let is_question = |node: &Node<'_>| {
                let is_named =
                    node.accesskit_node().label().is_some_and(|label| label.ends_with('…'));
                is_named && node.rect().left() > 288.0 && node.rect().bottom() < 720.0
            };
            let buttons: Vec<_> =
                stage.harness.root().children_recursive().filter(is_question).collect();
            assert!(buttons.len() >= 3, "expected the report's button as well");
            buttons[nth].click();
            stage.harness.run_steps(3);
            stage
        };
        compare("question", asked, separated);
    }
    let sorted = |mut stage: Stage| {
        let is_sort = |node: &Node<'_>| {
            let label = node.accesskit_node().label().unwrap_or_default();
            let sort = [String::from("Sort"), "Ordenar".into(), accented("Sort")];
            sort.iter().any(|sort| label.starts_with(&format!("{sort}: ")))
        };
        stage.harness.root().children_recursive().find(is_sort).unwrap().click();
        stage.harness.run_steps(3);
        stage
    };
    compare("sort", sorted, unprocessed);
}

#[test]
fn no_dialog_shows_the_other_language() {
    let purposes = [
        Purpose::Songs,
        Purpose::SongFolder,
        Purpose::Weights,
        Purpose::ExportFolder,
        Purpose::Report,
    ];
    for purpose in purposes {
        let ask = |stage| answered(stage, purpose, Outcome::Unavailable);
        compare("path", ask, separated);
    }
    let without_sound = |mut stage: Stage| {
        stage.deck.has_no_device.set(true);
        stage.press(Modifiers::NONE, Key::O);
        stage
    };
    compare("without sound", without_sound, separated);
    let nothing_found = |mut stage: Stage| {
        stage.press(Modifiers::COMMAND, Key::F);
        let field = stage.harness.root().children_recursive().find(Node::is_focused).unwrap();
        field.type_text("×××");
        stage.harness.run_steps(3);
        stage
    };
    compare("nothing found", nothing_found, processing);
    let removed = |mut stage: Stage| {
        stage.harness.root().children_recursive().find(is_song).unwrap().focus();
        stage.harness.run_steps(2);
        stage.press(Modifiers::NONE, Key::Delete);
        stage
    };
    compare("removed", removed, unprocessed);
    let menu = |mut stage: Stage| {
        stage.harness.root().children_recursive().find(is_song).unwrap().click_secondary();
        stage.harness.run_steps(3);
        stage
    };
    compare("menu", menu, unprocessed);
    compare("menu of a job", menu, processing);
}

fn is_song(node: &Node<'_>) -> bool {
    node.accesskit_node().role() == egui::accesskit::Role::ListBoxOption
}

#[test]
fn no_export_shows_the_other_language() {
    for format in FORMATS {
        let dialog = |stage| {
            let mut stage = exporting(stage);
            let name = words::format_name(format);
            click_end(&mut stage, &format!(": {name}"));
            stage
        };
        compare(format.name, dialog, separated);
        for nth in 1..3 {
            let other_what = |stage| {
                let mut stage = dialog(stage);
                let choices = choices(&stage);
                // "Content" is the first choice in the dialog; without it, the format is.
                click_end(&mut stage, &choices[nth]);
                stage
            };
            compare(format.name, other_what, separated);
        }
    }
    let cards = |stage| {
        let mut stage = exporting(stage);
        let done = ExportState::Done {
            files: vec!["/home/me/Music/mix.wav".into()],
            gain_db: -1.24,
            notes: Note::ExportedInStereo { channels: 6 }.into(),
        };
        let none = ExportState::Done { files: Vec::new(), gain_db: 0.0, notes: Notes::default() };
        let there = ExportState::Exists(vec!["/home/me/Music/mix.wav".into()]);
        let failed = ExportState::Failed(Problem::NothingChosen);
        for state in [done, none, there, failed, ExportState::Running(0.42)] {
            stage.press(Modifiers::NONE, Key::Enter);
            let id = sent(&stage).id;
            stage.emit([Event::Export { id, state }]);
            stage.press(Modifiers::COMMAND, Key::E);
            stage.asked();
        }
        stage.press(Modifiers::NONE, Key::Escape);
        stage
    };
    compare("cards", cards, separated);
}

/// The names of the choices in the open dialog.
fn choices(stage: &Stage) -> Vec<String> {
    let nodes = stage.harness.root().children_recursive();
    let labels = nodes
        .map(|node| node.accesskit_node())
        .filter(|node| node.role() == egui::accesskit::Role::RadioButton)
        .filter_map(|node| node.label())
        .filter(|label| label.contains(": "));
    labels.collect()
}

/// Clicks the choice whose name ends with `end`.
fn click_end(stage: &mut Stage, end: &str) {
    let name = choices(stage).into_iter().find(|label| label.ends_with(end)).unwrap();
    stage.click(&name);
}
