//! Digests: SHA-256 of files and texts, in hexadecimal.
//!
//! Names on disk and in the library are derived from them, so their format never changes. Callable
//! from any thread.

use std::{fs::File, io::Read as _, path::Path};

use sha2::{Digest as _, Sha256};

use crate::engine::{
    problem::{Problem, Result},
    types::CancelToken,
};
pub(in crate::engine) use crate::model::weights::hex;

/// SHA-256 of a file's bytes, in hexadecimal.
///
/// # Errors
/// [`Problem::File`], [`Problem::Cancelled`].
pub(in crate::engine) fn content_hash(path: &Path, cancel: &CancelToken) -> Result<String> {
    let mut file = File::open(path).map_err(|e| Problem::read(path, e))?;
    let mut hasher = Sha256::new();
    let mut block = vec![0; 1 << 20];
    loop {
        if cancel.is_cancelled() {
            return Err(Problem::Cancelled);
        }
        match file.read(&mut block).map_err(|e| Problem::read(path, e))? {
            0 => break,
            n => hasher.update(&block[..n]),
        }
    }
    Ok(hex(&hasher.finalize()))
}

/// Digest of a list of texts and their order: 32 hexadecimal digits.
pub(in crate::engine) fn digest_of<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    const BYTES: usize = 16;
    let mut hasher = Sha256::new();
    for text in texts {
        hasher.update((text.len() as u64).to_le_bytes());
        hasher.update(text.as_bytes());
    }
    hex(&hasher.finalize()[..BYTES])
}
