//! Whether the users' files are still where they were when they were added.
//!
//! Looks on a thread of its own: a disk on the network takes its time to answer. Reads no file.

use std::{collections::BTreeSet, path::PathBuf, time::Duration};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use crate::engine::{
    event::{Event, EventSink},
    problem::Result,
    system::threads,
    types::SongId,
};

/// How often it looks.
const EVERY: Duration = Duration::from_secs(10);

/// Lists that may wait for a disk that does not answer.
const LISTS: usize = 64;

/// The thread that looks. It ends with its handle.
pub(in crate::engine) struct MissingFiles(Sender<Vec<(SongId, PathBuf)>>);

impl MissingFiles {
    /// Starts the thread. It tells which songs have no file as [`Event::Missing`], whenever that
    /// changes.
    pub(in crate::engine) fn start(sink: &EventSink) -> Result<Self> {
        let (inbox, files) = bounded(LISTS);
        let sink = sink.clone();
        let tell = move |missing: BTreeSet<SongId>| {
            sink.send(Event::Missing(missing.into_iter().collect()));
        };
        // Detached: a disk that does not answer must not hold up the end of the program.
        threads::start("sources", move || run(&files, EVERY, &tell))?.detach();
        Ok(Self(inbox))
    }

    /// Says where the files should be, and looks at once.
    pub(in crate::engine) fn watch(&self, files: Vec<(SongId, PathBuf)>) {
        if self.0.try_send(files).is_err() {
            tracing::debug!("a disk does not answer; the files are looked for later");
        }
    }
}

fn run(
    requests: &Receiver<Vec<(SongId, PathBuf)>>,
    every: Duration,
    tell: &dyn Fn(BTreeSet<SongId>),
) {
    let (mut files, mut missing) = (Vec::new(), BTreeSet::new());
    loop {
        match requests.recv_timeout(every) {
            Ok(new) => files = requests.try_iter().last().unwrap_or(new),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        // Songs found again without their name have no path; a disk that does not answer says nothing.
        let is_missing = |(_, path): &&(SongId, PathBuf)| {
            !path.as_os_str().is_empty() && matches!(path.try_exists(), Ok(false))
        };
        let now: BTreeSet<SongId> = files.iter().filter(is_missing).map(|(id, _)| *id).collect();
        if now != missing {
            missing.clone_from(&now);
            tell(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_goes_and_comes_back_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("song.wav");
        std::fs::write(&path, "").unwrap();
        let (inbox, requests) = bounded(2);
        let (tell, told) = bounded(2);
        let work = move || {
            run(&requests, Duration::from_millis(5), &|missing| tell.send(missing).unwrap());
        };
        let thread = threads::start("looks", work).unwrap();
        inbox.send(vec![(SongId(1), path.clone()), (SongId(2), PathBuf::new())]).unwrap();
        assert!(told.recv_timeout(Duration::from_millis(50)).is_err(), "nothing to tell");
        let next = || told.recv_timeout(Duration::from_secs(20)).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert_eq!(next(), BTreeSet::from([SongId(1)]));
        std::fs::write(&path, "").unwrap();
        assert_eq!(next(), BTreeSet::new());
        drop(inbox);
        thread.join().unwrap();
    }
}
