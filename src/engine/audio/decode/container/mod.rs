//! Containers: detection of a file's format, and location of its sound.
//!
//! A container is recognised by its first bytes alone, and unsupported ones are rejected by name.
//! Each module then parses its container and shows the demuxer a file with one audio track and the
//! data to decode it. All other content may therefore be missing, unusual or damaged. Runs on the
//! decoder thread.

mod aiff;
mod caf;
mod flac;
mod matroska;
mod mp4;
mod ogg;
mod sniff;
pub(super) mod tags;
mod wav;

use std::{io, ops::Range};

pub(super) use mp4::timing::Timeline;

use super::{
    Damage, DecodeError, NotAudio, Unsupported, bounds::BoundedFile, tags::clean, view::View,
};
use crate::engine::types::AudioTrack;

/// A kind of container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Container {
    /// WAV, RF64, BW64.
    Wav,
    /// AIFF and AIFC.
    Aiff,
    /// Core Audio Format.
    Caf,
    /// FLAC in its own container.
    Flac,
    /// Ogg.
    Ogg,
    /// MP4, M4A, QuickTime.
    Mp4,
    /// Matroska and WebM.
    Matroska,
    /// Consecutive MPEG audio frames.
    Mpeg,
    /// AAC frames with ADTS headers.
    Adts,
}

/// Completeness of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Completeness {
    /// No sign of missing data.
    #[default]
    Whole,
    /// The file ends earlier than its structure states.
    CutOff,
    /// The recording program never filled in the sizes.
    Unfinished,
}

/// Start and length that a container states for a track.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Timing {
    /// Frames before the first audible one; `None` if the codec's own number applies.
    pub skip: Option<u64>,
    /// Number of audible frames, if stated exactly.
    pub frames: Option<u64>,
    /// Inaudible frames at the end.
    pub padding: u64,
    /// Approximate length in seconds, if stated.
    pub seconds: Option<f64>,
    /// Whether damaged parts are skipped, so that time stamps reveal their length.
    pub has_gaps: bool,
    /// Whether time stamps count from 0, so that they reveal a lost beginning.
    pub counts_from_zero: bool,
    /// Damaged sections that are decoded nevertheless, in ascending order.
    pub doubts: Vec<Doubt>,
    /// Edits of an MP4 track.
    pub timeline: Option<Timeline>,
}

/// A damaged section that is decoded nevertheless.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doubt {
    /// Number of chained streams that end before the section.
    pub chapter: usize,
    /// Time range in units of the container's time stamps.
    pub time: Range<u64>,
}

impl Doubt {
    /// Appends a section, merging it with the previous one if they touch.
    fn push(doubts: &mut Vec<Self>, chapter: usize, time: Range<u64>) {
        match doubts.last_mut() {
            Some(last) if last.chapter == chapter && last.time.end >= time.start => {
                last.time.end = last.time.end.max(time.end);
            }
            _ => doubts.push(Self { chapter, time }),
        }
    }
}

/// Layout of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Shape {
    /// Kind of container.
    pub container: Container,
    /// Bytes shown to the demuxer.
    pub view: View,
    /// Start and length of the track.
    pub timing: Timing,
    /// Whether the file is complete.
    pub completeness: Completeness,
    /// Audio tracks, for containers that may hold several.
    pub tracks: Vec<AudioTrack>,
    /// Number of the shown track, from 1.
    pub track: usize,
}

impl Shape {
    /// Creates the shape of a container with a single track.
    fn single(
        container: Container,
        view: View,
        timing: Timing,
        completeness: Completeness,
    ) -> Self {
        Self { container, view, timing, completeness, tracks: Vec::new(), track: 1 }
    }
}

/// Options for reading a container.
#[derive(Clone, Copy, Debug, Default)]
pub struct Request {
    /// Number of the audio track, from 1; `None` for the file's default.
    pub track: Option<usize>,
    /// Whether to read only headers, for the length instead of the sound.
    pub headers_only: bool,
}

/// Determines the shape of a file.
///
/// # Errors
/// I/O errors of the file. [`DecodeError`] if the file is not audio, its kind is unsupported, or it
/// lacks the requested track.
pub fn shape(file: &mut BoundedFile, request: Request) -> io::Result<Result<Shape, DecodeError>> {
    let (container, start) = match sniff::container(file)? {
        Ok(found) => found,
        Err(error) => return Ok(Err(error)),
    };
    if start > 0 {
        let mut view = View::default();
        view.push_file(start..file.len());
        file.show(&view);
    }
    let (track, headers_only) = (request.track, request.headers_only);
    let found = match container {
        Container::Wav => Ok(wav::shape(file)?),
        Container::Aiff => Ok(aiff::shape(file)?),
        Container::Caf => Ok(caf::shape(file)?),
        Container::Flac => Ok(flac::shape(file)?),
        Container::Ogg => ogg::shape(file, track, headers_only)?,
        Container::Mp4 => mp4::shape(file, track)?,
        Container::Matroska => matroska::shape(file, track, headers_only)?,
        Container::Mpeg | Container::Adts => {
            let mut view = View::default();
            view.push_file(0..tags::end_of_sound(file)?);
            Ok(Some(Shape::single(container, view, Timing::default(), Completeness::Whole)))
        }
    };
    let shape = found.and_then(|found| found.ok_or_else(|| no_sound(container)));
    Ok(shape.and_then(|mut shape| {
        for (index, track) in shape.tracks.iter_mut().enumerate() {
            track.number = index + 1;
            // These texts come from the file.
            track.codec = clean(&track.codec).unwrap_or_else(|| "this codec".into());
            track.language = track.language.as_deref().and_then(clean);
            track.name = track.name.as_deref().and_then(clean);
        }
        match track.filter(|&track| shape.tracks.is_empty() && track != 1) {
            Some(track) => Err(no_such_track(track, 1)),
            None => Ok(shape),
        }
    }))
}

fn no_sound(container: Container) -> DecodeError {
    match container {
        Container::Mp4 => DecodeError::Damaged(Damage::NoIndex),
        Container::Matroska => DecodeError::NotAudio(NotAudio::NoTrack),
        _ => DecodeError::Damaged(Damage::BeforeSound),
    }
}

fn no_such_track(number: usize, count: usize) -> DecodeError {
    DecodeError::Unsupported(Unsupported::Track { number, count })
}

/// Index of the track to play: the requested one, else the first decodable default, else the first
/// decodable one, else the first. `None` if there are no tracks.
///
/// # Errors
/// [`DecodeError::Unsupported`] if no track has the requested number.
fn choose(tracks: &[AudioTrack], wanted: Option<usize>) -> Result<Option<usize>, DecodeError> {
    if let Some(wanted) = wanted {
        let index = wanted.checked_sub(1).filter(|&index| index < tracks.len());
        return index.map(Some).ok_or_else(|| no_such_track(wanted, tracks.len()));
    }
    let default = tracks.iter().position(|track| track.is_default && track.is_decodable);
    let decodable = || tracks.iter().position(|track| track.is_decodable);
    Ok(default.or_else(decodable).or((!tracks.is_empty()).then_some(0)))
}

/// First four bytes of `bytes`.
fn fourcc(bytes: &[u8]) -> Option<[u8; 4]> {
    bytes.first_chunk().copied()
}
