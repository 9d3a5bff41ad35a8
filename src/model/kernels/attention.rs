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
    operand::Operand,
    tile::{MR, NR},
    vectorised,
};

/// Queries of one task: what shares a block of keys and values while it is in the second-level
/// cache.
const QUERIES: usize = 3 * NR;
/// Keys in a block: their scores for sixteen queries stay in the first-level cache.
const KEYS: usize = 40 * MR;

/// `softmax(q kᵀ / √head_dim) v` for each head: `q: [heads, tokens, head_dim]`,
/// `k: [heads, keys, head_dim / V::DEPTH]`, `v: [heads, keys / V::DEPTH, head_dim]`, `out: [tokens,
/// heads · head_dim]`. Tiles of queries are shared out over the threads.
pub fn attention<V: Operand>(
    q: &[f32],
    k: &[V],
    v: &[V],
    heads: usize,
    head_dim: usize,
    out: &mut [f32],
) {
    let width = heads * head_dim;
    let per_head = [q.len() / heads, k.len() / heads, v.len() / heads];
    out.par_chunks_mut(QUERIES * width).enumerate().for_each_init(
        || Work::new(head_dim),
        |work, (index, out)| {
            let from = index * QUERIES * head_dim;
            let count = out.len() / width * head_dim;
            for head in 0..heads {
                let q = &q[head * per_head[0] + from..][..count];
                let k = &k[head * per_head[1]..][..per_head[1]];
                let v = &v[head * per_head[2]..][..per_head[2]];
                attend(work, q, k, v, head_dim, &mut out[head * head_dim..], width);
            }
        },
    );
}

/// Memory of a thread: panels of [`NR`] queries, features or keys down, queries across.
struct Work<V> {
    /// `[panels][head_dim / V::DEPTH]`.
    queries: Vec<[V; NR]>,
    /// `[KEYS]`, of one panel.
    scores: Vec<[f32; NR]>,
    /// As long: for scores as operands.
    room: Vec<[f32; NR]>,
    /// `[panels][head_dim]`.
    results: Vec<[f32; NR]>,
    /// `[panels]`.
    maxima: [[f32; NR]; QUERIES / NR],
    /// `[panels]`.
    sums: [[f32; NR]; QUERIES / NR],
}

impl<V: Operand> Work<V> {
    fn new(head_dim: usize) -> Self {
        let panels = QUERIES / NR;
        Self {
            queries: vec![[V::default(); NR]; panels * head_dim.div_ceil(V::DEPTH)],
            scores: vec![[0.0; NR]; KEYS],
            room: vec![[0.0; NR]; KEYS],
            results: vec![[0.0; NR]; panels * head_dim],
            maxima: [[0.0; NR]; QUERIES / NR],
            sums: [[0.0; NR]; QUERIES / NR],
        }
    }
}

vectorised! {
    /// One head for up to [`QUERIES`] queries: `q: [queries, dim]`, the results into `out`, rows of
    /// `stride`.
    fn attend<FMA, V: Operand>(
        work: &mut Work<V>,
        q: &[f32],
        k: &[V],
        v: &[V],
        dim: usize,
        out: &mut [f32],
        stride: usize,
    ) {
        let scale = 1.0 / (dim as f32).sqrt();
        let cells = dim.div_ceil(V::DEPTH);
        work.queries.fill([V::default(); NR]);
        for (query, features) in q.chunks_exact(dim).enumerate() {
            let panel = &mut work.queries[query / NR * cells..][..cells];
            for (line, feature) in panel.iter_mut().zip(features.chunks(V::DEPTH)) {
                let second = feature.get(1).copied().unwrap_or_default();
                line[query % NR] = V::pack([feature[0] * scale, second * scale]);
            }
        }
        work.results.fill([0.0; NR]);
        work.maxima = [[f32::NEG_INFINITY; NR]; QUERIES / NR];
        work.sums = [[0.0; NR]; QUERIES / NR];
        for (k, v) in k.chunks(KEYS * cells).zip(v.chunks(KEYS / V::DEPTH * dim)) {
            let scores = &mut work.scores[..k.len() / cells];
            let panels = work.queries.chunks_exact(cells).zip(work.results.chunks_exact_mut(dim));
            for (((queries, results), maxima), sums) in
                panels.zip(&mut work.maxima).zip(&mut work.sums).take(q.len().div_ceil(NR * dim))
            {
                V::rows_times_panel::<FMA>(scores, k, queries);
                let top = highest(scores, *maxima);
                let mut shrink = [0.0; NR];
                for j in 0..NR {
                    shrink[j] = maxima[j] - top[j];
                }
                for v in &mut shrink {
                    *v = exp::<FMA>(*v);
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
                for j in 0..NR {
                    sums[j] *= shrink[j];
                }
                for line in scores.iter() {
                    for j in 0..NR {
                        sums[j] += line[j];
                    }
                }
                for line in results.iter_mut() {
                    for j in 0..NR {
                        line[j] *= shrink[j];
                    }
                }
                V::columns_by_panel::<FMA>(results, v, V::panel(scores, &mut work.room));
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

/// The largest score of each query, or its maximum so far.
#[inline(always)]
fn highest(scores: &[[f32; NR]], maxima: [f32; NR]) -> [f32; NR] {
    let mut top = maxima;
    for line in scores {
        for j in 0..NR {
            top[j] = if line[j] > top[j] { line[j] } else { top[j] };
        }
    }
    top
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
        super::{
            bf16::Pair,
            testing::{assert_same, noise, signal_to_error_db, tensor, values},
        },
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

            let mut room = vec![0.0; k.len()];
            let k_pairs = Pair::rows(&k, dim, &mut room).to_vec();
            let v_pairs: Vec<Pair> = v
                .chunks(keys * dim)
                .flat_map(|head| head.chunks(2 * dim))
                .flat_map(|two| {
                    (0..dim).map(|i| Pair::new([two[i], two.get(dim + i).copied().unwrap_or(0.0)]))
                })
                .collect();
            let mut fast = vec![0.0; q.len()];
            attention(&q, &k_pairs, &v_pairs, heads, dim, &mut fast);
            let db = signal_to_error_db(&out, &fast);
            assert!(db > 25.0 && (keys < 10 || db < 90.0), "{queries} to {keys}: {db} dB");
        }
    }
}
