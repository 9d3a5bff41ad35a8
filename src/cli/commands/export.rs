//! `partita export SONG…`: exports separated songs of the library.

use std::{path::Path, process::ExitCode, sync::Arc};

use super::chain::note_missing;
use crate::{
    cli::{
        exit_code,
        output::{Output, Progress},
        output_options::{FileArguments, asking, cancel_on_signal, report},
        separation_options::SeparationArguments,
        session::open_library,
    },
    engine::{
        CancelToken, Preferences, Song, SongTrack,
        export::{Exported, song_export::SongExport},
        library::{Library, find_song},
        separation::{chain::Chain, options::SeparationOptions},
    },
    i18n::fl,
};

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Arguments {
    /// Songs: a number from `partita list`, or a part of a title that matches one song
    #[arg(required = true)]
    songs: Vec<String>,
    #[command(flatten)]
    files: FileArguments,
    #[command(flatten)]
    options: SeparationArguments,
}

pub(in crate::cli) fn run(
    arguments: &Arguments,
    preferences: &Preferences,
    home: &Path,
    output: &Output,
) -> anyhow::Result<ExitCode> {
    let library = open_library(home)?;
    let songs = library.songs()?;
    let chosen = library.song_options()?;
    let cancel = cancel_on_signal()?;
    let mut any_failed = false;
    for query in &arguments.songs {
        let exported = find_song(&songs, query).map_err(anyhow::Error::from).and_then(|song| {
            let chosen = chosen.get(&song.id);
            let (chain, options) = arguments.options.options(home, chosen, preferences)?;
            if arguments.files.takes_all_stems() {
                note_missing(&chain);
            }
            export(&library, song, (&Arc::new(chain), options), &arguments.files, &cancel)
        });
        match exported {
            Ok(exported) => report(query, &exported, None, output),
            Err(e) => {
                any_failed = true;
                output.failed(query, &e);
            }
        }
    }
    Ok(exit_code(any_failed))
}

fn export(
    library: &Library,
    song: Song,
    (chain, options): (&Arc<Chain>, SeparationOptions),
    files: &FileArguments,
    cancel: &CancelToken,
) -> anyhow::Result<Exported> {
    let folder = library.song_folder(&song.hash);
    let progress = Progress::new(&song.title);
    let order = SongExport {
        track: SongTrack::open(&folder, Some(chain), options.quality)?,
        song,
        folder,
        options,
        selection: files.selection(chain)?,
        place: files.place(Path::new("")),
    };
    let mut show = |fraction: f32| progress.set(fl!(cli_writing), fraction.into(), None);
    Ok(asking(&files.settings(), |settings| order.carry_out(settings, &mut show, cancel))?)
}
