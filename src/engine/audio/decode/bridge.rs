//! Concealment of a few lost packets. The sound before the gap, reversed, fades into the reversed
//! sound after it. Both ends are continuous, and the level is preserved.
//!
//! Silence would click, and a network reacts to a click in its whole segment. In one song of ten, a
//! quiet stem changed by 5 dB three seconds before the click. Pure computation, for stereo.

use crate::engine::types::CHANNELS;

/// Computes `frames` frames between `before` and `behind`, which are interleaved and not empty.
pub fn bridge(before: &[f32], behind: &[f32], frames: usize) -> Vec<f32> {
    let (last, first) = (before.len() / CHANNELS, behind.len() / CHANNELS);
    let mut samples = Vec::with_capacity(frames * CHANNELS);
    for frame in 0..frames {
        let old = last - 1 - reflected(frame, last);
        let new = reflected(frames - 1 - frame, first);
        // The two sides are uncorrelated: their powers add up, not their amplitudes.
        let angle = (frame + 1) as f32 / (frames + 1) as f32 * std::f32::consts::FRAC_PI_2;
        for channel in 0..CHANNELS {
            let (old, new) = (before[old * CHANNELS + channel], behind[new * CHANNELS + channel]);
            samples.push(angle.cos() * old + angle.sin() * new);
        }
    }
    samples
}

/// Position after `place` steps back and forth over `length` positions.
fn reflected(place: usize, length: usize) -> usize {
    let place = place % (2 * length);
    if place < length { place } else { 2 * length - 1 - place }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(frames: std::ops::Range<i32>) -> Vec<f32> {
        frames.flat_map(|frame| [(frame as f32 * 0.05).sin() * 0.5; 2]).collect()
    }

    #[test]
    fn both_ends_are_continuous_and_the_level_is_preserved() {
        for frames in [1, 2, 500, 1024, 4000] {
            let (before, behind) = (tone(-3000..0), tone(frames..frames + 1024));
            let bridged = bridge(&before, &behind, frames as usize);
            assert_eq!(bridged.len(), 2 * frames as usize);
            let all = [&before[..], &bridged, &behind].concat();
            let step = all.chunks(2).zip(all.chunks(2).skip(1)).map(|(a, b)| (a[0] - b[0]).abs());
            assert!(step.fold(0.0, f32::max) < 0.08, "{frames}");
            if frames > 400 {
                let power = bridged.iter().map(|x| x * x).sum::<f32>() / bridged.len() as f32;
                assert!((0.06..0.25).contains(&power), "{frames}: {power}"); // a tone has 0.125
            }
        }
    }
}
