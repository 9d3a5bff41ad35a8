//! Work whose bugs end it and nothing else: a panic becomes an error with its words.
//!
//! Runs on the caller's thread.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::{EngineError, Result};

/// Does `work`; a panic in it is logged and becomes [`EngineError::Stumbled`] over `what`.
///
/// # Errors
/// Those of the work, and that.
pub fn caught<T>(what: &'static str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    // What the work had in its hands is thrown away with it, or checked before its next use.
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|cause| {
        let text = cause.downcast_ref::<&str>().copied();
        let words = text.or(cause.downcast_ref::<String>().map(String::as_str));
        let words = words.unwrap_or("no reason given").to_owned();
        tracing::error!("{what} made Partita stumble: {words}");
        Err(EngineError::Stumbled { what, words })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error_with_its_words() {
        let number = std::hint::black_box(7);
        let error = caught::<()>("counting", || panic!("no {number}")).unwrap_err();
        let words = error.in_words();
        assert!(words.contains("counting") && words.contains("no 7"), "{words}");
        assert_eq!(caught("counting", || Ok(3)).unwrap(), 3);
    }
}
