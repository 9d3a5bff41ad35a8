//! Products of rows in memory and packed weights, for layouts in which the features of a token or a
//! frame lie together.
//!
//! An [`Epilogue`] (GELU, residual, another layout) is applied to the values while they are in
//! registers. Runs on the calling thread; callers share blocks of rows over threads.

use std::ops::Range;

use super::{
    amx::{self, Packed, Side, Size, Tile},
    layout::NR,
    operand::Operand,
    pack::Panels,
    vectorised::vectorised,
};

/// Rows that are multiplied with two panels of weights at a time: their sums stay in the
/// first-level cache.
pub const ROWS: usize = 128;
/// Largest number of rows of one call, a multiple of 32. The rows and their results stay in the
/// second-level cache, and each weight that is loaded from beyond that cache is used for all rows.
pub const BLOCK: usize = 224;
/// Lines of a panel that are used at a time for unpacked rows, so that the rows stay in the cache.
const LINES: usize = 256;

/// Rows of a task when the threads of the pool share `count` rows equally: a multiple of 32, at
/// most [`BLOCK`].
pub fn block_rows(count: usize) -> usize {
    let threads = rayon::current_num_threads();
    let tasks = count.div_ceil(threads * BLOCK).max(1) * threads;
    count.div_ceil(tasks).next_multiple_of(32).clamp(32, BLOCK)
}

/// Rows to multiply, packed by [`pack_rows`](super::operand::pack_rows).
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a, V = f32> {
    /// Cells of all rows.
    pub cells: &'a [V],
    /// Number of rows, at most [`BLOCK`].
    pub count: usize,
    /// Cells of a row.
    pub depth: usize,
}

/// Rows to multiply, packed as strips by [`amx::pack_left`].
#[derive(Clone, Copy, Debug)]
pub struct TileRows<'a> {
    /// `[strips][steps][P]`.
    pub tiles: &'a [Tile],
    /// Number of rows, at most [`BLOCK`].
    pub count: usize,
    /// Steps of a row.
    pub steps: usize,
}

/// Weights packed for one kind of product.
pub trait Weights: Sync {
    /// Rows of the left matrix.
    type Rows<'a>: Copy;

    /// Rows, at most [`ROWS`], that are multiplied with two panels at a time.
    fn at_once() -> usize;

    /// Number of rows.
    fn count(rows: Self::Rows<'_>) -> usize;

    /// Adds the product of the rows `part` and of `lines` of `N` panels from `first` on to `sums`.
    /// The part has at most [`Self::at_once`] rows, and begins at a multiple of that; the rows
    /// begin with the lines. Sums beyond the last row are undefined afterwards.
    fn add<const FMA: bool, const N: usize>(
        &self,
        sums: &mut [[[f32; NR]; ROWS]; 2],
        rows: Self::Rows<'_>,
        part: &Range<usize>,
        first: usize,
        lines: &Range<usize>,
    );
}

/// A line is `V::DEPTH` values of the depth.
impl<V: Operand> Weights for Panels<V> {
    type Rows<'a> = Rows<'a, V>;

    #[inline(always)]
    fn at_once() -> usize {
        // Unpacked rows must stay in the first-level cache for the next panel.
        if V::in_strips() { ROWS } else { 48 }
    }

    #[inline(always)]
    fn count(rows: Rows<'_, V>) -> usize {
        rows.count
    }

    #[inline(always)]
    fn add<const FMA: bool, const N: usize>(
        &self,
        sums: &mut [[[f32; NR]; ROWS]; 2],
        rows: Rows<'_, V>,
        part: &Range<usize>,
        first: usize,
        lines: &Range<usize>,
    ) {
        // Behind whole strips, or behind unpacked rows.
        let cells = &rows.cells[part.start * rows.depth..];
        let panels: [&[[V; NR]]; N] =
            std::array::from_fn(|n| &self.panel(first + n)[lines.clone()]);
        // Strips and panels are read in order: both are prefetched from the second-level cache.
        let most = if V::in_strips() { lines.len().max(1) } else { LINES };
        for from in (0..lines.len()).step_by(most) {
            let panels = panels.map(|panel| &panel[from..lines.len().min(from + most)]);
            let mut sums = sums.iter_mut();
            let sums = std::array::from_fn(|_| match sums.next() {
                Some(sums) => &mut sums[..part.len()],
                None => &mut [][..],
            });
            V::add_rows::<FMA, N>(sums, cells, rows.depth, from, panels);
        }
    }
}

/// A line is a step.
impl<const P: usize> Weights for Packed<P> {
    type Rows<'a> = TileRows<'a>;

