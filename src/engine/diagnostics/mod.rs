//! Diagnosis of an installation: the checks of `partita doctor`, and the report that a user sends.
//!
//! Reads all other parts of the engine and changes none. Callable from any thread.

pub mod bug_report;
pub mod doctor;
