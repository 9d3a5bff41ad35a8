//! `partita probe`: a manifest with the songs' lengths, so that nodes need not measure them.

use std::{path::PathBuf, process::ExitCode};

use serde_json::json;

use crate::{
    cli::{
        TrackArguments, exit_code,
        inputs::{Inputs, manifest_of},
        output::{Output, note},
    },
    engine::{
        CancelToken, Problem,
        audio::decode,
        cluster::{Entry, Manifest},
    },
    i18n::fl,
    words,
};

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Arguments {
    /// Audio files and folders to list
    #[arg(required_unless_present = "manifest")]
    files: Vec<PathBuf>,
    /// Manifest to complete instead of files; `-` for standard input
    #[arg(long, value_name = "FILE", conflicts_with = "files")]
    manifest: Option<PathBuf>,
    #[command(flatten)]
    track: TrackArguments,
}

/// Prints JSON Lines in any case, because the result is a manifest.
pub(in crate::cli) fn run(arguments: &Arguments, output: &Output) -> anyhow::Result<ExitCode> {
    let (mut manifest, mut any_failed) = if let Some(path) = &arguments.manifest {
        (Manifest::open(path)?, false)
    } else {
        let inputs = Inputs::new(&arguments.files, output);
        (manifest_of(inputs.songs)?, inputs.any_failed)
    };
    arguments.track.complete(&mut manifest.entries);
    for Entry { line, path, seconds, track, name, folder, options } in manifest.entries {
        if !output.is_open() {
            break; // without a reader, the rest of the manifest is lost
        }
        let known = seconds.map_or_else(
            || decode::seconds(&path, track, &CancelToken::default()),
            |seconds| Ok(Some(seconds)),
        );
        let seconds = known.unwrap_or_else(|error: Problem| {
            any_failed = true;
            let text = words::problem_of(&path, &error);
            let text = format!("{}: {text}", path.display());
            note(&fl!(cli_line, line = line.to_string(), text = text));
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
        output.json_line(&object);
    }
    Ok(exit_code(any_failed))
}