    #[inline(always)]
    fn at_once() -> usize {
        ROWS
    }

    #[inline(always)]
    fn count(rows: TileRows<'_>) -> usize {
        rows.count
    }

    #[inline(always)]
    fn add<const FMA: bool, const N: usize>(
        &self,
        sums: &mut [[[f32; NR]; ROWS]; 2],
        TileRows { tiles, steps, .. }: TileRows<'_>,
        part: &Range<usize>,
        first: usize,
        lines: &Range<usize>,
    ) {
        let sums = &mut amx::Sums { lines: sums.as_flattened_mut(), stride: ROWS };
        let tiles = &tiles[part.start / amx::ROWS * steps * P..];
        let left = Side { tiles, stride: steps * P, step: P };
        let size = Size { strips: part.len().div_ceil(amx::ROWS), panels: N, steps: lines.len() };
        amx::product::<P, true>(sums, left, self.side(first, lines.start), size);
    }
}

/// The operations before and after a product, on [`NR`] columns of one row from `column` on.
/// Columns beyond the weights' last one are zeros, which implementations leave out.
pub trait Epilogue {
    /// Start values of the sums: a bias, or earlier sums.
    fn start(&self, row: usize, column: usize) -> [f32; NR];
    /// Processes the final values.
    fn finish<const FMA: bool>(&mut self, row: usize, column: usize, values: [f32; NR]);
}

/// Sums of two panels, aligned to a cache line.
#[derive(Debug)]
#[repr(align(64))]
pub struct Sums(pub [[[f32; NR]; ROWS]; 2]);

impl Default for Sums {
    fn default() -> Self {
        Self([[[0.0; NR]; ROWS]; 2])
    }
}

vectorised! {
    /// Multiplies `rows` with the weights' `lines` for `panels`; the rows begin with those lines.
    ///
    /// # Panics
    /// A row ends before the product.
    pub fn rows_product<FMA, W: Weights, E: Epilogue>(
        rows: W::Rows<'_>,
        weights: &W,
        panels: Range<usize>,
        lines: Range<usize>,
        epilogue: &mut E,
    ) {
        let mut sums = Sums::default();
        let count = W::count(rows);
        for panel in panels.clone().step_by(2) {
            for first in (0..count).step_by(W::at_once()) {
                let part = first..count.min(first + W::at_once());
                if panel + 1 < panels.end {
                    pass::<FMA, W, E, 2>(rows, &part, weights, panel, &lines, &mut sums, epilogue);
                } else {
                    pass::<FMA, W, E, 1>(rows, &part, weights, panel, &lines, &mut sums, epilogue);
                }
            }
        }
    }
}

/// Multiplies `N` panels with some of the rows.
#[inline(always)]
fn pass<const FMA: bool, W: Weights, E: Epilogue, const N: usize>(
    rows: W::Rows<'_>,
    part: &Range<usize>,
    weights: &W,
    first: usize,
    lines: &Range<usize>,
    Sums(sums): &mut Sums,
    epilogue: &mut E,
) {
    for (n, sums) in sums.iter_mut().take(N).enumerate() {
        for (row, sums) in part.clone().zip(sums) {
            *sums = epilogue.start(row, (first + n) * NR);
        }
    }
    weights.add::<FMA, N>(sums, rows, part, first, lines);
    for (n, sums) in sums.iter().take(N).enumerate() {
        for (row, sums) in part.clone().zip(sums) {
            epilogue.finish::<FMA>(row, (first + n) * NR, *sums);
        }
    }
}
