//! Where the command line writes: results to standard output, all else to standard error.

use std::{
    cell::Cell,
    io::{IsTerminal as _, Write as _},
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::Value;

/// Between two lines of progress where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(1);

/// The two streams, and whether results are for machines.
pub(super) struct Output {
    json: bool,
}

impl Output {
    pub(super) fn new(json: bool) -> Self {
        Self { json }
    }

    /// Whether results are for machines.
    pub(super) fn is_json(&self) -> bool {
        self.json
    }

    /// One result: a line for people, or a JSON object.
    pub(super) fn result(&self, words: &str, json: &Value) {
        let line = if self.json { json.to_string() } else { words.to_owned() };
        // A reader that has had enough (`| head`) is no error.
        drop(writeln!(std::io::stdout(), "{line}"));
    }

    /// Something failed; machines find it among the results.
    pub(super) fn error(&self, words: &str) {
        if self.json {
            self.result("", &serde_json::json!({ "error": words }));
        }
        note(&format!("partita: {words}"));
    }

    /// A failure that concerns one file or song.
    pub(super) fn failed(&self, what: &str, reason: &str) {
        if self.json {
            self.result("", &serde_json::json!({ "file": what, "error": reason }));
        }
        note(&format!("partita: {what}: {reason}"));
    }
}

/// A message on the way.
pub(super) fn note(words: &str) {
    drop(writeln!(std::io::stderr(), "{words}"));
}

/// Progress of one thing, on standard error.
pub(super) struct Progress {
    name: String,
    bar: Option<ProgressBar>,
    tenth: Cell<u32>,
    said: Cell<Instant>,
}

impl Progress {
    /// Progress of one thing: a bar on a terminal, else a line each tenth, not more than one a
    /// second.
    pub(super) fn new(name: &str) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::with_draw_target(Some(1000), ProgressDrawTarget::stderr());
            if let Ok(style) =
                ProgressStyle::with_template("{msg} {wide_bar} {percent:>3} %{prefix}")
            {
                bar.set_style(style.progress_chars("━━─"));
            }
            bar
        });
        Progress {
            name: name.to_owned(),
            bar,
            tenth: Cell::new(0),
            said: Cell::new(Instant::now()),
        }
    }

    /// Shows a fraction, 0 to 1, of a step named `what`, and how many seconds it still takes.
    pub(super) fn set(&self, what: &str, fraction: f64, seconds_left: Option<f64>) {
        if let Some(bar) = &self.bar {
            let left = seconds_left.map(|left| format!("  {} left", minutes(left.ceil())));
            bar.set_prefix(left.unwrap_or_default());
            bar.set_message(format!("{}: {what}", self.name));
            bar.set_position((fraction * 1000.0) as u64);
            return;
        }
        let tenth = (fraction * 10.0) as u32;
        let is_news = tenth != self.tenth.get() && tenth > 0;
        if is_news && self.said.get().elapsed() >= LINE_EVERY {
            self.tenth.set(tenth);
            self.said.set(Instant::now());
            note(&format!("{}: {what} {} %", self.name, tenth.min(10) * 10));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// `m:ss` of a number of seconds.
pub(super) fn minutes(seconds: f64) -> String {
    let seconds = seconds as u64;
    format!("{}:{:02}", seconds / 60, seconds % 60)
}
