//! Conversions from the errors of the system and of libraries to problems.

use std::{io, path::Path};

use super::{
    Advice, Class, DecodeError, FileAction, LibraryFault, PatternProblem, Problem, StoreFault,
};
use crate::{model::ModelError, os::Os};

impl Problem {
    /// A file or folder of Partita's own, or of an export, with which `action` failed.
    pub fn file(action: FileAction, path: &Path, error: impl Into<Os>) -> Self {
        Self::File { action, path: path.to_owned(), cause: error.into() }
    }

    /// A file of Partita's own that could not be read.
    pub fn read(path: &Path, error: impl Into<Os>) -> Self {
        Self::file(FileAction::Read, path, error)
    }

    /// A file of Partita's own, or of an export, that could not be written.
    pub fn write(path: &Path, error: impl Into<Os>) -> Self {
        Self::file(FileAction::Write, path, error)
    }

    /// A folder that could not be created.
    pub fn create(path: &Path, error: impl Into<Os>) -> Self {
        Self::file(FileAction::Create, path, error)
    }

    /// A file or folder for results that could not be written.
    pub fn output(path: &Path, error: impl Into<Os>) -> Self {
        Self::Output { path: path.to_owned(), cause: error.into() }
    }

    /// A data folder that could not be created or written.
    pub fn home_unwritable(home: &Path, error: impl Into<Os>) -> Self {
        Self::HomeUnwritable { home: home.to_owned(), cause: error.into() }
    }

    /// The problem as one of the folder `output`, if it concerns a file or folder of the temporary folder
    /// `work`, which the user does not know.
    #[must_use]
    pub fn outside(self, work: &Path, output: &Path) -> Self {
        match self {
            Self::NoRoom { path, needed, free, .. } if path.starts_with(work) => {
                let advice = Advice::OtherFolder;
                Self::NoRoom { path: output.to_owned(), needed, free, advice }
            }
            Self::File { action: FileAction::Write | FileAction::Create, path, cause }
                if path.starts_with(work) =>
            {
                Self::output(output, cause)
            }
            other => other,
        }
    }

    /// A file or folder that could not be removed.
    pub fn remove(path: &Path, error: impl Into<Os>) -> Self {
        Self::file(FileAction::Remove, path, error)
    }

    /// A file that the user named and that could not be read. Checks whether the file's folder
    /// exists.
    pub fn input(path: &Path, error: io::Error) -> Self {
        // The decoder's bounds pass through the readers of libraries as I/O errors.
        if let Some(error) = error.get_ref().and_then(|inner| inner.downcast_ref::<DecodeError>()) {
            return Self::Decode(error.clone());
        }
        let folder_is_missing = error.kind() == io::ErrorKind::NotFound
            && !path
                .parent()
                .is_some_and(|folder| folder.as_os_str().is_empty() || folder.is_dir());
        Self::Input { path: path.to_owned(), cause: error.into(), folder_is_missing }
    }

    /// A store of samples that cannot be used.
    pub fn store(path: &Path, fault: StoreFault) -> Self {
        Self::Store { path: path.to_owned(), fault }
    }

    /// A thread that could not be started.
    pub fn no_thread(error: io::Error) -> Self {
        Self::NoThread { cause: error.into() }
    }

    /// Whether the user cancelled the work.
    pub fn is_cancelled(&self) -> bool {
        self.class() == Class::Cancelled
    }
}

impl From<DecodeError> for Problem {
    fn from(error: DecodeError) -> Self {
        Self::Decode(error)
    }
}

impl From<ModelError> for Problem {
    fn from(error: ModelError) -> Self {
        match error {
            ModelError::Cancelled => Self::Cancelled,
            ModelError::Memory { needed, limit } => Self::MemoryLimit { needed, limit },
            error => Self::Model(error),
        }
    }
}

impl From<PatternProblem> for Problem {
    fn from(problem: PatternProblem) -> Self {
        Self::Pattern(problem)
    }
}

impl From<rusqlite::Error> for Problem {
    fn from(error: rusqlite::Error) -> Self {
        Self::Library { fault: fault_of(&error), text: error.to_string() }
    }
}

fn fault_of(error: &rusqlite::Error) -> LibraryFault {
    use rusqlite::{Error, ErrorCode};
    match error {
        // A value of another kind than its column, or no text.
        Error::FromSqlConversionFailure(..)
        | Error::IntegralValueOutOfRange(..)
        | Error::InvalidColumnType(..)
        | Error::Utf8Error(..) => LibraryFault::Damaged,
        error => match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => LibraryFault::Damaged,
            Some(ErrorCode::CannotOpen) => LibraryFault::CannotOpen,
            Some(ErrorCode::DiskFull) => LibraryFault::NoSpace,
            Some(ErrorCode::ReadOnly) => LibraryFault::ReadOnly,
            Some(ErrorCode::SystemIoFailure) => LibraryFault::Disk,
            _ => LibraryFault::Other,
        },
    }
}
