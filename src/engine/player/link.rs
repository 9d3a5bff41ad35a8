//! The link to a sound device: one stream with its two callbacks, and the choice of its format. The
//! data callback runs on the device's thread and must never block. It borrows the output adapter,
//! and with it the source, which returns when the stream ends.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU32, Ordering},
};

use cpal::{
    ErrorKind, FromSample, SampleFormat, SizedSample, Stream, StreamConfig, SupportedStreamConfig,
    traits::{DeviceTrait as _, StreamTrait as _},
};
use crossbeam_channel::{Receiver, Sender, bounded};

use super::{output_adapter::OutputAdapter, shared::Shared, source::Source};
use crate::engine::types::SAMPLE_RATE;

/// Sample formats in order of preference.
const FORMATS: [SampleFormat; 7] = [
    SampleFormat::F32,
    SampleFormat::I32,
    SampleFormat::I24,
    SampleFormat::I16,
    SampleFormat::F64,
    SampleFormat::U16,
    SampleFormat::U8,
];

/// A running stream.
pub(super) struct Link {
    /// The stream plays until it is dropped.
    _stream: Stream,
    lost: Receiver<cpal::Error>,
    beats: Arc<AtomicU32>,
    ran_out: Arc<AtomicBool>,
}

impl Link {
    /// Opens and starts a stream that draws from `guest`.
    pub(super) fn open(
        device: &cpal::Device,
        (config, format): (StreamConfig, SampleFormat),
        guest: LentSource,
        shared: Arc<Shared>,
    ) -> Result<Self, cpal::Error> {
        tracing::debug!(?config, ?format, "opening the sound device");
        let (errors, lost) = bounded(4);
        let beats = Arc::new(AtomicU32::new(0));
        let ran_out = Arc::new(AtomicBool::new(false));
        let signs = (Arc::clone(&beats), Arc::clone(&ran_out));
        let plumbing = Plumbing { shared, guest, errors, signs };
        let stream = match format {
            SampleFormat::F32 => plumbing.build::<f32>(device, config),
            SampleFormat::F64 => plumbing.build::<f64>(device, config),
            SampleFormat::I16 => plumbing.build::<i16>(device, config),
            SampleFormat::I24 => plumbing.build::<cpal::I24>(device, config),
            SampleFormat::I32 => plumbing.build::<i32>(device, config),
            SampleFormat::U16 => plumbing.build::<u16>(device, config),
            SampleFormat::U8 => plumbing.build::<u8>(device, config),
            _ => Err(ErrorKind::UnsupportedConfig.into()),
        }?;
        stream.play()?;
        Ok(Self { _stream: stream, lost, beats, ran_out })
    }

    /// Error with which the device was lost, if any.
    pub(super) fn lost(&self) -> Option<cpal::Error> {
        self.lost.try_recv().ok()
    }

    /// Counter that changes whenever the device requests sound.
    pub(super) fn beat(&self) -> u32 {
        self.beats.load(Ordering::Relaxed)
    }

    /// Whether the device ran out of sound and has not requested any since.
    pub(super) fn ran_out(&self) -> bool {
        self.ran_out.load(Ordering::Relaxed)
    }
}

/// The source on loan to a stream; returned when the stream's callback is dropped.
pub(super) struct LentSource {
    output_adapter: Option<OutputAdapter>,
    home: Sender<Box<Source>>,
}

impl LentSource {
    pub(super) fn new(output_adapter: OutputAdapter, home: Sender<Box<Source>>) -> Self {
        Self { output_adapter: Some(output_adapter), home }
    }
}

impl Drop for LentSource {
    fn drop(&mut self) {
        if let Some(output_adapter) = self.output_adapter.take() {
            // There is only one source, so the channel has room. If the owner is gone, the source
            // may be dropped.
            self.home.try_send(output_adapter.into_source()).ok();
        }
    }
}

/// State that the two callbacks of a stream need.
struct Plumbing {
    shared: Arc<Shared>,
    guest: LentSource,
    errors: Sender<cpal::Error>,
    /// Values of [`Link::beat`] and [`Link::ran_out`].
    signs: (Arc<AtomicU32>, Arc<AtomicBool>),
}

impl Plumbing {
    fn build<T: SizedSample + FromSample<f32>>(
        self,
        device: &cpal::Device,
        config: StreamConfig,
    ) -> Result<Stream, cpal::Error> {
        let Self { shared, mut guest, errors, signs } = self;
        let (beats, ran_out) = signs;
        let runs_out = Arc::clone(&ran_out);
        let (channels, rate_hz) = (f64::from(config.channels), f64::from(config.sample_rate));
        let latencies = Arc::clone(&shared);
        let data = move |out: &mut [T], info: &cpal::OutputCallbackInfo| {
            let times = info.timestamp();
            let ahead = times.playback.duration_since(times.callback).as_secs_f64();
            let block = out.len() as f64 / channels / rate_hz;
            let frames = (ahead + block) * f64::from(SAMPLE_RATE);
            latencies.latency_frames.store(frames as u32, Ordering::Relaxed);
            beats.fetch_add(1, Ordering::Relaxed);
            ran_out.store(false, Ordering::Relaxed);
            if let Some(output_adapter) = guest.output_adapter.as_mut() {
                output_adapter.fill(out);
            }
        };
        let error = move |error: cpal::Error| match error.kind() {
            ErrorKind::Xrun => {
                shared.underruns.fetch_add(1, Ordering::Relaxed);
                runs_out.store(true, Ordering::Relaxed);
            }
            ErrorKind::DeviceChanged | ErrorKind::RealtimeDenied => {}
            _ => {
                errors.try_send(error).ok(); // one error suffices to reopen the device
                shared.wake_stream();
            }
        };
        device.build_output_stream(config, data, error, None)
    }
}

/// Lists the configurations to try, the best first: 44.1 kHz stereo in the best format, then the
/// device's own. `buffer_frames` is relative to 44.1 kHz.
pub(super) fn configs(
    device: &cpal::Device,
    buffer_frames: u32,
) -> Result<Vec<(StreamConfig, SampleFormat)>, cpal::Error> {
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
            [buffered(&config, buffer_frames), plain].map(|config| (config, format))
        })
        .collect())
}

/// Sets a buffer of that duration, within the device's limits.
fn buffered(config: &SupportedStreamConfig, buffer_frames: u32) -> StreamConfig {
    let times = (config.sample_rate() / SAMPLE_RATE).max(1);
    let buffer_size = match *config.buffer_size() {
        cpal::SupportedBufferSize::Range { min, max } if min <= max => {
            cpal::BufferSize::Fixed((buffer_frames * times).clamp(min, max))
        }
        _ => cpal::BufferSize::Default,
    };
    StreamConfig { buffer_size, ..config.config() }
}
