//! The JSON of answers, made from the engine's state. Texts are in the language of this thread.
//!
//! The types describe themselves for the interface's description, so that it cannot differ from the
//! answers. Pure.

mod sound;

use std::time::{Instant, SystemTime, UNIX_EPOCH};

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
    engine::{
        self, ExportState, JobId, JobState, SongState,
        separation::options::{Preset, Quality},
    },
    words,
};
pub(super) use sound::{Lane, LaneKind, Mixer, MixerLane, Peaks, SongLanes};

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

/// Name of a quality.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, serde::Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum QualityName {
    Draft,
    Standard,
    Best,
    /// Numbers that have no name.
    Custom,
}

impl QualityName {
    /// Name of a quality as settings have it, which fits HTDemucs.
    fn of(quality: Quality) -> Self {
        match quality {
            Quality::STANDARD => Self::Standard,
            Quality::BEST => Self::Best,
            quality if quality.is_draft => Self::Draft,
            _ => Self::Custom,
        }
    }

    pub fn of_preset(preset: Option<Preset>) -> Self {
        match preset {
            Some(Preset::Draft) => Self::Draft,
            Some(Preset::Standard) => Self::Standard,
            Some(Preset::Best) => Self::Best,
            None => Self::Custom,
        }
    }
}

/// The models and chains that can separate songs.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ModelList {
    /// The model of songs for which none was chosen.
    pub default: String,
    /// Whether songs can be separated: a model is installed.
    pub is_ready: bool,
    pub models: Vec<Model>,
}

/// A model or a chain.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Model {
    pub name: String,
    pub title: String,
    pub stems: Vec<String>,
    pub is_installed: bool,
    pub is_chain: bool,
}

/// The options of a song's stems.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SongOptions {
    pub model: String,
    pub quality: QualityName,
    pub stems: Vec<StemOption>,
    pub choices: Vec<QualityChoice>,
}

/// A stem that can be made.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct StemOption {
    pub name: String,
    /// The stem that it is a part of.
    pub parent: Option<String>,
    /// Whether it is what is left of its branch.
    pub is_rest: bool,
    /// Number of its segments that are not computed.
    pub missing: usize,
}

/// A quality that can be chosen.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct QualityChoice {
    pub quality: QualityName,
    /// Expected seconds for the whole song, if known.
    pub seconds: Option<f64>,
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

/// An export.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Export {
    pub id: u64,
    pub song: i64,
    pub state: ExportStage,
    /// Finished part, 0 to 1.
    pub fraction: f32,
    pub files: Vec<ExportFile>,
    /// Gain in dB that kept the files from clipping.
    pub gain_db: f32,
    pub notes: Vec<String>,
    #[schema(value_type = Option<Object>)]
    pub problem: Option<Value>,
    /// Address of all files in a ZIP archive.
    pub archive: Option<String>,
}

/// State of an export.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum ExportStage {
    Running,
    Done,
    Failed,
    Cancelled,
}

/// A file of an export.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ExportFile {
    pub name: String,
    pub bytes: u64,
    pub href: String,
}

impl Export {
    /// `files`: names and sizes, in order.
    pub fn of(id: u64, song: i64, state: Option<&ExportState>, files: &[(String, u64)]) -> Self {
        let mut export = Self {
            id,
            song,
            state: ExportStage::Running,
            fraction: 0.0,
            files: Vec::new(),
            gain_db: 0.0,
            notes: Vec::new(),
            problem: None,
            archive: None,
        };
        match state {
            None => {}
            Some(ExportState::Running(fraction)) => export.fraction = *fraction,
            Some(ExportState::Done { notes, gain_db, .. }) => {
                export.state = ExportStage::Done;
                export.fraction = 1.0;
                export.gain_db = *gain_db;
                export.notes = notes.0.iter().map(words::note).collect();
                let file = |(index, (name, bytes)): (usize, &(String, u64))| ExportFile {
                    name: name.clone(),
                    bytes: *bytes,
                    href: format!("{BASE}/exports/{id}/files/{index}"),
                };
                export.files = files.iter().enumerate().map(file).collect();
                export.archive = Some(format!("{BASE}/exports/{id}/archive"));
            }
            Some(ExportState::Exists(paths)) => {
                export.state = ExportStage::Failed;
                let problem = engine::Problem::Exists(paths.clone());
                export.problem = Some(Fault::Problem(problem).json());
            }
            Some(ExportState::Failed(problem)) => {
                export.state = ExportStage::Failed;
                export.problem = Some(Fault::Problem(problem.clone()).json());
            }
            Some(ExportState::Cancelled) => export.state = ExportStage::Cancelled,
        }
        export
    }
}

/// A file format of exports.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct FormatInfo {
    pub name: String,
    pub title: String,
    pub extension: String,
    pub is_lossy: bool,
    /// Sample formats that the format keeps.
    pub depths: Vec<String>,
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

/// A time in seconds since 1970 as RFC 3339, in UTC.
pub(super) fn rfc3339(seconds: i64) -> String {
    let (days, of_day) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = civil(days);
    let (hours, minutes, seconds) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    format!("{year:04}-{month:02}-{day:02}T{hours:02}:{minutes:02}:{seconds:02}Z")
}

/// A time as HTTP writes dates (RFC 9110, section 5.6.7).
pub(super) fn http_date(time: SystemTime) -> String {
    let seconds = time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as i64);
    let (days, of_day) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = civil(days);
    let weekday = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"][days.rem_euclid(7) as usize];
    let months =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let month = months[(month - 1) as usize];
    let (hours, minutes, seconds) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    format!("{weekday}, {day:02} {month} {year:04} {hours:02}:{minutes:02}:{seconds:02} GMT")
}

/// Year, month and day of a number of days since 1970 (Hinnant, "chrono-compatible low-level date
/// algorithms").
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn times_are_written_by_the_standards() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00Z");
        assert_eq!(rfc3339(1_709_208_000), "2024-02-29T12:00:00Z");
        assert_eq!(rfc3339(-1), "1969-12-31T23:59:59Z");
        let example = UNIX_EPOCH + Duration::from_secs(784_111_777);
        assert_eq!(http_date(example), "Sun, 06 Nov 1994 08:49:37 GMT", "the standard's example");
    }

    #[test]
    fn names_are_escaped_in_addresses() {
        assert_eq!(escaped("lead vocals/ü"), "lead%20vocals%2F%C3%BC");
        assert_eq!(escaped("vocals"), "vocals");
    }
}
