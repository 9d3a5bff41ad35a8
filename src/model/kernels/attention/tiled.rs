//! Attention with tiles of bf16, of `P` parts each (see [`amx`]): the algorithm of the parent module
//! with other block sizes.

use super::{
    super::{
        amx::{
            self, Side, Size, Sums, Tile, pack_left, pack_left_lines, pack_right, product, steps,
            store_transposed, weigh,
        },
        layout::NR,
        math::exp2,
        vectorised::vectorised,
    },
    Inputs, Layout, highest,
};
use crate::model::arena::Buffer;

/// Panels of queries of one task, for which each block of keys and values is read once from the
/// second-level cache.
const PANELS: usize = 4;
/// Keys in a block: their scores and weights stay in the first-level cache.
const KEYS: usize = 128;

/// How far scores may exceed the value that is subtracted before the powers of two.
const HEADROOM: f32 = 8.0;

/// Layout of tiles: queries as panels, `[panels][steps][P]`; keys as strips, `[strips][steps][P]`;
/// values transposed, as strips of features for each [`amx::DEPTH`] keys, `[steps][strips][P]`.
#[derive(Clone, Copy, Debug)]
pub struct Tiled<const P: usize>;

impl<const P: usize> Layout for Tiled<P> {
    type Scratch = Scratch;
    const BLOCK: usize = PANELS * NR;

    fn queries_len(tokens: usize, head_dim: usize) -> usize {
        tokens.div_ceil(NR) * steps(head_dim) * P * Tile::VALUES
    }

    fn keys_len(tokens: usize, head_dim: usize) -> usize {
        tokens.div_ceil(amx::ROWS) * steps(head_dim) * P * Tile::VALUES
    }

    fn values_len(tokens: usize, head_dim: usize) -> usize {
        steps(tokens) * head_dim.div_ceil(amx::ROWS) * P * Tile::VALUES
    }

    fn pack_queries(rows: &[f32], stride: usize, head_dim: usize, out: &mut [f32]) {
        let panels = tiles_mut(out).chunks_exact_mut(steps(head_dim) * P);
        for (panel, rows) in panels.zip(rows.chunks(NR * stride)) {
            pack_right::<P>(rows, stride, head_dim, panel);
        }
    }

    fn pack_keys(rows: &[f32], stride: usize, head_dim: usize, out: &mut [f32]) {
        let strips = tiles_mut(out).chunks_exact_mut(steps(head_dim) * P);
        for (strip, rows) in strips.zip(rows.chunks(amx::ROWS * stride)) {
            pack_left::<P>(rows, stride, head_dim, strip);
        }
    }

    fn pack_values(rows: &[f32], stride: usize, head_dim: usize, out: &mut [f32]) {
        let step = head_dim.div_ceil(amx::ROWS) * P;
        let depth = rows.len().div_ceil(stride);
        for (strip, first) in (0..head_dim).step_by(amx::ROWS).enumerate() {
            let size = [depth, amx::ROWS.min(head_dim - first)];
            let strip = &mut tiles_mut(out)[strip * P..];
            pack_left_lines::<P>(&rows[first..], stride, size, strip, step);
        }
    }

    fn scratch(head_dim: usize) -> Scratch {
        Scratch::new(head_dim, P)
    }

    fn attend_block(
        inputs: Inputs<'_>,
        head: usize,
        block: usize,
        scratch: &mut Scratch,
        out: &mut [f32],
    ) {
        let Inputs { q, k, v, keys, heads, head_dim } = inputs;
        let _registers = amx::Tiles::new();
        let [q, k, v] = [q, k, v].map(|all| {
            let per_head = all.len() / heads;
            bytemuck::cast_slice::<f32, Tile>(&all[head * per_head..][..per_head])
        });
        let q = &q[block * PANELS * steps(head_dim) * P..];
        let inputs = Head { q, k, v, keys, dim: head_dim };
        attend::<P>(&inputs, scratch, &mut out[head * head_dim..], heads * head_dim);
    }
}

fn tiles_mut(memory: &mut [f32]) -> &mut [Tile] {
    bytemuck::cast_slice_mut(memory)
}

