//! Texts about songs and exports in the language of this thread. The messages themselves are in
//! [`crate::i18n`]. Stem names in files come from the engine, because other programs read them.

mod notes;
mod numbers;
mod problem;
mod shortcut;

pub use notes::{note, notes};
pub use numbers::*;
pub use problem::{
    device_problem, file_fault, left_out, model_error, pattern_problem, problem, progress,
    recognised, step,
};
pub use shortcut::written;
