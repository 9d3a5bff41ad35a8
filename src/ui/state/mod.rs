//! The window's state: a view of the engine's events, the user's settings, and the connection to
//! the engine.
//!
//! Draws nothing. Main thread.

pub mod catalog;
pub mod engine_link;
pub mod facts_form;
pub mod ui_state;
pub mod view_state;
