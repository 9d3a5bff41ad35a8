//! MP3: lossy, playable everywhere.
//!
//! LAME encodes. At the end, it replaces the first frame by its info tag. The tag holds the padding
//! at both ends, so that playback is gapless and exact, and a seek table.
//!
//! Sources: ISO/IEC 11172-3; the "MP3 Info Tag" of LAME, revision 1; ID3v2.4.0.

use std::{
    fs::File,
    io::{self, BufWriter, Seek as _, SeekFrom, Write as _},
    num::NonZero,
};

use mp3lame_encoder::{
    Builder, FlushGap, InterleavedPcm, MonoPcm, Quality, VbrMode, max_required_buffer_size,
};

use super::{Encoder, Format, Keeps, Samples, Spec, Streams, wrong_samples};
use crate::engine::export::Tags;

/// The MP3 format.
pub static FORMAT: Format = Format {
    id: "mp3",
    name: "MP3",
    extension: "mp3",
    keeps: Keeps::Roughly(MOST_KILOBITS),
    rate: |rate| RATES.into_iter().find(|&known| known >= rate).unwrap_or(RATES[2]),
    streams: Streams::One,
    copies: 1,
    begin: |file, spec, tags| Ok(Box::new(Mp3::new(file, spec, tags)?)),
};

/// Sample rates of MPEG-1 in Hz; the lower rates of MPEG-2 sound worse.
const RATES: [u32; 3] = [32_000, 44_100, 48_000];

/// Maximum bit rate of a frame, in kbit/s.
const MOST_KILOBITS: u32 = 320;

struct Mp3 {
    encoder: mp3lame_encoder::Encoder,
    file: BufWriter<File>,
    channels: usize,
    encoded: Vec<u8>,
    /// Offset of the first frame, which LAME reserves for the info tag.
    note_at: u64,
}

impl Mp3 {
    fn new(file: File, spec: &Spec, tags: &Tags) -> io::Result<Self> {
        let channels = spec.channels.min(2) as u8;
        let new = |builder: Builder| {
            builder
                .with_num_channels(channels)?
                .with_sample_rate(spec.rate)?
                .with_output_sample_rate(NonZero::new(spec.rate))?
                .with_to_write_vbr_tag(true)?
                // "V0" is the best variable rate: transparent at three quarters of 320 kbit/s,
                // which only demanding passages need.
                .with_vbr_mode(VbrMode::Mtrh)?
                .with_vbr_quality(Quality::Best)?
                .build()
        };
        let builder = Builder::new().ok_or(io::ErrorKind::OutOfMemory)?;
        let encoder = new(builder).map_err(in_io)?;
        let id3v2 = tags.id3v2()?;
        let mut file = BufWriter::with_capacity(1 << 16, file);
        file.write_all(&id3v2)?;
        let note_at = id3v2.len() as u64;
        Ok(Self { encoder, file, channels: channels.into(), encoded: Vec::new(), note_at })
    }
}

impl Encoder for Mp3 {
    fn write(&mut self, _stream: usize, samples: Samples<'_>) -> io::Result<()> {
        let Samples::Float(samples) = samples else {
            return Err(wrong_samples());
        };
        self.encoded.clear();
        self.encoded.reserve(max_required_buffer_size(samples.len() / self.channels));
        if self.channels == 1 {
            self.encoder.encode_to_vec(MonoPcm(samples), &mut self.encoded)
        } else {
            self.encoder.encode_to_vec(InterleavedPcm(samples), &mut self.encoded)
        }
        .map_err(in_io)?;
        self.file.write_all(&self.encoded)
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        self.encoded.clear();
        self.encoded.reserve(max_required_buffer_size(0));
        self.encoder.flush_to_vec::<FlushGap>(&mut self.encoded).map_err(in_io)?;
        self.file.write_all(&self.encoded)?;
        self.encoded.clear();
        self.encoded.reserve(self.encoder.lame_tag_size());
        if self.encoder.lame_tag_encode_to_vec(&mut self.encoded).is_none() {
            return Err(io::Error::other("LAME returned no info tag"));
        }
        self.file.seek(SeekFrom::Start(self.note_at))?;
        self.file.write_all(&self.encoded)?;
        self.file.flush()
    }
}

fn in_io(error: impl std::fmt::Display) -> io::Error {
    io::Error::other(format!("LAME: {error}"))
}
