//! Convolutions of the frequency branch: over frequencies with a stride, transposed, over channels
//! only, and with any kernel.
//!
//! In the layout of [`FreqMap`](super::FreqMap) the rows under a kernel are one matrix
//! `[taps · channels, frames]` in memory, so one row of output is one product. Taps outside the map
//! are skipped, not padded. A row that stays in the cache between two operations is kept as packed
//! panels, `[lines, channels][NR]` (see [`FreqPanels`](super::FreqPanels)).

mod direct;
mod pointwise;
mod strided;
mod transposed;

use candle_core::{Result, Tensor};

pub use direct::FreqConv;
pub use pointwise::GatedPointwise;
pub use strided::StridedConv;
pub use transposed::FreqConvTranspose;

/// Panels that are multiplied with one strip of weights before the next.
const GROUP: usize = 4;

/// Twin of [`FreqConv`]: `x: [1, in, freqs, frames]`, PyTorch's weight and bias.
pub fn conv_plain(
    x: &Tensor,
    weight: &Tensor,
    bias: &Tensor,
    stride: usize,
    padding: usize,
) -> Result<Tensor> {
    let (outputs, _, taps, time_taps) = weight.dims4()?;
    let side = time_taps / 2;
    let x = x.pad_with_zeros(2, padding, padding)?.pad_with_zeros(3, side, side)?;
    let dense = x.conv2d(weight, 0, 1, 1, 1)?;
    let rows = ((x.dim(2)? - taps) / stride + 1) as u32;
    let kept: Vec<u32> = (0..rows).map(|row| row * stride as u32).collect();
    let kept = Tensor::new(kept, x.device())?;
    dense.index_select(&kept, 2)?.broadcast_add(&bias.reshape((1, outputs, 1, 1))?)
}

/// A transposed convolution's weight for products that gather: for the group of `stride` outputs
/// that starts at input `g`, `[reach · in, stride · out]` over the inputs `g − reach + 1 ..= g`.
/// `reach` is the number of inputs on which an output depends. From PyTorch's `[in, out, taps]`.
pub(super) fn pack_transposed(weight: &[f32], shape: [usize; 3], stride: usize) -> Vec<f32> {
    let [inputs, outputs, taps] = shape;
    let reach = taps.div_ceil(stride);
    let mut packed = vec![0.0; reach * inputs * stride * outputs];
    let mut values = weight.iter();
    for i in 0..inputs {
        for o in 0..outputs {
            for (tap, value) in (0..taps).zip(values.by_ref()) {
                let (back, phase) = (tap / stride, tap % stride);
                let row = (reach - 1 - back) * inputs + i;
                packed[(row * stride + phase) * outputs + o] = *value;
            }
        }
    }
    packed
}

