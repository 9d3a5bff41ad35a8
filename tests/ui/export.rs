//! The export dialog: the choices, and the resulting requests to the engine.

use egui::{Key, Modifiers};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use partita::{
    engine::{
        Command, Depth, Event, ExportId, SongId,
        audio::repitch::KeySpeed,
        export::{
            FORMATS, Fields, Format, OnExists, Part, Selection, Settings,
            format::{Keeps, Streams},
        },
        separation::chain::Tree,
    },
    ui::{
        platform::dialogs::{Answer, Outcome},
        state::ui_state::Purpose,
    },
};

use super::stage::{Stage, names, separated, stage};
use crate::support::slashes;

const NONE: Modifiers = Modifiers::NONE;
const CTRL: Modifiers = Modifiers::COMMAND;
const SONG: SongId = SongId(7);

/// A window with a separated first song and its export dialog.
pub fn dialog() -> Stage {
    let mut stage = stage(separated());
    open(&mut stage);
    stage
}

/// Opens the dialog with a folder that is the same on every machine.
pub fn open(stage: &mut Stage) {
    answer(stage, Outcome::Picked(vec!["/home/me/Music".into()]));
    stage.press(CTRL, Key::E);
    assert_eq!(stage.asked(), [Command::Describe(SONG)]);
}

/// Delivers the answer of the system's folder dialog.
fn answer(stage: &mut Stage, outcome: Outcome) {
    let ctx = stage.harness.ctx.clone();
    let answer = Answer { purpose: Purpose::ExportFolder, outcome };
    stage.harness.state_mut().answered(&ctx, answer);
    stage.harness.run_steps(3);
}

/// The request of one export.
pub struct Sent {
    pub id: ExportId,
    pub selection: Selection,
    pub settings: Settings,
    pub paths: Vec<String>,
}

/// The only export request.
pub fn sent(stage: &Stage) -> Sent {
    let mut asked = stage.asked();
    assert_eq!(asked.len(), 1, "{asked:?}");
    let Some(Command::Export { id, song: SONG, selection, place, settings }) = asked.pop() else {
        panic!("expected an export request");
    };
    let fields = Fields {
        artist: "Software-Entwicklungskit".into(),
        title: "Lithium".into(),
        file: "Lithium".into(),
        ..Fields::default()
    };
    let stems = super::stage::stems();
    let items =
        selection.items(&Tree::flat(&stems, None), settings.format, &place, fields).unwrap();
    let paths = items.iter().map(|item| slashes(&item.to)).collect();
    Sent { id, selection, settings, paths }
}

fn shows_path(stage: &Stage, path: &str) -> bool {
    stage.shows(&path.replace('/', std::path::MAIN_SEPARATOR_STR))
}

/// Clicks Export and returns the request.
pub fn export(stage: &mut Stage) -> Sent {
    stage.click("Export");
    assert_eq!(stage.harness.state().ui_state().export, None, "the dialog must close");
    sent(stage)
}

fn format(wanted: impl Fn(&Format) -> bool) -> &'static Format {
    FORMATS.into_iter().find(|format| wanted(format)).unwrap()
}

pub fn is_enabled(stage: &Stage, name: &str) -> bool {
    !stage.harness.get_by_label(name).accesskit_node().is_disabled()
}

#[test]
fn at_first_the_mix_is_exported_as_it_is_heard() {
    let mut stage = stage(separated());
    stage.click("Mute Vocals");
    open(&mut stage);
    assert!(stage.shows("Export “Lithium”") && stage.shows("/home/me/Music"));
    let sent = export(&mut stage);
    let parts = ["drums", "bass", "other"].map(Part::plain);
    assert_eq!(sent.selection, Selection { mix: Some(parts.into()), ..Selection::default() });
    assert_eq!(sent.settings, Settings::default());
    let path = "/home/me/Music/Software-Entwicklungskit - Lithium (mix).wav";
    assert_eq!(sent.paths, [path]);
}

#[test]
fn key_and_speed_are_exported_on_request() {
    let mut stage = stage(separated());
    open(&mut stage);
    assert!(!stage.shows("Key, speed"), "nothing is changed");
    stage.press(NONE, Key::Escape);
    stage.press(Modifiers::ALT, Key::ArrowUp);
    stage.press(Modifiers::ALT, Key::ArrowUp);
    stage.press(Modifiers::SHIFT, Key::ArrowDown);
    open(&mut stage);
    stage.click("As heard: +2, 0.95 ×");
    assert!(stage.shows("no longer to the original"));
    assert_eq!(export(&mut stage).settings.key_speed, KeySpeed::new(200, 0.95));
    open(&mut stage);
    stage.click("As heard: +2, 0.95 ×");
    assert_eq!(export(&mut stage).settings, Settings::default());
}

