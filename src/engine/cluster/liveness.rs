//! Signs of life: a small file that identifies a process, and whether that process still runs.
//!
//! A process of this machine is looked up by its ID and start time. Any other process is judged by
//! the age of the file, which its owner rewrites regularly. The age is measured with the file
//! system's own clock.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::Path,
    time::Duration,
};

use serde::{Deserialize, Serialize};

use crate::engine::system::atomic_file::temporary_in;

/// Name of the file.
pub(super) const ALIVE: &str = "alive";
/// Interval at which the owner writes to the file.
pub(super) const BEAT: Duration = Duration::from_secs(10);
/// Age at which the owner counts as dead. A machine that hangs for longer loses its song.
pub const SILENCE: Duration = Duration::from_mins(1);

/// Identity of a process in its sign of life.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Worker {
    pub(super) host: String,
    pub(super) pid: u32,
    /// ID of the system's boot; processes of another boot are not looked up.
    pub(super) system: Option<String>,
    /// Start time of the process, in the system's units.
    pub(super) began: Option<String>,
}

impl Worker {
    /// Identity of this process.
    pub(super) fn this() -> Self {
        let pid = std::process::id();
        Self { host: host(), pid, system: system(), began: began(pid) }
    }

    /// Whether the process has certainly ended: it ran on this system, and no longer does.
    fn has_ended(&self) -> bool {
        self.system.is_some() && self.system == system() && began(self.pid) != self.began
    }
}

/// Name of this machine.
pub fn host() -> String {
    sysinfo::System::host_name().unwrap_or_else(|_| "an unnamed machine".into())
}

/// ID of this boot and of the visible processes, because a container has its own process IDs.
pub(super) fn system() -> Option<String> {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let processes = fs::read_link("/proc/self/ns/pid").ok()?;
    Some(format!("{} {}", boot.trim(), processes.display()))
}

/// Start time of a process of this system; `None` if it does not run, or without `/proc`.
fn began(pid: u32) -> Option<String> {
    const AFTER_NAME: usize = 19;
    let about = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may contain any character. A zombie has ended.
    let (_, rest) = about.rsplit_once(") ")?;
    let mut fields = rest.split(' ');
    if matches!(fields.clone().next(), Some("Z" | "X")) {
        return None;
    }
    fields.nth(AFTER_NAME).map(str::to_owned)
}

/// Time of a file system, read once.
pub(super) struct Clock(std::time::SystemTime);

impl Clock {
    /// Reads the clock of the file system of `folder`.
    ///
    /// # Errors
    /// I/O errors if `folder` is missing or not writable.
    pub(super) fn new(folder: &Path) -> io::Result<Self> {
        let mut file = temporary_in(folder)?;
        file.write_all(b" ")?;
        file.as_file().sync_data()?;
        Ok(Self(file.as_file().metadata()?.modified()?))
    }

    /// Host of the process whose sign of life lies in `folder`; `None` if the process is dead.
    pub(super) fn owner(&self, folder: &Path) -> Option<String> {
        let path = folder.join(ALIVE);
        let text = match fs::read(&path) {
            Ok(text) => text,
            // The owner released the claim.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(_) => return Some("an unreachable machine".into()),
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

/// Appends a blank to the text, so that the server's clock updates the file time.
///
/// # Errors
/// I/O errors of the file.
pub(super) fn beat(file: &mut File) -> io::Result<()> {
    file.write_all(b" ")?;
    file.sync_data()
}
