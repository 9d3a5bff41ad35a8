//! The data folder of a benchmark that drives the engine.

use std::{fs, path::PathBuf};

use anyhow::{Context as _, Result};
use partita::engine::{default_home, separation::installed::DEFAULT};
use tempfile::TempDir;

/// A temporary data folder with the installed model.
pub fn home() -> Result<TempDir> {
    let home = tempfile::tempdir()?;
    let model = PathBuf::from(format!("models/{DEFAULT}.safetensors"));
    fs::create_dir(home.path().join("models"))?;
    let from = default_home()?.join(&model);
    fs::copy(&from, home.path().join(&model))
        .with_context(|| format!("{} is missing: run ./x model install", from.display()))?;
    Ok(home)
}
