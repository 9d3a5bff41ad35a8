//! Thread priorities: computation without real-time needs leaves processor time to the audio
//! callback and the window.
//!
//! Linux has a niceness for each thread. The two levels are mapped to the relative priorities of
//! Windows and macOS. Acts on the calling thread.

/// Niceness of separating threads; a thread of default niceness gets nearly ten times as much time.
pub(in crate::engine) const SEPARATING: i32 = 10;

/// Niceness of threads for background work; separating threads get seven times as much time.
pub(in crate::engine) const IDLING: i32 = 19;

/// Raises the niceness of the calling thread to `niceness`, unless it is higher already. No effect
/// on systems without priorities per thread.
#[cfg(target_os = "linux")]
pub(in crate::engine) fn step_back(niceness: i32) {
    use rustix::process::{getpriority_process, setpriority_process};
    // On Linux, zero means the calling thread, not its process.
    let is_below = getpriority_process(None).is_ok_and(|now| now >= niceness);
    if !is_below && let Err(error) = setpriority_process(None, niceness) {
        tracing::debug!("could not lower a thread's priority: {error}");
    }
}

/// Lowers the priority of the calling thread to that of `niceness`, unless it is lower already.
#[cfg(windows)]
pub(in crate::engine) fn step_back(niceness: i32) {
    use thread_priority::{
        ThreadPriority, WinAPIThreadPriority as Level, get_current_thread_priority,
        set_current_thread_priority,
    };
    let wanted = if niceness >= IDLING { Level::Lowest } else { Level::BelowNormal };
    let lowest = ThreadPriority::Os(Level::Lowest.into());
    if get_current_thread_priority().is_ok_and(|now| now == lowest) {
        return;
    }
    if let Err(error) = set_current_thread_priority(ThreadPriority::Os(wanted.into())) {
        tracing::debug!("could not lower a thread's priority: {error:?}");
    }
}

/// Lowers the priority of the calling thread to that of `niceness`, unless it is lower already.
#[cfg(target_os = "macos")]
pub(in crate::engine) fn step_back(niceness: i32) {
    use objc2_foundation::NSThread;
    // From 0 to 1; a new thread has 0.5. Classes of service can only be chosen before a thread starts,
    // which std does not offer.
    let wanted = if niceness >= IDLING { 0.0 } else { 0.25 };
    if NSThread::threadPriority_class() > wanted && !NSThread::setThreadPriority_class(wanted) {
        tracing::debug!("could not lower a thread's priority");
    }
}

/// No effect: these systems have no priorities per thread.
#[cfg(not(any(target_os = "linux", target_os = "macos", windows)))]
pub(in crate::engine) fn step_back(_niceness: i32) {}

#[cfg(all(test, windows))]
mod tests {
    use thread_priority::{
        ThreadPriority, WinAPIThreadPriority as Level, get_current_thread_priority,
    };

    use super::*;

    #[test]
    fn only_the_calling_thread_is_affected() {
        let now = || get_current_thread_priority().unwrap();
        let before = now();
        let stepped = std::thread::spawn(move || {
            step_back(SEPARATING);
            let first = now();
            step_back(IDLING);
            step_back(SEPARATING);
            (first, now())
        });
        let expected =
            [Level::BelowNormal, Level::Lowest].map(|level| ThreadPriority::Os(level.into()));
        assert_eq!(<[_; 2]>::from(stepped.join().unwrap()), expected);
        assert_eq!(now(), before);
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