/// Twin of [`FreqConvTranspose`]: `x: [1, in, freqs, frames]`, weight `[in, out, taps]`.
pub fn conv_transpose_plain(
    x: &Tensor,
    weight: &Tensor,
    bias: &Tensor,
    stride: usize,
    trim: usize,
) -> Result<Tensor> {
    let columns = x.squeeze(0)?.permute((2, 0, 1))?.contiguous()?;
    // One column at a time: candle 0.11.1 mixes up all but the first of a batch.
    let columns: Vec<Tensor> = (0..columns.dim(0)?)
        .map(|column| columns.narrow(0, column, 1)?.conv_transpose1d(weight, 0, 0, stride, 1, 1))
        .collect::<Result<_>>()?;
    let whole = Tensor::cat(&columns, 0)?;
    let kept = whole.narrow(2, trim, whole.dim(2)? - 2 * trim)?;
    let kept = kept.broadcast_add(&bias.reshape((1, (), 1))?)?;
    kept.permute((1, 2, 0))?.unsqueeze(0)?.contiguous()
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            elementwise::{gelu, gelu_plain, glu_plain},
            maps::{FreqMap, FreqPanels, Lines},
            testing::{assert_same, noise, tensor, values},
        },
        *,
    };

    #[test]
    fn convolutions_match_their_twin_on_odd_shapes() {
        // [out, in, taps, time taps], stride, padding, freqs, frames
        let cases = [
            ([5, 3, 8, 1], 4, 2, 16, 7),
            ([2, 1, 4, 1], 2, 1, 6, 1),
            ([6, 4, 3, 3], 1, 1, 5, 9),
            ([4, 3, 3, 3], 1, 1, 1, 2),
            ([7, 2, 5, 5], 1, 2, 4, 3),
            ([3, 5, 1, 1], 1, 0, 3, 11),
        ];
        for (shape, stride, padding, freqs, frames) in cases {
            let [outputs, inputs, ..] = shape;
            let weight = noise(shape.iter().product(), 1);
            let bias = noise(outputs, 2);
            let x = FreqMap::noise(freqs, inputs, frames, 3);
            let conv = FreqConv::new(&weight, shape, bias.clone(), stride, padding);
            let twin = conv_plain(
                &x.to_tensor(),
                &tensor(&weight, &shape),
                &tensor(&bias, &[outputs]),
                stride,
                padding,
            );
            let got = conv.forward(&x).to_tensor();
            assert_eq!(got.dims(), twin.as_ref().unwrap().dims());
            assert_same(&values(&twin.unwrap()), &values(&got), &format!("{shape:?}"));
        }
    }

    #[test]
    fn strided_convolutions_match_their_twin_on_odd_shapes() {
        // [out, in, taps], stride, padding, freqs, frames
        for (shape, stride, padding, freqs, frames) in [
            ([5, 3, 8], 4, 2, 16, 7),
            ([2, 1, 4], 2, 1, 6, 1),
            ([13, 2, 8], 4, 2, 8, 85),
            ([6, 4, 9], 3, 4, 7, 16),
        ] {
            let [outputs, inputs, taps] = shape;
            let weight = noise(shape.iter().product(), 1);
            let bias = noise(outputs, 2);
            let x = FreqMap::noise(freqs, inputs, frames, 3);
            let conv = StridedConv::new(&weight, shape, &bias, stride, padding);
            let weight = tensor(&weight, &[outputs, inputs, taps, 1]);
            let bias = tensor(&bias, &[outputs]);
            let plain = conv_plain(&x.to_tensor(), &weight, &bias, stride, padding).unwrap();
            for activate in [false, true] {
                let mut got = FreqPanels::any(conv.freqs_out(freqs), outputs, frames);
                let row_len = got.row_len();
                for (freq, row) in got.data.chunks_exact_mut(row_len).enumerate() {
                    conv.row(&x, freq, activate, row, &mut Lines::default());
                }
                let twin = if activate { gelu_plain(&plain).unwrap() } else { plain.clone() };
                let got = got.to_map().to_tensor();
                assert_eq!(got.dims(), twin.dims());
                assert_same(&values(&twin), &values(&got), &format!("{shape:?}"));
            }
        }
    }

    #[test]
    fn gated_pointwise_convolutions_match_their_twin_on_odd_shapes() {
        for (inputs, outputs, freqs, frames) in [(3, 5, 2, 7), (1, 1, 1, 1), (16, 7, 3, 100)] {
            let shape = [2 * outputs, inputs, 1, 1];
            let weight = noise(2 * outputs * inputs, 1);
            let bias = noise(2 * outputs, 2);
            let x = FreqMap::noise(freqs, inputs, frames, 3);
            let conv = GatedPointwise::new(&weight, inputs, &bias);
            let (weight, bias) = (tensor(&weight, &shape), tensor(&bias, &[2 * outputs]));
            let twin = conv_plain(&x.to_tensor(), &weight, &bias, 1, 0).unwrap();
            let twin = glu_plain(&twin, 1).unwrap();
            let panels = FreqPanels::from_map(&x);
            let mut got = FreqMap::any(freqs, conv.outputs(), frames);
            let row_len = got.row_len();
            let rows = got.data.chunks_exact_mut(row_len);
            for (row, x) in rows.zip(panels.data.chunks_exact(panels.row_len())) {
                conv.row(x, frames, row);
            }
            assert_same(&values(&twin), &values(&got.to_tensor()), &format!("{shape:?}"));
        }
    }

    #[test]
    fn transposed_convolutions_match_their_twin_on_odd_shapes() {
        // [in, out, taps], stride, trim, freqs, frames
        let cases = [
            ([3, 5, 8], 4, 2, 4, 7),
            ([2, 3, 8], 4, 2, 1, 3),
            ([4, 1, 4], 2, 1, 5, 2),
            ([2, 3, 7], 3, 2, 4, 5),
            ([3, 2, 4], 4, 0, 3, 1),
        ];
        for (shape, stride, trim, freqs, frames) in cases {
            let [inputs, outputs, _] = shape;
            let weight = noise(shape.iter().product(), 1);
            let bias = noise(outputs, 2);
            let x = FreqMap::noise(freqs, inputs, frames, 3);
            let conv = FreqConvTranspose::new(&weight, shape, &bias, stride);
            let panels = FreqPanels::from_map(&x);
            let got = conv.forward(&panels, trim, false).to_tensor();
            let mut smooth = values(&got);
            gelu(&mut smooth);
            let activated = conv.forward(&panels, trim, true).to_tensor();
            assert_eq!(smooth, values(&activated));
            let (weight, bias) = (tensor(&weight, &shape), tensor(&bias, &[outputs]));
            let twin = conv_transpose_plain(&x.to_tensor(), &weight, &bias, stride, trim).unwrap();
            assert_eq!(got.dims(), twin.dims());
            assert_same(&values(&twin), &values(&got), &format!("{shape:?}"));
        }
    }
}
