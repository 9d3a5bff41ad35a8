//! What the window knows of the engine: library, jobs, the open song, the model, exports.
//!
//! [`ViewState::apply`] is the only writer of it; the window reads. What the user has set in the
//! window (ticks, faders, dialogs) is in [`super::desk`]. Main thread.

use std::{collections::BTreeMap, path::PathBuf, time::Instant};

use crate::engine::{
    Event, ExportId, ExportState, Job, JobId, JobState, Lane, ModelState, Song, SongId, SongState,
    estimate::Estimate,
    export::Fields,
    files::base_name,
    peaks::{FRAMES_PER_PEAK, Peak},
};

use super::{theme::STEM_ORDER, words};

/// A waveform as far as it is known. Bins that have not come are silent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Waveform {
    /// One bin for [`FRAMES_PER_PEAK`] frames.
    pub peaks: Vec<Peak>,
    /// Grows with every change, so that a drawing can be kept.
    pub version: u64,
}

impl Waveform {
    fn write(&mut self, first: usize, peaks: &[Peak], bins: usize) {
        let end = first.saturating_add(peaks.len()).min(bins);
        if first >= end {
            return;
        }
        if self.peaks.len() < end {
            self.peaks.resize(end, Peak::default());
        }
        self.peaks[first..end].copy_from_slice(&peaks[..end - first]);
        self.version += 1;
    }
}

/// The song that the player holds.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenSong {
    /// Which.
    pub id: SongId,
    /// Its length.
    pub frames: u64,
    /// Stem names in the model's order.
    pub stems: Vec<String>,
    /// The song as it came.
    pub original: Waveform,
    /// One for each stem.
    pub waves: Vec<Waveform>,
    /// Frame ranges that the stems cover, ascending and disjoint.
    pub covered: Vec<(u64, u64)>,
}

impl OpenSong {
    /// The part of the song that its stems cover, 0 to 1.
    pub fn covered_fraction(&self) -> f64 {
        let covered: u64 = self.covered.iter().map(|(start, end)| end.saturating_sub(*start)).sum();
        if self.frames == 0 { 0.0 } else { (covered as f64 / self.frames as f64).min(1.0) }
    }
}

/// A file that is being read.
#[derive(Clone, Debug, PartialEq)]
pub struct Importing {
    /// The file.
    pub path: PathBuf,
    /// 0 to 1.
    pub fraction: f32,
}

/// Something that was said and can be waved away.
#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    /// For [`ViewState::dismiss`].
    pub id: u64,
    /// The song it is about; the library's when there is none.
    pub song: Option<SongId>,
    /// What happened, to which file, what to do.
    pub text: String,
}

/// An export, running or ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Export {
    /// Which.
    pub id: ExportId,
    /// Where it stands.
    pub state: ExportState,
}

/// How a running job is doing.
#[derive(Clone, Debug, PartialEq)]
pub struct Progress {
    /// Which job.
    pub job: JobId,
    /// 0 to 1.
    pub fraction: f64,
    /// How many are before it in the queue, when it waits.
    pub waiting_behind: Option<usize>,
    /// Seconds left, once segments have shown the pace, in this job or before.
    pub seconds_left: Option<f64>,
    /// Seconds of song in a second of work.
    pub times_real_time: Option<f64>,
}

/// What the engine has told.
#[derive(Debug, Default)]
pub struct ViewState {
    songs: Vec<Song>,
    jobs: Vec<Job>,
    importing: Vec<Importing>,
    open: Option<OpenSong>,
    model: Option<ModelState>,
    exports: Vec<Export>,
    /// What files can be named by: of the song that was asked about last.
    described: Option<(SongId, Fields)>,
    notices: Vec<Notice>,
    library_known: bool,
    paces: BTreeMap<JobId, Estimate>,
    /// Seconds that a segment is expected to take.
    expected: Option<f64>,
    next_notice: u64,
    terms: String,
}

impl ViewState {
    /// Knows nothing but the terms of the model's weights, shown before they are installed.
    pub fn new(terms: impl Into<String>) -> Self {
        Self { terms: terms.into(), ..Self::default() }
    }

    /// Every song, newest first.
    pub fn songs(&self) -> &[Song] {
        &self.songs
    }

    /// A song by its key.
    pub fn song(&self, id: SongId) -> Option<&Song> {
        self.songs.iter().find(|song| song.id == id)
    }

    /// Every job, newest first.
    pub fn jobs(&self) -> &[Job] {
        &self.jobs
    }

    /// Files that are being read.
    pub fn importing(&self) -> &[Importing] {
        &self.importing
    }

    /// The song that the player holds.
    pub fn open(&self) -> Option<&OpenSong> {
        self.open.as_ref()
    }

