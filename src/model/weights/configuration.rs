//! Describes checkpoints that do not describe themselves: finds their publisher's configuration, and
//! lets the kinds of networks recognise them.
//!
//! A configuration with the checkpoint's name beside it is used first. Otherwise the only YAML file
//! of the folder that fits the tensors is used. Runs on the caller's thread.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Map, Value};

use super::{
    checkpoint::Checkpoint,
    error::{Fault, quoted},
    formats::yaml,
};
use crate::model::{
    KINDS, ModelError, Result,
    findings::{Foreign, Malformed, Misfit},
    recognition::{self, Facts, Recognised, Shapes, Stated},
};

/// Options of an import.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportOptions {
    /// The publisher's configuration; if `None`, one beside the file is used.
    pub config: Option<PathBuf>,
    /// Name of the model; if `None`, the file's.
    pub name: Option<String>,
    /// Facts that the user states about the network.
    pub stated: Stated,
}

/// Limit on the YAML files of a folder that are tried.
const MOST_FILES: usize = 64;

/// Parts of tensor names that identify unsupported networks.
const FOREIGN: &[(&str, Foreign)] = &[
    ("separation_net.", Foreign::Scnet),
    ("crosstransformer.", Foreign::BareHtdemucs),
    ("band_split.norm_fc_modules.", Foreign::Bandit),
    ("mamba", Foreign::Mamba),
    ("BN.0.", Foreign::Apollo),
    ("stg1_low_band_net.", Foreign::Vr),
    ("unet_model.", Foreign::Segm),
    ("swin_upernet_model.", Foreign::Swin),
    ("lora_", Foreign::Lora),
    ("tencoder.", Foreign::Hdemucs),
    ("diffusion", Foreign::Diffusion),
    ("lm_head", Foreign::Language),
    ("text_model", Foreign::Picture),
];

/// Adds class and constructor arguments to a checkpoint that has none. Returns false if its tensors
/// are of no known kind.
///
/// # Errors
/// [`ModelError::FactsMissing`]; [`ModelError::File`] for a configuration that cannot be used, and
/// for a checkpoint of a variant that is not supported.
pub(super) fn describe(
    path: &Path,
    checkpoint: &mut Checkpoint,
    options: &ImportOptions,
) -> Result<bool> {
    let shapes = checkpoint.shapes();
    let bare = facts(String::new(), Value::Null, options);
    if recognise(&shapes, &bare).is_none() {
        return match FOREIGN.iter().find(|(part, _)| shapes.keys().any(|name| name.contains(part)))
        {
            Some((_, network)) => {
                let network = network.clone();
                Err(Fault::from(Malformed::Foreign { network }).of(path))
            }
            None => Ok(false),
        };
    }
    let facts = match named(path, options) {
        Some(config) => read(&config, options).map_err(|fault| fault.of_reading(&config))?,
        None => fitting(path, &shapes, options)?.unwrap_or(bare),
    };
    let wrong = |error: ModelError| match error {
        ModelError::Header { misfit } => unusable(misfit).of(path),
        other => other,
    };
    match recognise(&shapes, &facts).transpose().map_err(wrong)? {
        Some((class_name, Recognised::Complete(kwargs))) => {
            checkpoint.class_name = Some(class_name.to_owned());
            checkpoint.kwargs = kwargs;
            Ok(true)
        }
        Some((class_name, Recognised::Missing(missing))) => {
            let class_name = class_name.to_owned();
            Err(ModelError::FactsMissing { path: path.to_owned(), class_name, missing })
        }
        None => Ok(false),
    }
}

/// Overrides the constructor arguments of a checkpoint that states them with those that the user
/// stated.
///
/// # Errors
/// [`ModelError::File`] for a network without such arguments, and for invalid names.
pub(super) fn restate(
    path: &Path,
    checkpoint: &mut Checkpoint,
    options: &ImportOptions,
) -> Result<()> {
    recognition::restate(&options.stated, &mut checkpoint.kwargs).map_err(|error| match error {
        ModelError::Header { misfit } => unusable(misfit).of(path),
        other => other,
    })
}

