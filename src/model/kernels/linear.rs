//! Linear layers over tokens.

use std::ops::Range;

use candle_core::{Result, Tensor};
use rayon::prelude::*;

use super::{
    amx::{self, Packed, Side, Size, Tile, pack_left, pack_left_pair},
    elementwise::gelu,
    layout::{NR, Pair},
    math::gelu_one,
    operand::{Operand, ProductKind, pack_rows},
    outputs::{OutputEpilogue, StoreScaled},
    pack::Panels,
    rows::{self, BLOCK, Epilogue, ROWS, Rows, TileRows, Weights, block_rows, rows_product},
};
use crate::model::{Precision, arena::Buffer};

/// A linear layer; PyTorch's `Linear`.
#[derive(Clone, Debug)]
pub struct Linear {
    weight: Weight,
    /// `[out]`, padded to whole panels.
    bias: Vec<f32>,
    inputs: usize,
    outputs: usize,
}

/// `[in, out]`.
#[derive(Clone, Debug)]
enum Weight {
    Single(Panels<f32>),
    Pairs(Panels<Pair>),
    Tiles(Packed<1>),
    SplitTiles(Packed<2>),
}

impl Linear {
    /// From PyTorch's weight `[out, in]` and bias `[out]`.
    pub fn new(weight: &[f32], bias: &[f32], precision: Precision) -> Self {
        Self::with_kind(ProductKind::for_precision(precision), weight, bias)
    }

    /// From PyTorch's weight and bias, with products in f32 on every processor.
    pub fn plain(weight: &[f32], bias: &[f32]) -> Self {
        Self::with_kind(ProductKind::Single, weight, bias)
    }

    /// Whether the layer's products are in f32.
    pub fn is_plain(&self) -> bool {
        matches!(self.weight, Weight::Single(_))
    }

    fn with_kind(kind: ProductKind, weight: &[f32], bias: &[f32]) -> Self {
        let (inputs, outputs) = (weight.len() / bias.len(), bias.len());
        let at = |i: usize, o: usize| weight[o * inputs + i];
        let column = |o: usize, column: &mut [f32]| {
            column.copy_from_slice(&weight[o * inputs..][..inputs]);
        };
        let mut bias = bias.to_vec();
        bias.resize(outputs.next_multiple_of(NR), 0.0);
        let weight = match kind {
            ProductKind::Single => Weight::Single(Panels::new(inputs, outputs, at)),
            ProductKind::Pairs => Weight::Pairs(Panels::new(inputs, outputs, at)),
            ProductKind::Tiles => Weight::Tiles(Packed::new(inputs, outputs, column)),
            ProductKind::SplitTiles => Weight::SplitTiles(Packed::new(inputs, outputs, column)),
        };
        Self { weight, bias, inputs, outputs }
    }

    /// Features of an input token.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// Features of an output token.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// Number of panels of [`NR`] outputs; the last one may be partial.
    pub fn panels(&self) -> usize {
        self.outputs.div_ceil(NR)
    }

    /// Packs at most [`BLOCK`] tokens, `x: [tokens, width]`, for this layer and others of its
    /// precision; `scratch` is [`scratch`] for `width`.
    pub fn pack<'a>(&self, x: &'a [f32], width: usize, scratch: &'a mut [f32]) -> Tokens<'a> {
        let cells = match &self.weight {
            Weight::Single(_) => pack_rows::<f32>(x, width, scratch),
            Weight::Pairs(_) => bytemuck::cast_slice(pack_rows::<Pair>(x, width, scratch)),
            Weight::Tiles(_) => pack_strips::<1>(x, width, scratch),
            Weight::SplitTiles(_) => pack_strips::<2>(x, width, scratch),
        };
        Tokens { cells, count: x.len() / width, width }
    }

    /// Passes the layer's outputs to `epilogue`.
    pub fn each(&self, tokens: Tokens<'_>, epilogue: impl OutputEpilogue) {
        let epilogue = &mut Biased { bias: &self.bias, outputs: epilogue, columns: self.outputs };
        self.product(tokens, 0..self.panels(), 0..self.inputs, epilogue);
    }

