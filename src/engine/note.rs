//! Notes: typed remarks about a song or an export that do not stop any work.
//!
//! `Display` is English, for log and JSON; `words` renders notes in the user's
//! language. Earlier versions stored notes as English sentences, which are read as
//! [`Note::Recorded`].

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::{
    engine::separation::device::choice::{Failure, Fault},
    model::{Device, SAMPLE_RATE},
};

/// A remark about a song's file or an export. Positions and lengths are in frames at
/// [`SAMPLE_RATE`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "note", rename_all = "snake_case")]
pub enum Note {
    /// The sample rate changes.
    RateChange {
        /// Position of the change.
        at: u64,
    },
    /// The number of channels changes.
    ChannelChange {
        /// Position of the change.
        at: u64,
    },
    /// A downmix to stereo.
    FoldedDown(Layout),
    /// The rest of the file is damaged, or of another kind.
    Unreadable {
        /// Start of the unreadable part.
        from: u64,
    },
    /// The file is truncated.
    CutOff {
        /// Length that could be read.
        at: u64,
        /// Length that the file states, if any.
        whole: Option<u64>,
    },
    /// The recording program did not finish the file.
    Unfinished,
    /// Damaged sections were concealed, or silenced if long.
    Lost {
        /// Number of sections.
        places: u64,
        /// Position of the first one.
        from: u64,
    },
    /// Damaged data was decoded and may be audible.
    Suspect {
        /// Number of sections.
        places: u64,
        /// Position of the first one.
        from: u64,
    },
    /// Implausible samples were silenced, or implausible blocks concealed.
    Implausible {
        /// Position of the first one.
        from: u64,
        /// Number of samples or blocks.
        count: u64,
        /// Whether `count` is in blocks instead of samples.
        in_blocks: bool,
    },
    /// The sound contradicts the checksum that its encoder stored.
    Altered,
    /// Further notes were omitted.
    More {
        /// Number of omitted notes.
        count: usize,
    },
    /// The library lost the song's name.
    NameLost,
    /// One of several audio tracks of the file was used.
    TrackTaken {
        /// Number of the track, from 1.
        track: usize,
        /// Number of audio tracks in the file.
        count: usize,
        /// Codec, language and name of the track.
        label: String,
    },
    /// All files of an export existed, and none was written.
    AllExist,
    /// The stems of an export come from a draft.
    FromDraft,
    /// An export mixed the song's channels down to stereo.
    ExportedInStereo {
        /// Number of channels of the song's file.
        channels: u16,
    },
    /// The mix cannot reach the target loudness without the limiter.
    BelowLoudness {
        /// Loudness of the mix in LUFS.
        lufs: f64,
    },
    /// The mix was limited.
    Limited {
        /// Loudness of the mix in LUFS.
        lufs: f64,
    },
    /// A device failed while computing, and the processor took over.
    DeviceFailed {
        /// The device.
        device: Device,
        /// The kind of failure.
        fault: Fault,
    },
    /// A sentence that an earlier version stored in English.
    Recorded {
        /// Text of the sentence.
        text: String,
    },
}

/// Channel layout of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layout {
    /// Number of channels, including a low-frequency one.
    pub channels: usize,
    /// Whether one channel is for low frequencies only.
    pub has_low_frequency: bool,
}