#[test]
fn ticked_stems_and_the_residual_are_files_of_their_own() {
    let mut stage = stage(separated());
    stage.click("Other");
    open(&mut stage);
    stage.click("Content: Selected stems");
    assert!(stage.shows("One file each: vocals, drums and bass"));
    assert!(shows_path(&stage, "Lithium/drums.wav") && shows_path(&stage, "Lithium/vocals.wav"));
    stage.click("Residual: everything outside the stems");
    assert!(stage.shows("With all stems selected, the files add up to the song exactly"));
    let sent = export(&mut stage);
    let stems = names(&["drums", "bass", "vocals"]);
    let expected = Selection { stems, residual: true, ..Selection::default() };
    assert_eq!(sent.selection, expected);
    let folder = "/home/me/Music/Software-Entwicklungskit - Lithium";
    assert_eq!(sent.paths[0], format!("{folder}/drums.wav"));
    assert_eq!(sent.paths[3], format!("{folder}/residual.wav"));
}

#[test]
fn all_but_each_ticked_one_is_the_song_without_it() {
    let mut stage = stage(separated());
    for stem in ["Drums", "Bass", "Other"] {
        stage.click(stem);
    }
    open(&mut stage);
    stage.click("Content: All but…");
    assert!(stage.shows("The song minus the stem; sound outside the stems is kept"));
    let sent = export(&mut stage);
    let all_but = names(&["vocals"]);
    assert_eq!(sent.selection, Selection { all_but, ..Selection::default() });
    let path = "/home/me/Music/Software-Entwicklungskit - Lithium (all but vocals).wav";
    assert_eq!(sent.paths, [path], "a single file must use the pattern for one file");
}

#[test]
fn every_format_is_offered_with_what_it_can_do() {
    for wanted in FORMATS {
        let mut stage = dialog();
        stage.click(&format!("Format: {}", wanted.name));
        stage.harness.check_accessibility();
        assert_eq!(
            stage.shows("Bit depth: Same as song"),
            matches!(wanted.keeps, Keeps::Exactly(_))
        );
        if let Keeps::Exactly(depths) = wanted.keeps {
            for (depth, name) in [
                (Depth::Int16, "Bit depth: 16 bit"),
                (Depth::Int24, "Bit depth: 24 bit"),
                (Depth::Float32, "Bit depth: 32-bit float"),
            ] {
                assert_eq!(stage.shows(name), depths.contains(&depth), "{}", wanted.name);
            }
        }
        let is_free = [44_100, 48_000].iter().all(|&rate| (wanted.rate)(rate) == rate);
        assert_eq!(stage.shows("Sample rate: 48 kHz"), is_free, "{}", wanted.name);
        let has_mix = wanted.streams == Streams::One;
        assert_eq!(stage.shows("Content: Mix as heard"), has_mix, "{}", wanted.name);
        assert_eq!(stage.shows("Limiter"), has_mix, "{}", wanted.name);
        let sent = export(&mut stage);
        assert_eq!(sent.settings.format, wanted);
        assert!(sent.paths[0].ends_with(&format!(".{}", wanted.extension)), "{:?}", sent.paths);
        let is_whole = wanted.streams == Streams::MixAndFourStems;
        assert_eq!(sent.selection == Selection::default(), is_whole);
    }
}

#[test]
fn depth_and_rate_are_sent() {
    for (depth, name) in [
        (Depth::Int16, "Bit depth: 16 bit"),
        (Depth::Int24, "Bit depth: 24 bit"),
        (Depth::Float32, "Bit depth: 32-bit float"),
    ] {
        let mut stage = dialog();
        stage.click(name);
        stage.click("Sample rate: 48 kHz");
        let settings = export(&mut stage).settings;
        assert_eq!((settings.depth, settings.rate), (Some(depth), Some(48_000)));
        // The choices are offered again and can be reverted.
        stage.press(CTRL, Key::E);
        stage.asked();
        stage.click("Sample rate: 44.1 kHz");
        stage.click("Bit depth: Same as song");
        let settings = export(&mut stage).settings;
        assert_eq!((settings.depth, settings.rate), (None, Some(44_100)));
    }
}

