//! Handling of panics: a bug becomes an error of the affected work, and damaged input that makes a
//! library panic becomes a result.
//!
//! [`caught`] is for the program's own work: the panic is logged and becomes [`Problem::Internal`].
//! [`guarded`] is for libraries that panic on some untrusted files: nothing is printed. Callable
//! from any thread.

use std::{
    cell::Cell,
    panic::{AssertUnwindSafe, catch_unwind},
};

use crate::engine::problem::{Activity, Problem, Result};

/// Runs `work`; a panic is logged and becomes [`Problem::Internal`].
///
/// # Errors
/// Fails with the errors of `work`, and with [`Problem::Internal`].
pub fn caught<T>(doing: Activity, work: impl FnOnce() -> Result<T>) -> Result<T> {
    contained(work).unwrap_or_else(|cause| {
        tracing::error!("internal error while {doing}: {cause}");
        Err(Problem::Internal { doing, cause })
    })
}

/// Calls `work`; a panic in it is an error with the panic's message.
pub(super) fn contained<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    // State that the work held is dropped with it, or checked before its next use.
    catch_unwind(AssertUnwindSafe(work)).map_err(|cause| {
        let text = cause.downcast_ref::<&str>().copied();
        let message = text.or(cause.downcast_ref::<String>().map(String::as_str));
        message.unwrap_or("no reason given").to_owned()
    })
}

thread_local! {
    /// Nesting depth of guarded calls on this thread.
    static DEPTH: Cell<usize> = const { Cell::new(0) };
}

/// Calls `work`; `None` if it panics. Its data must not be used after a panic.
pub fn guarded<T>(work: impl FnOnce() -> T) -> Option<T> {
    DEPTH.with(|depth| depth.set(depth.get() + 1));
    let result = catch_unwind(AssertUnwindSafe(work)).ok();
    DEPTH.with(|depth| depth.set(depth.get() - 1));
    result
}

/// Installs a panic hook that logs panics in guarded calls at the lowest level instead of printing
/// them; other panics are printed as before. To be called at program start.
pub fn hush() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if DEPTH.try_with(Cell::get).unwrap_or(0) > 0 {
            tracing::debug!("guarded: {info}");
        } else {
            usual(info);
        }
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_an_error_with_its_message() {
        let number = std::hint::black_box(7);
        let error = caught::<()>(Activity::Playing, || panic!("no {number}")).unwrap_err();
        let message = error.to_string();
        assert!(message.contains("playing") && message.contains("no 7"), "{message}");
        assert_eq!(caught(Activity::Playing, || Ok(3)).unwrap(), 3);
    }

    #[test]
    fn a_guarded_panic_becomes_none() {
        assert_eq!(guarded(|| 7), Some(7));
        assert_eq!(guarded(|| -> u8 { panic!("on purpose") }), None);
        assert_eq!(guarded(|| guarded(|| -> u8 { panic!("on purpose") })), Some(None));
        assert_eq!(DEPTH.get(), 0);
    }
}
