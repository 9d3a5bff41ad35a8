//! Group and layer normalisation, with one pass for the statistics and one for the affine part.

use candle_core::{D, Result, Tensor};
use rayon::prelude::*;

use super::{math::mad, vectorised::vectorised};

/// Addend of every variance, PyTorch's default.
const EPSILON: f64 = 1e-5;
/// Values per rayon task.
pub(super) const BLOCK: usize = 1 << 15;

/// Values of a row that are processed at a time.
pub(super) const LANES: usize = 8;

/// Mean and squared deviation of a set of values.
///
/// Deviations are taken from each block's own mean, and blocks are combined by the rule of Chan,
/// Golub and `LeVeque` (1983), so that a small variance on a large mean is kept: near silence, rows
/// are a constant and very little noise.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Moments {
    /// Number of values.
    pub count: usize,
    /// Mean of the values.
    pub mean: f64,
    /// Sum of the squared distances from the mean.
    pub deviation: f64,
}

impl Moments {
    /// Moments of a slice.
    pub fn from_slice(x: &[f32]) -> Self {
        moments(x)
    }

    /// Moments of a slice, blocks in parallel.
    pub fn from_slice_parallel(x: &[f32]) -> Self {
        x.par_chunks(BLOCK).map(Self::from_slice).reduce(Self::default, Self::and)
    }

    /// Moments of the first `width` values of rows of `stride`, a multiple of [`LANES`]; the others
    /// are zeros.
    pub(super) fn from_rows(x: &[f32], stride: usize, width: usize) -> Self {
        row_moments(x, stride, width)
    }

    /// Moments of both sets together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        if self.count == 0 || other.count == 0 {
            return if self.count == 0 { other } else { self };
        }
        let count = self.count + other.count;
        let (apart, share) = (other.mean - self.mean, other.count as f64 / count as f64);
        Self {
            count,
            mean: self.mean + apart * share,
            deviation: self.deviation + other.deviation + apart * apart * share * self.count as f64,
        }
    }

    /// Standard deviation with Bessel's correction, like `torch.std`.
    pub fn std_unbiased(self) -> f64 {
        (self.deviation / (self.count.max(2) - 1) as f64).sqrt()
    }

    /// Factor of a normalisation: `1 / √(variance + ε)`.
    pub(super) fn rate(self) -> f64 {
        1.0 / (self.deviation / self.count.max(1) as f64 + EPSILON).sqrt()
    }
}

/// Sum of `f(v)` over a block of a few thousand values, in lanes.
#[inline(always)]
pub(super) fn sum_of(x: &[f32], f: impl Fn(f32, f32) -> f32) -> f64 {
    const LANES: usize = 32;
    let mut lanes = [0.0_f32; LANES];
    let whole = x.chunks_exact(LANES);
    let mut rest = 0.0;
    for v in whole.remainder() {
        rest = f(*v, rest);
    }
    for v in whole {
        for (lane, v) in lanes.iter_mut().zip(v) {
            *lane = f(*v, *lane);
        }
    }
    lanes.iter().map(|v| f64::from(*v)).sum::<f64>() + f64::from(rest)
}

vectorised! {
    fn moments<FMA>(x: &[f32]) -> Moments {
        let mut all = Moments::default();
        for x in x.chunks(2048) {
            let mean = sum_of(x, |v, sum| v + sum) / x.len() as f64;
            let centre = mean as f32;
            let deviation = sum_of(x, |v, sum| mad::<FMA>(v - centre, v - centre, sum));
            all = all.and(Moments { count: x.len(), mean, deviation });
        }
        all
    }
}

vectorised! {
    fn row_moments<FMA>(x: &[f32], stride: usize, width: usize) -> Moments {
        let count = x.len() / stride * width;
        if count == 0 {
            return Moments::default();
        }
        let mean = sum_of(x, |v, sum| v + sum) / count as f64;
        let centre = mean as f32;
        // The last lanes of a row are separate: some of them are padding.
        let (mut lanes, mut last) = ([0.0_f32; LANES], [0.0_f32; LANES]);
        for row in x.chunks_exact(stride) {
            let (whole, part) = row.split_at(width / LANES * LANES);
            for v in whole.as_chunks::<LANES>().0 {
                for (lane, v) in lanes.iter_mut().zip(v) {
                    *lane = mad::<FMA>(v - centre, v - centre, *lane);
                }
            }
            for v in part.as_chunks::<LANES>().0 {
                for (lane, v) in last.iter_mut().zip(v) {
                    *lane = mad::<FMA>(v - centre, v - centre, *lane);
                }
            }
        }
        let all = lanes.iter().chain(&last[..width % LANES]);
        Moments { count, mean, deviation: all.map(|v| f64::from(*v)).sum() }
    }
}

/// The learnt part of a normalisation: a weight and a bias per channel.
#[derive(Clone, Debug)]
pub struct Affine {
    /// Factor of each channel.
    pub weight: Vec<f32>,
    /// Addend of each channel.
    pub bias: Vec<f32>,
}

