//! Simulated power losses: strace records the file operations of the real program. The operations
//! are replayed to every point, with all unsynced changes lost, or any part of them. Reported
//! results must still hold, finished data must be bit-exact, and the library must open.
//!
//! Checks one point in sixteen; `PARTITA_POWER=all` checks all. Without strace, the test is
//! skipped.

#![cfg(target_os = "linux")] // strace

mod disk;
mod log;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use partita::engine::{open_library, store::MixStore};

use self::disk::{Disk, Loss};
use crate::support::{Dice, partita, stderr, tiny_home, walk, write_song};

/// A result that the program has reported to its user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Report {
    Added(&'static str),
    Separated(&'static str),
    Exported,
    Deleted,
}

/// Everything that was ever finished: mixes, stems and files, by relative path in the data folder.
type Finished = BTreeMap<PathBuf, Vec<u8>>;

fn finished(home: &Path) -> Finished {
    let is_data = |path: &PathBuf| {
        path.extension()
            .is_some_and(|ending| ["f32", "wav", "flac"].iter().any(|data| ending == *data))
            && !path.to_string_lossy().contains("/.partita-")
    };
    let name = |path: &Path| path.strip_prefix(home).unwrap().to_owned();
    walk(home)
        .into_iter()
        .filter(is_data)
        .map(|path| (name(&path), fs::read(&path).unwrap()))
        .collect()
}

/// Checks a data folder's invariants after any loss.
fn check(home: &Path, reported: &[Report], finished: &Finished) {
    let (library, damaged) = open_library(home).unwrap();
    assert_eq!(damaged, None);
    let songs = library.songs().unwrap();
    for song in &songs {
        let folder = library.song_folder(&song.hash);
        let mix =
            MixStore::open(&folder).unwrap_or_else(|e| panic!("{} has no mix: {e}", song.title));
        assert_eq!(mix.frames(), song.frames);
        let name = folder.join("mix.f32").strip_prefix(home).unwrap().to_owned();
        assert!(fs::read(home.join(&name)).unwrap() == finished[&name], "{}", name.display());
        let stores = fs::read_dir(folder.join("stems")).into_iter().flatten().flatten();
        let is_separated =
            stores.filter(|store| all_segments(home, &store.path(), finished)).count() > 0;
        let title = song.title.as_str();
        assert!(
            is_separated
                || !reported
                    .iter()
                    .any(|report| matches!(report, Report::Separated(t) if *t == title))
        );
    }
    for report in reported {
        match report {
            Report::Added(title) | Report::Separated(title) => {
                assert!(songs.iter().any(|song| song.title == *title), "{title} is lost");
            }
            Report::Exported => {
                let files = finished.keys().filter(|name| name.starts_with("out"));
                assert!(files.into_iter().all(|name| home.join(name).is_file()), "a file is lost");
            }
            Report::Deleted => assert!(songs.is_empty(), "a deleted song is back"),
        }
    }
    for file in walk(home) {
        let name = file.strip_prefix(home).unwrap().to_owned();
        let is_named =
            !name.to_string_lossy().contains(".partita-") && !name.starts_with("removed");
        let is_sound = name.extension().is_some_and(|ending| ending == "wav" || ending == "flac");
        if is_named && is_sound && finished.contains_key(&name) {
            assert!(
                fs::read(&file).unwrap() == finished[&name],
                "{} is incomplete",
                name.display()
            );
        }
    }
}

/// Whether a store has every segment; the existing ones must be unchanged.
fn all_segments(home: &Path, store: &Path, finished: &Finished) -> bool {
    let Ok(header) = fs::read(store.join("stems.json")) else { return false };
    let header: serde_json::Value = serde_json::from_slice(&header).unwrap();
    let number = |name: &str| header[name].as_u64().unwrap() as usize;
    let (frames, segment, stride) = (number("frames"), number("segment_frames"), number("stride"));
    let flags = fs::read(store.join("segments")).unwrap_or_default();
    for (index, _) in flags.iter().enumerate().filter(|(_, flag)| **flag == 1) {
        let length = segment.min(frames - index * stride);
        let bytes = index * segment * 8..(index * segment + length) * 8;
        for stem in 0..header["sources"].as_array().unwrap().len() {
            let path = store.join(format!("stem-{stem}.f32"));
            let is = fs::read(&path).unwrap();
            let was = &finished[path.strip_prefix(home).unwrap()];
            assert!(
                is.get(bytes.clone()) == was.get(bytes.clone()),
                "segment {index} of stem {stem}"
            );
        }
    }
    flags.len() == frames.div_ceil(stride) && flags.iter().all(|flag| *flag == 1)
}

/// Runs the program under strace and returns its calls.
fn recorded(home: &Path, arguments: &[&str]) -> Vec<log::Call> {
    let log = tempfile::NamedTempFile::new().unwrap();
    let output = Command::new("strace")
        .args(["-f", "-qq", "-xx", "-s", "100000000", "-e", &format!("trace={}", log::CALLS), "-o"])
        .arg(log.path())
        .arg(env!("CARGO_BIN_EXE_partita"))
        .args(arguments)
        .env("PARTITA_HOME", home)
        .output()
        .unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", stderr(&output));
    log::read(&fs::read_to_string(log.path()).unwrap())
}

#[test]
fn a_power_loss_at_any_point_keeps_reported_results() {
    if !Command::new("strace")
        .args(["-qq", "true"])
        .output()
        .is_ok_and(|output| output.status.success())
    {
        println!("SKIPPED: strace is missing or may not trace");
        return;
    }
    let every = if std::env::var("PARTITA_POWER").is_ok_and(|text| text == "all") { 1 } else { 16 };
    let (home, songs) = (tiny_home(), tempfile::tempdir().unwrap());
    let file = |name: &str, frames, seed| {
        let path = songs.path().join(format!("{name}.wav"));
        write_song(&path, frames, 44_100, seed);
        path.to_str().unwrap().to_owned()
    };
    let (one, two) = (file("one", 15_000, 1), file("two", 9000, 2));
    let out = home.path().join("out").display().to_string();
    let steps: [(&[&str], Report); 6] = [
        (&["add", &one], Report::Added("one")),
        (&["process", "one", "--threads", "1"], Report::Separated("one")),
        (&["export", "one", "--format", "flac", "--out", &out], Report::Exported),
        (&["add", &two], Report::Added("two")),
        (&["process", "two", "--threads", "1"], Report::Separated("two")),
        (&["reset", "--yes"], Report::Deleted),
    ];
    let mut disk = Disk::of(home.path());
    let mut runs = Vec::new();
    let mut all = Finished::new();
    for (arguments, reported) in &steps {
        if *reported == Report::Deleted {
            all = finished(home.path());
        }
        runs.push((recorded(home.path(), arguments), *reported));
    }
    let (mut reported, mut dice, mut points, mut looks) = (Vec::new(), Dice(2026), 0, 0);
    for (calls, report) in runs {
        disk.restart();
        if report == Report::Deleted {
            // From now on, any part of the songs may be deleted.
            reported.retain(|report| *report == Report::Exported);
        }
        for call in calls {
            let speaks = call.name == "write" && call.number(0) == 1;
            if speaks && !reported.contains(&report) {
                reported.push(report);
            }
            if !disk.take(&call) && !speaks {
                continue;
            }
            points += 1;
            if points % every != 0 && !speaks {
                continue;
            }
            for loss in [Loss::Everything, Loss::AnyPart] {
                let left = tempfile::tempdir().unwrap();
                disk.after(loss, &mut dice, left.path());
                check(left.path(), &reported, &all);
                looks += 1;
            }
        }
    }
    println!("the power went {looks} times, at {} of {points} points", looks / 2);
    assert!(points > 200, "{points}");
    // The final state is usable.
    let left = tempfile::tempdir().unwrap();
    disk.after(Loss::Everything, &mut dice, left.path());
    assert!(partita(left.path(), &["add", &one]).status.success());
}
