//! Products of bf16 tiles by AMX, summed in single precision: of values rounded to bf16, or of
//! values split into two bf16 each.
//!
//! The sum of the nearest bf16 and of the remainder, rounded to bf16 again, is within 2^-17 of a
//! value of single precision. The product of the two remainders is left out, so that three products
//! of bf16 replace one of about 16 bits, at several times the speed of single precision (Henry,
//! Tang and Heinecke 2019, arXiv 1904.06376). The constant `P` is the number of parts, one or two.
//!
//! Runs on the calling thread, with the instructions if the CPU has them, otherwise with the same
//! sums in plain code ([`plain`]). The plain code is slow and meant for tests: callers use tiles only
//! if [`has_amx`](super::cpu::has_amx) returns true.

mod layout;
mod pack;
mod plain;

use super::layout::NR;
#[cfg(target_arch = "x86_64")]
use super::x86;
use crate::model::{arena::Buffer, weights::shared::SharedWeights};

pub use layout::{DEPTH, ROWS, Side, Size, Sums, Tile, steps};
#[cfg(not(target_arch = "x86_64"))]
pub use plain::Tiles;
#[cfg(target_arch = "x86_64")]
pub use x86::amx::Tiles;

pub use pack::{pack_left, pack_left_lines, pack_left_pair, pack_right, store_transposed, weigh};

/// `sums = left · right`, or `sums += left · right` if `ADD`. Callers hold [`Tiles`] over many
/// products.
///
/// # Panics
/// A side or the sums end before the product, or panels of the sums overlap.
pub fn product<const P: usize, const ADD: bool>(
    sums: &mut Sums<'_>,
    left: Side<'_>,
    right: Side<'_>,
    size: Size,
) {
    let Size { strips, panels, steps } = size;
    if strips == 0 || panels == 0 {
        return;
    }
    if steps == 0 {
        if !ADD {
            for panel in 0..panels {
                sums.lines[panel * sums.stride..][..strips * ROWS].fill([0.0; NR]);
            }
        }
        return;
    }
    assert!(left.has(strips, steps, P), "the left ends before the product");
    assert!(right.has(panels, steps, P), "the right ends before the product");
    let rows = strips.checked_mul(ROWS);
    assert!(
        rows.is_some_and(|rows| panels == 1 || sums.stride >= rows),
        "panels of the sums overlap"
    );
    let end = (panels - 1).checked_mul(sums.stride).zip(rows).and_then(|(a, b)| a.checked_add(b));
    assert!(end.is_some_and(|end| end <= sums.lines.len()), "the sums end before the product");
    #[cfg(target_arch = "x86_64")]
    if let Some(tiles) = Tiles::new() {
        x86::amx::product::<P, ADD>(&tiles, sums, left, right, size);
        return;
    }
    plain::product::<P, ADD>(sums, left, right, size);
}

/// A matrix `[depth, columns]` packed for the right of a product: `[panels][steps][P]`.
#[derive(Clone, Debug)]
pub struct Packed<const P: usize> {
    data: SharedWeights,
    /// Panels.
    count: usize,
    steps: usize,
}

impl<const P: usize> Packed<P> {
    /// Packs `count` columns of `depth` values each, which `column` writes.
    pub fn new(depth: usize, count: usize, column: impl Fn(usize, &mut [f32])) -> Self {
        let (panels, steps) = (count.div_ceil(NR), steps(depth));
        let mut data = Buffer::any(panels * steps * P * Tile::VALUES);
        let mut columns = vec![0.0; NR * depth];
        let tiles: &mut [Tile] = bytemuck::cast_slice_mut(&mut data);
        for (panel, tiles) in tiles.chunks_exact_mut((steps * P).max(1)).enumerate() {
            let here = NR.min(count - panel * NR);
            for (index, values) in columns.chunks_exact_mut(depth.max(1)).take(here).enumerate() {
                column(panel * NR + index, values);
            }
            pack_right::<P>(&columns[..here * depth], depth, depth, tiles);
        }
        Self { data: SharedWeights::new(data), count: panels, steps }
    }

