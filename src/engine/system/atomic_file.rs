//! Atomic file writes, and removal of what killed programs left behind.
//!
//! Files being written have a hidden name and a lock, which ends with its owner, even after a
//! crash. An unlocked one is therefore abandoned, and [`sweep`] removes it. The exception are file
//! systems shared between machines, where locks of other machines may be invisible. On Windows, a
//! locked file can be read and written through its own handle alone. Runs on the calling thread.

use std::{
    fs::{self, File, TryLockError},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use tempfile::{NamedTempFile, TempDir};

use crate::{
    engine::problem::{Advice, Problem, Result},
    file_moves, os,
};

/// Prefix and suffix of temporary names.
const PREFIX: &str = ".partita-";
const SUFFIX: &str = ".part";
/// Lock file in a temporary folder, held while the folder is in use.
const LOCK: &str = "lock";

/// Writes a file under a temporary name, syncs it, and renames it.
///
/// # Errors
/// [`Problem::File`]; the file is then unchanged.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<()> {
    try_write_atomically(path, bytes).map_err(|e| Problem::write(path, e))
}

/// Writes a file like [`write_atomically`], with the system's error.
///
/// # Errors
/// I/O errors.
pub fn try_write_atomically(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = temporary_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file_moves::persist(file, path)?;
    sync_folder(folder);
    Ok(())
}

/// Name of a file without extension; invalid Unicode is replaced.
pub fn base_name(path: &Path) -> String {
    path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

/// Free bytes on the disk of `folder`, or of its nearest existing ancestor; `None` if unknown.
pub fn free_bytes(folder: &Path) -> Option<u64> {
    // The parent of a bare file name is the empty path.
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let existing = folder.ancestors().find_map(|existing| existing.canonicalize().ok())?;
    fs4::available_space(existing).ok()
}

/// Syncs the names in a folder, so that created and renamed files survive a power failure. Where a
/// system does not support that, such as Windows, the names reach the disk soon after.
pub fn sync_folder(folder: &Path) {
    if cfg!(windows) {
        return;
    }
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    if let Err(error) = File::open(folder).and_then(|folder| folder.sync_all()) {
        tracing::debug!("could not sync {}: {error}", folder.display());
    }
}

/// Creates a folder and its missing ancestors, and syncs their names.
///
/// # Errors
/// I/O errors.
pub fn make_folders(folder: &Path) -> io::Result<()> {
    let is_missing = |folder: &&Path| !folder.as_os_str().is_empty() && !folder.exists();
    let missing: Vec<&Path> = folder.ancestors().take_while(is_missing).collect();
    fs::create_dir_all(folder).map_err(|error| {
        let is_file = cfg!(windows) && error.kind() == io::ErrorKind::AlreadyExists;
        // For a file in the place of a folder, Windows reports that it already exists.
        if is_file { io::Error::from_raw_os_error(os::NO_FOLDER_ON_WINDOWS) } else { error }
    })?;
    for made in missing {
        sync_folder(made.parent().unwrap_or(Path::new(".")));
    }
    Ok(())
}

/// Checks that the disk of `folder` has `needed` bytes left; an unknown amount passes.
///
/// # Errors
/// [`Problem::NoRoom`] about `path`, with this advice.
pub fn check_room(folder: &Path, needed: u64, path: &Path, advice: Advice) -> Result<()> {
    let Some(free) = free_bytes(folder).filter(|&free| free < needed) else { return Ok(()) };
    Err(Problem::NoRoom { path: path.to_owned(), needed, free, advice })
}

/// Creates a hidden, locked temporary file in `folder` with default permissions. It is removed when
/// dropped.
///
/// # Errors
/// I/O errors.
pub fn temporary_in(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(PREFIX).suffix(SUFFIX);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        builder.permissions(fs::Permissions::from_mode(0o666)); // reduced by the umask
    }
    loop {
        let file = file_moves::create_hidden(&builder, folder)?;
        if is_held(file.as_file(), file.path()) {
            return Ok(file);
        }
    }
}

/// A hidden temporary folder, removed with its contents when dropped.
#[derive(Debug)]
pub struct WorkFolder {
    // Field order matters: where open files cannot be removed, the lock must be dropped first.
    _lock: File,
    folder: TempDir,
}

