//! An npm package: a gzipped tar archive with an ONNX graph in it, read as a stream.

use std::{
    fs::File,
    io::{self, BufReader, Read},
};

use flate2::read::GzDecoder;
use sha2::{Digest as _, Sha256};

use super::onnx;
use crate::model::{
    error::FileFault,
    findings::{Malformed, Printable},
    weights::{
        checkpoint::{Checkpoint, hex},
        error::{Fault, Result},
        progress::Watch,
    },
};

/// Limit of the unpacked bytes: eight times the length. Trained values are close to noise and
/// hardly compress: the known package unpacks to 1.8 times its length.
fn unpacked_limit(length: u64) -> u64 {
    (8 * length).clamp(1 << 20, 1 << 30)
}

/// Reads the tensors of the first `.onnx` file in the archive, which is `length` bytes long.
/// `entry_sha256` is the SHA-256 of that file, where known.
pub(super) fn read(
    file: File,
    length: u64,
    entry_sha256: Option<&str>,
    watch: &mut Watch<'_>,
) -> Result<Checkpoint> {
    let packed = BufReader::with_capacity(1 << 18, file);
    let unpacked = Limited { input: GzDecoder::new(packed), left: unpacked_limit(length) };
    let mut archive = tar::Archive::new(unpacked);
    // Raw: records of long names, whose length is not checked, are not read into memory.
    for entry in archive.entries().map_err(|error| torn(&error, length))?.raw(true) {
        watch.check()?;
        let entry = entry.map_err(|error| torn(&error, length))?;
        if !entry.path_bytes().ends_with(b".onnx") {
            continue;
        }
        let size = entry.size();
        let mut entry = Hashing { input: entry, hash: Sha256::new() };
        let checkpoint = onnx::read(&mut entry, size, watch).map_err(|fault| match fault {
            Fault::Wrong(FileFault::CutOff { have: None, .. }) => {
                Fault::cut_off(Some(length), None)
            }
            other => other,
        })?;
        io::copy(&mut entry, &mut io::sink())?;
        let found = hex(&entry.hash.finalize());
        if entry_sha256.is_some_and(|expected| expected != found) {
            return Err(Malformed::OtherGraph { found: found.into() }.into());
        }
        return Ok(checkpoint);
    }
    Err(Malformed::NoOnnx.into())
}

/// The error of a corrupt archive, whose readers fail with many kinds of errors.
fn torn(error: &io::Error, length: u64) -> Fault {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => Fault::cut_off(Some(length), None),
        _ => Malformed::NotNpm { cause: Printable::of(error) }.into(),
    }
}

/// A reader that fails where a file unpacks to too many bytes.
struct Limited<R> {
    input: R,
    left: u64,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(buffer)?;
        self.left = self.left.checked_sub(count as u64).ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::InvalidData,
                "it unpacks to more than eight times its length, which weights never do",
            )
        })?;
        Ok(count)
    }
}

/// A reader that hashes the bytes that it reads.
struct Hashing<R> {
    input: R,
    hash: Sha256,
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(buffer)?;
        self.hash.update(&buffer[..count]);
        Ok(count)
    }
}
