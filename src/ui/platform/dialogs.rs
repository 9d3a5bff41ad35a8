//! The system's file dialogs, each on a named thread, so that the window keeps running; the answer
//! arrives through a channel. Where the system has no dialog, the answer is
//! [`Outcome::Unavailable`], and the window asks for a path itself.

use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use crossbeam_channel::{Receiver, Sender, bounded};

use crate::{
    engine::{audio::decode::extensions, system::threads},
    i18n::{self, fl},
    ui::state::ui_state::Purpose,
};

/// The outcome of a dialog.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// The user chose these paths.
    Picked(Vec<PathBuf>),
    /// The user cancelled.
    Cancelled,
    /// The system has no file dialog.
    Unavailable,
}

/// The answer of a dialog.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The purpose that the dialog was opened for.
    pub purpose: Purpose,
    /// The outcome of the dialog.
    pub outcome: Outcome,
}

/// A dialog that returns nothing within this time was never displayed.
const UNSEEN: Duration = Duration::from_millis(1500);

/// Opens file dialogs.
pub struct Dialogs {
    sender: Sender<Answer>,
    answers: Receiver<Answer>,
    waker: Arc<dyn Fn() + Send + Sync>,
    is_open: bool,
}

impl Dialogs {
    /// `waker` is called when an answer has arrived.
    pub fn new(waker: Arc<dyn Fn() + Send + Sync>) -> Self {
        let (sender, answers) = bounded(4);
        Self { sender, answers, waker, is_open: false }
    }

    /// The next answer, if one has arrived.
    pub fn next_answer(&mut self) -> Option<Answer> {
        let answer = self.answers.try_recv().ok()?;
        self.is_open = false;
        Some(answer)
    }

    /// Opens a dialog, unless one is open already. It starts in `folder` unless that is empty.
    pub fn open(&mut self, purpose: Purpose, folder: PathBuf) {
        if self.is_open {
            return;
        }
        let (sender, waker) = (self.sender.clone(), Arc::clone(&self.waker));
        let language = i18n::spoken();
        let started = threads::start("file dialog", move || {
            i18n::speak(language);
            let outcome = ask(purpose, folder);
            // The window may be closed by now, and the answer is discarded.
            if sender.send(Answer { purpose, outcome }).is_ok() {
                waker();
            }
        });
        match started {
            // Detached: the dialog may stay open for longer than the window.
            Ok(thread) => {
                thread.detach();
                self.is_open = true;
            }
            Err(error) => tracing::error!("the file dialog is not opened: {error}"),
        }
    }
}

fn ask(purpose: Purpose, folder: PathBuf) -> Outcome {
    let began = Instant::now();
    let mut dialog = rfd::FileDialog::new();
    if !folder.as_os_str().is_empty() {
        dialog = dialog.set_directory(folder);
    }
    let one = |path: Option<PathBuf>| path.map(|path| vec![path]);
    let picked = match purpose {
        Purpose::Songs => dialog
            .set_title(fl!(path_add_songs))
            .add_filter(fl!(path_filter_audio), &audio_endings())
            .add_filter(fl!(path_filter_all), &["*"])
            .pick_files(),
        Purpose::SongFolder => one(dialog.set_title(fl!(path_add_folder)).pick_folder()),
        Purpose::Weights => one(dialog
            .set_title(fl!(path_weights_title))
            .add_filter(
                fl!(path_filter_weights),
                &["safetensors", "ckpt", "th", "pt", "pth", "bin", "tgz", "onnx", "yaml", "yml"],
            )
            .add_filter(fl!(path_filter_all), &["*"])
            .pick_file()),
        Purpose::Chain => one(dialog
            .set_title(fl!(path_chain_title))
            .add_filter(fl!(path_filter_chains), &["toml"])
            .add_filter(fl!(path_filter_all), &["*"])
            .pick_file()),
        Purpose::ExportFolder => one(dialog.set_title(fl!(path_export_title)).pick_folder()),
        Purpose::Report => one(dialog
            .set_title(fl!(path_report_title))
            .set_file_name(fl!(path_report_file))
            .save_file()),
    };
    match picked {
        Some(paths) if !paths.is_empty() => Outcome::Picked(paths),
        _ if began.elapsed() < UNSEEN && !has_dialog_program() => Outcome::Unavailable,
        _ => Outcome::Cancelled,
    }
}

/// Extensions of audio files in lower and upper case, because some systems' dialogs are
/// case-sensitive.
fn audio_endings() -> Vec<String> {
    extensions().flat_map(|ending| [ending.to_owned(), ending.to_ascii_uppercase()]).collect()
}

/// Whether the dialog program is installed that replaces a missing portal. Only Linux needs one.
fn has_dialog_program() -> bool {
    if !cfg!(target_os = "linux") {
        return true;
    }
    std::env::var_os("PATH").is_some_and(|path| {
        std::env::split_paths(&path).any(|folder| folder.join("zenity").is_file())
    })
}

/// A typed path without surrounding quotes and blanks; "~" is the home folder.
pub fn typed_path(text: &str) -> Option<PathBuf> {
    let text = text.trim();
    let text = text.strip_prefix("file://").unwrap_or(text);
    let text = text.trim_matches(|c| c == '"' || c == '\'');
    if text.is_empty() {
        return None;
    }
    let home = || directories::BaseDirs::new().map(|dirs| dirs.home_dir().to_path_buf());
    match text.strip_prefix("~/").and_then(|rest| Some(home()?.join(rest))) {
        Some(path) => Some(path),
        None => Some(PathBuf::from(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typed_paths_are_taken_as_meant() {
        assert_eq!(typed_path("  "), None);
        assert_eq!(typed_path(" '/a b/c.wav' "), Some(PathBuf::from("/a b/c.wav")));
        assert_eq!(typed_path("file:///x/y"), Some(PathBuf::from("/x/y")));
        assert!(typed_path("~/x").unwrap().is_absolute());
    }
}
