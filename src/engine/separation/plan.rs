//! Division of a song into overlapping segments, and the weights for blending their results.
//!
//! Integers only; no samples, no files. Follows `demucs/apply.py` (`apply_model`, `TensorChunk`,
//! demucs 4.1.0) or `demix` of Music-Source-Separation-Training, depending on the network's
//! [`Joint`], so that joints match the reference to the sample. With shifts there are several
//! passes over the song, each with another delay. Segments are numbered pass by pass, and all
//! frames here refer to the undelayed song.

use std::ops::Range;

use super::options::{MOST_SHIFTS, Quality};
use crate::model::{Joint, Spec};

/// Segments of one song.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Length of the song in frames.
    pub frames: u64,
    /// Length of a model input in frames.
    pub segment_frames: usize,
    /// Frames between the starts of neighbouring segments.
    pub stride: usize,
    /// Kind of joint between neighbouring segments.
    pub joint: Joint,
    /// Frames by which the song is extended at both ends, by reflection.
    pub border: usize,
    /// Number of passes over the song.
    passes: usize,
    /// Frames of silence before the song in each pass.
    delays: [u16; MOST_SHIFTS as usize],
}

/// Input of a segment, as parts of the song. Frames outside of the stretches are zero.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// Parts of the song, in the order of their positions in the window.
    pub stretches: Vec<Stretch>,
    /// Start of the segment's own result in the window; a short segment is centred.
    pub result_at: usize,
}

/// A part of the song in a [`Window`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// Position of the first frame in the window.
    pub at: usize,
    /// Frames of the song.
    pub frames: Range<u64>,
    /// Whether the frames are in reverse order, because the song is reflected there.
    pub is_reversed: bool,
}

impl Stretch {
    /// Appends the next frame of the window if it continues the stretch.
    fn grow(&mut self, frame: u64) -> bool {
        let goes_on = !self.is_reversed && frame == self.frames.end;
        let goes_back = (self.is_reversed || self.len() == 1) && frame + 1 == self.frames.start;
        if goes_on {
            self.frames.end += 1;
        } else if goes_back {
            (self.frames.start, self.is_reversed) = (frame, true);
        }
        goes_on || goes_back
    }

    /// Length in frames.
    pub fn len(&self) -> usize {
        (self.frames.end - self.frames.start) as usize
    }

    /// Whether the stretch has no frames.
    pub fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }
}

impl Plan {
    /// Creates a plan with triangular weights and an overlap of a quarter.
    pub fn new(frames: u64, segment_frames: usize) -> Self {
        Self::of(frames, &Spec::triangle(Vec::new(), segment_frames), Quality::STANDARD)
    }

    /// Creates the plan of a network and a quality for a song of `frames` frames.
    pub fn of(frames: u64, spec: &Spec, quality: Quality) -> Self {
        let quality = quality.within(spec);
        let stride = spec.stride(quality.overlap);
        // Half a second, as in the reference, but limited so that no segment lies completely before
        // the song.
        let most = (spec.sample_rate as usize / 2).min(stride - 1).min(usize::from(u16::MAX));
        let delays = quality.delays(most as u16);
        let plain = Self::with_delays(frames, spec.segment_frames, stride, &delays);
        match spec.joint {
            Joint::Triangle => plain,
            Joint::Fade => {
                let border = spec.segment_frames - stride;
                let border = if frames > 2 * border as u64 { border } else { 0 };
                Self { joint: Joint::Fade, border, ..plain }
            }
        }
    }

    /// Creates a plan with triangular weights and one pass per delay, each less than `stride`;
    /// without delays, a single undelayed pass.
    pub fn with_delays(frames: u64, segment_frames: usize, stride: usize, delays: &[u16]) -> Self {
        let mut all = [0; MOST_SHIFTS as usize];
        for (kept, delay) in all.iter_mut().zip(delays) {
            *kept = *delay;
        }
        let passes = delays.len().clamp(1, all.len());
        let (joint, border) = (Joint::Triangle, 0);
        Self { frames, segment_frames, stride, joint, border, passes, delays: all }
    }

    /// Number of segments; 0 for an empty song.
    pub fn len(&self) -> usize {
        self.pass(self.passes - 1).end
    }

    /// Whether the song is empty.
    pub fn is_empty(&self) -> bool {
        self.frames == 0
    }

    /// Number of passes over the song; more than 1 only with shifts.
    pub fn passes(&self) -> usize {
        self.passes
    }

    /// Delays of the passes; empty for a single undelayed pass.
    pub fn delays(&self) -> &[u16] {
        let delays = &self.delays[..self.passes];
        if delays == [0] { &[] } else { delays }
    }

