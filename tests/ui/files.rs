//! Imports, removals, and a data folder that cannot be used.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable as _;
use partita::{
    engine::{Command, Event, Problem, SongId, SongState},
    model::weights::ImportOptions,
    ui::{Failure, Options, run},
};

use super::stage::{Stage, processing, recorded, separated, song, stage, unprocessed};

const NONE: Modifiers = Modifiers::NONE;

#[derive(Debug)]
pub struct Dropped(pub PathBuf);

impl egui::DroppedFile for Dropped {
    fn path(&self) -> &std::path::Path {
        &self.0
    }
    fn bytes(&self) -> Result<Vec<u8>, String> {
        Err("the window reads no files".into())
    }
}

/// The commands that follow from files whose content has to be read first.
fn asked_in_time(stage: &mut Stage) -> Vec<Command> {
    let until = Instant::now() + Duration::from_secs(10);
    loop {
        stage.harness.step();
        let asked = stage.asked();
        if !asked.is_empty() || Instant::now() > until {
            return asked;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_dropped_model_is_known_by_its_content() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("karaoke.bin");
    let config = folder.path().join("karaoke.yaml");
    std::fs::write(&file, b"\x02\0\0\0\0\0\0\0{}").unwrap();
    std::fs::write(&config, b"model: {}").unwrap();
    let mut stage = stage(unprocessed());
    let import = |config| Command::ImportModel {
        file: file.clone(),
        options: ImportOptions { config, ..ImportOptions::default() },
    };
    let mut drop_file = |path: &Path| {
        stage.harness.input_mut().dropped_files.push(Arc::new(Dropped(path.to_owned())));
        stage.harness.step();
        asked_in_time(&mut stage)
    };
    assert_eq!(drop_file(&file), [import(None)]);
    assert_eq!(drop_file(folder.path()), [import(Some(config.clone()))]);
    std::fs::write(folder.path().join("song.mp3"), b"").unwrap();
    assert_eq!(drop_file(folder.path()), [Command::Import(vec![folder.path().to_owned()])]);
}

/// Events of the engine about a file that was imported.
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
    assert_eq!(asked_in_time(&mut stage), [Command::Import(files.to_vec())]);
    stage.emit([Event::Importing { path: files[0].clone(), fraction: 0.42 }]);
    assert!(stage.shows("a b.mp3, Importing… 42 %"));
    stage.emit(imported(8, "a b"));
    assert_eq!(stage.asked(), [Command::Open(SongId(8))]);
    stage.emit(imported(9, "c"));
    assert_eq!(stage.asked(), [], "only the first song is selected");
    stage.emit([Event::ImportEnded]);
    stage.emit([Event::ImportFailed { path: files[0].clone(), problem: recorded("is empty") }]);
    stage.emit([Event::ImportEnded, Event::Song(song(5, "On the run", None, SongState::Ready))]);
    assert_eq!(stage.asked(), [], "a changed song must not be selected");
    stage.emit(imported(6, "Let's Go Fishin'"));
    assert_eq!(stage.asked(), [Command::Open(SongId(6))], "a known song must be selected as well");
}

#[test]
fn a_file_of_the_command_line_is_imported_and_shown() {
    let mut stage = stage(unprocessed());
    let ctx = stage.harness.ctx.clone();
    let file = PathBuf::from("/music/Vibe Ace.flac");
    stage.harness.state_mut().import(&ctx, vec![file.clone()]);
    assert_eq!(stage.asked(), [Command::Import(vec![file])]);
    stage.emit(imported(4, "Vibe Ace"));
    assert_eq!(stage.asked(), [Command::Open(SongId(4))]);
    stage.harness.state_mut().import(&ctx, Vec::new());
    assert_eq!(stage.asked(), []);
}

#[test]
fn files_of_a_later_start_are_imported() {
    let mut stage = stage(unprocessed());
    let (later, arrivals) = crossbeam_channel::bounded(8);
    stage.harness.state_mut().expect_arrivals(arrivals);
    let file = PathBuf::from("/music/Vibe Ace.flac");
    later.send(vec![file.clone()]).unwrap();
    later.send(Vec::new()).unwrap();
    stage.harness.run_steps(2);
    assert_eq!(
        stage.asked(),
        [Command::Import(vec![file])],
        "a start without files only raises the window"
    );
}

#[test]
fn a_data_folder_that_cannot_be_used_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("a file");
    std::fs::write(&home, b"not a folder").unwrap();
    let error = run(Options { home: home.clone(), ..Options::default() }).unwrap_err();
    let Failure::Engine(problem) = error else { panic!("{error:?}") };
    assert!(matches!(&problem, Problem::HomeUnwritable { home: named, .. } if *named == home));
    assert!(problem.to_string().contains("PARTITA_HOME"), "{problem}");
}

