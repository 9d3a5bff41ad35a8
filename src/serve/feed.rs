//! The changes of the last minutes, in order, for streams of events. A client that was disconnected
//! goes on after the last change that it got. Usable from any thread.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::watch;

use super::hub::state::Change;

/// Number of kept changes.
const KEPT: usize = 4096;

/// The changes; cheap to clone.
#[derive(Clone)]
pub(super) struct Feed(Arc<Inner>);

struct Inner {
    kept: Mutex<Kept>,
    /// Number of the newest change.
    newest: watch::Sender<u64>,
}

#[derive(Default)]
struct Kept {
    changes: VecDeque<Change>,
    /// Number of the oldest kept change; the first is 1.
    first: u64,
}

impl Default for Feed {
    fn default() -> Self {
        let kept = Mutex::new(Kept { changes: VecDeque::new(), first: 1 });
        Self(Arc::new(Inner { kept, newest: watch::Sender::new(0) }))
    }
}

impl Feed {
    /// Appends a change.
    pub fn push(&self, change: Change) {
        let newest = {
            let mut kept = self.kept();
            // The content is rendered when it is sent, so that repetitions say nothing new.
            if kept.changes.len() >= KEPT {
                kept.changes.pop_front();
                kept.first += 1;
            }
            kept.changes.push_back(change);
            kept.first + kept.changes.len() as u64 - 1
        };
        self.0.newest.send_replace(newest);
    }

    /// Number of the newest change.
    pub fn newest(&self) -> u64 {
        *self.0.newest.borrow()
    }

    /// A receiver that sees each new number.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.0.newest.subscribe()
    }

    /// The changes after number `after`, each distinct one once in the order of its last occurrence,
    /// and the number of the newest. [`Change::All`] alone if some of them are no longer kept.
    pub fn after(&self, after: u64) -> (u64, Vec<Change>) {
        let kept = self.kept();
        let newest = kept.first + kept.changes.len() as u64 - 1;
        if after > newest || after + 1 < kept.first {
            return (newest, vec![Change::All]);
        }
        let new = kept.changes.iter().skip((after + 1 - kept.first) as usize);
        let mut seen = std::collections::HashSet::new();
        let mut changes: Vec<Change> =
            new.rev().filter(|change| seen.insert(*change)).cloned().collect();
        changes.reverse();
        (newest, changes)
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{JobId, SongId};

    #[test]
    fn a_client_goes_on_after_the_last_change_that_it_got() {
        let feed = Feed::default();
        assert_eq!(feed.after(0), (0, vec![]));
        let job = |id| Change::Job(JobId(id));
        for change in [job(1), Change::Queue, job(2), job(1)] {
            feed.push(change);
        }
        assert_eq!(feed.after(0), (4, vec![Change::Queue, job(2), job(1)]));
        assert_eq!(feed.after(3), (4, vec![job(1)]));
        assert_eq!((feed.after(4), feed.newest()), ((4, vec![]), 4));
    }

    #[test]
    fn a_client_that_missed_changes_reads_everything_again() {
        let feed = Feed::default();
        for id in 0..KEPT as i64 + 10 {
            feed.push(Change::Song(SongId(id)));
        }
        let newest = KEPT as u64 + 10;
        assert_eq!(feed.after(9), (newest, vec![Change::All]), "change 10 is gone");
        assert_eq!(feed.after(10).1.len(), KEPT);
        assert_eq!(feed.after(newest + 1), (newest, vec![Change::All]), "of an earlier start");
    }
}
