//! Watches whether the users' files still exist at their paths.
//!
//! Uses a dedicated thread, because a network disk may be slow. Only checks existence; reads no
//! file.

use std::{collections::BTreeSet, path::PathBuf, time::Duration};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use crate::engine::{
    event::{Event, EventSink},
    problem::Result,
    system::threads,
    types::SongId,
};

/// Interval of the checks.
const EVERY: Duration = Duration::from_secs(10);

/// Capacity of the queue of lists, while a disk does not respond.
const LISTS: usize = 64;

/// Handle of the checking thread, which ends when the handle is dropped.
pub(in crate::engine) struct MissingFiles(Sender<Vec<(SongId, PathBuf)>>);

impl MissingFiles {
    /// Starts the thread. It sends the songs without a file as [`Event::Missing`] whenever they
    /// change.
    pub(in crate::engine) fn start(sink: &EventSink) -> Result<Self> {
        let (inbox, files) = bounded(LISTS);
        let sink = sink.clone();
        let send = move |missing: BTreeSet<SongId>| {
            sink.send(Event::Missing(missing.into_iter().collect()));
        };
        // Detached: a disk that does not answer must not hold up the end of the program.
        threads::start("sources", move || run(&files, EVERY, &send))?.detach();
        Ok(Self(inbox))
    }

    /// Sets the expected paths and checks them immediately.
    pub(in crate::engine) fn watch(&self, files: Vec<(SongId, PathBuf)>) {
        if self.0.try_send(files).is_err() {
            tracing::debug!("a disk does not respond; postponing the check of the files");
        }
    }
}

fn run(
    requests: &Receiver<Vec<(SongId, PathBuf)>>,
    every: Duration,
    send: &dyn Fn(BTreeSet<SongId>),
) {
    let (mut files, mut missing) = (Vec::new(), BTreeSet::new());
    loop {
        match requests.recv_timeout(every) {
            Ok(new) => files = requests.try_iter().last().unwrap_or(new),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        // Nameless recovered songs have no path. If a disk does not respond, the file counts as
        // present.
        let is_missing = |(_, path): &&(SongId, PathBuf)| {
            !path.as_os_str().is_empty() && matches!(path.try_exists(), Ok(false))
        };
        let now: BTreeSet<SongId> = files.iter().filter(is_missing).map(|(id, _)| *id).collect();
        if now != missing {
            missing.clone_from(&now);
            send(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_a_file_that_disappears_and_returns() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("song.wav");
        std::fs::write(&path, "").unwrap();
        let (inbox, requests) = bounded(2);
        let (events, received) = bounded(2);
        let work = move || {
            run(&requests, Duration::from_millis(5), &|missing| events.send(missing).unwrap());
        };
        let thread = threads::start("looks", work).unwrap();
        inbox.send(vec![(SongId(1), path.clone()), (SongId(2), PathBuf::new())]).unwrap();
        assert!(received.recv_timeout(Duration::from_millis(50)).is_err(), "no event expected");
        let next = || received.recv_timeout(Duration::from_secs(20)).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert_eq!(next(), BTreeSet::from([SongId(1)]));
        std::fs::write(&path, "").unwrap();
        assert_eq!(next(), BTreeSet::new());
        drop(inbox);
        thread.join().unwrap();
    }
}
