//! Source of the device's samples: the mixer at the selected key and speed. If neither is changed,
//! the mixer's frames pass as they are; otherwise a [`Stretch`] changes one and keeps the other. The
//! source lives in the audio callback and is returned when a stream closes, so that position, gains,
//! key and speed survive. It takes no locks, and allocates and frees nothing: the stream owner
//! creates stretchers, sends them here, and frees them.
//!
//! A stretcher buffers about 0.1 s of the mixer's output. While key or speed are changed, a dragged
//! fader acts with that delay. A pause, a seek and a gain step act immediately, because they
//! continue with an empty stretcher.

use std::sync::{Arc, atomic::Ordering};

use rtrb::{Consumer, Producer, RingBuffer};

use super::{
    mixer::Mixer,
    ramp::{FADE_FRAMES, Ramp},
    shared::Shared,
};
use crate::engine::{
    audio::{
        repitch::{KeySpeed, Stretch},
        resample::ResampleError,
    },
    types::{CHANNELS, SAMPLE_RATE},
};

/// Number of frames passed to a stretcher at once.
const FEED_FRAMES: usize = 256;

/// Maximum number of spare stretchers, and of all stretchers.
const SPARES: usize = 2;
const MOST_STRETCHERS: usize = 2 * SPARES + 2;

/// Mixer with an optional stretch.
pub(super) struct Source {
    shared: Arc<Shared>,
    mixer: Mixer,
    spares: Consumer<Box<Stretcher>>,
    used: Producer<Box<Stretcher>>,
    stretcher: Option<Box<Stretcher>>,
    /// First generation of the mixer that the stretcher received.
    generation: u64,
    /// Gate for stretched output, 0 paused and 1 playing; the mixer's own fade would act too late.
    gate: Ramp,
    joint: Joint,
}

impl Source {
    /// Creates a source without stretchers, and the supplier of stretchers.
    pub(super) fn new(mixer: Mixer, shared: Arc<Shared>) -> (Self, Spares) {
        let (ready, spares) = RingBuffer::new(SPARES);
        let (used, returned) = RingBuffer::new(MOST_STRETCHERS);
        let (generation, stretcher) = (0, None);
        let (gate, joint) = (Ramp::new(0.0), Joint::default());
        let source = Self { shared, mixer, spares, used, stretcher, generation, gate, joint };
        (source, Spares { ready, returned, out: 0 })
    }

    /// Fills interleaved stereo `out`; an empty slice only takes in the decks that have arrived.
    pub(super) fn process(&mut self, out: &mut [f32]) {
        if out.is_empty() {
            self.mixer.process(out);
            return;
        }
        let change = self.shared.key_speed();
        if !change.is_plain() || self.stretcher.is_some() {
            self.choose(change);
        }
        if self.stretcher.is_some() {
            self.stretch(change, out);
        } else {
            self.mixer.process(out);
        }
        self.joint.smooth(out);
        let lag = self.stretcher.as_ref().map_or(0, |stretcher| stretcher.lag_frames());
        self.shared.lag_frames.store(lag, Ordering::Relaxed);
    }

    /// Stops immediately, without a fade-out.
    pub(super) fn rest(&mut self) {
        self.mixer.rest();
        self.gate.snap(0.0);
    }

    /// Selects the stretcher, a new one, or none, depending on the change and the position.
    fn choose(&mut self, change: KeySpeed) {
        self.mixer.process(&mut []); // the mixer may switch to another position
        let (wanted, playing) = self.shared.transport();
        let generation = self.mixer.generation();
        if self.stretcher.is_some() && change.is_plain() {
            // The mixer is ahead of the output; a seek back to the audible position is pending.
            if generation == wanted {
                self.put_away();
            }
            return;
        }
        let is_elsewhere = generation != self.generation && (playing || self.gate.is_silent());
        if self.stretcher.is_none() || is_elsewhere {
            if let Ok(stretcher) = self.spares.pop() {
                self.put_away();
                self.mixer.cut();
                self.gate.snap(f32::from(playing));
                self.stretcher = Some(stretcher);
            }
            self.generation = generation;
        }
    }

    fn put_away(&mut self) {
        self.joint.begin();
        if let Some(old) = self.stretcher.take() {
            // The ring has room for every stretcher, so this cannot fail.
            drop(self.used.push(old));
        }
    }

