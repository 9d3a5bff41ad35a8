//! The stream: opens the sound device when playing starts, closes it when nothing has been played
//! for a while, goes over to another that is chosen, waits at the place that was heard last for one
//! that was lost, and keeps the time when there is none. On its own thread, because a stream may be bound to the thread that made it, and opening and closing one
//! may take long.

use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use cpal::{
    DeviceId, ErrorKind, SampleFormat, StreamConfig,
    traits::{DeviceTrait as _, HostTrait as _},
};
use crossbeam_channel::{Receiver, Sender, bounded};

use super::{
    Device,
    link::{LentSource, Link, configs},
    output_adapter::OutputAdapter,
    shared::Shared,
    source::{Source, Spares},
};
use crate::engine::{problem::DeviceProblem, types::SAMPLE_RATE};

/// The device is closed after this long without playing, so that it may sleep.
const CLOSE_AFTER: Duration = Duration::from_secs(10);

/// A device that was lost while playing is looked for again this often, and for this long; then the
/// song is paused, so that nobody is startled by one that comes back much later.
const REOPEN_EVERY: Duration = Duration::from_millis(400);
const WAIT_FOR: Duration = Duration::from_secs(30);

/// How often time moves on without a device.
const SILENT_PERIOD: Duration = Duration::from_millis(10);

/// A device that asks for nothing for this long while playing has got stuck, and is opened anew,
/// with more in hand. After an underrun, when `PulseAudio`'s ALSA plug-in may, it shows sooner.
const STUCK_AFTER: Duration = Duration::from_secs(2);
const STUCK_AFTER_UNDERRUN: Duration = Duration::from_millis(200);

/// How often a device that plays is looked after, and one that does not.
const PLAYING_PERIOD: Duration = Duration::from_millis(200);
const PAUSED_PERIOD: Duration = Duration::from_secs(1);

/// Frames of a device's buffer at 44.1 kHz, of which there are two: 23 ms each, and 93 ms for a
/// device that got stuck.
const BUFFER_FRAMES: u32 = 1024;
const MOST_BUFFER_FRAMES: u32 = 4096;

/// A sound device that can be chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// What it is chosen by, also after a restart (see [`super::Player::set_output`]).
    pub id: String,
    /// For people.
    pub name: String,
}

/// The output devices, the system's choice first. Asks the sound system, which may take a while: not
/// for a window's own thread.
pub fn outputs() -> Vec<Output> {
    let host = cpal::default_host();
    let all = host.output_devices().into_iter().flatten();
    let mut found: Vec<Output> = Vec::new();
    for device in host.default_output_device().into_iter().chain(all) {
        let Ok(id) = device.id() else { continue };
        let (id, name) = (id.to_string(), device.to_string());
        if found.iter().all(|output| output.id != id) {
            found.push(Output { id, name });
        }
    }
    found
}

/// See the module.
pub(super) struct StreamOwner {
    shared: Arc<Shared>,
    wake: Receiver<()>,
    /// The source while no stream has it.
    source: Option<Box<Source>>,
    home: (Sender<Box<Source>>, Receiver<Box<Source>>),
    spares: Spares,
    state: State,
    /// Calls of play that have been answered.
    plays: u64,
    /// The choice of a device that has been answered.
    chosen: Option<String>,
    buffer_frames: u32,
}

enum State {
    /// Nothing was played yet, or not for a while.
    Closed,
    /// The device plays.
    Open {
        link: Link,
        /// When it was last seen playing.
        used: Instant,
        /// The last beat seen, and when it was new.
        beat: (u32, Instant),
    },
    /// There was no device when playing began; frames are taken by the clock.
    Silent { since: Instant, taken: u64 },
    /// The device was lost while playing: the song waits for it.
    Waiting { since: Instant, tried: Instant },
}

impl StreamOwner {
    pub(super) fn new(
        shared: Arc<Shared>,
        wake: Receiver<()>,
        (source, spares): (Source, Spares),
    ) -> Self {
        let (source, state) = (Some(Box::new(source)), State::Closed);
        let (plays, chosen, buffer_frames) = (0, None, BUFFER_FRAMES);
        Self { shared, wake, source, home: bounded(1), spares, state, plays, chosen, buffer_frames }
    }

