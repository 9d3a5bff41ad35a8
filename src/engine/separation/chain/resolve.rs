//! The chains of this installation: one for each installed model, those that come with the program, and
//! the user's, with the networks that they name.
//!
//! A step whose network is not installed is left out with its stems; [`Chain::missing`] names them.
//! Reads the data folder; usable from any thread.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{
    Chain, Combination, MissingStems, Part, Step, Tree, TreeStem,
    fault::ChainFault,
    file::{self, ChainFile, MIX, NetworkFile, StemFile},
};
use crate::{
    engine::{
        problem::{Problem, Result},
        separation::installed::{InstalledModel, stem_index},
    },
    model::{ModelError, check_names, weights::Store},
};

/// Chains that come with the program: name and text.
const BUILT_IN: [(&str, &str); 3] = [
    ("vocals-first", include_str!("../../../../assets/chains/vocals-first.toml")),
    ("everything", include_str!("../../../../assets/chains/everything.toml")),
    ("vocals-without-room", include_str!("../../../../assets/chains/vocals-without-room.toml")),
];

/// All chains of an installation, and the faults of files that could not be read.
#[derive(Debug, Default)]
pub struct Chains {
    /// Models alone, then built-in chains, then the user's. A chain without any available stem is left
    /// out.
    pub all: Vec<Chain>,
    /// Faults of the user's files.
    pub faults: Vec<Problem>,
}

/// A chain's name and description, installed or not.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed {
    /// Name of the chain.
    pub name: String,
    /// Description as written.
    pub file: ChainFile,
    /// Path of the user's file; `None` for a built-in chain.
    pub path: Option<PathBuf>,
}

impl Chains {
    /// Finds the chains for these installed models.
    pub fn of(home: &Path, models: &[InstalledModel]) -> Self {
        let mut chains = Self::default();
        chains.all.extend(models.iter().cloned().map(Chain::of_model));
        let (listed, faults) = listed(home);
        chains.faults = faults;
        for Listed { name, file, path } in listed {
            // A chain precedes a model that was imported under its name later.
            chains.all.retain(|chain| chain.name != name);
            match resolve(&name, &file, models) {
                Ok(chain) if chain.tree.stems().is_empty() => {}
                Ok(chain) => chains.all.push(chain),
                Err(fault) => {
                    let path = path.unwrap_or_else(|| name.into());
                    chains.faults.push(Problem::Chain { path, fault });
                }
            }
        }
        chains
    }

    /// Finds a chain by the name of a chain or model, or by the path of a chain file.
    ///
    /// # Errors
    /// Errors of the model or the file; [`Problem::UnknownChain`].
    pub fn find(home: &Path, name: &str) -> Result<Chain> {
        if is_path(name) {
            let path = Path::new(name);
            let file = ChainFile::read(path)?;
            let label = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let resolved = resolve(&label, &file, &InstalledModel::all(home));
            return resolved.map_err(|fault| Problem::Chain { path: path.to_owned(), fault });
        }
        let found = match named(home, name) {
            Err(Problem::UnknownChain { name: shown, known }) => {
                return match InstalledModel::find(home, name) {
                    Ok(Some(model)) => Ok(Chain::of_model(model)),
                    Ok(None) | Err(ModelError::Unknown { .. }) => {
                        Err(Problem::UnknownChain { name: shown, known })
                    }
                    Err(error) => Err(error.into()),
                };
            }
            found => found?,
        };
        let Listed { file, path, .. } = found;
        let resolved = resolve(name, &file, &InstalledModel::all(home));
        let path = path.unwrap_or_else(|| name.into());
        resolved.map_err(|fault| Problem::Chain { path, fault })
    }
}

/// Whether a text on the command line is the path of a chain file instead of a name.
pub fn is_path(text: &str) -> bool {
    text.contains(['/', '\\']) || Path::new(text).extension().is_some_and(|kind| kind == "toml")
}

