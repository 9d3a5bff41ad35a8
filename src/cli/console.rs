//! The console of the Windows program. Main thread, before the window opens.
//!
//! The program is a console program, so that shells wait for it and show its output. Started from
//! Explorer, it would have a console beside its window. From Windows 11 24H2 on, the manifest prevents
//! that; this module does it on earlier versions. A windowed program that attaches to the shell's
//! console was rejected: shells do not wait for it, and print their prompt into its output.

use winsafe::{AttachConsole, FreeConsole, PidParent};

/// Leaves a console that the system opened for this process alone. A shell's console is kept.
pub(super) fn leave_own() {
    // The parent of a program that was started from Explorer has no console, so that attaching
    // fails, and the system closes the console without a process.
    if FreeConsole().is_ok()
        && let Err(e) = AttachConsole(PidParent::Parent)
    {
        tracing::debug!("the window runs without a console: {e}");
    }
}
