//! FLAC frames: header, checksums, and workarounds for Symphonia's handling of unusual ones.
//!
//! Pure computation. Source: RFC 9639 (9.1, 9.3).

use symphonia::core::{
    audio::Channels,
    codecs::audio::{AudioCodecParameters, well_known::CODEC_ID_FLAC},
    packet::Packet,
};

/// Bytes of a header built by [`header`].
pub const HEADER_BYTES: usize = 8;

/// Number of samples per channel in the frame at the start of `bytes`. `None` without a complete
/// header with a correct checksum.
pub fn frames(bytes: &[u8]) -> Option<u64> {
    let &[0xff, sync, sizes, shape, number, ..] = bytes else { return None };
    if sync & 0xfe != 0xf8 || sizes & 15 == 15 || shape & 1 == 1 {
        return None;
    }
    // The first byte of the number encodes the count of bytes, as in UTF-8.
    let number_bytes = match number.leading_ones() {
        0 => 1,
        ones @ 2..=7 => ones as usize,
        _ => return None,
    };
    let mut at = 4 + number_bytes;
    let frames = match sizes >> 4 {
        0 => return None,
        1 => 192,
        code @ 2..=5 => 576 << (code - 2),
        6 => u64::from(*bytes.get(at)?) + 1,
        7 => u64::from(u16::from_be_bytes(*bytes.get(at..)?.first_chunk()?)) + 1,
        code => 256 << (code - 8),
    };
    at += match sizes >> 4 {
        6 => 1,
        7 => 2,
        _ => 0,
    };
    at += match sizes & 15 {
        12 => 1,
        13 | 14 => 2,
        _ => 0,
    };
    (crc8(bytes.get(..at)?) == *bytes.get(at)?).then_some(frames)
}

/// Builds a frame header for `frames` samples per channel; rate, bits and number are copied from
/// the stream.
pub fn header(frames: u64) -> Option<[u8; HEADER_BYTES]> {
    let size = u16::try_from(frames.checked_sub(1)?).ok().filter(|&size| size < u16::MAX)?;
    let [high, low] = size.to_be_bytes();
    let mut header = [0xff, 0xf8, 0x70, 0, 0, high, low, 0];
    header[HEADER_BYTES - 1] = crc8(&header[..HEADER_BYTES - 1]);
    Some(header)
}

/// Whether a packet's bytes contradict its checksum.
pub fn is_damaged(frame: &[u8]) -> bool {
    frame.iter().fold(0_u16, |crc, &byte| {
        (0..8).fold(crc ^ u16::from(byte) << 8, |crc, _| {
            if crc >> 15 == 0 { crc << 1 } else { crc << 1 ^ 0x8005 }
        })
    }) != 0
}

fn crc8(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |crc, &byte| {
        (0..8).fold(crc ^ byte, |crc, _| if crc >> 7 == 0 { crc << 1 } else { crc << 1 ^ 7 })
    })
}

/// Whether this is a 32-bit joint-stereo frame, on whose 33-bit side channel Symphonia 0.6.1
/// panics.
pub fn is_joint_32_bits(codec: &AudioCodecParameters, packet: &Packet) -> bool {
    let joint = packet.data.get(3).is_some_and(|byte| (8..=10).contains(&(byte >> 4)));
    codec.codec == CODEC_ID_FLAC && codec.bits_per_sample == Some(32) && joint
}

/// Whether a packet holds more than one frame. If the channels or the rate of a FLAC stream change,
/// Symphonia returns the whole remainder as one packet. Its size reveals that, as no frame is
/// longer than its raw samples.
pub fn holds_more_than_one(codec: &AudioCodecParameters, packet: &Packet) -> bool {
    const HEADERS: u64 = 1024;
    const WIDEST_SAMPLE_BYTES: u64 = 5; // the side channel of 32 bits has 33
    let channels = codec.channels.as_ref().map_or(8, Channels::count) as u64;
    let longest = packet.block_dur().get().saturating_mul(channels * WIDEST_SAMPLE_BYTES);
    packet.data.len() as u64 > longest.saturating_add(HEADERS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_survive_a_round_trip() {
        for count in [1, 192, 4096, 65_535] {
            assert_eq!(frames(&header(count).unwrap()), Some(count));
        }
        assert_eq!((header(0), header(65_536)), (None, None));
        let mut damaged = header(4096).unwrap();
        damaged[6] ^= 1;
        assert_eq!(frames(&damaged), None);
        assert_eq!((frames(&damaged[..7]), frames(b"")), (None, None));
    }

    #[test]
    fn detects_changed_frames_by_their_checksum() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/chirp.flac");
        let bytes = std::fs::read(path).unwrap();
        let last = (0..bytes.len()).rev().find(|&at| frames(&bytes[at..]).is_some()).unwrap();
        let mut frame = bytes[last..].to_vec();
        assert!(!is_damaged(&frame));
        frame[20] ^= 0x40;
        assert!(is_damaged(&frame));
    }
}
