//! Replacement of lost and implausible sound, before the output. A short gap is bridged from the sound
//! on both sides, and a long one is silence with fades.
//!
//! The packet loop says what is lost; [`Judge`] decides what is implausible. Runs on the decoder
//! thread.

use super::{
    bridge::bridge,
    output::Output,
    plausible::{Judge, Judged},
};
use crate::engine::{
    problem::Result,
    types::{CHANNELS, SAMPLE_RATE},
};

/// Number of frames kept for bridging.
const MOST_TAIL: usize = 8192;
const LONGEST_BRIDGE_SECONDS: f64 = 0.2; // more than a block of FLAC
/// Length of fades to and from silence, in frames.
const FADE_FRAMES: u64 = 220; // 5 ms at 44.1 kHz

/// An output whose gaps are concealed. Positions are in frames of the output.
pub struct Concealment<'a> {
    /// The output. Its rate is changed by [`Self::change_rate`].
    pub output: Output<'a>,
    judge: Judge,
    /// The gap before the next sound.
    gap: Option<Gap>,
    /// The last stereo output.
    tail: Vec<f32>,
    /// Number of places where packets were lost.
    pub losses: u64,
    /// Position of the first lost packet.
    pub first_loss: Option<u64>,
    /// End of the last gap with lost packets.
    pub last_loss: Option<u64>,
    /// Position of the first implausible sound.
    pub first_implausible: Option<u64>,
}

/// Frames without sound.
#[derive(Default)]
struct Gap {
    frames: u64,
    /// Whether packets were lost.
    has_loss: bool,
}

impl<'a> Concealment<'a> {
    /// Creates a concealment before `output`.
    pub fn new(output: Output<'a>, judge: Judge) -> Self {
        Self {
            output,
            judge,
            gap: None,
            tail: Vec::new(),
            losses: 0,
            first_loss: None,
            last_loss: None,
            first_implausible: None,
        }
    }

    /// Number of implausible blocks or samples.
    pub fn implausible(&self) -> u64 {
        self.judge.implausible
    }

    /// Continues after `frames` lost frames.
    ///
    /// # Errors
    /// The errors of the sink.
    pub fn lose(&mut self, frames: u64) -> Result<()> {
        self.release()?;
        let gap = self.gap.get_or_insert_default();
        gap.frames = gap.frames.saturating_add(frames);
        gap.has_loss = true;
        Ok(())
    }

    /// Takes decoded stereo. `is_doubtful` says whether there are signs of damage near it.
    ///
    /// # Errors
    /// The errors of the sink.
    pub fn push(&mut self, stereo: &[f32], is_doubtful: bool) -> Result<()> {
        let before = self.judge.implausible;
        let decided = self.judge.push(stereo.to_vec(), is_doubtful);
        if self.judge.implausible > before {
            self.first_implausible.get_or_insert(self.output.frames_out);
        }
        decided.into_iter().try_for_each(|judged| self.take(judged))
    }

    /// Outputs all sound so far; a gap may remain.
    fn release(&mut self) -> Result<()> {
        let Some(judged) = self.judge.finish() else { return Ok(()) };
        self.first_implausible.get_or_insert(self.output.frames_out);
        self.take(judged)
    }

    /// Outputs everything so far, because no sound follows.
    ///
    /// # Errors
    /// The errors of the sink.
    pub fn end(&mut self) -> Result<()> {
        self.release()?;
        self.fill(&[])
    }

    /// Changes the rate of the sound that follows, in Hz.
    ///
    /// # Errors
    /// Like [`Output::change_rate`].
    pub fn change_rate(&mut self, rate: u32) -> Result<()> {
        self.end()?; // a gap is counted in frames of the old rate
        self.tail.clear();
        self.output.change_rate(rate)
    }

    fn take(&mut self, judged: Judged) -> Result<()> {
        match judged {
            Judged::Implausible(frames) => {
                self.gap.get_or_insert_default().frames += frames;
                Ok(())
            }
            Judged::Sound(stereo) => {
                self.fill(&stereo)?;
                self.tail.extend_from_slice(&stereo);
                let excess = self.tail.len().saturating_sub(CHANNELS * MOST_TAIL);
                self.tail.drain(..excess);
                self.output.push(&stereo)
            }
        }
    }