impl WorkFolder {
    /// Creates a work folder in `folder`.
    ///
    /// # Errors
    /// I/O errors.
    pub fn make_in(folder: &Path) -> io::Result<Self> {
        loop {
            let folder = tempfile::Builder::new().prefix(PREFIX).tempdir_in(folder)?;
            file_moves::hide_folder(folder.path());
            let path = folder.path().join(LOCK);
            match File::create(&path) {
                Ok(lock) if is_held(&lock, &path) => return Ok(Self { _lock: lock, folder }),
                Ok(_) => {}
                // Another process swept the folder while it was still empty.
                Err(_) if !folder.path().exists() => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Path of the folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// Tries to lock a new file; false if a concurrent sweep was faster. Does not wait for the sweeping
/// process, because it may be suspended.
fn is_held(file: &File, path: &Path) -> bool {
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return false,
        // Without locks, nothing is swept either.
        Err(TryLockError::Error(error)) => {
            tracing::debug!("could not lock {}: {error}", path.display());
        }
    }
    path.exists()
}

/// Removes temporary files and folders that killed programs left in `folder`. Those still being
/// written stay. On a shared file system, only entries older than a day are removed.
/// Returns whether the work of a separation was removed.
pub fn sweep(folder: &Path) -> bool {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let Ok(entries) = fs::read_dir(folder) else { return false };
    let mut had_work = false;
    let is_shared = is_shared(folder);
    for entry in entries.flatten() {
        if is_shared && is_young(&entry) {
            continue;
        }
        let name = entry.file_name();
        let Some(rest) = name.to_str().and_then(|name| name.strip_prefix(PREFIX)) else { continue };
        // Use the entry's own type: link targets must not be touched.
        let Ok(kind) = entry.file_type() else { continue };
        let (path, is_ours) = (entry.path(), |name: &str| {
            name.len() == 6 && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
        });
        let swept = if kind.is_dir() && is_ours(rest) {
            let swept = sweep_folder(&path);
            had_work |= swept.is_ok() && !path.exists();
            swept
        } else if kind.is_file() && rest.strip_suffix(SUFFIX).is_some_and(is_ours) {
            File::open(&path).and_then(|file| match file.try_lock() {
                Ok(()) => fs::remove_file(&path),
                Err(_) => Ok(()),
            })
        } else {
            continue;
        };
        if let Err(error) = swept
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!("could not remove the leftover {}: {error}", path.display());
        }
    }
    had_work
}

/// Whether a folder's file system may be shared with other machines.
#[cfg(target_os = "linux")]
pub fn is_shared(folder: &Path) -> bool {
    // Magic numbers of statfs(2) from the kernel's magic.h: NFS, SMB (two kinds), AFS, Ceph, Coda,
    // 9P, Lustre, GPFS, BeeGFS, OCFS2, GFS2, and FUSE.
    const SHARED: [u32; 13] = [
        0x6969,
        0xff53_4d42,
        0xfe53_4d42,
        0x5346_414f,
        0x00c3_6400,
        0x7375_7245,
        0x0102_1997,
        0x0bd0_0bd0,
        0x4750_4653,
        0x1983_0326,
        0x7461_636f,
        0x0116_1970,
        0x6573_5546,
    ];
    rustix::fs::statfs(folder).is_ok_and(|about| SHARED.contains(&(about.f_type as u32)))
}

/// Whether a folder's file system may be shared with other machines; unknown on these systems.
#[cfg(not(target_os = "linux"))]
pub fn is_shared(_folder: &Path) -> bool {
    false
}

/// Whether the entry was modified within a day.
fn is_young(entry: &fs::DirEntry) -> bool {
    const DAY: std::time::Duration = std::time::Duration::from_hours(24);
    let written = entry.metadata().and_then(|about| about.modified());
    !written.is_ok_and(|written| written.elapsed().is_ok_and(|age| age > DAY))
}

/// Work folders in `folder` whose program has ended.
pub fn abandoned_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let is_abandoned = |path: &PathBuf| match File::open(path.join(LOCK)) {
        Ok(lock) => lock.try_lock().is_ok(),
        // Just created, or being removed: its contents do not matter.
        Err(_) => false,
    };
    entries
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(PREFIX))
        .map(|entry| entry.path())
        .filter(is_abandoned)
        .collect()
}

fn sweep_folder(path: &Path) -> io::Result<()> {
    // Check emptiness first. The lock is created first, so a non-empty folder without one is being
    // removed, possibly by a process that was killed.
    let is_empty = fs::read_dir(path)?.next().is_none();
    match File::open(path.join(LOCK)) {
        Ok(lock) if lock.try_lock().is_ok() => {
            // Not every disk on Windows removes a folder with an open file. The folder's name is
            // not used again.
            if cfg!(windows) {
                drop(lock);
            }
            file_moves::remove_folder(path)
        }
        Ok(_) => Ok(()),
        // Just created, or its creator was just killed: only removed if still empty.
        Err(error) if error.kind() == io::ErrorKind::NotFound && is_empty => fs::remove_dir(path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => fs::remove_dir_all(path),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sweeps_only_abandoned_files() {
        let home = tempfile::tempdir().unwrap();
        let at = |name: &str| home.path().join(name);
        for name in [".partita-abc123.part", ".partita-notes.part", ".partita-abc123", "song.part"]
        {
            fs::write(at(name), "x").unwrap();
        }
        for name in [".partita-Dead00", ".partita-Empty0", ".partita-others-folder"] {
            fs::create_dir(at(name)).unwrap();
        }
        fs::write(at(".partita-Dead00/lock"), "").unwrap();
        fs::write(at(".partita-Dead00/mix.f32"), "samples").unwrap();
        // A folder whose removal was interrupted.
        fs::create_dir(at(".partita-Half00")).unwrap();
        fs::write(at(".partita-Half00/mix.f32"), "samples").unwrap();
        let written = temporary_in(home.path()).unwrap();
        let used = WorkFolder::make_in(home.path()).unwrap();
        sweep(home.path());
        let mut left: Vec<_> =
            fs::read_dir(home.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
        left.sort();
        let mut expected = vec![
            at(".partita-abc123"),
            at(".partita-notes.part"),
            at(".partita-others-folder"),
            at("song.part"),
            written.path().to_owned(),
            used.path().to_owned(),
        ];
        expected.sort();
        assert_eq!(left, expected);
        let (written, used) = (written.keep().unwrap().1, {
            let path = used.path().to_owned();
            drop(used);
            path
        });
        assert!(!used.exists());
        assert!(!sweep(home.path()), "a file is not a work folder");
        assert!(!written.exists(), "its writer has ended");
    }

    #[cfg(unix)] // links take a privilege on Windows
    #[test]
    fn a_link_is_not_followed() {
        let (home, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::write(other.path().join("lock"), "the user's own").unwrap();
        std::os::unix::fs::symlink(other.path(), home.path().join(".partita-Link00")).unwrap();
        sweep(home.path());
        assert!(other.path().join("lock").exists());
    }
}