    fn stretch(&mut self, change: KeySpeed, out: &mut [f32]) {
        let Some(stretcher) = self.stretcher.as_mut() else { return };
        let (_, playing) = self.shared.transport();
        let is_over = self.mixer.is_at_end();
        let sounds = playing || is_over && !stretcher.is_drained(is_over);
        self.gate.aim(f32::from(sounds), FADE_FRAMES);
        if self.gate.is_silent() {
            out.fill(0.0);
            self.mixer.rest();
            return;
        }
        stretcher.fill(&mut self.mixer, change, out);
        for frame in out.chunks_exact_mut(2) {
            let gain = self.gate.advance();
            frame[0] *= gain;
            frame[1] *= gain;
        }
    }
}

/// A stretch of the mixer's output.
pub(super) struct Stretcher {
    stretch: Stretch,
    change: KeySpeed,
    /// Number of frames received.
    fed: u64,
    /// Value of `fed` when the mixer reached its end.
    fed_at_end: Option<u64>,
    frames: [f32; CHANNELS * FEED_FRAMES],
}

impl Stretcher {
    fn new(change: KeySpeed) -> Result<Self, ResampleError> {
        let stretch = Stretch::new(SAMPLE_RATE, 1, change.factors())?;
        let frames = [0.0; CHANNELS * FEED_FRAMES];
        Ok(Self { stretch, change, fed: 0, fed_at_end: None, frames })
    }

    /// Frames of the mixer that are buffered here.
    fn lag_frames(&self) -> u32 {
        (self.fed as f64 - self.stretch.position().max(0.0)).max(0.0) as u32
    }

    /// Whether everything before the end has been output.
    fn is_drained(&mut self, is_over: bool) -> bool {
        let end = is_over.then(|| *self.fed_at_end.get_or_insert(self.fed));
        end.is_some_and(|end| self.stretch.position() >= end as f64)
    }

    fn fill(&mut self, mixer: &mut Mixer, change: KeySpeed, out: &mut [f32]) {
        if change != self.change {
            self.change = change;
            self.stretch.set(change.factors());
        }
        let mut done = 0;
        loop {
            done += CHANNELS * self.stretch.read(0, &mut out[done..]);
            if done == out.len() {
                return;
            }
            while let wanted @ 1.. = self.stretch.wanted(0) {
                let frames = &mut self.frames[..CHANNELS * wanted.min(FEED_FRAMES)];
                mixer.process(frames);
                self.stretch.push(0, frames);
                self.fed += (frames.len() / CHANNELS) as u64;
            }
            self.stretch.step();
        }
    }
}

/// Crossfade at discontinuities: the last output fades into the new output, so that no step is
/// audible.
#[derive(Default)]
struct Joint {
    last: [f32; 2],
    from: [f32; 2],
    left: u32,
}

impl Joint {
    fn begin(&mut self) {
        (self.from, self.left) = (self.last, FADE_FRAMES);
    }

    fn smooth(&mut self, out: &mut [f32]) {
        for frame in out.chunks_exact_mut(2).take(self.left as usize) {
            let share = self.left as f32 / FADE_FRAMES as f32;
            for (sample, from) in frame.iter_mut().zip(self.from) {
                *sample = share * from + (1.0 - share) * *sample;
            }
            self.left -= 1;
        }
        if let Some([.., left, right]) = out.get(..) {
            self.last = [*left, *right];
        }
    }
}

/// Supplier of stretchers on the stream owner's side: creates and frees them.
pub(super) struct Spares {
    ready: Producer<Box<Stretcher>>,
    returned: Consumer<Box<Stretcher>>,
    /// Number of stretchers elsewhere.
    out: usize,
}

impl Spares {
    /// Frees returned stretchers; keeps some ready while `change` requires them.
    pub(super) fn tend(&mut self, change: KeySpeed) {
        while let Ok(stretcher) = self.returned.pop() {
            self.out -= 1;
            drop(stretcher);
        }
        while !change.is_plain() && self.out < MOST_STRETCHERS && !self.ready.is_full() {
            match Stretcher::new(change) {
                Ok(stretcher) => {
                    if self.ready.push(Box::new(stretcher)).is_ok() {
                        self.out += 1;
                    }
                }
                Err(error) => {
                    tracing::warn!("could not change key and speed: {error}");
                    return;
                }
            }
        }
    }
}
