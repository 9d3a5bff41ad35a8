//! Tiles of bf16, and the memory layout of the sides of their products.

use super::super::layout::{NR, Pair};

/// Rows of a tile of the left matrix and of the sums.
pub const ROWS: usize = 16;
/// Values of the depth in a tile.
pub const DEPTH: usize = 32;

/// A tile of a matrix: [`ROWS`] rows of [`DEPTH`] values of the left one, or [`NR`] columns of
/// [`DEPTH`] values (as pairs) of the right one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C, align(64))]
pub struct Tile(pub(in super::super) [[Pair; NR]; ROWS]);

impl Tile {
    /// A tile of zeros.
    pub const ZERO: Self = Self([[Pair::ZERO; NR]; ROWS]);
    /// Number of `f32` in the memory of a tile.
    pub const VALUES: usize = ROWS * NR;
}

/// Number of tiles over a depth, parts not counted.
pub fn steps(depth: usize) -> usize {
    depth.div_ceil(DEPTH)
}

/// One side of a product: strips of [`ROWS`] rows of the left matrix, or panels of [`NR`] columns
/// of the right one. Part `p` of step `k` of strip or panel `n` is
/// `tiles[n · stride + k · step + p]`.
#[derive(Clone, Copy, Debug)]
pub struct Side<'a> {
    /// The tiles.
    pub tiles: &'a [Tile],
    /// Distance between strips or panels.
    pub stride: usize,
    /// Distance between steps.
    pub step: usize,
}

impl Side<'_> {
    /// Whether `tiles` has every tile of a product of `count` strips or panels, at least one, and
    /// `steps` steps, at least one.
    pub(super) fn has(&self, count: usize, steps: usize, parts: usize) -> bool {
        let end = (count - 1).checked_mul(self.stride).and_then(|strip| {
            strip.checked_add((steps - 1).checked_mul(self.step)?)?.checked_add(parts)
        });
        end.is_some_and(|end| end <= self.tiles.len())
    }
}

/// Destination of a product: line `i` of strip `s` and panel `n` is
/// `lines[n · stride + s · ROWS + i]`.
#[derive(Debug)]
pub struct Sums<'a> {
    /// The lines.
    pub lines: &'a mut [[f32; NR]],
    /// Distance between panels.
    pub stride: usize,
}

/// Size of a product in strips, panels and steps.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Strips of [`ROWS`] rows.
    pub strips: usize,
    /// Panels of [`NR`] columns.
    pub panels: usize,
    /// Steps of [`DEPTH`] values.
    pub steps: usize,
}
