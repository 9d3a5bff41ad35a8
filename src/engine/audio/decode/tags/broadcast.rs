//! Recording time and origin of a Broadcast WAV. Pure.
//!
//! Source: EBU Tech 3285 version 2 (`bext`).

use serde::{Deserialize, Serialize};

use crate::engine::audio::resample::rescale;

/// Lengths of the fixed fields, in bytes.
const DESCRIPTION: usize = 256;
const ORIGINATOR: usize = 32;
const DATE: usize = 10;
const TIME: usize = 8;

/// Bytes of all fixed fields; the last ones are reserved.
const FIXED: usize = 602;
const ORIGINATOR_AT: usize = 256;
const DATE_AT: usize = 320;
const TIME_AT: usize = 330;
const TIME_REFERENCE_AT: usize = 338;
const VERSION_AT: usize = 346;

/// Fields of a broadcast chunk that also apply to derived files. Texts are raw bytes of the file,
/// without trailing zeros.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Broadcast {
    /// Description, at most 256 bytes.
    pub description: Vec<u8>,
    /// Originator, at most 32 bytes.
    pub originator: Vec<u8>,
    /// Date, at most 10 bytes: "2024-05-17".
    pub date: Vec<u8>,
    /// Time of day, at most 8 bytes: "12:30:00".
    pub time: Vec<u8>,
    /// Time of the first frame, in frames since midnight at [`Self::rate`].
    pub time_reference: u64,
    /// Rate of the time reference, in frames per second.
    pub rate: u32,
}

impl Broadcast {
    /// Parses the content of a `bext` chunk from a file with sample rate `rate` in Hz. `None` if
    /// the chunk is truncated or the rate is 0.
    pub fn parse(chunk: &[u8], rate: u32) -> Option<Self> {
        let text = |at: usize, longest: usize| {
            let field = chunk.get(at..at + longest)?;
            let end = field.iter().position(|byte| *byte == 0).unwrap_or(longest);
            Some(field[..end].to_vec())
        };
        let time_reference = *chunk.get(TIME_REFERENCE_AT..)?.first_chunk()?;
        Some(Self {
            description: text(0, DESCRIPTION)?,
            originator: text(ORIGINATOR_AT, ORIGINATOR)?,
            date: text(DATE_AT, DATE)?,
            time: text(TIME_AT, TIME)?,
            time_reference: u64::from_le_bytes(time_reference),
            rate,
        })
        .filter(|_| rate > 0)
    }

    /// Serialises the fixed fields of a `bext` chunk, version 1, for a file with sample rate `rate`
    /// in Hz.
    pub fn bytes(&self, rate: u32) -> Vec<u8> {
        let mut out = vec![0; FIXED];
        let mut put = |at: usize, longest: usize, bytes: &[u8]| {
            let bytes = &bytes[..bytes.len().min(longest)];
            out[at..at + bytes.len()].copy_from_slice(bytes);
        };
        put(0, DESCRIPTION, &self.description);
        put(ORIGINATOR_AT, ORIGINATOR, &self.originator);
        put(DATE_AT, DATE, &self.date);
        put(TIME_AT, TIME, &self.time);
        let time_reference = rescale(self.time_reference, rate, self.rate);
        put(TIME_REFERENCE_AT, size_of::<u64>(), &time_reference.to_le_bytes());
        put(VERSION_AT, 1, &[1]);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_times_to_the_rate_of_the_file() {
        let hours = 23 * 3600;
        let broadcast = Broadcast {
            description: b"Sc\xe8ne 12".to_vec(),
            originator: vec![b'o'; ORIGINATOR],
            date: b"2024-05-17".to_vec(),
            time: b"23:00:00".to_vec(),
            time_reference: hours * 192_000,
            rate: 192_000,
        };
        let chunk = broadcast.bytes(192_000);
        assert_eq!(Broadcast::parse(&chunk, 192_000), Some(broadcast.clone()));
        let at_44100 = Broadcast::parse(&broadcast.bytes(44_100), 44_100).unwrap();
        assert_eq!(at_44100.time_reference, hours * 44_100);
        assert_eq!(at_44100.date, broadcast.date);
        // Rounded to the nearest frame.
        let odd = Broadcast { time_reference: 1_000_001, rate: 48_000, ..Broadcast::default() };
        let scaled = Broadcast::parse(&odd.bytes(44_100), 44_100).unwrap();
        assert_eq!(scaled.time_reference, 918_751);
    }

    #[test]
    fn rejects_a_truncated_chunk() {
        let whole = Broadcast { rate: 48_000, ..Broadcast::default() }.bytes(48_000);
        assert_eq!(Broadcast::parse(&whole[..345], 48_000), None);
        assert_eq!(Broadcast::parse(&whole, 0), None);
    }
}
