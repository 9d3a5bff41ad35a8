//! Songs in the engine: emitting the library, opening songs.

use std::{
    ops::Range,
    path::PathBuf,
    sync::{Arc, atomic::Ordering},
};

use super::{Core, Open};
use crate::engine::{
    event::Event,
    library::{Library, Whereabouts, cover, paths::song_folder},
    problem::{Problem, Result},
    separation::{chain::draft::draft_of, options::SeparationOptions},
    store::{At, track::SongTrack},
    system::threads,
    types::{Analysis, Job, JobState, RequestId, Song, SongId, SongState},
};

impl Core {
    /// Emits the whole library, then the covers that were not emitted before.
    pub(super) fn send_library(&mut self) -> Result<()> {
        self.chosen = self.library.song_options()?;
        let songs: Vec<Song> = self.library.songs()?;
        let songs: Vec<Song> = songs.into_iter().map(|song| self.with_state(song)).collect();
        let is_new = |song: &&Song| song.id > self.newest_cover;
        let new: Vec<_> =
            songs.iter().filter(is_new).map(|song| (song.id, song.hash.clone())).collect();
        self.newest_cover = songs.iter().map(|song| song.id).fold(self.newest_cover, SongId::max);
        self.sink.send(Event::Library { songs, jobs: self.library.jobs()? });
        self.send_covers(new);
        self.watch_sources();
        Ok(())
    }

    /// Watches the users' files of all songs.
    pub(super) fn watch_sources(&self) {
        if let (Some(missing_files), Ok(songs)) = (&self.missing_files, self.library.songs()) {
            missing_files.watch(songs.into_iter().map(|song| (song.id, song.path)).collect());
        }
    }

    /// Emits a song that was imported.
    pub(super) fn show_imported(&mut self, path: PathBuf, song: Song) {
        let id = song.id;
        self.sink.send(Event::Song(self.describe(song)));
        self.sink.send(Event::Imported { path, song: id });
        self.watch_sources();
    }

    /// Emits what another program, such as the command line, has changed in the library. Closes the
    /// song and drops the jobs that were removed.
    pub(super) fn follow_others(&mut self) {
        let Ok(version) = self.library.version() else { return };
        if self.library_version.replace(version).is_none_or(|known| known == version) {
            return;
        }
        if let Some(open) = &self.open
            && self.library.song(open.song).is_err()
        {
            self.close(None);
        }
        self.drop_lost_jobs();
        self.show_pace();
        if let Err(e) = self.send_library() {
            self.fail(None, &e);
        }
    }

    /// Starts the analysis of the next song that has none, unless one is running.
    pub(super) fn analyse_next(&mut self) {
        let (newest, is_busy) = self.analysed;
        if is_busy {
            return;
        }
        match self.library.not_analysed(newest) {
            Ok(Some((song, hash))) => {
                self.analysed = (song, true);
                self.analyst.ask(song, self.library.song_folder(&hash));
            }
            Ok(None) => {}
            Err(e) => self.fail(None, &e),
        }
    }

    /// Stores and emits the analysis of a song, unless the song was removed meanwhile.
    pub(super) fn analysed(&mut self, song: SongId, found: Option<&Analysis>) {
        self.analysed.1 = false;
        if let Some(found) = found {
            if let Err(e) = self.library.set_analysis(song, found) {
                self.fail(Some(song), &e);
            }
            if let Ok(song) = self.library.song(song) {
                self.sink.send(Event::Song(self.describe(song)));
            }
        }
        self.analyse_next();
    }

