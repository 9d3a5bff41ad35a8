//! Info tag that encoders write into a silent first frame: the number of following frames, and the
//! padding at both ends.

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
        let xing = places.iter().find_map(|&at| Self::xing(frame.get(at..)?));
        xing.or_else(|| Self::vbri(frame.get(36..)?))
    }

    fn xing(bytes: &[u8]) -> Option<Self> {
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
        Some(Self { count: count.filter(|&count| count > 0), bytes: size, added })
    }

    fn vbri(bytes: &[u8]) -> Option<Self> {
        if !bytes.starts_with(b"VBRI") {
            return None;
        }
        let (size, count) = (u32_be(bytes, 10)?, u32_be(bytes, 14)?);
        Some(Self { count: Some(count.into()), bytes: Some(size.into()), added: None })
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
