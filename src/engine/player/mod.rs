//! The player: real-time playback that never blocks the audio callback.
//!
//! It depends on neither the library nor the window, and uses four threads. The caller has this
//! handle. The feeder reads the track ahead of playback, and the stream owner opens and closes the
//! device. The callback of the device mixes without locks and allocations.
//!
//! The callback owns the mixer and plays from a deck: a ring of frames with all lanes, so that gain
//! changes act immediately. A seek, load or refresh creates a new deck. The mixer crossfades to it
//! and returns the old deck to the feeder to be freed.

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
    audio::repitch::KeySpeed,
    problem::DeviceProblem,
    system::threads::{self, NoThread, Thread},
};
use feeder::Feeder;
use guarded_track::GuardedTrack;
pub use lanes::{Gains, Monitor, gains};
pub use shared::Device;
use shared::{Shared, Strip};
use source::Source;
use stream::StreamOwner;
pub use stream::{Output, outputs};
pub use track::Track;

/// Smallest linear gain change that must act immediately at any speed: a mute, a solo, a tick.
const GAIN_STEP: f32 = 0.25;

/// Handle of the player; cheap to clone. No method waits for a disk or a device. Dropping the last
/// handle ends the player's threads.
#[derive(Clone)]
pub struct Player {
    inner: Arc<Inner>,
}

/// Owner of the threads, which joins them when dropped.
struct Inner {
    shared: Arc<Shared>,
    _threads: Vec<Thread>,
}

impl Player {
    /// Starts the player's threads. Never fails: without a device, the player is silent and reports
    /// that.
    ///
    /// `waker` is called when playback ends or the device's state changes, but never from the audio
    /// callback.
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

    /// Replaces the track (`None` removes it), stops, and seeks to the start. Gains keep their last
    /// values; unset ones are 1 for stems and silence for the residual. Any loop is cleared.
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
        drop(old); // drop outside the lock, as this may close files
    }

    /// Switches to another version of the track, with the same length and number of stems, at the
    /// current position. Position, loop and gains stay, and the versions crossfade.
    pub fn exchange(&self, track: Arc<dyn Track>) {
        let track = Arc::new(GuardedTrack::new(track)) as Arc<dyn Track>;
        let old = self.inner.shared.change(|wanted| {
            wanted.refresh += 1;
            wanted.track.replace(track)
        });
        drop(old); // drop outside the lock, as this may close files
    }

    /// Notifies the player that more stems are finished. Buffered frames are read again, and the
    /// change is audible about 0.05 s later.
    pub fn refresh(&self) {
        self.inner.shared.change(|wanted| wanted.refresh += 1);
    }

    /// Starts or resumes playback; at the end of the track, from its start. Opens the device if
    /// necessary.
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

    /// Pauses playback.
    pub fn pause(&self) {
        let shared = &self.inner.shared;
        shared.change(|wanted| {
            if shared.is_playing() && !shared.key_speed().is_plain() {
                // Discard the frames buffered in the stretch.
                shared.turn(wanted, shared.heard_position(wanted), false);
            }
            shared.set_playing(false);
        });
        shared.wake_stream();
    }

    /// Whether the player is playing; false at the end of the track.
    pub fn is_playing(&self) -> bool {
        self.inner.shared.is_playing()
    }

    /// Seeks to a frame; past the end, to the end.
    pub fn seek(&self, frame: u64) {
        let shared = &self.inner.shared;
        shared.change(|wanted| {
            let frames = wanted.track.as_ref().map_or(0, |track| track.frames());
            shared.turn(wanted, frame.min(frames), false);
        });
    }

    /// Repeats frames `[start, end)` of the track without a click at the joint. A position after
    /// `end` plays on. `None` or an empty region removes the loop. Takes effect about 0.05 s later.
    pub fn set_loop(&self, region: Option<(u64, u64)>) {
        self.inner.shared.change(|wanted| {
            let region = region.filter(|(start, end)| start < end);
            if wanted.region != region {
                wanted.region = region;
                wanted.refresh += 1;
            }
        });
    }

    /// The repeated range of frames.
    pub fn loop_region(&self) -> Option<(u64, u64)> {
        self.inner.shared.wanted().region
    }

    /// Sets key and speed. Unchanged, the mix plays unprocessed. Otherwise small gain steps, such as
    /// those of a dragged fader, act about 0.1 s later.
    pub fn set_key_speed(&self, change: KeySpeed) {
        let shared = &self.inner.shared;
        shared.change(|wanted| {
            if change.is_plain() && !shared.key_speed().is_plain() {
                // The mixer is ahead of the output by the buffer of the stretch.
                shared.turn(wanted, shared.heard_position(wanted), false);
            }
            shared.set_key_speed(change);
        });
        shared.wake_stream();
    }

    /// Current key and speed.
    pub fn key_speed(&self) -> KeySpeed {
        self.inner.shared.key_speed()
    }

    /// Currently audible frame, corrected for the device's latency as far as known. After a seek,
    /// this is the new position immediately.
    pub fn position(&self) -> u64 {
        self.inner.shared.position()
    }

    /// Sets the gains of all lanes (see [`gains`]); gains beyond the track's stems are ignored.
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
            if is_step && shared.is_playing() && !shared.key_speed().is_plain() {
                // The frames buffered in the stretch have the old gains.
                shared.turn(wanted, shared.heard_position(wanted), false);
            }
        });
    }

    /// Selects mix or original.
    pub fn set_monitor(&self, monitor: Monitor) {
        let original = monitor == Monitor::Original;
        self.inner.shared.original.store(original, Ordering::Relaxed);
    }

    /// Sets the linear master volume, 0 to 1.
    pub fn set_volume(&self, volume: f32) {
        self.inner.shared.set_volume(volume.clamp(0.0, 1.0));
    }

    /// Peaks since the last call, left and right, linear, after the master volume; values above 1
    /// are clipped.
    pub fn levels(&self) -> [f32; 2] {
        self.inner.shared.take_peaks()
    }

    /// Peaks of every lane since the last call, before the master volume: the stems in the model's
    /// order, then the residual. Empty without a track.
    pub fn lane_levels(&self) -> Vec<[f32; 2]> {
        let wanted = self.inner.shared.wanted();
        wanted.strips.iter().map(Strip::take_peak).collect()
    }

    /// Number of blocks that were not ready in time, and of buffers in which the device ran out of
    /// sound.
    pub fn underruns(&self) -> u64 {
        self.inner.shared.underruns.load(Ordering::Relaxed)
    }

    /// State of the sound device.
    pub fn device(&self) -> Device {
        self.inner.shared.device()
    }

    /// Selects the device by its [`Output::id`]. `None` is the system's default, which also
    /// replaces a missing device. Works during playback, at the same position.
    pub fn set_output(&self, id: Option<String>) {
        self.inner.shared.change(|wanted| wanted.output = id);
        self.inner.shared.wake_stream();
    }

    /// ID of the selected device.
    pub fn output(&self) -> Option<String> {
        self.inner.shared.wanted().output
    }
}

impl Default for Player {
    /// Creates a player without a waker.
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
