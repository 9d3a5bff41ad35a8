//! Operands of products: single-precision values, or pairs of bf16 whose products are summed in
//! single precision.
//!
//! The kernels of tokens (linear layers, attention) are generic over this trait. Runs on the
//! calling thread.

use std::fmt::Debug;

#[cfg(target_arch = "x86_64")]
use super::x86::avx512;
use super::{
    bf16, cpu,
    elementwise::weigh,
    layout::{Left, MR, NR, Pair, STRIP},
    tile::{columns_by_panel, rows_by_panel, rows_times_panel},
};
use crate::model::Precision;

/// The kind of a product's operands, and the instructions for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProductKind {
    /// Single-precision values.
    Single,
    /// Pairs of bf16.
    Pairs,
    /// Tiles of bf16, see [`amx`](super::amx).
    Tiles,
    /// Tiles of values split into two bf16 each.
    SplitTiles,
}

impl ProductKind {
    /// The fastest kind for a precision on this CPU: tiles if it has AMX.
    pub fn for_precision(precision: Precision) -> Self {
        match (precision, cpu::has_amx()) {
            (Precision::Single, false) => Self::Single,
            (Precision::Single, true) => Self::SplitTiles,
            (Precision::Fast, false) => Self::Pairs,
            (Precision::Fast, true) => Self::Tiles,
        }
    }

    /// The name to display.
    pub fn name(self) -> &'static str {
        match self {
            Self::Single if cpu::has_avx512() => "f32 by AVX-512",
            Self::Single => "f32 by AVX2 or less",
            Self::Pairs => "pairs of bf16 by AVX-512",
            Self::Tiles => "bf16 by AMX",
            Self::SplitTiles => "two bf16 for each f32 by AMX",
        }
    }
}

/// One or two neighbouring values of a product's depth.
///
/// The sums are tiles' lines, `[rows][NR]`. [`super::vectorised`] describes `FMA`. Every product
/// panics if its rows or columns end before the panel.
pub trait Operand: bytemuck::Pod + Debug + Default + Send + Sync {
    /// Values of the depth in one operand.
    const DEPTH: usize;

    /// Packs neighbouring values; ignores the second if an operand holds only one.
    fn pack(values: [f32; 2]) -> Self;

    /// Whether rows are packed into strips of [`STRIP`] on this CPU; otherwise they stay unpacked.
    fn in_strips() -> bool;

    /// Index of cell `k` of `depth` of a row in packed rows.
    #[inline(always)]
    fn place(row: usize, k: usize, depth: usize) -> usize {
        if Self::in_strips() {
            (row / STRIP * depth + k) * STRIP + row % STRIP
        } else {
            row * depth + k
        }
    }

    /// Packs the first lines of a whole strip from [`STRIP`] rows of `depth` values, `stride` apart,
    /// with special instructions. Returns the number of lines, 0 on a CPU without these instructions.
    fn pack_strip(
        _rows: &[f32],
        _stride: usize,
        _depth: usize,
        _lines: &mut [[Self; STRIP]],
    ) -> usize {
        0
    }

    /// `sums[n][i] += Σ_k rows[i, from + k] · panels[n][k]` for packed rows of `depth` cells.
    fn add_rows<const FMA: bool, const N: usize>(
        sums: [&mut [[f32; NR]]; N],
        rows: &[Self],
        depth: usize,
        from: usize,
        panels: [&[[Self; NR]]; N],
    );

    /// `out[n][i] = Σ_k rows[i, k] · panels[n][k]` for packed rows of `depth` cells.
    fn rows_times_panels<const FMA: bool, const N: usize>(
        out: [&mut [[f32; NR]]; N],
        rows: &[Self],
        depth: usize,
        panels: [&[[Self; NR]]; N],
    );

    /// `sums[n][i] += Σ_k columns[k · rows + i] · panels[n][k]`, where `rows` is the length of all
    /// `sums`.
    fn columns_by_panels<const FMA: bool, const N: usize>(
        sums: [&mut [[f32; NR]]; N],
        columns: &[Self],
        rows: usize,
        panels: [&[[Self; NR]]; N],
    );

