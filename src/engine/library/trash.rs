//! Trash bin for removed songs in the data folder, next to the folder of all songs.
//!
//! Removed songs lie in a folder that the removing program locks until it ends, even by a crash.
//! That program can restore them, and the next start settles folders without a lock. Whenever a
//! program is killed, each song either exists with its stems or not at all. Runs on the engine's
//! thread.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::Taken;
use crate::{
    engine::{
        problem::{FileAction, Problem, Result},
        system::atomic_file::{WorkFolder, abandoned_in, make_folders, sweep, sync_folder},
    },
    file_moves,
};

/// Folder of removed songs in the data folder.
const FOLDER: &str = "removed";

/// Folder of a removed song.
#[derive(Debug)]
pub struct TrashedFolder {
    /// Original path.
    was: PathBuf,
    /// Current path.
    folder: PathBuf,
}

/// A removed song that can be restored.
#[derive(Debug)]
pub struct Removed {
    /// Rows of the library.
    pub taken: Taken,
    /// Stores of the song; `None` if it had none.
    pub aside: Option<TrashedFolder>,
}

/// Songs that this program has removed; deleted when the program ends.
#[derive(Debug, Default)]
pub struct TrashBin {
    folder: Option<WorkFolder>,
    /// Number of removals so far.
    count: usize,
}

impl TrashBin {
    /// Moves folders of songs into the trash, before the library deletes the songs. Returns the
    /// moved folders, synced to disk, and the errors of others. Missing folders are ignored.
    pub fn take(&mut self, home: &Path, songs: &[PathBuf]) -> (Vec<TrashedFolder>, Vec<Problem>) {
        let (mut asides, mut errors) = (Vec::new(), Vec::new());
        let to = match self.make_place(home) {
            Ok(to) => to,
            Err(error) => return (asides, vec![error]),
        };
        for song in songs {
            match take(home, song, &to) {
                Ok(aside) => asides.extend(aside),
                Err(error) => errors.push(error),
            }
        }
        sync_folder(&home.join("songs"));
        (asides, errors)
    }

    /// Creates a new, empty folder.
    fn make_place(&mut self, home: &Path) -> Result<PathBuf> {
        let removed = home.join(FOLDER);
        let cannot = |error| Problem::create(&removed, error);
        make_folders(&removed).map_err(cannot)?;
        check_inside(home, &removed)?;
        let held = match self.folder.take() {
            Some(held) if held.path().is_dir() => held,
            _ => {
                let held = WorkFolder::make_in(&removed).map_err(cannot)?;
                sync_folder(&removed);
                held
            }
        };
        self.count += 1;
        let to = held.path().join(self.count.to_string());
        self.folder = Some(held);
        make_folders(&to).map_err(cannot)?;
        Ok(to)
    }
}

fn take(home: &Path, song: &Path, to: &Path) -> Result<Option<TrashedFolder>> {
    let cannot = |error| Problem::remove(song, error);
    let Some((parent, name)) = song.parent().zip(song.file_name()) else { return Ok(None) };
    check_inside(home, parent)?;
    let aside = TrashedFolder { was: song.to_owned(), folder: to.join(name) };
    // The player and the waveforms close the song's files at about this time.
    match file_moves::rename(song, &aside.folder) {
        Ok(()) => Ok(Some(aside)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(cannot(e)),
    }
}

impl TrashedFolder {
    /// Moves the folder back to its original path. If the song was imported again in the meantime,
    /// the new stores stay and the removed ones are deleted.
    ///
    /// # Errors
    /// [`Problem::File`].
    pub fn put_back(self) -> Result<()> {
        if self.was.exists() {
            return self.remove();
        }
        let cannot = |error| Problem::file(FileAction::Restore, &self.was, error);
        file_moves::rename(&self.folder, &self.was).map_err(cannot)?;
        sync_folder(self.was.parent().unwrap_or(Path::new(".")));
        Ok(())
    }

    /// Deletes the folder permanently. A symbolic link in it is removed, not followed.
    ///
    /// # Errors
    /// [`Problem::File`].
    pub fn remove(self) -> Result<()> {
        match file_moves::remove_folder(&self.folder) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(Problem::remove(&self.folder, source))
            }
            _ => Ok(()),
        }
    }
}

