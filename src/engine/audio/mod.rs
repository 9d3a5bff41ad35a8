//! Audio files and samples: decoding, resampling, and analysis.
//!
//! This module depends on neither library songs nor jobs. It runs on the calling threads;
//! [`analysis`] and [`waveforms`] start their own.

pub mod analysis;
pub mod decode;
pub mod musical_key;
pub mod peaks;
pub mod repitch;
pub mod resample;
pub(in crate::engine) mod waveforms;
