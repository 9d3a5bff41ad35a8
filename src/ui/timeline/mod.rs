//! Time on the screen: which part of a song is in sight, its ruler, and its peaks.
//!
//! Knows frames and pixels, and no widget. Belongs to the main thread.

pub mod peaks;
pub mod ruler;
pub mod viewport;
