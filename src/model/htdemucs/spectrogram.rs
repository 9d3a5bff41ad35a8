//! Short-time Fourier transform of a segment and back, framed like the reference's.
//!
//! Hann window of `nfft`, hop of a quarter, scaled by `1/√nfft`. The reference pads the signal by
//! reflection so that there are exactly `⌈frames / hop⌉` columns, column `i` beginning 1.5 hops
//! before sample `i · hop`; drops the Nyquist bin; and stores complex numbers as two channels.

use rayon::prelude::*;
use realfft::num_complex::Complex32;

use crate::model::{
    arena::Buffer,
    kernels::{FreqMap, norm::Moments},
    stft::{Inverse, Stft},
};

/// Rows and columns that are transposed at a time: a cache line each.
const BLOCK: usize = 16;

/// Columns of one task of the synthesis.
const PIECE: usize = 6 * BLOCK;

/// The transform for one window length.
#[derive(Clone, Debug)]
pub struct Spectrogram {
    nfft: usize,
    hop: usize,
    stft: Stft,
}

impl Spectrogram {
    /// A transform with windows of `nfft` samples; `nfft` is a multiple of 8.
    pub fn new(nfft: usize) -> Self {
        Self { nfft, hop: nfft / 4, stft: Stft::hann(nfft) }
    }

    /// Columns for a signal of `frames` samples.
    pub fn columns(&self, frames: usize) -> usize {
        frames.div_ceil(self.hop)
    }

    /// The shortest signal that can be padded by reflection.
    pub fn shortest(nfft: usize) -> usize {
        nfft / 8 * 3 + nfft / 4 + 1
    }

    /// Transforms planar `signal: [channels, frames]`.
    pub fn analyse(&self, signal: &[f32], channels: usize) -> Spectra {
        let frames = signal.len() / channels;
        let (bins, columns) = (self.nfft / 2, self.columns(frames));
        let mut data = Buffer::any(2 * channels * columns * bins);
        let moments = data
            .par_chunks_exact_mut(2 * columns * bins)
            .zip(signal.par_chunks_exact(frames))
            .flat_map(|(planes, signal)| {
                let (real, imaginary) = planes.split_at_mut(columns * bins);
                let lines =
                    real.par_chunks_exact_mut(bins).zip(imaginary.par_chunks_exact_mut(bins));
                lines.enumerate().map(move |(column, lines)| (signal, column, lines))
            })
            .map_init(
                || self.stft.forward(),
                |forward, (signal, column, (real, imaginary))| {
                    let start = (column * self.hop) as isize - (self.hop / 2 * 3) as isize;
                    let scale = 1.0 / (self.nfft as f32).sqrt();
                    let spectrum = forward.spectrum(signal, start, scale);
                    for ((real, imaginary), value) in
                        real.iter_mut().zip(&mut *imaginary).zip(spectrum)
                    {
                        (*real, *imaginary) = (value.re, value.im);
                    }
                    Moments::from_slice(real).and(Moments::from_slice(imaginary))
                },
            )
            .reduce(Moments::default, Moments::and);
        Spectra { data, channels, columns, bins, moments }
    }

    /// Samples of one task of the synthesis.
    pub fn piece(&self) -> usize {
        PIECE * self.hop
    }

    /// A thread's synthesis from `map`, whose values are first mapped to `value · std + mean`.
    pub fn synthesis<'a>(&'a self, map: &'a FreqMap, mean: f32, std: f32) -> Synthesis<'a> {
        Synthesis {
            spectrogram: self,
            map,
            mean,
            std,
            spectra: vec![Complex32::default(); BLOCK * self.stft.bins()],
            inverse: self.stft.inverse(),
        }
    }
}

/// The spectra of a signal, column by column.
#[derive(Debug)]
pub struct Spectra {
    /// `[2 · channels, columns, bins]`: real and imaginary part of each channel.
    data: Buffer,
    channels: usize,
    columns: usize,
    bins: usize,
    /// Moments of all values.
    pub moments: Moments,
}

