//! Scaled dot-product attention in tiles.
//!
//! Scores are computed transposed, `[keys, queries]`, for sixteen queries at a time: maxima,
//! exponentials and sums then work on vectors, and the exponentials have the layout of the second
//! product's right-hand side. A running maximum and sum per query complete the softmax without
//! holding all scores (online softmax: Milakov and Gimelshein 2018, arXiv 1805.02867).
//!
//! A [`Layout`] is the packing of queries, keys and values. This file has the layout of values and
//! pairs, [`tiled`] that of tiles.

mod tiled;

use std::marker::PhantomData;

use candle_core::{D, Result, Tensor};
use rayon::prelude::*;

use super::{
    layout::NR,
    maps::Lines,
    math::exp2,
    operand::{Operand, pack_strips, packed_len},
    vectorised::vectorised,
};

pub use tiled::Tiled;

/// Queries of one task: two panels, for which each block of keys and values is read once.
const QUERIES: usize = 2 * NR;
/// Keys in a block, a multiple of every kind of tile: their scores for two panels of queries stay
/// in the first-level cache.
const KEYS: usize = 240;

/// Packed inputs of the attention, one head after the other.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    /// Queries, times [`scale`].
    pub q: &'a [f32],
    /// Keys.
    pub k: &'a [f32],
    /// Values.
    pub v: &'a [f32],
    /// Keys of a head.
    pub keys: usize,
    /// Heads.
    pub heads: usize,
    /// Features of a head.
    pub head_dim: usize,
}

/// Packs rows of `head_dim` features, `stride` apart.
pub type Pack = fn(rows: &[f32], stride: usize, head_dim: usize, out: &mut [f32]);

/// Packing of the attention's inputs for one kind of product, and the attention.
///
/// Memory is counted in `f32`, whatever its contents; rows are `stride` apart. Blocks are contiguous;
/// all but the last have a multiple of 32 tokens.
pub trait Layout {
    /// A thread's memory.
    type Scratch;
    /// Queries of a block, a multiple of [`NR`].
    const BLOCK: usize;

    /// Memory of a head's queries.
    fn queries_len(tokens: usize, head_dim: usize) -> usize;
    /// Memory of a head's keys.
    fn keys_len(tokens: usize, head_dim: usize) -> usize;
    /// Memory of a head's values.
    fn values_len(tokens: usize, head_dim: usize) -> usize;
    /// Packs a block of queries.
    fn pack_queries(rows: &[f32], stride: usize, head_dim: usize, out: &mut [f32]);
    /// Packs a block of keys.
    fn pack_keys(rows: &[f32], stride: usize, head_dim: usize, out: &mut [f32]);
    /// Packs a block of values.
    fn pack_values(rows: &[f32], stride: usize, head_dim: usize, out: &mut [f32]);
    /// A thread's memory for heads of `head_dim` features.
    fn scratch(head_dim: usize) -> Self::Scratch;
    /// `softmax(q kᵀ / √head_dim) v` of one head for one block of queries, whose rows `out` has:
    /// `[queries, heads · head_dim]`.
    fn attend_block(
        inputs: Inputs<'_>,
        head: usize,
        block: usize,
        scratch: &mut Self::Scratch,
        out: &mut [f32],
    );

    /// `softmax(q kᵀ / √head_dim) v` for each head, `out: [tokens, heads · head_dim]`. The
    /// threads share blocks of queries.
    fn attention(inputs: Inputs<'_>, out: &mut [f32]) {
        let width = inputs.heads * inputs.head_dim;
        out.par_chunks_mut(Self::BLOCK * width).enumerate().for_each_init(
            || Self::scratch(inputs.head_dim),
            |scratch, (block, out)| {
                for head in 0..inputs.heads {
                    Self::attend_block(inputs, head, block, scratch, out);
                }
            },
        );
    }

    /// [`Self::attention`] on the calling thread, head by head: a head's keys and values stay in the
    /// second-level cache for all of its queries.
    fn attend(inputs: Inputs<'_>, scratch: &mut Self::Scratch, out: &mut [f32]) {
        let width = inputs.heads * inputs.head_dim;
        for head in 0..inputs.heads {
            for (block, out) in out.chunks_mut(Self::BLOCK * width).enumerate() {
                Self::attend_block(inputs, head, block, scratch, out);
            }
        }
    }
}

