//! Separation without a library: from a file to a folder of files, for batches and scripts.
//!
//! Runs on the caller's thread, the network on a pool of its own. The stores are temporary and lie
//! beside the results, or in a folder where a later call goes on with them.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
    sync::{Mutex, OnceLock, PoisonError},
    time::Instant,
};

use serde::{Deserialize, Serialize};

use super::{
    estimate::Estimate,
    installed::{DEFAULT, InstalledModel},
    loaded_model::{LoadedModel, Work},
    memory,
    options::Quality,
    pool,
    run::Step,
    scheduler::Listener,
    verdict::Verdict,
};
use crate::{
    engine::{
        audio::decode::track_choice,
        export::{self, ExportItem, Exported, Fields, Origin, Place, Selection, Settings, Stems},
        library::{Library, import::decode_to_store},
        note::{Note, Notes},
        problem::{Activity, Advice, Problem, Result},
        store::{MixStore, StemStore, track::SongTrack},
        system::{
            atomic_file::{WorkFolder, check_room, make_folders, sweep, write_atomically},
            panics::caught,
        },
        types::{AudioFormat, CancelToken, Compute},
    },
    model::{CHANNELS, Precision, rate::Rates},
    os::Os,
};

/// A model, how thoroughly it separates, and the threads it runs on.
pub struct Batch {
    model: InstalledModel,
    loaded_model: Mutex<LoadedModel>,
    quality: Quality,
    compute: Compute,
    home: PathBuf,
    /// Seconds of a segment by the speed of this machine's products, once that was measured.
    measured: OnceLock<Option<f64>>,
}

/// The identity of a batch's samples: stems of another identity are other stems.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The model's catalogue name.
    pub model: String,
    /// The first digits of its weights' digest, as in names of stem folders.
    pub weights: String,
    /// [`Quality::suffix`].
    pub quality: String,
    /// The precision of its products.
    pub precision: Precision,
}

/// For receipts: `htdemucs-0123456789abcdef-o25 single`.
impl fmt::Display for Identity {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { model, weights, quality, precision } = self;
        write!(to, "{model}-{weights}-{quality} {}", precision.id())
    }
}

/// A step of a file's separation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BatchStep {
    /// The song is decoded.
    Reading,
    /// Segments are computed.
    Separating,
    /// The files are written.
    Writing,
}

/// English, for progress bars.
impl fmt::Display for BatchStep {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(match self {
            Self::Reading => "reading",
            Self::Separating => "separating",
            Self::Writing => "writing",
        })
    }
}

/// How far a file is.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// The step.
    pub step: BatchStep,
    /// How much of it, 0 to 1.
    pub fraction: f64,
    /// Seconds until it is done, where that is known.
    pub seconds_left: Option<f64>,
    /// While it separates: segments that are done, and all.
    pub segments: Option<(usize, usize)>,
    /// Once, before the first segment: what the separation takes.
    pub verdict: Option<Verdict>,
    /// Once, where the work of a killed run was found and removed.
    pub was_abandoned: bool,
}

impl Progress {
    fn quick(step: BatchStep, fraction: f32) -> Self {
        Self {
            step,
            fraction: f64::from(fraction),
            seconds_left: None,
            segments: None,
            verdict: None,
            was_abandoned: false,
        }
    }
}

/// What is wanted of one file.
#[derive(Clone, Debug)]
pub struct Request {
    /// The song.
    pub file: PathBuf,
    /// The audio track of the file, from 1; the default one where it is `None`.
    pub track: Option<usize>,
    /// What `{file}` stands for in names.
    pub called: String,
    /// What is written.
    pub selection: Selection,
    /// Where it goes; folders are made.
    pub place: Place,
    /// How it is written.
    pub settings: Settings,
}

/// What became of one file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Separated {
    /// What was written.
    pub exported: Exported,
    /// Length in frames, at the model's rate; 0 where nothing had to be done.
    pub frames: u64,
    /// Its segments, and how many of them were computed by this call.
    pub segments: (usize, usize),
    /// Oddities of the source.
    pub warning: Notes,
}

/// What was found out when a song was decoded; kept beside its mix.
#[derive(Debug, Serialize, Deserialize)]
struct Heard {
    format: AudioFormat,
    frames: u64,
    #[serde(default)]
    warning: Notes,
    /// The track that was taken, where the file has several.
    #[serde(default)]
    taken: Notes,
}

/// What [`Heard`] is kept in.
const HEARD: &str = "song.json";

impl Batch {
    /// A batch; its networks are loaded when they are needed. If there is a library in `home`, the
    /// estimates of time start from what it knows, and it is told how long segments took.
    ///
    /// # Errors
    /// Those of the pool.
    pub fn new(
        model: InstalledModel,
        quality: Quality,
        compute: Compute,
        home: &Path,
    ) -> Result<Self> {
        let loaded_model = Mutex::new(LoadedModel::new(model.clone(), compute, 0)?);
        let (quality, home) = (quality.within(&model.spec), home.to_owned());
        Ok(Self { model, loaded_model, quality, compute, home, measured: OnceLock::new() })
    }

