//! Archives as cluster schedulers start them: manifests, shares, killed and terminated programs,
//! songs that fail, and the report over everything. The network is a small one.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::{Child, Output, Stdio},
    time::{Duration, Instant},
};

use partita::engine::cluster::key::{Keys, Source};
use proptest::prelude::*;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::{
    Dice, command, home, json_lines, partita, read_wav, slashes, stderr, stdout, tiny_home, walk,
    write_song,
};

/// Distance of the small network's segments, in frames.
const STRIDE: usize = 2100;

/// A data folder with songs and an output folder.
struct Archive {
    home: TempDir,
}

impl Archive {
    /// Creates songs `song-0.wav` and so on, with these lengths in frames.
    fn new(lengths: &[usize]) -> Self {
        let archive = Self { home: tiny_home() };
        fs::create_dir(archive.at("songs")).unwrap();
        for (index, frames) in lengths.iter().enumerate() {
            write_song(&archive.song(index), *frames, 44_100, index as u32);
        }
        archive
    }

    fn at(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn song(&self, index: usize) -> PathBuf {
        self.at("songs").join(format!("song-{index}.wav"))
    }

    /// Writes a manifest with these lines.
    fn manifest(&self, name: &str, lines: &[String]) -> PathBuf {
        let path = self.at(name);
        fs::write(&path, lines.join("\n")).unwrap();
        path
    }

    fn paths(&self, count: usize) -> Vec<String> {
        (0..count).map(|index| self.song(index).display().to_string()).collect()
    }

    fn words<'a>(manifest: &'a str, out: &'a str, more: &[&'a str]) -> Vec<&'a str> {
        let words = ["separate", "--json", "--threads", "1", "--manifest", manifest, "--out", out];
        [&words[..], more].concat()
    }

    fn run(&self, manifest: &Path, out: &str, more: &[&str]) -> Output {
        let out = self.at(out);
        let words = Self::words(manifest.to_str().unwrap(), out.to_str().unwrap(), more);
        command(self.home.path(), &words).env("PARTITA_LOG", "partita=debug").output().unwrap()
    }

    fn spawn(&self, manifest: &Path, out: &str, more: &[&str]) -> Child {
        let out = self.at(out);
        let words = Self::words(manifest.to_str().unwrap(), out.to_str().unwrap(), more);
        command(self.home.path(), &words)
            .env("PARTITA_LOG", "partita=debug")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    fn report(&self, out: &str, more: &[&str]) -> (Option<i32>, Value) {
        let out = self.at(out);
        let words = [&["report", "--json", out.to_str().unwrap()], more].concat();
        let output = partita(self.home.path(), &words);
        (output.status.code(), json_lines(&output).remove(0))
    }

    /// The samples of every result, by file name.
    fn results(&self, out: &str) -> BTreeMap<PathBuf, Vec<f32>> {
        let out = self.at(out);
        let files = walk(&out)
            .into_iter()
            .filter(|path| path.extension().is_some_and(|ending| ending == "wav"));
        let results =
            files.map(|path| (path.strip_prefix(&out).unwrap().to_owned(), read_wav(&path)));
        results.collect()
    }

    /// Files of incomplete work that were not cleaned up.
    fn left_over(&self, out: &str) -> Vec<PathBuf> {
        let is_part = |path: &Path| path.extension().is_some_and(|ending| ending == "part");
        let out = self.at(out);
        let work = out.join(".partita/work");
        let is_left = |path: &PathBuf| is_part(path) || path.starts_with(&work);
        walk(&out).into_iter().filter(is_left).collect()
    }
}

fn segments(frames: usize) -> usize {
    frames.div_ceil(STRIDE)
}

fn code(output: &Output) -> Option<i32> {
    output.status.code()
}

/// Events of a kind, in order.
fn events(output: &Output, kind: &str) -> Vec<Value> {
    let lines = stdout(output);
    let values = lines.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    values.filter(|line| line["event"] == kind).collect()
}

