//! The window's view of the engine's state: library, jobs, the open song, the model, exports.
//!
//! Only [`ViewState::apply`] changes this state; the panels read it. [`super::ui_state`] has the
//! state that the user controls (ticks, faders, dialogs). Main thread.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    path::{Path, PathBuf},
    time::Instant,
};

use super::catalog::Catalog;
use crate::{
    engine::{
        Event, ExportId, ExportState, Job, JobId, JobState, Lane, ModelEntry, ModelState,
        ModelTask, Problem, Song, SongId, SongState,
        audio::peaks::{FRAMES_PER_PEAK, Peak},
        export::Fields,
        player::Output,
        problem::LeftOut,
        separation::{
            estimate::Estimate,
            options::{QualityCost, SeparationOptions, Version},
        },
        system::atomic_file::base_name,
    },
    i18n::fl,
    model::recognition::Summary,
    ui::{theme::STEM_ORDER, timeline::peaks::Waveform, words},
};

/// The song that is loaded in the player.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenSong {
    /// The song's key.
    pub id: SongId,
    /// The song's length in frames.
    pub frames: u64,
    /// Stem names in the model's order.
    pub stems: Vec<String>,
    /// The waveform of the original.
    pub original: Waveform,
    /// The waveforms of the stems.
    pub waves: Vec<Waveform>,
    /// The waveform of the residual.
    pub residual: Waveform,
    /// Frame ranges that the stems cover, ascending and disjoint.
    pub covered: Vec<(u64, u64)>,
    /// The ranges with final stems; other covered ranges are drafts.
    pub refined: Vec<(u64, u64)>,
    /// The song's separation options and versions, once the engine has sent them.
    pub shown: Option<Shown>,
    /// The frames of the segment that is being computed.
    pub computing: Option<(u64, u64)>,
}

impl OpenSong {
    fn wave_mut(&mut self, lane: &Lane) -> Option<&mut Waveform> {
        match lane {
            Lane::Original => Some(&mut self.original),
            Lane::Stem(stem) => self.waves.get_mut(*stem),
            Lane::Residual => Some(&mut self.residual),
        }
    }

    fn write(&mut self, lane: &Lane, first: usize, peaks: &[Peak]) {
        let bins = self.frames.div_ceil(FRAMES_PER_PEAK as u64) as usize;
        if let Some(wave) = self.wave_mut(lane) {
            wave.write(first, peaks, bins);
        }
    }

    /// The fraction of the song that the stems cover, 0 to 1.
    pub fn covered_fraction(&self) -> f64 {
        self.fraction(&self.covered)
    }

    /// The fraction of the song with final stems, 0 to 1.
    pub fn refined_fraction(&self) -> f64 {
        self.fraction(&self.refined)
    }

    fn fraction(&self, ranges: &[(u64, u64)]) -> f64 {
        let sum: u64 = ranges.iter().map(|(start, end)| end.saturating_sub(*start)).sum();
        if self.frames == 0 { 0.0 } else { (sum as f64 / self.frames as f64).min(1.0) }
    }

    /// The fraction of the full work that these stems need, 0 to 1.
    pub fn part_for(&self, stems: &[String]) -> f64 {
        self.networks_for(stems) as f64 / self.networks_for(&self.stems) as f64
    }

    /// Number of networks that these stems need, at least 1.
    pub fn networks_for(&self, stems: &[String]) -> usize {
        let Some(shown) = &self.shown else { return 1 };
        let makers = self.stems.iter().zip(&shown.makers);
        let needed =
            makers.filter(|(stem, _)| stems.contains(stem)).flat_map(|(_, networks)| networks);
        needed.collect::<HashSet<_>>().len().max(1)
    }
}

/// The options and versions of an open song.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    /// The options of the displayed stems.
    pub recipe: SeparationOptions,
    /// Whether the last stem is the rest of the song; then the residual is empty.
    pub has_rest: bool,
    /// For each stem, the networks that compute it.
    pub makers: Vec<Vec<usize>>,
    /// For each stem, the number of missing segments.
    pub missing: Vec<usize>,
    /// The costs of the available qualities.
    pub offers: Vec<QualityCost>,
    /// The existing versions of the stems.
    pub versions: Vec<Version>,
}

impl Shown {
    /// Expected seconds for a segment with one network at the selected quality.
    fn seconds_each(&self) -> Option<f64> {
        let is_chosen = |offer: &&QualityCost| offer.quality == self.recipe.quality;
        self.offers.iter().find(is_chosen)?.seconds_each
    }
}

/// A file that is being imported.
#[derive(Clone, Debug, PartialEq)]
pub struct Importing {
    /// The file.
    pub path: PathBuf,
    /// The progress, 0 to 1.
    pub fraction: f32,
}

/// A message that can be dismissed.
#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    /// The id for [`ViewState::dismiss`].
    pub id: u64,
    /// The song concerned; `None` for the library.
    pub song: Option<SongId>,
    /// The message.
    pub said: Said,
}

impl Notice {
    /// Whether the message reports a success.
    pub fn is_good(&self) -> bool {
        matches!(self.said, Said::ModelImported(..))
    }

