//! Final stage of decoding: trims delay and padding, converts the rate, and passes blocks of stereo
//! to the sink.

use super::{DecodeError, Unsupported};
use crate::engine::{
    audio::resample::{ResampleError, Resampler},
    problem::Result,
    types::CHANNELS,
};

/// An audible part of a stream, preceded by a pause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// Frames of silence before the part.
    pub silence: u64,
    /// First frame of the part.
    pub start: u64,
    /// Length in frames; `None` extends to the end of the stream.
    pub length: Option<u64>,
}

/// Audible frames of a stream, in frames of the source: parts in ascending order, without the
/// padding at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trim {
    parts: Vec<Part>,
    /// Inaudible frames at the end of the stream, if the stream is complete.
    pub padding: u64,
}

impl Default for Trim {
    fn default() -> Self {
        Self::from(0)
    }
}

impl Trim {
    /// Everything from frame `start` on.
    pub fn from(start: u64) -> Self {
        Self::of(Part { silence: 0, start, length: None })
    }

    /// `length` frames from frame `start` on.
    pub fn range(start: u64, length: u64) -> Self {
        Self::of(Part { silence: 0, start, length: Some(length) })
    }

    /// Sets the number of padding frames at the end of the stream.
    pub fn padded(self, padding: u64) -> Self {
        Self { padding, ..self }
    }

    /// A single part.
    pub fn of(part: Part) -> Self {
        Self { parts: vec![part], padding: 0 }
    }

    /// Whether a part that begins with frame `start` can follow the existing parts.
    pub fn goes_on_at(&self, start: u64) -> bool {
        let end = |part: &Part| Some(part.start + part.length?);
        self.parts.last().is_none_or(|part| end(part).is_some_and(|end| end <= start))
    }

    /// Appends a part whose start satisfies [`Self::goes_on_at`].
    pub fn push(&mut self, part: Part) {
        self.parts.push(part);
    }

    /// Number of audible frames including pauses; `None` if the last part extends to the end of the
    /// stream.
    pub fn frames(&self) -> Option<u64> {
        self.parts.iter().map(|part| Some(part.silence + part.length?)).sum()
    }
}

/// Trims stereo at the source's rate, resamples it, and passes blocks to a sink.
pub struct Output<'a> {
    sink: &'a mut dyn FnMut(&[f32]) -> Result<()>,
    resampler: Resampler,
    from: u32,
    to: u32,
    /// Remaining parts, the next one last.
    parts: Vec<Part>,
    /// Frames of the source received so far.
    received: u64,
    /// Number of frames to hold back, because they may be padding.
    padding: usize,
    /// The last frames received.
    held: Vec<f32>,
    block: Vec<f32>,
    /// Audible frames of the source so far.
    pub frames_in: u64,
    /// Frames passed to the sink.
    pub frames_out: u64,
}

impl<'a> Output<'a> {
    /// Creates an output at `rate` Hz; the source has the same rate until [`Self::change_rate`].
    ///
    /// # Errors
    /// Fails if the rate cannot be converted.
    pub fn new(
        rate: u32,
        trim: Trim,
        sink: &'a mut dyn FnMut(&[f32]) -> Result<()>,
    ) -> Result<Self> {
        let mut output = Self {
            sink,
            resampler: Resampler::new(rate, rate).map_err(DecodeError::from)?,
            from: rate,
            to: rate,
            parts: Vec::new(),
            received: 0,
            padding: 0,
            held: Vec::new(),
            block: Vec::new(),
            frames_in: 0,
            frames_out: 0,
        };
        output.begin(trim);
        Ok(output)
    }

    /// Begins another stream with the audible parts `trim`, after the previous output.
    pub fn begin(&mut self, trim: Trim) {
        let mut parts = trim.parts;
        parts.reverse();
        (self.parts, self.received, self.padding) = (parts, 0, trim.padding as usize);
    }

    /// Current rate of the input, in Hz.
    pub fn rate(&self) -> u32 {
        self.from
    }

    /// Changes the rate of the input from here on.
    ///
    /// # Errors
    /// Like [`Self::new`], and the errors of the sink.
    pub fn change_rate(&mut self, rate: u32) -> Result<()> {
        self.flush()?;
        self.resampler = Resampler::new(rate, self.to).map_err(DecodeError::from)?;
        self.from = rate;
        Ok(())
    }

    /// Whether the output needs no more input.
    pub fn is_full(&self) -> bool {
        self.parts.is_empty()
    }

    /// Consumes interleaved stereo.
    ///
    /// # Errors
    /// The errors of the sink.
    pub fn push(&mut self, stereo: &[f32]) -> Result<()> {
        let start = self.received;
        self.received += (stereo.len() / CHANNELS) as u64;
        while let Some(part) = self.parts.last_mut() {
            let end = part.length.map_or(u64::MAX, |length| part.start.saturating_add(length));
            let from = part.start.max(start);
            if from >= self.received && end > self.received {
                break;
            }
            let silence = std::mem::take(&mut part.silence);
            self.pause(silence)?;
            if end > start {
                let index =
                    |frame: u64| (frame.clamp(start, self.received) - start) as usize * CHANNELS;
                let heard = &stereo[index(from)..index(end)];
                self.hear(heard)?;
            }
            if end > self.received {
                break;
            }
            self.parts.pop();
        }
        Ok(())
    }