/// Values of single precision, or pairs: queries as panels of [`NR`], the last one padded with any
/// values, `[panels, head_dim / V::DEPTH][NR]`; keys as packed rows, `[keys, head_dim / V::DEPTH]`;
/// values `[keys / V::DEPTH, head_dim]`.
#[derive(Clone, Copy, Debug)]
pub struct Cells<V>(PhantomData<V>);

impl<V: Operand> Layout for Cells<V> {
    type Scratch = Scratch;
    const BLOCK: usize = QUERIES;

    fn queries_len(tokens: usize, head_dim: usize) -> usize {
        tokens.next_multiple_of(NR) * head_dim.div_ceil(V::DEPTH)
    }

    fn keys_len(tokens: usize, head_dim: usize) -> usize {
        packed_len::<V>(tokens, head_dim)
    }

    fn values_len(tokens: usize, head_dim: usize) -> usize {
        tokens.div_ceil(V::DEPTH) * head_dim
    }

    fn pack_queries(rows: &[f32], stride: usize, head_dim: usize, out: &mut [f32]) {
        let cells: &mut [V] = bytemuck::cast_slice_mut(out);
        let lines = cells.as_chunks_mut::<NR>().0;
        let panels = lines.chunks_exact_mut(head_dim.div_ceil(V::DEPTH));
        for (panel, rows) in panels.zip(rows.chunks(NR * stride)) {
            for (j, row) in rows.chunks(stride).enumerate() {
                for (line, values) in panel.iter_mut().zip(row[..head_dim].chunks(V::DEPTH)) {
                    line[j] = V::pack([values[0], values.get(1).copied().unwrap_or(0.0)]);
                }
            }
        }
    }

    fn pack_keys(rows: &[f32], stride: usize, head_dim: usize, out: &mut [f32]) {
        if V::in_strips() {
            pack_strips::<V>(rows, stride, head_dim, bytemuck::cast_slice_mut(out));
        } else {
            for (row, out) in rows.chunks(stride).zip(out.chunks_exact_mut(head_dim)) {
                out.copy_from_slice(&row[..head_dim]);
            }
        }
    }

    fn pack_values(rows: &[f32], stride: usize, head_dim: usize, out: &mut [f32]) {
        let cells: &mut [V] = bytemuck::cast_slice_mut(out);
        let rows = rows.chunks(V::DEPTH * stride);
        for (rows, cells) in rows.zip(cells.chunks_exact_mut(head_dim)) {
            let second = rows.get(stride..).filter(|_| V::DEPTH > 1);
            for (k, cell) in cells.iter_mut().enumerate() {
                let second = second.and_then(|row| row.get(k)).copied().unwrap_or(0.0);
                *cell = V::pack([rows[k], second]);
            }
        }
    }

    fn scratch(head_dim: usize) -> Scratch {
        Scratch::new(head_dim)
    }

    fn attend_block(
        inputs: Inputs<'_>,
        head: usize,
        block: usize,
        scratch: &mut Scratch,
        out: &mut [f32],
    ) {
        let Inputs { q, k, v, keys, heads, head_dim } = inputs;
        let [k, v]: [&[V]; 2] = [k, v].map(bytemuck::cast_slice);
        let q: &[[V; NR]] = bytemuck::cast_slice::<f32, V>(q).as_chunks().0;
        let width = heads * head_dim;
        let per_head = [q.len() / heads, k.len() / heads, v.len() / heads];
        let cells = head_dim.div_ceil(V::DEPTH);
        let q = &q[head * per_head[0] + block * QUERIES / NR * cells..];
        let k = &k[head * per_head[1]..][..per_head[1]];
        let v = &v[head * per_head[2]..][..per_head[2]];
        let out = &mut out[head * head_dim..];
        if out.len() > NR * width {
            attend_two(scratch, q, k, v, keys, out, width);
        } else {
            attend_one(scratch, q, k, v, keys, out, width);
        }
    }
}

/// Factor of the queries that makes `softmax(q kᵀ / √head_dim)` one of powers of two.
pub fn scale(head_dim: usize) -> f32 {
    std::f32::consts::LOG2_E / (head_dim as f32).sqrt()
}

