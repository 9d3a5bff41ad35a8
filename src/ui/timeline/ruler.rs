//! The marks of the ruler: their distances and labels. Pure.

use super::viewport::Viewport;
use crate::{engine::SAMPLE_RATE, ui::words};

/// Steps between two labelled marks, in milliseconds, and the number of parts of each step.
const STEPS: [(u64, u32); 22] = [
    (1, 5),
    (2, 4),
    (5, 5),
    (10, 5),
    (20, 4),
    (50, 5),
    (100, 5),
    (200, 4),
    (500, 5),
    (1_000, 5),
    (2_000, 4),
    (5_000, 5),
    (10_000, 5),
    (15_000, 3),
    (30_000, 6),
    (60_000, 6),
    (120_000, 4),
    (300_000, 5),
    (600_000, 5),
    (1_800_000, 6),
    (3_600_000, 6),
    (7_200_000, 4),
];

/// A mark of the ruler.
#[derive(Clone, Debug, PartialEq)]
pub struct Mark {
    /// The mark's position in frames.
    pub frame: f64,
    /// The time; only major marks have it.
    pub label: Option<String>,
}

/// The visible marks over `width` points; labelled marks are at least `room` points apart.
pub fn marks(view: Viewport, frames: u64, width: f32, room: f32) -> Vec<Mark> {
    let rate = f64::from(SAMPLE_RATE);
    let points_per_ms = rate / 1000.0 / view.frames_per_point;
    let fits = |(step, _): &(u64, u32)| *step as f64 * points_per_ms >= f64::from(room);
    let (step, parts) = STEPS.into_iter().find(fits).unwrap_or(STEPS[STEPS.len() - 1]);
    // Counts minor marks, so that rounding errors do not accumulate.
    let each = step as f64 / f64::from(parts) * rate / 1000.0;
    let first = (view.first_frame.max(0.0) / each).ceil() as u64;
    let end = (view.first_frame + view.span(width)).min(frames as f64);
    (first..)
        .map(|index| (index, index as f64 * each))
        .take_while(|(_, frame)| *frame <= end)
        .take(2_000)
        .map(|(index, frame)| {
            let parts = u64::from(parts);
            let label = (index % parts == 0).then(|| time(index / parts * step, step));
            Mark { frame, label }
        })
        .collect()
}

/// A time with the decimals that the step needs.
fn time(ms: u64, step: u64) -> String {
    let clock = words::clock(ms / 1000 * u64::from(SAMPLE_RATE));
    match step {
        0..10 => format!("{clock}.{:03}", ms % 1000),
        10..100 => format!("{clock}.{:02}", ms / 10 % 100),
        100..1000 => format!("{clock}.{}", ms / 100 % 10),
        _ => clock,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: u64 = SAMPLE_RATE as u64;

    fn labels(view: Viewport, frames: u64) -> Vec<String> {
        marks(view, frames, 830.0, 64.0).into_iter().filter_map(|mark| mark.label).collect()
    }

    #[test]
    fn labels_have_room_at_any_zoom() {
        let song = 327 * RATE;
        let whole = Viewport::whole(song, 830.0);
        assert_eq!(labels(whole, song)[..3], ["0:00", "0:30", "1:00"]);
        let mut view = whole;
        for _ in 0..60 {
            let labelled: Vec<f64> = marks(view, song, 830.0, 64.0)
                .into_iter()
                .filter(|mark| mark.label.is_some())
                .map(|mark| mark.frame)
                .collect();
            for pair in labelled.windows(2) {
                assert!(view.points_to(pair[1]) - view.points_to(pair[0]) >= 63.9);
            }
            let all = marks(view, song, 830.0, 64.0).len();
            assert!((2..90).contains(&all) || view.frames_per_point < 0.1, "{all}");
            view = view.zoomed(1.3, 400.0).within(song, 830.0);
        }
    }

    #[test]
    fn near_times_have_decimals_and_are_exact() {
        let view = Viewport { first_frame: 63.0 * RATE as f64, frames_per_point: 5.0 };
        assert_eq!(labels(view, 100 * RATE)[..3], ["1:03.00", "1:03.01", "1:03.02"]);
        let view = Viewport { first_frame: 0.0, frames_per_point: 0.5 };
        assert_eq!(labels(view, 100 * RATE)[..3], ["0:00.000", "0:00.001", "0:00.002"]);
        let view = Viewport { first_frame: 0.0, frames_per_point: 200.0 };
        assert_eq!(labels(view, 100 * RATE)[..3], ["0:00.0", "0:00.5", "0:01.0"]);
    }

    #[test]
    fn hours_and_nothing_are_no_trouble() {
        let song = 36_000 * RATE;
        assert_eq!(labels(Viewport::whole(song, 830.0), song)[1], "1:00:00");
        assert_eq!(labels(Viewport::whole(0, 830.0), 0).len(), 1);
        assert!(marks(Viewport::whole(u64::MAX, 1.0), u64::MAX, 1.0, 64.0).len() <= 2_000);
    }
}
