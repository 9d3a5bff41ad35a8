//! 3×3 convolutions by Winograd's F(4×4, 3×3): 36 products for 16 results where the plain
//! convolution needs 144 (Lavin and Gray 2016, arXiv 1509.09308).
//!
//! Four frequencies by four frames are one *tile*; sixteen tiles are the columns of a packed panel
//! for each of the 36 points of the transform. This file has the transforms and the products; the
//! submodules add the operations before and after. All run on the rayon pool of the caller.

mod activated;
mod gated;

use std::ops::Range;

pub use activated::ActivatedWinograd;
pub use gated::GatedWinograd;

use super::{
    layout::{MR, NR, Tile},
    math::mad,
    pack::Strips,
    tile::strip_by_panels,
    vectorised::vectorised,
};

/// Results of a tile along each side.
const SIDE: usize = 4;
/// Inputs under a tile along each side.
const REACH: usize = 6;
/// Points of the transform.
const POINTS: usize = REACH * REACH;
/// Frames in a line of sixteen tiles and the two adjacent ones, in whole vectors.
const SPAN: usize = SIDE * NR + 8;

/// Rows of tiles in a block: with 84 tiles a row, four fill 21 panels.
const TILE_ROWS: usize = 4;
/// Panels that are multiplied with [`STRIPS`] at a time, point by point: their sums stay in the
/// second-level cache.
const PANELS: usize = 4;
/// Strips that are multiplied with [`PANELS`] at a time.
const STRIPS: usize = 4;
/// The number of channels from which the weights exceed the caches, so that more panels share one
/// pass over them.
const DEEP: usize = 256;
/// [`PANELS`] from [`DEEP`] on.
const DEEP_PANELS: usize = 3 * PANELS;

/// Weights' transform: a row of three taps at each of the six points.
const G: [[f64; 3]; REACH] = [
    [1.0 / 4.0, 0.0, 0.0],
    [-1.0 / 6.0, -1.0 / 6.0, -1.0 / 6.0],
    [-1.0 / 6.0, 1.0 / 6.0, -1.0 / 6.0],
    [1.0 / 24.0, 1.0 / 12.0, 1.0 / 6.0],
    [1.0 / 24.0, -1.0 / 12.0, 1.0 / 6.0],
    [0.0, 0.0, 1.0],
];

/// Weights at the points of the transform, packed for the left of the products.
trait PointWeights {
    /// Input channels.
    fn depth(&self) -> usize;
    /// Six rows of the weights at one point, `[depth][MR]`.
    fn strip(&self, point: usize, index: usize) -> &[[f32; MR]];
}

/// One packed matrix per point.
impl PointWeights for Vec<Strips> {
    #[inline(always)]
    fn depth(&self) -> usize {
        self.first().map_or(0, Strips::depth)
    }

    #[inline(always)]
    fn strip(&self, point: usize, index: usize) -> &[[f32; MR]] {
        self[point].strip(index)
    }
}

vectorised! {
    /// Multiplies packed panels, `[POINTS, depth]` each, with some strips, point by point, into
    /// `sums: [panels, STRIPS, POINTS]`.
    fn products<FMA, W: PointWeights>(
        weights: &W,
        packed: &[[f32; NR]],
        strips: Range<usize>,
        sums: &mut [Tile<MR>],
    ) {
        let depth = weights.depth();
        for point in 0..POINTS {
            let panel = |p: usize| &packed[(p * POINTS + point) * depth..][..depth];
            let panels = packed.len() / (POINTS * depth);
            for first in (0..panels).step_by(PANELS) {
                for (s, strip) in strips.clone().enumerate() {
                    let tiles = &mut [[[0.0; NR]; MR]; PANELS][..PANELS.min(panels - first)];
                    strip_by_panels::<FMA>(tiles, weights.strip(point, strip), |p| panel(first + p));
                    for (p, tile) in (first..).zip(tiles) {
                        sums[(p * STRIPS + s) * POINTS + point] = *tile;
                    }
                }
            }
        }
    }
}

/// The tiles of a block of rows.
#[derive(Clone, Copy)]
struct Tiling {
    /// Number of rows.
    rows: usize,
    /// Lines of [`NR`] frames in a row.
    lines: usize,
}

impl Tiling {
    /// Panels of sixteen tiles: every line of frames is four tiles, rows follow each other.
    fn panels(self) -> usize {
        (self.rows.div_ceil(SIDE) * self.lines).div_ceil(SIDE)
    }

    /// The tiles of a panel.
    #[inline(always)]
    fn runs(self, panel: usize) -> impl Iterator<Item = Run> {
        let end = ((panel + 1) * SIDE).min(self.rows.div_ceil(SIDE) * self.lines);
        let (mut next, lines) = (panel * SIDE, self.lines);
        std::iter::from_fn(move || {
            let (row, line) = (next / lines, next % lines);
            let run =
                Run { row, line, at: next - panel * SIDE, count: (end - next).min(lines - line) };
            next += run.count;
            (run.count > 0).then_some(run)
        })
    }
}

