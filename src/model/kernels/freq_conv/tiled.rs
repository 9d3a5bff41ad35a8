//! The products of these convolutions on tiles of bf16, where the CPU has them: some panels are packed
//! from wherever they lie and multiplied by all strips of the weights at once.

use super::super::{
    Lines,
    amx::{self, Packed, Side, Size, Sums, Tile, pack_right_lines, product, steps},
    tile::NR,
};
use crate::model::arena::Buffer;

/// Two parts for each value, in every precision: the convolutions are not where the time is.
const PARTS: usize = 2;
/// Panels that are multiplied at a time: with them the weights are worth their way, and all of it
/// stays in the second-level cache.
pub const GROUP: usize = 12;

/// A matrix of weights, `[rows, depth]`, and what is added to each row.
#[derive(Clone, Debug)]
pub struct TileRows {
    weight: Packed<PARTS>,
    /// Filled up to whole strips.
    bias: Vec<f32>,
    depth: usize,
}

/// Memory for some panels.
#[derive(Debug, Default)]
pub struct Scratch {
    tiles: Buffer,
    sums: Lines,
}

impl TileRows {
    /// Packs the matrix whose elements `at(row, k)` gives; `None` where the CPU has no tiles.
    pub fn new(
        [rows, depth]: [usize; 2],
        bias: impl Fn(usize) -> f32,
        at: impl Fn(usize, usize) -> f32,
    ) -> Option<Self> {
        amx::is_there().then(|| Self::packed([rows, depth], bias, at))
    }

    fn packed(
        [rows, depth]: [usize; 2],
        bias: impl Fn(usize) -> f32,
        at: impl Fn(usize, usize) -> f32,
    ) -> Self {
        let weight = Packed::left(depth, rows, |row, values| {
            for (k, value) in values.iter_mut().enumerate() {
                *value = at(row, k);
            }
        });
        let whole = rows.next_multiple_of(amx::ROWS);
        let bias = (0..whole).map(|row| if row < rows { bias(row) } else { 0.0 }).collect();
        Self { weight, bias, depth }
    }

    /// Rows in whole strips: lines of a panel of the result.
    pub fn lines(&self) -> usize {
        self.bias.len()
    }

    /// The product with `count` panels, which `pack(panel, tiles)` packs, the bias added:
    /// `[count, lines][NR]`.
    pub fn multiply<'a>(
        &self,
        count: usize,
        scratch: &'a mut Scratch,
        mut pack: impl FnMut(usize, &mut [Tile]),
    ) -> &'a mut [[f32; NR]] {
        let (steps, lines) = (steps(self.depth), self.lines());
        let len = count * steps * PARTS * Tile::VALUES;
        if scratch.tiles.len() < len {
            scratch.tiles = Buffer::any(len);
        }
        if scratch.sums.len() < count * lines {
            scratch.sums.resize(count * lines);
        }
        let tiles: &mut [Tile] = bytemuck::cast_slice_mut(&mut scratch.tiles[..len]);
        for (panel, tiles) in tiles.chunks_exact_mut(steps * PARTS).enumerate() {
            pack(panel, tiles);
        }
        let sums = &mut scratch.sums[..count * lines];
        for panel in sums.chunks_exact_mut(lines) {
            for (line, bias) in panel.iter_mut().zip(&self.bias) {
                *line = [*bias; NR];
            }
        }
        product::<PARTS, true>(
            &mut Sums { lines: sums, stride: lines },
            self.weight.side(0, 0),
            Side { tiles, stride: steps * PARTS, step: PARTS },
            Size { strips: lines / amx::ROWS, panels: count, steps },
        );
        sums
    }
}

/// Packs `depth` lines, `stride` apart, for [`TileRows::multiply`].
pub fn pack(lines: &[f32], stride: usize, [depth, width]: [usize; 2], tiles: &mut [Tile]) {
    pack_right_lines::<PARTS>(lines, stride, [depth, width], tiles);
}

#[cfg(test)]
mod tests {
    use super::{
        super::super::testing::{noise, signal_to_error_db},
        *,
    };

    #[test]
    fn products_are_those_of_the_matrices_on_odd_shapes() {
        let mut scratch = Scratch::default();
        for (rows, depth, count) in [(1, 1, 1), (17, 33, 3), (48, 32, 12), (40, 100, 2)] {
            let (a, b) = (noise(rows * depth, 1), noise(count * depth * NR, 2));
            let weight =
                TileRows::packed([rows, depth], |row| row as f32, |row, k| a[row * depth + k]);
            let got = weight.multiply(count, &mut scratch, |p, tiles| {
                pack(&b[p * depth * NR..], NR, [depth, NR], tiles);
            });
            let (mut expected, mut found) = (Vec::new(), Vec::new());
            for (panel, row) in (0..count).flat_map(|panel| (0..rows).map(move |row| (panel, row)))
            {
                for j in 0..NR {
                    let terms = (0..depth).map(|k| {
                        let b = b[(panel * depth + k) * NR + j];
                        f64::from(a[row * depth + k]) * f64::from(b)
                    });
                    expected.push((row as f64 + terms.sum::<f64>()) as f32);
                    found.push(got[panel * weight.lines() + row][j]);
                }
            }
            let db = signal_to_error_db(&expected, &found);
            assert!(db > 100.0, "{rows} {depth} {count}: {db} dB");
        }
    }
}
