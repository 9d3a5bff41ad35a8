//! Services of the operating system: files that survive a power cut, panics, threads, priorities, limits.
//!
//! Knows no song and no model. Works on any thread.

pub mod atomic_file;
pub(in crate::engine) mod digest;
pub mod limits;
pub mod panics;
pub(in crate::engine) mod priority;
pub mod single_instance;
pub mod threads;
