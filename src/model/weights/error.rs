//! Errors of files, before their paths are added.

use std::{io, path::Path};

use crate::{
    model::{
        FileFault, ModelError, Remedy,
        findings::{Bytes, Malformed, Printable},
    },
    os::{Os, OsKind},
};

/// The reason why a file cannot be used, before its path is known.
#[derive(Clone, Debug)]
pub(super) enum Fault {
    /// The file is invalid.
    Wrong(FileFault),
    /// The file could not be read or written.
    Io(Os),
    /// The caller cancelled the work.
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
            OsKind::Truncated => Self::cut_off(None, None),
            // The readers of gzip, tar and zip report corrupt content with these kinds.
            OsKind::Invalid => Malformed::Damaged { cause: Printable::of(cause) }.into(),
            _ => Self::Io(cause),
        }
    }
}

/// A finding of a reader.
impl From<Malformed> for Fault {
    fn from(fault: Malformed) -> Self {
        Self::Wrong(FileFault::Malformed(Box::new(fault)))
    }
}

impl From<FileFault> for Fault {
    fn from(fault: FileFault) -> Self {
        Self::Wrong(fault)
    }
}

impl Fault {
    /// A file that ends too early: its length and the whole file's, where known.
    pub(super) fn cut_off(have: Option<u64>, whole: Option<u64>) -> Self {
        let (have, whole, remedy) = (have.map(Bytes), whole.map(Bytes), Remedy::Download);
        Self::Wrong(FileFault::CutOff { have, whole, remedy })
    }

    /// The public error for a file that could not be read, with its path.
    pub(super) fn of_reading(self, path: &Path) -> ModelError {
        match self {
            Self::Io(cause) => ModelError::reading(path, cause),
            other => other.of(path),
        }
    }

    /// The public error, with the file's path.
    pub(super) fn of(self, path: &Path) -> ModelError {
        match self {
            Self::Wrong(fault) => ModelError::File { path: path.to_owned(), fault },
            Self::Io(cause) => ModelError::io(path, cause),
            Self::Cancelled => ModelError::Cancelled,
        }
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
    fn foreign_text_stays_on_its_line() {
        assert_eq!(quoted("a \"b\" é\n\u{1b}[31m"), "a \"b\" é\\n\\u{1b}[31m");
        assert_eq!(quoted(&"x".repeat(100)).chars().count(), 81);
    }
}
