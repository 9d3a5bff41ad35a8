//! Frame headers of MPEG audio and of AAC in ADTS.

use super::First;

/// Minimum length of a frame in bytes.
pub const SHORTEST: usize = 7;

/// Sample rates of AAC in Hz, by index (ISO/IEC 14496-3, 1.6.3.4).
pub const AAC_RATES: [u32; 13] = [
    96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000,
    7_350,
];

/// Kind of framing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// MPEG audio, layers 1 to 3.
    Mpeg,
    /// AAC.
    Adts,
}

/// Header of one frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Length of the frame including its header, in bytes.
    pub bytes: usize,
    /// Samples per channel in the frame.
    pub frames: u64,
    /// Sample rate in Hz.
    pub rate: u32,
    /// Layer, 1 to 3; 0 for AAC.
    pub layer: u8,
    /// Version: 1 for MPEG-1, 2 for MPEG-2 and MPEG-2.5; for AAC, its profile.
    pub version: u8,
    /// Number of channels; 0 if only the frame content states it.
    pub channels: u16,
}

impl Header {
    /// Parses the header at the start of `bytes`; `None` if invalid.
    pub fn read(bytes: &[u8], framing: Framing) -> Option<Self> {
        match framing {
            Framing::Mpeg => Self::mpeg(bytes),
            Framing::Adts => Self::adts(bytes),
        }
    }

    fn mpeg(bytes: &[u8]) -> Option<Self> {
        /// Bit rates in kbit/s: MPEG-1 layers 1 to 3, then MPEG-2 layer 1, and layers 2 and 3.
        const KBITS: [[u32; 15]; 5] = [
            [0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448],
            [0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
            [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
            [0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256],
            [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
        ];
        const RATES: [u32; 3] = [44_100, 48_000, 32_000];
        let &[0xff, second, third, fourth] = bytes.first_chunk()? else { return None };
        let (version_bits, layer_bits) = ((second >> 3) & 3, (second >> 1) & 3);
        if second & 0xe0 != 0xe0 || version_bits == 1 || layer_bits == 0 || fourth & 3 == 2 {
            return None;
        }
        let layer = 4 - layer_bits;
        let (version, divisor) = match version_bits {
            3 => (1, 1),
            2 => (2, 2),
            _ => (2, 4),
        };
        let rate = RATES.get(usize::from((third >> 2) & 3))? / divisor;
        let table = match (version, layer) {
            (1, layer) => usize::from(layer) - 1,
            (_, 1) => 3,
            _ => 4,
        };
        let kbits = *KBITS[table].get(usize::from(third >> 4)).filter(|&&kbits| kbits > 0)?;
        let padding = u32::from((third >> 1) & 1);
        let (bytes, frames) = match (layer, version) {
            (1, _) => ((12_000 * kbits / rate + padding) * 4, 384),
            (2, _) | (3, 1) => (144_000 * kbits / rate + padding, 1152),
            _ => (72_000 * kbits / rate + padding, 576),
        };
        let channels = if fourth >> 6 == 3 { 1 } else { 2 };
        Some(Self { bytes: bytes as usize, frames, rate, layer, version, channels })
    }

    fn adts(bytes: &[u8]) -> Option<Self> {
        let &[0xff, second, third, fourth, fifth, sixth, seventh] = bytes.first_chunk()? else {
            return None;
        };
        if second & 0xf6 != 0xf0 {
            return None;
        }
        let head = if second & 1 == 1 { 7 } else { 9 };
        let length =
            usize::from(fourth & 3) << 11 | usize::from(fifth) << 3 | usize::from(sixth >> 5);
        let rate = *AAC_RATES.get(usize::from((third >> 2) & 15))?;
        let channels = u16::from((third & 1) << 2 | fourth >> 6);
        let blocks = u64::from(seventh & 3) + 1;
        (length > head).then_some(Self {
            bytes: length,
            frames: 1024 * blocks,
            rate,
            layer: 0,
            version: third >> 6,
            channels: if channels == 7 { 8 } else { channels },
        })
    }

    /// Whether two frames have the same kind, possibly at different rates.
    pub fn is_like(&self, other: &Self) -> bool {
        (self.layer, self.version) == (other.layer, other.version)
    }

    /// Whether two frames can belong to one stream.
    pub fn goes_with(&self, other: &Self) -> bool {
        (self.layer, self.version, self.rate) == (other.layer, other.version, other.rate)
            && (self.layer > 0 || self.channels == other.channels)
    }

    /// Properties of a stream that begins with this frame.
    pub fn first(&self) -> First {
        let Self { layer, rate, channels, frames, .. } = *self;
        First { layer, rate, channels, frames }
    }
}
