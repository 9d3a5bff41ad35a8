//! Thread priorities: computation without real-time needs leaves processor time to the audio
//! callback and the window.

/// Niceness of separating threads; a thread of default niceness gets nearly ten times as much time.
pub(in crate::engine) const SEPARATING: i32 = 10;

/// Niceness of threads for background work; separating threads get seven times as much time.
pub(in crate::engine) const IDLING: i32 = 19;

/// Raises the niceness of the calling thread to `niceness`, unless it is higher already. No effect
/// on systems without priorities per thread.
pub(in crate::engine) fn step_back(niceness: i32) {
    #[cfg(not(target_os = "linux"))]
    let _ = niceness;
    // On Linux, zero means the calling thread, not its process.
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{getpriority_process, setpriority_process};
        let is_below = getpriority_process(None).is_ok_and(|now| now >= niceness);
        if !is_below && let Err(error) = setpriority_process(None, niceness) {
            tracing::debug!("could not lower a thread's priority: {error}");
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn only_the_calling_thread_is_affected() {
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
