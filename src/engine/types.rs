//! The engine's vocabulary: songs, jobs, formats. Plain data, no behaviour beyond small questions.

use std::{
    path::PathBuf,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};

use crate::{
    engine::{
        note::Notes,
        problem::Problem,
        separation::options::{Quality, SeparationOptions},
    },
    model::Precision,
};

/// Samples per second and channels of every mix and stem store, and of every network.
pub use crate::model::{CHANNELS, SAMPLE_RATE};

/// A song in the library.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SongId(pub i64);

/// A job, past or present.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JobId(pub i64);

/// An export in progress; not kept over restarts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExportId(pub u64);

/// A command that was sent to an engine: the events that answer it carry the same number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

/// The metadata of a file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tags {
    /// Title, or `None` where the file has none.
    pub title: Option<String>,
    /// Artist.
    pub artist: Option<String>,
    /// Album.
    pub album: Option<String>,
    /// Beats per minute.
    pub bpm: Option<f32>,
    /// Key, for people.
    pub key: Option<String>,
}

/// How a source file is encoded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AudioFormat {
    /// Codec for people: "FLAC", "MP3", "WAV".
    pub name: String,
    /// Frames per second in the file.
    pub sample_rate: u32,
    /// Channels in the file.
    pub channels: u16,
    /// Bits per sample, where the codec has such a thing.
    pub bits: Option<u32>,
    /// Length in frames of the file's own rate; `None` where that changes on the way.
    #[serde(default)]
    pub frames: Option<u64>,
}

/// A cover, scaled down for display. 8-bit RGBA, rows from the top.
#[derive(Debug, PartialEq, Eq)]
pub struct Thumbnail {
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// `4 * width * height` bytes.
    pub rgba: Vec<u8>,
}

/// Whether a song's samples are at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SongState {
    /// In the library, with its mix decoded.
    Ready,
    /// Every segment separated by the current model.
    Separated,
}

/// A song of the library.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Song {
    /// Key in the library.
    pub id: SongId,
    /// The user's file.
    #[serde(serialize_with = "crate::os::as_text")]
    pub path: PathBuf,
    /// 64 hexadecimal digits that name the song's folder in the data folder: the digest of its sound; of
    /// the file's bytes where the file could not be demuxed, and for songs added by older versions.
    pub hash: String,
    /// The versioned digest of the song's sound; `None` where the file could not be demuxed, and for
    /// songs added by older versions until their file is added again.
    #[serde(skip)]
    pub sound: Option<String>,
    /// The audio track of the file that it was made from, from 1; `None` where an earlier version
    /// imported it, which took the file's default track.
    pub track: Option<usize>,
    /// The audio tracks of the file, where it has several.
    pub tracks: Vec<AudioTrack>,
    /// Title from the tags, or the file's name without its extension.
    pub title: String,
    /// Artist from the tags.
    pub artist: Option<String>,
    /// Album from the tags.
    pub album: Option<String>,
    /// How the file is encoded.
    pub format: AudioFormat,
    /// Length in frames at [`crate::engine::SAMPLE_RATE`].
    pub frames: u64,
    /// Beats per minute.
    pub bpm: Option<f32>,
    /// Key for people: "A minor", "F# major".
    pub key: Option<String>,
    /// Whether the file's tags say how fast it is; else that was found in its sound.
    pub bpm_from_tags: bool,
    /// The same of the key.
    pub key_from_tags: bool,
    /// Integrated loudness in LUFS (EBU R 128); `None` until it is measured, and of silence.
    pub loudness_lufs: Option<f32>,
    /// Oddities of the file, such as "cut off after 1:02". Serialises as one text.
    #[serde(serialize_with = "Notes::as_text")]
    pub warning: Notes,
    /// Whether its stems are complete.
    pub state: SongState,
    /// Cover, where the file has one.
    #[serde(skip)]
    pub cover: Option<Arc<Thumbnail>>,
}

impl Song {
    /// Length in seconds.
    pub fn seconds(&self) -> f64 {
        self.frames as f64 / f64::from(SAMPLE_RATE)
    }
}

/// Where a job stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state", content = "reason")]
pub enum JobState {
    /// In the queue.
    Waiting,
    /// Segments are being separated.
    Running,
    /// The user lets it rest; it goes on when asked to.
    Paused,
    /// Every segment is in the store.
    Done,
    /// Ended by a problem.
    Failed(Problem),
    /// Ended by the user.
    Cancelled,
}

/// Serialises a state for results of the command line, where the reason is text.
fn state_as_text<S: serde::Serializer>(state: &JobState, to: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Text<'a> {
        state: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        problem: Option<&'a Problem>,
    }
    let (name, problem) = match state {
        JobState::Waiting => ("waiting", None),
        JobState::Running => ("running", None),
        JobState::Paused => ("paused", None),
        JobState::Done => ("done", None),
        JobState::Failed(problem) => ("failed", Some(problem)),
        JobState::Cancelled => ("cancelled", None),
    };
    Text { state: name, reason: problem.map(Problem::to_string), problem }.serialize(to)
}

/// One request to separate a song.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Job {
    /// Key in the library.
    pub id: JobId,
    /// The song.
    pub song: SongId,
    /// Name of the model.
    pub model: String,
    /// How thoroughly it separates.
    pub quality: Quality,
    /// Whether a draft is made first.
    pub drafts_first: bool,
    /// Stems that were asked for.
    pub stems: Vec<String>,
    /// Where it stands. Serialises as `state` and, of a failed job, `reason` as text and `problem`.
    #[serde(flatten, serialize_with = "state_as_text")]
    pub state: JobState,
    /// Segments in the store.
    pub segments_done: usize,
    /// Segments of the whole song.
    pub segments_total: usize,
    /// Segments of the draft that come before those; 0 where it does not run.
    #[serde(default)]
    pub drafts_left: usize,
    /// Seconds since 1970 at which it was asked for.
    pub created_at: i64,
    /// Seconds of computing so far.
    pub seconds: f64,
}

