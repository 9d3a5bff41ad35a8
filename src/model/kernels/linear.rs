//! Linear layers over tokens.

use std::ops::Range;

use candle_core::{Result, Tensor};
use rayon::prelude::*;

use super::{
    elementwise::{gelu_one, mad},
    rows::{Finish, ROWS, Rows, rows_product},
    tile::{NR, Panels},
};

/// A linear layer; PyTorch's `Linear`.
#[derive(Clone, Debug)]
pub struct Linear {
    /// `[in, out]`.
    weight: Panels,
    /// `[out]`, filled up to whole panels.
    bias: Vec<f32>,
}

impl Linear {
    /// From PyTorch's weight `[out, in]` and bias `[out]`.
    pub fn new(weight: &[f32], bias: &[f32]) -> Self {
        let (inputs, outputs) = (weight.len() / bias.len(), bias.len());
        let mut padded = bias.to_vec();
        padded.resize(outputs.next_multiple_of(NR), 0.0);
        Self { weight: Panels::new(inputs, outputs, |i, o| weight[o * inputs + i]), bias: padded }
    }

    /// Features of a token that goes in.
    pub fn inputs(&self) -> usize {
        self.weight.depth()
    }

    /// Features of a token that comes out.
    pub fn outputs(&self) -> usize {
        self.weight.columns()
    }

    /// Gives the layer's outputs for at most [`ROWS`] tokens, `x: [tokens, in]`, to `put`.
    pub fn each(&self, x: &[f32], put: impl Put) {
        let finish = &mut Biased { bias: &self.bias, put, columns: self.outputs() };
        rows_product(self.rows(x), &self.weight, 0..self.weight.count(), 0..self.inputs(), finish);
    }

    /// GELU of the outputs in `panels` (of [`NR`]) for at most [`ROWS`] tokens, `x: [tokens, in]`,
    /// into `out: [tokens, panels · NR]`.
    pub fn gelu_part(&self, x: &[f32], panels: Range<usize>, out: &mut [f32]) {
        let (first, stride) = (panels.start * NR, panels.len() * NR);
        let finish = &mut GeluPart { bias: &self.bias, out, first, stride };
        rows_product(self.rows(x), &self.weight, panels, 0..self.inputs(), finish);
    }

    /// Adds to `sums: [panels][tokens][NR]` what the inputs `part` contribute; `x: [tokens, stride]`
    /// holds those of at most [`ROWS`] tokens.
    pub fn add_part(&self, x: &[f32], stride: usize, part: Range<usize>, sums: &mut [[f32; NR]]) {
        let count = x.len() / stride;
        let rows = Rows { data: x, count, stride };
        rows_product(rows, &self.weight, 0..self.weight.count(), part, &mut Sums { sums, count });
    }

    /// What [`Self::add_part`] starts from: the bias.
    pub fn start(&self, tokens: usize, sums: &mut [[f32; NR]]) {
        let biases = self.bias.as_chunks::<NR>().0;
        for (sums, bias) in sums.chunks_exact_mut(tokens).zip(biases) {
            sums.fill(*bias);
        }
    }

    /// Panels of [`NR`] outputs, the last one perhaps not full.
    pub fn panels(&self) -> usize {
        self.weight.count()
    }

    /// The whole layer for `x: [tokens, in]`, into `out: [tokens, out]`; blocks of tokens are shared
    /// out over the threads.
    pub fn forward(&self, x: &[f32], out: &mut [f32]) {
        let width = self.outputs();
        out.par_chunks_mut(ROWS * width)
            .zip(x.par_chunks(ROWS * self.inputs()))
            .for_each(|(out, x)| self.each(x, Set { out, width }));
    }

    fn rows<'a>(&self, x: &'a [f32]) -> Rows<'a> {
        Rows { data: x, count: x.len() / self.inputs(), stride: self.inputs() }
    }
}

