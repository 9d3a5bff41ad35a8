//! `partita separate FILE…`: separates files into a folder, without a library. [`super::archive`]
//! separates archives.

use std::{
    cell::Cell,
    collections::HashSet,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::bail;

use super::{
    archive::{self, ArchiveArguments},
    chain::note_missing,
};
use crate::{
    cli::{
        TrackArguments, exit_code,
        inputs::{Inputs, Song},
        output::{Output, Progress, note, step_text},
        output_options::{FileArguments, asking, cancel_on_signal, report},
        reason::Reason,
        separation_options::SeparationArguments,
        share_weights,
    },
    engine::{
        CancelToken, Compute, Preferences, Problem,
        export::{Settings, numbered},
        separation::{
            batch::{Batch, Request, Separated},
            estimate::Needs,
        },
        system::atomic_file::base_name,
    },
    i18n::{
        fl,
        numbers::{bytes, duration},
    },
    words,
};

#[derive(Debug, clap::Args)]
#[command(after_help = archive::EXIT_CODES)]
pub(in crate::cli) struct Arguments {
    /// Audio files and folders to separate
    #[arg(required_unless_present = "manifest")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    track: TrackArguments,
    #[command(flatten)]
    written: FileArguments,
    #[command(flatten)]
    archive: ArchiveArguments,
    #[command(flatten)]
    options: SeparationArguments,
}

pub(in crate::cli) fn run(
    arguments: &Arguments,
    compute: Compute,
    preferences: &Preferences,
    home: &Path,
    output: &Output,
) -> anyhow::Result<ExitCode> {
    let (chain, quality) = arguments.options.chosen(home, preferences)?;
    share_weights(home);
    if arguments.archive.is_wanted() {
        let wanted = archive::Wanted {
            about: &arguments.archive,
            files: &arguments.files,
            track: &arguments.track,
            written: &arguments.written,
        };
        return archive::run(&wanted, (chain, quality), compute, home, output);
    }
    // Rejects a wrong name before the separation.
    let selection = arguments.written.selection(&chain)?;
    if arguments.written.takes_all_stems() {
        note_missing(&chain);
    }
    let batch = Batch::new(chain, quality, compute, home)?;
    let cancel = cancel_on_signal()?;
    let Inputs { songs, mut any_failed } = Inputs::new(&arguments.files, output);
    let mut names = HashSet::new();
    let said = Cell::new(false);
    for found in songs {
        let mut request = Request {
            called: free_name(&found, &mut names),
            file: found.file,
            track: arguments.track.track,
            selection: selection.clone(),
            place: arguments.written.place(&found.folder),
            settings: Settings::default(),
        };
        let separated = asking(&arguments.written.settings(), |settings| {
            request.settings = settings.clone();
            separate(&batch, &request, &cancel, &said)
        });
        let name = request.file.display().to_string();
        match separated {
            Ok(Separated { exported, frames, warning, .. }) => {
                if let Some(warning) = words::notes(&warning) {
                    note(&format!("{name}: {warning}"));
                }
                report(&name, &exported, Some((frames, warning.text())), output);
            }
            Err(Problem::Cancelled) => bail!(Reason::new(|| fl!(cli_cancelled, file = &name))),
            Err(e) => {
                any_failed = true;
                output.failed(&name, Reason::of_file(&request.file, &e));
            }
        }
    }
    Ok(exit_code(any_failed))
}

/// Separates a song. Before the first one of a run, a line says what that takes; `said` is whether it
/// was.
fn separate(
    batch: &Batch,
    request: &Request,
    cancel: &CancelToken,
    said: &Cell<bool>,
) -> Result<Separated, Problem> {
    let name = request.file.file_name().unwrap_or_default().to_string_lossy();
    let progress = Progress::new(&name);
    batch.separate(request, cancel, &mut |done| {
        if done.was_abandoned {
            progress.say(fl!(cli_abandoned));
        }
        if let Some(needs) = done.needs {
            if !said.replace(true) {
                progress.say(&needs_line(&batch.identity().model, &needs));
            }
            return;
        }
        progress.set(step_text(done.step), done.fraction, done.seconds_left);
    })
}

/// The needs in one line: "htdemucs: about 40 s, 570 MB of memory, 120 MB on disk".
fn needs_line(model: &str, needs: &Needs) -> String {
    let (memory, disk) = (bytes(needs.memory), bytes(needs.disk));
    match needs.seconds {
        Some(seconds) => {
            let time = duration(seconds);
            fl!(cli_needs, model = model, time = time, memory = memory, disk = disk)
        }
        None => fl!(cli_needs_timeless, model = model, memory = memory, disk = disk),
    }
}

/// The song's name, numbered if another song of its folder has the same name.
fn free_name(found: &Song, taken: &mut HashSet<PathBuf>) -> String {
    let name = base_name(&found.file);
    let free = numbered(&name, "").find(|name| taken.insert(found.folder.join(name)));
    free.unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn songs_of_one_name_get_numbers() {
        let mut taken = HashSet::new();
        let mut next = |root: &str, file: &str| {
            let found = Song::in_folder(Path::new(root), PathBuf::from(file));
            let name = free_name(&found, &mut taken);
            found.folder.join(name)
        };
        assert_eq!(next("a", "a/song.mp3"), Path::new("song"));
        assert_eq!(next("b", "b/song.flac"), Path::new("song (2)"));
        assert_eq!(next("c", "c/song.flac"), Path::new("song (3)"));
        assert_eq!(next("c", "c/live/song.flac"), Path::new("live/song"));
    }
}