fn names(events: &[Value]) -> Vec<String> {
    events.iter().map(|event| event["song"].as_str().unwrap().to_owned()).collect()
}

/// Number of segments that a program started to compute.
fn begun(output: &Output) -> usize {
    stderr(output).matches("computing segment ").count()
}

#[test]
fn a_manifest_in_any_form_gives_the_same_files() {
    let archive = Archive::new(&[6000, 9000]);
    let paths = archive.paths(2);
    let lines = archive.manifest("a.txt", &paths);
    assert_eq!(code(&archive.run(&lines, "lines", &[])), Some(0));
    let csv = archive.manifest(
        "a.csv",
        &["path,name".into(), format!("\"{}\",", paths[0]), format!("{},", paths[1])],
    );
    assert_eq!(code(&archive.run(&csv, "csv", &[])), Some(0));
    let objects = paths.iter().map(|path| serde_json::json!({ "path": path }).to_string());
    let objects = archive.manifest("a.jsonl", &objects.collect::<Vec<_>>());
    assert_eq!(code(&archive.run(&objects, "objects", &[])), Some(0));
    let expected = archive.results("lines");
    assert_eq!(expected.len(), 2 * 3, "{:?}", expected.keys());
    assert!(archive.results("csv") == expected && archive.results("objects") == expected);

    // A manifest from a pipe, and no manifest at all, give the same results.
    let (out, file) = (archive.at("piped"), fs::File::open(&lines).unwrap());
    let words = Archive::words("-", out.to_str().unwrap(), &[]);
    let piped = command(archive.home.path(), &words).stdin(file).output().unwrap();
    assert!(piped.status.success(), "{}", stderr(&piped));
    assert!(archive.results("piped") == expected);
    let out = archive.at("plain");
    let words =
        ["separate", &paths[0], &paths[1], "--threads", "1", "--out", out.to_str().unwrap()];
    assert!(partita(archive.home.path(), &words).status.success());
    assert!(archive.results("plain") == expected);
}

#[test]
fn lines_have_names_folders_and_options_of_their_own() {
    let archive = Archive::new(&[6000, 6000]);
    let paths = archive.paths(2);
    let manifest = archive.manifest(
        "a.csv",
        &[
            "path,name,folder,stems,format,mix".into(),
            format!("{},First: one,x/y,low,,", paths[0]),
            format!("{},First? one,x/Y,\"low,high\",flac,yes", paths[1]),
        ],
    );
    let output = archive.run(&manifest, "out", &["--stems", "rest"]);
    assert_eq!(code(&output), Some(0), "{}", stderr(&output));
    let files = walk(&archive.at("out"));
    let files: BTreeSet<String> = files
        .iter()
        .filter(|path| !path.to_string_lossy().contains(".partita"))
        .map(|path| slashes(path.strip_prefix(archive.at("out")).unwrap()))
        .collect();
    // Names that some file system treats as equal get a number. On Windows, x/Y is x/y.
    let second = if cfg!(windows) { "x/y" } else { "x/Y" };
    let expected: Vec<String> = ["high.flac", "low.flac", "mix.flac"]
        .map(|file| format!("{second}/First_ one (2)/{file}"))
        .into_iter()
        .chain(["x/y/First_ one/low.wav".to_owned()])
        .collect();
    assert_eq!(files.into_iter().collect::<Vec<_>>(), expected);

    for (lines, words) in [
        (vec!["path,stems".to_owned(), format!("{},kazoo", paths[0])], "line 2"),
        (vec!["path,colour".to_owned(), format!("{},red", paths[0])], "line 2: colour"),
        (vec!["path,format".to_owned(), format!("{},wma", paths[0])], "line 2: format"),
        (vec!["path,folder".to_owned(), format!("{},../up", paths[0])], "line 2: folder"),
        (vec!["path,seconds".to_owned(), format!("{},soon", paths[0])], "line 2"),
        (vec!["{\"path\": 1".to_owned()], "line 1"),
    ] {
        let manifest = archive.manifest("wrong", &lines);
        let output = archive.run(&manifest, "wrong-out", &[]);
        assert_eq!(code(&output), Some(2), "{lines:?}");
        assert!(stderr(&output).contains(words), "{lines:?}: {}", stderr(&output));
        assert!(!archive.at("wrong-out").exists());
    }
}

