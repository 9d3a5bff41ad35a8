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

/// The lock file in the data folder.
const IMPORT_LOCK: &str = "import.lock";

/// The right to make song folders: one importer per data folder, also among processes.
#[derive(Debug)]
pub struct ImportLock(#[expect(dead_code, reason = "the lock is the open file")] File);

impl ImportLock {
    /// Takes the lock; `None` when another importer holds it.
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
            // The disk has no locks, so this process counts as the only one.
            Err(TryLockError::Error(e)) if e.kind() == io::ErrorKind::Unsupported => {
                Ok(Some(Self(file)))
            }
            Err(TryLockError::Error(e)) => Err(cannot(e)),
        }
    }

    /// Waits for the lock; calls `busy` once when another importer holds it.
    ///
    /// # Errors
    /// [`Problem::File`], [`Problem::Cancelled`].
    pub fn take(home: &Path, cancel: &CancelToken, busy: impl Fn()) -> Result<Self> {
        let mut is_notified = false;
        loop {
            if let Some(lock) = Self::try_take(home)? {
                return Ok(lock);
            }
            if !std::mem::replace(&mut is_notified, true) {
                busy();
            }
            if cancel.is_cancelled() {
                return Err(Problem::Cancelled);
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
    }
}
