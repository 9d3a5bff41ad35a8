//! Rows that lie in memory, times packed weights: the product of everything that keeps the features
//! of a token or of a frame together.
//!
//! What becomes of the values (GELU, residual, another layout) is a [`Finish`], applied while they
//! are in registers. Runs on the calling thread; its callers share blocks of rows out.

use super::{
    tile::{MR, NR, Panels, rows_by_panel},
    vectorised,
};

/// Rows of one call, at most: with them a panel of weights is used again from the first-level cache.
pub const ROWS: usize = 48;
/// Depth of a product taken at a time, so that the panel of weights stays in that cache.
const DEPTH: usize = 256;

/// Rows to multiply: row `i` starts at `data[i · stride]`. They may overlap.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a> {
    /// From the first value of the first row on.
    pub data: &'a [f32],
    /// How many, at most [`ROWS`].
    pub count: usize,
    /// From row to row.
    pub stride: usize,
}

/// What a product's values start from and what becomes of them; both for [`NR`] columns from
/// `column` on of one row. Columns beyond the weights' last are zeros to be left out.
pub trait Finish {
    /// What is added to the product: a bias, or the sums so far.
    fn start(&self, row: usize, column: usize) -> [f32; NR];
    /// Takes the values.
    fn finish<const FMA: bool>(&mut self, row: usize, column: usize, values: [f32; NR]);
}

vectorised! {
    /// The product of `rows` and the weights' rows from `from` on, as deep as the rows of `to − from`
    /// values, for the panels `first..end`.
    ///
    /// # Panics
    /// When there are more than [`ROWS`] rows, or one is shorter than the product is deep.
    pub fn rows_product<FMA, F: Finish>(
        rows: Rows<'_>,
        weights: &Panels,
        panels: std::ops::Range<usize>,
        depths: std::ops::Range<usize>,
        finish: &mut F,
    ) {
        let mut sums = [[0.0; NR]; ROWS];
        let sums = &mut sums[..rows.count];
        for panel in panels {
            let column = panel * NR;
            for (row, sums) in sums.iter_mut().enumerate() {
                *sums = finish.start(row, column);
            }
            let panel = &weights.panel(panel)[depths.clone()];
            for (index, panel) in panel.chunks(DEPTH).enumerate() {
                let at = index * DEPTH;
                let rows_from = |row: usize| &rows.data[row * rows.stride + at..];
                let mut tiles = sums.chunks_exact_mut(MR);
                let mut first = 0;
                for tile in &mut tiles {
                    add::<FMA, MR>(tile, rows_from(first), rows.stride, panel);
                    first += MR;
                }
                let mut tiles = tiles.into_remainder().chunks_exact_mut(2);
                for tile in &mut tiles {
                    add::<FMA, 2>(tile, rows_from(first), rows.stride, panel);
                    first += 2;
                }
                for tile in tiles.into_remainder().chunks_exact_mut(1) {
                    add::<FMA, 1>(tile, rows_from(first), rows.stride, panel);
                }
            }
            for (row, sums) in sums.iter().enumerate() {
                finish.finish::<FMA>(row, column, *sums);
            }
        }
    }
}

#[inline(always)]
fn add<const FMA: bool, const M: usize>(
    tile: &mut [[f32; NR]],
    rows: &[f32],
    stride: usize,
    panel: &[[f32; NR]],
) {
    if let Some(tile) = tile.first_chunk_mut() {
        rows_by_panel::<FMA, M>(tile, rows, stride, panel);
    }
}