/// Shares of real files, whose headers have the lengths. Each file is in one share, even if it is
/// not a song, and the shares have similar lengths.
#[test]
fn shares_have_every_song_once_and_nearly_one_length() {
    let mut dice = Dice(41);
    let lengths: Vec<usize> = (0..13).map(|_| 2000 + dice.below(30_000) as usize).collect();
    let archive = Archive::new(&lengths);
    let mut paths = archive.paths(13);
    fs::write(archive.at("songs/words.mp3"), "no music, only words\n".repeat(99)).unwrap();
    paths.push(archive.at("songs/words.mp3").display().to_string());
    paths.push(archive.at("songs/gone.wav").display().to_string());
    let manifest = archive.manifest("all.txt", &paths);
    let (mut done, mut failed, mut loads) = (Vec::new(), Vec::new(), Vec::new());
    for shard in ["1/4", "2/4", "3/4", "4/4"] {
        if shard == "4/4" {
            let (code, report) = archive.report("out", &[]);
            assert_eq!((code, &report["not_begun"][0]), (Some(75), &Value::from("4/4")));
            assert_eq!(report["songs"], 15, "songs of a share that has not started also count");
        }
        let output = archive.run(&manifest, "out", &["--shard", shard]);
        let failures = names(&events(&output, "failed"));
        assert_eq!(code(&output), Some(i32::from(!failures.is_empty())), "{}", stderr(&output));
        let of_share = events(&output, "done");
        let seconds: Vec<f64> =
            of_share.iter().map(|event| event["seconds"].as_f64().unwrap()).collect();
        assert!(seconds.is_sorted_by(|a, b| a >= b), "expected the longest first: {seconds:?}");
        loads.push(seconds.iter().sum::<f64>());
        done.extend(names(&of_share));
        failed.extend(failures);
    }
    done.sort();
    let mut expected = paths[..13].to_vec();
    expected.sort();
    assert_eq!(done, expected);
    failed.sort();
    let mut expected = paths[13..].to_vec();
    expected.sort();
    assert_eq!(failed, expected, "each failure belongs to one share");
    let (least, most) =
        (loads.iter().copied().fold(9e9, f64::min), loads.iter().copied().fold(0.0, f64::max));
    let longest = *lengths.iter().max().unwrap() as f64 / 44_100.0;
    assert!(most - least <= longest, "{loads:?}");
    let (code, report) = archive.report("out", &["--verify"]);
    assert_eq!(
        (code, report["done"].as_u64(), report["failed"].as_u64()),
        (Some(1), Some(13), Some(2))
    );
    assert_eq!(report["shares_disagree"], false);
    assert_eq!(report["files"], 13 * 3);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    /// Checks the assignment of songs to shares, for any lengths and any number of shares.
    #[test]
    fn any_number_of_shares_holds_every_song_once(
        lengths in proptest::collection::vec(proptest::option::of(0.5f64..700.0), 0..120),
        count in 1usize..50,
    ) {
        use partita::engine::cluster::shard::shares;
        let songs: Vec<_> =
            lengths.iter().enumerate().map(|(i, seconds)| (format!("{i}.wav"), *seconds)).collect();
        let whole = shares(&songs, count);
        // Each node computes only its own share: together they contain every song exactly once.
        let mut seen = vec![0; songs.len()];
        for share in 0..count {
            for (song, of) in shares(&songs, count).into_iter().enumerate() {
                seen[song] += usize::from(of == share);
            }
        }
        prop_assert_eq!(whole.len(), songs.len());
        prop_assert!(seen.iter().all(|&times| times == 1));
    }
}

