//! Two linear layers along frequencies, each after a norm and a GELU, added to their input.
//!
//! Each channel is a separate task: it is copied from the map, passes both layers while it is in the
//! cache, and is written back. Runs on the rayon pool of the caller.

use candle_core::{Result, Tensor};
use rayon::prelude::*;

use super::{
    activation::{activate, activate_plain},
    dense::{Columns, Sink, multiply},
    layout::{MR, NR, Tile},
    maps::{FreqMap, Lines},
    norm::{Affine, Moments, fold},
    pack::{Strips, save},
};
use crate::model::arena::Buffer;

/// `x + expand(gelu(norm(shrink(gelu(norm(x))))))`, channel by channel.
#[derive(Clone, Debug)]
pub struct FreqBottleneck {
    norm_in: Affine,
    shrink: Strips,
    norm_hidden: Affine,
    expand: Strips,
}

impl FreqBottleneck {
    /// From PyTorch's weights `[hidden, freqs]` and `[freqs, hidden]`, and the norms before them.
    pub fn new(
        norm_in: Affine,
        shrink: &[f32],
        norm_hidden: Affine,
        expand: &[f32],
        [freqs, hidden]: [usize; 2],
    ) -> Self {
        let shrink = Strips::new(hidden, freqs, |row, k| shrink[row * freqs + k]);
        let expand = Strips::new(freqs, hidden, |row, k| expand[row * hidden + k]);
        Self { norm_in, shrink, norm_hidden, expand }
    }

    /// Replaces `x` by the result; returns the moments of its channels.
    pub fn apply(&self, x: &mut FreqMap) -> Vec<Moments> {
        let (channels, frames) = (x.channels, x.frames);
        let mut lines: Vec<Vec<&mut [f32]>> = Vec::new();
        lines.resize_with(channels, || Vec::with_capacity(x.freqs));
        for (index, line) in x.data.chunks_exact_mut(frames).enumerate() {
            lines[index % channels].push(line);
        }
        lines
            .par_iter_mut()
            .enumerate()
            .map_init(
                || Scratch::new(self.expand.rows(), self.shrink.rows(), frames),
                |scratch, (channel, lines)| self.channel(channel, lines, frames, scratch),
            )
            .collect()
    }

    fn channel(
        &self,
        channel: usize,
        lines: &mut [&mut [f32]],
        frames: usize,
        scratch: &mut Scratch,
    ) -> Moments {
        let Scratch { values, hidden, packed } = scratch;
        for (to, line) in values.chunks_exact_mut(frames).zip(&*lines) {
            to.copy_from_slice(line);
        }
        let panels = 0..frames.div_ceil(NR);
        let columns = Activated::new(values, frames, &self.norm_in, channel);
        let sink = &mut Store { out: hidden, frames };
        multiply(&self.shrink, panels.clone(), &columns, packed, sink);
        let columns = Activated::new(hidden, frames, &self.norm_hidden, channel);
        multiply(&self.expand, panels, &columns, packed, &mut Add { out: values, frames });
        for (line, from) in lines.iter_mut().zip(values.chunks_exact(frames)) {
            line.copy_from_slice(from);
        }
        Moments::from_slice(values)
    }
}

/// A thread's memory for a channel.
struct Scratch {
    /// `[freqs, frames]`.
    values: Buffer,
    /// `[hidden, frames]`.
    hidden: Buffer,
    packed: Lines,
}

impl Scratch {
    fn new(freqs: usize, hidden: usize, frames: usize) -> Self {
        Self {
            values: Buffer::any(freqs * frames),
            hidden: Buffer::any(hidden * frames),
            packed: Lines::default(),
        }
    }
}

/// The activation of one channel, `[depth, frames]`.
struct Activated<'a> {
    values: &'a [f32],
    frames: usize,
    factor: f32,
    addend: f32,
}

