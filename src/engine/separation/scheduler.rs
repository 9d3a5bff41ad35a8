//! Selection of the next segment for a listener, and preemption of the current one. Pure: callers
//! pass the listener's position and the time. Owned by the thread that separates.
//!
//! When work begins and after a jump, the segment at the playback position is first. In an overlap,
//! this is the segment that will still be audible when it is finished. If computing is slower than
//! playback, the listener has left a segment before it is finished. During playback, the next
//! segment is therefore the first that can be finished in time.

use std::time::Instant;

use super::plan::Plan;
use crate::engine::types::SAMPLE_RATE;

/// Distance in seconds from the expected position at which the listener has jumped.
const JUMP_SECONDS: f64 = 1.0;

/// Tolerance of lateness: a segment is in time if at most this part of a stride has been played
/// when it is finished.
const LATE: f64 = 0.25;

/// Fraction of remaining work below which a segment is finished despite a jump.
const NEARLY: f64 = 0.25;

/// Position and speed of the listener.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Listener {
    /// Currently audible frame.
    pub frame: u64,
    /// Playback speed in frames per second; 0 when paused.
    pub frames_per_second: f64,
}

impl Listener {
    /// Creates a listener who is paused.
    pub fn at(frame: u64) -> Self {
        Self { frame, frames_per_second: 0.0 }
    }

    /// Creates a listener at a relative speed, which is 0 when paused.
    pub fn moving(frame: u64, speed: f64) -> Self {
        Self { frame, frames_per_second: speed * f64::from(SAMPLE_RATE) }
    }
}

/// Scheduler of segments.
#[derive(Clone, Copy, Debug)]
pub struct Scheduler {
    /// Seconds per segment, if known.
    pace: Option<f64>,
    /// Last known listener, and the time of observation.
    seen: Option<(Listener, Instant)>,
    /// Whether the listener has jumped since a segment was begun.
    jumped: bool,
    /// Start of the current segment.
    begun: Option<Instant>,
}

impl Scheduler {
    /// Creates a scheduler with an expected pace, if known.
    pub fn new(pace: Option<f64>) -> Self {
        let pace = pace.filter(|pace| pace.is_finite() && *pace > 0.0);
        Self { pace, seen: None, jumped: false, begun: None }
    }

    /// Selects the segment to begin now, if one is missing.
    pub fn next(
        &mut self,
        plan: &Plan,
        listener: Listener,
        now: Instant,
        is_done: &dyn Fn(usize) -> bool,
    ) -> Option<usize> {
        self.look(listener, now);
        let has_jumped = std::mem::replace(&mut self.jumped, false);
        self.begun = Some(now);
        let first = plan.next(listener.frame, is_done)?;
        let moves = self.pace.map_or(0.0, |pace| pace * listener.frames_per_second);
        let head_then = listener.frame + moves as u64;
        let late = (LATE * plan.stride as f64) as u64;
        let mut here = plan.segments_at(plan.pass_of(first), listener.frame);
        if has_jumped && !here.clone().any(is_done) {
            // In an overlap, the first segment is useless if the listener will have left it.
            let lasts = |&index: &usize| {
                let is_known = self.pace.is_some() || listener.frames_per_second <= 0.0;
                is_known && plan.segment(index).end > head_then + late
            };
            let last = here.clone().next_back();
            if let Some(index) = here.find(lasts).or(last) {
                return Some(index);
            }
        }
        let in_time = |&index: &usize| {
            let own = plan.segment(index);
            // Up to here, the previous segment is audible.
            let is_after_done = index > 0 && is_done(index - 1);
            let from = if is_after_done { plan.segment(index - 1).end } else { own.start };
            !is_done(index) && from + late >= head_then && own.end > head_then
        };
        if moves <= 0.0 {
            Some(first)
        } else {
            (first..plan.pass(plan.pass_of(first)).end).find(in_time).or(Some(first))
        }
    }

    /// Records that the segment of the last [`Self::next`] is finished.
    pub fn computed(&mut self, now: Instant) {
        if let Some(begun) = self.begun.take() {
            self.pace = Some((now - begun).as_secs_f64());
        }
    }

    /// Whether to preempt the segment `current`: the listener has jumped to an unfinished section,
    /// and much of `current` remains to be computed.
    pub fn should_preempt(
        &mut self,
        plan: &Plan,
        current: usize,
        listener: Listener,
        now: Instant,
        is_done: &dyn Fn(usize) -> bool,
    ) -> bool {
        self.look(listener, now);
        let (Some(begun), Some(pace)) = (self.begun, self.pace) else { return false };
        // Only in the first pass, because later ones merely improve what is already audible.
        let mut here = match plan.pass_of(current) {
            0 => plan.segments_at(0, listener.frame),
            _ => 0..0,
        };
        let is_wanted = !here.is_empty() && here.all(|index| index != current && !is_done(index));
        let left = 1.0 - now.saturating_duration_since(begun).as_secs_f64() / pace;
        is_wanted && left > NEARLY && self.jumped
    }

