//! Typed reasons why a file cannot be decoded.
//!
//! This module depends on no other part of the decoder; the engine's problems carry its types into
//! events and the library. `Display` is English: the cause and, if known, the remedy. The caller
//! adds the file name.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Remedy for a damaged file.
const COPY_AGAIN: &str = "copy or download it again";

/// Reason why a file cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DecodeError {
    /// The file is not audio: text, a picture, a folder, noise.
    NotAudio(NotAudio),
    /// Audio of an unsupported kind.
    Unsupported(Unsupported),
    /// Audio without samples.
    Empty(Empty),
    /// Audio that is too damaged to be used.
    Damaged(Damage),
}

/// Kind of a file without audio.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotAudio {
    /// A folder.
    Folder,
    /// A device or a pipe.
    Device,
    /// Another recognised kind of file.
    Other(Foreign),
    /// An unknown kind of file.
    Unknown,
    /// A container without an audio track.
    NoTrack,
}

/// Recognised kinds of files without audio.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names are the file kinds' own")]
pub enum Foreign {
    Picture,
    Pdf,
    PostScript,
    Office,
    Document,
    Text,
    Zip,
    Compressed,
    Archive,
    Program,
    Database,
    Midi,
    Flash,
    Tracker,
    Console,
    HomeComputer,
    Font,
    Riff,
}

/// Audio that cannot be decoded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unsupported {
    /// A codec; `None` if its name is unknown.
    Codec(Option<String>),
    /// Particular settings of a codec.
    Settings {
        /// Name of the codec.
        codec: String,
        /// Reason given by the decoder, in English.
        detail: String,
    },
    /// Audio files of a format.
    Format(Format),
    /// Video files of a format.
    Video(Video),
    /// A variant of a container.
    Container {
        /// Reason given by the demuxer, in English.
        detail: String,
    },
    /// A codec with this many channels.
    Channels {
        /// Name of the codec.
        codec: String,
        /// Number of channels.
        channels: usize,
    },
    /// More channels than the limit.
    TooManyChannels {
        /// Number of channels.
        channels: usize,
        /// Maximum number of channels.
        limit: usize,
    },
    /// A number or layout of channels.
    Layout,
    /// FLAC with 32 bits in joint stereo.
    JointFlac,
    /// A sample rate in Hz.
    Rate(u32),
    /// A failed conversion of the sample rate.
    Conversion,
    /// A missing audio track.
    Track {
        /// Requested track number, from 1.
        number: usize,
        /// Number of audio tracks in the file.
        count: usize,
    },
}

/// Recognised but unsupported formats of audio files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// A format with a proper name, which is the same in all languages.
    Named(String),
    /// WAV in big-endian byte order.
    Rifx,
    /// AAC with an ADIF header.
    Adif,
    /// AAC in LATM without a container.
    Latm,
    /// MPEG audio with a free bit rate.
    FreeRate,
}

/// Recognised but unsupported formats of video files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names are the formats' own")]
pub enum Video {
    Avi,
    Dv,
    Flv,
    MpegProgram,
    MpegTransport,
    MpegVideo,
    Mxf,
    Nut,
    RealMedia,
    Wtv,
}

/// Reason why a file has no sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Empty {
    /// The file has 0 bytes.
    File,
    /// The audio track has no samples.
    Track,
}

/// Location or kind of the damage in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Damage {
    /// Damaged header.
    Header {
        /// Reason given by the demuxer, in English.
        detail: String,
    },
    /// Damaged AAC header.
    AacHeader,
    /// Header that states absurd packets of this many frames.
    PacketFrames(u64),
    /// The file ends or is damaged before the first sample.
    BeforeSound,
    /// The file ends before the first sample.
    CutOff,
    /// The first samples cannot be decoded.
    AtSound,
    /// The index of an MP4 file is missing.
    NoIndex,
    /// More than half of the packets cannot be decoded.
    Mostly,
    /// The parts of the file refer to each other in an endless loop.
    Endless,
    /// Reading takes far longer than expected for the file's length.
    TooSlow,
    /// The index refers to more sound than the file can hold.
    Index {
        /// Length of the file in bytes.
        bytes: u64,
    },
    /// The file claims more sound than fits into its length.
    TooLong {
        /// Length of the file in bytes.
        bytes: u64,
        /// Maximum duration for this length, in minutes.
        minutes: u64,
    },
}

impl std::error::Error for DecodeError {}

impl fmt::Display for DecodeError {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAudio(reason) => reason.fmt(to),
            Self::Unsupported(reason) => reason.fmt(to),
            Self::Empty(Empty::File) => to.write_str("the file is empty: it has 0 bytes"),
            Self::Empty(Empty::Track) => to.write_str("there is no sound in this file"),
            Self::Damaged(damage) => damage.fmt(to),
        }
    }
}

impl fmt::Display for NotAudio {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder => to.write_str("this is a folder, not a file"),
            Self::Device => to.write_str("this is a device or a pipe, not a file"),
            Self::Other(kind) => write!(to, "this is not an audio file but {kind}"),
            Self::Unknown => to.write_str("this is not an audio file, or of an unknown kind"),
            Self::NoTrack => to.write_str("this file holds no sound, only other data"),
        }
    }
}

