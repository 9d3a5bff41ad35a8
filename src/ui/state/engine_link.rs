//! The window's connection to the engine: commands out, events in, and the player.
//!
//! Never blocks: commands go through the engine's bounded `send`, events come from `try_recv`.

use crossbeam_channel::Receiver;

use crate::engine::{
    Command, Engine, Event, RequestId,
    audio::repitch::KeySpeed,
    player::{Device, Gains, Monitor, Player},
};

/// The window's interface to the player, which tests replace.
pub trait Playback {
    /// Starts or resumes playback.
    fn play(&self);
    /// Pauses.
    fn pause(&self);
    /// Whether playback is running.
    fn is_playing(&self) -> bool;
    /// Seeks to a frame.
    fn seek(&self, frame: u64);
    /// The frame at the play head.
    fn position(&self) -> u64;
    /// Sets the gains of all lanes.
    fn set_gains(&self, gains: &Gains);
    /// Selects the mix or the original.
    fn set_monitor(&self, monitor: Monitor);
    /// Sets the master volume, linear.
    fn set_volume(&self, volume: f32);
    /// Peaks since the last call, left and right, linear.
    fn levels(&self) -> [f32; 2];
    /// Peaks of every lane before the master volume: the stems in the model's order, then the
    /// residual.
    fn lane_levels(&self) -> Vec<[f32; 2]> {
        Vec::new()
    }
    /// Sets the loop `[start, end)`, in frames, entered when playback reaches it; `None` removes
    /// it.
    fn set_loop(&self, _region: Option<(u64, u64)>) {}
    /// The loop, in frames.
    fn loop_region(&self) -> Option<(u64, u64)> {
        None
    }
    /// Sets key and speed.
    fn set_key_speed(&self, _change: KeySpeed) {}
    /// The state of the audio device.
    fn device(&self) -> Device;
    /// Selects the device by its id (see [`crate::engine::player::outputs`]); `None` is the
    /// system's default.
    fn set_output(&self, _id: Option<String>) {}
    /// The selected device.
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
    fn set_key_speed(&self, change: KeySpeed) {
        Self::set_key_speed(self, change);
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

/// The connection to the engine: commands, events, and the player.
pub struct EngineLink {
    // Dropped in this order: the last engine handle (in `send`) joins the engine's threads. They
    // would block for ever on a full channel without a receiver, so the receiver is dropped first.
    events: Receiver<Event>,
    send: Box<dyn Fn(Command) -> RequestId>,
    player: Box<dyn Playback>,
}

impl EngineLink {
    /// Connects to the running engine.
    pub fn to_engine(engine: Engine, events: Receiver<Event>) -> Self {
        let player = engine.player().clone();
        Self::new(move |command| engine.send(command), events, player)
    }

    /// Connects to any function that takes commands and any source of events.
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

    /// Sends a command. Returns the id that the events answering the command carry.
    pub fn request(&self, command: Command) -> RequestId {
        (self.send)(command)
    }

    /// The next event, if one has arrived.
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

    /// Sends an event when dropped, as the engine's threads may.
    struct SendsOnDrop(Sender<Event>, Arc<AtomicBool>);

    impl Drop for SendsOnDrop {
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
        let sender = SendsOnDrop(sender, Arc::clone(&is_refused));
        let send = move |_| {
            drop(sender.0.try_send(Event::ImportEnded));
            RequestId(1)
        };
        drop(EngineLink::new(send, events, Player::start(Arc::new(|| {}))));
        assert!(is_refused.load(Ordering::Relaxed));
    }
}
