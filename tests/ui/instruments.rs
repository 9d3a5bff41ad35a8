//! Instruments within instruments: their ticks, their lanes as groups, and the choice of a chain.

use egui::{Key, Modifiers, Theme, accesskit::Role};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use partita::{
    engine::{
        ChainEntry, Command, Event, Lane, ModelEntry, ModelState, SongId, SongState,
        export::Part,
        separation::{
            chain::{MissingStems, file::ChainFile},
            options::{Maker, Preset, Quality, QualityCost, SeparationOptions, StemInfo},
        },
    },
    model::weights::State,
    ui::{
        platform::dialogs::{Answer, Outcome},
        state::ui_state::Purpose,
    },
};

use super::stage::{FRAMES, Stage, covered, library, names, peaks, recorded, stage};

const NONE: Modifiers = Modifiers::NONE;

/// A chain file of this name, as it comes with the program.
fn built_in(name: &str) -> ChainFile {
    let text = match name {
        "everything" => include_str!("../../assets/chains/everything.toml"),
        _ => include_str!("../../assets/chains/vocals-first.toml"),
    };
    ChainFile::parse(text).unwrap()
}

fn chains(own: &[&str]) -> Event {
    let entry = |name: &str, is_own| ChainEntry {
        name: name.into(),
        file: built_in(name),
        is_own,
        stems: names(&["drums", "bass", "vocals"]),
        missing: Vec::new(),
    };
    let mut all = vec![entry("vocals-first", false), entry("everything", false)];
    all[0].stems.clear();
    all[0].missing = vec![MissingStems { stems: names(&["vocals"]), makes: names(&["vocals"]) }];
    all.extend(own.iter().map(|name| entry(name, true)));
    Event::Chains(all)
}

fn model(name: &str) -> ModelEntry {
    ModelEntry {
        name: name.into(),
        title: String::new(),
        sources: names(&["lead", "backing"]),
        terms: String::new(),
        bytes: 1,
        state: State::Installed { bytes: 1 },
        networks: (1, 1),
        is_own: true,
    }
}

/// A stem of a tree: its name, the index of its parent, and whether it is heard.
pub type Stem = (&'static str, Option<usize>, bool);

/// Four stems, whose vocals are heard through lead and backing.
pub const VOICES: [Stem; 6] = [
    ("drums", None, true),
    ("bass", None, true),
    ("other", None, true),
    ("vocals", None, false),
    ("lead", Some(3), true),
    ("backing", Some(3), true),
];

/// [`VOICES`] before the parts were computed.
pub const WHOLE_VOICES: [Stem; 6] = [
    ("drums", None, true),
    ("bass", None, true),
    ("other", None, true),
    ("vocals", None, true),
    ("lead", Some(3), false),
    ("backing", Some(3), false),
];

/// Every instrument of the chain "everything".
pub const ALL: [Stem; 13] = [
    ("drums", None, false),
    ("kick", Some(0), true),
    ("snare", Some(0), true),
    ("toms", Some(0), true),
    ("cymbals", Some(0), true),
    ("bass", None, true),
    ("other", None, false),
    ("guitar", Some(6), true),
    ("piano", Some(6), true),
    ("other rest", Some(6), true),
    ("vocals", None, false),
    ("lead", Some(10), true),
    ("backing", Some(10), true),
];

fn shown(stems: &[Stem], missing: Vec<MissingStems>) -> Event {
    let quality = Quality::default();
    let seconds = vec![Some(60.0), Some(30.0)];
    let info = |&(name, parent, is_heard): &Stem| StemInfo {
        parent,
        is_rest: ["backing", "cymbals", "other rest"].contains(&name),
        is_heard,
        missing: if parent.is_some() && !is_heard { 56 } else { 0 },
        makers: if parent.is_some() { vec![0, 1] } else { vec![0] },
    };
    Event::Shown {
        song: SongId(7),
        options: SeparationOptions { model: "everything".into(), quality },
        stems: stems.iter().map(info).collect(),
        makers: vec![Maker::default(), Maker { missing: 1.0, bytes: 400_000_000 }],
        missing,
        offers: vec![QualityCost { quality, preset: Some(Preset::Standard), seconds }],
        versions: Vec::new(),
    }
}

/// Events for an open, separated song with these stems.
pub fn tree(stems: &[Stem], missing: Vec<MissingStems>) -> Vec<Event> {
    let all: Vec<String> = stems.iter().map(|stem| stem.0.to_owned()).collect();
    let ready = ModelState::Ready { sources: all.clone(), least_memory: 560 << 20 };
    let opened = Event::Opened { song: SongId(7), frames: FRAMES, stems: all };
    let mut events = vec![library(SongState::Separated), Event::Model(ready), opened];
    events.extend([chains(&[]), shown(stems, missing), peaks(7, Lane::Original)]);
    events.extend((0..stems.len()).map(|stem| peaks(7, Lane::Stem(stem))));
    events.extend([peaks(7, Lane::Residual), covered(7, &[(0, FRAMES)])]);
    events
}

/// The kit's network is not installed.
pub fn no_kit() -> Vec<MissingStems> {
    let kit = names(&["kick", "snare", "toms"]);
    vec![MissingStems { stems: kit.clone(), makes: kit }]
}

/// A song with all instruments, and the parts of two in the list of ticks.
pub fn with_parts() -> Stage {
    let mut stage = stage(tree(&ALL, no_kit()));
    stage.click("Show the parts of Vocals");
    stage.click("Show the parts of Drums");
    stage
}

fn gains(stage: &Stage) -> Vec<f32> {
    stage.deck.gains.borrow().clone()
}

/// Names of the lanes from the top.
fn lanes(stage: &Stage) -> Vec<String> {
    let nodes = stage.harness.root().children_recursive();
    let of_lane = |node: egui_kittest::Node<'_>| {
        let name = node.accesskit_node().label()?;
        name.strip_prefix("Waveform of ").map(str::to_owned)
    };
    nodes.filter_map(of_lane).skip(1).collect()
}

