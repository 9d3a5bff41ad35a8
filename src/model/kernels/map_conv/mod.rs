//! Convolutions of maps without a bias: 1×1, 2×2 with a stride of two, and its transpose. The input
//! may be several maps, and may be activated while it is read.
//!
//! The threads of the caller's pool share rows. Short rows are combined into one task, so that
//! weights are used for several panels.

mod down;
mod head;
mod pointwise;
mod up;

pub use down::DownConv;
pub use head::Head;
pub use pointwise::Pointwise;
pub use up::UpConv;

use super::{
    dense::{GROUP, Sink},
    layout::{MR, NR, Tile},
    pack::save,
};

/// Rows of a task: enough for [`GROUP`] panels.
fn task_rows(frames: usize) -> usize {
    GROUP.div_ceil(frames.div_ceil(NR))
}

/// Rows `[channels, frames]` of a map, as the destination of a product.
struct Rows<'a> {
    out: &'a mut [f32],
    channels: usize,
    frames: usize,
    lines: usize,
}

impl Sink for Rows<'_> {
    #[inline(always)]
    fn take<const FMA: bool>(&mut self, index: usize, channel: usize, tile: &Tile<MR>) {
        let (row, line) = (index / self.lines, index % self.lines);
        let at = (row * self.channels + channel) * self.frames;
        let count = MR.min(self.channels - channel);
        let to = self.out[at..][..count * self.frames].chunks_exact_mut(self.frames);
        for (to, values) in to.zip(tile) {
            save(values, to, line * NR);
        }
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Tensor;

    use super::{
        super::{
            activation::{Activation, activate_plain, channel_moments},
            elementwise::gelu_plain,
            freq_conv::conv_plain,
            maps::FreqMap,
            norm::Affine,
            testing::{assert_same, noise, tensor, values},
        },
        *,
    };

    fn norm_of(x: &FreqMap) -> (Affine, Activation) {
        let affine = Affine { weight: noise(x.channels, 5), bias: noise(x.channels, 6) };
        let activation = Activation::new(&affine, channel_moments(x));
        (affine, activation)
    }

    fn pointwise_plain(x: &Tensor, weight: &[f32], outputs: usize) -> Tensor {
        let weight = tensor(weight, &[outputs, weight.len() / outputs, 1, 1]);
        conv_plain(x, &weight, &tensor(&vec![0.0; outputs], &[outputs]), 1, 0).unwrap()
    }

    #[test]
    fn pointwise_convolutions_match_their_twin_on_odd_shapes() {
        for (inputs, outputs, freqs, frames) in [(1, 1, 1, 1), (5, 7, 9, 3), (16, 13, 3, 100)] {
            let weight = noise(outputs * (inputs + 2), 1);
            let conv = Pointwise::new(&weight, [outputs, inputs + 2]);
            let x = FreqMap::noise(freqs, inputs, frames, 2);
            let y = FreqMap::noise(freqs, 2, frames, 3);
            let both = Tensor::cat(&[x.to_tensor(), y.to_tensor()], 1).unwrap();
            let twin = pointwise_plain(&both, &weight, outputs);
            let got = conv.forward(&[&x, &y]).to_tensor();
            assert_eq!(got.dims(), twin.dims());
            assert_same(&values(&twin), &values(&got), &format!("{inputs} to {outputs}"));
        }
    }

    #[test]
    fn convolutions_between_scales_match_their_twin_on_odd_shapes() {
        for (inputs, outputs, freqs, frames) in [(1, 1, 1, 1), (5, 7, 3, 3), (8, 13, 5, 50)] {
            let weight = noise(outputs * inputs * 4, 1);
            let what = format!("{inputs} to {outputs}, {freqs} by {frames}");

            let x = FreqMap::noise(2 * freqs, inputs, 2 * frames, 2);
            let (affine, activation) = norm_of(&x);
            let taps = tensor(&weight, &[outputs, inputs, 2, 2]).transpose(2, 3).unwrap();
            let twin = activate_plain(&x.to_tensor(), &affine).unwrap();
            let twin = twin.conv2d(&taps.contiguous().unwrap(), 0, 2, 1, 1).unwrap();
            let got = DownConv::new(&weight, [outputs, inputs]).forward(&x, &activation);
            assert_eq!(got.to_tensor().dims(), twin.dims());
            assert_same(&values(&twin), &values(&got.to_tensor()), &what);

            let x = FreqMap::noise(freqs, inputs, frames, 3);
            let (affine, activation) = norm_of(&x);
            let x_plain = activate_plain(&x.to_tensor(), &affine).unwrap();
            let taps = tensor(&weight, &[inputs, outputs, 2, 2]).transpose(2, 3).unwrap();
            let taps = taps.contiguous().unwrap();
            let twin = x_plain.conv_transpose2d(&taps, 0, 0, 2, 1).unwrap();
            let got = UpConv::new(&weight, [inputs, outputs]).forward(&x, &activation);
            // A map of one position has no variance.
            if freqs * frames > 1 {
                assert_eq!(got.to_tensor().dims(), twin.dims());
                assert_same(&values(&twin), &values(&got.to_tensor()), &what);
            }
        }
    }

    #[test]
    fn heads_match_their_twin_on_odd_shapes() {
        for (spectrum, channels, outputs, freqs, frames) in [(2, 3, 5, 7, 9), (16, 20, 32, 3, 70)] {
            let (first, hidden, last) = (
                noise(channels * spectrum, 1),
                noise(channels * (channels + spectrum), 2),
                noise(outputs * channels, 3),
            );
            let head = Head::new(
                &Pointwise::new(&first, [channels, spectrum]),
                &Pointwise::new(&hidden, [channels, channels + spectrum]),
                &Pointwise::new(&last, [outputs, channels]),
            );
            let input = FreqMap::noise(freqs, spectrum, frames, 4);
            let x = FreqMap::noise(freqs, channels, frames, 5);
            let gate = pointwise_plain(&input.to_tensor(), &first, channels);
            let gated = (x.to_tensor() * gate).unwrap();
            let both = Tensor::cat(&[input.to_tensor(), gated], 1).unwrap();
            let twin = gelu_plain(&pointwise_plain(&both, &hidden, channels)).unwrap();
            let twin = pointwise_plain(&twin, &last, outputs);
            let got = head.forward(&input, &x).to_tensor();
            assert_same(&values(&twin), &values(&got), &format!("{channels} channels"));
        }
    }
}
