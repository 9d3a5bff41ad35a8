//! Peaks: what a waveform is drawn from. Pure functions over interleaved stereo samples.

use super::CHANNELS;

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

/// The peaks of `interleaved`, whose first frame begins a bin. The last bin may hold fewer than
/// [`FRAMES_PER_PEAK`] frames; of nothing there are none.
pub fn peaks_of(interleaved: &[f32]) -> Vec<Peak> {
    interleaved.chunks(FRAMES_PER_PEAK * CHANNELS).map(peak_of).collect()
}

fn peak_of(samples: &[f32]) -> Peak {
    let mut bin = Bin::default();
    bin.add(samples);
    bin.peak()
}

/// Builds the peaks of a stream from blocks of any length. Bins are aligned to its first frame, so
/// that the peaks of a stream do not depend on how it is cut.
#[derive(Clone, Debug, Default)]
pub struct PeakBuilder {
    bin: Bin,
}

impl PeakBuilder {
    /// Takes the next samples, and appends to `peaks` the bins that are complete with them.
    pub fn push(&mut self, interleaved: &[f32], peaks: &mut Vec<Peak>) {
        let mut rest = interleaved;
        while !rest.is_empty() {
            let room = FRAMES_PER_PEAK * CHANNELS - self.bin.samples;
            let (now, later) = rest.split_at(room.min(rest.len()));
            self.bin.add(now);
            rest = later;
            if self.bin.samples == FRAMES_PER_PEAK * CHANNELS {
                peaks.push(std::mem::take(&mut self.bin).peak());
            }
        }
    }

    /// Ends the stream: the last bin, unless it is empty.
    pub fn finish(self) -> Option<Peak> {
        (self.bin.samples > 0).then(|| self.bin.peak())
    }
}

/// A bin that is being filled.
#[derive(Clone, Debug, Default)]
struct Bin {
    min: f32,
    max: f32,
    power: f64,
    samples: usize,
}

impl Bin {
    fn add(&mut self, samples: &[f32]) {
        if self.samples == 0
            && let Some(&first) = samples.first()
        {
            (self.min, self.max) = (first, first);
        }
        for &sample in samples {
            self.min = self.min.min(sample);
            self.max = self.max.max(sample);
            self.power += f64::from(sample) * f64::from(sample);
        }
        self.samples += samples.len();
    }

    fn peak(&self) -> Peak {
        let rms = (self.power / self.samples.max(1) as f64).sqrt() as f32;
        Peak { min: self.min, max: self.max, rms }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_bin_has_its_extremes_and_its_power() {
        let mut samples = vec![0.5; FRAMES_PER_PEAK * CHANNELS];
        samples[7] = -0.75;
        samples.extend([0.25, 0.125]);
        let peaks = peaks_of(&samples);
        assert_eq!(peaks.len(), 2);
        assert_eq!((peaks[0].min, peaks[0].max), (-0.75, 0.5));
        assert!((peaks[0].rms - 0.500_3).abs() < 1e-4, "{}", peaks[0].rms);
        // Not 0, which is in no sample of this bin.
        assert_eq!((peaks[1].min, peaks[1].max), (0.125, 0.25));
        assert!(peaks_of(&[]).is_empty());
    }

    proptest! {
        #[test]
        fn cutting_changes_nothing(
            samples in prop::collection::vec(-2f32..2.0, 0..5_000),
            cuts in prop::collection::vec(1usize..900, 1..20),
        ) {
            let samples = &samples[..samples.len() / CHANNELS * CHANNELS];
            let mut builder = PeakBuilder::default();
            let mut peaks = Vec::new();
            let mut rest = samples;
            for cut in cuts.into_iter().cycle() {
                if rest.is_empty() {
                    break;
                }
                let (now, later) = rest.split_at((cut * CHANNELS).min(rest.len()));
                builder.push(now, &mut peaks);
                rest = later;
            }
            peaks.extend(builder.finish());
            prop_assert_eq!(peaks, peaks_of(samples));
        }
    }
}
