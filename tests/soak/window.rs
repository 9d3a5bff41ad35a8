//! The window on the data folder that the commands change: it is asked for things by its keys, later
//! starts hand it files, which have to come into the library, and it is killed now and then. Needs
//! Xvfb and xdotool; without them it says so, and the rest goes on.

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

/// Before a life's threads and files are counted.
const WARM: Duration = Duration::from_mins(1);

/// How often it is handed a file: one in so many keys.
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
        println!("there is no Xvfb or no xdotool: the window is left out");
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
        // The last life lasts to the end.
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
                diary.fault(format!("the window ended by itself with {status}: {said}"));
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

/// A later start hands a file over, and ends; the window takes it in, or does not live any more.
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
        // Handed over, it may be taken out by a reset at once: then once more.
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
    diary.fault(format!("the window does not take in {}\n{stacks}", file.display()));
}
