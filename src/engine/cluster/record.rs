//! Progress of a share while it runs: a small file, rewritten regularly, and the list of its songs,
//! written once. [`super::report`] combines them.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Serialize};

use super::{Shard, Song};
use crate::engine::{
    problem::{Problem, Result},
    system::atomic_file::{make_folders, sweep, write_atomically},
};

/// Folder in [`super::STATE`].
pub(super) const FOLDER: &str = "shards";
/// Interval of writes.
const EVERY: Duration = Duration::from_secs(10);

/// State of a share.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Running; or killed, if its record has not been updated for long.
    #[default]
    Running,
    /// Finished, regardless of the outcome of its songs.
    Ended,
    /// Stopped by a signal or a disk error; to be restarted.
    Stopped,
}

/// Record of a share.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Number of the share, from 1.
    pub shard: usize,
    /// Number of shares.
    pub of: usize,
    /// Digest of the manifest.
    pub manifest: String,
    /// Basis of the division into shares; see [`super::shard::basis`].
    pub basis: String,
    /// Number of songs in the whole manifest.
    pub all_songs: usize,
    /// Number of songs in this share.
    pub songs: usize,
    /// Total known length of its songs, in seconds.
    pub seconds: f64,
    /// State of the share.
    pub state: State,
    /// Number of completed songs, including those found complete at the start.
    pub done: usize,
    /// Number of songs found complete at the start.
    pub skipped: usize,
    /// Number of failed songs.
    pub failed: usize,
    /// Number of segments computed by this run.
    pub computed: usize,
    /// Seconds of music finished by this run.
    pub music: f64,
    /// Running time in seconds.
    pub ran: f64,
    /// Start of the run, in seconds since 1970.
    pub began: u64,
    /// Time of this record, in seconds since 1970.
    pub updated: u64,
    /// Name of the machine.
    pub host: String,
    /// Number of compute threads.
    pub threads: usize,
    /// Path of the file of failures.
    pub failures: PathBuf,
}

/// A line of a share's list of songs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Listed {
    /// Key of the song.
    pub key: String,
    /// Key of the song in version 1, which lists and receipts of older runs use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_version: Option<String>,
    /// Path of the song's file, for display.
    pub song: String,
    /// Length in seconds, if known.
    pub seconds: Option<f64>,
}

/// Writer of a share's record.
pub(super) struct Recorder {
    path: PathBuf,
    /// Current content.
    pub(super) record: Record,
    start: Instant,
    written: Instant,
}

impl Recorder {
    /// Begins the record of a share, and lists its songs.
    pub(super) fn begin(state: &Path, record: Record, songs: &[Song]) -> Result<Self> {
        let Shard { index, count } = Shard { index: record.shard, count: record.of };
        let folder = state.join(FOLDER);
        let name = format!("{}-{index}-of-{count}", record.manifest);
        let path = folder.join(format!("{name}.json"));
        let cannot = |error| Problem::write(&path, error);
        make_folders(&folder).map_err(cannot)?;
        // Remove temporary files of a process that was killed while writing here.
        sweep(&folder);
        let mut list = Vec::new();
        for song in songs {
            let listed = Listed {
                key: song.keys.song.clone(),
                first_version: song.keys.first_version.clone(),
                song: song.entry.path.display().to_string(),
                seconds: song.entry.seconds,
            };
            serde_json::to_writer(&mut list, &listed).map_err(|e| cannot(io::Error::other(e)))?;
            list.push(b'\n');
        }
        write_atomically(&folder.join(format!("{name}.songs")), &list)?;
        let now = Instant::now();
        let mut recorder = Self { path, record, start: now, written: now };
        recorder.write()?;
        Ok(recorder)
    }

    /// Writes the record if the last write is long ago. A failure is only logged.
    pub(super) fn update(&mut self) {
        if self.written.elapsed() >= EVERY
            && let Err(error) = self.write()
        {
            tracing::warn!("could not write the progress of this share: {error}");
        }
    }

    /// Writes the final record.
    pub(super) fn end(&mut self, state: State) -> Result<()> {
        self.record.state = state;
        self.write()
    }

    fn write(&mut self) -> Result<()> {
        self.record.ran = self.start.elapsed().as_secs_f64();
        self.record.updated = now();
        self.written = Instant::now();
        let text = serde_json::to_vec(&self.record)
            .map_err(|e| Problem::write(&self.path, io::Error::other(e)))?;
        write_atomically(&self.path, &text)
    }
}

/// Seconds since 1970.
pub(super) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Reads every share's record below `state`, with its songs. Unreadable records are logged and
/// skipped.
pub(super) fn all(state: &Path) -> Result<Vec<(Record, Vec<Listed>)>> {
    let folder = state.join(FOLDER);
    let cannot = |path: &Path, error: io::Error| Problem::read(path, error);
    let entries = fs::read_dir(&folder).map_err(|e| cannot(&folder, e))?;
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    paths.sort();
    let mut found = Vec::new();
    for path in paths {
        let text = fs::read(&path).map_err(|e| cannot(&path, e))?;
        let list = fs::read_to_string(path.with_extension("songs")).unwrap_or_default();
        match serde_json::from_slice(&text) {
            Ok(record) => {
                let lines = list.lines().filter_map(|line| serde_json::from_str(line).ok());
                found.push((record, lines.collect()));
            }
            Err(error) => {
                tracing::warn!("could not read the share record {}: {error}", path.display());
            }
        }
    }
    Ok(found)
}
