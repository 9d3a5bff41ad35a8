//! Packed weights: in this process's memory, or in files that all processes of a computer map, so
//! that the weights are in its memory once.
//!
//! The files are a cache, not a format. Each is named by the SHA-256 of its bytes. A process compares
//! a file with the bytes that it packed, and uses the file only if they are equal. Another version,
//! processor or precision packs other bytes into other files; unused files are removed when they are
//! old. Sharing is off until [`share_in`] is called; if the folder cannot be written, weights stay
//! private. Runs on the thread that packs.

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

/// Least number of values that are worth a mapping.
const LEAST: usize = 1 << 14;

/// Age at which files are removed. A process that maps one keeps it.
const AGE: Duration = Duration::from_hours(7 * 24);

/// Beginning of the names of files that are being written.
const TEMPORARY: &str = ".weights-";

static FOLDER: OnceLock<PathBuf> = OnceLock::new();

/// Shares weights from now on with all processes that share them in the same folder. Creates the
/// folder, and removes old files of earlier processes from it. Only the first call chooses the
/// folder.
///
/// # Errors
/// The folder cannot be created or listed; weights then stay private.
pub fn share_in(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    remove_old(folder)?;
    FOLDER.get_or_init(|| folder.to_owned());
    Ok(())
}

/// Removes the files of this module that were written long ago, and no others.
fn remove_old(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)?.flatten() {
        let is_old = |metadata: fs::Metadata| {
            let written = metadata.modified().ok().filter(|_| metadata.is_file());
            written.and_then(|time| time.elapsed().ok()).is_some_and(|age| age > AGE)
        };
        if is_ours(&entry.file_name().to_string_lossy())
            && entry.metadata().is_ok_and(is_old)
            && let Err(e) = fs::remove_file(entry.path())
        {
            tracing::debug!("could not remove {}: {e}", entry.path().display());
        }
    }
    Ok(())
}

/// Whether a file has a name that this module gives: a SHA-256, or that of a file being written.
fn is_ours(name: &str) -> bool {
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    name.starts_with(TEMPORARY) || (name.len() == 64 && name.bytes().all(is_digit))
}

/// Constant values, aligned to a line of the cache.
#[derive(Clone, Debug)]
pub struct SharedWeights(Memory);

#[derive(Clone, Debug)]
enum Memory {
    Own(Buffer),
    Mapped(Arc<Mmap>),
}

impl SharedWeights {
    /// Shares `values` if [`share_in`] was called and there are enough of them; keeps them
    /// otherwise.
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

/// Maps the file in `folder` with exactly these bytes; writes it if it is missing or corrupt.
fn shared(folder: &Path, bytes: &[u8]) -> io::Result<Mmap> {
    let path = folder.join(hex(&Sha256::digest(bytes)));
    match map(&path, bytes) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => {}
        // Corrupt, for example after a power loss: files are not synced. On Windows, the removal
        // fails while another process maps the file; weights are then private.
        Err(e) if e.kind() == io::ErrorKind::InvalidData => fs::remove_file(&path)?,
        mapped => return mapped,
    }
    put(&path, bytes)?;
    map(&path, bytes)
}

/// Writes a file that another process may be writing too. The file of the first process stays, so
/// that all processes map the same one.
fn put(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut part =
        NamedTempFile::with_prefix_in(TEMPORARY, path.parent().unwrap_or(Path::new(".")))?;
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
    let corrupt = || io::Error::new(io::ErrorKind::InvalidData, "the file is corrupt");
    if file.metadata()?.len() != bytes.len() as u64 {
        return Err(corrupt()); // reading beyond the end of a mapped file is a SIGBUS
    }
    // SAFETY: assumes that no process changes or truncates the file while it is mapped, which would
    // change a slice behind a shared reference or end this process by SIGBUS. Partita does neither:
    // a file is complete before it gets its name, and is afterwards only mapped or removed, which
    // leaves mappings intact. It is also read-only, but not on Windows, where the rename clears that;
    // there, the system refuses to truncate or remove a mapped file. Other programs are not
    // prevented: the folder is inside the user's data folder, whose programs could as well change
    // this process itself.
    let mapped = unsafe { Mmap::map(&file)? };
    if *mapped == *bytes { Ok(mapped) } else { Err(corrupt()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(folder: &Path) -> Vec<PathBuf> {
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
    }

    #[test]
    fn equal_bytes_share_a_file() {
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

    #[cfg(unix)] // Windows does not remove a mapped file, so that none becomes corrupt
    #[test]
    fn a_corrupt_file_is_replaced_while_its_mappings_stay() {
        for damage in [b"short".to_vec(), vec![7; 160_000]] {
            let folder = tempfile::tempdir().unwrap();
            let bytes: Vec<u8> = (0..40_000_u32).flat_map(u32::to_le_bytes).collect();
            let before = shared(folder.path(), &bytes).unwrap();
            let file = files(folder.path()).remove(0);
            fs::remove_file(&file).unwrap();
            fs::write(&file, damage).unwrap();
            assert!(*shared(folder.path(), &bytes).unwrap() == *bytes);
            assert!(*before == *bytes, "a mapping outlives its file");
            assert_eq!(files(folder.path()), [file]);
        }
    }

    #[test]
    fn a_corrupt_file_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let bytes = [7; 64];
        drop(shared(folder.path(), &bytes).unwrap());
        let file = files(folder.path()).remove(0);
        fs::remove_file(&file).unwrap();
        fs::write(&file, "short").unwrap();
        assert!(*shared(folder.path(), &bytes).unwrap() == bytes);
        assert_eq!(files(folder.path()), [file]);
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(share_in(&file.join("folder")).is_err());
        assert!(shared(&file, &[0; 64]).is_err());
    }

    #[test]
    fn only_old_files_with_names_of_this_module_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        let digest = hex(&Sha256::digest(b"old"));
        let [old, new] = [AGE + Duration::from_mins(1), Duration::ZERO];
        for (name, age, stays) in [
            (digest.as_str(), old, false),
            (".weights-a1b2c3", old, false),
            (&hex(&Sha256::digest(b"new")), new, true),
            (".weights-d4e5f6", new, true),
            ("notes.txt", old, true),
            (&digest.to_uppercase(), old, true),
            (&digest[..40], old, true),
        ] {
            let path = folder.path().join(name);
            let file = File::create(&path).unwrap();
            file.set_modified(std::time::SystemTime::now() - age).unwrap();
            drop(file); // Wine keeps the names of open files
            remove_old(folder.path()).unwrap();
            assert_eq!(path.exists(), stays, "{name}");
        }
    }
}
