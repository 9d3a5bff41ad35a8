//! The window on the same data folder as the commands. It receives random keys and files from later
//! starts, which must arrive in the library, and is killed from time to time. Without Xvfb and
//! xdotool, a note is printed and the rest continues.

use std::{
    path::Path,
    process::{Child, Stdio},
    time::{Duration, Instant},
};

use super::{
    Diary, Holds, PATIENCE,
    files::{Files, hash},
    run,
    stuck::stacks,
};
use crate::{
    support::xvfb::{Ends, Screen},
    support::{Dice, command, json_lines},
};

/// Warm-up before threads and files of a process are counted.
const WARM: Duration = Duration::from_mins(1);

/// One in this many keys hands over a file instead.
const HANDED: u64 = 30;

pub fn soak(home: &Path, files: &Files, diary: &Diary, until: Instant) {
    const KEYS: [&str; 14] = [
        "space",
        "space",
        "ctrl+p",
        "ctrl+p",
        "ctrl+Down",
        "ctrl+Down",
        "ctrl+Up",
        "Left",
        "Right",
        "Home",
        "1",
        "shift+2",
        "ctrl+t",
        "Escape",
    ];
    let Some(screen) = Screen::start() else {
        println!("SKIPPED: the window needs Xvfb and xdotool");
        return;
    };
    let mut dice = Dice(77);
    while Instant::now() < until {
        let log = tempfile::NamedTempFile::new().unwrap();
        let first = &files.good[dice.below(files.good.len() as u64) as usize];
        let arguments = ["--threads", "1", first.to_str().unwrap()];
        let window = screen
            .shows(&mut command(home, &arguments))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log.reopen().unwrap())
            .spawn()
            .unwrap();
        let mut window = Ends(window);
        // The last window runs until the end.
        let left = until.saturating_duration_since(Instant::now());
        let life = if left < Duration::from_mins(8) {
            left
        } else {
            Duration::from_secs(60 + dice.below(400))
        };
        let (born, process, mut begin) = (Instant::now(), window.0.id(), None);
        diary.note("windows opened");
        while born.elapsed() < life {
            std::thread::sleep(Duration::from_millis(300 + dice.below(1500)));
            if dice.below(HANDED) == 0 && born.elapsed() > WARM {
                hand_over(home, &screen, files, &window.0, diary);
            }
            if let Some(status) = window.0.try_wait().unwrap() {
                let said = std::fs::read_to_string(log.path()).unwrap_or_default();
                diary.fault(format!("the window exited unexpectedly with {status}: {said}"));
                break;
            }
            let key = KEYS[dice.below(KEYS.len() as u64) as usize];
            let keys = format!("search --name Partita windowfocus key --clearmodifiers {key}");
            let is_sent = screen.xdotool(&keys).is_some();
            diary.note(if is_sent { "keys pressed" } else { "keys lost" });
            if begin.is_none() && born.elapsed() > WARM {
                begin = Holds::of(process);
            }
        }
        if let (Some(begin), Some(end)) = (begin, Holds::of(process)) {
            for fault in
                end.grown_since(begin, &format!("a window of {} s", born.elapsed().as_secs()))
            {
                diary.fault(fault);
            }
        }
        drop(window); // SIGKILL
        let said = std::fs::read_to_string(log.path()).unwrap_or_default();
        if said.contains("panicked") {
            diary.fault(format!("the window panicked: {said}"));
        }
    }
}

/// A later start hands over a file and exits. The window imports the file, unless it has been
/// killed.
fn hand_over(home: &Path, screen: &Screen, files: &Files, window: &Child, diary: &Diary) {
    let listed = || {
        let songs = json_lines(&run(home, &["list", "--json"], diary));
        let hashes = songs.iter().map(|line| line["song"]["hash"].as_str().unwrap().to_owned());
        hashes.collect::<Vec<_>>()
    };
    let known = listed();
    let Some(file) = files.handed.iter().find(|file| !known.contains(&hash(file))) else { return };
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end {
        let later = screen
            .shows(&mut command(home, &[file.to_str().unwrap()]))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut later = Ends(later);
        // A concurrent reset may remove the imported file at once, so the hand-over is retried.
        for _ in 0..20 {
            std::thread::sleep(Duration::from_secs(1));
            let has_ended = later.0.try_wait().unwrap().is_some();
            if has_ended && listed().contains(&hash(file)) {
                diary.note("files handed to the window");
                return;
            }
        }
    }
    let stacks = stacks(window.id());
    diary.fault(format!("the window did not import {}\n{stacks}", file.display()));
}
