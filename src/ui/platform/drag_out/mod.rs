//! Files dragged out of the window, into a file manager or a DAW.
//!
//! winit and egui take drops, but begin no drags; this does, and knows nothing of either. [`start`]
//! is called while the left button is held; from there a thread of its own follows the pointer and
//! talks to the programs below it, until the button is let go and the files are taken or refused.
//! Nothing here blocks the caller.
//!
//! Linux alone, under X11, where the window always is (through `XWayland` under Wayland, whose
//! compositor hands the drag on to its own windows or does not). macOS and Windows have other
//! protocols, spoken from the window's own thread; the crate `drag` has them, but nobody has tried
//! it here yet. There [`is_possible`] says no, and the window should not offer it.
//!
//! What is dropped is a list of paths. A file manager copies the files after it has said that it
//! took them, and a DAW may go on playing them from where they are: they are not to be removed when
//! the drag is over.
//!
//! There is no picture below the pointer. Its shape is the window's to choose ([`Drag::state`]
//! tells whether the files would be taken), because the window holds the pointer as long as the
//! button is down.

#[cfg(target_os = "linux")]
mod protocol;
#[cfg(target_os = "linux")]
mod uri;
#[cfg(target_os = "linux")]
mod x11;

use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

#[cfg(target_os = "linux")]
use crate::engine::system::threads::{self, Thread};

/// How far a drag is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It goes on. `accepted`: what is below the pointer would take the files.
    Dragging {
        /// Whether letting go would drop them.
        accepted: bool,
    },
    /// They were taken.
    Dropped,
    /// The button was let go where nothing takes them, or the taker thought better of it.
    Refused,
    /// By Escape, or by [`Drag`] going.
    Cancelled,
    /// It could not be done.
    Failed(Failure),
}

/// Why a drag failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The program on which the files were dropped did not take them.
    NotTaken,
    /// The window system, or the system, refused; its English text.
    System(String),
}

/// A drag that was started. When this goes before the files are dropped, the drag is cancelled;
/// later, they are still handed over.
#[derive(Debug)]
pub struct Drag {
    shared: Arc<Shared>,
}

impl Drag {
    /// How far it is. Anything but [`State::Dragging`] is the end of it.
    pub fn state(&self) -> State {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Drag {
    fn drop(&mut self) {
        self.shared.cancelled.store(true, Ordering::Relaxed);
    }
}

/// What the caller and the thread share.
struct Shared {
    state: Mutex<State>,
    cancelled: AtomicBool,
    waker: Arc<dyn Fn() + Send + Sync>,
}

impl Shared {
    /// Tells the caller, if it is news.
    fn tell(&self, state: State) {
        let mut told = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if *told != state {
            *told = state;
            drop(told);
            (self.waker)();
        }
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("state", &self.state).finish_non_exhaustive()
    }
}

/// Whether files can be dragged out of the window on this system.
pub fn is_possible() -> bool {
    cfg!(target_os = "linux")
        && std::env::var_os("DISPLAY").is_some_and(|display| !display.is_empty())
}

/// Starts a drag of these files, which are there and stay there, from the window in which the left
/// mouse button is held. `waker` is called, from another thread, whenever the state has
/// changed.
pub fn start(files: Vec<PathBuf>, waker: Arc<dyn Fn() + Send + Sync>) -> Drag {
    let state = Mutex::new(State::Dragging { accepted: false });
    let shared = Arc::new(Shared { state, cancelled: AtomicBool::new(false), waker });
    if let Err(error) = start_thread(files, &shared) {
        shared.tell(State::Failed(Failure::System(error)));
    }
    Drag { shared }
}

#[cfg(target_os = "linux")]
fn start_thread(files: Vec<PathBuf>, shared: &Arc<Shared>) -> Result<(), String> {
    let shared = Arc::clone(shared);
    let work = move || {
        let tell = |state| shared.tell(state);
        let end = x11::drag(&files, &|| shared.cancelled.load(Ordering::Relaxed), &tell);
        tell(end.unwrap_or_else(|error| State::Failed(Failure::System(format!("{error:#}")))));
    };
    // Detached: it ends when the drag ends, or is cancelled by its handle.
    threads::start("drag", work).map(Thread::detach).map_err(|error| error.to_string())
}

#[cfg(not(target_os = "linux"))]
fn start_thread(files: Vec<PathBuf>, _shared: &Arc<Shared>) -> Result<(), String> {
    drop(files);
    Err("files cannot be dragged out of the window on this system".to_owned())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    fn shared() -> (Arc<Shared>, Arc<AtomicUsize>) {
        let calls = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&calls);
        let waker = Arc::new(move || {
            counted.fetch_add(1, Ordering::Relaxed);
        });
        let state = Mutex::new(State::Dragging { accepted: false });
        (Arc::new(Shared { state, cancelled: AtomicBool::new(false), waker }), calls)
    }

    #[test]
    fn the_waker_is_called_for_news_alone() {
        let (shared, calls) = shared();
        let drag = Drag { shared: Arc::clone(&shared) };
        for accepted in [false, true, true, false] {
            shared.tell(State::Dragging { accepted });
            assert_eq!(drag.state(), State::Dragging { accepted });
        }
        shared.tell(State::Dropped);
        assert_eq!(drag.state(), State::Dropped);
        assert_eq!(calls.load(Ordering::Relaxed), 3);
    }

    #[test]
    fn a_drag_that_nobody_holds_is_cancelled() {
        let (shared, _) = shared();
        let drag = Drag { shared: Arc::clone(&shared) };
        assert!(!shared.cancelled.load(Ordering::Relaxed));
        drop(drag);
        assert!(shared.cancelled.load(Ordering::Relaxed));
    }
}
