//! Files that go in and out: imports, removals, exports, and a data folder that cannot be used.

use std::{path::PathBuf, sync::Arc, time::Duration};

use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable as _;
use partita::{
    engine::{Command, Depth, Event, ExportState, SongId, SongState},
    ui::{
        Options,
        desk::{ExportWhat, Purpose},
        dialogs::{Answer, Outcome},
        run,
    },
};

use super::stage::{Stage, names, processing, separated, song, stage, unprocessed};

const NONE: Modifiers = Modifiers::NONE;
const CTRL: Modifiers = Modifiers::COMMAND;

#[derive(Debug)]
struct Dropped(PathBuf);

impl egui::DroppedFile for Dropped {
    fn path(&self) -> &std::path::Path {
        &self.0
    }
    fn bytes(&self) -> Result<Vec<u8>, String> {
        Err("the window reads no files".into())
    }
}

/// What the engine tells of a file that is in the library now.
fn imported(id: i64, title: &str) -> [Event; 2] {
    let song = song(id, title, None, SongState::Ready);
    let (id, path) = (song.id, song.path.clone());
    [Event::Song(song), Event::Imported { path, song: id }]
}

#[test]
fn files_dropped_anywhere_are_imported_and_the_first_is_shown() {
    let mut stage = stage(unprocessed());
    stage.harness.input_mut().hovered_files.push(egui::HoveredFile::default());
    stage.harness.step();
    let files = ["/music/a b.mp3", "/music/folder"].map(PathBuf::from);
    for file in &files {
        stage.harness.input_mut().dropped_files.push(Arc::new(Dropped(file.clone())));
    }
    stage.harness.step();
    assert_eq!(stage.asked(), [Command::Import(files.to_vec())]);
    stage.tell([Event::Importing { path: files[0].clone(), fraction: 0.42 }]);
    assert!(stage.shows("a b.mp3, Importing… 42 %"));
    stage.tell(imported(8, "a b"));
    assert_eq!(stage.asked(), [Command::Open(SongId(8))]);
    stage.tell(imported(9, "c"));
    assert_eq!(stage.asked(), [], "only the first takes the window");
    stage.tell([Event::ImportEnded]);
    stage.tell([Event::ImportFailed { path: files[0].clone(), reason: "is empty".into() }]);
    stage.tell([Event::ImportEnded, Event::Song(song(5, "On the run", None, SongState::Ready))]);
    assert_eq!(stage.asked(), [], "a song that only changes takes nothing");
    stage.tell(imported(6, "Let's Go Fishin'"));
    assert_eq!(stage.asked(), [Command::Open(SongId(6))], "a song that is known is shown too");
}

#[test]
fn a_file_of_the_command_line_is_imported_and_shown() {
    let mut stage = stage(unprocessed());
    let ctx = stage.harness.ctx.clone();
    let file = PathBuf::from("/music/Vibe Ace.flac");
    stage.harness.state_mut().import(&ctx, vec![file.clone()]);
    assert_eq!(stage.asked(), [Command::Import(vec![file])]);
    stage.tell(imported(4, "Vibe Ace"));
    assert_eq!(stage.asked(), [Command::Open(SongId(4))]);
    stage.harness.state_mut().import(&ctx, Vec::new());
    assert_eq!(stage.asked(), []);
}

#[test]
fn a_data_folder_that_cannot_be_used_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("a file");
    std::fs::write(&home, b"no folder").unwrap();
    let error = run(Options { home: home.clone(), ..Options::default() }).unwrap_err();
    let words = format!("{error:#}");
    assert!(words.contains(&home.display().to_string()) && !words.contains("window"), "{words}");
}