/// The inputs of one head for some panels of queries.
struct Head<'a> {
    /// From the first of the panels on.
    q: &'a [Tile],
    k: &'a [Tile],
    v: &'a [Tile],
    keys: usize,
    /// Features.
    dim: usize,
}

/// A thread's memory for [`PANELS`] panels of queries: lines are keys or features, columns are
/// queries.
#[derive(Debug)]
pub struct Scratch {
    /// `[PANELS][KEYS]`.
    scores: Buffer,
    /// `[PANELS][steps of KEYS][P]`.
    weights: Buffer,
    /// `[PANELS][features in strips]`.
    results: Buffer,
}

impl Scratch {
    fn new(head_dim: usize, parts: usize) -> Self {
        Self {
            scores: Buffer::any(PANELS * KEYS * NR),
            weights: Buffer::any(PANELS * steps(KEYS) * parts * Tile::VALUES),
            results: Buffer::any(PANELS * head_dim.next_multiple_of(amx::ROWS) * NR),
        }
    }
}

/// Computes one head's attention; stores the results as rows of `out`, `stride` apart.
fn attend<const P: usize>(head: &Head<'_>, scratch: &mut Scratch, out: &mut [f32], stride: usize) {
    let Head { q, k, v, keys, dim: head_dim } = *head;
    let panels = out.len().div_ceil(stride).div_ceil(NR).min(PANELS);
    let (depth, features) = (steps(head_dim), head_dim.div_ceil(amx::ROWS));
    let weights: &mut [Tile] = bytemuck::cast_slice_mut(&mut scratch.weights);
    let scores = scratch.scores.as_chunks_mut::<NR>().0;
    let results = scratch.results.as_chunks_mut::<NR>().0;
    results.fill([0.0; NR]);
    let mut maxima = [[f32::NEG_INFINITY; NR]; PANELS];
    let mut sums = [[0.0; NR]; PANELS];
    let queries = Side { tiles: q, stride: depth * P, step: P };
    for first in (0..keys).step_by(KEYS) {
        let count = KEYS.min(keys - first);
        let strips = count.div_ceil(amx::ROWS);
        let left = &k[first / amx::ROWS * depth * P..];
        product::<P, false>(
            &mut Sums { lines: scores, stride: KEYS },
            Side { tiles: left, stride: depth * P, step: P },
            queries,
            Size { strips, panels, steps: depth },
        );
        for panel in 0..panels {
            let scores = &scores[panel * KEYS..][..count];
            let (maxima, sums) = (&mut maxima[panel], &mut sums[panel]);
            let top = highest(scores, *maxima);
            // The subtracted value need not be the maximum: it may lie below it by HEADROOM, so that
            // the powers stay small enough. It seldom changes after the first block.
            if top.iter().zip(&*maxima).any(|(top, most)| top - most > HEADROOM) {
                let shrink = std::array::from_fn(|j| exp2::<false>(maxima[j] - top[j]));
                let results = results.chunks_exact_mut(features * amx::ROWS).nth(panel);
                rescale(results.unwrap_or_default(), &shrink);
                rescale(std::slice::from_mut(sums), &shrink);
                *maxima = top;
            }
            weigh::<P>(scores, maxima, sums, &mut weights[panel * steps(KEYS) * P..]);
        }
        let left =
            Side { tiles: &v[first / amx::DEPTH * features * P..], stride: P, step: features * P };
        let right = Side { tiles: weights, stride: steps(KEYS) * P, step: P };
        let size = Size { strips: features, panels, steps: steps(count) };
        let sums = &mut Sums { lines: results, stride: features * amx::ROWS };
        product::<P, true>(sums, left, right, size);
    }
    let results = results.chunks_exact(features * amx::ROWS);
    for ((results, sums), out) in results.zip(&sums).zip(out.chunks_mut(NR * stride)) {
        let share = sums.map(|sum| 1.0 / sum);
        for (index, lines) in results[..head_dim].chunks(NR).enumerate() {
            store_transposed(lines, &share, &mut out[index * NR..], stride);
        }
    }
}

vectorised! {
    fn rescale<FMA>(lines: &mut [[f32; NR]], factor: &[f32; NR]) {
        for line in lines {
            for j in 0..NR {
                line[j] *= factor[j];
            }
        }
    }
}
