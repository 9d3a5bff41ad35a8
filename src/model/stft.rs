//! Short-time Fourier transform of single windows; networks choose the window positions and the
//! layout of spectra.
//!
//! Runs on the calling thread; [`Forward`] and [`Inverse`] hold a thread's buffers.

use std::sync::Arc;

use realfft::{ComplexToReal, RealFftPlanner, RealToComplex, num_complex::Complex32};

/// Transform for one window length.
#[derive(Clone)]
pub struct Stft {
    window: Vec<f32>,
    forward: Arc<dyn RealToComplex<f32>>,
    inverse: Arc<dyn ComplexToReal<f32>>,
}

impl std::fmt::Debug for Stft {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stft").field("length", &self.length()).finish_non_exhaustive()
    }
}

impl Stft {
    /// Creates a transform with periodic Hann windows of `length` samples; `length` must be even.
    pub fn hann(length: usize) -> Self {
        Self::hann_within(length, length)
    }

    /// Creates a transform of `length` samples, with centred periodic Hann windows of `window`
    /// samples. Both must be even, and `window` must not exceed `length`.
    pub fn hann_within(window: usize, length: usize) -> Self {
        let mut planner = RealFftPlanner::new();
        // In single precision step by step, as PyTorch computes it.
        let step = (2.0 * std::f64::consts::PI / window as f64) as f32;
        let hann = (0..window).map(|i| 0.5 - 0.5 * f64::from(i as f32 * step).cos() as f32);
        let mut values = vec![0.0; length];
        for (value, hann) in values[(length - window) / 2..].iter_mut().zip(hann) {
            *value = hann;
        }
        Self {
            window: values,
            forward: planner.plan_fft_forward(length),
            inverse: planner.plan_fft_inverse(length),
        }
    }

    /// Window coefficients.
    pub fn window(&self) -> &[f32] {
        &self.window
    }

    /// Window length in samples.
    pub fn length(&self) -> usize {
        self.window.len()
    }

    /// Number of values in a spectrum, from 0 Hz to the Nyquist frequency.
    pub fn bins(&self) -> usize {
        self.length() / 2 + 1
    }

    /// Normalisation of each of `frames` samples after [`Inverse::add`] of every window, for
    /// windows centred on multiples of `hop`. It is the inverse of the sum of squared windows times
    /// the transform length, or 0 where no window reaches.
    pub fn envelope(&self, hop: usize, frames: usize) -> Vec<f32> {
        let mut power = vec![0.0_f64; frames];
        for column in 0..=frames / hop {
            let start = (column * hop) as isize - (self.length() / 2) as isize;
            for (i, value) in self.window.iter().enumerate() {
                let at = usize::try_from(start + i as isize).ok();
                if let Some(sum) = at.and_then(|at| power.get_mut(at)) {
                    *sum += f64::from(*value).powi(2);
                }
            }
        }
        // The inverse transform is not scaled. The threshold is that of `torch.istft`.
        let factor = |sum: &f64| 1.0 / (sum * self.length() as f64);
        power.iter().map(|sum| if *sum > 1e-11 { factor(sum) as f32 } else { 0.0 }).collect()
    }

    /// Creates a thread's buffers for [`Forward::spectrum`].
    pub fn forward(&self) -> Forward<'_> {
        Forward {
            stft: self,
            windowed: self.forward.make_input_vec(),
            spectrum: self.forward.make_output_vec(),
            scratch: self.forward.make_scratch_vec(),
        }
    }

    /// Creates a thread's buffers for [`Inverse::add`].
    pub fn inverse(&self) -> Inverse<'_> {
        Inverse {
            stft: self,
            samples: self.inverse.make_output_vec(),
            scratch: self.inverse.make_scratch_vec(),
        }
    }

    /// Extracts a window of `signal` from `start` on, times `scale`. Beyond its ends, the signal is
    /// reflected without repeating the first and the last sample.
    fn cut(&self, signal: &[f32], start: isize, scale: f32, out: &mut [f32]) {
        let inside = usize::try_from(start).ok().and_then(|at| signal.get(at..at + self.length()));
        if let Some(samples) = inside {
            for ((out, sample), window) in out.iter_mut().zip(samples).zip(&self.window) {
                *out = sample * window * scale;
            }
            return;
        }
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
}

/// A thread's transform from samples to spectra.
pub struct Forward<'a> {
    stft: &'a Stft,
    windowed: Vec<f32>,
    spectrum: Vec<Complex32>,
    scratch: Vec<Complex32>,
}

impl Forward<'_> {
    /// Computes the spectrum of the window of `signal` that begins at `start`, times `scale`.
    ///
    /// # Panics
    /// Panics if the window extends beyond an end by more than the signal's length.
    pub fn spectrum(&mut self, signal: &[f32], start: isize, scale: f32) -> &[Complex32] {
        let Self { stft, windowed, spectrum, scratch } = self;
        stft.cut(signal, start, scale, windowed);
        let done = stft.forward.process_with_scratch(windowed, spectrum, scratch);
        debug_assert!(done.is_ok(), "the planner created the buffers");
        spectrum
    }
}

/// A thread's transform from spectra to samples.
pub struct Inverse<'a> {
    stft: &'a Stft,
    samples: Vec<f32>,
    scratch: Vec<Complex32>,
}

impl Inverse<'_> {
    /// Adds the windowed samples of `spectrum`, times `scale`, to `out`, without the first
    /// `skipped` ones. The first and the last value of the spectrum must be real; the transform
    /// overwrites all values.
    pub fn add(&mut self, spectrum: &mut [Complex32], skipped: usize, scale: f32, out: &mut [f32]) {
        let Self { stft, samples, scratch } = self;
        let done = stft.inverse.process_with_scratch(spectrum, samples, scratch);
        debug_assert!(done.is_ok(), "the planner created the buffers, and the ends are real");
        let pieces = samples[skipped..].iter().zip(&stft.window[skipped..]);
        for (out, (sample, window)) in out.iter_mut().zip(pieces) {
            *out += sample * window * scale;
        }
    }
}
