//! Threads: every thread of the program is started, named, guarded and joined here.
//!
//! The exception is rayon's pool for the network, which starts its own threads (`separation/pool`).
//! The model starts none: it computes on its caller's thread. Works on any thread.

use std::{
    io, iter,
    sync::{Mutex, PoisonError},
    thread::{self, JoinHandle, ThreadId},
};

use super::{panics, priority};
use crate::engine::problem::{Problem, Result};

/// A running thread. Dropping it waits for the thread's end, so the owner must first drop or signal
/// the thing on which the thread blocks.
#[derive(Debug)]
pub struct Thread<T = ()> {
    /// The result is `None` after a panic.
    handle: Option<JoinHandle<Option<T>>>,
}

/// The error of a thread that could not be started.
#[derive(Debug, thiserror::Error)]
#[error("could not start a thread: {0}")]
pub struct NoThread(pub io::Error);

impl From<NoThread> for Problem {
    fn from(NoThread(cause): NoThread) -> Self {
        Self::NoThread { cause: cause.into() }
    }
}

impl From<NoThread> for io::Error {
    fn from(NoThread(cause): NoThread) -> Self {
        cause
    }
}

/// Starts a thread. A panic ends only this thread, and is logged.
///
/// # Errors
/// [`NoThread`] if the system has no thread left.
pub fn start<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<Thread<T>, NoThread> {
    let guarded = guarded(name, work);
    let handle = thread::Builder::new().name(name.to_owned()).spawn(guarded).map_err(NoThread)?;
    Ok(Thread { handle: Some(handle) })
}

/// Starts a thread of the lowest priority, for work without a deadline.
///
/// # Errors
/// [`NoThread`] if the system has no thread left.
pub(in crate::engine) fn start_idle<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<Thread<T>, NoThread> {
    start(name, || {
        priority::step_back(priority::IDLING);
        work()
    })
}

/// Processes items in parallel on at most `threads` threads, including the calling one. The results
/// are in no particular order. All threads end before the function returns. If the system has no
/// thread left, fewer take part.
///
/// # Errors
/// [`Problem::ThreadEnded`] after a panic in the work.
pub(in crate::engine) fn in_parallel<I: Send, T: Send>(
    name: &str,
    threads: usize,
    items: Vec<I>,
    work: impl Fn(I) -> T + Sync,
) -> Result<Vec<T>> {
    let helpers = threads.min(items.len()).saturating_sub(1);
    let items = Mutex::new(items.into_iter());
    let next = || items.lock().unwrap_or_else(PoisonError::into_inner).next();
    let drain = || iter::from_fn(&next).map(&work).collect::<Vec<T>>();
    let results: Option<Vec<Vec<T>>> = thread::scope(|scope| {
        let start = |_| {
            let builder = thread::Builder::new().name(name.to_owned());
            builder.spawn_scoped(scope, guarded(name, &drain)).ok()
        };
        let helpers: Vec<_> = (0..helpers).filter_map(start).collect();
        let own = guarded(name, &drain)();
        let others = helpers.into_iter().map(|thread| thread.join().ok().flatten());
        iter::once(own).chain(others).collect()
    });
    Ok(results.ok_or(Problem::ThreadEnded)?.into_iter().flatten().collect())
}

/// Wraps work so that a panic is logged and returned as `None`.
fn guarded<T, F: FnOnce() -> T>(name: &str, work: F) -> impl FnOnce() -> Option<T> + use<T, F> {
    let name = name.to_owned();
    move || match panics::contained(work) {
        Ok(result) => Some(result),
        Err(cause) => {
            tracing::error!("the thread `{name}` panicked: {cause}");
            None
        }
    }
}

impl<T> Thread<T> {
    /// The thread's identity, equal to [`current`] on the thread itself.
    pub fn id(&self) -> Option<ThreadId> {
        self.handle.as_ref().map(|handle| handle.thread().id())
    }

