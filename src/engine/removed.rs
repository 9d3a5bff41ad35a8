//! Removed songs, out of the way but not yet gone: a folder beside that of all songs.
//!
//! A removal is held by the program that made it, by a lock that ends with it, however it ends; so
//! that program can take it back, and what nobody holds is settled at the next start. Whenever a
//! program is killed, each song is there with its stems or not at all. Runs on the engine's thread.

use std::{
    ffi::OsString,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use super::{
    EngineError, Result,
    files::{is_held, make_folders, sync_folder},
    library::Taken,
};

/// The folder of removed songs in the data folder.
const FOLDER: &str = "removed";

/// What the file that is locked is called behind the song's name.
const LOCK: &str = ".lock";

/// The folder of a removed song, held.
#[derive(Debug)]
pub struct Aside {
    /// Where it was.
    was: PathBuf,
    /// Where it is.
    folder: PathBuf,
    lock_path: PathBuf,
    _lock: File,
}

/// A removed song that can come back.
#[derive(Debug)]
pub struct Removed {
    /// Its rows of the library.
    pub taken: Taken,
    /// Its stores; `None` where there were none.
    pub aside: Option<Aside>,
}

impl Aside {
    /// Takes a song's folder out of the way. The folder of all songs has to be synced before the
    /// library forgets the song. `None` where there is no such folder.
    ///
    /// # Errors
    /// [`EngineError::Io`]; [`EngineError::Busy`] when a link has put it outside the data folder.
    pub fn take(home: &Path, folder: &Path) -> Result<Option<Self>> {
        let cannot =
            |source| EngineError::Io { what: "cannot remove", path: folder.to_owned(), source };
        let Some((parent, name)) = folder.parent().zip(folder.file_name()) else {
            return Ok(None);
        };
        check_inside(home, parent)?;
        if folder.symlink_metadata().is_err() {
            return Ok(None);
        }
        let removed = home.join(FOLDER);
        make_folders(&removed).map_err(cannot)?;
        check_inside(home, &removed)?;
        let (lock_path, lock) = hold(&removed, name).map_err(cannot)?;
        let aside = removed.join(name);
        if aside.symlink_metadata().is_ok() {
            fs::remove_dir_all(&aside).map_err(cannot)?;
        }
        fs::rename(folder, &aside).map_err(cannot)?;
        Ok(Some(Self { was: folder.to_owned(), folder: aside, lock_path, _lock: lock }))
    }

    /// Puts the folder back where it was. Where the song came anew meanwhile, its stores are there,
    /// and those that were removed go.
    ///
    /// # Errors
    /// [`EngineError::Io`].
    pub fn put_back(self) -> Result<()> {
        if self.was.exists() {
            return self.remove();
        }
        let cannot =
            |source| EngineError::Io { what: "cannot restore", path: self.was.clone(), source };
        fs::rename(&self.folder, &self.was).map_err(cannot)?;
        sync_folder(self.was.parent().unwrap_or(Path::new(".")));
        self.unlock();
        Ok(())
    }

    /// Removes it for good. A symbolic link in it is removed, not followed.
    ///
    /// # Errors
    /// [`EngineError::Io`].
    pub fn remove(self) -> Result<()> {
        match fs::remove_dir_all(&self.folder) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                let path = self.folder.clone();
                return Err(EngineError::Io { what: "cannot remove", path, source });
            }
            _ => {}
        }
        self.unlock();
        Ok(())
    }

    fn unlock(&self) {
        if let Err(error) = fs::remove_file(&self.lock_path) {
            tracing::debug!("{} is left over: {error}", self.lock_path.display());
        }
    }
}

/// What is reached through a link is not ours.
fn check_inside(home: &Path, folder: &Path) -> Result<()> {
    if let (Ok(home), Ok(real)) = (home.canonicalize(), folder.canonicalize())
        && !real.starts_with(&home)
    {
        return Err(EngineError::Busy(format!(
            "{} is not in the data folder but leads to {}; its files were left alone",
            folder.display(),
            real.display()
        )));
    }
    Ok(())
}

/// The lock of a removed song's folder; an error when another program holds it.
fn hold(removed: &Path, name: &std::ffi::OsStr) -> io::Result<(PathBuf, File)> {
    let mut lock_name = OsString::from(name);
    lock_name.push(LOCK);
    let path = removed.join(lock_name);
    loop {
        let file = File::options().write(true).create(true).truncate(false).open(&path)?;
        match file.try_lock() {
            Err(fs::TryLockError::WouldBlock) => {
                return Err(io::Error::new(
                    io::ErrorKind::ResourceBusy,
                    "another Partita has removed it and may bring it back",
                ));
            }
            _ if is_held(&file, &path) => return Ok((path, file)),
            // Settled by another program just then.
            _ => {}
        }
    }
}

/// Ends removals whose program has ended: before the library knew of one, it did not happen.
/// `is_known` says whether the library has the song whose folder was there.
pub fn settle(home: &Path, is_known: impl Fn(&Path) -> bool) {
    let removed = home.join(FOLDER);
    if check_inside(home, &removed).is_err() {
        return;
    }
    let entries = fs::read_dir(&removed).into_iter().flatten().flatten();
    for entry in entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())) {
        let Ok((lock_path, lock)) = hold(&removed, &entry.file_name()) else { continue };
        let was = home.join("songs").join(entry.file_name());
        let aside = Aside { folder: entry.path(), lock_path, _lock: lock, was };
        let settled = if is_known(&aside.was) { aside.put_back() } else { aside.remove() };
        if let Err(e) = settled {
            tracing::warn!("{}", e.in_words());
        }
    }
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

    #[test]
    fn a_removal_is_settled_by_what_the_library_knows_once_its_program_has_ended() {
        let home = tempfile::tempdir().unwrap();
        let song = song(home.path());
        let aside = Aside::take(home.path(), &song).unwrap().unwrap();
        assert!(!song.exists());
        settle(home.path(), |_| true);
        assert!(!song.exists(), "its program has not ended");
        assert!(Aside::take(home.path(), &song).unwrap().is_none());
        drop(aside);
        settle(home.path(), |was| was == song);
        assert!(song.join("mix.f32").exists(), "the library knows it");
        drop(Aside::take(home.path(), &song).unwrap());
        settle(home.path(), |_| false);
        assert_eq!(fs::read_dir(home.path().join(FOLDER)).unwrap().count(), 0);
        assert!(!song.exists());
    }

    #[test]
    fn what_came_anew_is_not_replaced() {
        let home = tempfile::tempdir().unwrap();
        let folder = song(home.path());
        let aside = Aside::take(home.path(), &folder).unwrap().unwrap();
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("new"), "").unwrap();
        aside.put_back().unwrap();
        assert!(folder.join("new").exists());
        assert_eq!(fs::read_dir(home.path().join(FOLDER)).unwrap().count(), 0);
    }
}
