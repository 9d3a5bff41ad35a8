//! Words for what the engine reports: problems, notes, errors and steps of models, in the language of this
//! thread. A layer above the engine and the messages, which window and command line use. Not the English
//! of log and JSON, which is the engine's `Display`; a test compares the two. Pure, except for language
//! and medium; usable from any thread.

mod notes;
mod problem;

pub use notes::{note, notes};
pub use problem::{
    chain_fault, decode_error, device_problem, file_fault, left_out, model_error, pattern_problem,
    problem, problem_of, progress, recognised, step, system_error,
};
