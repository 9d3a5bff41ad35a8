//! Removal of songs from the library. A removed song can be restored until the program ends or the
//! disk space is needed; a reset cannot be undone.

use std::path::PathBuf;

use super::Core;
use crate::engine::{
    event::Event,
    library::{
        recovery,
        trash::{Removed, TrashedFolder},
    },
    problem::{Problem, Result},
    types::SongId,
};

impl Core {
    /// Removes a song and its stores from the library.
    pub(super) fn remove(&mut self, id: SongId) -> Result<()> {
        let song = self.library.song(id)?;
        self.end_jobs_of(Some(id))?;
        self.drags.cancel(Some(id));
        self.close(Some(id));
        // The folder is moved before the library's row is deleted. If the program ends in between,
        // the next start restores both.
        let folder = self.library.song_folder(&song.hash);
        let (asides, errors) = self.trash_bin.take(self.library.home(), &[folder]);
        if let Some(error) = errors.into_iter().next() {
            return Err(error);
        }
        let aside = asides.into_iter().next();
        let taken = match self.library.take_out(id) {
            Ok(taken) => taken,
            Err(e) => return self.put_back(aside, e),
        };
        self.sink.send(Event::SongRemoved(id));
        self.removed.push(Removed { taken, aside });
        Ok(())
    }

    /// Moves folders back after the library could not be changed; returns that error.
    fn put_back(
        &self,
        asides: impl IntoIterator<Item = TrashedFolder>,
        error: Problem,
    ) -> Result<()> {
        for aside in asides {
            if let Err(e) = aside.put_back() {
                self.fail(None, &e);
            }
        }
        Err(error)
    }

    /// Restores a song that was removed since the start of the program.
    ///
    /// # Errors
    /// The song was not removed in this run, its disk space was needed, or it could not be written.
    pub(super) fn restore(&mut self, id: SongId) -> Result<()> {
        let Some(at) = self.removed.iter().position(|removed| removed.taken.song == id) else {
            return Err(Problem::NotRestorable);
        };
        // The library first: if the program ends here, the next start moves the folder back.
        let is_back = self.library.put_back(&self.removed[at].taken)?;
        if let Some(aside) = self.removed.remove(at).aside {
            aside.put_back()?;
        }
        if !is_back {
            return Ok(()); // the song was imported again meanwhile
        }
        let song = self.library.song(id)?;
        self.sink.send(Event::Song(self.describe(song)));
        self.watch_sources();
        for job in self.library.jobs()?.into_iter().rev().filter(|job| job.song == id) {
            self.sink.send(Event::Job(job));
        }
        Ok(())
    }

    /// Retries an import that failed on a full disk, if purging the removed songs freed space.
    pub(super) fn import_again(&mut self, path: PathBuf, track: Option<usize>, problem: Problem) {
        if !self.purge_removed() {
            self.sink.send(Event::ImportFailed { path, problem });
        } else if let Err(e) = self.importer.import(vec![path], track) {
            self.fail(None, &e);
        }
    }

    /// Deletes the removed songs permanently. Returns whether there were any folders to delete.
    pub(super) fn purge_removed(&mut self) -> bool {
        let asides: Vec<TrashedFolder> = std::mem::take(&mut self.removed)
            .into_iter()
            .filter_map(|removed| removed.aside)
            .collect();
        let had_folders = !asides.is_empty();
        for aside in asides {
            if let Err(e) = aside.remove() {
                self.fail(None, &e);
            }
        }
        had_folders
    }

    /// Removes all songs and jobs from the library.
    pub(super) fn reset(&mut self) -> Result<()> {
        self.end_jobs_of(None)?;
        self.drags.cancel(None);
        self.close(None);
        let folders = recovery::song_folders(&self.library.songs_folder());
        let (asides, errors) = self.trash_bin.take(self.library.home(), &folders);
        for e in errors {
            self.fail(None, &e);
        }
        if let Err(e) = self.library.clear() {
            return self.put_back(asides, e);
        }
        for aside in asides {
            if let Err(e) = aside.remove() {
                self.fail(None, &e);
            }
        }
        self.purge_removed();
        self.send_library()
    }
}