impl fmt::Display for Layout {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { channels, has_low_frequency } = self;
        if *has_low_frequency {
            write!(to, "{}.1", channels.saturating_sub(1))
        } else {
            write!(to, "{channels} channels")
        }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RateChange { at } => write!(to, "the sample rate changes at {}", clock(*at)),
            Self::ChannelChange { at } => {
                write!(to, "the number of channels changes at {}", clock(*at))
            }
            Self::FoldedDown(layout) => write!(to, "folded down from {layout}"),
            Self::Unreadable { from } => write!(
                to,
                "damaged or different after {}: the rest could not be read",
                clock(*from)
            ),
            Self::CutOff { at, whole: Some(whole) } => {
                write!(to, "cut off after {} of {}", clock(*at), clock(*whole))
            }
            Self::CutOff { at, whole: None } => write!(to, "cut off after {}", clock(*at)),
            Self::Unfinished => {
                to.write_str("the recording was not finished: read to the end of the file")
            }
            Self::Lost { places, from } => {
                let unit = if *places == 1 { "place" } else { "places" };
                write!(
                    to,
                    "damaged in {places} {unit} from {} on, bridged or silent there",
                    clock(*from)
                )
            }
            Self::Suspect { places, from } => {
                let unit = if *places == 1 { "place" } else { "places" };
                write!(
                    to,
                    "damaged in {places} {unit} from {} on, faults may be audible there",
                    clock(*from)
                )
            }
            Self::Implausible { from, count, in_blocks } => {
                let (done, unit) =
                    if *in_blocks { ("replaced", "blocks") } else { ("silenced", "samples") };
                let from = clock(*from);
                write!(to, "implausible sound from {from} on was {done} ({unit}: {count})")
            }
            Self::Altered => {
                to.write_str("damaged or changed since it was encoded: its checksum is wrong")
            }
            Self::More { count } => write!(to, "and {count} more"),
            Self::NameLost => to.write_str("the song's name was lost; add its file again"),
            Self::TrackTaken { track, count, label } => write!(
                to,
                "track {track} of {count} ({label}) was taken; choose another with --track"
            ),
            Self::AllExist => to.write_str("all files exist already"),
            Self::FromDraft => to.write_str("made of a draft: standard and best sound better"),
            Self::ExportedInStereo { channels } => {
                write!(to, "the song's {channels} channels are folded down to stereo")
            }
            Self::BelowLoudness { lufs } => {
                write!(to, "the mix has {lufs:.1} LUFS: louder, its peaks would need the limiter")
            }
            Self::Limited { lufs } => {
                write!(to, "the mix went through the limiter, and has {lufs:.1} LUFS")
            }
            Self::DeviceFailed { device, fault } => {
                write!(to, "the device {device} ")?;
                to.write_str(match fault {
                    Fault::Memory => "ran out of memory",
                    Fault::NotNumbers => "gave NaN or infinite samples",
                    Fault::Other => "failed",
                })?;
                to.write_str("; the processor took over, and the stems are not affected")
            }
            Self::Recorded { text } => to.write_str(text),
        }
    }
}

impl From<Failure> for Note {
    fn from(Failure { device, fault }: Failure) -> Self {
        Self::DeviceFailed { device, fault }
    }
}

impl Note {
    /// Parses `value`: a note of this version, or a sentence of an earlier one.
    fn of_json(value: Value) -> Self {
        match value {
            Value::String(text) => Self::Recorded { text },
            value => serde_json::from_value(value.clone())
                .unwrap_or_else(|_| Self::Recorded { text: value.to_string() }),
        }
    }
}

/// Notes on one song or export, in order. Serialises as a list; accepts lists, one sentence of an
/// earlier version, and `null` for an empty list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Notes(pub Vec<Note>);

impl Notes {
    /// Creates the notes on a file, limited to the first few.
    pub fn of_file(mut notes: Vec<Note>) -> Self {
        const MOST: usize = 4;
        notes.dedup();
        let count = notes.len().saturating_sub(MOST);
        notes.truncate(MOST);
        if count > 0 {
            notes.push(Note::More { count });
        }
        Self(notes)
    }

    /// Whether the list is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// English text; `None` for an empty list.
    pub fn text(&self) -> Option<String> {
        (!self.is_empty()).then(|| self.to_string())
    }

    /// English text of each note.
    pub fn texts(&self) -> Vec<String> {
        self.0.iter().map(Note::to_string).collect()
    }

    /// Parses a column of the library: JSON, or a sentence of an earlier version.
    pub fn of_text(text: &str) -> Self {
        match serde_json::from_str(text) {
            Ok(notes) => notes,
            Err(_) => Self(vec![Note::Recorded { text: text.to_owned() }]),
        }
    }

