//! All shares together: what is done and whole, what failed, what remains, how fast it goes.
//!
//! Reads records and receipts, and looks at every file that a receipt names. Changes nothing.

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

/// A share that has not told for so long is not at work any more, in seconds.
const SILENCE: u64 = 300;

/// What was gathered.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Report {
    /// Songs of all shares that have begun, and of those that have not, as far as that is known.
    pub songs: usize,
    /// Songs that are done, with every file whole.
    pub done: usize,
    /// Songs that cannot be done.
    pub failed: usize,
    /// Songs that failed for now.
    pub temporary: usize,
    /// Songs that nothing is known of yet.
    pub remaining: usize,
    /// Files that are named as written, but are not there, or not whole: their songs are not done.
    pub not_whole: Vec<PathBuf>,
    /// Files that are whole.
    pub files: usize,
    /// Their bytes.
    pub bytes: u64,
    /// Hours of music that are done.
    pub hours_done: f64,
    /// Hours of music of all songs whose length is known.
    pub hours: f64,
    /// Seconds of music for each second, of the shares that are at work.
    pub speed: f64,
    /// When the last share at work will have ended, in seconds since 1970.
    pub ends_at: Option<u64>,
    /// Every share.
    pub shares: Vec<Share>,
    /// Shares that have not begun.
    pub not_begun: Vec<String>,
    /// Whether two shares of one manifest were told from different lengths: a song may be in none.
    pub shares_disagree: bool,
    /// Songs that failed, as their shares wrote them down.
    pub failures: Vec<Value>,
}

/// A share, for people.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Share {
    /// `3/8`.
    pub shard: String,
    /// The machine.
    pub host: String,
    /// "running", "silent", "ended", "stopped".
    pub state: &'static str,
    /// Songs.
    pub songs: usize,
    /// Of these, done.
    pub done: usize,
    /// Of these, failed.
    pub failed: usize,
    /// Seconds of music for each second of its last run.
    pub speed: f64,
    /// Seconds that it still takes, at that speed.
    pub seconds_left: Option<f64>,
}

impl Report {
    /// Whether all is done.
    pub fn is_complete(&self) -> bool {
        self.songs > 0 && self.done == self.songs && !self.shares_disagree
    }

    /// Whether another run may do more.
    pub fn is_to_be_resumed(&self) -> bool {
        self.temporary + self.remaining > 0 || !self.not_begun.is_empty()
    }
}

/// Gathers what lies in these folders of results. With `is_deep`, every byte of every file is read.
///
/// # Errors
/// [`Problem::NoShare`] for a folder in which no share was ever begun.
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
    // One that cannot be told makes the whole unknown.
    let left = left.reduce(|a, b| Some(f64::max(a?, b?))).flatten();
    report.ends_at = left.map(|left| now() + left.ceil() as u64);
    Ok(report)
}

/// What is known of a song.
struct Known {
    seconds: Option<f64>,
    state: Of,
}

/// How a song is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
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
            if known.state != Of::Done
                && let Some(failure) =
                    failures.iter().find(|failure| failure["path"] == song.song.as_str())
            {
                known.state = if failure["temporary"] == true { Of::Temporary } else { Of::Failed };
            }
            match known.state {
                Of::Done => share.done += 1,
                Of::Failed | Of::Temporary => share.failed += 1,
                Of::Remaining => left = left.zip(known.seconds).map(|(a, b)| a + b),
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
            Of::Done => {
                report.done += 1;
                report.hours_done += hours;
            }
            Of::Failed => report.failed += 1,
            Of::Temporary => report.temporary += 1,
            Of::Remaining => report.remaining += 1,
        }
    }
}

/// The key of version 1 of a listed song, and its key now.
fn alias(song: &Listed) -> Option<(&str, &str)> {
    Some((song.first_version.as_deref()?, &song.key))
}

/// The state of a song by its receipt and files.
fn look(
    keys: &Keys,
    seconds: Option<f64>,
    out: &Path,
    is_deep: bool,
    report: &mut Report,
) -> Known {
    let receipt = Receipt::find(&out.join(STATE), keys).filter(|receipt| receipt.is_done);
    let Some(receipt) = receipt else { return Known { seconds, state: Of::Remaining } };
    let mut missing = receipt.missing(out, is_deep);
    let seconds = Some(receipt.seconds);
    if missing.is_empty() {
        report.files += receipt.files.len();
        report.bytes += receipt.files.iter().map(|file| file.bytes).sum::<u64>();
        return Known { seconds, state: Of::Done };
    }
    report.not_whole.append(&mut missing);
    Known { seconds, state: Of::Remaining }
}

/// The shares of a manifest that have not begun, with their songs; and whether all were told alike.
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
