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
    chain::{Chain, StepNeeds},
    device::Devices,
    estimate::{Estimate, Needs},
    installed::{DEFAULT, InstalledModel},
    loaded_chain::{LoadedChain, Work},
    options::Quality,
    pool,
    run::SegmentEvent,
    scheduler::Listener,
};
use crate::{
    engine::{
        audio::decode::track_choice,
        export::{self, ExportItem, Exported, Fields, Origin, Place, Selection, Settings},
        library::{Library, import::decode_to_store},
        note::{Note, Notes},
        problem::{Activity, Advice, Problem, Result},
        store::{MixStore, StemTree, track::SongTrack},
        system::{
            atomic_file::{WorkFolder, check_room, make_folders, sweep, write_atomically},
            panics::caught,
        },
        types::{AudioFormat, CancelToken, Compute},
    },
    model::{CHANNELS, Device, Precision, rate::Rates},
    os::Os,
};

/// A chain with its quality and its threads.
pub struct Batch {
    chain: Arc<Chain>,
    loaded_chain: Mutex<LoadedChain>,
    quality: Quality,
    compute: Compute,
    devices: Arc<Devices>,
    home: PathBuf,
    /// Speed of this machine's products, once that was measured.
    rates: OnceLock<Rates>,
}

/// Identity of a batch's samples: different identities mean different stems.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Name of the model or chain.
    pub model: String,
    /// First digits of the digest of the weights or the chain, as in the names of stem folders.
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
    /// Fails with the errors of [`LoadedChain::new`].
    pub fn new(chain: Chain, quality: Quality, compute: Compute, home: &Path) -> Result<Self> {
        Self::on(Devices::new(home), chain, quality, compute, home)
    }

    /// Creates a batch on given devices.
    pub(super) fn on(
        devices: Arc<Devices>,
        chain: Chain,
        quality: Quality,
        compute: Compute,
        home: &Path,
    ) -> Result<Self> {
        let chain = Arc::new(chain);
        let loaded = LoadedChain::new(Arc::clone(&chain), compute, 0, Arc::clone(&devices))?;
        let (loaded_chain, rates) = (Mutex::new(loaded), OnceLock::new());
        let (quality, home) = (chain.fitted(quality), home.to_owned());
        Ok(Self { chain, loaded_chain, quality, compute, devices, home, rates })
    }

    /// Name of the pace of a step on its device, for a quality of the chain.
    fn pace_name(&self, step: usize, quality: Quality) -> String {
        let device = self.devices.of_model(self.compute, &self.chain.steps[step].model);
        self.chain.pace_name(step, quality, self.compute.precision, device)
    }

    /// The chain.
    pub fn chain(&self) -> &Chain {
        &self.chain
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
            model: self.chain.name.clone(),
            weights: self.chain.short_digest().to_owned(),
            quality: self.quality.suffix(),
            precision: self.compute.precision,
        }
    }

    /// Number of threads for separation.
    pub fn threads(&self) -> usize {
        self.loaded_chain.lock().unwrap_or_else(PoisonError::into_inner).threads()
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
        let origin = Origin::of_file(file, *track, &self.chain.name);
        let fields = Fields { file: called.clone(), ..origin.fields() };
        let items = selection.items(&self.chain.tree, settings.format, place, fields)?;
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
        let mix = Arc::new(mix);
        let stems = StemTree::open(Arc::clone(&self.chain), work, Arc::clone(&mix), self.quality)?;
        check_room(work, stems.missing_bytes(&wanted), work, Advice::OtherFolder)?;
        let before = stems.done_count_of(&wanted);
        progress(Progress {
            needs: Some(self.needs(&mix, &stems, &wanted)),
            ..Progress::quick(BatchStep::Separating, 0.0)
        });
        let notes = self.separate_mix(&mix, &stems, &wanted, cancel, progress)?;
        let all = stems.segments_of(&wanted);
        let segments = (all, all - before);
        let track = SongTrack::new(mix, Some(stems.into()));
        let mut writing = |fraction| progress(Progress::quick(BatchStep::Writing, fraction));
        let settings = &request.settings;
        let mut exported = export::export(&track, &origin, items, settings, &mut writing, cancel)?;
        exported.notes.0.extend(heard.taken.0.into_iter().chain(notes));
        Ok(Separated { exported, frames: heard.frames, segments, warning: heard.warning })
    }

    /// Expected seconds per segment of one network of a step, from earlier songs. For a model without
    /// measurements, scaled from the default model's pace by the amount of work.
    fn expected_pace(&self, step: usize) -> Option<f64> {
        let spec = &self.chain.steps[step].model.spec;
        let known = |name: &str| Library::pace_in(&self.home, name).ok().flatten();
        let by_work = || {
            let default = InstalledModel::find(&self.home, DEFAULT).ok().flatten()?;
            let device = self.devices.of_model(self.compute, &default);
            let precision = self.compute.precision;
            let name = default.pace_name(Quality::default(), precision, device);
            Some(known(&name)? * default.spec.work_of(spec)?)
        };
        let own = known(&self.pace_name(step, self.quality));
        let other = || known(&self.pace_name(step, Quality::default()));
        own.or_else(other).or_else(by_work).or_else(|| {
            let model = &self.chain.steps[step].model;
            // The products of other devices than the kernels are not measured.
            let is_here = self.devices.of_model(self.compute, model) == Device::Cpu;
            is_here.then(|| self.rates.get_or_init(|| self.measure()).seconds(spec))?
        })
    }

    /// The speed of this machine's products.
    fn measure(&self) -> Rates {
        let precision = pool::precision_for(self.compute.precision, self.quality.is_draft);
        let loaded = self.loaded_chain.lock().unwrap_or_else(PoisonError::into_inner);
        loaded.install(|| Rates::measure(precision))
    }

    /// Runs of networks that a step still needs.
    fn runs(&self, stems: &StemTree, needs: &StepNeeds) -> usize {
        let missing = stems.plan(needs.step).len() - stems.done_count_in(needs);
        missing * self.chain.networks_for(needs)
    }

    /// Seconds that all steps still need, if known.
    fn seconds(&self, stems: &StemTree, needs: &[StepNeeds]) -> Option<f64> {
        let seconds = |needs: &StepNeeds| match self.runs(stems, needs) {
            0 => Some(0.0),
            runs => Some(self.expected_pace(needs.step)? * runs as f64),
        };
        needs.iter().map(seconds).sum()
    }

    /// The resources that the missing stems need.
    fn needs(&self, mix: &MixStore, stems: &StemTree, wanted: &[usize]) -> Needs {
        let needs = self.chain.needs(wanted);
        let loaded = self.loaded_chain.lock().unwrap_or_else(PoisonError::into_inner);
        let memory = loaded.memory_for(&needs);
        drop(loaded);
        Needs {
            seconds: self.seconds(stems, &needs),
            memory,
            disk: mix.frames() * (CHANNELS * size_of::<f32>()) as u64 + stems.missing_bytes(wanted),
        }
    }

    /// Computes every segment, and stores the measured paces.
    fn separate_mix(
        &self,
        mix: &MixStore,
        stems: &StemTree,
        wanted: &[usize],
        cancel: &CancelToken,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Vec<Note>> {
        let needs = self.chain.needs(wanted);
        let names: Vec<String> =
            (0..self.chain.steps.len()).map(|step| self.pace_name(step, self.quality)).collect();
        let (segments, parts) = (stems.segments_of(wanted), stems.missing(wanted));
        let (start, before) = (Instant::now(), stems.done_count_of(wanted));
        let paces: Vec<Option<f64>> =
            (0..self.chain.steps.len()).map(|step| self.expected_pace(step)).collect();
        // Segments of different steps take different times; the estimate counts the average one.
        let expected = self.seconds(stems, &needs).map(|seconds| seconds / parts.max(1) as f64);
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
        let (is_draft, paces) = (self.quality.is_draft, &paces[..]);
        let work = Work { mix, stems, wanted, is_draft, paces };
        let (mut notes, mut since) = (Vec::new(), Instant::now());
        let mut measured = vec![(0, 0.0); self.chain.steps.len()];
        let mut on_event = |event| match event {
            SegmentEvent::Stored(at) => {
                let (segments, seconds) = &mut measured[at.step];
                *segments += 1;
                *seconds += since.elapsed().as_secs_f64();
                since = Instant::now();
                show(parts - stems.missing(wanted));
            }
            SegmentEvent::DeviceFailed(failure) => notes.push(failure.into()),
            SegmentEvent::Begins(_) | SegmentEvent::Readable(_) => {}
        };
        let mut loaded = self.loaded_chain.lock().unwrap_or_else(PoisonError::into_inner);
        loaded.separate(&work, &Listener::default, cancel, &mut on_event)?;
        for needs in &needs {
            let ((segments, seconds), name) = (measured[needs.step], &names[needs.step]);
            // Not if a device was measured, or if it failed: parts of the time are of another device.
            if segments > 0
                && *name == self.pace_name(needs.step, self.quality)
                && let made = segments * self.chain.networks_for(needs)
                && let Err(e) = Library::add_to_pace_in(&self.home, name, made, seconds)
            {
                tracing::warn!("could not store the pace: {e}");
            }
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
