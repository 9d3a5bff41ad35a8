//! Songs in the engine: showing the library, opening, removing.

use std::{
    path::PathBuf,
    sync::{Arc, atomic::Ordering},
};

use super::{
    super::{
        Event, Job, JobState, Result, Song, SongId, SongState, SongTrack, cover,
        library::song_folder, plan::Plan, store::StemStore, upkeep,
    },
    Core,
};

impl Core {
    /// Tells the whole library; covers that were not told yet follow.
    pub(super) fn send_library(&mut self) -> Result<()> {
        let songs: Vec<Song> = self.library.songs()?;
        let songs: Vec<Song> = songs.into_iter().map(|song| self.with_state(song)).collect();
        let is_new = |song: &&Song| song.id > self.newest_cover;
        let new: Vec<_> =
            songs.iter().filter(is_new).map(|song| (song.id, song.hash.clone())).collect();
        self.newest_cover = songs.iter().map(|song| song.id).fold(self.newest_cover, SongId::max);
        self.sink.send(Event::Library { songs, jobs: self.library.jobs()? });
        self.send_covers(new);
        Ok(())
    }

    /// Tells a song that was imported.
    pub(super) fn show_imported(&self, path: PathBuf, song: Song) {
        let id = song.id;
        self.sink.send(Event::Song(self.describe(song)));
        self.sink.send(Event::Imported { path, song: id });
    }

    /// Shows what another program, such as the command line, has changed in the library; ends what
    /// it has taken away.
    pub(super) fn follow_others(&mut self) {
        let Ok(version) = self.library.version() else { return };
        if self.library_version.replace(version).is_none_or(|known| known == version) {
            return;
        }
        if let Some((open, _)) = &self.open
            && self.library.song(*open).is_err()
        {
            self.close(None);
        }
        self.drop_lost_jobs();
        self.show_pace();
        if let Err(e) = self.send_library() {
            self.fail(None, &e);
        }
    }

    fn send_covers(&self, songs: Vec<(SongId, String)>) {
        let (sink, folder) = (self.sink.clone(), self.library.songs_folder());
        let work = move || {
            for (song, hash) in songs {
                if let Some(cover) = cover::load(&song_folder(&folder, &hash)) {
                    sink.send(Event::Cover { song, cover: Arc::new(cover) });
                }
            }
        };
        if let Err(e) = std::thread::Builder::new().name("covers".into()).spawn(work) {
            tracing::warn!("covers are not shown: {e}");
        }
    }

    /// A song with its cover and state.
    pub(super) fn describe(&self, song: Song) -> Song {
        let cover = cover::load(&self.library.song_folder(&song.hash)).map(Arc::new);
        Song { cover, ..self.with_state(song) }
    }

    fn with_state(&self, song: Song) -> Song {
        let Some(model) = &self.model else { return song };
        let folder = model.stem_folder(&self.library.song_folder(&song.hash));
        let plan: Plan = model.plan(song.frames);
        let complete = StemStore::is_complete_in(&folder, &plan);
        Song { state: if complete { SongState::Separated } else { SongState::Ready }, ..song }
    }

    /// Shows and plays a song.
    pub(super) fn open(&mut self, id: SongId) -> Result<()> {
        let song = self.library.song(id)?;
        let track = self.track(&song)?;
        self.player.load(Some(Arc::new(track.clone())));
        let stems = track.stems.as_ref().map(|stems| stems.sources().to_vec()).unwrap_or_default();
        // The store's word: a row of the library may say anything.
        let frames = track.mix.frames();
        self.sink.send(Event::Opened { song: id, frames, stems });
        self.sink.send(Event::Segments { song: id, covered: track.covered() });
        self.waveforms.open(id, track.clone());
        self.open = Some((id, track));
        self.listened.store(id.0, Ordering::Relaxed);
        Ok(())
    }

    /// Shows the open song anew, where it was: it has other stems than before.
    pub(super) fn reopen(&mut self) -> Result<()> {
        let Some((song, _)) = self.open.take() else { return Ok(()) };
        let (position, is_playing) = (self.player.position(), self.player.is_playing());
        self.open(song)?;
        self.player.seek(position);
        if is_playing {
            self.player.play();
        }
        Ok(())
    }

    /// Tells the window all stems of a song, if it is open; another program may have made some.
    pub(super) fn show_stems(&self, song: SongId) {
        self.show_new(song, SongTrack::covered);
    }

    /// Tells the window that a segment of the open song is there.
    pub(super) fn show_segment(&self, song: SongId, segment: usize) {
        self.show_new(song, |track| {
            let frames = track.stems.as_ref().map(|stems| stems.plan().segment(segment));
            frames.map(|frames| (frames.start, frames.end)).into_iter().collect()
        });
    }

    fn show_new(&self, song: SongId, frames: impl Fn(&SongTrack) -> Vec<(u64, u64)>) {
        let Some((_, track)) = self.open.as_ref().filter(|(open, _)| *open == song) else { return };
        self.player.refresh();
        self.sink.send(Event::Segments { song, covered: track.covered() });
        for (start, end) in frames(track) {
            self.waveforms.update(song, track.clone(), start..end);
        }
    }

    /// Takes a song out of the library, with its stores.
    pub(super) fn remove(&mut self, id: SongId) -> Result<()> {
        let song = self.library.song(id)?;
        self.end_jobs_of(Some(id))?;
        self.drags.cancel(Some(id));
        self.close(Some(id));
        let folder = self.library.song_folder(&song.hash);
        let aside = upkeep::set_aside(self.library.home(), &folder);
        self.library.remove_song(id)?;
        self.sink.send(Event::SongRemoved(id));
        aside?.as_deref().map_or(Ok(()), remove_folder)
    }

    /// Takes everything out of the library.
    pub(super) fn reset(&mut self) -> Result<()> {
        self.end_jobs_of(None)?;
        self.drags.cancel(None);
        self.close(None);
        // First out of the way, then out of the library, then off the disk: whenever it ends, each
        // song is there with its stems or not at all.
        let (home, mut aside) = (self.library.home(), Vec::new());
        for folder in upkeep::song_folders(&self.library.songs_folder()) {
            aside.push(upkeep::set_aside(home, &folder));
        }
        self.library.clear()?;
        for folder in aside {
            let removed = folder.and_then(|f| f.as_deref().map_or(Ok(()), remove_folder));
            if let Err(e) = removed {
                self.fail(None, &e);
            }
        }
        self.send_library()
    }

    fn close(&mut self, song: Option<SongId>) {
        if self.open.as_ref().is_some_and(|(open, _)| song.is_none_or(|id| id == *open)) {
            self.player.load(None);
            self.open = None;
            self.listened.store(0, Ordering::Relaxed);
        }
    }

    /// Tells a job, and the song whose state it may have changed.
    pub(super) fn show_job(&self, job: &Job) {
        self.sink.send(Event::Job(job.clone()));
        if job.state == JobState::Done
            && let Ok(song) = self.library.song(job.song)
        {
            self.sink.send(Event::Song(self.describe(song)));
        }
    }
}

/// Removes a folder inside the data folder. A symbolic link is removed, not followed.
fn remove_folder(folder: &std::path::Path) -> Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(super::super::EngineError::Io {
            what: "cannot remove",
            path: folder.to_owned(),
            source: e,
        }),
        _ => Ok(()),
    }
}
