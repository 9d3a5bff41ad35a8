//! Rotary position embedding (Su et al. 2021, arXiv 2104.09864): the features of queries and keys are
//! rotated in pairs, by angles that grow with the token's position.
//!
//! The reference pairs features `2i` and `2i + 1`. Here the weights of queries and keys are reordered
//! once by [`halves`], so that feature `i` is paired with `i + half`, and vectors are whole. This
//! does not change the scores.

use crate::model::kernels::elementwise::rotate;

/// Base of the default frequencies.
const THETA: f32 = 10_000.0;

/// Cosines and sines for every position, `[positions, head_dim / 2]`.
#[derive(Clone, Debug)]
pub struct Rotation {
    cosines: Vec<f32>,
    sines: Vec<f32>,
    half: usize,
}

/// The default frequencies for heads of `head_dim` features, in radians per token.
pub fn default_frequencies(head_dim: usize) -> Vec<f32> {
    (0..head_dim / 2).map(|i| 1.0 / THETA.powf(2.0 * i as f32 / head_dim as f32)).collect()
}

impl Rotation {
    /// The rotation by these frequencies, in radians per token, of `positions` tokens.
    pub fn new(frequencies: &[f32], positions: usize) -> Self {
        let angles = (0..positions)
            .flat_map(|position| frequencies.iter().map(move |rate| position as f32 * rate));
        let both = angles.map(|angle| (angle.cos(), angle.sin()));
        let (cosines, sines) = both.unzip();
        Self { cosines, sines, half: frequencies.len() }
    }

    /// Rotates heads of tokens, `x: [tokens, width]`, of which the first has position `first`, and
    /// each sequence has `length` tokens.
    pub fn apply(&self, x: &mut [f32], width: usize, first: usize, length: usize) {
        for (index, token) in x.chunks_exact_mut(width).enumerate() {
            let at = (first + index) % length * self.half;
            let (cosines, sines) = (&self.cosines[at..], &self.sines[at..]);
            rotate(token, &cosines[..self.half], &sines[..self.half]);
        }
    }
}

/// Reorders the rows of a weight `[heads · head_dim, in]`, or the values of a bias, from
/// neighbouring pairs to halves.
pub fn halves(weight: &[f32], head_dim: usize, inputs: usize) -> Vec<f32> {
    let half = head_dim / 2;
    let mut out = vec![0.0; weight.len()];
    for (row, values) in weight.chunks_exact(inputs).enumerate() {
        let (head, feature) = (row / head_dim, row % head_dim);
        let to = head * head_dim + feature % 2 * half + feature / 2;
        out[to * inputs..][..inputs].copy_from_slice(values);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_rotate_like_the_pairs_of_the_reference() {
        let x: Vec<f32> = (0..16).map(|i| (i as f32).sin()).collect();
        let rates = default_frequencies(4);
        assert_eq!(rates, [1.0, 0.01]);
        // Two heads of four features, for two tokens of a sequence from position 2 on.
        let mut expected = Vec::new();
        for (token, features) in x.chunks(8).enumerate() {
            for head in features.chunks(4) {
                for (pair, rate) in head.chunks(2).zip(&rates) {
                    let (sin, cos) = ((2 + token) as f32 * rate).sin_cos();
                    expected.push(pair[0] * cos - pair[1] * sin);
                    expected.push(pair[1] * cos + pair[0] * sin);
                }
            }
        }
        let reorder = |x: &[f32]| x.chunks(8).flat_map(|x| halves(x, 4, 1)).collect::<Vec<_>>();
        let mut got = reorder(&x);
        Rotation::new(&rates, 5).apply(&mut got, 8, 2, 5);
        for (got, expected) in got.iter().zip(reorder(&expected)) {
            assert!((got - expected).abs() < 1e-6, "{got} {expected}");
        }
    }
}
