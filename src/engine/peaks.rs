//! Peaks: what a waveform is drawn from. Pure functions over interleaved samples.

/// Frames that one [`Peak`] stands for.
pub const FRAMES_PER_PEAK: usize = 512;

/// Extremes and power of one bin, over both channels. Full scale is 1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Peak {
    /// Smallest sample.
    pub min: f32,
    /// Largest sample.
    pub max: f32,
    /// Root of the mean square.
    pub rms: f32,
}
