//! The JSON of answers, made from the engine's state. Texts are in the language of this thread.
//!
//! The types describe themselves for the interface's description, so that it cannot differ from the
//! answers. Pure.

mod exports;
mod models;
mod sound;
mod times;

use std::time::Instant;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{
    fault::Fault,
    hub::state::State,
    uploads::{Record, Stage},
};
use crate::{
    engine::{self, JobId, JobState, SongState},
    words,
};
pub(super) use exports::{Export, FormatInfo};
pub(super) use models::{Model, ModelList, QualityChoice, QualityName, SongOptions, StemOption};
pub(super) use sound::{Lane, LaneKind, Mixer, Peaks, SongLanes, check_lane};
pub(super) use times::http_date;
use times::rfc3339;

/// Base of all addresses.
pub(super) const BASE: &str = "/api/v1";

/// A song.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct Song {
    pub id: i64,
    pub title: String,
    pub artist: Option<String>,
    pub album: Option<String>,
    /// Name of the file without its folders.
    pub file_name: String,
    pub seconds: f64,
    /// Length in frames at 44,100 Hz.
    pub frames: u64,
    /// Codec of the file.
    pub format: String,
    /// Sample rate of the file in Hz.
    pub sample_rate: u32,
    /// Number of channels of the file.
    pub channels: u16,
    pub bpm: Option<f32>,
    pub key: Option<String>,
    pub loudness_lufs: Option<f32>,
    /// Remarks on the file.
    pub notes: Vec<String>,
    pub state: SongStage,
    /// Address of the cover.
    pub cover: Option<String>,
    /// The newest job.
    pub job: Option<Job>,
}

/// State of a song.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum SongStage {
    /// Some stems are not complete.
    Ready,
    /// All stems are complete.
    Separated,
}

impl Song {
    pub fn of(song: &engine::Song, state: &State, now: Instant) -> Self {
        let id = song.id.0;
        let file_name = song.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Self {
            id,
            title: song.title.clone(),
            artist: song.artist.clone(),
            album: song.album.clone(),
            file_name,
            seconds: song.seconds(),
            frames: song.frames,
            format: song.format.name.clone(),
            sample_rate: song.format.sample_rate,
            channels: song.format.channels,
            bpm: song.bpm,
            key: song.key.clone(),
            loudness_lufs: song.loudness_lufs,
            notes: song.warning.0.iter().map(words::note).collect(),
            state: match song.state {
                SongState::Ready => SongStage::Ready,
                SongState::Separated => SongStage::Separated,
            },
            cover: song.cover.is_some().then(|| format!("{BASE}/songs/{id}/cover")),
            job: state.last_job(song.id).map(|job| Job::of(job, state, now)),
        }
    }
}

/// A page of songs.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SongPage {
    /// Number of songs that fit the search.
    pub total: usize,
    /// Number of songs before the first of this page.
    pub offset: usize,
    pub songs: Vec<Song>,
}

/// A job.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct Job {
    pub id: i64,
    pub song: i64,
    /// Name of the model or chain.
    pub model: String,
    pub quality: QualityName,
    pub stems: Vec<String>,
    pub state: JobStage,
    /// Finished part, 0 to 100.
    pub percent: u8,
    pub segments_done: usize,
    pub segments_total: usize,
    /// Expected seconds until the end, if known.
    pub seconds_left: Option<f64>,
    /// Time of the request (RFC 3339).
    pub created_at: String,
    /// Seconds of computation so far.
    pub seconds: f64,
    /// Number of waiting jobs before this one.
    pub place: Option<usize>,
    /// Reason of the failure.
    #[schema(value_type = Option<Object>)]
    pub problem: Option<Value>,
    /// The reason why the job waits.
    pub note: Option<String>,
}

/// State of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, serde::Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum JobStage {
    Waiting,
    Running,
    Paused,
    Done,
    Failed,
    Cancelled,
}

impl JobStage {
    pub fn of(state: &JobState) -> Self {
        match state {
            JobState::Waiting => Self::Waiting,
            JobState::Running => Self::Running,
            JobState::Paused => Self::Paused,
            JobState::Done => Self::Done,
            JobState::Failed(_) => Self::Failed,
            JobState::Cancelled => Self::Cancelled,
        }
    }
}

