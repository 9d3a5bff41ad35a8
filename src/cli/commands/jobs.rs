//! `partita jobs` and `partita job ID`.

use std::{path::Path, process::ExitCode};

use serde_json::json;

use super::list::state_words;
use crate::{
    cli::{
        output::{Output, note, tracks_json, tracks_text},
        session::open_library,
    },
    engine::{self, JobId, Song, SongId},
    i18n::{fl, numbers::decimal},
};

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Arguments {
    /// Number of the job in `partita jobs`
    id: i64,
}

pub(in crate::cli) fn list(home: &Path, output: &Output) -> anyhow::Result<ExitCode> {
    let library = open_library(home)?;
    let (songs, jobs) = (library.songs()?, library.jobs()?);
    if jobs.is_empty() {
        note(fl!(cli_no_jobs));
    }
    for job in jobs.iter().rev() {
        let line = format!("{:>4}  {} · {}", job.id.0, title(&songs, job.song), state_words(job));
        output.result(&line, &json!(job));
    }
    Ok(ExitCode::SUCCESS)
}

pub(in crate::cli) fn show(
    arguments: &Arguments,
    home: &Path,
    output: &Output,
) -> anyhow::Result<ExitCode> {
    let library = open_library(home)?;
    let job = library.job(JobId(arguments.id))?;
    let songs = library.songs()?;
    let tracks = engine::export::job_tracks::written(&library, &job)?;
    let mut lines = vec![
        fl!(cli_job_title, id = job.id.0.to_string(), title = title(&songs, job.song)),
        fl!(cli_job_model, model = &job.model),
        fl!(cli_job_stems, stems = job.stems.join(", ")),
        fl!(cli_job_state, state = state_words(&job)),
        fl!(cli_job_segments, done = job.segments_done, total = job.segments_total),
        fl!(cli_job_computed, seconds = decimal(job.seconds, 1)),
    ];
    if !tracks.is_empty() {
        lines.push(tracks_text(&tracks));
    }
    output.result(&lines.join("\n"), &json!({ "job": job, "tracks": tracks_json(&tracks) }));
    Ok(ExitCode::SUCCESS)
}

fn title(songs: &[Song], id: SongId) -> &str {
    songs.iter().find(|song| song.id == id).map_or("", |song| &song.title)
}