impl Job {
    /// What makes its stems.
    pub fn options(&self) -> SeparationOptions {
        SeparationOptions { model: self.model.clone(), quality: self.quality }
    }

    /// Whether it makes these stems, of whichever instruments.
    pub fn is_of(&self, song: SongId, options: &SeparationOptions) -> bool {
        self.song == song && self.model == options.model && self.quality == options.quality
    }

    /// Whether it is over: done, failed, or ended by the user.
    pub fn is_ended(&self) -> bool {
        matches!(self.state, JobState::Done | JobState::Failed(_) | JobState::Cancelled)
    }

    /// Whether it is waiting or running.
    pub fn is_active(&self) -> bool {
        matches!(self.state, JobState::Waiting | JobState::Running)
    }

    /// Finished part, 0 to 1.
    pub fn fraction(&self) -> f64 {
        if self.segments_total == 0 {
            return f64::from(u8::from(self.state == JobState::Done));
        }
        self.segments_done as f64 / self.segments_total as f64
    }
}

/// Sample format of a written file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Depth {
    /// 16-bit integer.
    #[serde(rename = "16")]
    Int16,
    /// 24-bit integer.
    #[default]
    #[serde(rename = "24")]
    Int24,
    /// 32-bit float.
    #[serde(rename = "32f")]
    Float32,
}

impl Depth {
    /// Bits of one sample.
    pub fn bits(self) -> u16 {
        match self {
            Self::Int16 => 16,
            Self::Int24 => 24,
            Self::Float32 => 32,
        }
    }
}

/// Lets its holder stop work that somebody else does: at once, or when what is in hand is finished.
#[derive(Clone, Debug, Default)]
pub struct CancelToken(Arc<Stopping>);

#[derive(Debug, Default)]
struct Stopping {
    cancelled: AtomicBool,
    /// Until when what is in hand may be finished.
    until: OnceLock<Instant>,
}

impl CancelToken {
    /// Asks the work to stop; it does at its next check.
    pub fn cancel(&self) {
        self.0.cancelled.store(true, Ordering::Relaxed);
    }

    /// Asks the work to begin nothing more, and to stop once the time is over.
    pub fn end_within(&self, time: Duration) {
        self.0.until.get_or_init(|| Instant::now() + time);
    }

    /// Whether to stop now: [`Self::cancel`] was called, or the time of [`Self::end_within`] is over.
    pub fn is_cancelled(&self) -> bool {
        let is_over = |until: &Instant| Instant::now() >= *until;
        self.0.cancelled.load(Ordering::Relaxed) || self.0.until.get().is_some_and(is_over)
    }

    /// Whether to begin nothing more.
    pub fn is_ending(&self) -> bool {
        self.0.cancelled.load(Ordering::Relaxed) || self.0.until.get().is_some()
    }
}

/// An audio track of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AudioTrack {
    /// Its number among the audio tracks, from 1.
    pub number: usize,
    /// The container's own number of it; 0 where it has none.
    #[serde(skip)]
    pub id: u64,
    /// Name of its codec.
    pub codec: String,
    /// Its language, as a code.
    pub language: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// Whether the file marks it to be played unless another is chosen.
    pub is_default: bool,
    /// Whether it can be decoded.
    pub is_decodable: bool,
}

/// Findings about a song; `None` where the song has no such property, or does not show it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Analysis {
    /// Beats per minute.
    pub bpm: Option<f32>,
    /// Key for people: "A minor".
    pub key: Option<String>,
    /// Integrated loudness in LUFS.
    pub loudness_lufs: Option<f32>,
}

/// The user's settings of a lane, a stem's or the residual's.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LaneSettings {
    /// Whether the instrument is ticked; what is not takes no part in the mix.
    pub ticked: bool,
    /// Fader, in dB; `f32::NEG_INFINITY` is silence.
    #[serde(with = "decibels")]
    pub gain_db: f32,
    /// Balance, from -1 (left only) to 1 (right only). It only ever turns one side down: in the
    /// middle both sides are as they are.
    pub pan: f32,
    /// Muted by the user.
    pub muted: bool,
    /// Soloed: while any ticked lane is, only soloed lanes are heard.
    pub soloed: bool,
}

impl Default for LaneSettings {
    fn default() -> Self {
        Self { ticked: true, gain_db: 0.0, pan: 0.0, muted: false, soloed: false }
    }
}

/// Decibels where infinity cannot be written: silence is nothing.
mod decibels {
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
    pub fn serialize<S: Serializer>(db: &f32, to: S) -> Result<S::Ok, S::Error> {
        Some(*db).filter(|db| db.is_finite()).serialize(to)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<f32, D::Error> {
        Ok(Option::deserialize(from)?.unwrap_or(f32::NEG_INFINITY))
    }
}

/// The threads, the precision and the memory of the separation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compute {
    /// Number of threads; `None` for as many as this process may use.
    pub threads: Option<usize>,
    /// Precision of the products.
    pub precision: Precision,
    /// Bytes of memory that Partita may take; `None` for what the system allows.
    pub memory: Option<u64>,
}

/// How to start the engine.
#[derive(Clone)]
pub struct Config {
    /// The data folder; created if missing.
    pub home: PathBuf,
    /// How segments are computed.
    pub compute: Compute,
    /// Whether the engine serves a window: it resumes the jobs that the last run left unfinished, and
    /// follows changes of the library by other processes.
    pub interactive: bool,
    /// Called after each event, from any thread.
    pub waker: Arc<dyn Fn() + Send + Sync>,
}