    /// Returns `2^(scores − top)` as a panel, and adds the values to `sums`. May use `scratch`, which
    /// is as long as `scores`.
    fn weigh<'a, const FMA: bool>(
        scores: &'a mut [[f32; NR]],
        top: &[f32; NR],
        sums: &mut [f32; NR],
        scratch: &'a mut [[f32; NR]],
    ) -> &'a [[Self; NR]];
}

impl Operand for f32 {
    const DEPTH: usize = 1;

    #[inline(always)]
    fn pack([value, _]: [f32; 2]) -> Self {
        value
    }

    #[inline(always)]
    fn in_strips() -> bool {
        cpu::has_avx512()
    }

    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    fn pack_strip(
        rows: &[f32],
        stride: usize,
        _depth: usize,
        lines: &mut [[Self; STRIP]],
    ) -> usize {
        avx512::pack_strip(rows, stride, lines)
    }

    #[inline(always)]
    fn add_rows<const FMA: bool, const N: usize>(
        sums: [&mut [[f32; NR]]; N],
        rows: &[Self],
        depth: usize,
        from: usize,
        panels: [&[[Self; NR]]; N],
    ) {
        #[cfg(target_arch = "x86_64")]
        if Self::in_strips() {
            let left = Left::strips(rows, depth, from);
            avx512::product::<true, N>(sums, left, panels);
            return;
        }
        for (sums, panel) in sums.into_iter().zip(panels) {
            let (tiles, rest) = sums.as_chunks_mut::<MR>();
            let first = tiles.len() * MR;
            for (index, tile) in tiles.iter_mut().enumerate() {
                rows_by_panel::<FMA, MR>(tile, &rows[index * MR * depth + from..], depth, panel);
            }
            for (index, line) in rest.as_chunks_mut::<1>().0.iter_mut().enumerate() {
                let row = &rows[(first + index) * depth + from..];
                rows_by_panel::<FMA, 1>(line, row, depth, panel);
            }
        }
    }

    #[inline(always)]
    fn rows_times_panels<const FMA: bool, const N: usize>(
        out: [&mut [[f32; NR]]; N],
        rows: &[Self],
        depth: usize,
        panels: [&[[Self; NR]]; N],
    ) {
        #[cfg(target_arch = "x86_64")]
        if Self::in_strips() {
            let left = Left::strips(rows, depth, 0);
            avx512::product::<false, N>(out, left, panels);
            return;
        }
        debug_assert!(panels.iter().all(|panel| panel.len() == depth), "panels and rows differ");
        for (out, panel) in out.into_iter().zip(panels) {
            let (tiles, rest) = out.as_chunks_mut::<MR>();
            let first = tiles.len() * MR * panel.len();
            rows_times_panel::<FMA, MR>(tiles, rows, panel);
            rows_times_panel::<FMA, 1>(rest.as_chunks_mut().0, &rows[first..], panel);
        }
    }

    #[inline(always)]
    fn columns_by_panels<const FMA: bool, const N: usize>(
        sums: [&mut [[f32; NR]]; N],
        columns: &[Self],
        stride: usize,
        panels: [&[[Self; NR]]; N],
    ) {
        #[cfg(target_arch = "x86_64")]
        if cpu::has_avx512() {
            let left = Left::columns(columns, stride);
            avx512::product::<true, N>(sums, left, panels);
            return;
        }
        for (sums, panel) in sums.into_iter().zip(panels) {
            let mut first = 0;
            let (tiles, rest) = sums.as_chunks_mut::<MR>();
            for tile in tiles {
                columns_by_panel::<FMA, MR>(tile, columns, stride, first, panel);
                first += MR;
            }
            // For 64 features, the remainder is four.
            let (tiles, rest) = rest.as_chunks_mut::<4>();
            for tile in tiles {
                columns_by_panel::<FMA, 4>(tile, columns, stride, first, panel);
                first += 4;
            }
            for tile in rest.as_chunks_mut::<1>().0 {
                columns_by_panel::<FMA, 1>(tile, columns, stride, first, panel);
                first += 1;
            }
        }
    }