/// Kills a share again and again. Completed songs are skipped, an interrupted song resumes after
/// its last segment, and the samples equal those of an undisturbed run.
#[test]
fn a_killed_share_goes_on_from_its_last_segment() {
    let lengths = [44_100, 88_200, 22_050, 66_150];
    let archive = Archive::new(&lengths);
    let manifest = archive.manifest("all.txt", &archive.paths(4));
    let start = Instant::now();
    let undisturbed = archive.run(&manifest, "undisturbed", &[]);
    assert_eq!(code(&undisturbed), Some(0), "{}", stderr(&undisturbed));
    let (took, mut dice) = (start.elapsed(), Dice(7));
    let total: usize = lengths.iter().copied().map(segments).sum();
    assert_eq!(begun(&undisturbed), total);
    let (mut killed, mut computed) = (0, 0);
    let last = loop {
        let mut child = archive.spawn(&manifest, "killed", &[]);
        if killed < 8 {
            std::thread::sleep(took.mul_f64(dice.below(400) as f64 / 1000.0));
            child.kill().unwrap();
        }
        let output = child.wait_with_output().unwrap();
        computed += begun(&output);
        if output.status.success() {
            break output;
        }
        let of_killed = cfg!(windows).then_some(1); // elsewhere, a signal has no code
        assert_eq!(code(&output), of_killed, "killed: {}", stderr(&output));
        killed += 1;
        for (name, samples) in archive.results("killed") {
            assert!(samples.len() >= 2 * 22_050, "{}: half-written", name.display());
        }
    };
    // The current segment, and the one that was being stored, may be computed again.
    assert!(computed <= total + 2 * killed, "{computed} of {total}, killed {killed} times");
    assert!(archive.results("killed") == archive.results("undisturbed"));
    let left = archive.left_over("killed");
    assert!(left.is_empty(), "{left:?}");
    let again = archive.run(&manifest, "killed", &[]);
    assert_eq!((code(&again), begun(&again), events(&again, "skipped").len()), (Some(0), 0, 4));
    let (code, report) = archive.report("killed", &["--verify"]);
    assert_eq!((code, report["done"].as_u64()), (Some(0), Some(4)), "{report}");
    drop(last);
}

/// Sends SIGTERM: the current segment is finished, and the next run computes only the others.
#[cfg(unix)] // Windows has no SIGTERM
#[test]
fn sigterm_finishes_the_segment_and_reports_it() {
    let frames = 44_100 * 40;
    let archive = Archive::new(&[frames, 4000]);
    let manifest = archive.manifest("all.txt", &archive.paths(2));
    let child = archive.spawn(&manifest, "out", &[]);
    let flags = || {
        let flags = walk(&archive.at("out")).into_iter().filter(|path| path.ends_with("segments"));
        flags.flat_map(|path| fs::read(path).unwrap_or_default()).filter(|&flag| flag == 1).count()
    };
    let until = Instant::now() + Duration::from_mins(2);
    while flags() < 3 {
        assert!(Instant::now() < until, "the program does not start");
        std::thread::sleep(Duration::from_millis(5));
    }
    let signalled = Instant::now();
    let kill = std::process::Command::new("kill").arg(child.id().to_string()).status().unwrap();
    assert!(kill.success());
    let ended = child.wait_with_output().unwrap();
    assert!(signalled.elapsed() < Duration::from_secs(20), "{:?}", signalled.elapsed());
    assert_eq!(code(&ended), Some(75), "{}", stderr(&ended));
    let summary = events(&ended, "ended").remove(0);
    assert_eq!(
        (summary["left"].as_u64(), summary["done"].as_u64()),
        (Some(2), Some(0)),
        "{summary}"
    );
    let finished = flags();
    assert_eq!(begun(&ended), finished, "a started segment was not finished");
    let (report_code, report) = archive.report("out", &[]);
    assert_eq!((report_code, &report["shares"][0]["state"]), (Some(75), &Value::from("stopped")));
    let next = archive.run(&manifest, "out", &[]);
    assert_eq!(code(&next), Some(0), "{}", stderr(&next));
    assert_eq!(
        begun(&next) + finished,
        segments(frames) + segments(4000),
        "a segment was computed twice"
    );
}

