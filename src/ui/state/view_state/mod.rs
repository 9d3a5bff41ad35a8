//! The window's view of the engine's state: library, jobs, the open song, the model, exports.
//!
//! Only [`ViewState::apply`] changes this state; the panels read it. [`super::ui_state`] has the
//! state that the user controls (ticks, faders, dialogs). Main thread.

mod apply;
mod notice;
mod open_song;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    path::{Path, PathBuf},
    time::Instant,
};

use super::catalog::Catalog;
use crate::{
    engine::{
        ChainEntry, ExportId, ExportState, Job, JobId, JobState, ModelEntry, ModelState, ModelTask,
        Problem, Song, SongId, SongState,
        export::Fields,
        player::Output,
        separation::{chain::MissingStems, estimate::Estimate, options::StemInfo},
        system::atomic_file::base_name,
    },
    i18n::fl,
    model::device::Card,
    ui::{
        state::instruments::{Instruments, display_order},
        words,
    },
};

pub use notice::{Notice, Said};
pub use open_song::{OpenSong, Shown};

/// A file that is being imported.
#[derive(Clone, Debug, PartialEq)]
pub struct Importing {
    /// The file.
    pub path: PathBuf,
    /// The progress, 0 to 1.
    pub fraction: f32,
}

/// A running or ended export.
#[derive(Clone, Debug, PartialEq)]
pub struct Export {
    /// The export's id.
    pub id: ExportId,
    /// The export's state.
    pub state: ExportState,
}

/// Progress of an active job.
#[derive(Clone, Debug, PartialEq)]
pub struct Progress {
    /// The job's key.
    pub job: JobId,
    /// The progress, 0 to 1.
    pub fraction: f64,
    /// Number of jobs ahead in the queue, for a waiting job.
    pub waiting_behind: Option<usize>,
    /// Expected seconds left, once the pace is known from this job or an earlier one.
    pub seconds_left: Option<f64>,
    /// Seconds of audio separated in one second.
    pub times_real_time: Option<f64>,
}

/// A stem that no installed model can make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Missing<'a> {
    /// The name of the stem.
    pub name: &'a str,
    /// The stem that it is a part of.
    pub whole: Option<&'a str>,
    /// The stems that the missing model makes.
    pub makes: &'a [String],
}

impl Missing<'_> {
    /// Whether the stem belongs to the branch of `whole`; `None` is the song.
    pub fn is_in(&self, whole: Option<&str>) -> bool {
        match (self.whole, whole) {
            (None, None) => true,
            (Some(own), Some(whole)) => own.eq_ignore_ascii_case(whole),
            _ => false,
        }
    }
}

/// The cost of separating a song.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Need {
    /// Expected seconds on this machine, if the pace is known.
    pub seconds: Option<f64>,
    /// Required disk space in bytes.
    pub bytes: u64,
}

/// The data folder and its sizes in bytes.
#[derive(Clone, Debug, PartialEq)]
pub struct Home {
    /// The path.
    pub folder: PathBuf,
    /// The size of the whole folder.
    pub all: u64,
    /// The size of the stems, which can be computed again.
    pub stems: u64,
}

/// The engine's state as known from its events.
#[derive(Debug, Default)]
pub struct ViewState {
    songs: Catalog<Song>,
    jobs: Catalog<Job>,
    /// The newest job of each song.
    job_of: HashMap<SongId, JobId>,
    /// Waiting jobs, the next one first.
    queue: Vec<JobId>,
    /// Result files of jobs, as far as requested.
    tracks: HashMap<JobId, Vec<PathBuf>>,
    /// Songs whose original files no longer exist at their paths.
    missing: HashSet<SongId>,
    /// The available audio devices.
    outputs: Vec<Output>,
    cards: Vec<Card>,
    /// The data folder and its sizes.
    home: Option<Home>,
    report: Option<PathBuf>,
    /// Incremented by every change of listed songs and jobs, except for progress.
    version: u64,
    importing: Vec<Importing>,
    open: Option<OpenSong>,
    model: Option<ModelState>,
    models: Vec<ModelEntry>,
    chains: Vec<ChainEntry>,
    /// The tree of the installed model's stems, or of those of the chain in its place.
    source_infos: Vec<StemInfo>,
    /// The current or last operation on a model's weights.
    model_task: Option<(Option<String>, ModelTask)>,
    exports: Vec<Export>,
    /// The naming fields of the last described song.
    described: Option<(SongId, Fields)>,
    notices: Vec<Notice>,
    library_known: bool,
    paces: BTreeMap<JobId, Estimate>,
    /// The segment that is being computed, of any song, in frames.
    computing: Option<(SongId, (u64, u64))>,
    /// Expected seconds for a segment of the default model.
    expected: Option<f64>,
    /// Expected seconds for a segment, of jobs that start.
    expected_of: BTreeMap<JobId, f64>,
    next_notice: u64,
    terms: String,
}

