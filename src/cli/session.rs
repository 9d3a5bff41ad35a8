//! The engine as the command line uses it: start, send commands, and wait for events.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::bail;
use crossbeam_channel::Receiver;

use super::{output::warn, reason::Reason};
use crate::{
    engine::{
        self, Compute, Config, Engine, Event, Job, ModelState, Problem, Song, library::Library,
    },
    i18n::fl,
    words,
};

/// Opens the library for a command that only reads it. Says so if it was damaged and rebuilt.
pub(super) fn open_library(home: &Path) -> anyhow::Result<Library> {
    let (library, rebuilt) = engine::look_into_library(home)?;
    if let Some(problem) = rebuilt {
        warn(&words::problem(&problem));
    }
    Ok(library)
}

/// A running engine and its initial state.
pub(super) struct Session {
    pub(super) engine: Engine,
    pub(super) events: Receiver<Event>,
    pub(super) songs: Vec<Song>,
    pub(super) jobs: Vec<Job>,
    /// Expected seconds for a segment.
    pub(super) pace: Option<f64>,
}

impl Session {
    /// Starts the engine on the library in `home`; interrupted jobs stay interrupted.
    pub(super) fn start(home: PathBuf, compute: Compute) -> anyhow::Result<Self> {
        let config = Config { home, compute, interactive: false, waker: Arc::new(|| {}) };
        let (engine, events) = Engine::start(&config)?;
        let mut session = Self { engine, events, songs: Vec::new(), jobs: Vec::new(), pace: None };
        let (mut is_known, mut failures) = (false, Vec::<Problem>::new());
        loop {
            match session.next()? {
                Event::Library { songs, jobs } => {
                    (session.songs, session.jobs, is_known) = (songs, jobs, true);
                }
                Event::Pace(seconds) => session.pace = Some(seconds),
                Event::Model(state) => {
                    // Fatal only if the library could not be read as a result.
                    if !is_known && let Some(problem) = failures.first() {
                        bail!(problem.clone());
                    }
                    if let ModelState::Failed(problem) = state {
                        failures.push(problem);
                    }
                    for problem in &failures {
                        warn(&words::problem(problem));
                    }
                    return Ok(session);
                }
                Event::Failed { problem, .. } => failures.push(problem),
                _ => {}
            }
        }
    }

    /// Waits for the next event.
    pub(super) fn next(&self) -> anyhow::Result<Event> {
        Ok(self.events.recv().map_err(|_| Reason::new(|| fl!(cli_engine_ended)))?)
    }
}