impl<'a> Activated<'a> {
    fn new(values: &'a [f32], frames: usize, norm: &Affine, channel: usize) -> Self {
        let moments = Moments::from_slice(values);
        let (factor, addend) = fold(norm.weight[channel], norm.bias[channel], moments);
        Self { values, frames, factor, addend }
    }
}

impl Columns for Activated<'_> {
    #[inline(always)]
    fn pack<const FMA: bool>(&self, index: usize, packed: &mut [[f32; NR]]) {
        for (line, to) in self.values.chunks_exact(self.frames).zip(packed) {
            let line = &line[index * NR..];
            if let Some(line) = line.first_chunk::<NR>() {
                activate::<FMA>(line, self.factor, self.addend, to);
            } else {
                *to = [0.0; NR];
                activate::<FMA>(line, self.factor, self.addend, to);
            }
        }
    }
}

/// Lines `[rows, frames]`, overwritten.
struct Store<'a> {
    out: &'a mut [f32],
    frames: usize,
}

impl Sink for Store<'_> {
    #[inline(always)]
    fn take<const FMA: bool>(&mut self, index: usize, row: usize, tile: &Tile<MR>) {
        let lines = self.out[row * self.frames..].chunks_exact_mut(self.frames);
        for (line, values) in lines.zip(tile) {
            save(values, line, index * NR);
        }
    }
}

/// Lines `[rows, frames]`, added to.
struct Add<'a> {
    out: &'a mut [f32],
    frames: usize,
}

impl Sink for Add<'_> {
    #[inline(always)]
    fn take<const FMA: bool>(&mut self, index: usize, row: usize, tile: &Tile<MR>) {
        let lines = self.out[row * self.frames..].chunks_exact_mut(self.frames);
        for (line, values) in lines.zip(tile) {
            for (to, value) in line[index * NR..].iter_mut().zip(values) {
                *to += value;
            }
        }
    }
}

/// Twin of [`FreqBottleneck`]: `x: [1, channels, freqs, frames]`, PyTorch's weights.
pub fn freq_bottleneck_plain(
    x: &Tensor,
    norms: [&Affine; 2],
    shrink: &Tensor,
    expand: &Tensor,
) -> Result<Tensor> {
    let linear =
        |x: &Tensor, weight: &Tensor| weight.broadcast_matmul(&x.squeeze(0)?)?.unsqueeze(0);
    let hidden = linear(&activate_plain(x, norms[0])?, shrink)?;
    x + linear(&activate_plain(&hidden, norms[1])?, expand)?
}

#[cfg(test)]
mod tests {
    use super::{
        super::activation::channel_moments,
        super::testing::{assert_same, noise, tensor, values},
        *,
    };

    #[test]
    fn bottlenecks_match_their_twin_on_odd_shapes() {
        for (freqs, hidden, channels, frames) in [(4, 1, 3, 5), (20, 7, 5, 16), (96, 24, 4, 100)] {
            let affine =
                |seed| Affine { weight: noise(channels, seed), bias: noise(channels, seed + 1) };
            let (shrink, expand) = (noise(hidden * freqs, 5), noise(freqs * hidden, 6));
            let bottleneck =
                FreqBottleneck::new(affine(1), &shrink, affine(3), &expand, [freqs, hidden]);
            let mut x = FreqMap::noise(freqs, channels, frames, 7);
            let (shrink, expand) =
                (tensor(&shrink, &[hidden, freqs]), tensor(&expand, &[freqs, hidden]));
            let norms = [&affine(1), &affine(3)];
            let twin = freq_bottleneck_plain(&x.to_tensor(), norms, &shrink, &expand).unwrap();
            let moments = bottleneck.apply(&mut x);
            assert_same(&values(&twin), &values(&x.to_tensor()), &format!("{freqs} to {hidden}"));
            for (moments, own) in moments.iter().zip(channel_moments(&x)) {
                assert!((moments.mean - own.mean).abs() < 1e-5);
                assert!((moments.deviation / own.deviation - 1.0).abs() < 1e-4);
            }
        }
    }
}
