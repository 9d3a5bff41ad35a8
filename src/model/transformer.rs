//! The cross-domain transformer between encoder and decoder. Fields are named as PyTorch's modules.
//!
//! Works on tokens, `[tokens, dim]`: one per column and frequency of the frequency branch (columns
//! outermost), one per frame of the time branch. Runs on the rayon pool of the caller.

use rayon::prelude::*;
use tracing::trace_span;

use super::kernels::{
    attention::{Heads, attention},
    elementwise::{add_scaled_rows, bias_gelu_rows},
    linear::{Linear, add_bias},
    norm::{Affine, group_norm, layer_norm},
};

/// Tokens per rayon task in elementwise passes.
const BLOCK: usize = 64;

/// `CrossTransformerEncoder`.
#[derive(Clone, Debug)]
pub struct CrossTransformer {
    /// Of the frequency branch's tokens, before the positions are added.
    pub norm_in: Affine,
    /// Of the time branch's.
    pub norm_in_t: Affine,
    /// Layers of the frequency branch.
    pub layers: Vec<Layer>,
    /// Layers of the time branch.
    pub layers_t: Vec<Layer>,
    /// Whether the first layer is a cross one, and so every second.
    pub cross_first: bool,
    /// Longest period of the position embeddings.
    pub max_period: f64,
    /// Weight of the position embeddings.
    pub weight_pos_embed: f32,
}

impl CrossTransformer {
    /// `x: [columns · freqs, dim]`, `xt: [frames, dim]`.
    pub fn forward(&self, x: &[f32], xt: &[f32], freqs: usize) -> (Vec<f32>, Vec<f32>) {
        let dim = self.norm_in.weight.len();
        let columns = x.len() / dim / freqs;
        let positions = embedding_2d(dim, freqs, columns, self.max_period);
        let mut x = self.enter(x, &self.norm_in, &positions);
        let positions = embedding_1d(dim, xt.len() / dim, self.max_period);
        let mut xt = self.enter(xt, &self.norm_in_t, &positions);
        for (index, (layer, layer_t)) in self.layers.iter().zip(&self.layers_t).enumerate() {
            if index.is_multiple_of(2) == self.cross_first {
                let before = x.clone();
                layer.forward(&mut x, Some(&xt));
                layer_t.forward(&mut xt, Some(&before));
            } else {
                layer.forward(&mut x, None);
                layer_t.forward(&mut xt, None);
            }
        }
        (x, xt)
    }

    /// Normalises tokens and adds their positions.
    fn enter(&self, tokens: &[f32], norm: &Affine, positions: &[f32]) -> Vec<f32> {
        let mut out = vec![0.0; tokens.len()];
        layer_norm(tokens, norm, &mut out);
        for (out, position) in out.iter_mut().zip(positions) {
            *out += self.weight_pos_embed * position;
        }
        out
    }
}

/// `MyTransformerEncoderLayer` or `CrossTransformerEncoderLayer`, normalising first.
#[derive(Clone, Debug)]
pub struct Layer {
    /// Before the attention: of the queries' tokens.
    pub norm1: Affine,
    /// In a cross layer: of the other branch's tokens.
    pub norm_other: Option<Affine>,
    /// `self_attn` or `cross_attn`.
    pub attn: Attention,
    /// LayerScale of the attention.
    pub gamma_1: Vec<f32>,
    /// Before the feed-forward part: `norm2`, in a cross layer `norm3`.
    pub norm_ff: Affine,
    /// Into the hidden features.
    pub linear1: Linear,
    /// Out of them.
    pub linear2: Linear,
    /// LayerScale of the feed-forward part.
    pub gamma_2: Vec<f32>,
    /// Over all tokens and features together: a GroupNorm with one group.
    pub norm_out: Option<Affine>,
}

impl Layer {
    /// Changes `x: [tokens, dim]`; `other` are the tokens that a cross layer attends to.
    pub fn forward(&self, x: &mut [f32], other: Option<&[f32]>) {
        let mut normal = vec![0.0; x.len()];
        let mut out = vec![0.0; x.len()];
        layer_norm(x, &self.norm1, &mut normal);
        match (other, &self.norm_other) {
            (Some(other), Some(norm)) => {
                let mut normal_other = vec![0.0; other.len()];
                layer_norm(other, norm, &mut normal_other);
                self.attn.forward(&normal, Some(&normal_other), &mut out);
            }
            _ => self.attn.forward(&normal, None, &mut out),
        }
        add_residual(x, &out, &self.attn.out_proj.bias, &self.gamma_1);

        let _span = trace_span!("transformer: feed-forward").entered();
        layer_norm(x, &self.norm_ff, &mut normal);
        let width = self.linear1.outputs();
        let mut hidden = vec![0.0; x.len() / self.gamma_2.len() * width];
        self.linear1.product(&normal, &mut hidden);
        hidden
            .par_chunks_mut(BLOCK * width)
            .for_each(|block| bias_gelu_rows(block, &self.linear1.bias));
        self.linear2.product(&hidden, &mut out);
        add_residual(x, &out, &self.linear2.bias, &self.gamma_2);
        if let Some(norm) = &self.norm_out {
            group_norm(x, 1, 1, norm);
        }
    }
}

