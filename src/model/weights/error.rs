//! Errors of files, before their paths are added.

use std::{io, path::Path};

use crate::{
    model::{FileFault, ModelError, on_one_line},
    os::{Os, OsKind},
};

/// Why a file cannot be used, before its path is known.
#[derive(Clone, Debug)]
pub(super) enum Fault {
    /// The file is not what it should be.
    Wrong(FileFault),
    /// The file could not be read or written.
    Io(Os),
    /// The caller no longer wants it.
    Cancelled,
}

pub(super) type Result<T, E = Fault> = std::result::Result<T, E>;

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Os::from(error).into()
    }
}

impl From<Os> for Fault {
    fn from(cause: Os) -> Self {
        match cause.kind {
            OsKind::Truncated => Self::cut_off(""),
            // The kinds that gzip, tar and zip readers give to broken content.
            OsKind::Invalid => Self::wrong(format!("is damaged: {cause}")),
            _ => Self::Io(cause),
        }
    }
}

impl From<FileFault> for Fault {
    fn from(fault: FileFault) -> Self {
        Self::Wrong(fault)
    }
}

impl Fault {
    /// A finding of a reader, as an English predicate; control characters are escaped.
    pub(super) fn wrong(detail: impl AsRef<str>) -> Self {
        Self::Wrong(FileFault::Malformed { detail: on_one_line(detail.as_ref()) })
    }

    /// A file that ends too early.
    pub(super) fn cut_off(detail: impl Into<String>) -> Self {
        Self::Wrong(FileFault::CutOff { detail: detail.into() })
    }

    /// The error of a file that was to be read, for the outside, with the file named.
    pub(super) fn of_reading(self, path: &Path) -> ModelError {
        match self {
            Self::Io(cause) => ModelError::reading(path, cause),
            other => other.of(path),
        }
    }

    /// The error for the outside, with the file named.
    pub(super) fn of(self, path: &Path) -> ModelError {
        match self {
            Self::Wrong(fault) => ModelError::File { path: path.to_owned(), fault },
            Self::Io(cause) => ModelError::io(path, cause),
            Self::Cancelled => ModelError::Cancelled,
        }
    }
}

/// Formats a number of bytes in decimal units.
pub(super) fn bytes(count: u64) -> String {
    match count {
        0..10_000 => format!("{count} bytes"),
        10_000..1_000_000 => format!("{} kB", count / 1000),
        1_000_000..10_000_000 => format!("{:.1} MB", count as f64 / 1e6),
        _ => format!("{} MB", count / 1_000_000),
    }
}

/// Untrusted text made safe to show: control characters escaped, at most 80 characters.
pub(super) fn quoted(text: &str) -> String {
    let mut shown = String::new();
    for character in text.chars().take(80) {
        match character {
            '"' | '\'' => shown.push(character),
            other => shown.extend(other.escape_debug()),
        }
    }
    if text.chars().nth(80).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_for_people() {
        let message = [0, 9_999, 10_000, 999_999, 1_500_000, 84_024_600].map(bytes);
        assert_eq!(message, ["0 bytes", "9999 bytes", "10 kB", "999 kB", "1.5 MB", "84 MB"]);
    }

    #[test]
    fn foreign_text_stays_on_its_line() {
        assert_eq!(quoted("a \"b\" é\n\u{1b}[31m"), "a \"b\" é\\n\\u{1b}[31m");
        assert_eq!(quoted(&"x".repeat(100)).chars().count(), 81);
    }
}
