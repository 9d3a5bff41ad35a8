//! Short-time Fourier transform of a segment and back, framed as `torch.stft` and `torch.istft` do
//! with `center=True`.
//!
//! Spectra lie frame by frame, `[columns, bins, channels, 2]`: a band is a slice of a frame. Runs on
//! the rayon pool of the caller.

use rayon::prelude::*;
use realfft::num_complex::Complex32;

use super::config::Arguments;
use crate::model::{arena::Buffer, stft::Stft};

/// Columns of one task of the synthesis.
const PIECE: usize = 64;

/// The transform of a network.
#[derive(Clone, Debug)]
pub struct Spectrogram {
    stft: Stft,
    hop: usize,
    /// Factor of the spectra.
    scale: f32,
    /// Factor of each sample of the stems: [`Stft::envelope`] over `scale`. Zero after the last whole
    /// hop if the network's result ends there.
    envelope: Vec<f32>,
}

impl Spectrogram {
    /// The transform for segments of a fixed length. The result ends with the last whole hop unless
    /// `is_whole`.
    pub fn new(arguments: &Arguments, is_whole: bool) -> Self {
        let n_fft = arguments.stft_n_fft;
        let stft = Stft::hann_within(arguments.stft_win_length, n_fft);
        let (hop, frames) = (arguments.stft_hop_length, arguments.usage.segment_frames);
        let scale = if arguments.stft_normalized { 1.0 / (n_fft as f32).sqrt() } else { 1.0 };
        let mut envelope = stft.envelope(hop, frames);
        for factor in &mut envelope {
            *factor /= scale;
        }
        if !is_whole {
            envelope[frames / hop * hop..].fill(0.0);
        }
        Self { stft, hop, scale, envelope }
    }

    /// Columns of a segment.
    pub fn columns(&self) -> usize {
        self.envelope.len() / self.hop + 1
    }

    /// Values of a spectrum.
    pub fn bins(&self) -> usize {
        self.stft.bins()
    }

    /// Transforms planar `signal: [channels, frames]`.
    pub fn analyse(&self, signal: &[f32], channels: usize) -> Buffer {
        let (frames, bins) = (self.envelope.len(), self.bins());
        let mut spectra = Buffer::any(self.columns() * bins * channels * 2);
        spectra.par_chunks_exact_mut(bins * channels * 2).enumerate().for_each_init(
            || self.stft.forward(),
            |forward, (column, out)| {
                let start = (column * self.hop) as isize - (self.stft.length() / 2) as isize;
                for (channel, signal) in signal.chunks_exact(frames).enumerate() {
                    let spectrum = forward.spectrum(signal, start, self.scale);
                    for (out, value) in out.chunks_exact_mut(2 * channels).zip(spectrum) {
                        out[2 * channel..][..2].copy_from_slice(&[value.re, value.im]);
                    }
                }
            },
        );
        spectra
    }

    /// Synthesises `out`, the samples of one channel, from the spectra that `spectrum(column, out)`
    /// gives.
    pub fn synthesise(&self, out: &mut [f32], spectrum: impl Fn(usize, &mut [Complex32]) + Sync) {
        let (hop, half, bins) = (self.hop, self.stft.length() / 2, self.bins());
        let pieces = out.par_chunks_mut(PIECE * hop).zip(self.envelope.par_chunks(PIECE * hop));
        pieces.enumerate().for_each_init(
            || (vec![Complex32::default(); bins], self.stft.inverse()),
            |(values, inverse), (piece, (out, envelope))| {
                out.fill(0.0);
                // Column `i` covers the samples from `i · hop − half` on.
                let (from, to) =
                    (piece * PIECE * hop + half, piece * PIECE * hop + half + out.len());
                let first = (from + 1).saturating_sub(2 * half).div_ceil(hop);
                for column in first..to.div_ceil(hop).min(self.columns()) {
                    spectrum(column, values);
                    // A real signal's spectrum is real here; the network's output need not be.
                    values[0].im = 0.0;
                    values[bins - 1].im = 0.0;
                    let skipped = from.saturating_sub(column * hop);
                    let at = (column * hop + skipped) - from;
                    inverse.add(values, skipped, 1.0, &mut out[at..]);
                }
                for (out, factor) in out.iter_mut().zip(envelope) {
                    *out *= factor;
                }
            },
        );
    }
}
