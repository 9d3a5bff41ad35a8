//! Threads that step back: what computes without a listener waiting for each sample leaves the audio
//! callback, and the window, their time.

/// How nice such threads are: the scheduler gives one of the usual niceness nearly ten times as much.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;

/// Makes the calling thread one that steps back. Where the system has no such thing per thread it
/// stays as it is.
pub(super) fn step_back() {
    // On Linux, zero means the calling thread, not its process.
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{getpriority_process, setpriority_process};
        let is_below = getpriority_process(None).is_ok_and(|niceness| niceness >= NICENESS);
        if !is_below && let Err(error) = setpriority_process(None, NICENESS) {
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
            step_back();
            niceness()
        });
        assert_eq!(stepped.unwrap().join().unwrap(), NICENESS.max(before));
        assert_eq!(niceness(), before);
    }
}
