//! The mixer: turns decks into stereo frames at the engine's rate, independent of a device. It
//! lives in the audio callback and is returned when a stream closes, so that position and gains
//! survive. It takes no locks, allocates and frees nothing, and reads only memory.

use std::sync::{Arc, atomic::Ordering};

use rtrb::{Consumer, Producer};

use super::{
    deck::Deck,
    ramp::{FADE_FRAMES, GAIN_FRAMES, Ramp},
    shared::Shared,
};

/// Maximum number of frames mixed at once.
const BLOCK_FRAMES: usize = 256;

/// Frames that must be ready before playback resumes after an underrun, 46 ms.
const RESUME_FRAMES: u64 = 2048;

/// Mixer of the current deck.
pub(super) struct Mixer {
    shared: Arc<Shared>,
    arriving: Consumer<Box<Deck>>,
    returned: Producer<Box<Deck>>,
    current: Box<Deck>,
    /// Deck that fades out beneath the current one.
    leaving: Option<Box<Deck>>,
    /// Deck that plays next.
    next: Option<Box<Deck>>,
    /// Crossfade: 0 is the leaving deck alone, 1 the current one alone.
    cross: Ramp,
    /// 0: paused; 1: playing.
    transport: Ramp,
    original: Ramp,
    original_level: Ramp,
    volume: Ramp,
    scratch: [f32; 2 * BLOCK_FRAMES],
}

impl Mixer {
    /// Creates a mixer that receives decks through `arriving` and returns them through `returned`,
    /// which must have room for all decks.
    pub(super) fn new(
        shared: Arc<Shared>,
        arriving: Consumer<Box<Deck>>,
        returned: Producer<Box<Deck>>,
    ) -> Self {
        Self {
            arriving,
            returned,
            current: Box::new(Deck::empty(0)),
            leaving: None,
            next: None,
            cross: Ramp::new(1.0),
            transport: Ramp::new(0.0),
            original: Ramp::new(0.0),
            original_level: Ramp::new(1.0),
            volume: Ramp::new(shared.volume()),
            scratch: [0.0; 2 * BLOCK_FRAMES],
            shared,
        }
    }