/// The fault of a file whose tensors and arguments are not a network.
pub(super) fn unusable(misfit: Box<Misfit>) -> Fault {
    if misfit.is_of_tensors() {
        Malformed::UnusableTensors { misfit }.into()
    } else {
        Malformed::Unusable { misfit }.into()
    }
}

/// The class of a network and the result of its recognition; `None` if no kind recognises the
/// tensors.
fn recognise(shapes: &Shapes, facts: &Facts) -> Option<Result<(&'static str, Recognised)>> {
    KINDS.iter().find_map(|kind| {
        let recognised = (kind.recognise)(shapes, facts)?;
        Some(recognised.map(|recognised| (kind.class_name, recognised)))
    })
}

fn facts(origin: String, config: Value, options: &ImportOptions) -> Facts {
    Facts { origin, config, stated: options.stated.clone() }
}

fn read(config: &Path, options: &ImportOptions) -> super::error::Result<Facts> {
    let value = yaml::read(config)?;
    if !is_configuration(&value) {
        return Err(Malformed::NotAConfiguration.into());
    }
    let origin = config.file_name().unwrap_or_default().to_string_lossy();
    Ok(facts(quoted(&origin), value, options))
}

fn is_configuration(value: &Value) -> bool {
    ["audio", "model"].iter().any(|name| value.get(name).is_some_and(Value::is_object))
}

/// The configuration that the user stated, or the one with the checkpoint's name.
fn named(path: &Path, options: &ImportOptions) -> Option<PathBuf> {
    if let Some(config) = &options.config {
        return Some(config.clone());
    }
    let stem = path.file_stem()?.to_string_lossy();
    let names = ["yaml", "yml"].map(|ending| {
        [
            format!("{stem}.{ending}"),
            format!("config_{stem}.{ending}"),
            format!("{stem}_config.{ending}"),
        ]
    });
    names.concat().into_iter().map(|name| path.with_file_name(name)).find(|path| path.is_file())
}

/// The facts of the YAML files in the checkpoint's folder that fit the tensors. Complete files are
/// preferred, and must agree; otherwise the only incomplete file counts. `None` if no file fits.
///
/// # Errors
/// Complete files that fit contradict each other.
fn fitting(path: &Path, shapes: &Shapes, options: &ImportOptions) -> Result<Option<Facts>> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let is_yaml = |path: &PathBuf| {
        let ending = path.extension().unwrap_or_default().to_ascii_lowercase();
        ending == "yaml" || ending == "yml"
    };
    let mut files: Vec<PathBuf> = entries.filter(is_yaml).take(MOST_FILES).collect();
    files.sort();
    let mut complete: Vec<(Facts, Map<String, Value>)> = Vec::new();
    let mut partial = Vec::new();
    let mut misfits = Vec::new();
    for facts in files.iter().filter_map(|file| read(file, options).ok()) {
        match recognise(shapes, &facts) {
            Some(Ok((_, Recognised::Complete(kwargs)))) => complete.push((facts, kwargs)),
            Some(Ok((_, Recognised::Missing(_)))) => partial.push(facts),
            Some(Err(_)) => misfits.push(facts),
            None => {}
        }
    }
    if complete.iter().any(|(_, kwargs)| *kwargs != complete[0].1) {
        let names = complete.iter().map(|(facts, _)| &facts.origin).collect();
        return Err(Fault::from(Malformed::Configurations { names }).of(path));
    }
    let only = |found: Vec<Facts>| <[Facts; 1]>::try_from(found).ok().map(|[facts]| facts);
    let complete = complete.into_iter().next().map(|(facts, _)| facts);
    // If the network cannot be used without a configuration either, a single file that does not fit
    // gives the better error.
    let is_unusable = || {
        let bare = facts(String::new(), Value::Null, options);
        matches!(recognise(shapes, &bare), Some(Err(_)))
    };
    let found = complete.or_else(|| only(partial));
    Ok(found.or_else(|| only(misfits).filter(|_| is_unusable())))
}
