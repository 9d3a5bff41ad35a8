//! Products and packing of tiles in plain code, for tests and for CPUs without AMX.

use super::{
    super::{
        layout::{NR, Pair},
        math::exp2,
    },
    layout::{DEPTH, ROWS, Side, Size, Sums, Tile},
};

/// A stand-in for the tile registers of x86, for other processors.
#[cfg(not(target_arch = "x86_64"))]
#[derive(Debug)]
pub enum Tiles {}

#[cfg(not(target_arch = "x86_64"))]
impl Tiles {
    /// Always `None`.
    pub fn new() -> Option<Self> {
        None
    }
}

/// Rounds to the nearest bf16.
pub fn round(value: f32) -> f32 {
    Pair::new([value, 0.0]).values()[0]
}

/// Packs a strip, `[steps][P]`, of the left matrix whose elements `at(row, k)` gives.
pub fn pack<const P: usize>(strip: &mut [Tile], at: impl Fn(usize, usize) -> f32) {
    for (step, tiles) in strip.chunks_exact_mut(P).enumerate() {
        for (part, tile) in tiles.iter_mut().enumerate() {
            for (i, line) in tile.0.iter_mut().enumerate() {
                for (j, cell) in line.iter_mut().enumerate() {
                    *cell = Pair::new([0, 1].map(|half| {
                        let value = at(i, (step * NR + j) * 2 + half);
                        if part == 0 { value } else { value - round(value) }
                    }));
                }
            }
        }
    }
}

/// Transposes pairs: a tile of the left matrix becomes one of the right.
pub fn transpose(tile: &mut Tile) {
    for i in 0..ROWS {
        for j in 0..i {
            let (a, b) = (tile.0[i][j], tile.0[j][i]);
            (tile.0[i][j], tile.0[j][i]) = (b, a);
        }
    }
}

/// Twin of [`super::product`].
pub fn product<const P: usize, const ADD: bool>(
    sums: &mut Sums<'_>,
    left: Side<'_>,
    right: Side<'_>,
    size: Size,
) {
    for (strip, panel) in
        (0..size.strips).flat_map(|strip| (0..size.panels).map(move |panel| (strip, panel)))
    {
        let lines = &mut sums.lines[panel * sums.stride + strip * ROWS..][..ROWS];
        for (i, line) in lines.iter_mut().enumerate() {
            for (j, sum) in line.iter_mut().enumerate() {
                let start = if ADD { *sum } else { 0.0 };
                let tile = |side: Side<'_>, at: usize, k: usize, part: usize| {
                    side.tiles[at * side.stride + k / DEPTH * side.step + part]
                };
                let terms = (0..size.steps * DEPTH).map(|k| {
                    let a = |part| left_value(&tile(left, strip, k, part), i, k % DEPTH);
                    let b = |part| right_value(&tile(right, panel, k, part), j, k % DEPTH);
                    let parts = (0..P).flat_map(|p| (0..P - p).map(move |q| (p, q)));
                    parts.map(|(p, q)| a(p) * b(q)).sum::<f32>()
                });
                *sum = start + terms.sum::<f32>();
            }
        }
    }
}

/// Value `k` of a row of a tile of the left matrix.
pub fn left_value(tile: &Tile, row: usize, k: usize) -> f32 {
    tile.0[row][k / 2].values()[k % 2]
}

/// Twin of [`super::weigh`].
pub fn weigh<const P: usize>(
    scores: &[[f32; NR]],
    top: &[f32; NR],
    sums: &mut [f32; NR],
    panel: &mut [Tile],
) {
    let weight =
        |j: usize, k: usize| scores.get(k).map_or(0.0, |line| exp2::<false>(line[j] - top[j]));
    for (j, sum) in sums.iter_mut().enumerate() {
        *sum += (0..scores.len()).map(|k| weight(j, k)).sum::<f32>();
    }
    pack::<P>(panel, weight);
    panel.iter_mut().for_each(transpose);
}

/// Twin of [`super::store_transposed`].
pub fn store_transposed(lines: &[[f32; NR]], factor: &[f32; NR], out: &mut [f32], stride: usize) {
    for ((i, factor), out) in factor.iter().enumerate().zip(out.chunks_mut(stride)) {
        if out.len() >= lines.len() {
            for (value, line) in out.iter_mut().zip(lines) {
                *value = line[i] * factor;
            }
        }
    }
}

/// Value `k` of a column of a tile of the right matrix.
pub fn right_value(tile: &Tile, column: usize, k: usize) -> f32 {
    tile.0[k / 2][column].values()[k % 2]
}
