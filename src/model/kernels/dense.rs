//! Products of packed weights and columns that are packed while they are read: 1×1 convolutions,
//! strided and transposed 2×2 convolutions, and linear layers along frequencies.
//!
//! [`Columns`] is the source (an activation, another layout), [`Sink`] the destination of the
//! results. Runs on the calling thread; callers share panels over threads.

use std::ops::Range;

use super::{
    layout::{MR, NR, Tile},
    maps::Lines,
    pack::Strips,
    tile::strip_by_panels,
    vectorised::vectorised,
};

/// Panels that are packed and multiplied with all weights at a time.
pub const GROUP: usize = 4;

/// The right matrix of a product, in panels of [`NR`] columns.
pub trait Columns {
    /// Packs panel `index`, `[depth][NR]`; columns beyond the last one are zeros.
    fn pack<const FMA: bool>(&self, index: usize, packed: &mut [[f32; NR]]);
}

/// The destination of a product.
pub trait Sink {
    /// Takes the results of panel `index` and of rows from `row` on. The last tile may have padding
    /// rows.
    fn take<const FMA: bool>(&mut self, index: usize, row: usize, tile: &Tile<MR>);
}

/// Multiplies all weights with some panels.
pub fn multiply<C: Columns, S: Sink>(
    weight: &Strips,
    panels: Range<usize>,
    columns: &C,
    packed: &mut Lines,
    sink: &mut S,
) {
    packed.resize(GROUP * weight.depth());
    run(weight, panels, columns, packed, sink);
}

vectorised! {
    fn run<FMA, C: Columns, S: Sink>(
        weight: &Strips,
        panels: Range<usize>,
        columns: &C,
        packed: &mut [[f32; NR]],
        sink: &mut S,
    ) {
        let depth = weight.depth();
        for first in panels.clone().step_by(GROUP) {
            let count = GROUP.min(panels.end - first);
            for (p, packed) in packed.chunks_exact_mut(depth).take(count).enumerate() {
                columns.pack::<FMA>(first + p, packed);
            }
            for s in 0..weight.count() {
                let tiles = &mut [[[0.0; NR]; MR]; GROUP][..count];
                strip_by_panels::<FMA>(tiles, weight.strip(s), |p| &packed[p * depth..][..depth]);
                for (p, tile) in tiles.iter().enumerate() {
                    sink.take::<FMA>(first + p, s * MR, tile);
                }
            }
        }
    }
}