/// Where a layer's outputs go.
pub trait Put {
    /// Takes the outputs of `token` from `column` on.
    fn put<const FMA: bool>(&mut self, token: usize, column: usize, values: &[f32]);
}

/// Into `[tokens, width]`.
struct Set<'a> {
    out: &'a mut [f32],
    width: usize,
}

impl Put for Set<'_> {
    #[inline(always)]
    fn put<const FMA: bool>(&mut self, token: usize, column: usize, values: &[f32]) {
        self.out[token * self.width + column..][..values.len()].copy_from_slice(values);
    }
}

/// `x += scale · y` for `x: [tokens, scale.len()]`: LayerScale and residual.
#[derive(Debug)]
pub struct AddScaled<'a> {
    /// What is added to.
    pub x: &'a mut [f32],
    /// A factor per feature.
    pub scale: &'a [f32],
}

impl Put for AddScaled<'_> {
    #[inline(always)]
    fn put<const FMA: bool>(&mut self, token: usize, column: usize, values: &[f32]) {
        let x = &mut self.x[token * self.scale.len() + column..][..values.len()];
        for ((x, y), scale) in x.iter_mut().zip(values).zip(&self.scale[column..]) {
            *x = mad::<FMA>(*scale, *y, *x);
        }
    }
}

/// Into `[tokens, head_dim]` of the head that a column belongs to.
#[derive(Debug)]
pub struct ToHeads<'a, 'b> {
    /// A block of tokens of each head.
    pub heads: &'a mut [&'b mut [f32]],
    /// Features of a head.
    pub head_dim: usize,
}

impl Put for ToHeads<'_, '_> {
    #[inline(always)]
    fn put<const FMA: bool>(&mut self, token: usize, column: usize, values: &[f32]) {
        let dim = self.head_dim;
        if dim.is_multiple_of(NR) {
            let out = &mut self.heads[column / dim][token * dim + column % dim..];
            out[..values.len()].copy_from_slice(values);
        } else {
            for (column, value) in (column..).zip(values) {
                self.heads[column / dim][token * dim + column % dim] = *value;
            }
        }
    }
}

struct Biased<'a, P> {
    bias: &'a [f32],
    put: P,
    columns: usize,
}

impl<P: Put> Finish for Biased<'_, P> {
    #[inline(always)]
    fn start(&self, _row: usize, column: usize) -> [f32; NR] {
        std::array::from_fn(|j| self.bias[column + j])
    }

    #[inline(always)]
    fn finish<const FMA: bool>(&mut self, row: usize, column: usize, values: [f32; NR]) {
        if column + NR <= self.columns {
            self.put.put::<FMA>(row, column, &values);
        } else {
            self.put.put::<FMA>(row, column, &values[..self.columns - column]);
        }
    }
}

struct GeluPart<'a> {
    bias: &'a [f32],
    out: &'a mut [f32],
    first: usize,
    stride: usize,
}

impl Finish for GeluPart<'_> {
    #[inline(always)]
    fn start(&self, _row: usize, column: usize) -> [f32; NR] {
        std::array::from_fn(|j| self.bias[column + j])
    }

    #[inline(always)]
    fn finish<const FMA: bool>(&mut self, row: usize, column: usize, values: [f32; NR]) {
        let out = &mut self.out[row * self.stride + column - self.first..][..NR];
        for (out, value) in out.iter_mut().zip(values) {
            *out = gelu_one::<FMA>(value);
        }
    }
}

struct Sums<'a> {
    sums: &'a mut [[f32; NR]],
    count: usize,
}

impl Finish for Sums<'_> {
    #[inline(always)]
    fn start(&self, row: usize, column: usize) -> [f32; NR] {
        self.sums[column / NR * self.count + row]
    }

    #[inline(always)]
    fn finish<const FMA: bool>(&mut self, row: usize, column: usize, values: [f32; NR]) {
        self.sums[column / NR * self.count + row] = values;
    }
}

