//! What a process that does not go on is doing: where each of its threads stands, as far as the system
//! tells, and by gdb where that is installed.

use std::{
    fmt::Write as _,
    fs,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

/// How long gdb may look.
const PATIENCE: Duration = Duration::from_mins(1);

/// In words, over many lines.
pub fn stacks(process: u32) -> String {
    let mut words = String::new();
    for thread in fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten() {
        let told = |what: &str| {
            let text = fs::read_to_string(thread.path().join(what)).unwrap_or_default();
            text.trim_end().to_owned()
        };
        // After the name in brackets: R runs, S waits, D waits for the disk, T was stopped.
        let state = told("stat").rsplit(") ").next().unwrap_or_default().chars().next();
        let name = thread.file_name().to_string_lossy().into_owned();
        writeln!(
            words,
            "  thread {name} {}: {} in {}, system call {}",
            told("comm"),
            state.unwrap_or('?'),
            told("wchan"),
            told("syscall")
        )
        .unwrap();
        for line in told("stack").lines() {
            writeln!(words, "      {line}").unwrap();
        }
    }
    words + &by_gdb(process).unwrap_or_default()
}

/// Where each thread stands in the program. Into a file: gdb may be looking at its own parent, which
/// then reads nothing.
fn by_gdb(process: u32) -> Option<String> {
    let log = tempfile::NamedTempFile::new().ok()?;
    let mut gdb = Command::new("gdb")
        .args(["-p", &process.to_string(), "-batch", "-ex", "thread apply all bt"])
        .stdin(Stdio::null())
        .stdout(log.reopen().ok()?)
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let end = Instant::now() + PATIENCE;
    while gdb.try_wait().ok()?.is_none() {
        if Instant::now() >= end {
            gdb.kill().ok()?;
            gdb.wait().ok()?;
            break;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    fs::read_to_string(log.path()).ok()
}
