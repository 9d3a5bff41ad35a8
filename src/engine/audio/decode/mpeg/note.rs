//! Info tag that encoders write into a silent first frame: the number of following frames, the
//! padding at both ends, and a checksum of the stream.

use symphonia::core::{checksum::Crc16AnsiLe, io::Monitor as _};

use super::header::Header;
use crate::engine::audio::decode::integers::u32_be;

/// Delay of a layer 3 decoder, in samples.
const DECODER_DELAY: u64 = 529;

/// Info tag of an encoder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Note {
    /// Number of MPEG frames that follow, if stated.
    pub count: Option<u64>,
    /// Bytes of the stream including the tag's own frame, if stated.
    pub bytes: Option<u64>,
    /// Samples to skip at the start and at the end, if stated.
    pub added: Option<(u64, u64)>,
    /// Checksum of the stream as it was encoded, if stated.
    pub checksum: Option<Checksum>,
}

/// Checksum of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checksum {
    /// Bytes of the stream including the tag's own frame.
    pub bytes: u64,
    /// CRC-16 of the stream after the tag's own frame.
    pub crc: u16,
}

impl Note {
    /// Reads the info tag from a frame with this header; `None` if absent.
    pub fn read(frame: &[u8], header: &Header) -> Option<Self> {
        if header.layer != 3 {
            return None;
        }
        let side_info = match (header.version, header.channels) {
            (1, 1) => 17,
            (1, _) => 32,
            (_, 1) => 9,
            _ => 17,
        };
        // Some encoders leave room for a checksum after the header, others do not.
        let places = [4 + side_info, 6 + side_info];
        let xing = places.iter().find_map(|&at| Self::xing(frame, at));
        xing.or_else(|| Self::vbri(frame.get(36..)?))
    }

    /// Reads the tag at `place` of a frame.
    fn xing(frame: &[u8], place: usize) -> Option<Self> {
        let bytes = frame.get(place..)?;
        if !(bytes.starts_with(b"Xing") || bytes.starts_with(b"Info")) {
            return None;
        }
        let flags = u32_be(bytes, 4)?;
        let mut at = 8;
        let mut number = |flag: u32| {
            let number = (flags & flag != 0).then(|| u32_be(bytes, at)).flatten()?;
            at += 4;
            Some(u64::from(number))
        };
        let (count, size) = (number(1), number(2));
        at += if flags & 4 == 0 { 0 } else { 100 }; // table of contents
        at += if flags & 8 == 0 { 0 } else { 4 }; // quality
        let added = bytes.get(at..).and_then(lame);
        let checksum = added.and_then(|_| checksum(frame, place + at));
        Some(Self { count: count.filter(|&count| count > 0), bytes: size, added, checksum })
    }

    fn vbri(bytes: &[u8]) -> Option<Self> {
        if !bytes.starts_with(b"VBRI") {
            return None;
        }
        let (size, count) = (u32_be(bytes, 10)?, u32_be(bytes, 14)?);
        Some(Self { count: Some(count.into()), bytes: Some(size.into()), ..Self::default() })
    }
}

/// Padding written by LAME and compatible encoders.
fn lame(bytes: &[u8]) -> Option<(u64, u64)> {
    const ENCODERS: [&[u8]; 4] = [b"LAME", b"Lavf", b"Lavc", b"GOGO"];
    if !ENCODERS.iter().any(|name| bytes.starts_with(name)) {
        return None;
    }
    let &[a, b, c] = bytes.get(21..)?.first_chunk()?;
    let delay = u64::from(a) << 4 | u64::from(b >> 4);
    let padding = u64::from(b & 15) << 8 | u64::from(c);
    Some((delay + DECODER_DELAY, padding.saturating_sub(DECODER_DELAY)))
}

/// Checksum in the tag of LAME or a compatible encoder, which begins at `place` of a frame; `None` if
/// the tag contradicts its own checksum.
fn checksum(frame: &[u8], place: usize) -> Option<Checksum> {
    let number = |at: usize| Some(u16::from_be_bytes(*frame.get(place + at..)?.first_chunk()?));
    if crc(frame.get(..place + 34)?) != number(34)? {
        return None;
    }
    Some(Checksum { bytes: u32_be(frame, place + 28)?.into(), crc: number(32)? })
}

fn crc(bytes: &[u8]) -> u16 {
    let mut crc = Crc16AnsiLe::new(0);
    crc.process_buf_bytes(bytes);
    crc.crc()
}
