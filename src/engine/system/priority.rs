//! Threads that step back: what computes without a listener waiting for each sample leaves the audio
//! callback, and the window, their time.

/// How nice the threads are that separate: the scheduler gives one of the usual niceness nearly ten
/// times as much.
pub(in crate::engine) const SEPARATING: i32 = 10;

/// How nice one is whose work nobody waits for: those that separate get seven times as much.
pub(in crate::engine) const IDLING: i32 = 19;

/// Makes the calling thread so nice, unless it is nicer. Where the system has no such thing per
/// thread it stays as it is.
pub(in crate::engine) fn step_back(niceness: i32) {
    #[cfg(not(target_os = "linux"))]
    let _ = niceness;
    // On Linux, zero means the calling thread, not its process.
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{getpriority_process, setpriority_process};
        let is_below = getpriority_process(None).is_ok_and(|now| now >= niceness);
        if !is_below && let Err(error) = setpriority_process(None, niceness) {
            tracing::debug!("a thread keeps its priority: {error}");
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn only_the_calling_thread_steps_back() {
        let niceness = || rustix::process::getpriority_process(None).unwrap();
        let before = niceness();
        let stepped = std::thread::Builder::new().spawn(move || {
            step_back(SEPARATING);
            niceness()
        });
        assert_eq!(stepped.unwrap().join().unwrap(), SEPARATING.max(before));
        assert_eq!(niceness(), before);
    }
}
