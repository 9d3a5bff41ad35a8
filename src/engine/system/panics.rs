//! Panics: a bug becomes an error of the work that has it, and damage that makes a library panic
//! becomes a result.
//!
//! [`caught`] is for the program's own work: the panic is logged and becomes [`Problem::Internal`].
//! [`guarded`] is for libraries that read files from anywhere and panic on some of them: nothing is
//! printed. Works on any thread.

use std::{
    cell::Cell,
    panic::{AssertUnwindSafe, catch_unwind},
};

use crate::engine::problem::{Activity, Problem, Result};

/// Does `work`; a panic in it is logged and becomes [`Problem::Internal`].
///
/// # Errors
/// Those of the work, and that.
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
    /// How many guarded calls this thread is in.
    static DEPTH: Cell<usize> = const { Cell::new(0) };
}

/// Calls `work`; `None` when it panics. What it worked on must not be used any more then.
pub fn guarded<T>(work: impl FnOnce() -> T) -> Option<T> {
    DEPTH.with(|depth| depth.set(depth.get() + 1));
    let result = catch_unwind(AssertUnwindSafe(work)).ok();
    DEPTH.with(|depth| depth.set(depth.get() - 1));
    result
}

/// From now on a panic in a guarded call goes to the log, at its lowest level, and to nobody's
/// terminal; every other is told as before. For the start of a program.
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
    fn a_panic_is_an_error_with_its_words() {
        let number = std::hint::black_box(7);
        let error = caught::<()>(Activity::Playing, || panic!("no {number}")).unwrap_err();
        let words = error.to_string();
        assert!(words.contains("playing") && words.contains("no 7"), "{words}");
        assert_eq!(caught(Activity::Playing, || Ok(3)).unwrap(), 3);
    }

    #[test]
    fn a_panic_is_no_result() {
        assert_eq!(guarded(|| 7), Some(7));
        assert_eq!(guarded(|| -> u8 { panic!("on purpose") }), None);
        assert_eq!(guarded(|| guarded(|| -> u8 { panic!("on purpose") })), Some(None));
        assert_eq!(DEPTH.get(), 0);
    }
}
