//! Songs taken out of the library. A removal can be taken back until the program ends, or its room is
//! needed; a reset cannot.

use super::{
    super::{
        EngineError, Event, Result, SongId,
        files::sync_folder,
        removed::{Aside, Removed},
        upkeep,
    },
    Core,
};

impl Core {
    /// Takes a song out of the library, with its stores.
    pub(super) fn remove(&mut self, id: SongId) -> Result<()> {
        let song = self.library.song(id)?;
        self.end_jobs_of(Some(id))?;
        self.drags.cancel(Some(id));
        self.close(Some(id));
        // First out of the way, then out of the library: whenever it ends, the song is there with
        // its stems or not at all.
        let aside = Aside::take(self.library.home(), &self.library.song_folder(&song.hash))?;
        sync_folder(&self.library.songs_folder());
        let taken = self.library.take_out(id)?;
        self.sink.send(Event::SongRemoved(id));
        self.removed.push(Removed { taken, aside });
        Ok(())
    }

    /// Brings back a song that was removed since the start.
    pub(super) fn restore(&mut self, id: SongId) -> Result<()> {
        let Some(at) = self.removed.iter().position(|removed| removed.taken.song == id) else {
            return Err(EngineError::Unknown(
                "this song cannot be brought back any more: its room was needed; add its file again"
                    .into(),
            ));
        };
        let Removed { taken, aside } = self.removed.remove(at);
        // The library first: if the program ends here, the next start puts the folder back.
        let is_back = self.library.put_back(&taken)?;
        if let Some(aside) = aside {
            aside.put_back()?;
        }
        if !is_back {
            return Ok(()); // it was added again meanwhile
        }
        let song = self.library.song(id)?;
        self.sink.send(Event::Song(self.describe(song)));
        self.watch_sources();
        for job in self.library.jobs()?.into_iter().rev().filter(|job| job.song == id) {
            self.sink.send(Event::Job(job));
        }
        Ok(())
    }

    /// Removes for good what was removed; says whether there was anything.
    pub(super) fn purge_removed(&mut self) -> bool {
        let asides: Vec<Aside> =
            std::mem::take(&mut self.removed).into_iter().filter_map(|it| it.aside).collect();
        let had_any = !asides.is_empty();
        for aside in asides {
            if let Err(e) = aside.remove() {
                self.fail(None, &e);
            }
        }
        had_any
    }

    /// Takes everything out of the library.
    pub(super) fn reset(&mut self) -> Result<()> {
        self.end_jobs_of(None)?;
        self.drags.cancel(None);
        self.close(None);
        let (home, mut asides) = (self.library.home().to_owned(), Vec::new());
        for folder in upkeep::song_folders(&self.library.songs_folder()) {
            match Aside::take(&home, &folder) {
                Ok(aside) => asides.extend(aside),
                Err(e) => self.fail(None, &e),
            }
        }
        sync_folder(&self.library.songs_folder());
        self.library.clear()?;
        for aside in asides {
            if let Err(e) = aside.remove() {
                self.fail(None, &e);
            }
        }
        self.purge_removed();
        self.send_library()
    }
}
