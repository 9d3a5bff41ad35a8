//! What the source of a drag says and when: XDND as a state machine. Pure: it sees where the
//! pointer is and what the target answers, and tells what is to be sent; it knows no display.
//!
//! Source: "Drag-and-Drop Protocol for the X Window System", version 5 (freedesktop.org).

use std::time::{Duration, Instant};

use super::{Failure, State};

/// The version spoken here.
pub const VERSION: u32 = 5;

/// Targets of earlier versions are left alone, as GTK and Qt do.
pub const OLDEST_VERSION: u32 = 3;

/// How long a target may take to say whether it would take the files, once the button is let go.
const STATUS_WAIT: Duration = Duration::from_secs(3);

/// How long a target may take to finish, from the last time that it asked for something: a DAW may
/// copy files before it says so.
const FINISH_WAIT: Duration = Duration::from_secs(20);

/// A window that takes drops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// The window below the pointer.
    pub window: u32,
    /// The one that gets its messages: itself, or its proxy.
    pub receiver: u32,
    /// The lower of its version and ours.
    pub version: u32,
}

/// A place on the screen, in pixels from its top left corner.
pub type Place = (i16, i16);

/// What can be seen at a moment.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// Where the pointer is.
    pub place: Place,
    /// Whether the button is still held.
    pub is_held: bool,
    /// Whether the user wants no more of it.
    pub is_cancelled: bool,
    /// What is below the pointer.
    pub target: Option<Target>,
}

/// What is sent to a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message {
    /// The pointer is above it now.
    Enter,
    /// And here.
    Position(Place),
    /// And no more.
    Leave,
    /// The button was let go.
    Drop,
}

/// The state machine.
#[derive(Debug)]
pub struct Protocol {
    phase: Phase,
    over: Option<Over>,
    /// Where the pointer was last.
    place: Place,
    outbox: Vec<(Target, Message)>,
}

#[derive(Debug)]
enum Phase {
    /// The button is held.
    Held,
    /// It is not, but the target has not said yet whether it wants the files.
    Released { since: Instant },
    /// The target has been told that they are its own.
    Given { since: Instant, was_asked: bool },
    /// Nothing more is said.
    Ended(State),
}

/// The target that has been entered.
#[derive(Debug)]
struct Over {
    target: Target,
    /// The last position that it was told.
    told: Place,
    /// Whether it has not answered to that; it gets no other until then.
    owes_status: bool,
    accepts: bool,
}

impl Protocol {
    /// Before anything was seen.
    pub fn new() -> Self {
        Self { phase: Phase::Held, over: None, place: (0, 0), outbox: Vec::new() }
    }

    /// What is to be sent, in this order; each once.
    pub fn outbox(&mut self) -> Vec<(Target, Message)> {
        std::mem::take(&mut self.outbox)
    }

    /// For the caller of the drag.
    pub fn state(&self) -> State {
        match &self.phase {
            Phase::Ended(state) => state.clone(),
            _ => State::Dragging { accepted: self.over.as_ref().is_some_and(|over| over.accepts) },
        }
    }

    /// Takes a look; wants to be called about as often as a screen is drawn.
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
                // Some take the files and never say so.
                let end = if was_asked { State::Dropped } else { State::Failed(Failure::NotTaken) };
                self.phase = Phase::Ended(end);
            }
            Phase::Given { .. } | Phase::Ended(_) => {}
        }
    }

    /// The window `from` has said whether it would take the files.
    pub fn status(&mut self, from: u32, accepts: bool) {
        if let Some(over) = self.over.as_mut().filter(|over| over.target.window == from) {
            over.owes_status = false;
            over.accepts = accepts;
        }
    }

    /// Some window has asked for the files.
    pub fn asked(&mut self, now: Instant) {
        if let Phase::Given { since, was_asked } = &mut self.phase {
            (*since, *was_asked) = (now, true);
        }
    }

    /// The window `from` has said that it is done; `took` has a meaning from version 5 on.
    pub fn finished(&mut self, from: u32, took: bool) {
        let target = self.over.as_ref().map(|over| over.target);
        if let (Phase::Given { .. }, Some(target)) = (&self.phase, target)
            && target.window == from
        {
            let dropped = took || target.version < 5;
            self.phase = Phase::Ended(if dropped { State::Dropped } else { State::Refused });
        }
    }

    /// Leaves what was below the pointer, enters what is, tells it where the pointer is.
    fn follow(&mut self, target: Option<Target>) {
        if self.over.as_ref().map(|over| over.target) != target {
            self.leave();
            if let Some(target) = target {
                self.outbox.push((target, Message::Enter));
                self.outbox.push((target, Message::Position(self.place)));
                let told = self.place;
                self.over = Some(Over { target, told, owes_status: true, accepts: false });
            }
        }
        self.tell_place();
    }

    /// A target may name an area in which it wants no positions; it gets them, as it must be able
    /// to take them.
    fn tell_place(&mut self) {
        if let Some(over) = &mut self.over
            && !over.owes_status
            && over.told != self.place
        {
            (over.told, over.owes_status) = (self.place, true);
            self.outbox.push((over.target, Message::Position(self.place)));
        }
    }

    fn let_go(&mut self, now: Instant, since: Instant) {
        self.tell_place();
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
