//! What a file holds: in which container, with which codec. Nothing is decoded here.

use std::{
    io,
    path::Path,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicU64, Ordering},
    },
};

use symphonia::{
    core::{
        audio::Channels,
        codecs::{
            CodecParameters,
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
        common::Limit,
        errors::Error,
        formats::{
            FormatOptions, FormatReader, Track, TrackType,
            probe::Hint,
            well_known::{
                FORMAT_ID_AIFF, FORMAT_ID_CAF, FORMAT_ID_FLAC, FORMAT_ID_ISOMP4, FORMAT_ID_MKV,
                FORMAT_ID_WAVE,
            },
        },
        meta::MetadataOptions,
    },
    default::{get_probe, register_enabled_codecs},
};
use symphonia_adapter_libopus::OpusDecoder;

use super::{
    DecodeError,
    bounds::Allowance,
    file::{self, Opened},
    gapless::{AAC_PRIMING, Mp4Timing, opus_pre_skip},
    output::{End, Trim},
};
use crate::engine::{
    AudioFormat, CancelToken, EngineError, Result, SAMPLE_RATE, guard::guarded, resample::rescale,
};

/// Rate at which Opus is always decoded, in Hz.
const OPUS_RATE: u32 = 48_000;

/// Frames of padding that are believed: LAME's note has room for 4095. Padding is held in memory.
const MOST_PADDING: u32 = 1 << 16;

/// What to do about a file that is damaged.
pub const AGAIN: &str = "copy or download it again";

/// What a panic within Symphonia counts as.
const PANICKED: Error = Error::DecodeError("impossible numbers");

static CODECS: LazyLock<CodecRegistry> = LazyLock::new(|| {
    let mut codecs = CodecRegistry::new();
    register_enabled_codecs(&mut codecs);
    codecs.register_audio_decoder::<OpusDecoder>();
    codecs
});

/// An audio file whose container has been read.
pub struct Source {
    /// Gives the packets.
    pub reader: Box<dyn FormatReader>,
    /// The track that is decoded.
    pub track: u32,
    /// Its codec, as [`new_decoder`] wants it.
    pub codec: AudioCodecParameters,
    /// For people; channels and rate as far as the header tells.
    pub format: AudioFormat,
    /// What the encoder added.
    pub trim: Trim,
    /// Frames to be heard, where the header is to be trusted.
    pub promised: Option<u64>,
    position: Arc<AtomicU64>,
    bytes: u64,
}

impl Source {
    /// Opens `path` and finds its first audio track that can be decoded.
    ///
    /// # Errors
    /// When there is no such file, it cannot be read, or it is no audio that can be decoded; when
    /// cancelled.
    pub fn open(path: &Path, cancel: &CancelToken) -> Result<Self> {
        Self::open_within(path, u64::MAX, cancel)
    }

    /// As [`Self::open`], but reads `most` bytes at most, also later.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_within(path: &Path, most: u64, cancel: &CancelToken) -> Result<Self> {
        let Opened { stream, position, bytes, frames } = file::open(path, most, cancel)?;
        // Pictures are read by lofty, within limits.
        let limits = MetadataOptions::default().limit_visual_bytes(Limit::Maximum(16 << 20));
        let options = FormatOptions::default();
        let reader = guarded(|| get_probe().probe(&Hint::new(), stream, options, limits))
            .unwrap_or(Err(PANICKED))
            .map_err(|error| {
                if cancel.is_cancelled() {
                    EngineError::Cancelled
                } else {
                    probe_error(error, path)
                }
            })?;
        Self::of_reader(reader, path, (position, bytes), frames, cancel)
    }

    fn of_reader(
        reader: Box<dyn FormatReader>,
        path: &Path,
        (position, bytes): (Arc<AtomicU64>, u64),
        frames: Option<u64>,
        cancel: &CancelToken,
    ) -> Result<Self> {
        let (track, mut codec) = playable_track(reader.as_ref())?;
        let frames = track.num_frames.or(frames);
        let container = reader.format_info().format;
        let rate = codec.sample_rate.unwrap_or(0);
        let is_mpeg = is_mpeg(&codec);

        let priming = match codec.codec {
            CODEC_ID_AAC => AAC_PRIMING,
            CODEC_ID_OPUS => opus_pre_skip(codec.extra_data.as_deref()),
            _ => 0,
        };
        let trim = if container == FORMAT_ID_ISOMP4 {
            Mp4Timing::read(path, track.id, cancel).trim(rate, frames, priming)
        } else if let (true, Some(delay)) = (is_mpeg, track.delay) {
            let padding = track.padding.unwrap_or(0).min(MOST_PADDING) as usize;
            Trim { skip: delay.into(), end: End::Padding(padding) }
        } else {
            Trim { skip: priming, end: End::Natural }
        };
        let promised = match trim.end {
            End::Length(length) => Some(length),
            // Without LAME's note, Symphonia guesses the length from the first packets' bit rate.
            End::Natural if is_mpeg || codec.codec == CODEC_ID_AAC => None,
            // Whole packets are counted, though the last may be shorter.
            End::Natural if container == FORMAT_ID_CAF && codec.codec == CODEC_ID_ALAC => None,
            _ => frames.map(|frames| frames.saturating_sub(opus_part(&codec, priming))),
        };
        if codec.codec == CODEC_ID_OPUS {
            codec.sample_rate = Some(OPUS_RATE);
            // The decoder would trim only the first packet of a pre-skip that spans several.
            codec.extra_data = None;
        }
        let format = AudioFormat {
            name: format_name(container, &codec),
            sample_rate: codec.sample_rate.unwrap_or(0),
            channels: codec.channels.as_ref().map_or(0, |channels| channels.count() as u16),
            bits: lossless_bits(&codec),
            frames: None, // known at the end
        };
        Ok(Self { track: track.id, reader, codec, format, trim, promised, position, bytes })
    }

    /// How long it says that it is, in frames at [`SAMPLE_RATE`]; of what it cannot hold, what it
    /// can.
    pub fn expected_frames(&self) -> Option<u64> {
        let rate = self.format.sample_rate;
        let promised = self.promised.filter(|_| rate > 0)?;
        let most = (Allowance::new(self.bytes).seconds() * f64::from(SAMPLE_RATE)) as u64;
        Some(rescale(promised, SAMPLE_RATE, rate).min(most))
    }

    /// Part of the file that has been read, 0 to 1.
    pub fn fraction(&self) -> f32 {
        (self.position.load(Ordering::Relaxed) as f64 / self.bytes.max(1) as f64).min(1.0) as f32
    }

    /// Length of the file.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether this is MPEG audio of any layer.
    pub fn is_mpeg(&self) -> bool {
        is_mpeg(&self.codec)
    }

    /// Whether this is FLAC in its own container: its ticks are frames, its packets are frames.
    pub fn is_flac_file(&self) -> bool {
        self.reader.format_info().format == FORMAT_ID_FLAC
    }

    /// Whether this is WAV. Without a length, its sound goes on to the end of the file.
    pub fn is_wav(&self) -> bool {
        self.reader.format_info().format == FORMAT_ID_WAVE
    }

    /// After a chained stream's new beginning: its track and codec.
    ///
    /// # Errors
    /// When the new part has no track that can be decoded.
    pub fn next_chapter(&mut self) -> Result<(), DecodeError> {
        let (track, codec) = playable_track(self.reader.as_ref())?;
        (self.track, self.codec) = (track.id, codec);
        Ok(())
    }
}

