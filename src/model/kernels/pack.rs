//! Packed matrices and lines for the inner loops.

use std::marker::PhantomData;

use super::{
    layout::{MR, NR, Tile},
    operand::Operand,
};
use crate::model::{arena::Buffer, weights::shared::SharedWeights};

/// A matrix `[depth, columns]` packed for the right of a product: for each [`NR`] columns a panel
/// `[depth / V::DEPTH][NR]`, the last one padded with zeros.
#[derive(Clone, Debug)]
pub struct Panels<V = f32> {
    depth: usize,
    columns: usize,
    /// `[panels][depth / V::DEPTH][NR]`.
    data: SharedWeights,
    cell: PhantomData<V>,
}

impl<V: Operand> Panels<V> {
    /// Packs the matrix whose elements `at(k, column)` gives.
    pub fn new(depth: usize, columns: usize, at: impl Fn(usize, usize) -> f32) -> Self {
        let at = |k, column| if k < depth && column < columns { at(k, column) } else { 0.0 };
        let lines = depth.div_ceil(V::DEPTH);
        let mut data = Buffer::any(columns.div_ceil(NR) * lines * NR);
        let cells: &mut [V] = bytemuck::cast_slice_mut(&mut data);
        for (index, line) in cells.as_chunks_mut::<NR>().0.iter_mut().enumerate() {
            let (first, k) = (index / lines * NR, index % lines * V::DEPTH);
            for (column, cell) in (first..).zip(line) {
                *cell = V::pack([at(k, column), at(k + 1, column)]);
            }
        }
        Self { depth, columns, data: SharedWeights::new(data), cell: PhantomData }
    }

    /// Rows of the matrix.
    pub fn depth(&self) -> usize {
        self.depth
    }

    /// Columns of the matrix.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Number of panels.
    pub fn count(&self) -> usize {
        self.columns.div_ceil(NR)
    }

    /// Panel `index`, `[depth / V::DEPTH][NR]`.
    pub fn panel(&self, index: usize) -> &[[V; NR]] {
        let depth = self.depth.div_ceil(V::DEPTH);
        let cells: &[V] = bytemuck::cast_slice(&self.data);
        &cells.as_chunks::<NR>().0[index * depth..][..depth]
    }
}

/// A matrix `[rows, depth]` packed for the left of a product: for each [`MR`] rows a strip
/// `[depth][MR]`, the last one padded with zeros.
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

    /// Number of strips.
    pub fn count(&self) -> usize {
        self.rows.div_ceil(MR)
    }

    /// Strip `index`, `[depth][MR]`.
    pub fn strip(&self, index: usize) -> &[[f32; MR]] {
        &self.data[index * self.depth..][..self.depth]
    }
}

/// [`NR`] values of a line from `first` on; zeros beyond its end.
#[inline(always)]
pub(super) fn load(line: &[f32], first: usize) -> [f32; NR] {
    let line = &line[first..];
    line.first_chunk().copied().unwrap_or_else(|| {
        let mut values = [0.0; NR];
        values[..line.len()].copy_from_slice(line);
        values
    })
}

/// Stores values from `first` on, up to the end of the line.
#[inline(always)]
pub(super) fn save(values: &[f32; NR], line: &mut [f32], first: usize) {
    let line = &mut line[first..];
    if let Some(whole) = line.first_chunk_mut() {
        *whole = *values;
    } else {
        let width = line.len();
        line.copy_from_slice(&values[..width]);
    }
}

/// Packs columns `first..first + NR` of `lines`, rows of `frames` values; zero beyond their end.
#[inline(always)]
pub(super) fn pack(lines: &[f32], frames: usize, first: usize, packed: &mut [[f32; NR]]) {
    for (line, packed) in lines.chunks_exact(frames).zip(packed) {
        *packed = load(line, first);
    }
}

/// Stores lines of a tile as columns `first..first + NR` of `lines`, up to their end.
#[inline(always)]
pub(super) fn unpack(tile: &[[f32; NR]], lines: &mut [f32], frames: usize, first: usize) {
    for (line, values) in lines.chunks_exact_mut(frames).zip(tile) {
        save(values, line, first);
    }
}

/// Stores a tile into a panel, which may be shorter.
#[inline(always)]
pub(super) fn store<const M: usize>(tile: &Tile<M>, panel: &mut [[f32; NR]]) {
    if let Some(whole) = panel.first_chunk_mut::<M>() {
        *whole = *tile;
    } else {
        for (to, line) in panel.iter_mut().zip(tile) {
            *to = *line;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packing_pads_with_zeros() {
        let panels = Panels::<f32>::new(2, 17, |k, column| (100 * k + column) as f32);
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
