//! The engine: all threads, files and devices of the program, independent of the window.
//!
//! [`Engine::start`] returns a handle that accepts [`Command`]s without blocking, and a channel of
//! [`Event`]s. A callback (`waker`) runs after each event, so that a window can repaint while the
//! engine stays independent of windows.

mod actor;
pub mod audio;
pub mod cluster;
mod command;
pub mod diagnostics;
mod event;
pub mod export;
#[cfg(test)]
mod kinds_tests;
pub mod library;
pub mod note;
pub mod player;
pub mod problem;
pub mod separation;
pub mod settings;
pub mod store;
pub mod system;
mod types;

pub use command::Command;
pub use event::{ChainEntry, Event, ExportState, Lane, ModelEntry, ModelState, ModelTask};
pub use library::recovery::{look as look_into_library, open as open_library};
pub use note::{Note, Notes};
pub use problem::{Problem, Result};
pub use settings::{Preferences, default_home};
pub use store::track::SongTrack;
pub use types::{
    Analysis, AudioFormat, AudioTrack, CHANNELS, CancelToken, Compute, Config, Depth, ExportId,
    Job, JobId, JobState, LaneSettings, RequestId, SAMPLE_RATE, Song, SongId, SongState, Tags,
    Thumbnail,
};

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use crossbeam_channel::{Receiver, Sender, bounded};

use self::{
    actor::{Core, Message},
    event::EventSink,
    player::Player,
    system::threads::{self, Thread},
};

/// Capacity of the queue of commands and messages to the engine's thread.
const MESSAGES: usize = 4096;
/// Capacity of the queue of events to the window; a minute of a busy engine.
const EVENTS: usize = 16_384;

/// Handle of the running engine; cheap to clone. Dropping the last handle ends the engine;
/// unfinished jobs resume at the next start.
#[derive(Clone)]
pub struct Engine {
    player: Player,
    inner: Arc<Inner>,
}

struct Inner {
    messages: Sender<Message>,
    /// Number of the next command.
    requests: AtomicU64,
    _thread: Thread,
}

impl Engine {
    /// Opens the library and starts the threads.
    ///
    /// # Errors
    /// Fails if the data folder cannot be created or the library cannot be opened.
    pub fn start(config: &Config) -> Result<(Self, Receiver<Event>)> {
        let (messages, inbox) = bounded(MESSAGES);
        let (events, receiver) = bounded(EVENTS);
        let player = Player::start(Arc::clone(&config.waker));
        let sink = EventSink::new(events, Arc::clone(&config.waker));
        let core = Core::new(config, sink, messages.clone(), player.clone())?;
        let interactive = config.interactive;
        let thread = threads::start("engine", move || core.run(&inbox, interactive))?;
        let requests = AtomicU64::new(1);
        let inner = Arc::new(Inner { messages, requests, _thread: thread });
        Ok((Self { player, inner }, receiver))
    }

    /// Sends a command without blocking. A command is lost only if thousands are already waiting.
    /// Returns the ID that the answering events carry.
    pub fn send(&self, command: Command) -> RequestId {
        let request = RequestId(self.inner.requests.fetch_add(1, Ordering::Relaxed));
        if let Err(e) = self.inner.messages.try_send(Message::Command(request, command)) {
            tracing::error!("could not send a command to the engine: {e}");
        }
        request
    }

    /// Player, for actions without delay: play, seek, gains.
    pub fn player(&self) -> &Player {
        &self.player
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // An engine that has ended takes no message. Its thread is joined when this is dropped.
        self.messages.send(Message::Shutdown).ok();
    }
}
