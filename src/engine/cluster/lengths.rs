//! The lengths of a manifest's songs: as it says, else as their headers say.
//!
//! Runs on a few threads: what takes time is the way to the disk.

use super::Entry;
use crate::engine::{
    audio::decode,
    problem::{Problem, Result},
    system::threads,
    types::CancelToken,
};

/// Headers that are asked for at once.
const THREADS: usize = 8;

/// Sets the length of every song whose line does not say it. One that is no song, or is not there, has
/// none: whoever looks sees the same.
///
/// # Errors
/// [`Problem::UnseenSongs`] where this machine cannot see files that others may see: its shares would
/// differ from theirs. [`Problem::Cancelled`].
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
