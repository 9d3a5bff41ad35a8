//! Properties common to all files of an export.

use crate::engine::{audio::repitch::KeySpeed, types::Depth};

/// Properties common to all files of an export.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Form {
    /// Frames per second.
    pub rate: u32,
    /// Number of channels: 1 for a mono song, else 2.
    pub channels: u16,
    /// Depth of the samples, for lossless formats.
    pub depth: Depth,
    /// Length in frames, after the change of speed.
    pub frames: u64,
    /// Key and speed.
    pub key_speed: KeySpeed,
    /// Range of sample values.
    pub scale: Scale,
}

/// Range of sample values that a file can hold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scale {
    /// Integers; full scale is one above the largest.
    Steps(f64),
    /// Numbers from -1 to 1.
    Full,
    /// Unlimited floating-point numbers.
    Free,
}
