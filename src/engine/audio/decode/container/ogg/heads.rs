//! Packet headers of Vorbis, Opus and FLAC: the duration of a packet, and its repair.
//!
//! Pure computation, independent of pages. Sources: the Vorbis I specification (4.2, 4.3.1), RFC
//! 6716 (3.1), RFC 9639 (9.1).

use crate::engine::audio::decode::flac_frame;

/// Number of bytes that suffice to read any packet header.
pub const LONGEST: usize = 16;

/// Codec of a stream, with the packet parameters from its headers.
#[derive(Debug)]
pub enum Codec {
    /// Vorbis.
    Vorbis(Modes),
    /// Opus.
    Opus,
    /// FLAC.
    Flac,
    /// Codec with unknown packet durations.
    Other,
}

/// Block sizes of a Vorbis stream.
#[derive(Debug)]
pub struct Modes {
    /// Frames of a short and of a long block.
    blocks: [u64; 2],
    /// Whether each mode uses long blocks.
    are_long: Vec<bool>,
}

/// Header of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Frames of sound; for Vorbis, frames of the block.
    pub frames: u64,
    /// Whether this is a long block of Vorbis.
    is_long: bool,
    /// Whether the previous and the next block are long, as stated by a long block.
    neighbours: Option<[bool; 2]>,
}

impl Codec {
    /// Creates the codec from its name, its first header packet, and the setup packet of Vorbis.
    pub fn new(name: &str, first: &[u8], setup: Option<&[u8]>) -> Self {
        match name {
            "Opus" => Self::Opus,
            "FLAC" => Self::Flac,
            "Vorbis" => Modes::read(first, setup).map_or(Self::Other, Self::Vorbis),
            _ => Self::Other,
        }
    }

    /// Reads a packet header; `None` if the packet is invalid.
    pub fn read(&self, packet: &[u8]) -> Option<Head> {
        let frames = match self {
            Self::Vorbis(modes) => return modes.head(packet),
            Self::Opus => opus_frames(packet)?,
            Self::Flac => flac_frame::frames(packet)?,
            Self::Other => return None,
        };
        Some(Head { frames, is_long: false, neighbours: None })
    }

    /// Frames that a packet advances the time, after a block of `before` frames.
    pub fn duration(&self, before: Option<u64>, head: &Head) -> u64 {
        match (self, before) {
            (Self::Vorbis(_), Some(before)) => before / 4 + head.frames / 4,
            (Self::Vorbis(_), None) => head.frames / 2,
            _ => head.frames,
        }
    }
}

impl Modes {
    fn read(first: &[u8], setup: Option<&[u8]>) -> Option<Self> {
        let sizes = *first.get(28)?;
        let blocks = [1 << (sizes & 15), 1 << (sizes >> 4)];
        Some(Self { blocks, are_long: modes_of(setup?)? })
    }

    /// Number of bits of a mode number.
    fn bits(&self) -> u32 {
        usize::BITS - (self.are_long.len() - 1).leading_zeros()
    }

    fn head(&self, packet: &[u8]) -> Option<Head> {
        let first =
            u16::from(*packet.first()?) | u16::from(packet.get(1).copied().unwrap_or(0)) << 8;
        let mode = usize::from(first >> 1 & ((1 << self.bits()) - 1));
        let is_long = *self.are_long.get(mode).filter(|_| first & 1 == 0)?;
        let flag = |index: u32| first >> (1 + self.bits() + index) & 1 == 1;
        let neighbours = is_long.then(|| [flag(0), flag(1)]);
        Some(Head { frames: self.blocks[usize::from(is_long)], is_long, neighbours })
    }

    /// Time difference in frames between a short and a long block among long ones.
    pub fn difference(&self) -> u64 {
        (self.blocks[1].saturating_sub(self.blocks[0]) / 2).max(1)
    }

    /// First two bytes of a packet with its block size changed; `None` without a mode of that size.
    pub fn as_block(&self, packet: &[u8], is_long: bool) -> Option<[u8; 2]> {
        let first: [u8; 2] = *packet.first_chunk()?;
        let mode = self.are_long.iter().position(|&long| long == is_long)? as u16;
        let mask = (1 << (1 + self.bits())) - 1;
        Some((u16::from_le_bytes(first) & !mask | mode << 1).to_le_bytes())
    }
}