    /// GELU of the outputs in `panels`, packed like [`Self::pack`]'s; `plain` and `packed` are
    /// [`scratch`] for as many outputs.
    pub fn gelu_part<'a>(
        &self,
        tokens: Tokens<'_>,
        panels: Range<usize>,
        plain: &'a mut [f32],
        packed: &'a mut [f32],
    ) -> Tokens<'a> {
        let (count, first, width) = (tokens.count, panels.start * NR, panels.len() * NR);
        match &self.weight {
            Weight::Tiles(weight) => gelu_tiles(weight, &self.bias, tokens, panels, packed),
            Weight::SplitTiles(weight) => gelu_tiles(weight, &self.bias, tokens, panels, packed),
            _ => {
                let out = &mut plain[..count * width];
                let epilogue = &mut GeluPart { bias: &self.bias, out, first, stride: width };
                self.product(tokens, panels, 0..self.inputs, epilogue);
                self.pack(out, width, packed)
            }
        }
    }

    /// Adds the products of the inputs `part` to `sums: [panels][strips(tokens)][NR]`. The part is
    /// whole steps of [`amx::DEPTH`], or ends with the last input; the tokens begin with its
    /// inputs.
    pub fn add_part(&self, tokens: Tokens<'_>, part: Range<usize>, sums: &mut [[f32; NR]]) {
        match &self.weight {
            Weight::Tiles(weight) => add_tiles(weight, tokens, part, sums),
            Weight::SplitTiles(weight) => add_tiles(weight, tokens, part, sums),
            _ => {
                let epilogue = &mut Sums { sums, stride: strips(tokens.count) };
                self.product(tokens, 0..self.panels(), part, epilogue);
            }
        }
    }

    /// Fills the sums of [`Self::add_part`] with the bias.
    pub fn start(&self, tokens: usize, sums: &mut [[f32; NR]]) {
        let biases = self.bias.as_chunks::<NR>().0;
        for (sums, bias) in sums.chunks_exact_mut(strips(tokens)).zip(biases) {
            sums.fill(*bias);
        }
    }

    /// Computes the whole layer for `x: [tokens, in]`, into `out: [tokens, out]`; the threads share
    /// blocks of tokens.
    pub fn forward(&self, x: &[f32], out: &mut [f32]) {
        let width = self.outputs;
        let block = block_rows(x.len() / self.inputs);
        out.par_chunks_mut(block * width).zip(x.par_chunks(block * self.inputs)).for_each_init(
            || scratch(self.inputs),
            |scratch, (out, x)| {
                self.each(
                    self.pack(x, self.inputs, scratch),
                    StoreScaled { out, width, scale: 1.0 },
                );
            },
        );
    }

    fn product<E: Epilogue>(
        &self,
        tokens: Tokens<'_>,
        panels: Range<usize>,
        part: Range<usize>,
        epilogue: &mut E,
    ) {
        match &self.weight {
            Weight::Single(weight) => rows_product(tokens.rows(), weight, panels, part, epilogue),
            Weight::Pairs(weight) => {
                let lines = part.start / 2..part.end.div_ceil(2);
                rows_product(tokens.rows(), weight, panels, lines, epilogue);
            }
            Weight::Tiles(weight) => tiles_product(weight, tokens, panels, part, epilogue),
            Weight::SplitTiles(weight) => tiles_product(weight, tokens, panels, part, epilogue),
        }
    }
}

fn tiles_product<const P: usize, E: Epilogue>(
    weight: &Packed<P>,
    tokens: Tokens<'_>,
    panels: Range<usize>,
    part: Range<usize>,
    epilogue: &mut E,
) where
    Packed<P>: for<'a> Weights<Rows<'a> = TileRows<'a>>,
{
    let Tokens { cells, count, width } = tokens;
    let rows = TileRows { tiles: bytemuck::cast_slice(cells), count, steps: amx::steps(width) };
    let lines = part.start / amx::DEPTH..part.end.div_ceil(amx::DEPTH);
    let _registers = amx::Tiles::new();
    rows_product(rows, weight, panels, lines, epilogue);
}

