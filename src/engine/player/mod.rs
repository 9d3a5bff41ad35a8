//! The player: what is heard, and how it gets to the device without ever waiting.
//!
//! Knows no library and no window. Four threads: the caller's (this handle), the feeder (reads
//! the track ahead of the play head), the stream's owner (opens and closes the device), and the
//! device's callback (mixes; no lock, no allocation).
//!
//! The callback owns the mixer and plays from a deck: a ring of frames with every lane in it, so
//! that gains act at once. A seek, a load or a refresh is a new deck, faded over from the old one,
//! which goes back to the feeder to be freed.

mod compare;
mod coverage;
mod deck;
mod feeder;
mod guarded_track;
mod lanes;
mod link;
mod mixer;
mod output_adapter;
mod ramp;
mod shared;
mod source;
mod stream;
#[cfg(test)]
mod tests;
mod timeline;
mod track;

use std::{
    fmt,
    sync::{Arc, atomic::Ordering},
};

use crate::engine::{
    problem::DeviceProblem,
    system::threads::{self, NoThread, Thread},
};
use feeder::Feeder;
use guarded_track::GuardedTrack;
pub use lanes::{Gains, Monitor, gains};
pub use shared::Device;
use shared::{Shared, Strip};
use source::{SPEEDS, Source};
use stream::StreamOwner;
pub use stream::{Output, outputs};
pub use track::Track;

/// A change of a gain, linear, that is to be heard at once at any speed: a mute, a solo, a tick.
const GAIN_STEP: f32 = 0.25;

/// A handle on the player; cheap to clone. No method waits for a disk or a device. When the last
/// one is dropped, the player's threads end.
#[derive(Clone)]
pub struct Player {
    inner: Arc<Inner>,
}

/// Owns the threads and joins them.
struct Inner {
    shared: Arc<Shared>,
    _threads: Vec<Thread>,
}

impl Player {
    /// Starts the player's threads. Never fails: without a device it is silent and says so.
    ///
    /// `waker` is called, never from the audio callback, when playing ended or the device's state
    /// changed.
    pub fn start(waker: Arc<dyn Fn() + Send + Sync>) -> Self {
        let (wake_stream, woken) = crossbeam_channel::bounded(1);
        let shared = Arc::new(Shared::new(waker, wake_stream));
        let (feeder, mixer) = Feeder::new(Arc::clone(&shared));
        let source = Source::new(mixer, Arc::clone(&shared));
        let owner = StreamOwner::new(Arc::clone(&shared), woken, source);
        let threads = [
            threads::start("feeder", move || feeder.run()),
            threads::start("sound-device", move || owner.run()),
        ];
        let threads = threads.into_iter().filter_map(|thread| match thread {
            Ok(thread) => Some(thread),
            Err(NoThread(error)) => {
                let cause = error.into();
                shared.set_device(&Device::Unavailable(DeviceProblem::NoThread { cause }));
                None
            }
        });
        let threads = threads.collect();
        Self { inner: Arc::new(Inner { shared, _threads: threads }) }
    }

    /// Replaces the track (`None` takes it out), stops, and goes to its start. The gains stay as
    /// they were set last; a stem without is at 1, the residual silent. There is no loop then.
    pub fn load(&self, track: Option<Arc<dyn Track>>) {
        let shared = &self.inner.shared;
        let stems = track.as_ref().map_or(0, |track| track.stems());
        let track = track.map(|track| Arc::new(GuardedTrack::new(track)) as Arc<dyn Track>);
        let old = shared.change(|wanted| {
            let set = &wanted.set_gains;
            let of_stems = set.stems.iter().chain(std::iter::repeat(&[1.0; 2])).take(stems);
            wanted.strips = of_stems.chain([&set.residual]).map(|&gain| Strip::new(gain)).collect();
            wanted.region = None;
            shared.set_original_level(1.0);
            shared.turn(wanted, 0, true);
            std::mem::replace(&mut wanted.track, track)
        });
        drop(old); // not under the lock: it may close files
    }

    /// Plays another version of the track from where it is heard now: one of the same length and with
    /// as many stems. Place, loop and gains stay, and one fades into the other.
    pub fn exchange(&self, track: Arc<dyn Track>) {
        let track = Arc::new(GuardedTrack::new(track)) as Arc<dyn Track>;
        let old = self.inner.shared.change(|wanted| {
            wanted.refresh += 1;
            wanted.track.replace(track)
        });
        drop(old); // not under the lock: it may close files
    }

    /// Tells that more of the track's stems are finished: what is buffered is read again, and is
    /// heard from about 0.05 s ahead of the play head on.
    pub fn refresh(&self) {
        self.inner.shared.change(|wanted| wanted.refresh += 1);
    }

    /// Starts or goes on; at the end of the track, from its start. Opens the device if need be.
    pub fn play(&self) {
        let shared = &self.inner.shared;
        let started = shared.change(|wanted| {
            let frames = wanted.track.as_ref().map_or(0, |track| track.frames());
            if shared.read_position(wanted) >= frames {
                shared.turn(wanted, 0, false);
            }
            shared.set_playing(frames > 0);
            frames > 0
        });
        if started {
            shared.plays.fetch_add(1, Ordering::AcqRel);
            shared.wake_stream();
        }
    }

    /// Pauses.
    pub fn pause(&self) {
        let shared = &self.inner.shared;
        shared.change(|wanted| {
            if shared.is_playing() && shared.speed() != 1.0 {
                // What the time stretch holds is not heard any more.
                shared.turn(wanted, shared.heard_position(wanted), false);
            }
            shared.set_playing(false);
        });
        shared.wake_stream();
    }

