//! `partita jobs` and `partita job ID`.

use std::{path::Path, process::ExitCode};

use serde_json::json;

use super::{
    list::state_words,
    output::{Output, note},
    tracks,
};
use crate::engine::{self, JobId, Song, SongId};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The job's number in `partita jobs`
    id: i64,
}

pub(super) fn list(home: &Path, output: &Output) -> anyhow::Result<ExitCode> {
    let library = engine::look_into_library(home)?;
    let (songs, jobs) = (library.songs()?, library.jobs()?);
    if jobs.is_empty() {
        note("there are no jobs; make one with `partita process SONG`");
    }
    for job in jobs.iter().rev() {
        let line = format!("{:>4}  {} · {}", job.id.0, title(&songs, job.song), state_words(job));
        output.result(&line, &json!(job));
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) fn show(
    arguments: &Arguments,
    home: &Path,
    output: &Output,
) -> anyhow::Result<ExitCode> {
    let library = engine::look_into_library(home)?;
    let job = library.job(JobId(arguments.id))?;
    let songs = library.songs()?;
    let tracks = engine::tracks::written(&library, &job)?;
    let mut words = format!(
        "job {}: {}\nmodel: {}\nstems: {}\nstate: {}\nsegments: {} of {}\ncomputed for: {:.1} s",
        job.id.0,
        title(&songs, job.song),
        job.model,
        job.stems.join(", "),
        state_words(&job),
        job.segments_done,
        job.segments_total,
        job.seconds
    );
    if !tracks.is_empty() {
        words = format!("{words}\n{}", tracks::words(&tracks));
    }
    output.result(&words, &json!({ "job": job, "tracks": tracks::json(&tracks) }));
    Ok(ExitCode::SUCCESS)
}

fn title(songs: &[Song], id: SongId) -> &str {
    songs.iter().find(|song| song.id == id).map_or("", |song| &song.title)
}
