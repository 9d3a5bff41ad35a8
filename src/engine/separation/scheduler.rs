//! Which segment is computed next for a listener, and whether one that is being computed should give
//! way. Pure: told where the listener is and when. Owned by the thread that separates.
//!
//! The segment under the play head comes first when work begins and after a jump; where two overlap
//! there, the one that will be heard for a while when it is there. Where computing is
//! slower than playing, the head has left a segment before it is there; so while it moves, the next
//! one is the first that will be there in time.

use std::time::Instant;

use super::plan::Plan;
use crate::engine::types::SAMPLE_RATE;

/// How far from where it should be a play head has jumped, in seconds.
const JUMP_SECONDS: f64 = 1.0;

/// A segment is in time if no more than this part of a stride has been played when it is there.
const LATE: f64 = 0.25;

/// A segment of which less than this part is still to be computed is finished in spite of a jump.
const NEARLY: f64 = 0.25;

/// Where the listener is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Listener {
    /// The frame that is heard.
    pub frame: u64,
    /// How fast it moves; 0 when nothing plays.
    pub frames_per_second: f64,
}

impl Listener {
    /// One who does not move.
    pub fn at(frame: u64) -> Self {
        Self { frame, frames_per_second: 0.0 }
    }

    /// One who listens at a speed, which is 0 when nothing plays.
    pub fn moving(frame: u64, speed: f64) -> Self {
        Self { frame, frames_per_second: speed * f64::from(SAMPLE_RATE) }
    }
}

/// See the module.
#[derive(Clone, Copy, Debug)]
pub struct Scheduler {
    /// Seconds that a segment takes, as far as they are known.
    pace: Option<f64>,
    /// Where the listener was, and when.
    seen: Option<(Listener, Instant)>,
    /// Whether the head has jumped since a segment was begun.
    jumped: bool,
    /// When the segment that is being computed was begun.
    begun: Option<Instant>,
}

impl Scheduler {
    /// An aim that knows how long a segment is expected to take.
    pub fn new(pace: Option<f64>) -> Self {
        let pace = pace.filter(|pace| pace.is_finite() && *pace > 0.0);
        Self { pace, seen: None, jumped: false, begun: None }
    }

    /// The segment to begin now, if one is missing.
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
            // Where two overlap, the first is of no use if the head will have left it.
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
            // Up to there its neighbour is heard.
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

    /// A segment that was begun at the last [`Self::next`] is computed.
    pub fn computed(&mut self, now: Instant) {
        if let Some(begun) = self.begun.take() {
            self.pace = Some((now - begun).as_secs_f64());
        }
    }

