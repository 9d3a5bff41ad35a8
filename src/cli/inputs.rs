//! The songs named by the files and folders on a command line.

use std::path::{Path, PathBuf};

use super::output::{Output, note};
use crate::{
    engine::{
        CancelToken, Problem,
        cluster::{Entry, Manifest},
        library::song_files::songs_in,
    },
    words,
};

/// A song, with its folder relative to the named one.
#[derive(Debug, PartialEq)]
pub(super) struct Song {
    pub(super) file: PathBuf,
    pub(super) folder: PathBuf,
}

/// The songs of a command line.
#[derive(Debug, Default)]
pub(super) struct Inputs {
    pub(super) songs: Vec<Song>,
    /// Whether a folder could not be read or holds no song; already reported.
    pub(super) any_failed: bool,
}

impl Inputs {
    /// Collects the named files, whatever their type, and the songs in the named folders with their
    /// relative folders. Reports skipped files, and folders without songs.
    pub(super) fn new(given: &[PathBuf], output: &Output) -> Self {
        let mut inputs = Self::default();
        for path in given {
            if !path.is_dir() {
                inputs.songs.push(Song { file: path.clone(), folder: PathBuf::new() });
                continue;
            }
            let name = path.display();
            match songs_in(path, &CancelToken::default()) {
                Ok(found) => {
                    if found.passed_over.all() > 0 {
                        note(&format!("{name}: {}", words::left_out(&found.passed_over)));
                    }
                    inputs
                        .songs
                        .extend(found.songs.into_iter().map(|file| Song::in_folder(path, file)));
                }
                Err(error) => {
                    inputs.any_failed = true;
                    output.failed(&name.to_string(), &Problem::Folder(error));
                }
            }
        }
        inputs
    }
}

impl Song {
    /// A song below the folder `root`.
    pub(super) fn in_folder(root: &Path, file: PathBuf) -> Self {
        let below = file.parent().and_then(|folder| folder.strip_prefix(root).ok());
        Self { folder: below.map(Path::to_owned).unwrap_or_default(), file }
    }
}

/// A manifest of songs that keeps their relative folders.
pub(super) fn manifest_of(songs: Vec<Song>) -> anyhow::Result<Manifest> {
    let entry = |(index, song): (usize, Song)| Entry {
        line: index + 1,
        path: song.file,
        folder: song.folder.to_str().filter(|folder| !folder.is_empty()).map(str::to_owned),
        ..Entry::default()
    };
    let entries = songs.into_iter().enumerate().map(entry).collect();
    Manifest::of_entries(entries).map_err(anyhow::Error::msg)
}
