//! Logging to standard error, and the last lines of the log for bug reports.
//!
//! `PARTITA_LOG` sets the filter of both, such as `debug` or `partita=debug,symphonia=warn`. By
//! default, standard error gets Partita's own warnings, and bug reports also include the errors of
//! libraries.

use std::{
    ffi::OsStr,
    io::{self, IsTerminal as _},
};

use tracing::subscriber::set_global_default;
use tracing_subscriber::{EnvFilter, Layer as _, fmt, layer::SubscriberExt as _, registry};

use crate::engine::{audio::decode::watch_library_logs, diagnostics::bug_report::LogTail};

/// Environment variable with the filter.
const VARIABLE: &str = "PARTITA_LOG";
const ON_STDERR: &str = "off,partita=warn";
const IN_REPORTS: &str = "error,partita=warn,report=warn,rfd=off";

/// Starts logging; called once for the process.
pub(super) fn start() {
    let is_coloured =
        has_colours(io::stderr().is_terminal(), std::env::var_os("NO_COLOR").as_deref());
    let filter =
        |usual: &str| EnvFilter::try_from_env(VARIABLE).unwrap_or_else(|_| EnvFilter::new(usual));
    // A line that cannot be written is dropped, because reporting the failure would use the same
    // stream.
    let on_stderr = fmt::layer().log_internal_errors(false).with_writer(io::stderr);
    let in_reports = fmt::layer().log_internal_errors(false).with_writer(|| LogTail);
    let subscriber = registry()
        .with(on_stderr.with_ansi(is_coloured).with_filter(filter(ON_STDERR)))
        .with(in_reports.with_ansi(false).with_filter(filter(IN_REPORTS)));
    let started = set_global_default(subscriber);
    watch_library_logs();
    if started.is_err() {
        tracing::debug!("the logger is already set");
    }
}

/// Whether colours are written: only to terminals, and only unless `NO_COLOR` is set to a non-empty
/// value (no-color.org).
fn has_colours(is_terminal: bool, no_color: Option<&OsStr>) -> bool {
    is_terminal && no_color.is_none_or(OsStr::is_empty)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_for_terminals_without_no_color() {
        assert!(has_colours(true, None));
        assert!(has_colours(true, Some(OsStr::new(""))));
        assert!(!has_colours(true, Some(OsStr::new("1"))));
        assert!(!has_colours(true, Some(OsStr::new("0"))));
        assert!(!has_colours(false, None));
    }
}
