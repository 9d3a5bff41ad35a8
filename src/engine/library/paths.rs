//! Names of a song's folders, and conversion of paths to bytes in the database, as paths need not
//! be Unicode.
//!
//! Pure. The names are part of the data folder's format.

use std::path::{Path, PathBuf};

#[cfg(unix)]
pub(in crate::engine) fn to_bytes(path: &Path) -> Vec<u8> {
    std::os::unix::ffi::OsStrExt::as_bytes(path.as_os_str()).to_vec()
}

#[cfg(unix)]
pub(in crate::engine) fn from_bytes(bytes: Vec<u8>) -> PathBuf {
    PathBuf::from(<std::ffi::OsString as std::os::unix::ffi::OsStringExt>::from_vec(bytes))
}

#[cfg(windows)]
pub(in crate::engine) fn to_bytes(path: &Path) -> Vec<u8> {
    std::os::windows::ffi::OsStrExt::encode_wide(path.as_os_str())
        .flat_map(u16::to_le_bytes)
        .collect()
}

#[cfg(windows)]
pub(in crate::engine) fn from_bytes(bytes: Vec<u8>) -> PathBuf {
    let wide: Vec<u16> =
        bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    PathBuf::from(<std::ffi::OsString as std::os::windows::ffi::OsStringExt>::from_wide(&wide))
}

/// A path as SQLite takes it: the system's own bytes on Unix, UTF-8 on Windows. `None` if a path on
/// Windows is not Unicode.
pub(super) fn sqlite_name(path: &Path) -> Option<Vec<u8>> {
    if cfg!(windows) {
        return path.to_str().map(|path| path.as_bytes().to_vec());
    }
    Some(to_bytes(path))
}

/// Folder of the jobs' tracks in a song's folder, with one folder per job.
pub(in crate::engine) const TRACKS: &str = "tracks";

/// Folder of files for drag and drop in a song's folder, with one folder per stem folder.
pub(in crate::engine) const DRAGGED: &str = "dragged";

/// Folder of a song's stores and cover, in the folder of all songs.
pub(in crate::engine) fn song_folder(songs_folder: &Path, hash: &str) -> PathBuf {
    songs_folder.join(hash.get(..32).unwrap_or(hash))
}

/// Whether `name` is that of a song folder: 32 hexadecimal digits.
pub(super) fn is_song_folder(name: &str) -> bool {
    name.len() == 32 && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}
