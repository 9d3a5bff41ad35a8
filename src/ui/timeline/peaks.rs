//! A lane's waveform as far as it is known, at several resolutions. Main thread.
//!
//! The engine sends bins of [`FRAMES_PER_PEAK`] frames for the whole song. Coarser levels are
//! derived from them, so that drawing a bar joins only a few bins even in a long song. Finer bins
//! arrive for a range that is displayed at high zoom.

use crate::engine::audio::peaks::{FRAMES_PER_PEAK, Peak};

/// Number of bins that form one bin of the next level.
const FACTOR: usize = 4;
/// Number of levels above the finest.
const COARSER: usize = 4;
/// Maximum number of finer bins that are kept.
const FINE_BINS: usize = 1 << 16;

/// A waveform. Bins that have not arrived are silent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Waveform {
    /// Levels of bins, each [`FACTOR`] times as coarse as the previous one.
    levels: [Vec<Peak>; COARSER + 1],
    fine: Vec<Stretch>,
    /// Incremented by every change, so that drawings can be cached.
    version: u64,
}

/// Finer bins of a range of the song.
#[derive(Clone, Debug, PartialEq)]
struct Stretch {
    first_frame: u64,
    frames_per_peak: usize,
    peaks: Vec<Peak>,
}

impl Stretch {
    fn end(&self) -> u64 {
        self.first_frame + (self.peaks.len() * self.frames_per_peak) as u64
    }

    fn holds(&self, start: f64, end: f64) -> bool {
        start >= self.first_frame as f64 && end <= self.end() as f64
    }
}

impl Waveform {
    /// The bins of [`FRAMES_PER_PEAK`] frames.
    pub fn peaks(&self) -> &[Peak] {
        &self.levels[0]
    }

    /// The version, which every change increments.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Stores bins of [`FRAMES_PER_PEAK`] frames from `first` on, of a song with `bins` of them.
    pub fn write(&mut self, first: usize, peaks: &[Peak], bins: usize) {
        let end = first.saturating_add(peaks.len()).min(bins);
        if first >= end {
            return;
        }
        resize(&mut self.levels[0], end);
        self.levels[0][first..end].copy_from_slice(&peaks[..end - first]);
        let (mut first, mut end) = (first, end);
        for level in 1..=COARSER {
            (first, end) = (first / FACTOR, end.div_ceil(FACTOR));
            let (below, above) = self.levels.split_at_mut(level);
            let (below, here) = (&below[level - 1], &mut above[0]);
            resize(here, end);
            for (bin, peak) in here.iter_mut().enumerate().take(end).skip(first) {
                let from = bin * FACTOR;
                *peak = join(&below[from..(from + FACTOR).min(below.len())]);
            }
        }
        self.version += 1;
    }

    /// Stores finer bins of a range. Bins of another resolution are discarded.
    pub fn write_fine(&mut self, first_frame: u64, frames_per_peak: usize, peaks: &[Peak]) {
        if peaks.is_empty() || frames_per_peak == 0 {
            return;
        }
        let new = Stretch { first_frame, frames_per_peak, peaks: peaks.to_vec() };
        self.fine.retain(|known| {
            known.frames_per_peak == frames_per_peak
                && (known.end() <= new.first_frame || known.first_frame >= new.end())
        });
        self.fine.push(new);
        while self.fine.len() > 1
            && self.fine.iter().map(|known| known.peaks.len()).sum::<usize>() > FINE_BINS
        {
            self.fine.remove(0);
        }
        self.version += 1;
    }

    /// Extremes and power between two frames.
    pub fn between(&self, start: f64, end: f64) -> Peak {
        let span = end - start;
        if span < FRAMES_PER_PEAK as f64
            && let Some(fine) = self.fine.iter().find(|fine| fine.holds(start, end))
        {
            let from = start - fine.first_frame as f64;
            return join(bins(&fine.peaks, from, from + span, fine.frames_per_peak));
        }
        let mut frames_per_bin = FRAMES_PER_PEAK;
        let mut level = 0;
        while level < COARSER && span >= (2 * FACTOR * frames_per_bin) as f64 {
            (level, frames_per_bin) = (level + 1, frames_per_bin * FACTOR);
        }
        join(bins(&self.levels[level], start, end, frames_per_bin))
    }

    /// The samples of a range and the frame of the first one, if single samples are known there.
    pub fn samples(&self, start: f64, end: f64) -> Option<(u64, &[Peak])> {
        let single = |fine: &&Stretch| fine.frames_per_peak == 1 && fine.holds(start, end);
        let fine = self.fine.iter().find(single)?;
        let from = start.max(0.0) as u64;
        let range =
            (from - fine.first_frame) as usize..(end.ceil() as u64 - fine.first_frame) as usize;
        Some((from, fine.peaks.get(range)?))
    }
}