impl Job {
    pub fn of(job: &engine::Job, state: &State, now: Instant) -> Self {
        let problem = match &job.state {
            JobState::Failed(problem) => Some(Fault::Problem(problem.clone()).json()),
            _ => None,
        };
        let obstacle = state.obstacles.get(&job.song).filter(|_| !job.is_ended());
        Self {
            id: job.id.0,
            song: job.song.0,
            model: job.model.clone(),
            quality: QualityName::of(job.quality),
            stems: job.stems.clone(),
            state: JobStage::of(&job.state),
            percent: (job.fraction() * 100.0) as u8,
            segments_done: job.segments_done,
            segments_total: job.segments_total,
            seconds_left: state.seconds_left(job, now),
            created_at: rfc3339(job.created_at),
            seconds: job.seconds,
            place: state.place(job.id),
            problem,
            note: obstacle.map(words::problem),
        }
    }
}

/// A page of jobs.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct JobPage {
    pub total: usize,
    pub offset: usize,
    pub jobs: Vec<Job>,
}

/// Progress of a song.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Progress {
    pub song: i64,
    pub percent: u8,
    pub seconds_left: Option<f64>,
    pub job: Job,
    /// The tracks, when the job is done.
    pub tracks: Vec<Link>,
    /// Address of the mix, when the job is done.
    pub mix: Option<String>,
}

/// A named address.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Link {
    pub name: String,
    pub href: String,
}

impl Progress {
    pub fn of(job: &engine::Job, state: &State, now: Instant) -> Self {
        let is_done = job.state == JobState::Done;
        let link = |name: &str| track_address(job.id, name);
        let stems = job.stems.iter().filter(|_| is_done);
        Self {
            song: job.song.0,
            percent: (job.fraction() * 100.0) as u8,
            seconds_left: state.seconds_left(job, now),
            job: Job::of(job, state, now),
            tracks: stems.map(|stem| Link { name: stem.clone(), href: link(stem) }).collect(),
            mix: is_done.then(|| link(engine::export::MIX)),
        }
    }
}

/// Address of a track of a job.
fn track_address(job: JobId, name: &str) -> String {
    format!("{BASE}/jobs/{}/tracks/{}", job.0, escaped(name))
}

/// A name as part of an address.
pub(super) fn escaped(name: &str) -> String {
    const ESCAPED: &AsciiSet =
        &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
    utf8_percent_encode(name, ESCAPED).to_string()
}

/// An upload.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Upload {
    pub id: String,
    pub file_name: String,
    /// Length of the file in bytes.
    pub length: u64,
    /// Number of bytes received.
    pub offset: u64,
    pub state: UploadStage,
    /// Decoded part, 0 to 1, while it is imported.
    pub fraction: Option<f32>,
    /// The song that it became.
    pub song: Option<i64>,
    /// Reason of the failure.
    #[schema(value_type = Option<Object>)]
    pub problem: Option<Value>,
}

/// State of an upload.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum UploadStage {
    Receiving,
    Importing,
    Imported,
    Failed,
}

impl Upload {
    pub fn of(record: &Record) -> Self {
        let (mut fraction, mut song, mut problem) = (None, None, None);
        let state = match &record.stage {
            Stage::Receiving => UploadStage::Receiving,
            Stage::Importing(part) => {
                fraction = Some(*part);
                UploadStage::Importing
            }
            Stage::Imported(id) => {
                song = Some(id.0);
                UploadStage::Imported
            }
            Stage::Failed(fault) => {
                problem = Some(fault.json());
                UploadStage::Failed
            }
        };
        Self {
            id: record.id.clone(),
            file_name: record.file_name.clone(),
            length: record.bytes,
            offset: record.received,
            state,
            fraction,
            song,
            problem,
        }
    }
}

/// Result of files that were sent in a form.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Submitted {
    pub songs: Vec<Song>,
    pub failed: Vec<FailedFile>,
}

/// A file that did not become a song.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct FailedFile {
    pub file_name: String,
    #[schema(value_type = Object)]
    pub problem: Value,
}

/// Whether the server needs a token, and whether this client has sent it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Session {
    pub needs_token: bool,
    pub is_open: bool,
    pub version: String,
}

/// Health of the server.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Health {
    pub status: String,
    /// Whether a model is installed; only for clients with the token.
    pub is_ready: Option<bool>,
    pub songs: Option<usize>,
    pub jobs_active: Option<usize>,
    pub version: String,
}

/// Result of a reset.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Removed {
    pub songs: usize,
    pub jobs: usize,
}

/// An error (RFC 9457). Further fields depend on the code.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Problem {
    #[serde(rename = "type")]
    #[schema(rename = "type")]
    kind: String,
    title: String,
    status: u16,
    /// Text in the language of the request.
    detail: String,
    /// Identifier for programs.
    code: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_escaped_in_addresses() {
        assert_eq!(escaped("lead vocals/ü"), "lead%20vocals%2F%C3%BC");
        assert_eq!(escaped("vocals"), "vocals");
    }
}
