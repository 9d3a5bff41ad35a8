//! The songs that the command line takes from files and folders, its messages about other files,
//! and its log.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Output,
};

use crate::support::{command, json_lines, stderr, tiny_home, walk, write_song};

/// A data folder, and a separate working folder for commands.
struct Place {
    home: tempfile::TempDir,
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Self { home: tiny_home(), folder: tempfile::tempdir().unwrap() }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn song(&self, name: &str, seed: u32) {
        fs::create_dir_all(self.at(name).parent().unwrap()).unwrap();
        write_song(&self.at(name), 3000, 44_100, seed);
    }

    fn run(&self, words: &[&str]) -> Output {
        command(self.home.path(), words).current_dir(self.folder.path()).output().unwrap()
    }
}

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

#[test]
fn stems_in_the_songs_folder_are_not_separated_again() {
    let place = Place::new();
    place.song("a.wav", 1);
    place.song("b.wav", 2);
    for round in 0..3 {
        let output = place.run(&["separate", ".", "--on-exists", "skip"]);
        let words = stderr(&output);
        assert!(output.status.success(), "{words}");
        assert_eq!(walk(&place.at("separated")).len(), 6, "round {round}: {words}");
        assert_eq!(words.contains(".: 6 passed over (6 made by Partita)"), round > 0, "{words}");
    }
    // A manifest and an archive of the folder have the same two songs, and the library gets no
    // more.
    assert_eq!(json_lines(&place.run(&["probe", "."])).len(), 2);
    let output = place.run(&["separate", "--resume", "--json", "--out", "archive", "."]);
    let ended = json_lines(&output).pop().unwrap();
    assert_eq!((ended["songs"].as_u64(), ended["done"].as_u64()), (Some(2), Some(2)));
    let output = place.run(&["add", "--json", "."]);
    assert_eq!(json_lines(&output).len(), 2);
    assert!(stderr(&output).contains("12 passed over (12 made by Partita)"), "{}", stderr(&output));
}

#[test]
fn an_own_file_is_taken_where_it_is_named() {
    let place = Place::new();
    place.song("a.wav", 1);
    assert!(place.run(&["separate", "a.wav"]).status.success());
    let output = place.run(&["separate", "separated/a/low.wav", "--out", "again"]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(place.at("again/low/low.wav").is_file());
    let output = place.run(&["separate", "separated/a", "--out", "third"]);
    assert_eq!(output.status.code(), Some(1));
    let words = "separated/a: this folder holds no song; 3 passed over (3 made by Partita)";
    assert!(stderr(&output).contains(words), "{}", stderr(&output));
}

#[test]
fn a_folder_gives_every_file_that_opens_by_name() {
    let place = Place::new();
    fs::create_dir(place.at("mixed")).unwrap();
    for (from, to) in [
        ("chirp.webm", "a.weba"),
        ("chirp.mka", "b.mkv"),
        ("chirp.m4a", "c.M4R"),
        ("chirp.m4a", "d.mov"),
        ("chirp-mono-8k-mulaw.wav", "e.bwf"),
        ("chirp.mp3", "f.mpga"),
        ("chirp.ogg", "g.ogv"),
        ("chirp.aac", "h.adts"),
        ("chirp.m4a", "i.3gp"),
    ] {
        fs::copy(sample(from), place.at("mixed").join(to)).unwrap();
    }
    for other in ["cover.jpg", "notes.txt"] {
        fs::write(place.at("mixed").join(other), "x").unwrap();
    }
    let output = place.run(&["separate", "mixed", "--stems", "low", "--out", "out"]);
    let words = stderr(&output);
    assert!(output.status.success(), "{words}");
    assert_eq!(fs::read_dir(place.at("out")).unwrap().count(), 9, "{words}");
    assert!(words.contains("mixed: 2 passed over (2 not audio by name)"), "{words}");
}

#[test]
fn folders_without_songs_say_what_they_are() {
    let place = Place::new();
    place.song("songs/a.wav", 1);
    fs::create_dir(place.at("empty")).unwrap();
    fs::create_dir(place.at("pictures")).unwrap();
    fs::write(place.at("pictures/cover.jpg"), "x").unwrap();
    let commands: [&[&str]; 4] = [
        &["separate", "--out", "o"],
        &["separate", "--resume", "--out", "p"],
        &["probe"],
        &["add"],
    ];
    for command in commands {
        let says = |folder: &str| {
            let output = place.run(&[command, &[folder][..]].concat());
            assert_eq!(output.status.code(), Some(1), "{command:?} {folder}");
            stderr(&output)
        };
        let words = says("empty");
        assert!(words.contains("empty: this folder is empty"), "{command:?}: {words}");
        let words = says("pictures");
        let expected = "pictures: this folder holds no song; 1 passed over (1 not audio by name)";
        assert!(words.contains(expected), "{command:?}: {words}");
    }
    // The songs of other folders are separated anyway, except in an archive.
    let output = place.run(&["separate", "empty", "songs", "--out", "q"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(place.at("q/a/low.wav").is_file(), "{}", stderr(&output));
    let output = place.run(&["separate", "--resume", "empty", "songs", "--out", "r"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(!place.at("r").exists(), "an archive was started with a part of the songs");
}

#[cfg(unix)] // Windows has no permission bits
#[test]
fn a_folder_that_may_not_be_read_says_so() {
    use crate::support::{as_another_user, forbid};

    let place = Place::new();
    place.song("closed/a.wav", 1);
    forbid(&place.at("closed"));
    for words in [&["separate", "closed"][..], &["probe", "closed"]] {
        let mut command = command(place.home.path(), words);
        command.current_dir(place.folder.path());
        as_another_user(&mut command, &[place.home.path(), place.folder.path()]);
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{words:?}");
        let said = "closed: could not read this folder: Permission denied";
        assert!(stderr(&output).contains(said), "{words:?}: {}", stderr(&output));
    }
}

/// Writes a WAV file with samples of 0 bits, which the decoding library refuses.
fn odd(place: &Place) {
    let mut bytes = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x02\0\x44\xac\0\0".to_vec();
    bytes.extend(b"\x10\xb1\x02\0\x04\0\0\0data\x64\0\0\0");
    bytes.extend([7; 100]);
    fs::write(place.at("odd.bin"), bytes).unwrap();
}

#[test]
fn libraries_log_only_where_that_is_asked_for() {
    let place = Place::new();
    odd(&place);
    let output = place.run(&["separate", "odd.bin"]);
    let words = stderr(&output);
    assert_eq!(output.status.code(), Some(1));
    assert!(words.lines().all(|line| line.starts_with("partita: odd.bin: ")), "{words}");
    assert_eq!(words.lines().count(), 1, "{words}");

    let mut asked = command(place.home.path(), &["separate", "odd.bin"]);
    asked
        .current_dir(place.folder.path())
        .env("PARTITA_LOG", "symphonia=trace,symphonia_core=trace");
    let words = stderr(&asked.output().unwrap());
    assert!(words.contains("symphonia"), "{words}");
    assert!(!words.contains('\u{1b}'), "a file has colours: {words}");
}
