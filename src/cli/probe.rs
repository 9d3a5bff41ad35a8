//! `partita probe`: a manifest with the songs' lengths, so that no node has to look for them.

use std::{path::PathBuf, process::ExitCode};

use serde_json::json;

use super::{
    TrackArguments, exit_code,
    output::{Output, note},
    separate::files,
};
use crate::engine::{
    CancelToken, EngineError,
    archive::{Entry, Manifest},
    decode,
};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Audio files, or folders that hold some
    #[arg(required_unless_present = "manifest")]
    files: Vec<PathBuf>,
    /// A manifest instead of files; `-` for standard input
    #[arg(long, value_name = "FILE", conflicts_with = "files")]
    manifest: Option<PathBuf>,
    #[command(flatten)]
    track: TrackArguments,
}

/// Always JSON Lines: that is what it is for.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let mut manifest = match &arguments.manifest {
        Some(path) => Manifest::open(path)?,
        None => of_files(&arguments.files)?,
    };
    arguments.track.complete(&mut manifest.entries);
    let output = Output::new(true);
    let mut any_failed = false;
    for Entry { line, path, seconds, track, name, folder, options } in manifest.entries {
        let known = seconds.map_or_else(
            || decode::seconds(&path, track, &CancelToken::default()),
            |it| Ok(Some(it)),
        );
        let seconds = known.unwrap_or_else(|error: EngineError| {
            any_failed = true;
            note(&format!("line {line}: {}: {}", path.display(), error.in_words()));
            None
        });
        let mut object = json!({ "path": path.to_string_lossy() });
        for (name, value) in [("name", name), ("folder", folder)] {
            if let Some(value) = value {
                object[name] = value.into();
            }
        }
        if let Some(seconds) = seconds {
            object["seconds"] = seconds.into();
        }
        if let Some(track) = track {
            object["track"] = track.into();
        }
        for (name, value) in options {
            object[name] = value.into();
        }
        output.result("", &object);
    }
    Ok(exit_code(any_failed))
}

/// A manifest of files, whose folders below those that were named are kept.
pub(super) fn of_files(given: &[PathBuf]) -> anyhow::Result<Manifest> {
    let entry = |(index, found): (usize, super::separate::Found)| Entry {
        line: index + 1,
        path: found.file,
        folder: found.folder.to_str().filter(|it| !it.is_empty()).map(str::to_owned),
        ..Entry::default()
    };
    let entries = files(given).into_iter().enumerate().map(entry).collect();
    Manifest::of_entries(entries).map_err(anyhow::Error::msg)
}