/// Neighbouring tiles of one panel.
struct Run {
    /// Row of tiles, in the block.
    row: usize,
    /// First line of [`NR`] frames; a line is four tiles.
    line: usize,
    /// First line in the panel.
    at: usize,
    /// Lines.
    count: usize,
}

/// Packs the points of one run of tiles and one channel, from the input under it.
#[inline(always)]
fn pack_run<const FMA: bool>(
    lines: &[[f32; SPAN]; REACH],
    run: &Run,
    inputs: usize,
    channel: usize,
    packed: &mut [[f32; NR]],
) {
    let lines = along_freqs::<FMA>(lines);
    for (i, line) in lines.iter().enumerate() {
        let points = along_frames::<FMA>(line);
        for (j, values) in points.iter().enumerate() {
            let to = &mut packed[(i * REACH + j) * inputs + channel];
            if run.count == SIDE {
                *to = *values;
            } else {
                let width = run.count * SIDE;
                to[run.at * SIDE..][..width].copy_from_slice(&values[..width]);
            }
        }
    }
}

/// Six inputs at the six points 0, 1, −1, 2, −2 and ∞.
#[inline(always)]
fn forward_one<const FMA: bool>(d: [f32; REACH]) -> [f32; REACH] {
    let even = mad::<FMA>(-4.0, d[2], d[4]);
    let odd = mad::<FMA>(-4.0, d[1], d[3]);
    let (near, far) = (d[4] - d[2], 2.0 * (d[3] - d[1]));
    [
        mad::<FMA>(-5.0, d[2], mad::<FMA>(4.0, d[0], d[4])),
        even + odd,
        even - odd,
        near + far,
        near - far,
        mad::<FMA>(-5.0, d[3], mad::<FMA>(4.0, d[1], d[5])),
    ]
}

/// Four results from six points.
#[inline(always)]
fn back_one<const FMA: bool>(m: [f32; REACH]) -> [f32; SIDE] {
    let (sum, difference) = (m[1] + m[2], m[1] - m[2]);
    let (sum_2, difference_2) = (m[3] + m[4], m[3] - m[4]);
    [
        m[0] + sum + sum_2,
        mad::<FMA>(2.0, difference_2, difference),
        mad::<FMA>(4.0, sum_2, sum),
        mad::<FMA>(8.0, difference_2, difference) + m[5],
    ]
}

#[inline(always)]
fn along_freqs<const FMA: bool>(lines: &[[f32; SPAN]; REACH]) -> [[f32; SPAN]; REACH] {
    let mut out = [[0.0; SPAN]; REACH];
    for t in 0..SPAN {
        let points = forward_one::<FMA>(std::array::from_fn(|i| lines[i][t]));
        for i in 0..REACH {
            out[i][t] = points[i];
        }
    }
    out
}

#[inline(always)]
fn along_frames<const FMA: bool>(line: &[f32; SPAN]) -> [[f32; NR]; REACH] {
    // One extra tile, for the last two frames of the last tile.
    let mut phases = [[0.0; NR + 1]; SIDE];
    for t in 0..NR {
        for j in 0..SIDE {
            phases[j][t] = line[SIDE * t + j];
        }
    }
    for j in 0..REACH - SIDE {
        phases[j][NR] = line[SIDE * NR + j];
    }
    let [a, b, c, d] = phases;
    let mut out = [[0.0; NR]; REACH];
    for t in 0..NR {
        let points = forward_one::<FMA>([a[t], b[t], c[t], d[t], a[t + 1], b[t + 1]]);
        for j in 0..REACH {
            out[j][t] = points[j];
        }
    }
    out
}

/// One channel's results, `[freqs, frames]` of each tile.
#[inline(always)]
fn results<const FMA: bool>(
    sums: &[Tile<MR>],
    lane: usize,
    bias: f32,
) -> [[[f32; NR]; SIDE]; SIDE] {
    let sums = &sums[..POINTS];
    let mut half = [[[0.0; NR]; REACH]; SIDE];
    for j in 0..REACH {
        for t in 0..NR {
            let rows = back_one::<FMA>(std::array::from_fn(|i| sums[i * REACH + j][lane][t]));
            for a in 0..SIDE {
                half[a][j][t] = rows[a];
            }
        }
    }
    let mut out = [[[0.0; NR]; SIDE]; SIDE];
    for (half, out) in half.iter().zip(&mut out) {
        for t in 0..NR {
            let frames = back_one::<FMA>(std::array::from_fn(|j| half[j][t]));
            for b in 0..SIDE {
                out[b][t] = frames[b] + bias;
            }
        }
    }
    out
}
