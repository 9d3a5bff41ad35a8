//! Models of the user's own: networks that are not in the catalogue, with their constructor
//! arguments.
//!
//! One network is a file `<name>.safetensors` in the models folder. A bag is `<name>.bag.json`
//! beside its networks' `<name>.<signature>.safetensors`. Bags are imported from their publishers'
//! YAML: `models`, a list of signatures, and `weights`, the share of each network in each stem.

use std::{
    collections::HashMap,
    fs::{self, File},
    io::Write as _,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tempfile::Builder;

use super::{
    catalog::{Catalog, Model, Network},
    checkpoint::Checkpoint,
    error::{Fault, Result, quoted},
    formats::{safetensors, yaml},
};
use crate::{
    file_moves,
    model::{ModelError, error::FileFault, findings::Malformed, kind_of},
};

/// Extension of a bag's description in the models folder.
const BAG: &str = ".bag.json";

/// Largest number of networks of a bag.
const MOST_NETWORKS: usize = 32;

/// Limit on the letters of a model's name.
const MOST_LETTERS: usize = 48;

/// Terms of use of the user's own models.
const TERMS: &str = "Your own model: its author's terms apply.";

/// A network of the user's own, and the names of its stems in the checkpoint.
pub(super) struct UserNetwork {
    pub(super) network: Network,
    sources: Option<Value>,
}

impl UserNetwork {
    /// The names of its stems.
    pub(super) fn sources(&self) -> Result<Vec<String>> {
        names(self.sources.as_ref())
    }
}

/// A bag's description in the models folder.
#[derive(Serialize, Deserialize)]
struct Bag {
    networks: Vec<String>,
    weights: Vec<Vec<f32>>,
}

/// The user's own models in the models folder, by name. Incomplete files are left out.
pub(super) fn models(folder: &Path, catalog: &Catalog) -> impl Iterator<Item = Model> {
    let mut models: Vec<Model> = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let file = entry.file_name().to_string_lossy().into_owned();
        let model = if let Some(name) = file.strip_suffix(BAG) {
            bag(folder, name).or_else(|| closed(folder, name))
        } else if let Some(name) = file.strip_suffix(".safetensors") {
            // A dot separates a bag's name from the name of one of its networks.
            let is_alone = !name.contains('.') && catalog.get(name).is_none();
            let single = || single(folder, name).or_else(|| closed(folder, name));
            is_alone.then(single).flatten()
        } else {
            None
        };
        models.extend(model);
    }
    models.sort_by(|a, b| a.name.cmp(&b.name));
    models.into_iter()
}

fn single(folder: &Path, name: &str) -> Option<Model> {
    let Kept { network, kwargs, sources } = kept(&folder.join(format!("{name}.safetensors")))?;
    let names = stems(&kwargs, sources.as_ref()).ok()?;
    Some(model(name.to_owned(), vec![network], names))
}

fn bag(folder: &Path, name: &str) -> Option<Model> {
    let text = fs::read(bag_path(folder, name)).ok()?;
    let Bag { networks, weights } = serde_json::from_slice(&text).ok()?;
    let mut sources = None;
    let mut read = Vec::new();
    for (signature, shares) in networks.into_iter().zip(weights) {
        // A missing network remains a part of the model, which is then damaged.
        let path = folder.join(format!("{name}.{signature}.safetensors"));
        let (network, its) = match kept(&path) {
            Some(Kept { network, sources, .. }) => (network, sources),
            None => (unknown_network(), None),
        };
        sources = sources.or(its);
        read.push(Network { signature, weights: Some(shares), ..network });
    }
    let model = model(name.to_owned(), read, names(sources.as_ref()).ok()?);
    check_shares(&model).is_ok().then_some(model)
}

/// A model whose file exists, but cannot be read: its networks and stems are unknown.
fn closed(folder: &Path, name: &str) -> Option<Model> {
    unreadable(folder, name)?;
    let (title, about, terms) = (String::new(), String::new(), TERMS.to_owned());
    let (networks, sources) = (Vec::new(), Vec::new());
    Some(Model { name: name.to_owned(), title, about, sources, terms, networks, is_own: true })
}

/// The first existing file of the model called `name` that cannot be opened, and the error.
pub(super) fn unreadable(folder: &Path, name: &str) -> Option<(PathBuf, std::io::Error)> {
    let starts = format!("{name}.");
    let is_its = |path: &PathBuf| {
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        file.starts_with(&starts) && file.ends_with(".safetensors")
    };
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut files: Vec<PathBuf> = entries.filter(is_its).collect();
    files.extend([bag_path(folder, name), folder.join(format!("{name}.safetensors"))]);
    files.sort();
    files.into_iter().find_map(|path| match File::open(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Some((path, error)),
        _ => None,
    })
}

/// A network in the models folder.
struct Kept {
    network: Network,
    kwargs: Map<String, Value>,
    /// The names of its outputs.
    sources: Option<Value>,
}