#[test]
fn parts_are_ticked_in_a_row_below_their_whole() {
    let mut stage = stage(tree(&WHOLE_VOICES, Vec::new()));
    stage.harness.check_accessibility();
    assert!(!stage.shows("Show the parts of Drums"), "the drums have no parts");
    assert!(
        stage.harness.query_by_role_and_label(Role::CheckBox, "Lead, part of Vocals").is_none()
    );
    stage.click("Show the parts of Vocals");
    stage.click("Lead, part of Vocals");
    assert!(stage.shows("Process"), "the lead is not computed yet");
    assert!(stage.shows("Takes about 30 s and 400 MB of disk space"));
    stage.click("Process");
    let asked = stage.asked();
    let [Command::Process { stems, .. }] = &asked[..] else { panic!("{asked:?}") };
    assert_eq!(*stems, names(&["drums", "bass", "other", "vocals", "lead"]));
    stage.click("Hide the parts of Vocals");
    assert!(!stage.shows("Hide the parts of Vocals"));
}

#[test]
fn missing_networks_are_explained() {
    let stage = {
        let mut stage = stage(tree(&VOICES, no_kit()));
        stage.click("Show the parts of Drums");
        stage
    };
    let name = "Snare, part of Drums: needs a model that makes kick drum, snare and toms";
    let node = stage.harness.get_by_role_and_label(Role::CheckBox, name);
    assert!(node.accesskit_node().is_disabled());
}

#[test]
fn a_group_is_folded_and_acts_on_its_parts() {
    let mut stage = stage(tree(&VOICES, Vec::new()));
    let parts = ["Lead, part of Vocals", "Backing, part of Vocals"];
    assert_eq!(lanes(&stage)[..3], ["Vocals", parts[0], parts[1]].map(str::to_owned));
    assert_eq!(gains(&stage), [1.0, 1.0, 1.0, 0.0, 1.0, 1.0]);
    stage.click("Mute Vocals");
    assert_eq!(gains(&stage), [1.0, 1.0, 1.0, 0.0, 0.0, 0.0]);
    stage.click("Mute Vocals");
    stage.click("Solo Vocals");
    assert_eq!(gains(&stage), [0.0, 0.0, 0.0, 0.0, 1.0, 1.0]);
    stage.click("Solo Vocals");
    stage.click("Solo Lead, part of Vocals");
    assert_eq!(gains(&stage), [0.0, 0.0, 0.0, 0.0, 1.0, 0.0]);
    stage.click("Solo Lead, part of Vocals");
    for (name, typed) in [("Gain Vocals", "-6"), ("Gain Backing, part of Vocals", "-4")] {
        stage.click(&format!("{name}: 0.0 dB"));
        stage.harness.get_by_role_and_label(Role::TextInput, name).type_text(typed);
        stage.harness.run_steps(3);
        stage.press(NONE, Key::Enter);
    }
    let linear = |db: f32| 10f32.powf(db / 20.0);
    let all = gains(&stage);
    assert!((all[4] - linear(-6.0)).abs() < 1e-5 && (all[5] - linear(-10.0)).abs() < 1e-5);
    // Folded parts sound the same.
    stage.click("Fold Vocals");
    assert_eq!(lanes(&stage)[..2], ["Vocals", "Drums"].map(str::to_owned));
    assert_eq!(gains(&stage), all);
    stage.press(NONE, Key::Num2);
    assert_eq!(gains(&stage)[0], 1.0, "the second displayed lane is that of the drums");
    assert_eq!(gains(&stage)[4], 0.0);
}

