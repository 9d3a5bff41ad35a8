//! WAV through hound: 16- and 24-bit integers, 32-bit float.
//!
//! Integers are rounded to the nearest, without dither; see [`full_scale`] for their range.

use std::{fs::File, io, io::BufWriter};

use hound::{SampleFormat, WavSpec, WavWriter};

use super::Encoder;
use crate::engine::{CHANNELS, Depth, SAMPLE_RATE};

/// Bytes of the longest file: its sizes are numbers of 32 bits.
const MOST_BYTES: u64 = u32::MAX as u64;

/// Bytes before the samples, at most.
const HEADER_BYTES: u64 = 128;

/// Frames that one file holds at most.
pub fn most_frames(depth: Depth) -> u64 {
    (MOST_BYTES - HEADER_BYTES) / (CHANNELS as u64 * u64::from(bits(depth)) / 8)
}

/// The number that stands for a sample of 1 in an integer depth: one more than the largest there
/// is. `None` for float, which has no limit.
pub fn full_scale(depth: Depth) -> Option<f32> {
    match depth {
        Depth::Int16 | Depth::Int24 => Some((1u32 << (bits(depth) - 1)) as f32),
        Depth::Float32 => None,
    }
}

fn bits(depth: Depth) -> u16 {
    match depth {
        Depth::Int16 => 16,
        Depth::Int24 => 24,
        Depth::Float32 => 32,
    }
}

/// Writes the samples of one file.
pub struct Wav<'a> {
    writer: WavWriter<BufWriter<&'a File>>,
    full_scale: Option<f32>,
}

impl<'a> Wav<'a> {
    /// Begins a stereo file at [`SAMPLE_RATE`].
    ///
    /// # Errors
    /// What the disk says.
    pub fn new(file: &'a File, depth: Depth) -> io::Result<Self> {
        let sample_format = match depth {
            Depth::Int16 | Depth::Int24 => SampleFormat::Int,
            Depth::Float32 => SampleFormat::Float,
        };
        let spec = WavSpec {
            channels: CHANNELS as u16,
            sample_rate: SAMPLE_RATE,
            bits_per_sample: bits(depth),
            sample_format,
        };
        let writer = WavWriter::new(BufWriter::new(file), spec).map_err(io_error)?;
        Ok(Self { writer, full_scale: full_scale(depth) })
    }
}

impl Encoder for Wav<'_> {
    fn write(&mut self, interleaved: &[f32]) -> io::Result<()> {
        for &sample in interleaved {
            match self.full_scale {
                None => self.writer.write_sample(sample),
                Some(full_scale) => {
                    // In f64, where a 24-bit number and a half are exact. The caller's gain keeps
                    // samples in range; the limit is for what rounding adds.
                    let scale = f64::from(full_scale);
                    let value = (f64::from(sample) * scale).round().clamp(-scale, scale - 1.0);
                    self.writer.write_sample(value as i32)
                }
            }
            .map_err(io_error)?;
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> io::Result<()> {
        self.writer.finalize().map_err(io_error)
    }
}

fn io_error(error: hound::Error) -> io::Error {
    match error {
        hound::Error::IoError(error) => error,
        error => io::Error::other(error),
    }
}
