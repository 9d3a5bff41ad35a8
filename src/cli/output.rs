//! The two streams of the command line: results on standard output, everything else on standard
//! error.
//!
//! The only module that writes to standard output. A closed reader (`| head`) ends the output
//! without a message, and the command continues. Any other failure to write is reported once and
//! makes the exit code 1.

use std::{
    cell::{Cell, RefCell},
    io::{self, IsTerminal as _, Write},
    path::PathBuf,
    process::ExitCode,
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Map, Value};

use super::{reason::Reason, usage};
use crate::{
    engine::separation::batch::BatchStep,
    i18n::{
        fl,
        numbers::{clock, percent},
    },
    words,
};

/// Minimum interval between two lines of progress without a terminal.
const LINE_EVERY: Duration = Duration::from_secs(1);

/// Standard output, and whether results are JSON.
pub(super) struct Output {
    json: bool,
    stream: RefCell<Box<dyn Write>>,
    state: Cell<StreamState>,
}

/// State of standard output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum StreamState {
    Open,
    /// The reader has closed its end.
    Closed,
    /// A write failed for another reason, which was reported.
    Failed,
}

impl Output {
    /// Creates an output to standard output.
    pub(super) fn new(json: bool) -> Self {
        Self::to(json, Box::new(io::stdout()))
    }

    fn to(json: bool, stream: Box<dyn Write>) -> Self {
        Self { json, stream: RefCell::new(stream), state: Cell::new(StreamState::Open) }
    }

    /// Whether results are JSON.
    pub(super) fn is_json(&self) -> bool {
        self.json
    }

    /// Whether results can still be written; a command that only prints may stop otherwise.
    pub(super) fn is_open(&self) -> bool {
        self.state.get() == StreamState::Open
    }

    /// Prints one result: text, or a JSON object.
    pub(super) fn result(&self, text: &str, json: &Value) {
        if self.json {
            self.json_line(json);
        } else {
            self.line(text);
        }
    }

    /// Prints one result of a command that always writes JSON Lines.
    pub(super) fn json_line(&self, json: &Value) {
        self.line(&json.to_string());
    }

    /// Reports a failure in the user's language; with JSON, also among the results, in English.
    pub(super) fn error(&self, reason: impl Into<Reason>) {
        let Reason { text, english, .. } = reason.into();
        if self.json {
            self.json_line(&serde_json::json!({ "error": english }));
        }
        warn(&text);
    }

    /// Reports a failure of one file or song.
    pub(super) fn failed(&self, what: &str, reason: impl Into<Reason>) {
        let Reason { text, english, names_it } = reason.into();
        if self.json {
            self.json_line(&serde_json::json!({ "file": what, "error": english }));
        }
        warn(&if names_it { text } else { format!("{what}: {text}") });
    }

    /// Flushes the results. Returns `code`, or 1 if the command succeeded but the results could not
    /// be written.
    pub(super) fn end(&self, code: ExitCode) -> ExitCode {
        if self.is_open() {
            let flushed = self.stream.borrow_mut().flush();
            self.check(flushed);
        }
        match self.state.get() {
            StreamState::Failed if code == ExitCode::SUCCESS => ExitCode::FAILURE,
            _ => code,
        }
    }

    /// Prints the help, the version, or the usage error of parsing the arguments.
    pub(super) fn end_with_usage(&self, error: clap::Error) -> ExitCode {
        let (code, is_result) = (error.exit_code(), !error.use_stderr());
        let printed = usage::print(error);
        if is_result {
            self.check(printed);
        }
        self.end(ExitCode::from(u8::try_from(code).unwrap_or(1)))
    }

    fn line(&self, line: &str) {
        if self.is_open() {
            let written = writeln!(self.stream.borrow_mut(), "{line}");
            self.check(written);
        }
    }

    fn check(&self, written: io::Result<()>) {
        let Err(error) = written else { return };
        if error.kind() == io::ErrorKind::BrokenPipe {
            self.state.set(StreamState::Closed);
        } else {
            self.state.set(StreamState::Failed);
            let error = words::system_error(&error.into());
            warn(&fl!(cli_output_failed, error = error));
        }
    }
}

/// Prints a message to standard error.
pub(super) fn note(text: &str) {
    drop(writeln!(io::stderr(), "{text}"));
}

/// Prints a failure, or a fault that does not end the command, to standard error.
pub(super) fn warn(text: &str) {
    note(&format!("partita: {text}"));
}

/// A step of a file's separation as text.
pub(super) fn step_text(step: BatchStep) -> &'static str {
    match step {
        BatchStep::Reading => fl!(cli_reading),
        BatchStep::Separating => fl!(cli_separating_song),
        BatchStep::Writing => fl!(cli_writing),
    }
}

