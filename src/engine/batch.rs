//! Separation without a library: from a file to a folder of files, for batches and scripts.
//!
//! Runs on the caller's thread, the network on a pool of its own. The stores are temporary and lie
//! beside the results.

use std::{
    path::{Path, PathBuf},
    time::Instant,
};

use super::{
    CancelToken, Compute, EngineError, Result, SongTrack,
    aim::Listener,
    ensemble::{Ensemble, Work},
    estimate::Estimate,
    export::{self, ExportItem, Exported, Fields, Origin, Place, Selection, Settings},
    files::{WorkFolder, check_room, make_folders, sweep},
    import::decode_to_store,
    library::Library,
    mishap::caught,
    models::InstalledModel,
    recipe::Quality,
    store::{MixStore, StemStore},
};

/// A model, how thoroughly it separates, and the threads it runs on.
pub struct Batch {
    ensemble: Ensemble,
    quality: Quality,
    home: PathBuf,
}

/// How far a file is.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// What is being done.
    pub what: &'static str,
    /// How much of it, 0 to 1.
    pub fraction: f64,
    /// Seconds until it is done, where that is known.
    pub seconds_left: Option<f64>,
}

impl Progress {
    fn quick(what: &'static str, fraction: f32) -> Self {
        Self { what, fraction: f64::from(fraction), seconds_left: None }
    }
}

/// What is wanted of one file.
#[derive(Clone, Debug)]
pub struct Request {
    /// The song.
    pub file: PathBuf,
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
    /// What was odd about the source.
    pub warning: Option<String>,
}

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
        let ensemble = Ensemble::new(model, compute)?;
        Ok(Self { ensemble, quality: quality.within_bounds(), home: home.to_owned() })
    }

    /// The model's stems.
    pub fn sources(&self) -> &[String] {
        &self.ensemble.model().spec.sources
    }

    /// Separates one file.
    ///
    /// # Errors
    /// [`EngineError::Exists`] before the work; those of the file, the disk and the network;
    /// nothing is then left in the folder.
    pub fn separate(
        &mut self,
        request: &Request,
        cancel: &CancelToken,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Separated> {
        let Request { file, called, selection, place, settings } = request;
        let origin = Origin::of_file(file, &self.ensemble.model().name);
        let fields = Fields { file: called.clone(), ..origin.fields() };
        let items = selection.items(self.sources(), settings.format, place, fields)?;
        let items = settings.on_exists.settle(&items)?;
        if items.is_empty() {
            let notes = vec!["all files were there already".into()];
            return Ok(Separated {
                exported: Exported { notes, ..Exported::default() },
                ..Separated::default()
            });
        }
        let made = missing_folders(&place.folder);
        // A bug ends this file, not the batch.
        let work = || self.separate_into(request, origin, &items, cancel, progress);
        let result = caught("separating this song", work);
        if result.is_err() {
            // Folders that hold something stay: only empty ones can be removed so.
            for folder in made {
                drop(std::fs::remove_dir(folder));
            }
        }
        result
    }

    fn separate_into(
        &mut self,
        request: &Request,
        mut origin: Origin,
        items: &[ExportItem],
        cancel: &CancelToken,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Separated> {
        let folder = &request.place.folder;
        let cannot_make =
            |source| EngineError::Io { what: "cannot make", path: folder.clone(), source };
        make_folders(folder).map_err(cannot_make)?;
        sweep(folder);
        let work = WorkFolder::make_in(folder).map_err(cannot_make)?;
        let mut reading = |fraction| progress(Progress::quick("reading", fraction));
        let (decoded, mix) = decode_to_store(&request.file, work.path(), cancel, &mut reading)?;
        origin.format = decoded.format;
        let wanted = export::stems_in(items);
        let stems = self.ensemble.model().open_stems(&work.path().join("s"), &mix, self.quality)?;
        check_room(folder, stems.missing_bytes(&wanted), folder, "; choose another folder")?;
        self.separate_mix(&mix, &stems, &wanted, cancel, progress)?;
        let track = SongTrack { mix: mix.into(), stems: Some(stems.into()), draft: None };
        let mut writing = |fraction| progress(Progress::quick("writing", fraction));
        let settings = &request.settings;
        let exported = export::export(&track, &origin, items, settings, &mut writing, cancel)?;
        Ok(Separated { exported, frames: decoded.frames, warning: decoded.warning })
    }

    /// Computes every segment, and notes how long they took.
    fn separate_mix(
        &mut self,
        mix: &MixStore,
        stems: &StemStore,
        wanted: &[usize],
        cancel: &CancelToken,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<()> {
        let name = self.ensemble.model().pace_name(self.quality);
        let networks = self.ensemble.model().networks_for(wanted).len();
        let (segments, parts) = (stems.plan().len(), stems.missing(wanted));
        let start = Instant::now();
        let pace = Library::pace_in(&self.home, &name).ok().flatten();
        let runs = (segments * networks) as f64;
        let expected = pace.map(|seconds| seconds * runs / parts.max(1) as f64);
        let mut estimate = Estimate::new(expected, 0, start);
        let mut show = |done| {
            let now = Instant::now();
            estimate.advance(done, now);
            progress(Progress {
                what: "separating",
                fraction: done as f64 / parts.max(1) as f64,
                seconds_left: estimate.seconds_left(parts, now),
            });
        };
        show(0);
        let work = Work { mix, stems, wanted, is_draft: self.quality.is_draft, pace };
        let mut on_step = |_| show(parts - stems.missing(wanted));
        self.ensemble.separate(&work, &Listener::default, cancel, &mut on_step)?;
        let (seconds, made) = (start.elapsed().as_secs_f64(), segments * networks);
        if let Err(e) = Library::add_to_pace_in(&self.home, &name, made, seconds) {
            tracing::warn!("the pace is not noted: {}", e.in_words());
        }
        Ok(())
    }
}

/// The folders of `path` that would have to be made for it, the innermost first.
fn missing_folders(path: &Path) -> Vec<PathBuf> {
    path.ancestors()
        .take_while(|folder| !folder.as_os_str().is_empty() && !folder.exists())
        .map(Path::to_owned)
        .collect()
}