/// [`Linear::gelu_part`] with tiles as output.
fn gelu_tiles<'a, const P: usize>(
    weight: &Packed<P>,
    bias: &[f32],
    Tokens { cells, count, width }: Tokens<'_>,
    panels: Range<usize>,
    packed: &'a mut [f32],
) -> Tokens<'a> {
    let (steps, steps_out) = (amx::steps(width), panels.len().div_ceil(2));
    let tiles: &[Tile] = bytemuck::cast_slice(cells);
    let out_len = strips(count) / amx::ROWS * steps_out * P;
    let packed = &mut packed[..out_len * Tile::VALUES];
    let out: &mut [Tile] = bytemuck::cast_slice_mut(packed);
    let _registers = amx::Tiles::new();
    let mut sums = rows::Sums::default();
    for (step, panel) in panels.clone().step_by(2).enumerate() {
        let two = 2.min(panels.end - panel);
        for first in (0..count).step_by(ROWS) {
            let rows = strips(ROWS.min(count - first));
            for (n, sums) in sums.0.iter_mut().enumerate() {
                let column = (panel + n) * NR;
                let bias = bias.get(column..).and_then(|bias| bias.first_chunk());
                sums[..rows].fill(bias.filter(|_| n < two).copied().unwrap_or_default());
            }
            let left = &tiles[first / amx::ROWS * steps * P..];
            amx::product::<P, true>(
                &mut amx::Sums { lines: sums.0.as_flattened_mut(), stride: ROWS },
                Side { tiles: left, stride: steps * P, step: P },
                weight.side(panel, 0),
                Size { strips: rows / amx::ROWS, panels: two, steps },
            );
            for sums in &mut sums.0 {
                gelu(sums[..rows].as_flattened_mut());
            }
            let [low, high] = sums.0.each_ref().map(|sums| sums.as_chunks().0);
            let out = out[first / amx::ROWS * steps_out * P..].chunks_mut(steps_out * P);
            for ((low, high), out) in low.iter().zip(high).take(rows / amx::ROWS).zip(out) {
                pack_left_pair::<P>(low, high, &mut out[step * P..]);
            }
        }
    }
    Tokens { cells: packed, count, width: panels.len() * NR }
}

/// [`Linear::add_part`] by tiles.
fn add_tiles<const P: usize>(
    weight: &Packed<P>,
    Tokens { cells, count, width }: Tokens<'_>,
    part: Range<usize>,
    sums: &mut [[f32; NR]],
) {
    let (steps, stride) = (amx::steps(width), strips(count));
    let left = Side { tiles: bytemuck::cast_slice(cells), stride: steps * P, step: P };
    let part = part.start / amx::DEPTH..part.end.div_ceil(amx::DEPTH);
    let _registers = amx::Tiles::new();
    for panel in (0..weight.count()).step_by(2) {
        let panels = 2.min(weight.count() - panel);
        let size = Size { strips: stride / amx::ROWS, panels, steps: part.len() };
        let sums = &mut amx::Sums { lines: &mut sums[panel * stride..], stride };
        amx::product::<P, true>(sums, left, weight.side(panel, part.start), size);
    }
}

/// `rows` rounded up to whole strips of tiles.
pub fn strips(rows: usize) -> usize {
    rows.next_multiple_of(amx::ROWS)
}

/// Scratch memory for [`Linear::pack`].
pub fn scratch(width: usize) -> Buffer {
    Buffer::any(BLOCK * width.next_multiple_of(amx::DEPTH))
}