/// A song that fails permanently stops nothing, and is distinguished from one that may succeed
/// later.
#[test]
fn failures_are_listed_and_the_exit_code_says_whether_to_retry() {
    let archive = Archive::new(&[6000]);
    let broken = archive.at("songs/broken.wav");
    fs::write(&broken, "only words\n".repeat(40)).unwrap();
    let away = archive.at("mount/song.wav");
    let lines = [&broken, &archive.song(0), &archive.at("songs/gone.wav")];
    let lines: Vec<String> = lines.map(|path| path.display().to_string()).into();
    let manifest = archive.manifest("all.txt", &lines);
    let output = archive.run(&manifest, "out", &["--format", "flac"]);
    assert_eq!(code(&output), Some(1), "{}", stderr(&output));
    assert_eq!(events(&output, "done").len(), 1);
    let failures = archive.at("out/failures.jsonl");
    let listed = fs::read_to_string(&failures).unwrap();
    let listed: Vec<Value> =
        listed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(listed.len(), 2);
    assert!(listed.iter().all(|failure| failure["temporary"] == false), "{listed:?}");
    assert_eq!((listed[0]["line"].as_u64(), listed[1]["line"].as_u64()), (Some(1), Some(3)));
    assert!(listed[0]["reason"].as_str().unwrap().contains("not an audio file"), "{listed:?}");
    assert!(!archive.at("out/broken").exists(), "files of the broken song are left");

    // The list is a manifest: once the causes are fixed, it contains exactly the remaining songs.
    write_song(&broken, 5000, 44_100, 3);
    write_song(&archive.at("songs/gone.wav"), 5000, 44_100, 4);
    let kept = archive.at("again.jsonl");
    fs::copy(&failures, &kept).unwrap();
    let output = archive.run(&kept, "out", &["--format", "flac"]);
    assert_eq!((code(&output), events(&output, "done").len()), (Some(0), 2), "{}", stderr(&output));
    assert!(!failures.exists(), "a song failed again");
    let output = archive.run(&manifest, "out", &["--format", "flac"]);
    assert_eq!((code(&output), events(&output, "skipped").len()), (Some(0), 3));

    // An unmounted file system may be mounted later.
    let lines = [lines[1].clone(), away.display().to_string()];
    let manifest = archive.manifest("away.txt", &lines);
    let output = archive.run(&manifest, "out", &["--format", "flac"]);
    assert_eq!(code(&output), Some(75), "{}", stderr(&output));
    assert!(fs::read_to_string(&failures).unwrap().contains("\"temporary\":true"));
    // Without the length of a song, this node cannot compute the same shares as the others.
    let output = archive.run(&manifest, "out", &["--shard", "1/2"]);
    assert_eq!(code(&output), Some(75), "{}", stderr(&output));
    assert!(stderr(&output).contains("partita probe"), "{}", stderr(&output));
    fs::create_dir(archive.at("mount")).unwrap();
    write_song(&away, 5000, 44_100, 5);
    let output = archive.run(&manifest, "out", &["--format", "flac"]);
    assert_eq!(code(&output), Some(0), "{}", stderr(&output));
}

