//! The window's line to the engine: commands out, events in, and the player at hand.
//!
//! Nothing here waits: sending is the engine's bounded `send`, reading is `try_recv`.

use crossbeam_channel::Receiver;

use crate::engine::{
    Command, Engine, Event,
    player::{Device, Monitor, Player},
};

/// What the window asks of the player. The seam at which tests listen.
pub trait Playback {
    /// Starts or goes on.
    fn play(&self);
    /// Pauses.
    fn pause(&self);
    /// Whether it plays.
    fn is_playing(&self) -> bool;
    /// Goes to a frame.
    fn seek(&self, frame: u64);
    /// The frame that is heard now.
    fn position(&self) -> u64;
    /// Sets the linear gain of every stem, in the model's order.
    fn set_gains(&self, gains: &[f32]);
    /// Chooses what is heard.
    fn set_monitor(&self, monitor: Monitor);
    /// Sets the master volume, linear.
    fn set_volume(&self, volume: f32);
    /// Peak since the last call, left and right, linear.
    fn levels(&self) -> [f32; 2];
    /// The device's state.
    fn device(&self) -> Device;
}

impl Playback for Player {
    fn play(&self) {
        Self::play(self);
    }
    fn pause(&self) {
        Self::pause(self);
    }
    fn is_playing(&self) -> bool {
        Self::is_playing(self)
    }
    fn seek(&self, frame: u64) {
        Self::seek(self, frame);
    }
    fn position(&self) -> u64 {
        Self::position(self)
    }
    fn set_gains(&self, gains: &[f32]) {
        Self::set_gains(self, gains);
    }
    fn set_monitor(&self, monitor: Monitor) {
        Self::set_monitor(self, monitor);
    }
    fn set_volume(&self, volume: f32) {
        Self::set_volume(self, volume);
    }
    fn levels(&self) -> [f32; 2] {
        Self::levels(self)
    }
    fn device(&self) -> Device {
        Self::device(self)
    }
}

/// Commands out, events in, and the player.
pub struct Link {
    send: Box<dyn Fn(Command)>,
    events: Receiver<Event>,
    player: Box<dyn Playback>,
}

impl Link {
    /// A line to the running engine.
    pub fn to_engine(engine: Engine, events: Receiver<Event>) -> Self {
        let player = engine.player().clone();
        Self::new(move |command| engine.send(command), events, player)
    }

    /// A line to whatever takes commands and sends events.
    pub fn new(
        send: impl Fn(Command) + 'static,
        events: Receiver<Event>,
        player: impl Playback + 'static,
    ) -> Self {
        Self { send: Box::new(send), events, player: Box::new(player) }
    }

    /// Sends a command.
    pub fn send(&self, command: Command) {
        (self.send)(command);
    }

    /// The next event, if one has come.
    pub fn next_event(&self) -> Option<Event> {
        self.events.try_recv().ok()
    }

    /// The player.
    pub fn player(&self) -> &dyn Playback {
        &*self.player
    }
}
