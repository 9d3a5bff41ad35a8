//! Chains of networks with the real program: stems add up at every level, killed programs lose nothing,
//! and chain files are checked. `PARTITA_KILLS` sets the number of kills; the default is small.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::support::{
    Dice, command, json_lines, partita, stderr, stdout, tiny_home, walk, write_song, write_song_at,
};

/// Three steps of a network with the stems low, high and rest.
const THREE: &str = r#"
title = "Three steps"

[[step]]
id = "first"
network = { makes = ["low", "high", "rest"] }

[[step]]
id = "second"
network = { makes = ["high"] }
input = "low"

[[step]]
id = "third"
network = { makes = ["high"], model = "htdemucs" }
input = { of = "mix", minus = ["low"] }

[[stem]]
name = "low"
from = [{ step = "first", output = "low" }]

[[stem]]
name = "deep"
parent = "low"
from = [{ step = "second", output = "high" }]

[[stem]]
name = "shallow"
parent = "low"
rest = true

[[stem]]
name = "high"
from = [{ step = "third", output = "high" }, { step = "first", output = "high" }]
combine = "median_fft"

[[stem]]
name = "air"
rest = true
"#;

fn home() -> TempDir {
    let home = tiny_home();
    fs::create_dir(home.path().join("chains")).unwrap();
    fs::write(home.path().join("chains/three.toml"), THREE).unwrap();
    home
}

#[track_caller]
fn run(home: &Path, words: &[&str]) -> String {
    let output = partita(home, words);
    assert!(output.status.success(), "{words:?}: {}", stderr(&output));
    stdout(&output)
}

#[track_caller]
fn refused(home: &Path, words: &[&str]) -> String {
    let output = partita(home, words);
    assert!(!output.status.success(), "{words:?} should fail");
    let text = stderr(&output);
    assert!(!text.contains("panicked"), "{text}");
    text
}

/// Samples of a 24-bit WAV file as whole numbers.
fn steps(path: &Path) -> Vec<i64> {
    let mut reader = hound::WavReader::open(path).unwrap();
    assert_eq!(reader.spec().bits_per_sample, 24);
    reader.samples::<i32>().map(|sample| sample.unwrap().into()).collect()
}

fn sum(parts: &[&[i64]]) -> Vec<i64> {
    (0..parts[0].len()).map(|at| parts.iter().map(|part| part[at]).sum()).collect()
}

#[test]
fn branches_add_up_to_the_last_bit_in_24_bits() {
    let home = home();
    let song = home.path().join("song.wav");
    // Quiet, so that no common gain is needed.
    write_song_at(&song, 44_100, 44_100, 5, 1_000.0);
    let path = |name: &str| home.path().join("out").join(format!("{name}.wav"));
    let out = home.path().join("out").display().to_string();
    let words = ["separate", &song.display().to_string(), "--chain", "three", "--depth", "24"];
    let words = [&words[..], &["--out", &out, "--name", "{stem}"]].concat();
    let with = |more: &[&str]| run(home.path(), &[&words, more].concat());
    with(&["--stems", "low,deep,shallow,high,air", "--on-exists", "replace"]);
    let [low, deep, shallow, high, air] =
        ["low", "deep", "shallow", "high", "air"].map(|name| steps(&path(name)));
    assert!(low.iter().any(|x| *x != 0) && deep.iter().any(|x| *x != 0));
    assert_eq!(sum(&[&deep, &shallow]), low);
    let song = sum(&[&low, &high, &air]);
    assert_eq!(sum(&[&deep, &shallow, &high, &air]), song);
    let mut whole = hound::WavReader::open(home.path().join("song.wav")).unwrap();
    let scale = f64::from(1 << 23) / f64::from(1 << (whole.spec().bits_per_sample - 1));
    let whole = whole.samples::<i32>().map(|x| (f64::from(x.unwrap()) * scale) as i64);
    assert_eq!(song, whole.collect::<Vec<i64>>(), "all stems are the song");
    // Files that add up are not dithered, whether or not they are the whole song.
    for depth in ["16", "24"] {
        let stems = ["--stems", "low,deep,shallow", "--on-exists", "replace", "--depth", depth];
        run(home.path(), &[&words[..4], &words[6..], &stems].concat());
        let [low, deep, shallow] = ["low", "deep", "shallow"].map(|name| {
            let mut file = hound::WavReader::open(path(name)).unwrap();
            file.samples::<i32>().map(|x| x.unwrap().into()).collect::<Vec<i64>>()
        });
        assert_eq!(sum(&[&deep, &shallow]), low, "{depth} bits");
    }
    // Without names, the stems that have no parts are written: they add up, too.
    fs::remove_dir_all(home.path().join("out")).unwrap();
    with(&[]);
    let mut names: Vec<_> = walk(&home.path().join("out"))
        .into_iter()
        .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    names.sort();
    assert_eq!(names, ["air", "deep", "high", "shallow"]);
}

