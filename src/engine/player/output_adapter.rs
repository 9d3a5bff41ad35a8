//! Adaptation of the source's 44.1 kHz stereo to the device's rate, channels and sample type. Runs
//! in the audio callback, so everything is allocated on creation.

use audioadapter_buffers::direct::InterleavedSlice;
use cpal::FromSample;
use rubato::{
    Async, FixedAsync, Resampler, SincInterpolationParameters, SincInterpolationType,
    WindowFunction,
};

use super::source::Source;
use crate::engine::types::{CHANNELS, SAMPLE_RATE};

/// Number of frames converted at once.
const CHUNK_FRAMES: usize = 256;

/// Adapter between the source and the device.
pub(super) struct OutputAdapter {
    source: Box<Source>,
    rate: Option<Rate>,
    channels: usize,
    stereo: Vec<f32>,
}

/// Conversion to any sample rate, without rounding the ratio.
struct Rate {
    resampler: Async<f32>,
    input: Vec<f32>,
    output: Vec<f32>,
    /// Frames of `output` that have been consumed.
    used: usize,
}

impl OutputAdapter {
    /// Creates an adapter for a device of `rate_hz` and `channels`. Returns the source if rubato
    /// rejects the rate.
    pub(super) fn new(
        source: Box<Source>,
        rate_hz: u32,
        channels: usize,
    ) -> Result<Self, (Box<Source>, String)> {
        let rate = match rate_hz {
            SAMPLE_RATE => None,
            _ => match Rate::new(rate_hz) {
                Ok(rate) => Some(rate),
                Err(error) => return Err((source, error)),
            },
        };
        Ok(Self { source, rate, channels: channels.max(1), stereo: vec![0.0; 2 * CHUNK_FRAMES] })
    }

    /// Returns the source.
    pub(super) fn into_source(self) -> Box<Source> {
        self.source
    }

    /// Fills the device's interleaved buffer.
    pub(super) fn fill<T: FromSample<f32> + Copy>(&mut self, out: &mut [T]) {
        let Self { source, rate, channels, stereo } = self;
        for part in out.chunks_mut(CHUNK_FRAMES * *channels) {
            let stereo = &mut stereo[..2 * (part.len() / *channels)];
            match rate {
                Some(rate) => rate.fill(source, stereo),
                None => source.process(stereo),
            }
            for (to, from) in part.chunks_exact_mut(*channels).zip(stereo.chunks_exact(2)) {
                match to {
                    [mono] => *mono = sample(0.5 * (from[0] + from[1])),
                    [left, right, others @ ..] => {
                        (*left, *right) = (sample(from[0]), sample(from[1]));
                        others.fill(T::from_sample_(0.0));
                    }
                    [] => {}
                }
            }
        }
    }
}

fn sample<T: FromSample<f32>>(value: f32) -> T {
    T::from_sample_(value.clamp(-1.0, 1.0))
}

impl Rate {
    fn new(rate_hz: u32) -> Result<Self, String> {
        let parameters = SincInterpolationParameters::new(128, WindowFunction::BlackmanHarris2)
            .oversampling_factor(256)
            .interpolation(SincInterpolationType::Cubic);
        let ratio = f64::from(rate_hz) / f64::from(SAMPLE_RATE);
        let fixed = FixedAsync::Output;
        let resampler = Async::new_sinc(ratio, 1.0, &parameters, CHUNK_FRAMES, CHANNELS, fixed)
            .map_err(|error| format!("the device's rate of {rate_hz} Hz: {error}"))?;
        Ok(Self {
            input: vec![0.0; CHANNELS * resampler.input_frames_max()],
            output: vec![0.0; CHANNELS * CHUNK_FRAMES],
            used: CHUNK_FRAMES,
            resampler,
        })
    }

    fn fill(&mut self, source: &mut Source, mut out: &mut [f32]) {
        while !out.is_empty() {
            if self.used == CHUNK_FRAMES {
                self.convert(source);
            }
            let (_, ready) = self.output.split_at(CHANNELS * self.used);
            let (now, later) = out.split_at_mut(out.len().min(ready.len()));
            now.copy_from_slice(&ready[..now.len()]);
            self.used += now.len() / CHANNELS;
            out = later;
        }
    }

    /// Converts the next chunk.
    fn convert(&mut self, source: &mut Source) {
        self.used = 0;
        let frames = self.resampler.input_frames_next();
        let input = &mut self.input[..CHANNELS * frames];
        source.process(input);
        let input = InterleavedSlice::new(&*input, CHANNELS, frames);
        let output = InterleavedSlice::new_mut(&mut self.output, CHANNELS, CHUNK_FRAMES);
        let (Ok(input), Ok(mut output)) = (input, output) else { return };
        if self.resampler.process_into_buffer(&input, &mut output, None).is_err() {
            self.output.fill(0.0); // cannot happen: the sizes are the resampler's own
        }
    }
}