/// Checks that a folder lies inside the data folder, because links may lead to files of others.
///
/// # Errors
/// [`Problem::OutsideHome`] if `folder` lies outside the data folder.
pub fn check_inside(home: &Path, folder: &Path) -> Result<()> {
    if let (Ok(home), Ok(real)) = (home.canonicalize(), folder.canonicalize())
        && !real.starts_with(&home)
    {
        return Err(Problem::OutsideHome { folder: folder.to_owned(), target: real });
    }
    Ok(())
}

/// Settles removals of programs that have ended: a removal that the library did not record is
/// rolled back. `is_known` returns whether the library has the song of a folder.
pub fn settle(home: &Path, is_known: impl Fn(&Path) -> bool) {
    let removed = home.join(FOLDER);
    if check_inside(home, &removed).is_err() {
        return;
    }
    for held in abandoned_in(&removed) {
        for place in folders_in(&held) {
            for folder in folders_in(&place) {
                let was = home.join("songs").join(folder.file_name().unwrap_or_default());
                if is_known(&was)
                    && let Err(e) = (TrashedFolder { was, folder }).put_back()
                {
                    tracing::warn!("{e}");
                    return; // the next start retries
                }
            }
        }
    }
    sweep(&removed);
}

fn folders_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let folders = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    folders.map(|entry| entry.path()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn song(home: &Path) -> PathBuf {
        let song = home.join("songs/aa");
        fs::create_dir_all(&song).unwrap();
        fs::write(song.join("mix.f32"), "samples").unwrap();
        song
    }

    fn take_one(holder: &mut TrashBin, home: &Path, song: &Path) -> TrashedFolder {
        let (mut asides, errors) = holder.take(home, &[song.to_owned()]);
        assert!(errors.is_empty(), "{errors:?}");
        asides.remove(0)
    }

    /// Simulates a killed program: the lock ends, the folder stays. The contents are moved away
    /// meanwhile; Windows would not move the folder itself with its open lock.
    fn kill(holder: TrashBin, home: &Path) {
        let held = holder.folder.as_ref().unwrap().path().to_owned();
        let kept = home.join("kept");
        fs::create_dir(&kept).unwrap();
        for place in folders_in(&held) {
            fs::rename(&place, kept.join(place.file_name().unwrap())).unwrap();
        }
        drop(holder);
        fs::rename(&kept, &held).unwrap();
        fs::write(held.join("lock"), "").unwrap();
    }

    #[test]
    fn removals_are_settled_by_the_library_after_their_program_ended() {
        let home = tempfile::tempdir().unwrap();
        let song = song(home.path());
        let mut holder = TrashBin::default();
        take_one(&mut holder, home.path(), &song);
        assert!(!song.exists());
        settle(home.path(), |_| true);
        assert!(!song.exists(), "its program is still running");
        assert!(
            holder.take(home.path(), std::slice::from_ref(&song)).0.is_empty(),
            "missing folders are ignored"
        );
        kill(holder, home.path());
        settle(home.path(), |was| was == song);
        assert!(song.join("mix.f32").exists(), "a song in the library must be restored");
        let mut holder = TrashBin::default();
        take_one(&mut holder, home.path(), &song);
        kill(holder, home.path());
        settle(home.path(), |_| false);
        assert_eq!(fs::read_dir(home.path().join(FOLDER)).unwrap().count(), 0);
        assert!(!song.exists());
    }

    /// On Linux, the folder is moved at once; on Windows, when the file is closed.
    #[test]
    fn moves_a_song_whose_file_is_closed_a_moment_later() {
        let home = tempfile::tempdir().unwrap();
        let folder = song(home.path());
        let open = fs::File::open(folder.join("mix.f32")).unwrap();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(std::time::Duration::from_millis(100));
                drop(open);
            });
            take_one(&mut TrashBin::default(), home.path(), &folder);
        });
        assert!(!folder.exists());
    }

    #[test]
    fn restores_unless_imported_again() {
        let home = tempfile::tempdir().unwrap();
        let folder = song(home.path());
        let mut holder = TrashBin::default();
        take_one(&mut holder, home.path(), &folder).put_back().unwrap();
        assert!(folder.join("mix.f32").exists());
        let aside = take_one(&mut holder, home.path(), &folder);
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("new"), "").unwrap();
        aside.put_back().unwrap();
        assert!(folder.join("new").exists() && !folder.join("mix.f32").exists());
        drop(holder);
        assert_eq!(fs::read_dir(home.path().join(FOLDER)).unwrap().count(), 0);
    }
}