/// Foreign files are never replaced unless requested, and changed results are written again.
#[test]
fn files_of_others_stay_and_what_is_not_whole_is_made_again() {
    let archive = Archive::new(&[6000, 7000]);
    let manifest = archive.manifest("all.txt", &archive.paths(2));
    let own = archive.at("out/song-0");
    fs::create_dir_all(&own).unwrap();
    let stem = own.join("low.wav");
    fs::write(&stem, "the user's own").unwrap();
    let output = archive.run(&manifest, "out", &[]);
    assert_eq!((code(&output), events(&output, "done").len()), (Some(1), 1), "{}", stderr(&output));
    assert_eq!(fs::read_to_string(&stem).unwrap(), "the user's own");
    let output = archive.run(&manifest, "out", &["--on-exists", "replace"]);
    assert_eq!((code(&output), events(&output, "done").len()), (Some(0), 1), "{}", stderr(&output));
    assert_eq!(code(&archive.run(&manifest, "out", &["--on-exists", "number"])), Some(2));

    let second = walk(&archive.at("out/song-1")).remove(0);
    let whole = fs::read(&second).unwrap();
    // The order of tags differs between runs.
    let samples = read_wav(&second);
    fs::write(&second, &whole[..whole.len() / 2]).unwrap();
    let (report_code, report) = archive.report("out", &[]);
    assert_eq!((report_code, report["done"].as_u64()), (Some(75), Some(1)));
    assert_eq!(Path::new(report["not_whole"][0].as_str().unwrap()), second);
    let output = archive.run(&manifest, "out", &[]);
    assert_eq!((code(&output), names(&events(&output, "done")).len()), (Some(0), 1));
    assert!(read_wav(&second) == samples);

    // Only `--verify`, which reads the content, detects a flipped bit.
    let mut bytes = whole.clone();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&second, &bytes).unwrap();
    assert_eq!(archive.report("out", &[]).0, Some(0));
    assert_eq!(archive.report("out", &["--verify"]).0, Some(75));
    let output = archive.run(&manifest, "out", &["--no-resume"]);
    assert_eq!((code(&output), events(&output, "done").len()), (Some(0), 2));
    assert!(read_wav(&second) == samples);

    write_song(&archive.song(1), 8000, 44_100, 9);
    let output = archive.run(&manifest, "out", &[]);
    assert_eq!(
        names(&events(&output, "done")),
        [archive.paths(2)[1].clone()],
        "the changed song was not separated again"
    );
}

/// Starts three programs on the same share: they divide the work, and the files are correct.
#[test]
fn three_on_the_same_share_do_not_spoil_each_other() {
    let lengths = [66_150, 60_000, 55_000, 50_000];
    let archive = Archive::new(&lengths);
    let manifest = archive.manifest("all.txt", &archive.paths(4));
    assert_eq!(code(&archive.run(&manifest, "alone", &[])), Some(0));
    let all: Vec<Child> = (0..3).map(|_| archive.spawn(&manifest, "out", &[])).collect();
    let mut computed = 0;
    for child in all {
        let output = child.wait_with_output().unwrap();
        assert_eq!(code(&output), Some(0), "{}", stderr(&output));
        let summary = events(&output, "ended").remove(0);
        assert_eq!(summary["done"], 4, "{summary}");
        computed += begun(&output);
    }
    let total: usize = lengths.iter().copied().map(segments).sum();
    assert!(computed < 2 * total, "the programs did not divide the work: {computed} of {total}");
    assert!(archive.results("out") == archive.results("alone"));
    assert!(archive.left_over("out").is_empty(), "{:?}", archive.left_over("out"));
    assert_eq!(archive.report("out", &["--verify"]).0, Some(0));
}

/// Converts receipts and lists to version 1's format, or leaves interrupted work in that format.
fn as_version_1(archive: &Archive, out: &str) {
    let state = archive.at(out).join(".partita");
    for list in walk(&state.join("shards")) {
        if list.extension().is_none_or(|ending| ending != "songs") {
            continue;
        }
        let mut lines = Vec::new();
        for line in fs::read_to_string(&list).unwrap().lines() {
            let mut line: Value = serde_json::from_str(line).unwrap();
            let (key, first) = (line["key"].clone(), line["first_version"].take());
            line.as_object_mut().unwrap().remove("first_version");
            line["key"] = first.clone();
            lines.push(line.to_string());
            let (key, first) = (key.as_str().unwrap(), first.as_str().unwrap());
            let receipt = state.join("songs").join(&key[..2]).join(format!("{key}.json"));
            if let Ok(text) = fs::read(&receipt) {
                let mut content: Value = serde_json::from_slice(&text).unwrap();
                content["key"] = first.into();
                let folder = state.join("songs").join(&first[..2]);
                fs::create_dir_all(&folder).unwrap();
                fs::write(folder.join(format!("{first}.json")), content.to_string()).unwrap();
                fs::remove_file(&receipt).unwrap();
            }
            let file = Path::new(line["song"].as_str().unwrap());
            let keys = Keys { song: key.into(), first_version: Some(first.into()) };
            let work = state.join("work").join(keys.first_version_work(Source::of(file)).unwrap());
            for folder in fs::read_dir(state.join("work").join(key)).into_iter().flatten() {
                let content = fs::read_dir(folder.unwrap().path()).unwrap().next().unwrap();
                fs::create_dir_all(&work).unwrap();
                fs::rename(content.unwrap().path(), work.join("try-a1B2c3")).unwrap();
            }
            drop(fs::remove_dir_all(state.join("work").join(key)));
        }
        fs::write(&list, lines.join("\n")).unwrap();
    }
}