    /// Range of the segments of a pass.
    pub fn pass(&self, pass: usize) -> Range<usize> {
        // Omit segments that lie completely in the border after the song, because they are
        // inaudible.
        let count = |pass: usize| match self.frames {
            0 => 0,
            frames => (frames + self.lead(pass)).div_ceil(self.stride as u64) as usize,
        };
        let start = (0..pass).map(count).sum();
        start..start + count(pass)
    }

    /// Frames from the beginning of a pass's first segment to that of the song.
    fn lead(&self, pass: usize) -> u64 {
        u64::from(self.delays[pass]) + self.border as u64
    }

    /// Pass that a segment belongs to.
    pub fn pass_of(&self, index: usize) -> usize {
        (0..self.passes).find(|&pass| index < self.pass(pass).end).unwrap_or(self.passes - 1)
    }

    /// Song frame at a segment's beginning; negative for the first segment of a delayed or extended
    /// pass.
    fn origin(&self, index: usize) -> i64 {
        let pass = self.pass_of(index);
        let number = index - self.pass(pass).start;
        (number * self.stride) as i64 - self.lead(pass) as i64
    }

    /// Frames for which segment `index` has a result. The last segments may be short.
    pub fn segment(&self, index: usize) -> Range<u64> {
        let within = |at: i64| (at.max(0) as u64).min(self.frames);
        let origin = self.origin(index);
        within(origin)..within(origin + self.segment_frames as i64)
    }

    /// Frames of the results of these segments together.
    pub fn stored_frames(&self, is_counted: impl Fn(usize) -> bool) -> u64 {
        let counted = (0..self.len()).filter(|&index| is_counted(index));
        counted.map(|index| self.segment(index)).map(|own| own.end - own.start).sum()
    }

    /// Input of segment `index` from the mix.
    pub fn window(&self, index: usize) -> Window {
        let start = self.window_start(index);
        let stretches = match self.joint {
            Joint::Triangle => self.between_zeros(start).into_iter().collect(),
            Joint::Fade => self.reflected(start),
        };
        Window { stretches, result_at: self.result_at(index) }
    }

    /// Position of segment `index`'s own result in its window.
    pub fn result_at(&self, index: usize) -> usize {
        (self.segment(index).start as i64 - self.window_start(index)) as usize
    }

    /// Song frame at the beginning of a segment's window.
    fn window_start(&self, index: usize) -> i64 {
        let (origin, segment) = (self.origin(index), self.segment_frames as i64);
        match self.joint {
            // Frames before the song are part of the segment, those after it are not.
            Joint::Triangle => {
                let end = (origin + segment).min(self.frames as i64);
                origin - (segment - (end - origin)) / 2
            }
            Joint::Fade => origin,
        }
    }

    /// Stretch of a window from frame `start`, which may be negative, with zeros around the song.
    fn between_zeros(&self, start: i64) -> Option<Stretch> {
        let at = (-start).max(0) as usize;
        let from = start.max(0) as u64;
        let to = (from + self.segment_frames.checked_sub(at)? as u64).min(self.frames);
        (from < to).then_some(Stretch { at, frames: from..to, is_reversed: false })
    }

    /// Stretches of a window from frame `start` of the extended song. Missing frames after it are
    /// reflected if more than half of the window exists, and zero otherwise.
    fn reflected(&self, start: i64) -> Vec<Stretch> {
        let (frames, segment) = (self.frames as i64, self.segment_frames as i64);
        let there = (frames + self.border as i64 - start).min(segment);
        let reflects = there > segment / 2;
        let mut stretches: Vec<Stretch> = Vec::new();
        for at in 0..if reflects { segment } else { there } {
            let at_source = if at < there { at } else { 2 * (there - 1) - at };
            let frame = match start + at_source {
                before if before < 0 => -before,
                after if after >= frames => 2 * (frames - 1) - after,
                inside => inside,
            } as u64;
            if !stretches.last_mut().is_some_and(|last| last.grow(frame)) {
                let frames = frame..frame + 1;
                stretches.push(Stretch { at: at as usize, frames, is_reversed: false });
            }
        }
        stretches
    }

    /// Range of the segments in a pass that contain frame `at`.
    pub fn segments_at(&self, pass: usize, at: u64) -> Range<usize> {
        if at >= self.frames {
            return 0..0;
        }
        let (first, at) = (self.pass(pass).start, at + self.lead(pass));
        let last = (at / self.stride as u64) as usize;
        let before = at.saturating_sub(self.segment_frames as u64 - 1);
        first + before.div_ceil(self.stride as u64) as usize..first + last + 1
    }

    /// Range of the segments in a pass that contain any of these frames.
    pub fn segments_in(&self, pass: usize, frames: Range<u64>) -> Range<usize> {
        let end = frames.end.min(self.frames);
        if frames.start >= end {
            return 0..0;
        }
        self.segments_at(pass, frames.start).start..self.segments_at(pass, end - 1).end
    }

