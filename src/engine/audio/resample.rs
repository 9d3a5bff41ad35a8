//! Sample rate conversion of interleaved stereo streams: band-limited, in `f64`, without delay.
//!
//! Runs on the calling thread. Memory depends only on the two rates (at most a few megabytes),
//! never on the length of the stream.

use audioadapter_buffers::direct::InterleavedSlice;
use rubato::{Fft, FixedSync, Indexing, Resampler as _, WindowFunction};

use crate::engine::types::CHANNELS;

/// Supported rates in Hz.
pub const RATES: std::ops::RangeInclusive<u32> = 1_000..=768_000;

/// Minimum span of the anti-aliasing filter, in frames at the lower rate. The pass band then ends
/// at 0.987 of the lower Nyquist frequency. Rates without a large common divisor need longer
/// filters, up to both rates' numbers of frames.
const FILTER_FRAMES: usize = 2_048;

/// Reason why a stream cannot be resampled.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ResampleError {
    /// A rate outside of [`RATES`].
    #[error("a sample rate of {0} Hz is not supported (1 to 768 kHz are)")]
    Rate(u32),
    /// The converter could not be built.
    #[error("the sample rate cannot be converted")]
    Build(#[from] rubato::ResamplerConstructionError),
    /// The converter rejected a block.
    #[error("the sample rate conversion failed")]
    Step(#[from] rubato::ResampleError),
}

/// Converter of one stream. Frame `n` of the output has the same time as frame `n · from / to` of
/// the input, and the output has `round(frames · to / from)` frames.
pub struct Resampler {
    from: u32,
    to: u32,
    /// Converter; `None` for equal rates, where samples pass unchanged.
    converter: Option<Converter>,
    frames_in: u64,
    frames_out: u64,
}

struct Converter {
    fft: Fft<f64>,
    /// Input waiting for a full block, interleaved, up to `block_in` frames.
    waiting: Vec<f64>,
    block_in: usize,
    /// One block of output, interleaved.
    block_out: Vec<f64>,
    /// Output frames still to be dropped: the filter's delay.
    delay: usize,
}

impl Resampler {
    /// Creates a resampler from `from` Hz to `to` Hz.
    ///
    /// # Errors
    /// Fails if a rate is outside of [`RATES`].
    pub fn new(from: u32, to: u32) -> Result<Self, ResampleError> {
        for rate in [from, to] {
            if !RATES.contains(&rate) {
                return Err(ResampleError::Rate(rate));
            }
        }
        let converter = if from == to { None } else { Some(Converter::new(from, to)?) };
        Ok(Self { from, to, converter, frames_in: 0, frames_out: 0 })
    }

    /// Consumes interleaved stereo and appends finished frames to `out`.
    ///
    /// # Errors
    /// Fails on an internal error of the converter, which no input should cause.
    pub fn push(&mut self, stereo: &[f32], out: &mut Vec<f32>) -> Result<(), ResampleError> {
        self.frames_in += (stereo.len() / CHANNELS) as u64;
        let Some(converter) = &mut self.converter else {
            self.frames_out = self.frames_in;
            out.extend_from_slice(stereo);
            return Ok(());
        };
        let mut rest = stereo;
        while !rest.is_empty() {
            let room = converter.block_in * CHANNELS - converter.waiting.len();
            let (now, later) = rest.split_at(room.min(rest.len()));
            converter.waiting.extend(now.iter().map(|&sample| f64::from(sample)));
            rest = later;
            if converter.waiting.len() == converter.block_in * CHANNELS {
                self.frames_out += converter.step(u64::MAX, out)?;
            }
        }
        Ok(())
    }

    /// Ends the stream: appends the remaining frames for an exact length, and resets the resampler.
    ///
    /// # Errors
    /// Like [`Self::push`].
    pub fn finish(&mut self, out: &mut Vec<f32>) -> Result<(), ResampleError> {
        let total = rescale(self.frames_in, self.to, self.from);
        if let Some(converter) = &mut self.converter {
            while self.frames_out < total {
                self.frames_out += converter.step(total - self.frames_out, out)?;
            }
            converter.restart();
        }
        (self.frames_in, self.frames_out) = (0, 0);
        Ok(())
    }
}

impl Converter {
    fn new(from: u32, to: u32) -> Result<Self, ResampleError> {
        let divisor = gcd(from, to);
        let (unit_in, unit_out) = ((from / divisor) as usize, (to / divisor) as usize);
        // With an even number of units, both halves of the filter span whole frames. Its delay is
        // then a whole number of frames at either rate.
        let units = FILTER_FRAMES.div_ceil(unit_in.min(unit_out)).next_multiple_of(2);
        let fft = Fft::new_custom(
            from as usize,
            to as usize,
            units * unit_in,
            1,
            CHANNELS,
            WindowFunction::BlackmanHarris2,
            FixedSync::Both,
        )?;
        Ok(Self {
            block_in: fft.input_frames_next(),
            block_out: vec![0.0; fft.output_frames_next() * CHANNELS],
            delay: fft.output_delay(),
            waiting: Vec::with_capacity(fft.input_frames_next() * CHANNELS),
            fft,
        })
    }

    /// Converts the waiting input, padded with silence, and appends at most `most` frames to `out`.
    /// Returns the number of appended frames.
    fn step(&mut self, most: u64, out: &mut Vec<f32>) -> Result<u64, ResampleError> {
        let frames = self.waiting.len() / CHANNELS;
        self.waiting.resize(self.block_in * CHANNELS, 0.0);
        let input = InterleavedSlice::new(&self.waiting, CHANNELS, self.block_in);
        let size_out = self.block_out.len() / CHANNELS;
        let output = InterleavedSlice::new_mut(&mut self.block_out, CHANNELS, size_out);
        let (Ok(input), Ok(mut output)) = (input, output) else {
            return Ok(0); // cannot happen: the slices have matching sizes
        };
        let indexing = Indexing::new().partial_len(frames);
        let (_, made) = self.fft.process_into_buffer(&input, &mut output, Some(&indexing))?;
        self.waiting.clear();

        let dropped = self.delay.min(made);
        self.delay -= dropped;
        let kept = ((made - dropped) as u64).min(most);
        let samples = &self.block_out[dropped * CHANNELS..(dropped + kept as usize) * CHANNELS];
        out.extend(samples.iter().map(|&sample| sample as f32));
        Ok(kept)
    }

    fn restart(&mut self) {
        self.fft.reset();
        self.waiting.clear();
        self.delay = self.fft.output_delay();
    }
}

/// Computes `frames · to / from`, rounded to the nearest frame.
pub fn rescale(frames: u64, to: u32, from: u32) -> u64 {
    let (frames, to, from) = (u128::from(frames), u128::from(to), u128::from(from.max(1)));
    u64::try_from((frames * to + from / 2) / from).unwrap_or(u64::MAX)
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use std::f64::consts::TAU;

    use super::*;
    use crate::engine::types::SAMPLE_RATE;

    fn sine(frequency: f64, rate: u32, frames: usize) -> Vec<f32> {
        (0..frames)
            .flat_map(|n| {
                let phase = TAU * frequency * n as f64 / f64::from(rate);
                [(0.5 * phase.sin()) as f32, (0.5 * phase.cos()) as f32]
            })
            .collect()
    }

    fn resampled(input: &[f32], from: u32, block: usize) -> Vec<f32> {
        let mut resampler = Resampler::new(from, SAMPLE_RATE).unwrap();
        let mut out = Vec::new();
        for part in input.chunks(block * CHANNELS) {
            resampler.push(part, &mut out).unwrap();
        }
        resampler.finish(&mut out).unwrap();
        out
    }

    /// Signal-to-error ratio in dB without the first and last third. There the filter (up to 2 s
    /// long, at 35 467 Hz) covers the edges of the signal.
    fn snr_db(got: &[f32], want: &[f32]) -> f64 {
        let edge = got.len() / 3 / CHANNELS * CHANNELS;
        let middle = edge..got.len() - edge;
        let power = |samples: &mut dyn Iterator<Item = f64>| samples.map(|x| x * x).sum::<f64>();
        let signal = power(&mut want[middle.clone()].iter().map(|&x| f64::from(x)));
        let error = power(&mut middle.map(|at| f64::from(got[at]) - f64::from(want[at])));
        10.0 * (signal / error).log10()
    }

    #[test]
    fn sines_are_undelayed_and_clean_from_any_rate() {
        for rate in [8_000, 11_025, 22_050, 35_467, 48_000, 88_200, 96_000, 192_000] {
            let highest = 0.45 * f64::from(rate.min(SAMPLE_RATE));
            for frequency in [100.0, 997.0, highest] {
                let frames = 3 * rate as usize;
                let got = resampled(&sine(frequency, rate, frames), rate, 1_152);
                let want = sine(frequency, SAMPLE_RATE, 3 * SAMPLE_RATE as usize);
                assert_eq!(got.len(), want.len(), "length from {rate} Hz");
                let snr = snr_db(&got, &want);
                assert!(snr > 120.0, "{frequency} Hz from {rate} Hz: {snr:.1} dB");
            }
        }
    }

    #[test]
    fn removes_frequencies_above_the_new_nyquist_frequency() {
        let got = resampled(&sine(30_000.0, 96_000, 96_000), 96_000, 4_096);
        let middle = &got[got.len() / 4..got.len() * 3 / 4];
        let loudest = middle.iter().fold(0f32, |peak, x| peak.max(x.abs()));
        assert!(loudest < 1e-6, "alias at {loudest}");
    }

    #[test]
    fn the_length_is_exact_for_any_length_and_blocks() {
        for rate in [8_000, 35_467, 44_100, 48_000, 192_000] {
            for frames in [0, 1, 2, 4, 4_095, 4_096, 4_097, 20_000] {
                let input = sine(440.0, rate, frames);
                let want = rescale(frames as u64, SAMPLE_RATE, rate) as usize;
                let whole = resampled(&input, rate, 1 << 20);
                assert_eq!(whole.len() / CHANNELS, want, "{frames} frames at {rate} Hz");
                assert_eq!(resampled(&input, rate, 7), whole, "cut into blocks at {rate} Hz");
            }
        }
    }

    #[test]
    fn resets_at_the_end() {
        let input = sine(440.0, 48_000, 5_000);
        let mut resampler = Resampler::new(48_000, SAMPLE_RATE).unwrap();
        let mut first = Vec::new();
        resampler.push(&input, &mut first).unwrap();
        resampler.finish(&mut first).unwrap();
        let mut second = Vec::new();
        resampler.push(&input, &mut second).unwrap();
        resampler.finish(&mut second).unwrap();
        assert_eq!(first, second);
    }

    #[test]
    fn rejects_absurd_rates() {
        for rate in [0, 1, 999, 800_000, u32::MAX] {
            assert!(matches!(Resampler::new(rate, SAMPLE_RATE), Err(ResampleError::Rate(_))));
        }
    }
}
