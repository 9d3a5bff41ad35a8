//! Separation without a library, from a file to a folder of files, for batches and scripts.
//!
//! Runs on the calling thread, with a separate pool for the network. The stores are temporary and
//! lie next to the results, or in a folder from which a later call can resume.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Instant,
};

use serde::{Deserialize, Serialize};

use super::{
    device::Devices,
    estimate::{Estimate, Needs},
    installed::{DEFAULT, InstalledModel},
    loaded_model::{LoadedModel, Work},
    memory,
    options::Quality,
    pool,
    run::Step,
    scheduler::Listener,
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
    model::{CHANNELS, Device, Precision, rate::Rates},
    os::Os,
};

/// A model with its quality and its threads.
pub struct Batch {
    model: InstalledModel,
    loaded_model: Mutex<LoadedModel>,
    quality: Quality,
    compute: Compute,
    devices: Arc<Devices>,
    home: PathBuf,
    /// Seconds of a segment by the speed of this machine's products, once that was measured.
    measured: OnceLock<Option<f64>>,
}

/// Identity of a batch's samples: different identities mean different stems.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Catalogue name of the model.
    pub model: String,
    /// First digits of the weights' digest, as in the names of stem folders.
    pub weights: String,
    /// Quality as text, from [`Quality::suffix`].
    pub quality: String,
    /// Precision of the matrix products.
    pub precision: Precision,
}

/// Text for receipts: `htdemucs-0123456789abcdef-o25 single`.
impl fmt::Display for Identity {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { model, weights, quality, precision } = self;
        write!(to, "{model}-{weights}-{quality} {}", precision.id())
    }
}

/// Phase of a file's separation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BatchStep {
    /// Decoding the song.
    Reading,
    /// Computing segments.
    Separating,
    /// Writing the files.
    Writing,
}

/// English text for progress bars.
impl fmt::Display for BatchStep {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(match self {
            Self::Reading => "reading",
            Self::Separating => "separating",
            Self::Writing => "writing",
        })
    }
}

/// Progress of a file.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Current phase.
    pub step: BatchStep,
    /// Completed fraction of the phase, 0 to 1.
    pub fraction: f64,
    /// Seconds until the phase ends, if known.
    pub seconds_left: Option<f64>,
    /// During separation: number of completed segments, and of all segments.
    pub segments: Option<(usize, usize)>,
    /// Once, before the first segment: the needs of the separation.
    pub needs: Option<Needs>,
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
            needs: None,
            was_abandoned: false,
        }
    }
}

/// Request to separate one file.
#[derive(Clone, Debug)]
pub struct Request {
    /// Path of the song.
    pub file: PathBuf,
    /// Audio track of the file, from 1; `None` is the default track.
    pub track: Option<usize>,
    /// Value of `{file}` in names.
    pub called: String,
    /// Files to write.
    pub selection: Selection,
    /// Destination; missing folders are created.
    pub place: Place,
    /// Format settings.
    pub settings: Settings,
}

/// Result for one file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Separated {
    /// Files that were written.
    pub exported: Exported,
    /// Length in frames at the model's rate; 0 if there was nothing to do.
    pub frames: u64,
    /// Number of segments, and number of those computed by this call.
    pub segments: (usize, usize),
    /// Notes about the source.
    pub warning: Notes,
}

/// Facts from decoding a song, stored next to its mix.
#[derive(Debug, Serialize, Deserialize)]
struct Heard {
    format: AudioFormat,
    frames: u64,
    #[serde(default)]
    warning: Notes,
    /// Note about the chosen track, if the file has several.
    #[serde(default)]
    taken: Notes,
}

/// File name for [`Heard`].
const HEARD: &str = "song.json";

impl Batch {
    /// Creates a batch, which loads its networks on demand. If `home` has a library, it provides
    /// the time estimates and receives the measured times.
    ///
    /// # Errors
    /// Fails with the errors of [`LoadedModel::new`].
    pub fn new(
        model: InstalledModel,
        quality: Quality,
        compute: Compute,
        home: &Path,
    ) -> Result<Self> {
        Self::on(Devices::new(home), model, quality, compute, home)
    }