    /// The model's stems.
    pub fn stems(&self) -> Vec<String> {
        self.model.stems()
    }

    /// Separates one file.
    ///
    /// # Errors
    /// [`Problem::Exists`] before the work; those of the file, the disk and the network;
    /// nothing is then left in the folder.
    pub fn separate(
        &self,
        request: &Request,
        cancel: &CancelToken,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Separated> {
        let (origin, items) = self.items(request)?;
        let items = request.settings.on_exists.settle(&items)?;
        if items.is_empty() {
            let notes = Note::AllExist.into();
            return Ok(Separated {
                exported: Exported { notes, ..Exported::default() },
                ..Separated::default()
            });
        }
        let folder = &request.place.folder;
        let made = missing_folders(folder);
        // A bug ends this file, not the batch.
        let work = || {
            let cannot_make = |error| Problem::create(folder, error);
            make_folders(folder).map_err(cannot_make)?;
            if sweep(folder) {
                progress(Progress {
                    was_abandoned: true,
                    ..Progress::quick(BatchStep::Reading, 0.0)
                });
            }
            let work = WorkFolder::make_in(folder).map_err(cannot_make)?;
            self.separate_at(request, origin, &items, work.path(), cancel, progress)
        };
        let result = caught(Activity::Separating, work);
        if result.is_err() {
            // Folders that hold something stay: only empty ones can be removed so.
            for folder in made {
                drop(fs::remove_dir(folder));
            }
        }
        result
    }

    /// As [`Self::separate`], but with its stores in `work`, which stays: a later call with the same
    /// file and options goes on where this one ended, however it ended. Nobody else may use `work`.
    ///
    /// # Errors
    /// As [`Self::separate`].
    pub fn separate_in(
        &self,
        request: &Request,
        work: &Path,
        cancel: &CancelToken,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Separated> {
        let (origin, items) = self.items(request)?;
        let items = request.settings.on_exists.settle(&items)?;
        caught(Activity::Separating, || {
            self.separate_at(request, origin, &items, work, cancel, progress)
        })
    }

    /// The identity of the samples that this batch computes.
    pub fn identity(&self) -> Identity {
        Identity {
            model: self.model.name.clone(),
            weights: self.model.short_digest().to_owned(),
            quality: self.quality.suffix(),
            precision: self.compute.precision,
        }
    }

    /// Threads that separate.
    pub fn threads(&self) -> usize {
        self.loaded_model.lock().unwrap_or_else(PoisonError::into_inner).threads()
    }

    /// The files that a request asks for, whether they are there or not.
    ///
    /// # Errors
    /// [`Problem::UnknownStem`] for a stem that the model does not have.
    pub fn files(&self, request: &Request) -> Result<Vec<PathBuf>> {
        Ok(self.items(request)?.1.into_iter().map(|item| item.to).collect())
    }

    fn items(&self, request: &Request) -> Result<(Origin, Vec<ExportItem>)> {
        let Request { file, track, called, selection, place, settings } = request;
        let origin = Origin::of_file(file, *track, &self.model.name);
        let fields = Fields { file: called.clone(), ..origin.fields() };
        let names = self.stems();
        let stems = Stems { names: &names, has_rest: self.model.spec.rest.is_some() };
        let items = selection.items(stems, settings.format, place, fields)?;
        Ok((origin, items))
    }

    fn separate_at(
        &self,
        request: &Request,
        mut origin: Origin,
        items: &[ExportItem],
        work: &Path,
        cancel: &CancelToken,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Separated> {
        let mut reading = |fraction| progress(Progress::quick(BatchStep::Reading, fraction));
        let (heard, mix) = heard_in(request, work, cancel, &mut reading)?;
        origin.format = heard.format;
        let wanted = export::stems_in(items);
        let stems = self.model.open_stems(&work.join("stems"), &mix, self.quality)?;
        check_room(work, stems.missing_bytes(&wanted), work, Advice::OtherFolder)?;
        let before = stems.done_count_of(&wanted);
        progress(Progress {
            verdict: Some(self.verdict(&mix, &stems, &wanted)),
            ..Progress::quick(BatchStep::Separating, 0.0)
        });
        self.separate_mix(&mix, &stems, &wanted, cancel, progress)?;
        let all = stems.plan().len();
        let segments = (all, all - before);
        let track = SongTrack { mix: mix.into(), stems: Some(stems.into()), draft: None };
        let mut writing = |fraction| progress(Progress::quick(BatchStep::Writing, fraction));
        let settings = &request.settings;
        let mut exported = export::export(&track, &origin, items, settings, &mut writing, cancel)?;
        exported.notes.0.extend(heard.taken.0);
        Ok(Separated { exported, frames: heard.frames, segments, warning: heard.warning })
    }

    /// Seconds that a segment of one network takes here, from earlier songs; of a model that has not
    /// run here yet, from its work and the default model's pace.
    fn expected_pace(&self) -> Option<f64> {
        let known = |name: &str| Library::pace_in(&self.home, name).ok().flatten();
        let by_work = || {
            let default = InstalledModel::find(&self.home, DEFAULT).ok().flatten()?;
            let name = default.pace_name(Quality::default(), self.compute.precision);
            Some(known(&name)? * default.spec.work_of(&self.model.spec)?)
        };
        // A model's own name is that of its pace, but for drafts.
        let Compute { precision, .. } = self.compute;
        let own = known(&self.model.pace_name(self.quality, precision));
        let other = || known(&self.model.pace_name(Quality::default(), precision));
        own.or_else(other)
            .or_else(by_work)
            .or_else(|| *self.measured.get_or_init(|| self.measure()))
    }

    /// Seconds that a segment should take by its work and the speed of this machine's products.
    fn measure(&self) -> Option<f64> {
        let precision = self.compute.precision;
        let precision = if self.quality.is_draft && pool::has_fast_precision() {
            Precision::Fast
        } else {
            precision
        };
        let loaded_model = self.loaded_model.lock().unwrap_or_else(PoisonError::into_inner);
        loaded_model.install(|| Rates::measure(precision)).seconds(&self.model.spec)
    }

    /// What it takes to make the stems that are missing.
    fn verdict(&self, mix: &MixStore, stems: &StemStore, wanted: &[usize]) -> Verdict {
        let networks = self.model.networks_for(wanted);
        let runs = (stems.plan().len() - stems.done_count_of(wanted)) * networks.len();
        let memories = networks.iter().map(|&index| self.model.networks[index].memory);
        let all = memory::sum(memories).in_precision(self.compute.precision);
        Verdict {
            seconds: self.expected_pace().map(|seconds| seconds * runs as f64),
            memory: memory::need(all, self.threads()),
            disk: mix.frames() * (CHANNELS * size_of::<f32>()) as u64 + stems.missing_bytes(wanted),
        }
    }

    /// Computes every segment, and notes how long they took.
    fn separate_mix(
        &self,
        mix: &MixStore,
        stems: &StemStore,
        wanted: &[usize],
        cancel: &CancelToken,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<()> {
        let name = self.model.pace_name(self.quality, self.compute.precision);
        let networks = self.model.networks_for(wanted).len();
        let (segments, parts) = (stems.plan().len(), stems.missing(wanted));
        let (start, before) = (Instant::now(), stems.done_count_of(wanted));
        let pace = self.expected_pace();
        let runs = ((segments - before) * networks) as f64;
        let expected = pace.map(|seconds| seconds * runs / parts.max(1) as f64);
        let mut estimate = Estimate::new(expected, 0, start);
        let mut show = |done| {
            let now = Instant::now();
            estimate.advance(done, now);
            progress(Progress {
                step: BatchStep::Separating,
                fraction: (segments * done + before * (parts - done)) as f64
                    / (segments * parts).max(1) as f64,
                seconds_left: estimate.seconds_left(parts, now),
                segments: Some((stems.done_count_of(wanted), segments)),
                verdict: None,
                was_abandoned: false,
            });
        };
        show(0);
        let work = Work { mix, stems, wanted, is_draft: self.quality.is_draft, pace };
        let mut on_step = |step| {
            if let Step::Stored(_) = step {
                show(parts - stems.missing(wanted));
            }
        };
        let mut loaded_model = self.loaded_model.lock().unwrap_or_else(PoisonError::into_inner);
        loaded_model.separate(&work, &Listener::default, cancel, &mut on_step)?;
        let (seconds, made) = (start.elapsed().as_secs_f64(), (segments - before) * networks);
        if let Err(e) = Library::add_to_pace_in(&self.home, &name, made, seconds) {
            tracing::warn!("the pace is not noted: {e}");
        }
        Ok(())
    }
}

/// The song's mix in `work`: as an earlier try left it there, or decoded.
fn heard_in(
    request: &Request,
    work: &Path,
    cancel: &CancelToken,
    progress: &mut dyn FnMut(f32),
) -> Result<(Heard, MixStore)> {
    let path = work.join(HEARD);
    // Written after the mix, so that neither counts without the other.
    let kept = fs::read(&path).ok().and_then(|text| serde_json::from_slice(&text).ok());
    if let Some(heard) = kept
        && let Ok(mix) = MixStore::open(work)
    {
        return Ok((heard, mix));
    }
    let (decoded, mix) = decode_to_store(&request.file, request.track, work, cancel, progress)?;
    let taken = track_choice::taken(&decoded.tracks, decoded.track).map(Notes::from);
    let taken = taken.unwrap_or_default();
    let (format, frames, warning) = (decoded.format, decoded.frames, decoded.warning);
    let heard = Heard { format, frames, warning, taken };
    let text = serde_json::to_vec(&heard).map_err(|e| Problem::write(&path, Os::other(e)))?;
    write_atomically(&path, &text)?;
    Ok((heard, mix))
}

/// The folders of `path` that would have to be made for it, the innermost first.
fn missing_folders(path: &Path) -> Vec<PathBuf> {
    path.ancestors()
        .take_while(|folder| !folder.as_os_str().is_empty() && !folder.exists())
        .map(Path::to_owned)
        .collect()
}
