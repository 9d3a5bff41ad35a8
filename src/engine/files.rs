//! Small files, written whole or not at all.

use std::{io::Write as _, path::Path};

use super::{EngineError, Result};

/// Writes a file under a temporary name, waits for the disk, and gives it its name.
///
/// # Errors
/// [`EngineError::Io`]; the file is then as it was.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<()> {
    let write = || -> std::io::Result<()> {
        let folder = path.parent().unwrap_or(Path::new("."));
        let mut file = temporary_in(folder)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        Ok(())
    };
    write().map_err(|source| EngineError::Io {
        what: "cannot write",
        path: path.to_owned(),
        source,
    })
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

/// A hidden temporary file in `folder`, with the rights that a new file has; removed when dropped.
///
/// # Errors
/// What the system says.
pub fn temporary_in(folder: &Path) -> std::io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".partita-").suffix(".part");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        builder.permissions(std::fs::Permissions::from_mode(0o666)); // the umask takes its part
    }
    builder.tempfile_in(folder)
}
