//! An archive of songs, separated by many machines that do not talk to one another.
//!
//! Partita is no cluster: an engine that people run already (Slurm, Kubernetes, Ray, GNU parallel)
//! starts it, once for each share of a manifest. What is done is written down beside the results, a
//! file a song, under a folder named [`STATE`]; there, too, lies what is half done, unless it is told
//! to lie elsewhere. Nothing here takes a lock, and every file gets its name when it is complete.
//!
//! - [`manifest`]: which songs. [`lengths`]: how long they are. [`shard`]: which of them are this
//!   node's.
//! - [`key`]: names that last. [`claim`]: who works on a song. [`receipt`]: what is done of it.
//! - [`run`]: a share, from its first song to its last; [`failure`]: songs that failed.
//!   [`record`]: its account of itself.
//! - [`report`]: all shares together.
//!
//! Runs on the caller's thread, the network on a pool of its own.

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
pub use run::{Run, ShardEvent, Summary};
pub use shard::Shard;
pub use song::Song;

/// Below the folder of the results: what is done, and what is half done.
pub const STATE: &str = ".partita";

/// In a try's folder: the stems.
const STEMS: &str = "stems";

/// A path as a text that tells it from every other, Unicode or not.
fn words_of(path: &Path) -> String {
    path.as_os_str().as_encoded_bytes().escape_ascii().to_string()
}
