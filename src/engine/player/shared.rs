//! State shared by the player's threads: a few atomics for the callback, and a small locked record
//! of the wanted state for the others. The lock is held for a few instructions only, never while
//! accessing a disk or device, and never by the callback.

use std::{
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering},
    },
    time::Duration,
};

use crossbeam_channel::Sender;

use super::{Gains, Track};
use crate::engine::{audio::repitch::KeySpeed, problem::DeviceProblem};

/// State of the sound device, as known to the player.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Device {
    /// Closed: the device opens on play and closes after ten seconds without playback.
    Idle,
    /// Open, with the device's name.
    Open(String),
    /// No device exists, or the device was lost. Without a device, playback advances silently.
    /// After a loss during playback, the player waits for the device at the last audible position.
    Unavailable(DeviceProblem),
}

/// Bits of [`Shared::heard`] and [`Shared::timeline_position`] for the number; the low bits of the
/// generation are above.
const NUMBER_BITS: u32 = 48;

/// Packs a generation and a number of that generation into one word.
fn packed(generation: u64, number: u64) -> u64 {
    generation << NUMBER_BITS | number & ((1 << NUMBER_BITS) - 1)
}

/// Unpacks the number if it belongs to this generation.
fn unpacked(word: u64, generation: u64) -> Option<u64> {
    let is_of = word >> NUMBER_BITS == packed(generation, 0) >> NUMBER_BITS;
    is_of.then_some(word & ((1 << NUMBER_BITS) - 1))
}

/// A lane between the handle and the callback: gains in one direction, peaks in the other; left and
/// right as bits of floats.
pub(super) struct Strip {
    gain: [AtomicU32; 2],
    peak: [AtomicU32; 2],
}

/// Strips of a track's stems, then of the residual; empty without a track.
pub(super) type Strips = Arc<[Strip]>;

impl Strip {
    pub(super) fn new(gain: [f32; 2]) -> Self {
        Self { gain: gain.map(|side| AtomicU32::new(side.to_bits())), peak: Default::default() }
    }

    pub(super) fn gain(&self) -> [f32; 2] {
        self.gain.each_ref().map(|side| f32::from_bits(side.load(Ordering::Relaxed)))
    }

    pub(super) fn set_gain(&self, gain: [f32; 2]) {
        for (held, gain) in self.gain.iter().zip(gain) {
            held.store(gain.to_bits(), Ordering::Relaxed);
        }
    }

    /// Peak since the last call.
    pub(super) fn take_peak(&self) -> [f32; 2] {
        take(&self.peak)
    }

    pub(super) fn raise_peak(&self, peak: [f32; 2]) {
        raise(&self.peak, peak);
    }
}

fn take(peak: &[AtomicU32; 2]) -> [f32; 2] {
    peak.each_ref().map(|side| f32::from_bits(side.swap(0, Ordering::Relaxed)))
}

/// Raises peaks atomically; non-negative floats sort like their bits.
fn raise(held: &[AtomicU32; 2], peak: [f32; 2]) {
    for (held, peak) in held.iter().zip(peak) {
        held.fetch_max(peak.to_bits(), Ordering::Relaxed);
    }
}

/// State that the handle requested last; the feeder works towards it.
#[derive(Clone, Default)]
pub(super) struct Wanted {
    /// Number of changes, so that no waiting thread misses one.
    pub(super) version: u64,
    /// Track to play.
    pub(super) track: Option<Arc<dyn Track>>,
    /// Gains that were set last; they outlive a track.
    pub(super) set_gains: Gains,
    /// Lanes of the track.
    pub(super) strips: Strips,
    /// Number of loads and seeks; frames of an older generation must not be played.
    pub(super) generation: u64,
    /// Start of this generation, in frames.
    pub(super) target: u64,
    /// Repeated frames `[start, end)` of the track.
    pub(super) region: Option<(u64, u64)>,
    /// Number of refreshes.
    pub(super) refresh: u64,
    /// ID of the selected device; `None` is the system's default.
    pub(super) output: Option<String>,
    /// Whether the threads should end.
    pub(super) quit: bool,
}

