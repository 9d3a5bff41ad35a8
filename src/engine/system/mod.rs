//! Operating system services: files that survive a power failure, panics, threads, priorities, limits.
//!
//! Independent of songs and models. Callable from any thread.

pub mod atomic_file;
pub(in crate::engine) mod digest;
pub mod limits;
pub mod panics;
pub(in crate::engine) mod priority;
pub mod single_instance;
pub mod threads;
