//! Opus in Ogg: lossy, at 48 kHz, in packets of 20 ms.
//!
//! libopus encodes, as it decodes on import; the `ogg` crate writes the pages. Players skip the
//! encoder's padding at both ends, so the length is exact to the frame.
//!
//! Sources: RFC 6716 (the codec), RFC 7845 (in Ogg).

use std::{
    fs::File,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    io::{self, BufWriter, Write as _},
};

use ogg::{PacketWriteEndInfo, PacketWriter};
use opusic_c::{Application, Bitrate, Channels, ErrorCode, SampleRate, Signal};

use super::{Encoder, Format, Keeps, Samples, Spec, Streams, wrong_samples};
use crate::engine::export::Tags;

/// The Opus format.
pub static FORMAT: Format = Format {
    id: "opus",
    name: "Opus",
    extension: "opus",
    keeps: Keeps::Roughly(MOST_KILOBITS),
    rate: |_| RATE,
    streams: Streams::One,
    copies: 1,
    begin: |file, spec, tags| Ok(Box::new(Opus::new(file, spec, tags)?)),
};

/// Sample rate in Hz: the codec's native clock, and its only full-quality rate.
const RATE: u32 = 48_000;

/// Frames per packet: 20 ms, for which the codec is tuned.
const PACKET_FRAMES: u64 = 960;

/// Maximum length of a packet in bytes (RFC 6716, section 3.4).
const LONGEST_PACKET: usize = 1276;

/// Upper bound of the bit rate: fifty packets of maximum length per second, plus page headers.
const MOST_KILOBITS: u32 = 516;

/// Average bits per second and channel. Stereo at 160 kbit/s is already transparent to listeners;
/// the rest is a reserve, because a solo stem masks less than a mix.
const CHANNEL_BITS: u32 = 96_000;

/// Packets per page: one second. Players seek by pages.
const PAGE_PACKETS: u64 = 50;

struct Opus {
    encoder: opusic_c::Encoder,
    pages: PacketWriter<'static, BufWriter<File>>,
    serial: u32,
    channels: usize,
    /// Samples that do not yet fill a packet.
    waiting: Vec<f32>,
    /// The last packet, held back because its page flags depend on whether another follows.
    held: Option<Vec<u8>>,
    packets: u64,
    frames: u64,
    /// Frames of padding at the start.
    pre_skip: u16,
}

impl Opus {
    fn new(file: File, spec: &Spec, tags: &Tags) -> io::Result<Self> {
        let (layout, channels) = match spec.channels {
            1 => (Channels::Mono, 1),
            _ => (Channels::Stereo, 2),
        };
        let new = || {
            let mut encoder =
                opusic_c::Encoder::new(layout, SampleRate::Hz48000, Application::Audio)?;
            encoder.set_bitrate(Bitrate::Value(CHANNEL_BITS * channels))?;
            encoder.set_vbr(true)?;
            encoder.set_vbr_constraint(false)?;
            encoder.set_complexity(10)?;
            encoder.set_signal(Signal::Music)?;
            let pre_skip = encoder.get_look_ahead()?;
            Ok((encoder, pre_skip))
        };
        let (encoder, pre_skip) = new().map_err(in_io)?;
        let pre_skip = u16::try_from(pre_skip).map_err(io::Error::other)?;
        // The serial number distinguishes streams that are multiplexed into one file.
        let mut hasher = DefaultHasher::new();
        (tags.title(), tags.artist(), spec.frames).hash(&mut hasher);
        let mut opus = Self {
            encoder,
            pages: PacketWriter::new(BufWriter::with_capacity(1 << 16, file)),
            serial: hasher.finish() as u32,
            channels: channels as usize,
            waiting: Vec::new(),
            held: None,
            packets: 0,
            frames: 0,
            pre_skip,
        };
        opus.put(head(channels as u8, pre_skip), PacketWriteEndInfo::EndPage, 0)?;
        opus.put(comments(tags), PacketWriteEndInfo::EndPage, 0)?;
        Ok(opus)
    }

    fn put(&mut self, packet: Vec<u8>, end: PacketWriteEndInfo, position: u64) -> io::Result<()> {
        self.pages.write_packet(packet, self.serial, end, position)
    }

    /// Encodes the complete packets among the waiting samples.
    fn encode(&mut self) -> io::Result<()> {
        let samples = PACKET_FRAMES as usize * self.channels;
        let waiting = std::mem::take(&mut self.waiting);
        let blocks = waiting.chunks_exact(samples);
        let rest = blocks.remainder().to_vec();
        for block in blocks {
            if let Some(packet) = self.held.take() {
                let is_full = self.packets.is_multiple_of(PAGE_PACKETS);
                let end = if is_full {
                    PacketWriteEndInfo::EndPage
                } else {
                    PacketWriteEndInfo::NormalPacket
                };
                self.put(packet, end, self.packets * PACKET_FRAMES)?;
            }
            let mut packet = Vec::with_capacity(LONGEST_PACKET);
            self.encoder.encode_float_to_vec(block, &mut packet).map_err(in_io)?;
            self.held = Some(packet);
            self.packets += 1;
        }
        self.waiting = rest;
        Ok(())
    }
}

impl Encoder for Opus {
    fn write(&mut self, _stream: usize, samples: Samples<'_>) -> io::Result<()> {
        let Samples::Float(samples) = samples else {
            return Err(wrong_samples());
        };
        self.frames += (samples.len() / self.channels) as u64;
        self.waiting.extend_from_slice(samples);
        self.encode()
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        // The encoder delays its input by the pre-skip, so feed as much silence to flush the last
        // frames.
        let length = self.frames + u64::from(self.pre_skip);
        let missing = length.next_multiple_of(PACKET_FRAMES) - self.packets * PACKET_FRAMES;
        self.waiting.resize(missing as usize * self.channels, 0.0);
        self.encode()?;
        if let Some(packet) = self.held.take() {
            self.put(packet, PacketWriteEndInfo::EndStream, length)?;
        }
        self.pages.inner_mut().flush()
    }
}

/// Builds the identification header.
fn head(channels: u8, pre_skip: u16) -> Vec<u8> {
    const VERSION: u8 = 1;
    let mut packet = b"OpusHead".to_vec();
    packet.extend([VERSION, channels]);
    packet.extend(pre_skip.to_le_bytes());
    packet.extend(RATE.to_le_bytes());
    packet.extend([0; 3]); // no gain; standard mapping of one or two channels
    packet
}

/// Builds the comment header.
fn comments(tags: &Tags) -> Vec<u8> {
    let mut texts: Vec<String> =
        tags.vorbis_comments().iter().map(|(name, value)| format!("{name}={value}")).collect();
    for (picture, size) in tags.pictures() {
        let block = picture.as_flac_bytes(*size, true);
        texts.push(format!("METADATA_BLOCK_PICTURE={}", String::from_utf8_lossy(&block)));
    }
    let mut packet = b"OpusTags".to_vec();
    put_text(&mut packet, opusic_c::version());
    packet.extend((texts.len() as u32).to_le_bytes());
    for text in &texts {
        put_text(&mut packet, text);
    }
    packet
}

fn put_text(packet: &mut Vec<u8>, text: &str) {
    packet.extend((text.len() as u32).to_le_bytes());
    packet.extend(text.as_bytes());
}

fn in_io(error: ErrorCode) -> io::Error {
    io::Error::other(format!("libopus: {}", error.message()))
}
