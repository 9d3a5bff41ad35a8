//! The medium of this thread's texts, for messages whose remedy is an option on the command line and a
//! field in the window. Messages select by it: `{ MEDIUM() -> [command-line] … *[window] … }`. Not the
//! language. Each thread has its own; the window's by default.

use std::cell::Cell;

use fluent_bundle::FluentValue;

/// A medium of texts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Medium {
    /// The window, with fields and buttons.
    #[default]
    Window,
    /// The command line, with options.
    CommandLine,
}

thread_local! {
    static MEDIUM: Cell<Medium> = const { Cell::new(Medium::Window) };
}

/// Writes the texts of this thread for `medium` from now on.
pub fn write_for(medium: Medium) {
    MEDIUM.set(medium);
}

/// The medium of this thread's texts.
pub(super) fn medium() -> Medium {
    MEDIUM.get()
}

/// The key of the medium in messages.
pub(super) fn in_message() -> FluentValue<'static> {
    match medium() {
        Medium::Window => "window".into(),
        Medium::CommandLine => "command-line".into(),
    }
}