/// A decoder for `codec`.
///
/// # Errors
/// When the codec or its settings are not supported.
pub fn new_decoder(codec: &AudioCodecParameters) -> Result<Box<dyn AudioDecoder>, DecodeError> {
    let channels = codec.channels.as_ref().map_or(0, Channels::count);
    // Symphonia 0.6.1 refuses such AAC, libopus' adapter such Opus; such Vorbis comes out garbled.
    if channels > 2 && matches!(codec.codec, CODEC_ID_AAC | CODEC_ID_OPUS | CODEC_ID_VORBIS) {
        let name = codec_name(codec);
        return Err(DecodeError::Unsupported(format!(
            "{name} with {channels} channels is not supported; convert it to stereo, or to FLAC"
        )));
    }
    refuse_absurd(codec, channels)?;
    // Symphonia would cut MPEG audio where it guessed the end to be; see `Source::promised`.
    let options = AudioDecoderOptions::default().gapless(!is_mpeg(codec));
    let decoder = guarded(|| CODECS.make_audio_decoder(codec, &options));
    decoder.unwrap_or(Err(PANICKED)).map_err(|error| {
        let name = codec_name(codec);
        match error {
            Error::Unsupported(what) if what.starts_with("core") => DecodeError::Unsupported(
                format!("{name} is not supported; convert the file to FLAC or WAV"),
            ),
            Error::Unsupported(what) => DecodeError::Unsupported(format!(
                "this kind of {name} is not supported ({what}); convert the file to FLAC or WAV"
            )),
            error => damaged_header(&error),
        }
    })
}

/// Refuses what a decoder would reserve memory for before it has seen a packet, and no honest file
/// asks for.
fn refuse_absurd(codec: &AudioCodecParameters, channels: usize) -> Result<(), DecodeError> {
    const MOST_CHANNELS: usize = 64;
    const MOST_FRAMES: u64 = 1 << 16;
    if channels > MOST_CHANNELS {
        return Err(DecodeError::Unsupported(format!(
            "{channels} channels are not supported, {MOST_CHANNELS} at most; convert it to stereo"
        )));
    }
    match codec.max_frames_per_packet {
        Some(frames) if frames > MOST_FRAMES => Err(DecodeError::Damaged(format!(
            "the file's header is damaged (it claims packets of {frames} frames); {AGAIN}"
        ))),
        _ => Ok(()),
    }
}

