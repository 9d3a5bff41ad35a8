//! The engine: every thread, file and device of the program, and nothing of its window.
//!
//! [`Engine::start`] gives a handle that takes [`Command`]s without waiting, and a channel of
//! [`Event`]s. A plain waker is called after each event, so that a window can be repainted without
//! the engine knowing what a window is.

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
pub use event::{Event, ExportState, Lane, ModelEntry, ModelState, ModelTask};
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

/// A handle on the running engine; cheap to clone. The engine ends when the last handle is dropped;
/// unfinished jobs resume at the next start.
#[derive(Clone)]
pub struct Engine {
    player: Player,
    inner: Arc<Inner>,
}

struct Inner {
    messages: Sender<Message>,
    /// The number of the next command.
    requests: AtomicU64,
    _thread: Thread,
}

impl Engine {
    /// Opens the library and starts the threads.
    ///
    /// # Errors
    /// When the data folder cannot be made or the library not be opened.
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

    /// Sends a command; never waits. A command is lost only when thousands wait before it. Returns the
    /// number that the events answering it carry.
    pub fn send(&self, command: Command) -> RequestId {
        let request = RequestId(self.inner.requests.fetch_add(1, Ordering::Relaxed));
        if let Err(e) = self.inner.messages.try_send(Message::Command(request, command)) {
            tracing::error!("the engine does not take commands: {e}");
        }
        request
    }

    /// The player, for what must act at once: play, seek, gains.
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