    /// Converts audible samples, holding back possible padding.
    fn hear(&mut self, stereo: &[f32]) -> Result<()> {
        if self.padding == 0 {
            return self.convert(stereo);
        }
        self.held.extend_from_slice(stereo);
        let sure = self.held.len().saturating_sub(self.padding * CHANNELS);
        let heard: Vec<f32> = self.held.drain(..sure).collect();
        self.convert(&heard)
    }

    fn pause(&mut self, frames: u64) -> Result<()> {
        const AT_ONCE: u64 = 1 << 14;
        let silence = vec![0.0; frames.min(AT_ONCE) as usize * CHANNELS];
        let mut left = frames;
        while left > 0 {
            let now = left.min(AT_ONCE);
            self.convert(&silence[..now as usize * CHANNELS])?;
            left -= now;
        }
        Ok(())
    }

    /// Consumes `frames` frames of silence.
    ///
    /// # Errors
    /// The errors of the sink.
    pub fn push_silence(&mut self, frames: u64) -> Result<()> {
        const AT_ONCE: u64 = 1 << 14;
        let silence = vec![0.0; frames.min(AT_ONCE) as usize * CHANNELS];
        let mut left = frames;
        while left > 0 && !self.is_full() {
            let now = left.min(AT_ONCE);
            self.push(&silence[..now as usize * CHANNELS])?;
            left -= now;
        }
        Ok(())
    }

    /// Ends a stream. `complete` says whether all packets arrived, so that the last frames are
    /// padding.
    ///
    /// # Errors
    /// The errors of the sink.
    pub fn end(&mut self, complete: bool) -> Result<()> {
        let held = std::mem::take(&mut self.held);
        if complete { Ok(()) } else { self.convert(&held) }
    }

    /// Ends the last stream.
    ///
    /// # Errors
    /// The errors of the sink.
    pub fn finish(&mut self) -> Result<()> {
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
        Self::Unsupported(match error {
            ResampleError::Rate(rate) => Unsupported::Rate(rate),
            ResampleError::Build(_) | ResampleError::Step(_) => Unsupported::Conversion,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::types::SAMPLE_RATE;

    /// Counts up from 1 in both channels, in blocks of 10 frames, and returns the sink's samples.
    fn heard(frames: usize, trim: Trim, complete: bool) -> Vec<f32> {
        let mut got = Vec::new();
        let mut sink = |block: &[f32]| {
            got.extend(block.iter().step_by(2));
            Ok(())
        };
        let mut output = Output::new(SAMPLE_RATE, trim, &mut sink).unwrap();
        let all: Vec<f32> = (1..=frames).flat_map(|n| [n as f32; 2]).collect();
        for block in all.chunks(10 * CHANNELS) {
            output.push(block).unwrap();
        }
        output.end(complete).unwrap();
        output.finish().unwrap();
        got
    }

    fn count(range: std::ops::RangeInclusive<usize>) -> Vec<f32> {
        range.map(|n| n as f32).collect()
    }

    #[test]
    fn start_and_end_are_cut_to_the_frame() {
        assert_eq!(heard(35, Trim::default(), true), count(1..=35));
        assert_eq!(heard(35, Trim::from(12), true), count(13..=35));
        assert_eq!(heard(35, Trim::range(12, 5), true), count(13..=17));
        assert_eq!(heard(35, Trim::range(12, 50), true), count(13..=35));
        let padded = |start| Trim::from(start).padded(11);
        assert_eq!(heard(35, padded(12), true), count(13..=24));
        assert_eq!(heard(35, padded(12), false), count(13..=35));
        assert!(heard(35, padded(40), true).is_empty());
    }

    #[test]
    fn plays_parts_in_order_with_pauses_between_them() {
        let part = |silence, start, length| Part { silence, start, length };
        let mut trim = Trim::range(2, 3);
        assert!(trim.goes_on_at(5) && !trim.goes_on_at(4));
        trim.push(part(2, 5, Some(1)));
        trim.push(part(0, 8, Some(14)));
        trim.push(part(1, 30, None));
        assert_eq!(trim.frames(), None);
        let expected =
            [count(3..=5), vec![0.0; 2], count(6..=6), count(9..=22), vec![0.0]].concat();
        let [first, rest] = [&expected[..], &count(31..=35)[..]];
        assert_eq!(heard(35, trim, true), [first, rest].concat());
        let mut ends = Trim::range(2, 3);
        ends.push(part(4, 9, Some(2)));
        assert_eq!(ends.frames(), Some(9));
        assert_eq!(heard(9, ends, true), count(3..=5), "a pause belongs to the part after it");
    }

    #[test]
    fn streams_are_concatenated() {
        let mut got: Vec<f32> = Vec::new();
        let mut sink = |block: &[f32]| {
            got.extend(block.iter().step_by(2));
            Ok(())
        };
        let mut output = Output::new(SAMPLE_RATE, Trim::range(1, 1), &mut sink).unwrap();
        output.push(&[1.0, 1.0, 2.0, 2.0, 3.0, 3.0]).unwrap();
        assert!(output.is_full());
        output.end(true).unwrap();
        output.begin(Trim::from(1));
        output.push(&[4.0, 4.0, 5.0, 5.0]).unwrap();
        output.end(true).unwrap();
        output.finish().unwrap();
        assert_eq!((output.frames_in, output.frames_out), (2, 2));
        assert_eq!(got, [2.0_f32, 5.0]);
    }
}
