//! Work whose bugs end it and nothing else: a panic becomes an error with its words.
//!
//! Runs on the caller's thread.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::engine::problem::{Activity, Problem, Result};

/// Does `work`; a panic in it is logged and becomes [`Problem::Internal`].
///
/// # Errors
/// Those of the work, and that.
pub fn caught<T>(doing: Activity, work: impl FnOnce() -> Result<T>) -> Result<T> {
    // What the work had in its hands is thrown away with it, or checked before its next use.
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|cause| {
        let text = cause.downcast_ref::<&str>().copied();
        let words = text.or(cause.downcast_ref::<String>().map(String::as_str));
        let cause = words.unwrap_or("no reason given").to_owned();
        tracing::error!("internal error while {doing}: {cause}");
        Err(Problem::Internal { doing, cause })
    })
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
}
