//! A message in a dialog of the system, for a start that fails before there is a window. Not the notices of
//! the window. Main thread, which waits until the user closes the dialog.

use std::io::{self, IsTerminal as _};

/// Shows `text` in a dialog. Does nothing if standard error is a terminal, if the session has no desktop,
/// or if no program for dialogs is installed.
pub fn alert(text: &str) {
    if io::stderr().is_terminal() || !has_desktop() {
        return;
    }
    let dialog = rfd::MessageDialog::new().set_level(rfd::MessageLevel::Error);
    let answer = dialog.set_title("Partita").set_description(text).show();
    tracing::debug!("the dialog was closed: {answer:?}");
}

/// Whether dialogs can be seen. Other systems than Linux always have a desktop.
fn has_desktop() -> bool {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    !cfg!(target_os = "linux") || is_set("DISPLAY") || is_set("WAYLAND_DISPLAY")
}
