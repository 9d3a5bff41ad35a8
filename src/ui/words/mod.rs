//! Texts of the window in the language of this thread: numbers and shortcuts, and [`crate::words`]. The
//! messages themselves are in [`crate::i18n`]. Stem names in files come from the engine, because other
//! programs read them.

mod instrument;
mod numbers;
mod shortcut;

pub use crate::words::{
    chain_fault, device_problem, file_fault, left_out, model_error, note, notes, pattern_problem,
    problem, problem_of, progress, recognised, step,
};
use crate::{
    engine::Problem,
    model::ModelError::{Installing, NotInstalled},
};
pub use instrument::{full_instrument, full_title, instrument};
pub use numbers::*;
pub use shortcut::written;

/// A problem as a sentence of its own, with an initial capital. A model's name keeps its letters.
pub fn sentence(of: &Problem) -> String {
    let text = problem(of);
    match of {
        Problem::Model(NotInstalled { .. } | Installing { .. }) | Problem::Elsewhere { .. } => text,
        _ => capitalised(&text),
    }
}
