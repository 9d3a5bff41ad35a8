//! Containers: which one a file has, and what of it holds the sound.
//!
//! A file is taken for a container by its first bytes alone, and refused by name where they show
//! another. Each module then looks through its container by itself, and shows the demuxer a file that
//! holds one audio track and what plays it: what else there is may be missing, odd or damaged.
//! Runs on the thread that decodes.

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
    /// Frames of MPEG audio, one after the other.
    Mpeg,
    /// Frames of AAC with headers of their own.
    Adts,
}

/// Whether all of a file is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Completeness {
    /// Nothing shows that anything is missing.
    #[default]
    Whole,
    /// The file ends before what its structure states.
    CutOff,
    /// The program that wrote the file did not finish it: sizes are missing.
    Unfinished,
}

/// What a container states about a track's start and length.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Timing {
    /// Frames before the first one to be heard; `None` where the codec's own number applies.
    pub skip: Option<u64>,
    /// Frames to be heard, where they are stated exactly.
    pub frames: Option<u64>,
    /// Frames at the end that are not to be heard.
    pub padding: u64,
    /// Length in seconds, where it is stated roughly.
    pub seconds: Option<f64>,
    /// Whether damaged parts are left out, so that time stamps show how long they were.
    pub has_gaps: bool,
    /// Whether the beginning is such a part: time stamps count from 0.
    pub lacks_start: bool,
    /// Damaged stretches that are decoded nevertheless, in ascending order.
    pub doubts: Vec<Doubt>,
    /// The edits of an MP4 track.
    pub timeline: Option<Timeline>,
}

/// A stretch of damaged data that is decoded nevertheless.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doubt {
    /// How many streams end before it, one behind the other.
    pub chapter: usize,
    /// Its time, in units of the container's time stamps.
    pub time: Range<u64>,
}

impl Doubt {
    /// Adds a stretch, to the one before where they are one.
    fn push(doubts: &mut Vec<Self>, chapter: usize, time: Range<u64>) {
        match doubts.last_mut() {
            Some(last) if last.chapter == chapter && last.time.end >= time.start => {
                last.time.end = last.time.end.max(time.end);
            }
            _ => doubts.push(Self { chapter, time }),
        }
    }
}

/// How a file is laid out.
#[derive(Clone, Debug, PartialEq)]
pub struct Shape {
    /// The container.
    pub container: Container,
    /// What the demuxer reads.
    pub view: View,
    /// Start and length.
    pub timing: Timing,
    /// Whether all of it is there.
    pub completeness: Completeness,
    /// The audio tracks, where the container can have several.
    pub tracks: Vec<AudioTrack>,
    /// The number of the track that is shown, from 1.
    pub track: usize,
}

impl Shape {
    /// The shape of a container with a single track.
    fn single(
        container: Container,
        view: View,
        timing: Timing,
        completeness: Completeness,
    ) -> Self {
        Self { container, view, timing, completeness, tracks: Vec::new(), track: 1 }
    }
}

/// What is looked at.
#[derive(Clone, Copy, Debug, Default)]
pub struct Request {
    /// The number of an audio track, from 1; `None` for the file's default.
    pub track: Option<usize>,
    /// Whether only headers are read, for a length and not for the sound.
    pub headers_only: bool,
}

/// The shape of a file.
///
/// # Errors
/// I/O errors of the file; [`DecodeError`] where the file is not audio, or of a kind that is not supported,
/// or has no such track.
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
            // These texts are the file's own.
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

/// The index of the track to be played: the one that is wanted, else the first one that the file marks
/// as its default and that can be decoded, else the first one that can be decoded, else the first.
/// `None` where there are no tracks.
///
/// # Errors
/// [`DecodeError::Unsupported`] when there is no track of that number.
fn choose(tracks: &[AudioTrack], wanted: Option<usize>) -> Result<Option<usize>, DecodeError> {
    if let Some(wanted) = wanted {
        let index = wanted.checked_sub(1).filter(|&index| index < tracks.len());
        return index.map(Some).ok_or_else(|| no_such_track(wanted, tracks.len()));
    }
    let default = tracks.iter().position(|track| track.is_default && track.is_decodable);
    let decodable = || tracks.iter().position(|track| track.is_decodable);
    Ok(default.or_else(decodable).or((!tracks.is_empty()).then_some(0)))
}

/// The four letters that `bytes` begin with.
fn fourcc(bytes: &[u8]) -> Option<[u8; 4]> {
    bytes.first_chunk().copied()
}
