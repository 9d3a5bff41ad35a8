//! The stream owner: opens the sound device when playback starts, and closes it after a while
//! without playback. It also switches to another selected device, waits for a lost one at the last
//! audible position, and advances time without a device. It has its own thread, because streams may
//! be bound to the thread that created them, and opening and closing may take long.

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

/// Time without playback after which the device is closed, so that it can sleep.
const CLOSE_AFTER: Duration = Duration::from_secs(10);

/// Interval and duration of attempts to reopen a device lost during playback. Afterwards the song
/// is paused, so that a much later reconnection does not start playback unexpectedly.
const REOPEN_EVERY: Duration = Duration::from_millis(400);
const WAIT_FOR: Duration = Duration::from_secs(30);

/// Interval at which time advances without a device.
const SILENT_PERIOD: Duration = Duration::from_millis(10);

/// Time without a request after which a playing device is considered stuck and reopened with larger
/// buffers. After an underrun the time is shorter, because `PulseAudio`'s ALSA plug-in may get
/// stuck then.
const STUCK_AFTER: Duration = Duration::from_secs(2);
const STUCK_AFTER_UNDERRUN: Duration = Duration::from_millis(200);

/// Polling interval of a playing device, and of a paused one.
const PLAYING_PERIOD: Duration = Duration::from_millis(200);
const PAUSED_PERIOD: Duration = Duration::from_secs(1);

/// Frames of each of a device's two buffers at 44.1 kHz: 23 ms, and at most 93 ms for a device that
/// got stuck.
const BUFFER_FRAMES: u32 = 1024;
const MOST_BUFFER_FRAMES: u32 = 4096;

/// A selectable sound device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// ID for [`super::Player::set_output`], stable across restarts.
    pub id: String,
    /// Name for display.
    pub name: String,
}

/// Lists the output devices, the system's default first. This queries the sound system, which may
/// take a while; do not call it on a window's thread.
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

/// State of the stream owner thread.
pub(super) struct StreamOwner {
    shared: Arc<Shared>,
    wake: Receiver<()>,
    /// The source while no stream uses it.
    source: Option<Box<Source>>,
    home: (Sender<Box<Source>>, Receiver<Box<Source>>),
    spares: Spares,
    state: State,
    /// Number of handled calls of play.
    plays: u64,
    /// The last handled device selection.
    chosen: Option<String>,
    buffer_frames: u32,
}

enum State {
    /// Nothing was played yet, or not for a while.
    Closed,
    /// The device is open.
    Open {
        link: Link,
        /// Time when playback was last observed.
        used: Instant,
        /// Last observed beat, and the time when it changed.
        beat: (u32, Instant),
    },
    /// No device was available when playback began; the clock consumes frames.
    Silent { since: Instant, taken: u64 },
    /// The device was lost during playback: the song waits for it.
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

    /// Runs until the player is dropped.
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
            // Timeout and wake-up are treated the same; if the handle is gone, `quit` is set.
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
        self.spares.tend(self.shared.key_speed());
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

    /// Closes the device because another was selected; opens the new one if playing.
    fn go_over(&mut self, playing: bool) {
        if playing {
            self.lose();
            self.open();
        } else {
            self.close();
            self.shared.set_device(&Device::Idle);
        }
    }

    /// Checks an open device for loss, for getting stuck, and for disuse.
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
            tracing::warn!("the sound device got stuck; reopening it");
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

    /// Tries to reopen the lost device until it is available or the wait is over.
    fn wait(&mut self, playing: bool, at_once: bool) {
        let State::Waiting { since, tried } = self.state else { return };
        if !playing {
            self.state = State::Closed; // the next play retries
        } else if since.elapsed() >= WAIT_FOR {
            self.state = State::Closed;
            self.shared.set_playing(false);
            self.shared.notify();
        } else if at_once || tried.elapsed() >= REOPEN_EVERY {
            self.open();
            if matches!(self.state, State::Silent { .. }) {
                self.state = State::Waiting { since, tried: Instant::now() };
            }
        }
    }

    /// Closes a device that is lost during playback, and seeks back to the last audible frame.
    /// Frames that the device still held are then played again.
    fn lose(&mut self) {
        let heard = self.shared.position();
        self.close();
        self.shared.change(|wanted| self.shared.turn(wanted, heard, false));
        if let Some(source) = self.source.as_mut() {
            source.rest();
        }
    }

    /// Without a device, consumes the frames that the clock requires, and takes in arrived decks.
    fn keep_time(&mut self) {
        let Some(source) = self.source.as_mut() else { return };
        let mut block = [0.0; 1024];
        match &mut self.state {
            State::Silent { since, taken } if self.shared.is_playing() => {
                let due = (since.elapsed().as_secs_f64() * f64::from(SAMPLE_RATE)) as u64;
                let mut frames = due.saturating_sub(*taken).min(u64::from(SAMPLE_RATE));
                *taken = due; // more than a second late: the computer was suspended
                while frames > 0 {
                    let now = frames.min(block.len() as u64 / 2);
                    source.process(&mut block[..2 * now as usize]);
                    frames -= now;
                }
            }
            State::Silent { since, taken } => {
                (*since, *taken) = (Instant::now(), 0);
                source.process(&mut block); // long enough for the fade-out
            }
            State::Closed | State::Open { .. } | State::Waiting { .. } => source.process(&mut []),
        }
    }

    /// Opens the selected device or the default one, or publishes the error.
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
            let message = "the previous stream still holds the source; try again";
            cpal::Error::with_message(ErrorKind::DeviceBusy, message)
        })?;
        let output_adapter =
            match OutputAdapter::new(source, config.sample_rate, config.channels.into()) {
                Ok(output_adapter) => output_adapter,
                Err((source, message)) => {
                    self.source = Some(source);
                    return Err(cpal::Error::with_message(ErrorKind::UnsupportedConfig, message));
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

    /// Waits for the source of a dropped stream; some hosts end streams with a delay.
    fn recall_source(&mut self) {
        if self.source.is_none() {
            self.source = self.home.1.recv_timeout(Duration::from_secs(2)).ok();
        }
    }
}