    /// Whether it plays; no longer so at the end of the track.
    pub fn is_playing(&self) -> bool {
        self.inner.shared.is_playing()
    }

    /// Goes to a frame; past the end, to the end.
    pub fn seek(&self, frame: u64) {
        let shared = &self.inner.shared;
        shared.change(|wanted| {
            let frames = wanted.track.as_ref().map_or(0, |track| track.frames());
            shared.turn(wanted, frame.min(frames), false);
        });
    }

    /// Repeats frames `[start, end)` of the track: whenever their end is reached, their start
    /// follows, without a click. Who plays behind their end plays on. `None` takes the loop away;
    /// so does an empty one. Acts about 0.05 s ahead of the play head.
    pub fn set_loop(&self, region: Option<(u64, u64)>) {
        self.inner.shared.change(|wanted| {
            let region = region.filter(|(start, end)| start < end);
            if wanted.region != region {
                wanted.region = region;
                wanted.refresh += 1;
            }
        });
    }

    /// The frames that are repeated.
    pub fn loop_region(&self) -> Option<(u64, u64)> {
        self.inner.shared.wanted().region
    }

    /// Sets the speed, 0.5 to 1.5; the pitch stays. At 1 what is played is the mix as it is; else
    /// small steps of gains, as of a fader that is dragged, act about 0.1 s later.
    pub fn set_speed(&self, speed: f32) {
        let shared = &self.inner.shared;
        let speed = if speed.is_nan() { 1.0 } else { speed.clamp(*SPEEDS.start(), *SPEEDS.end()) };
        shared.change(|wanted| {
            if speed == 1.0 && shared.speed() != 1.0 {
                // The mixer is ahead of the ear by what the time stretch holds.
                shared.turn(wanted, shared.heard_position(wanted), false);
            }
            shared.set_speed(speed);
        });
        shared.wake_stream();
    }

    /// The speed.
    pub fn speed(&self) -> f32 {
        self.inner.shared.speed()
    }

    /// The frame that is heard now: the device's latency is taken into account as far as it is
    /// known. After a seek, at once the place that was asked for.
    pub fn position(&self) -> u64 {
        self.inner.shared.position()
    }

    /// Sets the gains of all lanes (see [`gains`]); what is beyond the track's stems is ignored.
    pub fn set_gains(&self, gains: &Gains) {
        let shared = &self.inner.shared;
        shared.change(|wanted| {
            wanted.set_gains.clone_from(gains);
            let Some((residual, stems)) = wanted.strips.split_last() else { return };
            let lanes = stems.iter().zip(gains.stems.iter().copied());
            let mut is_step = false;
            for (strip, gain) in lanes.chain([(residual, gains.residual)]) {
                is_step |=
                    strip.gain().iter().zip(gain).any(|(old, new)| (old - new).abs() > GAIN_STEP);
                strip.set_gain(gain);
            }
            if is_step && shared.is_playing() && shared.speed() != 1.0 {
                // What the time stretch holds has the old gains.
                shared.turn(wanted, shared.heard_position(wanted), false);
            }
        });
    }

    /// Chooses what is heard.
    pub fn set_monitor(&self, monitor: Monitor) {
        let original = monitor == Monitor::Original;
        self.inner.shared.original.store(original, Ordering::Relaxed);
    }

    /// Sets the master volume, linear, 0 to 1.
    pub fn set_volume(&self, volume: f32) {
        self.inner.shared.set_volume(volume.clamp(0.0, 1.0));
    }

    /// Peak of what was played since the last call, left and right, linear, after the volume;
    /// above 1 the device's output is clipped.
    pub fn levels(&self) -> [f32; 2] {
        self.inner.shared.take_peaks()
    }

    /// The same of every lane, before the volume: the stems in the model's order, then the residual.
    /// Empty without a track.
    pub fn lane_levels(&self) -> Vec<[f32; 2]> {
        let wanted = self.inner.shared.wanted();
        wanted.strips.iter().map(Strip::take_peak).collect()
    }

    /// Blocks that the device asked for and that were not ready in time, and buffers that it ran
    /// out of.
    pub fn underruns(&self) -> u64 {
        self.inner.shared.underruns.load(Ordering::Relaxed)
    }

    /// The device's state.
    pub fn device(&self) -> Device {
        self.inner.shared.device()
    }

    /// Chooses the device by its [`Output::id`]; `None` is the system's own choice, which also
    /// stands in while the chosen one is not there. Acts while playing too, at the same place.
    pub fn set_output(&self, id: Option<String>) {
        self.inner.shared.change(|wanted| wanted.output = id);
        self.inner.shared.wake_stream();
    }

    /// The device that was chosen.
    pub fn output(&self) -> Option<String> {
        self.inner.shared.wanted().output
    }
}

impl Default for Player {
    /// A player that wakes nobody.
    fn default() -> Self {
        Self::start(Arc::new(|| {}))
    }
}

impl fmt::Debug for Player {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Player")
            .field("device", &self.device())
            .field("playing", &self.is_playing())
            .field("position", &self.position())
            .finish_non_exhaustive()
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.shared.set_playing(false);
        self.shared.change(|wanted| wanted.quit = true);
        self.shared.wake_stream();
        // The threads are joined when this is dropped; perhaps on one of them, by the waker.
    }
}
