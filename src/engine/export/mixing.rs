//! Content of a file's streams, and conversion of samples to its bit depth. Pure functions of a
//! block.

use std::collections::BTreeSet;

use super::feed::Block;
use crate::engine::separation::chain::Terms;

/// Content of one stream.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// Sum of stems, each with its gains for left and right.
    Stems(Vec<(usize, [f32; 2])>),
    /// Sum of all stems of the model plus the residual at its own gains.
    Heard {
        /// Index and gains of each stem.
        stems: Vec<(usize, [f32; 2])>,
        /// Gains of the residual for left and right.
        residual: [f32; 2],
    },
    /// The original or a stem, minus stems, so that everything adds up to it sample for sample. Integer
    /// files subtract the rounded stems of the other files, so the sum is exact there too. Without any
    /// stem, this is the original.
    Rest(Terms),
}

impl Content {
    /// A single stem at unity gain.
    pub fn stem(stem: usize) -> Self {
        Self::Stems(vec![(stem, [1.0; 2])])
    }

    /// The original.
    pub fn original() -> Self {
        Self::Rest(Terms::default())
    }

    /// Whether other files are subtracted in this content, so that it adds up with them.
    pub fn is_difference(&self) -> bool {
        !matches!(self, Self::Stems(_))
    }

    /// Whether computing this content reads the original.
    pub fn needs_original(&self) -> bool {
        match self {
            Self::Stems(_) => false,
            Self::Heard { .. } => true,
            Self::Rest(terms) => terms.of.is_none(),
        }
    }

    /// Stems that this content reads.
    pub fn stems(&self) -> BTreeSet<usize> {
        match self {
            Self::Stems(weighted) | Self::Heard { stems: weighted, .. } => {
                weighted.iter().map(|(stem, _)| *stem).collect()
            }
            Self::Rest(Terms { of, minus }) => of.iter().chain(minus).copied().collect(),
        }
    }

    /// Computes the samples in `block`, times `gain`, with full scale at 1.
    pub fn floats(&self, block: &Block, channels: u16, gain: f64, out: &mut Vec<f64>) {
        out.clear();
        match self {
            Self::Stems(weighted) => {
                out.resize(block.frames * usize::from(channels), 0.0);
                for (stem, gains) in weighted {
                    add(out, &block.stems[stem], side_gains(*gains, channels), channels);
                }
            }
            // The residual is the original minus all stems: add the original at the residual's
            // gains, and reduce each stem's gain accordingly. The player mixes in the same order.
            Self::Heard { stems, residual } => {
                out.resize(block.frames * usize::from(channels), 0.0);
                let of_rest = side_gains(*residual, channels);
                for (stem, gains) in stems {
                    let [left, right] = side_gains(*gains, channels);
                    let sides = [left - of_rest[0], right - of_rest[1]];
                    add(out, &block.stems[stem], sides, channels);
                }
                add(out, &block.original, of_rest, channels);
            }
            Self::Rest(Terms { of, minus }) => {
                out.extend(block.whole(*of).iter().map(|&x| f64::from(x)));
                for stem in minus {
                    for (rest, x) in out.iter_mut().zip(&block.stems[stem]) {
                        *rest -= f64::from(*x);
                    }
                }
            }
        }
        for x in out {
            *x *= gain;
        }
    }

    /// Computes the samples in `block`, times `gain`, as whole numbers with full scale at
    /// `full_scale`. They are not clamped to the file's range. Rests are never
    /// dithered.
    pub fn integers(
        &self,
        block: &Block,
        channels: u16,
        (gain, full_scale): (f64, f64),
        dither: Option<&mut Dither>,
        out: &mut Vec<f64>,
    ) {
        let Self::Rest(Terms { of, minus }) = self else {
            self.floats(block, channels, gain, out);
            for x in out.iter_mut() {
                *x *= full_scale;
            }
            return round(out, dither);
        };
        // These are the steps above, so that a stem rounds here exactly as in its own file.
        let whole = |x: f32| (f64::from(x) * gain * full_scale).round();
        out.clear();
        out.extend(block.whole(*of).iter().map(|&x| whole(x)));
        for stem in minus {
            for (rest, &x) in out.iter_mut().zip(&block.stems[stem]) {
                *rest -= whole(x);
            }
        }
    }
}

/// Rounds samples given in steps, with dither or to the nearest.
pub fn round(samples: &mut [f64], dither: Option<&mut Dither>) {
    match dither {
        Some(dither) => dither.round(samples),
        None => samples.iter_mut().for_each(|x| *x = x.round()),
    }
}

/// Adds samples at separate gains for left and right.
fn add(out: &mut [f64], samples: &[f32], sides: [f64; 2], channels: u16) {
    let frames = out.chunks_exact_mut(channels.into()).zip(samples.chunks_exact(channels.into()));
    for (sum, frame) in frames {
        for ((sum, x), side) in sum.iter_mut().zip(frame).zip(sides) {
            *sum += side * f64::from(*x);
        }
    }
}

/// Gains of the two channels, or their mean for mono.
fn side_gains([left, right]: [f32; 2], channels: u16) -> [f64; 2] {
    let (left, right) = (f64::from(left), f64::from(right));
    if channels == 1 { [f64::midpoint(left, right); 2] } else { [left, right] }
}

/// Triangular dither of one step to either side, added before rounding. The error becomes noise
/// independent of the music (Lipshitz, Wannamaker, Vanderkooy, "Quantization and Dither", 1992).
/// Silence stays silent.
#[derive(Clone, Debug)]
pub struct Dither(u64);

impl Dither {
    /// Seeds the noise from `name`, so that a stem gets identical noise in every export.
    pub fn new(name: &str) -> Self {
        let mix = |seed: u64, byte: u8| (seed ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        Self(name.bytes().fold(0xcbf2_9ce4_8422_2325, mix) | 1) // FNV-1a
    }

    fn round(&mut self, samples: &mut [f64]) {
        for x in samples {
            let noise = self.uniform() - self.uniform();
            *x = if *x == 0.0 { 0.0 } else { (*x + noise).round() };
        }
    }

    /// Returns a uniform number from 0 to 1 (xorshift64*; Vigna, "An experimental exploration of
    /// Marsaglia's xorshift generators, scrambled", 2016).
    fn uniform(&mut self) -> f64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11) as f64 / (1u64 << 53) as f64
    }
}
