//! Lengths of a manifest's songs: as stated there, else from the files' headers.
//!
//! Uses a few threads, because the latency of the disk dominates.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::Entry;
use crate::engine::{
    audio::decode,
    problem::{Problem, Result},
    types::CancelToken,
};

/// Number of headers read concurrently.
const THREADS: usize = 8;

/// Sets the length of every song whose line lacks it. A missing or invalid song has none, which is
/// the same on every machine.
///
/// # Errors
/// [`Problem::UnseenSongs`] if this machine cannot read files that others may be able to read,
/// because its shares would differ from theirs. [`Problem::Cancelled`].
pub fn complete(entries: &mut [Entry], cancel: &CancelToken) -> Result<()> {
    let mut unknown: Vec<&mut Entry> =
        entries.iter_mut().filter(|entry| entry.seconds.is_none()).collect();
    let unseen = AtomicUsize::new(0);
    let part = unknown.len().div_ceil(THREADS).max(1);
    let first = std::thread::scope(|scope| {
        let look = |part: &mut [&mut Entry]| {
            let mut first = None;
            for entry in part {
                if cancel.is_ending() {
                    break;
                }
                match decode::seconds(&entry.path, entry.track, cancel) {
                    Ok(seconds) => entry.seconds = seconds,
                    Err(error) if error.class().is_temporary() => {
                        unseen.fetch_add(1, Ordering::Relaxed);
                        first.get_or_insert((entry.line, error));
                    }
                    Err(error) => tracing::debug!("line {}: {error}", entry.line),
                }
            }
            first
        };
        let parts: Vec<_> =
            unknown.chunks_mut(part).map(|part| scope.spawn(move || look(part))).collect();
        parts.into_iter().find_map(|part| part.join().ok().flatten())
    });
    if cancel.is_ending() {
        return Err(Problem::Cancelled);
    }
    let Some((line, first)) = first else { return Ok(()) };
    Err(Problem::UnseenSongs { count: unseen.into_inner(), line, first: Box::new(first) })
}
