//! The inner loop of every matrix product: one tile of [`MR`] rows by [`NR`] columns, held in
//! registers while the depth runs by, and the two layouts that weights are packed into for it.
//!
//! Arrays of constant size, which the compiler keeps in registers (twelve of AVX2's sixteen hold the
//! sums); there is nothing here for one instruction set. Inlined into the kernels' `vectorised!`
//! functions; starts no threads, allocates only when weights are packed.

use super::elementwise::mad;

/// Rows of a tile.
pub const MR: usize = 6;
/// Columns of a tile: two vectors of AVX2.
pub const NR: usize = 16;

/// The sums of a tile.
pub type Tile<const M: usize> = [[f32; NR]; M];

/// `sums[i][j] += Σ_k rows[i][k] · panel[k][j]`: rows as they lie in memory, columns packed.
///
/// # Panics
/// When a row is shorter than the panel is deep.
#[inline(always)]
pub fn rows_by_panel<const FMA: bool, const M: usize>(
    sums: &mut Tile<M>,
    rows: [&[f32]; M],
    panel: &[[f32; NR]],
) {
    let depth = panel.len();
    let rows = rows.map(|row| &row[..depth]);
    let mut acc = *sums;
    for (k, line) in panel.iter().enumerate() {
        for i in 0..M {
            let value = rows[i][k];
            for j in 0..NR {
                acc[i][j] = mad::<FMA>(value, line[j], acc[i][j]);
            }
        }
    }
    *sums = acc;
}

/// `sums[i][j] += Σ_k strip[k][i] · panel[k][j]`: both packed.
#[inline(always)]
pub fn strip_by_panel<const FMA: bool, const M: usize>(
    sums: &mut Tile<M>,
    strip: &[[f32; M]],
    panel: &[[f32; NR]],
) {
    let mut acc = *sums;
    for (column, line) in strip.iter().zip(panel) {
        for i in 0..M {
            for j in 0..NR {
                acc[i][j] = mad::<FMA>(column[i], line[j], acc[i][j]);
            }
        }
    }
    *sums = acc;
}

/// `sums[i][j] += Σ_k strip[k][i] · lines[k · stride + j]`: rows packed, columns as they lie in
/// memory.
///
/// # Panics
/// When `lines` ends before the last line's [`NR`] values.
#[inline(always)]
pub fn strip_by_lines<const FMA: bool, const M: usize>(
    sums: &mut Tile<M>,
    strip: &[[f32; M]],
    lines: &[f32],
    stride: usize,
) {
    let mut acc = *sums;
    for (column, line) in strip.iter().zip(lines.chunks(stride)) {
        let line = &line[..NR];
        for i in 0..M {
            for j in 0..NR {
                acc[i][j] = mad::<FMA>(column[i], line[j], acc[i][j]);
            }
        }
    }
    *sums = acc;
}

/// A matrix `[depth, columns]` packed for the right of a product: for each [`NR`] columns a panel
/// `[depth][NR]`, the last one filled up with zeros.
#[derive(Clone, Debug)]
pub struct Panels {
    depth: usize,
    columns: usize,
    data: Vec<[f32; NR]>,
}

impl Panels {
    /// Packs the matrix whose elements `at(k, column)` gives.
    pub fn new(depth: usize, columns: usize, at: impl Fn(usize, usize) -> f32) -> Self {
        let mut data = Vec::with_capacity(columns.div_ceil(NR) * depth);
        for first in (0..columns).step_by(NR) {
            for k in 0..depth {
                data.push(std::array::from_fn(|j| {
                    if first + j < columns { at(k, first + j) } else { 0.0 }
                }));
            }
        }
        Self { depth, columns, data }
    }

    /// Rows of the matrix.
    pub fn depth(&self) -> usize {
        self.depth
    }

    /// Columns of the matrix.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Panels there are.
    pub fn count(&self) -> usize {
        self.columns.div_ceil(NR)
    }

    /// Panel `index`, `[depth][NR]`.
    pub fn panel(&self, index: usize) -> &[[f32; NR]] {
        &self.data[index * self.depth..][..self.depth]
    }
}

/// A matrix `[rows, depth]` packed for the left of a product: for each [`MR`] rows a strip
/// `[depth][MR]`, the last one filled up with zeros.
#[derive(Clone, Debug)]
pub struct Strips {
    rows: usize,
    depth: usize,
    data: Vec<[f32; MR]>,
}

impl Strips {
    /// Packs the matrix whose elements `at(row, k)` gives.
    pub fn new(rows: usize, depth: usize, at: impl Fn(usize, usize) -> f32) -> Self {
        let mut data = Vec::with_capacity(rows.div_ceil(MR) * depth);
        for first in (0..rows).step_by(MR) {
            for k in 0..depth {
                data.push(std::array::from_fn(|i| {
                    if first + i < rows { at(first + i, k) } else { 0.0 }
                }));
            }
        }
        Self { rows, depth, data }
    }

    /// Rows of the matrix.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Columns of the matrix.
    pub fn depth(&self) -> usize {
        self.depth
    }

    /// Strips there are.
    pub fn count(&self) -> usize {
        self.rows.div_ceil(MR)
    }

    /// Strip `index`, `[depth][MR]`.
    pub fn strip(&self, index: usize) -> &[[f32; MR]] {
        &self.data[index * self.depth..][..self.depth]
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::testing::{assert_same, noise},
        *,
    };

    #[test]
    fn all_three_forms_are_the_product() {
        for depth in [0, 1, 5, 64] {
            let (a, b) = (noise(MR * depth, 1), noise(depth * NR, 2));
            let start = noise(MR * NR, 3);
            let expected: Vec<f32> = (0..MR * NR)
                .map(|at| {
                    let (i, j) = (at / NR, at % NR);
                    start[at] + (0..depth).map(|k| a[i * depth + k] * b[k * NR + j]).sum::<f32>()
                })
                .collect();
            let strips = Strips::new(MR, depth, |i, k| a[i * depth + k]);
            let panels = Panels::new(depth, NR, |k, j| b[k * NR + j]);
            let begin: Tile<MR> =
                std::array::from_fn(|i| std::array::from_fn(|j| start[i * NR + j]));

            let mut sums = begin;
            let rows = std::array::from_fn(|i| &a[i * depth..][..depth]);
            rows_by_panel::<false, MR>(&mut sums, rows, panels.panel(0));
            assert_same(&expected, sums.as_flattened(), "rows by panel");

            let mut sums = begin;
            strip_by_panel::<false, MR>(&mut sums, strips.strip(0), panels.panel(0));
            assert_same(&expected, sums.as_flattened(), "strip by panel");

            let mut sums = begin;
            strip_by_lines::<true, MR>(&mut sums, strips.strip(0), &b, NR);
            assert_same(&expected, sums.as_flattened(), "strip by lines");
        }
    }

    #[test]
    fn packing_fills_up_with_zeros() {
        let panels = Panels::new(2, 17, |k, column| (100 * k + column) as f32);
        assert_eq!(panels.count(), 2);
        assert_eq!(panels.panel(1)[1][0], 116.0);
        assert_eq!(panels.panel(1)[1][1..], [0.0; NR - 1]);
        let strips = Strips::new(7, 2, |row, k| (100 * row + k) as f32);
        assert_eq!(strips.count(), 2);
        assert_eq!(
            strips.strip(1),
            [[600.0, 0.0, 0.0, 0.0, 0.0, 0.0], [601.0, 0.0, 0.0, 0.0, 0.0, 0.0]]
        );
    }
}
