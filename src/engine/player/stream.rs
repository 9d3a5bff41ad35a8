//! The stream: opens the sound device when playing starts, closes it when nothing has been played
//! for a while, opens it again when it was lost, and keeps the time when there is none. On its own
//! thread, because a stream may be bound to the thread that made it, and opening and closing one
//! may take long.

use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use cpal::{
    ErrorKind, FromSample, SampleFormat, SizedSample, Stream, StreamConfig, SupportedStreamConfig,
    traits::{DeviceTrait as _, HostTrait as _, StreamTrait as _},
};
use crossbeam_channel::{Receiver, Sender, bounded};

use super::{Device, mixer::Mixer, outlet::Outlet, shared::Shared};
use crate::engine::SAMPLE_RATE;

/// The device is closed after this long without playing, so that it may sleep.
const CLOSE_AFTER: Duration = Duration::from_secs(10);

/// A device that was lost is looked for again this often, this many times, while playing.
const REOPEN_EVERY: Duration = Duration::from_millis(400);
const REOPEN_TIMES: u32 = 5;

/// How often time moves on without a device.
const SILENT_PERIOD: Duration = Duration::from_millis(10);

/// Frames of a device's buffer at 44.1 kHz: 23 ms, and as much again in hand.
const BUFFER_FRAMES: u32 = 1024;

/// Formats in order of preference.
const FORMATS: [SampleFormat; 7] = [
    SampleFormat::F32,
    SampleFormat::I32,
    SampleFormat::I24,
    SampleFormat::I16,
    SampleFormat::F64,
    SampleFormat::U16,
    SampleFormat::U8,
];

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
    reopen: u32,
}

enum Output {
    /// Nothing was played yet, or not for a while.
    Closed,
    /// The device plays.
    Open { stream: Stream, lost: Receiver<cpal::Error>, used: Instant },
    /// No device; frames are taken by the clock.
    Silent { since: Instant, taken: u64, opened: Instant },
}

impl StreamOwner {
    pub(super) fn new(shared: Arc<Shared>, wake: Receiver<()>, mixer: Mixer) -> Self {
        let (mixer, output) = (Some(Box::new(mixer)), Output::Closed);
        Self { shared, wake, mixer, home: bounded(1), output, plays: 0, reopen: 0 }
    }

