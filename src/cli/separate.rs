//! `partita separate FILE…`: stems of files into a folder, without a library.

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::bail;
use serde_json::json;

use super::{
    StemArguments, exit_code,
    output::{Output, Progress, note},
    parse_depth, tracks,
};
use crate::engine::{
    CancelToken, Compute, Depth, EngineError,
    batch::{Batch, Request, Separated},
    decode,
    export::{numbered, ordered, safe_file_name},
    models::{DEFAULT, InstalledModel},
};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Audio files, or folders that hold some
    #[arg(required = true)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    stems: StemArguments,
    /// Where a folder is made for each song
    #[arg(long, default_value = "separated", value_name = "DIR")]
    out: PathBuf,
    /// Bits of the files: 16, 24 or 32f
    #[arg(long, default_value = "24", value_parser = parse_depth)]
    depth: Depth,
    /// Also write `mix.wav`, the sum of the chosen stems
    #[arg(long)]
    mix: bool,
    /// The model; see `partita model list`
    #[arg(long, default_value = DEFAULT, value_name = "NAME")]
    model: String,
    /// Replace files that exist
    #[arg(long)]
    overwrite: bool,
}

pub(super) fn run(
    arguments: &Arguments,
    compute: Compute,
    home: &Path,
    output: &Output,
) -> anyhow::Result<ExitCode> {
    let Some(model) = InstalledModel::find(home, &arguments.model)? else {
        bail!(
            "the model \"{}\" is not installed; `partita model list` shows those that there are, \
             `partita model install` installs one",
            arguments.model
        )
    };
    ordered(&model.spec.sources, &arguments.stems.stems)?; // a wrong name fails before the work
    let batch = Batch::new(model, compute, home)?;
    let cancel = cancel_on_signal()?;
    let mut any_failed = false;
    let mut folders = HashSet::new();
    for file in files(&arguments.files) {
        let request = Request {
            folder: folder(&arguments.out, &file, &mut folders),
            stems: arguments.stems.stems.clone(),
            depth: arguments.depth,
            with_mix: arguments.mix,
            overwrite: arguments.overwrite,
            file,
        };
        match separate(&batch, &request, &cancel) {
            Ok(separated) => report(&request, &separated, output),
            Err(EngineError::Cancelled) => {
                bail!("ended; {} was not finished", request.file.display())
            }
            Err(e) => {
                any_failed = true;
                output.failed(&request.file.display().to_string(), &e.in_words());
            }
        }
    }
    Ok(exit_code(any_failed))
}

fn separate(
    batch: &Batch,
    request: &Request,
    cancel: &CancelToken,
) -> Result<Separated, EngineError> {
    let name = request.file.file_name().unwrap_or_default().to_string_lossy();
    let progress = Progress::new(&name);
    batch.separate(request, cancel, &mut |done| {
        progress.set(done.what, done.fraction, done.seconds_left);
    })
}

fn report(request: &Request, separated: &Separated, output: &Output) {
    if let Some(warning) = &separated.warning {
        note(&format!("{}: {warning}", request.file.display()));
    }
    if separated.gain_db != 0.0 {
        note(&format!(
            "{}: all files were turned down by {:.1} dB, so that none clips",
            request.file.display(),
            -separated.gain_db
        ));
    }
    let lines: Vec<String> = separated.files.iter().map(|(_, f)| f.display().to_string()).collect();
    output.result(
        &lines.join("\n"),
        &json!({
            "file": request.file.to_string_lossy(),
            "files": tracks::json(&separated.files),
            "frames": separated.frames,
            "gain_db": separated.gain_db,
            "warning": separated.warning,
        }),
    );
}

/// Ctrl-C ends the work within one segment and leaves nothing half-written; a second one at once.
fn cancel_on_signal() -> anyhow::Result<CancelToken> {
    let cancel = CancelToken::default();
    let token = cancel.clone();
    ctrlc::set_handler(move || {
        if token.is_cancelled() {
            std::process::exit(130);
        }
        token.cancel();
    })?;
    Ok(cancel)
}

/// The given files, and the audio files of the given folders.
fn files(given: &[PathBuf]) -> Vec<PathBuf> {
    let expand = |path: &PathBuf| match decode::audio_files_in(path) {
        Ok(files) if path.is_dir() && !files.is_empty() => files,
        // What is no readable folder, or an empty one, fails by its own name.
        _ => vec![path.clone()],
    };
    given.iter().flat_map(expand).collect()
}

/// A folder for a song; songs of one name get numbers.
fn folder(out: &Path, file: &Path, taken: &mut HashSet<PathBuf>) -> PathBuf {
    let name = safe_file_name(&file.file_stem().unwrap_or_default().to_string_lossy());
    let mut free = numbered(out, &name).filter(|folder| taken.insert(folder.clone()));
    free.next().unwrap_or_else(|| out.join(&name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn songs_of_one_name_get_numbers() {
        let mut taken = HashSet::new();
        let mut next = |file: &str| folder(Path::new("out"), Path::new(file), &mut taken);
        assert_eq!(next("a/song.mp3"), Path::new("out/song"));
        assert_eq!(next("b/song.flac"), Path::new("out/song (2)"));
        assert_eq!(next("c/song.flac"), Path::new("out/song (3)"));
    }
}
