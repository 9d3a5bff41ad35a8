//! A song as read by the player and by exports. Pure; the stores implement it.

use std::io;

/// A playable song: its original and its stems, readable by range. Reads may access a disk and run
/// on the feeder's or an export's thread.
pub trait Track: Send + Sync {
    /// Length in frames.
    fn frames(&self) -> u64;

    /// Number of stems.
    fn stems(&self) -> usize;

    /// Reads the original from frame `start` on into interleaved `out`; zeros past the end.
    ///
    /// # Errors
    /// I/O errors of the store.
    fn read_original(&self, start: u64, out: &mut [f32]) -> io::Result<()>;

    /// Reads a stem like [`Self::read_original`]; frames of unfinished segments are zero.
    ///
    /// # Errors
    /// I/O errors of the store.
    fn read_stem(&self, stem: usize, start: u64, out: &mut [f32]) -> io::Result<()>;

    /// Whether the stems are finished at frame `at`, and the next frame where that changes (or the
    /// end of the track).
    fn covered_at(&self, at: u64) -> (bool, u64);

    /// Whether a stem is complete and final.
    fn has_all_of(&self, _stem: usize) -> bool {
        self.covered_at(0) == (true, self.frames())
    }
}