    /// Works until the player is dropped.
    pub(super) fn run(mut self) {
        while !self.shared.wanted().quit {
            self.look_after();
            let wait = match &self.state {
                State::Open { .. } if self.shared.is_playing() => Some(PLAYING_PERIOD),
                State::Open { .. } => Some(PAUSED_PERIOD),
                State::Silent { .. } if self.shared.is_playing() => Some(SILENT_PERIOD),
                State::Waiting { .. } => Some(REOPEN_EVERY),
                State::Closed | State::Silent { .. } => None,
            };
            // A time-out is as good a reason to go on as a wake-up; that the handle is gone shows
            // in `quit`.
            match wait {
                Some(time) => self.wake.recv_timeout(time).ok(),
                None => self.wake.recv().ok(),
            };
        }
        self.close();
    }

    fn look_after(&mut self) {
        let plays = self.shared.plays.load(Ordering::Acquire);
        let asked = plays != std::mem::replace(&mut self.plays, plays);
        let chosen = self.shared.wanted().output;
        let is_other = chosen != self.chosen;
        self.chosen = chosen;
        let playing = self.shared.is_playing();
        self.spares.tend(self.shared.speed());
        match self.state {
            State::Open { .. } if is_other => self.go_over(playing),
            State::Open { .. } => self.look_at_device(playing),
            State::Closed if asked => self.open(),
            State::Silent { .. } if asked || is_other => self.open(),
            State::Waiting { .. } => self.wait(playing, asked || is_other),
            State::Closed | State::Silent { .. } => {}
        }
        self.keep_time();
    }

    /// Closes the device, as another was chosen; opens that one if there is something to play.
    fn go_over(&mut self, playing: bool) {
        if playing {
            self.lose();
            self.open();
        } else {
            self.close();
            self.shared.set_device(&Device::Idle);
        }
    }

    /// Looks after an open device: one that was lost or got stuck, or that is not needed any more.
    fn look_at_device(&mut self, playing: bool) {
        let State::Open { link, used, beat } = &mut self.state else { return };
        let now = Instant::now();
        if playing {
            *used = now;
        }
        if link.beat() != beat.0 || !playing {
            *beat = (link.beat(), now);
        }
        let lost = link.lost();
        let patience = if link.ran_out() { STUCK_AFTER_UNDERRUN } else { STUCK_AFTER };
        let stuck = beat.1.elapsed() >= patience;
        let idle = used.elapsed() >= CLOSE_AFTER;
        if stuck {
            tracing::warn!("the sound device got stuck and is opened anew");
            self.buffer_frames = (2 * self.buffer_frames).min(MOST_BUFFER_FRAMES);
        } else if let Some(error) = &lost {
            tracing::warn!("the sound device was lost: {error}");
        }
        if playing && (stuck || lost.is_some()) {
            self.lose();
            self.open();
            if matches!(self.state, State::Silent { .. }) {
                let now = Instant::now();
                self.state = State::Waiting { since: now, tried: now };
            }
        } else if idle || lost.is_some() {
            self.close();
            self.shared.set_device(&Device::Idle);
        }
    }

    /// Looks for the device that was lost, until it is there or the wait is over.
    fn wait(&mut self, playing: bool, at_once: bool) {
        let State::Waiting { since, tried } = self.state else { return };
        if !playing {
            self.state = State::Closed; // play tries again
        } else if since.elapsed() >= WAIT_FOR {
            self.state = State::Closed;
            self.shared.set_playing(false);
            self.shared.tell();
        } else if at_once || tried.elapsed() >= REOPEN_EVERY {
            self.open();
            if matches!(self.state, State::Silent { .. }) {
                self.state = State::Waiting { since, tried: Instant::now() };
            }
        }
    }

    /// Closes a device that is lost while it plays, and goes back to what was heard last: what the
    /// device still held is not lost with it.
    fn lose(&mut self) {
        let heard = self.shared.position();
        self.close();
        self.shared.change(|wanted| self.shared.turn(wanted, heard, false));
        if let Some(source) = self.source.as_mut() {
            source.rest();
        }
    }