#[test]
fn two_steps_that_compute_the_same_are_one() {
    let home = home();
    let song = home.path().join("song.wav");
    write_song(&song, 20_000, 44_100, 5);
    let twins = r#"
        [[step]]
        id = "a"
        network = { makes = ["low"] }
        [[step]]
        id = "b"
        network = { makes = ["high"] }
        input = { of = "mix", minus = [] }
        [[stem]]
        name = "low"
        from = [{ step = "a", output = "low" }]
        [[stem]]
        name = "low rest"
        from = [{ step = "b", output = "high" }]
        [[stem]]
        name = "part"
        parent = "low"
        from = [{ step = "b", output = "low" }]
    "#;
    let file = home.path().join("twins.toml");
    fs::write(&file, twins).unwrap();
    let (song, file) = (song.display().to_string(), file.display().to_string());
    let out = home.path().join("out");
    let to = out.display().to_string();
    run(home.path(), &["separate", &song, "--chain", &file, "--out", &to, "--name", "{stem}"]);
    let mut names: Vec<_> = walk(&out)
        .into_iter()
        .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    names.sort();
    // The rest of a branch does not take the name of another stem.
    assert_eq!(names, ["low rest", "low rest 2", "part"]);
}

/// The samples of all stems, by the path of the store.
fn samples(home: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let songs = home.join("songs");
    let is_samples = |path: &PathBuf| path.extension().is_some_and(|kind| kind == "f32");
    let files = walk(&songs).into_iter().filter(is_samples);
    files
        .map(|path| (path.strip_prefix(&songs).unwrap().to_owned(), fs::read(&path).unwrap()))
        .collect()
}

