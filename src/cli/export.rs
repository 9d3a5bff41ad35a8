//! `partita export SONG…`: files of songs of the library that are separated.

use std::{path::Path, process::ExitCode};

use anyhow::bail;

use super::{
    exit_code,
    files::{FileArguments, asking, cancel_on_signal, report},
    output::{Output, Progress},
};
use crate::engine::{
    self, CancelToken, Song, SongTrack,
    export::Exported,
    library::{Library, find_song},
    models::{DEFAULT, InstalledModel},
    order::Order,
};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Songs: a number of `partita list`, or a part of a title that fits one song
    #[arg(required = true)]
    songs: Vec<String>,
    #[command(flatten)]
    files: FileArguments,
}

pub(super) fn run(arguments: &Arguments, home: &Path, output: &Output) -> anyhow::Result<ExitCode> {
    let library = engine::look_into_library(home)?;
    let songs = library.songs()?;
    let Some(model) = InstalledModel::find(home, DEFAULT)? else {
        bail!("the model \"{DEFAULT}\" is not installed; `partita model install` installs it")
    };
    let cancel = cancel_on_signal()?;
    let mut any_failed = false;
    for words in &arguments.songs {
        let exported = find_song(&songs, words)
            .map_err(anyhow::Error::from)
            .and_then(|song| export(&library, song, &model, &arguments.files, &cancel));
        match exported {
            Ok(exported) => report(words, &exported, None, output),
            Err(e) => {
                any_failed = true;
                output.failed(words, &format!("{e:#}"));
            }
        }
    }
    Ok(exit_code(any_failed))
}

fn export(
    library: &Library,
    song: Song,
    model: &InstalledModel,
    files: &FileArguments,
    cancel: &CancelToken,
) -> anyhow::Result<Exported> {
    let folder = library.song_folder(&song.hash);
    let progress = Progress::new(&song.title);
    let order = Order {
        track: SongTrack::open(&folder, Some(model))?,
        song,
        folder,
        model: model.name.clone(),
        selection: files.selection(&model.spec.sources)?,
        place: files.place(Path::new("")),
    };
    let mut show = |fraction: f32| progress.set("writing", fraction.into(), None);
    Ok(asking(&files.settings(), |settings| order.carry_out(settings, &mut show, cancel))?)
}
