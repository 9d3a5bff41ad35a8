//! Linear layers over tokens.

use candle_core::{Result, Tensor};
use rayon::prelude::*;

use super::product::{Mat, MatMut, Parallelism, Update, product};

/// Tokens per rayon task in elementwise passes.
const BLOCK: usize = 64;

/// A linear layer; PyTorch's `Linear`. The bias is left to whatever follows, which passes over the
/// values anyway.
#[derive(Clone, Debug)]
pub struct Linear {
    /// `[out, in]`, as in PyTorch.
    weight: Vec<f32>,
    /// `[out]`.
    pub bias: Vec<f32>,
}

impl Linear {
    /// From PyTorch's weight `[out, in]`.
    pub fn new(weight: Vec<f32>, bias: Vec<f32>) -> Self {
        Self { weight, bias }
    }

    /// Features of a token that goes in.
    pub fn inputs(&self) -> usize {
        self.weight.len() / self.bias.len()
    }

    /// Features of a token that comes out.
    pub fn outputs(&self) -> usize {
        self.bias.len()
    }

    /// The layer's outputs `from..to` without their bias; `x: [tokens, in]`, `out: [tokens, to − from]`.
    /// Shares the product out over the threads of the pool.
    pub fn part(&self, x: &[f32], from: usize, to: usize, out: &mut [f32]) {
        let inputs = self.inputs();
        let (tokens, width) = (x.len() / inputs, to - from);
        product(
            MatMut::new(out, tokens, width, width),
            Update::Set,
            Mat::new(x, tokens, inputs, inputs),
            Mat::new(&self.weight[from * inputs..], width, inputs, inputs).transposed(),
            Parallelism::Rayon(0),
        );
    }

    /// The whole layer, bias included.
    pub fn forward(&self, x: &[f32]) -> Vec<f32> {
        let mut out = vec![0.0; x.len() / self.inputs() * self.outputs()];
        self.product(x, &mut out);
        add_bias(&mut out, &self.bias);
        out
    }

    /// All outputs without their bias.
    pub fn product(&self, x: &[f32], out: &mut [f32]) {
        self.part(x, 0, self.outputs(), out);
    }
}

/// Adds the bias to every token of `out: [tokens, bias.len()]`.
pub fn add_bias(out: &mut [f32], bias: &[f32]) {
    out.par_chunks_mut(BLOCK * bias.len()).for_each(|block| {
        for token in block.chunks_exact_mut(bias.len()) {
            for (v, bias) in token.iter_mut().zip(bias) {
                *v += bias;
            }
        }
    });
}

/// Twin of [`Linear`] with its bias: `x: [tokens, in]`, `weight: [out, in]`.
pub fn linear_plain(x: &Tensor, weight: &Tensor, bias: &Tensor) -> Result<Tensor> {
    x.matmul(&weight.t()?)?.broadcast_add(bias)
}

#[cfg(test)]
mod tests {
    use super::{
        super::testing::{assert_same, noise, tensor, values},
        *,
    };

    #[test]
    fn layers_and_parts_of_them_match_the_twin() {
        for (tokens, inputs, outputs) in [(1, 1, 1), (70, 9, 6), (200, 33, 96)] {
            let (weight, bias) = (noise(inputs * outputs, 1), noise(outputs, 2));
            let x = noise(tokens * inputs, 3);
            let linear = Linear::new(weight.clone(), bias.clone());
            let twin = linear_plain(
                &tensor(&x, &[tokens, inputs]),
                &tensor(&weight, &[outputs, inputs]),
                &tensor(&bias, &[outputs]),
            );
            let twin = twin.unwrap();
            assert_same(&values(&twin), &linear.forward(&x), "whole");
            let (from, to) = (outputs / 3, outputs);
            let mut part = vec![0.0; tokens * (to - from)];
            linear.part(&x, from, to, &mut part);
            add_bias(&mut part, &bias[from..to]);
            assert_same(&values(&twin.narrow(1, from, to - from).unwrap()), &part, "part");
        }
    }
}