#[test]
fn a_failed_import_is_named_and_dismissed() {
    let mut stage = stage(processing());
    assert!(stage.shows("letter.txt: this is not an audio file but text"));
    stage.click("Dismiss");
    assert!(!stage.shows("letter.txt"));
    let (request, song) = (None, Some(SongId(7)));
    let failed = Event::Failed { request, song, problem: recorded("The stems are damaged") };
    stage.emit([failed]);
    assert!(stage.shows("The stems are damaged"));
}

#[test]
fn many_failures_do_not_bury_the_library() {
    let mut stage = stage(separated());
    let failed = |i| Event::ImportFailed {
        path: format!("/music/{i}.txt").into(),
        problem: recorded(&"is not an audio file; ".repeat(30)),
    };
    stage.emit((0..20).map(failed));
    assert!(stage.shows("and 18 more") && stage.shows("On the run,"));
    stage.click("Dismiss all");
    assert!(!stage.shows("not an audio file") && !stage.shows("more"));
}

#[test]
fn removing_a_song_can_be_undone() {
    let mut stage = stage(separated());
    let remove = |stage: &mut Stage| {
        stage.harness.get_by_label_contains("Lithium,").click_secondary();
        stage.harness.run_steps(3);
        stage.click("Remove from library");
    };
    let lithium = |stage: &Stage| {
        let song = stage.harness.state().state().song(SongId(7)).cloned();
        Event::Song(song.unwrap())
    };
    let song = lithium(&stage);
    let (remove_it, open) = (Command::Remove(SongId(7)), |id| Command::Open(SongId(id)));
    remove(&mut stage);
    assert!(!stage.shows("Lithium,") && stage.shows("Removed “Lithium”"));
    assert_eq!(stage.asked(), [remove_it.clone(), open(6)]);
    stage.emit([Event::SongRemoved(SongId(7))]);
    stage.click("Undo");
    assert!(!stage.shows("Removed “Lithium”"));
    assert_eq!(stage.asked(), [Command::Restore(SongId(7))]);
    stage.emit([song.clone()]);
    assert!(stage.shows("Lithium,"));
    assert_eq!(stage.asked(), [open(7)], "a restored song must be selected");
    // The keyboard works too, even before the engine has confirmed the removal.
    stage.harness.get_by_label_contains("Lithium,").focus();
    stage.harness.run_steps(2);
    stage.press(NONE, Key::Delete);
    assert!(stage.shows("Removed “Lithium”"));
    stage.press(Modifiers::COMMAND, Key::Z);
    assert_eq!(stage.asked(), [remove_it, open(6), Command::Restore(SongId(7))]);
    stage.emit([Event::SongRemoved(SongId(7)), song]);
    assert!(stage.shows("Lithium,"));
    assert_eq!(stage.asked(), [open(7)]);
}

#[test]
fn removed_songs_come_back_in_their_order() {
    let mut stage = stage(separated());
    for (title, song) in [("Lithium,", 7), ("Vibe Ace,", 4)] {
        stage.harness.get_by_label_contains(title).focus();
        stage.harness.run_steps(2);
        stage.press(NONE, Key::Delete);
        stage.emit([Event::SongRemoved(SongId(song))]);
    }
    let mut waited = std::time::Duration::ZERO;
    while stage.shows("Removed “Vibe Ace”") {
        std::thread::sleep(std::time::Duration::from_millis(200));
        waited += std::time::Duration::from_millis(200);
        assert!(waited.as_secs() < 30);
        stage.harness.run_steps(1);
    }
    stage.asked();
    for song in [4, 7] {
        stage.press(Modifiers::COMMAND, Key::Z);
        assert_eq!(stage.asked(), [Command::Restore(SongId(song))]);
    }
    stage.press(Modifiers::COMMAND, Key::Z);
    assert_eq!(stage.asked(), [], "nothing is left to undo");
}