    /// Without a device: takes what the clock says has been played, and the decks that arrived.
    fn keep_time(&mut self) {
        let Some(source) = self.source.as_mut() else { return };
        let mut block = [0.0; 1024];
        match &mut self.state {
            State::Silent { since, taken } if self.shared.is_playing() => {
                let due = (since.elapsed().as_secs_f64() * f64::from(SAMPLE_RATE)) as u64;
                let mut frames = due.saturating_sub(*taken).min(u64::from(SAMPLE_RATE));
                *taken = due; // more than a second late means that the computer slept
                while frames > 0 {
                    let now = frames.min(block.len() as u64 / 2);
                    source.process(&mut block[..2 * now as usize]);
                    frames -= now;
                }
            }
            State::Silent { since, taken } => {
                (*since, *taken) = (Instant::now(), 0);
                source.process(&mut block); // long enough to come to rest
            }
            State::Closed | State::Open { .. } | State::Waiting { .. } => source.process(&mut []),
        }
    }

    /// Opens the chosen device, or the default one, or says why not.
    fn open(&mut self) {
        self.state = State::Closed;
        match self.try_open() {
            Ok((state, name)) => {
                self.state = state;
                self.shared.set_device(&Device::Open(name));
            }
            Err(problem) => {
                self.recall_source();
                self.state = State::Silent { since: Instant::now(), taken: 0 };
                self.shared.latency_frames.store(0, Ordering::Relaxed);
                self.shared.set_device(&Device::Unavailable(problem));
            }
        }
    }

    fn try_open(&mut self) -> Result<(State, String), DeviceProblem> {
        let host = cpal::default_host();
        let id = self.chosen.as_ref().and_then(|id| id.parse::<DeviceId>().ok());
        let chosen = id.and_then(|id| host.device_by_id(&id));
        let device = chosen.or_else(|| host.default_output_device()).ok_or(DeviceProblem::None)?;
        let name = device.description().map_or_else(
            |_| "Sound device".to_owned(),
            |description| description.name().to_owned(),
        );
        let failed = |error: &cpal::Error| DeviceProblem::CannotOpen {
            device: name.clone(),
            cause: error.to_string(),
        };
        let mut last = DeviceProblem::NoFormat { device: name.clone() };
        let configs = configs(&device, self.buffer_frames).map_err(|error| failed(&error))?;
        for config in configs {
            match self.connect(&device, config) {
                Ok(link) => {
                    let now = Instant::now();
                    return Ok((State::Open { link, used: now, beat: (0, now) }, name));
                }
                Err(error) if error.kind() != ErrorKind::UnsupportedConfig => {
                    return Err(failed(&error));
                }
                Err(error) => last = failed(&error),
            }
            self.recall_source();
        }
        Err(last)
    }

    /// Lends the source to a stream of this configuration.
    fn connect(
        &mut self,
        device: &cpal::Device,
        (config, format): (StreamConfig, SampleFormat),
    ) -> Result<Link, cpal::Error> {
        self.recall_source();
        let source = self.source.take().ok_or_else(|| {
            let words = "it still holds on to what was played last; try again";
            cpal::Error::with_message(ErrorKind::DeviceBusy, words)
        })?;
        let output_adapter =
            match OutputAdapter::new(source, config.sample_rate, config.channels.into()) {
                Ok(output_adapter) => output_adapter,
                Err((source, words)) => {
                    self.source = Some(source);
                    return Err(cpal::Error::with_message(ErrorKind::UnsupportedConfig, words));
                }
            };
        let guest = LentSource::new(output_adapter, self.home.0.clone());
        Link::open(device, (config, format), guest, Arc::clone(&self.shared))
    }

    /// Closes the device and takes the source back.
    fn close(&mut self) {
        if let State::Open { link, .. } = std::mem::replace(&mut self.state, State::Closed) {
            drop(link);
            self.recall_source();
            self.shared.latency_frames.store(0, Ordering::Relaxed);
        }
    }

    /// Waits for the source of a stream that was dropped; some hosts end theirs a little later.
    fn recall_source(&mut self) {
        if self.source.is_none() {
            self.source = self.home.1.recv_timeout(Duration::from_secs(2)).ok();
        }
    }
}
