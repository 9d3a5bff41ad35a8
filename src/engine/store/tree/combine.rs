//! Combination of several networks' outputs into one stem, by samples or by spectrogram.
//!
//! Spectrograms lie on a grid that starts at the song's first frame, so that a stem has the same samples
//! whatever range is read. Frame length and hop are those of Music-Source-Separation-Training's
//! `ensemble.py`. Stateless; runs on the thread that reads.

use std::io;

use realfft::{RealFftPlanner, num_complex::Complex};

use crate::engine::{
    separation::chain::{Combination, CombineBy, Part},
    types::CHANNELS,
};

/// Samples of one frame of the spectrogram.
const WINDOW: usize = 2048;
/// Samples between the starts of neighbouring frames.
const HOP: usize = 1024;

/// Frames around a range whose samples influence it.
pub const MARGIN: u64 = WINDOW as u64;

/// Reads a part from a frame on.
type ReadPart<'a> = &'a dyn Fn(&Part, u64, &mut [f32]) -> io::Result<()>;

/// Reads a combination from frame `start` on into interleaved `out`. The song has `frames` frames.
///
/// # Errors
/// I/O errors of `read`.
pub fn read(
    made: &Combination,
    frames: u64,
    start: u64,
    out: &mut [f32],
    read: ReadPart<'_>,
) -> io::Result<()> {
    if made.by.is_spectral() {
        return spectral(made, frames, start, out, read);
    }
    let parts = made.parts.iter().map(|part| {
        let mut samples = vec![0.0; out.len()];
        read(part, start, &mut samples).map(|()| samples)
    });
    let parts = parts.collect::<io::Result<Vec<Vec<f32>>>>()?;
    let weights = weights(made);
    let mut column = vec![0.0; parts.len()];
    for (at, out) in out.iter_mut().enumerate() {
        for (value, part) in column.iter_mut().zip(&parts) {
            *value = f64::from(part[at]);
        }
        *out = wave(made.by, &mut column, &weights) as f32;
    }
    Ok(())
}

/// Weights of the parts. Those of an average add up to 1.
fn weights(made: &Combination) -> Vec<f64> {
    let all: f64 = match made.by {
        CombineBy::SumWave => 1.0,
        _ => made.parts.iter().map(|part| f64::from(part.weight)).sum(),
    };
    made.parts.iter().map(|part| f64::from(part.weight) / all).collect()
}

/// Combines the samples of the parts at one place.
fn wave(by: CombineBy, samples: &mut [f64], weights: &[f64]) -> f64 {
    let by_magnitude = |one: &&f64, other: &&f64| one.abs().total_cmp(&other.abs());
    match by {
        CombineBy::MedianWave => {
            samples.sort_by(f64::total_cmp);
            f64::midpoint(samples[(samples.len() - 1) / 2], samples[samples.len() / 2])
        }
        CombineBy::MinWave => samples.iter().min_by(by_magnitude).copied().unwrap_or_default(),
        CombineBy::MaxWave => samples.iter().max_by(by_magnitude).copied().unwrap_or_default(),
        _ => samples.iter().zip(weights).map(|(x, weight)| x * weight).sum(),
    }
}

/// Combines the bins of the parts at one place.
fn bin(by: CombineBy, bins: &mut [Complex<f64>], weights: &[f64]) -> Complex<f64> {
    let by_magnitude =
        |one: &Complex<f64>, other: &Complex<f64>| one.norm_sqr().total_cmp(&other.norm_sqr());
    match by {
        CombineBy::MedianFft => {
            // The reference takes separate medians of real and imaginary parts.
            let mut median = |of: fn(&Complex<f64>) -> f64| {
                bins.sort_by(|one, other| of(one).total_cmp(&of(other)));
                f64::midpoint(of(&bins[(bins.len() - 1) / 2]), of(&bins[bins.len() / 2]))
            };
            Complex::new(median(|bin| bin.re), median(|bin| bin.im))
        }
        CombineBy::MinFft => bins.iter().copied().min_by(by_magnitude).unwrap_or_default(),
        CombineBy::MaxFft => bins.iter().copied().max_by(by_magnitude).unwrap_or_default(),
        _ => bins.iter().zip(weights).map(|(bin, weight)| bin * weight).sum(),
    }
}

/// Periodic Hann window.
fn hann() -> Vec<f64> {
    let phase = std::f64::consts::TAU / WINDOW as f64;
    (0..WINDOW).map(|at| 0.5 - 0.5 * (phase * at as f64).cos()).collect()
}

