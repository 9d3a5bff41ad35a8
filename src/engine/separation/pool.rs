//! The threads that separate, and how a segment is spread over them.
//!
//! One segment at a time on all threads: the first sound comes soonest and only one segment's
//! activations are in memory. candle and the kernels take their thread count from the pool that
//! they run in, so nothing is oversubscribed.

use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::{
    engine::{
        problem::{Problem, Result},
        system::limits,
        types::Compute,
    },
    model::{Precision, kernels::cpu},
    os::Os,
};

/// Whether this processor can compute in that way.
///
/// # Errors
/// [`Problem::NoFastPrecision`].
pub fn check(compute: Compute) -> Result<()> {
    if compute.precision == Precision::Fast && !cpu::has_bf16() {
        return Err(Problem::NoFastPrecision);
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
/// Those of [`check`]; [`Problem::NoThread`].
pub fn new(compute: Compute) -> Result<ThreadPool> {
    check(compute)?;
    ThreadPoolBuilder::new()
        .num_threads(compute.threads.unwrap_or_else(|| limits::threads().amount))
        .thread_name(|index| format!("separate-{index}"))
        .build()
        .map_err(|e| Problem::NoThread { cause: Os::other(e) })
}