/// Twin of [`Linear`]: `x: [tokens, in]`, `weight: [out, in]`.
pub fn linear_plain(x: &Tensor, weight: &Tensor, bias: &Tensor) -> Result<Tensor> {
    x.matmul(&weight.t()?)?.broadcast_add(bias)
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            elementwise::gelu_plain,
            testing::{assert_same, noise, tensor, values},
        },
        *,
    };

    #[test]
    fn layers_match_the_twin_on_odd_shapes() {
        for (tokens, inputs, outputs) in [(1, 1, 1), (70, 9, 6), (48, 600, 16), (200, 33, 97)] {
            let (weight, bias) = (noise(inputs * outputs, 1), noise(outputs, 2));
            let x = noise(tokens * inputs, 3);
            let linear = Linear::new(&weight, &bias);
            let twin = linear_plain(
                &tensor(&x, &[tokens, inputs]),
                &tensor(&weight, &[outputs, inputs]),
                &tensor(&bias, &[outputs]),
            );
            let mut out = vec![0.0; tokens * outputs];
            linear.forward(&x, &mut out);
            assert_same(&values(&twin.unwrap()), &out, "whole");
        }
    }

    #[test]
    fn what_follows_a_layer_is_done_to_its_outputs() {
        let (tokens, inputs, outputs) = (20, 7, 24);
        let (weight, bias) = (noise(inputs * outputs, 1), noise(outputs, 2));
        let (x, residual, scale) =
            (noise(tokens * inputs, 3), noise(tokens * outputs, 4), noise(outputs, 5));
        let linear = Linear::new(&weight, &bias);
        let mut plain = vec![0.0; tokens * outputs];
        linear.forward(&x, &mut plain);

        let mut scaled = residual.clone();
        linear.each(&x, AddScaled { x: &mut scaled, scale: &scale });
        let expected: Vec<f32> =
            (0..plain.len()).map(|i| residual[i] + scale[i % outputs] * plain[i]).collect();
        assert_same(&expected, &scaled, "residual");

        let mut gelus = vec![0.0; tokens * 2 * NR];
        linear.gelu_part(&x, 0..2, &mut gelus);
        let expected = gelu_plain(&tensor(&plain, &[plain.len()])).unwrap();
        let got: Vec<f32> =
            gelus.chunks(2 * NR).flat_map(|token| token[..outputs].to_vec()).collect();
        assert_same(&values(&expected), &got, "gelu");

        let mut parts = vec![vec![0.0; tokens * 6]; 4];
        let mut heads: Vec<&mut [f32]> = parts.iter_mut().map(Vec::as_mut_slice).collect();
        linear.each(&x, ToHeads { heads: &mut heads, head_dim: 6 });
        let got: Vec<f32> =
            (0..plain.len()).map(|i| parts[i % outputs / 6][i / outputs * 6 + i % 6]).collect();
        assert_eq!(plain, got);
    }

    #[test]
    fn a_product_in_parts_is_the_product() {
        let (tokens, inputs, outputs) = (13, 70, 40);
        let (weight, bias) = (noise(inputs * outputs, 1), noise(outputs, 2));
        let x = noise(tokens * inputs, 3);
        let linear = Linear::new(&weight, &bias);
        let mut whole = vec![0.0; tokens * outputs];
        linear.forward(&x, &mut whole);
        let mut sums = vec![[0.0; NR]; linear.panels() * tokens];
        linear.start(tokens, &mut sums);
        for part in [0..32, 32..70] {
            let own: Vec<f32> =
                x.chunks(inputs).flat_map(|token| token[part.clone()].to_vec()).collect();
            linear.add_part(&own, part.len(), part, &mut sums);
        }
        let got: Vec<f32> = (0..tokens * outputs)
            .map(|at| sums[at % outputs / NR * tokens + at / outputs][at % outputs % NR])
            .collect();
        assert_same(&whole, &got, "parts");
    }
}