    /// The model's state; `None` until the engine has told.
    pub fn model(&self) -> Option<&ModelState> {
        self.model.as_ref()
    }

    /// Exports that run or have ended and were not waved away.
    pub fn exports(&self) -> &[Export] {
        &self.exports
    }

    /// What files of a song can be named by; until the engine has told, what the library knows.
    pub fn fields(&self, id: SongId) -> Fields {
        match (&self.described, self.song(id)) {
            (Some((song, fields)), _) if *song == id => fields.clone(),
            (_, Some(song)) => Fields {
                artist: song.artist.clone().unwrap_or_default(),
                title: song.title.clone(),
                album: song.album.clone().unwrap_or_default(),
                file: base_name(&song.path),
                ..Fields::default()
            },
            _ => Fields::default(),
        }
    }

    /// What was said and not waved away, oldest first.
    pub fn notices(&self) -> &[Notice] {
        &self.notices
    }

    /// Whether the library has been told at all.
    pub fn library_known(&self) -> bool {
        self.library_known
    }

    /// The terms of the model's weights.
    pub fn terms(&self) -> &str {
        &self.terms
    }

    /// The stems that can be had of a song, in the model's order.
    pub fn stems(&self, song: SongId) -> &[String] {
        match (&self.open, &self.model) {
            (Some(open), _) if open.id == song && !open.stems.is_empty() => &open.stems,
            (_, Some(ModelState::Ready { sources })) => sources,
            _ => &[],
        }
    }

    /// Places of stems in the order in which they are shown.
    pub fn display_order(stems: &[String]) -> Vec<usize> {
        let rank = |stem: &String| STEM_ORDER.iter().position(|known| known == stem);
        let mut order: Vec<usize> = (0..stems.len()).collect();
        order.sort_by_key(|i| (rank(&stems[*i]).unwrap_or(STEM_ORDER.len()), *i));
        order
    }

    /// The job of a song that waits or runs.
    pub fn active_job(&self, song: SongId) -> Option<&Job> {
        self.jobs.iter().find(|job| job.song == song && job.is_active())
    }

    /// Why a song's latest job failed, if it did.
    pub fn failure(&self, song: SongId) -> Option<&str> {
        match &self.jobs.iter().find(|job| job.song == song)?.state {
            JobState::Failed(reason) => Some(reason),
            _ => None,
        }
    }

    /// Whether every stem of a song is there.
    pub fn is_separated(&self, song: SongId) -> bool {
        self.song(song).is_some_and(|song| song.state == SongState::Separated)
    }

    /// Jobs that run and that wait.
    pub fn job_counts(&self) -> (usize, usize) {
        let count = |state: JobState| self.jobs.iter().filter(|job| job.state == state).count();
        (count(JobState::Running), count(JobState::Waiting))
    }

    /// How a song's job is doing at `now`.
    pub fn progress(&self, song: SongId, now: Instant) -> Option<Progress> {
        let job = self.active_job(song)?;
        let is_before = |other: &&Job| other.is_active() && other.id != job.id && other.id < job.id;
        let waiting_behind =
            (job.state == JobState::Waiting).then(|| self.jobs.iter().filter(is_before).count());
        let pace = self.paces.get(&job.id);
        let seconds_left = pace.and_then(|pace| pace.seconds_left(job.segments_total, now));
        let song_secs = self.song(song).map_or(0.0, Song::seconds);
        let times_real_time = pace
            .and_then(Estimate::seconds_per_segment)
            .filter(|_| job.segments_total > 0 && song_secs > 0.0)
            .map(|secs| song_secs / job.segments_total as f64 / secs);
        let (job, fraction) = (job.id, job.fraction());
        Some(Progress { job, fraction, waiting_behind, seconds_left, times_real_time })
    }

    /// Waves a notice away.
    pub fn dismiss(&mut self, notice: u64) {
        self.notices.retain(|other| other.id != notice);
    }

    /// Waves an ended export away.
    pub fn dismiss_export(&mut self, id: ExportId) {
        self.exports
            .retain(|export| export.id != id || matches!(export.state, ExportState::Running(_)));
    }

    /// Takes in news from the engine.
    pub fn apply(&mut self, event: Event) {
        self.apply_at(event, Instant::now());
    }

