//! The soak test: for a given time, songs of all kinds are imported, separated, cancelled, played,
//! exported, removed and restored, while programs are killed. The command line, a window (with
//! Xvfb), and an engine in this process run concurrently. Started by `./x soak MINUTES`.
//!
//! At the end, everything reported as done must be complete and bit-exact. Threads, open files and
//! memory of the surviving processes must not have grown. A hanging process prints its stacks.

#![cfg(target_os = "linux")] // reads /proc, opens windows by X11

mod files;
mod finish;
mod inside;
mod stuck;
mod window;

use std::{
    collections::BTreeMap,
    fs,
    os::unix::process::ExitStatusExt as _,
    path::{Path, PathBuf},
    process::{ExitStatus, Output, Stdio},
    sync::Mutex,
    time::{Duration, Instant},
};

use self::{files::Files, stuck::stacks};
use crate::support::{Dice, command, json_lines, tiny_home};

/// Longest duration of a command, whatever else is running.
const PATIENCE: Duration = Duration::from_mins(5);

/// Formats of the exports.
const FORMATS: [&str; 5] = ["wav", "flac", "alac", "mp3", "opus"];

/// Resources of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Holds {
    threads: usize,
    files: usize,
    /// Resident bytes.
    memory: u64,
}

impl Holds {
    /// The resources of a process; `None` if the process has exited.
    fn of(process: u32) -> Option<Self> {
        let count =
            |what: &str| Some(fs::read_dir(format!("/proc/{process}/{what}")).ok()?.count());
        let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse().ok()?;
        Some(Self { threads: count("task")?, files: count("fd")?, memory: kilobytes << 10 })
    }

    /// Faults for resources that have grown.
    fn grown_since(self, begin: Self, who: &str) -> Vec<String> {
        let mut faults = Vec::new();
        println!("{who}: {begin:?} at first, {self:?} at last");
        if self.threads > begin.threads + 2 {
            faults.push(format!("{who}: threads grew from {} to {}", begin.threads, self.threads));
        }
        if self.files > begin.files + 8 {
            faults.push(format!("{who}: open files grew from {} to {}", begin.files, self.files));
        }
        if self.memory > begin.memory + begin.memory / 2 + (48 << 20) {
            let (from, to) = (begin.memory >> 20, self.memory >> 20);
            faults.push(format!("{who}: memory grew from {from} to {to} MB"));
        }
        faults
    }
}

/// Log of the operations and faults.
struct Diary {
    since: Instant,
    done: Mutex<BTreeMap<String, usize>>,
    faults: Mutex<Vec<String>>,
}

impl Diary {
    fn note(&self, what: &str) {
        *self.done.lock().unwrap().entry(what.to_owned()).or_default() += 1;
    }

    fn fault(&self, what: String) {
        println!("FAULT, after {} s: {what}", self.since.elapsed().as_secs());
        self.faults.lock().unwrap().push(what);
    }
}

#[test]
#[ignore = "runs for a given time: ./x soak MINUTES"]
fn soak() {
    let minutes: f64 = std::env::var("PARTITA_SOAK").map_or(1.0, |text| text.parse().unwrap());
    let until = Instant::now() + Duration::from_secs_f64(minutes * 60.0);
    let files = Files::make();
    println!("{} good files, {} bad ones", files.good.len(), files.bad.len());
    let home = tiny_home();
    let diary = Diary { since: Instant::now(), done: Mutex::default(), faults: Mutex::default() };
    std::thread::scope(|scope| {
        for seed in 1..=2 {
            let work = Commands { home: home.path(), files: &files, diary: &diary };
            scope.spawn(move || work.run(Dice(seed * 7919), until));
        }
        scope.spawn(|| window::soak(home.path(), &files, &diary, until));
        scope.spawn(|| inside::soak(&files, &diary, until));
    });
    for (what, times) in diary.done.lock().unwrap().iter() {
        println!("{times:>7} {what}");
    }
    finish::finish(home.path(), &files, &diary);
    let faults = diary.faults.into_inner().unwrap();
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

/// A source of random commands, some of which are killed.
struct Commands<'a> {
    home: &'a Path,
    files: &'a Files,
    diary: &'a Diary,
}

