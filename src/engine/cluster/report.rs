//! Summary of all shares: completed, failed and remaining songs, and the speed.
//!
//! Reads records and receipts, and checks every file that a receipt names. Changes nothing.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use serde::Serialize;
use serde_json::Value;

use super::{
    STATE,
    key::Keys,
    receipt::Receipt,
    record::{self, Listed, Record, State, now},
};
use crate::engine::problem::{Problem, Result};

/// Seconds without an update after which a share no longer counts as running.
const SILENCE: u64 = 300;

/// Result of the summary.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Report {
    /// Number of songs of all shares, including those not yet begun as far as known.
    pub songs: usize,
    /// Number of completed songs with all files intact.
    pub done: usize,
    /// Number of permanently failed songs.
    pub failed: usize,
    /// Number of temporarily failed songs.
    pub temporary: usize,
    /// Number of songs without any result yet.
    pub remaining: usize,
    /// Files with a receipt that are missing or changed; their songs do not count as completed.
    pub not_whole: Vec<PathBuf>,
    /// Number of intact files.
    pub files: usize,
    /// Total size of the intact files in bytes.
    pub bytes: u64,
    /// Hours of completed music.
    pub hours_done: f64,
    /// Hours of music of all songs with known length.
    pub hours: f64,
    /// Seconds of music per second, over the running shares.
    pub speed: f64,
    /// Estimated end of the last running share, in seconds since 1970.
    pub ends_at: Option<u64>,
    /// All shares that have begun.
    pub shares: Vec<Share>,
    /// Shares that have not begun.
    pub not_begun: Vec<String>,
    /// Whether two shares of one manifest used different lengths, so that a song may be in no
    /// share.
    pub shares_disagree: bool,
    /// Failed songs, as recorded by their shares.
    pub failures: Vec<Value>,
}

/// A share, for display.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Share {
    /// Number of the share: `3/8`.
    pub shard: String,
    /// Name of the machine.
    pub host: String,
    /// State: "running", "silent", "ended", "stopped".
    pub state: &'static str,
    /// Number of songs.
    pub songs: usize,
    /// Number of completed songs.
    pub done: usize,
    /// Number of failed songs.
    pub failed: usize,
    /// Seconds of music per second in the last run.
    pub speed: f64,
    /// Estimated remaining seconds at that speed.
    pub seconds_left: Option<f64>,
}

impl Report {
    /// Whether all songs are completed.
    pub fn is_complete(&self) -> bool {
        self.songs > 0 && self.done == self.songs && !self.shares_disagree
    }

    /// Whether another run may complete more songs.
    pub fn is_to_be_resumed(&self) -> bool {
        self.temporary + self.remaining > 0 || !self.not_begun.is_empty()
    }
}

/// Summarises these folders of results. With `is_deep`, every byte of every file is read.
///
/// # Errors
/// [`Problem::NoShare`] for a folder without any share.
pub fn report(folders: &[PathBuf], is_deep: bool) -> Result<Report> {
    let mut report = Report::default();
    for folder in folders {
        let out = match folder.file_name() {
            Some(name) if name == STATE => folder.parent().unwrap_or(folder),
            _ => folder,
        };
        of_folder(out, is_deep, &mut report)?;
    }
    let left = report.shares.iter().filter(|share| share.state == "running");
    let left = left.map(|share| share.seconds_left);
    // A single unknown estimate makes the total unknown.
    let left = left.reduce(|a, b| Some(f64::max(a?, b?))).flatten();
    report.ends_at = left.map(|left| now() + left.ceil() as u64);
    Ok(report)
}

/// State and length of a song.
struct Known {
    seconds: Option<f64>,
    state: SongState,
}

/// State of a song.
#[derive(Clone, Copy, PartialEq, Eq)]
enum SongState {
    Done,
    Failed,
    Temporary,
    Remaining,
}

