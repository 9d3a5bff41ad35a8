//! `partita list`: the songs of the library.

use std::{path::Path, process::ExitCode};

use serde_json::json;

use crate::{
    cli::{
        output::{Output, note},
        session::open_library,
    },
    engine::{Job, JobState},
    i18n::{
        fl,
        numbers::{clock, percent},
    },
    words,
};

pub(in crate::cli) fn run(home: &Path, output: &Output) -> anyhow::Result<ExitCode> {
    let library = open_library(home)?;
    let jobs = library.jobs()?;
    let songs = library.songs()?;
    if songs.is_empty() {
        note(fl!(cli_no_songs));
    }
    for song in songs.iter().rev() {
        let job = jobs.iter().find(|job| job.song == song.id);
        let artist = song.artist.as_deref().unwrap_or(fl!(unknown_artist));
        let state = job.map_or_else(|| fl!(cli_not_processed).to_owned(), state_words);
        let line = format!(
            "{:>4}  {} · {artist} · {} · {state}",
            song.id.0,
            song.title,
            clock(song.seconds() as u64)
        );
        output.result(&line, &json!({ "song": song, "job": job }));
    }
    Ok(ExitCode::SUCCESS)
}

/// A job's state as text.
pub(in crate::cli) fn state_words(job: &Job) -> String {
    let percent = percent(job.fraction());
    match &job.state {
        JobState::Waiting => fl!(cli_job_waiting, percent = percent),
        JobState::Running => fl!(cli_job_running, percent = percent),
        JobState::Paused => fl!(cli_job_paused, percent = percent),
        JobState::Done => fl!(cli_job_done, stems = job.stems.join(", ")),
        JobState::Failed(reason) => fl!(cli_job_failed, reason = words::problem(reason)),
        JobState::Cancelled => fl!(cli_job_cancelled, percent = percent),
    }
}
