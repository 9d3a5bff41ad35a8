//! Signs of life: a small file that names a process, and whether that process still runs.
//!
//! A process of this machine is looked up by its number and start time. Any other is judged by the age
//! of the file, which its owner rewrites now and then; age is measured by the file system's own clock.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::Path,
    time::Duration,
};

use serde::{Deserialize, Serialize};

use crate::engine::system::atomic_file::temporary_in;

/// The name of the file.
pub(super) const ALIVE: &str = "alive";
/// The interval at which its owner writes to it.
pub(super) const BEAT: Duration = Duration::from_secs(10);
/// The age at which its owner counts as dead. A machine that hangs for longer loses its song.
pub const SILENCE: Duration = Duration::from_mins(1);

/// A process, as its sign of life names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Worker {
    pub(super) host: String,
    pub(super) pid: u32,
    /// This start of the system; a process of another start is not looked up.
    pub(super) system: Option<String>,
    /// The start of the process, as its system counts.
    pub(super) began: Option<String>,
}

impl Worker {
    /// This process.
    pub(super) fn this() -> Self {
        let pid = std::process::id();
        Self { host: host(), pid, system: system(), began: began(pid) }
    }

    /// Whether it has surely ended: it ran on this system, and does not run there now.
    fn has_ended(&self) -> bool {
        self.system.is_some() && self.system == system() && began(self.pid) != self.began
    }
}

/// The name of this machine.
pub fn host() -> String {
    sysinfo::System::host_name().unwrap_or_else(|_| "a machine without a name".into())
}

/// This start of this system, with the processes that can be seen: a container sees its own.
pub(super) fn system() -> Option<String> {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let processes = fs::read_link("/proc/self/ns/pid").ok()?;
    Some(format!("{} {}", boot.trim(), processes.display()))
}

/// The start of a process of this system; `None` where it does not run, or the system has no `/proc`.
fn began(pid: u32) -> Option<String> {
    const AFTER_NAME: usize = 19;
    let about = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may hold any character. A zombie has ended.
    let (_, rest) = about.rsplit_once(") ")?;
    let mut fields = rest.split(' ');
    if matches!(fields.clone().next(), Some("Z" | "X")) {
        return None;
    }
    fields.nth(AFTER_NAME).map(str::to_owned)
}

/// The time of a file system, read once.
pub(super) struct Clock(std::time::SystemTime);

impl Clock {
    /// Reads the clock of the file system of `folder`.
    ///
    /// # Errors
    /// The system's, where `folder` is missing or cannot be written.
    pub(super) fn new(folder: &Path) -> io::Result<Self> {
        let mut file = temporary_in(folder)?;
        file.write_all(b" ")?;
        file.as_file().sync_data()?;
        Ok(Self(file.as_file().metadata()?.modified()?))
    }

    /// The host of the process whose sign of life lies in `folder`; `None` where it is dead.
    pub(super) fn owner(&self, folder: &Path) -> Option<String> {
        let path = folder.join(ALIVE);
        let text = match fs::read(&path) {
            Ok(text) => text,
            // Its owner released it.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(_) => return Some("a machine that cannot be seen".into()),
        };
        let worker = serde_json::from_slice::<Worker>(&text).ok();
        let is_silent = path.metadata().is_ok_and(|about| self.is_old(&about));
        match worker {
            _ if is_silent => None,
            Some(worker) => (!worker.has_ended()).then_some(worker.host),
            None => Some("an unknown machine".into()),
        }
    }

    /// Whether a file or folder is older than [`SILENCE`].
    pub(super) fn is_old(&self, about: &fs::Metadata) -> bool {
        let age = about.modified().ok().and_then(|written| self.0.duration_since(written).ok());
        age.is_some_and(|age| age > SILENCE)
    }
}

/// Writes a blank after the text, so that the server's clock dates the file.
///
/// # Errors
/// The system's.
pub(super) fn beat(file: &mut File) -> io::Result<()> {
    file.write_all(b" ")?;
    file.sync_data()
}
