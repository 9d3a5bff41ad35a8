//! The cross-domain transformer between encoder and decoder. Fields are named as PyTorch's modules.
//!
//! Works on tokens, `[tokens, dim]`: one per column and frequency of the frequency branch (columns
//! outermost), one per frame of the time branch. All operations but the attention itself go through
//! blocks of tokens, so that values between two linear layers stay in the cache. Runs on the rayon
//! pool of the caller.

use std::sync::OnceLock;

use rayon::prelude::*;
use tracing::trace_span;

use crate::model::{
    Precision, Stop,
    arena::Buffer,
    kernels::{
        attention::{Cells, Inputs, Layout, Pack, Tiled, scale},
        elementwise::add_scaled,
        feed_forward::{self, FeedForward},
        layout::Pair,
        linear::{Linear, scratch},
        norm::{Affine, Moments, group_norm_with_moments, layer_norm},
        operand::ProductKind,
        outputs::{AddScaled, StoreScaled},
        rows::{BLOCK, block_rows},
    },
};

/// `CrossTransformerEncoder`.
#[derive(Clone, Debug)]
pub struct CrossTransformer {
    /// Norm of the frequency branch's tokens, before the positions are added.
    pub norm_in: Affine,
    /// Norm of the time branch's tokens.
    pub norm_in_t: Affine,
    /// Layers of the frequency branch.
    pub layers: Vec<Layer>,
    /// Layers of the time branch.
    pub layers_t: Vec<Layer>,
    /// Whether the first, third, … layers are cross layers; otherwise the second, fourth, … are.
    pub cross_first: bool,
    /// Longest period of the position embeddings.
    pub max_period: f64,
    /// Weight of the position embeddings.
    pub weight_pos_embed: f32,
    /// Position embeddings of both branches, for the fixed length of segments.
    pub positions: OnceLock<[Vec<f32>; 2]>,
}

impl CrossTransformer {
    /// Updates `x: [columns · freqs, dim]` and `xt: [frames, dim]`. Returns early, between two
    /// layers, once
    /// `stop` returns true.
    pub fn forward(&self, x: &mut [f32], xt: &mut [f32], freqs: usize, stop: Stop<'_>) {
        let dim = self.norm_in.weight.len();
        let columns = x.len() / dim / freqs;
        let [positions, positions_t] = self.positions.get_or_init(|| {
            [
                embedding_2d(dim, freqs, columns, self.max_period),
                embedding_1d(dim, xt.len() / dim, self.max_period),
            ]
        });
        self.enter(x, &self.norm_in, positions);
        self.enter(xt, &self.norm_in_t, positions_t);
        for (index, (layer, layer_t)) in self.layers.iter().zip(&self.layers_t).enumerate() {
            if stop() {
                return;
            }
            if index.is_multiple_of(2) == self.cross_first {
                // Both read the other branch's tokens from before this layer.
                let heads = layer.attn_inputs(x, Some(xt));
                let heads_t = layer_t.attn_inputs(xt, Some(x));
                layer.finish(x, &heads);
                layer_t.finish(xt, &heads_t);
            } else {
                layer.finish(x, &layer.attn_inputs(x, None));
                layer_t.finish(xt, &layer_t.attn_inputs(xt, None));
            }
        }
    }

    /// Normalises tokens and adds their positions.
    fn enter(&self, tokens: &mut [f32], norm: &Affine, positions: &[f32]) {
        let block = block_rows(tokens.len() / norm.weight.len()) * norm.weight.len();
        tokens.par_chunks_mut(block).zip(positions.par_chunks(block)).for_each_init(
            || Buffer::any(block),
            |normal, (tokens, positions)| {
                let normal = &mut normal[..tokens.len()];
                layer_norm(tokens, norm, normal);
                tokens.copy_from_slice(normal);
                add_scaled(tokens, positions, self.weight_pos_embed);
            },
        );
    }
}

