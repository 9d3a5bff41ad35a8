//! Buffers that are used again: after the first segment, none of a network's activations is
//! allocated, mapped or zeroed by the system any more.
//!
//! Like an allocator that keeps what it is given back, for whole activations only; knows nothing of
//! layouts. Shared by all threads and networks of the process; the lock is held for moments, a few
//! hundred times per segment.

use std::{
    ops::{Deref, DerefMut},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Shorter ones are left to the allocator, which has them at hand.
const LEAST: usize = 1 << 17;

/// Buffers that wait between uses.
static FREE: Mutex<Vec<Vec<f32>>> = Mutex::new(Vec::new());

fn free() -> MutexGuard<'static, Vec<Vec<f32>>> {
    FREE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Gives what waits back to the system. For when no segment will be computed for a while.
pub fn release() {
    free().clear();
}

/// Borrowed memory; waits for its next use when dropped.
#[derive(Debug, Default, PartialEq)]
pub struct Buffer(Vec<f32>);

impl Buffer {
    /// A buffer of `len` values, **whatever they held before**.
    pub fn any(len: usize) -> Self {
        if len < LEAST {
            return Self(vec![0.0; len]);
        }
        let mut waiting = free();
        // The smallest that is large enough, and not much too large: the next to ask may need that.
        let best = (0..waiting.len())
            .filter(|index| (len..2 * len).contains(&waiting[*index].capacity()))
            .min_by_key(|index| waiting[*index].capacity());
        let data = best.map(|index| waiting.swap_remove(index));
        drop(waiting);
        let mut data = data.unwrap_or_else(|| Vec::with_capacity(len));
        data.resize(len, 0.0);
        Self(data)
    }

    /// Without all but the `len` values from `start` on.
    pub fn crop(&mut self, start: usize, len: usize) {
        self.0.copy_within(start..start + len, 0);
        self.0.truncate(len);
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
        &self.0
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.0
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if self.0.capacity() >= LEAST {
            free().push(std::mem::take(&mut self.0));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_its_own() {
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
