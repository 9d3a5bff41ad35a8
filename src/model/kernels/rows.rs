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
/// Lines of a panel taken at a time where rows stay as they lie, so that they stay in that cache.
const LINES: usize = 256;

/// Rows to multiply, packed by [`pack_rows`](super::operand::pack_rows).
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a, V = f32> {
    /// All their cells.
    pub cells: &'a [V],
    /// How many, at most [`ROWS`].
    pub count: usize,
    /// Cells of a row.
    pub depth: usize,
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
        let mut sums = [[[0.0; NR]; ROWS]; 2];
        let [first, second] = &mut sums;
        let (first, second) = (&mut first[..rows.count], &mut second[..rows.count]);
        for panel in panels.clone().step_by(2) {
            if panel + 1 < panels.end {
                pass::<FMA, V, F, 2>(rows, weights, panel, &lines, [first, second], finish);
            } else {
                pass::<FMA, V, F, 1>(rows, weights, panel, &lines, [first], finish);
            }
        }
    }
}

/// `N` panels of a product.
#[inline(always)]
fn pass<const FMA: bool, V: Operand, F: Finish, const N: usize>(
    rows: Rows<'_, V>,
    weights: &Panels<V>,
    first: usize,
    lines: &std::ops::Range<usize>,
    mut sums: [&mut [[f32; NR]]; N],
    finish: &mut F,
) {
    for (n, sums) in sums.iter_mut().enumerate() {
        for (row, sums) in sums.iter_mut().enumerate() {
            *sums = finish.start(row, (first + n) * NR);
        }
    }
    let panels: [&[[V; NR]]; N] = std::array::from_fn(|n| &weights.panel(first + n)[lines.clone()]);
    // Strips are read in order, as panels are: both come in time from the second-level cache.
    let most = if V::in_strips() { lines.len().max(1) } else { LINES };
    for from in (0..lines.len()).step_by(most) {
        let panels = panels.map(|panel| &panel[from..lines.len().min(from + most)]);
        let sums = sums.each_mut().map(|sums| &mut **sums);
        V::add_rows::<FMA, N>(sums, rows.cells, rows.depth, from, panels);
    }
    for (n, sums) in sums.iter().enumerate() {
        for (row, sums) in sums.iter().enumerate() {
            finish.finish::<FMA>(row, (first + n) * NR, *sums);
        }
    }
}
