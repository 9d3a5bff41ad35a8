//! Estimate of a song's length without decoding it: for planning, not for cutting.
//!
//! Runs on the calling thread.

use std::path::Path;

use super::source::Source;
use crate::engine::{
    problem::{Problem, Result},
    types::CancelToken,
};

/// Maximum number of bytes read: a header with a picture.
const MOST_BYTES: u64 = 24 << 20;

/// Length in seconds of the audio track `track`, counted from 1, according to the header. MPEG
/// audio without an info tag is estimated from its first packets. `None` if the length is unknown.
/// Equal files give equal results on every machine.
///
/// # Errors
/// Like [`super::decode`], if the file cannot be opened or is not audio.
pub fn seconds(path: &Path, track: Option<usize>, cancel: &CancelToken) -> Result<Option<f64>> {
    let source = Source::open_headers(path, MOST_BYTES, track, cancel)?;
    if cancel.is_cancelled() {
        return Err(Problem::Cancelled);
    }
    Ok(source.stated_seconds().filter(|seconds| *seconds > 0.0))
}
