//! Packing of matrices whose result passes through a gated linear unit. Three values and their three
//! gates are the rows of one strip, so that a tile holds both, and half as many rows are stored.

use super::{
    layout::{MR, NR, Tile},
    math::sigmoid,
    pack::Strips,
};

/// Channels of a strip: half of its rows. The other half are the gates.
pub const LANES: usize = MR / 2;

/// Number of strips for `channels`.
pub fn strip_count(channels: usize) -> usize {
    channels.div_ceil(LANES)
}

/// Index of row `row` of the strips in the matrix `[2 · channels, …]`, values above gates.
fn source(row: usize, channels: usize) -> Option<usize> {
    let (strip, lane) = (row / MR, row % MR);
    let channel = strip * LANES + lane % LANES;
    (channel < channels).then_some(channel + lane / LANES * channels)
}

/// Packs the matrix `[2 · channels, depth]` whose elements `at(row, k)` gives.
pub fn strips(channels: usize, depth: usize, at: impl Fn(usize, usize) -> f32) -> Strips {
    let rows = strip_count(channels) * MR;
    Strips::new(rows, depth, |row, k| source(row, channels).map_or(0.0, |row| at(row, k)))
}

/// The values `[2 · channels]` that belong to each strip.
pub fn per_strip(values: &[f32]) -> Vec<[f32; MR]> {
    let channels = values.len() / 2;
    let strip = |strip: usize| {
        std::array::from_fn(|lane| {
            source(strip * MR + lane, channels).map_or(0.0, |row| values[row])
        })
    };
    (0..strip_count(channels)).map(strip).collect()
}

/// A tile with one value per row.
#[inline(always)]
pub fn filled<const M: usize>(values: &[f32; M]) -> Tile<M> {
    let mut tile = [[0.0; NR]; M];
    for (line, value) in tile.iter_mut().zip(values) {
        *line = [*value; NR];
    }
    tile
}

/// The gated linear unit of a tile.
#[inline(always)]
pub fn glu<const FMA: bool>(tile: &Tile<MR>) -> Tile<LANES> {
    let mut out = [[0.0; NR]; LANES];
    for lane in 0..LANES {
        for t in 0..NR {
            out[lane][t] = tile[lane][t] * sigmoid::<FMA>(tile[lane + LANES][t]);
        }
    }
    out
}
