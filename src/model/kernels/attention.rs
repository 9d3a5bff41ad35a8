//! Scaled dot-product attention in tiles.
//!
//! Scores are computed transposed, `[keys, queries]`, sixteen queries at a time: maxima, exponentials
//! and sums then run down the lines of a vector, and the exponentials lie just as the second product
//! wants its right-hand side. A running maximum and sum per query let the softmax be finished without
//! ever holding all its scores (online softmax: Milakov and Gimelshein 2018, arXiv 1805.02867).

use candle_core::{D, Result, Tensor};
use rayon::prelude::*;

use super::{elementwise::exp2, operand::Operand, tile::NR, vectorised};

/// Queries of one task: two panels, for which each block of keys and values is read once.
const QUERIES: usize = 2 * NR;
/// Keys in a block: their scores for two panels of queries stay in the first-level cache, in whole
/// tiles of every kind.
const KEYS: usize = 240;

/// What attention is made from, for each head.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a, V> {
    /// Panels of [`NR`] queries, `[heads, panels, head_dim / V::DEPTH][NR]`, the last one filled up
    /// with anything; times [`scale`].
    pub q: &'a [[V; NR]],
    /// Packed rows, `[heads, keys, head_dim / V::DEPTH]`, filled up as
    /// [`packed_len`](super::operand::packed_len) says.
    pub k: &'a [V],
    /// `[heads, keys / V::DEPTH, head_dim]`.
    pub v: &'a [V],
    /// Keys of a head.
    pub keys: usize,
    /// Heads.
    pub heads: usize,
    /// Features of a head.
    pub head_dim: usize,
}

/// What queries are multiplied with, so that `softmax(q kᵀ / √head_dim)` is one of powers of two.
pub fn scale(head_dim: usize) -> f32 {
    std::f32::consts::LOG2_E / (head_dim as f32).sqrt()
}

/// `softmax(q kᵀ / √head_dim) v` for each head, `out: [tokens, heads · head_dim]`. Pairs of panels of
/// queries are shared out over the threads.
pub fn attention<V: Operand>(inputs: Inputs<'_, V>, out: &mut [f32]) {
    let Inputs { q, k, v, keys, heads, head_dim } = inputs;
    let width = heads * head_dim;
    let per_head = [q.len() / heads, k.len() / heads, v.len() / heads];
    let cells = head_dim.div_ceil(V::DEPTH);
    out.par_chunks_mut(QUERIES * width).enumerate().for_each_init(
        || Work::new(head_dim),
        |work, (index, out)| {
            for head in 0..heads {
                let q = &q[head * per_head[0] + index * QUERIES / NR * cells..];
                let k = &k[head * per_head[1]..][..per_head[1]];
                let v = &v[head * per_head[2]..][..per_head[2]];
                let out = &mut out[head * head_dim..];
                if out.len() > NR * width {
                    attend_two(work, q, k, v, keys, out, width);
                } else {
                    attend_one(work, q, k, v, keys, out, width);
                }
            }
        },
    );
}

/// Memory of a thread, for two panels of queries each: keys or features down, queries across.
struct Work {
    /// `[2][KEYS]`.
    scores: Vec<[f32; NR]>,
    /// As much: for scores as operands.
    room: Vec<[f32; NR]>,
    /// `[2][head_dim]`.
    results: Vec<[f32; NR]>,
}

impl Work {
    fn new(head_dim: usize) -> Self {
        let lines = |count| vec![[0.0; NR]; 2 * count];
        Self { scores: lines(KEYS), room: lines(KEYS), results: lines(head_dim) }
    }
}

vectorised! {
    /// One head for two panels of queries, the results into `out`, rows of `stride`.
    fn attend_two<FMA, V: Operand>(
        work: &mut Work,
        q: &[[V; NR]],
        k: &[V],
        v: &[V],
        keys: usize,
        out: &mut [f32],
        stride: usize,
    ) {
        attend::<FMA, V, 2>(work, q, k, v, keys, out, stride);
    }
}

vectorised! {
    /// The same for one.
    fn attend_one<FMA, V: Operand>(
        work: &mut Work,
        q: &[[V; NR]],
        k: &[V],
        v: &[V],
        keys: usize,
        out: &mut [f32],
        stride: usize,
    ) {
        attend::<FMA, V, 1>(work, q, k, v, keys, out, stride);
    }
}

