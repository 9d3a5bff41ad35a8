//! The player: what is heard, and how it gets to the device without ever waiting.
//!
//! Knows no library and no window. Three threads: the caller's (this handle), the feeder (reads
//! the track ahead of the play head), and the device's callback (mixes; no lock, no allocation).

use std::io;

/// A song that can be played: its original and its stems, read by range. Reading may touch a disk;
/// it is done on the feeder's thread, or on an export's.
pub trait Track: Send + Sync {
    /// Length in frames.
    fn frames(&self) -> u64;

    /// Number of stems.
    fn stems(&self) -> usize;

    /// Reads the original from frame `start` on into interleaved `out`; past the end, zeros.
    ///
    /// # Errors
    /// What the disk says.
    fn read_original(&self, start: u64, out: &mut [f32]) -> io::Result<()>;

    /// Reads a stem likewise; frames whose segment is not finished are zero.
    ///
    /// # Errors
    /// What the disk says.
    fn read_stem(&self, stem: usize, start: u64, out: &mut [f32]) -> io::Result<()>;

    /// Whether the stems are there at frame `at`, and the first frame after `at` where that changes
    /// (or the end of the track).
    fn covered_at(&self, at: u64) -> (bool, u64);
}

/// What the user set on a stem's lane.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LaneSettings {
    /// Whether the instrument is ticked; what is not takes no part in the mix.
    pub ticked: bool,
    /// Fader, in dB; `f32::NEG_INFINITY` is silence.
    pub gain_db: f32,
    /// Muted by the user.
    pub muted: bool,
    /// Soloed: while any ticked lane is, only soloed lanes are heard.
    pub soloed: bool,
}

impl Default for LaneSettings {
    fn default() -> Self {
        Self { ticked: true, gain_db: 0.0, muted: false, soloed: false }
    }
}

/// The linear gain of every lane, as heard and as exported.
pub fn gains(lanes: &[LaneSettings]) -> Vec<f32> {
    let any_solo = lanes.iter().any(|lane| lane.ticked && lane.soloed);
    lanes
        .iter()
        .map(|lane| {
            let heard = lane.ticked && if any_solo { lane.soloed } else { !lane.muted };
            if heard { 10f32.powf(lane.gain_db / 20.0) } else { 0.0 }
        })
        .collect()
}

/// What is heard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Monitor {
    /// The stems with their gains; where they are not finished, the original.
    #[default]
    Mix,
    /// The song as it came.
    Original,
}

/// The sound device, as far as the player knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Device {
    /// Not opened yet: it is at the first play.
    Idle,
    /// Open, with its name.
    Open(String),
    /// There is none, or it was lost; in words. Playing keeps the time silently.
    Unavailable(String),
}

/// A handle on the player; cheap to clone. No method waits for a disk or a device.
#[derive(Clone, Debug, Default)]
pub struct Player {}

impl Player {
    /// Starts the player's threads. Never fails: without a device it is silent and says so.
    pub fn start(waker: std::sync::Arc<dyn Fn() + Send + Sync>) -> Self {
        drop(waker);
        Self {}
    }
    /// Replaces the track (`None` takes it out), stops, and goes to its start.
    pub fn load(&self, _track: Option<std::sync::Arc<dyn Track>>) {}
    /// Tells that more of the track's stems are finished: what is buffered is read again.
    pub fn refresh(&self) {}
    /// Starts or goes on; at the end of the track, from its start.
    pub fn play(&self) {}
    /// Pauses.
    pub fn pause(&self) {}
    /// Whether it plays.
    pub fn is_playing(&self) -> bool {
        false
    }
    /// Goes to a frame; past the end, to the end.
    pub fn seek(&self, _frame: u64) {}
    /// The frame that is heard now.
    pub fn position(&self) -> u64 {
        0
    }
    /// Sets the linear gain of every stem, in the model's order (see [`gains`]).
    pub fn set_gains(&self, _gains: &[f32]) {}
    /// Chooses what is heard.
    pub fn set_monitor(&self, _monitor: Monitor) {}
    /// Sets the master volume, linear, 0 to 1.
    pub fn set_volume(&self, _volume: f32) {}
    /// Peak of what was played since the last call, left and right, linear.
    pub fn levels(&self) -> [f32; 2] {
        [0.0; 2]
    }
    /// Blocks that the device asked for and that were not ready in time.
    pub fn underruns(&self) -> u64 {
        0
    }
    /// The device's state.
    pub fn device(&self) -> Device {
        Device::Idle
    }
}
