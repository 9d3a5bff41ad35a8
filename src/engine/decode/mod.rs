//! Decoding: any audio file to interleaved stereo `f32` at [`super::SAMPLE_RATE`], block by block.
//!
//! Knows no store and no library. Runs on the thread that calls it (an import thread), with memory
//! that does not depend on the length of the file.
//!
//! - [`file`]: opens the file, refuses what is plainly no audio.
//! - [`rf64`]: shows WAV of more than 4 GB as WAV.
//! - [`source`]: finds container, codec and track.
//! - [`gapless`]: what the encoder added to the sound, and is not to be heard.
//! - [`stream`]: from packet to packet; what is damaged, cut off, or changes on the way.
//! - [`downmix`]: any channels to stereo.
//! - [`output`]: cuts, checks, resamples, and gives blocks to the sink.
//! - [`bounds`]: what a file may cost.
//! - [`length`]: how long a song is, by its header alone.
//! - [`tags`], [`folder`]: what files say about themselves; the file names of songs.

mod bounds;
mod downmix;
mod file;
mod folder;
mod gapless;
mod length;
mod output;
mod rf64;
mod source;
mod stream;
mod tags;

use std::path::Path;

pub use folder::{extensions, is_audio_file};
pub use length::seconds;
#[cfg(test)]
pub(super) use source::{Source, new_decoder};
pub(super) use tags::{LARGEST_COVER, LONGEST_TEXT, tagged_file};

pub(super) use self::output::Output;
use super::{AudioFormat, CancelToken, SAMPLE_RATE, Tags};

/// Why a file cannot be used. The text says what is wrong and, where there is something, what to
/// do; the caller adds which file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// Not audio at all: text, a picture, a folder, noise.
    #[error("{0}")]
    NotAudio(String),
    /// Audio of a kind that cannot be decoded.
    #[error("{0}")]
    Unsupported(String),
    /// Audio with nothing to hear.
    #[error("{0}")]
    Empty(String),
    /// Audio that is too damaged to be of use.
    #[error("{0}")]
    Damaged(String),
}

/// What decoding found out.
#[derive(Clone, Debug, PartialEq)]
pub struct Decoded {
    /// How the file is encoded.
    pub format: AudioFormat,
    /// Title, artist, album, tempo, key.
    pub tags: Tags,
    /// The cover as it is in the file (PNG or JPEG bytes).
    pub cover: Option<Vec<u8>>,
    /// Frames given to the sink, at [`super::SAMPLE_RATE`].
    pub frames: u64,
    /// What was odd but did not stop the import: cut off, folded down from 5.1.
    pub warning: Option<String>,
}

/// Decodes the whole file at `path` in blocks of interleaved stereo at [`super::SAMPLE_RATE`].
/// `progress` gets 0 to 1; `cancel` is asked before each packet.
///
/// # Errors
/// When nothing can be read, in words for people; errors of `sink` come back as they are. What the
/// sink got until then is to be thrown away.
pub fn decode(
    path: &Path,
    cancel: &CancelToken,
    progress: &mut dyn FnMut(f32),
    sink: &mut dyn FnMut(&[f32]) -> super::Result<()>,
) -> super::Result<Decoded> {
    decode_expected(path, cancel, &mut |_| Ok(()), progress, sink)
}

/// As [`decode`]; where the file says how long it is, `expect` is told before anything is decoded,
/// in frames at [`super::SAMPLE_RATE`], and may refuse.
///
/// # Errors
/// As [`decode`], and those of `expect`.
pub fn decode_expected(
    path: &Path,
    cancel: &CancelToken,
    expect: &mut dyn FnMut(u64) -> super::Result<()>,
    progress: &mut dyn FnMut(f32),
    sink: &mut dyn FnMut(&[f32]) -> super::Result<()>,
) -> super::Result<Decoded> {
    let mut source = source::Source::open(path, cancel)?;
    if let Some(frames) = source.expected_frames() {
        expect(frames)?;
    }
    let mut about = tags::About::read(path, cancel);
    about.complete_with(tags::About::of_log(&mut source.reader.metadata()));
    let output = Output::new(SAMPLE_RATE, source.trim, sink)?;
    let heard = stream::decode(source, path, cancel, progress, output)?;
    Ok(Decoded {
        format: heard.format,
        tags: about.tags,
        cover: about.cover,
        frames: heard.frames,
        warning: heard.warning,
    })
}

/// Decodes the whole file at `path` as [`decode`] does, but at `rate` Hz: where that is the file's
/// own, its frames as they are.
///
/// # Errors
/// As [`decode`].
pub fn decode_at(
    path: &Path,
    rate: u32,
    cancel: &CancelToken,
    sink: &mut dyn FnMut(&[f32]) -> super::Result<()>,
) -> super::Result<()> {
    let source = source::Source::open(path, cancel)?;
    let output = Output::new(rate, source.trim, sink)?;
    stream::decode(source, path, cancel, &mut |_| (), output).map(drop)
}
