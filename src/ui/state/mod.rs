//! The window's state: a view of the engine's events, the user's settings, and the connection to
//! the engine.
//!
//! Draws nothing. Main thread.

pub mod catalog;
pub mod chain_form;
pub mod engine_link;
pub mod facts_form;
pub mod instruments;
pub mod ui_state;
pub mod view_state;
