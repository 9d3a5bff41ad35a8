//! Identity of a song: a digest of its encoded sound, independent of its metadata.
//!
//! Retagging a song changes tags, covers, padding and the order of parts. Its packets stay the
//! same, even in another container. Nothing is decoded, and memory is independent of the length.
//! Runs on the importing or exporting thread.

use std::{path::Path, time::Instant};

use sha2::{Digest as _, Sha256};
use symphonia::core::{
    audio::Channels,
    codecs::audio::{
        AudioCodecId, AudioCodecParameters,
        well_known::{
            CODEC_ID_AAC, CODEC_ID_ALAC, CODEC_ID_FLAC, CODEC_ID_MP1, CODEC_ID_MP2, CODEC_ID_MP3,
            CODEC_ID_OPUS, CODEC_ID_VORBIS,
        },
    },
    errors::Error,
};

use super::{bounds::Allowance, packets::Next, source::Source};
use crate::engine::{
    problem::{Problem, Result},
    system::{digest::hex, panics::guarded},
    types::CancelToken,
};

/// Version of the digest algorithm. Libraries store it with each digest; digests of different
/// versions are never equal.
const VERSION: &str = "1";

/// Identity of a song's sound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SoundIdentity {
    digest: String,
}

impl SoundIdentity {
    /// Reads the audio track `track` of the file at `path`, counted from 1; `None` is the default
    /// track. Returns `None` if the file cannot be demuxed or has no sound.
    ///
    /// # Errors
    /// Fails with [`Problem::Input`] if the file cannot be read, and with [`Problem::Cancelled`].
    pub fn of_file(
        path: &Path,
        track: Option<usize>,
        cancel: &CancelToken,
    ) -> Result<Option<Self>> {
        match Source::open(path, track, cancel) {
            Ok(source) => of_source(source, path, cancel),
            Err(Problem::Decode(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Digest as 64 hexadecimal digits.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// Digest with its version, as stored in libraries.
    pub fn versioned(&self) -> String {
        format!("{VERSION}:{}", self.digest)
    }
}

fn of_source(
    mut source: Source,
    path: &Path,
    cancel: &CancelToken,
) -> Result<Option<SoundIdentity>> {
    let mut allowance = Allowance::new(source.bytes());
    let mut hasher = Sha256::new();
    hasher.update(format!("Partita sound {VERSION}\n"));
    digest_codec(&mut hasher, &source.codec);
    let mut packets = 0_u64;
    loop {
        if cancel.is_cancelled() {
            return Err(Problem::Cancelled);
        }
        let since = Instant::now();
        // Where damage ends the decoding, the identity ends, too.
        let Some(next) = guarded(|| source.next()) else { break };
        let is_within = allowance.time(since.elapsed()).is_ok();
        let bytes = match &next {
            Ok(Next::Packet(packet)) => packet.data.len(),
            _ => 0,
        };
        if !is_within || allowance.packet(bytes).is_err() {
            return Ok(None);
        }
        match next {
            Ok(Next::Packet(packet)) if source.is_ours(&packet) => {
                hasher.update(&packet.data);
                packets += 1;
            }
            Ok(Next::Packet(_) | Next::Lost(_)) => {}
            Ok(Next::Reset) if source.next_chapter().is_ok() => {
                digest_codec(&mut hasher, &source.codec);
            }
            Err(Error::IoError(_)) if cancel.is_cancelled() => return Err(Problem::Cancelled),
            Err(Error::IoError(error)) => {
                return Err(Problem::input(path, error));
            }
            Ok(Next::Reset | Next::CutOff | Next::End) | Err(_) => break,
        }
    }
    let digest = hex(&hasher.finalize());
    Ok((packets > 0).then_some(SoundIdentity { digest }))
}

/// Digests the codec parameters as the decoder receives them. For Opus, the identification header
/// is excluded: its gain is loudness metadata and not applied.
fn digest_codec(hasher: &mut Sha256, codec: &AudioCodecParameters) {
    let AudioCodecParameters { codec: id, sample_rate, channels, extra_data, .. } = codec;
    let channels = channels.as_ref().map_or(0, Channels::count);
    let extra = extra_data.as_deref().unwrap_or_default();
    let rate = sample_rate.unwrap_or(0);
    hasher.update(format!("{} {rate} {channels} {}\n", codec_name(*id), extra.len()));
    hasher.update(extra);
}

/// Codec names that stay stable if the demuxer's numbers change.
fn codec_name(codec: AudioCodecId) -> String {
    match codec {
        CODEC_ID_AAC => "aac".into(),
        CODEC_ID_ALAC => "alac".into(),
        CODEC_ID_FLAC => "flac".into(),
        CODEC_ID_MP1 => "mp1".into(),
        CODEC_ID_MP2 => "mp2".into(),
        CODEC_ID_MP3 => "mp3".into(),
        CODEC_ID_OPUS => "opus".into(),
        CODEC_ID_VORBIS => "vorbis".into(),
        // PCM and ADPCM variants, by their numbers in Symphonia 0.6.
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [(&str, &str); 9] = [
        ("chirp.flac", "1:279a2837521ba91123fe022a52d924dc52c0a71b80b45c7a10b8fd7feea163c6"),
        ("chirp.mp3", "1:460eef8cdbfc585259726728022074e10d8e595977a47b47c52f19481a7f1720"),
        ("chirp.m4a", "1:37cd9fee0eed008e9a9a661a4e792c9604a866b61e1d007006e603c816e08277"),
        ("chirp.ogg", "1:b23d97a6aa62b6515603986ee28d79bbc35bd0723d024de9b84ddde63733a385"),
        ("chirp.opus", "1:c41f9c02019e993b6efcc7e20e606f593fbd297da88a90b5955ddd0cef9b8c58"),
        ("chirp.mka", "1:b23d97a6aa62b6515603986ee28d79bbc35bd0723d024de9b84ddde63733a385"),
        ("chirp-alac.m4a", "1:c03c4972ad10a26e0e3b5cb63f97607617365bfce14ff59b5a384b61e605eab6"),
        ("chirp-22k.aiff", "1:0ebd694d2d14378f23ace6a5662aa907a8befe4a50f69af2546a04b84c4f0a14"),
        (
            "chirp-mono-8k-mulaw.wav",
            "1:ece15f4476de1ba4a3f9a86413180af43053b395e1acc0322f807e1c1e4186b7",
        ),
    ];

    fn identity(name: &str) -> String {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name);
        let never = CancelToken::default();
        SoundIdentity::of_file(&path, None, &never).unwrap().unwrap().versioned()
    }

    /// Changed identities would cost a library the stems of its songs. The Matroska file has the
    /// same packets as the Ogg file.
    #[test]
    fn identities_are_stable() {
        let found = KNOWN.map(|(name, _)| (name, identity(name)));
        let known = KNOWN.map(|(name, identity)| (name, identity.to_owned()));
        assert_eq!(found, known);
    }

    #[test]
    fn a_file_without_sound_has_no_identity() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        std::fs::write(&path, "text").unwrap();
        let never = CancelToken::default();
        assert_eq!(SoundIdentity::of_file(&path, None, &never).unwrap(), None);
        let missing = SoundIdentity::of_file(&folder.path().join("b"), None, &never).unwrap_err();
        assert!(matches!(missing, Problem::Input { .. }));
        let cancelled = CancelToken::default();
        cancelled.cancel();
        let chirp = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/chirp.flac");
        let error = SoundIdentity::of_file(&chirp, None, &cancelled).unwrap_err();
        assert!(matches!(error, Problem::Cancelled));
    }
}
