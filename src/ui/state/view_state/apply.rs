//! Changes of the window's view by the engine's events. Nothing else changes what the engine owns.
//! Main thread.

use std::{path::PathBuf, time::Instant};

use super::{Export, Home, Importing, Notice, OpenSong, Said, Shown, ViewState};
use crate::{
    engine::{
        Event, ExportId, ExportState, Job, JobId, JobState, Song, SongId,
        separation::{estimate::Estimate, options::StemInfo},
    },
    ui::state::catalog::Catalog,
};

impl ViewState {
    /// Applies an event of the engine.
    pub fn apply(&mut self, event: Event) {
        self.apply_at(event, Instant::now());
    }

    /// Applies an event as of a given time, from which the pace of jobs is computed.
    pub fn apply_at(&mut self, event: Event, now: Instant) {
        match event {
            Event::Library { songs, jobs } => self.replace_library(songs, jobs),
            Event::Song(song) => self.upsert_song(song),
            Event::Cover { song, cover } => {
                if let Some(known) = self.songs.get_mut(song.0) {
                    known.cover = Some(cover);
                }
            }
            Event::SongRemoved(id) => self.remove_song(id),
            Event::Importing { path, fraction } => self.update_import(path, fraction),
            Event::Imported { path, .. } => self.importing.retain(|other| other.path != path),
            Event::ImportFailed { path, problem } => {
                self.importing.retain(|other| other.path != path);
                self.say(None, Said::File(path, problem));
            }
            Event::PassedOver { folder, left_out } => {
                self.say(None, Said::LeftOut(folder, left_out));
            }
            Event::ImportEnded => self.importing.clear(),
            Event::Job(job) => self.upsert_job(job, now),
            Event::Queue(jobs) => (self.queue, self.version) = (jobs, self.version + 1),
            Event::JobsCleared(jobs) => self.clear_jobs(&jobs),
            Event::Tracks { job, files } => drop(self.tracks.insert(job, files)),
            Event::Outputs(outputs) => self.outputs = outputs,
            Event::Devices(cards) => self.cards = cards,
            Event::Noted { song, note } => self.say(Some(song), note),
            Event::Missing(songs) => self.missing = songs.into_iter().collect(),
            Event::ReportSaved(path) => self.report = Some(path),
            Event::HomeMeasured { home, all, stems } => {
                self.home = Some(Home { folder: home, all, stems });
            }
            Event::Opened { song, frames, stems } => self.opened(song, frames, stems),
            Event::Peaks { song, lane, first, peaks } => {
                if let Some(open) = self.open_mut(song) {
                    open.write(&lane, first, &peaks);
                }
            }
            Event::Detail { song, lane, first_frame, frames_per_peak, peaks } => {
                if let Some(wave) = self.open_mut(song).and_then(|open| open.wave_mut(&lane)) {
                    wave.write_fine(first_frame, frames_per_peak, &peaks);
                }
            }
            Event::Computing { song, frames } => self.computes(song, frames),
            Event::Segments { song, covered, refined } => {
                if let Some(open) = self.open_mut(song) {
                    (open.covered, open.refined) = (covered, refined);
                }
            }
            Event::Shown { song, options, stems, makers, missing, offers, versions } => {
                if let Some(open) = self.open_mut(song) {
                    let shown = Shown { options, stems, makers, missing, offers, versions };
                    open.shown = Some(shown);
                }
            }
            Event::Models(models) => self.models = models,
            Event::Chains(chains) => {
                self.chains = chains;
                self.find_source_infos();
            }
            Event::ModelTask(name, task) => self.model_task = Some((name, task)),
            Event::Model(state) => {
                self.model = Some(state);
                self.find_source_infos();
            }
            Event::Pace(seconds) => self.expected = Some(seconds),
            Event::JobPace(job, seconds) => drop(self.expected_of.insert(job, seconds)),
            Event::Described { song, fields } => self.described = Some((song, fields)),
            Event::Export { id, state } => self.export(id, state),
            // Handled by the app: the result depends on the pointer or on the user's settings.
            Event::DragReady { .. }
            | Event::Lanes(_)
            | Event::Accepted { .. }
            | Event::Handled(_)
            | Event::Track { .. } => {}
            Event::Waiting { song, problem } => self.say(Some(song), problem),
            Event::Failed { song, problem, .. } => self.say(song, problem),
        }
    }

    /// Finds the tree of the stems that new songs get: a chain's, if it has exactly these stems.
    fn find_source_infos(&mut self) {
        let sources = self.sources();
        let chain = self.chains.iter().find(|chain| chain.stems == sources);
        let info = |name: &String| {
            let parent = chain.and_then(|chain| chain.parent(name));
            let at = parent.and_then(|parent| {
                sources.iter().position(|stem| stem.eq_ignore_ascii_case(parent))
            });
            StemInfo { parent: at, is_heard: at.is_none(), ..StemInfo::default() }
        };
        let infos = sources.iter().map(info).collect();
        self.source_infos = infos;
    }

