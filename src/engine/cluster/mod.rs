//! An archive of songs, separated by many machines that do not communicate.
//!
//! Partita is not a scheduler: an existing one (Slurm, Kubernetes, Ray, GNU parallel) starts it
//! once per share of a manifest. Completed songs are recorded next to the results, one file per
//! song, in a folder named [`STATE`]. Unfinished work lies there, too, unless another folder is
//! given. Nothing here takes a lock, and every file is renamed to its final name when complete.
//!
//! - [`manifest`]: list of songs. [`lengths`]: their lengths. [`shard`]: this node's share.
//! - [`key`]: persistent names. [`claim`]: ownership of a song. [`receipt`]: completed work.
//! - [`run`]: processing of a share; [`failure`]: failed songs. [`record`]: progress of a share.
//! - [`report`]: summary of all shares.
//!
//! Runs on the calling thread, with a separate pool for the network.

pub mod claim;
pub mod failure;
pub mod key;
pub mod lengths;
mod liveness;
pub mod manifest;
pub mod receipt;
pub mod record;
pub mod report;
pub mod run;
pub mod shard;
pub mod song;

use std::path::Path;

pub use manifest::{Entry, Manifest};
pub use run::{Run, ShardEvent, Stop, Summary};
pub use shard::Shard;
pub use song::Song;

/// Folder below the results for completed and unfinished work.
pub const STATE: &str = ".partita";

/// Folder of the stems in a try's folder.
const STEMS: &str = "stems";

/// Escapes a path to a unique text, Unicode or not.
fn escaped(path: &Path) -> String {
    path.as_os_str().as_encoded_bytes().escape_ascii().to_string()
}
