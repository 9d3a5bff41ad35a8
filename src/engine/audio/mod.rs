//! Sound in files and in memory: decoding, resampling, and what is found out about a song's sound.
//!
//! Knows no song of the library and no job. Runs on the threads of its callers; [`analysis`] and
//! [`waveforms`] start their own.

pub mod analysis;
pub mod decode;
pub mod musical_key;
pub mod peaks;
pub mod resample;
pub(in crate::engine) mod waveforms;