/// `x += scale · (y + bias)`, tokens in parallel.
fn add_residual(x: &mut [f32], y: &[f32], bias: &[f32], scale: &[f32]) {
    let block = BLOCK * bias.len();
    x.par_chunks_mut(block)
        .zip(y.par_chunks(block))
        .for_each(|(x, y)| add_scaled_rows(x, y, bias, scale));
}

/// `nn.MultiheadAttention`.
#[derive(Clone, Debug)]
pub struct Attention {
    /// Queries, keys and values, one after the other.
    pub in_proj: Linear,
    /// From the heads' results back; its bias is left to the caller.
    pub out_proj: Linear,
    /// Heads.
    pub heads: usize,
}

impl Attention {
    /// Attention of `x: [tokens, dim]` to `other`, or to itself; without the last bias, into `out`.
    fn forward(&self, x: &[f32], other: Option<&[f32]>, out: &mut [f32]) {
        let dim = self.out_proj.outputs();
        let span = trace_span!("transformer: projections").entered();
        let (q, kv, kv_stride, kv_at);
        if let Some(other) = other {
            q = self.project(x, 0, dim);
            kv = self.project(other, dim, 3 * dim);
            (kv_stride, kv_at) = (2 * dim, 0);
        } else {
            q = self.project(x, 0, 3 * dim);
            kv = Vec::new();
            (kv_stride, kv_at) = (3 * dim, dim);
        }
        drop(span);
        let span = trace_span!("transformer: attention").entered();
        let queries = Heads { data: &q, tokens: x.len() / dim, stride: q.len() * dim / x.len() };
        let source = if other.is_some() { &kv } else { &q };
        let tokens = source.len() / kv_stride;
        let keys = Heads { data: &source[kv_at..], tokens, stride: kv_stride };
        let values = Heads { data: &source[kv_at + dim..], tokens, stride: kv_stride };
        let mut result = vec![0.0; x.len()];
        attention(queries, keys, values, self.heads, dim / self.heads, &mut result);
        drop(span);
        let _span = trace_span!("transformer: projections").entered();
        self.out_proj.product(&result, out);
    }

    /// Outputs `from..to` of the input projection with their bias.
    fn project(&self, x: &[f32], from: usize, to: usize) -> Vec<f32> {
        let width = to - from;
        let mut out = vec![0.0; x.len() / self.in_proj.inputs() * width];
        self.in_proj.part(x, from, to, &mut out);
        add_bias(&mut out, &self.in_proj.bias[from..to]);
        out
    }
}

/// Sine embedding of the time branch, `[tokens, dim]`: cosines in the first half of the features,
/// sines in the second.
pub fn embedding_1d(dim: usize, tokens: usize, max_period: f64) -> Vec<f32> {
    let half = dim / 2;
    let rates: Vec<f64> =
        (0..half).map(|i| max_period.powf(-(i as f64) / (half as f64 - 1.0))).collect();
    let mut out = Vec::with_capacity(tokens * dim);
    for position in 0..tokens {
        out.extend(rates.iter().map(|rate| (position as f64 * rate).cos() as f32));
        out.extend(rates.iter().map(|rate| (position as f64 * rate).sin() as f32));
    }
    out
}

/// Sine embedding of the frequency branch, `[columns · freqs, dim]`: the column in the first half of
/// the features, the frequency in the second, sines and cosines alternating.
pub fn embedding_2d(dim: usize, freqs: usize, columns: usize, max_period: f64) -> Vec<f32> {
    let half = dim / 2;
    let rates: Vec<f64> =
        (0..half).step_by(2).map(|i| (-(i as f64) * max_period.ln() / half as f64).exp()).collect();
    let mut out = Vec::with_capacity(columns * freqs * dim);
    for column in 0..columns {
        for freq in 0..freqs {
            for position in [column, freq] {
                for rate in &rates {
                    let phase = position as f64 * rate;
                    out.push(phase.sin() as f32);
                    out.push(phase.cos() as f32);
                }
            }
        }
    }
    out
}
