//! Weight of the stems per frame: 1 where they are finished, 0 where the original plays instead.
//! Every finished section has a ramp inside both ends, except at the ends of the track. Pure; used
//! by the feeder.

use super::Track;
use crate::engine::types::SAMPLE_RATE;

/// Length of the ramp in frames: 20 ms.
pub(super) const RAMP_FRAMES: u64 = SAMPLE_RATE as u64 / 50;

/// State of the section that contains the last queried frame.
#[derive(Default)]
pub(super) struct Coverage {
    covered: bool,
    /// Start of the stems' fade-in; `None` if they were available from the start.
    from: Option<u64>,
    /// First frame after the section; 0 before the first query.
    until: u64,
}

impl Coverage {
    /// Weight of the stems at `frame`; frames must be queried in ascending order.
    pub(super) fn weight(&mut self, track: &dyn Track, frame: u64) -> f32 {
        if frame >= self.until {
            self.from = (self.until > 0).then_some(frame);
            let (covered, until) = track.covered_at(frame);
            self.covered = covered;
            self.until = if until >= track.frames() { u64::MAX } else { until.max(frame + 1) };
        }
        if !self.covered {
            return 0.0;
        }
        let coming = self.from.map_or(RAMP_FRAMES, |from| frame - from);
        let going = self.until - frame;
        coming.min(going).min(RAMP_FRAMES) as f32 / RAMP_FRAMES as f32
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    struct Spans(Vec<u64>);

    impl Track for Spans {
        fn frames(&self) -> u64 {
            100_000
        }
        fn stems(&self) -> usize {
            1
        }
        fn read_original(&self, _start: u64, _out: &mut [f32]) -> io::Result<()> {
            Ok(())
        }
        fn read_stem(&self, _stem: usize, _start: u64, _out: &mut [f32]) -> io::Result<()> {
            Ok(())
        }
        /// Alternates at each edge, starting uncovered.
        fn covered_at(&self, at: u64) -> (bool, u64) {
            let passed = self.0.iter().filter(|&&edge| edge <= at).count();
            (passed % 2 == 1, self.0.get(passed).copied().unwrap_or(self.frames()))
        }
    }

    fn weights(edges: &[u64], start: u64) -> Vec<f32> {
        let track = Spans(edges.to_vec());
        let mut coverage = Coverage::default();
        (start..track.frames()).map(|frame| coverage.weight(&track, frame)).collect()
    }

    #[test]
    fn stems_are_silent_where_missing_and_never_step() {
        let weights = weights(&[5_000, 20_000, 40_000], 0);
        for (frame, pair) in weights.windows(2).enumerate() {
            assert!((pair[1] - pair[0]).abs() <= 1.001 / RAMP_FRAMES as f32, "at {frame}");
        }
        assert!(weights[..5_000].iter().all(|&w| w == 0.0));
        assert!(weights[20_000..40_000].iter().all(|&w| w == 0.0));
        assert!(weights[6_000..19_000].iter().all(|&w| w == 1.0));
        assert!(weights[41_000..].iter().all(|&w| w == 1.0), "no ramp at the track's end");
    }

    #[test]
    fn starting_inside_a_finished_stretch_starts_with_the_stems() {
        assert_eq!(weights(&[5_000, 20_000], 10_000)[0], 1.0);
        assert_eq!(weights(&[0], 0)[0], 1.0);
        assert_eq!(weights(&[0], 99_999), [1.0]);
    }
}
