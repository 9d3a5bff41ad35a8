//! The window's line to the engine: commands out, events in, and the player at hand.
//!
//! Nothing here waits: sending is the engine's bounded `send`, reading is `try_recv`.

use crossbeam_channel::Receiver;

use crate::engine::{
    Command, Engine, Event, RequestId,
    player::{Device, Gains, Monitor, Player},
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
    /// Sets the gains of all lanes.
    fn set_gains(&self, gains: &Gains);
    /// Chooses what is heard.
    fn set_monitor(&self, monitor: Monitor);
    /// Sets the master volume, linear.
    fn set_volume(&self, volume: f32);
    /// Peak since the last call, left and right, linear.
    fn levels(&self) -> [f32; 2];
    /// The same of every lane, before the volume: the stems in the model's order, then the residual.
    fn lane_levels(&self) -> Vec<[f32; 2]> {
        Vec::new()
    }
    /// Repeats a stretch of frames `[start, end)` from when it is reached; `None` plays on.
    fn set_loop(&self, _region: Option<(u64, u64)>) {}
    /// The stretch that is repeated.
    fn loop_region(&self) -> Option<(u64, u64)> {
        None
    }
    /// Sets the speed, 0.5 to 1.5; the pitch stays.
    fn set_speed(&self, _speed: f32) {}
    /// The speed.
    fn speed(&self) -> f32 {
        1.0
    }
    /// The device's state.
    fn device(&self) -> Device;
    /// Chooses the device by its id (see [`crate::engine::player::outputs`]); `None` is the
    /// system's choice.
    fn set_output(&self, _id: Option<String>) {}
    /// The device that was chosen.
    fn output(&self) -> Option<String> {
        None
    }
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
    fn set_gains(&self, gains: &Gains) {
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
    fn lane_levels(&self) -> Vec<[f32; 2]> {
        Self::lane_levels(self)
    }
    fn set_loop(&self, region: Option<(u64, u64)>) {
        Self::set_loop(self, region);
    }
    fn loop_region(&self) -> Option<(u64, u64)> {
        Self::loop_region(self)
    }
    fn set_speed(&self, speed: f32) {
        Self::set_speed(self, speed);
    }
    fn speed(&self) -> f32 {
        Self::speed(self)
    }
    fn device(&self) -> Device {
        Self::device(self)
    }
    fn set_output(&self, id: Option<String>) {
        Self::set_output(self, id);
    }
    fn output(&self) -> Option<String> {
        Self::output(self)
    }
}

/// Commands out, events in, and the player.
pub struct EngineLink {
    // Dropped first, in this order: the last engine handle (in `send`) waits for the engine's
    // threads, and those would wait for ever for room in a full channel that nobody reads.
    events: Receiver<Event>,
    send: Box<dyn Fn(Command) -> RequestId>,
    player: Box<dyn Playback>,
}

impl EngineLink {
    /// A line to the running engine.
    pub fn to_engine(engine: Engine, events: Receiver<Event>) -> Self {
        let player = engine.player().clone();
        Self::new(move |command| engine.send(command), events, player)
    }

    /// A line to whatever takes commands and sends events.
    pub fn new(
        send: impl Fn(Command) -> RequestId + 'static,
        events: Receiver<Event>,
        player: impl Playback + 'static,
    ) -> Self {
        Self { events, send: Box::new(send), player: Box::new(player) }
    }

    /// Sends a command.
    pub fn send(&self, command: Command) {
        self.request(command);
    }

    /// Sends a command. Returns the number that the events answering it carry.
    pub fn request(&self, command: Command) -> RequestId {
        (self.send)(command)
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

#[cfg(test)]
mod tests {
    use std::{
        sync::{
            Arc,
            atomic::{AtomicBool, Ordering},
        },
        time::Duration,
    };

    use crossbeam_channel::{Sender, bounded};

    use super::*;

    /// Says its last word when it goes, as an engine's threads may.
    struct LastWord(Sender<Event>, Arc<AtomicBool>);

    impl Drop for LastWord {
        fn drop(&mut self) {
            let sent = self.0.send_timeout(Event::ImportEnded, Duration::from_secs(5));
            let is_refused = sent.is_err_and(|error| error.is_disconnected());
            self.1.store(is_refused, Ordering::Relaxed);
        }
    }

    #[test]
    fn a_full_channel_does_not_hold_up_the_engines_end() {
        let (sender, events) = bounded(1);
        sender.send(Event::ImportEnded).unwrap();
        let is_refused = Arc::new(AtomicBool::new(false));
        let word = LastWord(sender, Arc::clone(&is_refused));
        let send = move |_| {
            drop(word.0.try_send(Event::ImportEnded));
            RequestId(1)
        };
        drop(EngineLink::new(send, events, Player::start(Arc::new(|| {}))));
        assert!(is_refused.load(Ordering::Relaxed));
    }
}