    #[inline(always)]
    fn weigh<'a, const FMA: bool>(
        scores: &'a mut [[f32; NR]],
        top: &[f32; NR],
        sums: &mut [f32; NR],
        _room: &'a mut [[f32; NR]],
    ) -> &'a [[Self; NR]] {
        weigh::<FMA>(scores, top, sums);
        scores
    }
}

impl Operand for Pair {
    const DEPTH: usize = 2;

    #[inline(always)]
    fn pack(values: [f32; 2]) -> Self {
        Self::new(values)
    }

    #[inline(always)]
    fn in_strips() -> bool {
        true
    }

    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    fn pack_strip(rows: &[f32], stride: usize, depth: usize, lines: &mut [[Self; STRIP]]) -> usize {
        avx512::pack_strip_of_pairs(rows, stride, depth, lines)
    }

    #[inline(always)]
    fn add_rows<const FMA: bool, const N: usize>(
        sums: [&mut [[f32; NR]]; N],
        rows: &[Self],
        depth: usize,
        from: usize,
        panels: [&[[Self; NR]]; N],
    ) {
        let left = Left::strips(rows, depth, from);
        bf16::product::<true, N>(sums, left, panels);
    }

    #[inline(always)]
    fn rows_times_panels<const FMA: bool, const N: usize>(
        out: [&mut [[f32; NR]]; N],
        rows: &[Self],
        depth: usize,
        panels: [&[[Self; NR]]; N],
    ) {
        let left = Left::strips(rows, depth, 0);
        bf16::product::<false, N>(out, left, panels);
    }

    #[inline(always)]
    fn columns_by_panels<const FMA: bool, const N: usize>(
        sums: [&mut [[f32; NR]]; N],
        columns: &[Self],
        rows: usize,
        panels: [&[[Self; NR]]; N],
    ) {
        bf16::product::<true, N>(sums, Left::columns(columns, rows), panels);
    }

    #[inline(always)]
    fn weigh<'a, const FMA: bool>(
        scores: &'a mut [[f32; NR]],
        top: &[f32; NR],
        sums: &mut [f32; NR],
        scratch: &'a mut [[f32; NR]],
    ) -> &'a [[Self; NR]] {
        bf16::weigh::<FMA>(scores, top, sums, bytemuck::cast_slice_mut(scratch))
    }
}

/// Largest number of cells of `rows` packed rows of `depth` values.
pub fn packed_len<V: Operand>(rows: usize, depth: usize) -> usize {
    rows.next_multiple_of(STRIP) * depth.div_ceil(V::DEPTH)
}

/// Packs rows of `depth` values into `scratch`, which has [`packed_len`] cells, if this CPU packs
/// rows; otherwise returns them unpacked.
pub fn pack_rows<'a, V: Operand>(
    values: &'a [f32],
    depth: usize,
    scratch: &'a mut [f32],
) -> &'a [V] {
    if !V::in_strips() {
        return bytemuck::cast_slice(values);
    }
    let packed =
        &mut bytemuck::cast_slice_mut(scratch)[..packed_len::<V>(values.len() / depth, depth)];
    pack_strips(values, depth, depth, packed);
    packed
}

/// Packs rows of `depth` values, `stride` apart, into strips.
pub fn pack_strips<V: Operand>(values: &[f32], stride: usize, depth: usize, packed: &mut [V]) {
    let cells = depth.div_ceil(V::DEPTH);
    let strips = packed.as_chunks_mut::<STRIP>().0.chunks_exact_mut(cells);
    for (lines, rows) in strips.zip(values.chunks(STRIP * stride)) {
        let count = rows.len().div_ceil(stride);
        let done = if count == STRIP { V::pack_strip(rows, stride, depth, lines) } else { 0 };
        for (k, line) in lines.iter_mut().enumerate().skip(done) {
            for (cell, row) in line.iter_mut().zip(rows.chunks(stride)) {
                let row = &row[..depth];
                let second = row.get(k * V::DEPTH + 1).copied().unwrap_or_default();
                *cell = V::pack([row[k * V::DEPTH], second]);
            }
        }
    }
}
