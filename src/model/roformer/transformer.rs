//! A transformer over sequences of tokens: of one band over time, or of one column over the bands.
//!
//! One thread does all of a transformer's work on a sequence, block by block, so that values between
//! two layers stay in its cache. Threads share the sequences. Fields are named as PyTorch's modules.

use std::sync::Arc;

use super::rotation::Rotation;
use crate::model::{
    arena::Buffer,
    kernels::{
        attention::{Inputs, Layout, Pack, scale},
        elementwise::gate,
        feed_forward::{self, FeedForward},
        linear::{Linear, scratch},
        norm::{rms_norm, rms_norm_by},
        outputs::{AddScaled, StoreScaled},
        rows::BLOCK,
    },
};

/// `Transformer`.
#[derive(Clone, Debug)]
pub struct Transformer {
    /// `layers`.
    pub layers: Vec<Layer>,
    /// Factors of the norm at the end.
    pub norm: Option<Vec<f32>>,
}

/// An attention and a feed-forward part, each of which reads normalised tokens and is added to them.
/// The factors of both norms are in the weights of the next layers.
#[derive(Clone, Debug)]
pub struct Layer {
    /// The attention.
    pub attention: Attention,
    /// The feed-forward part.
    pub feed_forward: FeedForward,
    /// The scale of the residual sums: one for each feature.
    pub ones: Vec<f32>,
}

/// `Attention`.
#[derive(Clone, Debug)]
pub struct Attention {
    /// Queries' part of `to_qkv`.
    pub q: Linear,
    /// Keys' part.
    pub k: Linear,
    /// Values' part.
    pub v: Linear,
    /// `to_gates`: one value for each head.
    pub gates: Linear,
    /// `to_out`.
    pub out: Linear,
    /// Heads.
    pub heads: usize,
    /// The positions.
    pub rotation: Arc<Rotation>,
}

/// A thread's memory for one task.
pub struct Scratch<L: Layout> {
    normal: Buffer,
    /// Normalised or attended tokens as operands.
    packed: Buffer,
    /// `[tokens, inner]`
    projected: Buffer,
    /// Packed queries, keys and values, sequence by sequence.
    heads: [Buffer; 3],
    /// `[tokens, heads]`
    gates: Buffer,
    /// `[tokens, inner]`
    attended: Buffer,
    attention: L::Scratch,
    feed_forward: feed_forward::Scratch,
}

/// The input of the attention that a linear layer computes.
#[derive(Clone, Copy)]
enum Role {
    Queries,
    Keys,
    Values,
}

impl Role {
    const ALL: [Self; 3] = [Self::Queries, Self::Keys, Self::Values];

    /// Memory of a head's tokens.
    fn len<L: Layout>(self, tokens: usize, head_dim: usize) -> usize {
        match self {
            Self::Queries => L::queries_len(tokens, head_dim),
            Self::Keys => L::keys_len(tokens, head_dim),
            Self::Values => L::values_len(tokens, head_dim),
        }
    }

    fn pack<L: Layout>(self) -> Pack {
        match self {
            Self::Queries => L::pack_queries,
            Self::Keys => L::pack_keys,
            Self::Values => L::pack_values,
        }
    }
}

/// The number of sequences of `length` tokens in a task: enough for a block, at least one.
pub fn at_once(length: usize) -> usize {
    (BLOCK / length).max(1)
}

/// Tokens of a block in a task of `tokens`.
fn block(tokens: usize) -> usize {
    tokens.div_ceil(tokens.div_ceil(BLOCK)).next_multiple_of(32).min(BLOCK)
}

impl Transformer {
    /// A thread's memory for [`at_once`] sequences of `length` tokens.
    pub fn scratch<L: Layout>(&self, length: usize) -> Option<Scratch<L>> {
        Some(self.layers.first()?.scratch(length))
    }

    /// Updates at most [`at_once`] sequences, `x: [sequences, length, dim]`, on the calling thread.
    pub fn run<L: Layout>(&self, x: &mut [f32], length: usize, scratch: &mut Scratch<L>) {
        for layer in &self.layers {
            layer.attend::<L>(x, length, scratch);
            layer.finish(x, scratch);
        }
        if let Some(norm) = &self.norm {
            rms_norm_by(x, norm);
        }
    }
}

