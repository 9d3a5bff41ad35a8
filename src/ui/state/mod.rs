//! What the window knows: what the engine has told, what the user has set, and the link between.
//!
//! Draws nothing. Belongs to the main thread.

pub mod catalog;
pub mod engine_link;
pub mod ui_state;
pub mod view_state;
