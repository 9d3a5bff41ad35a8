//! The range of the song that the lanes show: zoom and scrolling. Pure arithmetic over frames and
//! points.

use std::ops::Range;

/// Points for one frame at the highest zoom.
const POINTS_PER_FRAME: f64 = 16.0;
/// The play head's position after a page turn, as a fraction of the width.
const PAGE_MARGIN: f64 = 0.08;

/// A range of the song, laid out over a width.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Viewport {
    /// The frame at the left edge.
    pub first_frame: f64,
    /// Frames for one point.
    pub frames_per_point: f64,
}

impl Viewport {
    /// The whole song over `width` points.
    pub fn whole(frames: u64, width: f32) -> Self {
        let frames_per_point = (frames as f64 / f64::from(width.max(1.0))).max(f64::MIN_POSITIVE);
        Self { first_frame: 0.0, frames_per_point }
    }

    /// These frames, scaled to `width` points.
    pub fn of(frames: &Range<u64>, width: f32) -> Self {
        let count = frames.end.saturating_sub(frames.start);
        Self { first_frame: frames.start as f64, ..Self::whole(count.max(1), width) }
    }

    /// The nearest view that stays within the song and the highest zoom.
    #[must_use]
    pub fn within(self, frames: u64, width: f32) -> Self {
        let whole = Self::whole(frames, width).frames_per_point;
        let finest = (1.0 / POINTS_PER_FRAME).min(whole);
        let asked = if self.frames_per_point.is_finite() { self.frames_per_point } else { whole };
        let frames_per_point = asked.clamp(finest, whole);
        let last = (frames as f64 - frames_per_point * f64::from(width.max(1.0))).max(0.0);
        let first_frame = if self.first_frame.is_finite() { self.first_frame } else { 0.0 };
        Self { first_frame: first_frame.clamp(0.0, last), frames_per_point }
    }

    /// Whether this is the whole song, up to rounding.
    pub fn is_whole(self, frames: u64, width: f32) -> bool {
        self.frames_per_point >= Self::whole(frames, width).frames_per_point * (1.0 - 1e-9)
    }

    /// Points from the left edge to a frame; negative before it.
    pub fn points_to(self, frame: f64) -> f32 {
        // Drawing needs finite figures, so far outside points are clamped.
        ((frame - self.first_frame) / self.frames_per_point).clamp(-1e6, 1e6) as f32
    }

    /// The frame at a distance from the left edge, in points.
    pub fn frame_at(self, points: f32) -> f64 {
        self.first_frame + f64::from(points) * self.frames_per_point
    }

    /// Number of frames over `width` points.
    pub fn span(self, width: f32) -> f64 {
        f64::from(width) * self.frames_per_point
    }

    /// The view zoomed in by `factor` (out for less than 1), keeping the frame at `points` in
    /// place.
    #[must_use]
    pub fn zoomed(self, factor: f64, points: f32) -> Self {
        let frames_per_point = self.frames_per_point / factor.max(1e-6);
        let held = self.frame_at(points);
        Self { first_frame: held - f64::from(points) * frames_per_point, frames_per_point }
    }

    /// The view scrolled forward by `points`.
    #[must_use]
    pub fn scrolled(self, points: f32) -> Self {
        Self { first_frame: self.frame_at(points), ..self }
    }

    /// Whether a frame is visible.
    pub fn shows(self, frame: f64, width: f32) -> bool {
        (self.first_frame..self.first_frame + self.span(width)).contains(&frame)
    }

    /// The page that starts just before a frame.
    #[must_use]
    pub fn turned_to(self, frame: f64, width: f32) -> Self {
        Self { first_frame: frame - PAGE_MARGIN * self.span(width), ..self }
    }

