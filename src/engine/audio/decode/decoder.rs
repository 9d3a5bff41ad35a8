//! Codecs: decoding of one packet to samples, with whichever library supports the codec.
//!
//! `rusty_aac` decodes AAC, because it supports every signalling of HE-AAC and more than two
//! channels. libopus decodes Opus, and Symphonia the rest. Runs on the decoder thread.

use std::sync::LazyLock;

use symphonia::{
    core::{
        audio::{AudioSpec, Channels, Position},
        codecs::{
            audio::{
                AudioCodecParameters, AudioDecoder, AudioDecoderOptions,
                well_known::{
                    CODEC_ID_AAC, CODEC_ID_AC3, CODEC_ID_ALAC, CODEC_ID_EAC3, CODEC_ID_FLAC,
                    CODEC_ID_MP1, CODEC_ID_MP2, CODEC_ID_MP3, CODEC_ID_OPUS, CODEC_ID_PCM_F32BE,
                    CODEC_ID_PCM_F32LE, CODEC_ID_PCM_F64BE, CODEC_ID_PCM_F64LE, CODEC_ID_VORBIS,
                },
            },
            registry::CodecRegistry,
        },
        errors::Error,
        packet::Packet,
    },
    default::register_enabled_codecs,
};
use symphonia_adapter_libopus::OpusDecoder;

use super::{Damage, DecodeError, Unsupported};
use crate::engine::system::panics::guarded;

static CODECS: LazyLock<CodecRegistry> = LazyLock::new(|| {
    let mut codecs = CodecRegistry::new();
    register_enabled_codecs(&mut codecs);
    codecs.register_audio_decoder::<OpusDecoder>();
    codecs
});

/// Decoder of one codec.
pub enum Decoder {
    /// Decoder for AAC.
    Aac(Box<rusty_aac::AacDecoder>),
    /// Decoder for all other codecs.
    Symphonia(Box<dyn AudioDecoder>),
}

impl Decoder {
    /// Creates a decoder for `codec`.
    ///
    /// # Errors
    /// Fails if the codec or its settings are unsupported, or its header is damaged.
    pub fn new(codec: &AudioCodecParameters) -> Result<Self, DecodeError> {
        let channels = codec.channels.as_ref().map_or(0, Channels::count);
        refuse_absurd(codec, channels)?;
        if codec.codec == CODEC_ID_AAC {
            return Self::aac(codec.extra_data.as_deref());
        }
        // Symphonia 0.6.1 garbles multichannel Vorbis, and the libopus adapter rejects multichannel
        // Opus.
        if channels > 2 && matches!(codec.codec, CODEC_ID_OPUS | CODEC_ID_VORBIS) {
            let codec = codec_name(codec);
            return Err(DecodeError::Unsupported(Unsupported::Channels { codec, channels }));
        }
        // `output` cuts delay and padding for all formats.
        let options = AudioDecoderOptions::default().gapless(!is_mpeg(codec));
        let decoder = guarded(|| CODECS.make_audio_decoder(codec, &options));
        let panicked = Error::DecodeError("impossible numbers");
        decoder.unwrap_or(Err(panicked)).map(Self::Symphonia).map_err(|error| {
            DecodeError::Unsupported(match error {
                Error::Unsupported(what) if what.starts_with("core") => {
                    Unsupported::Codec(known_name(codec))
                }
                Error::Unsupported(what) => {
                    Unsupported::Settings { codec: codec_name(codec), detail: what.to_owned() }
                }
                error => return DecodeError::header(&error),
            })
        })
    }

    fn aac(config: Option<&[u8]>) -> Result<Self, DecodeError> {
        let Some(config) = config.filter(|config| !config.is_empty()) else {
            return Ok(Self::Aac(Box::default())); // each frame has its own header
        };
        let decoder = guarded(|| rusty_aac::AacDecoder::with_config_bytes(config));
        match decoder {
            Some(Ok(decoder)) => Ok(Self::Aac(Box::new(decoder))),
            Some(Err(rusty_aac::Error::Unsupported(what))) => {
                let (codec, detail) = ("AAC".to_owned(), what.clone());
                Err(DecodeError::Unsupported(Unsupported::Settings { codec, detail }))
            }
            _ => Err(DecodeError::Damaged(Damage::AacHeader)),
        }
    }

    /// Decodes `packet` into `interleaved`; `None` on failure.
    pub fn decode(&mut self, packet: &Packet, interleaved: &mut Vec<f32>) -> Option<AudioSpec> {
        match self {
            Self::Aac(decoder) => {
                interleaved.clear();
                let audio = decoder.decode(&packet.data, None).ok()?;
                if audio.samples.is_empty() {
                    return None; // a damaged packet without channels
                }
                *interleaved = audio.samples;
                Some(AudioSpec::new(audio.sample_rate, aac_channels(audio.channels)?))
            }
            Self::Symphonia(decoder) => {
                let buffer = decoder.decode(packet).ok()?;
                buffer.copy_to_vec_interleaved(interleaved);
                Some(buffer.spec().clone())
            }
        }
    }
}

