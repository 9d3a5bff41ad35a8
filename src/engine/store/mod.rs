//! Stores: a song's mix and its stems as files of raw samples, read by range.
//!
//! A store knows frames and segments, and nothing of songs, jobs or models. Samples are
//! little-endian `f32`, interleaved stereo. Any thread may read while one writes: reads and writes
//! name their place in the file, and a segment counts only once its bytes are on the disk.

mod mix;
mod raw;
mod stems;
pub mod track;

pub use mix::{MixStore, MixWriter};
pub use stems::{StemStore, WriteLock};
