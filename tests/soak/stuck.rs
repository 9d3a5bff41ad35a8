//! Diagnosis of a process that makes no progress: the state of each thread as reported by the
//! system, and the stacks if gdb is installed.

use std::{
    fmt::Write as _,
    fs,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

/// Longest run of gdb.
const PATIENCE: Duration = Duration::from_mins(1);

/// A text of many lines.
pub fn stacks(process: u32) -> String {
    let mut words = String::new();
    for thread in fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten() {
        let read = |what: &str| {
            let text = fs::read_to_string(thread.path().join(what)).unwrap_or_default();
            text.trim_end().to_owned()
        };
        // The state follows the name in brackets: R runs, S sleeps, D waits for the disk, T is
        // stopped.
        let state = read("stat").rsplit(") ").next().unwrap_or_default().chars().next();
        let name = thread.file_name().to_string_lossy().into_owned();
        writeln!(
            words,
            "  thread {name} {}: {} in {}, system call {}",
            read("comm"),
            state.unwrap_or('?'),
            read("wchan"),
            read("syscall")
        )
        .unwrap();
        for line in read("stack").lines() {
            writeln!(words, "      {line}").unwrap();
        }
    }
    words + &by_gdb(process).unwrap_or_default()
}

/// The stack of each thread. Written to a file, because gdb may be inspecting its own parent, which
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