#[test]
fn loudness_and_limiter_are_for_the_mix() {
    let mut stage = dialog();
    stage.click("Loudness: −16 LUFS");
    stage.click("Limiter");
    assert!(stage.shows("Limits single loud peaks"));
    let settings = export(&mut stage).settings;
    assert_eq!((settings.loudness_lufs, settings.limiter), (Some(-16.0), true));
    stage.press(CTRL, Key::E);
    stage.asked();
    stage.click("Content: Selected stems");
    assert!(!stage.shows("Limiter") && !stage.shows("LUFS"));
    let settings = export(&mut stage).settings;
    assert_eq!((settings.loudness_lufs, settings.limiter), (None, false));
    for (name, lufs) in [("−14 LUFS", Some(-14.0)), ("−23 LUFS", Some(-23.0)), ("Unchanged", None)]
    {
        stage.press(CTRL, Key::E);
        stage.asked();
        stage.click("Content: Mix as heard");
        stage.click(&format!("Loudness: {name}"));
        assert_eq!(export(&mut stage).settings.loudness_lufs, lufs);
    }
}

#[test]
fn any_loudness_can_be_typed() {
    let mut stage = dialog();
    type_into(&mut stage, "Loudness in LUFS", "loud");
    assert!(stage.shows("Expected a loudness from −70 to 0") && !is_enabled(&stage, "Export"));
    stage.press(NONE, Key::Enter);
    assert_eq!(stage.asked(), [], "Enter must not export invalid choices");
    type_into(&mut stage, "Loudness in LUFS", "−18,5");
    assert_eq!(export(&mut stage).settings.loudness_lufs, Some(-18.5));
}

/// Replaces the text of a field.
fn type_into(stage: &mut Stage, name: &str, words: &str) {
    stage.harness.get_by_label(name).focus();
    stage.harness.run_steps(2);
    stage.press(CTRL, Key::A);
    stage.harness.event(egui::Event::Text(words.to_owned()));
    stage.harness.run_steps(3);
}

#[test]
fn names_are_shown_while_they_are_typed() {
    let mut stage = dialog();
    assert!(stage.shows("Software-Entwicklungskit - Lithium (mix).wav"));
    type_into(&mut stage, "File name pattern", "{track} {title}");
    assert!(stage.shows("Lithium.wav"), "the library has no track number");
    let fields = Fields { title: "Lithium".into(), track: Some(4), ..Fields::default() };
    stage.emit([Event::Described { song: SONG, fields }]);
    assert!(stage.shows("04 Lithium.wav"));
    stage.harness.get_by_label("Format: FLAC").click();
    stage.harness.run_steps(3);
    assert!(stage.shows("04 Lithium.flac"));
    stage.click("{album}");
    stage.harness.event(egui::Event::Text(" take 2".to_owned()));
    stage.harness.run_steps(3);
    assert!(
        stage.shows("04 Lithium take 2.flac"),
        "the cursor must be behind the inserted placeholder"
    );
    let choices = &stage.harness.state().ui_state().choices;
    assert_eq!(choices.name_of_one, "{track} {title}{album} take 2");
    stage.click("Content: Selected stems");
    assert!(shows_path(&stage, "Lithium/drums.flac") && shows_path(&stage, "Lithium/vocals.flac"));
    let paths = export(&mut stage).paths;
    assert_eq!(paths[0], "/home/me/Music/Software-Entwicklungskit - Lithium/drums.flac");
}

#[test]
fn a_wrong_name_is_reported_and_not_exported() {
    let mut stage = dialog();
    for (typed, words) in [
        ("{titel}", "Unknown field {titel}; expected one of: {artist} {title}"),
        ("{title", "Unmatched brace"),
        ("", "Expected a name, such as {title} ({stem})"),
    ] {
        stage.harness.get_by_label("File name pattern").focus();
        stage.harness.run_steps(2);
        stage.press(CTRL, Key::A);
        stage.press(NONE, Key::Backspace);
        stage.harness.event(egui::Event::Text(typed.to_owned()));
        stage.harness.run_steps(3);
        assert!(stage.shows(words), "{words}");
        assert!(!is_enabled(&stage, "Export"), "{typed}");
        stage.press(NONE, Key::Enter);
        assert_eq!(stage.asked(), []);
    }
    type_into(&mut stage, "File name pattern", "{title}");
    assert!(is_enabled(&stage, "Export"));
}

#[test]
fn without_a_tick_or_a_sound_the_reason_is_shown() {
    let mut stage = stage(separated());
    for stem in ["Vocals", "Drums", "Bass", "Other"] {
        stage.click(stem);
    }
    open(&mut stage);
    assert!(stage.shows("Select an instrument first") && !is_enabled(&stage, "Export"));
    stage.click("Content: Selected stems");
    assert!(stage.shows("Select an instrument first"));
    stage.click("Residual: everything outside the stems");
    assert!(is_enabled(&stage, "Export"));
    let path = "/home/me/Music/Software-Entwicklungskit - Lithium (residual).wav";
    assert_eq!(export(&mut stage).paths, [path]);
    stage.click("Vocals");
    stage.click("Mute Vocals");
    stage.press(CTRL, Key::E);
    stage.click("Content: Mix as heard");
    assert!(stage.shows("Nothing is audible: everything is muted or turned down"));
    stage.asked();
    stage.press(NONE, Key::Enter);
    assert_eq!(stage.asked(), []);
}

