//! A wrapper that contains panics of a track: after one, all reads fail like those of a broken
//! disk.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use super::Track;
use crate::engine::{problem::Activity, system::panics::caught};

/// Wrapper between the feeder and a track.
pub(super) struct GuardedTrack {
    track: Arc<dyn Track>,
    has_panicked: AtomicBool,
}

impl GuardedTrack {
    pub(super) fn new(track: Arc<dyn Track>) -> Self {
        Self { track, has_panicked: AtomicBool::new(false) }
    }

    /// Calls the track, unless it panics or has panicked before.
    fn ask<T>(&self, question: impl FnOnce() -> T) -> io::Result<T> {
        if self.has_panicked.load(Ordering::Relaxed) {
            return Err(io::Error::other("reading the song failed with an internal error"));
        }
        caught(Activity::Playing, || Ok(question())).map_err(|e| {
            self.has_panicked.store(true, Ordering::Relaxed);
            io::Error::other(e)
        })
    }
}

impl Track for GuardedTrack {
    fn frames(&self) -> u64 {
        self.ask(|| self.track.frames()).unwrap_or(0)
    }

    fn stems(&self) -> usize {
        self.track.stems()
    }

    fn read_original(&self, start: u64, out: &mut [f32]) -> io::Result<()> {
        self.ask(|| self.track.read_original(start, out))?
    }

    fn read_stem(&self, stem: usize, start: u64, out: &mut [f32]) -> io::Result<()> {
        self.ask(|| self.track.read_stem(stem, start, out))?
    }

    fn covered_at(&self, at: u64) -> (bool, u64) {
        self.ask(|| self.track.covered_at(at)).unwrap_or((false, self.frames()))
    }
}
