//! GELU, GLU and exponentials over slices, in vector registers.

use candle_core::{Result, Tensor};

#[cfg(target_arch = "x86_64")]
use super::x86::avx512;
use super::{
    layout::NR,
    math::{exp2, gelu_one, mad, sigmoid},
    vectorised::vectorised,
};

/// Computes `2^(scores − top)` in place, and adds the results to `sums`. Arguments below −100 count
/// as −100: products with smaller weights are subnormal, and take some CPUs a hundred times as long.
#[inline(always)]
pub(super) fn weigh<const FMA: bool>(
    scores: &mut [[f32; NR]],
    top: &[f32; NR],
    sums: &mut [f32; NR],
) {
    #[cfg(target_arch = "x86_64")]
    if avx512::weigh(scores, top, sums) {
        return;
    }
    for line in scores {
        for j in 0..NR {
            let below = line[j] - top[j];
            line[j] = exp2::<FMA>(if below < -100.0 { -100.0 } else { below });
            sums[j] += line[j];
        }
    }
}

vectorised! {
    /// GELU (erf form) in place.
    pub fn gelu<FMA>(x: &mut [f32]) {
        for v in x {
            *v = gelu_one::<FMA>(*v);
        }
    }
}

/// Twin of [`gelu`].
pub fn gelu_plain(x: &Tensor) -> Result<Tensor> {
    x.gelu_erf()
}

vectorised! {
    /// Gated linear unit: `out = value · sigmoid(gate)`, all of one length.
    pub fn glu<FMA>(value: &[f32], gate: &[f32], out: &mut [f32]) {
        for ((out, value), gate) in out.iter_mut().zip(value).zip(gate) {
            *out = value * sigmoid::<FMA>(*gate);
        }
    }
}

vectorised! {
    /// [`glu`] for rows: `[n, 2·channels]` to `[n, channels]`.
    pub fn glu_rows<FMA>(x: &[f32], channels: usize, out: &mut [f32]) {
        for (x, out) in x.chunks_exact(2 * channels).zip(out.chunks_exact_mut(channels)) {
            let (value, gate) = x.split_at(channels);
            for ((out, value), gate) in out.iter_mut().zip(value).zip(gate) {
                *out = value * sigmoid::<FMA>(*gate);
            }
        }
    }
}

vectorised! {
    /// Multiplies each group of `width` values by `sigmoid` of its gate.
    pub fn gate<FMA>(x: &mut [f32], gates: &[f32], width: usize) {
        for (x, gate) in x.chunks_exact_mut(width).zip(gates) {
            let factor = sigmoid::<FMA>(*gate);
            for x in x {
                *x *= factor;
            }
        }
    }
}

vectorised! {
    /// Rotates pairs of features of every head: feature `i` of a head and feature `i + half`, by the
    /// angle `i`, where `half` is the number of angles.
    pub fn rotate<FMA>(x: &mut [f32], cosines: &[f32], sines: &[f32]) {
        for head in x.chunks_exact_mut(2 * cosines.len()) {
            let (a, b) = head.split_at_mut(cosines.len());
            for ((a, b), (cos, sin)) in a.iter_mut().zip(b).zip(cosines.iter().zip(sines)) {
                (*a, *b) = (
                    mad::<FMA>(*a, *cos, -(*b * *sin)),
                    mad::<FMA>(*b, *cos, *a * *sin),
                );
            }
        }
    }
}

/// Twin of [`glu`] and [`glu_rows`]: halves along `dim`.
pub fn glu_plain(x: &Tensor, dim: usize) -> Result<Tensor> {
    let half = x.dim(dim)? / 2;
    let gate = candle_nn::ops::sigmoid(&x.narrow(dim, half, half)?)?;
    x.narrow(dim, 0, half)? * gate
}

/// `x += y`.
pub fn add(x: &mut [f32], y: &[f32]) {
    for (x, y) in x.iter_mut().zip(y) {
        *x += y;
    }
}

/// `x += factor · y`.
pub fn add_scaled(x: &mut [f32], y: &[f32], factor: f32) {
    for (x, y) in x.iter_mut().zip(y) {
        *x += factor * y;
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::testing::{assert_same, noise, tensor, values},
        *,
    };

    #[test]
    fn gelu_matches_its_twin_from_tail_to_tail() {
        let mut x: Vec<f32> = (-8000..=8000).map(|i| i as f32 * 1e-3).collect();
        let twin = values(&gelu_plain(&tensor(&x, &[x.len()])).unwrap());
        gelu(&mut x);
        assert_same(&twin, &x, "gelu");
        for (twin, got) in twin.iter().zip(&x) {
            assert!((twin - got).abs() < 1e-6, "{twin} {got}");
        }
    }

    #[test]
    fn gates_match_their_twin() {
        for (rows, channels) in [(1, 1), (3, 5), (70, 33)] {
            let x: Vec<f32> = noise(rows * 2 * channels, 1).iter().map(|v| v * 9.0).collect();
            let mut out = vec![0.0; rows * channels];
            let twin = glu_plain(&tensor(&x, &[rows, 2 * channels]), 1).unwrap();
            glu_rows(&x, channels, &mut out);
            assert_same(&values(&twin), &out, "rows");
            let twin = glu_plain(&tensor(&x, &[2, rows * channels]), 0).unwrap();
            let (value, gate) = x.split_at(rows * channels);
            glu(value, gate, &mut out);
            assert_same(&values(&twin), &out, "halves");
        }
    }
}