#[test]
fn arrows_fold_and_unfold_by_keyboard() {
    let mut stage = stage(tree(&VOICES, Vec::new()));
    stage.harness.get_by_label("Fold Vocals").focus();
    stage.harness.run_steps(2);
    stage.press(NONE, Key::ArrowLeft);
    assert_eq!(lanes(&stage)[1], "Drums");
    assert_eq!(stage.deck.position.get(), 0, "the key must not seek");
    stage.press(NONE, Key::ArrowRight);
    assert_eq!(lanes(&stage)[1], "Lead, part of Vocals");
    stage.harness.get_by_role_and_label(Role::CheckBox, "Vocals").focus();
    stage.harness.run_steps(2);
    stage.press(NONE, Key::ArrowRight);
    assert!(stage.shows("Hide the parts of Vocals"));
    stage.press(NONE, Key::ArrowLeft);
    assert!(stage.shows("Show the parts of Vocals"));
}

#[test]
fn an_unticked_whole_leaves_only_its_ticked_parts() {
    let mut stage = stage(tree(&VOICES, Vec::new()));
    stage.click("Show the parts of Vocals");
    stage.click("Lead, part of Vocals");
    assert_eq!(gains(&stage)[4..], [1.0, 1.0]);
    stage.click("Vocals");
    assert_eq!(gains(&stage)[4..], [1.0, 0.0]);
    assert!(!lanes(&stage).contains(&"Backing, part of Vocals".to_owned()));
    stage.click("Lead, part of Vocals");
    assert_eq!(lanes(&stage)[0], "Drums");
}

#[test]
fn an_export_has_every_sound_once() {
    let mut stage = stage(tree(&VOICES, Vec::new()));
    stage.click("Mute Drums");
    super::export::open(&mut stage);
    stage.click("Export");
    let selection = |stage: &Stage| match stage.asked().pop() {
        Some(Command::Export { selection, .. }) => selection,
        other => panic!("{other:?}"),
    };
    let parts = ["bass", "other", "lead", "backing"].map(Part::plain);
    assert_eq!(selection(&stage).mix, Some(parts.into()));
    stage.click("Show the parts of Vocals");
    stage.click("Lead, part of Vocals");
    super::export::open(&mut stage);
    stage.click("Content: Selected stems");
    stage.click("Export");
    let stems = names(&["drums", "bass", "other", "lead", "backing"]);
    assert_eq!(selection(&stage).stems, stems);
}

#[test]
fn the_level_of_a_group_is_that_of_its_parts() {
    let mut stage = stage(tree(&VOICES, Vec::new()));
    stage.deck.level.set(0.5);
    stage.click("Play");
    stage.harness.run_steps(3);
    assert!(stage.shows("Level of Vocals in dB"));
    assert!(stage.shows("Level of Lead, part of Vocals in dB"));
}

#[test]
fn fourteen_lanes_scroll() {
    let mut stage = Stage::new(Theme::Dark, tree(&ALL, Vec::new()));
    stage.harness.set_size(egui::vec2(980.0, 600.0));
    stage.harness.run_steps(3);
    assert_eq!(lanes(&stage).len(), 14);
    let name = "Solo Rest, part of Other";
    stage.harness.get_by_label(name).focus();
    stage.harness.run_steps(20);
    let (place, window) = (stage.harness.get_by_label(name).rect(), egui::vec2(980.0, 600.0));
    assert!(place.bottom() < window.y && place.top() > 200.0, "{place:?}");
}

#[test]
fn a_chain_is_chosen_in_the_menu_of_models() {
    let mut stage = stage(tree(&VOICES, Vec::new()));
    stage.emit([Event::Models(vec![model("karaoke")]), chains(&["mine"])]);
    stage.click("Model: everything");
    assert!(!stage.shows("vocals-first"), "its networks are missing");
    stage.click("mine");
    let model = "mine".to_owned();
    assert_eq!(stage.asked(), [Command::UseModel { song: SongId(7), model }]);
}