impl ViewState {
    /// Creates an empty state; `terms` are the terms of the model's weights, shown before
    /// installation.
    pub fn new(terms: impl Into<String>) -> Self {
        Self { terms: terms.into(), ..Self::default() }
    }

    /// Every song, newest first.
    pub fn songs(&self) -> impl ExactSizeIterator<Item = &Song> {
        self.songs.newest_first()
    }

    /// A song by its key.
    pub fn song(&self, id: SongId) -> Option<&Song> {
        self.songs.get(id.0)
    }

    /// A number that changes with the listed songs and jobs, except for their progress.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Every job, newest first.
    pub fn jobs(&self) -> impl ExactSizeIterator<Item = &Job> {
        self.jobs.newest_first()
    }

    /// A job by its key.
    pub fn job(&self, id: JobId) -> Option<&Job> {
        self.jobs.get(id.0)
    }

    /// Waiting jobs, the next one first.
    pub fn queue(&self) -> &[JobId] {
        &self.queue
    }

    /// A job's result files, once written.
    pub fn tracks(&self, job: JobId) -> &[PathBuf] {
        self.tracks.get(&job).map_or(&[], Vec::as_slice)
    }

    /// The data folder and its sizes; `None` until the engine has measured them.
    pub fn home(&self) -> Option<&Home> {
        self.home.as_ref()
    }

    /// The files being imported.
    pub fn importing(&self) -> &[Importing] {
        &self.importing
    }

    /// The song that is loaded in the player.
    pub fn open(&self) -> Option<&OpenSong> {
        self.open.as_ref()
    }

    /// The model's state; `None` until the engine has sent it.
    pub fn model(&self) -> Option<&ModelState> {
        self.model.as_ref()
    }

    /// The known chains; empty until the engine has listed them.
    pub fn chains(&self) -> &[ChainEntry] {
        &self.chains
    }

    /// Whether a chain of the user cannot have this name.
    pub fn is_taken(&self, name: &str) -> bool {
        self.models.iter().any(|model| model.name == name)
            || self.chains.iter().any(|chain| chain.name == name && !chain.is_own)
    }

    /// The known models; empty until the engine has listed them.
    pub fn models(&self) -> &[ModelEntry] {
        &self.models
    }

    /// The current or last operation on a model's weights, with the model's name.
    pub fn model_task(&self) -> Option<(Option<&str>, &ModelTask)> {
        self.model_task.as_ref().map(|(name, task)| (name.as_deref(), task))
    }

    /// Running exports, and ended ones that were not dismissed.
    pub fn exports(&self) -> &[Export] {
        &self.exports
    }

    /// The naming fields of a song; from the library until the engine has sent them.
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

    /// The notices that were not dismissed, oldest first.
    pub fn notices(&self) -> &[Notice] {
        &self.notices
    }

    /// Whether the engine has sent the library.
    pub fn library_known(&self) -> bool {
        self.library_known
    }

    /// The terms of the model's weights.
    pub fn terms(&self) -> &str {
        &self.terms
    }

    /// The available stems of a song, in the model's order.
    pub fn stems(&self, song: SongId) -> &[String] {
        match &self.open {
            Some(open) if open.id == song && !open.stems.is_empty() => &open.stems,
            _ => self.sources(),
        }
    }

