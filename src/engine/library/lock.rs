//! The import lock: only one importer at a time creates song folders in a data folder, across
//! processes.
//!
//! Usable on any thread.

use std::{
    fs::{File, TryLockError},
    io,
    path::Path,
};

use crate::{
    engine::{
        problem::{Problem, Result},
        types::CancelToken,
    },
    file_lock::FileLock,
};

/// Lock file in the data folder.
const IMPORT_LOCK: &str = "import.lock";

/// Exclusive right to create song folders in a data folder, across processes.
#[derive(Debug)]
pub struct ImportLock(
    #[expect(dead_code, reason = "dropping it unlocks the folder")] Option<FileLock>,
);

impl ImportLock {
    /// Tries to take the lock; `None` if another importer holds it.
    ///
    /// # Errors
    /// [`Problem::File`].
    pub fn try_take(home: &Path) -> Result<Option<Self>> {
        let path = home.join(IMPORT_LOCK);
        let cannot = |error| Problem::write(&path, error);
        let mut options = File::options();
        let options = options.write(true).create(true).truncate(false);
        let file = options.open(&path).map_err(cannot)?;
        match FileLock::try_on(file) {
            Ok(lock) => Ok(Some(Self(Some(lock)))),
            Err(TryLockError::WouldBlock) => Ok(None),
            // The file system has no locks; treat this process as the only one.
            Err(TryLockError::Error(e)) if e.kind() == io::ErrorKind::Unsupported => {
                Ok(Some(Self(None)))
            }
            Err(TryLockError::Error(e)) => Err(cannot(e)),
        }
    }

    /// Waits for the lock; calls `busy` once if another importer holds it.
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
