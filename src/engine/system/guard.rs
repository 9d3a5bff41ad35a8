//! Calls into libraries that read what anybody may have written, and panic on some of it.
//!
//! A panic there is a kind of damage that the file has, and is told as such: nothing of it is
//! printed, and the program goes on. Works on any thread.

use std::{
    cell::Cell,
    panic::{AssertUnwindSafe, catch_unwind},
};

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
    fn a_panic_is_no_result() {
        assert_eq!(guarded(|| 7), Some(7));
        assert_eq!(guarded(|| -> u8 { panic!("on purpose") }), None);
        assert_eq!(guarded(|| guarded(|| -> u8 { panic!("on purpose") })), Some(None));
        assert_eq!(DEPTH.get(), 0);
    }
}