/// `MyTransformerEncoderLayer` or `CrossTransformerEncoderLayer`, normalising first.
#[derive(Clone, Debug)]
pub struct Layer {
    /// Norm of the queries' tokens.
    pub norm1: Affine,
    /// Norm of the other branch's tokens, in a cross layer.
    pub norm_other: Option<Affine>,
    /// `self_attn` or `cross_attn`.
    pub attn: Attention,
    /// LayerScale of the attention.
    pub gamma_1: Vec<f32>,
    /// Norm before the feed-forward part: `norm2`, in a cross layer `norm3`.
    pub norm_ff: Affine,
    /// `linear1` and `linear2`.
    pub feed_forward: FeedForward,
    /// LayerScale of the feed-forward part.
    pub gamma_2: Vec<f32>,
    /// Norm of all tokens and features together: a GroupNorm with one group.
    pub norm_out: Option<Affine>,
}

/// `nn.MultiheadAttention`.
#[derive(Clone, Debug)]
pub struct Attention {
    /// Queries' part of `in_proj`.
    pub q: Linear,
    /// Keys' part.
    pub k: Linear,
    /// Values' part.
    pub v: Linear,
    /// From the heads' results to the features.
    pub out_proj: Linear,
    /// Heads.
    pub heads: usize,
    /// Precision of scores and weighted sums.
    pub precision: Precision,
}

/// Packed inputs of the attention, for each head.
struct Heads {
    /// Queries, see [`Inputs::q`].
    q: Buffer,
    /// Keys, see [`Inputs::k`].
    k: Buffer,
    /// Values, see [`Inputs::v`].
    v: Buffer,
    /// Keys of a head.
    keys: usize,
}

/// Role of a linear layer's outputs in the attention.
#[derive(Clone, Copy)]
enum Role {
    Queries,
    Keys,
    Values,
}

impl Layer {
    /// Inputs of the attention of `x: [tokens, dim]` to `other`, or to itself.
    fn attn_inputs(&self, x: &[f32], other: Option<&[f32]>) -> Heads {
        let _span = trace_span!("transformer: projections").entered();
        match ProductKind::for_precision(self.attn.precision) {
            ProductKind::Single => self.attn_inputs_as::<Cells<f32>>(x, other),
            ProductKind::Pairs => self.attn_inputs_as::<Cells<Pair>>(x, other),
            ProductKind::Tiles => self.attn_inputs_as::<Tiled<1>>(x, other),
            ProductKind::SplitTiles => self.attn_inputs_as::<Tiled<2>>(x, other),
        }
    }

    fn attn_inputs_as<L: Layout>(&self, x: &[f32], other: Option<&[f32]>) -> Heads {
        let Attention { q, k, v, heads, .. } = &self.attn;
        let source = other.unwrap_or(x);
        let dim = self.gamma_1.len();
        let (head_dim, keys) = (dim / heads, source.len() / dim);
        let mut all = Heads {
            q: Buffer::any(heads * L::queries_len(x.len() / dim, head_dim)),
            k: Buffer::any(heads * L::keys_len(keys, head_dim)),
            v: Buffer::any(heads * L::values_len(keys, head_dim)),
            keys,
        };
        let queries = (Role::Queries, q, &mut *all.q);
        let keys = (Role::Keys, k, &mut *all.k);
        let values = (Role::Values, v, &mut *all.v);
        match (other, &self.norm_other) {
            (Some(other), Some(norm)) => {
                self.project::<L, 1>(x, &self.norm1, [queries]);
                self.project::<L, 2>(other, norm, [keys, values]);
            }
            _ => self.project::<L, 3>(x, &self.norm1, [queries, keys, values]),
        }
        all
    }

