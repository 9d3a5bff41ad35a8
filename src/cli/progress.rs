//! `partita progress SONG`: the percentage, or, when done, where the tracks and the mix are.

use std::{path::PathBuf, process::ExitCode};

use anyhow::bail;
use serde_json::json;

use super::{list::state_words, output::Output, tracks};
use crate::engine::{
    JobState,
    library::{Library, find_song},
};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The song: a number of `partita list`, or a part of a title that fits one song
    song: String,
}

pub(super) fn run(
    arguments: &Arguments,
    home: PathBuf,
    output: &Output,
) -> anyhow::Result<ExitCode> {
    let library = Library::open(&home)?;
    let song = find_song(&library.songs()?, &arguments.song)?;
    let Some(job) = library.last_job(song.id)? else {
        bail!(
            "\"{}\" was not processed yet; start with `partita process {}`",
            song.title,
            song.id.0
        )
    };
    drop(library);
    let (percent, tracks) = match &job.state {
        JobState::Done => (100, tracks::of_job(home, &job)?),
        _ => ((job.fraction() * 100.0) as u32, Vec::new()),
    };
    let words = if tracks.is_empty() {
        format!("{}: {}", song.title, state_words(&job))
    } else {
        let lines: Vec<String> =
            tracks.iter().map(|(name, path)| format!("{name}: {}", path.display())).collect();
        lines.join("\n")
    };
    output.result(
        &words,
        &json!({ "song": song.id, "percent": percent, "job": job, "tracks": tracks::json(&tracks) }),
    );
    Ok(ExitCode::SUCCESS)
}
