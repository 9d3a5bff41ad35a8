//! Scaled dot-product attention in tiles.
//!
//! A tile of scores lives in the second-level cache; a running maximum and sum per query let the
//! softmax be finished without ever holding a whole row of it (online softmax: Milakov and
//! Gimelshein 2018, arXiv 1805.02867).

use candle_core::{D, Result, Tensor};
use rayon::prelude::*;

use super::{
    elementwise::exp,
    norm::sum_of,
    product::{Mat, MatMut, Parallelism, Update, product},
    vectorised,
};

/// Queries in a tile.
const QUERIES: usize = 128;
/// Keys in a tile.
const KEYS: usize = 256;

/// Queries, keys or values: `[tokens, heads · head_dim]` within rows of `stride` values.
#[derive(Clone, Copy, Debug)]
pub struct Heads<'a> {
    /// From the first value of the first token on.
    pub data: &'a [f32],
    /// How many tokens.
    pub tokens: usize,
    /// From token to token.
    pub stride: usize,
}

/// `softmax(q kᵀ / √head_dim) v` for each head; `out: [tokens of q, heads · head_dim]`.
pub fn attention(
    q: Heads<'_>,
    k: Heads<'_>,
    v: Heads<'_>,
    heads: usize,
    head_dim: usize,
    out: &mut [f32],
) {
    let width = heads * head_dim;
    let tile = QUERIES * width;
    out.par_chunks_mut(tile).enumerate().for_each(|(index, out)| {
        let first = index * QUERIES;
        let mut work = Work::new(head_dim);
        for head in 0..heads {
            let at = head * head_dim;
            let queries = &q.data[first * q.stride + at..];
            let rows = out.len() / width;
            work.attend(queries, q.stride, rows, [(k, at), (v, at)]);
            for (out, (sum, result)) in out
                .chunks_exact_mut(width)
                .zip(work.sums.iter().zip(work.result.chunks_exact(head_dim)))
            {
                let out = &mut out[at..at + head_dim];
                for (out, value) in out.iter_mut().zip(result) {
                    *out = value / sum;
                }
            }
        }
    });
}

/// Memory for one head of one tile of queries.
struct Work {
    head_dim: usize,
    queries: Vec<f32>,
    scores: Vec<f32>,
    result: Vec<f32>,
    sums: Vec<f32>,
    maxima: Vec<f32>,
}

impl Work {
    fn new(head_dim: usize) -> Self {
        Self {
            head_dim,
            queries: vec![0.0; QUERIES * head_dim],
            scores: vec![0.0; QUERIES * KEYS],
            result: vec![0.0; QUERIES * head_dim],
            sums: vec![0.0; QUERIES],
            maxima: vec![0.0; QUERIES],
        }
    }

    /// Leaves the weighted sums of the values in `result`, not yet divided by `sums`.
    fn attend(
        &mut self,
        queries: &[f32],
        stride: usize,
        rows: usize,
        [(k, k_at), (v, v_at)]: [(Heads<'_>, usize); 2],
    ) {
        let dim = self.head_dim;
        let scale = 1.0 / (dim as f32).sqrt();
        for (own, query) in
            self.queries.chunks_exact_mut(dim).zip(queries.chunks(stride)).take(rows)
        {
            for (own, value) in own.iter_mut().zip(query) {
                *own = value * scale;
            }
        }
        self.sums.fill(0.0);
        self.maxima.fill(f32::NEG_INFINITY);
        self.result.fill(0.0);
        for start in (0..k.tokens).step_by(KEYS) {
            let keys = KEYS.min(k.tokens - start);
            let scores = &mut self.scores[..rows * keys];
            product(
                MatMut::new(scores, rows, keys, keys),
                Update::Set,
                Mat::new(&self.queries, rows, dim, dim),
                Mat::new(&k.data[start * k.stride + k_at..], keys, dim, k.stride).transposed(),
                Parallelism::None,
            );
            soften(scores, keys, &mut self.maxima, &mut self.sums, &mut self.result, dim);
            product(
                MatMut::new(&mut self.result, rows, dim, dim),
                Update::Add,
                Mat::new(scores, rows, keys, keys),
                Mat::new(&v.data[start * v.stride + v_at..], keys, dim, v.stride),
                Parallelism::None,
            );
        }
    }
}

vectorised! {
    /// One step of the online softmax: turns `scores: [rows, keys]` into exponentials relative to
    /// the running maximum, and rescales sums and result where a row's maximum grew.
    fn soften<FMA>(
        scores: &mut [f32],
        keys: usize,
        maxima: &mut [f32],
        sums: &mut [f32],
        result: &mut [f32],
        dim: usize,
    ) {
        let rows = scores.chunks_exact_mut(keys).zip(maxima).zip(sums);
        for (((scores, maximum), sum), result) in rows.zip(result.chunks_exact_mut(dim)) {
            let top = highest(scores, *maximum);
            if top > *maximum {
                let shrink = (*maximum - top).exp();
                *sum *= shrink;
                for v in result {
                    *v *= shrink;
                }
                *maximum = top;
            }
            for v in scores.iter_mut() {
                *v = exp::<FMA>(*v - top);
            }
            *sum += sum_of(scores, |v, sum| v + sum) as f32;
        }
    }
}

/// The largest of `x` and `least`, in lanes.
#[inline(always)]
fn highest(x: &[f32], least: f32) -> f32 {
    const LANES: usize = 32;
    let larger = |a: f32, b: f32| if a > b { a } else { b };
    let mut lanes = [least; LANES];
    let whole = x.chunks_exact(LANES);
    let rest = whole.remainder().iter().copied().fold(least, larger);
    for chunk in whole {
        for (lane, v) in lanes.iter_mut().zip(chunk) {
            *lane = larger(*v, *lane);
        }
    }
    lanes.iter().copied().fold(rest, larger)
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

    fn by_head(x: &[f32], heads: usize) -> Tensor {
        let dim = 8;
        let tokens = x.len() / (heads * dim);
        tensor(x, &[tokens, heads, dim]).transpose(0, 1).unwrap()
    }

    #[test]
    fn tiles_match_the_twin_on_odd_shapes() {
        for (queries, keys, heads, gain) in
            [(1, 1, 1, 1.0), (130, 257, 3, 1.0), (128, 600, 2, 9.0), (300, 3, 2, 40.0)]
        {
            let width = heads * 8;
            // Scores that grow from tile to tile make the running maximum work.
            let q: Vec<f32> = noise(queries * width, 1).iter().map(|v| v * gain).collect();
            let kv = noise(keys * 2 * width, 2);
            let mut out = vec![0.0; queries * width];
            attention(
                Heads { data: &q, tokens: queries, stride: width },
                Heads { data: &kv, tokens: keys, stride: 2 * width },
                Heads { data: &kv[width..], tokens: keys, stride: 2 * width },
                heads,
                8,
                &mut out,
            );
            let part = |at: usize| -> Vec<f32> {
                kv.chunks(2 * width).flat_map(|t| t[at..at + width].to_vec()).collect()
            };
            let twin = attention_plain(
                &by_head(&q, heads),
                &by_head(&part(0), heads),
                &by_head(&part(width), heads),
            );
            let twin = twin.unwrap().transpose(0, 1).unwrap().contiguous().unwrap();
            assert_same(&values(&twin), &out, &format!("{queries} to {keys}"));
        }
    }
}
