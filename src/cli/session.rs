//! The engine as the command line uses it: start, send commands, and wait for events.

use std::{path::PathBuf, sync::Arc};

use anyhow::{Context as _, bail};
use crossbeam_channel::Receiver;

use crate::{
    engine::{Compute, Config, Engine, Event, Job, ModelState, Song},
    i18n::fl,
};

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
        let (mut is_known, mut failure) = (false, None);
        loop {
            match session.next()? {
                Event::Library { songs, jobs } => {
                    (session.songs, session.jobs, is_known) = (songs, jobs, true);
                }
                Event::Pace(seconds) => session.pace = Some(seconds),
                Event::Model(state) => {
                    if let ModelState::Failed(problem) = state {
                        tracing::warn!("{problem}");
                    }
                    match failure.filter(|_| !is_known) {
                        Some(problem) => bail!("{problem}"),
                        None => return Ok(session),
                    }
                }
                // Fatal only if the library could not be read as a result.
                Event::Failed { problem, .. } => {
                    tracing::warn!("{problem}");
                    failure.get_or_insert(problem);
                }
                _ => {}
            }
        }
    }

    /// Waits for the next event.
    pub(super) fn next(&self) -> anyhow::Result<Event> {
        self.events.recv().context(fl!(cli_engine_ended))
    }
}
