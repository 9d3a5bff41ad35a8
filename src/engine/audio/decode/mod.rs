//! Decoding: any audio file to interleaved stereo `f32` at [`SAMPLE_RATE`], block by block.
//!
//! Knows no store and no library. Runs on the thread that calls it (an import thread), with memory
//! that does not depend on the length of the file.
//!
//! - [`file`]: opens the file.
//! - [`container`]: which kind it is, and what of it holds the sound; [`view`]: how that is shown.
//! - [`mpeg`]: frames of MPEG audio and AAC without a container.
//! - [`probe`]: the demuxer of a file and its track.
//! - [`source`]: track, codec and timing; [`packets`], [`decoder`]: who reads and decodes them.
//! - [`identity`]: the digest that identifies a song's sound, independent of its tags.
//! - [`stream`]: from packet to packet; what is damaged, cut off, or changes on the way.
//! - [`clock`]: what is missing by the time stamps; [`bridge`]: sound in place of short losses.
//! - [`flac_frame`]: headers and checksums of FLAC's frames.
//! - [`plausible`]: samples that nothing recorded.
//! - [`error`]: why a file cannot be decoded.
//! - [`downmix`]: any channels to stereo.
//! - [`output`]: cuts, resamples, and gives blocks to the sink.
//! - [`bounds`]: what a file may cost.
//! - [`length`]: how long a song is, by its header alone.
//! - [`tags`], [`folder`]: what files say about themselves; the file names of songs.

mod bounds;
mod bridge;
mod clock;
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

/// What decoding found out.
#[derive(Clone, Debug, PartialEq)]
pub struct Decoded {
    /// How the file is encoded.
    pub format: AudioFormat,
    /// Title, artist, album, tempo, key.
    pub tags: Tags,
    /// The cover as it is in the file (PNG or JPEG bytes).
    pub cover: Option<Vec<u8>>,
    /// Frames given to the sink, at [`SAMPLE_RATE`].
    pub frames: u64,
    /// Oddities that did not stop the import: cut off, folded down from 5.1.
    pub warning: Notes,
    /// The file's audio tracks.
    pub tracks: Vec<AudioTrack>,
    /// The number of the one that was decoded, from 1.
    pub track: usize,
}

/// Decodes the audio track `track` of the file at `path`, counted from 1, in blocks of interleaved
/// stereo at [`SAMPLE_RATE`]; `None` is the file's default track. `progress` gets 0 to
/// 1; `cancel` is asked before each packet.
///
/// # Errors
/// When nothing can be read, in words for people; errors of `sink` come back as they are. What the
/// sink got until then is to be thrown away.
pub fn decode(
    path: &Path,
    track: Option<usize>,
    cancel: &CancelToken,
    progress: &mut dyn FnMut(f32),
    sink: &mut dyn FnMut(&[f32]) -> Result<()>,
) -> Result<Decoded> {
    decode_expected(path, track, cancel, &mut |_| Ok(()), progress, sink)
}

/// As [`decode`]; where the file says how long it is, `expect` is told before anything is decoded,
/// in frames at [`SAMPLE_RATE`], and may refuse.
///
/// # Errors
/// As [`decode`], and those of `expect`.
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

/// Decodes a track of the file at `path` as [`decode`] does, but at `rate` Hz: where that is the file's
/// own, its frames as they are.
///
/// # Errors
/// As [`decode`].
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

/// The largest magnitude that is believed of a song in floats, which may be loud on purpose. Reads all
/// of it: samples are judged by the song.
fn float_bound(source: source::Source, path: &Path, cancel: &CancelToken) -> Result<f32> {
    let mut peaks = Peaks::default();
    let mut peak = 0.0_f32;
    let mut take = |block: &[f32]| {
        peak = block.iter().filter(|it| it.is_finite()).fold(peak, |peak, it| peak.max(it.abs()));
        peaks.push(block, CHANNELS);
        Ok(())
    };
    let (rate, track) = (source.format.sample_rate, Some(source.track));
    let output = Output::new(rate, output::Trim::default(), &mut take)?;
    let reopen = || source::Source::open(path, track, cancel);
    match stream::decode(source, path, cancel, &mut |_| (), output, f32::MAX, &reopen) {
        Ok(_) => Ok(if peak <= LOUD { LOUD } else { peaks.bound() }),
        Err(Problem::Decode(_)) => Ok(LOUD), // said by the decoding itself
        Err(error) => Err(error),
    }
}
