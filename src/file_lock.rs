//! An exclusive lock on a file, across processes. Every layer may use it.
//!
//! A child process inherits the open files until it starts its own program, and a lock ends only
//! when its last copy is closed. The lock is therefore released explicitly: otherwise it would seem
//! to be held while any thread starts another program.

use std::fs::{File, TryLockError};

/// A file that is locked until this value is dropped.
#[derive(Debug)]
pub struct FileLock(File);

impl FileLock {
    /// Tries to lock `file`, without waiting.
    ///
    /// # Errors
    /// [`TryLockError::WouldBlock`] if the lock is held; the I/O errors of locking.
    pub fn try_on(file: File) -> Result<Self, TryLockError> {
        file.try_lock()?;
        Ok(Self(file))
    }

    /// The open file.
    pub fn file(&self) -> &File {
        &self.0
    }
}

impl Drop for FileLock {
    fn drop(&mut self) {
        // Failure is harmless: closing the file unlocks it, too.
        self.0.unlock().ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_released_although_a_copy_of_the_file_is_open() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let lock = FileLock::try_on(File::create(&path).unwrap()).unwrap();
        let copy = lock.file().try_clone().unwrap();
        let again = || FileLock::try_on(File::open(&path).unwrap());
        assert!(matches!(again(), Err(TryLockError::WouldBlock)));
        drop(lock);
        again().unwrap();
        drop(copy);
    }
}
