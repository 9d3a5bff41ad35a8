//! Registry of file formats, with one module per format.
//!
//! An encoder receives final samples: integers already rounded, floats already within the range of
//! the format. It writes one file front to back, and may seek back to the header at the end. It
//! runs on the calling thread with memory independent of the length. Encoders depend on neither
//! songs nor stems; they get finished tags.

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
use crate::engine::{
    problem::{Problem, Result},
    types::Depth,
};

/// All formats, in the order offered to the user.
pub static FORMATS: [&Format; 7] = [
    &wav::FORMAT,
    &flac::FORMAT,
    &alac::FORMAT,
    &mp3::FORMAT,
    &opus::FORMAT,
    &stem_mp4::FORMAT,
    &dawproject::FORMAT,
];

/// A file format.
#[derive(Debug)]
pub struct Format {
    /// ID on the command line: `wav`.
    pub id: &'static str,
    /// Name for display: `WAV`.
    pub name: &'static str,
    /// File extension without the dot: `wav`.
    pub extension: &'static str,
    /// Precision with which samples are stored.
    pub keeps: Keeps,
    /// Maps a desired sample rate in Hz to the closest one that the format supports.
    pub rate: fn(u32) -> u32,
    /// Number of streams of equal length in a file.
    pub streams: Streams,
    /// Number of copies of the samples on disk while writing.
    pub copies: u64,
    /// Begins a file.
    pub begin: fn(File, &Spec, &Tags) -> io::Result<Box<dyn Encoder>>,
}

/// Precision with which a format stores samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeps {
    /// Lossless at any of these depths, the most common first.
    Exactly(&'static [Depth]),
    /// Lossy, with at most this many kilobits per second.
    Roughly(u32),
}

/// Streams of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Streams {
    /// A single stream.
    One,
    /// The whole mix followed by four stems, for DJ programs.
    MixAndFourStems,
    /// The whole export in one file.
    All,
}

/// Properties of a file to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spec {
    /// Frames per second, as returned by [`Format::rate`].
    pub rate: u32,
    /// Number of channels: 1 or 2.
    pub channels: u16,
    /// Depth of the samples; for lossless formats one of their depths.
    pub depth: Depth,
    /// Length of each stream in frames; the caller writes exactly this many.
    pub frames: u64,
    /// Name of each stream, such as "mix", "vocals".
    pub streams: Vec<String>,
    /// Folder for temporary files, for formats that need any.
    pub scratch: PathBuf,
}

/// Interleaved samples.
#[derive(Clone, Copy, Debug)]
pub enum Samples<'a> {
    /// Integers in the range of the depth: 24 bits are -8 388 608 to 8 388 607.
    Int(&'a [i32]),
    /// Floats with full scale at 1, for float depths and lossy formats.
    Float(&'a [f32]),
}

/// Encoder of one file.
pub trait Encoder {
    /// Appends samples to stream `stream`. Callers write the streams in turn, with equally long
    /// blocks within a turn.
    ///
    /// # Errors
    /// Fails if the disk cannot be written. Fails with [`io::ErrorKind::InvalidInput`] for samples
    /// of the wrong kind.
    fn write(&mut self, stream: usize, samples: Samples<'_>) -> io::Result<()>;

    /// Completes the file. The caller syncs it.
    ///
    /// # Errors
    /// Fails if the disk cannot be written.
    fn finish(self: Box<Self>) -> io::Result<()>;
}

impl Format {
    /// Looks up a format by its ID.
    pub fn find(id: &str) -> Option<&'static Self> {
        FORMATS.into_iter().find(|format| format.id == id)
    }

    /// Number of channels of the files for a song with `of_song` channels.
    pub fn channels(&self, of_song: u16) -> u16 {
        match self.streams {
            Streams::MixAndFourStems => 2, // DJ programs expect stereo
            Streams::One | Streams::All => of_song.clamp(1, 2),
        }
    }

    /// Depth of the files for a desired depth: the same, else the next better one, else the best of
    /// the format. Lossy formats ignore it.
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

    /// Checks a depth that the user has chosen, if any. Lossy formats ignore it.
    ///
    /// # Errors
    /// [`Problem::Depth`] for a depth that the format lacks.
    pub fn check_depth(&self, chosen: Option<Depth>) -> Result<()> {
        match (self.keeps, chosen) {
            (Keeps::Exactly(depths), Some(depth)) if !depths.contains(&depth) => {
                let bits = depths.iter().map(|depth| depth.bits()).collect();
                Err(Problem::Depth { format: self.name.to_owned(), bits })
            }
            _ => Ok(()),
        }
    }

    /// Maximum size of a file in bytes, without its tags.
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
        // Headers of blocks or packets take less than this share.
        let all = samples.saturating_add(samples / 512);
        all.saturating_mul(self.copies).saturating_add(HEADERS)
    }
}

impl PartialEq for Format {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

/// Colour of a stem as red, green, blue, for programs that show one. Known stems have the colours
/// of Partita's window; others get a colour by their position.
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

/// Error for samples of the wrong kind.
fn wrong_samples() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "samples do not match the file's format")
}

#[cfg(test)]
pub(super) mod tests;