    /// Next frame after `at` where the set of segments in a pass changes.
    pub fn change_after(&self, pass: usize, at: u64) -> u64 {
        let held = self.segments_at(pass, at);
        if held.is_empty() {
            return self.frames;
        }
        // Either the first segment ends, or the next one begins.
        let next = match held.end {
            end if end < self.pass(pass).end => self.segment(end).start,
            _ => self.frames,
        };
        self.segment(held.start).end.min(next)
    }

    /// Unnormalised weight of a segment's result at a song frame; see [`Self::weight`].
    pub fn weight_at(&self, index: usize, at: u64) -> usize {
        self.weight(index, (at as i64 - self.origin(index)) as usize)
    }

    /// Unnormalised weight of frame `k` of a segment. A triangle is never zero; a short segment
    /// uses its beginning. A fade is zero at its first or last frame, where another segment is
    /// audible.
    fn weight(&self, index: usize, k: usize) -> usize {
        let segment = self.segment_frames;
        match self.joint {
            Joint::Triangle => {
                if k < segment / 2 {
                    k + 1
                } else {
                    segment - k
                }
            }
            Joint::Fade => {
                let fade = self.joint.fade_frames(segment);
                let full = fade.saturating_sub(1).max(1);
                let extended = self.frames + 2 * self.border as u64;
                let is_last = ((index + 1) * self.stride) as u64 >= extended;
                if fade < 2 {
                    full
                } else if k < fade && index > 0 {
                    k
                } else if k >= segment - fade && !is_last {
                    segment - 1 - k
                } else {
                    full
                }
            }
        }
    }

    /// Next segment to compute for a listener at frame `head`: the first unfinished one at or after
    /// it, else the first unfinished one of the song. Passes are completed in order.
    pub fn next(&self, head: u64, is_done: impl Fn(usize) -> bool) -> Option<usize> {
        (0..self.passes).find_map(|pass| {
            let all = self.pass(pass);
            let from = match self.segments_at(pass, head) {
                at if at.is_empty() => all.start,
                // In an overlap, take the earlier segment: it ends sooner, but is heard first.
                at => at.start,
            };
            (from..all.end).chain(all.start..from).find(|&index| !is_done(index))
        })
    }

    /// Frame ranges that finished segments of any pass cover: ascending, disjoint.
    pub fn covered(&self, is_done: impl Fn(usize) -> bool) -> Vec<(u64, u64)> {
        let all = (0..self.passes).flat_map(|pass| self.covered_in(pass, &is_done)).collect();
        union(all)
    }

    /// Frame ranges with final results: every segment that contains them is finished.
    pub fn finished(&self, is_done: impl Fn(usize) -> bool) -> Vec<(u64, u64)> {
        let open = |index: &usize| !is_done(*index);
        let gaps = (0..self.len()).filter(open).map(|index| self.segment(index));
        without((0, self.frames), &union(gaps.map(|gap| (gap.start, gap.end)).collect()))
    }

    fn covered_in(&self, pass: usize, is_done: &impl Fn(usize) -> bool) -> Vec<(u64, u64)> {
        let done = self.pass(pass).filter(|&index| is_done(index));
        union(
            done.map(|index| self.segment(index))
                .map(|frames| (frames.start, frames.end))
                .collect(),
        )
    }
}

/// Intersection of two lists of ascending, disjoint frame ranges.
pub fn intersection(one: &[(u64, u64)], other: &[(u64, u64)]) -> Vec<(u64, u64)> {
    let both = one.iter().flat_map(|a| other.iter().map(|b| (a.0.max(b.0), a.1.min(b.1))));
    both.filter(|(start, end)| start < end).collect()
}

/// Union of frame ranges as ascending, disjoint ranges.
pub fn union(mut ranges: Vec<(u64, u64)>) -> Vec<(u64, u64)> {
    ranges.sort_unstable();
    let mut all: Vec<(u64, u64)> = Vec::new();
    for (start, end) in ranges.into_iter().filter(|(start, end)| start < end) {
        match all.last_mut() {
            Some(last) if last.1 >= start => last.1 = last.1.max(end),
            _ => all.push((start, end)),
        }
    }
    all
}

