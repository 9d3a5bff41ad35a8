//! How long a song is, without decoding it: for plans, not for cutting.
//!
//! Runs on the caller's thread.

use std::path::Path;

use super::source::Source;
use crate::engine::{CancelToken, EngineError, Result};

/// Bytes of a file that may be read for it: a header, with a picture in it.
const MOST_BYTES: u64 = 24 << 20;

/// The song's length in seconds, as its header tells it; MPEG audio without a note of its length is
/// guessed by its first packets. `None` where nothing tells. The same bytes give the same answer on
/// every machine.
///
/// # Errors
/// As [`super::decode`], where the file cannot be opened or is no audio.
pub fn seconds(path: &Path, cancel: &CancelToken) -> Result<Option<f64>> {
    let source = Source::open_within(path, MOST_BYTES, cancel)?;
    if cancel.is_cancelled() {
        return Err(EngineError::Cancelled);
    }
    let tracks = source.reader.tracks();
    let guessed = || tracks.iter().find(|track| track.id == source.track)?.num_frames;
    let frames = source.promised.or_else(guessed);
    let rate = source.codec.sample_rate.filter(|&rate| rate > 0);
    let seconds = frames.zip(rate).map(|(frames, rate)| frames as f64 / f64::from(rate));
    Ok(seconds.filter(|seconds| *seconds > 0.0))
}