/// Shared state of the player's threads.
pub(super) struct Shared {
    wanted: Mutex<Wanted>,
    changed: Condvar,
    /// Generation << 1 | whether the player is playing.
    transport: AtomicU64,
    /// Next frame of the callback, times two, plus whether playback passed a loop end in this
    /// generation.
    heard: AtomicU64,
    /// Timeline position of the same frame.
    timeline_position: AtomicU64,
    /// Frames between the callback and the output.
    pub(super) latency_frames: AtomicU32,
    /// Frames between the mixer and the callback, buffered in the stretch.
    pub(super) lag_frames: AtomicU32,
    /// Bits of a [`KeySpeed`].
    key_speed: AtomicU32,
    /// Whether the original plays instead of the stems.
    pub(super) original: AtomicBool,
    /// Linear gain that matches the original to the mix.
    original_level: AtomicU32,
    volume: AtomicU32,
    peaks: [AtomicU32; 2],
    pub(super) underruns: AtomicU64,
    /// Number of calls of play; each triggers another attempt to open the device.
    pub(super) plays: AtomicU64,
    device: Mutex<Device>,
    wake_stream: Sender<()>,
    waker: Arc<dyn Fn() + Send + Sync>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub(super) fn new(waker: Arc<dyn Fn() + Send + Sync>, wake_stream: Sender<()>) -> Self {
        Self {
            wanted: Mutex::default(),
            changed: Condvar::new(),
            transport: AtomicU64::new(0),
            heard: AtomicU64::new(0),
            timeline_position: AtomicU64::new(0),
            latency_frames: AtomicU32::new(0),
            lag_frames: AtomicU32::new(0),
            key_speed: AtomicU32::new(KeySpeed::default().to_bits()),
            original: AtomicBool::new(false),
            original_level: AtomicU32::new(1f32.to_bits()),
            volume: AtomicU32::new(1f32.to_bits()),
            peaks: Default::default(),
            underruns: AtomicU64::new(0),
            plays: AtomicU64::new(0),
            device: Mutex::new(Device::Idle),
            wake_stream,
            waker,
        }
    }

    // Methods of the handle and the feeder.

    /// Copies the wanted state.
    pub(super) fn wanted(&self) -> Wanted {
        lock(&self.wanted).clone()
    }