    /// Fills the gap before `behind`, if any.
    fn fill(&mut self, behind: &[f32]) -> Result<()> {
        const SAME_PLACE_FRAMES: u64 = SAMPLE_RATE as u64 / 2;
        let Some(Gap { frames, has_loss }) = self.gap.take() else { return Ok(()) };
        if has_loss {
            let at = self.output.frames_out;
            let is_new = self.last_loss.is_none_or(|last| at > last + SAME_PLACE_FRAMES);
            self.losses += u64::from(is_new);
            self.first_loss.get_or_insert(at);
        }
        let is_short = frames as f64 <= LONGEST_BRIDGE_SECONDS * f64::from(self.output.rate());
        if is_short && !self.tail.is_empty() && !behind.is_empty() {
            self.output.push(&bridge(&self.tail, behind, frames as usize))?;
        } else {
            let silence = [0.0; CHANNELS];
            let fade =
                |sound: &[f32]| if sound.is_empty() { 0 } else { FADE_FRAMES.min(frames / 2) };
            let (out, into) = (fade(&self.tail), fade(behind));
            if out > 0 {
                self.output.push(&bridge(&self.tail, &silence, out as usize))?;
            }
            self.output.push_silence(frames - out - into)?;
            if into > 0 {
                self.output.push(&bridge(&silence, behind, into as usize))?;
            }
        }
        if has_loss {
            self.last_loss = Some(self.output.frames_out);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::audio::decode::output::Trim;

    fn tone(frames: std::ops::Range<usize>) -> Vec<f32> {
        frames.flat_map(|frame| [(frame as f32 * 0.05).sin() * 0.5; 2]).collect()
    }

    fn loud_tone(frames: usize, gain: f32) -> Vec<f32> {
        tone(0..frames).iter().map(|sample| gain * sample).collect()
    }

    /// Plays 4000 frames, then `gap`, then the rest, and returns the output.
    fn concealed(gap: impl FnOnce(&mut Concealment<'_>)) -> Vec<f32> {
        let mut all = Vec::new();
        let mut sink = |block: &[f32]| {
            all.extend_from_slice(block);
            Ok(())
        };
        let output = Output::new(SAMPLE_RATE, Trim::default(), &mut sink).unwrap();
        let mut concealment = Concealment::new(output, Judge::of_blocks());
        concealment.push(&tone(0..4000), false).unwrap();
        gap(&mut concealment);
        concealment.push(&tone(20_000..24_000), false).unwrap();
        concealment.end().unwrap();
        concealment.output.finish().unwrap();
        all
    }

    fn largest_step(stereo: &[f32]) -> f32 {
        stereo.windows(3).map(|frames| (frames[2] - frames[0]).abs()).fold(0.0, f32::max)
    }

    #[test]
    fn short_gaps_are_bridged_and_long_ones_silent_without_a_click() {
        for frames in [1000, 4608, 16_000] {
            let all = concealed(|concealment| concealment.lose(frames as u64).unwrap());
            assert_eq!(all.len(), CHANNELS * (8000 + frames));
            assert_eq!(all[..8000], tone(0..4000));
            assert_eq!(all[8000 + 2 * frames..], tone(20_000..24_000));
            assert!(largest_step(&all) < 0.08, "{frames}: {}", largest_step(&all));
            let middle = &all[8000 + frames - 20..][..40];
            assert_eq!(middle.iter().all(|&sample| sample == 0.0), frames > 8820, "{frames}");
        }
    }

    #[test]
    fn lost_packets_next_to_implausible_sound_are_one_gap() {
        let mut counts = (0, None, None);
        let all = concealed(|concealment| {
            concealment.push(&loud_tone(500, 1e7), false).unwrap();
            concealment.lose(700).unwrap();
            concealment.push(&loud_tone(100, 9.0), false).unwrap();
            concealment.push(&tone(19_000..20_000), false).unwrap();
            counts = (concealment.losses, concealment.first_loss, concealment.first_implausible);
        });
        assert_eq!(counts, (1, Some(4000), Some(4000)));
        assert_eq!(all.len(), CHANNELS * (8000 + 500 + 700 + 100 + 1000));
        assert!(largest_step(&all) < 0.08, "{}", largest_step(&all));
    }

    #[test]
    fn a_gap_before_a_change_of_rate_has_its_length() {
        let mut frames = 0;
        let mut sink = |block: &[f32]| {
            frames += block.len() / CHANNELS;
            Ok(())
        };
        let output = Output::new(SAMPLE_RATE, Trim::default(), &mut sink).unwrap();
        let mut concealment = Concealment::new(output, Judge::of_blocks());
        concealment.push(&tone(0..4000), false).unwrap();
        concealment.push(&loud_tone(1000, 1e7), false).unwrap();
        concealment.change_rate(SAMPLE_RATE / 2).unwrap();
        concealment.push(&tone(0..3000), false).unwrap();
        concealment.end().unwrap();
        concealment.output.finish().unwrap();
        assert_eq!(frames, 4000 + 1000 + 2 * 3000);
    }
}
