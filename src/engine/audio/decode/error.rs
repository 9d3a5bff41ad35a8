//! Why a file cannot be decoded, as data.
//!
//! A leaf of the decoder: the engine's problems carry it into events and the library. `Display` is
//! English: the finding and, where there is one, the remedy; the caller names the file.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The remedy for a damaged file.
const COPY_AGAIN: &str = "copy or download it again";

/// Why a file cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DecodeError {
    /// Not audio at all: text, a picture, a folder, noise.
    NotAudio(NotAudio),
    /// Audio of a kind that cannot be decoded.
    Unsupported(Unsupported),
    /// Audio without a sample.
    Empty(Empty),
    /// Audio that is too damaged to be of use.
    Damaged(Damage),
}

/// The kind of a file that holds no audio.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotAudio {
    /// A folder.
    Folder,
    /// A device or a pipe.
    Device,
    /// A file of this other kind.
    Other(Foreign),
    /// A file of no known kind.
    Unknown,
    /// A container without an audio track.
    NoTrack,
}

/// Kinds of files that are recognised and are no audio.
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
    /// This codec; `None` where its name is unknown.
    Codec(Option<String>),
    /// Some settings of this codec.
    Settings {
        /// The codec.
        codec: String,
        /// The decoder's English reason.
        detail: String,
    },
    /// Audio files of this format.
    Format(Format),
    /// Video files of this format.
    Video(Video),
    /// Some kind of container, by the demuxer's English reason.
    Container {
        /// The reason.
        detail: String,
    },
    /// This codec with so many channels.
    Channels {
        /// The codec.
        codec: String,
        /// Channels.
        channels: usize,
    },
    /// More channels than the limit.
    TooManyChannels {
        /// Channels.
        channels: usize,
        /// The limit.
        limit: usize,
    },
    /// A number or layout of channels.
    Layout,
    /// FLAC with 32 bits in joint stereo.
    JointFlac,
    /// A sample rate in Hz.
    Rate(u32),
    /// A conversion of the sample rate that failed.
    Conversion,
    /// An audio track that the file does not have.
    Track {
        /// The number that was asked for, from 1.
        number: usize,
        /// Audio tracks of the file.
        count: usize,
    },
}

/// Formats of audio files that are recognised and not supported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// A format by its proper name, which is the same in all languages.
    Named(String),
    /// WAV in big-endian byte order.
    Rifx,
    /// AAC with an ADIF header.
    Adif,
    /// AAC in LATM without a container.
    Latm,
    /// MPEG audio of free bit rate.
    FreeRate,
}

/// Formats of video files that are recognised and not supported.
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

/// Why there is nothing to hear.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Empty {
    /// The file has 0 bytes.
    File,
    /// The audio track has no samples.
    Track,
}

/// The damaged part of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Damage {
    /// The header, by the demuxer's English reason.
    Header {
        /// The reason.
        detail: String,
    },
    /// The header of AAC.
    AacHeader,
    /// The header, which states packets of so many frames.
    PacketFrames(u64),
    /// The file ends, or is damaged, before the first sample.
    BeforeSound,
    /// The file ends before the first sample.
    CutOff,
    /// The first samples cannot be decoded.
    AtSound,
    /// The index of an MP4 file is missing.
    NoIndex,
    /// More than half of the packets cannot be decoded.
    Mostly,
    /// The parts of the file lead to one another without end.
    Endless,
    /// Reading takes far longer than the file's length explains.
    TooSlow,
    /// The index leads to more sound than fits into so many bytes.
    Index {
        /// Length of the file.
        bytes: u64,
    },
    /// The file claims more sound than fits into its length.
    TooLong {
        /// Length of the file.
        bytes: u64,
        /// The limit for this length, in minutes.
        minutes: u64,
    },
}

impl std::error::Error for DecodeError {}

impl fmt::Display for DecodeError {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAudio(it) => it.fmt(to),
            Self::Unsupported(it) => it.fmt(to),
            Self::Empty(Empty::File) => to.write_str("the file is empty: it has 0 bytes"),
            Self::Empty(Empty::Track) => to.write_str("there is no sound in this file"),
            Self::Damaged(it) => it.fmt(to),
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
    /// A damaged header, with the demuxer's reason.
    pub(super) fn header(detail: &(impl fmt::Display + ?Sized)) -> Self {
        Self::Damaged(Damage::Header { detail: detail.to_string() })
    }
}
