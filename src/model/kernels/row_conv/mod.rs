//! Convolutions over rows: every output row is the product of a few neighbouring input rows,
//! unpacked, and packed weights.
//!
//! All convolutions of the time branch are of this form. The epilogue of a product (bias, GELU,
//! GLU, residual) is applied to its tiles while they are in registers. Runs on the calling thread;
//! callers share blocks of rows over threads.

mod winograd;

use std::array::from_fn;

use super::{
    layout::{MR, NR},
    math::{gelu_one, mad, sigmoid},
    pack::Panels,
    tile::lines_by_panel,
    vectorised::vectorised,
};
use winograd::{Form, Winograd};

/// Half a tile's columns: values and gates of a GLU.
const HALF: usize = NR / 2;

/// Number of weights that stay in the first-level cache beside the rows.
const CACHED: usize = 5 << 10;

/// Epilogue of a product: the operation on its sums before they are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum After {
    /// Store without an operation.
    Store,
    /// GELU.
    Gelu,
    /// Gated linear unit: half as many columns are written.
    Glu,
    /// Gated linear unit, added to the destination.
    AddGlu,
}

impl After {
    /// Columns written for `columns` of a product.
    fn outputs(self, columns: usize) -> usize {
        if self.gated() { columns / 2 } else { columns }
    }

    fn gated(self) -> bool {
        matches!(self, Self::Glu | Self::AddGlu)
    }

    /// The column of the product, of `columns`, that is packed at `at`; `None` for padding. The
    /// first half of every tile of a gated product are values, the second half their gates.
    fn column(self, columns: usize, at: usize) -> Option<usize> {
        if !self.gated() {
            return (at < columns).then_some(at);
        }
        let (tile, lane) = (at / NR, at % NR);
        let output = tile * HALF + lane % HALF;
        (output < columns / 2).then_some(output + lane / HALF * (columns / 2))
    }

    /// Number of packed columns.
    fn packed(self, columns: usize) -> usize {
        let outputs = self.outputs(columns);
        if self.gated() { outputs.div_ceil(HALF) * NR } else { outputs }
    }
}

/// The right-hand side of a product: weights and bias, packed in the order of its epilogue.
#[derive(Clone, Debug)]
pub struct Columns {
    panels: Panels,
    /// Start values of the tiles.
    bias: Vec<[f32; NR]>,
    after: After,
    /// Columns that are written.
    outputs: usize,
}

impl Columns {
    /// From `weight(k, column)` and a bias per column.
    pub fn new(
        depth: usize,
        bias: &[f32],
        after: After,
        weight: impl Fn(usize, usize) -> f32,
    ) -> Self {
        let columns = bias.len();
        let packed = after.packed(columns);
        let panels = Panels::new(depth, packed, |k, at| {
            after.column(columns, at).map_or(0.0, |column| weight(k, column))
        });
        let bias = (0..panels.count())
            .map(|p| from_fn(|j| after.column(columns, p * NR + j).map_or(0.0, |at| bias[at])))
            .collect();
        Self { panels, bias, after, outputs: after.outputs(columns) }
    }
}

/// Position of the left-hand side of a product. Row `n` consists of `taps` pieces of equal length;
/// piece
/// `t` starts at `n · step + t · gap`.
#[derive(Clone, Copy, Debug)]
pub struct Fields {
    /// Pieces of a row.
    pub taps: usize,
    /// Distance between pieces.
    pub gap: usize,
    /// Distance between rows.
    pub step: usize,
}

