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
/// Loudness of an outburst, as a multiple of the song's peaks so far: +12 dB.
const OUTBURST: f32 = 4.0;
/// The multiple where other signs of damage are near: +2 dB.
const DOUBTFUL_OUTBURST: f32 = 1.26;
/// Largest length of an outburst, in blocks and samples of both channels; longer ones are the song.
const LONGEST_OUTBURST_BLOCKS: usize = 3;
const LONGEST_OUTBURST_SAMPLES: usize = 4800 * CHANNELS;

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

/// Sound on which a [`Judge`] has decided.
#[derive(Debug, PartialEq)]
pub enum Judged {
    /// Interleaved stereo that is plausible.
    Sound(Vec<f32>),
    /// A number of frames that cannot be part of the recording.
    Implausible(u64),
}

/// Decides which sound is implausible.
#[derive(Debug)]
pub struct Judge {
    rule: Rule,
    /// Number of implausible blocks or samples so far.
    pub implausible: u64,
}

#[derive(Debug)]
enum Rule {
    Blocks(Blocks),
    /// The largest plausible magnitude.
    Samples(f32),
}

/// State of a judge of blocks.
#[derive(Debug)]
struct Blocks {
    /// Peak of the plausible blocks so far; at least full scale.
    usual: f32,
    /// Whether the previous block was beyond [`LOUD`].
    is_behind_loud: bool,
    /// Consecutive blocks louder than anything before. A short outburst is damage; if it lasts, it
    /// is the song.
    outburst: Vec<Vec<f32>>,
}

impl Judge {
    /// Creates a judge for blocks of a lossy decoder.
    pub fn of_blocks() -> Self {
        let blocks = Blocks { usual: 1.0, is_behind_loud: false, outburst: Vec::new() };
        Self { rule: Rule::Blocks(blocks), implausible: 0 }
    }

    /// Creates a judge for samples with a magnitude up to `bound`; implausible samples become zero.
    pub fn of_samples(bound: f32) -> Self {
        Self { rule: Rule::Samples(bound), implausible: 0 }
    }

    /// Takes a block of interleaved stereo. `is_doubtful` says whether other signs of damage are
    /// near. Returns the parts that are decided.
    pub fn push(&mut self, mut stereo: Vec<f32>, is_doubtful: bool) -> Vec<Judged> {
        match &mut self.rule {
            Rule::Samples(bound) => {
                for sample in &mut stereo {
                    if !sample.is_finite() || sample.abs() > *bound {
                        *sample = 0.0;
                        self.implausible += 1;
                    }
                }
                vec![Judged::Sound(stereo)]
            }
            Rule::Blocks(blocks) => blocks.push(stereo, is_doubtful, &mut self.implausible),
        }
    }

    /// Decides on the blocks that are still undecided, because their successors are lost.
    pub fn finish(&mut self) -> Option<Judged> {
        match &mut self.rule {
            Rule::Samples(_) => None,
            Rule::Blocks(blocks) => blocks.end_outburst(&mut self.implausible),
        }
    }
}

impl Blocks {
    fn push(&mut self, block: Vec<f32>, is_doubtful: bool, implausible: &mut u64) -> Vec<Judged> {
        let peak = peak(&block);
        if peak > LOUD {
            let frames = (block.len() / CHANNELS) as u64;
            self.is_behind_loud = true;
            *implausible += 1;
            return self
                .end_outburst(implausible)
                .into_iter()
                .chain([Judged::Implausible(frames)])
                .collect();
        }
        let is_within = self.is_behind_loud || !self.outburst.is_empty();
        let factor = match (is_within, is_doubtful) {
            (true, _) => 1.0,
            (_, true) => DOUBTFUL_OUTBURST,
            _ => OUTBURST,
        };
        if peak > factor * self.usual {
            self.outburst.push(block);
            if self.outburst.len() <= LONGEST_OUTBURST_BLOCKS
                || self.outburst.iter().map(Vec::len).sum::<usize>() <= LONGEST_OUTBURST_SAMPLES
            {
                return Vec::new();
            }
            self.is_behind_loud = false;
            let song = std::mem::take(&mut self.outburst);
            self.usual = song.iter().map(|block| self::peak(block)).fold(self.usual, f32::max);
            return song.into_iter().map(Judged::Sound).collect();
        }
        self.is_behind_loud = false;
        self.usual = self.usual.max(peak);
        self.end_outburst(implausible).into_iter().chain([Judged::Sound(block)]).collect()
    }