    /// Checks that the data folder still has its library: it may have been moved or unmounted.
    /// Reports a missing library once, and opens one that has been replaced.
    pub(super) fn watch_library(&mut self) {
        let home = self.library.home().to_owned();
        let was_missed = self.is_missed;
        self.is_missed = self.library.whereabouts() == Whereabouts::Gone;
        if self.is_missed && !was_missed {
            self.fail(None, &Problem::HomeGone { home: home.clone() });
        }
        if self.library.whereabouts() != Whereabouts::Replaced {
            return;
        }
        match Library::open(&home) {
            Ok(library) => {
                self.library = library;
                self.library_version = None;
                self.close(None);
                self.drop_lost_jobs();
                if let Err(e) = self.send_library() {
                    self.fail(None, &e);
                }
            }
            Err(e) => tracing::warn!("{e}"),
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
        match threads::start("covers", work) {
            Ok(thread) => thread.detach(), // safe to interrupt, because it only reads
            Err(e) => tracing::warn!("could not load the covers: {e}"),
        }
    }

    /// The song with its cover and state.
    pub(super) fn describe(&self, song: Song) -> Song {
        let cover = cover::load(&self.library.song_folder(&song.hash)).map(Arc::new);
        Song { cover, ..self.with_state(song) }
    }

    fn with_state(&self, song: Song) -> Song {
        let options = self.options_of(song.id);
        let Some(chain) = self.chain(&options) else { return song };
        let folder = self.library.song_folder(&song.hash);
        let complete = chain.is_complete(&folder, song.frames, options.quality);
        Song { state: if complete { SongState::Separated } else { SongState::Ready }, ..song }
    }

    /// Opens a song and loads it into the player.
    pub(super) fn open(&mut self, id: SongId) -> Result<()> {
        let song = self.library.song(id)?;
        let options = self.options_of(id);
        let track = self.track(&song, &options)?;
        self.player.load(Some(Arc::new(track.as_heard())));
        self.show_open(id, options, track);
        Ok(())
    }

    /// Sends the stores of a song, and the information about its stems.
    pub(super) fn read_song(&self, request: RequestId, id: SongId) -> Result<()> {
        let (song, options) = (self.library.song(id)?, self.options_of(id));
        let track = self.track(&song, &options)?;
        self.emit_shown(id, &options, &track);
        self.sink.send(Event::Track { request, song: id, track: Box::new(track) });
        Ok(())
    }

    fn show_open(&mut self, id: SongId, options: SeparationOptions, track: SongTrack) {
        let stems = track.stems.as_ref().map(|stems| stems.names().to_vec()).unwrap_or_default();
        // The length in the store, not in the library, whose row another program may have changed.
        let frames = track.mix.frames();
        self.sink.send(Event::Opened { song: id, frames, stems });
        let (covered, refined) = (track.covered(), track.refined());
        self.sink.send(Event::Segments { song: id, covered, refined });
        self.emit_shown(id, &options, &track);
        self.waveforms.open(id, track.clone());
        self.prepare_for(&options, &track);
        self.open = Some(Open { song: id, options, track });
        self.listened.store(id.0, Ordering::Relaxed);
    }

    /// Preloads the model if the song is not separated yet, because a separation is likely to follow.
    fn prepare_for(&self, options: &SeparationOptions, track: &SongTrack) {
        let is_wanted = track.stems.as_ref().is_some_and(|stems| !stems.is_complete());
        if let Some(chain) = self.chain(options).filter(|_| is_wanted && self.queue.is_idle()) {
            let is_draft = options.quality.is_draft;
            let (first, is_draft) = if self.defaults.drafts_first && !is_draft {
                (draft_of(chain, &self.chains).0, true)
            } else {
                (Arc::clone(chain), is_draft)
            };
            self.worker.prepare(first, self.compute, is_draft);
        }
    }

    /// Reopens the open song at the play head, because its stems have changed.
    pub(super) fn reopen(&mut self) -> Result<()> {
        let Some(Open { song, track: before, .. }) = self.open.take() else { return Ok(()) };
        let options = self.options_of(song);
        let track = self.track(&self.library.song(song)?, &options)?;
        let names = |track: &SongTrack| track.stems.as_ref().map(|stems| stems.names().to_vec());
        if names(&before).is_some_and(|before| names(&track) == Some(before)) {
            // The player crossfades from one version to the other.
            self.player.exchange(Arc::new(track.as_heard()));
            self.show_open(song, options, track);
            return Ok(());
        }
        let (position, is_playing) = (self.player.position(), self.player.is_playing());
        self.open(song)?;
        self.player.seek(position);
        if is_playing {
            self.player.play();
        }
        Ok(())
    }

    /// Emits all finished stretches of a song, if it is open; another program may have added some.
    pub(super) fn show_stems(&self, song: SongId) {
        self.show_new(song, SongTrack::covered);
    }

    /// Emits a finished segment of the open song's stems or of their draft.
    pub(super) fn show_segment(&self, song: SongId, at: At, is_of_draft: bool) {
        self.show_new(song, |track| {
            let stems = if is_of_draft { &track.draft } else { &track.stems };
            let frames = stems.as_ref().map(|stems| stems.frames_of(at));
            frames.map(|frames| (frames.start, frames.end)).into_iter().collect()
        });
    }

    /// Computes and emits finer peaks of a stretch of the open song.
    pub(super) fn show_detail(&self, song: SongId, frames: Range<u64>, frames_per_peak: usize) {
        if let Some(open) = self.open.as_ref().filter(|open| open.song == song) {
            self.waveforms.detail(song, open.track.clone(), frames, frames_per_peak);
        }
    }

    fn show_new(&self, song: SongId, frames: impl Fn(&SongTrack) -> Vec<(u64, u64)>) {
        let Some(Open { track, .. }) = self.open.as_ref().filter(|open| open.song == song) else {
            return;
        };
        self.player.refresh();
        let (covered, refined) = (track.covered(), track.refined());
        self.sink.send(Event::Segments { song, covered, refined });
        for (start, end) in frames(track) {
            self.waveforms.update(song, track.clone(), start..end);
        }
    }

    /// Closes the open song if it is `song`, or whichever song is open if `song` is `None`. Returns
    /// the closed song.
    pub(super) fn close(&mut self, song: Option<SongId>) -> Option<SongId> {
        let open = self.open.take_if(|open| song.is_none_or(|id| id == open.song))?;
        self.player.load(None);
        self.listened.store(0, Ordering::Relaxed);
        Some(open.song)
    }

    /// Renames a song.
    pub(super) fn rename(&mut self, id: SongId, title: &str) -> Result<()> {
        let song = self.library.rename_song(id, title)?;
        self.library.write_record(&song.hash)?;
        self.sink.send(Event::Song(self.describe(song)));
        Ok(())
    }

    /// Emits a job, and its song, whose state may have changed.
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
pub(super) fn remove_folder(folder: &std::path::Path) -> Result<()> {
    match crate::file_moves::remove_folder(folder) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(Problem::remove(folder, e)),
        _ => Ok(()),
    }
}