vectorised! {
    /// Computes the rows of `out: [rows, columns.outputs()]` from the fields at the beginning of
    /// `x`.
    ///
    /// # Panics
    /// The last field ends beyond `x`.
    pub fn multiply<FMA>(x: &[f32], fields: Fields, columns: &Columns, out: &mut [f32]) {
        let (outputs, depth) = (columns.outputs, columns.panels.depth());
        let rows = out.len() / outputs;
        let piece = depth / fields.taps;
        let span = (fields.taps - 1) * fields.gap + piece;
        // The number of panels that stay in the first-level cache.
        let group = (CACHED / (depth * NR)).max(1);
        for (index, biases) in columns.bias.chunks(group).enumerate() {
            for first in (0..rows).step_by(MR) {
                // The rows of a tile beyond the last one repeat it; they are computed, but not
                // written.
                let lines: [&[f32]; MR] =
                    from_fn(|i| &x[(first + i).min(rows - 1) * fields.step..][..span]);
                let count = MR.min(rows - first);
                let out = &mut out[first * outputs..][..count * outputs];
                for (tile, bias) in (index * group..).zip(biases) {
                    let mut sums = [*bias; MR];
                    let panel = columns.panels.panel(tile);
                    for (tap, panel) in panel.chunks_exact(piece).enumerate() {
                        let mut lines = lines;
                        for line in &mut lines {
                            *line = &line[tap * fields.gap..][..piece];
                        }
                        lines_by_panel::<FMA, MR>(&mut sums, lines, panel);
                    }
                    write::<FMA, MR>(&mut sums, count, columns.after, tile, outputs, out);
                }
            }
        }
    }
}

/// Finishes a tile and writes its first `rows` rows to `out: [rows, outputs]`.
#[inline(always)]
fn write<const FMA: bool, const M: usize>(
    sums: &mut [[f32; NR]; M],
    rows: usize,
    after: After,
    tile: usize,
    outputs: usize,
    out: &mut [f32],
) {
    if !after.gated() {
        if after == After::Gelu {
            for v in sums.as_flattened_mut() {
                *v = gelu_one::<FMA>(*v);
            }
        }
        let first = tile * NR;
        let width = NR.min(outputs - first);
        for (i, sums) in sums.iter().enumerate().take(rows) {
            put(sums, &mut out[i * outputs + first..][..width]);
        }
        return;
    }
    let first = tile * HALF;
    let width = HALF.min(outputs - first);
    let mut gates = [[0.0; HALF]; M];
    for (gates, sums) in gates.iter_mut().zip(&*sums) {
        gates.copy_from_slice(&sums[HALF..]);
    }
    for v in gates.as_flattened_mut() {
        *v = sigmoid::<FMA>(*v);
    }
    for (i, (sums, gates)) in sums.iter().zip(&mut gates).enumerate().take(rows) {
        let out = &mut out[i * outputs + first..][..width];
        if after == After::AddGlu {
            // The copy is nearly always a whole vector.
            if let Ok(out) = <&mut [f32; HALF]>::try_from(&mut *out) {
                for ((out, value), gate) in out.iter_mut().zip(sums).zip(gates) {
                    *out = mad::<FMA>(*value, *gate, *out);
                }
            } else {
                for ((out, value), gate) in out.iter_mut().zip(sums).zip(gates) {
                    *out = mad::<FMA>(*value, *gate, *out);
                }
            }
        } else {
            for (gate, value) in gates.iter_mut().zip(sums) {
                *gate *= value;
            }
            put(gates, out);
        }
    }
}

/// Writes the first of `values`; nearly always all of them, a vector or two.
#[inline(always)]
fn put<const N: usize>(values: &[f32; N], out: &mut [f32]) {
    if let Ok(out) = <&mut [f32; N]>::try_from(&mut *out) {
        *out = *values;
    } else {
        out.copy_from_slice(&values[..out.len()]);
    }
}

/// Width of rows and columns up to which a convolution is direct, because the transforms would cost
/// more than they save.
const NARROW: usize = 32;

/// A convolution: row `n` of the result depends on rows `n` to `n + taps` of the input.
#[derive(Clone, Debug)]
pub struct RowConv {
    width: usize,
    taps: usize,
    outputs: usize,
    algorithm: Algorithm,
}

#[derive(Clone, Debug)]
enum Algorithm {
    Direct(Columns),
    Winograd(Winograd),
}

/// Scratch memory for a block of rows.
#[derive(Debug, Default)]
pub struct Scratch(winograd::Scratch);

