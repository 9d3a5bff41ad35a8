//! `partita reset`: cancels jobs and deletes the songs, stems and jobs of the data folder.

use std::{
    io::{IsTerminal as _, Write as _},
    path::PathBuf,
    process::ExitCode,
};

use anyhow::bail;
use serde_json::json;

use crate::{
    cli::{
        output::{Output, note, warn},
        reason::Reason,
        session::Session,
    },
    engine::{Command, Compute, Event},
    i18n::fl,
    words,
};

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Arguments {
    /// Delete without asking
    #[arg(long)]
    yes: bool,
}

pub(in crate::cli) fn run(
    arguments: &Arguments,
    home: PathBuf,
    output: &Output,
) -> anyhow::Result<ExitCode> {
    let session = Session::start(home, Compute::default())?;
    let (songs, jobs) = (session.songs.len(), session.jobs.len());
    if !arguments.yes && !confirm(songs, jobs)? {
        note(fl!(cli_reset_kept));
        return Ok(ExitCode::FAILURE);
    }
    let request = session.engine.send(Command::Reset);
    loop {
        match session.next()? {
            Event::Library { .. } => break,
            Event::Failed { request: Some(failed), problem, .. } if failed == request => {
                bail!(problem)
            }
            Event::Failed { problem, .. } => warn(&words::problem(&problem)),
            _ => {}
        }
    }
    output.result(
        &fl!(cli_reset_done, songs = fl!(songs, count = songs), jobs = fl!(jobs, count = jobs)),
        &json!({ "songs": songs, "jobs": jobs }),
    );
    Ok(ExitCode::SUCCESS)
}

fn confirm(songs: usize, jobs: usize) -> anyhow::Result<bool> {
    if !std::io::stdin().is_terminal() {
        let question = |songs: usize, jobs: usize| {
            let (songs, jobs) = (fl!(songs, count = songs), fl!(jobs, count = jobs));
            fl!(cli_reset_confirm, songs = songs, jobs = jobs)
        };
        bail!(Reason::new(|| question(songs, jobs)));
    }
    let (songs, jobs) = (fl!(songs, count = songs), fl!(jobs, count = jobs));
    let mut stderr = std::io::stderr();
    let question = fl!(cli_reset_ask, songs = songs, jobs = jobs);
    write!(stderr, "{question} ")?;
    stderr.flush()?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
