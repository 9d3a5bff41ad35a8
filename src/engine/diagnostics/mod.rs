//! Diagnosis of an installation: the checks of `partita doctor`, and the report that a user sends.
//!
//! Reads every other part of the engine, and changes none. Works on any thread.

pub mod bug_report;
pub mod doctor;
