//! The threads that separate, and how a segment is spread over them.
//!
//! One segment at a time on all threads: the first sound comes soonest and only one segment's
//! activations are in memory. candle and the kernels take their thread count from the pool that
//! they run in, so nothing is oversubscribed.

use rayon::{ThreadPool, ThreadPoolBuilder};

use super::{EngineError, Result, allotment};
use crate::model::{Precision, kernels::cpu};

/// On what and in what segments are computed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compute {
    /// Threads that separate; `None` for as many as this process may use.
    pub threads: Option<usize>,
    /// What products are computed in.
    pub precision: Precision,
    /// Bytes of memory that Partita may take; `None` for what the system allows.
    pub memory: Option<u64>,
}

/// Whether this processor can compute in that way.
///
/// # Errors
/// [`EngineError::Busy`] when it lacks what the precision wants.
pub fn check(compute: Compute) -> Result<()> {
    if compute.precision == Precision::Fast && !cpu::has_bf16() {
        return Err(EngineError::Busy(
            "the fast precision wants a processor that multiplies bf16 (AVX-512 BF16); this one \
             does not: choose the single precision"
                .into(),
        ));
    }
    Ok(())
}

/// Whether [`Precision::Fast`] is fast on this processor.
pub fn has_fast_precision() -> bool {
    cpu::has_bf16()
}

/// Makes the pool.
///
/// # Errors
/// Those of [`check`]; [`EngineError::Busy`] when the system gives no threads.
pub fn new(compute: Compute) -> Result<ThreadPool> {
    check(compute)?;
    ThreadPoolBuilder::new()
        .num_threads(compute.threads.unwrap_or_else(|| allotment::threads().amount))
        .thread_name(|index| format!("separate-{index}"))
        .build()
        .map_err(|e| EngineError::Busy(format!("the system gives no threads to separate on: {e}")))
}