    fn end_outburst(&mut self, implausible: &mut u64) -> Option<Judged> {
        let outburst = std::mem::take(&mut self.outburst);
        *implausible += outburst.len() as u64;
        let samples: usize = outburst.iter().map(Vec::len).sum();
        (samples > 0).then_some(Judged::Implausible((samples / CHANNELS) as u64))
    }
}

/// The largest magnitude; infinite if a sample is not a number.
fn peak(samples: &[f32]) -> f32 {
    samples.iter().fold(0.0, |peak, sample| {
        let magnitude = sample.abs();
        if magnitude.is_nan() { f32::INFINITY } else { magnitude.max(peak) }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(frames: usize, level: f32) -> Vec<f32> {
        (0..frames).flat_map(|index| [level * (index as f32 * 0.1).sin(); 2]).collect()
    }

    /// The parts of a stream, as text: its blocks by number, and gaps by frames.
    fn judged(judge: &mut Judge, blocks: &[Vec<f32>], is_doubtful: bool) -> String {
        let mut parts = Vec::new();
        for block in blocks {
            parts.extend(judge.push(block.clone(), is_doubtful));
        }
        parts.extend(judge.finish());
        let mut next = 0;
        let text = parts.into_iter().map(|part| match part {
            Judged::Sound(samples) => {
                next += blocks[next..].iter().position(|block| *block == samples).unwrap() + 1;
                next.to_string()
            }
            Judged::Implausible(frames) => format!("-{frames}"),
        });
        text.collect::<Vec<_>>().join(" ")
    }

    fn sound(parts: Vec<Judged>) -> Vec<f32> {
        let samples = |part| if let Judged::Sound(samples) = part { samples } else { Vec::new() };
        parts.into_iter().flat_map(samples).collect()
    }

    #[test]
    fn replaces_a_broken_block_and_its_echo() {
        let (fine, broken) = (tone(1152, 0.5), tone(1152, 9.6e6));
        let (mut echo, mut nan) = (tone(1152, 0.5), tone(1152, 0.5));
        echo[0] = 1.5;
        nan[5] = f32::NAN;
        let mut judge = Judge::of_blocks();
        let blocks = [fine.clone(), broken, echo.clone(), fine.clone(), nan, fine, echo];
        assert_eq!(judged(&mut judge, &blocks, false), "1 -1152 -1152 4 -1152 6 7");
        assert_eq!(judge.implausible, 3);
    }

    #[test]
    fn replaces_short_outbursts_only() {
        let (fine, loud) = (tone(1152, 0.5), tone(1152, 4.5));
        let blocks = |outburst: &[f32], count| {
            let outburst = std::iter::repeat_n(outburst.to_vec(), count);
            [fine.clone()].into_iter().chain(outburst).chain([fine.clone()]).collect::<Vec<_>>()
        };
        let text = |blocks: &[_], doubtful| judged(&mut Judge::of_blocks(), blocks, doubtful);
        assert_eq!(text(&blocks(&loud, 1), false), "1 -1152 3");
        assert_eq!(text(&blocks(&loud, 3), false), "1 -3456 5");
        assert_eq!(text(&blocks(&loud, 5), false), "1 2 3 4 5 6 7");
        let over = tone(1152, 1.4);
        assert_eq!(text(&blocks(&over, 1), false), "1 2 3");
        assert_eq!(text(&blocks(&over, 1), true), "1 -1152 3");
        assert_eq!(text(&blocks(&loud, 1)[..2], false), "1 -1152", "nothing follows");
        // A song that is this loud anyway.
        let mut song = vec![loud.clone(); 5];
        song.extend(blocks(&tone(1152, 5.5), 1));
        assert_eq!(text(&song, true), "1 2 3 4 5 6 7 8");
    }

    #[test]
    fn keeps_loud_but_plausible_blocks() {
        let blocks = [tone(1152, 2.5), tone(1152, 9.9), tone(100, 0.1)];
        let mut judge = Judge::of_blocks();
        assert_eq!(judged(&mut judge, &blocks, false), "1 2 3");
        assert_eq!(judge.implausible, 0);
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
        let kept = sound(judge.push(song.clone(), false));
        assert_eq!((kept[1_000_001], kept[500_000], judge.implausible), (0.0, 0.0, 2));
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
            assert_eq!(sound(judge.push(song.clone(), false)), song, "{level}");
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
