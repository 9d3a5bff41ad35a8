//! Stores: a song's mix and stems as files of raw samples, readable by range.
//!
//! Stores handle frames and segments, independent of songs and jobs. Samples are
//! little-endian `f32`, interleaved stereo. Any thread may read while another writes: all accesses
//! use absolute offsets, and a segment only becomes valid once its bytes are on the disk.

mod mix;
mod raw;
mod stems;
pub mod track;
mod tree;

pub use mix::{MixStore, MixWriter};
pub use stems::{StemStore, WriteLock};
pub use tree::{At, StemTree, TreeLock};
