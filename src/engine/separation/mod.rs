//! Separation of a song into stems: its plan, its models, its memory, and its run.
//!
//! Knows no command, no event and no queue. Runs on the caller's thread; segments are computed on
//! the threads of [`pool`].

pub mod batch;
pub mod estimate;
pub mod installed;
pub mod loaded_model;
pub mod memory;
pub mod options;
pub mod plan;
pub mod pool;
pub mod run;
pub mod scheduler;
pub mod verdict;
