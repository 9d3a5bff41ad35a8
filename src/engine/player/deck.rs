//! A deck: a ring of interleaved frames of all lanes, from one position of a track, with the lanes'
//! strips. The feeder fills the ring's other end. The callback owns the deck during playback and
//! returns it to be freed. Every load, seek and refresh creates a new deck, so that frames of two
//! positions never mix in one ring.

use std::sync::Arc;

use rtrb::{Consumer, Producer, RingBuffer};

use super::{
    ramp::{GAIN_FRAMES, Ramp},
    shared::Strips,
    timeline::Timeline,
};

/// Samples of a frame before the stems: weight of the stems (0 to 1), original left and right.
pub(super) const STEMS_AT: usize = 3;

/// Number of samples per frame of a track with `stems` stems.
pub(super) fn stride(stems: usize) -> usize {
    STEMS_AT + 2 * stems
}

/// Consumer end of a deck's ring.
pub(super) struct Deck {
    ring: Consumer<f32>,
    stride: usize,
    generation: u64,
    timeline: Timeline,
    /// Timeline position of the next frame to play.
    timeline_position: u64,
    /// Whether playback has passed a loop end, including on earlier decks.
    has_turned: bool,
    strips: Strips,
    /// Current gains in the order of the strips; the residual is last.
    ramps: Box<[[Ramp; 2]]>,
    /// Peaks of the lanes in the current block.
    peaks: Box<[[f32; 2]]>,
}

/// Contents of a deck.
pub(super) struct Part {
    /// Generation, as in [`super::shared::Wanted::generation`].
    pub(super) generation: u64,
    /// Path through the track.
    pub(super) timeline: Timeline,
    /// One strip per stem, then the residual's; empty without a track.
    pub(super) strips: Strips,
}

impl Deck {
    /// Creates a deck for `part`, and the producer that fills it with `stride(stems)` samples per
    /// frame, at most `frames` frames ahead.
    pub(super) fn new(part: Part, frames: usize) -> (Producer<f32>, Self) {
        let Part { generation, timeline, strips } = part;
        let stride = stride(strips.len().saturating_sub(1));
        let (producer, ring) = RingBuffer::new(frames * stride);
        let ramps = strips.iter().map(|strip| strip.gain().map(Ramp::new)).collect();
        let peaks = vec![[0.0; 2]; strips.len()].into();
        let (timeline_position, has_turned) = (timeline.start, false);
        let deck = Self {
            ring,
            stride,
            generation,
            timeline,
            timeline_position,
            has_turned,
            strips,
            ramps,
            peaks,
        };
        (producer, deck)
    }

    /// Creates a deck without a track.
    pub(super) fn empty(generation: u64) -> Self {
        let part = Part { generation, timeline: Timeline::default(), strips: Arc::default() };
        Self::new(part, 1).1
    }

    pub(super) fn generation(&self) -> u64 {
        self.generation
    }

    /// Track position of the next frame to play.
    pub(super) fn position(&self) -> u64 {
        self.timeline.frame_at(self.timeline_position)
    }

    /// Timeline position of the next frame to play.
    pub(super) fn timeline_position(&self) -> u64 {
        self.timeline_position
    }

    /// Whether playback has passed a loop end since the last seek.
    pub(super) fn has_turned(&self) -> bool {
        self.has_turned || self.timeline.has_turned(self.timeline_position)
    }

    /// Frames until the track ends.
    pub(super) fn to_end(&self) -> u64 {
        self.timeline.length() - self.timeline_position
    }

    /// Frames that are ready to play.
    pub(super) fn ready(&self) -> usize {
        self.ring.slots() / self.stride
    }

    /// Skips up to `frames` frames.
    pub(super) fn skip(&mut self, frames: u64) {
        let frames = frames.min(self.ready() as u64) as usize;
        if let Ok(chunk) = self.ring.read_chunk(frames * self.stride) {
            chunk.commit_all();
            self.timeline_position += frames as u64;
        }
    }