    /// Changes the wanted state and wakes the feeder.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut Wanted) -> T) -> T {
        let mut wanted = lock(&self.wanted);
        let result = change(&mut wanted);
        wanted.version += 1;
        drop(wanted);
        self.changed.notify_all();
        result
    }

    /// Starts a new generation at `target`, within [`Self::change`]. `stop` ends playback;
    /// otherwise its state is kept.
    pub(super) fn turn(&self, wanted: &mut Wanted, target: u64, stop: bool) {
        wanted.generation += 1;
        wanted.target = target;
        let playing = if stop { 0 } else { self.transport.load(Ordering::Acquire) & 1 };
        self.transport.store(wanted.generation << 1 | playing, Ordering::Release);
    }

    /// Whether the wanted state has changed since `version`.
    pub(super) fn has_changed(&self, version: u64) -> bool {
        lock(&self.wanted).version != version
    }

    /// Blocks until the wanted state differs from `version`, or until the timeout.
    pub(super) fn wait_for_change(&self, version: u64, at_most: Option<Duration>) {
        let wanted = lock(&self.wanted);
        let same = |wanted: &mut Wanted| wanted.version == version;
        match at_most {
            Some(time) => drop(self.changed.wait_timeout_while(wanted, time, same)),
            None => drop(self.changed.wait_while(wanted, same)),
        }
    }

    /// Next frame of the callback, or the target of a pending seek.
    pub(super) fn read_position(&self, wanted: &Wanted) -> u64 {
        self.followed_position(wanted).map_or(wanted.target, |(frame, _)| frame)
    }

    /// Next frame of the callback, if it has reached the wanted generation, and whether playback
    /// passed a loop end.
    pub(super) fn followed_position(&self, wanted: &Wanted) -> Option<(u64, bool)> {
        let heard = unpacked(self.heard.load(Ordering::Acquire), wanted.generation)?;
        Some((heard >> 1, heard & 1 == 1))
    }

    /// Timeline position of the callback, if it has reached the wanted generation.
    pub(super) fn followed_timeline_position(&self, wanted: &Wanted) -> Option<u64> {
        unpacked(self.timeline_position.load(Ordering::Acquire), wanted.generation)
    }

    /// Currently audible frame.
    pub(super) fn position(&self) -> u64 {
        self.heard_position(&lock(&self.wanted))
    }

    /// Currently audible frame, within [`Self::change`].
    pub(super) fn heard_position(&self, wanted: &Wanted) -> u64 {
        let Some((position, has_turned)) = self.followed_position(wanted) else {
            return wanted.target;
        };
        if !self.is_playing() {
            return position;
        }
        let latency = self.latency_frames.load(Ordering::Relaxed) as f32 * self.key_speed().speed();
        let lag = u64::from(self.lag_frames.load(Ordering::Relaxed));
        let heard = position.saturating_sub(latency as u64 + lag);
        if !has_turned {
            return heard.max(wanted.target.min(position));
        }
        match wanted.region {
            // The output is still before the joint.
            Some((start, end)) if heard < start && position >= start && start < end => {
                end - (start - heard).min(end - start)
            }
            _ => heard,
        }
    }

    /// Whether the player is playing.
    pub(super) fn is_playing(&self) -> bool {
        self.transport.load(Ordering::Acquire) & 1 == 1
    }

    /// Starts or stops playback.
    pub(super) fn set_playing(&self, playing: bool) {
        if playing {
            self.transport.fetch_or(1, Ordering::AcqRel);
        } else {
            self.transport.fetch_and(!1, Ordering::AcqRel);
        }
    }

    /// Wakes the stream's thread; a pending wake-up suffices.
    pub(super) fn wake_stream(&self) {
        self.wake_stream.try_send(()).ok();
    }

    /// Notifies the window. Must not be called from the callback.
    pub(super) fn notify(&self) {
        (self.waker)();
    }

    pub(super) fn device(&self) -> Device {
        lock(&self.device).clone()
    }

    /// Publishes the device's state, and notifies the window of a change.
    pub(super) fn set_device(&self, device: &Device) {
        let old = std::mem::replace(&mut *lock(&self.device), device.clone());
        if old != *device {
            tracing::debug!(?device, "sound device");
            self.notify();
        }
    }

    pub(super) fn set_key_speed(&self, change: KeySpeed) {
        self.key_speed.store(change.to_bits(), Ordering::Relaxed);
    }

    pub(super) fn set_volume(&self, volume: f32) {
        self.volume.store(volume.to_bits(), Ordering::Relaxed);
    }

    pub(super) fn set_original_level(&self, level: f32) {
        self.original_level.store(level.to_bits(), Ordering::Relaxed);
    }

    /// Peaks since the last call.
    pub(super) fn take_peaks(&self) -> [f32; 2] {
        take(&self.peaks)
    }

    // Methods of the callback: atomics only.

    /// Wanted generation, and whether to play.
    pub(super) fn transport(&self) -> (u64, bool) {
        let transport = self.transport.load(Ordering::Acquire);
        (transport >> 1, transport & 1 == 1)
    }

    /// Stops playback at the end of the track in `generation`, unless another generation is wanted
    /// by now.
    pub(super) fn end(&self, generation: u64) {
        let (from, to) = (generation << 1 | 1, generation << 1);
        // On failure, a seek or pause came first and takes precedence.
        self.transport.compare_exchange(from, to, Ordering::AcqRel, Ordering::Relaxed).ok();
    }

    pub(super) fn publish_position(&self, generation: u64, frame: u64, has_turned: bool) {
        let heard = packed(generation, frame << 1 | u64::from(has_turned));
        self.heard.store(heard, Ordering::Release);
    }

    pub(super) fn publish_timeline_position(&self, generation: u64, timeline_position: u64) {
        self.timeline_position.store(packed(generation, timeline_position), Ordering::Release);
    }

    pub(super) fn key_speed(&self) -> KeySpeed {
        KeySpeed::from_bits(self.key_speed.load(Ordering::Relaxed))
    }

    pub(super) fn volume(&self) -> f32 {
        f32::from_bits(self.volume.load(Ordering::Relaxed))
    }

    pub(super) fn original_level(&self) -> f32 {
        f32::from_bits(self.original_level.load(Ordering::Relaxed))
    }

    pub(super) fn raise_peaks(&self, peaks: [f32; 2]) {
        raise(&self.peaks, peaks);
    }
}
