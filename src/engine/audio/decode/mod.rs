//! Decoding of any audio file to interleaved stereo `f32` at [`SAMPLE_RATE`], block by block.
//!
//! The decoder depends on neither stores nor the library. It runs on the calling thread (an import
//! thread), with memory independent of the file's length.
//!
//! - [`file`]: opens the file.
//! - [`container`]: detects the format and locates the sound; [`view`]: the part shown to demuxers.
//! - [`mpeg`]: frames of MPEG audio and AAC without a container.
//! - [`probe`]: demuxer and track of a file.
//! - [`source`]: track, codec and timing; [`packets`], [`decoder`]: reading and decoding.
//! - [`identity`]: the digest that identifies a song's sound, independent of its tags.
//! - [`stream`]: the packet loop, with handling of damage, truncation and format changes.
//! - [`clock`]: losses according to time stamps.
//! - [`flac_frame`]: headers and checksums of FLAC frames.
//! - [`plausible`]: detection of samples that cannot be a recording.
//! - [`concealment`]: replacement of lost and implausible sound; [`bridge`]: the sound for short gaps.
//! - [`error`]: why a file cannot be decoded.
//! - [`downmix`]: any channel layout to stereo.
//! - [`output`]: trims, resamples, and passes blocks to the sink.
//! - [`bounds`]: limits on the cost of decoding.
//! - [`length`]: length of a song from its header alone.
//! - [`tags`], [`folder`]: metadata of files; file names of songs.

mod bounds;
mod bridge;
mod clock;
mod concealment;
mod container;
mod decoder;
mod downmix;
mod error;
mod file;
mod flac_frame;
mod folder;
mod identity;
mod integers;
mod length;
mod mpeg;
mod output;
mod packets;
mod plausible;
mod probe;
mod reports;
mod source;
mod stream;
mod tags;
pub mod track_choice;
mod view;

use std::path::Path;

#[cfg(test)]
pub(in crate::engine) use self::{decoder::Decoder, packets::Next, source::Source};
pub use error::{Damage, DecodeError, Empty, Foreign, Format, NotAudio, Unsupported, Video};
pub use folder::{extensions, is_audio_file};
pub(in crate::engine) use identity::SoundIdentity;
pub use length::seconds;
pub use reports::watch as watch_library_logs;
pub use tags::Broadcast;
pub(in crate::engine) use tags::{
    About, LARGEST_COVER, LONGEST_TEXT, broadcast, read_all as read_tags,
};

pub(in crate::engine) use self::output::Output;
use self::plausible::{LOUD, Peaks};
use crate::engine::{
    note::Notes,
    problem::{Problem, Result},
    types::{AudioFormat, AudioTrack, CHANNELS, CancelToken, SAMPLE_RATE, Tags},
};

/// Result of decoding.
#[derive(Clone, Debug, PartialEq)]
pub struct Decoded {
    /// Encoding of the file.
    pub format: AudioFormat,
    /// Title, artist, album, tempo, key.
    pub tags: Tags,
    /// Cover as stored in the file (PNG or JPEG bytes).
    pub cover: Option<Vec<u8>>,
    /// Frames passed to the sink, at [`SAMPLE_RATE`].
    pub frames: u64,
    /// Notes that did not stop the import, such as truncation or a downmix from 5.1.
    pub warning: Notes,
    /// Audio tracks of the file.
    pub tracks: Vec<AudioTrack>,
    /// Number of the decoded track, from 1.
    pub track: usize,
}

/// Decodes the audio track `track` of the file at `path`, counted from 1, in blocks of interleaved
/// stereo at [`SAMPLE_RATE`]. `None` is the file's default track. `progress` receives 0 to 1;
/// `cancel` is checked before each packet.
///
/// # Errors
/// Fails if the file cannot be read or decoded, and passes errors of `sink` through. The caller
/// discards the blocks received so far.
pub fn decode(
    path: &Path,
    track: Option<usize>,
    cancel: &CancelToken,
    progress: &mut dyn FnMut(f32),
    sink: &mut dyn FnMut(&[f32]) -> Result<()>,
) -> Result<Decoded> {
    decode_expected(path, track, cancel, &mut |_| Ok(()), progress, sink)
}

/// Decodes like [`decode`], but first passes the stated length to `expect`, in frames at
/// [`SAMPLE_RATE`]. `expect` may reject the file.
///
/// # Errors
/// Like [`decode`], and the errors of `expect`.
pub fn decode_expected(
    path: &Path,
    track: Option<usize>,
    cancel: &CancelToken,
    expect: &mut dyn FnMut(u64) -> Result<()>,
    progress: &mut dyn FnMut(f32),
    sink: &mut dyn FnMut(&[f32]) -> Result<()>,
) -> Result<Decoded> {
    let source = source::Source::open(path, track, cancel)?;
    if let Some(frames) = source.expected_frames() {
        expect(frames)?;
    }
    let about = tags::About::read(path, cancel);
    let (tracks, track) = (source.tracks.clone(), source.track);
    let heard = run(source, path, SAMPLE_RATE, cancel, progress, sink)?;
    Ok(Decoded {
        format: heard.format,
        tags: about.tags,
        cover: about.cover,
        frames: heard.frames,
        warning: heard.warning,
        tracks,
        track,
    })
}

/// Decodes like [`decode`], but at `rate` Hz. At the file's own rate, frames stay unchanged.
///
/// # Errors
/// Like [`decode`].
pub fn decode_at(
    path: &Path,
    track: Option<usize>,
    rate: u32,
    cancel: &CancelToken,
    sink: &mut dyn FnMut(&[f32]) -> Result<()>,
) -> Result<()> {
    let source = source::Source::open(path, track, cancel)?;
    run(source, path, rate, cancel, &mut |_| (), sink).map(drop)
}

fn run(
    source: source::Source,
    path: &Path,
    rate: u32,
    cancel: &CancelToken,
    progress: &mut dyn FnMut(f32),
    sink: &mut dyn FnMut(&[f32]) -> Result<()>,
) -> Result<stream::Heard> {
    let track = Some(source.track);
    let reopen = || source::Source::open(path, track, cancel);
    let bound = if decoder::is_float(&source.codec) {
        float_bound(reopen()?, path, cancel)?
    } else {
        f32::MAX
    };
    let trim = source.passes.first().cloned().unwrap_or_default();
    let output = Output::new(rate, trim, sink)?;
    stream::decode(source, path, cancel, progress, output, bound, &reopen)
}

/// Largest plausible magnitude of a song in floats, which may be loud on purpose. Reads the whole
/// song, because samples are judged relative to it.
fn float_bound(source: source::Source, path: &Path, cancel: &CancelToken) -> Result<f32> {
    let mut peaks = Peaks::default();
    let mut peak = 0.0_f32;
    let mut take = |block: &[f32]| {
        peak = block.iter().filter(|x| x.is_finite()).fold(peak, |peak, x| peak.max(x.abs()));
        peaks.push(block, CHANNELS);
        Ok(())
    };
    let (rate, track) = (source.format.sample_rate, Some(source.track));
    let output = Output::new(rate, output::Trim::default(), &mut take)?;
    let reopen = || source::Source::open(path, track, cancel);
    match stream::decode(source, path, cancel, &mut |_| (), output, f32::MAX, &reopen) {
        Ok(_) => Ok(if peak <= LOUD { LOUD } else { peaks.bound() }),
        Err(Problem::Decode(_)) => Ok(LOUD), // the decoding pass reports the error
        Err(error) => Err(error),
    }
}