impl Spectra {
    /// The spectra in the layout `[bins, 2 · channels, columns]`, mapped to
    /// `(value − mean) · rate`.
    pub fn map(&self, mean: f32, rate: f32) -> FreqMap {
        let bins = self.bins;
        let mut map = FreqMap::any(bins, 2 * self.channels, self.columns);
        let row_len = map.row_len();
        map.data.par_chunks_mut(BLOCK * row_len).enumerate().for_each(|(block, rows)| {
            let first = block * BLOCK;
            let width = rows.len() / row_len;
            for (group, lines) in self.data.chunks(BLOCK * bins).enumerate() {
                let square = square(lines, bins, first, width);
                let count = lines.len() / bins;
                for (i, row) in rows.chunks_exact_mut(row_len).enumerate() {
                    let mut values = [0.0; BLOCK];
                    for (value, line) in values.iter_mut().zip(&square) {
                        *value = (line[i] - mean) * rate;
                    }
                    copy(&values[..count], &mut row[group * BLOCK..][..count]);
                }
            }
        });
        map
    }
}

/// A thread's buffers for the synthesis of samples from a map.
pub struct Synthesis<'a> {
    spectrogram: &'a Spectrogram,
    map: &'a FreqMap,
    mean: f32,
    std: f32,
    spectra: Vec<Complex32>,
    inverse: Inverse<'a>,
}

impl Synthesis<'_> {
    /// Adds to `out` the samples from `start` on of the channel whose real and imaginary lines are
    /// `2 · channel` and the next.
    pub fn add(&mut self, channel: usize, start: usize, out: &mut [f32]) {
        let Spectrogram { nfft, hop, .. } = *self.spectrogram;
        // Column `i` covers `nfft` samples from `i · hop` on, counted from `before` samples ahead
        // of the first; those that touch `from..to` are wanted.
        let before = hop / 2 * 3;
        let (from, to) = (start + before, start + before + out.len());
        let wanted = (from + 1).saturating_sub(nfft).div_ceil(hop)..to.div_ceil(hop);
        let wanted = wanted.start..wanted.end.min(self.map.frames);
        // Four windows overlap everywhere; the sum of their squares is 3/2.
        let scale = 1.0 / (1.5 * (nfft as f32).sqrt());
        for first in wanted.clone().step_by(BLOCK) {
            let width = BLOCK.min(wanted.end - first);
            self.gather(channel, first, width);
            for (i, spectrum) in self.spectra.chunks_exact_mut(nfft / 2 + 1).take(width).enumerate()
            {
                // A real signal has a real spectrum here; the network's output need not.
                spectrum[0].im = 0.0;
                spectrum[nfft / 2] = Complex32::default();
                let begin = (first + i) * hop;
                let skipped = from.saturating_sub(begin);
                let out = &mut out[(begin + skipped) - from..];
                self.inverse.add(spectrum, skipped, scale, out);
            }
        }
    }

    /// The spectra of `width` columns from `first` on.
    fn gather(&mut self, channel: usize, first: usize, width: usize) {
        let (bins, columns) = (self.spectrogram.nfft / 2, self.map.frames);
        let (mean, std) = (self.mean, self.std);
        let row_len = self.map.row_len();
        let at = 2 * channel * columns + first;
        for (group, rows) in self.map.data.chunks(BLOCK * row_len).enumerate() {
            let real = square(rows, row_len, at, width);
            let imaginary = square(rows, row_len, at + columns, width);
            let count = rows.len() / row_len;
            let spectra = self.spectra.chunks_exact_mut(bins + 1).take(width).enumerate();
            for (i, spectrum) in spectra {
                let values = spectrum[group * BLOCK..][..count].iter_mut();
                for (value, (re, im)) in values.zip(real.iter().zip(&imaginary)) {
                    *value = Complex32::new(re[i] * std + mean, im[i] * std + mean);
                }
            }
        }
    }
}

/// `width` values from `first` on of each line of `lines`, which is `[≤ BLOCK, len]`. They are
/// copied before any use, so that the lines, which lie far apart, are fetched at the same time.
#[inline]
fn square(lines: &[f32], len: usize, first: usize, width: usize) -> [[f32; BLOCK]; BLOCK] {
    let mut square = [[0.0; BLOCK]; BLOCK];
    for (to, line) in square.iter_mut().zip(lines.chunks_exact(len)) {
        copy(&line[first..first + width], &mut to[..width]);
    }
    square
}

/// Copies a line of a square, which is nearly always a whole one of a few vectors.
#[inline]
fn copy(from: &[f32], to: &mut [f32]) {
    match (<&[f32; BLOCK]>::try_from(from), <&mut [f32; BLOCK]>::try_from(&mut *to)) {
        (Ok(from), Ok(to)) => *to = *from,
        _ => to.copy_from_slice(from),
    }
}