/// The settings, scrolled down to the chains.
pub fn in_the_settings() -> Stage {
    let mut stage = super::settings::page(tree(&VOICES, Vec::new()));
    stage.emit([Event::Models(vec![model("karaoke")]), chains(&["mine"])]);
    stage.wheel(egui::pos2(700.0, 500.0), egui::vec2(0.0, -100.0), NONE);
    stage
}

/// The form for a copy of the chain "everything".
pub fn editor() -> Stage {
    let mut stage = in_the_settings();
    stage.click("everything: Duplicate…");
    stage
}

#[test]
fn chains_are_imported_and_removed_in_the_settings() {
    let mut stage = in_the_settings();
    stage.harness.check_accessibility();
    assert!(stage.shows("Needs a model that makes vocals (for vocals)"));
    assert!(!stage.shows("everything: Remove"), "it comes with the program");
    stage.click("mine: Remove");
    assert_eq!(stage.asked(), [Command::RemoveChain("mine".into())]);
    let ctx = stage.harness.ctx.clone();
    let outcome = Outcome::Picked(vec!["/home/me/voices.toml".into()]);
    stage.harness.state_mut().answered(&ctx, Answer { purpose: Purpose::Chain, outcome });
    assert_eq!(stage.asked(), [Command::ImportChain("/home/me/voices.toml".into())]);
    stage.click("mine: Use for new songs");
    assert_eq!(stage.harness.state().ui_state().preferences.model.as_deref(), Some("mine"));
}

#[test]
fn a_chain_is_edited_checked_and_saved() {
    let mut stage = editor();
    stage.harness.check_accessibility();
    let chain = |stage: &Stage| match &stage.asked()[..] {
        [Command::SaveChain { name, file }] => (name.clone(), (**file).clone()),
        asked => panic!("{asked:?}"),
    };
    stage.click("Save");
    assert_eq!(chain(&stage), ("everything-2".to_owned(), built_in("everything")));
    // The engine's refusal stays in the form.
    let request = stage.harness.state().ui_state().chain.as_ref().unwrap().request;
    stage.emit([Event::Failed { request, song: None, problem: recorded("the disk is gone") }]);
    assert!(stage.shows("The disk is gone"));

    let press = |stage: &mut Stage, name: &str| {
        // The control may be scrolled out of sight.
        stage.harness.get_by_label(name).click_accesskit();
        stage.harness.run_steps(3);
    };
    press(&mut stage, "Remove: Step 4");
    assert!(stage.shows("It has no step \"strings and keys\""));
    assert!(stage.harness.get_by_label("Save").accesskit_node().is_disabled());
    for _ in 0..2 {
        press(&mut stage, "Remove: Stem 8");
    }
    let name = "Stem 7: name";
    stage.harness.get_by_role_and_label(Role::TextInput, name).focus();
    stage.harness.run_steps(3);
    stage.press(Modifiers::COMMAND, Key::A);
    stage.harness.get_by_role_and_label(Role::TextInput, name).type_text("band");
    stage.harness.run_steps(3);
    // Back to the top.
    stage.wheel(egui::pos2(640.0, 400.0), egui::vec2(0.0, 200.0), NONE);
    stage.click("Step 2: network: Any that makes…");
    stage.click("karaoke");
    stage.click("Save");
    let (_, file) = chain(&stage);
    assert_eq!((file.step.len(), file.stem[6].name.as_str()), (3, "band"));
    assert_eq!(file.step[1].network.model.as_deref(), Some("karaoke"));
    stage.emit([chains(&["everything-2"])]);
    assert!(!stage.shows("Chain of networks"), "the form closes when the chain is saved");
}

#[test]
fn a_new_chain_begins_with_a_name() {
    let mut stage = in_the_settings();
    stage.click("New chain…");
    assert!(stage.shows("Name the chain"));
    stage.harness.get_by_role_and_label(Role::TextInput, "Name").focus();
    stage.harness.run_steps(2);
    stage.harness.get_by_role_and_label(Role::TextInput, "Name").type_text("everything");
    stage.harness.run_steps(3);
    assert!(stage.shows("has this name"));
    stage.press(NONE, Key::Escape);
    stage.press(NONE, Key::Escape);
    assert!(!stage.shows("Chain of networks"));
}
