//! Attacks in the lead lane: the places at which its sound rises steeply. Pure; allocates nothing.

use crate::engine::types::CHANNELS;

/// Frames whose energy is compared, 0.7 ms at 44.1 kHz.
pub(super) const BLOCK: usize = 32;

/// Number of preceding blocks whose mean energy counts.
const BLOCKS: usize = 32;

/// Rise in energy that makes an attack.
const RISE: f32 = 5.0;

/// Mean square below which nothing is an attack: -100 dB.
const FLOOR: f32 = 1e-10;

/// Number of attacks remembered.
const KEPT: usize = 16;

/// Detector of attacks.
pub(super) struct Attacks {
    /// Least distance between two attacks in frames.
    spacing: i64,
    /// Position of the current block, and its frames so far.
    block: i64,
    frames: usize,
    energy: f32,
    last: [f32; CHANNELS],
    energies: [f32; BLOCKS],
    /// Positions, the oldest being overwritten next.
    found: [i64; KEPT],
    next: usize,
}

impl Attacks {
    pub(super) fn new(spacing: usize) -> Self {
        Self {
            spacing: spacing as i64,
            block: 0,
            frames: 0,
            energy: 0.0,
            last: [0.0; CHANNELS],
            energies: [0.0; BLOCKS],
            found: [i64::MIN / 4; KEPT],
            next: 0,
        }
    }

    /// Searches the next frames of interleaved input.
    pub(super) fn search(&mut self, stereo: &[f32]) {
        for frame in stereo.chunks_exact(CHANNELS) {
            for (x, last) in frame.iter().zip(&mut self.last) {
                // The difference emphasises high frequencies, where attacks stand out.
                self.energy += (x - *last).powi(2);
                *last = *x;
            }
            self.frames += 1;
            if self.frames == BLOCK {
                self.end_block();
            }
        }
    }

    fn end_block(&mut self) {
        let mean = self.energies.iter().sum::<f32>() / BLOCKS as f32;
        let newest = self.found[(self.next + KEPT - 1) % KEPT];
        if self.energy > RISE * mean + FLOOR * BLOCK as f32 && self.block - newest >= self.spacing {
            self.found[self.next] = self.block;
            self.next = (self.next + 1) % KEPT;
        }
        self.energies.rotate_left(1);
        self.energies[BLOCKS - 1] = self.energy;
        (self.energy, self.frames) = (0.0, 0);
        self.block += BLOCK as i64;
    }

    /// The attack nearest to a position.
    pub(super) fn nearest(&self, at: f64) -> i64 {
        let distance = |attack: i64| (attack as f64 - at).abs();
        let nearer = |a: i64, b: i64| if distance(b) < distance(a) { b } else { a };
        self.found.iter().copied().fold(self.found[0], nearer)
    }
}