    /// Serialises for [`Self::of_text`]; `None` for an empty list.
    pub fn to_json(&self) -> Option<String> {
        serde_json::to_string(self).ok().filter(|_| !self.is_empty())
    }

    /// Serialises [`Self::text`], for results of the command line.
    ///
    /// # Errors
    /// Fails with the errors of the serialiser.
    pub fn as_text<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.text().serialize(to)
    }
}

impl From<Note> for Notes {
    fn from(note: Note) -> Self {
        Self(vec![note])
    }
}

/// English text such as "cut off after 1:02; folded down from 5.1".
impl fmt::Display for Notes {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(&self.texts().join("; "))
    }
}

impl Serialize for Notes {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(to)
    }
}

impl<'de> Deserialize<'de> for Notes {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(match Value::deserialize(from)? {
            Value::Null => Self::default(),
            Value::Array(values) => Self(values.into_iter().map(Note::of_json).collect()),
            value => Note::of_json(value).into(),
        })
    }
}

/// Formats a number of frames at [`SAMPLE_RATE`] as a time: "1:02", "1:00:00".
pub fn clock(frames: u64) -> String {
    let seconds = frames / u64::from(SAMPLE_RATE);
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes}:{seconds:02}")
    }
}

/// One example of every kind of note, for tests of texts.
#[doc(hidden)]
pub fn examples() -> Vec<Note> {
    let (at, count) = (62 * u64::from(SAMPLE_RATE), 3);
    vec![
        Note::RateChange { at },
        Note::ChannelChange { at },
        Note::FoldedDown(Layout { channels: 6, has_low_frequency: true }),
        Note::FoldedDown(Layout { channels: 4, has_low_frequency: false }),
        Note::Unreadable { from: at },
        Note::CutOff { at, whole: Some(3 * at) },
        Note::CutOff { at, whole: None },
        Note::Unfinished,
        Note::Altered,
        Note::Lost { places: 1, from: at },
        Note::Lost { places: 2, from: at },
        Note::Implausible { from: at, count, in_blocks: true },
        Note::Implausible { from: at, count, in_blocks: false },
        Note::More { count: 2 },
        Note::NameLost,
        Note::TrackTaken { track: 1, count: 2, label: "Vorbis, por".into() },
        Note::AllExist,
        Note::FromDraft,
        Note::ExportedInStereo { channels: 6 },
        Note::BelowLoudness { lufs: -14.25 },
        Note::Limited { lufs: -14.25 },
        Note::DeviceFailed { device: Device::Cuda(0), fault: Fault::Memory },
        Note::DeviceFailed { device: Device::Cuda(1), fault: Fault::NotNumbers },
        Note::DeviceFailed { device: Device::Metal(0), fault: Fault::Other },
        Note::Recorded { text: "an earlier sentence".into() },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_survive_json() {
        let notes = Notes(examples());
        let text = notes.to_json().unwrap();
        assert_eq!(Notes::of_text(&text), notes);
        assert_eq!(Notes::default().to_json(), None);
    }

    #[test]
    fn keeps_sentences_of_earlier_versions() {
        let recorded = |text: &str| Note::Recorded { text: text.into() };
        let both = Notes(vec![recorded("a"), recorded("b")]);
        assert_eq!(serde_json::from_str::<Notes>(r#"["a", "b"]"#).unwrap(), both);
        let one = Notes(vec![recorded("cut off after 1:02")]);
        assert_eq!(serde_json::from_str::<Notes>(r#""cut off after 1:02""#).unwrap(), one);
        assert_eq!(Notes::of_text("cut off after 1:02"), one);
        assert_eq!(serde_json::from_str::<Notes>("null").unwrap(), Notes::default());
    }

    #[test]
    fn shows_the_first_few_of_many_notes() {
        let notes = Notes::of_file((0..6).map(|at| Note::RateChange { at }).collect());
        assert_eq!(notes.0.len(), 5);
        assert!(notes.to_string().ends_with("; and 2 more"), "{notes}");
    }
}
