//! The engine's shared data types: songs, jobs, formats. Plain data with trivial methods.

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
        separation::{
            device::choice::DeviceChoice,
            options::{Quality, SeparationOptions},
        },
    },
    model::Precision,
};

/// Sample rate and channel count of every mix and stem store, and of every network.
pub use crate::model::{CHANNELS, SAMPLE_RATE};

/// ID of a song in the library.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SongId(pub i64);

/// ID of a job, past or present.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JobId(pub i64);

/// ID of an export; not kept across restarts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExportId(pub u64);

/// ID of a command; the events that answer it carry the same ID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

/// Metadata of a file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tags {
    /// Title, or `None` if the file has none.
    pub title: Option<String>,
    /// Artist of the song.
    pub artist: Option<String>,
    /// Album of the song.
    pub album: Option<String>,
    /// Tempo in beats per minute.
    pub bpm: Option<f32>,
    /// Key for display.
    pub key: Option<String>,
}

/// Encoding of a source file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AudioFormat {
    /// Codec for display: "FLAC", "MP3", "WAV".
    pub name: String,
    /// Sample rate of the file in Hz.
    pub sample_rate: u32,
    /// Number of channels in the file.
    pub channels: u16,
    /// Bits per sample, if defined for the codec.
    pub bits: Option<u32>,
    /// Length in frames at the file's own rate; `None` if the rate changes within the file.
    #[serde(default)]
    pub frames: Option<u64>,
}

/// A cover scaled down for display, as 8-bit RGBA with rows from the top.
#[derive(Debug, PartialEq, Eq)]
pub struct Thumbnail {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Pixel data of `4 * width * height` bytes.
    pub rgba: Vec<u8>,
}

/// Processing state of a song.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SongState {
    /// Imported, with its mix decoded.
    Ready,
    /// Every segment separated by the current model.
    Separated,
}

/// A song of the library.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Song {
    /// Key in the library.
    pub id: SongId,
    /// Path of the user's file.
    #[serde(serialize_with = "crate::os::as_text")]
    pub path: PathBuf,
    /// Name of the song's folder in the data folder, as 64 hexadecimal digits: the digest of the
    /// song's sound. The file's bytes are digested instead if the file could not be demuxed or an
    /// older version added the song.
    pub hash: String,
    /// Versioned digest of the song's sound. `None` if the file could not be demuxed, and for songs
    /// of older versions until their file is imported again.
    #[serde(skip)]
    pub sound: Option<String>,
    /// Audio track of the file, from 1. `None` if an earlier version imported the song, which used
    /// the default track.
    pub track: Option<usize>,
    /// Audio tracks of the file, if there are several.
    pub tracks: Vec<AudioTrack>,
    /// Title from the tags, or the file's name without extension.
    pub title: String,
    /// Artist from the tags.
    pub artist: Option<String>,
    /// Album from the tags.
    pub album: Option<String>,
    /// Encoding of the file.
    pub format: AudioFormat,
    /// Length in frames at [`crate::engine::SAMPLE_RATE`].
    pub frames: u64,
    /// Tempo in beats per minute.
    pub bpm: Option<f32>,
    /// Key for display: "A minor", "F# major".
    pub key: Option<String>,
    /// Whether the tempo comes from the tags instead of the audio analysis.
    pub bpm_from_tags: bool,
    /// Whether the key comes from the tags instead of the audio analysis.
    pub key_from_tags: bool,
    /// Integrated loudness in LUFS (EBU R 128); `None` until measured, and for silence.
    pub loudness_lufs: Option<f32>,
    /// Notes on the file, such as "cut off after 1:02". Serialises as one text.
    #[serde(serialize_with = "Notes::as_text")]
    pub warning: Notes,
    /// Whether the stems are complete.
    pub state: SongState,
    /// Cover, if the file has one.
    #[serde(skip)]
    pub cover: Option<Arc<Thumbnail>>,
}

impl Song {
    /// Length in seconds.
    pub fn seconds(&self) -> f64 {
        self.frames as f64 / f64::from(SAMPLE_RATE)
    }
}

/// State of a job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state", content = "reason")]
pub enum JobState {
    /// In the queue.
    Waiting,
    /// Segments are being computed.
    Running,
    /// Paused by the user until resumed.
    Paused,
    /// Every segment is finished.
    Done,
    /// Ended by a problem.
    Failed(Problem),
    /// Cancelled by the user.
    Cancelled,
}

/// Serialises a state for results of the command line, with the reason as text.
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

/// A request to separate a song.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Job {
    /// Key in the library.
    pub id: JobId,
    /// Song to separate.
    pub song: SongId,
    /// Name of the model.
    pub model: String,
    /// Quality of the separation.
    pub quality: Quality,
    /// Whether a draft is computed first.
    pub drafts_first: bool,
    /// Requested stems.
    pub stems: Vec<String>,
    /// State of the job. Serialises as `state` and, for a failed job, `reason` as text and
    /// `problem`.
    #[serde(flatten, serialize_with = "state_as_text")]
    pub state: JobState,
    /// Number of finished segments.
    pub segments_done: usize,
    /// Number of segments of the whole song.
    pub segments_total: usize,
    /// Number of preceding draft segments that are left; 0 while the job is not running.
    #[serde(default)]
    pub drafts_left: usize,
    /// Time of the request, in seconds since 1970.
    pub created_at: i64,
    /// Seconds of computation so far.
    pub seconds: f64,
}

