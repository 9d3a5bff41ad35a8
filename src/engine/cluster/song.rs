//! A song of a share: its manifest line, its request, and its persistent names. Pure.

use std::path::Path;

use super::{Entry, key::Keys};
use crate::engine::separation::batch::{Batch, Request};

/// A song of a share, with its options.
#[derive(Clone, Debug)]
pub struct Song {
    /// Line of the manifest.
    pub entry: Entry,
    /// Files and options.
    pub request: Request,
    /// Persistent names.
    pub keys: Keys,
}

impl Song {
    /// Creates a song; `out` is the root folder of the results.
    pub fn new(entry: Entry, request: Request, batch: &Batch, out: &Path) -> Self {
        let keys = Keys::new(&request, &batch.identity(), out);
        Self { entry, request, keys }
    }
}
