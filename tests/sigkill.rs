//! Kills at random times: the real program receives SIGKILL during imports, separation, exports and
//! resets. `PARTITA_KILLS` sets the number of kills; the default is small.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use partita::engine::Preferences;
use tempfile::TempDir;

use crate::support::{
    Dice, command, json_lines, partita, slashes, stderr, tiny_home, walk, write_song,
};

const SONGS: [&str; 3] = ["one", "two", "three"];

/// A data folder with songs and an output folder.
struct Place {
    home: TempDir,
    songs: PathBuf,
}

impl Place {
    fn new(songs: &Path) -> Self {
        Self { home: tiny_home(), songs: songs.to_owned() }
    }

    fn out(&self) -> PathBuf {
        self.home.path().join("out")
    }

    /// The arguments of a user's command.
    fn arguments(&self, verb: &str, song: &str) -> Vec<String> {
        let file = self.songs.join(format!("{song}.wav")).display().to_string();
        let out = |name: &str| self.out().join(name).display().to_string();
        let out = out(verb);
        let words: &[&str] = match verb {
            "add" => &["add", &file],
            "process" => &["process", song, "--threads", "1"],
            "separate" => {
                &["separate", &file, "--threads", "1", "--on-exists", "replace", "--out", &out]
            }
            "reset" => &["reset", "--yes"],
            format => &[
                "export",
                song,
                "--mix",
                "--on-exists",
                "replace",
                "--format",
                format,
                "--out",
                &out,
            ],
        };
        words.iter().map(|&word| word.to_owned()).collect()
    }

    /// Runs a command to completion.
    fn carry_out(&self, verb: &str, song: &str) {
        let arguments = self.arguments(verb, song);
        let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let output = partita(self.home.path(), &words);
        assert!(output.status.success(), "{words:?}: {}", stderr(&output));
    }

    /// Kills the program after `time`. Returns the segments that it started to compute.
    fn kill(&self, verb: &str, song: &str, time: Duration) -> Vec<usize> {
        let until = Instant::now() + time;
        self.kill_when(verb, song, || Instant::now() >= until)
    }

    /// Kills the program once `is_time` returns true, if it is still running then.
    fn kill_when(&self, verb: &str, song: &str, is_time: impl Fn() -> bool) -> Vec<usize> {
        let arguments = self.arguments(verb, song);
        let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let log = self.home.path().join("log");
        let mut child = command(self.home.path(), &words)
            .env("PARTITA_LOG", "partita=debug")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&log).unwrap())
            .spawn()
            .unwrap();
        while !is_time() && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_micros(200));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let log = fs::read_to_string(log).unwrap();
        assert!(!log.contains("panicked"), "{words:?}: {log}");
        let computed = log.lines().filter_map(|line| line.split("computing segment ").nth(1));
        computed.filter_map(|rest| rest.split(' ').next()?.parse().ok()).collect()
    }

    fn listed(&self) -> BTreeMap<String, String> {
        let output = partita(self.home.path(), &["list", "--json"]);
        assert!(output.status.success(), "could not open the library: {}", stderr(&output));
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        let lines = json_lines(&output);
        lines
            .iter()
            .map(|line| (text(&line["song"]["title"]), text(&line["song"]["hash"])))
            .collect()
    }

    /// Flags of the finished segments of a song's stems.
    fn flags(&self, song: &str) -> Vec<u8> {
        self.listed().remove(song).map(|hash| self.flags_of(&hash, false)).unwrap_or_default()
    }

    /// Flags of the finished segments of a draft, or of the stems, for the song with this hash.
    fn flags_of(&self, hash: &str, draft: bool) -> Vec<u8> {
        let folder = self.home.path().join("songs").join(&hash[..32]).join("stems");
        let is_flags = |path: &PathBuf| {
            path.ends_with("segments") && slashes(path).contains("-draft/") == draft
        };
        let found = walk(&folder).into_iter().find(is_flags);
        found.and_then(|path| fs::read(path).ok()).unwrap_or_default()
    }

    /// Every completed file of the exports, by relative path.
    fn exported(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let out = self.out();
        let files = walk(&out).into_iter();
        let name = |path: &Path| path.strip_prefix(&out).unwrap().to_owned();
        files
            .filter(|path| !slashes(path).contains("/.partita-"))
            .map(|path| (name(&path), in_one_order(fs::read(&path).unwrap())))
            .collect()
    }

    /// The samples of all mixes and stems.
    fn samples(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let songs = self.home.path().join("songs");
        let files = walk(&songs).into_iter();
        files
            .filter(|path| path.extension().is_some_and(|extension| extension == "f32"))
            .map(|path| (path.strip_prefix(&songs).unwrap().to_owned(), fs::read(&path).unwrap()))
            .collect()
    }

    /// Runs all commands to completion. Returns the duration of each.
    fn finish(&self) -> BTreeMap<(&'static str, &'static str), Duration> {
        let mut took = BTreeMap::new();
        for song in SONGS {
            for verb in ["add", "process", "wav", "flac", "separate"] {
                let start = Instant::now();
                self.carry_out(verb, song);
                took.insert((verb, song), start.elapsed());
            }
        }
        took
    }
}

