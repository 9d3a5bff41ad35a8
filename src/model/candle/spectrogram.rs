//! The short-time Fourier transform and its inverse as convolutions, so that any device computes
//! them.
//!
//! The factors of the transform and of the window are the convolution's kernel. This needs more
//! arithmetic than a fast transform, but little compared with the products of the network.

use std::f64::consts::TAU;

use candle_core::{Device, Result, Tensor};

use super::transposed_conv;
use crate::model::stft::Stft;

/// The positions of windows in a signal.
#[derive(Clone, Copy, Debug)]
pub struct Framing {
    /// Samples from one window to the next.
    pub hop: usize,
    /// Samples by which the first window begins before the signal.
    pub before: usize,
    /// Number of windows.
    pub columns: usize,
}

/// The transform of signals of one length.
#[derive(Clone, Debug)]
pub struct Spectrogram {
    framing: Framing,
    /// `[2 · bins, 1, window]`: real parts of all bins, then imaginary parts.
    analysis: Tensor,
    /// The kernel of the inverse transform, in the same layout.
    synthesis: Tensor,
    /// The signal's sample at each position of the padded signal.
    reflected: Tensor,
    /// Factor of each sample after the inverse transform.
    envelope: Tensor,
}

impl Spectrogram {
    /// A transform whose spectra have the lowest `bins` bins and are scaled by `scale`. `envelope`
    /// has a factor for each sample of a signal, which undoes the overlap of windows.
    pub fn new(
        stft: &Stft,
        framing: Framing,
        bins: usize,
        scale: f64,
        envelope: Vec<f32>,
        device: &Device,
    ) -> Result<Self> {
        let (length, frames) = (stft.length(), envelope.len());
        let (mut analysis, mut synthesis) = (Vec::new(), Vec::new());
        for quarter in [0.0, 0.25] {
            for bin in 0..bins {
                // A real signal's other half of the spectrum mirrors this one.
                let twice = if bin == 0 || 2 * bin == length { 1.0 } else { 2.0 };
                for (sample, window) in stft.window().iter().enumerate() {
                    // Reduced to one turn, so that large products keep their precision.
                    let turns = (bin * sample % length) as f64 / length as f64 + quarter;
                    let factor = f64::from(*window) * (TAU * turns).cos();
                    analysis.push((factor * scale) as f32);
                    synthesis.push((factor * twice) as f32);
                }
            }
        }
        let kernel = |values| Tensor::from_vec(values, (2 * bins, 1, length), device);
        let padded = (framing.columns - 1) * framing.hop + length;
        let reflected: Vec<u32> =
            (0..padded).map(|at| reflect(at, framing.before, frames)).collect();
        Ok(Self {
            framing,
            analysis: kernel(analysis)?,
            synthesis: kernel(synthesis)?,
            reflected: Tensor::new(reflected, device)?,
            envelope: Tensor::new(envelope, device)?,
        })
    }

    /// `[channels, frames]` to `[channels, 2, bins, columns]`: real and imaginary parts.
    pub fn analyse(&self, signal: &Tensor) -> Result<Tensor> {
        let (channels, bins) = (signal.dim(0)?, self.analysis.dim(0)? / 2);
        let padded = signal.index_select(&self.reflected, 1)?.unsqueeze(1)?;
        let spectra = padded.conv1d(&self.analysis, 0, self.framing.hop, 1, 1)?;
        spectra.reshape((channels, 2, bins, self.framing.columns))
    }

    /// The inverse of [`Self::analyse`].
    pub fn synthesise(&self, spectra: &Tensor) -> Result<Tensor> {
        let (channels, parts, bins, columns) = spectra.dims4()?;
        let spectra = spectra.reshape((channels, parts * bins, columns))?;
        let signal = transposed_conv(&spectra, &self.synthesis, self.framing.hop)?.squeeze(1)?;
        let frames = self.envelope.dim(0)?;
        signal.narrow(1, self.framing.before, frames)?.broadcast_mul(&self.envelope)
    }
}

/// The sample of a signal at position `at` of the signal with `before` samples before it, reflected
/// at both ends without repeating the first and the last one.
fn reflect(at: usize, before: usize, frames: usize) -> u32 {
    let last = frames - 1;
    let at = at.abs_diff(before);
    (if at > last { 2 * last - at } else { at }) as u32
}
