//! A song as the player and the exports read it. Pure: what implements it is in the stores.

use std::io;

/// A song that can be played: its original and its stems, read by range. Reading may touch a disk;
/// it is done on the feeder's thread, or on an export's.
pub trait Track: Send + Sync {
    /// Length in frames.
    fn frames(&self) -> u64;

    /// Number of stems.
    fn stems(&self) -> usize;

    /// Reads the original from frame `start` on into interleaved `out`; past the end, zeros.
    ///
    /// # Errors
    /// I/O errors of the store.
    fn read_original(&self, start: u64, out: &mut [f32]) -> io::Result<()>;

    /// Reads a stem in the same way; frames whose segment is not finished are zero.
    ///
    /// # Errors
    /// I/O errors of the store.
    fn read_stem(&self, stem: usize, start: u64, out: &mut [f32]) -> io::Result<()>;

    /// Whether the stems are there at frame `at`, and the first frame after `at` where that changes
    /// (or the end of the track).
    fn covered_at(&self, at: u64) -> (bool, u64);

    /// Whether a stem is there to the track's end, and final.
    fn has_all_of(&self, _stem: usize) -> bool {
        self.covered_at(0) == (true, self.frames())
    }
}