    /// Panels of [`NR`] columns.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The side from panel `first` and step `from` on.
    pub fn side(&self, first: usize, from: usize) -> Side<'_> {
        let tiles: &[Tile] = bytemuck::cast_slice(&self.data);
        let at = (first * self.steps + from) * P;
        Side { tiles: tiles.get(at..).unwrap_or_default(), stride: self.steps * P, step: P }
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::testing::{has_amx, noise},
        *,
    };

    /// `[rows, columns]` in double precision, from values rounded like packed ones, and without the
    /// product of the remainders.
    fn expected(
        a: &[f32],
        b: &[f32],
        [rows, columns, depth]: [usize; 3],
        parts: usize,
    ) -> Vec<f64> {
        let split = |v: f32| {
            let high = plain::round(v);
            let low = if parts == 2 { plain::round(v - high) } else { 0.0 };
            [f64::from(high), f64::from(low)]
        };
        let mut out = Vec::new();
        for i in 0..rows {
            for j in 0..columns {
                let terms = (0..depth).map(|k| {
                    let ([a, c], [b, d]) = (split(a[i * depth + k]), split(b[j * depth + k]));
                    a * b + a * d + c * b
                });
                out.push(terms.sum::<f64>());
            }
        }
        out
    }

    fn check<const P: usize>() {
        for (rows, columns, depth) in
            [(1, 1, 1), (16, 16, 32), (17, 33, 31), (33, 40, 65), (64, 64, 512), (50, 15, 100)]
        {
            let (a, b) = (noise(rows * depth, 1), noise(columns * depth, 2));
            let tiles_of_strip = steps(depth) * P;
            let mut left = vec![Tile::ZERO; rows.div_ceil(ROWS) * tiles_of_strip];
            for (strip, rows) in left.chunks_mut(tiles_of_strip).zip(a.chunks(ROWS * depth)) {
                pack_left::<P>(rows, depth, depth, strip);
            }
            let right = Packed::<P>::new(depth, columns, |j, row| {
                row.copy_from_slice(&b[j * depth..][..depth]);
            });
            let (strips, panels) = (rows.div_ceil(ROWS), columns.div_ceil(NR));
            let size = Size { strips, panels, steps: steps(depth) };
            let stride = strips * ROWS;
            let mut scratch = Buffer::any(panels * stride * NR);
            let mut lines_plain = scratch.clone();
            let expected = expected(&a, &b, [rows, columns, depth], P);
            for add in [false, true] {
                for (scratch, plainly) in [(&mut scratch, false), (&mut lines_plain, true)] {
                    let lines = scratch.as_chunks_mut().0;
                    if add {
                        lines.fill([3.0; NR]);
                    }
                    let mut sums = Sums { lines, stride };
                    let left = Side { tiles: &left, stride: tiles_of_strip, step: P };
                    let right = right.side(0, 0);
                    match (plainly, add) {
                        (false, false) => product::<P, false>(&mut sums, left, right, size),
                        (false, true) => product::<P, true>(&mut sums, left, right, size),
                        (true, false) => plain::product::<P, false>(&mut sums, left, right, size),
                        (true, true) => plain::product::<P, true>(&mut sums, left, right, size),
                    }
                    let start = if add { 3.0 } else { 0.0 };
                    for (at, expected) in expected.iter().enumerate() {
                        let (i, j) = (at / columns, at % columns);
                        let got = f64::from(lines[j / NR * stride + i][j % NR]) - start;
                        assert!((got - expected).abs() < 2e-5, "{rows} {columns} {depth}: {i} {j}");
                    }
                }
            }
        }
    }

    #[test]
    fn products_of_tiles_are_those_of_their_parts_on_odd_shapes() {
        has_amx("products of tiles by the instructions");
        check::<1>();
        check::<2>();
    }

    #[test]
    fn two_parts_are_nearly_single_precision() {
        let (a, b) = (noise(16 * 320, 1), noise(16 * 320, 2));
        let pack = |x: &[f32]| {
            let (mut one, mut two) = (vec![Tile::ZERO; 20], vec![Tile::ZERO; 20]);
            pack_left::<2>(x, 320, 320, &mut one);
            pack_right::<2>(x, 320, 320, &mut two);
            (one, two)
        };
        let (left, right) = (pack(&a).0, pack(&b).1);
        let mut lines = [[0.0; NR]; ROWS];
        product::<2, false>(
            &mut Sums { lines: &mut lines, stride: ROWS },
            Side { tiles: &left, stride: 20, step: 2 },
            Side { tiles: &right, stride: 20, step: 2 },
            Size { strips: 1, panels: 1, steps: 10 },
        );
        let exact: Vec<f32> = (0..256)
            .map(|at| {
                let (i, j) = (at / 16, at % 16);
                let terms = (0..320).map(|k| f64::from(a[i * 320 + k]) * f64::from(b[j * 320 + k]));
                terms.sum::<f64>() as f32
            })
            .collect();
        let db = super::super::testing::signal_to_error_db(&exact, lines.as_flattened());
        assert!(db > 100.0, "{db} dB");
    }

    #[test]
    #[should_panic(expected = "the left ends")]
    fn a_side_must_be_as_large_as_the_product() {
        let mut lines = [[0.0; NR]; ROWS];
        product::<2, false>(
            &mut Sums { lines: &mut lines, stride: ROWS },
            Side { tiles: &[Tile::ZERO; 1], stride: 2, step: 2 },
            Side { tiles: &[Tile::ZERO; 2], stride: 2, step: 2 },
            Size { strips: 1, panels: 1, steps: 1 },
        );
    }
}
