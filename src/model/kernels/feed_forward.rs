//! The feed-forward part of a transformer: two linear layers with GELU in between.
//!
//! Processes a block of tokens in groups of hidden features, so that the hidden features never leave
//! the cache. Runs on the calling thread; callers share blocks over threads.

use super::{
    layout::NR,
    linear::{Linear, Tokens, scratch, strips},
    rows::BLOCK,
};
use crate::model::arena::Buffer;

/// Panels of hidden features that are computed at a time for a block of tokens: they stay in the
/// second-level cache.
const HIDDEN: usize = 16;

/// `linear2(gelu(linear1(x)))`.
#[derive(Clone, Debug)]
pub struct FeedForward {
    /// The layer to the hidden features.
    pub linear1: Linear,
    /// The layer from the hidden features.
    pub linear2: Linear,
}

/// A thread's memory for a block of tokens.
#[derive(Debug)]
pub struct Scratch {
    hidden: Buffer,
    /// `hidden` as operands.
    packed: Buffer,
    /// `[panels][tokens][NR]`.
    sums: Buffer,
}

impl FeedForward {
    /// A thread's memory for blocks of at most [`BLOCK`] tokens.
    pub fn scratch(&self) -> Scratch {
        Scratch {
            hidden: scratch(HIDDEN * NR),
            packed: scratch(HIDDEN * NR),
            sums: Buffer::any(BLOCK * self.linear2.panels() * NR),
        }
    }

    /// `x += scale · linear2(gelu(linear1(tokens)))` for `x: [tokens, scale.len()]`. The tokens must be
    /// packed for [`Self::linear1`].
    pub fn add(&self, tokens: Tokens<'_>, scale: &[f32], x: &mut [f32], scratch: &mut Scratch) {
        let (dim, count) = (scale.len(), x.len() / scale.len());
        let sums =
            &mut scratch.sums.as_chunks_mut::<NR>().0[..strips(count) * self.linear2.panels()];
        self.linear2.start(count, sums);
        for first in (0..self.linear1.panels()).step_by(HIDDEN) {
            let panels = first..self.linear1.panels().min(first + HIDDEN);
            let part = first * NR..self.linear2.inputs().min(panels.end * NR);
            let (plain, packed) = (&mut scratch.hidden, &mut scratch.packed);
            let hidden = self.linear1.gelu_part(tokens, panels, plain, packed);
            self.linear2.add_part(hidden, part, sums);
        }
        for (index, sums) in sums.chunks_exact(strips(count)).enumerate() {
            let column = index * NR;
            let scale = &scale[column..dim.min(column + NR)];
            for (x, sums) in x.chunks_exact_mut(dim).zip(sums) {
                for ((x, y), scale) in x[column..].iter_mut().zip(sums).zip(scale) {
                    *x += scale * y;
                }
            }
        }
    }
}