/// Path of the user's chain of this name.
pub fn own_path(home: &Path, name: &str) -> PathBuf {
    file::folder(home).join(format!("{name}.toml"))
}

/// Finds a chain as written.
///
/// # Errors
/// [`Problem::UnknownChain`]; errors of the user's file of this name.
pub fn named(home: &Path, name: &str) -> Result<Listed> {
    let (mut listed, faults) = listed(home);
    if let Some(at) = listed.iter().position(|found| found.name == name) {
        return Ok(listed.swap_remove(at));
    }
    let own = own_path(home, name);
    let is_of_it = |fault: &Problem| matches!(fault, Problem::Chain { path, .. } if *path == own);
    let known = listed.into_iter().map(|listed| listed.name).collect();
    let unknown = Problem::UnknownChain { name: name.escape_debug().to_string(), known };
    Err(faults.into_iter().find(is_of_it).unwrap_or(unknown))
}

/// Removes a chain of the user.
///
/// # Errors
/// [`Problem::UnknownChain`] if the user has no chain of this name; [`Problem::File`].
pub fn remove(home: &Path, name: &str) -> Result<()> {
    let path = own_path(home, name);
    if !path.is_file() {
        let known = listed(home).0.into_iter().map(|listed| listed.name).collect();
        return Err(Problem::UnknownChain { name: name.escape_debug().to_string(), known });
    }
    fs::remove_file(&path).map_err(|e| Problem::remove(&path, e))
}

/// Saves a chain of the user under a name.
///
/// # Errors
/// [`Problem::Chain`] if the name is not allowed or belongs to a model; [`Problem::File`].
pub fn save(home: &Path, name: &str, file: &ChainFile) -> Result<()> {
    let path = own_path(home, name);
    let is_taken = || Store::new(home).models().iter().any(|model| model.name == name);
    let fault = if check_names(&[name.to_owned()]).is_err() {
        Some(ChainFault::Name { name: name.to_owned() })
    } else {
        is_taken().then(|| ChainFault::Model { name: name.to_owned() })
    };
    if let Some(fault) = fault {
        return Err(Problem::Chain { path: name.into(), fault });
    }
    file.write(&path)
}

/// Copies a chain file to the user's chains, and returns its name: that of the file.
///
/// # Errors
/// Fails with the errors of [`ChainFile::read`] and [`save`].
pub fn import(home: &Path, path: &Path) -> Result<String> {
    let file = ChainFile::read(path)?;
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    save(home, &name, &file)?;
    Ok(name)
}

/// Lists the chains that come with the program and the user's, and the faults of files that cannot be
/// read. A user's chain replaces a built-in one of the same name.
pub fn listed(home: &Path) -> (Vec<Listed>, Vec<Problem>) {
    let (mut listed, mut faults) = (Vec::new(), Vec::new());
    for (name, text) in BUILT_IN {
        match ChainFile::parse(text) {
            Ok(file) => listed.push(Listed { name: name.to_owned(), file, path: None }),
            Err(fault) => faults.push(Problem::Chain { path: name.into(), fault }),
        }
    }
    let entries = fs::read_dir(file::folder(home)).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        let Some(name) = path.file_stem().and_then(|name| name.to_str()).map(str::to_owned) else {
            continue;
        };
        let is_hidden = name.starts_with('.');
        if is_hidden || path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        match ChainFile::read(&path) {
            Ok(file) => {
                listed.retain(|other| other.name != name);
                listed.push(Listed { name, file, path: Some(path) });
            }
            Err(problem) => faults.push(problem),
        }
    }
    (listed, faults)
}