impl Layer {
    fn scratch<L: Layout>(&self, length: usize) -> Scratch<L> {
        let (dim, inner) = (self.ones.len(), self.attention.q.outputs());
        let Attention { heads, .. } = self.attention;
        let (head_dim, sequences) = (inner / heads, at_once(length));
        let tokens = sequences * length;
        let buffer = |role: Role| Buffer::any(sequences * heads * role.len::<L>(length, head_dim));
        Scratch {
            normal: Buffer::any(BLOCK * dim),
            packed: scratch(dim.max(inner)),
            projected: Buffer::any(BLOCK * inner),
            heads: Role::ALL.map(buffer),
            gates: Buffer::any(tokens * heads),
            attended: Buffer::any(tokens * inner),
            attention: L::scratch(head_dim),
            feed_forward: self.feed_forward.scratch(),
        }
    }

    /// Writes the heads' attention into `scratch.attended`.
    fn attend<L: Layout>(&self, x: &[f32], length: usize, scratch: &mut Scratch<L>) {
        let Attention { heads, .. } = self.attention;
        let (dim, inner) = (self.ones.len(), self.attention.q.outputs());
        let head_dim = inner / heads;
        let rows = block(x.len() / dim);
        for (index, x) in x.chunks(rows * dim).enumerate() {
            self.project(x, index * rows, length, scratch);
        }
        let attended = scratch.attended.chunks_exact_mut(length * inner);
        for (sequence, out) in attended.take(x.len() / dim / length).enumerate() {
            let [q, k, v] = Role::ALL.map(|role| {
                let len = heads * role.len::<L>(length, head_dim);
                &scratch.heads[role as usize][sequence * len..][..len]
            });
            let inputs = Inputs { q, k, v, keys: length, heads, head_dim };
            L::attend(inputs, &mut scratch.attention, out);
        }
    }

    /// Computes queries, keys, values and gates of a block of tokens, which begins at the task's
    /// token
    /// `first`.
    fn project<L: Layout>(&self, x: &[f32], first: usize, length: usize, scratch: &mut Scratch<L>) {
        let Attention { q, k, v, gates, heads, rotation, .. } = &self.attention;
        let (dim, inner) = (self.ones.len(), q.outputs());
        let head_dim = inner / heads;
        let count = x.len() / dim;
        let normal = &mut scratch.normal[..x.len()];
        rms_norm(x, dim, normal);
        let tokens = q.pack(normal, dim, &mut scratch.packed);
        let out = &mut scratch.gates[first * heads..][..count * heads];
        gates.each(tokens, StoreScaled { out, width: *heads, scale: 1.0 });
        let out = &mut scratch.projected[..count * inner];
        for (role, linear) in Role::ALL.into_iter().zip([q, k, v]) {
            let scale = if matches!(role, Role::Queries) { scale(head_dim) } else { 1.0 };
            linear.each(tokens, StoreScaled { out, width: inner, scale });
            if !matches!(role, Role::Values) {
                rotation.apply(out, inner, first, length);
            }
            // A block is part of one sequence, or consists of whole sequences.
            let per_head = role.len::<L>(length, head_dim);
            for (piece, rows) in out.chunks(length * inner).enumerate() {
                let (sequence, at) = (first / length + piece, first % length);
                for head in 0..*heads {
                    let slot = (sequence * heads + head) * per_head;
                    let packed = &mut scratch.heads[role as usize][slot..][..per_head];
                    let packed = &mut packed[role.len::<L>(at, head_dim)..];
                    role.pack::<L>()(&rows[head * head_dim..], inner, head_dim, packed);
                }
            }
        }
    }

    /// Adds the attention, and then the feed-forward part.
    fn finish<L: Layout>(&self, x: &mut [f32], scratch: &mut Scratch<L>) {
        let Attention { out, heads, .. } = &self.attention;
        let (dim, inner) = (self.ones.len(), out.inputs());
        let rows = block(x.len() / dim);
        let attended = scratch.attended.chunks_mut(rows * inner);
        let gates = scratch.gates.chunks(rows * heads);
        for ((x, attended), gates) in x.chunks_mut(rows * dim).zip(attended).zip(gates) {
            let attended = &mut attended[..x.len() / dim * inner];
            gate(attended, gates, inner / heads);
            let tokens = out.pack(attended, inner, &mut scratch.packed);
            out.each(tokens, AddScaled { x, scale: &self.ones });
            let normal = &mut scratch.normal[..x.len()];
            rms_norm(x, dim, normal);
            let tokens = self.feed_forward.linear1.pack(normal, dim, &mut scratch.packed);
            self.feed_forward.add(tokens, &self.ones, x, &mut scratch.feed_forward);
        }
    }
}