#[inline(always)]
fn attend<const FMA: bool, V: Operand, const N: usize>(
    work: &mut Work,
    q: &[[V; NR]],
    k: &[V],
    v: &[V],
    keys: usize,
    out: &mut [f32],
    stride: usize,
) {
    let dim = work.results.len() / 2;
    let cells = dim.div_ceil(V::DEPTH);
    let queries: [_; N] = std::array::from_fn(|n| &q[n * cells..][..cells]);
    let mut maxima = [[f32::NEG_INFINITY; NR]; N];
    let mut sums = [[0.0; NR]; N];
    work.results.fill([0.0; NR]);
    let mut results: [_; N] = parts(&mut work.results, dim, dim);
    let blocks = k.chunks(KEYS * cells).zip(v.chunks(KEYS / V::DEPTH * dim));
    for (first, (k, v)) in (0..keys).step_by(KEYS).zip(blocks) {
        let mut scores: [_; N] = parts(&mut work.scores, KEYS, KEYS.min(keys - first));
        let into = scores.each_mut().map(|scores| &mut **scores);
        V::rows_times_panels::<FMA, N>(into, k, cells, queries);
        let rooms: [_; N] = parts(&mut work.room, KEYS, KEYS);
        let mut weights: [&[[V; NR]]; N] = [&[]; N];
        let state = maxima.iter_mut().zip(&mut sums).zip(&mut results);
        let places = scores.into_iter().zip(rooms).zip(&mut weights);
        for (((scores, room), weights), ((maxima, sums), results)) in places.zip(state) {
            let top = highest(scores, *maxima);
            // After the first blocks the maximum is seldom a new one.
            if top != *maxima {
                let shrink: [f32; NR] = std::array::from_fn(|j| exp2::<FMA>(maxima[j] - top[j]));
                for line in results.iter_mut().chain([&mut *sums]) {
                    for j in 0..NR {
                        line[j] *= shrink[j];
                    }
                }
                *maxima = top;
            }
            *weights = V::weigh::<FMA>(scores, &top, sums, room);
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

/// The largest score of each query, or its maximum so far.
#[inline(always)]
fn highest(scores: &[[f32; NR]], maxima: [f32; NR]) -> [f32; NR] {
    let mut top = maxima;
    #[cfg(target_arch = "x86_64")]
    if super::avx512::raise(&mut top, scores) {
        return top;
    }
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
            operand::{pack_rows, packed_len},
            testing::{assert_same, noise, signal_to_error_db, tensor, values},
        },
        *,
    };

    struct Packed<V> {
        q: Vec<[V; NR]>,
        k: Vec<V>,
        v: Vec<V>,
        sizes: [usize; 3],
    }

    impl<V> Packed<V> {
        fn inputs(&self) -> Inputs<'_, V> {
            let [keys, heads, head_dim] = self.sizes;
            Inputs { q: &self.q, k: &self.k, v: &self.v, keys, heads, head_dim }
        }
    }

    /// From `[heads, tokens, dim]`.
    fn packed<V: Operand>(q: &[f32], k: &[f32], v: &[f32], heads: usize, dim: usize) -> Packed<V> {
        let (tokens, keys) = (q.len() / heads / dim, k.len() / heads / dim);
        let cells = dim.div_ceil(V::DEPTH);
        let mut all =
            Packed { q: Vec::new(), k: Vec::new(), v: Vec::new(), sizes: [keys, heads, dim] };
        for head in 0..heads {
            let [q, k, v] = [q, k, v].map(|x| &x[head * x.len() / heads..][..x.len() / heads]);
            let at = |x: &[f32], token: usize, i: usize| {
                if i < dim { x.get(token * dim + i).copied().unwrap_or(0.0) } else { 0.0 }
            };
            for panel in 0..tokens.div_ceil(NR) {
                all.q.extend((0..cells).map(|cell| {
                    std::array::from_fn(|j| {
                        let value = |i| at(q, panel * NR + j, cell * V::DEPTH + i) * scale(dim);
                        V::pack([value(0), value(1)])
                    })
                }));
            }
            let mut room = vec![0.0; packed_len::<f32>(keys, dim)];
            let rows = pack_rows::<V>(k, dim, &mut room);
            all.k.extend_from_slice(rows);
            for two in (0..keys).step_by(V::DEPTH) {
                all.v.extend((0..dim).map(|i| V::pack([at(v, two, i), at(v, two + 1, i)])));
            }
        }
        all
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
            // Scores that grow from block to block make the running maximum work.
            let q: Vec<f32> = noise(queries * heads * dim, 1).iter().map(|v| v * gain).collect();
            let (k, v) = (noise(keys * heads * dim, 2), noise(keys * heads * dim, 3));
            let mut out = vec![0.0; q.len()];
            attention(packed::<f32>(&q, &k, &v, heads, dim).inputs(), &mut out);
            let twin = attention_plain(
                &tensor(&q, &[heads, queries, dim]),
                &tensor(&k, &[heads, keys, dim]),
                &tensor(&v, &[heads, keys, dim]),
            );
            let twin = twin.unwrap().transpose(0, 1).unwrap().contiguous().unwrap();
            assert_same(&values(&twin), &out, &format!("{queries} to {keys}"));

            let mut fast = vec![0.0; q.len()];
            attention(packed::<Pair>(&q, &k, &v, heads, dim).inputs(), &mut fast);
            let db = signal_to_error_db(&out, &fast);
            assert!(db > 25.0 && (keys < 10 || db < 90.0), "{queries} to {keys}: {db} dB");
        }
    }
}
