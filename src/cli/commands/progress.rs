//! `partita progress SONG`: the percentage, or the paths of the tracks and the mix.

use std::{path::Path, process::ExitCode};

use anyhow::bail;
use serde_json::json;

use super::list::state_words;
use crate::{
    cli::{
        output::{Output, tracks_json, tracks_text},
        reason::Reason,
        session::open_library,
    },
    engine::{self, JobState, library::find_song},
    i18n::fl,
};

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Arguments {
    /// Song: a number from `partita list`, or a part of a title that matches one song
    song: String,
}

pub(in crate::cli) fn run(
    arguments: &Arguments,
    home: &Path,
    output: &Output,
) -> anyhow::Result<ExitCode> {
    let library = open_library(home)?;
    let song = find_song(&library.songs()?, &arguments.song)?;
    let Some(job) = library.last_job(song.id)? else {
        let id = song.id.0.to_string();
        bail!(Reason::new(|| fl!(cli_no_progress, title = &song.title, id = &id)))
    };
    let (percent, tracks) = match &job.state {
        JobState::Done => (100, engine::export::job_tracks::of_job(&library, &job)?.files),
        _ => ((job.fraction() * 100.0) as u32, Vec::new()),
    };
    let text = if tracks.is_empty() {
        format!("{}: {}", song.title, state_words(&job))
    } else {
        tracks_text(&tracks)
    };
    output.result(
        &text,
        &json!({ "song": song.id, "percent": percent, "job": job, "tracks": tracks_json(&tracks) }),
    );
    Ok(ExitCode::SUCCESS)
}
