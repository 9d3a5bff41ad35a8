//! `partita add FILE…`: imports files and folders into the library.

use std::{path::PathBuf, process::ExitCode};

use serde_json::json;

use crate::{
    cli::{
        TrackArguments, exit_code,
        output::{Output, note, warn},
        reason::Reason,
        session::Session,
    },
    engine::{Command, Compute, Event, audio::decode::track_choice},
    i18n::numbers::clock,
    words,
};

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Arguments {
    /// Audio files and folders to import
    #[arg(required = true)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    track: TrackArguments,
}

pub(in crate::cli) fn run(
    arguments: Arguments,
    home: PathBuf,
    output: &Output,
) -> anyhow::Result<ExitCode> {
    let session = Session::start(home, Compute::default())?;
    let request = session.engine.send(match arguments.track.track {
        Some(track) => Command::ImportTrack { paths: arguments.files, track },
        None => Command::Import(arguments.files),
    });
    let mut any_failed = false;
    let mut last = None;
    loop {
        match session.next()? {
            Event::Song(song) => last = Some(song),
            Event::Imported { path, song } => {
                let Some(song) = last.take().filter(|last| last.id == song) else { continue };
                let line =
                    format!("{} {} ({})", song.id.0, song.title, clock(song.seconds() as u64));
                output.result(&line, &json!(song));
                let taken = song.track.and_then(|track| track_choice::taken(&song.tracks, track));
                let taken = taken.as_ref().map(words::note);
                for text in words::notes(&song.warning).into_iter().chain(taken) {
                    note(&format!("{}: {text}", path.display()));
                }
            }
            Event::ImportFailed { path, problem } => {
                any_failed = true;
                let reason = Reason::of_file(&path, &problem);
                output.failed(&path.display().to_string(), reason);
            }
            Event::PassedOver { folder, left_out } => {
                note(&format!("{}: {}", folder.display(), words::left_out(&left_out)));
            }
            Event::Failed { request: Some(failed), problem, .. } if failed == request => {
                output.error(&problem);
                return Ok(ExitCode::FAILURE);
            }
            Event::Failed { problem, .. } => warn(&words::problem(&problem)),
            Event::ImportEnded => return Ok(exit_code(any_failed)),
            _ => {}
        }
    }
}