impl Commands<'_> {
    fn run(&self, mut dice: Dice, until: Instant) {
        while Instant::now() < until {
            let arguments = self.next(&mut dice);
            let is_killed = dice.below(4) == 0;
            let time = is_killed.then(|| Duration::from_micros(dice.below(1_500_000)));
            self.carry_out(&arguments, time);
        }
    }

    fn next(&self, dice: &mut Dice) -> Vec<String> {
        let mut pick =
            |of: &[PathBuf]| of[dice.below(of.len() as u64) as usize].display().to_string();
        let (good, bad) = (pick(&self.files.good), pick(&self.files.bad));
        let songs = json_lines(&run(self.home, &["list", "--json"], self.diary));
        let song = match songs.len() as u64 {
            0 => String::new(),
            count => songs[dice.below(count) as usize]["song"]["id"].to_string(),
        };
        let format = FORMATS[dice.below(5) as usize];
        let out = self.home.join("out").join(dice.below(8).to_string()).display().to_string();
        let words: &[&str] = match dice.below(100) {
            _ if song.is_empty() => &["add", &good],
            0..25 => &["add", &good],
            25..30 => &["add", &good, &bad],
            30..33 => &["add", &bad],
            33..65 => &["process", &song, "--threads", "1"],
            65..80 => {
                &["export", &song, "--format", format, "--on-exists", "replace", "--out", &out]
            }
            80..86 => {
                &["separate", &good, "--threads", "1", "--on-exists", "number", "--out", &out]
            }
            86..90 => &["progress", &song],
            90..94 => &["jobs"],
            94..96 => &["doctor"],
            96..99 => &["list"],
            _ => &["reset", "--yes"],
        };
        words.iter().map(|&word| word.to_owned()).collect()
    }

    fn carry_out(&self, arguments: &[String], killed_after: Option<Duration>) {
        let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let (status, said) = match carry_out(self.home, &words, killed_after) {
            Ok((status, _, said)) => (Some(status), said),
            Err((said, stacks)) if killed_after.is_none() => {
                self.diary.fault(format!("{words:?} does not end: {said}\n{stacks}"));
                return;
            }
            Err((said, _)) => (None, said),
        };
        if said.contains("panicked") {
            self.diary.fault(format!("{words:?} panicked: {said}"));
        }
        let ended = match status {
            None => "killed",
            Some(status) if status.success() => "completed",
            Some(status) if status.code() == Some(1) => "refused",
            Some(status) => {
                self.diary.fault(format!("{words:?} ended with {status}: {said}"));
                return;
            }
        };
        self.diary.note(&format!("{} {ended}", words[0]));
        // Another command may remove a song at any time, but the validity of a file is fixed.
        let is_bad =
            words.iter().any(|word| self.files.bad.iter().any(|bad| bad.as_os_str() == *word));
        let is_wrong = match words[0] {
            "add" | "separate" => {
                (is_bad && ended == "completed") || (!is_bad && ended == "refused")
            }
            "list" | "jobs" | "doctor" | "reset" => ended == "refused",
            _ => false,
        };
        if is_wrong {
            self.diary.fault(format!("{words:?} was {ended}: {said}"));
        }
    }
}

/// Runs the program to its end, or kills it after a time or after [`PATIENCE`]. Returns the status
/// and both outputs; an error holds the messages and the stacks of a process that exceeded
/// [`PATIENCE`].
fn carry_out(
    home: &Path,
    words: &[&str],
    killed_after: Option<Duration>,
) -> Result<(ExitStatus, String, String), (String, String)> {
    let log = || tempfile::NamedTempFile::new().unwrap();
    let (out, error) = (log(), log());
    let mut child = command(home, words)
        .stdin(Stdio::null())
        .stdout(out.reopen().unwrap())
        .stderr(error.reopen().unwrap())
        .spawn()
        .unwrap();
    let text = |log: &tempfile::NamedTempFile| {
        String::from_utf8_lossy(&fs::read(log.path()).unwrap_or_default()).into_owned()
    };
    let end = Instant::now() + killed_after.unwrap_or(PATIENCE);
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return Ok((status, text(&out), text(&error)));
        }
        if Instant::now() >= end {
            let stacks = if killed_after.is_none() { stacks(child.id()) } else { String::new() };
            child.kill().unwrap();
            child.wait().unwrap();
            return Err((text(&error), stacks));
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Runs the program to its end; a program that does not end is a fault.
fn run(home: &Path, words: &[&str], diary: &Diary) -> Output {
    match carry_out(home, words, None) {
        Ok((status, out, said)) => Output { status, stdout: out.into(), stderr: said.into() },
        Err((said, stacks)) => {
            diary.fault(format!("{words:?} does not end: {said}\n{stacks}"));
            let killed = ExitStatus::from_raw(9);
            Output { status: killed, stdout: Vec::new(), stderr: said.into() }
        }
    }
}