    /// The range to fetch finer peaks for, and the frames of a bin. `None` if a bar of `pitch`
    /// points spans at least `coarsest` frames. The range has a margin on both sides and seldom
    /// changes while scrolling.
    pub fn detail(self, width: f32, pitch: f32, coarsest: usize) -> Option<(Range<u64>, usize)> {
        let per_bar = self.frames_per_point * f64::from(pitch);
        if per_bar >= coarsest as f64 {
            return None;
        }
        let bin = 1usize << (per_bar.max(1.0).log2().floor() as u32);
        let half = (self.span(width) / 2.0).ceil().max(bin as f64) as u64;
        let half = half.next_power_of_two();
        let tile = self.first_frame.max(0.0) as u64 / half;
        Some((tile.saturating_sub(1) * half..(tile + 4) * half, bin))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SONG: u64 = 44_100 * 300;

    #[test]
    fn the_whole_song_fills_the_width() {
        let view = Viewport::whole(SONG, 800.0);
        assert_eq!(view.points_to(0.0), 0.0);
        assert_eq!(view.points_to(SONG as f64), 800.0);
        assert!(view.is_whole(SONG, 800.0) && !view.zoomed(2.0, 0.0).is_whole(SONG, 800.0));
        assert_eq!(Viewport::whole(0, 0.0).within(0, 0.0).first_frame, 0.0);
    }

    #[test]
    fn a_page_turns_to_just_before_the_play_head() {
        let view = Viewport::whole(SONG, 800.0).zoomed(10.0, 0.0);
        let head = SONG as f64 / 2.0;
        assert!(!view.shows(head, 800.0));
        let turned = view.turned_to(head, 800.0).within(SONG, 800.0);
        assert!(turned.shows(head, 800.0));
        assert!(turned.points_to(head) < 80.0);
        let end = view.turned_to(SONG as f64, 800.0).within(SONG, 800.0);
        assert!((end.points_to(SONG as f64) - 800.0).abs() < 1e-3, "the view ends with the song");
    }

    #[test]
    fn detail_is_wanted_only_close_by_and_covers_what_is_seen() {
        let whole = Viewport::whole(SONG, 800.0);
        assert_eq!(whole.detail(800.0, 3.0, 512), None);
        let mut view = whole;
        for _ in 0..40 {
            view = view.zoomed(1.5, 300.0).within(SONG, 800.0);
            let Some((frames, bin)) = view.detail(800.0, 3.0, 512) else { continue };
            assert!(bin < 512 && bin as f64 <= (view.frames_per_point * 3.0).max(1.0));
            assert!(frames.start as f64 <= view.first_frame.max(0.0));
            assert!(frames.end as f64 >= view.first_frame + view.span(800.0));
            let bins = (frames.end - frames.start) / bin as u64;
            assert!(bins < 8_000, "{bins} bins of {bin}");
        }
        assert_eq!(
            view.detail(800.0, 3.0, 512).unwrap().1,
            1,
            "single samples at the highest zoom"
        );
    }

    proptest! {
        #[test]
        fn zooming_holds_what_is_under_the_pointer(
            first in 0.0..1e7f64, each in 0.1..1e4f64, factor in 0.2..5.0f64, at in 0.0..900.0f32
        ) {
            let view = Viewport { first_frame: first, frames_per_point: each };
            let closer = view.zoomed(factor, at);
            prop_assert!((closer.frame_at(at) - view.frame_at(at)).abs() < 1e-3);
        }

        #[test]
        fn a_view_never_leaves_the_song(
            frames in 0..100_000_000u64, width in 0.0..3000.0f32,
            first in -1e9..1e9f64, each in 1e-9..1e9f64
        ) {
            let view = Viewport { first_frame: first, frames_per_point: each }.within(frames, width);
            prop_assert!(view.first_frame >= 0.0);
            let end = view.first_frame + view.span(width.max(1.0));
            prop_assert!(end <= (frames as f64).max(view.span(width.max(1.0))) + 1.0);
            prop_assert!(view.frames_per_point > 0.0 && view.frames_per_point.is_finite());
            prop_assert_eq!(view.within(frames, width), view);
        }
    }
}
