//! Separation of a song into stems: plan, models, memory, and execution.
//!
//! Independent of commands, events and the queue. Runs on the calling thread; segments are computed
//! on the threads of [`pool`].

pub mod batch;
pub mod chain;
pub mod device;
pub mod estimate;
pub mod installed;
pub mod loaded_chain;
pub mod memory;
pub mod options;
pub mod plan;
pub mod pool;
pub mod run;
pub mod scheduler;
