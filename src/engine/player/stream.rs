//! The stream: opens the sound device when playing starts, closes it when nothing has been played
//! for a while, opens it again when it was lost, and keeps the time when there is none. On its own
//! thread, because a stream may be bound to the thread that made it, and opening and closing one
//! may take long.

use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use cpal::{
    ErrorKind, SampleFormat, StreamConfig,
    traits::{DeviceTrait as _, HostTrait as _},
};
use crossbeam_channel::{Receiver, Sender, bounded};

use super::{
    Device,
    link::{Guest, Link, configs},
    mixer::Mixer,
    outlet::Outlet,
    shared::Shared,
};
use crate::engine::SAMPLE_RATE;

/// The device is closed after this long without playing, so that it may sleep.
const CLOSE_AFTER: Duration = Duration::from_secs(10);

/// A device that was lost is looked for again this often, this many times, while playing.
const REOPEN_EVERY: Duration = Duration::from_millis(400);
const REOPEN_TIMES: u32 = 5;

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

/// Names of the output devices, the default one first.
pub fn output_devices() -> Vec<String> {
    let host = cpal::default_host();
    let default = host.default_output_device().map(|device| device.to_string());
    let all = host.output_devices().into_iter().flatten().map(|device| device.to_string());
    let mut names: Vec<String> = default.into_iter().chain(all).collect();
    let mut seen = std::collections::HashSet::new();
    names.retain(|name| seen.insert(name.clone()));
    names
}

/// See the module.
pub(super) struct StreamOwner {
    shared: Arc<Shared>,
    wake: Receiver<()>,
    /// The mixer while no stream has it.
    mixer: Option<Box<Mixer>>,
    home: (Sender<Box<Mixer>>, Receiver<Box<Mixer>>),
    output: Output,
    /// Calls of play that have been answered.
    plays: u64,
    /// How often a lost device is still to be looked for.
    reopen: u32,
    buffer_frames: u32,
}

enum Output {
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
    /// No device; frames are taken by the clock.
    Silent { since: Instant, taken: u64, opened: Instant },
}

impl StreamOwner {
    pub(super) fn new(shared: Arc<Shared>, wake: Receiver<()>, mixer: Mixer) -> Self {
        let (mixer, output) = (Some(Box::new(mixer)), Output::Closed);
        let (plays, reopen, buffer_frames) = (0, 0, BUFFER_FRAMES);
        Self { shared, wake, mixer, home: bounded(1), output, plays, reopen, buffer_frames }
    }

    /// Works until the player is dropped.
    pub(super) fn run(mut self) {
        while !self.shared.wanted().quit {
            self.look_after();
            let wait = match &self.output {
                Output::Open { .. } if self.shared.is_playing() => Some(PLAYING_PERIOD),
                Output::Open { .. } => Some(PAUSED_PERIOD),
                Output::Silent { .. } if self.shared.is_playing() => Some(SILENT_PERIOD),
                Output::Closed | Output::Silent { .. } => None,
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
        let playing = self.shared.is_playing();
        match &mut self.output {
            Output::Open { link, used, beat } => {
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
                    self.close();
                    self.reopen = REOPEN_TIMES;
                    self.open();
                } else if idle || lost.is_some() {
                    self.close();
                    self.shared.set_device(&Device::Idle);
                }
            }
            Output::Closed if asked => self.open(),
            Output::Silent { .. } if asked => {
                self.reopen = 0;
                self.open();
            }
            Output::Silent { opened, .. }
                if self.reopen > 0 && opened.elapsed() >= REOPEN_EVERY =>
            {
                self.reopen -= 1;
                self.open();
            }
            Output::Closed | Output::Silent { .. } => {}
        }
        self.keep_time();
    }

    /// Without a device: takes what the clock says has been played, and the decks that arrived.
    fn keep_time(&mut self) {
        let Some(mixer) = self.mixer.as_mut() else { return };
        let mut block = [0.0; 1024];
        match &mut self.output {
            Output::Silent { since, taken, .. } if self.shared.is_playing() => {
                let due = (since.elapsed().as_secs_f64() * f64::from(SAMPLE_RATE)) as u64;
                let mut frames = due.saturating_sub(*taken).min(u64::from(SAMPLE_RATE));
                *taken = due; // more than a second late means that the computer slept
                while frames > 0 {
                    let now = frames.min(block.len() as u64 / 2);
                    mixer.process(&mut block[..2 * now as usize]);
                    frames -= now;
                }
            }
            Output::Silent { since, taken, .. } => {
                (*since, *taken) = (Instant::now(), 0);
                mixer.process(&mut block); // long enough to come to rest
            }
            Output::Closed | Output::Open { .. } => mixer.process(&mut []),
        }
    }

    /// Opens the default device, or says why not.
    fn open(&mut self) {
        self.output = Output::Closed;
        match self.try_open() {
            Ok((output, name)) => {
                self.output = output;
                self.reopen = 0;
                self.shared.set_device(&Device::Open(name));
            }
            Err(words) => {
                self.recall_mixer();
                let now = Instant::now();
                self.output = Output::Silent { since: now, taken: 0, opened: now };
                self.shared.latency_frames.store(0, Ordering::Relaxed);
                self.shared.set_device(&Device::Unavailable(words));
            }
        }
    }

    fn try_open(&mut self) -> Result<(Output, String), String> {
        let device = cpal::default_host()
            .default_output_device()
            .ok_or("this computer has no sound device")?;
        let name = device.description().map_or_else(
            |_| "Sound device".to_owned(),
            |description| description.name().to_owned(),
        );
        let failed = |error: &cpal::Error| format!("{name} cannot be opened: {error}");
        let mut last = format!("{name} takes no format this program can give");
        let configs = configs(&device, self.buffer_frames).map_err(|error| failed(&error))?;
        for config in configs {
            match self.connect(&device, config) {
                Ok(link) => {
                    let now = Instant::now();
                    return Ok((Output::Open { link, used: now, beat: (0, now) }, name));
                }
                Err(error) if error.kind() != ErrorKind::UnsupportedConfig => {
                    return Err(failed(&error));
                }
                Err(error) => last = failed(&error),
            }
            self.recall_mixer();
        }
        Err(last)
    }

    /// Lends the mixer to a stream of this configuration.
    fn connect(
        &mut self,
        device: &cpal::Device,
        (config, format): (StreamConfig, SampleFormat),
    ) -> Result<Link, cpal::Error> {
        self.recall_mixer();
        let mixer = self.mixer.take().ok_or_else(|| {
            let words = "it still holds on to what was played last; try again";
            cpal::Error::with_message(ErrorKind::DeviceBusy, words)
        })?;
        let outlet = match Outlet::new(mixer, config.sample_rate, config.channels.into()) {
            Ok(outlet) => outlet,
            Err((mixer, words)) => {
                self.mixer = Some(mixer);
                return Err(cpal::Error::with_message(ErrorKind::UnsupportedConfig, words));
            }
        };
        let guest = Guest::new(outlet, self.home.0.clone());
        Link::open(device, (config, format), guest, Arc::clone(&self.shared))
    }

    /// Closes the device and takes the mixer back.
    fn close(&mut self) {
        if let Output::Open { link, .. } = std::mem::replace(&mut self.output, Output::Closed) {
            drop(link);
            self.recall_mixer();
            self.shared.latency_frames.store(0, Ordering::Relaxed);
        }
    }

    /// Waits for the mixer of a stream that was dropped; some hosts end theirs a little later.
    fn recall_mixer(&mut self) {
        if self.mixer.is_none() {
            self.mixer = self.home.1.recv_timeout(Duration::from_secs(2)).ok();
        }
    }
}
