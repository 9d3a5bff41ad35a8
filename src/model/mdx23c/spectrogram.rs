//! Short-time Fourier transform of a segment and back, framed like PyTorch's: columns are centred
//! on multiples of the hop, and the signal is reflected at its ends.
//!
//! The layout is the network's: parts of the spectrum are channels. Channel
//! `(channel · 2 + part) · subbands + subband` of frequency `f` is bin `subband · freqs + f`. Runs
//! on the rayon pool of the caller.

use rayon::prelude::*;
use realfft::num_complex::Complex32;

use crate::model::{
    arena::Buffer,
    kernels::FreqMap,
    stft::{Inverse, Stft},
};

/// Rows and columns that are transposed at a time: a cache line each.
const BLOCK: usize = 16;

/// Columns of one task of the synthesis.
const PIECE: usize = 4 * BLOCK;

/// The transform for one window length, hop and length of segments.
#[derive(Clone, Debug)]
pub struct Spectrogram {
    stft: Stft,
    hop: usize,
    /// Bins that are kept; the synthesis sets the others to zero.
    bins: usize,
    subbands: usize,
    /// Factor of each sample of the overlapping windows' sum: [`Stft::envelope`].
    scale: Vec<f32>,
}

impl Spectrogram {
    /// A transform for segments of `frames` samples, a multiple of `hop`; `subbands` divides
    /// `bins`.
    pub fn new(length: usize, hop: usize, bins: usize, subbands: usize, frames: usize) -> Self {
        let stft = Stft::hann(length);
        let scale = stft.envelope(hop, frames);
        Self { stft, hop, bins, subbands, scale }
    }

    fn freqs(&self) -> usize {
        self.bins / self.subbands
    }

    /// Transforms planar `signal: [channels, frames]`.
    pub fn analyse(&self, signal: &[f32], channels: usize) -> FreqMap {
        let frames = signal.len() / channels;
        let (bins, columns) = (self.bins, frames / self.hop + 1);
        // `[2 · channels, columns, bins]`.
        let mut spectra = Buffer::any(2 * channels * columns * bins);
        spectra
            .par_chunks_exact_mut(2 * columns * bins)
            .zip(signal.par_chunks_exact(frames))
            .flat_map(|(planes, signal)| {
                let (real, imaginary) = planes.split_at_mut(columns * bins);
                let lines =
                    real.par_chunks_exact_mut(bins).zip(imaginary.par_chunks_exact_mut(bins));
                lines.enumerate().map(move |(column, lines)| (signal, column, lines))
            })
            .for_each_init(
                || self.stft.forward(),
                |forward, (signal, column, (real, imaginary))| {
                    let start = (column * self.hop) as isize - (self.stft.length() / 2) as isize;
                    let spectrum = forward.spectrum(signal, start, 1.0);
                    for ((real, imaginary), value) in real.iter_mut().zip(imaginary).zip(spectrum) {
                        (*real, *imaginary) = (value.re, value.im);
                    }
                },
            );
        let mut map = FreqMap::any(self.freqs(), 2 * channels * self.subbands, columns);
        let row_len = map.row_len();
        map.data.par_chunks_mut(BLOCK * row_len).enumerate().for_each(|(block, rows)| {
            for (f, row) in rows.chunks_exact_mut(row_len).enumerate() {
                for (channel, line) in row.chunks_exact_mut(columns).enumerate() {
                    let (plane, subband) = (channel / self.subbands, channel % self.subbands);
                    let bin = subband * self.freqs() + block * BLOCK + f;
                    let values = spectra[plane * columns * bins..].chunks_exact(bins);
                    for (to, spectrum) in line.iter_mut().zip(values) {
                        *to = spectrum[bin];
                    }
                }
            }
        });
        map
    }

    /// The inverse of [`Self::analyse`]: `[channels, frames]`.
    pub fn synthesise(&self, map: &FreqMap) -> Vec<f32> {
        let frames = self.scale.len();
        let channels = map.channels / (2 * self.subbands);
        let piece = PIECE * self.hop;
        let mut out = vec![0.0; channels * frames];
        out.par_chunks_exact_mut(frames)
            .enumerate()
            .flat_map(|(channel, out)| {
                out.par_chunks_mut(piece).enumerate().map(move |(i, out)| (channel, i * piece, out))
            })
            .for_each_init(
                || Synthesis {
                    spectrogram: self,
                    map,
                    spectra: vec![Complex32::default(); BLOCK * self.stft.bins()],
                    inverse: self.stft.inverse(),
                },
                |synthesis, (channel, start, out)| synthesis.write(channel, start, out),
            );
        out
    }
}

/// A thread's buffers for the synthesis.
struct Synthesis<'a> {
    spectrogram: &'a Spectrogram,
    map: &'a FreqMap,
    /// `[BLOCK, bins]`.
    spectra: Vec<Complex32>,
    inverse: Inverse<'a>,
}

impl Synthesis<'_> {
    /// The samples of a channel from `start` on, into zeros.
    fn write(&mut self, channel: usize, start: usize, out: &mut [f32]) {
        let Spectrogram { stft, hop, scale, .. } = self.spectrogram;
        let (length, hop, bins) = (stft.length(), *hop, stft.bins());
        // Counted from the beginning of the first column.
        let (from, to) = (start + length / 2, start + length / 2 + out.len());
        let first = (from + 1).saturating_sub(length).div_ceil(hop);
        let end = to.div_ceil(hop).min(self.map.frames);
        for first in (first..end).step_by(BLOCK) {
            let width = BLOCK.min(end - first);
            self.gather(channel, first, width);
            for (i, spectrum) in self.spectra.chunks_exact_mut(bins).take(width).enumerate() {
                // A real signal has a real spectrum at both ends; the network's output need not.
                spectrum[0].im = 0.0;
                spectrum[bins - 1].im = 0.0;
                let begin = (first + i) * hop;
                let skipped = from.saturating_sub(begin);
                self.inverse.add(spectrum, skipped, 1.0, &mut out[begin + skipped - from..]);
            }
        }
        for (value, scale) in out.iter_mut().zip(&scale[start..]) {
            *value *= scale;
        }
    }

    /// The spectra of `width` columns from `first` on.
    fn gather(&mut self, channel: usize, first: usize, width: usize) {
        let Spectrogram { subbands, .. } = *self.spectrogram;
        let (freqs, frames) = (self.map.freqs, self.map.frames);
        let bins = self.spectrogram.stft.bins();
        self.spectra.fill(Complex32::default());
        for (f, row) in self.map.data.chunks_exact(self.map.row_len()).enumerate() {
            let lines = &row[2 * channel * subbands * frames..];
            let (real, imaginary) = lines.split_at(subbands * frames);
            let pairs = real.chunks_exact(frames).zip(imaginary.chunks_exact(frames));
            for (subband, (real, imaginary)) in pairs.enumerate() {
                let values = real[first..first + width].iter().zip(&imaginary[first..]);
                for (i, (re, im)) in values.enumerate() {
                    self.spectra[i * bins + subband * freqs + f] = Complex32::new(*re, *im);
                }
            }
        }
    }
}
