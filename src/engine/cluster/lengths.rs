//! Lengths of a manifest's songs: as stated there, else from the files' headers.
//!
//! Uses a few threads, because the latency of the disk dominates.

use super::Entry;
use crate::engine::{
    audio::decode,
    problem::{Problem, Result},
    system::threads,
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
    let unknown = entries.iter_mut().filter(|entry| entry.seconds.is_none()).collect();
    let look = |entry: &mut Entry| {
        if cancel.is_ending() {
            return None;
        }
        match decode::seconds(&entry.path, entry.track, cancel) {
            Ok(seconds) => entry.seconds = seconds,
            Err(error) if error.class().is_temporary() => return Some((entry.line, error)),
            Err(error) => tracing::debug!("line {}: {error}", entry.line),
        }
        None
    };
    let looked = threads::in_parallel("lengths", THREADS, unknown, look)?;
    if cancel.is_ending() {
        return Err(Problem::Cancelled);
    }
    let unseen: Vec<_> = looked.into_iter().flatten().collect();
    let count = unseen.len();
    let Some((line, first)) = unseen.into_iter().min_by_key(|(line, _)| *line) else {
        return Ok(());
    };
    Err(Problem::UnseenSongs { count, line, first: Box::new(first) })
}
