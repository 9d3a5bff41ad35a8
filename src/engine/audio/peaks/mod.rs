//! Peaks for drawing waveforms. Pure functions over interleaved stereo samples.

pub(in crate::engine) mod file;

use crate::engine::types::CHANNELS;

/// Number of frames summarised by one [`Peak`].
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

/// Computes the peaks of `interleaved`, whose first frame begins a bin of `frames_per_peak` frames.
/// The last bin may be shorter; empty input has no peaks.
pub fn peaks_of(interleaved: &[f32], frames_per_peak: usize) -> Vec<Peak> {
    interleaved.chunks(frames_per_peak.max(1) * CHANNELS).map(peak_of).collect()
}

fn peak_of(samples: &[f32]) -> Peak {
    let fold = |pick: fn(f32, f32) -> f32| samples.iter().copied().reduce(pick).unwrap_or_default();
    let power: f64 = samples.iter().map(|&x| f64::from(x).powi(2)).sum();
    let rms = (power / samples.len().max(1) as f64).sqrt() as f32;
    Peak { min: fold(f32::min), max: fold(f32::max), rms }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bin_has_its_extremes_and_its_power() {
        let mut samples = vec![0.5; FRAMES_PER_PEAK * CHANNELS];
        samples[7] = -0.75;
        samples.extend([0.25, 0.125]);
        let peaks = peaks_of(&samples, FRAMES_PER_PEAK);
        assert_eq!(peaks.len(), 2);
        assert_eq!((peaks[0].min, peaks[0].max), (-0.75, 0.5));
        assert!((peaks[0].rms - 0.500_3).abs() < 1e-4, "{}", peaks[0].rms);
        // Not 0, because no sample of this bin is 0.
        assert_eq!((peaks[1].min, peaks[1].max), (0.125, 0.25));
        assert!(peaks_of(&[], FRAMES_PER_PEAK).is_empty());
        let frames = peaks_of(&[0.5, -0.5, 0.25, 0.125], 1);
        assert_eq!((frames[0].min, frames[0].max), (-0.5, 0.5));
        assert_eq!((frames[1].min, frames[1].max), (0.125, 0.25));
    }
}
