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
    estimate::Estimate,
    export::{self, ExportItem, Exported, Fields, Origin, Place, Selection, Settings},
    files::{WorkFolder, check_room, make_folders, sweep},
    import::decode_to_store,
    library::Library,
    memory,
    mishap::caught,
    models::InstalledModel,
    pool,
    separate::Separation,
    store::{MixStore, StemStore},
};
use crate::model::{self, Separator};

/// A loaded model and the threads it runs on.
pub struct Batch {
    model: InstalledModel,
    network: Box<dyn Separator>,
    pool: rayon::ThreadPool,
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
    /// Loads the model. If there is a library in `home`, the estimates of time start from what it
    /// knows, and it is told how long segments took.
    ///
    /// # Errors
    /// Those of the weights and of the pool.
    pub fn new(model: InstalledModel, compute: Compute, home: &Path) -> Result<Self> {
        let compute = memory::fit(compute, &model.spec, model.weight_bytes())?;
        let pool = pool::new(compute)?;
        let network = pool.install(|| model::load(&model.weights, compute.precision))?;
        Ok(Self { model, network, pool, home: home.to_owned() })
    }

    /// The model's stems.
    pub fn sources(&self) -> &[String] {
        &self.model.spec.sources
    }

    /// Separates one file.
    ///
    /// # Errors
    /// [`EngineError::Exists`] before the work; those of the file, the disk and the network;
    /// nothing is then left in the folder.
    pub fn separate(
        &self,
        request: &Request,
        cancel: &CancelToken,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Separated> {
        let Request { file, called, selection, place, settings } = request;
        let origin = Origin::of_file(file, &self.model.name);
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
        &self,
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
        let plan = self.model.plan(mix.frames());
        let stems = StemStore::open(&work.path().join("stems"), plan, self.sources())?;
        check_room(folder, stems.missing_bytes(), folder, "; choose another folder")?;
        self.separate_mix(&mix, &stems, cancel, progress)?;
        let track = SongTrack { mix: mix.into(), stems: Some(stems.into()) };
        let mut writing = |fraction| progress(Progress::quick("writing", fraction));
        let settings = &request.settings;
        let exported = export::export(&track, &origin, items, settings, &mut writing, cancel)?;
        Ok(Separated { exported, frames: decoded.frames, warning: decoded.warning })
    }

    /// Computes every segment, and notes how long they took.
    fn separate_mix(
        &self,
        mix: &MixStore,
        stems: &StemStore,
        cancel: &CancelToken,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<()> {
        let (name, segments) = (&self.model.name, stems.plan().len());
        let start = Instant::now();
        let expected = Library::pace_in(&self.home, name).ok().flatten();
        let mut estimate = Estimate::new(expected, 0, start);
        let mut show = |done| {
            let now = Instant::now();
            estimate.advance(done, now);
            progress(Progress {
                what: "separating",
                fraction: done as f64 / segments as f64,
                seconds_left: estimate.seconds_left(segments, now),
            });
        };
        show(0);
        let model = self.network.as_ref();
        Separation { mix, stems, model, pool: &self.pool, pace: expected }.run(
            &Listener::default,
            cancel,
            &mut |_| show(stems.done_count()),
        )?;
        let seconds = start.elapsed().as_secs_f64();
        if let Err(e) = Library::add_to_pace_in(&self.home, name, segments, seconds) {
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