#[test]
fn a_killed_chain_ends_with_the_same_bits() {
    let rounds: u64 = std::env::var("PARTITA_KILLS").map_or(10, |text| text.parse().unwrap());
    let seed = std::env::var("PARTITA_SEED").map_or(2026, |text| text.parse().unwrap());
    let process = ["process", "one", "--chain", "three", "--stems", "deep,high", "--threads", "1"];
    let fresh = || {
        let home = home();
        let song = home.path().join("one.wav");
        write_song(&song, 44_100 * 6, 44_100, 1);
        run(home.path(), &["add", &song.display().to_string()]);
        home
    };
    let whole = fresh();
    let start = Instant::now();
    run(whole.path(), &process);
    let took = start.elapsed();
    let expected = samples(whole.path());
    assert_eq!(expected.len(), 1 + 3 * 3, "the mix, and three steps: {:?}", expected.keys());

    let (mut dice, mut place, mut killed, mut ended) = (Dice(seed), fresh(), 0, 0);
    while killed < rounds {
        let mut child = command(place.path(), &process)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let most = took.as_micros() as u64 / 2;
        std::thread::sleep(Duration::from_micros(dice.below(most)));
        if child.try_wait().unwrap().is_some() {
            assert!(samples(place.path()) == expected, "after {killed} kills");
            ended += 1;
            place = fresh();
            continue;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        killed += 1;
    }
    run(place.path(), &process);
    assert!(samples(place.path()) == expected, "expected the same bits");
    println!("{killed} kills, {} songs", ended + 1);
    let log = partita(place.path(), &["jobs", "--json"]);
    let jobs = json_lines(&log);
    assert!(jobs.iter().any(|job| job["state"] == "done"), "{jobs:?}");
}

#[test]
fn a_chain_and_its_model_alone_compute_nothing_twice() {
    let home = home();
    let song = home.path().join("one.wav");
    write_song(&song, 44_100 * 2, 44_100, 1);
    run(home.path(), &["add", &song.display().to_string()]);
    run(home.path(), &["process", "one", "--model", "htdemucs"]);
    let before = samples(home.path());
    run(home.path(), &["process", "one", "--chain", "three", "--stems", "low"]);
    assert!(samples(home.path()) == before, "the first step is the model alone");
    run(home.path(), &["process", "one", "--chain", "three"]);
    let after = samples(home.path());
    assert!(before.iter().all(|(path, bytes)| after[path] == *bytes));
    assert_eq!(after.len(), before.len() + 2 * 3);
    // Tracks of the job: the stems without parts, and their mix.
    let tracks = run(home.path(), &["progress", "one"]);
    for name in ["deep", "shallow", "high", "air", "mix"] {
        assert!(tracks.contains(name), "{tracks}");
    }
}

#[test]
fn a_share_of_an_archive_gives_the_files_of_a_single_run() {
    let home = home();
    let song = home.path().join("songs/one.wav");
    fs::create_dir(home.path().join("songs")).unwrap();
    write_song(&song, 44_100, 44_100, 1);
    let path = |name: &str| home.path().join(name).display().to_string();
    let file = path("three.toml");
    fs::write(&file, THREE).unwrap();
    let words = ["separate", &path("songs"), "--chain", &file, "--stems", "shallow,high"];
    run(home.path(), &[&words[..], &["--out", &path("single")]].concat());
    let shared = path("shared");
    let share = [&words[..], &["--shard", "1/1", "--out", &shared]].concat();
    run(home.path(), &share);
    let files = |name: &str| -> BTreeMap<PathBuf, Vec<u8>> {
        let folder = home.path().join(name);
        let is_sound = |path: &PathBuf| path.extension().is_some_and(|kind| kind == "wav");
        let found = walk(&folder).into_iter().filter(is_sound);
        found.map(|path| (path.file_name().unwrap().into(), fs::read(&path).unwrap())).collect()
    };
    assert_eq!(files("single").len(), 2);
    assert!(files("single") == files("shared"));
    // The share is complete.
    let output = partita(home.path(), &share);
    assert!(output.status.success(), "{}", stderr(&output));
    let receipts = walk(&home.path().join("shared/.partita/songs"));
    let names_chain = |path: &PathBuf| fs::read_to_string(path).unwrap().contains("three-");
    assert!(receipts.iter().any(names_chain), "receipts name the chain: {receipts:?}");
}

#[test]
fn chain_files_are_listed_checked_and_imported() {
    let home = home();
    let listed = run(home.path(), &["chain", "list"]);
    assert!(listed.contains("three: low, deep, shallow, high, air"), "{listed}");
    assert!(listed.contains("vocals-first: "), "{listed}");
    let file = home.path().join("mine.toml");
    fs::write(&file, run(home.path(), &["chain", "show", "three"])).unwrap();
    let path = file.display().to_string();
    let tree = run(home.path(), &["chain", "check", &path]);
    assert!(tree.contains("\n  deep (htdemucs)\n  shallow (what is left)\n"), "{tree}");
    assert!(tree.contains("high (htdemucs + htdemucs)"), "{tree}");
    run(home.path(), &["chain", "import", &path]);
    assert!(run(home.path(), &["chain", "list"]).contains("mine: low"));
    run(home.path(), &["chain", "remove", "mine"]);
    assert!(!run(home.path(), &["chain", "list"]).contains("mine"));
    assert!(refused(home.path(), &["chain", "remove", "mine"]).contains("no model or chain"));

    let wrong = |from: &str, to: &str| {
        fs::write(&file, THREE.replace(from, to)).unwrap();
        refused(home.path(), &["chain", "check", &path])
    };
    let text = wrong("input = \"low\"", "input = \"kazoo\"");
    assert!(text.contains("mine.toml") && text.contains("no stem \"kazoo\""), "{text}");
    let text = wrong("output = \"low\"", "output = \"kazoo\"");
    assert!(text.contains("does not make \"kazoo\"; it makes: low, high, rest"), "{text}");
    let text = wrong("title", "titel");
    assert!(text.contains("titel"), "{text}");
    fs::write(&file, [0xff, 0xfe, 0x00]).unwrap();
    assert!(refused(home.path(), &["chain", "check", &path]).contains("mine.toml"));
    if cfg!(unix) {
        assert!(refused(home.path(), &["chain", "check", "/dev/zero"]).contains("1 MB"));
    }
    fs::write(&file, vec![b'#'; 2_000_000]).unwrap();
    assert!(refused(home.path(), &["chain", "check", &path]).contains("1 MB"));
    fs::create_dir(home.path().join("chains/folder.toml")).unwrap();
    fs::write(home.path().join("chains/broken.toml"), "step = 3").unwrap();
    let output = partita(home.path(), &["chain", "list"]);
    assert!(stdout(&output).contains("three"), "other chains are listed");
    assert!(stderr(&output).contains("broken.toml"), "{}", stderr(&output));
}

#[test]
fn a_stem_without_a_network_says_which_one_is_missing() {
    let home = home();
    let song = home.path().join("song.wav");
    write_song(&song, 4_000, 44_100, 5);
    let song = song.display().to_string();
    let more = r#"
        [[step]]
        id = "kit"
        network = { makes = ["kick", "snare"] }
        input = "deep"
        [[stem]]
        name = "kick"
        parent = "deep"
        from = [{ step = "kit", output = "kick" }]
    "#;
    let text = format!("{THREE}\n{more}");
    // The steps of the file come first.
    let (steps, stems) = text.split_once("[[stem]]").unwrap();
    let file = home.path().join("kit.toml");
    fs::write(&file, format!("{steps}[[stem]]{stems}")).unwrap();
    let file = file.display().to_string();
    let separate = ["separate", &song, "--chain", &file];
    let text = refused(home.path(), &[&separate[..], &["--stems", "kick"]].concat());
    assert!(text.contains("\"kick\"") && text.contains("makes: kick, snare"), "{text}");
    let out = home.path().join("out").display().to_string();
    run(home.path(), &[&separate[..], &["--stems", "deep", "--out", &out]].concat());
    let text = refused(home.path(), &[&separate[..], &["--stems", "kazoo"]].concat());
    assert!(text.contains("kazoo") && text.contains("low, deep"), "{text}");
    let text = refused(home.path(), &["separate", &song, "--chain", "kazoo"]);
    assert!(text.contains("vocals-first") && text.contains("three"), "{text}");
    let text = refused(home.path(), &["separate", &song, "--chain", "three", "--overlap", "0.1"]);
    assert!(text.contains("--quality"), "{text}");
    run(home.path(), &["add", &song]);
    let text = refused(home.path(), &["process", "song", "--chain", &file]);
    assert!(text.contains("partita chain import"), "{text}");
}