fn pack_strips<'a, const P: usize>(x: &[f32], width: usize, scratch: &'a mut [f32]) -> &'a [f32] {
    let strip = amx::steps(width) * P * amx::Tile::VALUES;
    let count = (x.len() / width).div_ceil(amx::ROWS);
    let scratch = &mut scratch[..count * strip];
    for (strip, rows) in scratch.chunks_exact_mut(strip).zip(x.chunks(amx::ROWS * width)) {
        pack_left::<P>(rows, width, width, bytemuck::cast_slice_mut(strip));
    }
    scratch
}

/// Tokens packed for linear layers of one precision, by [`Linear::pack`].
#[derive(Clone, Copy, Debug)]
pub struct Tokens<'a> {
    /// Cells of the layer's kind of operand.
    cells: &'a [f32],
    count: usize,
    width: usize,
}

impl<'a> Tokens<'a> {
    fn rows<V: Operand>(self) -> Rows<'a, V> {
        let depth = self.width.div_ceil(V::DEPTH);
        Rows { cells: bytemuck::cast_slice(self.cells), count: self.count, depth }
    }
}

struct Biased<'a, P> {
    bias: &'a [f32],
    outputs: P,
    columns: usize,
}

impl<P: OutputEpilogue> Epilogue for Biased<'_, P> {
    #[inline(always)]
    fn start(&self, _row: usize, column: usize) -> [f32; NR] {
        std::array::from_fn(|j| self.bias[column + j])
    }

    #[inline(always)]
    fn finish<const FMA: bool>(&mut self, row: usize, column: usize, values: [f32; NR]) {
        if column + NR <= self.columns {
            self.outputs.take::<FMA>(row, column, &values);
        } else {
            self.outputs.take::<FMA>(row, column, &values[..self.columns - column]);
        }
    }
}

struct GeluPart<'a> {
    bias: &'a [f32],
    out: &'a mut [f32],
    first: usize,
    stride: usize,
}

impl Epilogue for GeluPart<'_> {
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
    stride: usize,
}