/// Channel order of `rusty_aac`: that of WAV.
fn aac_channels(count: u16) -> Option<Channels> {
    let front = Position::FRONT_LEFT | Position::FRONT_RIGHT;
    let rear = Position::REAR_LEFT | Position::REAR_RIGHT;
    let positions = match count {
        1 => Position::FRONT_LEFT,
        2 => front,
        3 => front | Position::FRONT_CENTER,
        4 => front | Position::FRONT_CENTER | Position::REAR_CENTER,
        5 => front | Position::FRONT_CENTER | rear,
        6 => front | Position::FRONT_CENTER | Position::LFE1 | rear,
        7 => front | Position::FRONT_CENTER | Position::LFE1 | rear | Position::REAR_CENTER,
        8 => {
            let side = Position::SIDE_LEFT | Position::SIDE_RIGHT;
            front | Position::FRONT_CENTER | Position::LFE1 | rear | side
        }
        _ => return None,
    };
    Some(Channels::Positioned(positions))
}

/// Rejects settings for which a decoder would allocate excessive memory up front; no valid file has
/// them.
fn refuse_absurd(codec: &AudioCodecParameters, channels: usize) -> Result<(), DecodeError> {
    const MOST_CHANNELS: usize = 64;
    const MOST_FRAMES: u64 = 1 << 16;
    if channels > MOST_CHANNELS {
        let limit = MOST_CHANNELS;
        return Err(DecodeError::Unsupported(Unsupported::TooManyChannels { channels, limit }));
    }
    match codec.max_frames_per_packet {
        Some(frames) if frames > MOST_FRAMES => {
            Err(DecodeError::Damaged(Damage::PacketFrames(frames)))
        }
        _ => Ok(()),
    }
}

/// Whether a codec can be decoded.
pub fn is_decodable(codec: &AudioCodecParameters) -> bool {
    codec.codec == CODEC_ID_AAC || CODECS.get_audio_decoder(codec.codec).is_some()
}

/// Whether this is MPEG audio of any layer.
pub fn is_mpeg(codec: &AudioCodecParameters) -> bool {
    matches!(codec.codec, CODEC_ID_MP1 | CODEC_ID_MP2 | CODEC_ID_MP3)
}

/// Whether the codec is lossy; its encoders keep samples near full scale.
pub fn is_lossy(codec: &AudioCodecParameters) -> bool {
    is_mpeg(codec) || matches!(codec.codec, CODEC_ID_AAC | CODEC_ID_OPUS | CODEC_ID_VORBIS)
}

/// Whether samples are floats written by another program.
pub fn is_float(codec: &AudioCodecParameters) -> bool {
    matches!(
        codec.codec,
        CODEC_ID_PCM_F32LE | CODEC_ID_PCM_F32BE | CODEC_ID_PCM_F64LE | CODEC_ID_PCM_F64BE
    )
}

/// Name of a codec; "this codec" if unknown.
pub fn codec_name(codec: &AudioCodecParameters) -> String {
    known_name(codec).unwrap_or_else(|| "this codec".into())
}

fn known_name(codec: &AudioCodecParameters) -> Option<String> {
    Some(match codec.codec {
        CODEC_ID_AAC => "AAC".into(),
        CODEC_ID_ALAC => "ALAC".into(),
        CODEC_ID_FLAC => "FLAC".into(),
        CODEC_ID_MP1 => "MP1".into(),
        CODEC_ID_MP2 => "MP2".into(),
        CODEC_ID_MP3 => "MP3".into(),
        CODEC_ID_OPUS => "Opus".into(),
        CODEC_ID_VORBIS => "Vorbis".into(),
        CODEC_ID_AC3 | CODEC_ID_EAC3 => "Dolby Digital (AC-3)".into(),
        other => pcm_or(CODECS.get_audio_decoder(other)?.codec.info.long_name),
    })
}

fn pcm_or(name: &str) -> String {
    if name.starts_with("PCM") { "PCM".into() } else { name.into() }
}

/// Bits per sample of a lossless codec.
pub fn lossless_bits(codec: &AudioCodecParameters) -> Option<u32> {
    match codec.codec {
        _ if is_lossy(codec) => None,
        CODEC_ID_PCM_F32LE | CODEC_ID_PCM_F32BE => Some(32),
        CODEC_ID_PCM_F64LE | CODEC_ID_PCM_F64BE => Some(64),
        // The "magic cookie" begins with the packet's frames, a version, and the bits.
        CODEC_ID_ALAC => codec
            .extra_data
            .as_ref()?
            .get(5)
            .map(|&bits| bits.into())
            .filter(|bits| [16, 20, 24, 32].contains(bits)),
        _ => codec.bits_per_sample,
    }
}
