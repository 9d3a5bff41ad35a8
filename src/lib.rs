//! Partita divides a song into its instruments on the user's own computer.
//!
//! Three rooms, one direction of dependency: [`model`] ← [`engine`] ← ([`ui`], [`cli`]).
//!
//! - [`model`] knows tensors, and no files but weights.
//! - [`engine`] owns every thread, file and device, and knows no window.
//! - [`ui`] and [`cli`] send [`engine::Command`]s and read [`engine::Event`]s.
//! - [`i18n`] has the texts of both in the user's language, and knows no other room.
//!
//! A song is decoded into a mix store, cut into overlapping segments, separated segment by segment
//! into stem stores, and read back by range by the player, the waveforms and the exports. Nothing
//! but the segments in flight is in memory.

pub mod cli;
pub mod engine;
pub mod i18n;
pub mod model;
pub mod os;
pub mod ui;

/// Lets tests prove that the audio callback does not allocate.
#[cfg(test)]
#[global_allocator]
static ALLOCATOR: assert_no_alloc::AllocDisabler = assert_no_alloc::AllocDisabler;
