//! Integration with the desktop: files dragged out, dialogs, the file manager, fonts, keys.
//!
//! Independent of the panels. Runs on the main thread, except for the threads of [`dialogs`],
//! [`dropped`], [`reveal`] and [`drag_out`].

pub mod alert;
pub mod dialogs;
pub mod drag_out;
pub mod dropped;
pub mod fonts;
pub mod icon;
pub mod keys;
pub mod reveal;
pub mod window_placement;
