//! Partita separates a song into its instruments, on the user's own computer.
//!
//! Layers, each using only those on its left: [`model`] ← [`engine`] ← [`words`] ← ([`ui`], [`cli`]).
//!
//! - [`model`]: networks, their kernels and their weights. It reads no files but weights.
//! - [`engine`]: every thread, file and device. It contains nothing of the window.
//! - [`ui`], [`cli`]: the window and the command line. They send [`engine::Command`]s and receive
//!   [`engine::Event`]s.
//! - [`words`]: the engine's problems and notes in the user's language.
//! - [`i18n`]: the messages of all three in the user's language. It uses no other layer.
//! - [`os`]: errors of the operating system as data; [`file_lock`]: locks across processes;
//!   [`file_moves`]: renames and removals; [`file_identity`]: whether a path names an open file.
//!   Every layer may use them.
//!
//! The engine by subject:
//!
//! - [`engine::library`]: songs and jobs, imports, recovery. [`engine::store`]: samples on disk.
//! - [`engine::audio`]: decoding, resampling, analysis, waveforms. [`engine::player`]: playback.
//! - [`engine::separation`]: from a mix store to stem stores. [`engine::export`]: from stores to
//!   files.
//! - [`engine::cluster`]: archives on many machines. [`engine::system`]: what the system offers.
//! - [`engine::settings`]: the settings. [`engine::diagnostics`]: the machine, and bug reports.
//! - [`engine::problem`]: errors as data, and the policy that follows from them.
//!
//! A song is decoded into a mix store, cut into overlapping segments, and separated segment by
//! segment into stem stores. Player, waveforms and exports read the stores by range. Only the
//! segments that are being computed are in memory. `docs/architecture.md` follows one song through
//! the files, and lists the threads and the stores.

pub mod cli;
pub mod engine;
pub mod file_identity;
pub mod file_lock;
pub mod file_moves;
pub mod i18n;
pub mod model;
pub mod os;
pub mod serve;
pub mod ui;
pub mod words;

/// Lets tests prove that the audio callback does not allocate.
#[cfg(test)]
#[global_allocator]
static ALLOCATOR: assert_no_alloc::AllocDisabler = assert_no_alloc::AllocDisabler;
