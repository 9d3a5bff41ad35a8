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
    #[error("another Partita is separating this song; wait for it, or end it there")]
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
    /// The user ended it.
    #[error("cancelled")]
    Cancelled,
}

fn names(paths: &[PathBuf]) -> String {
    let names: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
    names.join(", ")
}

/// Result of this room.
pub type Result<T, E = EngineError> = std::result::Result<T, E>;

impl EngineError {
    /// Whether the disk is at fault, and the work can go on where it was once that has ended: no
    /// room, no right to write, gone.
    pub fn is_passing(&self) -> bool {
        use io::ErrorKind::{
            NotFound, PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull,
        };
        let passing = [NotFound, PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull];
        matches!(self, Self::Io { source, .. } if passing.contains(&source.kind()))
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