#[test]
fn the_folder_is_chosen_and_remembered() {
    let mut stage = dialog();
    answer(&mut stage, Outcome::Cancelled);
    assert!(stage.shows("/home/me/Music"));
    // Where the system has no dialog, the window asks.
    answer(&mut stage, Outcome::Unavailable);
    assert!(stage.shows("Path of the export folder") && !stage.shows("Export “Lithium”"));
    stage.press(CTRL, Key::A);
    stage.harness.event(egui::Event::Text("/out/my music".to_owned()));
    stage.harness.run_steps(3);
    stage.click("Choose");
    assert!(stage.shows("Export “Lithium”") && stage.shows("/out/my music"));
    let sent = export(&mut stage);
    assert_eq!(sent.paths, ["/out/my music/Software-Entwicklungskit - Lithium (mix).wav"]);
    stage.press(CTRL, Key::E);
    assert!(stage.shows("/out/my music"));
}

#[test]
fn escape_and_cancel_keep_what_was_chosen_and_export_nothing() {
    let mut stage = dialog();
    stage.click("Bit depth: 16 bit");
    stage.press(NONE, Key::Escape);
    assert_eq!(stage.harness.state().ui_state().export, None);
    stage.press(CTRL, Key::E);
    stage.click("Cancel");
    assert_eq!(stage.harness.state().ui_state().export, None);
    assert_eq!(stage.asked(), [Command::Describe(SONG)]);
    stage.press(CTRL, Key::E);
    stage.asked();
    stage.press(NONE, Key::Enter);
    assert_eq!(sent(&stage).settings.depth, Some(Depth::Int16));
}

/// Presses Tab until the control `name` has the focus.
fn tab_to(stage: &mut Stage, name: &str) {
    for _ in 0..60 {
        if stage.harness.get_by_label(name).is_focused() {
            return;
        }
        stage.press(NONE, Key::Tab);
    }
    panic!("“{name}” is not reachable by Tab");
}

#[test]
fn everything_is_done_with_the_keyboard() {
    let mut stage = stage(separated());
    tab_to(&mut stage, "Export…");
    answer(&mut stage, Outcome::Picked(vec!["/out".into()]));
    stage.press(NONE, Key::Enter);
    assert_eq!(stage.asked(), [Command::Describe(SONG)]);
    stage.harness.check_accessibility();
    for name in
        ["Content: Selected stems", "Format: FLAC", "Bit depth: 24 bit", "Sample rate: 44.1 kHz"]
    {
        tab_to(&mut stage, name);
        stage.press(NONE, Key::Space);
    }
    tab_to(&mut stage, "Residual: everything outside the stems");
    stage.press(NONE, Key::Space);
    tab_to(&mut stage, "If it exists: Keep both");
    stage.press(NONE, Key::Space);
    tab_to(&mut stage, "File name pattern");
    stage.press(CTRL, Key::A);
    stage.harness.event(egui::Event::Text("x ".to_owned()));
    tab_to(&mut stage, "{stem}");
    stage.press(NONE, Key::Enter);
    assert!(stage.harness.get_by_label("File name pattern").is_focused());
    assert!(!stage.deck.playing.get(), "the dialog must capture the keyboard");
    tab_to(&mut stage, "Choose…");
    tab_to(&mut stage, "Cancel");
    tab_to(&mut stage, "Format: ALAC");
    stage.press(NONE, Key::Enter);
    let Sent { selection, settings, paths, .. } = sent(&stage);
    assert_eq!(selection.stems.len(), 4);
    assert!(selection.residual);
    assert_eq!(
        settings.format,
        format(|format| format.id == "flac"),
        "Enter must export the current choices"
    );
    assert_eq!((settings.depth, settings.rate), (Some(Depth::Int24), Some(44_100)));
    assert_eq!(settings.on_exists, OnExists::Number);
    assert_eq!(paths[0], "/out/x drums.flac");
}

#[test]
fn the_choice_for_existing_files_is_sent() {
    for (name, on_exists) in [
        ("Ask", OnExists::Ask),
        ("Keep both", OnExists::Number),
        ("Replace", OnExists::Replace),
        ("Skip", OnExists::Skip),
    ] {
        let mut stage = dialog();
        stage.click(&format!("If it exists: {name}"));
        assert_eq!(export(&mut stage).settings.on_exists, on_exists);
    }
}
