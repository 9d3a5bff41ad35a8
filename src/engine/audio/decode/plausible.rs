//! Detection of samples that cannot be a recording. Broken frames decode to millions of times full
//! scale, and a broken byte produces arbitrary floats. Such samples would determine the level of
//! the whole song, so they are silenced.
//!
//! The output of a lossy decoder is checked by block, because its encoder was given a song in
//! range. Floats of a user's file may all be loud on purpose; there, samples are compared to the
//! rest of the song.

use crate::engine::types::CHANNELS;

/// Largest magnitude that is always plausible: +20 dB over full scale.
pub const LOUD: f32 = 10.0;
/// Plausible magnitude of floats beyond [`LOUD`], as a multiple of the song's usual peaks: +40 dB.
const BEYOND_USUAL: f32 = 100.0;
/// Largest magnitude of a float that is plausible in any song: twice the range of 32-bit integers
/// stored as floats.
const LARGEST: f32 = 4_294_967_296.0;
/// Frames per block for which a peak is computed.
const BLOCK_FRAMES: usize = 4096;
/// Length of fades to and from silence, in frames.
const FADE_FRAMES: usize = 220; // 5 ms at 44.1 kHz

/// Peaks of a song by block, for [`Self::bound`].
pub struct Peaks {
    /// Number of blocks by the exponent of their peak.
    counts: [u64; 256],
    peak: f32,
    frames: usize,
}

impl Default for Peaks {
    fn default() -> Self {
        Self { counts: [0; 256], peak: 0.0, frames: 0 }
    }
}

impl Peaks {
    /// Adds interleaved samples of `channels` channels.
    pub fn push(&mut self, samples: &[f32], channels: usize) {
        for frame in samples.chunks(channels.max(1)) {
            let finite = frame.iter().filter(|sample| sample.is_finite());
            self.peak = finite.fold(self.peak, |peak, sample| peak.max(sample.abs()));
            self.frames += 1;
            if self.frames == BLOCK_FRAMES {
                self.end_block();
            }
        }
    }

    fn end_block(&mut self) {
        if self.peak > 0.0 {
            self.counts[(self.peak.to_bits() >> 23) as usize & 255] += 1;
        }
        (self.peak, self.frames) = (0.0, 0);
    }

    /// Largest plausible magnitude of this song: far above the peaks of nine tenths of its
    /// non-silent blocks.
    pub fn bound(mut self) -> f32 {
        self.end_block();
        let blocks: u64 = self.counts.iter().sum();
        let mut left = blocks - blocks / 10;
        for (exponent, &count) in self.counts.iter().enumerate() {
            if count >= left {
                // Upper end of the values with this exponent.
                let usual = f32::from_bits((exponent as u32 + 1).min(254) << 23);
                return (usual * BEYOND_USUAL).clamp(LOUD, LARGEST);
            }
            left -= count;
        }
        LOUD
    }
}

/// Silences implausible samples.
#[derive(Debug)]
pub struct Judge {
    bound: f32,
    /// Whether whole blocks are silenced, with fades around them.
    by_block: bool,
    /// Whether the previous block was silenced.
    was_silenced: bool,
    /// The previous block, which may still have to fade out.
    held: Vec<f32>,
    /// Number of silenced blocks or samples.
    pub silenced: u64,
}

impl Judge {
    /// Creates a judge for blocks of a lossy decoder.
    pub fn of_blocks() -> Self {
        Self { bound: LOUD, by_block: true, was_silenced: false, held: Vec::new(), silenced: 0 }
    }

    /// Creates a judge for samples with a magnitude up to `bound`.
    pub fn of_samples(bound: f32) -> Self {
        Self { bound, by_block: false, was_silenced: false, held: Vec::new(), silenced: 0 }
    }

    /// Checks a block of interleaved stereo, and outputs the previous one, if any. Returns whether
    /// part of this block was silenced.
    pub fn push(&mut self, stereo: &[f32], ready: &mut Vec<f32>) -> bool {
        let is_odd = |sample: &f32| !sample.is_finite() || sample.abs() > self.bound;
        let odd = stereo.iter().filter(|sample| is_odd(sample)).count();
        ready.clear();
        if !self.by_block {
            let kept = stereo.iter().map(|sample| if is_odd(sample) { 0.0 } else { *sample });
            ready.extend(kept);
            self.silenced += odd as u64;
            return odd > 0;
        }
        let mut block = stereo.to_vec();
        // The state that a broken block leaves in the decoder also distorts the next block.
        let is_silenced = odd > 0 || self.was_silenced && peak(&block) > 1.0;
        if is_silenced {
            block.fill(0.0);
            fade(&mut self.held, |from_end| from_end);
            self.silenced += u64::from(odd > 0);
        } else if self.was_silenced {
            let frames = block.len() / CHANNELS;
            fade(&mut block, |from_end| frames - 1 - from_end);
        }
        self.was_silenced = is_silenced;
        std::mem::swap(&mut self.held, ready);
        self.held = block;
        odd > 0
    }

