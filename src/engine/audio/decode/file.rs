//! Opening of a file, selection of the part shown to a demuxer, and tracking of the read position.
//!
//! Runs on the decoder thread.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use symphonia::core::io::MediaSource;

use super::{
    DecodeError, NotAudio,
    bounds::BoundedFile,
    container::{self, Request, Shape},
};
use crate::engine::{
    problem::{Problem, Result},
    types::CancelToken,
};

/// An opened file and its layout.
pub struct Opened {
    /// The file as the demuxer reads it.
    pub file: Counted,
    /// Layout of the file.
    pub shape: Shape,
    /// Current read position in bytes, updated while reading.
    pub position: Arc<AtomicU64>,
    /// Length of the whole file in bytes.
    pub bytes: u64,
}

/// Opens `path` for a demuxer, which may read `most` bytes of it.
///
/// # Errors
/// Fails if the file is missing, unreadable or not audio, or lacks the requested track.
pub fn open(path: &Path, most: u64, request: Request, cancel: &CancelToken) -> Result<Opened> {
    let cannot_read = |source| {
        if cancel.is_cancelled() {
            return Problem::Cancelled;
        }
        Problem::input(path, source)
    };
    let metadata = std::fs::metadata(path).map_err(cannot_read)?;
    // Check before opening: opening a pipe would block until another process writes to it.
    if metadata.is_dir() {
        return Err(DecodeError::NotAudio(NotAudio::Folder).into());
    }
    if !metadata.is_file() {
        return Err(DecodeError::NotAudio(NotAudio::Device).into());
    }
    let bytes = metadata.len();
    let file = File::open(path).map_err(cannot_read)?;
    let mut file = BoundedFile::new(file, bytes, cancel).within(most);
    let shape = container::shape(&mut file, request).map_err(cannot_read)??;
    file.show(&shape.view);
    let position = Arc::new(AtomicU64::new(0));
    let counted = Counted { file, position: Arc::clone(&position) };
    Ok(Opened { file: counted, shape, position, bytes })
}

/// A file that records how far it was read.
pub struct Counted {
    file: BoundedFile,
    position: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.position.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

impl Seek for Counted {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = self.file.seek(to)?;
        self.position.store(position, Ordering::Relaxed);
        Ok(position)
    }
}

impl MediaSource for Counted {
    fn is_seekable(&self) -> bool {
        true
    }

    fn byte_len(&self) -> Option<u64> {
        Some(self.file.len())
    }
}
