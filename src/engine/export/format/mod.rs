//! File formats: a registry, and one file per format.
//!
//! An encoder sees samples that are final: integers already rounded, floats already within range
//! where the format has a limit. It writes one file from front to back (and back to its header at
//! the end), with memory that does not depend on the length, on the thread that calls it. It knows
//! neither songs nor stems; what tags say is given to it ready.

mod alac;
mod dawproject;
mod flac;
mod mp3;
mod mp4;
mod opus;
mod stem_mp4;
mod wav;

use std::{fs::File, io, path::PathBuf};

use super::Tags;
use crate::engine::types::Depth;

/// Every format, in the order in which they are offered.
pub static FORMATS: [&Format; 7] = [
    &wav::FORMAT,
    &flac::FORMAT,
    &alac::FORMAT,
    &mp3::FORMAT,
    &opus::FORMAT,
    &stem_mp4::FORMAT,
    &dawproject::FORMAT,
];

/// One kind of file.
#[derive(Debug)]
pub struct Format {
    /// What the command line calls it: `wav`.
    pub id: &'static str,
    /// What people call it: `WAV`.
    pub name: &'static str,
    /// Of its files, without the dot: `wav`.
    pub extension: &'static str,
    /// How samples are kept.
    pub keeps: Keeps,
    /// The rate at which it keeps what should be at the given one, in Hz: the same where it can.
    pub rate: fn(u32) -> u32,
    /// How many streams of equal length lie in one file.
    pub streams: Streams,
    /// How many times its samples are on the disk at once while it is written.
    pub copies: u64,
    /// Begins a file.
    pub begin: fn(File, &Spec, &Tags) -> io::Result<Box<dyn Encoder>>,
}

/// What a format does to samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeps {
    /// Keeps them as they are, at any of these depths, the most usual one first.
    Exactly(&'static [Depth]),
    /// Keeps what is heard, in at most so many kilobits a second.
    Roughly(u32),
}

/// How many streams a file has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Streams {
    /// One.
    One,
    /// The whole mix, then four stems: what DJ programs play.
    MixAndFourStems,
    /// Everything that is exported, in one file.
    All,
}

/// What a file is to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spec {
    /// Frames a second; what [`Format::rate`] gave.
    pub rate: u32,
    /// 1 or 2.
    pub channels: u16,
    /// Of formats that keep samples exactly; one of theirs.
    pub depth: Depth,
    /// Frames of each stream; exactly so many are written.
    pub frames: u64,
    /// Each stream's name, such as "mix", "vocals".
    pub streams: Vec<String>,
    /// A folder for temporary files, where the format needs any.
    pub scratch: PathBuf,
}

/// Interleaved samples.
#[derive(Clone, Copy, Debug)]
pub enum Samples<'a> {
    /// Of an integer depth, in its range: 24 bits are -8 388 608 to 8 388 607.
    Int(&'a [i32]),
    /// Of a float depth, and of formats that keep samples roughly: full scale is 1.
    Float(&'a [f32]),
}

/// Writes one file.
pub trait Encoder {
    /// Appends to stream `stream`. Streams are given block by block in turn, the blocks of one turn
    /// equally long.
    ///
    /// # Errors
    /// What the disk says; [`io::ErrorKind::InvalidInput`] for samples of the wrong kind.
    fn write(&mut self, stream: usize, samples: Samples<'_>) -> io::Result<()>;

    /// Completes the file. The caller syncs it.
    ///
    /// # Errors
    /// What the disk says.
    fn finish(self: Box<Self>) -> io::Result<()>;
}

impl Format {
    /// The format of this id.
    pub fn find(id: &str) -> Option<&'static Self> {
        FORMATS.into_iter().find(|format| format.id == id)
    }

    /// How many channels its files get, of a song that has so many.
    pub fn channels(&self, of_song: u16) -> u16 {
        match self.streams {
            Streams::MixAndFourStems => 2, // what DJ programs play
            Streams::One | Streams::All => of_song.clamp(1, 2),
        }
    }

    /// The depth at which it keeps samples that should have the given one: the same, or the next
    /// better that it has, or its best. Of no meaning where it keeps them roughly.
    pub fn depth(&self, wanted: Depth) -> Depth {
        match self.keeps {
            Keeps::Roughly(_) => Depth::Float32,
            Keeps::Exactly(depths) => {
                let better = depths.iter().filter(|depth| depth.bits() >= wanted.bits());
                let best = depths.iter().max_by_key(|depth| depth.bits());
                better.min_by_key(|depth| depth.bits()).or(best).copied().unwrap_or(wanted)
            }
        }
    }

    /// Bytes that a file has at most, but for its tags.
    pub fn most_bytes(&self, spec: &Spec) -> u64 {
        const HEADERS: u64 = 1 << 16;
        let frames = spec.frames.saturating_mul(spec.streams.len() as u64);
        let samples = match self.keeps {
            Keeps::Exactly(_) => {
                let frame = u64::from(spec.channels) * u64::from(spec.depth.bits()) / 8;
                frames.saturating_mul(frame)
            }
            Keeps::Roughly(kilobits) => {
                (frames / u64::from(spec.rate.max(1)) + 1).saturating_mul(u64::from(kilobits) * 125)
            }
        };
        // What the formats say of each block or packet is less than this.
        let all = samples.saturating_add(samples / 512);
        all.saturating_mul(self.copies).saturating_add(HEADERS)
    }
}

impl PartialEq for Format {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

/// Red, green and blue of a stem, for the programs that show it: the window's own for those that it
/// knows, others by their place.
fn colour_of(stem: &str, place: usize) -> [u8; 3] {
    const KNOWN: [(&str, [u8; 3]); 6] = [
        ("drums", [0xf4, 0xb3, 0x50]),
        ("bass", [0x9b, 0x8c, 0xfa]),
        ("other", [0x45, 0xc4, 0xa6]),
        ("vocals", [0xf2, 0x7f, 0xa5]),
        ("guitar", [0xf0, 0x7f, 0x52]),
        ("piano", [0x5f, 0xb2, 0xf5]),
    ];
    let known = KNOWN.iter().find(|(name, _)| *name == stem);
    known.unwrap_or(&KNOWN[place % KNOWN.len()]).1
}

/// The error of an encoder that is given the wrong kind of samples.
fn wrong_samples() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "samples of another kind than the file's")
}

#[cfg(test)]
pub(super) mod tests;
