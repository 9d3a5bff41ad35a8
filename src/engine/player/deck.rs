//! A deck: a ring of whole frames of all lanes of one track from one place on, with the lanes'
//! gains. The feeder fills the ring's other end; the callback owns the deck while it is played and
//! gives it back to be freed. Every load, seek and refresh is a new deck, so that two places can
//! never mix in one ring.

use std::sync::{Arc, atomic::Ordering};

use rtrb::{Consumer, Producer, RingBuffer};

use super::{
    ramp::{GAIN_FRAMES, Ramp},
    shared::Gains,
};

/// Samples of a frame before the stems: how much of the stems is there (0 to 1), original L, R.
pub(super) const STEMS_AT: usize = 3;

/// Samples of a frame of a track with `stems` stems.
pub(super) fn stride(stems: usize) -> usize {
    STEMS_AT + 2 * stems
}

/// See the module.
pub(super) struct Deck {
    ring: Consumer<f32>,
    stride: usize,
    generation: u64,
    position: u64,
    end: u64,
    gains: Gains,
    ramps: Box<[Ramp]>,
}

/// What a deck plays.
pub(super) struct Part {
    /// See [`super::shared::Wanted::generation`].
    pub(super) generation: u64,
    /// First frame.
    pub(super) start: u64,
    /// The track's length in frames.
    pub(super) end: u64,
    /// One for each stem.
    pub(super) gains: Gains,
}

impl Deck {
    /// A deck for `part`, and the end to fill it from: `stride(stems)` samples a frame, at most
    /// `frames` frames ahead.
    pub(super) fn new(part: Part, frames: usize) -> (Producer<f32>, Self) {
        let Part { generation, start, end, gains } = part;
        let stride = stride(gains.len());
        let (producer, ring) = RingBuffer::new(frames * stride);
        let ramps = gains.iter().map(|gain| Ramp::new(load(gain))).collect();
        (producer, Self { ring, stride, generation, position: start, end, gains, ramps })
    }

    /// A deck with nothing on it.
    pub(super) fn empty(generation: u64) -> Self {
        let part = Part { generation, start: 0, end: 0, gains: Arc::new([]) };
        Self::new(part, 1).1
    }

    pub(super) fn generation(&self) -> u64 {
        self.generation
    }

    /// The next frame to be played.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// Frames until the track ends.
    pub(super) fn to_end(&self) -> u64 {
        self.end.saturating_sub(self.position)
    }

    /// Frames that can be played now.
    pub(super) fn ready(&self) -> usize {
        self.ring.slots() / self.stride
    }

    /// Leaves out up to `frames` frames.
    pub(super) fn skip(&mut self, frames: u64) {
        let frames = frames.min(self.ready() as u64) as usize;
        if let Ok(chunk) = self.ring.read_chunk(frames * self.stride) {
            chunk.commit_all();
            self.position += frames as u64;
        }
    }

    /// Takes over the state of the gains from the deck that is played before, of the same track.
    pub(super) fn inherit(&mut self, other: &Self) {
        for (mine, theirs) in self.ramps.iter_mut().zip(&other.ramps) {
            *mine = *theirs;
        }
    }

    /// Plays into interleaved stereo `out`; what is not ready is zero. `original` goes from 0 (the
    /// stems, and the original where they are missing) to 1 (the original).
    pub(super) fn render(&mut self, out: &mut [f32], mut original: Ramp) {
        for (ramp, gain) in self.ramps.iter_mut().zip(self.gains.iter()) {
            ramp.aim(load(gain), GAIN_FRAMES);
        }
        let frames = self.ready().min(out.len() / 2);
        let (played, missing) = out.split_at_mut(2 * frames);
        missing.fill(0.0);
        let Ok(chunk) = self.ring.read_chunk(frames * self.stride) else { return };
        let (first, second) = chunk.as_slices();
        let lanes = first.chunks_exact(self.stride).chain(second.chunks_exact(self.stride));
        for (out, lanes) in played.chunks_exact_mut(2).zip(lanes) {
            let of_stems = lanes[0] * (1.0 - original.advance());
            let mut sum = [0.0; 2];
            for (ramp, stem) in self.ramps.iter_mut().zip(lanes[STEMS_AT..].chunks_exact(2)) {
                let gain = ramp.advance();
                sum[0] += gain * stem[0];
                sum[1] += gain * stem[1];
            }
            out[0] = of_stems * sum[0] + (1.0 - of_stems) * lanes[1];
            out[1] = of_stems * sum[1] + (1.0 - of_stems) * lanes[2];
        }
        chunk.commit_all();
        self.position += frames as u64;
    }
}

fn load(gain: &std::sync::atomic::AtomicU32) -> f32 {
    f32::from_bits(gain.load(Ordering::Relaxed))
}
