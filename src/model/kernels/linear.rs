//! Linear layers over tokens.

use std::ops::Range;

use candle_core::{Result, Tensor};
use rayon::prelude::*;

use super::{
    bf16::Pair,
    elementwise::{gelu_one, mad},
    operand::{Operand, pack_rows},
    rows::{Finish, ROWS, Rows, rows_product},
    tile::{NR, Panels},
};
use crate::model::{Precision, arena::Buffer};

/// A linear layer; PyTorch's `Linear`.
#[derive(Clone, Debug)]
pub struct Linear {
    weight: Weight,
    /// `[out]`, filled up to whole panels.
    bias: Vec<f32>,
    inputs: usize,
    outputs: usize,
}

/// `[in, out]`.
#[derive(Clone, Debug)]
enum Weight {
    Single(Panels<f32>),
    Pairs(Panels<Pair>),
}

impl Linear {
    /// From PyTorch's weight `[out, in]` and bias `[out]`.
    pub fn new(weight: &[f32], bias: &[f32], precision: Precision) -> Self {
        let (inputs, outputs) = (weight.len() / bias.len(), bias.len());
        let at = |i: usize, o: usize| weight[o * inputs + i];
        let mut bias = bias.to_vec();
        bias.resize(outputs.next_multiple_of(NR), 0.0);
        let weight = match precision {
            Precision::Single => Weight::Single(Panels::new(inputs, outputs, at)),
            Precision::Fast => Weight::Pairs(Panels::new(inputs, outputs, at)),
        };
        Self { weight, bias, inputs, outputs }
    }

    /// Features of a token that goes in.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// Features of a token that comes out.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// Panels of [`NR`] outputs, the last one perhaps not full.
    pub fn panels(&self) -> usize {
        self.outputs.div_ceil(NR)
    }

    /// At most [`ROWS`] tokens, `x: [tokens, width]`, as this layer and others of its precision want
    /// them; `room` is memory for [`ROWS`] of them.
    pub fn pack<'a>(&self, x: &'a [f32], width: usize, room: &'a mut [f32]) -> Tokens<'a> {
        let cells = match &self.weight {
            Weight::Single(_) => pack_rows::<f32>(x, width, room),
            Weight::Pairs(_) => bytemuck::cast_slice(pack_rows::<Pair>(x, width, room)),
        };
        Tokens { cells, count: x.len() / width, width }
    }

    /// Gives the layer's outputs to `put`.
    pub fn each(&self, tokens: Tokens<'_>, put: impl Put) {
        let finish = &mut Biased { bias: &self.bias, put, columns: self.outputs };
        self.product(tokens, 0..self.panels(), 0..self.inputs, finish);
    }

    /// GELU of the outputs in `panels` (of [`NR`]), into `out: [tokens, panels · NR]`.
    pub fn gelu_part(&self, tokens: Tokens<'_>, panels: Range<usize>, out: &mut [f32]) {
        let (first, stride) = (panels.start * NR, panels.len() * NR);
        let finish = &mut GeluPart { bias: &self.bias, out, first, stride };
        self.product(tokens, panels, 0..self.inputs, finish);
    }

    /// Adds to `sums: [panels][tokens][NR]` what the inputs `part` contribute, an even number of
    /// them or all the rest; the tokens begin with those.
    pub fn add_part(&self, tokens: Tokens<'_>, part: Range<usize>, sums: &mut [[f32; NR]]) {
        let finish = &mut Sums { sums, count: tokens.count };
        self.product(tokens, 0..self.panels(), part, finish);
    }

    /// What [`Self::add_part`] starts from: the bias.
    pub fn start(&self, tokens: usize, sums: &mut [[f32; NR]]) {
        let biases = self.bias.as_chunks::<NR>().0;
        for (sums, bias) in sums.chunks_exact_mut(tokens).zip(biases) {
            sums.fill(*bias);
        }
    }

    /// The whole layer for `x: [tokens, in]`, into `out: [tokens, out]`; blocks of tokens are shared
    /// out over the threads.
    pub fn forward(&self, x: &[f32], out: &mut [f32]) {
        let width = self.outputs;
        out.par_chunks_mut(ROWS * width).zip(x.par_chunks(ROWS * self.inputs)).for_each_init(
            || Buffer::any(ROWS * self.inputs),
            |room, (out, x)| self.each(self.pack(x, self.inputs, room), Set { out, width }),
        );
    }

    fn product<F: Finish>(
        &self,
        tokens: Tokens<'_>,
        panels: Range<usize>,
        part: Range<usize>,
        finish: &mut F,
    ) {
        match &self.weight {
            Weight::Single(weight) => product(weight, tokens, panels, part, finish),
            Weight::Pairs(weight) => product(weight, tokens, panels, part, finish),
        }
    }
}

fn product<V: Operand, F: Finish>(
    weight: &Panels<V>,
    tokens: Tokens<'_>,
    panels: Range<usize>,
    part: Range<usize>,
    finish: &mut F,
) {
    let Tokens { cells, count, width } = tokens;
    let rows = Rows { cells: bytemuck::cast_slice(cells), count, depth: width.div_ceil(V::DEPTH) };
    let lines = part.start / V::DEPTH..part.end.div_ceil(V::DEPTH);
    rows_product(rows, weight, panels, lines, finish);
}