    /// As [`Self::apply`], at a given moment; the pace of jobs is taken from it.
    pub fn apply_at(&mut self, event: Event, now: Instant) {
        match event {
            Event::Library { songs, jobs } => self.replace_library(songs, jobs),
            Event::Song(song) => self.upsert_song(song),
            Event::Cover { song, cover } => {
                if let Some(known) = self.songs.iter_mut().find(|known| known.id == song) {
                    known.cover = Some(cover);
                }
            }
            Event::SongRemoved(id) => self.remove_song(id),
            Event::Importing { path, fraction } => self.import_goes_on(path, fraction),
            Event::Imported { path, .. } => self.importing.retain(|other| other.path != path),
            Event::ImportFailed { path, reason } => {
                self.importing.retain(|other| other.path != path);
                self.say(None, format!("{}: {reason}", words::file_name(&path)));
            }
            Event::ImportEnded => self.importing.clear(),
            Event::Job(job) => self.upsert_job(job, now),
            Event::Opened { song, frames, stems } => self.opened(song, frames, stems),
            Event::Peaks { song, lane, first, peaks } => self.peaks(song, &lane, first, &peaks),
            Event::Segments { song, covered } => {
                if let Some(open) = self.open.as_mut().filter(|open| open.id == song) {
                    open.covered = covered;
                }
            }
            Event::Model(state) => self.model = Some(state),
            Event::Pace(seconds) => self.expected = Some(seconds),
            Event::Described { song, fields } => self.described = Some((song, fields)),
            Event::Export { id, state } => self.export(id, state),
            // The app's: what comes of it depends on the pointer.
            Event::DragReady { .. } => {}
            Event::Waiting { song, reason } => self.say(Some(song), reason),
            Event::Failed { song, reason } => self.say(song, reason),
        }
    }

    fn replace_library(&mut self, songs: Vec<Song>, jobs: Vec<Job>) {
        self.library_known = true;
        self.paces.retain(|id, _| jobs.iter().any(|job| job.id == *id));
        let known = std::mem::replace(&mut self.songs, songs);
        for song in &mut self.songs {
            // The library is told without covers; those that are known need not flicker.
            let same = known.iter().find(|known| known.id == song.id);
            song.cover = song.cover.take().or_else(|| same.and_then(|known| known.cover.clone()));
        }
        self.jobs = jobs;
        if let Some(open) = &self.open
            && self.song(open.id).is_none()
        {
            self.open = None;
        }
    }

    fn upsert_song(&mut self, song: Song) {
        self.importing.retain(|other| other.path != song.path);
        match self.songs.iter_mut().find(|other| other.id == song.id) {
            Some(known) => {
                // A change of state need not carry the picture again.
                let cover = song.cover.clone().or_else(|| known.cover.take());
                *known = Song { cover, ..song };
            }
            None => self.songs.insert(0, song),
        }
    }

    fn remove_song(&mut self, id: SongId) {
        self.songs.retain(|song| song.id != id);
        self.jobs.retain(|job| job.song != id);
        self.notices.retain(|notice| notice.song != Some(id));
        if self.open.as_ref().is_some_and(|open| open.id == id) {
            self.open = None;
        }
    }

    fn import_goes_on(&mut self, path: PathBuf, fraction: f32) {
        match self.importing.iter_mut().find(|other| other.path == path) {
            Some(known) => known.fraction = fraction,
            None => self.importing.push(Importing { path, fraction }),
        }
    }

    fn upsert_job(&mut self, job: Job, now: Instant) {
        if self.song(job.song).is_none() {
            // Late news of a song that was removed.
            return;
        }
        if job.state == JobState::Running {
            let done = job.segments_done;
            let begin = Estimate::new(self.expected, done, now);
            self.paces.entry(job.id).or_insert(begin).advance(done, now);
        } else {
            self.paces.remove(&job.id);
        }
        match self.jobs.iter_mut().find(|other| other.id == job.id) {
            Some(known) => *known = job,
            None => self.jobs.insert(0, job),
        }
    }

    fn opened(&mut self, id: SongId, frames: u64, stems: Vec<String>) {
        let waves = vec![Waveform::default(); stems.len()];
        let (original, covered) = (Waveform::default(), Vec::new());
        self.open = Some(OpenSong { id, frames, stems, original, waves, covered });
    }

    fn peaks(&mut self, song: SongId, lane: &Lane, first: usize, peaks: &[Peak]) {
        let Some(open) = self.open.as_mut().filter(|open| open.id == song) else { return };
        let bins = open.frames.div_ceil(FRAMES_PER_PEAK as u64) as usize;
        let wave = match lane {
            Lane::Original => Some(&mut open.original),
            Lane::Stem(stem) => open.waves.get_mut(*stem),
        };
        if let Some(wave) = wave {
            wave.write(first, peaks, bins);
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

    /// Says something that can be waved away, of a song or of the library.
    pub fn say(&mut self, song: Option<SongId>, text: String) {
        self.next_notice += 1;
        self.notices.push(Notice { id: self.next_notice, song, text });
    }
}

#[cfg(test)]
#[path = "state_tests.rs"]
mod tests;
