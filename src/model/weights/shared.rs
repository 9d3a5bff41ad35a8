//! Packed weights: this process's own, or in files that all processes of a computer map, so that they
//! lie in its memory once.
//!
//! Not a format, and trusted by nobody: a file is called by the SHA-256 of its bytes and is compared
//! with what was packed here before it takes its place. Another version, processor or precision
//! packs other bytes, and so into other files; those are left to age. Off until [`share_in`] is told a
//! folder, and where that cannot be written, as if it had not been. Runs on the thread that packs.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    ops::Deref,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
    time::Duration,
};

use memmap2::Mmap;
use sha2::{Digest as _, Sha256};
use tempfile::NamedTempFile;

use super::hex;
use crate::model::arena::Buffer;

/// Fewer values are not worth a mapping.
const LEAST: usize = 1 << 14;

/// Files that were written longer ago are removed; who maps one keeps it.
const AGE: Duration = Duration::from_hours(7 * 24);

static FOLDER: OnceLock<PathBuf> = OnceLock::new();

/// From now on weights are shared with all processes that are told the same folder; it is made, and
/// holds nothing else. The first folder that is named counts.
///
/// # Errors
/// What the system says; weights then stay this process's own.
pub fn share_in(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    for entry in fs::read_dir(folder)?.flatten() {
        let written = entry.metadata().and_then(|metadata| metadata.modified());
        if written.is_ok_and(|time| time.elapsed().is_ok_and(|age| age > AGE))
            && let Err(e) = fs::remove_file(entry.path())
        {
            tracing::debug!("{} is left over: {e}", entry.path().display());
        }
    }
    FOLDER.get_or_init(|| folder.to_owned());
    Ok(())
}

/// Values that do not change any more; aligned to a line of the cache.
#[derive(Clone, Debug)]
pub struct SharedWeights(Memory);

#[derive(Clone, Debug)]
enum Memory {
    Own(Buffer),
    Mapped(Arc<Mmap>),
}

impl SharedWeights {
    /// Shares `values` where [`share_in`] said so; keeps them otherwise.
    pub fn new(values: Buffer) -> Self {
        let folder = FOLDER.get().filter(|_| values.len() >= LEAST);
        match folder.map(|folder| shared(folder, bytemuck::cast_slice(&values))) {
            Some(Ok(mapped)) => return Self(Memory::Mapped(Arc::new(mapped))),
            Some(Err(e)) => tracing::debug!("weights are not shared: {e}"),
            None => {}
        }
        Self(Memory::Own(values))
    }
}

impl Deref for SharedWeights {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        match &self.0 {
            Memory::Own(values) => values,
            Memory::Mapped(bytes) => bytemuck::cast_slice(bytes),
        }
    }
}

/// The mapped file in `folder` with just these bytes, made if there is none.
fn shared(folder: &Path, bytes: &[u8]) -> io::Result<Mmap> {
    let path = folder.join(hex(&Sha256::digest(bytes)));
    match map(&path, bytes) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => {}
        // Damaged, as by a loss of power: nothing here waits for the disk.
        Err(e) if e.kind() == io::ErrorKind::InvalidData => fs::remove_file(&path)?,
        mapped => return mapped,
    }
    put(&path, bytes)?;
    map(&path, bytes)
}

/// Writes a file that another process may be writing, too: the first one's stays, so that all map the
/// same.
fn put(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut part = NamedTempFile::new_in(path.parent().unwrap_or(Path::new(".")))?;
    part.write_all(bytes)?;
    let mut permissions = part.as_file().metadata()?.permissions();
    permissions.set_readonly(true);
    part.as_file().set_permissions(permissions)?;
    match part.persist_noclobber(path) {
        Err(e) if e.error.kind() != io::ErrorKind::AlreadyExists => Err(e.error),
        _ => Ok(()),
    }
}

#[expect(unsafe_code, reason = "the type system cannot say that a file does not change")]
fn map(path: &Path, bytes: &[u8]) -> io::Result<Mmap> {
    let file = File::open(path)?;
    let damaged =
        || io::Error::new(io::ErrorKind::InvalidData, "its file is not as it was written");
    if file.metadata()?.len() != bytes.len() as u64 {
        return Err(damaged()); // what is too short must not be looked at
    }
    // SAFETY: nothing writes to the file or cuts it off: it is read-only from before it had its name,
    // and those who know its name only ever map or remove it.
    let mapped = unsafe { Mmap::map(&file)? };
    if *mapped == *bytes { Ok(mapped) } else { Err(damaged()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(folder: &Path) -> Vec<PathBuf> {
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
    }

    #[test]
    fn the_same_bytes_lie_in_one_file_and_others_in_another() {
        let folder = tempfile::tempdir().unwrap();
        let bytes: Vec<u8> = (0..40_000_u32).flat_map(u32::to_le_bytes).collect();
        let (one, two) = std::thread::scope(|scope| {
            let share = || shared(folder.path(), &bytes).unwrap();
            let two = scope.spawn(share);
            (share(), two.join().unwrap())
        });
        assert!(*one == *bytes && *two == *bytes);
        assert_eq!(files(folder.path()).len(), 1);
        assert!(*shared(folder.path(), &bytes[4..]).unwrap() == bytes[4..]);
        assert_eq!(files(folder.path()).len(), 2);
    }

    #[test]
    fn a_damaged_file_is_made_anew_and_harms_nobody() {
        for damage in [b"short".to_vec(), vec![7; 160_000]] {
            let folder = tempfile::tempdir().unwrap();
            let bytes: Vec<u8> = (0..40_000_u32).flat_map(u32::to_le_bytes).collect();
            let before = shared(folder.path(), &bytes).unwrap();
            let file = files(folder.path()).remove(0);
            fs::remove_file(&file).unwrap();
            fs::write(&file, damage).unwrap();
            assert!(*shared(folder.path(), &bytes).unwrap() == *bytes);
            assert!(*before == *bytes, "who maps the file that was removed still has it");
            assert_eq!(files(folder.path()), [file]);
        }
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(share_in(&file.join("folder")).is_err());
        assert!(shared(&file, &[0; 64]).is_err());
    }
}
