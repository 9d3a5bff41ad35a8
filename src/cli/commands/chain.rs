//! `partita chain`: the chains of networks, built-in and the user's. Main thread.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::{
    cli::output::{Output, note},
    engine::{
        Problem,
        separation::{
            chain::{
                Chain, MissingStems,
                file::ChainFile,
                resolve::{self, Listed},
            },
            installed::InstalledModel,
        },
    },
    i18n::fl,
};

/// Arguments of `partita chain`.
#[derive(Args, Debug)]
pub(in crate::cli) struct Arguments {
    #[command(subcommand)]
    command: ChainCommand,
}

#[derive(Debug, Subcommand)]
enum ChainCommand {
    /// List the chains and their stems
    List,
    /// Print a chain as the text of its file, to start a new one from
    Show {
        /// Name of the chain
        name: String,
    },
    /// Check a chain file: its steps, its stems, and whether their networks are installed
    Check {
        /// Chain file
        file: PathBuf,
    },
    /// Copy a chain file to your chains; the chain gets the name of the file
    Import {
        /// Chain file
        file: PathBuf,
    },
    /// Remove one of your chains; its stems are kept
    Remove {
        /// Name of the chain
        name: String,
    },
}

pub(in crate::cli) fn run(
    arguments: &Arguments,
    home: &Path,
    output: &Output,
) -> anyhow::Result<ExitCode> {
    match &arguments.command {
        ChainCommand::List => list(home, output),
        ChainCommand::Show { name } => show(name, home, output)?,
        ChainCommand::Check { file } => {
            let chain = check(file, &ChainFile::read(file)?, home)?;
            output.result(&tree_text(&chain), &chain_json(&chain));
            note_missing(&chain);
        }
        ChainCommand::Import { file } => {
            // A chain that could not be used must not be kept.
            check(file, &ChainFile::read(file)?, home)?;
            let name = resolve::import(home, file)?;
            output.result(&name, &json!({ "chain": name }));
        }
        ChainCommand::Remove { name } => {
            resolve::remove(home, name)?;
            output.result(name, &json!({ "removed": name }));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn list(home: &Path, output: &Output) {
    let models = InstalledModel::all(home);
    let (listed, faults) = resolve::listed(home);
    for fault in &faults {
        output.failed("chain", fault);
    }
    for Listed { name, file, path } in listed {
        match resolve::resolve(&name, &file, &models) {
            Ok(chain) => {
                let is_own = path.is_some();
                let stems = if chain.tree.stems().is_empty() {
                    fl!(cli_chain_unusable).to_owned()
                } else {
                    chain.stems().join(", ")
                };
                let text = format!("{name}: {stems}\n    {}", file.title);
                let mut json = chain_json(&chain);
                json["is_own"] = is_own.into();
                json["title"] = file.title.into();
                output.result(&text, &json);
                note_missing(&chain);
            }
            Err(fault) => {
                let path = path.unwrap_or_else(|| name.clone().into());
                output.failed(&name, &Problem::Chain { path, fault });
            }
        }
    }
}

fn show(name: &str, home: &Path, output: &Output) -> anyhow::Result<()> {
    let found = resolve::named(home, name)?;
    let text = found.file.text(Path::new(name))?;
    output.result(text.trim_end(), &json!({ "chain": name, "file": text }));
    Ok(())
}

/// Finds the networks of a chain file.
fn check(path: &Path, file: &ChainFile, home: &Path) -> anyhow::Result<Chain> {
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    let resolved = resolve::resolve(&name, file, &InstalledModel::all(home));
    Ok(resolved.map_err(|fault| Problem::Chain { path: path.to_owned(), fault })?)
}

/// The stems, a line each, indented below what they are a part of, with the models that make them.
fn tree_text(chain: &Chain) -> String {
    let line = |stem: usize| {
        let own = &chain.tree.stems()[stem];
        let makers: Vec<&str> = own
            .made
            .iter()
            .flat_map(|made| &made.parts)
            .map(|part| chain.steps[part.step].model.name.as_str())
            .collect();
        let makers =
            if makers.is_empty() { fl!(cli_chain_rest).to_owned() } else { makers.join(" + ") };
        format!("{}{} ({makers})", "  ".repeat(chain.tree.depth(stem)), own.name)
    };
    let lines: Vec<String> = (0..chain.tree.stems().len()).map(line).collect();
    lines.join("\n")
}

fn chain_json(chain: &Chain) -> Value {
    let names = chain.stems();
    let stem = |own: &crate::engine::separation::chain::TreeStem| {
        json!({
            "name": own.name,
            "parent": own.parent.map(|parent| &names[parent]),
            "is_rest": own.made.is_none(),
        })
    };
    let missing = |missing: &MissingStems| json!({ "stems": missing.stems, "makes": missing.makes, "model": missing.model });
    json!({
        "chain": chain.name,
        "stems": chain.tree.stems().iter().map(stem).collect::<Vec<_>>(),
        "models": chain.steps.iter().map(|step| &step.model.name).collect::<Vec<_>>(),
        "missing": chain.missing.iter().map(missing).collect::<Vec<_>>(),
    })
}

/// Names the stems that were left out, and the models that they need.
pub(in crate::cli) fn note_missing(chain: &Chain) {
    for MissingStems { stems, makes, model } in &chain.missing {
        let (name, stems) = (&chain.name, stems.join(", "));
        let text = match model {
            Some(model) => fl!(cli_chain_lacks_model, name = name, stems = stems, model = model),
            None => fl!(cli_chain_missing, name = name, stems = stems, makes = makes.join(", ")),
        };
        note(&text);
    }
}
