//! Look-ahead true-peak limiter for users who prefer a loud mix to an untouched one. It attacks
//! within milliseconds and releases slowly. Runs on the export thread.
//!
//! Each frame needs some gain; the smallest gain over the look-ahead after a frame is averaged over
//! the look-ahead before it. The result is smooth and never exceeds what the frame itself needs.
//! Peaks between samples are found by fourfold interpolation (ITU-R BS.1770-5, annex 2).

use std::collections::VecDeque;

/// Look-ahead and release time, in seconds.
const AHEAD_SECONDS: f64 = 0.005;
const RELEASE_SECONDS: f64 = 0.1;

/// Interpolated values per interval between samples, and filter taps for each of them.
const PHASES: usize = 3;
const TAPS: usize = 12;

/// Limits samples to a ceiling.
pub struct Limiter {
    ceiling: f64,
    channels: usize,
    ahead: usize,
    release: f64,
    taps: [[f64; TAPS]; PHASES],
    /// Frames received but not yet emitted, interleaved.
    waiting: VecDeque<f64>,
    /// The last [`TAPS`] frames, the newest last, interleaved.
    recent: VecDeque<f64>,
    /// Number of frames received, and number of frames whose peak is known.
    received: u64,
    peaks: u64,
    /// Peak between the next frame and its predecessor.
    between: f64,
    /// Gain required by the last frame, including the release.
    held: f64,
    /// Increasing required gains of the frames in the look-ahead (a monotonic queue), with frame
    /// indices.
    least: VecDeque<(u64, f64)>,
    /// Smallest gains over the look-ahead for the last frames, and their sum.
    leasts: VecDeque<f64>,
    sum: f64,
    needed: VecDeque<f64>,
}

impl Limiter {
    /// Creates a limiter for frames of `channels` samples at `rate` Hz.
    pub fn new(ceiling: f64, channels: u16, rate: u32) -> Self {
        let rate = f64::from(rate);
        let ahead = (AHEAD_SECONDS * rate).ceil() as usize;
        let channels = usize::from(channels);
        Self {
            ceiling,
            channels,
            ahead,
            release: 1.0 - (-1.0 / (RELEASE_SECONDS * rate)).exp(),
            taps: interpolator(),
            waiting: VecDeque::new(),
            recent: std::iter::repeat_n(0.0, TAPS * channels).collect(),
            received: 0,
            peaks: 0,
            between: 0.0,
            held: 1.0,
            least: VecDeque::new(),
            leasts: std::iter::repeat_n(1.0, ahead + 1).collect(),
            sum: (ahead + 1) as f64,
            needed: VecDeque::new(),
        }
    }

    /// Consumes interleaved frames and appends finished ones to `out`.
    pub fn push(&mut self, interleaved: &[f64], out: &mut Vec<f64>) {
        for frame in interleaved.chunks_exact(self.channels) {
            self.waiting.extend(frame);
            self.take(frame, out);
        }
    }

    /// Flushes the remaining frames.
    pub fn finish(&mut self, out: &mut Vec<f64>) {
        let silence = vec![0.0; self.channels];
        while !self.waiting.is_empty() {
            self.take(&silence, out);
        }
    }

    fn take(&mut self, frame: &[f64], out: &mut Vec<f64>) {
        self.recent.drain(..self.channels);
        self.recent.extend(frame);
        self.received += 1;
        // The interval that can be interpolated lies between the two middle frames.
        let Some(_) = self.received.checked_sub(TAPS as u64 / 2) else { return };
        let at = TAPS / 2 - 1;
        let peak = (0..self.channels).map(|c| self.recent[at * self.channels + c].abs());
        let peak = peak.fold(0.0, f64::max);
        if self.received == TAPS as u64 / 2 {
            // The middle is still before the first frame.
            self.between = self.peak_between();
            return;
        }
        let after = self.peak_between();
        let before = std::mem::replace(&mut self.between, after);
        self.needs(peak.max(before).max(self.between), out);
    }

    fn peak_between(&self) -> f64 {
        let mut peak = 0f64;
        for taps in &self.taps {
            for channel in 0..self.channels {
                let samples = self.recent.iter().skip(channel).step_by(self.channels);
                let value: f64 = samples.zip(taps).map(|(x, tap)| x * tap).sum();
                peak = peak.max(value.abs());
            }
        }
        peak
    }

