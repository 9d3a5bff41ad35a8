//! The last stretch of decoding: delay and padding cut away, numbers checked, the rate converted,
//! blocks given to the sink. Sees stereo only.

use super::{
    super::{
        CHANNELS, Result,
        resample::{ResampleError, Resampler},
    },
    DecodeError,
};

/// How the end of a stream is found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum End {
    /// Where the packets end.
    #[default]
    Natural,
    /// After so many frames of the source.
    Length(u64),
    /// So many frames of the source before the packets end.
    Padding(usize),
}

/// What an encoder added to a stream and a player does not play.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trim {
    /// Frames of the source to leave out at the start.
    pub skip: u64,
    /// Where the rest ends.
    pub end: End,
}

/// Takes stereo at the source's rate, gives blocks at another to a sink.
pub struct Output<'a> {
    sink: &'a mut dyn FnMut(&[f32]) -> Result<()>,
    resampler: Resampler,
    from: u32,
    to: u32,
    skip: u64,
    end: End,
    /// The last frames that came, which may yet prove to be padding.
    held: Vec<f32>,
    block: Vec<f32>,
    /// Frames of the source that were heard so far.
    pub frames_in: u64,
    /// Frames given to the sink.
    pub frames_out: u64,
    /// Samples that were no finite numbers, and were replaced by silence.
    pub not_finite: u64,
}

/// Beyond it samples are taken for damage: twice what 32-bit integers hold, taken for float.
const LOUDEST: f32 = 4_294_967_296.0;

impl<'a> Output<'a> {
    /// An output at `rate` Hz, for a source that is so too until [`Self::change_rate`].
    ///
    /// # Errors
    /// When the rate is beyond what can be converted.
    pub fn new(
        rate: u32,
        trim: Trim,
        sink: &'a mut dyn FnMut(&[f32]) -> Result<()>,
    ) -> Result<Self> {
        Ok(Self {
            sink,
            resampler: Resampler::new(rate, rate).map_err(DecodeError::from)?,
            from: rate,
            to: rate,
            skip: trim.skip,
            end: trim.end,
            held: Vec::new(),
            block: Vec::new(),
            frames_in: 0,
            frames_out: 0,
            not_finite: 0,
        })
    }

    /// The rate that is taken now, in Hz.
    pub fn rate(&self) -> u32 {
        self.from
    }

    /// Goes on at another rate, from here.
    ///
    /// # Errors
    /// As [`Self::new`], and as the sink.
    pub fn change_rate(&mut self, rate: u32) -> Result<()> {
        self.flush()?;
        self.resampler = Resampler::new(rate, self.to).map_err(DecodeError::from)?;
        self.from = rate;
        Ok(())
    }

    /// Whether nothing more will be taken.
    pub fn is_full(&self) -> bool {
        matches!(self.end, End::Length(length) if self.frames_in >= length)
    }

    /// Takes interleaved stereo.
    ///
    /// # Errors
    /// As the sink.
    pub fn push(&mut self, stereo: &mut [f32]) -> Result<()> {
        // A magnitude that nothing records is as little a number as infinity is.
        for sample in stereo.iter_mut().filter(|sample| sample.is_nan() || sample.abs() > LOUDEST) {
            *sample = 0.0;
            self.not_finite += 1;
        }
        let frames = (stereo.len() / CHANNELS) as u64;
        let skipped = self.skip.min(frames);
        self.skip -= skipped;
        let mut heard = &stereo[skipped as usize * CHANNELS..];
        match self.end {
            End::Natural => {}
            End::Length(length) => {
                let room = (length - self.frames_in).min(frames - skipped);
                heard = &heard[..room as usize * CHANNELS];
            }
            End::Padding(padding) => {
                self.held.extend_from_slice(heard);
                let sure = self.held.len().saturating_sub(padding * CHANNELS);
                let heard: Vec<f32> = self.held.drain(..sure).collect();
                return self.convert(&heard);
            }
        }
        self.convert(heard)
    }

