//! The window on the data folder that the commands change: it is asked for things by its keys, and
//! killed now and then. Needs Xvfb and xdotool; without them it says so, and the rest goes on.

use std::{
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};

use super::{Diary, Holds, files::Files};
use crate::{
    screen::{Ends, Screen},
    support::{Dice, command},
};

/// Before a life's threads and files are counted.
const WARM: Duration = Duration::from_mins(1);

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