    /// Records the gain that the next frame needs. Emits one frame once its look-ahead is complete.
    fn needs(&mut self, peak: f64, out: &mut Vec<f64>) {
        let fits = if peak > self.ceiling { self.ceiling / peak } else { 1.0 };
        self.held = fits.min(self.held + (1.0 - self.held) * self.release);
        while self.least.back().is_some_and(|(_, gain)| *gain >= self.held) {
            self.least.pop_back();
        }
        self.least.push_back((self.peaks, self.held));
        self.needed.push_back(self.held);
        self.peaks += 1;
        let Some(leaves) = self.peaks.checked_sub(self.ahead as u64 + 1) else { return };
        while self.least.front().is_some_and(|(at, _)| *at < leaves) {
            self.least.pop_front();
        }
        let least = self.least.front().map_or(1.0, |(_, gain)| *gain);
        self.sum += least - self.leasts.pop_front().unwrap_or(1.0);
        self.leasts.push_back(least);
        let mean = self.sum / self.leasts.len() as f64;
        let gain = mean.min(self.needed.pop_front().unwrap_or(1.0));
        let count = self.channels.min(self.waiting.len());
        out.extend(self.waiting.drain(..count).map(|x| x * gain));
    }
}

/// Windowed sinc taps for a quarter, a half and three quarters of the way between the middle taps.
fn interpolator() -> [[f64; TAPS]; PHASES] {
    use std::f64::consts::PI;
    std::array::from_fn(|phase| {
        let place = (TAPS / 2 - 1) as f64 + (phase + 1) as f64 / (PHASES + 1) as f64;
        let taps: [f64; TAPS] = std::array::from_fn(|tap| {
            let x = tap as f64 - place;
            let window = 0.5 + 0.5 * (2.0 * PI * x / (TAPS + 1) as f64).cos();
            window * (PI * x).sin() / (PI * x)
        });
        let sum: f64 = taps.iter().sum();
        taps.map(|tap| tap / sum)
    })
}

#[cfg(test)]
mod tests {
    use std::f64::consts::{FRAC_PI_2, FRAC_PI_4};

    use proptest::prelude::*;

    use super::*;

    fn limited(samples: &[f64], channels: u16, block: usize) -> Vec<f64> {
        let mut limiter = Limiter::new(0.5, channels, 8_000);
        let mut out = Vec::new();
        for part in samples.chunks(block * usize::from(channels)) {
            limiter.push(part, &mut out);
        }
        limiter.finish(&mut out);
        out
    }

    proptest! {
        #[test]
        fn nothing_is_above_the_ceiling_and_nothing_is_lost(
            samples in prop::collection::vec(-2.0f64..2.0, 0..600),
            channels in 1u16..=2,
            block in 1usize..70,
        ) {
            let whole = samples.len() / usize::from(channels) * usize::from(channels);
            let samples = &samples[..whole];
            let out = limited(samples, channels, block);
            prop_assert_eq!(out.len(), samples.len());
            for (out, x) in out.iter().zip(samples) {
                prop_assert!(out.abs() <= 0.5 + 1e-12, "{out}");
                prop_assert!(out * x >= 0.0 && out.abs() <= x.abs() + 1e-12, "{x} became {out}");
            }
        }
    }

    #[test]
    fn quiet_samples_pass_unchanged() {
        let quiet: Vec<f64> = (0..4_000).map(|n| 0.45 * (f64::from(n) * 0.05).sin()).collect();
        assert_eq!(limited(&quiet, 2, 100), quiet);
    }

    #[test]
    fn a_peak_between_samples_is_seen() {
        // At a quarter of the rate, samples at 45 degrees miss a peak 3 dB above them.
        let sine = |n: usize| (n as f64).mul_add(FRAC_PI_2, FRAC_PI_4).sin();
        let wave: Vec<f64> = (0..4_000).map(|n| 0.6 * sine(n)).collect();
        let loudest = limited(&wave, 1, 256)[1_000..3_000].iter().fold(0f64, |p, x| p.max(x.abs()));
        assert!(loudest < 0.5 * 0.72, "{loudest}");
    }
}
