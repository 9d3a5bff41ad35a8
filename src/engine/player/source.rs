//! The source: what a device draws from, which is the mixer at the chosen speed. At speed 1 it is the
//! mixer's frames as they are; at others they go through a time stretch that keeps their pitch. Lives
//! in the audio callback and is handed back when a stream closes, so that place, gains and speed
//! survive. It takes no lock, allocates and frees nothing: stretchers are made by the stream's
//! owner, sent here, and go back to be freed.
//!
//! A stretcher holds about 0.1 s of what the mixer has given it. By so much, a dragged fader acts later
//! while the speed is not 1; a pause, a seek, and a step of a gain act at once, as they go on with a
//! stretcher that is empty.

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

/// The speeds there are.
pub(super) const SPEEDS: std::ops::RangeInclusive<f32> = 0.5..=1.5;

/// Frames that the mixer gives a stretcher in one go.
const FEED_FRAMES: usize = 256;

/// Steps of a stretcher for one block: far more than there ever are, so that a fault of it ends.
const MOST_STEPS: usize = 1 << 16;

/// Stretchers that wait to be used, and all there may be.
const SPARES: usize = 2;
const MOST_STRETCHERS: usize = 2 * SPARES + 2;

/// See the module.
pub(super) struct Source {
    shared: Arc<Shared>,
    mixer: Mixer,
    spares: Consumer<Box<Stretcher>>,
    used: Producer<Box<Stretcher>>,
    stretcher: Option<Box<Stretcher>>,
    /// The mixer's generation that the stretcher was given from its first frame on.
    generation: u64,
    /// 0: paused; 1: playing. Of what is stretched: the mixer's own fade would come too late.
    gate: Ramp,
    joint: Joint,
}

impl Source {
    /// A source without stretchers, and where they come from.
    pub(super) fn new(mixer: Mixer, shared: Arc<Shared>) -> (Self, Spares) {
        let (ready, spares) = RingBuffer::new(SPARES);
        let (used, returned) = RingBuffer::new(MOST_STRETCHERS);
        let (generation, stretcher) = (0, None);
        let (gate, joint) = (Ramp::new(0.0), Joint::default());
        let source = Self { shared, mixer, spares, used, stretcher, generation, gate, joint };
        (source, Spares { ready, returned, out: 0 })
    }

    /// Fills interleaved stereo `out`; an empty one only takes up the decks that have arrived.
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

    /// Comes to rest at once: what was on its way out is not heard any more.
    pub(super) fn rest(&mut self) {
        self.mixer.rest();
        self.gate.snap(0.0);
    }

    /// Takes a stretcher, another one, or none, as the speed and the place ask for.
    fn choose(&mut self, speed: f32) {
        self.mixer.process(&mut []); // it may go over to another place
        let (wanted, playing) = self.shared.transport();
        let generation = self.mixer.generation();
        if self.stretcher.is_some() && speed == 1.0 {
            // The mixer is ahead of the ear; it was sent back to that place.
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
            // There is room for every stretcher there is, so this cannot fail.
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
            self.put_away(); // sizes and numbers are checked before, so this does not happen
            return;
        }
        for frame in out.chunks_exact_mut(2) {
            let gain = self.gate.advance();
            frame[0] *= gain;
            frame[1] *= gain;
        }
    }
}

/// A time stretch on its way through the mixer's frames.
pub(super) struct Stretcher {
    session: StreamSession,
    speed: f32,
    /// Frames that it was given.
    fed: u64,
    /// That number when the mixer came to its end.
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

    /// Frames of the mixer that are in it, and not heard yet.
    fn lag_frames(&self) -> u32 {
        (self.fed as f64 - self.session.position()).max(0.0) as u32
    }

    /// Whether all that was before the end has been heard.
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

/// Where what is heard changes its way: what was last heard gives way to what comes, so that it does
/// not step.
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

/// The stretchers' other end, with the stream's owner: makes them and frees them.
pub(super) struct Spares {
    ready: Producer<Box<Stretcher>>,
    returned: Consumer<Box<Stretcher>>,
    /// Stretchers that are not here.
    out: usize,
}

impl Spares {
    /// Frees those that came back; keeps some ready while `speed` asks for them.
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
                    tracing::warn!("the speed stays as it is: {error}");
                    return;
                }
            }
        }
    }
}
