//! Time on the screen: the visible range of a song, the ruler, and the peaks.
//!
//! Depends on frames and pixels, not on widgets. Main thread.

pub mod peaks;
pub mod ruler;
pub mod viewport;
