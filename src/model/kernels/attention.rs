//! Scaled dot-product attention in tiles.
//!
//! Scores are computed transposed, `[keys, queries]`, sixteen queries at a time: maxima, exponentials
//! and sums then run down the lines of a vector, and the exponentials lie just as the second product
//! wants its right-hand side. A running maximum and sum per query let the softmax be finished without
//! ever holding all its scores (online softmax: Milakov and Gimelshein 2018, arXiv 1805.02867).

use candle_core::{D, Result, Tensor};
use rayon::prelude::*;

use super::{
    elementwise::exp,
    tile::{MR, NR, columns_by_panel, rows_times_panel},
    vectorised,
};

/// Queries of one task: what shares a block of keys and values while it is in the second-level
/// cache.
const QUERIES: usize = 3 * NR;
/// Keys in a block: their scores for sixteen queries stay in the first-level cache.
const KEYS: usize = 40 * MR;

/// `softmax(q kᵀ / √head_dim) v` for each head; `q`, `k` and `v` are `[heads, tokens, head_dim]`,
/// `out` is `[tokens of q, heads · head_dim]`. Tiles of queries are shared out over the threads.
pub fn attention(q: &[f32], k: &[f32], v: &[f32], heads: usize, head_dim: usize, out: &mut [f32]) {
    let width = heads * head_dim;
    let (per_head, keys) = (q.len() / heads, k.len() / heads);
    out.par_chunks_mut(QUERIES * width).enumerate().for_each_init(
        || Work::new(head_dim),
        |work, (index, out)| {
            let from = index * QUERIES * head_dim;
            let count = out.len() / width * head_dim;
            for head in 0..heads {
                let q = &q[head * per_head + from..][..count];
                let (k, v) = (&k[head * keys..][..keys], &v[head * keys..][..keys]);
                attend(work, q, k, v, head_dim, &mut out[head * head_dim..], width);
            }
        },
    );
}

/// Memory of a thread: panels of [`NR`] queries, features or keys down, queries across.
struct Work {
    /// `[panels][head_dim]`.
    queries: Vec<[f32; NR]>,
    /// `[KEYS]`, of one panel.
    scores: Vec<[f32; NR]>,
    /// `[panels][head_dim]`.
    results: Vec<[f32; NR]>,
    /// `[panels]`.
    maxima: [[f32; NR]; QUERIES / NR],
    /// `[panels]`.
    sums: [[f32; NR]; QUERIES / NR],
}

impl Work {
    fn new(head_dim: usize) -> Self {
        let lines = QUERIES / NR * head_dim;
        Self {
            queries: vec![[0.0; NR]; lines],
            scores: vec![[0.0; NR]; KEYS],
            results: vec![[0.0; NR]; lines],
            maxima: [[0.0; NR]; QUERIES / NR],
            sums: [[0.0; NR]; QUERIES / NR],
        }
    }
}

vectorised! {
    /// One head for up to [`QUERIES`] queries: `q: [queries, dim]`, `k` and `v: [keys, dim]`, the
    /// results into `out`, rows of `stride`.
    fn attend<FMA>(
        work: &mut Work,
        q: &[f32],
        k: &[f32],
        v: &[f32],
        dim: usize,
        out: &mut [f32],
        stride: usize,
    ) {
        let scale = 1.0 / (dim as f32).sqrt();
        work.queries.fill([0.0; NR]);
        for (query, features) in q.chunks_exact(dim).enumerate() {
            let panel = &mut work.queries[query / NR * dim..][..dim];
            for (line, feature) in panel.iter_mut().zip(features) {
                line[query % NR] = feature * scale;
            }
        }
        work.results.fill([0.0; NR]);
        work.maxima = [[f32::NEG_INFINITY; NR]; QUERIES / NR];
        work.sums = [[0.0; NR]; QUERIES / NR];
        for (k, v) in k.chunks(KEYS * dim).zip(v.chunks(KEYS * dim)) {
            let keys = k.len() / dim;
            let panels = work.queries.chunks_exact(dim).zip(work.results.chunks_exact_mut(dim));
            for (((queries, results), maxima), sums) in
                panels.zip(&mut work.maxima).zip(&mut work.sums).take(q.len().div_ceil(NR * dim))
            {
                let scores = &mut work.scores[..keys];
                let top = score::<FMA>(scores, k, queries, *maxima);
                let mut shrink = [0.0; NR];
                for j in 0..NR {
                    shrink[j] = maxima[j] - top[j];
                }
                for v in &mut shrink {
                    *v = exp::<FMA>(*v);
                }
                for j in 0..NR {
                    sums[j] *= shrink[j];
                }
                *maxima = top;
                for line in scores.iter_mut() {
                    for j in 0..NR {
                        line[j] -= top[j];
                    }
                }
                for v in scores.as_flattened_mut() {
                    *v = exp::<FMA>(*v);
                }
                for line in scores.iter() {
                    for j in 0..NR {
                        sums[j] += line[j];
                    }
                }
                gather::<FMA>(results, v, scores, shrink);
            }
        }
        for (query, out) in out.chunks_mut(stride).take(q.len() / dim).enumerate() {
            let (panel, lane) = (query / NR, query % NR);
            let share = 1.0 / work.sums[panel][lane];
            for (out, line) in out[..dim].iter_mut().zip(&work.results[panel * dim..][..dim]) {
                *out = line[lane] * share;
            }
        }
    }
}