#[test]
fn an_export_is_asked_for_runs_and_ends() {
    let mut stage = stage(separated());
    stage.click("Mute Vocals");
    stage.press(CTRL, Key::E);
    assert!(stage.shows("Export “Lithium”"));
    stage.click("32-bit float");
    stage.press(NONE, Key::Space);
    assert!(!stage.deck.playing.get(), "the dialog has the keyboard");
    choose(&mut stage, ExportWhat::Mix, "/out/Lithium");
    let (id, to) = match stage.asked().as_slice() {
        [Command::ExportMix { id, song: SongId(7), stems, depth: Depth::Float32, to }] => {
            let expected =
                [("drums".to_owned(), 1.0), ("bass".to_owned(), 1.0), ("other".to_owned(), 1.0)];
            assert_eq!(*stems, expected);
            (*id, to.clone())
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(to, PathBuf::from("/out/Lithium.wav"));
    stage.tell([Event::Export { id, state: ExportState::Running(0.5) }]);
    assert!(stage.shows("Exporting “Lithium”…") && stage.shows("50 %"));
    stage.click("Cancel export");
    assert_eq!(stage.asked(), [Command::CancelExport(id)]);
    let done = ExportState::Done { files: vec![to], gain_db: -1.24 };
    stage.tell([Event::Export { id, state: done }]);
    assert!(stage.shows("Done: /out/Lithium.wav"));
    assert!(stage.shows("−1.2 dB on all of it, so that nothing clips"));
    stage.click("Dismiss");
    assert!(!stage.shows("Done:"));
}

#[test]
fn stems_are_exported_into_a_folder() {
    let mut stage = stage(separated());
    stage.click("Other");
    stage.click("Export mix…");
    stage.click("Ticked stems, one file each");
    choose(&mut stage, ExportWhat::Stems, "/out/folder");
    match stage.asked().as_slice() {
        [Command::ExportStems { song: SongId(7), stems, depth: Depth::Int24, to, .. }] => {
            assert_eq!(*stems, names(&["drums", "bass", "vocals"]));
            assert_eq!(*to, PathBuf::from("/out/folder"));
        }
        other => panic!("{other:?}"),
    }
}

/// Answers the question for a place, which is the window's own where the system has no dialog.
fn choose(stage: &mut Stage, what: ExportWhat, path: &str) {
    assert_eq!(stage.harness.state().desk().export.map(|dialog| dialog.what), Some(what));
    stage.harness.state_mut().ask_for_export_path();
    stage.harness.run_steps(3);
    let title = match what {
        ExportWhat::Mix => "Path of the WAV file to write",
        ExportWhat::Stems => "Path of the folder to write into",
    };
    assert!(stage.shows(title));
    stage.press(CTRL, Key::A);
    stage.harness.event(egui::Event::Text(path.to_owned()));
    stage.harness.run_steps(3);
    stage.click("Export");
    wait(stage, |stage| stage.harness.state().desk().export.is_none());
}

#[test]
fn a_failed_import_is_named_and_waved_away() {
    let mut stage = stage(processing());
    assert!(stage.shows("letter.txt: is not audio; WAV, FLAC, MP3 and others can be read"));
    stage.click("Dismiss");
    assert!(!stage.shows("letter.txt"));
    let failed = Event::Failed { song: Some(SongId(7)), reason: "The stems are damaged".into() };
    stage.tell([failed]);
    assert!(stage.shows("The stems are damaged"));
}

#[test]
fn many_failures_do_not_bury_the_library() {
    let mut stage = stage(separated());
    let failed = |i| Event::ImportFailed {
        path: format!("/music/{i}.txt").into(),
        reason: "is not an audio file; ".repeat(30),
    };
    stage.tell((0..20).map(failed));
    assert!(stage.shows("and 18 more") && stage.shows("On the run,"));
    stage.click("Dismiss all");
    assert!(!stage.shows("not an audio file") && !stage.shows("more"));
}

#[test]
fn a_song_is_removed_unless_the_user_thinks_better_of_it() {
    let mut stage = stage(separated());
    let remove = |stage: &mut Stage| {
        stage.harness.get_by_label_contains("Lithium,").click_secondary();
        stage.harness.run_steps(3);
        stage.click("Remove from the library");
    };
    remove(&mut stage);
    assert!(!stage.shows("Lithium,") && stage.shows("Removed “Lithium”"));
    assert_eq!(stage.asked(), [Command::Open(SongId(6))]);
    stage.click("Undo");
    assert!(stage.shows("Lithium,"));
    assert_eq!(stage.asked(), [Command::Open(SongId(7))]);
    // By keyboard too.
    stage.harness.get_by_label_contains("Lithium,").focus();
    stage.harness.run_steps(2);
    stage.press(NONE, Key::Delete);
    assert!(stage.shows("Removed “Lithium”"));
    stage.click("Undo");
    remove(&mut stage);
    let mut app = stage.harness.into_state();
    eframe::App::on_exit(&mut app, None);
    let asked: Vec<Command> = stage.commands.try_iter().collect();
    assert_eq!(asked.last(), Some(&Command::Remove(SongId(7))));
}

#[test]
fn a_song_that_is_added_again_is_not_removed() {
    let mut stage = stage(separated());
    let remove = |stage: &mut Stage| {
        stage.harness.get_by_label_contains("Lithium,").focus();
        stage.harness.run_steps(2);
        stage.press(NONE, Key::Delete);
        assert_eq!(stage.asked(), [Command::Open(SongId(6))]);
    };
    remove(&mut stage);
    stage.tell(imported(7, "Lithium"));
    assert!(stage.shows("Lithium,") && !stage.shows("Removed “Lithium”"));
    assert_eq!(stage.asked(), [Command::Open(SongId(7))]);
    stage.tell([Event::ImportEnded]);
    remove(&mut stage);
    stage.tell(imported(8, "another"));
    assert!(stage.shows("Removed “Lithium”"), "it is not this one that was added");
    let mut app = stage.harness.into_state();
    eframe::App::on_exit(&mut app, None);
    let asked: Vec<Command> = stage.commands.try_iter().collect();
    assert_eq!(asked, [Command::Open(SongId(8)), Command::Remove(SongId(7))]);
}

#[test]
fn a_name_that_the_dialog_has_not_asked_about_is_asked_about() {
    let folder = tempfile::tempdir().unwrap();
    let there = folder.path().join("there.wav");
    std::fs::write(&there, b"mine").unwrap();
    // As chosen, as written, and whether it is asked about.
    for (chosen, written, is_asked) in
        [("there", "there.wav", true), ("there.wav", "there.wav", false), ("new", "new.wav", false)]
    {
        let mut stage = stage(separated());
        stage.press(CTRL, Key::E);
        let outcome = Outcome::Picked(vec![folder.path().join(chosen)]);
        let ctx = stage.harness.ctx.clone();
        stage.harness.state_mut().answered(&ctx, Answer { purpose: Purpose::Mix, outcome });
        wait(&mut stage, |stage| {
            let desk = stage.harness.state().desk();
            desk.export.is_none() || desk.prompt.is_some()
        });
        assert_eq!(stage.shows("This file exists already"), is_asked, "{chosen}");
        if is_asked {
            assert_eq!(stage.asked(), []);
            stage.click("Replace");
        }
        match stage.asked().as_slice() {
            [Command::ExportMix { to, .. }] => assert_eq!(*to, folder.path().join(written)),
            other => panic!("{chosen}: {other:?}"),
        }
    }
}

/// Lets the window run until it has what is wanted.
fn wait(stage: &mut Stage, is_there: impl Fn(&Stage) -> bool) {
    for _ in 0..500 {
        if is_there(stage) {
            stage.harness.run_steps(2);
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
        stage.harness.run_steps(1);
    }
    panic!("it did not come");
}
