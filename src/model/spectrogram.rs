//! Short-time Fourier transform of a segment and back, as the reference frames it.
//!
//! Hann window of `nfft`, hop of a quarter, scaled by `1/√nfft`. The reference pads the signal by
//! reflection so that there are exactly `⌈frames / hop⌉` columns, column `i` beginning 1.5 hops
//! before sample `i · hop`; drops the Nyquist bin; and sets complex numbers out as two channels.

use std::sync::Arc;

use rayon::prelude::*;
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex, num_complex::Complex32};

use super::kernels::FreqMap;

/// Columns that are handled together, so that the transposition reads whole cache lines.
const BLOCK: usize = 16;

/// The transform for one window length.
#[derive(Clone)]
pub struct Spectrogram {
    nfft: usize,
    hop: usize,
    window: Vec<f32>,
    forward: Arc<dyn RealToComplex<f32>>,
    inverse: Arc<dyn ComplexToReal<f32>>,
}

impl std::fmt::Debug for Spectrogram {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Spectrogram").field("nfft", &self.nfft).finish_non_exhaustive()
    }
}

impl Spectrogram {
    /// A transform with windows of `nfft` samples; `nfft` is a multiple of 8.
    pub fn new(nfft: usize) -> Self {
        let mut planner = RealFftPlanner::new();
        // In single precision step by step, as the reference computes it.
        let step = (2.0 * std::f64::consts::PI / nfft as f64) as f32;
        let window =
            (0..nfft).map(|i| 0.5 - 0.5 * f64::from(i as f32 * step).cos() as f32).collect();
        Self {
            nfft,
            hop: nfft / 4,
            window,
            forward: planner.plan_fft_forward(nfft),
            inverse: planner.plan_fft_inverse(nfft),
        }
    }

    /// Columns for a signal of `frames` samples.
    pub fn columns(&self, frames: usize) -> usize {
        frames.div_ceil(self.hop)
    }

    /// The shortest signal that can be padded by reflection.
    pub fn shortest(nfft: usize) -> usize {
        nfft / 8 * 3 + nfft / 4 + 1
    }

    /// Spectrogram of planar `signal: [channels, frames]` as `[nfft / 2, 2 · channels, columns]`:
    /// real and imaginary part of the first channel, of the second, and so on.
    pub fn analyse(&self, signal: &[f32], channels: usize) -> FreqMap {
        let frames = signal.len() / channels;
        let (bins, columns) = (self.nfft / 2, self.columns(frames));
        let mut spectra = vec![Complex32::default(); channels * columns * bins];
        spectra.par_chunks_mut(BLOCK * bins).enumerate().for_each_init(
            || (self.forward.make_input_vec(), self.forward.make_output_vec()),
            |(windowed, spectrum), (block, out)| {
                for (i, out) in out.chunks_exact_mut(bins).enumerate() {
                    let (channel, column) =
                        ((block * BLOCK + i) / columns, (block * BLOCK + i) % columns);
                    self.cut(&signal[channel * frames..][..frames], column, windowed);
                    let done = self.forward.process(windowed, spectrum);
                    debug_assert!(done.is_ok(), "the planner made the buffers");
                    out.copy_from_slice(&spectrum[..bins]);
                }
            },
        );
        let mut map = FreqMap::zeros(bins, 2 * channels, columns);
        let row_len = map.row_len();
        map.data.par_chunks_mut(BLOCK * row_len).enumerate().for_each(|(block, rows)| {
            for (channel, spectra) in spectra.chunks_exact(columns * bins).enumerate() {
                for (column, spectrum) in spectra.chunks_exact(bins).enumerate() {
                    let at = 2 * channel * columns + column;
                    for (row, value) in
                        rows.chunks_exact_mut(row_len).zip(&spectrum[block * BLOCK..])
                    {
                        row[at] = value.re;
                        row[at + columns] = value.im;
                    }
                }
            }
        });
        map
    }

    /// The windowed and scaled samples under `column`.
    fn cut(&self, signal: &[f32], column: usize, out: &mut [f32]) {
        let scale = 1.0 / (self.nfft as f32).sqrt();
        let start = (column * self.hop) as isize - (self.hop / 2 * 3) as isize;
        let last = signal.len() as isize - 1;
        for (i, (out, window)) in out.iter_mut().zip(&self.window).enumerate() {
            let mut at = start + i as isize;
            if at < 0 {
                at = -at;
            }
            if at > last {
                at = 2 * last - at;
            }
            *out = signal[at as usize] * window * scale;
        }
    }

    /// Signal of one channel from its two lines (real, imaginary; `2 · channel` and the next) of
    /// `map`, whose values are first mapped to `value · std + mean`. Adds to `out`.
    pub fn synthesise(&self, map: &FreqMap, channel: usize, mean: f32, std: f32, out: &mut [f32]) {
        let (bins, columns) = (self.nfft / 2, map.frames);
        let mut spectra = vec![Complex32::default(); BLOCK * (bins + 1)];
        let mut samples = self.inverse.make_output_vec();
        let mut scratch = self.inverse.make_scratch_vec();
        // Four windows overlap everywhere; the sum of their squares is 3/2.
        let scale = 1.0 / (1.5 * (self.nfft as f32).sqrt());
        let before = self.hop / 2 * 3;
        for first in (0..columns).step_by(BLOCK) {
            let width = BLOCK.min(columns - first);
            for (bin, row) in map.data.chunks_exact(map.row_len()).enumerate() {
                let at = 2 * channel * columns + first;
                for i in 0..width {
                    spectra[i * (bins + 1) + bin] = Complex32::new(
                        row[at + i] * std + mean,
                        row[at + columns + i] * std + mean,
                    );
                }
            }
            for (i, spectrum) in spectra.chunks_exact_mut(bins + 1).take(width).enumerate() {
                // The transform of a real signal is real here, whatever the network says.
                spectrum[0].im = 0.0;
                spectrum[bins] = Complex32::default();
                let done = self.inverse.process_with_scratch(spectrum, &mut samples, &mut scratch);
                debug_assert!(done.is_ok(), "the planner made the buffers, and the ends are real");
                let start = (first + i) * self.hop;
                let skipped = before.saturating_sub(start);
                let pieces = samples.iter().zip(&self.window).skip(skipped);
                for (out, (sample, window)) in
                    out.iter_mut().skip((start + skipped) - before).zip(pieces)
                {
                    *out += sample * window * scale;
                }
            }
        }
    }
}
