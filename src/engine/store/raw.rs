//! A file of raw samples with access by frame offset.

use std::{fs::File, io, path::Path};

use crate::{engine::types::CHANNELS, file_identity::is_at};

#[cfg(target_endian = "big")]
compile_error!("stores hold little-endian samples; this machine would need a conversion");

const FRAME_BYTES: u64 = (CHANNELS * size_of::<f32>()) as u64;

/// Interleaved samples on disk.
#[derive(Debug)]
pub(super) struct RawFile(File);

impl RawFile {
    /// Opens an existing file for reading.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        File::open(path).map(Self)
    }

    /// Opens a file for reading and writing; creates it if missing.
    pub(super) fn open_for_writing(path: &Path) -> io::Result<Self> {
        let mut options = File::options();
        options.read(true).write(true).create(true).truncate(false).open(path).map(Self)
    }

    /// Number of whole frames in the file.
    pub(super) fn frames(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len() / FRAME_BYTES)
    }

    /// Fills `out` from frame `start` on.
    pub(super) fn read(&self, start: u64, out: &mut [f32]) -> io::Result<()> {
        read_exact_at(&self.0, bytemuck::cast_slice_mut(out), start * FRAME_BYTES)
    }

    /// Writes `samples` from frame `start` on.
    pub(super) fn write(&self, start: u64, samples: &[f32]) -> io::Result<()> {
        write_all_at(&self.0, bytemuck::cast_slice(samples), start * FRAME_BYTES)
    }

    /// Whether `path` still names this file, as for [`is_at`].
    pub(super) fn is_at(&self, path: &Path) -> io::Result<bool> {
        is_at(&self.0, path)
    }

    /// Syncs written data to the disk.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.0.sync_data()
    }
}

#[cfg(unix)]
pub(super) fn read_exact_at(file: &File, bytes: &mut [u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, bytes, offset)
}

#[cfg(unix)]
pub(super) fn write_all_at(file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, offset)
}

#[cfg(windows)]
pub(super) fn read_exact_at(file: &File, mut bytes: &mut [u8], mut offset: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        match std::os::windows::fs::FileExt::seek_read(file, bytes, offset)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            n => {
                bytes = &mut bytes[n..];
                offset += n as u64;
            }
        }
    }
    Ok(())
}

#[cfg(windows)]
pub(super) fn write_all_at(file: &File, mut bytes: &[u8], mut offset: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        let n = std::os::windows::fs::FileExt::seek_write(file, bytes, offset)?;
        bytes = &bytes[n..];
        offset += n as u64;
    }
    Ok(())
}