impl Affine {
    /// Factor and addend of each channel that normalise by `moments` and apply the affine part.
    pub(super) fn fold(&self, moments: Moments) -> (Vec<f32>, Vec<f32>) {
        let pairs = self.weight.iter().zip(&self.bias);
        let pairs = pairs.map(|(weight, bias)| fold(*weight, *bias, moments));
        pairs.unzip()
    }
}

/// Factor and addend of one channel that normalise by `moments` and apply the affine part.
#[inline(always)]
pub(super) fn fold(weight: f32, bias: f32, moments: Moments) -> (f32, f32) {
    let factor = moments.rate() * f64::from(weight);
    (factor as f32, (f64::from(bias) - moments.mean * factor) as f32)
}

vectorised! {
    /// `x = factor · x + addend` for rows of `factor.len()`.
    fn affine_rows<FMA>(x: &mut [f32], factor: &[f32], addend: &[f32]) {
        for x in x.chunks_exact_mut(factor.len()) {
            for ((x, factor), addend) in x.iter_mut().zip(factor).zip(addend) {
                *x = mad::<FMA>(*x, *factor, *addend);
            }
        }
    }
}

/// Lower limit of the norms by which [`rms_norm`] divides, as in `torch.nn.functional.normalize`.
const LEAST_NORM: f64 = 1e-12;

vectorised! {
    /// Divides rows of `width` values by their Euclidean norms, and multiplies them by `√width`:
    /// root-mean-square normalisation (Zhang and Sennrich 2019, arXiv 1910.07467) without its learnt
    /// factors.
    pub fn rms_norm<FMA>(x: &[f32], width: usize, out: &mut [f32]) {
        for (x, out) in x.chunks_exact(width).zip(out.chunks_exact_mut(width)) {
            let factor = rms_factor::<FMA>(x);
            for (out, x) in out.iter_mut().zip(x) {
                *out = x * factor;
            }
        }
    }
}

vectorised! {
    /// [`rms_norm`] in place, with a factor for each feature.
    pub fn rms_norm_by<FMA>(x: &mut [f32], gamma: &[f32]) {
        for x in x.chunks_exact_mut(gamma.len()) {
            let factor = rms_factor::<FMA>(x);
            for (x, gamma) in x.iter_mut().zip(gamma) {
                *x *= factor * gamma;
            }
        }
    }
}

/// The factor by which [`rms_norm`] multiplies a row.
#[inline(always)]
fn rms_factor<const FMA: bool>(x: &[f32]) -> f32 {
    let norm = sum_of(x, |v, sum| mad::<FMA>(v, v, sum)).sqrt();
    let norm = if norm > LEAST_NORM { norm } else { LEAST_NORM };
    ((x.len() as f64).sqrt() / norm) as f32
}

/// Group normalisation of `x: [outer, channels, inner]` in place, each group over all of `outer`
/// and `inner` and its share of the channels: `[freqs, channels, frames]` of the frequency branch,
/// `[frames, channels, 1]` of the time branch, `[tokens, channels, 1]` of the transformer.
pub fn group_norm(x: &mut [f32], inner: usize, groups: usize, affine: &Affine) {
    let channels = affine.weight.len();
    let row = channels * inner;
    let rows_per_task = (BLOCK / row).max(1);
    let share = channels / groups;
    let (mut factor, mut addend) = (Vec::new(), Vec::new());
    for group in 0..groups {
        let part = group * share * inner..(group + 1) * share * inner;
        let moments = x
            .par_chunks(row)
            .map(|row| Moments::from_slice(&row[part.clone()]))
            .reduce(Moments::default, Moments::and);
        let (f, a) = affine.fold(moments);
        factor.extend_from_slice(&f[group * share..(group + 1) * share]);
        addend.extend_from_slice(&a[group * share..(group + 1) * share]);
    }
    apply(x, inner, &factor, &addend, rows_per_task);
}

/// Group normalisation with one group of `x: [tokens, channels]`, whose moments are known.
pub fn group_norm_with_moments(x: &mut [f32], moments: Moments, affine: &Affine) {
    let (factor, addend) = affine.fold(moments);
    apply(x, 1, &factor, &addend, (BLOCK / factor.len()).max(1));
}

/// Applies a folded normalisation to `x: [outer, channels, inner]`.
fn apply(x: &mut [f32], inner: usize, factor: &[f32], addend: &[f32], rows_per_task: usize) {
    let spread = |values: &[f32]| -> Vec<f32> {
        values.iter().flat_map(|v| std::iter::repeat_n(*v, inner)).collect()
    };
    let (factor, addend) = (spread(factor), spread(addend));
    x.par_chunks_mut(rows_per_task * factor.len())
        .for_each(|block| affine_rows(block, &factor, &addend));
}

/// Twin of [`group_norm`], on `[batch, channels, …]`.
pub fn group_norm_plain(x: &Tensor, groups: usize, affine: &Affine) -> Result<Tensor> {
    let shape = x.dims().to_vec();
    let grouped = x.reshape((shape[0], groups, ()))?;
    let mean = grouped.mean_keepdim(D::Minus1)?;
    let centred = grouped.broadcast_sub(&mean)?;
    let variance = centred.sqr()?.mean_keepdim(D::Minus1)?;
    let normal = centred.broadcast_div(&(variance + EPSILON)?.sqrt()?)?.reshape(shape.clone())?;
    let mut per_channel = vec![1; shape.len()];
    per_channel[1] = shape[1];
    let weight = Tensor::new(affine.weight.as_slice(), x.device())?.reshape(per_channel.clone())?;
    let bias = Tensor::new(affine.bias.as_slice(), x.device())?.reshape(per_channel)?;
    normal.broadcast_mul(&weight)?.broadcast_add(&bias)
}