impl Epilogue for Sums<'_> {
    #[inline(always)]
    fn start(&self, row: usize, column: usize) -> [f32; NR] {
        self.sums[column / NR * self.stride + row]
    }

    #[inline(always)]
    fn finish<const FMA: bool>(&mut self, row: usize, column: usize, values: [f32; NR]) {
        self.sums[column / NR * self.stride + row] = values;
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
            outputs::{AddScaled, StoreGated, gated},
            testing::{assert_same, noise, signal_to_error_db, tensor, values},
        },
        *,
    };

    #[test]
    fn layers_match_the_twin_on_odd_shapes() {
        for (tokens, inputs, outputs) in [(1, 1, 1), (70, 9, 6), (48, 600, 16), (200, 33, 97)] {
            let (weight, bias) = (noise(inputs * outputs, 1), noise(outputs, 2));
            let x = noise(tokens * inputs, 3);
            let twin = linear_plain(
                &tensor(&x, &[tokens, inputs]),
                &tensor(&weight, &[outputs, inputs]),
                &tensor(&bias, &[outputs]),
            );
            let twin = values(&twin.unwrap());
            for (kind, decibels) in [
                (ProductKind::Single, 110.0..),
                (ProductKind::SplitTiles, 100.0..),
                (ProductKind::Pairs, 45.0..),
                (ProductKind::Tiles, 45.0..),
            ] {
                let mut out = vec![0.0; tokens * outputs];
                Linear::with_kind(kind, &weight, &bias).forward(&x, &mut out);
                let db = signal_to_error_db(&twin, &out);
                assert!(decibels.contains(&db), "{kind:?}, {tokens} {inputs} {outputs}: {db} dB");
            }
        }
    }

    #[test]
    fn epilogues_are_applied_to_the_outputs() {
        let (tokens, inputs, outputs) = (20, 7, 24);
        let (weight, bias) = (noise(inputs * outputs, 1), noise(outputs, 2));
        let (x, residual, scale) =
            (noise(tokens * inputs, 3), noise(tokens * outputs, 4), noise(outputs, 5));
        let linear = Linear::with_kind(ProductKind::Single, &weight, &bias);
        let mut plain = vec![0.0; tokens * outputs];
        linear.forward(&x, &mut plain);

        let mut scratch = super::scratch(inputs);
        let mut scaled = residual.clone();
        linear.each(
            linear.pack(&x, inputs, &mut scratch),
            AddScaled { x: &mut scaled, scale: &scale },
        );
        let expected: Vec<f32> =
            (0..plain.len()).map(|i| residual[i] + scale[i % outputs] * plain[i]).collect();
        assert_same(&expected, &scaled, "residual");

        // Through an identity layer.
        let one = |at: usize| if at / outputs == at % outputs { 1.0 } else { 0.0 };
        let same: Vec<f32> = (0..outputs * outputs).map(one).collect();
        let expected = gelu_plain(&tensor(&plain, &[plain.len()])).unwrap();
        for (kind, least) in [(ProductKind::Single, 110.0), (ProductKind::SplitTiles, 95.0)] {
            let linear = Linear::with_kind(kind, &weight, &bias);
            let identity = Linear::with_kind(kind, &same, &vec![0.0; outputs]);
            let mut scratches = [super::scratch(2 * NR), super::scratch(2 * NR)];
            let [hidden, packed] = &mut scratches;
            let gelus =
                linear.gelu_part(linear.pack(&x, inputs, &mut scratch), 0..2, hidden, packed);
            let mut got = vec![0.0; plain.len()];
            identity.each(gelus, StoreScaled { out: &mut got, width: outputs, scale: 1.0 });
            let db = signal_to_error_db(&values(&expected), &got);
            assert!(db > least, "{kind:?}: {db} dB");
        }
    }

    #[test]
    fn gates_are_paired_with_their_values() {
        let (tokens, inputs, width) = (9, 11, 21);
        let (weight, bias) = (noise(inputs * 2 * width, 1), noise(2 * width, 2));
        let x = noise(tokens * inputs, 3);
        let mut plain = vec![0.0; tokens * 2 * width];
        Linear::with_kind(ProductKind::Single, &weight, &bias).forward(&x, &mut plain);
        let mut expected = vec![0.0; tokens * width];
        super::super::elementwise::glu_rows(&plain, width, &mut expected);
        let (weight, bias) = gated(&weight, &bias);
        let linear = Linear::with_kind(ProductKind::Single, &weight, &bias);
        let mut got = vec![0.0; tokens * width];
        let mut scratch = super::scratch(inputs);
        let packed = linear.pack(&x, inputs, &mut scratch);
        linear.each(packed, StoreGated { out: &mut got, width });
        assert_same(&expected, &got, "gated");
    }

    #[test]
    fn a_product_in_parts_is_the_product() {
        let (tokens, inputs, outputs) = (13, 70, 40);
        let (weight, bias) = (noise(inputs * outputs, 1), noise(outputs, 2));
        let x = noise(tokens * inputs, 3);
        for kind in
            [ProductKind::Single, ProductKind::Pairs, ProductKind::Tiles, ProductKind::SplitTiles]
        {
            let linear = Linear::with_kind(kind, &weight, &bias);
            let mut whole = vec![0.0; tokens * outputs];
            linear.forward(&x, &mut whole);
            let stride = strips(tokens);
            let mut sums = vec![[0.0; NR]; linear.panels() * stride];
            linear.start(tokens, &mut sums);
            for part in [0..32, 32..70] {
                let own: Vec<f32> =
                    x.chunks(inputs).flat_map(|token| token[part.clone()].to_vec()).collect();
                let mut scratch = super::scratch(part.len());
                linear.add_part(linear.pack(&own, part.len(), &mut scratch), part, &mut sums);
            }
            let got: Vec<f32> = (0..tokens * outputs)
                .map(|at| sums[at % outputs / NR * stride + at / outputs][at % outputs % NR])
                .collect();
            assert_same(&whole, &got, "parts");
        }
    }
}
