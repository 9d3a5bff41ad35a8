//! Many rounds of several programs on one manifest, each in a new output folder. No round may fail
//! or leave anything behind. Ignored, because a run takes an hour; start it manually:
//!
//! `PARTITA_ROUNDS=1000 cargo test --release --test tests archive_rounds -- --ignored --nocapture`

use std::{
    fs,
    path::Path,
    process::{Child, Stdio},
    time::Instant,
};

use partita::engine::cluster::report::report;

use crate::support::{command, stderr, tiny_home, walk, write_song};

/// Songs of a round, about a second each, so that programs often meet at the starts and ends of
/// songs.
const SONGS: usize = 4;

fn rounds() -> usize {
    let asked = std::env::var("PARTITA_ROUNDS").ok();
    asked.map_or(1000, |text| text.parse().expect("PARTITA_ROUNDS: expected a number"))
}

/// Runs one round and returns the faults.
fn round(home: &Path, manifest: &Path, out: &Path, programs: usize) -> Vec<String> {
    let words = [
        "separate",
        "--json",
        "--threads",
        "1",
        "--manifest",
        manifest.to_str().unwrap(),
        "--out",
        out.to_str().unwrap(),
    ];
    let spawn = |_| {
        command(home, &words)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    };
    let all: Vec<Child> = (0..programs).map(spawn).collect();
    let mut faults = Vec::new();
    for child in all {
        let output = child.wait_with_output().unwrap();
        if !output.status.success() {
            faults.push(format!("{:?}: {}", output.status.code(), stderr(&output)));
        }
    }
    match report(&[out.to_owned()], true) {
        Ok(found) if found.is_complete() && found.done == SONGS && found.files == 3 * SONGS => {}
        found => faults.push(format!("{found:?}")),
    }
    let state = out.join(".partita");
    let is_left = |path: &Path| {
        path.starts_with(state.join("work"))
            || path.extension().is_some_and(|ending| ending == "part" || ending == "begun")
    };
    let left: Vec<_> = walk(out).into_iter().filter(|path| is_left(path)).collect();
    if !left.is_empty() {
        faults.push(format!("left: {left:?}"));
    }
    faults
}

fn run(programs: usize) {
    let home = tiny_home();
    let mut paths = Vec::new();
    for index in 0..SONGS {
        let path = home.path().join(format!("song-{index}.wav"));
        write_song(&path, 9000 + 1500 * index, 44_100, index as u32);
        paths.push(path.display().to_string());
    }
    let manifest = home.path().join("all.txt");
    fs::write(&manifest, paths.join("\n")).unwrap();
    let (start, rounds) = (Instant::now(), rounds());
    let mut faults = 0;
    for number in 0..rounds {
        let out = home.path().join("out");
        for fault in round(home.path(), &manifest, &out, programs) {
            faults += 1;
            println!("round {number}: {fault}");
        }
        fs::remove_dir_all(&out).unwrap();
    }
    let seconds = start.elapsed().as_secs_f64();
    println!("{rounds} rounds of {programs} programs in {seconds:.0} s: {faults} faults");
    assert_eq!(faults, 0);
}

#[test]
#[ignore = "takes a quarter of an hour or more"]
fn two_programs_share_a_manifest_without_a_fault() {
    run(2);
}

#[test]
#[ignore = "takes a quarter of an hour or more"]
fn three_programs_share_a_manifest_without_a_fault() {
    run(3);
}

#[test]
#[ignore = "takes a quarter of an hour or more"]
fn four_programs_share_a_manifest_without_a_fault() {
    run(4);
}
