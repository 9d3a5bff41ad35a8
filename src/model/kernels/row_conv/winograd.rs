//! Winograd's minimal filtering over rows: four rows of the result from six products instead of
//! twelve (three taps), or from five instead of eight (two taps); Lavin and Gray 2016, arXiv
//! 1509.09308.
//!
//! Four rows are a *tile*. The transforms work along rows, on vectors of neighbouring channels; one
//! panel of columns is multiplied at all points, transformed back and finished before the next, so
//! that the sums stay in the first-level cache.

use std::array::from_fn;

use super::{
    super::{
        layout::{MR, NR},
        math::mad,
        pack::Panels,
        tile::lines_by_panel,
        vectorised::vectorised,
    },
    After, write,
};

/// Rows of the result in a tile.
const OUT: usize = 4;
/// Points of the longest form.
const MOST: usize = OUT + 2;
/// Values of a row that are transformed at a time.
const LANES: usize = 8;

/// Number of taps.
#[derive(Clone, Copy, Debug)]
pub(super) enum Form {
    /// At 0, 1, −1, 2 and infinity.
    Two,
    /// At 0, 1, −1, 2, −2 and infinity.
    Three,
}

impl Form {
    pub(super) fn for_taps(taps: usize) -> Option<Self> {
        match taps {
            2 => Some(Self::Two),
            3 => Some(Self::Three),
            _ => None,
        }
    }

    /// The taps' factors at each point.
    fn weights(self) -> &'static [[f64; 3]] {
        match self {
            Self::Two => &[
                [1.0 / 2.0, 0.0, 0.0],
                [-1.0 / 2.0, -1.0 / 2.0, 0.0],
                [-1.0 / 6.0, 1.0 / 6.0, 0.0],
                [1.0 / 6.0, 1.0 / 3.0, 0.0],
                [0.0, 1.0, 0.0],
            ],
            Self::Three => &[
                [1.0 / 4.0, 0.0, 0.0],
                [-1.0 / 6.0, -1.0 / 6.0, -1.0 / 6.0],
                [-1.0 / 6.0, 1.0 / 6.0, -1.0 / 6.0],
                [1.0 / 24.0, 1.0 / 12.0, 1.0 / 6.0],
                [1.0 / 24.0, -1.0 / 12.0, 1.0 / 6.0],
                [0.0, 0.0, 1.0],
            ],
        }
    }
}

/// Transforms one value of each input row of a tile to the points, for two taps.
#[inline(always)]
fn two<const FMA: bool>(d: [f32; MOST]) -> [f32; MOST] {
    let [d0, d1, d2, d3, d4, _] = d;
    let even = d3 - d1;
    [
        mad::<FMA>(2.0, d0 - d2, even),
        mad::<FMA>(-2.0, d1, d3 - d2),
        mad::<FMA>(2.0, d1, mad::<FMA>(-3.0, d2, d3)),
        even,
        mad::<FMA>(-2.0, even, d4 - d2),
        0.0,
    ]
}

/// Transforms one value of each input row of a tile to the points, for three taps.
#[inline(always)]
fn three<const FMA: bool>(d: [f32; MOST]) -> [f32; MOST] {
    let [d0, d1, d2, d3, d4, d5] = d;
    let (a, b) = (mad::<FMA>(-4.0, d2, d4), mad::<FMA>(-4.0, d1, d3));
    let (c, e) = (d4 - d2, 2.0 * (d3 - d1));
    [
        mad::<FMA>(4.0, d0, mad::<FMA>(-5.0, d2, d4)),
        a + b,
        a - b,
        c + e,
        c - e,
        mad::<FMA>(4.0, d1, mad::<FMA>(-5.0, d3, d5)),
    ]
}

/// Transforms the products at the points to the rows of a tile, for two taps.
#[inline(always)]
fn two_back<const FMA: bool>(m: [f32; MOST]) -> [f32; OUT] {
    let [m0, m1, m2, m3, m4, _] = m;
    let (sum, difference) = (m1 + m2, m1 - m2);
    [
        m0 + sum + m3,
        mad::<FMA>(2.0, m3, difference),
        mad::<FMA>(4.0, m3, sum),
        mad::<FMA>(8.0, m3, difference) + m4,
    ]
}

/// Transforms the products at the points to the rows of a tile, for three taps.
#[inline(always)]
fn three_back<const FMA: bool>(m: [f32; MOST]) -> [f32; OUT] {
    let [m0, m1, m2, m3, m4, m5] = m;
    let (sum, difference) = (m1 + m2, m1 - m2);
    let (far, apart) = (m3 + m4, m3 - m4);
    [
        m0 + sum + far,
        mad::<FMA>(2.0, apart, difference),
        mad::<FMA>(4.0, far, sum),
        mad::<FMA>(8.0, apart, difference) + m5,
    ]
}

/// A convolution of two or three taps.
#[derive(Clone, Debug)]
pub(super) struct Winograd {
    form: Form,
    /// For each point.
    points: Vec<Panels>,
    bias: Vec<[f32; NR]>,
    after: After,
    width: usize,
    outputs: usize,
}

/// A block's rows and one panel's products, at all points.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    /// `[points, tiles, width]`.
    rows: Vec<f32>,
    /// `[points, tiles]`.
    sums: Vec<[f32; NR]>,
    /// A row of zeros, in place of rows beyond the end of the input.
    zeros: Vec<f32>,
}

