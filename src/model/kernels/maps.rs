//! Activations of the frequency and the time branch, in the layouts of the kernels.

use std::ops::{Deref, DerefMut};

use super::{
    elementwise::add,
    layout::NR,
    pack::{pack, unpack},
};
use crate::model::arena::Buffer;

/// An activation of the frequency branch: `[freqs, channels, frames]`, row-major.
///
/// One frequency's `[channels, frames]` is a *row*, the unit of work of kernels and threads.
/// Neighbouring rows are contiguous, so that a convolution over frequencies reads its receptive field
/// as one tall matrix.
#[derive(Clone, Debug, PartialEq)]
pub struct FreqMap {
    /// Frequencies.
    pub freqs: usize,
    /// Channels.
    pub channels: usize,
    /// Frames of the spectrogram.
    pub frames: usize,
    /// `freqs * channels * frames` values.
    pub data: Buffer,
}

impl FreqMap {
    /// A map of uninitialised values, to be overwritten.
    pub fn any(freqs: usize, channels: usize, frames: usize) -> Self {
        Self { freqs, channels, frames, data: Buffer::any(freqs * channels * frames) }
    }

    /// The map without `trim` frequencies at either end.
    #[must_use]
    pub fn cropped(mut self, trim: usize) -> Self {
        let row_len = self.row_len();
        self.freqs -= 2 * trim;
        self.data.crop(trim * row_len, self.freqs * row_len);
        self
    }

    /// Values in a row.
    pub fn row_len(&self) -> usize {
        self.channels * self.frames
    }
}

/// An activation of the frequency branch between two operations that work on packed panels:
/// `[freqs, lines, channels][NR]`. A *line* is [`NR`] frames; the last one is padded with undefined
/// values.
#[derive(Clone, Debug)]
pub struct FreqPanels {
    /// Frequencies.
    pub freqs: usize,
    /// Channels.
    pub channels: usize,
    /// Frames of the spectrogram.
    pub frames: usize,
    /// `freqs` rows of [`Self::row_len`].
    pub data: Lines,
}

/// A buffer of whole lines.
#[derive(Clone, Debug, Default)]
pub struct Lines(Buffer);

impl Lines {
    /// Resizes the buffer to `count` lines of undefined values.
    pub fn resize(&mut self, count: usize) {
        if self.len() != count {
            self.0 = Buffer::default();
            self.0 = Buffer::any(count * NR);
        }
    }
}

impl Deref for Lines {
    type Target = [[f32; NR]];

    fn deref(&self) -> &Self::Target {
        self.0.as_chunks().0
    }
}

impl DerefMut for Lines {
    fn deref_mut(&mut self) -> &mut Self::Target {
        self.0.as_chunks_mut().0
    }
}

impl FreqPanels {
    /// A map of uninitialised values, to be overwritten.
    pub fn any(freqs: usize, channels: usize, frames: usize) -> Self {
        let data = Lines(Buffer::any(freqs * channels * frames.div_ceil(NR) * NR));
        Self { freqs, channels, frames, data }
    }

    /// Converts a map to panels.
    pub fn from_map(map: &FreqMap) -> Self {
        let mut out = Self::any(map.freqs, map.channels, map.frames);
        let panels = out.data.chunks_exact_mut(out.channels);
        for (index, panel) in panels.enumerate() {
            let (freq, line) = (index / map.frames.div_ceil(NR), index % map.frames.div_ceil(NR));
            let row = &map.data[freq * map.row_len()..][..map.row_len()];
            pack(row, map.frames, line * NR, panel);
        }
        out
    }

    /// Converts the panels to a map.
    pub fn to_map(&self) -> FreqMap {
        let mut out = FreqMap::any(self.freqs, self.channels, self.frames);
        let row_len = out.row_len();
        for (freq, row) in out.data.chunks_exact_mut(row_len).enumerate() {
            for line in 0..self.frames.div_ceil(NR) {
                unpack(self.panel(freq, line), row, self.frames, line * NR);
            }
        }
        out
    }

    /// `[channels][NR]` of one frequency.
    pub fn panel(&self, freq: usize, line: usize) -> &[[f32; NR]] {
        let lines = self.frames.div_ceil(NR);
        &self.data[(freq * lines + line) * self.channels..][..self.channels]
    }

    /// Lines of a row: lines of frames times channels.
    pub fn row_len(&self) -> usize {
        self.frames.div_ceil(NR) * self.channels
    }
}

/// An activation of the time branch: `[margin + frames + margin, channels]`, row-major.
///
/// The channels of one frame are contiguous, and so is the receptive field of a convolution.
/// The margins are always zero: they are the padding of every convolution that reads the map.
#[derive(Clone, Debug, PartialEq)]
pub struct TimeMap {
    /// Frames, without the margins.
    pub frames: usize,
    /// Channels.
    pub channels: usize,
    /// Frames of zeros before and after.
    pub margin: usize,
    data: Buffer,
}

impl TimeMap {
    /// A map of uninitialised values, to be overwritten, between margins of zeros.
    pub fn any(frames: usize, channels: usize, margin: usize) -> Self {
        let data = Buffer::any((frames + 2 * margin) * channels);
        let mut map = Self { frames, channels, margin, data };
        map.clear_margins();
        map
    }

    /// The `frames` from `start` on.
    #[must_use]
    pub fn cropped(&self, start: usize, frames: usize) -> Self {
        let mut out = Self::any(frames, self.channels, self.margin);
        let kept = &self.inner()[start * self.channels..][..frames * self.channels];
        out.inner_mut().copy_from_slice(kept);
        out
    }

    /// `[frames, channels]`, without the margins.
    pub fn inner(&self) -> &[f32] {
        &self.data[self.margin * self.channels..][..self.frames * self.channels]
    }

    /// `[frames, channels]`, without the margins.
    pub fn inner_mut(&mut self) -> &mut [f32] {
        &mut self.data[self.margin * self.channels..][..self.frames * self.channels]
    }

    /// The values from `frame` on, which may lie in the margin before the first frame.
    pub(super) fn starting_at(&self, frame: isize) -> &[f32] {
        let at = frame + self.margin as isize;
        debug_assert!(at >= 0, "frame {frame} is before the margin");
        &self.data[at as usize * self.channels..]
    }

    /// Copies frames from `frame` on into `rows`, including the margins.
    pub fn load(&self, frame: isize, rows: &mut [f32]) {
        rows.copy_from_slice(&self.starting_at(frame)[..rows.len()]);
    }

    /// Adds frames from `frame` on to `rows`, including the margins.
    pub fn add_to(&self, frame: isize, rows: &mut [f32]) {
        add(rows, self.starting_at(frame));
    }

    /// [`Self::starting_at`] for writing. A caller that writes into a margin calls
    /// [`Self::clear_margins`] afterwards.
    pub(super) fn starting_at_mut(&mut self, frame: isize) -> &mut [f32] {
        let at = frame + self.margin as isize;
        debug_assert!(at >= 0, "frame {frame} is before the margin");
        &mut self.data[at as usize * self.channels..]
    }

    /// Sets the margins to zero.
    pub(super) fn clear_margins(&mut self) {
        let margin = self.margin * self.channels;
        let end = self.data.len() - margin;
        self.data[..margin].fill(0.0);
        self.data[end..].fill(0.0);
    }
}
