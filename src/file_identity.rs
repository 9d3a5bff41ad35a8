//! Identity of a file: whether a path still names a file that is open. Every layer may use it.
//!
//! Removed and replaced files keep their content while they are open, on Unix and on Windows, so
//! that data written to them would be lost unnoticed.

use std::{fs::File, io, path::Path};

/// Identity of the file at `path`: its disk, and its number on the disk. On Unix, it does not open
/// the file: closing another handle would release SQLite's locks.
///
/// # Errors
/// I/O errors, such as that of a missing file.
pub fn identity(path: &Path) -> io::Result<(u64, u64)> {
    #[cfg(unix)]
    return path.metadata().map(|about| unix(&about));
    #[cfg(windows)]
    return windows(winapi_util::Handle::from_path_any(path)?);
}

/// Whether `path` still names this open file, so that it was neither removed nor replaced.
///
/// # Errors
/// I/O errors, but for that of a missing file.
pub fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let there = match identity(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        there => there?,
    };
    #[cfg(unix)]
    let ours = unix(&file.metadata()?);
    #[cfg(windows)]
    let ours = windows(file)?;
    // Some file systems have no number, and Wine has none for a renamed open file.
    let is_same_disk = ours.0 == there.0 || (cfg!(windows) && (ours.0 == 0 || there.0 == 0));
    Ok(is_same_disk && ours.1 == there.1)
}

/// Whether a test runs in wine, where a removed file keeps its name while it is open.
#[cfg(test)]
pub(crate) fn is_wine() -> bool {
    cfg!(windows) && std::env::var_os("WINEPREFIX").is_some()
}

#[cfg(unix)]
fn unix(about: &std::fs::Metadata) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt as _;
    (about.dev(), about.ino())
}

#[cfg(windows)]
fn windows(file: impl winapi_util::AsHandleRef) -> io::Result<(u64, u64)> {
    let about = winapi_util::file::information(file)?;
    Ok((about.volume_serial_number(), about.file_index()))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_removed_and_a_replaced_file_are_seen() {
        let home = tempfile::tempdir().unwrap();
        let (path, moved) = (home.path().join("a"), home.path().join("b"));
        fs::write(&path, "same").unwrap();
        let file = File::open(&path).unwrap();
        let before = identity(&path).unwrap();
        assert!(is_at(&file, &path).unwrap());
        fs::rename(&path, &moved).unwrap();
        assert!(!is_at(&file, &path).unwrap());
        assert!(is_at(&file, &moved).unwrap());
        fs::write(&path, "same").unwrap();
        assert!(!is_at(&file, &path).unwrap(), "another file with the same content");
        assert!(identity(&path).unwrap() != before && identity(&moved).unwrap() == before);
    }
}