fn playable_track(reader: &dyn FormatReader) -> Result<(Track, AudioCodecParameters), DecodeError> {
    let audio = |track: &&Track| track.track_type() == Some(TrackType::Audio);
    let decodable = |track: &&Track| match &track.codec_params {
        Some(CodecParameters::Audio(codec)) => CODECS.get_audio_decoder(codec.codec).is_some(),
        _ => false,
    };
    let track = reader
        .default_track(TrackType::Audio)
        .filter(decodable)
        .or_else(|| reader.tracks().iter().find(decodable))
        .or_else(|| reader.tracks().iter().find(audio));
    match track.map(|track| (track, &track.codec_params)) {
        Some((track, Some(CodecParameters::Audio(codec)))) => Ok((track.clone(), codec.clone())),
        _ => Err(DecodeError::NotAudio("there is no sound in this file, only other data".into())),
    }
}

fn is_mpeg(codec: &AudioCodecParameters) -> bool {
    matches!(codec.codec, CODEC_ID_MP1 | CODEC_ID_MP2 | CODEC_ID_MP3)
}

/// In Ogg the header's length counts what is skipped at the start of Opus.
fn opus_part(codec: &AudioCodecParameters, priming: u64) -> u64 {
    if codec.codec == CODEC_ID_OPUS { priming } else { 0 }
}

fn codec_name(codec: &AudioCodecParameters) -> String {
    match codec.codec {
        CODEC_ID_AAC => "AAC".into(),
        CODEC_ID_ALAC => "ALAC".into(),
        CODEC_ID_FLAC => "FLAC".into(),
        CODEC_ID_MP1 => "MP1".into(),
        CODEC_ID_MP2 => "MP2".into(),
        CODEC_ID_MP3 => "MP3".into(),
        CODEC_ID_OPUS => "Opus".into(),
        CODEC_ID_VORBIS => "Vorbis".into(),
        CODEC_ID_AC3 | CODEC_ID_EAC3 => "Dolby Digital (AC-3)".into(),
        other => CODECS
            .get_audio_decoder(other)
            .map_or("this codec".into(), |decoder| pcm_or(decoder.codec.info.long_name)),
    }
}

fn pcm_or(name: &str) -> String {
    if name.starts_with("PCM") { "PCM".into() } else { name.into() }
}

fn format_name(
    container: symphonia::core::formats::FormatId,
    codec: &AudioCodecParameters,
) -> String {
    match container {
        FORMAT_ID_WAVE => "WAV".into(),
        FORMAT_ID_AIFF => "AIFF".into(),
        FORMAT_ID_FLAC => "FLAC".into(),
        FORMAT_ID_CAF if codec.codec != CODEC_ID_ALAC && codec.codec != CODEC_ID_AAC => {
            "CAF".into()
        }
        FORMAT_ID_MKV => format!("{} (Matroska)", codec_name(codec)),
        _ => codec_name(codec),
    }
}

fn lossless_bits(codec: &AudioCodecParameters) -> Option<u32> {
    match codec.codec {
        CODEC_ID_AAC | CODEC_ID_MP1 | CODEC_ID_MP2 | CODEC_ID_MP3 | CODEC_ID_OPUS
        | CODEC_ID_VORBIS => None,
        CODEC_ID_PCM_F32LE | CODEC_ID_PCM_F32BE => Some(32),
        CODEC_ID_PCM_F64LE | CODEC_ID_PCM_F64BE => Some(64),
        // Its "magic cookie" begins with the packet's frames, a version, and the bits.
        CODEC_ID_ALAC => codec
            .extra_data
            .as_ref()?
            .get(5)
            .map(|&bits| bits.into())
            .filter(|bits| [16, 20, 24, 32].contains(bits)),
        _ => codec.bits_per_sample,
    }
}

fn probe_error(error: Error, path: &Path) -> EngineError {
    let error = match error {
        Error::IoError(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            DecodeError::Damaged(format!(
                "the file ends, or is damaged, before its sound begins; {AGAIN}"
            ))
        }
        Error::IoError(source) => {
            return EngineError::Io { what: "cannot read", path: path.into(), source };
        }
        Error::Unsupported("core (probe): no suitable format reader found") => {
            DecodeError::NotAudio(
                "this is not an audio file, or of a kind that is not known".into(),
            )
        }
        Error::Unsupported("isomp4: missing moov atom") => {
            DecodeError::Damaged(format!("the file is incomplete: its index is missing; {AGAIN}"))
        }
        // Symphonia 0.6.1 knows 26 channels at most, and takes more for damage.
        Error::Unsupported(what) | Error::DecodeError(what) if what.contains("channel") => {
            DecodeError::Unsupported(
                "this number or layout of channels is not supported; convert the file to stereo"
                    .into(),
            )
        }
        Error::Unsupported(what) => DecodeError::Unsupported(format!(
            "this kind of audio file is not supported ({what}); convert it to FLAC or WAV"
        )),
        error => damaged_header(&error),
    };
    error.into()
}

fn damaged_header(error: &Error) -> DecodeError {
    DecodeError::Damaged(format!("the file's header is damaged ({error}); {AGAIN}"))
}