/// Combines spectrograms. The frame of number `n` begins `HOP * n - WINDOW / 2` frames into the song.
fn spectral(
    made: &Combination,
    frames: u64,
    start: u64,
    out: &mut [f32],
    read: ReadPart<'_>,
) -> io::Result<()> {
    let half = (WINDOW / 2) as i64;
    let (from, count) = (start as i64, (out.len() / CHANNELS) as i64);
    // Frames of the spectrogram that touch the range, each of them completely.
    let first = (from + half - WINDOW as i64 + 1).max(0).div_euclid(HOP as i64);
    let last = (from + count - 1 + half).div_euclid(HOP as i64);
    let begin = first * HOP as i64 - half;
    let length = (last - first) as usize * HOP + WINDOW;
    let mut inputs = Vec::with_capacity(made.parts.len());
    for part in &made.parts {
        let mut samples = vec![0.0f32; length * CHANNELS];
        // The song is silent before its first and after its last frame.
        let skipped = (-begin).max(0) as usize;
        let at = begin.max(0) as u64;
        let inside = (frames.saturating_sub(at) as usize).min(length - skipped);
        read(part, at, &mut samples[skipped * CHANNELS..][..inside * CHANNELS])?;
        inputs.push(samples);
    }
    let (window, weights) = (hann(), weights(made));
    let mut planner = RealFftPlanner::<f64>::new();
    let (forward, inverse) = (planner.plan_fft_forward(WINDOW), planner.plan_fft_inverse(WINDOW));
    let mut spectra = vec![forward.make_output_vec(); inputs.len()];
    let (mut frame, mut column) =
        (forward.make_input_vec(), vec![Complex::default(); inputs.len()]);
    let mut combined = forward.make_output_vec();
    for channel in 0..CHANNELS {
        let (mut sum, mut weight) = (vec![0.0; length], vec![0.0; length]);
        for number in 0..=(last - first) as usize {
            let at = number * HOP;
            for (input, spectrum) in inputs.iter().zip(&mut spectra) {
                for (k, x) in frame.iter_mut().enumerate() {
                    *x = f64::from(input[(at + k) * CHANNELS + channel]) * window[k];
                }
                forward.process(&mut frame, spectrum).map_err(io::Error::other)?;
            }
            for (index, combined) in combined.iter_mut().enumerate() {
                for (value, spectrum) in column.iter_mut().zip(&spectra) {
                    *value = spectrum[index];
                }
                *combined = bin(made.by, &mut column, &weights);
            }
            // Rounding leaves imaginary parts where a real signal has none.
            combined[0].im = 0.0;
            combined[WINDOW / 2].im = 0.0;
            inverse.process(&mut combined, &mut frame).map_err(io::Error::other)?;
            for (k, x) in frame.iter().enumerate() {
                sum[at + k] += x * window[k] / WINDOW as f64;
                weight[at + k] += window[k] * window[k];
            }
        }
        let offset = (from - begin) as usize;
        for (k, out) in out.chunks_exact_mut(CHANNELS).enumerate() {
            let at = offset + k;
            out[channel] = if weight[at] > 1e-9 { (sum[at] / weight[at]) as f32 } else { 0.0 };
        }
    }
    let beyond = (frames.saturating_sub(start) as usize * CHANNELS).min(out.len());
    out[beyond..].fill(0.0);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAMES: usize = 9_000;

    fn songs() -> [Vec<f32>; 3] {
        let mut state = 7u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 24) as f32 - 0.5
        };
        [(); 3].map(|()| (0..FRAMES * CHANNELS).map(|_| next()).collect())
    }

    fn combined(by: CombineBy, start: usize, frames: usize) -> Vec<f32> {
        let songs = songs();
        let part = |step| Part { step, output: 0, weight: [1.0, 1.0, 2.0][step] };
        let made = Combination { parts: (0..3).map(part).collect(), by };
        let mut out = vec![f32::NAN; frames * CHANNELS];
        let fetch = &|part: &Part, start: u64, out: &mut [f32]| {
            let from = start as usize * CHANNELS;
            out.copy_from_slice(&songs[part.step][from..from + out.len()]);
            Ok(())
        };
        read(&made, FRAMES as u64, start as u64, &mut out, fetch).unwrap();
        out
    }

    const ALL: [CombineBy; 9] = [
        CombineBy::AvgWave,
        CombineBy::SumWave,
        CombineBy::MedianWave,
        CombineBy::MinWave,
        CombineBy::MaxWave,
        CombineBy::AvgFft,
        CombineBy::MedianFft,
        CombineBy::MinFft,
        CombineBy::MaxFft,
    ];

    #[test]
    fn samples_do_not_depend_on_the_range_that_is_read() {
        for by in ALL {
            let whole = combined(by, 0, FRAMES);
            for (start, frames) in [(0, 10), (1, 1023), (1000, 3), (2047, 2050), (5000, 4000)] {
                let part = combined(by, start, frames);
                assert!(part == whole[start * CHANNELS..][..frames * CHANNELS], "{by:?} {start}");
            }
        }
    }

    #[test]
    fn averages_are_those_of_the_samples() {
        let songs = songs();
        let average = |at: usize| (songs[0][at] + songs[1][at] + 2.0 * songs[2][at]) / 4.0;
        for by in [CombineBy::AvgWave, CombineBy::AvgFft] {
            for (at, x) in combined(by, 0, FRAMES).into_iter().enumerate() {
                assert!((x - average(at)).abs() < 1e-6, "{by:?} {at}");
            }
        }
        let sum = combined(CombineBy::SumWave, 0, FRAMES);
        assert!((sum[5] - 4.0 * average(5)).abs() < 1e-6);
    }

    #[test]
    fn medians_and_extremes_choose_among_the_samples() {
        let songs = songs();
        for (by, rank) in [(CombineBy::MinWave, 0), (CombineBy::MaxWave, 2)] {
            for (at, x) in combined(by, 0, FRAMES).into_iter().enumerate() {
                let mut all = [songs[0][at], songs[1][at], songs[2][at]];
                all.sort_by(|one, other| one.abs().total_cmp(&other.abs()));
                assert_eq!(x, all[rank]);
            }
        }
        let mut all = [songs[0][9], songs[1][9], songs[2][9]];
        all.sort_by(f32::total_cmp);
        assert_eq!(combined(CombineBy::MedianWave, 0, FRAMES)[9], all[1]);
        let energy =
            |by| -> f64 { combined(by, 0, FRAMES).into_iter().map(|x| f64::from(x).powi(2)).sum() };
        let [least, median, most] =
            [CombineBy::MinFft, CombineBy::MedianFft, CombineBy::MaxFft].map(energy);
        assert!(least < median && median < most, "{least} {median} {most}");
    }
}
