//! What a product multiplies: single-precision values, or pairs of bf16 whose products are summed in
//! single precision.
//!
//! The kernels of tokens (linear layers, attention) are written once, over this trait. Runs on the
//! calling thread.

use std::fmt::Debug;

use super::{
    bf16::Pair,
    tile::{MR, NR, columns_by_panel, rows_by_panel, rows_times_panel},
};

/// One or two neighbouring values of a product's depth.
///
/// The sums are tiles' lines, `[rows][NR]`. `FMA` as in [`super::vectorised`]. Every product panics
/// when its rows or columns end before the panel does.
pub trait Operand: bytemuck::Pod + Debug + Default + Send + Sync {
    /// How many values of the depth are in one.
    const DEPTH: usize;

    /// From two neighbours; the second is not looked at when there is room for one.
    fn pack(values: [f32; 2]) -> Self;

    /// Changes one of the values.
    fn set(&mut self, index: usize, value: f32);

    /// Rows of `depth` values as rows of operands; `room`, as long as `values`, may be used for them.
    fn rows<'a>(values: &'a [f32], depth: usize, room: &'a mut [f32]) -> &'a [Self];

    /// `sums[i] += Σ_k rows[i · stride + k] · panel[k]`.
    fn rows_by_panel<const FMA: bool>(
        sums: &mut [[f32; NR]],
        rows: &[Self],
        stride: usize,
        panel: &[[Self; NR]],
    );

    /// `out[i] = Σ_k rows[i · panel.len() + k] · panel[k]`.
    fn rows_times_panel<const FMA: bool>(
        out: &mut [[f32; NR]],
        rows: &[Self],
        panel: &[[Self; NR]],
    );

    /// `sums[i] += Σ_k columns[k · sums.len() + i] · panel[k]`.
    fn columns_by_panel<const FMA: bool>(
        sums: &mut [[f32; NR]],
        columns: &[Self],
        panel: &[[Self; NR]],
    );

    /// `lines` as a panel; `room`, as long as `lines`, may be used for it.
    fn panel<'a>(lines: &'a [[f32; NR]], room: &'a mut [[f32; NR]]) -> &'a [[Self; NR]];
}

impl Operand for f32 {
    const DEPTH: usize = 1;

    #[inline(always)]
    fn pack([value, _]: [f32; 2]) -> Self {
        value
    }

    #[inline(always)]
    fn set(&mut self, _index: usize, value: f32) {
        *self = value;
    }

    #[inline(always)]
    fn rows<'a>(values: &'a [f32], _depth: usize, _room: &'a mut [f32]) -> &'a [Self] {
        values
    }

    #[inline(always)]
    fn rows_by_panel<const FMA: bool>(
        sums: &mut [[f32; NR]],
        rows: &[Self],
        stride: usize,
        panel: &[[Self; NR]],
    ) {
        let (tiles, rest) = sums.as_chunks_mut::<MR>();
        let first = tiles.len() * MR;
        for (index, tile) in tiles.iter_mut().enumerate() {
            rows_by_panel::<FMA, MR>(tile, &rows[index * MR * stride..], stride, panel);
        }
        for (index, line) in rest.as_chunks_mut::<1>().0.iter_mut().enumerate() {
            rows_by_panel::<FMA, 1>(line, &rows[(first + index) * stride..], stride, panel);
        }
    }

    #[inline(always)]
    fn rows_times_panel<const FMA: bool>(
        out: &mut [[f32; NR]],
        rows: &[Self],
        panel: &[[Self; NR]],
    ) {
        let (tiles, rest) = out.as_chunks_mut::<MR>();
        let first = tiles.len() * MR * panel.len();
        rows_times_panel::<FMA, MR>(tiles, rows, panel);
        rows_times_panel::<FMA, 1>(rest.as_chunks_mut().0, &rows[first..], panel);
    }

    #[inline(always)]
    fn columns_by_panel<const FMA: bool>(
        sums: &mut [[f32; NR]],
        columns: &[Self],
        panel: &[[Self; NR]],
    ) {
        let stride = sums.len();
        let mut first = 0;
        let (tiles, rest) = sums.as_chunks_mut::<MR>();
        for tile in tiles {
            columns_by_panel::<FMA, MR>(tile, columns, stride, first, panel);
            first += MR;
        }
        // Sixty-four features leave four.
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

    #[inline(always)]
    fn panel<'a>(lines: &'a [[f32; NR]], _room: &'a mut [[f32; NR]]) -> &'a [[Self; NR]] {
        lines
    }
}

impl Operand for Pair {
    const DEPTH: usize = 2;

    #[inline(always)]
    fn pack(values: [f32; 2]) -> Self {
        Self::new(values)
    }

    #[inline(always)]
    fn set(&mut self, index: usize, value: f32) {
        self.set_half(index, value);
    }

    #[inline(always)]
    fn rows<'a>(values: &'a [f32], depth: usize, room: &'a mut [f32]) -> &'a [Self] {
        super::bf16::rows(values, depth, bytemuck::cast_slice_mut(room))
    }

    #[inline(always)]
    fn rows_by_panel<const FMA: bool>(
        sums: &mut [[f32; NR]],
        rows: &[Self],
        stride: usize,
        panel: &[[Self; NR]],
    ) {
        super::bf16::rows_by_panel(sums, rows, stride, panel);
    }

    #[inline(always)]
    fn rows_times_panel<const FMA: bool>(
        out: &mut [[f32; NR]],
        rows: &[Self],
        panel: &[[Self; NR]],
    ) {
        out.fill([0.0; NR]);
        super::bf16::rows_by_panel(out, rows, panel.len(), panel);
    }

    #[inline(always)]
    fn columns_by_panel<const FMA: bool>(
        sums: &mut [[f32; NR]],
        columns: &[Self],
        panel: &[[Self; NR]],
    ) {
        super::bf16::columns_by_panel(sums, columns, panel);
    }

    #[inline(always)]
    fn panel<'a>(lines: &'a [[f32; NR]], room: &'a mut [[f32; NR]]) -> &'a [[Self; NR]] {
        super::bf16::panel(lines, bytemuck::cast_slice_mut(room))
    }
}