/// A network from its canonical file in the models folder.
fn kept(path: &Path) -> Option<Kept> {
    let file = File::open(path).ok()?;
    let length = file.metadata().ok()?.len();
    let header = safetensors::read_header(file, length).ok()?;
    let texts: &HashMap<String, String> = header.metadata().as_ref()?;
    let json = |key: &str| serde_json::from_str::<Value>(texts.get(key)?).ok();
    let Value::Object(kwargs) = json("kwargs")? else { return None };
    let sources = kwargs.get("sources").cloned();
    let sources = sources.or_else(|| json("args").and_then(|args| args.get(0).cloned()));
    let network = Network {
        signature: texts.get("signature")?.clone(),
        class_name: texts.get("klass")?.clone(),
        digest: Some(texts.get("digest")?.clone()),
        values: header.data_len() as u64 / 2,
        ..unknown_network()
    };
    Some(Kept { network, kwargs, sources })
}

fn unknown_network() -> Network {
    Network {
        signature: String::new(),
        class_name: String::new(),
        digest: None,
        sha256: Vec::new(),
        tensors: None,
        values: 0,
        is_single: false,
        weights: None,
        kwargs: None,
        origins: Vec::new(),
    }
}

/// The network of a checkpoint of the user's own, whose digest is `digest`.
///
/// # Errors
/// [`ModelError::File`] if the checkpoint does not describe its network, or is of an unsupported
/// kind.
pub(super) fn network(
    path: &Path,
    checkpoint: &Checkpoint,
    digest: String,
) -> crate::model::Result<UserNetwork> {
    let wrong = |fault: Fault| fault.of(path);
    let Some(described) = checkpoint.described() else {
        return Err(wrong(FileFault::Undescribed.into()));
    };
    if kind_of(&described.class_name).is_none() {
        let class = quoted(&described.class_name).into();
        return Err(wrong(Malformed::Class { class }.into()));
    }
    let network = Network {
        signature: digest.get(..8).unwrap_or_default().to_owned(),
        class_name: described.class_name,
        digest: Some(digest),
        values: checkpoint.values(),
        ..unknown_network()
    };
    Ok(UserNetwork { network, sources: checkpoint.sources().cloned() })
}

/// A model of the user's own networks.
pub(super) fn model(name: String, networks: Vec<Network>, sources: Vec<String>) -> Model {
    Model {
        title: String::new(),
        about: String::new(),
        sources,
        terms: TERMS.to_owned(),
        networks,
        is_own: true,
        name,
    }
}

/// The stems of a model of one network: its outputs, and the rest where it is a stem.
pub(super) fn stems(kwargs: &Map<String, Value>, sources: Option<&Value>) -> Result<Vec<String>> {
    let mut names = names(sources)?;
    names.extend(kwargs.get("rest").and_then(Value::as_str).map(str::to_owned));
    Ok(names)
}

fn names(sources: Option<&Value>) -> Result<Vec<String>> {
    let list = sources.and_then(Value::as_array);
    let names = list.map(|list| list.iter().map(|name| Some(name.as_str()?.to_owned())).collect());
    match names.flatten() {
        Some(names) => Ok(names),
        None => Err(Malformed::NoStemNames.into()),
    }
}

/// Checks that every network of a bag has a share for each stem, and that a network makes every
/// stem.
pub(super) fn check_shares(model: &Model) -> Result<()> {
    let stems = model.sources.len();
    let shares: Vec<&[f32]> = model
        .networks
        .iter()
        .map(|network| network.weights.as_deref().unwrap_or_default())
        .collect();
    let is_good = |share: &f32| share.is_finite() && *share >= 0.0;
    if !shares.iter().all(|its| its.len() == stems && its.iter().all(is_good)) {
        return Err(Malformed::Shares { stems }.into());
    }
    match (0..stems).find(|stem| shares.iter().all(|share| share[*stem] == 0.0)) {
        Some(stem) => Err(Malformed::NoShare { stem: quoted(&model.sources[stem]).into() }.into()),
        None => Ok(()),
    }
}

/// Whether a file is a bag's description, by its name, because YAML cannot be detected by content.
pub(super) fn is_bag(path: &Path) -> bool {
    let ending = path.extension().unwrap_or_default().to_ascii_lowercase();
    ending == "yaml" || ending == "yml"
}