impl fmt::Display for Foreign {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(match self {
            Self::Picture => "a picture",
            Self::Pdf => "a PDF document",
            Self::PostScript => "a PostScript document",
            Self::Office => "an office document",
            Self::Document => "a text document",
            Self::Text => "text",
            Self::Zip => "a ZIP archive",
            Self::Compressed => "a compressed archive",
            Self::Archive => "an archive",
            Self::Program => "a program",
            Self::Database => "a database",
            Self::Midi => "a MIDI file, which has notes but no sound",
            Self::Flash => "a Flash animation",
            Self::Tracker => "a tracker module, which has notes but no recording",
            Self::Console => "music of a game console, which has notes but no recording",
            Self::HomeComputer => "music of a home computer, which has notes but no recording",
            Self::Font => "a font",
            Self::Riff => "other data in a RIFF container",
        })
    }
}

impl fmt::Display for Unsupported {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Codec(codec) => {
                let codec = codec.as_deref().unwrap_or("this codec");
                write!(to, "{codec} is not supported; convert the file to FLAC or WAV")
            }
            Self::Settings { codec, detail } => write!(
                to,
                "this kind of {codec} is not supported ({detail}); convert the file to FLAC or WAV"
            ),
            Self::Format(format) => {
                write!(to, "{format} is not supported; convert the sound to FLAC or WAV")
            }
            Self::Video(format) => {
                write!(to, "{format} are not supported; convert the sound to FLAC or WAV")
            }
            Self::Container { detail } => write!(
                to,
                "this kind of audio file is not supported ({detail}); convert it to FLAC or WAV"
            ),
            Self::Channels { codec, channels } => write!(
                to,
                "{codec} with {channels} channels is not supported; convert it to stereo, or to FLAC"
            ),
            Self::TooManyChannels { channels, limit } => write!(
                to,
                "the file has {channels} channels; the limit is {limit}; convert it to stereo"
            ),
            Self::Layout => to.write_str(
                "this number or layout of channels is not supported; convert the file to stereo",
            ),
            Self::JointFlac => to.write_str(
                "FLAC with 32 bits in joint stereo is not supported; convert it to 24 bits",
            ),
            Self::Rate(rate) => {
                write!(to, "the sample rate is {rate} Hz; expected 1 to 768 kHz")
            }
            Self::Conversion => to.write_str("could not convert the sample rate"),
            Self::Track { number, count: 1 } => {
                write!(to, "found no audio track {number}: the file has one")
            }
            Self::Track { number, count } => {
                write!(to, "found no audio track {number}: the file has {count}")
            }
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(match self {
            Self::Named(name) => name,
            Self::Rifx => "WAV with its bytes in big-endian order (RIFX)",
            Self::Adif => "AAC with an ADIF header",
            Self::Latm => "AAC in LATM without a container",
            Self::FreeRate => "MPEG audio of free bit rate",
        })
    }
}

impl fmt::Display for Video {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(match self {
            Self::Avi => "AVI files",
            Self::Dv => "DV streams",
            Self::Flv => "FLV files",
            Self::MpegProgram => "MPEG program streams",
            Self::MpegTransport => "MPEG transport streams",
            Self::MpegVideo => "MPEG video streams",
            Self::Mxf => "MXF files",
            Self::Nut => "NUT files",
            Self::RealMedia => "RealMedia files",
            Self::Wtv => "recorded television files (WTV)",
        })
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header { detail } => {
                write!(to, "the file's header is damaged ({detail}); {COPY_AGAIN}")
            }
            Self::AacHeader => write!(
                to,
                "the file's header is damaged (the settings of AAC are invalid); {COPY_AGAIN}"
            ),
            Self::PacketFrames(frames) => write!(
                to,
                "the file's header is damaged (it states packets of {frames} frames); {COPY_AGAIN}"
            ),
            Self::BeforeSound => {
                write!(to, "the file ends, or is damaged, before its sound begins; {COPY_AGAIN}")
            }
            Self::CutOff => write!(to, "the file is cut off before its sound begins; {COPY_AGAIN}"),
            Self::AtSound => {
                write!(to, "the file is damaged where its sound begins; {COPY_AGAIN}")
            }
            Self::NoIndex => {
                write!(to, "the file is incomplete: its index is missing; {COPY_AGAIN}")
            }
            Self::Mostly => to.write_str(
                "nearly nothing of this file can be decoded: it is damaged, or not audio",
            ),
            Self::Endless => {
                to.write_str("the file is damaged: its parts lead to one another without end")
            }
            Self::TooSlow => to.write_str(
                "the file is damaged: reading it takes far longer than its length explains",
            ),
            Self::Index { bytes } => write!(
                to,
                "the file is damaged: its index leads to far more sound than its {bytes} bytes can \
                 hold"
            ),
            Self::TooLong { bytes, minutes } => write!(
                to,
                "the file is damaged: its {bytes} bytes claim to hold more than {minutes} minutes \
                 of sound"
            ),
        }
    }
}

impl DecodeError {
    /// Creates the error for a damaged header from the demuxer's reason.
    pub(super) fn header(detail: &(impl fmt::Display + ?Sized)) -> Self {
        Self::Damaged(Damage::Header { detail: detail.to_string() })
    }
}
