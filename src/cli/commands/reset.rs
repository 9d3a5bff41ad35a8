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
    Ok(is_yes(&answer))
}

/// Whether an answer is yes, in English or in the language of this thread.
fn is_yes(answer: &str) -> bool {
    let answer = answer.trim().to_lowercase();
    let mut accepted = fl!(cli_reset_yes).split_whitespace().chain(["y", "yes"]);
    accepted.any(|yes| yes == answer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::i18n::{Language, speak};

    #[test]
    fn yes_is_accepted_in_english_and_in_the_users_language() {
        let portuguese = Language::all().find(|language| language.tag() == "pt-BR").unwrap();
        for (language, yes, no) in [
            (Language::english(), vec!["y", " Yes\n"], vec!["", "n", "s", "yess"]),
            (portuguese, vec!["s", "Sim", "y"], vec!["", "n", "não", "simples"]),
        ] {
            speak(language);
            assert!(yes.iter().all(|answer| is_yes(answer)), "{yes:?}");
            assert!(!no.iter().any(|answer| is_yes(answer)), "{no:?}");
        }
        speak(Language::english());
    }
}
