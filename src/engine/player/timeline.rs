//! Timeline of a track: linear, then repeating once a loop's end is reached. Positions only
//! increase, so that two decks on one timeline meet at the same frame. Pure.

use super::ramp::FADE_FRAMES;

/// A path through a track.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Timeline {
    /// Timeline position of the start.
    pub(super) start: u64,
    /// Track frame at the start.
    pub(super) frame: u64,
    /// Length of the track in frames.
    pub(super) end: u64,
    /// Repeated frames `[start, end)`; a start after their end never enters the loop.
    pub(super) region: Option<(u64, u64)>,
}

/// Contiguous frames to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stretch {
    /// First frame.
    pub(super) frame: u64,
    /// Number of frames; 0 at the end of the track.
    pub(super) frames: u64,
    /// Frames until the loop's end, where these fade into the frames before its start.
    pub(super) to_joint: Option<u64>,
    /// Frames since the loop's start, if it has no preceding frames and these fade in from silence.
    pub(super) from_joint: Option<u64>,
}

impl Timeline {
    /// The loop, if the path reaches it.
    fn looped(&self) -> Option<(u64, u64)> {
        let region = self.region.map(|(start, end)| (start, end.min(self.end)));
        region.filter(|&(start, end)| start < end && self.frame < end)
    }

    /// Track frame at a timeline position.
    pub(super) fn frame_at(&self, timeline_position: u64) -> u64 {
        let straight = self.frame + timeline_position.saturating_sub(self.start);
        match self.looped() {
            Some((start, end)) if straight >= end => start + (straight - end) % (end - start),
            _ => straight.min(self.end),
        }
    }

    /// Whether the path has passed the loop's end before this timeline position.
    pub(super) fn has_turned(&self, timeline_position: u64) -> bool {
        let straight = self.frame + timeline_position.saturating_sub(self.start);
        self.looped().is_some_and(|(_, end)| straight >= end)
    }

    /// Timeline position after the last frame.
    pub(super) fn length(&self) -> u64 {
        match self.looped() {
            Some(_) => u64::MAX,
            None => self.start + self.end.saturating_sub(self.frame),
        }
    }

    /// Length of the fade at the joint in frames: at most half the loop.
    pub(super) fn fade_frames(&self) -> u64 {
        let half = self.looped().map_or(0, |(start, end)| (end - start) / 2);
        half.min(FADE_FRAMES.into())
    }

    /// First frame of the loop.
    pub(super) fn loop_start(&self) -> u64 {
        self.looped().map_or(0, |(start, _)| start)
    }

    /// Next frames to read from a timeline position.
    pub(super) fn stretch(&self, timeline_position: u64) -> Stretch {
        let frame = self.frame_at(timeline_position);
        let plain = |frames| Stretch { frame, frames, to_joint: None, from_joint: None };
        let Some((start, end)) = self.looped() else { return plain(self.end - frame) };
        let fade = self.fade_frames();
        let begins_bare = start < fade && self.has_turned(timeline_position);
        if frame >= end - fade {
            Stretch { to_joint: Some(end - frame), ..plain(end - frame) }
        } else if begins_bare && frame < start + fade {
            Stretch { from_joint: Some(frame - start), ..plain(start + fade - frame) }
        } else {
            plain(end - fade - frame)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn timeline(frame: u64, region: Option<(u64, u64)>) -> Timeline {
        Timeline { start: 100, frame, end: 10_000, region }
    }

    #[test]
    fn a_linear_path_ends_with_the_track() {
        for region in [None, Some((500, 2_000)), Some((20_000, 30_000)), Some((7, 7))] {
            let timeline = timeline(3_000, region);
            assert_eq!((timeline.length(), timeline.frame_at(100)), (7_100, 3_000));
            assert_eq!((timeline.frame_at(7_099), timeline.frame_at(9_000)), (9_999, 10_000));
            assert!(!timeline.has_turned(7_000));
            assert_eq!(timeline.stretch(200).frames, 6_900);
            assert_eq!(timeline.stretch(7_100).frames, 0);
        }
    }

    #[test]
    fn a_loop_returns_from_its_end_to_its_start() {
        let timeline = timeline(0, Some((2_000, 3_000)));
        assert_eq!(timeline.length(), u64::MAX);
        assert_eq!(
            [3_099, 3_100, 4_099, 4_100].map(|t| timeline.frame_at(t)),
            [2_999, 2_000, 2_999, 2_000]
        );
        assert_eq!([3_099, 3_100, 9_000].map(|t| timeline.has_turned(t)), [false, true, true]);
        let past_the_end = Timeline { region: Some((9_000, 40_000)), ..timeline };
        assert_eq!(past_the_end.frame_at(10_100), 9_000);
    }

    proptest! {
        /// Stretches are contiguous, and each frame is where the timeline has it.
        #[test]
        fn stretches_cover_the_way(frame in 0u64..3_000, start in 0u64..2_000, len in 1u64..2_000) {
            let timeline = timeline(frame, Some((start, start + len)));
            let mut timeline_position = 100;
            while timeline_position < 9_000.min(timeline.length()) {
                let stretch = timeline.stretch(timeline_position);
                prop_assert!(stretch.frames > 0);
                for i in 0..stretch.frames {
                    prop_assert_eq!(timeline.frame_at(timeline_position + i), stretch.frame + i);
                }
                let left = stretch.to_joint.unwrap_or(1);
                prop_assert!(left <= timeline.fade_frames().max(1));
                timeline_position += stretch.frames;
            }
        }
    }
}
