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
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        Ok(())
    };
    write().map_err(|source| EngineError::Io {
        what: "Cannot write",
        path: path.to_owned(),
        source,
    })
}