    /// Takes over the state of the preceding deck of the same generation.
    pub(super) fn inherit(&mut self, other: &Self) {
        for (mine, theirs) in self.ramps.iter_mut().zip(&other.ramps) {
            *mine = *theirs;
        }
        self.has_turned = other.has_turned();
    }

    /// Sets the gains to their targets immediately; only valid during silence.
    pub(super) fn settle(&mut self) {
        for (ramps, strip) in self.ramps.iter_mut().zip(self.strips.iter()) {
            for (ramp, gain) in ramps.iter_mut().zip(strip.gain()) {
                ramp.snap(gain);
            }
        }
    }

    /// Renders interleaved stereo into `out`; frames that are not ready are zero. `original` ranges
    /// from 0 (the stems, or the original where they are missing) to 1 (the original times
    /// `level`).
    pub(super) fn render(&mut self, out: &mut [f32], mut original: Ramp, mut level: Ramp) {
        for (ramps, strip) in self.ramps.iter_mut().zip(self.strips.iter()) {
            for (ramp, gain) in ramps.iter_mut().zip(strip.gain()) {
                ramp.aim(gain, GAIN_FRAMES);
            }
        }
        self.peaks.fill([0.0; 2]);
        let frames = self.ready().min(out.len() / 2);
        let (played, missing) = out.split_at_mut(2 * frames);
        missing.fill(0.0);
        let Ok(chunk) = self.ring.read_chunk(frames * self.stride) else { return };
        let (first, second) = chunk.as_slices();
        let lanes = first.chunks_exact(self.stride).chain(second.chunks_exact(self.stride));
        for (out, lanes) in played.chunks_exact_mut(2).zip(lanes) {
            let there = lanes[0];
            let mix = mix_frame(lanes, &mut self.ramps, &mut self.peaks);
            let (original, level) = (original.advance(), level.advance());
            for (side, out) in out.iter_mut().enumerate() {
                let song = lanes[1 + side];
                let stems = there * mix[side] + (1.0 - there) * song;
                *out = (1.0 - original) * stems + original * level * song;
            }
        }
        chunk.commit_all();
        self.timeline_position += frames as u64;
        for (strip, peak) in self.strips.iter().zip(&self.peaks) {
            strip.raise_peak(*peak);
        }
    }
}

/// Mixes one frame of all lanes. The residual is the original minus all stems: add the original at
/// the residual's gain, and reduce each stem's gain accordingly. With all gains at 1, the result is
/// the original bit for bit; without the residual, it equals the sum in an export.
fn mix_frame(lanes: &[f32], ramps: &mut [[Ramp; 2]], peaks: &mut [[f32; 2]]) -> [f32; 2] {
    let (there, song, stems) = (lanes[0], &lanes[1..STEMS_AT], &lanes[STEMS_AT..]);
    let (Some((residual, ramps)), Some((rest_peak, peaks))) =
        (ramps.split_last_mut(), peaks.split_last_mut())
    else {
        return [0.0; 2];
    };
    let mut mix = [0.0; 2];
    for side in 0..2 {
        let of_rest = residual[side].advance();
        let (mut sum, mut rest) = (0.0, f64::from(song[side]));
        for ((ramps, peak), stem) in ramps.iter_mut().zip(&mut *peaks).zip(stems.chunks_exact(2)) {
            let (gain, sample) = (ramps[side].advance(), stem[side]);
            sum += (f64::from(gain) - f64::from(of_rest)) * f64::from(sample);
            rest -= f64::from(sample);
            peak[side] = peak[side].max(there * (gain * sample).abs());
        }
        mix[side] = (sum + f64::from(of_rest) * f64::from(song[side])) as f32;
        rest_peak[side] = rest_peak[side].max(there * of_rest * rest.abs() as f32);
    }
    mix
}
