//! Where packets come from: Symphonia's readers, or [`super::mpeg`].

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

/// A reader of packets.
pub enum Packets {
    /// A container.
    Symphonia(Box<dyn FormatReader>),
    /// A stream of frames, and where the next one is in time.
    Frames(Box<Frames<Counted>>, u64),
}

/// What comes next.
pub enum Next {
    /// A packet, of any track.
    Packet(Packet),
    /// Damaged bytes in place of so many frames of sound.
    Lost(u64),
    /// Another stream follows, with headers of its own.
    Reset,
    /// The end, as it should be.
    End,
    /// The end, within a packet.
    CutOff,
}

impl Packets {
    /// The next packet, or what stands for it.
    ///
    /// # Errors
    /// Those of the reader: of the disk, or of the file's structure.
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

/// The codec of a stream of frames.
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