/// A thread's memory for two panels of queries: lines are keys or features, columns are queries.
#[derive(Debug)]
pub struct Scratch {
    /// `[2][KEYS]`.
    scores: Lines,
    /// `[2][KEYS]`: scores as operands.
    operands: Lines,
    /// `[2][head_dim]`.
    results: Lines,
}

impl Scratch {
    fn new(head_dim: usize) -> Self {
        let lines = |count| {
            let mut lines = Lines::default();
            lines.resize(2 * count);
            lines
        };
        Self { scores: lines(KEYS), operands: lines(KEYS), results: lines(head_dim) }
    }
}

vectorised! {
    /// Computes one head's attention for two panels of queries; stores the results as rows of `out`,
    /// `stride` apart.
    fn attend_two<FMA, V: Operand>(
        scratch: &mut Scratch,
        q: &[[V; NR]],
        k: &[V],
        v: &[V],
        keys: usize,
        out: &mut [f32],
        stride: usize,
    ) {
        attend::<FMA, V, 2>(scratch, q, k, v, keys, out, stride);
    }
}

vectorised! {
    /// Computes one head's attention for one panel of queries.
    fn attend_one<FMA, V: Operand>(
        scratch: &mut Scratch,
        q: &[[V; NR]],
        k: &[V],
        v: &[V],
        keys: usize,
        out: &mut [f32],
        stride: usize,
    ) {
        attend::<FMA, V, 1>(scratch, q, k, v, keys, out, stride);
    }
}

#[inline(always)]
fn attend<const FMA: bool, V: Operand, const N: usize>(
    scratch: &mut Scratch,
    q: &[[V; NR]],
    k: &[V],
    v: &[V],
    keys: usize,
    out: &mut [f32],
    stride: usize,
) {
    let dim = scratch.results.len() / 2;
    let cells = dim.div_ceil(V::DEPTH);
    let queries: [_; N] = std::array::from_fn(|n| &q[n * cells..][..cells]);
    let mut maxima = [[f32::NEG_INFINITY; NR]; N];
    let mut sums = [[0.0; NR]; N];
    scratch.results.fill([0.0; NR]);
    let mut results: [_; N] = parts(&mut scratch.results, dim, dim);
    let blocks = k.chunks(KEYS * cells).zip(v.chunks(KEYS / V::DEPTH * dim));
    for (first, (k, v)) in (0..keys).step_by(KEYS).zip(blocks) {
        let mut scores: [_; N] = parts(&mut scratch.scores, KEYS, KEYS.min(keys - first));
        let into = scores.each_mut().map(|scores| &mut **scores);
        V::rows_times_panels::<FMA, N>(into, k, cells, queries);
        let operands: [_; N] = parts(&mut scratch.operands, KEYS, KEYS);
        let mut weights: [&[[V; NR]]; N] = [&[]; N];
        let state = maxima.iter_mut().zip(&mut sums).zip(&mut results);
        let places = scores.into_iter().zip(operands).zip(&mut weights);
        for (((scores, operands), weights), ((maxima, sums), results)) in places.zip(state) {
            let top = highest(scores, *maxima);
            // The maximum seldom changes after the first blocks.
            if top != *maxima {
                let shrink: [f32; NR] = std::array::from_fn(|j| exp2::<FMA>(maxima[j] - top[j]));
                for line in results.iter_mut().chain([&mut *sums]) {
                    for j in 0..NR {
                        line[j] *= shrink[j];
                    }
                }
                *maxima = top;
            }
            *weights = V::weigh::<FMA>(scores, &top, sums, operands);
        }
        let into = results.each_mut().map(|results| &mut **results);
        V::columns_by_panels::<FMA, N>(into, v, dim, weights);
    }
    for (query, out) in out.chunks_mut(stride).enumerate() {
        let (panel, lane) = (query / NR, query % NR);
        let share = 1.0 / sums[panel][lane];
        for (out, line) in out[..dim].iter_mut().zip(&*results[panel]) {
            *out = line[lane] * share;
        }
    }
}

/// The first `len` of every `stride` elements.
#[inline(always)]
fn parts<T, const N: usize>(all: &mut [T], stride: usize, len: usize) -> [&mut [T]; N] {
    let mut parts = all.chunks_mut(stride).map(|part| &mut part[..len]);
    std::array::from_fn(|_| parts.next().unwrap_or_default())
}