    /// Normalises tokens, and splits the outputs of linear layers into heads.
    fn project<L: Layout, const N: usize>(
        &self,
        x: &[f32],
        norm: &Affine,
        parts: [(Role, &Linear, &mut [f32]); N],
    ) {
        let dim = norm.weight.len();
        let head_dim = dim / self.attn.heads;
        let rows = block_rows(x.len() / dim);
        let block = rows * dim;
        let layers = parts.each_ref().map(|(role, linear, _)| (*role, *linear));
        // The parts of every head, for each block of tokens and each layer.
        let mut blocks: Vec<[Vec<&mut [f32]>; N]> = Vec::new();
        blocks.resize_with(x.len().div_ceil(block), || std::array::from_fn(|_| Vec::new()));
        for (part, (role, _, out)) in parts.into_iter().enumerate() {
            let per_block = match role {
                Role::Queries => L::queries_len(rows, head_dim),
                Role::Keys => L::keys_len(rows, head_dim),
                Role::Values => L::values_len(rows, head_dim),
            };
            let per_head = out.len() / self.attn.heads;
            for head in out.chunks_exact_mut(per_head) {
                for (block, out) in blocks.iter_mut().zip(head.chunks_mut(per_block)) {
                    block[part].push(out);
                }
            }
        }
        x.par_chunks(block).zip(blocks).for_each_init(
            || [Buffer::any(block), scratch(dim), Buffer::any(block)],
            |[normal, scratch, projected], (x, outs)| {
                let normal = &mut normal[..x.len()];
                layer_norm(x, norm, normal);
                let tokens = layers[0].1.pack(normal, dim, scratch);
                let out = &mut projected[..x.len()];
                for ((role, linear), heads) in layers.into_iter().zip(outs) {
                    let (pack, scale): (Pack, f32) = match role {
                        Role::Queries => (L::pack_queries, scale(head_dim)),
                        Role::Keys => (L::pack_keys, 1.0),
                        Role::Values => (L::pack_values, 1.0),
                    };
                    linear.each(tokens, StoreScaled { out, width: dim, scale });
                    for (head, packed) in heads.into_iter().enumerate() {
                        pack(&out[head * head_dim..], dim, head_dim, packed);
                    }
                }
            },
        );
    }

    /// Computes the attention and the rest of the layer.
    fn finish(&self, x: &mut [f32], inputs: &Heads) {
        let dim = self.gamma_1.len();
        let mut attended = Buffer::any(x.len());
        {
            let _span = trace_span!("transformer: attention").entered();
            let Heads { q, k, v, keys } = inputs;
            let heads = self.attn.heads;
            let inputs = Inputs { q, k, v, keys: *keys, heads, head_dim: dim / heads };
            match ProductKind::for_precision(self.attn.precision) {
                ProductKind::Single => Cells::<f32>::attention(inputs, &mut attended),
                ProductKind::Pairs => Cells::<Pair>::attention(inputs, &mut attended),
                ProductKind::Tiles => Tiled::<1>::attention(inputs, &mut attended),
                ProductKind::SplitTiles => Tiled::<2>::attention(inputs, &mut attended),
            }
        }
        let _span = trace_span!("transformer: feed-forward").entered();
        let block = block_rows(x.len() / dim) * dim;
        let moments = x
            .par_chunks_mut(block)
            .zip(attended.par_chunks(block))
            .map_init(
                || Scratch::new(self),
                |scratch, (x, attended)| {
                    let out = AddScaled { x, scale: &self.gamma_1 };
                    let out_proj = &self.attn.out_proj;
                    out_proj.each(out_proj.pack(attended, dim, &mut scratch.packed), out);
                    let normal = &mut scratch.normal[..x.len()];
                    layer_norm(x, &self.norm_ff, normal);
                    let tokens = self.feed_forward.linear1.pack(normal, dim, &mut scratch.packed);
                    self.feed_forward.add(tokens, &self.gamma_2, x, &mut scratch.feed_forward);
                    Moments::from_slice(x)
                },
            )
            .reduce(Moments::default, Moments::and);
        if let Some(norm) = &self.norm_out {
            group_norm_with_moments(x, moments, norm);
        }
    }
}

/// A thread's memory for a block of tokens.
struct Scratch {
    normal: Buffer,
    /// `normal` as operands.
    packed: Buffer,
    feed_forward: feed_forward::Scratch,
}

impl Scratch {
    fn new(layer: &Layer) -> Self {
        let dim = layer.gamma_2.len();
        Self {
            normal: Buffer::any(BLOCK * dim),
            packed: scratch(dim),
            feed_forward: layer.feed_forward.scratch(),
        }
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

/// Sine embedding of the frequency branch, `[columns · freqs, dim]`: the column in the first half
/// of the features, the frequency in the second, sines and cosines alternating.
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
