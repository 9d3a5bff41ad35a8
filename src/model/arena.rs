//! Buffers that are used again: after the first segment, no later one allocates.
//!
//! Knows nothing of layouts. Shared by the threads of a pool; a lock is held for moments, a few
//! times per task.

use std::{
    ops::{Deref, DerefMut},
    sync::{Mutex, PoisonError},
};

/// Where buffers wait between uses.
#[derive(Debug, Default)]
pub struct Arena(Mutex<Vec<Vec<f32>>>);

/// A copy has buffers of its own.
impl Clone for Arena {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Arena {
    /// A buffer of `len` values, **whatever they held before**; it returns when it is dropped.
    pub fn take(&self, len: usize) -> Buffer<'_> {
        let mut free = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // The smallest that is large enough, else the largest to grow: so sizes settle.
        let best = free
            .iter()
            .enumerate()
            .min_by_key(|(_, buffer)| match buffer.capacity() {
                capacity if capacity >= len => (false, capacity),
                capacity => (true, usize::MAX - capacity),
            })
            .map(|(index, _)| index);
        let mut data = best.map(|index| free.swap_remove(index)).unwrap_or_default();
        drop(free);
        if data.capacity() < len {
            data = Vec::with_capacity(len); // nothing of the old one is wanted: no copy
        }
        data.resize(len, 0.0);
        Buffer { data, arena: self }
    }

    /// As [`Self::take`], all zeros.
    pub fn zeros(&self, len: usize) -> Buffer<'_> {
        let mut buffer = self.take(len);
        buffer.fill(0.0);
        buffer
    }
}

/// Borrowed memory; returns to its arena when dropped.
#[derive(Debug)]
pub struct Buffer<'a> {
    data: Vec<f32>,
    arena: &'a Arena,
}

impl Deref for Buffer<'_> {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.data
    }
}

impl DerefMut for Buffer<'_> {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.data
    }
}

impl Drop for Buffer<'_> {
    fn drop(&mut self) {
        let data = std::mem::take(&mut self.data);
        self.arena.0.lock().unwrap_or_else(PoisonError::into_inner).push(data);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_used_again() {
        let arena = Arena::default();
        let first = arena.take(1000).as_ptr();
        assert_eq!(arena.take(10).as_ptr(), first);
        let large = arena.take(1000);
        assert_eq!(large.as_ptr(), first);
        let small = arena.take(10);
        assert_ne!(small.as_ptr(), first);
        drop((large, small));
        assert_eq!(arena.take(10).len(), 10);
        assert_eq!(arena.take(1000).as_ptr(), first);
        assert_eq!(arena.0.lock().unwrap().len(), 2);
    }

    #[test]
    fn zeros_are_zeros_whatever_was_there() {
        let arena = Arena::default();
        arena.take(100).fill(1.0);
        assert!(arena.zeros(50).iter().all(|v| *v == 0.0));
    }
}
