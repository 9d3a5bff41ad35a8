//! Source of packets: Symphonia's readers, or [`super::mpeg`].

use symphonia::core::{
    audio::{Channels, Position},
    codecs::audio::{
        AudioCodecParameters,
        well_known::{CODEC_ID_AAC, CODEC_ID_MP1, CODEC_ID_MP2, CODEC_ID_MP3},
    },
    errors::{Error, Result},
    formats::FormatReader,
    packet::Packet,
    units::{Duration, Timestamp},
};

use super::{
    file::Counted,
    mpeg::{First, Frames, Item},
};

/// Reader of packets.
pub enum Packets {
    /// Demuxer of a container.
    Symphonia(Box<dyn FormatReader>),
    /// Stream of bare frames, and the time of the next one.
    Frames(Box<Frames<Counted>>, u64),
}

/// Result of reading a packet.
pub enum Next {
    /// A packet of any track.
    Packet(Packet),
    /// Damaged bytes instead of this many frames of sound.
    Lost(u64),
    /// The start of a chained stream with its own headers.
    Reset,
    /// The regular end.
    End,
    /// The end of the file within a packet.
    CutOff,
}

impl Packets {
    /// Whether the stream, read to its end, contradicts its encoder's checksum.
    pub fn is_altered(&self) -> bool {
        matches!(self, Self::Frames(frames, _) if frames.is_altered())
    }

    /// Reads the next packet or its replacement.
    ///
    /// # Errors
    /// Errors of the reader: of the disk, or of the file's structure.
    pub fn next(&mut self) -> Result<Next> {
        match self {
            Self::Symphonia(reader) => match reader.next_packet() {
                Ok(Some(packet)) => Ok(Next::Packet(packet)),
                Ok(None) => Ok(Next::End),
                Err(Error::ResetRequired) => Ok(Next::Reset),
                Err(Error::IoError(error)) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                    Ok(Next::CutOff)
                }
                Err(error) => Err(error),
            },
            Self::Frames(frames, at) => Ok(match frames.next()? {
                Item::Frame { bytes, frames } => {
                    let pts = Timestamp::from(i64::try_from(*at).unwrap_or(i64::MAX));
                    *at += frames;
                    Next::Packet(Packet::new(0, pts, Duration::from(frames), bytes))
                }
                Item::Lost(frames) => {
                    *at += frames;
                    Next::Lost(frames)
                }
                Item::CutOff => Next::CutOff,
                Item::End => Next::End,
            }),
        }
    }
}

/// Codec parameters of a stream of bare frames.
pub fn codec_of(first: First) -> AudioCodecParameters {
    let id = match first.layer {
        1 => CODEC_ID_MP1,
        2 => CODEC_ID_MP2,
        3 => CODEC_ID_MP3,
        _ => CODEC_ID_AAC,
    };
    let mut codec = AudioCodecParameters::new();
    codec.for_codec(id).with_sample_rate(first.rate).with_max_frames_per_packet(first.frames);
    let positions = match first.channels {
        1 => Some(Position::FRONT_LEFT),
        2 => Some(Position::FRONT_LEFT | Position::FRONT_RIGHT),
        _ => None,
    };
    if let Some(positions) = positions {
        codec.with_channels(Channels::Positioned(positions));
    }
    codec
}
