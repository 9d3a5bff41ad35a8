//! Files written whole or not at all, and what a killed program left of such work.
//!
//! Whatever is being written has a hidden name and is locked; the lock ends with the program that
//! holds it, however that ends. So what is not locked belongs to nobody, and [`sweep`] removes it; but
//! for file systems that several machines share: what one of them locks another may not see there.
//! Runs on the caller's thread.

use std::{
    fs::{self, File, TryLockError},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use tempfile::{NamedTempFile, TempDir};

use crate::engine::problem::{Advice, Problem, Result};

/// How what is being written is called at first, and how such files end.
const PREFIX: &str = ".partita-";
const SUFFIX: &str = ".part";
/// In a temporary folder: held as long as the folder is in use.
const LOCK: &str = "lock";

/// Writes a file under a temporary name, waits for the disk, and gives it its name.
///
/// # Errors
/// [`Problem::File`]; the file is then as it was.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<()> {
    try_write_atomically(path, bytes).map_err(|e| Problem::write(path, e))
}

/// As [`write_atomically`], with the system's error.
///
/// # Errors
/// Those of the system.
pub fn try_write_atomically(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = temporary_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    sync_folder(folder);
    Ok(())
}

/// The name of a file without its ending; what is not Unicode as well as it can be shown.
pub fn base_name(path: &Path) -> String {
    path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

/// Bytes that may still be written on the disk of `folder`, or of the first folder above it that
/// exists; `None` where the system does not say.
pub fn free_bytes(folder: &Path) -> Option<u64> {
    // The folder of a bare file name is the empty path.
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let existing = folder.ancestors().find_map(|existing| existing.canonicalize().ok())?;
    fs4::available_space(existing).ok()
}

/// Waits until the names in a folder are on the disk: a file that was made or renamed is not before.
/// Not every system can do that; where it cannot, the names are there soon after.
pub fn sync_folder(folder: &Path) {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    if let Err(error) = File::open(folder).and_then(|folder| folder.sync_all()) {
        tracing::debug!("{} cannot be synced: {error}", folder.display());
    }
}

/// Makes a folder, and those above it that are missing, and waits until their names are on the disk.
///
/// # Errors
/// What the system says.
pub fn make_folders(folder: &Path) -> io::Result<()> {
    let is_missing = |folder: &&Path| !folder.as_os_str().is_empty() && !folder.exists();
    let missing: Vec<&Path> = folder.ancestors().take_while(is_missing).collect();
    fs::create_dir_all(folder)?;
    for made in missing {
        sync_folder(made.parent().unwrap_or(Path::new(".")));
    }
    Ok(())
}

/// Whether the disk of `folder` takes `bytes`; where the system does not say, it is tried.
///
/// # Errors
/// [`Problem::NoRoom`] about `path`, with this advice.
pub fn check_room(folder: &Path, needed: u64, path: &Path, advice: Advice) -> Result<()> {
    let Some(free) = free_bytes(folder).filter(|&free| free < needed) else { return Ok(()) };
    Err(Problem::NoRoom { path: path.to_owned(), needed, free, advice })
}

/// A hidden temporary file in `folder`, locked, with the rights that a new file has; removed when
/// dropped.
///
/// # Errors
/// What the system says.
pub fn temporary_in(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(PREFIX).suffix(SUFFIX);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        builder.permissions(fs::Permissions::from_mode(0o666)); // the umask takes its part
    }
    loop {
        let file = builder.tempfile_in(folder)?;
        if is_held(file.as_file(), file.path()) {
            return Ok(file);
        }
    }
}

/// A hidden temporary folder, removed with all it holds when dropped.
#[derive(Debug)]
pub struct WorkFolder {
    // In this order: where an open file cannot be removed, its lock has to go first.
    _lock: File,
    folder: TempDir,
}

impl WorkFolder {
    /// Makes one in `folder`.
    ///
    /// # Errors
    /// What the system says.
    pub fn make_in(folder: &Path) -> io::Result<Self> {
        loop {
            let folder = tempfile::Builder::new().prefix(PREFIX).tempdir_in(folder)?;
            let path = folder.path().join(LOCK);
            match File::create(&path) {
                Ok(lock) if is_held(&lock, &path) => return Ok(Self { _lock: lock, folder }),
                Ok(_) => {}
                // Swept away while it was still empty.
                Err(_) if !folder.path().exists() => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// Locks what was just made. Whoever sweeps at that moment may have been first, and is not waited
/// for: it may be standing still.
fn is_held(file: &File, path: &Path) -> bool {
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return false,
        // Without locks nothing is swept either.
        Err(TryLockError::Error(error)) => {
            tracing::debug!("{} cannot be locked: {error}", path.display());
        }
    }
    path.exists()
}

/// Removes what programs that were killed left in `folder` of files and folders that they wrote.
/// What another program is still writing stays; where that may be one of another machine, what is
/// younger than a day. Returns whether the work of a separation was removed.
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
        // As the entry itself is: a link's target is nobody's to remove.
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
            tracing::warn!("{} is left over, but cannot be removed: {error}", path.display());
        }
    }
    had_work
}

/// Whether a folder's file system may be shared with other machines.
#[cfg(target_os = "linux")]
pub fn is_shared(folder: &Path) -> bool {
    // As statfs(2) and the kernel's magic.h number them: NFS, SMB (two kinds), AFS, Ceph, Coda, 9P,
    // Lustre, GPFS, BeeGFS, OCFS2, GFS2, and whatever is in user space.
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

/// Whether a folder's file system may be shared with other machines: nobody says.
#[cfg(not(target_os = "linux"))]
pub fn is_shared(_folder: &Path) -> bool {
    false
}

/// Whether it was written to within a day.
fn is_young(entry: &fs::DirEntry) -> bool {
    const DAY: std::time::Duration = std::time::Duration::from_hours(24);
    let written = entry.metadata().and_then(|about| about.modified());
    !written.is_ok_and(|written| written.elapsed().is_ok_and(|age| age > DAY))
}

/// The work folders in `folder` whose program has ended.
pub fn abandoned_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let is_abandoned = |path: &PathBuf| match File::open(path.join(LOCK)) {
        Ok(lock) => lock.try_lock().is_ok(),
        // Just made, or being removed: nothing in it matters.
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
    // In this order: the lock is made first, so what holds something and has none is being removed,
    // perhaps by one who was killed meanwhile.
    let is_empty = fs::read_dir(path)?.next().is_none();
    match File::open(path.join(LOCK)) {
        Ok(lock) if lock.try_lock().is_ok() => fs::remove_dir_all(path),
        Ok(_) => Ok(()),
        // Just made, or killed just then: goes only if it is still empty.
        Err(error) if error.kind() == io::ErrorKind::NotFound && is_empty => fs::remove_dir(path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => fs::remove_dir_all(path),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_writes_any_more_is_swept_and_nothing_else() {
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
        // Killed while it was removed.
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
        assert!(!sweep(home.path()), "a file is no separation's work");
        assert!(!written.exists(), "its writer is gone");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_not_followed() {
        let (home, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::write(other.path().join("lock"), "the user's own").unwrap();
        std::os::unix::fs::symlink(other.path(), home.path().join(".partita-Link00")).unwrap();
        sweep(home.path());
        assert!(other.path().join("lock").exists());
    }
}