    /// Fills interleaved stereo `out`; an empty slice only takes in the decks that have arrived.
    pub(super) fn process(&mut self, out: &mut [f32]) {
        while let Ok(deck) = self.arriving.pop() {
            if let Some(passed_over) = self.next.replace(deck) {
                self.give_back(passed_over);
            }
        }
        let (wanted, playing) = self.shared.transport();
        self.original.aim(f32::from(self.shared.original.load(Ordering::Relaxed)), GAIN_FRAMES);
        self.original_level.aim(self.shared.original_level(), GAIN_FRAMES);
        self.volume.aim(self.shared.volume(), GAIN_FRAMES);

        let mut starved = false;
        let mut peaks = [0.0; 2];
        let mut rest = out;
        loop {
            self.take_next(playing);
            if rest.is_empty() {
                break;
            }
            if self.transport.is_silent() {
                self.settle();
            }
            let frames = self.steer(wanted, playing, rest.len() / 2, &mut starved);
            let (block, after) = rest.split_at_mut(2 * frames);
            self.mix(block, &mut peaks);
            rest = after;
        }
        let Self { shared, current, .. } = &*self;
        shared.publish_timeline_position(current.generation(), current.timeline_position());
        shared.publish_position(current.generation(), current.position(), current.has_turned());
        self.shared.raise_peaks(peaks);
        if starved {
            self.shared.underruns.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Generation of the current deck.
    pub(super) fn generation(&self) -> u64 {
        self.current.generation()
    }

    /// Whether the track has ended.
    pub(super) fn is_at_end(&self) -> bool {
        self.current.to_end() == 0
    }

    /// Stops immediately, without a fade-out.
    pub(super) fn rest(&mut self) {
        self.transport.snap(0.0);
        self.cut();
    }

    /// Ends a crossfade between two positions immediately.
    pub(super) fn cut(&mut self) {
        self.cross.snap(1.0);
        if let Some(left) = self.leaving.take() {
            self.give_back(left);
        }
    }

    /// Switches to the next deck if the current frame allows it.
    fn take_next(&mut self, playing: bool) {
        let Some(next) = self.next.as_mut() else { return };
        if self.leaving.is_some() {
            return;
        }
        if next.generation() == self.current.generation() {
            // Both decks have the same timeline: they must meet at the same frame.
            next.skip(self.current.timeline_position().saturating_sub(next.timeline_position()));
            let out_of_reach = self.current.ready() == 0 && self.transport.is_silent();
            if next.timeline_position() != self.current.timeline_position() && !out_of_reach {
                return;
            }
            next.inherit(&self.current);
        } else if !playing && !self.transport.is_silent() {
            return; // a playback that just stopped fades out first
        }
        let Some(next) = self.next.take() else { return };
        let old = std::mem::replace(&mut self.current, next);
        if self.transport.is_silent() {
            self.give_back(old);
        } else {
            self.leaving = Some(old);
            self.cross = Ramp::new(0.0);
            self.cross.aim(1.0, FADE_FRAMES);
        }
    }

    /// Sets all gains to their targets, for the first audible frame.
    fn settle(&mut self) {
        self.current.settle();
        self.original.snap(f32::from(self.shared.original.load(Ordering::Relaxed)));
        self.original_level.snap(self.shared.original_level());
        self.volume.snap(self.shared.volume());
    }

    /// Decides between playback and silence, and for how many frames (at most `frames`).
    fn steer(&mut self, wanted: u64, playing: bool, frames: usize, starved: &mut bool) -> usize {
        let mut frames = frames.min(BLOCK_FRAMES);
        let to_end = self.current.to_end();
        let (supply, to_join) = self.supply();
        let fade = u64::from(FADE_FRAMES) + BLOCK_FRAMES as u64;
        let enough = if self.transport.is_silent() { RESUME_FRAMES } else { fade };
        let supplied = supply >= enough.min(to_end);
        let ended = to_end == 0 && self.leaving.is_none();
        let plays = playing && supplied && !ended;
        if playing && ended {
            self.transport.snap(0.0);
            if self.current.generation() == wanted {
                self.shared.end(wanted);
            }
        } else if playing && !supplied && self.current.generation() == wanted {
            *starved = true;
        }
        if plays && self.transport.is_silent() && self.current.position() == 0 {
            self.transport.snap(1.0); // the first sample of a track needs no fade
        }
        self.transport.aim(f32::from(plays), FADE_FRAMES);
        if self.transport.is_silent() {
            return frames;
        }
        if !plays {
            frames = frames.min(self.transport.left()); // keep the position from silence on
        }
        if let Some(leaving) = to_join.filter(|&frames| frames > 0) {
            frames = frames.min(leaving as usize);
        }
        if to_end > 0 { frames.min(to_end as usize) } else { frames }
    }

    /// Number of frames playable without a gap, and number until the next deck of the same
    /// generation takes over.
    fn supply(&self) -> (u64, Option<u64>) {
        let ready = self.current.ready() as u64;
        let next = self.next.as_ref().filter(|d| d.generation() == self.current.generation());
        let Some(next) = next else { return (ready, None) };
        let Some(to_join) = next.timeline_position().checked_sub(self.current.timeline_position())
        else {
            return (ready, None);
        };
        let supply = if ready < to_join { ready } else { to_join + next.ready() as u64 };
        (supply, Some(to_join))
    }

    /// Mixes a block.
    fn mix(&mut self, out: &mut [f32], peaks: &mut [f32; 2]) {
        if self.transport.is_silent() {
            out.fill(0.0);
            if let Some(left) = self.leaving.take() {
                self.give_back(left);
            }
            return;
        }
        self.current.render(out, self.original, self.original_level);
        if let Some(leaving) = self.leaving.as_mut() {
            let under = &mut self.scratch[..out.len()];
            leaving.render(under, self.original, self.original_level);
            for (over, under) in out.chunks_exact_mut(2).zip(under.chunks_exact(2)) {
                let share = self.cross.advance();
                for (over, under) in over.iter_mut().zip(under) {
                    *over = under + share * (*over - under); // exact where both are equal
                }
            }
            if self.cross.left() == 0
                && let Some(left) = self.leaving.take()
            {
                self.give_back(left);
            }
        }
        for frame in out.chunks_exact_mut(2) {
            self.original.advance();
            self.original_level.advance();
            let gain = self.transport.advance() * self.volume.advance();
            for (sample, peak) in frame.iter_mut().zip(peaks.iter_mut()) {
                *sample *= gain;
                if !sample.is_finite() {
                    *sample = 0.0;
                }
                *peak = peak.max(sample.abs());
            }
        }
    }

    fn give_back(&mut self, deck: Box<Deck>) {
        // The ring has room for every deck that the feeder sends, so this cannot fail.
        drop(self.returned.push(deck));
    }
}