/// Remainder of a range without the gaps, which are ascending and disjoint.
pub fn without((start, end): (u64, u64), gaps: &[(u64, u64)]) -> Vec<(u64, u64)> {
    let mut left = Vec::new();
    let mut from = start;
    for (gap_start, gap_end) in gaps {
        if from < (*gap_start).min(end) {
            left.push((from, (*gap_start).min(end)));
        }
        from = from.max(*gap_end);
    }
    if from < end {
        left.push((from, end));
    }
    left
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SEGMENT: usize = 343_980;

    fn forward(at: usize, frames: Range<u64>) -> Stretch {
        Stretch { at, frames, is_reversed: false }
    }

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
        assert_eq!(window.stretches, [forward((SEGMENT - 1) / 2, 0..1)]);
    }

    #[test]
    fn a_short_last_segment_borrows_audio_before_it() {
        let plan = Plan::new(257_985 + 1000, SEGMENT);
        assert_eq!(plan.len(), 2);
        assert_eq!(plan.segment(1), 257_985..258_985);
        let window = plan.window(1);
        assert_eq!(window.result_at, (SEGMENT - 1000) / 2);
        let borrowed = 257_985 - (SEGMENT as u64 - 1000) / 2..258_985;
        assert_eq!(window.stretches, [forward(0, borrowed)]);
    }

    #[test]
    fn weights_are_the_reference_triangle() {
        let even = Plan::with_delays(8, 8, 6, &[]);
        assert_eq!((0..8).map(|k| even.weight(0, k)).collect::<Vec<_>>(), [1, 2, 3, 4, 4, 3, 2, 1]);
        let odd = Plan::with_delays(7, 7, 5, &[]);
        assert_eq!((0..7).map(|k| odd.weight(0, k)).collect::<Vec<_>>(), [1, 2, 3, 4, 3, 2, 1]);
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

    #[test]
    fn a_pass_with_a_delay_is_the_reference_shift() {
        // The song has 250 frames; delayed by 30 it has 280: segments at 0, 75, 150, 225 of that.
        let plan = Plan::with_delays(250, 100, 75, &[0, 30]);
        assert_eq!((plan.passes(), plan.pass(0), plan.pass(1)), (2, 0..4, 4..8));
        assert_eq!(plan.segment(4), 0..70);
        assert_eq!(plan.window(4), Window { stretches: vec![forward(30, 0..70)], result_at: 30 });
        assert_eq!(plan.weight_at(4, 0), 31);
        assert_eq!(plan.segment(7), 195..250);
        // A short segment: 55 of 100 frames, centred after preceding audio of the song.
        assert_eq!(plan.window(7), Window { stretches: vec![forward(0, 173..250)], result_at: 22 });
        assert_eq!(plan.next(0, |index| index < 4), Some(4), "passes must be completed in order");
        assert_eq!(plan.next(200, |index| index < 4), Some(6));
        assert_eq!(plan.covered(|index| index == 4), [(0, 70)]);
        assert_eq!(plan.finished(|index| index != 7), [(0, 195)]);
        assert_eq!(plan.finished(|_| true), [(0, 250)]);
    }

    proptest! {
        #[test]
        fn every_frame_is_held_in_every_pass_and_windows_fit(
            frames in 1u64..2000, segment in 4usize..300, overlap in 0u8..=50, shifts in 0u8..4
        ) {
            let spec =
                Spec { sample_rate: 600, ..Spec::triangle(vec!["one".into()], segment) };
            let quality = Quality { overlap, shifts, seed: frames as u32, is_draft: false };
            let plan = Plan::of(frames, &spec, quality);
            prop_assert_eq!(plan.passes(), usize::from(shifts.max(1)));
            for pass in 0..plan.passes() {
                for at in 0..frames {
                    let holders = plan.segments_at(pass, at);
                    prop_assert!(!holders.is_empty());
                    for index in plan.pass(pass) {
                        prop_assert_eq!(holders.contains(&index), plan.segment(index).contains(&at));
                        prop_assert_eq!(plan.pass_of(index), pass);
                    }
                    let change = plan.change_after(pass, at);
                    prop_assert!(change > at);
                    for next in at..change {
                        prop_assert_eq!(plan.segments_at(pass, next), holders.clone());
                    }
                    let weights = holders.map(|index| plan.weight_at(index, at));
                    prop_assert!(weights.into_iter().all(|weight| weight > 0));
                }
            }
            for index in 0..plan.len() {
                let (own, window) = (plan.segment(index), plan.window(index));
                let [read] = &window.stretches[..] else { panic!("{window:?}") };
                prop_assert!(read.at + read.len() <= segment && !read.is_reversed);
                prop_assert!(!own.is_empty());
                // The result's position in the window is where its audio was placed.
                let offset = own.start as i64 - read.frames.start as i64;
                prop_assert_eq!(read.at as i64 + offset, window.result_at as i64);
                prop_assert!(window.result_at + (own.end - own.start) as usize <= segment);
            }
            prop_assert_eq!(plan.covered(|_| true), vec![(0, frames)]);
            prop_assert_eq!(plan.finished(|_| true), vec![(0, frames)]);
            prop_assert_eq!(plan.finished(|_| false), vec![]);
        }
    }
}