/// Sorts the bytes of an ID3 tag, whose fields have no fixed order; the bytes before the tag are
/// kept.
fn in_one_order(mut file: Vec<u8>) -> Vec<u8> {
    if let Some(tag) = file.windows(4).rposition(|window| window == b"ID3\x04") {
        file[tag..].sort_unstable();
    }
    file
}

#[test]
fn killed_at_any_moment_nothing_is_lost() {
    let rounds: u64 = std::env::var("PARTITA_KILLS").map_or(12, |text| text.parse().unwrap());
    let seed = std::env::var("PARTITA_SEED").map_or(2026, |text| text.parse().unwrap());
    let songs = tempfile::tempdir().unwrap();
    for (seed, song) in SONGS.iter().enumerate() {
        let frames = 44_100 * (3 + 4 * seed);
        write_song(&songs.path().join(format!("{song}.wav")), frames, 44_100, seed as u32);
    }
    let undisturbed = Place::new(songs.path());
    let took = undisturbed.finish();
    let expected = undisturbed.exported();
    assert_eq!(expected.len(), 3 * (4 + 4 + 3), "{:?}", expected.keys());

    let (place, mut dice) = (Place::new(songs.path()), Dice(seed));
    let mut killed = BTreeMap::<&str, usize>::new();
    for round in 0..rounds {
        let song = SONGS[dice.below(3) as usize];
        let is_known = place.listed().contains_key(song);
        let flags = place.flags(song);
        let is_complete = flags.contains(&1) && !flags.contains(&0);
        let verb = match dice.below(24) {
            0 => "reset",
            1..=4 => "separate",
            _ if !is_known => "add",
            5..=6 => "add",
            7..=14 if is_complete => "wav",
            15..=19 if is_complete => "flac",
            _ => "process",
        };
        // A random time between the start and a little after the usual end.
        let usual = took.get(&(verb, song)).copied().unwrap_or(Duration::from_millis(60));
        let time = Duration::from_micros(dice.below(usual.as_micros() as u64 * 5 / 4));
        let computed = place.kill(verb, song, time);
        *killed.entry(verb).or_default() += 1;
        if verb == "process" {
            let again: Vec<_> =
                computed.iter().filter(|&&segment| flags.get(segment) == Some(&1)).collect();
            assert!(again.is_empty(), "round {round}: computed again: {again:?}");
        }
        let after = place.listed();
        assert!(verb == "reset" || !is_known || after.contains_key(song), "round {round}: lost");
        for (name, bytes) in place.exported() {
            assert!(expected[&name] == bytes, "round {round}: {} is half-written", name.display());
        }
    }
    println!("killed: {killed:?}");

    place.finish();
    assert!(place.exported() == expected, "expected the same files as in an undisturbed run");
    assert!(place.samples() == undisturbed.samples(), "expected the same bits");
    let hidden: Vec<_> = walk(place.home.path())
        .into_iter()
        .filter(|path| {
            let path = slashes(path);
            path.contains("/.partita-") || path.contains("/.removed-")
        })
        .collect();
    assert!(hidden.is_empty(), "swept: {hidden:?}");
    assert_eq!(fs::read_dir(place.home.path().join("songs")).unwrap().count(), SONGS.len());
}

/// Kills a job during the draft that precedes a song's stems. Finished segments of the draft are
/// not computed again. The draft leaves no sample in the stems and is deleted at the end.
#[test]
fn killed_while_it_drafts_the_stems_are_the_same() {
    let songs = tempfile::tempdir().unwrap();
    let frames = 44_100 * 40;
    write_song(&songs.path().join("one.wav"), frames, 44_100, 1);
    let undisturbed = Place::new(songs.path());
    undisturbed.carry_out("add", "one");
    let start = Instant::now();
    undisturbed.carry_out("process", "one");
    let took = start.elapsed();

    let (place, mut dice) = (Place::new(songs.path()), Dice(2026));
    Preferences { drafts_first: true, ..Preferences::default() }.save(place.home.path()).unwrap();
    place.carry_out("add", "one");
    let hash = place.listed().remove("one").unwrap();
    // Kills once the first segment of the draft is finished, then at random, increasing times, so
    // that the job completes eventually.
    let has_begun = |draft| place.flags_of(&hash, draft).contains(&1);
    let mut computed = place.kill_when("process", "one", || has_begun(true)).len();
    assert!(has_begun(true) && !has_begun(false), "the program was not killed during the draft");
    let is_done = || {
        let flags = place.flags_of(&hash, false);
        flags.contains(&1) && !flags.contains(&0)
    };
    let (mut killed, mut drafted) = (1_u32, 1);
    while !is_done() {
        let most = took.as_micros() as u64 * u64::from(4 + killed) / 16;
        let time = Duration::from_micros(dice.below(most));
        computed += place.kill("process", "one", time).len();
        drafted += usize::from(!has_begun(false));
        killed += 1;
        assert!(killed < 100, "the job does not complete");
    }
    place.carry_out("process", "one");
    println!("killed {killed} times, {drafted} of them in the draft");
    let (segments, drafts) = (frames.div_ceil(2100), frames.div_ceil(2800));
    let most = segments + drafts + 2 * killed as usize;
    assert!(computed <= most, "{computed} computed, of {segments} and {drafts}");
    assert!(place.samples() == undisturbed.samples(), "expected the same bits, and no draft");
}