    /// Takes `frames` frames of silence.
    ///
    /// # Errors
    /// As the sink.
    pub fn push_silence(&mut self, frames: u64) -> Result<()> {
        const AT_ONCE: u64 = 1 << 14;
        let mut silence = vec![0.0; frames.min(AT_ONCE) as usize * CHANNELS];
        let mut left = frames;
        while left > 0 && !self.is_full() {
            let now = left.min(AT_ONCE);
            self.push(&mut silence[..now as usize * CHANNELS])?;
            left -= now;
        }
        Ok(())
    }

    /// Ends the stream. `complete` says whether the packets came to their proper end, where the
    /// padding is.
    ///
    /// # Errors
    /// As the sink.
    pub fn finish(&mut self, complete: bool) -> Result<()> {
        let held = std::mem::take(&mut self.held);
        if !complete {
            self.convert(&held)?;
        }
        self.flush()
    }

    fn convert(&mut self, stereo: &[f32]) -> Result<()> {
        self.frames_in += (stereo.len() / CHANNELS) as u64;
        self.resampler.push(stereo, &mut self.block).map_err(DecodeError::from)?;
        self.give()
    }

    fn flush(&mut self) -> Result<()> {
        self.resampler.finish(&mut self.block).map_err(DecodeError::from)?;
        self.give()
    }

    fn give(&mut self) -> Result<()> {
        if !self.block.is_empty() {
            self.frames_out += (self.block.len() / CHANNELS) as u64;
            (self.sink)(&self.block)?;
            self.block.clear();
        }
        Ok(())
    }
}

impl From<ResampleError> for DecodeError {
    fn from(error: ResampleError) -> Self {
        Self::Unsupported(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::SAMPLE_RATE;

    /// Counts up from 1 in both channels, in blocks of 10 frames, and returns what the sink got.
    fn heard(frames: usize, trim: Trim, complete: bool) -> Vec<f32> {
        let mut got = Vec::new();
        let mut sink = |block: &[f32]| {
            got.extend(block.iter().step_by(2));
            Ok(())
        };
        let mut output = Output::new(SAMPLE_RATE, trim, &mut sink).unwrap();
        let mut all: Vec<f32> = (1..=frames).flat_map(|n| [n as f32; 2]).collect();
        for block in all.chunks_mut(10 * CHANNELS) {
            output.push(block).unwrap();
        }
        output.finish(complete).unwrap();
        got
    }

    fn count(range: std::ops::RangeInclusive<usize>) -> Vec<f32> {
        range.map(|n| n as f32).collect()
    }

    #[test]
    fn start_and_end_are_cut_to_the_frame() {
        let trim = |skip, end| Trim { skip, end };
        assert_eq!(heard(35, Trim::default(), true), count(1..=35));
        assert_eq!(heard(35, trim(12, End::Natural), true), count(13..=35));
        assert_eq!(heard(35, trim(12, End::Length(5)), true), count(13..=17));
        assert_eq!(heard(35, trim(12, End::Length(50)), true), count(13..=35));
        assert_eq!(heard(35, trim(12, End::Padding(11)), true), count(13..=24));
        assert_eq!(heard(35, trim(12, End::Padding(11)), false), count(13..=35));
        assert!(heard(35, trim(40, End::Padding(11)), true).is_empty());
    }

    #[test]
    fn what_is_no_number_becomes_silence() {
        let mut got = Vec::new();
        let mut sink = |block: &[f32]| {
            got.extend_from_slice(block);
            Ok(())
        };
        let mut output = Output::new(SAMPLE_RATE, Trim::default(), &mut sink).unwrap();
        output.push(&mut [0.5, f32::NAN, f32::INFINITY, -0.5]).unwrap();
        output.finish(true).unwrap();
        assert_eq!(output.not_finite, 2);
        assert_eq!(got, [0.5, 0.0, 0.0, -0.5]);
    }
}
