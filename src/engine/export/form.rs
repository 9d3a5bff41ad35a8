//! The form that all files of an export have in common. Pure.

use crate::engine::types::Depth;

/// What all files of an export have in common.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Form {
    /// Frames a second.
    pub rate: u32,
    /// 1 for a mono song, else 2.
    pub channels: u16,
    /// Of formats that keep samples exactly.
    pub depth: Depth,
    /// Length.
    pub frames: u64,
    /// Which numbers the files can hold.
    pub scale: Scale,
}

/// The numbers that a file can hold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scale {
    /// Whole ones; this one, which is just beyond the largest, stands for full scale.
    Steps(f64),
    /// Any up to 1.
    Full,
    /// Any.
    Free,
}
