//! A model file without read permission: every command reports the file by name.

#![cfg(unix)] // Windows has no permission bits

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use crate::support::{
    as_another_user, command, forbid, partita, stderr, stdout, tiny_home, walk, write_song,
};

/// Output and exit code of a command.
fn says(home: &Path, words: &[&str]) -> (String, Option<i32>) {
    let mut command = command(home, words);
    command.current_dir(home);
    as_another_user(&mut command, &[home]);
    let output = command.output().unwrap();
    (format!("{}{}", stdout(&output), stderr(&output)), output.status.code())
}

#[test]
fn a_model_that_may_not_be_read_is_not_called_missing() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    for (model, imported, closed) in [
        ("htdemucs", None, "models/htdemucs.safetensors"),
        ("own", Some("own.th"), "models/own.safetensors"),
        ("pair", Some("bag/pair.yaml"), "models/pair.bag.json"),
        ("pair", Some("bag/pair.yaml"), "models/pair.bbbb0002.safetensors"),
        ("htdemucs", None, "models"),
    ] {
        let home = tiny_home();
        write_song(&home.path().join("song.wav"), 3000, 44_100, 1);
        if let Some(file) = imported {
            let file = golden.join(file);
            let output = partita(home.path(), &["model", "import", file.to_str().unwrap()]);
            assert!(output.status.success(), "{}", stderr(&output));
        }
        // An imported file is readable only for its owner.
        for file in walk(&home.path().join("models")) {
            fs::set_permissions(file, fs::Permissions::from_mode(0o644)).unwrap();
        }
        forbid(&home.path().join(closed));
        let file =
            format!("{closed}{}", if closed == "models" { "/htdemucs.safetensors" } else { "" });
        let named = format!("{file} may not be read by this user");
        for line in [
            &["separate", "song.wav", "--model", model][..],
            &["separate", "song.wav", "--resume", "--model", model],
            &["model", "verify", model],
            &["model", "list"],
        ] {
            let (words, code) = says(home.path(), line);
            assert!(words.contains(&named), "{model}, {closed}, {line:?}: {words}");
            assert_eq!(code, Some(i32::from(line[1] != "list")), "{line:?}");
            let of_model: Vec<&str> =
                words.lines().filter(|line| line.starts_with(&format!("{model}\t"))).collect();
            assert!(
                of_model.iter().all(|line| !line.contains("not installed")),
                "{line:?}: {words}"
            );
        }
        if model == "htdemucs" {
            let (words, _) = says(home.path(), &["doctor"]);
            assert!(words.contains(&named), "doctor: {words}");
            let (words, code) = says(home.path(), &["doctor", "--measure"]);
            assert!(words.contains(&named) && code == Some(1), "doctor --measure: {words}");
        }
        // Allows the removal of the folder.
        fs::set_permissions(home.path().join(closed), fs::Permissions::from_mode(0o700)).unwrap();
    }
}

/// The library's commands report the file as well, for a song whose model has become unreadable.
#[test]
fn a_song_of_a_model_that_may_not_be_read_says_so() {
    let home = tiny_home();
    write_song(&home.path().join("song.wav"), 3000, 44_100, 1);
    let song = home.path().join("song.wav");
    assert!(partita(home.path(), &["add", song.to_str().unwrap()]).status.success());
    forbid(&home.path().join("models/htdemucs.safetensors"));
    open_to_all(home.path());
    for line in [&["process", "song"][..], &["export", "song"]] {
        let (words, code) = says(home.path(), line);
        assert!(words.contains("htdemucs.safetensors may not be read by this user"), "{words}");
        assert_eq!(code, Some(1), "{line:?}");
    }
}

/// Grants everyone access to the data folder's own files, except for the models.
fn open_to_all(home: &Path) {
    let rights = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    for path in walk(home).iter().filter(|path| !path.starts_with(home.join("models"))) {
        rights(path, 0o666);
        for folder in path.ancestors().skip(1).take_while(|folder| folder.starts_with(home)) {
            rights(folder, 0o777);
        }
    }
}
