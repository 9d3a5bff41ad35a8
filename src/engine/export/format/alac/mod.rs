//! ALAC, Apple's lossless format, in an M4A file: integers of 16 and 24 bits, of any length.
//!
//! The codec is implemented here. The only crate that encodes ALAC supports 16 bits only, and it
//! writes past its buffer when a packet begins quietly and gets loud. [`Mp4`] writes the container.
//!
//! Source: Apple's "`ALACMagicCookieDescription`" (ALAC in MP4).

mod codec;
#[cfg(test)]
pub(super) mod tests;

use std::{
    fs::File,
    io::{self, BufWriter, Seek, Write},
};

use self::codec::{Codec, PACKET_FRAMES};
use super::{
    Encoder, Format, Keeps, Samples, Spec, Streams,
    mp4::{self, Mp4},
    wrong_samples,
};
use crate::engine::types::Depth;

/// The ALAC format.
pub static FORMAT: Format = Format {
    id: "alac",
    name: "ALAC",
    extension: "m4a",
    keeps: Keeps::Exactly(&[Depth::Int24, Depth::Int16]),
    rate: |rate| rate,
    streams: Streams::One,
    copies: 1,
    begin: |file, spec, tags| {
        let mut user_data = Vec::new();
        mp4::meta(&mut user_data, &tags.ilst()?);
        let tracks = [(tags.title(), true)];
        Ok(Box::new(Alac::new(buffered(file), spec, tracks, user_data, mp4::LONGEST_SHORT)?))
    },
};

/// A file with one or more ALAC tracks.
pub(super) struct Alac<W> {
    mp4: Mp4<W>,
    tracks: Vec<Track>,
    channels: u16,
    bits: u16,
    rate: u32,
    user_data: Vec<u8>,
}

struct Track {
    codec: Codec,
    /// Samples that do not yet fill a packet, interleaved.
    waiting: Vec<i32>,
}

pub(super) fn buffered(file: File) -> BufWriter<File> {
    BufWriter::with_capacity(1 << 16, file)
}

impl<W: Write + Seek> Alac<W> {
    /// Begins a file with the named tracks, each enabled or not. `user_data` consists of complete
    /// boxes.
    pub(super) fn new(
        out: W,
        spec: &Spec,
        tracks: impl IntoIterator<Item = (String, bool)>,
        user_data: Vec<u8>,
        longest_short: u64,
    ) -> io::Result<Self> {
        let bits = match spec.depth {
            Depth::Int16 | Depth::Int24 => spec.depth.bits(),
            Depth::Float32 => return Err(wrong_samples()),
        };
        if !matches!(spec.channels, 1 | 2) {
            return Err(invalid("ALAC needs one or two channels"));
        }
        let named: Vec<_> = tracks.into_iter().collect();
        let tracks = named.iter().map(|_| Track::new(spec.channels, bits)).collect();
        let mp4 = Mp4::new(out, spec.rate, PACKET_FRAMES as u32, named, longest_short)?;
        Ok(Self { mp4, tracks, channels: spec.channels, bits, rate: spec.rate, user_data })
    }

    /// Codes complete packets of the waiting samples; if `is_last`, also the final short packet.
    fn code(&mut self, stream: usize, is_last: bool) -> io::Result<()> {
        let channels = usize::from(self.channels);
        let track = self.tracks.get_mut(stream).ok_or_else(|| invalid("no such stream"))?;
        let whole = track.waiting.len() / (PACKET_FRAMES * channels) * PACKET_FRAMES * channels;
        let ready = if is_last { track.waiting.len() } else { whole };
        for samples in track.waiting[..ready].chunks(PACKET_FRAMES * channels) {
            let frames = (samples.len() / channels) as u32;
            self.mp4.packet(stream, frames, track.codec.encode(samples))?;
        }
        track.waiting.drain(..ready);
        Ok(())
    }
}

impl<W: Write + Seek> Encoder for Alac<W> {
    fn write(&mut self, stream: usize, samples: Samples<'_>) -> io::Result<()> {
        let Samples::Int(samples) = samples else { return Err(wrong_samples()) };
        if !samples.len().is_multiple_of(usize::from(self.channels)) {
            return Err(invalid("incomplete frame"));
        }
        let track = self.tracks.get_mut(stream).ok_or_else(|| invalid("no such stream"))?;
        track.waiting.extend_from_slice(samples);
        self.code(stream, false)
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        for stream in 0..self.tracks.len() {
            self.code(stream, true)?;
        }
        let Self { mp4, tracks, channels, bits, rate, user_data } = *self;
        let describe = |track: usize, written: mp4::Written| {
            let seconds = written.frames.max(1) as f64 / f64::from(rate.max(1));
            let average = (written.bytes as f64 * 8.0 / seconds).round() as u32;
            let cookie = tracks
                .get(track)
                .map(|track| track.codec.cookie(rate, written.longest, average))
                .unwrap_or_default();
            sample_entry(channels, bits, rate, &cookie)
        };
        mp4.finish(describe, &user_data)
    }
}

impl Track {
    fn new(channels: u16, bits: u16) -> Self {
        Self { codec: Codec::new(channels, bits), waiting: Vec::new() }
    }
}

/// Builds the MP4 sample entry of an ALAC track.
fn sample_entry(channels: u16, bits: u16, rate: u32, cookie: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    mp4::nest(&mut out, *b"alac", |out| {
        out.extend([0; 6]);
        out.extend(1_u16.to_be_bytes()); // the data is in this file
        out.extend([0; 8]);
        out.extend(channels.to_be_bytes());
        out.extend(bits.to_be_bytes());
        out.extend([0; 4]);
        // A rate above this field's range is only in the cookie.
        out.extend(u16::try_from(rate).unwrap_or(0).to_be_bytes());
        out.extend([0; 2]);
        mp4::nest(out, *b"alac", |out| {
            mp4::put(out, &[0]);
            out.extend(cookie);
        });
    });
    out
}

pub(super) fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, what)
}
