//! Encoder and decoder layers of both branches. Fields are named as PyTorch's modules.
//!
//! Layers own weights and call kernels; they run on the rayon pool of the caller.

mod freq;
mod time;

pub use freq::{FreqDecoder, FreqEncoder, Rewrite};
pub use time::{TimeDecoder, TimeEncoder};

use crate::model::kernels::{
    FreqMap, TimeMap,
    norm::{Affine, group_norm},
};

/// GroupNorm of an encoder or decoder layer.
#[derive(Clone, Debug)]
pub struct GroupNorm {
    /// Groups of channels.
    pub groups: usize,
    /// Weight and bias.
    pub affine: Affine,
}

impl GroupNorm {
    fn freq(&self, x: &mut FreqMap) {
        group_norm(&mut x.data, x.frames, self.groups, &self.affine);
    }

    fn time(&self, x: &mut TimeMap) {
        group_norm(x.inner_mut(), 1, self.groups, &self.affine);
    }
}
