//! Decoding: any audio file to interleaved stereo `f32` at [`super::SAMPLE_RATE`], block by block.
//!
//! Knows no store and no library. Runs on the thread that calls it (an import thread).

use std::path::Path;

use super::{AudioFormat, CancelToken, Tags};

/// Why a file cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// In words: what is wrong with the file, and what to do.
    #[error("{0}")]
    Unreadable(String),
}

/// What decoding found out.
#[derive(Clone, Debug, PartialEq)]
pub struct Decoded {
    /// How the file is encoded.
    pub format: AudioFormat,
    /// Title, artist, album.
    pub tags: Tags,
    /// The cover as it is in the file (PNG or JPEG bytes).
    pub cover: Option<Vec<u8>>,
    /// Frames given to the sink, at [`super::SAMPLE_RATE`].
    pub frames: u64,
    /// What was odd but did not stop the import: cut off, folded down from 5.1.
    pub warning: Option<String>,
}

/// Decodes the whole file at `path` in blocks of interleaved stereo at [`super::SAMPLE_RATE`].
///
/// # Errors
/// When nothing can be read, in words for people; errors of `sink` come back as they are.
pub fn decode(
    _path: &Path,
    _cancel: &CancelToken,
    _progress: &mut dyn FnMut(f32),
    _sink: &mut dyn FnMut(&[f32]) -> super::Result<()>,
) -> super::Result<Decoded> {
    Err(DecodeError::Unreadable("decoding is not built yet".into()).into())
}
