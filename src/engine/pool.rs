//! The threads that separate, and how a segment is spread over them.
//!
//! One segment at a time on all threads: the first sound comes soonest and only one segment's
//! activations are in memory. candle and the kernels take their thread count from the pool that
//! they run in, so nothing is oversubscribed.

use rayon::{ThreadPool, ThreadPoolBuilder};

use super::{EngineError, Result};

/// Makes the pool; `None` is one thread for each core.
///
/// # Errors
/// [`EngineError::Busy`] when the system gives no threads.
pub fn new(threads: Option<usize>) -> Result<ThreadPool> {
    ThreadPoolBuilder::new()
        .num_threads(threads.unwrap_or(0))
        .thread_name(|index| format!("separate-{index}"))
        .build()
        .map_err(|e| EngineError::Busy(format!("the system gives no threads to separate on: {e}")))
}