#[test]
fn an_archive_of_version_1_is_complete_and_not_counted_twice() {
    let archive = Archive::new(&[6000, 7000]);
    let manifest = archive.manifest("all.txt", &archive.paths(2));
    assert_eq!(code(&archive.run(&manifest, "out", &[])), Some(0));
    as_version_1(&archive, "out");
    let (report_code, report) = archive.report("out", &["--verify"]);
    assert_eq!((report_code, report["done"].as_u64()), (Some(0), Some(2)), "{report}");
    let again = archive.run(&manifest, "out", &[]);
    assert_eq!((code(&again), begun(&again), events(&again, "skipped").len()), (Some(0), 0, 2));
    // Another division of the manifest lists the songs by their current keys.
    as_version_1(&archive, "out");
    assert_eq!(code(&archive.run(&manifest, "out", &["--shard", "1/2"])), Some(0));
    assert_eq!(code(&archive.run(&manifest, "out", &["--shard", "2/2"])), Some(0));
    let (report_code, report) = archive.report("out", &["--verify"]);
    let counts = (report["songs"].as_u64(), report["done"].as_u64());
    assert_eq!((report_code, counts), (Some(0), (Some(2), Some(2))), "{report}");
}

#[cfg(unix)] // Windows has no SIGTERM, and version 1 did not run there
#[test]
fn half_done_work_of_version_1_is_resumed() {
    let archive = Archive::new(&[44_100 * 20]);
    let manifest = archive.manifest("all.txt", &archive.paths(1));
    let child = archive.spawn(&manifest, "out", &[]);
    let flags = || {
        let flags = walk(&archive.at("out")).into_iter().filter(|path| path.ends_with("segments"));
        flags.flat_map(|path| fs::read(path).unwrap_or_default()).filter(|&flag| flag == 1).count()
    };
    let until = Instant::now() + Duration::from_mins(2);
    while flags() < 2 {
        assert!(Instant::now() < until, "the program does not start");
        std::thread::sleep(Duration::from_millis(5));
    }
    let kill = std::process::Command::new("kill").arg(child.id().to_string()).status().unwrap();
    assert!(kill.success());
    let ended = child.wait_with_output().unwrap();
    assert_eq!(code(&ended), Some(75), "{}", stderr(&ended));
    as_version_1(&archive, "out");
    let finished = flags();
    assert!(finished >= 2);
    let next = archive.run(&manifest, "out", &[]);
    assert_eq!(code(&next), Some(0), "{}", stderr(&next));
    assert_eq!(begun(&next) + finished, segments(44_100 * 20), "a segment was computed twice");
    assert!(archive.left_over("out").is_empty(), "{:?}", archive.left_over("out"));
}