    /// The message in the language of this thread.
    pub fn text(&self) -> String {
        match &self.said {
            Said::Problem(problem) => words::problem(problem),
            Said::File(path, problem) => {
                format!("{}: {}", words::file_name(path), words::problem_of(path, problem))
            }
            Said::LeftOut(folder, numbers) => {
                format!("{}: {}", words::file_name(folder), words::left_out(numbers))
            }
            Said::NotTaken => fl!(notice_not_taken).to_owned(),
            Said::ModelImported(model, Some(summary)) => {
                fl!(notice_model_imported, model = model, what = words::recognised(summary))
            }
            Said::ModelImported(model, None) => fl!(notice_model_imported_bare, model = model),
            Said::Text(text) => text.clone(),
        }
    }
}

/// The content of a [`Notice`].
#[derive(Clone, Debug, PartialEq)]
pub enum Said {
    /// A failure.
    Problem(Problem),
    /// A failure with a file.
    File(PathBuf, Problem),
    /// Files of a folder that an import left out.
    LeftOut(PathBuf, LeftOut),
    /// The program on which files were dropped did not take them.
    NotTaken,
    /// A model was imported under this name, with the facts recognised in its file.
    ModelImported(String, Option<Summary>),
    /// A text of the window, already translated.
    Text(String),
}

impl From<Problem> for Said {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
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
    /// The data folder and its sizes.
    home: Option<Home>,
    report: Option<PathBuf>,
    /// Incremented by every change of listed songs and jobs, except for progress.
    version: u64,
    importing: Vec<Importing>,
    open: Option<OpenSong>,
    model: Option<ModelState>,
    models: Vec<ModelEntry>,
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
    /// Number of segments and bytes still to be computed, for the last reported song.
    need: Option<(SongId, usize, u64)>,
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

    /// Whether a song's stems add up to the song, so that the residual is empty.
    pub fn has_rest(&self, song: SongId) -> bool {
        let open = self.open.as_ref().filter(|open| open.id == song);
        open.and_then(|open| open.shown.as_ref()).is_some_and(|shown| shown.has_rest)
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

    /// Indices of stems in display order.
    pub fn display_order(stems: &[String]) -> Vec<usize> {
        let rank =
            |stem: &String| STEM_ORDER.iter().position(|known| known.eq_ignore_ascii_case(stem));
        let mut order: Vec<usize> = (0..stems.len()).collect();
        order.sort_by_key(|i| (rank(&stems[*i]).unwrap_or(STEM_ORDER.len()), *i));
        order
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
                let missing = open.stems.iter().zip(&shown.missing);
                missing.filter(|(stem, _)| stems.contains(stem)).all(|(_, missing)| *missing == 0)
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

    /// The cost of separating a song or the rest of it; `None` until the cost is known, and when
    /// nothing is left to compute.
    pub fn need(&self, song: SongId) -> Option<Need> {
        let (_, segments, bytes) = self.need.filter(|(reported, ..)| *reported == song)?;
        let shown =
            self.open.as_ref().filter(|open| open.id == song).and_then(|o| o.shown.as_ref());
        let each = shown.map_or(self.expected, Shown::seconds_each);
        let seconds = each.map(|each| each * segments as f64);
        (segments > 0).then_some(Need { seconds, bytes })
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
            Event::Need { song, segments, bytes } => self.need = Some((song, segments, bytes)),
            Event::Computing { song, frames } => self.computes(song, frames),
            Event::Segments { song, covered, refined } => {
                if let Some(open) = self.open_mut(song) {
                    (open.covered, open.refined) = (covered, refined);
                }
            }
            Event::Shown { song, recipe, has_rest, makers, missing, offers, versions } => {
                if let Some(open) = self.open_mut(song) {
                    let shown = Shown { recipe, has_rest, makers, missing, offers, versions };
                    open.shown = Some(shown);
                }
            }
            Event::Models(models) => self.models = models,
            Event::ModelTask(name, task) => self.model_task = Some((name, task)),
            Event::Model(state) => self.model = Some(state),
            Event::Pace(seconds) => self.expected = Some(seconds),
            Event::JobPace(job, seconds) => drop(self.expected_of.insert(job, seconds)),
            Event::Described { song, fields } => self.described = Some((song, fields)),
            Event::Export { id, state } => self.export(id, state),
            // Handled by the app: the result depends on the pointer or on the user's settings.
            Event::DragReady { .. } | Event::Lanes(_) | Event::Accepted { .. } => {}
            Event::Waiting { song, problem } => self.say(Some(song), problem),
            Event::Failed { song, problem, .. } => self.say(song, problem),
        }
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
        let waves = vec![Waveform::default(); stems.len()];
        let (original, residual) = (Waveform::default(), Waveform::default());
        let computing = self.computing.filter(|(song, _)| *song == id).map(|(_, frames)| frames);
        let (covered, refined, shown) = (Vec::new(), Vec::new(), None);
        self.open = Some(OpenSong {
            id,
            frames,
            stems,
            original,
            waves,
            residual,
            covered,
            refined,
            shown,
            computing,
        });
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

#[cfg(test)]
mod tests;
