//! Drags of files out of the window, into a file manager or a DAW.
//!
//! winit and egui accept drops but cannot start drags; this module does, and depends on neither.
//! [`start`] is called while the left button is held. From then on a separate thread follows the
//! pointer and talks to the programs below it until the files are accepted or refused. Nothing here
//! blocks the caller.
//!
//! Supports Linux under X11, including `XWayland` under Wayland, whose compositor may pass the drag
//! on to its own windows. macOS and Windows have other protocols, which need the window's own
//! thread and unsafe code; `docs/platforms.md` says why the crate `drag` is not used for them. On
//! those systems [`is_possible`] returns false, and the window must not offer drags.
//!
//! A drop hands over a list of paths. The files must outlive the drag: a file manager copies them
//! after it has confirmed the drop, and a DAW may play them in place.
//!
//! The drag shows no picture below the pointer. The window sets the pointer's shape from
//! [`Drag::state`], because the window holds the pointer while the button is down.

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

/// State of a drag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// The drag continues. `accepted`: the program below the pointer would take the files.
    Dragging {
        /// Whether releasing the button would drop the files.
        accepted: bool,
    },
    /// The target took the files.
    Dropped,
    /// The button was released over no target, or the target withdrew its acceptance.
    Refused,
    /// The user pressed Escape, or [`Drag`] was dropped.
    Cancelled,
    /// The drag failed.
    Failed(Failure),
}

/// Why a drag failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The target did not take the dropped files.
    NotTaken,
    /// The window system or the operating system refused; the text is English.
    System(String),
}

/// A running drag. Dropping this value before the files are dropped cancels the drag; afterwards,
/// the files are still handed over.
#[derive(Debug)]
pub struct Drag {
    shared: Arc<Shared>,
}

impl Drag {
    /// The current state. Every state except [`State::Dragging`] is final.
    pub fn state(&self) -> State {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Drag {
    fn drop(&mut self) {
        self.shared.cancelled.store(true, Ordering::Relaxed);
    }
}

/// State shared by the caller and the thread.
struct Shared {
    state: Mutex<State>,
    cancelled: AtomicBool,
    waker: Arc<dyn Fn() + Send + Sync>,
}

impl Shared {
    /// Sets the state and notifies the caller if the state has changed.
    fn set_state(&self, state: State) {
        let mut current = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if *current != state {
            *current = state;
            drop(current);
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

/// Starts a drag of these files from the window in which the left mouse button is held. The files
/// must exist and must not be removed. `waker` is called from another thread whenever the state has
/// changed.
pub fn start(files: Vec<PathBuf>, waker: Arc<dyn Fn() + Send + Sync>) -> Drag {
    let state = Mutex::new(State::Dragging { accepted: false });
    let shared = Arc::new(Shared { state, cancelled: AtomicBool::new(false), waker });
    if let Err(error) = start_thread(files, &shared) {
        shared.set_state(State::Failed(Failure::System(error)));
    }
    Drag { shared }
}

#[cfg(target_os = "linux")]
fn start_thread(files: Vec<PathBuf>, shared: &Arc<Shared>) -> Result<(), String> {
    let shared = Arc::clone(shared);
    let work = move || {
        let set_state = |state| shared.set_state(state);
        let end = x11::drag(&files, &|| shared.cancelled.load(Ordering::Relaxed), &set_state);
        set_state(end.unwrap_or_else(|error| State::Failed(Failure::System(format!("{error:#}")))));
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
            shared.set_state(State::Dragging { accepted });
            assert_eq!(drag.state(), State::Dragging { accepted });
        }
        shared.set_state(State::Dropped);
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