impl Winograd {
    /// Packs transformed weights; parameters of [`super::RowConv::new`].
    pub(super) fn new(
        form: Form,
        width: usize,
        bias: &[f32],
        after: After,
        weight: impl Fn(usize, usize, usize) -> f32,
    ) -> Self {
        let columns = bias.len();
        let packed = after.packed(columns);
        let taps = form.weights().len() + 1 - OUT;
        let points = form.weights().iter().map(|factors| {
            Panels::new(width, packed, |k, at| {
                let Some(column) = after.column(columns, at) else { return 0.0 };
                let terms = (0..taps).map(|tap| factors[tap] * f64::from(weight(tap, k, column)));
                terms.sum::<f64>() as f32
            })
        });
        let bias = (0..packed.div_ceil(NR))
            .map(|p| from_fn(|j| after.column(columns, p * NR + j).map_or(0.0, |at| bias[at])))
            .collect();
        Self { form, points: points.collect(), bias, after, width, outputs: after.outputs(columns) }
    }

    /// [`super::RowConv::rows`]; rows beyond the end of `x` in the last tile count as zeros.
    pub(super) fn rows(&self, x: &[f32], out: &mut [f32], scratch: &mut Scratch) {
        let tiles = (out.len() / self.outputs).div_ceil(OUT);
        let Scratch { rows, sums, zeros } = scratch;
        rows.resize(self.points.len() * tiles * self.width, 0.0);
        sums.resize(self.points.len() * tiles, [0.0; NR]);
        zeros.resize(self.width, 0.0);
        transform(self, x, zeros, rows);
        multiply(self, rows, sums, out);
    }
}

vectorised! {
    /// `out: [points, tiles, width]` from the rows of `x`.
    fn transform<FMA>(conv: &Winograd, x: &[f32], zeros: &[f32], out: &mut [f32]) {
        let (width, points) = (conv.width, conv.points.len());
        let tiles = out.len() / points / width;
        for tile in 0..tiles {
            let lines: [&[f32]; MOST] = from_fn(|i| {
                let at = (tile * OUT + i) * width;
                x.get(at..at + width).unwrap_or(&zeros[..width])
            });
            let whole = width / LANES * LANES;
            for at in (0..whole).step_by(LANES) {
                piece::<FMA, LANES>(conv.form, lines, at, tile, tiles, out);
            }
            for at in whole..width {
                piece::<FMA, 1>(conv.form, lines, at, tile, tiles, out);
            }
        }
    }
}

/// Transforms `N` neighbouring values.
#[inline(always)]
fn piece<const FMA: bool, const N: usize>(
    form: Form,
    lines: [&[f32]; MOST],
    at: usize,
    tile: usize,
    tiles: usize,
    out: &mut [f32],
) {
    let width = lines[0].len();
    let mut values = [[0.0; N]; MOST];
    for (value, line) in values.iter_mut().zip(lines) {
        value.copy_from_slice(&line[at..at + N]);
    }
    for j in 0..N {
        let column = from_fn(|i| values[i][j]);
        let column = match form {
            Form::Two => two::<FMA>(column),
            Form::Three => three::<FMA>(column),
        };
        for (value, point) in values.iter_mut().zip(column) {
            value[j] = point;
        }
    }
    for (point, value) in values.iter().enumerate().take(out.len() / (tiles * width)) {
        out[(point * tiles + tile) * width + at..][..N].copy_from_slice(value);
    }
}

vectorised! {
    /// `out: [rows, outputs]` from the transformed rows.
    fn multiply<FMA>(conv: &Winograd, rows: &[f32], sums: &mut [[f32; NR]], out: &mut [f32]) {
        let (width, points) = (conv.width, conv.points.len());
        let tiles = sums.len() / points;
        for (index, bias) in conv.bias.iter().enumerate() {
            for (point, panels) in conv.points.iter().enumerate() {
                let (panel, rows) = (panels.panel(index), &rows[point * tiles * width..]);
                for (block, sums) in sums[point * tiles..][..tiles].chunks_mut(MR).enumerate() {
                    // Lines beyond the last tile repeat it.
                    let lines = from_fn(|i| {
                        &rows[(block * MR + i).min(tiles - 1) * width..][..width]
                    });
                    let mut tile = [[0.0; NR]; MR];
                    lines_by_panel::<FMA, MR>(&mut tile, lines, panel);
                    sums.copy_from_slice(&tile[..sums.len()]);
                }
            }
            for (tile, out) in out.chunks_mut(OUT * conv.outputs).enumerate() {
                let mut values = [[0.0; NR]; MOST];
                for (point, value) in values.iter_mut().enumerate().take(points) {
                    *value = sums[point * tiles + tile];
                }
                let mut four = [[0.0; NR]; OUT];
                for j in 0..NR {
                    let column = from_fn(|i| values[i][j]);
                    let column = match conv.form {
                        Form::Two => two_back::<FMA>(column),
                        Form::Three => three_back::<FMA>(column),
                    };
                    for (row, v) in four.iter_mut().zip(column) {
                        row[j] = v + bias[j];
                    }
                }
                let rows = out.len() / conv.outputs;
                write::<FMA, OUT>(&mut four, rows, conv.after, index, conv.outputs, out);
            }
        }
    }
}
