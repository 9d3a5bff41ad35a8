//! Errors of files, before their paths are added.

use std::{io, path::Path};

use crate::model::{ModelError, on_one_line};

/// Why a file cannot be used.
#[derive(Debug)]
pub(super) enum Fault {
    /// A predicate on the file, so that "{path} {text}" is a sentence: "is cut off: …".
    Wrong(String),
    /// The file could not be read or written.
    Io(io::Error),
    /// The caller cancelled the operation.
    Cancelled,
}

pub(super) type Result<T, E = Fault> = std::result::Result<T, E>;

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::wrong("is cut off"),
            // Errors of gzip, tar and zip readers for corrupt content.
            io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => {
                Self::Wrong(format!("is damaged: {error}"))
            }
            _ => Self::Io(error),
        }
    }
}

impl Fault {
    pub(super) fn wrong(text: impl Into<String>) -> Self {
        Self::Wrong(text.into())
    }

    /// The error of a file that was to be read, for the outside, with the file named.
    pub(super) fn of_reading(self, path: &Path) -> ModelError {
        match self {
            Self::Io(source) => ModelError::reading(path, source),
            other => other.of(path),
        }
    }

    /// The error for the outside, with the file named.
    pub(super) fn of(self, path: &Path) -> ModelError {
        match self {
            Self::Wrong(text) => {
                ModelError::Weights(format!("{} {}", path.display(), on_one_line(&text)))
            }
            Self::Io(source) => ModelError::Io { path: path.to_owned(), source },
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