    fn replace_library(&mut self, songs: Vec<Song>, jobs: Vec<Job>) {
        self.library_known = true;
        self.version += 1;
        let songs = songs.into_iter().map(|song| {
            // The engine sends the library without covers; known covers are kept to avoid flicker.
            let known = self.songs.get(song.id.0).and_then(|known| known.cover.clone());
            Song { cover: song.cover.clone().or(known), ..song }
        });
        self.songs = Catalog::of_newest_first(songs.collect());
        self.jobs = Catalog::of_newest_first(jobs);
        self.index_jobs();
        let jobs = &self.jobs;
        self.paces.retain(|id, _| jobs.get(id.0).is_some());
        self.tracks.retain(|id, _| jobs.get(id.0).is_some());
        if let Some(open) = &self.open
            && self.song(open.id).is_none()
        {
            self.open = None;
        }
    }

    fn upsert_song(&mut self, song: Song) {
        self.version += 1;
        self.importing.retain(|other| other.path != song.path);
        // A change of state need not carry the cover again.
        let known = self.songs.get(song.id.0).and_then(|known| known.cover.clone());
        self.songs.put(Song { cover: song.cover.clone().or(known), ..song });
    }

    /// Indexes the newest job of each song.
    fn index_jobs(&mut self) {
        let oldest_first = self.jobs.newest_first().rev();
        self.job_of = oldest_first.map(|job| (job.song, job.id)).collect();
    }

    fn clear_jobs(&mut self, cleared: &[JobId]) {
        self.version += 1;
        self.jobs.retain(|job| !cleared.contains(&job.id));
        self.tracks.retain(|id, _| !cleared.contains(id));
        self.index_jobs();
    }

    fn remove_song(&mut self, id: SongId) {
        self.version += 1;
        self.songs.retain(|song| song.id != id);
        self.jobs.retain(|job| job.song != id);
        self.index_jobs();
        self.notices.retain(|notice| notice.song != Some(id));
        if self.open.as_ref().is_some_and(|open| open.id == id) {
            self.open = None;
        }
    }

    fn update_import(&mut self, path: PathBuf, fraction: f32) {
        match self.importing.iter_mut().find(|other| other.path == path) {
            Some(known) => known.fraction = fraction,
            None => self.importing.push(Importing { path, fraction }),
        }
    }

    fn upsert_job(&mut self, job: Job, now: Instant) {
        if self.song(job.song).is_none() {
            // A late event about a removed song.
            return;
        }
        if job.state == JobState::Running {
            let done = job.segments_done;
            let expected = self.expected_of.get(&job.id).copied().or(self.expected);
            let begin = Estimate::new(expected, done, now);
            let pace = self.paces.entry(job.id).or_insert(begin);
            // The pace of a draft does not predict the pace of later segments.
            if job.drafts_left > 0
                || self.jobs.get(job.id.0).is_some_and(|known| known.drafts_left > 0)
            {
                *pace = begin;
            }
            pace.advance(done, now);
        } else {
            self.paces.remove(&job.id);
            self.expected_of.remove(&job.id);
        }
        if self.job(job.id).is_none_or(|known| known.state != job.state) {
            self.version += 1;
        }
        let newest = self.job_of.entry(job.song).or_insert(job.id);
        *newest = job.id.max(*newest);
        self.jobs.put(job);
    }

    fn opened(&mut self, id: SongId, frames: u64, stems: Vec<String>) {
        let computing = self.computing.filter(|(song, _)| *song == id).map(|(_, frames)| frames);
        self.open = Some(OpenSong { computing, ..OpenSong::new(id, frames, stems) });
    }

    fn open_mut(&mut self, song: SongId) -> Option<&mut OpenSong> {
        self.open.as_mut().filter(|open| open.id == song)
    }

    fn computes(&mut self, song: SongId, frames: Option<(u64, u64)>) {
        self.computing = frames.map(|frames| (song, frames));
        if let Some(open) = self.open_mut(song) {
            open.computing = frames;
        }
    }

    fn export(&mut self, id: ExportId, state: ExportState) {
        if state == ExportState::Cancelled {
            self.exports.retain(|export| export.id != id);
            return;
        }
        match self.exports.iter_mut().find(|export| export.id == id) {
            Some(known) => known.state = state,
            None => self.exports.push(Export { id, state }),
        }
    }

    /// Adds a notice about a song or about the library.
    pub fn say(&mut self, song: Option<SongId>, said: impl Into<Said>) {
        self.next_notice += 1;
        self.notices.push(Notice { id: self.next_notice, song, said: said.into() });
    }
}
