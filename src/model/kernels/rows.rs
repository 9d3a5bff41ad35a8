//! Rows that lie in memory, times packed weights: the product of everything that keeps the features
//! of a token or of a frame together.
//!
//! What becomes of the values (GELU, residual, another layout) is a [`Finish`], applied while they
//! are in registers. Runs on the calling thread; its callers share blocks of rows out.

use super::{
    operand::Operand,
    tile::{NR, Panels},
    vectorised,
};

/// Rows of one call, at most: with them a panel of weights is used again from the first-level cache.
pub const ROWS: usize = 48;
/// Lines of a panel taken at a time, so that they stay in that cache.
const LINES: usize = 256;

/// Rows to multiply: row `i` starts at `data[i · stride]`. They may overlap.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a, V = f32> {
    /// From the first value of the first row on.
    pub data: &'a [V],
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
    /// The product of `rows` and the weights' `lines` (of `V::DEPTH` values of the depth each), which
    /// the rows begin with, for the panels `panels`.
    ///
    /// # Panics
    /// When there are more than [`ROWS`] rows, or one ends before the product.
    pub fn rows_product<FMA, V: Operand, F: Finish>(
        rows: Rows<'_, V>,
        weights: &Panels<V>,
        panels: std::ops::Range<usize>,
        lines: std::ops::Range<usize>,
        finish: &mut F,
    ) {
        let mut sums = [[0.0; NR]; ROWS];
        let sums = &mut sums[..rows.count];
        for panel in panels {
            let column = panel * NR;
            for (row, sums) in sums.iter_mut().enumerate() {
                *sums = finish.start(row, column);
            }
            let panel = &weights.panel(panel)[lines.clone()];
            for (index, panel) in panel.chunks(LINES).enumerate() {
                V::rows_by_panel::<FMA>(sums, &rows.data[index * LINES..], rows.stride, panel);
            }
            for (row, sums) in sums.iter().enumerate() {
                finish.finish::<FMA>(row, column, *sums);
            }
        }
    }
}