impl Head {
    /// Number of contradictions between this block and the next.
    pub fn conflicts(&self, behind: &Self) -> usize {
        let states_other = |neighbour: Option<bool>, real: bool| {
            usize::from(neighbour.is_some_and(|stated| stated != real))
        };
        states_other(self.neighbours.map(|stated| stated[1]), behind.is_long)
            + states_other(behind.neighbours.map(|stated| stated[0]), self.is_long)
    }
}

/// Whether each mode of Vorbis uses long blocks. The modes come last in the setup packet and are
/// read backwards, so that nothing before them has to be parsed.
fn modes_of(setup: &[u8]) -> Option<Vec<bool>> {
    const MODE_BITS: usize = 41; // block flag, window type, transform type, mapping
    const COUNT_BITS: usize = 6;
    const MOST_MODES: usize = 64;
    let bit = |at: usize| usize::from(setup[at / 8] >> (at % 8) & 1);
    let number = |at: usize, count: usize| (0..count).map(|index| bit(at + index) << index).sum();
    let mut at = (0..setup.len() * 8).rev().find(|&at| bit(at) == 1)?; // the framing bit
    let (mut modes, mut found) = (Vec::new(), None);
    while modes.len() < MOST_MODES && at >= MODE_BITS + COUNT_BITS {
        at -= MODE_BITS;
        let (types, mapping): (usize, usize) = (number(at + 1, 32), number(at + 33, 8));
        if types != 0 || mapping >= MOST_MODES {
            break;
        }
        modes.push(bit(at) == 1);
        let count: usize = number(at - COUNT_BITS, COUNT_BITS);
        if count + 1 == modes.len() {
            found = Some(modes.iter().rev().copied().collect());
        }
    }
    found
}

/// Frames of an Opus packet at 48 kHz.
fn opus_frames(packet: &[u8]) -> Option<u64> {
    const LONGEST_FRAMES: u64 = 5760; // 120 ms
    let first = *packet.first()?;
    let frame = match first >> 3 {
        config @ 0..12 => [480, 960, 1920, 2880][usize::from(config & 3)],
        config @ 12..16 => [480, 960][usize::from(config & 1)],
        config => [120, 240, 480, 960][usize::from(config & 3)],
    };
    let count = match first & 3 {
        0 => 1,
        1 | 2 => 2,
        _ => u64::from(packet.get(1)? & 63),
    };
    Some(frame * count).filter(|frames| (1..=LONGEST_FRAMES).contains(frames))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str) -> Vec<u8> {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
        std::fs::read(folder.join(name)).unwrap()
    }

    #[test]
    fn finds_vorbis_modes_at_the_end_of_the_setup() {
        let bytes = file("chirp.ogg");
        let at = bytes.windows(7).position(|bytes| bytes == b"\x05vorbis").unwrap();
        let end = at + bytes[at..].windows(4).position(|bytes| bytes == b"OggS").unwrap();
        assert_eq!(modes_of(&bytes[at..end]), Some(vec![false, true]));
        assert_eq!(modes_of(b"\x05vorbis"), None);
        assert_eq!(modes_of(&[0; 100]), None);
        assert_eq!(modes_of(b""), None);
    }

    #[test]
    fn vorbis_headers_state_their_block_and_its_neighbours() {
        let modes = Modes { blocks: [256, 2048], are_long: vec![false, true] };
        let short = modes.head(&[0b1111_1100]).unwrap();
        let long = modes.head(&[0b1010]).unwrap(); // after a short block
        assert_eq!((short.frames, long.frames), (256, 2048));
        assert_eq!((modes.head(&[1]), modes.head(&[])), (None, None));
        assert_eq!((long.conflicts(&short), short.conflicts(&long)), (1, 0));
        assert_eq!(modes.as_block(&[0b1010, 7], false), Some([0b1000, 7]));
        assert_eq!(modes.as_block(&[0b1001, 7], true), Some([0b1010, 7]));
        let codec = Codec::Vorbis(modes);
        assert_eq!(codec.duration(Some(256), &long), 576);
        assert_eq!(codec.duration(None, &long), 1024);
    }

    #[test]
    fn opus_packets_state_their_duration() {
        assert_eq!(opus_frames(&[0xfc]), Some(960));
        assert_eq!(opus_frames(&[3 << 3 | 1]), Some(5760));
        assert_eq!(opus_frames(&[16 << 3 | 3, 48]), Some(5760));
        assert_eq!(opus_frames(&[16 << 3 | 3, 49]), None);
        assert_eq!((opus_frames(&[3]), opus_frames(&[])), (None, None));
        assert_eq!(opus_frames(&[13 << 3]), Some(960));
    }
}