vectorised! {
    fn layer_norm_rows<FMA>(x: &[f32], weight: &[f32], bias: &[f32], out: &mut [f32]) {
        let n = weight.len();
        for (x, out) in x.chunks_exact(n).zip(out.chunks_exact_mut(n)) {
            let moments = Moments::from_slice(x);
            let (mean, rate) = (moments.mean as f32, moments.rate() as f32);
            for (((out, x), weight), bias) in out.iter_mut().zip(x).zip(weight).zip(bias) {
                *out = mad::<FMA>((*x - mean) * rate, *weight, *bias);
            }
        }
    }
}

/// Layer normalisation of every token: `x` and `out` are `[tokens, channels]`. Runs on the calling
/// thread.
pub fn layer_norm(x: &[f32], affine: &Affine, out: &mut [f32]) {
    layer_norm_rows(x, &affine.weight, &affine.bias, out);
}

/// Twin of [`layer_norm`].
pub fn layer_norm_plain(x: &Tensor, affine: &Affine) -> Result<Tensor> {
    let weight = Tensor::new(affine.weight.as_slice(), x.device())?;
    let bias = Tensor::new(affine.bias.as_slice(), x.device())?;
    candle_nn::ops::layer_norm_slow(x, &weight, &bias, EPSILON as f32)
}

#[cfg(test)]
mod tests {
    use super::{
        super::testing::{assert_same, noise, tensor, values},
        *,
    };

    fn affine(channels: usize) -> Affine {
        Affine { weight: noise(channels, 1), bias: noise(channels, 2) }
    }

    #[test]
    fn group_norms_match_their_twin() {
        for (outer, channels, inner, groups) in
            [(1, 4, 1, 2), (7, 6, 5, 3), (33, 8, 1, 1), (5, 4, 700, 4), (900, 12, 1, 2)]
        {
            let affine = affine(channels);
            let mut x = noise(outer * channels * inner, 3);
            let batch = tensor(&x, &[outer, channels, inner]).transpose(0, 1).unwrap();
            let batch = batch.unsqueeze(0).unwrap().contiguous().unwrap();
            let twin = group_norm_plain(&batch, groups, &affine).unwrap();
            let twin = twin.squeeze(0).unwrap().transpose(0, 1).unwrap().contiguous().unwrap();
            group_norm(&mut x, inner, groups, &affine);
            assert_same(&values(&twin), &x, &format!("{outer} {channels} {inner}"));
        }
    }

    #[test]
    fn layer_norms_match_their_twin() {
        for (tokens, channels) in [(1, 4), (7, 36), (2000, 33)] {
            let affine = affine(channels);
            let x = noise(tokens * channels, 4);
            let twin = layer_norm_plain(&tensor(&x, &[tokens, channels]), &affine).unwrap();
            let mut out = vec![0.0; x.len()];
            layer_norm(&x, &affine, &mut out);
            assert_same(&values(&twin), &out, &format!("{tokens} tokens"));
        }
    }

    #[test]
    fn moments_of_rows_leave_the_padding_out() {
        for (rows, width) in [(0, 3), (1, 1), (70, 6), (33, 8), (50, 19)] {
            let stride = usize::next_multiple_of(width, LANES);
            let dense: Vec<f32> = noise(rows * width, 6).iter().map(|v| v + 9.0).collect();
            let mut spread = vec![0.0; rows * stride];
            for (to, from) in spread.chunks_mut(stride).zip(dense.chunks(width)) {
                to[..width].copy_from_slice(from);
            }
            let (expected, got) =
                (Moments::from_slice(&dense), Moments::from_rows(&spread, stride, width));
            assert_eq!(expected.count, got.count);
            assert!((expected.mean - got.mean).abs() < 1e-5);
            assert!((expected.deviation - got.deviation).abs() <= 1e-4 * expected.deviation);
        }
    }

    #[test]
    fn a_small_deviation_from_a_large_mean_is_kept() {
        let whisper: Vec<f32> = noise(5000, 5).iter().map(|v| v * 1e-3).collect();
        let loud: Vec<f32> = whisper.iter().map(|v| v + 100.0).collect();
        // The values after rounding.
        let kept: Vec<f64> = loud.iter().map(|v| f64::from(*v)).collect();
        let mean = kept.iter().sum::<f64>() / kept.len() as f64;
        let deviation: f64 = kept.iter().map(|v| (v - mean).powi(2)).sum();
        let moments = Moments::from_slice_parallel(&loud);
        assert_eq!(moments.count, 5000);
        assert!((moments.mean - mean).abs() < 1e-6);
        assert!((moments.deviation / deviation - 1.0).abs() < 1e-3);
    }
}