/// Finds the networks of a chain. Stems without a network are left out.
///
/// # Errors
/// [`ChainFault::NoOutput`].
pub fn resolve(
    name: &str,
    file: &ChainFile,
    models: &[InstalledModel],
) -> std::result::Result<Chain, ChainFault> {
    let found: Vec<Option<&InstalledModel>> =
        file.step.iter().map(|step| network(&step.network, models)).collect();
    let available = available(file, &found);
    let order = order(&available);
    let index_of = |name: &str| order.iter().position(|slot| slot.is_named(name));
    // Steps that make an available stem, renumbered.
    let is_used = |step: usize| {
        let id = &file.step[step].id;
        let makes = |stem: &&StemFile| stem.from.iter().any(|output| output.step == *id);
        found[step].is_some() && available.iter().any(makes)
    };
    let used: Vec<usize> = (0..file.step.len()).filter(|&step| is_used(step)).collect();
    let mut stems = Vec::new();
    for slot in &order {
        let made = match slot {
            Slot::Written(stem) if !stem.rest => Some(combination(file, stem, &found, &used)?),
            Slot::Written(_) | Slot::Added { .. } => None,
        };
        let parent = slot.parent().and_then(index_of);
        stems.push(TreeStem { name: slot.name(), parent, made });
    }
    let tree = Tree::new(stems);
    let mut steps = Vec::new();
    for &step in &used {
        let (of, minus) = file.step[step].input.parts();
        let of = if of == MIX { None } else { index_of(of) };
        let minus: Vec<usize> = minus.iter().filter_map(|name| index_of(name)).collect();
        let Some(model) = found[step] else { continue };
        let input = tree.difference(of, &minus).unwrap_or_default();
        steps.push(Step { model: model.clone(), input });
    }
    let missing = missing(file, &found, &available);
    Ok(Chain::new(name.to_owned(), steps, tree, missing))
}

/// The installed model for a network as written.
fn network<'a>(wanted: &NetworkFile, models: &'a [InstalledModel]) -> Option<&'a InstalledModel> {
    let makes_all = |model: &&InstalledModel| {
        let stems = model.stems();
        wanted.makes.iter().all(|stem| stem_index(&stems, stem).is_ok())
    };
    if let Some(digest) = &wanted.digest {
        let is_it =
            |model: &&InstalledModel| digest.len() >= 16 && model.digest.starts_with(digest);
        return models.iter().filter(is_it).find(makes_all);
    }
    if let Some(name) = &wanted.model {
        return models.iter().filter(|model| model.name == *name).find(makes_all);
    }
    // A network for few stems usually makes them better than one for many.
    models.iter().filter(makes_all).min_by_key(|model| model.stems().len())
}

/// Stems for which everything is installed, in the file's order.
fn available<'a>(file: &'a ChainFile, found: &[Option<&InstalledModel>]) -> Vec<&'a StemFile> {
    let mut kept: Vec<&StemFile> = file.stem.iter().collect();
    // Removing a stem may remove those that depend on it.
    loop {
        let is_kept = |name: &str| kept.iter().any(|stem| stem.name.eq_ignore_ascii_case(name));
        let step_runs = |id: &str| {
            let Some(step) = file.step.iter().position(|step| step.id == id) else { return false };
            let (of, minus) = file.step[step].input.parts();
            found[step].is_some()
                && (of == MIX || is_kept(of))
                && minus.iter().all(|name| is_kept(name))
        };
        let next: Vec<&StemFile> = kept
            .iter()
            .copied()
            .filter(|stem| {
                let has_parent = stem.parent.as_ref().is_none_or(|parent| is_kept(parent));
                let sibling = |other: &&&StemFile| other.parent == stem.parent && !other.rest;
                let is_made = if stem.rest {
                    kept.iter().any(|other| sibling(&other))
                } else {
                    stem.from.iter().all(|output| step_runs(&output.step))
                };
                has_parent && is_made
            })
            .collect();
        if next.len() == kept.len() {
            return kept;
        }
        kept = next;
    }
}

/// A stem of the resolved tree.
enum Slot<'a> {
    Written(&'a StemFile),
    /// The rest of a branch for which the file names none.
    Added {
        parent: &'a str,
        name: String,
    },
}

