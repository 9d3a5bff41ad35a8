//! Where events go: the channel to the window or the command line, and its waker.

use std::sync::Arc;

use crossbeam_channel::Sender;

use crate::engine::event::Event;

/// Sends events from any of the engine's threads.
#[derive(Clone)]
pub(super) struct EventSink {
    sender: Sender<Event>,
    waker: Arc<dyn Fn() + Send + Sync>,
}

impl EventSink {
    pub(super) fn new(sender: Sender<Event>, waker: Arc<dyn Fn() + Send + Sync>) -> Self {
        Self { sender, waker }
    }

    /// Sends an event that must arrive; waits while the channel is full.
    pub(super) fn send(&self, event: Event) {
        // Nobody listens any more when the program ends.
        if self.sender.send(event).is_ok() {
            (self.waker)();
        }
    }

    /// Sends an event that the next one replaces, such as progress; dropped when the channel is full.
    pub(super) fn try_send(&self, event: Event) {
        if self.sender.try_send(event).is_ok() {
            (self.waker)();
        }
    }
}
