//! Source of the device's samples: the mixer at the selected speed. At speed 1, the mixer's frames
//! pass unchanged; at others, a time stretch preserves the pitch. The source lives in the audio
//! callback and is returned when a stream closes, so that position, gains and speed survive. It
//! takes no locks, and allocates and frees nothing: the stream owner creates stretchers, sends them
//! here, and frees them.
//!
//! A stretcher buffers about 0.1 s of the mixer's output. While the speed differs from 1, a dragged
//! fader acts with that delay. A pause, a seek and a gain step act immediately, because they
//! continue with an empty stretcher.

use std::sync::{Arc, atomic::Ordering};

use rtrb::{Consumer, Producer, RingBuffer};
use timestretch::{
    Parameters, PreparedSession, ProcessStatus, SessionConfig, SessionResult, StreamSession,
    TempoRate,
};

use super::{
    mixer::Mixer,
    ramp::{FADE_FRAMES, Ramp},
    shared::Shared,
};

/// Supported speeds.
pub(super) const SPEEDS: std::ops::RangeInclusive<f32> = 0.5..=1.5;

/// Number of frames passed to a stretcher at once.
const FEED_FRAMES: usize = 256;

/// Maximum steps of a stretcher per block: far above real numbers, so that a malfunction cannot
/// loop forever.
const MOST_STEPS: usize = 1 << 16;

/// Maximum number of spare stretchers, and of all stretchers.
const SPARES: usize = 2;
const MOST_STRETCHERS: usize = 2 * SPARES + 2;

/// Mixer with an optional time stretch.
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
        let speed = self.shared.speed();
        if speed != 1.0 || self.stretcher.is_some() {
            self.choose(speed);
        }
        if self.stretcher.is_some() {
            self.stretch(speed, out);
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

    /// Selects the stretcher, a new one, or none, depending on speed and position.
    fn choose(&mut self, speed: f32) {
        self.mixer.process(&mut []); // the mixer may switch to another position
        let (wanted, playing) = self.shared.transport();
        let generation = self.mixer.generation();
        if self.stretcher.is_some() && speed == 1.0 {
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

    fn stretch(&mut self, speed: f32, out: &mut [f32]) {
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
        if stretcher.fill(&mut self.mixer, speed, out).is_err() {
            self.put_away(); // cannot happen: all arguments are checked before
            return;
        }
        for frame in out.chunks_exact_mut(2) {
            let gain = self.gate.advance();
            frame[0] *= gain;
            frame[1] *= gain;
        }
    }
}

/// A time stretch of the mixer's output.
pub(super) struct Stretcher {
    session: StreamSession,
    speed: f32,
    /// Number of frames received.
    fed: u64,
    /// Value of `fed` when the mixer reached its end.
    fed_at_end: Option<u64>,
    changes: u64,
    frames: [f32; 2 * FEED_FRAMES],
}

impl Stretcher {
    fn new(speed: f32) -> SessionResult<Self> {
        let config = SessionConfig { parameters: parameters(speed)?, ..SessionConfig::default() };
        let session = PreparedSession::new(config)?.activate();
        let (fed, fed_at_end, changes) = (0, None, 0);
        Ok(Self { session, speed, fed, fed_at_end, changes, frames: [0.0; 2 * FEED_FRAMES] })
    }

    /// Frames of the mixer that are buffered here.
    fn lag_frames(&self) -> u32 {
        (self.fed as f64 - self.session.position()).max(0.0) as u32
    }

    /// Whether everything before the end has been output.
    fn is_drained(&mut self, is_over: bool) -> bool {
        let end = is_over.then(|| *self.fed_at_end.get_or_insert(self.fed));
        end.is_some_and(|end| self.session.position() >= end as f64)
    }

    fn fill(&mut self, mixer: &mut Mixer, speed: f32, out: &mut [f32]) -> SessionResult<()> {
        while self.session.next_applied().is_some() {}
        if speed != self.speed {
            (self.speed, self.changes) = (speed, self.changes + 1);
            let at = self.session.commit_horizon();
            self.session.schedule(self.changes, at, parameters(speed)?)?;
        }
        let mut done = 0;
        for _ in 0..MOST_STEPS {
            let stamp = self.session.read_output(&mut out[done..])?;
            self.session.acknowledge(stamp.consumed(stamp.frames)?)?;
            done += 2 * stamp.frames;
            if done == out.len() {
                break;
            }
            if stamp.frames > 0 {
                continue;
            }
            match self.session.advance(1).status {
                ProcessStatus::NeedSource => self.feed(mixer)?,
                ProcessStatus::NeedAcknowledgement => {
                    while self.session.next_applied().is_some() {}
                }
                ProcessStatus::Fault => break,
                _ => {}
            }
        }
        out[done..].fill(0.0);
        self.session.fault().map_or(Ok(()), Err)
    }

    fn feed(&mut self, mixer: &mut Mixer) -> SessionResult<()> {
        let Some(request) = self.session.source_request() else { return Ok(()) };
        let frames = &mut self.frames[..2 * request.frames.min(FEED_FRAMES)];
        mixer.process(frames);
        self.fed += self.session.supply(request, frames)? as u64;
        Ok(())
    }
}

fn parameters(speed: f32) -> SessionResult<Parameters> {
    Ok(Parameters::keylock(TempoRate::new(speed.into())?))
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
    /// Frees returned stretchers; keeps some ready while `speed` requires them.
    pub(super) fn tend(&mut self, speed: f32) {
        while let Ok(stretcher) = self.returned.pop() {
            self.out -= 1;
            drop(stretcher);
        }
        while speed != 1.0 && self.out < MOST_STRETCHERS && !self.ready.is_full() {
            match Stretcher::new(speed) {
                Ok(stretcher) => {
                    if self.ready.push(Box::new(stretcher)).is_ok() {
                        self.out += 1;
                    }
                }
                Err(error) => {
                    tracing::warn!("could not change the speed: {error}");
                    return;
                }
            }
        }
    }
}