#[test]
fn the_share_that_a_cluster_assigns_is_separated_and_reported() {
    let archive = Archive::new(&[5000]);
    let manifest = archive.manifest("all.txt", &archive.paths(1));
    let out = archive.at("out");
    let words =
        ["separate", "--manifest", manifest.to_str().unwrap(), "--out", out.to_str().unwrap()];
    let output = command(archive.home.path(), &words)
        .env("SLURM_CPUS_PER_TASK", "1")
        .env("SLURM_MEM_PER_NODE", "512")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let words = "1 thread (from SLURM_CPUS_PER_TASK), 512 MB of memory (from SLURM_MEM_PER_NODE)";
    assert!(stderr(&output).contains(words), "{}", stderr(&output));
    let record = walk(&out.join(".partita/shards"));
    let record = record.iter().find(|path| path.extension().unwrap() == "json").unwrap();
    let record: Value = serde_json::from_slice(&fs::read(record).unwrap()).unwrap();
    assert_eq!(record["threads"], 1);
}

#[test]
fn probe_prints_a_manifest_with_lengths() {
    let archive = Archive::new(&[44_100, 22_050]);
    let lines = ["path,stems".into(), format!("{},low", archive.paths(1)[0])];
    let manifest = archive.manifest("a.csv", &lines);
    let output = partita(archive.home.path(), &["probe", "--manifest", manifest.to_str().unwrap()]);
    let line = &json_lines(&output)[0];
    assert_eq!((line["seconds"].as_f64(), line["stems"].as_str()), (Some(1.0), Some("low")));
    let songs = archive.at("songs");
    let lines = json_lines(&partita(archive.home.path(), &["probe", songs.to_str().unwrap()]));
    let seconds: Vec<f64> = lines.iter().map(|line| line["seconds"].as_f64().unwrap()).collect();
    assert_eq!(seconds, [1.0, 0.5]);
}

/// The files of a folder that a process has mapped: their inode numbers, resident bytes, and
/// proportional share in bytes.
#[cfg(target_os = "linux")] // read from /proc
fn mapped(process: u32, folder: &Path) -> (BTreeSet<String>, u64, u64) {
    let maps = fs::read_to_string(format!("/proc/{process}/smaps")).unwrap_or_default();
    let (mut files, mut resident, mut share) = (BTreeSet::new(), 0, 0);
    let mut is_inside = false;
    for line in maps.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        if let [range, _, _, _, inode, ..] = words[..]
            && range.contains('-')
        {
            is_inside = words.get(5).is_some_and(|path| Path::new(path).starts_with(folder));
            files.extend(is_inside.then(|| inode.to_owned()));
        } else if let ([what, amount, "kB"], true) = (&words[..], is_inside) {
            let bytes = amount.parse::<u64>().unwrap() << 10;
            match *what {
                "Rss:" => resident += bytes,
                "Pss:" => share += bytes,
                _ => {}
            }
        }
    }
    (files, resident, share)
}

/// Two processes hold the weights in memory once. Uses the real network, because small weights are
/// not mapped.
#[cfg(target_os = "linux")] // counts mappings in /proc
#[test]
fn processes_of_a_computer_share_the_weights() {
    let archive = Archive { home: home() };
    fs::create_dir(archive.at("songs")).unwrap();
    for index in 0..2 {
        write_song(&archive.song(index), 44_100 * 60, 44_100, index as u32);
    }
    let manifest = archive.manifest("all.txt", &archive.paths(2));
    let spawn = |shard| archive.spawn(&manifest, "out", &["--shard", shard]);
    let mut both = [spawn("1/2"), spawn("2/2")];
    let folder = archive.at("packed").canonicalize().unwrap_or_else(|_| archive.at("packed"));
    let until = Instant::now() + Duration::from_mins(2);
    let (files, resident, share) = loop {
        let [one, two] = both.each_ref().map(|child| mapped(child.id(), &folder));
        // Both processes have mapped everything, and each accounts for half.
        if one.0 == two.0 && one.1 > 100 << 20 && one.2.max(two.2) < one.1 * 6 / 10 {
            break one;
        }
        assert!(Instant::now() < until, "{:?} and {:?}", (one.1, one.2), (two.1, two.2));
        std::thread::sleep(Duration::from_millis(50));
    };
    println!(
        "{} files, {} MB, of which each process accounts for {}",
        files.len(),
        resident >> 20,
        share >> 20
    );
    for child in &mut both {
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
