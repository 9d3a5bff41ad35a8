//! The engine's state as known from its events. Pure: the caller passes events and the time.

use std::{
    collections::{BTreeMap, HashMap},
    path::{Path, PathBuf},
    time::Instant,
};

use crate::engine::{
    ChainEntry, Event, ExportId, ExportState, Job, JobId, ModelEntry, ModelState, ModelTask,
    Problem, Song, SongId,
    library::Lanes,
    separation::{
        estimate::Estimate,
        options::{QualityCost, SeparationOptions, StemInfo},
    },
};

/// Something that changed, for the stream of events. It names the thing: its content is rendered when
/// it is sent.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in crate::serve) enum Change {
    Song(SongId),
    SongRemoved(SongId),
    Job(JobId),
    JobRemoved(JobId),
    Queue,
    /// Segments of a song's stems were computed.
    Segments(SongId),
    /// The options of a song's stems.
    Options(SongId),
    Upload(String),
    Export(ExportId),
    /// The mixer settings of a song.
    Mixer(SongId),
    /// A model is installed, or its installation goes on.
    Model(String),
    /// Everything has to be read again.
    All,
}

/// Information about a song's stems.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::serve) struct Shown {
    pub options: SeparationOptions,
    pub stems: Vec<StemInfo>,
    pub offers: Vec<QualityCost>,
}

/// State of the import of a file.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::serve) enum Import {
    /// Fraction that was decoded, 0 to 1.
    Running(f32),
    Done(SongId),
    Failed(Problem),
}

/// The engine's state.
#[derive(Debug, Default)]
pub(in crate::serve) struct State {
    pub songs: BTreeMap<SongId, Song>,
    pub jobs: BTreeMap<JobId, Job>,
    /// Waiting jobs, the next one first.
    pub queue: Vec<JobId>,
    pub lanes: BTreeMap<SongId, Lanes>,
    pub shown: HashMap<SongId, Shown>,
    /// Why the work on songs waits.
    pub obstacles: HashMap<SongId, Problem>,
    pub models: Vec<ModelEntry>,
    /// Increases when a model is installed or removed.
    pub models_version: u64,
    pub chains: Vec<ChainEntry>,
    pub model: Option<ModelState>,
    /// Installations that run, and those that failed, by model.
    pub model_tasks: HashMap<String, ModelTask>,
    pub imports: HashMap<PathBuf, Import>,
    pub exports: HashMap<ExportId, ExportState>,
    /// Number of segments computed since the start.
    pub segments: u64,
    /// Increases with every change.
    pub version: u64,
    pace: Option<f64>,
    paces: HashMap<JobId, f64>,
    estimates: HashMap<JobId, Estimate>,
}

impl State {
    /// Takes an event over. Returns what changed.
    pub fn apply(&mut self, event: Event, now: Instant) -> Vec<Change> {
        let changes = self.changes_of(event, now);
        self.version += u64::from(!changes.is_empty());
        changes
    }

