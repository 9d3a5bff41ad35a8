//! Sizes and cells of the packed layouts, which the kernels share.

/// Rows of a tile.
pub const MR: usize = 6;
/// Columns of a tile: two vectors of AVX2.
pub const NR: usize = 16;

/// The sums of a tile.
pub type Tile<const M: usize> = [[f32; NR]; M];

/// Rows of a strip of the left matrix for AVX-512. With two panels, there are enough independent sums
/// to hide the latency of a multiply-add.
pub const STRIP: usize = 8;

/// Two neighbouring values of a product's depth, the first one in the lower half.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C, align(4))]
pub struct Pair([u16; 2]);

impl Pair {
    /// Two zeros.
    pub const ZERO: Self = Self([0; 2]);

    /// Rounds two values to bf16.
    #[inline(always)]
    pub fn new(values: [f32; 2]) -> Self {
        Self(values.map(round))
    }

    /// Both values.
    #[inline(always)]
    pub fn values(self) -> [f32; 2] {
        self.0.map(|half| f32::from_bits(u32::from(half) << 16))
    }
}

/// Rounds to the nearest bf16, ties to even; NaN stays NaN.
#[inline(always)]
fn round(value: f32) -> u16 {
    let bits = value.to_bits();
    let rounded = (bits + (0x7fff + (bits >> 16 & 1))) >> 16;
    (if value.is_nan() { bits >> 16 | 0x40 } else { rounded }) as u16
}

/// The left matrix of a product, in strips of [`STRIP`] interleaved rows: cell
/// `(row, k)` is `cells[row / STRIP · strip_stride + k · line_stride + row % STRIP]`.
#[derive(Clone, Copy, Debug)]
pub struct Left<'a, V> {
    pub(super) cells: &'a [V],
    strip_stride: usize,
    pub(super) line_stride: usize,
}

impl<'a, V: Copy> Left<'a, V> {
    /// A matrix of rows of `depth` cells, packed as strips `[depth][STRIP]`, from line `from` on.
    #[inline(always)]
    pub fn strips(cells: &'a [V], depth: usize, from: usize) -> Self {
        Self { cells: &cells[from * STRIP..], strip_stride: depth * STRIP, line_stride: STRIP }
    }

    /// A matrix that is transposed in memory: consecutive columns of `count` cells.
    #[inline(always)]
    pub fn columns(cells: &'a [V], count: usize) -> Self {
        Self { cells, strip_stride: STRIP, line_stride: count }
    }

    /// The cell at `(row, k)`.
    #[inline(always)]
    pub fn at(&self, row: usize, k: usize) -> V {
        self.cells[self.index(row, k)]
    }

    /// Whether `cells` has every cell of `rows` rows of `lines` cells. It suffices to check the last
    /// one, which has the highest index.
    #[cfg(any(test, target_arch = "x86_64"))]
    #[inline(always)]
    pub(super) fn has(&self, rows: usize, lines: usize) -> bool {
        let (Some(row), Some(line)) = (rows.checked_sub(1), lines.checked_sub(1)) else {
            return true;
        };
        let strip = (row / STRIP).checked_mul(self.strip_stride);
        let line = line.checked_mul(self.line_stride);
        let last = strip.zip(line).and_then(|(strip, line)| strip.checked_add(line));
        let last = last.and_then(|last| last.checked_add(row % STRIP));
        self.strip_stride >= STRIP && last.is_some_and(|last| last < self.cells.len())
    }

    #[inline(always)]
    pub(super) fn index(&self, row: usize, k: usize) -> usize {
        row / STRIP * self.strip_stride + k * self.line_stride + row % STRIP
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_rounded_to_the_nearest_and_ties_to_even() {
        let rounded = |bits: u32| Pair::new([f32::from_bits(bits), 0.0]).values()[0].to_bits();
        assert_eq!(rounded(0x3f80_0000), 0x3f80_0000);
        assert_eq!(rounded(0x3f80_7fff), 0x3f80_0000);
        assert_eq!(rounded(0x3f80_8000), 0x3f80_0000);
        assert_eq!(rounded(0x3f81_8000), 0x3f82_0000);
        assert_eq!(rounded(0xbf80_8001), 0xbf81_0000);
        assert_eq!(rounded(0x7f7f_ffff), f32::INFINITY.to_bits());
        assert_eq!(rounded(0xff80_0000), f32::NEG_INFINITY.to_bits());
        assert!(Pair::new([f32::from_bits(0x7f80_0001), 0.0]).values()[0].is_nan());
    }

    #[test]
    fn a_left_matrix_has_the_rows_within_its_cells() {
        let cells = [0.0_f32; 2 * STRIP * 3];
        let strips = Left::strips(&cells, 3, 0);
        assert!(strips.has(2 * STRIP, 3) && !strips.has(2 * STRIP + 1, 3));
        assert!(!strips.has(2 * STRIP, 4));
        assert!(!Left::strips(&cells, 3, 1).has(2 * STRIP, 3));
        // Without rows or lines, no cell is read, so no index is too large.
        assert!(strips.has(usize::MAX, 0) && strips.has(0, usize::MAX));
        assert!(!strips.has(usize::MAX, 1) && !strips.has(1, usize::MAX));
        let columns = Left::columns(&cells, usize::MAX / 2);
        assert!(columns.has(1, 1) && !columns.has(1, 4));
    }
}