    /// Creates a batch on given devices.
    pub(super) fn on(
        devices: Arc<Devices>,
        model: InstalledModel,
        quality: Quality,
        compute: Compute,
        home: &Path,
    ) -> Result<Self> {
        let loaded_model = LoadedModel::new(model.clone(), compute, 0, Arc::clone(&devices))?;
        let (loaded_model, measured) = (Mutex::new(loaded_model), OnceLock::new());
        let (quality, home) = (quality.within(&model.spec), home.to_owned());
        Ok(Self { model, loaded_model, quality, compute, devices, home, measured })
    }

    /// Name of a model's pace on its device.
    fn pace_name(&self, model: &InstalledModel, quality: Quality) -> String {
        let device = self.devices.of_model(self.compute, model);
        model.pace_name(quality, self.compute.precision, device)
    }

    /// Stems of the model.
    pub fn stems(&self) -> Vec<String> {
        self.model.stems()
    }

    /// Separates one file.
    ///
    /// # Errors
    /// [`Problem::Exists`] before any work; otherwise errors of the file, the disk and the network.
    /// Nothing is then left in the folder.
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
        // A panic ends this file, not the batch.
        let work = || {
            let cannot_make = |error| Problem::output(folder, error);
            make_folders(folder).map_err(cannot_make)?;
            if sweep(folder) {
                progress(Progress {
                    was_abandoned: true,
                    ..Progress::quick(BatchStep::Reading, 0.0)
                });
            }
            let work = WorkFolder::make_in(folder).map_err(cannot_make)?;
            self.separate_at(request, origin, &items, work.path(), cancel, progress)
                .map_err(|problem| problem.outside(work.path(), folder))
        };
        let result = caught(Activity::Separating, work);
        if result.is_err() {
            // `remove_dir` only removes empty folders; others stay.
            for folder in made {
                drop(fs::remove_dir(folder));
            }
        }
        result
    }

    /// Separates one file with its stores in `work`, which is kept. A later call with the same file
    /// and options resumes from it, even after a crash. No other process may use `work`.
    ///
    /// # Errors
    /// Fails with the errors of [`Self::separate`].
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
                .map_err(|problem| problem.outside(work, work))
        })
    }

    /// Identity of the samples that this batch computes.
    pub fn identity(&self) -> Identity {
        Identity {
            model: self.model.name.clone(),
            weights: self.model.short_digest().to_owned(),
            quality: self.quality.suffix(),
            precision: self.compute.precision,
        }
    }

    /// Number of threads for separation.
    pub fn threads(&self) -> usize {
        self.loaded_model.lock().unwrap_or_else(PoisonError::into_inner).threads()
    }

    /// Files that a request produces, whether they exist or not.
    ///
    /// # Errors
    /// [`Problem::UnknownStem`] for a stem that the model lacks.
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
            needs: Some(self.needs(&mix, &stems, &wanted)),
            ..Progress::quick(BatchStep::Separating, 0.0)
        });
        let notes = self.separate_mix(&mix, &stems, &wanted, cancel, progress)?;
        let all = stems.plan().len();
        let segments = (all, all - before);
        let track = SongTrack { mix: mix.into(), stems: Some(stems.into()), draft: None };
        let mut writing = |fraction| progress(Progress::quick(BatchStep::Writing, fraction));
        let settings = &request.settings;
        let mut exported = export::export(&track, &origin, items, settings, &mut writing, cancel)?;
        exported.notes.0.extend(heard.taken.0.into_iter().chain(notes));
        Ok(Separated { exported, frames: heard.frames, segments, warning: heard.warning })
    }

    /// Expected seconds per segment of one network, from earlier songs. For a model without
    /// measurements, scaled from the default model's pace by the amount of work.
    fn expected_pace(&self) -> Option<f64> {
        let known = |name: &str| Library::pace_in(&self.home, name).ok().flatten();
        let by_work = || {
            let default = InstalledModel::find(&self.home, DEFAULT).ok().flatten()?;
            let name = self.pace_name(&default, Quality::default());
            Some(known(&name)? * default.spec.work_of(&self.model.spec)?)
        };
        let own = known(&self.pace_name(&self.model, self.quality));
        let other = || known(&self.pace_name(&self.model, Quality::default()));
        own.or_else(other)
            .or_else(by_work)
            .or_else(|| *self.measured.get_or_init(|| self.measure()))
    }

    /// Seconds that a segment should take by its work and the speed of this machine's products;
    /// `None` on other devices than the kernels.
    fn measure(&self) -> Option<f64> {
        if self.devices.of_model(self.compute, &self.model) != Device::Cpu {
            return None;
        }
        let precision = pool::precision_for(self.compute.precision, self.quality.is_draft);
        let loaded_model = self.loaded_model.lock().unwrap_or_else(PoisonError::into_inner);
        loaded_model.install(|| Rates::measure(precision)).seconds(&self.model.spec)
    }

    /// The resources that the missing stems need.
    fn needs(&self, mix: &MixStore, stems: &StemStore, wanted: &[usize]) -> Needs {
        let networks = self.model.networks_for(wanted);
        let runs = (stems.plan().len() - stems.done_count_of(wanted)) * networks.len();
        let memories = networks.iter().map(|&index| self.model.networks[index].memory);
        let all = memory::sum(memories).in_precision(self.compute.precision);
        Needs {
            seconds: self.expected_pace().map(|seconds| seconds * runs as f64),
            memory: memory::need(memory::on(self.compute.device, all), self.threads()),
            disk: mix.frames() * (CHANNELS * size_of::<f32>()) as u64 + stems.missing_bytes(wanted),
        }
    }

    /// Computes every segment, and stores the measured pace.
    fn separate_mix(
        &self,
        mix: &MixStore,
        stems: &StemStore,
        wanted: &[usize],
        cancel: &CancelToken,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Vec<Note>> {
        let name = self.pace_name(&self.model, self.quality);
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
                needs: None,
                was_abandoned: false,
            });
        };
        show(0);
        let work = Work { mix, stems, wanted, is_draft: self.quality.is_draft, pace };
        let mut notes = Vec::new();
        let mut on_step = |step| match step {
            Step::Stored(_) => show(parts - stems.missing(wanted)),
            Step::DeviceFailed(failure) => notes.push(failure.into()),
            Step::Begins(_) | Step::Readable(_) => {}
        };
        let mut loaded_model = self.loaded_model.lock().unwrap_or_else(PoisonError::into_inner);
        loaded_model.separate(&work, &Listener::default, cancel, &mut on_step)?;
        let (seconds, made) = (start.elapsed().as_secs_f64(), (segments - before) * networks);
        // Not if a device was measured, or if it failed: parts of the time are of another device.
        if name == self.pace_name(&self.model, self.quality)
            && let Err(e) = Library::add_to_pace_in(&self.home, &name, made, seconds)
        {
            tracing::warn!("could not store the pace: {e}");
        }
        Ok(notes)
    }
}

/// Returns the song's mix in `work`, left by an earlier try or newly decoded.
fn heard_in(
    request: &Request,
    work: &Path,
    cancel: &CancelToken,
    progress: &mut dyn FnMut(f32),
) -> Result<(Heard, MixStore)> {
    let path = work.join(HEARD);
    // This file is written after the mix; neither counts without the other.
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

/// Folders that have to be created for `path`, the innermost first.
fn missing_folders(path: &Path) -> Vec<PathBuf> {
    path.ancestors()
        .take_while(|folder| !folder.as_os_str().is_empty() && !folder.exists())
        .map(Path::to_owned)
        .collect()
}