impl<'a> Slot<'a> {
    fn name(&self) -> String {
        match self {
            Self::Written(stem) => stem.name.clone(),
            Self::Added { name, .. } => name.clone(),
        }
    }

    fn is_named(&self, name: &str) -> bool {
        self.name().eq_ignore_ascii_case(name)
    }

    fn parent(&self) -> Option<&'a str> {
        match self {
            Self::Written(stem) => stem.parent.as_deref(),
            Self::Added { parent, .. } => Some(parent),
        }
    }
}

/// Stems with their branches directly behind them. Each branch below the song ends with its rest.
fn order<'a>(available: &[&'a StemFile]) -> Vec<Slot<'a>> {
    let mut order = Vec::new();
    append(available, None, &mut order);
    order
}

fn append<'a>(available: &[&'a StemFile], parent: Option<&'a str>, order: &mut Vec<Slot<'a>>) {
    let is_here = |stem: &&&StemFile| match (&stem.parent, parent) {
        (None, None) => true,
        (Some(own), Some(parent)) => own.eq_ignore_ascii_case(parent),
        _ => false,
    };
    let children: Vec<&StemFile> = available.iter().filter(is_here).copied().collect();
    for &stem in children.iter().filter(|stem| !stem.rest) {
        order.push(Slot::Written(stem));
        append(available, Some(&stem.name), order);
    }
    let rest = children.iter().find(|stem| stem.rest);
    if let Some(&rest) = rest {
        order.push(Slot::Written(rest));
        append(available, Some(&rest.name), order);
    } else if let Some(parent) = parent.filter(|_| !children.is_empty()) {
        let is_free = |name: &String| {
            !available.iter().any(|stem| stem.name.eq_ignore_ascii_case(name))
                && !order.iter().any(|slot| slot.is_named(name))
        };
        let numbered = (2..=available.len() + 3).map(|number| format!("{parent} rest {number}"));
        let mut names = std::iter::once(format!("{parent} rest")).chain(numbered);
        let name = names.find(is_free).unwrap_or_default();
        order.push(Slot::Added { parent, name });
    }
}

/// The outputs that make a stem.
fn combination(
    file: &ChainFile,
    stem: &StemFile,
    found: &[Option<&InstalledModel>],
    used: &[usize],
) -> std::result::Result<Combination, ChainFault> {
    let mut parts = Vec::new();
    for output in &stem.from {
        let at = file.step.iter().position(|step| step.id == output.step);
        let step = at.and_then(|at| used.iter().position(|used| *used == at));
        let model = at.and_then(|at| found[at]);
        let (Some(step), Some(model)) = (step, model) else {
            return Err(ChainFault::NoStep { step: output.step.clone() });
        };
        let known = model.stems();
        let Ok(index) = stem_index(&known, &output.output) else {
            let (step, output) = (output.step.clone(), output.output.clone());
            return Err(ChainFault::NoOutput { step, output, known });
        };
        parts.push(Part { step, output: index, weight: output.weight });
    }
    Ok(Combination { parts, by: stem.combine })
}

