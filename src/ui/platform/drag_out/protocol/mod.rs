//! The source side of XDND as a state machine. Pure: its input is the pointer's position and the
//! target's replies, its output the messages to send; it has no access to a display.
//!
//! Source: "Drag-and-Drop Protocol for the X Window System", version 5 (freedesktop.org).

use std::time::{Duration, Instant};

use super::{Failure, State};

/// The protocol version of this source.
pub const VERSION: u32 = 5;

/// Oldest supported version of a target, the same as in GTK and Qt.
pub const OLDEST_VERSION: u32 = 3;

/// Longest wait for a target's pending status after the button is released.
const STATUS_WAIT: Duration = Duration::from_secs(3);

/// Longest wait for a target to finish, counted from its last request for data: a DAW may copy the
/// files before it confirms.
const FINISH_WAIT: Duration = Duration::from_secs(20);

/// A window that accepts drops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// The window below the pointer.
    pub window: u32,
    /// The window that receives the messages: the target or its proxy.
    pub receiver: u32,
    /// The lower of the target's version and [`VERSION`].
    pub version: u32,
}

/// A position on the screen in pixels, from the top left corner.
pub type Place = (i16, i16);

/// An observation of the pointer.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// The pointer's position.
    pub place: Place,
    /// Whether the button is still held.
    pub is_held: bool,
    /// Whether the user has cancelled the drag.
    pub is_cancelled: bool,
    /// The target below the pointer.
    pub target: Option<Target>,
}

/// A message to a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message {
    /// The pointer has entered the target.
    Enter,
    /// The pointer has moved over the target.
    Position(Place),
    /// The pointer has left the target.
    Leave,
    /// The button was released over the target.
    Drop,
}

/// The state machine of a drag.
#[derive(Debug)]
pub struct Protocol {
    phase: Phase,
    over: Option<Over>,
    /// The pointer's last position.
    place: Place,
    outbox: Vec<(Target, Message)>,
}

#[derive(Debug)]
enum Phase {
    /// The button is held.
    Held,
    /// The button is released, but the target's status is still pending.
    Released { since: Instant },
    /// The drop message has been sent.
    Given { since: Instant, was_asked: bool },
    /// The drag has ended, and no more messages are sent.
    Ended(State),
}

/// The entered target.
#[derive(Debug)]
struct Over {
    target: Target,
    /// The last position sent to the target.
    sent: Place,
    /// Whether the reply to that position is pending; no other position is sent until then.
    owes_status: bool,
    accepts: bool,
}

impl Protocol {
    /// A drag before its first observation.
    pub fn new() -> Self {
        Self { phase: Phase::Held, over: None, place: (0, 0), outbox: Vec::new() }
    }

    /// Drains the messages to send, in order.
    pub fn outbox(&mut self) -> Vec<(Target, Message)> {
        std::mem::take(&mut self.outbox)
    }

    /// The state reported to the caller.
    pub fn state(&self) -> State {
        match &self.phase {
            Phase::Ended(state) => state.clone(),
            _ => State::Dragging { accepted: self.over.as_ref().is_some_and(|over| over.accepts) },
        }
    }

    /// Processes an observation; call it about once per frame of the screen.
    pub fn look(&mut self, now: Instant, look: Look) {
        match self.phase {
            Phase::Held | Phase::Released { .. } if look.is_cancelled => {
                self.end(State::Cancelled);
            }
            Phase::Held => {
                self.place = look.place;
                self.follow(look.target);
                if !look.is_held {
                    self.phase = Phase::Released { since: now };
                    self.let_go(now, now);
                }
            }
            Phase::Released { since } => self.let_go(now, since),
            Phase::Given { since, was_asked } if now - since > FINISH_WAIT => {
                // Some targets take the files but never send `XdndFinished`.
                let end = if was_asked { State::Dropped } else { State::Failed(Failure::NotTaken) };
                self.phase = Phase::Ended(end);
            }
            Phase::Given { .. } | Phase::Ended(_) => {}
        }
    }

    /// Handles the status of the window `from`: whether it would take the files.
    pub fn status(&mut self, from: u32, accepts: bool) {
        if let Some(over) = self.over.as_mut().filter(|over| over.target.window == from) {
            over.owes_status = false;
            over.accepts = accepts;
        }
    }

    /// Handles a request for the files by any window.
    pub fn asked(&mut self, now: Instant) {
        if let Phase::Given { since, was_asked } = &mut self.phase {
            (*since, *was_asked) = (now, true);
        }
    }

    /// Handles `XdndFinished` from the window `from`; `took` is defined from version 5 on.
    pub fn finished(&mut self, from: u32, took: bool) {
        let target = self.over.as_ref().map(|over| over.target);
        if let (Phase::Given { .. }, Some(target)) = (&self.phase, target)
            && target.window == from
        {
            let dropped = took || target.version < 5;
            self.phase = Phase::Ended(if dropped { State::Dropped } else { State::Refused });
        }
    }

    /// Leaves the previous target, enters the new one, and sends the pointer's position.
    fn follow(&mut self, target: Option<Target>) {
        if self.over.as_ref().map(|over| over.target) != target {
            self.leave();
            if let Some(target) = target {
                self.outbox.push((target, Message::Enter));
                self.outbox.push((target, Message::Position(self.place)));
                let sent = self.place;
                self.over = Some(Over { target, sent, owes_status: true, accepts: false });
            }
        }
        self.send_place();
    }

    /// Sends the pointer's position unless a reply is pending. The rectangle in which a target
    /// wants no positions is ignored, because targets must accept positions there too.
    fn send_place(&mut self) {
        if let Some(over) = &mut self.over
            && !over.owes_status
            && over.sent != self.place
        {
            (over.sent, over.owes_status) = (self.place, true);
            self.outbox.push((over.target, Message::Position(self.place)));
        }
    }

    fn let_go(&mut self, now: Instant, since: Instant) {
        self.send_place();
        match &self.over {
            Some(over) if over.owes_status && now - since <= STATUS_WAIT => {}
            Some(over) if over.accepts && !over.owes_status => {
                self.outbox.push((over.target, Message::Drop));
                self.phase = Phase::Given { since: now, was_asked: false };
            }
            _ => self.end(State::Refused),
        }
    }

    fn leave(&mut self) {
        if let Some(over) = self.over.take() {
            self.outbox.push((over.target, Message::Leave));
        }
    }

    fn end(&mut self, state: State) {
        self.leave();
        self.phase = Phase::Ended(state);
    }
}

#[cfg(test)]
mod tests;