/// The largest score of each query, or its running maximum.
#[inline(always)]
fn highest(scores: &[[f32; NR]], maxima: [f32; NR]) -> [f32; NR] {
    let mut top = maxima;
    #[cfg(target_arch = "x86_64")]
    if super::x86::avx512::raise(&mut top, scores) {
        return top;
    }
    for line in scores {
        for j in 0..NR {
            top[j] = if line[j] > top[j] { line[j] } else { top[j] };
        }
    }
    top
}

/// Twin of [`Layout::attention`]: `q`, `k`, `v` are `[heads, tokens, head_dim]`, and so is the
/// result.
pub fn attention_plain(q: &Tensor, k: &Tensor, v: &Tensor) -> Result<Tensor> {
    let scale = 1.0 / (q.dim(D::Minus1)? as f64).sqrt();
    let scores = (q.contiguous()?.matmul(&k.t()?.contiguous()?)? * scale)?;
    candle_nn::ops::softmax(&scores, D::Minus1)?.matmul(&v.contiguous()?)
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            layout::Pair,
            testing::{assert_same, noise, signal_to_error_db, tensor, values},
        },
        *,
    };
    use crate::model::arena::Buffer;

    /// Attention of `[heads, tokens, dim]`, as `[tokens, heads · dim]`, packed in blocks of 64
    /// tokens.
    fn attended<L: Layout>([q, k, v]: [&[f32]; 3], heads: usize, head_dim: usize) -> Vec<f32> {
        let pack = |x: &[f32], len: fn(usize, usize) -> usize, pack: Pack, factor: f32| {
            let tokens = x.len() / heads / head_dim;
            let per_head = len(tokens, head_dim);
            let mut packed = Buffer::any(heads * per_head);
            packed.fill(0.0);
            let scaled: Vec<f32> = x.iter().map(|v| v * factor).collect();
            let all = scaled.chunks(tokens * head_dim).zip(packed.chunks_mut(per_head));
            for (rows, out) in all {
                for (rows, out) in rows.chunks(64 * head_dim).zip(out.chunks_mut(len(64, head_dim)))
                {
                    pack(rows, head_dim, head_dim, out);
                }
            }
            packed
        };
        let (count, keys) = (q.len(), k.len() / heads / head_dim);
        let (q, k, v) = (
            pack(q, L::queries_len, L::pack_queries, scale(head_dim)),
            pack(k, L::keys_len, L::pack_keys, 1.0),
            pack(v, L::values_len, L::pack_values, 1.0),
        );
        let mut out = vec![0.0; count];
        L::attention(Inputs { q: &q, k: &k, v: &v, keys, heads, head_dim }, &mut out);
        out
    }

    #[test]
    fn tiles_match_the_twin_on_odd_shapes() {
        for (queries, keys, heads, dim, gain) in [
            (1, 1, 1, 8, 1.0),
            (130, 257, 3, 8, 1.0),
            (48, 600, 2, 64, 3.0),
            (300, 3, 2, 5, 40.0),
            (17, 241, 1, 13, 9.0),
        ] {
            // Scores that grow from block to block change the running maximum.
            let q: Vec<f32> = noise(queries * heads * dim, 1).iter().map(|v| v * gain).collect();
            let (k, v) = (noise(keys * heads * dim, 2), noise(keys * heads * dim, 3));
            let out = attended::<Cells<f32>>([&q, &k, &v], heads, dim);
            let twin = attention_plain(
                &tensor(&q, &[heads, queries, dim]),
                &tensor(&k, &[heads, keys, dim]),
                &tensor(&v, &[heads, keys, dim]),
            );
            let twin = twin.unwrap().transpose(0, 1).unwrap().contiguous().unwrap();
            assert_same(&values(&twin), &out, &format!("{queries} to {keys}"));

            let near = |fast: Vec<f32>, least: f64, most: f64| {
                let db = signal_to_error_db(&out, &fast);
                let right = db > least && (keys < 10 || db < most);
                assert!(right, "{queries} to {keys}: {db} dB");
            };
            near(attended::<Cells<Pair>>([&q, &k, &v], heads, dim), 25.0, 90.0);
            near(attended::<Tiled<1>>([&q, &k, &v], heads, dim), 25.0, 90.0);
            near(attended::<Tiled<2>>([&q, &k, &v], heads, dim), 75.0, 200.0);
        }
    }
}
