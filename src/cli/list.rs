//! `partita list`: the songs of the library.

use std::{path::Path, process::ExitCode};

use serde_json::json;

use super::output::{Output, minutes, note};
use crate::engine::{self, Job, JobState};

pub(super) fn run(home: &Path, output: &Output) -> anyhow::Result<ExitCode> {
    let library = engine::look_into_library(home)?;
    let jobs = library.jobs()?;
    let songs = library.songs()?;
    if songs.is_empty() {
        note("the library is empty; add a song with `partita add FILE`");
    }
    for song in songs.iter().rev() {
        let job = jobs.iter().find(|job| job.song == song.id);
        let artist = song.artist.as_deref().unwrap_or("unknown artist");
        let state = job.map_or_else(|| "not processed".to_owned(), state_words);
        let line = format!(
            "{:>4}  {} · {artist} · {} · {state}",
            song.id.0,
            song.title,
            minutes(song.seconds())
        );
        output.result(&line, &json!({ "song": song, "job": job }));
    }
    Ok(ExitCode::SUCCESS)
}

/// A job's state for people.
pub(super) fn state_words(job: &Job) -> String {
    let percent = (job.fraction() * 100.0).floor();
    match &job.state {
        JobState::Waiting => format!("waiting at {percent} %"),
        JobState::Running => format!("at {percent} %"),
        JobState::Done => format!("done: {}", job.stems.join(", ")),
        JobState::Failed(reason) => format!("failed: {reason}"),
        JobState::Cancelled => format!("cancelled at {percent} %"),
    }
}
