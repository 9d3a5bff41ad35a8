//! Functions for the kernels' tests: noise, comparison in dB, and the reference's layouts.

use candle_core::{Device, Tensor};

use super::maps::{FreqMap, TimeMap};

/// Uniform noise in ±1, the same for the same seed (xorshift).
pub fn noise(count: usize, seed: u64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1 << 23) as f32 - 1.0
    };
    for _ in 0..8 {
        next();
    }
    (0..count).map(|_| next()).collect()
}

/// A tensor on the CPU.
pub fn tensor(values: &[f32], shape: &[usize]) -> Tensor {
    Tensor::from_slice(values, shape, &Device::Cpu).unwrap()
}

/// A tensor's values in row-major order.
pub fn values(x: &Tensor) -> Vec<f32> {
    x.flatten_all().unwrap().to_vec1().unwrap()
}

/// Signal-to-error ratio.
pub fn signal_to_error_db(expected: &[f32], got: &[f32]) -> f64 {
    let power: f64 = expected.iter().map(|v| f64::from(*v).powi(2)).sum();
    let pairs = expected.iter().zip(got);
    let error: f64 = pairs.map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum();
    10.0 * (power / error).log10()
}

/// Asserts a signal-to-error ratio of 110 dB, which allows for another order of rounding alone.
pub fn assert_same(expected: &[f32], got: &[f32], what: &str) {
    assert_eq!(expected.len(), got.len(), "{what}: length");
    let db = signal_to_error_db(expected, got);
    assert!(expected.iter().any(|v| *v != 0.0) && db > 110.0, "{what}: {db:.1} dB");
}

impl FreqMap {
    /// A map of noise.
    pub(crate) fn noise(freqs: usize, channels: usize, frames: usize, seed: u64) -> Self {
        let mut map = Self::any(freqs, channels, frames);
        map.data.copy_from_slice(&noise(freqs * channels * frames, seed));
        map
    }

    /// `[1, channels, freqs, frames]`.
    pub(crate) fn to_tensor(&self) -> Tensor {
        let rows = tensor(&self.data, &[self.freqs, self.channels, self.frames]);
        rows.permute((1, 0, 2)).unwrap().unsqueeze(0).unwrap().contiguous().unwrap()
    }
}

impl TimeMap {
    /// A map of noise.
    pub(crate) fn noise(frames: usize, channels: usize, margin: usize, seed: u64) -> Self {
        let mut map = Self::any(frames, channels, margin);
        map.inner_mut().copy_from_slice(&noise(frames * channels, seed));
        map
    }

    /// `[1, channels, frames]`.
    pub(crate) fn to_tensor(&self) -> Tensor {
        let rows = tensor(self.inner(), &[1, self.frames, self.channels]);
        rows.transpose(1, 2).unwrap().contiguous().unwrap()
    }
}

/// Whether this CPU has AMX; prints that `check` is skipped where it has not.
pub fn has_amx(check: &str) -> bool {
    let has_amx = super::cpu::has_amx();
    if !has_amx {
        println!("skipped, no AMX: {check}");
    }
    has_amx
}