impl RowConv {
    /// For rows of `width`, from `weight(tap, input, column)` and a bias per column.
    pub fn new(
        [taps, width]: [usize; 2],
        bias: &[f32],
        after: After,
        weight: impl Fn(usize, usize, usize) -> f32,
    ) -> Self {
        let form = Form::for_taps(taps).filter(|_| width > NARROW && bias.len() > NARROW);
        let algorithm = if let Some(form) = form {
            Algorithm::Winograd(Winograd::new(form, width, bias, after, weight))
        } else {
            let weight = |k, column| weight(k / width, k % width, column);
            Algorithm::Direct(Columns::new(taps * width, bias, after, weight))
        };
        Self { width, taps, outputs: after.outputs(bias.len()), algorithm }
    }

    /// Values of a row of the result.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// Computes the rows of `out: [rows, outputs]` from `x`, which begins with the first row's
    /// first tap.
    ///
    /// # Panics
    /// `x` ends before the last row's last tap.
    pub fn rows(&self, x: &[f32], out: &mut [f32], scratch: &mut Scratch) {
        match &self.algorithm {
            Algorithm::Direct(columns) => {
                let fields = Fields { taps: 1, gap: 0, step: self.width };
                multiply(x, fields, columns, out);
            }
            Algorithm::Winograd(winograd) => {
                let rows = out.len() / self.outputs;
                winograd.rows(&x[..(rows + self.taps - 1) * self.width], out, &mut scratch.0);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::testing::{assert_same, noise},
        *,
    };

    /// The convolution by its definition.
    fn plain(
        [taps, width]: [usize; 2],
        weight: &[f32],
        bias: &[f32],
        after: After,
        x: &[f32],
        rows: usize,
    ) -> Vec<f32> {
        let columns = bias.len();
        let mut out = Vec::new();
        for row in 0..rows {
            let x = &x[row * width..][..taps * width];
            let sums: Vec<f64> = (0..columns)
                .map(|c| {
                    let pairs = x.iter().enumerate();
                    let sum: f64 = pairs.map(|(k, v)| f64::from(v * weight[k * columns + c])).sum();
                    sum + f64::from(bias[c])
                })
                .collect();
            let (values, gates) = sums.split_at(columns / 2);
            let gated = values.iter().zip(gates).map(|(v, g)| v / (1.0 + (-g).exp()));
            match after {
                After::Store => out.extend(sums.iter().map(|v| *v as f32)),
                After::Gelu => out.extend(sums.iter().map(|v| gelu_one::<false>(*v as f32))),
                After::Glu => out.extend(gated.map(|v| v as f32)),
                After::AddGlu => out.extend(gated.map(|v| v as f32 + 0.5)),
            }
        }
        out
    }

    #[test]
    fn every_form_matches_its_definition_on_odd_shapes() {
        for (taps, width, columns, rows) in [
            (1, 1, 2, 1),
            (1, 7, 34, 13),
            (1, 48, 96, 96),
            (2, 33, 70, 5),
            (2, 40, 36, 25),
            (3, 5, 6, 9),
            (3, 33, 70, 31),
            (3, 48, 96, 48),
            (3, 48, 96, 1),
            (4, 40, 40, 7),
        ] {
            let weight = noise(taps * width * columns, 1);
            let bias = noise(columns, 2);
            let x = noise((rows + taps - 1) * width, 3);
            for after in [After::Store, After::Gelu, After::Glu, After::AddGlu] {
                let at = |tap: usize, i: usize, c: usize| weight[(tap * width + i) * columns + c];
                let conv = RowConv::new([taps, width], &bias, after, at);
                let mut out = vec![0.5; rows * conv.outputs()];
                conv.rows(&x, &mut out, &mut Scratch::default());
                let expected = plain([taps, width], &weight, &bias, after, &x, rows);
                assert_same(&expected, &out, &format!("{taps} {width} {columns} {rows} {after:?}"));
            }
        }
    }
}