    fn changes_of(&mut self, event: Event, now: Instant) -> Vec<Change> {
        match event {
            Event::Library { songs, jobs } => {
                self.songs = songs.into_iter().map(|song| (song.id, song)).collect();
                self.jobs = jobs.into_iter().map(|job| (job.id, job)).collect();
                self.estimates.retain(|job, _| self.jobs.contains_key(job));
                self.shown.retain(|song, _| self.songs.contains_key(song));
                vec![Change::All]
            }
            Event::Song(mut song) => {
                let id = song.id;
                let cover = self.songs.get(&id).and_then(|song| song.cover.clone());
                song.cover = song.cover.or(cover);
                self.songs.insert(id, song);
                vec![Change::Song(id)]
            }
            Event::Cover { song: id, cover } => {
                let Some(song) = self.songs.get_mut(&id) else { return Vec::new() };
                song.cover = Some(cover);
                vec![Change::Song(id)]
            }
            Event::SongRemoved(id) => {
                self.songs.remove(&id);
                self.jobs.retain(|_, job| job.song != id);
                self.shown.remove(&id);
                self.lanes.remove(&id);
                self.obstacles.remove(&id);
                vec![Change::SongRemoved(id)]
            }
            Event::Job(job) => self.job(job, now),
            Event::JobsCleared(ids) => {
                for id in &ids {
                    self.jobs.remove(id);
                }
                ids.into_iter().map(Change::JobRemoved).collect()
            }
            Event::Queue(queue) => {
                self.queue = queue;
                vec![Change::Queue]
            }
            Event::Shown { song, options, stems, offers, .. } => {
                let shown = Shown { options, stems, offers };
                let before = self.shown.insert(song, shown.clone());
                if before.as_ref() == Some(&shown) {
                    Vec::new()
                } else {
                    vec![Change::Options(song)]
                }
            }
            Event::Models(models) => {
                self.models = models;
                self.models_version += 1;
                vec![Change::All]
            }
            Event::ModelTask(Some(name), task) => {
                if matches!(task, ModelTask::Running { .. } | ModelTask::Failed(_)) {
                    self.model_tasks.insert(name.clone(), task);
                } else {
                    self.model_tasks.remove(&name);
                }
                vec![Change::Model(name)]
            }
            Event::Waiting { song, problem } => {
                self.obstacles.insert(song, problem);
                let jobs = self.jobs.values().filter(|job| job.song == song && !job.is_ended());
                jobs.map(|job| Change::Job(job.id)).collect()
            }
            Event::Export { id, state } => {
                self.exports.insert(id, state);
                vec![Change::Export(id)]
            }
            other => {
                self.keep(other);
                Vec::new()
            }
        }
    }

    /// Takes over facts that no client waits for.
    fn keep(&mut self, event: Event) {
        match event {
            Event::Chains(chains) => self.chains = chains,
            Event::Model(model) => self.model = Some(model),
            Event::Pace(seconds) => self.pace = Some(seconds),
            Event::JobPace(job, seconds) => drop(self.paces.insert(job, seconds)),
            Event::Lanes(all) => self.lanes = all.into_iter().collect(),
            Event::Importing { path, fraction } => self.import(&path, Import::Running(fraction)),
            Event::Imported { path, song } => self.import(&path, Import::Done(song)),
            Event::ImportFailed { path, problem } => self.import(&path, Import::Failed(problem)),
            _ => {}
        }
    }

    /// Keeps the state of imports for which a request waits. Files of later starts have none.
    fn import(&mut self, path: &Path, state: Import) {
        if let Some(import) = self.imports.get_mut(path) {
            *import = state;
        }
    }

    fn job(&mut self, job: Job, now: Instant) -> Vec<Change> {
        let (id, song, done) = (job.id, job.song, job.segments_done);
        let mut changes = vec![Change::Job(id)];
        if job.is_active() {
            let pace = self.paces.get(&id).copied().or(self.pace);
            let estimate =
                self.estimates.entry(id).or_insert_with(|| Estimate::new(pace, done, now));
            estimate.advance(done, now);
        } else {
            self.estimates.remove(&id);
        }
        if job.segments_done > 0 || job.is_ended() {
            self.obstacles.remove(&song);
        }
        let before = self.jobs.insert(id, job);
        let known = before.as_ref().map_or(0, |job| job.segments_done);
        let has_drafted = before.is_some_and(|job| job.drafts_left > self.jobs[&id].drafts_left);
        if known != done || has_drafted {
            self.segments += done.saturating_sub(known) as u64;
            changes.push(Change::Segments(song));
        }
        changes
    }

    /// Seconds until a job is complete, if it runs and its pace is known.
    pub fn seconds_left(&self, job: &Job, now: Instant) -> Option<f64> {
        self.estimates.get(&job.id)?.seconds_left(job.segments_total, now)
    }

    /// The newest job of a song.
    pub fn last_job(&self, song: SongId) -> Option<&Job> {
        self.jobs.values().rev().find(|job| job.song == song)
    }

    /// Position of a job among the waiting ones.
    pub fn place(&self, job: JobId) -> Option<usize> {
        self.queue.iter().position(|waiting| *waiting == job)
    }
}