/// `scores = k · queries`; returns the larger of `maxima` and each query's largest score.
#[inline(always)]
fn score<const FMA: bool>(
    scores: &mut [[f32; NR]],
    k: &[f32],
    queries: &[[f32; NR]],
    maxima: [f32; NR],
) -> [f32; NR] {
    let dim = queries.len();
    let (whole, rest) = scores.as_chunks_mut::<MR>();
    rows_times_panel::<FMA, MR>(whole, k, queries);
    rows_times_panel::<FMA, 1>(rest.as_chunks_mut().0, &k[whole.len() * MR * dim..], queries);
    let mut top = maxima;
    for line in scores {
        for j in 0..NR {
            top[j] = if line[j] > top[j] { line[j] } else { top[j] };
        }
    }
    top
}

/// `results = results · shrink + vᵀ · scores`.
#[inline(always)]
fn gather<const FMA: bool>(
    results: &mut [[f32; NR]],
    v: &[f32],
    scores: &[[f32; NR]],
    shrink: [f32; NR],
) {
    let dim = results.len();
    let mut tiles = results.chunks_exact_mut(MR);
    let mut at = 0;
    for tile in &mut tiles {
        gather_tile::<FMA, MR>(tile, v, dim, at, scores, shrink);
        at += MR;
    }
    // Sixty-four features leave four.
    let mut tiles = tiles.into_remainder().chunks_exact_mut(4);
    for tile in &mut tiles {
        gather_tile::<FMA, 4>(tile, v, dim, at, scores, shrink);
        at += 4;
    }
    for (offset, line) in tiles.into_remainder().chunks_exact_mut(1).enumerate() {
        gather_tile::<FMA, 1>(line, v, dim, at + offset, scores, shrink);
    }
}

#[inline(always)]
fn gather_tile<const FMA: bool, const M: usize>(
    tile: &mut [[f32; NR]],
    v: &[f32],
    dim: usize,
    first: usize,
    scores: &[[f32; NR]],
    shrink: [f32; NR],
) {
    let Some(tile) = tile.first_chunk_mut::<M>() else { return };
    for line in &mut *tile {
        for j in 0..NR {
            line[j] *= shrink[j];
        }
    }
    columns_by_panel::<FMA, M>(tile, v, dim, first, scores);
}

/// Twin of [`attention`]: `q`, `k`, `v` are `[heads, tokens, head_dim]`, and so is the result.
pub fn attention_plain(q: &Tensor, k: &Tensor, v: &Tensor) -> Result<Tensor> {
    let scale = 1.0 / (q.dim(D::Minus1)? as f64).sqrt();
    let scores = (q.contiguous()?.matmul(&k.t()?.contiguous()?)? * scale)?;
    candle_nn::ops::softmax(&scores, D::Minus1)?.matmul(&v.contiguous()?)
}

#[cfg(test)]
mod tests {
    use super::{
        super::testing::{assert_same, noise, tensor, values},
        *,
    };

    #[test]
    fn tiles_match_the_twin_on_odd_shapes() {
        for (queries, keys, heads, dim, gain) in [
            (1, 1, 1, 8, 1.0),
            (130, 257, 3, 8, 1.0),
            (48, 600, 2, 64, 3.0),
            (300, 3, 2, 5, 40.0),
            (17, 241, 1, 13, 9.0),
        ] {
            // Scores that grow from block to block make the running maximum work.
            let q: Vec<f32> = noise(queries * heads * dim, 1).iter().map(|v| v * gain).collect();
            let (k, v) = (noise(keys * heads * dim, 2), noise(keys * heads * dim, 3));
            let mut out = vec![0.0; q.len()];
            attention(&q, &k, &v, heads, dim, &mut out);
            let twin = attention_plain(
                &tensor(&q, &[heads, queries, dim]),
                &tensor(&k, &[heads, keys, dim]),
                &tensor(&v, &[heads, keys, dim]),
            );
            let twin = twin.unwrap().transpose(0, 1).unwrap().contiguous().unwrap();
            assert_same(&values(&twin), &out, &format!("{queries} to {keys}"));
        }
    }
}