    /// The available stems of a song as a tree.
    pub fn instruments(&self, song: SongId) -> Instruments<'_> {
        match &self.open {
            Some(open) if open.id == song && !open.stems.is_empty() => open.instruments(),
            _ => Instruments::new(self.sources(), &self.source_infos),
        }
    }

    /// Stems of a song's chain that cannot be made with the installed models.
    pub fn missing_stems(&self, song: SongId) -> Vec<Missing<'_>> {
        let open = self.open.as_ref().filter(|open| open.id == song);
        let Some(shown) = open.and_then(|open| open.shown.as_ref()) else { return Vec::new() };
        let chain = self.chains.iter().find(|chain| chain.name == shown.options.model);
        let mut stems = Vec::new();
        for MissingStems { stems: names, makes } in &shown.missing {
            for name in names {
                let whole = chain.and_then(|chain| chain.parent(name));
                stems.push(Missing { name, whole, makes });
            }
        }
        stems
    }

    /// Whether a song's stems add up to the song, so that the residual is empty.
    pub fn has_rest(&self, song: SongId) -> bool {
        let open = self.open.as_ref().filter(|open| open.id == song);
        open.and_then(|open| open.shown.as_ref()).is_some_and(Shown::has_rest)
    }

    /// The stems of the installed model, in its order.
    pub fn sources(&self) -> &[String] {
        match &self.model {
            Some(ModelState::Ready { sources, .. }) => sources,
            _ => &[],
        }
    }

    /// Minimum memory of the installed model, in bytes.
    pub fn least_memory(&self) -> Option<u64> {
        match &self.model {
            Some(ModelState::Ready { least_memory, .. }) => Some(*least_memory),
            _ => None,
        }
    }

    /// The path of the last saved bug report.
    pub fn report(&self) -> Option<&Path> {
        self.report.as_deref()
    }

    /// The available audio devices; empty until the engine has listed them.
    pub fn outputs(&self) -> &[Output] {
        &self.outputs
    }

    /// The graphics cards that can compute networks.
    pub fn cards(&self) -> &[Card] {
        &self.cards
    }

    /// The warning about a song, as text.
    pub fn warning(&self, song: &Song) -> Option<String> {
        if self.is_missing(song.id) {
            return Some(fl!(library_gone, path = &song.path.display().to_string()));
        }
        words::notes(&song.warning)
    }

    /// Whether a song's original file no longer exists at its path.
    pub fn is_missing(&self, song: SongId) -> bool {
        self.missing.contains(&song)
    }

    /// The stems that a job was asked for, in display order; those of the song if the job names none.
    pub fn requested(&self, job: &Job) -> Vec<String> {
        let stems = if job.stems.is_empty() { self.stems(job.song) } else { &job.stems };
        display_order(stems).into_iter().map(|index| stems[index].clone()).collect()
    }

    /// The waiting or running job of a song.
    pub fn active_job(&self, song: SongId) -> Option<&Job> {
        self.last_job(song).filter(|job| job.is_active())
    }

    /// The newest job of a song.
    pub fn last_job(&self, song: SongId) -> Option<&Job> {
        self.job(*self.job_of.get(&song)?)
    }

    /// The problem of a song's latest job, if the job failed.
    pub fn failure(&self, song: SongId) -> Option<&Problem> {
        match &self.last_job(song)?.state {
            JobState::Failed(problem) => Some(problem),
            _ => None,
        }
    }

    /// Whether every stem of a song is final.
    pub fn is_separated(&self, song: SongId) -> bool {
        self.song(song).is_some_and(|song| song.state == SongState::Separated)
    }

    /// Whether these stems of a song are final; a bag may have only some of its stems.
    pub fn has_all_of(&self, song: SongId, stems: &[String]) -> bool {
        let open = self.open.as_ref().filter(|open| open.id == song);
        let shown = open.and_then(|open| Some((open, open.shown.as_ref()?)));
        match shown {
            Some((open, shown)) if self.is_separated(song) => {
                let infos = open.stems.iter().zip(&shown.stems);
                infos.filter(|(stem, _)| stems.contains(stem)).all(|(_, info)| info.missing == 0)
            }
            _ => self.is_separated(song),
        }
    }

    /// Numbers of running and of waiting jobs.
    pub fn job_counts(&self) -> (usize, usize) {
        let count = |state: JobState| self.jobs().filter(|job| job.state == state).count();
        (count(JobState::Running), count(JobState::Waiting))
    }

    /// The progress of a song's job at `now`.
    pub fn progress(&self, song: SongId, now: Instant) -> Option<Progress> {
        let job = self.active_job(song)?;
        let waiting_behind = (job.state == JobState::Waiting).then(|| self.num_before(job.id));
        let pace = self.paces.get(&job.id);
        let segments = job.segments_total + job.drafts_left;
        let seconds_left = pace.and_then(|pace| pace.seconds_left(segments, now));
        let song_secs = self.song(song).map_or(0.0, Song::seconds);
        let times_real_time = pace
            .and_then(Estimate::seconds_per_segment)
            .filter(|_| job.segments_total > 0 && song_secs > 0.0)
            .map(|secs| song_secs / job.segments_total as f64 / secs);
        let (job, fraction) = (job.id, job.fraction());
        Some(Progress { job, fraction, waiting_behind, seconds_left, times_real_time })
    }

    /// The cost of separating these stems of a song or the rest of them; `None` until the cost is known,
    /// and when nothing is left to compute.
    pub fn need(&self, song: SongId, stems: &[String]) -> Option<Need> {
        self.open.as_ref().filter(|open| open.id == song)?.need(stems)
    }

    /// Number of jobs ahead of this one.
    pub fn num_before(&self, job: JobId) -> usize {
        let is_running = self.jobs().any(|job| job.state == JobState::Running);
        let place = self.queue.iter().position(|id| *id == job).unwrap_or(0);
        place + usize::from(is_running)
    }

    /// Dismisses a notice.
    pub fn dismiss(&mut self, notice: u64) {
        self.notices.retain(|other| other.id != notice);
    }

    /// Dismisses an ended export.
    pub fn dismiss_export(&mut self, id: ExportId) {
        self.exports
            .retain(|export| export.id != id || matches!(export.state, ExportState::Running(_)));
    }
}
