//! Level matching between mix and original, so that a comparison reveals differences in sound
//! rather than in level. Measures the integrated loudness (EBU R 128) of both at the current gains.
//! Runs on the feeder thread, slightly ahead of playback.

use ebur128::{EbuR128, Mode};

use super::{
    deck::{STEMS_AT, stride},
    shared::Strip,
};
use crate::engine::types::SAMPLE_RATE;

/// Maximum gain or attenuation of the original, linear: 20 dB.
const MOST: f32 = 10.0;

/// Frames between two results: 0.1 s.
const ANSWER_FRAMES: usize = SAMPLE_RATE as usize / 10;

/// Loudness meters of mix and original.
pub(super) struct Compare {
    /// Meters of the mix and of the original; `None` if they could not be created.
    meters: Option<[EbuR128; 2]>,
    gains: Vec<[f32; 2]>,
    /// Frames since the last result.
    frames: usize,
    samples: [Vec<f32>; 2],
}

impl Compare {
    pub(super) fn new() -> Self {
        let meter = || EbuR128::new(2, SAMPLE_RATE, Mode::I | Mode::HISTOGRAM).ok();
        let meters = meter().zip(meter()).map(|(mix, original)| [mix, original]);
        Self { meters, gains: Vec::new(), frames: 0, samples: Default::default() }
    }

    /// Measures frames of all lanes. Frames with missing stems are skipped, because the mix is the
    /// original there. Occasionally returns the gain for the original.
    pub(super) fn hear(&mut self, strips: &[Strip], lanes: &[f32]) -> Option<f32> {
        let Self { meters: Some(meters), gains, frames, samples } = self else { return None };
        if !strips.iter().map(Strip::gain).eq(gains.iter().copied()) {
            gains.clear();
            gains.extend(strips.iter().map(Strip::gain));
            meters.iter_mut().for_each(EbuR128::reset);
        }
        let (rest, of_stems) = gains.split_last()?;
        samples.iter_mut().for_each(Vec::clear);
        let stride = stride(of_stems.len());
        for lane in lanes.chunks_exact(stride).filter(|lane| lane[0] == 1.0) {
            for side in 0..2 {
                let song = lane[1 + side];
                let stems = lane[STEMS_AT..].chunks_exact(2).zip(of_stems);
                let sum: f32 =
                    stems.map(|(stem, gain)| (gain[side] - rest[side]) * stem[side]).sum();
                samples[0].push(sum + rest[side] * song);
                samples[1].push(song);
            }
        }
        for (meter, samples) in meters.iter_mut().zip(&*samples) {
            meter.add_frames_f32(samples).ok()?;
        }
        *frames += lanes.len() / stride;
        if *frames < ANSWER_FRAMES {
            return None;
        }
        *frames = 0;
        let [mix, original] = meters.each_ref().map(EbuR128::loudness_global);
        let db = mix.ok()? - original.ok()?;
        db.is_finite().then(|| (10f64.powf(db / 20.0) as f32).clamp(1.0 / MOST, MOST))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Measures two seconds of one stem with half of the song's level, in chunks.
    fn answer(compare: &mut Compare, stem: f32, residual: f32, there: f32) -> Option<f32> {
        let strips = [Strip::new([stem; 2]), Strip::new([residual; 2])];
        let mut last = None;
        for chunk in 0..86u64 {
            let frames = (0..1024).flat_map(|i| {
                let x = 0.2 * ((chunk * 1024 + i) as f32 * 0.1).sin();
                [there, x, x, 0.5 * x, 0.5 * x]
            });
            last = compare.hear(&strips, &frames.collect::<Vec<f32>>()).or(last);
        }
        last
    }

    #[test]
    fn matches_the_original_to_the_level_of_the_mix() {
        let mut compare = Compare::new();
        let near = |level: Option<f32>, to: f32| (level.unwrap_or(0.0) / to - 1.0).abs() < 0.01;
        assert!(near(answer(&mut compare, 1.0, 0.0, 1.0), 0.5));
        assert!(
            near(answer(&mut compare, 3.0, 0.0, 1.0), 1.5),
            "new gains restart the measurement"
        );
        assert!(near(answer(&mut compare, 1.0, 1.0, 1.0), 1.0));
        assert!(near(answer(&mut compare, 100.0, 0.0, 1.0), MOST), "limited to the maximum");
        assert_eq!(answer(&mut compare, 0.0, 0.0, 1.0), None, "silence has no loudness");
        assert_eq!(
            answer(&mut compare, 1.0, 0.0, 0.0),
            None,
            "without stems there is nothing to compare"
        );
    }
}