fn of_folder(out: &Path, is_deep: bool, report: &mut Report) -> Result<()> {
    let state = out.join(STATE);
    let shares = record::all(&state)?;
    if shares.is_empty() {
        return Err(Problem::NoShare { path: state });
    }
    let aliases: BTreeMap<&str, &str> =
        shares.iter().flat_map(|(_, listed)| listed).filter_map(alias).collect();
    let mut songs: BTreeMap<String, Known> = BTreeMap::new();
    for (record, listed) in &shares {
        let failures = failures(record);
        let mut share = Share {
            shard: format!("{}/{}", record.shard, record.of),
            host: record.host.clone(),
            state: state_of(record),
            songs: record.songs,
            speed: if record.ran > 0.0 { record.music / record.ran } else { 0.0 },
            ..Share::default()
        };
        let mut left = Some(0.0);
        for song in listed {
            // A list of version 1 names the same song by its old key.
            let key = aliases.get(&*song.key).copied().unwrap_or(&song.key);
            let known = songs.entry(key.to_owned()).or_insert_with(|| {
                let first_version = song
                    .first_version
                    .as_deref()
                    .or_else(|| Some(&*song.key).filter(|other| *other != key));
                let keys =
                    Keys { song: key.into(), first_version: first_version.map(str::to_owned) };
                look(&keys, song.seconds, out, is_deep, report)
            });
            if known.state != SongState::Done
                && let Some(failure) =
                    failures.iter().find(|failure| failure["path"] == song.song.as_str())
            {
                known.state = if failure["temporary"] == true {
                    SongState::Temporary
                } else {
                    SongState::Failed
                };
            }
            match known.state {
                SongState::Done => share.done += 1,
                SongState::Failed | SongState::Temporary => share.failed += 1,
                SongState::Remaining => left = left.zip(known.seconds).map(|(a, b)| a + b),
            }
        }
        share.seconds_left = left.filter(|_| share.speed > 0.0).map(|left| left / share.speed);
        if share.state == "running" {
            report.speed += share.speed;
        }
        report.failures.extend(failures);
        report.shares.push(share);
    }
    count(&songs, report);
    others(&shares.into_iter().map(|(record, _)| record).collect::<Vec<_>>(), report);
    Ok(())
}

fn count(songs: &BTreeMap<String, Known>, report: &mut Report) {
    for Known { seconds, state } in songs.values() {
        let hours = seconds.unwrap_or(0.0) / 3600.0;
        report.songs += 1;
        report.hours += hours;
        match state {
            SongState::Done => {
                report.done += 1;
                report.hours_done += hours;
            }
            SongState::Failed => report.failed += 1,
            SongState::Temporary => report.temporary += 1,
            SongState::Remaining => report.remaining += 1,
        }
    }
}

/// Maps the key of version 1 of a listed song to its current key.
fn alias(song: &Listed) -> Option<(&str, &str)> {
    Some((song.first_version.as_deref()?, &song.key))
}

/// State of a song by its receipt and files.
fn look(
    keys: &Keys,
    seconds: Option<f64>,
    out: &Path,
    is_deep: bool,
    report: &mut Report,
) -> Known {
    let receipt = Receipt::find(&out.join(STATE), keys).filter(|receipt| receipt.is_done);
    let Some(receipt) = receipt else { return Known { seconds, state: SongState::Remaining } };
    let mut missing = receipt.missing(out, is_deep);
    let seconds = Some(receipt.seconds);
    if missing.is_empty() {
        report.files += receipt.files.len();
        report.bytes += receipt.files.iter().map(|file| file.bytes).sum::<u64>();
        return Known { seconds, state: SongState::Done };
    }
    report.not_whole.append(&mut missing);
    Known { seconds, state: SongState::Remaining }
}

/// Adds the shares of a manifest that have not begun, with their songs, and checks that all shares
/// have the same basis.
fn others(records: &[Record], report: &mut Report) {
    let mut manifests: BTreeMap<(&str, usize), Vec<&Record>> = BTreeMap::new();
    for record in records {
        manifests.entry((record.manifest.as_str(), record.of)).or_default().push(record);
    }
    for ((_, of), records) in &manifests {
        let begun = |shard: &usize| records.iter().any(|record| record.shard == *shard);
        let missing: Vec<usize> = (1..=*of).filter(|shard| !begun(shard)).collect();
        report.shares_disagree |= records.iter().any(|record| record.basis != records[0].basis);
        // Songs of an older division of the same manifest are counted already.
        if manifests.len() == 1 && !missing.is_empty() {
            let known: usize = records.iter().map(|record| record.songs).sum();
            let unseen = records[0].all_songs.saturating_sub(known);
            report.songs += unseen;
            report.remaining += unseen;
        }
        if manifests.len() == 1 {
            report.not_begun.extend(missing.iter().map(|shard| format!("{shard}/{of}")));
        }
    }
}

fn state_of(record: &Record) -> &'static str {
    match record.state {
        State::Ended => "ended",
        State::Stopped => "stopped",
        State::Running if now().saturating_sub(record.updated) > SILENCE => "silent",
        State::Running => "running",
    }
}

fn failures(record: &Record) -> Vec<Value> {
    let text = fs::read_to_string(&record.failures).unwrap_or_default();
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}