    /// Works until the player is dropped.
    pub(super) fn run(mut self) {
        while !self.shared.wanted().quit {
            self.look_after();
            let wait = match &self.output {
                Output::Open { .. } => Some(Duration::from_secs(1)),
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
            Output::Open { lost, used, .. } => {
                if playing {
                    *used = Instant::now();
                }
                let idle = used.elapsed() >= CLOSE_AFTER;
                if let Ok(error) = lost.try_recv() {
                    tracing::warn!("the sound device was lost: {error}");
                    self.close();
                    self.reopen = REOPEN_TIMES;
                    self.open();
                } else if idle {
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
        for (config, format) in configs(&device).map_err(|error| failed(&error))? {
            let (tell, lost) = bounded(4);
            match self.build(&device, config, format, tell) {
                Ok(stream) => match stream.play() {
                    Ok(()) => {
                        let used = Instant::now();
                        return Ok((Output::Open { stream, lost, used }, name));
                    }
                    Err(error) => last = failed(&error),
                },
                Err(error) if error.kind() != ErrorKind::UnsupportedConfig => {
                    return Err(failed(&error));
                }
                Err(error) => last = failed(&error),
            }
            self.recall_mixer();
        }
        Err(last)
    }

    fn build(
        &mut self,
        device: &cpal::Device,
        config: StreamConfig,
        format: SampleFormat,
        lost: Sender<cpal::Error>,
    ) -> Result<Stream, cpal::Error> {
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
        let guest = Guest { outlet: Some(outlet), home: self.home.0.clone() };
        let plumbing = Plumbing { shared: Arc::clone(&self.shared), guest, lost };
        match format {
            SampleFormat::F32 => plumbing.build::<f32>(device, config),
            SampleFormat::F64 => plumbing.build::<f64>(device, config),
            SampleFormat::I16 => plumbing.build::<i16>(device, config),
            SampleFormat::I24 => plumbing.build::<cpal::I24>(device, config),
            SampleFormat::I32 => plumbing.build::<i32>(device, config),
            SampleFormat::U16 => plumbing.build::<u16>(device, config),
            SampleFormat::U8 => plumbing.build::<u8>(device, config),
            _ => Err(ErrorKind::UnsupportedConfig.into()),
        }
    }

    /// Closes the device and takes the mixer back.
    fn close(&mut self) {
        if let Output::Open { stream, .. } = std::mem::replace(&mut self.output, Output::Closed) {
            drop(stream);
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

/// The mixer's stay in a stream: when the stream's callback is dropped, it goes home.
struct Guest {
    outlet: Option<Outlet>,
    home: Sender<Box<Mixer>>,
}

impl Drop for Guest {
    fn drop(&mut self) {
        if let Some(outlet) = self.outlet.take() {
            // There is one mixer, so there is always room; if nobody is at home it may go.
            self.home.try_send(outlet.into_mixer()).ok();
        }
    }
}

/// What the two callbacks of a stream need.
struct Plumbing {
    shared: Arc<Shared>,
    guest: Guest,
    lost: Sender<cpal::Error>,
}

impl Plumbing {
    fn build<T: SizedSample + FromSample<f32>>(
        self,
        device: &cpal::Device,
        config: StreamConfig,
    ) -> Result<Stream, cpal::Error> {
        let Self { shared, mut guest, lost } = self;
        let (channels, rate_hz) = (f64::from(config.channels), f64::from(config.sample_rate));
        let latencies = Arc::clone(&shared);
        let data = move |out: &mut [T], info: &cpal::OutputCallbackInfo| {
            let times = info.timestamp();
            let ahead = times.playback.duration_since(times.callback).as_secs_f64();
            let block = out.len() as f64 / channels / rate_hz;
            let frames = (ahead + block) * f64::from(SAMPLE_RATE);
            latencies.latency_frames.store(frames as u32, Ordering::Relaxed);
            if let Some(outlet) = guest.outlet.as_mut() {
                outlet.fill(out);
            }
        };
        let error = move |error: cpal::Error| match error.kind() {
            ErrorKind::Xrun => {
                shared.underruns.fetch_add(1, Ordering::Relaxed);
            }
            ErrorKind::DeviceChanged | ErrorKind::RealtimeDenied => {}
            _ => {
                lost.try_send(error).ok(); // one is enough to open the device again
                shared.wake_stream();
            }
        };
        tracing::debug!(?config, "opening the sound device");
        device.build_output_stream(config, data, error, None)
    }
}

/// Configurations to try, the best first: 44.1 kHz stereo in the best format, then the device's own.
fn configs(device: &cpal::Device) -> Result<Vec<(StreamConfig, SampleFormat)>, cpal::Error> {
    let rank = |format| FORMATS.iter().position(|&known| known == format);
    let mut direct: Vec<SupportedStreamConfig> = device
        .supported_output_configs()?
        .filter(|range| range.channels() == 2 && rank(range.sample_format()).is_some())
        .filter_map(|range| range.try_with_sample_rate(SAMPLE_RATE))
        .collect();
    direct.sort_by_key(|config| rank(config.sample_format()));
    direct.dedup_by_key(|config| config.sample_format());
    let own = device.default_output_config();
    let found = direct.into_iter().chain(own.ok());
    Ok(found
        .flat_map(|config| {
            let format = config.sample_format();
            let plain = config.config();
            [buffered(&config), plain].map(|config| (config, format))
        })
        .collect())
}

/// `config` with a buffer of the usual duration, within what the device allows.
fn buffered(config: &SupportedStreamConfig) -> StreamConfig {
    let times = (config.sample_rate() / SAMPLE_RATE).max(1);
    let buffer_size = match *config.buffer_size() {
        cpal::SupportedBufferSize::Range { min, max } if min <= max => {
            cpal::BufferSize::Fixed((BUFFER_FRAMES * times).clamp(min, max))
        }
        _ => cpal::BufferSize::Default,
    };
    StreamConfig { buffer_size, ..config.config() }
}