    /// Updates the position of the listener.
    fn look(&mut self, listener: Listener, now: Instant) {
        let Some((before, then)) = self.seen.replace((listener, now)) else {
            self.jumped = true;
            return;
        };
        let passed = now.saturating_duration_since(then).as_secs_f64();
        let rate = before.frames_per_second.max(listener.frames_per_second);
        let moved = listener.frame as f64 - before.frame as f64;
        let tolerance = JUMP_SECONDS * f64::from(SAMPLE_RATE);
        // Playback may have been paused in between.
        self.jumped |= moved < -tolerance || moved > passed * rate + tolerance;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const SEGMENT: usize = 343_980;

    /// Simulates playback of `segments` strides while each segment takes `pace` strides. Returns
    /// the order of computation.
    fn order(segments: usize, pace: f64) -> Vec<usize> {
        let plan = Plan::new((segments * 257_985) as u64, SEGMENT);
        let stride = plan.stride as f64 / f64::from(SAMPLE_RATE);
        let start = Instant::now();
        let (mut scheduler, mut done, mut seconds) =
            (Scheduler::new(Some(pace * stride)), Vec::new(), 0.0);
        while done.len() < segments {
            let now = start + Duration::from_secs_f64(seconds);
            let frame = ((seconds * f64::from(SAMPLE_RATE)) as u64).min(plan.frames);
            let listener = Listener::moving(frame, 1.0);
            let next =
                scheduler.next(&plan, listener, now, &|index| done.contains(&index)).unwrap();
            seconds += pace * stride;
            scheduler.computed(start + Duration::from_secs_f64(seconds));
            done.push(next);
        }
        done
    }

    #[test]
    fn a_fast_machine_computes_in_order() {
        assert_eq!(order(6, 0.5), [0, 1, 2, 3, 4, 5]);
        assert_eq!(order(6, 0.7), [0, 1, 2, 3, 4, 5]);
    }

    #[test]
    fn a_slow_machine_starts_at_the_head_and_then_skips_ahead() {
        // Three strides per segment: after the first, the head is at 3, after the next at 6.
        assert_eq!(order(12, 3.0)[..4], [0, 6, 9, 8]);
        // At the speed of the song, a segment would be mostly over once finished.
        assert_eq!(order(6, 1.0), [0, 2, 3, 4, 5, 1]);
        // Slightly slower than the song: a slightly late segment is still useful.
        assert_eq!(order(9, 1.1)[..4], [0, 2, 3, 4]);
    }

    #[test]
    fn a_jump_selects_the_segment_under_the_head() {
        let plan = Plan::new(20 * 257_985, SEGMENT);
        let (mut scheduler, start) = (Scheduler::new(Some(30.0)), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        let none = |_: usize| false;
        let under = |index: u64| index * 257_985 + 100_000;
        assert_eq!(scheduler.next(&plan, Listener::moving(under(2), 1.0), start, &none), Some(2));
        assert!(!scheduler.should_preempt(
            &plan,
            2,
            Listener::moving(under(2) + 44_100, 1.0),
            at(1),
            &none
        ));
        let there = Listener::moving(under(15), 1.0);
        assert!(scheduler.should_preempt(&plan, 2, there, at(5), &none));
        assert!(
            !scheduler.should_preempt(&plan, 15, there, at(5), &none),
            "the target is being computed"
        );
        assert!(
            !scheduler.should_preempt(&plan, 2, there, at(5), &|index| index == 15),
            "the target is finished"
        );
        assert!(
            !scheduler.should_preempt(&plan, 2, there, at(25), &none),
            "the current one is nearly finished"
        );
        assert_eq!(scheduler.next(&plan, there, at(5), &none), Some(15));
        // From here on the scheduler skips ahead: 30 s are five strides.
        let later = Listener::moving(under(15) + 30 * 44_100, 1.0);
        assert_eq!(
            scheduler.next(&plan, later, at(35), &|index| index == 15),
            Some(0),
            "no segment can be finished in time"
        );
        assert_eq!(
            scheduler.next(&plan, Listener::at(under(4)), at(40), &none),
            Some(4),
            "backwards"
        );
        assert_eq!(
            scheduler.next(&plan, Listener::at(under(4)), at(60), &|i| i == 4),
            Some(5),
            "paused"
        );
    }

    #[test]
    fn in_an_overlap_the_lasting_segment_is_computed() {
        let plan = Plan::new(20 * 257_985, SEGMENT);
        let start = Instant::now();
        let none = |_: usize| false;
        // The third segment begins here; the second one lasts for two more seconds.
        let head = 2 * 257_985;
        let next = |pace, listener, is_done: &dyn Fn(usize) -> bool| {
            Scheduler::new(pace).next(&plan, listener, start, is_done)
        };
        let plays = Listener::moving(head, 1.0);
        assert_eq!(next(Some(0.3), plays, &none), Some(1), "audible for longer than it takes");
        assert_eq!(next(Some(1.5), plays, &none), Some(2));
        assert_eq!(next(Some(30.0), plays, &none), Some(2));
        assert_eq!(next(None, plays, &none), Some(2), "unknown pace");
        assert_eq!(next(None, Listener::at(head), &none), Some(1), "a paused listener stays");
        assert_eq!(
            next(Some(1.5), plays, &|index| index == 2),
            Some(3),
            "the next one is audible already"
        );
        assert_eq!(next(Some(1.5), plays, &|index| index == 1), Some(2));
    }

    #[test]
    fn an_unknown_pace_is_learned() {
        let plan = Plan::new(20 * 257_985, SEGMENT);
        let (mut scheduler, start) = (Scheduler::new(None), Instant::now());
        assert_eq!(scheduler.next(&plan, Listener::moving(0, 1.0), start, &|_| false), Some(0));
        let now = start + Duration::from_secs(12);
        scheduler.computed(now);
        let listener = Listener::moving(12 * 44_100, 1.0);
        assert_eq!(scheduler.next(&plan, listener, now, &|index| index == 0), Some(4));
    }
}
