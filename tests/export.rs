//! Exports through the command line: every format, names, and the files that a kill leaves.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use partita::engine::export::FORMATS;

use crate::support::{command, home, json_lines, partita, stderr, write_song_at};

/// The specification and integer samples of a WAV file.
fn whole(path: &Path) -> (hound::WavSpec, Vec<i32>) {
    let mut reader =
        hound::WavReader::open(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    (reader.spec(), reader.samples::<i32>().map(Result::unwrap).collect())
}

fn files_in(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    entries.map(|entry| entry.unwrap().path()).collect()
}

/// The home of a library with one separated song.
fn separated(name: &str, frames: usize, rate: u32) -> tempfile::TempDir {
    let home = home();
    let song = home.path().join(name);
    write_song_at(&song, frames, rate, 9, 20_000.0);
    assert!(partita(home.path(), &["add", song.to_str().unwrap()]).status.success());
    let output = partita(home.path(), &["process", "1"]);
    assert!(output.status.success(), "{}", stderr(&output));
    home
}

#[test]
fn stems_and_residual_are_the_file_at_its_own_rate() {
    let home = home();
    let song = home.path().join("a song.wav");
    write_song_at(&song, 96_123, 48_000, 1, 20_000.0);
    let out = home.path().join("out");
    let output = partita(
        home.path(),
        &[
            "separate",
            song.to_str().unwrap(),
            "--stems=drums,bass,other,vocals",
            "--all-but=vocals",
            "--residual",
            "--out",
            out.to_str().unwrap(),
            "--json",
        ],
    );
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(json_lines(&output)[0]["files"].as_object().unwrap().len(), 6);
    let at = |name: &str| whole(&out.join("a song").join(format!("{name}.wav")));
    let (spec, original) = whole(&song);
    let (vocals, rest) = (at("vocals").1, at("all but vocals").1);
    let mut sum = vec![0; original.len()];
    for name in ["drums", "bass", "other", "vocals", "residual"] {
        let (found, samples) = at(name);
        assert_eq!((found, samples.len()), (spec, original.len()), "{name}");
        assert!(samples.iter().any(|&x| x != 0), "{name} is silent");
        sum.iter_mut().zip(samples).for_each(|(sum, x)| *sum += x);
    }
    assert!(sum == original, "stems and residual do not add up");
    let two: Vec<i32> = vocals.iter().zip(&rest).map(|(a, b)| a + b).collect();
    assert!(two == original, "a stem and the song without it do not add up");
}

#[test]
fn every_format_is_exported_by_its_name_and_asks_before_it_replaces() {
    let home = separated("song.wav", 50_000, 44_100);
    let out = home.path().join("out");
    for format in FORMATS {
        let mut arguments =
            vec!["export", "song", "--json", "--mix", "--gain", "vocals=-3,bass=off"];
        arguments.extend(["--format", format.id, "--out", out.to_str().unwrap()]);
        arguments.extend(["--name", "{title} {n} {stem}"]);
        let output = partita(home.path(), &arguments);
        assert!(output.status.success(), "{}: {}", format.id, stderr(&output));
        let line = &json_lines(&output)[0];
        for file in line["files"].as_object().unwrap().values() {
            let file = Path::new(file.as_str().unwrap());
            assert!(fs::metadata(file).unwrap().len() > 1_000, "{}", file.display());
            assert!(file.to_str().unwrap().ends_with(&format!(".{}", format.extension)));
        }
        let output = partita(home.path(), &arguments);
        assert_eq!(output.status.code(), Some(1));
        assert!(stderr(&output).contains("--on-exists"), "{}", stderr(&output));
    }
    let before = files_in(&out).len();
    assert_eq!(before, 5 * 5 + 2, "five files of five formats, and two of one file each");
    for (on_exists, more) in [("skip", 0), ("replace", 0), ("number", 5)] {
        let arguments = ["export", "1", "--mix", "--name={title} {n} {stem}", "--on-exists"];
        let rest = [on_exists, "--out", out.to_str().unwrap()];
        let output = partita(home.path(), &[&arguments[..], &rest[..]].concat());
        assert!(output.status.success(), "{}", stderr(&output));
        assert_eq!(files_in(&out).len(), before + more, "{on_exists}");
    }
}

#[test]
fn a_killed_export_leaves_no_half_file_under_its_name() {
    let home = separated("long.wav", 44_100 * 30, 44_100);
    let arguments = |out: &Path| {
        let out = out.to_str().unwrap().to_owned();
        ["export", "1", "--residual", "--format=flac", "--name={stem}", "--out"]
            .map(str::to_owned)
            .into_iter()
            .chain([out])
            .collect::<Vec<_>>()
    };
    let run = |out: &Path| {
        let arguments = arguments(out);
        let mut command = command(home.path(), &[]);
        command.args(arguments).stdout(std::process::Stdio::null());
        command.stderr(std::process::Stdio::null()).spawn().unwrap()
    };
    let whole = home.path().join("whole");
    assert!(run(&whole).wait().unwrap().success());
    let lengths = |folder: &Path| {
        let is_named =
            |path: &PathBuf| !path.file_name().unwrap().as_encoded_bytes().starts_with(b".");
        let files = files_in(folder).into_iter().filter(is_named);
        let about = |file: PathBuf| {
            let bytes = fs::read(&file).unwrap();
            (file.file_name().unwrap().to_owned(), bytes.len())
        };
        files.map(about).collect::<std::collections::BTreeMap<_, _>>()
    };
    let complete = lengths(&whole);
    assert_eq!(complete.len(), 5);
    let mut was_killed = 0;
    for round in 0..12u32 {
        let out = home.path().join(format!("out {round}"));
        let mut child = run(&out);
        std::thread::sleep(Duration::from_millis(u64::from(round) * 60));
        was_killed += u32::from(child.try_wait().unwrap().is_none());
        drop(child.kill());
        child.wait().unwrap();
        for (name, length) in lengths(&out) {
            assert_eq!(length, complete[&name], "{} in round {round}", name.display());
        }
    }
    assert!(was_killed >= 3, "killed only {was_killed} times");
}

#[test]
fn folders_of_a_batch_are_kept() {
    let home = home();
    let music = home.path().join("music");
    fs::create_dir_all(music.join("live/1999")).unwrap();
    for (place, seed) in [("one.wav", 1), ("live/one.wav", 2), ("live/1999/two.wav", 3)] {
        write_song_at(&music.join(place), 500, 44_100, seed, 20_000.0);
    }
    let out = home.path().join("out");
    let words = ["separate", music.to_str().unwrap(), "--stems=bass", "--out"];
    let output = partita(home.path(), &[&words[..], &[out.to_str().unwrap()]].concat());
    assert!(output.status.success(), "{}", stderr(&output));
    for place in ["one/bass.wav", "live/one/bass.wav", "live/1999/two/bass.wav"] {
        assert!(out.join(place).is_file(), "{place}: {}", stderr(&output));
    }
}
