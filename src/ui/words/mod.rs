//! Texts about songs and exports in the language of this thread. The messages themselves
//! are in [`crate::i18n`]; names of stems in files, which other programs read, are the engine's.

mod numbers;
mod told;

pub use numbers::*;
pub use told::told;