    /// Waits for the thread's end.
    ///
    /// # Errors
    /// [`Problem::ThreadEnded`] after a panic.
    pub fn join(mut self) -> Result<T> {
        let result = self.handle.take().and_then(|handle| handle.join().ok().flatten());
        result.ok_or(Problem::ThreadEnded)
    }

    /// Lets the thread outlive its owner. Callers state their reason in a comment.
    pub fn detach(mut self) {
        drop(self.handle.take());
    }
}

impl<T> Drop for Thread<T> {
    fn drop(&mut self) {
        // The thread may drop its own handle, and cannot wait for itself.
        if let Some(handle) = self.handle.take().filter(|handle| handle.thread().id() != current())
        {
            drop(handle.join());
        }
    }
}

/// The identity of the calling thread.
pub fn current() -> ThreadId {
    thread::current().id()
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    };

    use super::*;

    #[test]
    fn a_thread_has_its_name_and_returns_its_result() {
        let name = || thread::current().name().map(str::to_owned);
        let thread = start("worker", move || (name(), current())).unwrap();
        let id = thread.id();
        let (name, own) = thread.join().unwrap();
        assert_eq!((name.as_deref(), Some(own)), (Some("worker"), id));
        assert_ne!(own, current());
    }

    #[test]
    fn a_panic_ends_the_thread_alone() {
        let thread = start("worker", || panic!("on purpose")).unwrap();
        assert_eq!(thread.join(), Err::<(), _>(Problem::ThreadEnded));
    }

    #[test]
    fn dropping_waits_for_the_end_and_detaching_does_not() {
        let ended = Arc::new(AtomicBool::new(false));
        let (sender, receiver) = crossbeam_channel::bounded::<()>(1);
        let work = {
            let (ended, receiver) = (Arc::clone(&ended), receiver.clone());
            move || {
                receiver.recv().ok();
                ended.store(true, Ordering::Relaxed);
            }
        };
        let thread = start("worker", work.clone()).unwrap();
        sender.send(()).unwrap();
        drop(thread);
        assert!(ended.swap(false, Ordering::Relaxed));
        start("worker", work).unwrap().detach();
        assert!(!ended.load(Ordering::Relaxed), "it still waits");
        drop(sender);
    }

    #[test]
    fn a_handle_that_its_own_thread_drops_does_not_wait() {
        let (sender, receiver) = crossbeam_channel::bounded::<Thread>(1);
        let (ended, end) = crossbeam_channel::bounded(1);
        let work = move || {
            drop(receiver.recv().unwrap());
            ended.send(()).unwrap();
        };
        sender.send(start("worker", work).unwrap()).unwrap();
        end.recv_timeout(std::time::Duration::from_secs(20)).unwrap();
    }

    #[test]
    fn items_are_worked_on_at_the_same_time() {
        let barrier = std::sync::Barrier::new(4);
        let mut numbers: Vec<usize> = (0..4).collect();
        let ids = in_parallel("items", 4, numbers.iter_mut().collect(), |number| {
            *number += 1;
            barrier.wait(); // passes only if four threads are here
            current()
        });
        let ids: std::collections::HashSet<_> = ids.unwrap().into_iter().collect();
        assert!(ids.len() == 4 && ids.contains(&current()));
        assert_eq!(numbers, [1, 2, 3, 4]);
        assert_eq!(in_parallel("items", 4, Vec::<u8>::new(), |_| ()).unwrap(), []);
        let result = in_parallel("items", 2, numbers, |number| assert_ne!(number, 3));
        assert_eq!(result, Err(Problem::ThreadEnded));
    }

    #[cfg(target_os = "linux")] // elsewhere, threads have no niceness of their own
    #[test]
    fn an_idle_thread_steps_back() {
        let thread = start_idle("idle", || rustix::process::getpriority_process(None).unwrap());
        assert_eq!(thread.unwrap().join().unwrap(), priority::IDLING);
    }
}