/// Tokens packed for linear layers of one precision, by [`Linear::pack`].
#[derive(Clone, Copy, Debug)]
pub struct Tokens<'a> {
    /// Of either kind of operand.
    cells: &'a [f32],
    count: usize,
    width: usize,
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

/// Into packed rows, `[tokens, head_dim / V::DEPTH]`, of the head that a column belongs to.
#[derive(Debug)]
pub struct ToRows<'a, 'b, V> {
    /// A block of tokens of each head.
    pub heads: &'a mut [&'b mut [V]],
    /// Features of a head.
    pub head_dim: usize,
}

impl<V: Operand> Put for ToRows<'_, '_, V> {
    #[inline(always)]
    fn put<const FMA: bool>(&mut self, token: usize, column: usize, values: &[f32]) {
        let (dim, cells) = (self.head_dim, self.head_dim.div_ceil(V::DEPTH));
        if dim.is_multiple_of(NR) && values.len() == NR {
            let out = &mut self.heads[column / dim];
            for (k, values) in (column % dim / V::DEPTH..).zip(values.chunks_exact(V::DEPTH)) {
                out[V::place(token, k, cells)] = V::pack([values[0], values[V::DEPTH - 1]]);
            }
        } else {
            for (column, value) in (column..).zip(values) {
                let at = V::place(token, column % dim / V::DEPTH, cells);
                put_into(&mut self.heads[column / dim][at], column % dim, *value);
            }
        }
    }
}

/// Into panels of [`NR`] tokens, `[panels, head_dim / V::DEPTH][NR]`, of the head that a column
/// belongs to, times `scale`: the right of a product.
#[derive(Debug)]
pub struct ToPanels<'a, 'b, V> {
    /// A block of tokens of each head.
    pub heads: &'a mut [&'b mut [V]],
    /// Features of a head.
    pub head_dim: usize,
    /// A factor.
    pub scale: f32,
}

impl<V: Operand> Put for ToPanels<'_, '_, V> {
    #[inline(always)]
    fn put<const FMA: bool>(&mut self, token: usize, column: usize, values: &[f32]) {
        let (dim, cells) = (self.head_dim, self.head_dim.div_ceil(V::DEPTH));
        let place = |k: usize| (token / NR * cells + k) * NR + token % NR;
        if dim.is_multiple_of(NR) && values.len() == NR {
            let out = &mut self.heads[column / dim];
            for (k, values) in (column % dim / V::DEPTH..).zip(values.chunks_exact(V::DEPTH)) {
                let pair = [values[0], values[V::DEPTH - 1]].map(|value| value * self.scale);
                out[place(k)] = V::pack(pair);
            }
        } else {
            for (column, value) in (column..).zip(values) {
                let cell = &mut self.heads[column / dim][place(column % dim / V::DEPTH)];
                put_into(cell, column % dim, value * self.scale);
            }
        }
    }
}

/// Into `[tokens / V::DEPTH, head_dim]` of the head that a column belongs to: columns of a product.
#[derive(Debug)]
pub struct ToColumns<'a, 'b, V> {
    /// A block of tokens of each head.
    pub heads: &'a mut [&'b mut [V]],
    /// Features of a head.
    pub head_dim: usize,
}

impl<V: Operand> Put for ToColumns<'_, '_, V> {
    #[inline(always)]
    fn put<const FMA: bool>(&mut self, token: usize, column: usize, values: &[f32]) {
        let dim = self.head_dim;
        if dim.is_multiple_of(NR) {
            let at = token / V::DEPTH * dim + column % dim;
            let out = &mut self.heads[column / dim][at..][..values.len()];
            for (cell, value) in out.iter_mut().zip(values) {
                put_into(cell, token, *value);
            }
        } else {
            for (column, value) in (column..).zip(values) {
                let cell = &mut self.heads[column / dim][token / V::DEPTH * dim + column % dim];
                put_into(cell, token, *value);
            }
        }
    }
}