fn resize(bins: &mut Vec<Peak>, least: usize) {
    if bins.len() < least {
        bins.resize(least, Peak::default());
    }
}

/// The bins that overlap a range, at least one unless there are none.
fn bins(peaks: &[Peak], start: f64, end: f64, frames_per_bin: usize) -> &[Peak] {
    let each = frames_per_bin as f64;
    let last = peaks.len();
    let from = ((start / each).floor().max(0.0) as usize).min(last);
    let to = ((end / each).ceil().max(0.0) as usize).clamp(from, last);
    &peaks[from..to.max((from + 1).min(last))]
}

/// The joint extremes and power of several bins.
fn join(peaks: &[Peak]) -> Peak {
    let Some((first, rest)) = peaks.split_first() else { return Peak::default() };
    let (mut all, mut power) = (*first, first.rms * first.rms);
    for peak in rest {
        all.min = all.min.min(peak.min);
        all.max = all.max.max(peak.max);
        power += peak.rms * peak.rms;
    }
    all.rms = (power / peaks.len() as f32).sqrt();
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    const EACH: f64 = FRAMES_PER_PEAK as f64;

    fn peak(level: f32) -> Peak {
        Peak { min: -level, max: level, rms: level / 2.0 }
    }

    #[test]
    fn a_far_look_finds_the_same_extremes_as_all_the_bins() {
        let mut wave = Waveform::default();
        let all: Vec<Peak> = (0..9001).map(|i| peak((i * 7919 % 1000) as f32 / 1000.0)).collect();
        // Pieces of odd lengths and out of order, as segments arrive.
        for first in [4096, 0, 8999, 1, 2500, 7000] {
            let end = (first + 2501).min(all.len());
            wave.write(first, &all[first..end], all.len());
        }
        wave.write(6000, &all[6000..7500], all.len());
        for span in [1usize, 3, 8, 40, 129, 700, 2100] {
            for start in (0..all.len() - span).step_by(span.max(37)) {
                let (from, to) = (start as f64 * EACH, (start + span) as f64 * EACH);
                let (far, near) = (wave.between(from, to), join(&all[start..start + span]));
                // A coarse bin may extend beyond the range, but must cover it.
                assert!(far.max >= near.max && far.min <= near.min, "{start} {span}");
                if span % FACTOR.pow(4) == 0 && start % FACTOR.pow(4) == 0 {
                    assert!((far.rms - near.rms).abs() < 1e-4);
                }
            }
        }
        assert!(wave.levels[COARSER].len() <= 9001 / 256 + 1);
    }

    #[test]
    fn a_close_look_takes_finer_bins_where_they_have_come() {
        let mut wave = Waveform::default();
        wave.write(0, &[peak(0.5); 100], 100);
        let version = wave.version();
        wave.write_fine(1024, 16, &[peak(0.1); 64]);
        assert!(wave.version() > version);
        assert_eq!(wave.between(1040.0, 1056.0).max, 0.1);
        assert_eq!(wave.between(1000.0, 1056.0).max, 0.5, "only part of the range is finer");
        assert_eq!(
            wave.between(1024.0, 1024.0 + 700.0).max,
            0.5,
            "coarse bins suffice at low zoom"
        );
        wave.write_fine(2048, 16, &[peak(0.2); 64]);
        assert_eq!(wave.between(1040.0, 1056.0).max, 0.1, "a second range beside the first");
        wave.write_fine(1536, 16, &[peak(0.3); 1]);
        assert_eq!(wave.between(1536.0, 1552.0).max, 0.3, "newer bins win");
        wave.write_fine(0, 1, &[peak(0.4); 50]);
        assert_eq!(
            wave.between(2050.0, 2060.0).max,
            0.5,
            "another resolution replaces the finer bins"
        );
        let (first, samples) = wave.samples(10.2, 20.0).unwrap();
        assert_eq!((first, samples.len()), (10, 10));
        assert!(wave.samples(10.0, 60.0).is_none());
    }

    #[test]
    fn parts_beyond_the_song_and_empty_parts_are_silent() {
        let mut wave = Waveform::default();
        assert_eq!(wave.between(0.0, 1e9), Peak::default());
        wave.write(usize::MAX, &[peak(1.0)], 4);
        wave.write(3, &[peak(1.0); 9], 4);
        assert_eq!(wave.peaks().len(), 4);
        assert_eq!(wave.between(1e12, 2e12), Peak::default());
        assert_eq!(wave.between(-5.0, 10.0), Peak::default());
        wave.write_fine(0, 0, &[peak(1.0)]);
        wave.write_fine(0, 4, &[]);
        assert!(wave.fine.is_empty());
    }
}