    /// Outputs the last block.
    pub fn finish(&mut self, ready: &mut Vec<f32>) {
        ready.clear();
        std::mem::swap(&mut self.held, ready);
        self.was_silenced = false;
    }
}

fn peak(samples: &[f32]) -> f32 {
    samples.iter().fold(0.0, |peak, sample| sample.abs().max(peak))
}

/// Attenuates frames by their distance from silence, computed from their distance to the end of the
/// block.
fn fade(stereo: &mut [f32], distance: impl Fn(usize) -> usize) {
    let frames = stereo.len() / CHANNELS;
    for (index, frame) in stereo.chunks_exact_mut(CHANNELS).enumerate() {
        let distance = distance(frames - 1 - index);
        if distance < FADE_FRAMES {
            let gain = distance as f32 / FADE_FRAMES as f32;
            for sample in frame {
                *sample *= gain;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(frames: usize, level: f32) -> Vec<f32> {
        (0..frames).flat_map(|index| [level * (index as f32 * 0.1).sin(); 2]).collect()
    }

    fn judged(judge: &mut Judge, blocks: &[Vec<f32>]) -> Vec<Vec<f32>> {
        let (mut ready, mut all) = (Vec::new(), Vec::new());
        for block in blocks {
            judge.push(block, &mut ready);
            all.push(ready.clone());
        }
        judge.finish(&mut ready);
        all.push(ready);
        all.retain(|block| !block.is_empty());
        all
    }

    #[test]
    fn silences_a_broken_block_with_fades_around_it() {
        let (fine, broken) = (tone(1152, 0.5), tone(1152, 9.6e6));
        let mut echo = tone(1152, 0.5);
        echo[0] = 40.0;
        let mut judge = Judge::of_blocks();
        let blocks = [fine.clone(), fine.clone(), broken, echo, fine.clone(), fine.clone()];
        let all = judged(&mut judge, &blocks);
        assert_eq!(all.len(), 6);
        assert_eq!(all[0], fine);
        assert_eq!(all[1][..1000], fine[..1000]);
        assert_eq!(all[1].last(), Some(&0.0));
        assert!(all[2].iter().chain(&all[3]).all(|&sample| sample == 0.0));
        assert_eq!(all[4][0], 0.0);
        assert_eq!(all[4][1000..], fine[1000..]);
        assert_eq!(all[5], fine);
        assert_eq!(judge.silenced, 2);
    }

    #[test]
    fn keeps_loud_but_plausible_blocks() {
        let blocks = [tone(1152, 2.5), tone(1152, 9.9), tone(100, 0.1)];
        let mut judge = Judge::of_blocks();
        assert_eq!(judged(&mut judge, &blocks), blocks);
        assert_eq!(judge.silenced, 0);
    }

    #[test]
    fn ignores_a_single_outlier() {
        let mut song = tone(1 << 20, 0.5);
        song[1_000_001] = 1e6;
        song[500_000] = f32::NEG_INFINITY;
        let mut peaks = Peaks::default();
        peaks.push(&song, 2);
        let bound = peaks.bound();
        assert!((10.0..=200.0).contains(&bound), "{bound}");
        let mut judge = Judge::of_samples(bound);
        let kept = judged(&mut judge, &[song.clone()]).concat();
        assert_eq!((kept[1_000_001], kept[500_000], judge.silenced), (0.0, 0.0, 2));
        assert_eq!(kept[..500_000], song[..500_000]);
    }

    #[test]
    fn keeps_songs_that_are_loud_on_purpose() {
        for level in [30.0, 32768.0, 2e9, 4e9] {
            let mut song = tone(100_000, level / 50.0);
            song.extend(tone(40_000, level));
            let mut peaks = Peaks::default();
            peaks.push(&song, 2);
            let mut judge = Judge::of_samples(peaks.bound());
            assert_eq!(judged(&mut judge, &[song.clone()]).concat(), song, "{level}");
        }
        let mut peaks = Peaks::default();
        peaks.push(&tone(100_000, f32::MAX), 2);
        assert_eq!(peaks.bound(), LARGEST, "no song is that loud");
        // A quiet song with one loud moment in range.
        let mut song = tone(1 << 20, 1e-4);
        song.extend(tone(1000, 9.0));
        let mut peaks = Peaks::default();
        peaks.push(&song, 2);
        assert!(peaks.bound() >= LOUD);
    }
}
