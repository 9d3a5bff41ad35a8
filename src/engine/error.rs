//! The engine's errors: what failed, which file or song, what to do.

use std::{io, path::PathBuf};

use crate::model::ModelError;

/// What can go wrong in the engine.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// A file or folder could not be read or written.
    #[error("{what} {path}")]
    Io {
        /// "cannot read", "cannot write".
        what: &'static str,
        /// Where.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A source file is not audio that can be read.
    #[error(transparent)]
    Decode(#[from] super::decode::DecodeError),
    /// The library could not be read or written.
    #[error("the library could not be read or written")]
    Library(#[from] rusqlite::Error),
    /// The model could not be loaded or run.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// Asked for something that is not there; names what is.
    #[error("{0}")]
    Unknown(String),
    /// Somebody else is at it, or it is not possible now.
    #[error("{0}")]
    Busy(String),
    /// Files are there that an export would replace.
    #[error("{} there already: {}", if .0.len() == 1 { "a file is" } else { "files are" }, names(.0))]
    Exists(Vec<PathBuf>),
    /// Another Partita writes the stems of this song.
    #[error("another Partita is separating this song; this waits until it has ended there")]
    Locked,
    /// The network's result for a segment holds values that are no numbers.
    #[error(
        "what the model made of segment {segment} is no sound: its weights or this program are \
         damaged; partita model verify tells about the weights"
    )]
    NotNumbers {
        /// Which segment, from zero.
        segment: usize,
    },
    /// A bug ended the work; the program goes on.
    #[error(
        "{what} made Partita stumble ({words}); please save a report, in the settings or by \
         partita doctor --report, and send it"
    )]
    Stumbled {
        /// What was being done: "reading the file".
        what: &'static str,
        /// What the code said.
        words: String,
    },
    /// The user ended it.
    #[error("cancelled")]
    Cancelled,
}

fn names(paths: &[PathBuf]) -> String {
    let names: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
    names.join(", ")
}

/// What a disk says that was pulled out, or whose server is gone.
fn is_unplugged(error: &io::Error) -> bool {
    // Input/output error, no such device (or address), not connected.
    cfg!(target_os = "linux") && matches!(error.raw_os_error(), Some(5 | 6 | 19 | 107))
}

/// Result of this room.
pub type Result<T, E = EngineError> = std::result::Result<T, E>;

impl EngineError {
    /// Whether the disk is at fault, and the work can go on where it was once that has ended: no
    /// room, no right to write, gone.
    pub fn is_passing(&self) -> bool {
        use io::ErrorKind::{
            NotFound, PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StaleNetworkFileHandle,
            StorageFull,
        };
        use rusqlite::ErrorCode::{CannotOpen, DiskFull, ReadOnly, SystemIoFailure};
        match self {
            Self::Io { source, .. } => {
                let kinds = [
                    NotFound,
                    PermissionDenied,
                    QuotaExceeded,
                    ReadOnlyFilesystem,
                    StaleNetworkFileHandle,
                    StorageFull,
                ];
                kinds.contains(&source.kind()) || is_unplugged(source)
            }
            Self::Library(error) => matches!(
                error.sqlite_error_code(),
                Some(CannotOpen | DiskFull | ReadOnly | SystemIoFailure)
            ),
            _ => false,
        }
    }

    /// Whether a disk is full.
    pub fn is_no_room(&self) -> bool {
        use io::ErrorKind::{QuotaExceeded, StorageFull};
        match self {
            Self::Io { source, .. } => [StorageFull, QuotaExceeded].contains(&source.kind()),
            Self::Library(error) => {
                error.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull)
            }
            _ => false,
        }
    }

    /// Whether a file or folder was not there.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }

    /// Whether the library's file is damaged.
    pub fn is_damage(&self) -> bool {
        matches!(self, Self::Library(error) if super::library::is_damage(error))
    }

    /// The error and its causes on one line, for people.
    pub fn in_words(&self) -> String {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            let words = error.to_string();
            if !text.ends_with(&words) {
                text.push_str(": ");
                text.push_str(&words);
            }
            cause = error.source();
        }
        text
    }
}
