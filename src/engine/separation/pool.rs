//! Threads for separation, and the distribution of work among them.
//!
//! All threads work on one segment at a time, so that the first result arrives soonest and only one
//! segment's activations are in memory. The kernels and candle take their thread count from the
//! pool that runs them, so nothing is oversubscribed.

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

/// Checks that this processor supports the requested precision.
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

/// The precision of a job: a draft is computed in [`Precision::Fast`] where that is fast.
pub fn precision_for(requested: Precision, is_draft: bool) -> Precision {
    if is_draft && has_fast_precision() { Precision::Fast } else { requested }
}

/// Creates the pool.
///
/// # Errors
/// Fails with the errors of [`check`]; [`Problem::NoThread`].
pub fn new(compute: Compute) -> Result<ThreadPool> {
    check(compute)?;
    ThreadPoolBuilder::new()
        .num_threads(compute.threads.unwrap_or_else(|| limits::threads().amount))
        .thread_name(|index| format!("separate-{index}"))
        .build()
        .map_err(|e| Problem::NoThread { cause: Os::other(e) })
}
