//! Whether an installed weight file still has the content that was installed, checked before its first use.
//!
//! The content's digest is in the file's header. Reading a large file takes seconds, so the verdict is kept
//! beside the file, for its length, modification time and inode. A file that changed is read again; bytes
//! that a disk changes silently afterwards are found by [`super::Store::verify`] alone. Not the checks of a
//! file's format. Runs on the thread that loads the network.

use std::{
    fs::{self, File},
    io::{self, BufReader, Read},
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

use sha2::{Digest as _, Sha256};

use super::{
    checkpoint::{before_values, hex},
    error::Result,
    formats::{safetensors, sniff},
    progress::Watch,
};
use crate::model::{ModelError, Remedy};

/// Extension of verdicts, beside the weight files.
const EXTENSION: &str = "checked";

/// Bytes that are read at a time.
const CHUNK: usize = 1 << 20;

/// Checks the content of the weight file at `path`, unless this version of it was checked before. Files
/// without a digest pass, and so do files that cannot be read: loading them fails with the reason.
///
/// # Errors
/// [`ModelError::Digest`].
pub fn check(path: &Path, remedy: Remedy) -> super::Result<()> {
    match digests(path) {
        Ok(Some((found, noted))) if found != noted => {
            Err(ModelError::Digest { path: path.to_owned(), found, noted, remedy })
        }
        Ok(_) => Ok(()),
        Err(fault) => {
            tracing::debug!("{} was not checked: {fault:?}", path.display());
            Ok(())
        }
    }
}

/// Path of the verdict on the weight file at `path`.
pub(super) fn verdict_path(path: &Path) -> PathBuf {
    path.with_extension(EXTENSION)
}

/// Removes the verdict on the weight file at `path`, whose damage was found in another way.
pub(super) fn forget(path: &Path) {
    if let Err(error) = fs::remove_file(verdict_path(path)) {
        tracing::debug!("no verdict on {} was removed: {error}", path.display());
    }
}

/// The digest of the content and the one in the header; `None` if the header has no digest, or if the file
/// was checked before.
fn digests(path: &Path) -> Result<Option<(String, String)>> {
    let mut file = File::open(path)?;
    let identity = identity(&file)?;
    let verdict = verdict_path(path);
    if fs::read_to_string(&verdict).is_ok_and(|known| known == identity) {
        return Ok(None);
    }
    let Some((mut found, noted)) = digests_of(&mut file)? else { return Ok(None) };
    if found != noted {
        // The file may hold the same values in another form, which is read as a whole.
        let watch = &mut Watch { progress: &mut |_| {}, cancel: &|| false };
        let read = sniff::read(path, None, watch).and_then(|checkpoint| {
            let content = checkpoint.digest(watch)?;
            Ok(checkpoint.identity(content))
        });
        found = read.unwrap_or(found);
    }
    // A folder that cannot be written costs another check at the next start; so does a verdict that is cut
    // off, because it differs.
    if found == noted
        && let Err(error) = fs::write(&verdict, identity)
    {
        tracing::debug!("could not write {}: {error}", verdict.display());
    }
    Ok(Some((found, noted)))
}

/// Length, modification time and inode of a file, as text.
fn identity(file: &File) -> io::Result<String> {
    let about = file.metadata()?;
    let modified = about.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
    #[cfg(unix)]
    let inode = std::os::unix::fs::MetadataExt::ino(&about);
    #[cfg(not(unix))]
    let inode = 0u64;
    Ok(format!("{} {} {inode}\n", about.len(), modified.as_nanos()))
}

/// The digest of a canonical file's content, read in chunks, and the digest in its header.
fn digests_of(file: &mut File) -> Result<Option<(String, String)>> {
    let length = file.metadata()?.len();
    let mut file = BufReader::with_capacity(CHUNK, file);
    let metadata = safetensors::read_header(&mut file, length)?;
    let texts = metadata.metadata().as_ref();
    let Some(noted) = texts.and_then(|texts| texts.get("digest")).filter(|text| !text.is_empty())
    else {
        return Ok(None);
    };
    let (mut hash, mut chunk) = (Sha256::new(), vec![0; CHUNK]);
    for name in metadata.offset_keys() {
        let Some(info) = metadata.info(&name) else { continue };
        hash.update(before_values(&name, &info.shape));
        let mut left = info.data_offsets.1 - info.data_offsets.0;
        while left > 0 {
            let count = left.min(CHUNK);
            file.read_exact(&mut chunk[..count])?;
            hash.update(&chunk[..count]);
            left -= count;
        }
    }
    let content = hex(&hash.finalize());
    let found = safetensors::described(texts).map(|checkpoint| checkpoint.identity(content))?;
    Ok(Some((found, noted.clone())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::weights::{Store, samples};

    /// Changes a byte in the middle of the values.
    fn damage(path: &Path) {
        let mut bytes = fs::read(path).unwrap();
        let at = bytes.len() - 9;
        bytes[at] ^= 1;
        fs::write(path, bytes).unwrap();
    }

    #[test]
    fn a_changed_file_is_found_and_an_unchanged_one_is_read_once() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("tiny.safetensors");
        fs::write(&file, samples::safetensors(&samples::checkpoint())).unwrap();
        let store = Store::with_catalog(home.path(), samples::catalog(Vec::new()));
        store.import(&file, &mut |_| {}, &|| false).unwrap();
        let path = store.path("tiny");
        assert!(digests(&path).unwrap().is_some_and(|(found, noted)| found == noted));
        assert_eq!(digests(&path).unwrap(), None, "the verdict was kept");
        check(&path, Remedy::Install).unwrap();
        damage(&path);
        for _ in 0..2 {
            let error = check(&path, Remedy::Install).unwrap_err();
            assert!(matches!(error, ModelError::Digest { .. }), "{error}");
            assert!(error.to_string().ends_with("install the model again"), "{error}");
        }
        damage(&path);
        check(&path, Remedy::Install).unwrap();
        assert!(verdict_path(&path).is_file());
        // Damage that keeps length, time and inode is found by verification, after which the verdict
        // no longer counts.
        let modified = fs::metadata(&path).unwrap().modified().unwrap();
        damage(&path);
        File::options().write(true).open(&path).unwrap().set_modified(modified).unwrap();
        check(&path, Remedy::Install).unwrap();
        store.verify("tiny", &mut |_| {}, &|| false).unwrap_err();
        check(&path, Remedy::Install).unwrap_err();
        damage(&path);
        check(&path, Remedy::Install).unwrap();
        store.remove("tiny").unwrap();
        assert!(!verdict_path(&path).exists());
    }

    #[test]
    fn files_without_a_digest_and_missing_ones_pass() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("a.safetensors");
        check(&path, Remedy::Import).unwrap();
        fs::write(&path, samples::safetensors(&samples::checkpoint())).unwrap();
        check(&path, Remedy::Import).unwrap();
    }
}