impl Job {
    /// Separation options of the job.
    pub fn options(&self) -> SeparationOptions {
        SeparationOptions { model: self.model.clone(), quality: self.quality }
    }

    /// Whether the job has the given song and options, regardless of the stems.
    pub fn is_of(&self, song: SongId, options: &SeparationOptions) -> bool {
        self.song == song && self.model == options.model && self.quality == options.quality
    }

    /// Whether the job is completed, failed or cancelled.
    pub fn is_ended(&self) -> bool {
        matches!(self.state, JobState::Done | JobState::Failed(_) | JobState::Cancelled)
    }

    /// Whether the job is waiting or running.
    pub fn is_active(&self) -> bool {
        matches!(self.state, JobState::Waiting | JobState::Running)
    }

    /// Completed fraction, 0 to 1.
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
    /// Bits per sample.
    pub fn bits(self) -> u16 {
        match self {
            Self::Int16 => 16,
            Self::Int24 => 24,
            Self::Float32 => 32,
        }
    }
}

/// Stops work on another thread: immediately, or once the current part is finished.
#[derive(Clone, Debug, Default)]
pub struct CancelToken(Arc<Stopping>);

#[derive(Debug, Default)]
struct Stopping {
    cancelled: AtomicBool,
    /// Time until which the current part may be finished.
    until: OnceLock<Instant>,
}

impl CancelToken {
    /// Requests an immediate stop; the work stops at its next check.
    pub fn cancel(&self) {
        self.0.cancelled.store(true, Ordering::Relaxed);
    }

    /// Requests that no new part is begun, and an immediate stop after `time`.
    pub fn end_within(&self, time: Duration) {
        self.0.until.get_or_init(|| Instant::now() + time);
    }

    /// Whether to stop now: [`Self::cancel`] was called, or the time of [`Self::end_within`] is
    /// over.
    pub fn is_cancelled(&self) -> bool {
        let is_over = |until: &Instant| Instant::now() >= *until;
        self.0.cancelled.load(Ordering::Relaxed) || self.0.until.get().is_some_and(is_over)
    }

    /// Whether to begin no new part.
    pub fn is_ending(&self) -> bool {
        self.0.cancelled.load(Ordering::Relaxed) || self.0.until.get().is_some()
    }
}

/// An audio track of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AudioTrack {
    /// Number among the audio tracks, from 1.
    pub number: usize,
    /// Track number used by the container; 0 if it has none.
    #[serde(skip)]
    pub id: u64,
    /// Name of the codec.
    pub codec: String,
    /// Language code.
    pub language: Option<String>,
    /// Name of the track.
    pub name: Option<String>,
    /// Whether the file marks this track as the default.
    pub is_default: bool,
    /// Whether the track can be decoded.
    pub is_decodable: bool,
}

/// Results of the audio analysis; `None` where a property does not exist or was not detected.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Analysis {
    /// Tempo in beats per minute.
    pub bpm: Option<f32>,
    /// Key for display: "A minor".
    pub key: Option<String>,
    /// Integrated loudness in LUFS.
    pub loudness_lufs: Option<f32>,
}

/// User's settings of a lane, a stem's or the residual's.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LaneSettings {
    /// Whether the instrument is ticked; unticked ones are excluded from the mix.
    pub ticked: bool,
    /// Fader in dB; `f32::NEG_INFINITY` is silence.
    #[serde(with = "decibels")]
    pub gain_db: f32,
    /// Balance, from -1 (left only) to 1 (right only). It only attenuates one side; 0 leaves both
    /// unchanged.
    pub pan: f32,
    /// Whether the lane is muted.
    pub muted: bool,
    /// Whether the lane is soloed; while any ticked lane is soloed, only soloed lanes are audible.
    pub soloed: bool,
}

impl Default for LaneSettings {
    fn default() -> Self {
        Self { ticked: true, gain_db: 0.0, pan: 0.0, muted: false, soloed: false }
    }
}

/// Serialisation of decibels; infinity becomes `null`, because JSON cannot represent it.
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

/// Threads, precision, memory limit and device of the separation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compute {
    /// Number of threads; `None` is as many as this process may use.
    pub threads: Option<usize>,
    /// Precision of the matrix products.
    pub precision: Precision,
    /// Memory limit in bytes; `None` is the system's limit.
    pub memory: Option<u64>,
    /// The device that computes the networks.
    pub device: DeviceChoice,
}

/// Configuration of the engine.
#[derive(Clone)]
pub struct Config {
    /// Path of the data folder; created if missing.
    pub home: PathBuf,
    /// Compute settings of the separation.
    pub compute: Compute,
    /// Whether the engine serves a window. It then resumes unfinished jobs of the last run, and
    /// follows changes of the library by other processes.
    pub interactive: bool,
    /// Callback after each event, from any thread.
    pub waker: Arc<dyn Fn() + Send + Sync>,
}
