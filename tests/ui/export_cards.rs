//! The cards of exports: progress, written files, and the question about existing files.

use std::path::PathBuf;

use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable as _;
use partita::engine::{
    Command, Event, ExportState, Note, Notes,
    export::{OnExists, Settings},
};

use super::{
    export::{dialog, export, is_enabled, sent},
    stage::recorded,
};

const NONE: Modifiers = Modifiers::NONE;
const CTRL: Modifiers = Modifiers::COMMAND;

#[test]
fn files_that_are_there_are_asked_about() {
    for (words, on_exists) in [
        ("Replace", Some(OnExists::Replace)),
        ("Keep both", Some(OnExists::Number)),
        ("Skip", Some(OnExists::Skip)),
        ("Cancel", None),
    ] {
        let mut stage = dialog();
        stage.click("Content: Selected stems");
        stage.click("Bit depth: 16 bit");
        let first = export(&mut stage);
        let there: Vec<PathBuf> = first.paths[..2].iter().map(PathBuf::from).collect();
        stage.emit([Event::Export { id: first.id, state: ExportState::Exists(there) }]);
        assert!(stage.shows("“Lithium”: 2 files already exist"));
        assert!(stage.shows("drums.wav and bass.wav"));
        stage.harness.check_accessibility();
        // Later choices for another export do not affect this one.
        stage.press(CTRL, Key::E);
        stage.click("Bit depth: 24 bit");
        stage.press(NONE, Key::Escape);
        stage.asked();
        stage.click(words);
        assert!(!stage.shows("there already"));
        let Some(on_exists) = on_exists else {
            assert_eq!(stage.asked(), []);
            continue;
        };
        let second = sent(&stage);
        assert_ne!(second.id, first.id);
        assert_eq!((&second.selection, &second.paths), (&first.selection, &first.paths));
        assert_eq!(second.settings, Settings { on_exists, ..first.settings });
        stage.emit([Event::Export { id: second.id, state: ExportState::Running(0.2) }]);
        assert!(stage.shows("Exporting “Lithium”…"), "the card lacks the song's title");
    }
}

#[test]
fn exports_run_side_by_side_and_end() {
    let mut stage = dialog();
    let first = export(&mut stage);
    stage.press(CTRL, Key::E);
    stage.asked();
    stage.click("Loudness: −14 LUFS");
    let second = export(&mut stage);
    let running = |id, part| Event::Export { id, state: ExportState::Running(part) };
    stage.emit([running(first.id, 0.5), running(second.id, 0.25)]);
    assert!(stage.shows("50 %") && stage.shows("25 %"));
    let done = |gain_db, notes: &[Note]| ExportState::Done {
        files: vec!["/out/Lithium.wav".into()],
        gain_db,
        notes: Notes(notes.to_vec()),
    };
    stage.emit([Event::Export { id: first.id, state: done(-1.24, &[]) }]);
    assert!(stage.shows("Done: Lithium.wav"));
    assert!(stage.shows("In /out. −1.2 dB on all files, to avoid clipping"));
    assert!(stage.shows("Show"));
    stage.click("Cancel export");
    assert_eq!(stage.asked(), [Command::CancelExport(second.id)]);
    let state = done(3.0, &[Note::FromDraft]);
    stage.emit([Event::Export { id: second.id, state }]);
    assert!(stage.shows(
        "+3.0 dB on all files, for the loudness. Made of a draft: standard and best sound better"
    ));
    stage.emit([Event::Export { id: first.id, state: ExportState::Failed(recorded("no room")) }]);
    assert!(stage.shows("“Lithium” was not exported") && stage.shows("No room"));
    stage.harness.check_accessibility();
    for left in [1, 0] {
        stage.harness.query_all_by_label("Dismiss").next().unwrap().click();
        stage.harness.run_steps(3);
        assert_eq!(stage.harness.query_all_by_label("Dismiss").count(), left);
    }
    assert!(!stage.shows("Done:") && !stage.shows("was not exported"));
}

#[test]
fn exported_files_can_be_shown() {
    let mut stage = dialog();
    let id = export(&mut stage).id;
    let files: Vec<PathBuf> = vec!["/out/a/drums.wav".into(), "/out/a/bass.wav".into()];
    let state = ExportState::Done { files, gain_db: 0.0, notes: Notes::default() };
    stage.emit([Event::Export { id, state }]);
    assert!(stage.shows("Done: 2 files of “Lithium”") && stage.shows("In /out/a"));
    assert!(is_enabled(&stage, "Show"));
    let none = ExportState::Done { files: Vec::new(), gain_db: 0.0, notes: Note::AllExist.into() };
    stage.emit([Event::Export { id, state: none }]);
    assert!(
        stage.shows("Nothing was written for “Lithium”") && stage.shows("All files exist already")
    );
    assert!(!stage.shows("Show"), "no file was written");
}
