//! The lock of importers: one makes song folders in a data folder at a time, also among processes.
//!
//! Knows no song. Works on any thread.

use std::{
    fs::{File, TryLockError},
    io,
    path::Path,
};

use crate::engine::{
    problem::{Problem, Result},
    types::CancelToken,
};

/// In the data folder: held while a song's folder is made.
const IMPORT_LOCK: &str = "import.lock";

/// The right to make song folders: one importer to a data folder, also among processes.
#[derive(Debug)]
pub struct ImportLock(#[expect(dead_code, reason = "the lock is the open file")] File);

impl ImportLock {
    /// Takes the right; `None` when another has it.
    ///
    /// # Errors
    /// [`Problem::File`].
    pub fn try_take(home: &Path) -> Result<Option<Self>> {
        let path = home.join(IMPORT_LOCK);
        let cannot = |error| Problem::write(&path, error);
        let mut options = File::options();
        let options = options.write(true).create(true).truncate(false);
        let file = options.open(&path).map_err(cannot)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            // A disk without locks: alone, as far as one can know.
            Err(TryLockError::Error(e)) if e.kind() == io::ErrorKind::Unsupported => {
                Ok(Some(Self(file)))
            }
            Err(TryLockError::Error(e)) => Err(cannot(e)),
        }
    }

    /// Waits for the right; `busy` is told once when another has it.
    ///
    /// # Errors
    /// [`Problem::File`], [`Problem::Cancelled`].
    pub fn take(home: &Path, cancel: &CancelToken, busy: impl Fn()) -> Result<Self> {
        let mut told = false;
        loop {
            if let Some(lock) = Self::try_take(home)? {
                return Ok(lock);
            }
            if !std::mem::replace(&mut told, true) {
                busy();
            }
            if cancel.is_cancelled() {
                return Err(Problem::Cancelled);
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
    }
}
