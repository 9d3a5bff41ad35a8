//! A transformer whose attention is over features instead of tokens (El-Nouby et al. 2021, arXiv
//! 2106.09681), which a few networks have before the other two of a layer.
//!
//! Each feature of a head attends to the head's others, by their products over all tokens. Fields
//! are named as PyTorch's modules; the factors of the norms are in the weights. Runs on the rayon
//! pool of the caller, whose threads share blocks of tokens.

use rayon::prelude::*;

use crate::model::{
    arena::Buffer,
    kernels::{
        elementwise::add_scaled,
        feed_forward::FeedForward,
        linear::{Linear, scratch},
        norm::{rms_norm, rms_norm_by},
        outputs::AddScaled,
        rows::{BLOCK, block_rows},
    },
};

/// Factor of the scores.
const SCALE: f32 = 8.0;
/// Lower limit of the norms in divisions, as in `torch.nn.functional.normalize`.
const LEAST_NORM: f32 = 1e-12;

/// `Transformer` with `linear_attn`.
#[derive(Clone, Debug)]
pub struct FeatureTransformer {
    /// `layers`.
    pub layers: Vec<FeatureLayer>,
    /// Factors of the norm at the end.
    pub norm: Option<Vec<f32>>,
}

/// An attention over features and a feed-forward part.
#[derive(Clone, Debug)]
pub struct FeatureLayer {
    /// `to_qkv`.
    pub qkv: Linear,
    /// `temperature`, to the power of e, of each head.
    pub temperature: Vec<f32>,
    /// `to_out`.
    pub out: Linear,
    /// The feed-forward part.
    pub feed_forward: FeedForward,
    /// The scale of the residual sums: one for each feature.
    pub ones: Vec<f32>,
}

impl FeatureTransformer {
    /// Updates `x: [tokens, dim]`.
    pub fn forward(&self, x: &mut [f32]) {
        for layer in &self.layers {
            layer.forward(x);
        }
        if let Some(norm) = &self.norm {
            x.par_chunks_mut(BLOCK * norm.len()).for_each(|x| rms_norm_by(x, norm));
        }
    }
}

impl FeatureLayer {
    fn forward(&self, x: &mut [f32]) {
        let (dim, inner) = (self.ones.len(), self.out.inputs());
        let (heads, tokens) = (self.temperature.len(), x.len() / dim);
        let mut normal = Buffer::any(x.len());
        let rows = block_rows(tokens);
        let blocks = normal.par_chunks_mut(rows * dim).zip(x.par_chunks(rows * dim));
        blocks.for_each(|(normal, x)| rms_norm(x, dim, normal));
        let mut projected = Buffer::any(tokens * 3 * inner);
        self.qkv.forward(&normal, &mut projected);
        let products: Vec<Products> = projected
            .par_chunks(rows * 3 * inner)
            .map(|block| Products::of(block, heads, inner / heads))
            .collect();
        let mut sums = Products::new(heads, inner / heads);
        for products in &products {
            sums.add(products);
        }
        let weights = sums.weights(&self.temperature);
        let blocks = x.par_chunks_mut(rows * dim).zip(projected.par_chunks(rows * 3 * inner));
        blocks.for_each_init(
            || {
                let packed = scratch(dim.max(inner));
                let feed_forward = self.feed_forward.scratch();
                (Buffer::any(rows * inner), Buffer::any(rows * dim), packed, feed_forward)
            },
            |(attended, normal, packed, feed_forward), (x, projected)| {
                let attended = &mut attended[..x.len() / dim * inner];
                attend(&weights, projected, [inner, inner / heads], attended);
                let out = AddScaled { x, scale: &self.ones };
                self.out.each(self.out.pack(attended, inner, packed), out);
                let normal = &mut normal[..x.len()];
                rms_norm(x, dim, normal);
                let tokens = self.feed_forward.linear1.pack(normal, dim, packed);
                self.feed_forward.add(tokens, &self.ones, x, feed_forward);
            },
        );
    }
}

/// Sums over tokens, from which the scores of each head follow.
struct Products {
    head_dim: usize,
    /// Queries' features by keys' features, `[heads, head_dim, head_dim]`.
    cross: Vec<f32>,
    /// Squares of the queries' features, `[heads · head_dim]`.
    queries: Vec<f32>,
    /// Squares of the keys' features.
    keys: Vec<f32>,
}

impl Products {
    fn new(heads: usize, head_dim: usize) -> Self {
        let inner = heads * head_dim;
        let zeros = |len: usize| vec![0.0; len];
        Self { head_dim, cross: zeros(inner * head_dim), queries: zeros(inner), keys: zeros(inner) }
    }

    /// The sums over tokens, `projected: [tokens, 3, heads, head_dim]`.
    fn of(projected: &[f32], heads: usize, head_dim: usize) -> Self {
        let mut sums = Self::new(heads, head_dim);
        let inner = heads * head_dim;
        for token in projected.chunks_exact(3 * inner) {
            let (q, k) = (&token[..inner], &token[inner..2 * inner]);
            for ((sum, sum_k), (q, k)) in
                sums.queries.iter_mut().zip(&mut sums.keys).zip(q.iter().zip(k))
            {
                *sum += q * q;
                *sum_k += k * k;
            }
            for (row, (at, q)) in sums.cross.chunks_exact_mut(head_dim).zip(q.iter().enumerate()) {
                add_scaled(row, &k[at / head_dim * head_dim..][..head_dim], *q);
            }
        }
        sums
    }

    fn add(&mut self, other: &Self) {
        for (to, from) in [
            (&mut self.cross, &other.cross),
            (&mut self.queries, &other.queries),
            (&mut self.keys, &other.keys),
        ] {
            add_scaled(to, from, 1.0);
        }
    }

    /// The weight of each feature in each other, `[heads, head_dim, head_dim]`.
    fn weights(mut self, temperature: &[f32]) -> Vec<f32> {
        let dim = self.head_dim;
        for (at, row) in self.cross.chunks_exact_mut(dim).enumerate() {
            let head = at / dim;
            let own = self.queries[at].sqrt().max(LEAST_NORM);
            let factor = temperature[head] * SCALE / own;
            for (score, key) in row.iter_mut().zip(&self.keys[head * dim..]) {
                *score *= factor / key.sqrt().max(LEAST_NORM);
            }
            let most = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            for score in &mut *row {
                *score = (*score - most).exp();
            }
            let sum: f32 = row.iter().sum();
            for score in row {
                *score /= sum;
            }
        }
        self.cross
    }
}

/// The weighted values of tokens, `out: [tokens, heads, head_dim]`.
fn attend(weights: &[f32], projected: &[f32], [inner, dim]: [usize; 2], out: &mut [f32]) {
    for (token, out) in projected.chunks_exact(3 * inner).zip(out.chunks_exact_mut(inner)) {
        let values = &token[2 * inner..];
        for (at, (out, weights)) in out.iter_mut().zip(weights.chunks_exact(dim)).enumerate() {
            let values = &values[at / dim * dim..][..dim];
            *out = weights.iter().zip(values).map(|(weight, value)| weight * value).sum();
        }
    }
}
