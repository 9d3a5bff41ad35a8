//! Tiles of bf16, and how the sides of their products lie in memory.

use super::super::layout::{NR, Pair};

/// Rows of a tile of the left matrix and of the sums.
pub const ROWS: usize = 16;
/// Values of the depth in a tile.
pub const DEPTH: usize = 32;

/// A piece of a matrix: of the left one [`ROWS`] rows of [`DEPTH`] values, of the right one
/// [`DEPTH`] values (as pairs) of [`NR`] columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C, align(64))]
pub struct Tile(pub(in super::super) [[Pair; NR]; ROWS]);

impl Tile {
    /// Nothing but zeros.
    pub const ZERO: Self = Self([[Pair::ZERO; NR]; ROWS]);
    /// As many `f32` are as large.
    pub const VALUES: usize = ROWS * NR;
}

/// Tiles of a depth, without their parts.
pub fn steps(depth: usize) -> usize {
    depth.div_ceil(DEPTH)
}

/// One side of a product: strips of [`ROWS`] rows of the left matrix, or panels of [`NR`] columns of
/// the right one. Part `p` of step `k` of strip or panel `n` is `tiles[n · stride + k · step + p]`.
#[derive(Clone, Copy, Debug)]
pub struct Side<'a> {
    /// All of them.
    pub tiles: &'a [Tile],
    /// From strip to strip or panel to panel.
    pub stride: usize,
    /// From step to step.
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

/// Where a product goes: line `i` of strip `s` and panel `n` is
/// `lines[n · stride + s · ROWS + i]`.
#[derive(Debug)]
pub struct Sums<'a> {
    /// All of them.
    pub lines: &'a mut [[f32; NR]],
    /// From panel to panel.
    pub stride: usize,
}

/// How large a product is, in strips, panels and steps.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Strips of [`ROWS`] rows.
    pub strips: usize,
    /// Panels of [`NR`] columns.
    pub panels: usize,
    /// Steps of [`DEPTH`] values.
    pub steps: usize,
}
