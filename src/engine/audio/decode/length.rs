//! How long a song is, without decoding it: for plans, not for cutting.
//!
//! Runs on the caller's thread.

use std::path::Path;

use super::source::Source;
use crate::engine::{
    problem::{Problem, Result},
    types::CancelToken,
};

/// Bytes of a file that may be read for it: a header, with a picture in it.
const MOST_BYTES: u64 = 24 << 20;

/// The length in seconds of the audio track `track`, counted from 1, as the header tells it; MPEG audio
/// without a note of its length is guessed by its first packets. `None` where nothing tells. The same
/// bytes give the same answer on every machine.
///
/// # Errors
/// As [`super::decode`], where the file cannot be opened or is no audio.
pub fn seconds(path: &Path, track: Option<usize>, cancel: &CancelToken) -> Result<Option<f64>> {
    let source = Source::open_headers(path, MOST_BYTES, track, cancel)?;
    if cancel.is_cancelled() {
        return Err(Problem::Cancelled);
    }
    Ok(source.stated_seconds().filter(|seconds| *seconds > 0.0))
}