    /// Whether the segment `current` that is being computed should give way to the listener's own:
    /// the head has jumped to where nothing is, and much of `current` is still to be computed.
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
        // In the first pass alone: later ones only make better what is heard already.
        let mut here = match plan.pass_of(current) {
            0 => plan.segments_at(0, listener.frame),
            _ => 0..0,
        };
        let is_wanted = !here.is_empty() && here.all(|index| index != current && !is_done(index));
        let left = 1.0 - now.saturating_duration_since(begun).as_secs_f64() / pace;
        is_wanted && left > NEARLY && self.jumped
    }

    /// Sees where the listener is now.
    fn look(&mut self, listener: Listener, now: Instant) {
        let Some((before, then)) = self.seen.replace((listener, now)) else {
            self.jumped = true;
            return;
        };
        let passed = now.saturating_duration_since(then).as_secs_f64();
        let rate = before.frames_per_second.max(listener.frames_per_second);
        let moved = listener.frame as f64 - before.frame as f64;
        let tolerance = JUMP_SECONDS * f64::from(SAMPLE_RATE);
        // Whether it played all the time in between is not known.
        self.jumped |= moved < -tolerance || moved > passed * rate + tolerance;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const SEGMENT: usize = 343_980;

    /// Plays a song of `segments` strides from its start while segments take `pace` strides each;
    /// the order in which they are computed.
    fn order(segments: usize, pace: f64) -> Vec<usize> {
        let plan = Plan::new((segments * 257_985) as u64, SEGMENT);
        let stride = plan.stride as f64 / f64::from(SAMPLE_RATE);
        let start = Instant::now();
        let (mut aim, mut done, mut seconds) =
            (Scheduler::new(Some(pace * stride)), Vec::new(), 0.0);
        while done.len() < segments {
            let now = start + Duration::from_secs_f64(seconds);
            let frame = ((seconds * f64::from(SAMPLE_RATE)) as u64).min(plan.frames);
            let listener = Listener::moving(frame, 1.0);
            let next = aim.next(&plan, listener, now, &|index| done.contains(&index)).unwrap();
            seconds += pace * stride;
            aim.computed(start + Duration::from_secs_f64(seconds));
            done.push(next);
        }
        done
    }

    #[test]
    fn a_fast_machine_goes_straight_on() {
        assert_eq!(order(6, 0.5), [0, 1, 2, 3, 4, 5]);
        assert_eq!(order(6, 0.7), [0, 1, 2, 3, 4, 5]);
    }

    #[test]
    fn a_slow_machine_begins_under_the_head_and_then_aims_ahead() {
        // Three strides for a segment: after the first the head is at 3, after the next at 6.
        assert_eq!(order(12, 3.0)[..4], [0, 6, 9, 8]);
        // As fast as the song: while one is computed, most of it would be over.
        assert_eq!(order(6, 1.0), [0, 2, 3, 4, 5, 1]);
        // A little slower than the song: a segment that is a little late is still heard.
        assert_eq!(order(9, 1.1)[..4], [0, 2, 3, 4]);
    }

    #[test]
    fn a_jump_brings_the_segment_under_the_head() {
        let plan = Plan::new(20 * 257_985, SEGMENT);
        let (mut aim, start) = (Scheduler::new(Some(30.0)), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        let none = |_: usize| false;
        let under = |index: u64| index * 257_985 + 100_000;
        assert_eq!(aim.next(&plan, Listener::moving(under(2), 1.0), start, &none), Some(2));
        assert!(!aim.should_preempt(
            &plan,
            2,
            Listener::moving(under(2) + 44_100, 1.0),
            at(1),
            &none
        ));
        let there = Listener::moving(under(15), 1.0);
        assert!(aim.should_preempt(&plan, 2, there, at(5), &none));
        assert!(!aim.should_preempt(&plan, 15, there, at(5), &none), "it is being computed");
        assert!(!aim.should_preempt(&plan, 2, there, at(5), &|index| index == 15), "it is there");
        assert!(!aim.should_preempt(&plan, 2, there, at(25), &none), "the other is nearly there");
        assert_eq!(aim.next(&plan, there, at(5), &none), Some(15));
        // From there on it aims ahead: 30 s are five strides.
        let later = Listener::moving(under(15) + 30 * 44_100, 1.0);
        assert_eq!(
            aim.next(&plan, later, at(35), &|index| index == 15),
            Some(0),
            "none is in time"
        );
        assert_eq!(aim.next(&plan, Listener::at(under(4)), at(40), &none), Some(4), "backwards");
        assert_eq!(aim.next(&plan, Listener::at(under(4)), at(60), &|i| i == 4), Some(5), "paused");
    }

    #[test]
    fn where_two_overlap_the_one_that_lasts_is_computed() {
        let plan = Plan::new(20 * 257_985, SEGMENT);
        let start = Instant::now();
        let none = |_: usize| false;
        // The third segment begins; the second goes on for two seconds.
        let head = 2 * 257_985;
        let next = |pace, listener, is_done: &dyn Fn(usize) -> bool| {
            Scheduler::new(pace).next(&plan, listener, start, is_done)
        };
        let plays = Listener::moving(head, 1.0);
        assert_eq!(next(Some(0.3), plays, &none), Some(1), "heard for longer than it takes");
        assert_eq!(next(Some(1.5), plays, &none), Some(2));
        assert_eq!(next(Some(30.0), plays, &none), Some(2));
        assert_eq!(next(None, plays, &none), Some(2), "nobody knows how long it takes");
        assert_eq!(next(None, Listener::at(head), &none), Some(1), "it is not left");
        assert_eq!(next(Some(1.5), plays, &|index| index == 2), Some(3), "it is heard already");
        assert_eq!(next(Some(1.5), plays, &|index| index == 1), Some(2));
    }

    #[test]
    fn an_unknown_pace_is_learned() {
        let plan = Plan::new(20 * 257_985, SEGMENT);
        let (mut aim, start) = (Scheduler::new(None), Instant::now());
        assert_eq!(aim.next(&plan, Listener::moving(0, 1.0), start, &|_| false), Some(0));
        let now = start + Duration::from_secs(12);
        aim.computed(now);
        let listener = Listener::moving(12 * 44_100, 1.0);
        assert_eq!(aim.next(&plan, listener, now, &|index| index == 0), Some(4));
    }
}
