//! Pool of reused buffers: after the first segment, the system no longer allocates, maps or zeroes
//! memory for a network's activations.
//!
//! An allocator that keeps large freed buffers, independent of their layouts. Every buffer is
//! aligned to a cache line, so that no vector in it spans two. Shared by all threads and networks
//! of the process; the lock is held briefly, a few hundred times per segment.

use std::{
    ops::{Deref, DerefMut},
    sync::{Mutex, MutexGuard, PoisonError},
};

use rayon::iter::IndexedParallelIterator as _;

/// Minimum number of values of a pooled buffer; shorter ones use the system allocator.
const LEAST: usize = 1 << 14;

/// A cache line.
#[derive(Clone, Copy, Debug, PartialEq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C, align(64))]
struct Line([f32; VALUES]);

/// Number of lines touched by a thread in one task: 1 MB.
const TOUCHED: usize = 1 << 14;

/// Number of values in a line.
const VALUES: usize = 16;

/// Free buffers.
static FREE: Mutex<Vec<Vec<Line>>> = Mutex::new(Vec::new());

fn free() -> MutexGuard<'static, Vec<Vec<Line>>> {
    FREE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns the free buffers to the system, if no segment will be computed for a while.
pub fn release() {
    free().clear();
}

/// Allocates lines. The system maps memory on first access, which is slow; all threads touch it, so
/// that the first segment waits less.
fn fresh(count: usize) -> Vec<Line> {
    let mut lines = Vec::new();
    rayon::iter::repeat_n(Line([0.0; VALUES]), count)
        .with_min_len(TOUCHED)
        .collect_into_vec(&mut lines);
    lines
}

/// Borrowed memory, returned to the pool when dropped.
#[derive(Debug, Default)]
pub struct Buffer {
    lines: Vec<Line>,
    len: usize,
}

impl Buffer {
    /// Creates a buffer of `len` **uninitialised** values: zeros, or an earlier buffer's values.
    pub fn any(len: usize) -> Self {
        let count = len.div_ceil(VALUES);
        let zero = Line([0.0; VALUES]);
        if len < LEAST {
            return Self { lines: vec![zero; count], len };
        }
        let mut waiting = free();
        // Take the smallest buffer that is large enough but less than twice as large, because
        // another request may need a larger one.
        let best = (0..waiting.len())
            .filter(|index| (count..2 * count).contains(&waiting[*index].capacity()))
            .min_by_key(|index| waiting[*index].capacity());
        let lines = best.map(|index| waiting.swap_remove(index));
        drop(waiting);
        let mut lines = lines.unwrap_or_else(|| fresh(count));
        lines.resize(count, zero);
        Self { lines, len }
    }

    /// Keeps only the `len` values from `start` on.
    pub fn crop(&mut self, start: usize, len: usize) {
        self.copy_within(start..start + len, 0);
        self.lines.truncate(len.div_ceil(VALUES));
        self.len = len;
    }
}

impl PartialEq for Buffer {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Clone for Buffer {
    fn clone(&self) -> Self {
        let mut copy = Self::any(self.len());
        copy.copy_from_slice(self);
        copy
    }
}

impl Deref for Buffer {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &bytemuck::cast_slice(&self.lines)[..self.len]
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut bytemuck::cast_slice_mut(&mut self.lines)[..self.len]
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if self.lines.capacity() * VALUES >= LEAST {
            free().push(std::mem::take(&mut self.lines));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clone_is_independent() {
        let mut one = Buffer::any(3);
        one.fill(0.0);
        let other = one.clone();
        one.fill(2.0);
        assert_eq!(*other, [0.0; 3]);
        one.copy_from_slice(&[1.0, 2.0, 3.0]);
        one.crop(1, 2);
        assert_eq!(*one, [2.0, 3.0]);
    }
}
