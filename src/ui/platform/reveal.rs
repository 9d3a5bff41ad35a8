//! Shows files in the system's file manager. Each request runs on its own thread, so that the
//! window keeps running; only failures are reported.
//!
//! Written here instead of using a crate: crates that select the file in its folder on every system
//! need D-Bus headers to build on Linux. The others only open the folder, as this module does.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
};

use crossbeam_channel::{Receiver, Sender, bounded};

use crate::{
    engine::system::threads,
    i18n::{self, fl},
};

/// Opens the system's file manager.
pub struct Revealer {
    sender: Sender<String>,
    failures: Receiver<String>,
    waker: Arc<dyn Fn() + Send + Sync>,
}

impl Revealer {
    /// `waker` is called when a request has failed.
    pub fn new(waker: Arc<dyn Fn() + Send + Sync>) -> Self {
        let (sender, failures) = bounded(4);
        Self { sender, failures, waker }
    }

    /// The text of the next failure, if there is one.
    pub fn next_failure(&self) -> Option<String> {
        self.failures.try_recv().ok()
    }

    /// Shows a file in its folder.
    pub fn show(&self, file: PathBuf) {
        let command = file_manager(&file);
        self.run(command, file);
    }

    fn run(&self, mut command: Command, file: PathBuf) {
        let (sender, waker) = (self.sender.clone(), Arc::clone(&self.waker));
        let language = i18n::spoken();
        let work = move || {
            i18n::speak(language);
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            let reason = match command.status() {
                // Windows' file manager exits with 1 even on success.
                Ok(status) if status.success() || cfg!(windows) => return,
                Ok(status) => status.to_string(),
                Err(error) => error.to_string(),
            };
            let program = command.get_program().to_string_lossy();
            let text = fl!(
                notice_not_shown,
                file = file.display().to_string(),
                program = program,
                reason = reason
            );
            // After the window is closed, or while it has several unread failures, more are
            // discarded.
            if sender.try_send(text).is_ok() {
                waker();
            }
        };
        match threads::start("file manager", work) {
            // Detached: the file manager may run for longer than the window.
            Ok(thread) => thread.detach(),
            Err(error) => tracing::error!("the file manager is not started: {error}"),
        }
    }
}

/// Opens an address in the system's browser, without waiting for it.
pub fn open_page(url: &str) {
    let mut command = match () {
        () if cfg!(target_os = "macos") => Command::new("open"),
        () if cfg!(windows) => Command::new("explorer"),
        () => Command::new("xdg-open"),
    };
    command.arg(url).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    if let Err(error) = command.spawn() {
        tracing::info!("the browser was not opened: {error}");
    }
}

/// The command that shows a file in its folder, or at least opens the folder.
fn file_manager(file: &Path) -> Command {
    if cfg!(target_os = "macos") {
        let mut command = Command::new("open");
        command.arg("-R").arg(file);
        command
    } else if cfg!(windows) {
        let mut command = Command::new("explorer");
        // Two arguments, so that a path with blanks is quoted and the switch is not.
        command.arg("/select,").arg(file);
        command
    } else {
        let mut command = Command::new("xdg-open");
        command.arg(file.parent().unwrap_or(file));
        command
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_file_manager_that_fails_is_named() {
        let revealer = Revealer::new(Arc::new(|| {}));
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("song.wav");
        revealer.run(Command::new(folder.path().join("no such program")), file.clone());
        let words = revealer.failures.recv_timeout(Duration::from_secs(10)).unwrap();
        assert!(words.contains("song.wav") && words.contains("no such program"), "{words}");
        assert_eq!(revealer.next_failure(), None);
    }

    #[cfg(unix)] // Explorer's exit code is 1 in any case
    #[test]
    fn a_file_manager_that_fails_is_reported_and_one_that_works_is_not() {
        let revealer = Revealer::new(Arc::new(|| {}));
        revealer.run(Command::new("true"), "/a/song.wav".into());
        revealer.run(Command::new("false"), "/a/other.wav".into());
        let words = revealer.failures.recv_timeout(Duration::from_secs(10)).unwrap();
        assert!(words.contains("other.wav"), "{words}");
        std::thread::sleep(Duration::from_millis(100));
        assert_eq!(revealer.next_failure(), None);
    }

    #[cfg(target_os = "linux")] // other systems select the file
    #[test]
    fn the_folder_is_opened() {
        let command = file_manager(Path::new("/music/a b/song.wav"));
        assert_eq!(command.get_args().collect::<Vec<_>>(), ["/music/a b"]);
    }
}