/// Reads a bag's description. Name and stems of the model are empty.
pub(super) fn read_bag(path: &Path) -> Result<Model> {
    let description = yaml::read(path)?;
    let field = |name: &str| description.get(name).and_then(Value::as_array);
    let Some(signatures) = field("models").filter(|list| !list.is_empty()) else {
        return Err(Fault::from(if description.get("audio").is_some() {
            Malformed::CheckpointYaml
        } else {
            Malformed::NotABag
        }));
    };
    if signatures.len() > MOST_NETWORKS {
        return Err(Malformed::ManyNetworks { limit: MOST_NETWORKS }.into());
    }
    let signatures: Option<Vec<String>> = signatures.iter().map(signature).collect();
    let signatures = signatures.ok_or(Malformed::Signature)?;
    let number = |value: &Value| value.as_f64().map(|share| share as f32);
    let shares = |list: &Value| list.as_array()?.iter().map(number).collect::<Option<Vec<_>>>();
    let weights = match field("weights") {
        Some(lists) => {
            let lists: Option<Vec<Vec<f32>>> = lists.iter().map(shares).collect();
            lists.filter(|lists| lists.len() == signatures.len())
        }
        // The reference gives all networks the same share; the number of stems is not known here.
        None => return Err(Malformed::NoWeights.into()),
    };
    let weights = weights.ok_or(Malformed::OtherWeights)?;
    let networks = signatures.into_iter().zip(weights).map(|(signature, shares)| Network {
        signature,
        weights: Some(shares),
        ..unknown_network()
    });
    Ok(model(String::new(), networks.collect(), Vec::new()))
}

/// A signature, which becomes a part of file names: letters, digits, `_` and `-`.
fn signature(value: &Value) -> Option<String> {
    let whole = value.as_i64().map(|whole| whole.to_string());
    let text = value.as_str().map(str::to_owned).or(whole)?;
    let is_plain = (1..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
    is_plain.then_some(text)
}

/// The weight file of a bag's network: beside the bag's description, named by the signature.
pub(super) fn beside(bag: &Path, signature: &str) -> Result<PathBuf> {
    let folder = bag.parent().unwrap_or(Path::new("."));
    let mut found: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(folder)?.flatten() {
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        let rest = name.strip_prefix(signature).unwrap_or_default();
        let is_it = [".th", ".safetensors"].iter().any(|ending| rest.ends_with(ending))
            && (rest.starts_with('.') || rest.starts_with('-'));
        if is_it {
            found.push(path);
        }
    }
    found.sort();
    let missing = || Malformed::NetworkMissing { signature: signature.into() }.into();
    found.into_iter().next().ok_or_else(missing)
}

/// Writes a bag's description to the models folder.
pub(super) fn write_bag(folder: &Path, model: &Model) -> crate::model::Result<()> {
    let path = bag_path(folder, &model.name);
    let networks = model.networks.iter().map(|network| network.signature.clone()).collect();
    let shares = model.networks.iter().map(|network| network.weights.clone().unwrap_or_default());
    let bag = Bag { networks, weights: shares.collect() };
    let write = || -> std::io::Result<()> {
        let text = serde_json::to_vec(&bag).map_err(std::io::Error::from)?;
        let mut file = file_moves::create_hidden(Builder::new().prefix(".importing-"), folder)?;
        file.write_all(&text)?;
        file.as_file().sync_all()?;
        file_moves::persist(file, &path)?;
        Ok(())
    };
    write().map_err(|error| ModelError::io(&path, error))
}

/// Path of a bag's description, which may not exist.
pub(super) fn bag_path(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}{BAG}"))
}

/// Checks a name that the user chose for a model: it becomes a part of file names.
///
/// # Errors
/// [`Fault::Wrong`] states what is allowed.
pub(super) fn check_name(name: &str) -> Result<()> {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-');
    if !(1..=MOST_LETTERS).contains(&name.len())
        || !name.chars().all(is_plain)
        || name.starts_with('-')
    {
        return Err(Malformed::BadName { name: quoted(name).into(), most: MOST_LETTERS }.into());
    }
    Ok(())
}

/// Whether two models have the same networks, with the same arguments and shares.
pub(super) fn are_same(one: &Model, other: &Model) -> bool {
    let is_same = |(one, other): (&Network, &Network)| {
        one.digest.is_some() && one.digest == other.digest && one.weights == other.weights
    };
    one.networks.len() == other.networks.len()
        && one.networks.iter().zip(&other.networks).all(is_same)
}

/// Whether no model has this name.
pub(super) fn is_free(name: &str, folder: &Path, catalog: &Catalog) -> bool {
    catalog.get(name).is_none()
        && !folder.join(format!("{name}.safetensors")).exists()
        && !bag_path(folder, name).exists()
}

/// A name for a model, from the name of its file, which another model may have.
pub fn name_of_file(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let plain = |letter: char| match letter {
        'ä' | 'á' | 'à' | 'â' | 'ã' => 'a',
        'ö' | 'ó' | 'ô' | 'õ' => 'o',
        'ü' | 'ú' => 'u',
        letter if letter.is_ascii_alphanumeric() || letter == '_' => letter,
        _ => '-',
    };
    let name: String = stem.chars().take(MOST_LETTERS).map(plain).collect();
    match name.trim_matches('-') {
        "" => "model".to_owned(),
        name => name.to_owned(),
    }
}

/// An unused name for a model, from the name of its file: with a number where another model has it.
pub(super) fn free_name(folder: &Path, catalog: &Catalog, path: &Path) -> String {
    let name = name_of_file(path);
    let numbered = (2..).map(|number| format!("{name}-{number}"));
    let mut names = std::iter::once(name.clone()).chain(numbered);
    names.find(|name| is_free(name, folder, catalog)).unwrap_or_default()
}
