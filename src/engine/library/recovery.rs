//! Recovery of the data folder at the start of the engine. Completes or rolls back operations of a
//! killed program, and adds songs whose stores still exist to the library.
//!
//! Only removes plainly unfinished data, and never stems. Runs on the thread that starts the
//! engine.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use super::{
    Library, REPORT, Record,
    lock::ImportLock,
    paths::{DRAGGED, TRACKS, is_song_folder, song_folder},
    trash,
};
use crate::{
    engine::{
        problem::{Problem, Result},
        store::MixStore,
        system::atomic_file::sweep,
    },
    file_moves,
};

/// Opens the library of the data folder `home` and recovers the folder. Also reports a damaged
/// library.
///
/// # Errors
/// Fails with the errors of [`Library::open_or_set_aside`] and [`tidy`].
pub fn open(home: &Path) -> Result<(Library, Option<Problem>)> {
    let (mut library, aside) = Library::open_or_set_aside(home)?;
    let found = tidy(&mut library)?;
    let rebuilt = aside.map(|aside| Problem::LibraryRebuilt { aside, songs: found });
    Ok((library, rebuilt))
}

/// Opens the library for a read-only command; repairs nothing but a damaged library, which is reported
/// too.
///
/// # Errors
/// Fails with the errors of [`Library::open`] and [`open`].
pub fn look(home: &Path) -> Result<(Library, Option<Problem>)> {
    match Library::open(home) {
        Err(e) if e.is_damage() => {
            let opened = open(home)?;
            if let (_, Some(problem)) = &opened {
                tracing::warn!(target: REPORT, "{problem}");
            }
            Ok(opened)
        }
        library => Ok((library?, None)),
    }
}

/// Recovers the data folder, unless another Partita is importing into it. Returns the number of
/// recovered songs.
///
/// # Errors
/// Fails with [`Problem::Library`]; disk errors are logged, and the files stay.
pub fn tidy(library: &mut Library) -> Result<usize> {
    let Some(_lock) = ImportLock::try_take(library.home())? else { return Ok(0) };
    let known: BTreeMap<PathBuf, Record> = library
        .records()?
        .into_iter()
        .map(|record| (library.song_folder(&record.hash), record))
        .collect();
    sweep(library.home());
    trash::settle(library.home(), |was| known.contains_key(was));
    let mut found = 0;
    for folder in folders_in(&library.songs_folder()) {
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if let Some(record) = known.get(&folder) {
            sweep_song(&folder);
            if !Record::is_in(&folder)
                && let Err(e) = record.write(&folder)
            {
                tracing::warn!("{e}");
            }
        } else if is_song_folder(&name) {
            sweep_song(&folder);
            found += usize::from(take_back(library, &folder, &name)?);
        }
    }
    Ok(found)
}

/// Handles a folder that the library does not know: a song, or the beginning of an import.
fn take_back(library: &mut Library, folder: &Path, name: &str) -> Result<bool> {
    match MixStore::open(folder) {
        Ok(mix) => {
            let record = Record::read(folder)
                .filter(|record| song_folder(&library.songs_folder(), &record.hash) == *folder)
                .unwrap_or_else(|| Record::of_nameless(name, mix.frames()));
            library.adopt(&record)?;
            Ok(true)
        }
        Err(_) if folder.join("stems").exists() => Ok(false),
        Err(_) => {
            if let Err(e) = file_moves::remove_folder(folder) {
                tracing::warn!("could not remove the leftover folder {}: {e}", folder.display());
            }
            Ok(false)
        }
    }
}

/// Lists the song folders in the folder of all songs, by their names.
pub fn song_folders(songs_folder: &Path) -> Vec<PathBuf> {
    let is_song = |folder: &PathBuf| {
        folder.file_name().is_some_and(|name| is_song_folder(&name.to_string_lossy()))
    };
    folders_in(songs_folder).into_iter().filter(is_song).collect()
}

/// Lists real folders only, because links lead elsewhere.
fn folders_in(folder: &Path) -> BTreeSet<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let folders = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    folders.map(|entry| entry.path()).collect()
}

/// Removes temporary files from a song's folder and its subfolders.
fn sweep_song(folder: &Path) {
    sweep(folder);
    for below in [TRACKS, DRAGGED, "stems"] {
        for folder in folders_in(&folder.join(below)) {
            sweep(&folder);
        }
    }
}
