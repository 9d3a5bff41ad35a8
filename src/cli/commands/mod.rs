//! The subcommands, one a file. Main thread.

pub mod add;
pub mod archive;
pub mod chain;
pub mod doctor;
pub mod export;
pub mod jobs;
pub mod list;
pub mod model;
pub mod probe;
pub mod process;
pub mod progress;
pub mod report;
pub mod reset;
pub mod separate;
pub mod serve;
