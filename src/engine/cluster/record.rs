//! What a share tells of itself while it runs: a small file, written whole now and then, and the list
//! of its songs, written once. [`super::report`] gathers them.

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

/// In [`super::STATE`].
pub(super) const FOLDER: &str = "shards";
/// How often it is written.
const EVERY: Duration = Duration::from_secs(10);

/// How a share is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// At work; or killed, where it has not said so for long.
    #[default]
    Running,
    /// At its end, whatever became of its songs.
    Ended,
    /// Stopped by a signal, or by a disk; to be started again.
    Stopped,
}

/// A share's own account.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Which share, from 1.
    pub shard: usize,
    /// Of how many.
    pub of: usize,
    /// The manifest's digest.
    pub manifest: String,
    /// What the shares were told from; see [`super::shard::basis`].
    pub basis: String,
    /// Songs of the whole manifest.
    pub all_songs: usize,
    /// Songs of this share.
    pub songs: usize,
    /// Their length, as far as it is known.
    pub seconds: f64,
    /// How it is.
    pub state: State,
    /// Songs that are done; found done at the start among them.
    pub done: usize,
    /// Songs that were found done.
    pub skipped: usize,
    /// Songs that failed.
    pub failed: usize,
    /// Segments that this run computed.
    pub computed: usize,
    /// Seconds of music that this run finished.
    pub music: f64,
    /// Seconds that it has run.
    pub ran: f64,
    /// When it began and when this was written, in seconds since 1970.
    pub began: u64,
    /// See `began`.
    pub updated: u64,
    /// Which machine.
    pub host: String,
    /// How many threads compute.
    pub threads: usize,
    /// Where its failures are listed.
    pub failures: PathBuf,
}

/// A line of a share's list of songs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Listed {
    /// The song's key.
    pub key: String,
    /// Its key of version 1: the lists and receipts of older runs name it so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_version: Option<String>,
    /// Its file, for people.
    pub song: String,
    /// Its length, where it is known.
    pub seconds: Option<f64>,
}

/// Writes a share's record.
pub(super) struct Recorder {
    path: PathBuf,
    /// What is told.
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
        // Of a process that was killed while it wrote here.
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

    /// Writes it where that is long ago. One that cannot be written stops nothing.
    pub(super) fn tell(&mut self) {
        if self.written.elapsed() >= EVERY
            && let Err(error) = self.write()
        {
            tracing::warn!("how far this share is cannot be written down: {error}");
        }
    }

    /// Writes it for the last time.
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

/// Every share's record below `state`, with its songs. What cannot be read is told, and left out.
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
            Err(error) => tracing::warn!("{} is no record of a share: {error}", path.display()),
        }
    }
    Ok(found)
}
