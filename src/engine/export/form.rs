//! The form that all files of an export have in common. Pure.

use crate::engine::types::Depth;

/// The properties that all files of an export have in common.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Form {
    /// Frames per second.
    pub rate: u32,
    /// 1 for a mono song, else 2.
    pub channels: u16,
    /// Depth of the samples, for formats that keep them exactly.
    pub depth: Depth,
    /// Length in frames.
    pub frames: u64,
    /// The numbers that the files can hold.
    pub scale: Scale,
}

/// The numbers that a file can hold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scale {
    /// Integers; the number just above the largest one stands for full scale.
    Steps(f64),
    /// Numbers up to 1.
    Full,
    /// All numbers.
    Free,
}
