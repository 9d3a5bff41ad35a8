//! Symphonia's reader of a file and its track, and the errors of opening them.
//!
//! Runs on the decoder thread.

use std::{io, path::Path};

use symphonia::{
    core::{
        codecs::{CodecParameters, audio::AudioCodecParameters},
        common::Limit,
        errors::Error,
        formats::{FormatOptions, FormatReader, Track, TrackType, probe::Hint},
        io::{MediaSourceStream, MediaSourceStreamOptions},
        meta::MetadataOptions,
    },
    default::get_probe,
};

use super::{Damage, DecodeError, NotAudio, Unsupported, decoder, file::Counted};
use crate::engine::{problem::Problem, system::panics::guarded};

/// Opens a reader.
///
/// # Errors
/// Errors of the reader.
pub fn probe(file: Counted) -> std::result::Result<Box<dyn FormatReader>, Error> {
    let stream = MediaSourceStream::new(Box::new(file), MediaSourceStreamOptions::default());
    // lofty reads the pictures, within limits.
    let limits = MetadataOptions::default().limit_visual_bytes(Limit::Maximum(16 << 20));
    let options = FormatOptions::default();
    let panicked = Error::DecodeError("impossible numbers");
    guarded(|| get_probe().probe(&Hint::new(), stream, options, limits)).unwrap_or(Err(panicked))
}

/// Track with the number `id`, if present, else the first decodable one.
///
/// # Errors
/// Fails without an audio track.
pub fn playable_track(
    reader: &dyn FormatReader,
    id: u64,
) -> std::result::Result<(Track, AudioCodecParameters), DecodeError> {
    let audio = |track: &&Track| track.track_type() == Some(TrackType::Audio);
    let decodable = |track: &&Track| match &track.codec_params {
        Some(CodecParameters::Audio(codec)) => decoder::is_decodable(codec),
        _ => false,
    };
    let wanted = |track: &&Track| u64::from(track.id) == id && id > 0 && audio(track);
    let tracks = reader.tracks();
    let track = tracks
        .iter()
        .find(wanted)
        .or_else(|| tracks.iter().find(decodable))
        .or_else(|| tracks.iter().find(audio));
    match track.map(|track| (track, &track.codec_params)) {
        Some((track, Some(CodecParameters::Audio(codec)))) => Ok((track.clone(), codec.clone())),
        _ => Err(DecodeError::NotAudio(NotAudio::NoTrack)),
    }
}

/// Error for a file without a beginning of sound.
pub fn nothing_begins() -> DecodeError {
    DecodeError::Damaged(Damage::BeforeSound)
}

/// Converts the error of opening a reader.
pub fn probe_error(error: Error, path: &Path) -> Problem {
    let error = match error {
        Error::IoError(error) if error.kind() == io::ErrorKind::UnexpectedEof => nothing_begins(),
        Error::IoError(error) => return Problem::input(path, error),
        Error::Unsupported("core (probe): no suitable format reader found") => {
            DecodeError::NotAudio(NotAudio::Unknown)
        }
        // Symphonia 0.6.1 supports at most 26 channels, and reports more as damage.
        Error::Unsupported(what) | Error::DecodeError(what) if what.contains("channel") => {
            DecodeError::Unsupported(Unsupported::Layout)
        }
        Error::Unsupported(what) => {
            DecodeError::Unsupported(Unsupported::Container { detail: what.to_owned() })
        }
        error => DecodeError::header(&error),
    };
    error.into()
}
