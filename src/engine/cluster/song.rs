//! A song of a share: its line of the manifest, what is wanted of it, and its durable names. Pure.

use std::path::Path;

use super::{Entry, key::Keys};
use crate::engine::separation::batch::{Batch, Request};

/// A song of a share, with its options.
#[derive(Clone, Debug)]
pub struct Song {
    /// Its line.
    pub entry: Entry,
    /// Its files and options.
    pub request: Request,
    /// Its durable names.
    pub keys: Keys,
}

impl Song {
    /// A song; `out` is the folder of all results.
    pub fn new(entry: Entry, request: Request, batch: &Batch, out: &Path) -> Self {
        let keys = Keys::new(&request, &batch.identity(), out);
        Self { entry, request, keys }
    }
}
