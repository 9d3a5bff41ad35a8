//! What is wrong with a file, before its path is put in front.

use std::{io, path::Path};

use crate::model::ModelError;

/// Why a file cannot be used.
#[derive(Debug)]
pub(super) enum Fault {
    /// A predicate on the file, so that "{path} {text}" is a sentence: "is cut off: …".
    Wrong(String),
    /// The file could not be read or written.
    Io(io::Error),
    /// The caller no longer wants it.
    Cancelled,
}

pub(super) type Result<T, E = Fault> = std::result::Result<T, E>;

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::wrong("is cut off"),
            // What gzip, tar and zip readers say of broken content.
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

    /// The error for the outside, with the file named.
    pub(super) fn of(self, path: &Path) -> ModelError {
        match self {
            Self::Wrong(text) => ModelError::Weights(format!("{} {text}", path.display())),
            Self::Io(source) => ModelError::Io { path: path.to_owned(), source },
            Self::Cancelled => ModelError::Cancelled,
        }
    }
}

/// A number of bytes for people, in decimal units.
pub(super) fn bytes(count: u64) -> String {
    match count {
        0..10_000 => format!("{count} bytes"),
        10_000..1_000_000 => format!("{} kB", count / 1000),
        1_000_000..10_000_000 => format!("{:.1} MB", count as f64 / 1e6),
        _ => format!("{} MB", count / 1_000_000),
    }
}

/// Foreign text, safe to show: control characters escaped, cut to a line.
pub(super) fn quoted(text: &str) -> String {
    let mut shown: String = text.chars().take(80).flat_map(char::escape_debug).collect();
    if text.chars().nth(80).is_some() {
        shown.push('…');
    }
    shown
}
