//! Performs the actions about playback: position, speed, key, volume, and loop. Main thread, at the end
//! of a frame.

use super::App;
use crate::{
    engine::SAMPLE_RATE,
    ui::{action::UiCommand, state::ui_state::Repeat},
};

/// The shortest loop, in frames: 50 ms.
const SHORTEST_LOOP: u64 = SAMPLE_RATE as u64 / 20;

impl App {
    /// Length of the open song in frames.
    fn end(&self) -> u64 {
        self.state.open().map_or(0, |open| open.frames)
    }

    pub(super) fn play_or_pause(&mut self) {
        let is_open = self.state.open().is_some_and(|open| Some(open.id) == self.ui_state.selected);
        let player = self.link.player();
        if player.is_playing() {
            player.pause();
        } else if is_open {
            self.ui_state.began_at = player.position() % self.end().max(1);
            player.play();
        }
    }

    /// Stops and returns to where playback started; if already stopped, returns to the start of the
    /// song.
    pub(super) fn stop(&mut self) {
        let player = self.link.player();
        let back = if player.is_playing() { self.ui_state.began_at } else { 0 };
        player.pause();
        self.seek(back);
    }

    pub(super) fn leap(&mut self, frames: i64) {
        self.seek(self.link.player().position().saturating_add_signed(frames).min(self.end()));
    }

    /// Seeks to a frame and follows the play head.
    pub(super) fn seek(&mut self, frame: u64) {
        self.link.player().seek(frame);
        self.ui_state.began_at = frame;
        self.follows = true;
    }

    /// Sets the volume fader.
    pub(super) fn set_volume(&mut self, place: f32) {
        let place = place.clamp(0.0, 1.0);
        self.ui_state.volume = place;
        self.ui_state.preferences.volume = place;
        // A fader with a square law in amplitude sounds even.
        self.link.player().set_volume(place * place);
    }

    /// Sets the playback speed, rounded to hundredths.
    pub(super) fn set_speed(&mut self, speed: f32) {
        self.ui_state.speed = ((speed * 100.0).round() / 100.0).clamp(0.5, 1.5);
        self.send_key_speed();
    }

    /// Sets the change of the key in semitones.
    pub(super) fn set_key(&mut self, semitones: i32) {
        self.ui_state.key = semitones.clamp(-12, 12);
        self.send_key_speed();
    }

    /// Sets the further change of the key in cents.
    pub(super) fn set_cents(&mut self, cents: i32) {
        self.ui_state.cents = cents.clamp(-50, 50);
        self.send_key_speed();
    }

    fn send_key_speed(&self) {
        self.link.player().set_key_speed(self.ui_state.key_speed());
    }

    /// Sets the loop and turns repetition on.
    pub(super) fn mark_loop(&mut self, start: u64, end: u64) {
        let (start, end) = (start.min(end), start.max(end).min(self.end()));
        let start = start.min(end.saturating_sub(SHORTEST_LOOP));
        let is_long = end - start >= SHORTEST_LOOP;
        self.set_repeat(is_long.then_some(Repeat { region: (start, end), is_on: true }));
    }

    /// Sets the start or the end of the loop at the play head. The other end stays, or defaults to
    /// the song's.
    pub(super) fn mark_loop_here(&mut self, verb: UiCommand) {
        let (here, end) = (self.link.player().position(), self.end());
        let region = self.ui_state.repeat.map_or((0, end), |repeat| repeat.region);
        match verb {
            UiCommand::LoopFrom if here < region.1 => self.mark_loop(here, region.1),
            UiCommand::LoopFrom => self.mark_loop(here, end),
            _ if here > region.0 => self.mark_loop(region.0, here),
            _ => self.mark_loop(0, here),
        }
    }

    /// Turns repetition on or off; without a loop, the visible range becomes the loop.
    pub(super) fn toggle_loop(&mut self) {
        if let Some(repeat) = self.ui_state.repeat {
            self.set_repeat(Some(Repeat { is_on: !repeat.is_on, ..repeat }));
            return;
        }
        let width = self.waves.width;
        let view = self.ui_state.view(self.end(), width);
        let to = view.first_frame + view.span(width);
        self.mark_loop(view.first_frame as u64, to.round() as u64);
    }

    /// Sets or removes the loop.
    pub(in crate::ui) fn set_repeat(&mut self, repeat: Option<Repeat>) {
        self.ui_state.repeat = repeat;
        let region = repeat.filter(|repeat| repeat.is_on).map(|repeat| repeat.region);
        self.link.player().set_loop(region);
    }
}
