//! How a song is cut into overlapping segments, and how their results are weighed together again.
//!
//! Integers only; no samples, no files. Follows `demucs/apply.py` (`apply_model`, `TensorChunk`,
//! demucs 4.1.0), so that the joints are the reference's to the sample.

use std::ops::Range;

/// Overlap of neighbouring segments, in percent of a segment.
pub const OVERLAP_PERCENT: usize = 25;

/// The segments of one song.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Frames of the song.
    pub frames: u64,
    /// Frames that go through the model at once.
    pub segment_frames: usize,
    /// Frames between the starts of neighbouring segments.
    pub stride: usize,
}

/// What a segment reads from the mix: real audio, with zeros only beyond the ends of the song.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// Zeros before the song.
    pub zeros_before: usize,
    /// Frames of the song.
    pub frames: Range<u64>,
    /// Where in the window the segment's own result starts: a short segment is centred.
    pub result_at: usize,
}

impl Plan {
    /// The plan with the default overlap for a song of `frames` frames.
    pub fn new(frames: u64, segment_frames: usize) -> Self {
        let stride = (segment_frames * (100 - OVERLAP_PERCENT) / 100).max(1);
        Self { frames, segment_frames, stride }
    }

    /// Number of segments; 0 for an empty song.
    pub fn len(&self) -> usize {
        self.frames.div_ceil(self.stride as u64) as usize
    }

    /// Whether the song is empty.
    pub fn is_empty(&self) -> bool {
        self.frames == 0
    }

    /// The frames that segment `index` gives a result for. The last segments may be short.
    pub fn segment(&self, index: usize) -> Range<u64> {
        let start = (index as u64 * self.stride as u64).min(self.frames);
        start..(start + self.segment_frames as u64).min(self.frames)
    }

    /// What segment `index` reads from the mix.
    pub fn window(&self, index: usize) -> Window {
        let own = self.segment(index);
        let result_at = (self.segment_frames - (own.end - own.start) as usize) / 2;
        let zeros_before = (result_at as u64).saturating_sub(own.start);
        let start = own.start.saturating_sub(result_at as u64);
        let room = self.segment_frames as u64 - zeros_before;
        Window {
            zeros_before: zeros_before as usize,
            frames: start..(start + room).min(self.frames),
            result_at,
        }
    }

    /// The segments that hold frame `at`, as a range of indices.
    pub fn segments_at(&self, at: u64) -> Range<usize> {
        if at >= self.frames {
            return 0..0;
        }
        let last = (at / self.stride as u64) as usize;
        let before = at.saturating_sub(self.segment_frames as u64 - 1);
        before.div_ceil(self.stride as u64) as usize..last + 1
    }

    /// The weight of a segment's frame `k` in the overlap, before it is divided by the sum of the
    /// weights: a triangle that is never zero. A short segment uses the triangle's beginning.
    pub fn weight(&self, k: usize) -> usize {
        if k < self.segment_frames / 2 { k + 1 } else { self.segment_frames - k }
    }

    /// The segment to compute next for a listener at frame `head`: the first unfinished one that
    /// sounds at or after it, else the first unfinished one of the song.
    pub fn next(&self, head: u64, is_done: impl Fn(usize) -> bool) -> Option<usize> {
        let from = match self.segments_at(head) {
            at if at.is_empty() => 0,
            // Where two overlap, the earlier one: it is nearer to its end, but sounds first.
            at => at.start,
        };
        (from..self.len()).chain(0..from).find(|&index| !is_done(index))
    }

    /// The frames that finished segments cover: ascending, disjoint.
    pub fn covered(&self, is_done: impl Fn(usize) -> bool) -> Vec<(u64, u64)> {
        let mut ranges: Vec<(u64, u64)> = Vec::new();
        for index in (0..self.len()).filter(|&index| is_done(index)) {
            let Range { start, end } = self.segment(index);
            match ranges.last_mut() {
                Some(last) if last.1 >= start => last.1 = last.1.max(end),
                _ => ranges.push((start, end)),
            }
        }
        ranges
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SEGMENT: usize = 343_980;

    #[test]
    fn stride_is_three_quarters() {
        assert_eq!(Plan::new(10_000_000, SEGMENT).stride, 257_985);
    }

    #[test]
    fn one_sample_is_centred_between_zeros() {
        let plan = Plan::new(1, SEGMENT);
        assert_eq!(plan.len(), 1);
        let window = plan.window(0);
        assert_eq!(window.result_at, (SEGMENT - 1) / 2);
        assert_eq!(window.zeros_before, (SEGMENT - 1) / 2);
        assert_eq!(window.frames, 0..1);
    }

    #[test]
    fn a_short_last_segment_borrows_audio_before_it() {
        let plan = Plan::new(257_985 + 1000, SEGMENT);
        assert_eq!(plan.len(), 2);
        assert_eq!(plan.segment(1), 257_985..258_985);
        let window = plan.window(1);
        assert_eq!(window.result_at, (SEGMENT - 1000) / 2);
        assert_eq!(window.zeros_before, 0);
        assert_eq!(window.frames, 257_985 - (SEGMENT as u64 - 1000) / 2..258_985);
    }

    #[test]
    fn weights_are_the_reference_triangle() {
        let even = Plan { frames: 8, segment_frames: 8, stride: 6 };
        assert_eq!((0..8).map(|k| even.weight(k)).collect::<Vec<_>>(), [1, 2, 3, 4, 4, 3, 2, 1]);
        let odd = Plan { frames: 7, segment_frames: 7, stride: 5 };
        assert_eq!((0..7).map(|k| odd.weight(k)).collect::<Vec<_>>(), [1, 2, 3, 4, 3, 2, 1]);
    }

    #[test]
    fn the_listener_comes_first() {
        let plan = Plan::new(1000, 100);
        assert_eq!(plan.next(0, |_| false), Some(0));
        assert_eq!(plan.next(500, |_| false), Some(6));
        assert_eq!(plan.next(500, |i| i >= 6), Some(0));
        assert_eq!(plan.next(5000, |i| i < 3), Some(3));
        assert_eq!(plan.next(0, |_| true), None);
    }

    proptest! {
        #[test]
        fn every_frame_is_held_and_windows_fit(frames in 1u64..5000, segment in 4usize..600) {
            let plan = Plan::new(frames, segment);
            for at in 0..frames {
                let holders = plan.segments_at(at);
                prop_assert!(!holders.is_empty());
                for index in 0..plan.len() {
                    prop_assert_eq!(holders.contains(&index), plan.segment(index).contains(&at));
                }
            }
            for index in 0..plan.len() {
                let (own, window) = (plan.segment(index), plan.window(index));
                let read = (window.frames.end - window.frames.start) as usize;
                prop_assert!(window.zeros_before + read <= segment);
                // The result's place in the window is where its audio was put.
                let offset = own.start as i64 - window.frames.start as i64;
                prop_assert_eq!(window.zeros_before as i64 + offset, window.result_at as i64);
                for k in 0..(own.end - own.start) as usize {
                    prop_assert!(plan.weight(k) > 0);
                }
            }
            prop_assert_eq!(plan.covered(|_| true), vec![(0, frames)]);
        }
    }
}