/// Progress of one operation, on standard error.
pub(super) struct Progress {
    name: String,
    bar: Option<ProgressBar>,
    tenth: Cell<u32>,
    last_line: Cell<Instant>,
}

impl Progress {
    /// Creates the progress of one operation: a bar on a terminal, otherwise a line for each tenth,
    /// at most one a second.
    pub(super) fn new(name: &str) -> Self {
        let bar = io::stderr().is_terminal().then(|| {
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
            last_line: Cell::new(Instant::now()),
        }
    }

    /// Writes a line that stays, above the bar.
    pub(super) fn say(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| note(text)),
            None => note(text),
        }
    }

    /// Shows a fraction, 0 to 1, of the step `what`, and the expected seconds left.
    pub(super) fn set(&self, what: &str, fraction: f64, seconds_left: Option<f64>) {
        if let Some(bar) = &self.bar {
            let left = seconds_left
                .map(|left| format!("  {}", fl!(cli_time_left, time = clock(left.ceil() as u64))));
            bar.set_prefix(left.unwrap_or_default());
            bar.set_message(format!("{}: {what}", self.name));
            bar.set_position((fraction * 1000.0) as u64);
            return;
        }
        let tenth = (fraction * 10.0) as u32;
        let is_news = tenth != self.tenth.get() && tenth > 0;
        if is_news && self.last_line.get().elapsed() >= LINE_EVERY {
            self.tenth.set(tenth);
            self.last_line.set(Instant::now());
            note(&format!("{}: {what} {}", self.name, percent(f64::from(tenth.min(10)) / 10.0)));
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

/// Text with one name and path a line.
pub(super) fn tracks_text(tracks: &[(String, PathBuf)]) -> String {
    let line = |(name, path): &(String, PathBuf)| format!("{name}: {}", path.display());
    tracks.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// JSON object of paths by name. A path that is not Unicode is converted lossily.
pub(super) fn tracks_json(tracks: &[(String, PathBuf)]) -> Value {
    let entry = |(name, path): &(String, PathBuf)| {
        (name.clone(), Value::String(path.to_string_lossy().into_owned()))
    };
    Value::Object(tracks.iter().map(entry).collect::<Map<_, _>>())
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use serde_json::json;

    use super::*;

    /// A stream that fails with an error of `kind` after `lines_left` lines, or at the flush.
    struct Failing {
        kind: io::ErrorKind,
        lines_left: usize,
        fails_at_flush: bool,
        calls: Rc<Cell<usize>>,
    }

    impl Write for Failing {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.calls.set(self.calls.get() + 1);
            let ends_line = usize::from(bytes.ends_with(b"\n"));
            self.lines_left = self.lines_left.checked_sub(ends_line).ok_or(self.kind)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            if self.fails_at_flush { Err(self.kind.into()) } else { Ok(()) }
        }
    }

    fn failing(kind: io::ErrorKind, lines_left: usize, fails_at_flush: bool) -> Output {
        let calls = Rc::default();
        Output::to(true, Box::new(Failing { kind, lines_left, fails_at_flush, calls }))
    }

    #[test]
    fn a_reader_that_has_gone_is_not_a_failure() {
        let output = failing(io::ErrorKind::BrokenPipe, 1, false);
        output.result("", &json!(1));
        assert!(output.is_open());
        output.result("", &json!(2));
        assert!(!output.is_open());
        assert_eq!(output.end(ExitCode::SUCCESS), ExitCode::SUCCESS);
        let output = failing(io::ErrorKind::BrokenPipe, 1, true);
        assert_eq!(output.end(ExitCode::SUCCESS), ExitCode::SUCCESS);
    }

    #[test]
    fn any_other_failure_is_an_exit_code() {
        let output = failing(io::ErrorKind::StorageFull, 0, false);
        output.json_line(&json!(1));
        assert!(!output.is_open());
        assert_eq!(output.end(ExitCode::SUCCESS), ExitCode::FAILURE);
        assert_eq!(
            output.end(ExitCode::from(75)),
            ExitCode::from(75),
            "the command's own code wins"
        );
        let output = failing(io::ErrorKind::StorageFull, 9, true);
        output.json_line(&json!(1));
        assert_eq!(output.end(ExitCode::SUCCESS), ExitCode::FAILURE, "a failed flush");
    }

    #[test]
    fn nothing_is_written_after_a_failure() {
        let calls = Rc::new(Cell::new(0));
        let stream = Failing {
            kind: io::ErrorKind::StorageFull,
            lines_left: 0,
            fails_at_flush: false,
            calls: Rc::clone(&calls),
        };
        let output = Output::to(false, Box::new(stream));
        output.result("a", &Value::Null);
        let before = calls.get();
        output.result("b", &Value::Null);
        assert_eq!(calls.get(), before);
    }
}