/// Puts value `index` of a depth where it belongs. Values come in order: the first of two leaves
/// zero for the second, should none come.
#[inline(always)]
fn put_into<V: Operand>(cell: &mut V, index: usize, value: f32) {
    if index.is_multiple_of(V::DEPTH) {
        *cell = V::pack([value, 0.0]);
    } else {
        cell.set(index % V::DEPTH, value);
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
            testing::{assert_same, noise, signal_to_error_db, tensor, values},
        },
        *,
    };

    #[test]
    fn layers_match_the_twin_on_odd_shapes() {
        for (tokens, inputs, outputs) in [(1, 1, 1), (70, 9, 6), (48, 600, 16), (200, 33, 97)] {
            let (weight, bias) = (noise(inputs * outputs, 1), noise(outputs, 2));
            let x = noise(tokens * inputs, 3);
            let linear = Linear::new(&weight, &bias, Precision::Single);
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
        let linear = Linear::new(&weight, &bias, Precision::Single);
        let mut plain = vec![0.0; tokens * outputs];
        linear.forward(&x, &mut plain);

        let mut room = vec![0.0; ROWS * inputs];
        let mut scaled = residual.clone();
        linear
            .each(linear.pack(&x, inputs, &mut room), AddScaled { x: &mut scaled, scale: &scale });
        let expected: Vec<f32> =
            (0..plain.len()).map(|i| residual[i] + scale[i % outputs] * plain[i]).collect();
        assert_same(&expected, &scaled, "residual");

        let mut gelus = vec![0.0; tokens * 2 * NR];
        linear.gelu_part(linear.pack(&x, inputs, &mut room), 0..2, &mut gelus);
        let expected = gelu_plain(&tensor(&plain, &[plain.len()])).unwrap();
        let got: Vec<f32> =
            gelus.chunks(2 * NR).flat_map(|token| token[..outputs].to_vec()).collect();
        assert_same(&values(&expected), &got, "gelu");

        let mut parts = vec![vec![0.0; tokens.next_multiple_of(NR) * 6]; 4];
        let mut heads: Vec<&mut [f32]> = parts.iter_mut().map(Vec::as_mut_slice).collect();
        linear.each(linear.pack(&x, inputs, &mut room), ToRows { heads: &mut heads, head_dim: 6 });
        let part = |i: usize| (i % outputs / 6, i / outputs, i % 6);
        for (i, value) in plain.iter().enumerate() {
            let (head, token, k) = part(i);
            assert_eq!(*value, parts[head][f32::place(token, k, 6)]);
        }
        let mut heads: Vec<&mut [f32]> = parts.iter_mut().map(Vec::as_mut_slice).collect();
        linear.each(
            linear.pack(&x, inputs, &mut room),
            ToPanels { heads: &mut heads, head_dim: 6, scale: 2.0 },
        );
        for (i, value) in plain.iter().enumerate() {
            let (head, token, k) = part(i);
            assert_eq!(2.0 * value, parts[head][(token / NR * 6 + k) * NR + token % NR]);
        }
        let mut heads: Vec<&mut [f32]> = parts.iter_mut().map(Vec::as_mut_slice).collect();
        linear
            .each(linear.pack(&x, inputs, &mut room), ToColumns { heads: &mut heads, head_dim: 6 });
        for (i, value) in plain.iter().enumerate() {
            let (head, token, k) = part(i);
            assert_eq!(*value, parts[head][token * 6 + k]);
        }
    }

    #[test]
    fn the_fast_precision_is_near_and_parts_tokens_into_pairs() {
        let (tokens, inputs, outputs) = (7, 33, 32);
        let (weight, bias) = (noise(inputs * outputs, 1), noise(outputs, 2));
        let x = noise(tokens * inputs, 3);
        let single = Linear::new(&weight, &bias, Precision::Single);
        let fast = Linear::new(&weight, &bias, Precision::Fast);
        let (mut expected, mut got) = (vec![0.0; tokens * outputs], vec![0.0; tokens * outputs]);
        single.forward(&x, &mut expected);
        fast.forward(&x, &mut got);
        let db = signal_to_error_db(&expected, &got);
        assert!((45.0..90.0).contains(&db), "{db} dB");

        let mut room = vec![0.0; ROWS * inputs];
        let mut parts = vec![vec![Pair::new([9.0; 2]); tokens.div_ceil(2) * 16]; 2];
        let mut heads: Vec<&mut [Pair]> = parts.iter_mut().map(Vec::as_mut_slice).collect();
        fast.each(fast.pack(&x, inputs, &mut room), ToColumns { heads: &mut heads, head_dim: 16 });
        for (i, value) in got.iter().enumerate() {
            let (token, column) = (i / outputs, i % outputs);
            let cell = parts[column / 16][token / 2 * 16 + column % 16];
            let second = if token + 1 < tokens { got.get(i + outputs) } else { Some(&0.0) };
            if let (0, Some(second)) = (token % 2, second) {
                assert_eq!(cell, Pair::new([*value, *second]));
            }
        }
    }

    #[test]
    fn a_product_in_parts_is_the_product() {
        let (tokens, inputs, outputs) = (13, 70, 40);
        let (weight, bias) = (noise(inputs * outputs, 1), noise(outputs, 2));
        let x = noise(tokens * inputs, 3);
        let linear = Linear::new(&weight, &bias, Precision::Single);
        let mut whole = vec![0.0; tokens * outputs];
        linear.forward(&x, &mut whole);
        let mut sums = vec![[0.0; NR]; linear.panels() * tokens];
        linear.start(tokens, &mut sums);
        for part in [0..32, 32..70] {
            let own: Vec<f32> =
                x.chunks(inputs).flat_map(|token| token[part.clone()].to_vec()).collect();
            let mut room = vec![0.0; ROWS * inputs];
            linear.add_part(linear.pack(&own, part.len(), &mut room), part, &mut sums);
        }
        let got: Vec<f32> = (0..tokens * outputs)
            .map(|at| sums[at % outputs / NR * tokens + at / outputs][at % outputs % NR])
            .collect();
        assert_same(&whole, &got, "parts");
    }
}