/// The stems that were left out, by the network that they need.
fn missing(
    file: &ChainFile,
    found: &[Option<&InstalledModel>],
    available: &[&StemFile],
) -> Vec<MissingStems> {
    let is_lost = |stem: &&StemFile| available.iter().all(|kept| kept.name != stem.name);
    let lost: Vec<&StemFile> = file.stem.iter().filter(is_lost).collect();
    let needs = |at: usize| {
        let id = &file.step[at].id;
        let is_made = |stem: &&&StemFile| stem.from.iter().any(|output| output.step == *id);
        let stems = lost.iter().filter(is_made).map(|stem| stem.name.clone()).collect();
        let NetworkFile { makes, model, digest } = &file.step[at].network;
        let model = digest.as_ref().or(model.as_ref()).cloned();
        MissingStems { stems, makes: makes.clone(), model }
    };
    let absent = (0..file.step.len()).filter(|&step| found[step].is_none());
    absent.map(needs).filter(|missing| !missing.stems.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{engine::separation::chain::Terms, model::Spec};

    fn model(name: &str, sources: &[&str], rest: Option<&str>) -> InstalledModel {
        let sources = sources.iter().map(|name| (*name).to_owned()).collect();
        let spec = Spec { rest: rest.map(str::to_owned), ..Spec::triangle(sources, 1000) };
        InstalledModel { name: name.into(), networks: vec![], digest: format!("{name:0<20}"), spec }
    }

    fn four() -> InstalledModel {
        model("four", &["drums", "bass", "other", "vocals"], None)
    }

    fn built_in(name: &str, models: &[InstalledModel]) -> Chain {
        let text = BUILT_IN.iter().find(|(other, _)| *other == name).unwrap().1;
        resolve(name, &ChainFile::parse(text).unwrap(), models).unwrap()
    }

    #[test]
    fn the_specialist_makes_the_vocals_and_the_other_network_what_is_left() {
        let voice = model("voice", &["vocals"], Some("other"));
        let chain = built_in("vocals-first", &[four(), voice]);
        let names: Vec<&str> = chain.steps.iter().map(|step| step.model.name.as_str()).collect();
        assert_eq!(names, ["voice", "four"]);
        let vocals = chain.stems().iter().position(|name| name == "vocals").unwrap();
        assert_eq!(chain.steps[1].input, Terms { of: None, minus: vec![vocals] });
        assert!(chain.missing.is_empty());
        let alone = built_in("vocals-first", &[four()]);
        let names: Vec<&str> = alone.steps.iter().map(|step| step.model.name.as_str()).collect();
        assert_eq!(names, ["four", "four"]);
    }

    #[test]
    fn stems_without_a_network_are_named_and_left_out() {
        let chain = built_in("everything", &[four()]);
        let stems = chain.stems();
        assert!(stems.iter().all(|name| name != "kick" && name != "lead"), "{stems:?}");
        let missing: Vec<&String> =
            chain.missing.iter().flat_map(|missing| &missing.stems).collect();
        assert!(missing.iter().any(|name| *name == "kick"), "{missing:?}");
        let kit = model("kit", &["kick", "snare", "toms", "hh"], None);
        let chain = built_in("everything", &[four(), kit]);
        let stems = chain.stems();
        let at = |name: &str| stems.iter().position(|stem| stem == name).unwrap();
        let drums = at("drums");
        for name in ["kick", "snare", "toms"] {
            assert_eq!(chain.tree.stems()[at(name)].parent, Some(drums));
        }
        let rest = chain.tree.rest_of(Some(drums)).unwrap();
        assert_eq!(stems[rest], "cymbals");
        assert_eq!(rest, drums + 4, "a branch lies behind its parent");
        assert!(built_in("everything", &[]).tree.stems().is_empty());
    }

    #[test]
    fn a_digest_is_binding() {
        let text = r#"
            [[step]]
            id = "a"
            network = { makes = ["vocals"], digest = "facade0000000000" }
            [[stem]]
            name = "voice"
            from = [{ step = "a", output = "VOCALS" }]
        "#;
        let file = ChainFile::parse(text).unwrap();
        let other = resolve("x", &file, &[four()]).unwrap();
        assert!(other.tree.stems().is_empty());
        assert_eq!(other.missing[0].makes, ["vocals"]);
        let same = resolve("x", &file, &[four(), model("facade", &["vocals"], None)]).unwrap();
        assert_eq!(same.stems(), ["voice"]);
        let wrong = text.replace("VOCALS", "kazoo");
        let fault =
            resolve("x", &ChainFile::parse(&wrong).unwrap(), &[model("facade", &["vocals"], None)]);
        assert!(matches!(fault, Err(ChainFault::NoOutput { .. })));
    }
}
