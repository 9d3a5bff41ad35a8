//! Tests of the drag protocol without a display.

use proptest::prelude::*;

use super::Message::*;
use crate::ui::platform::drag_out::protocol::*;

const A: Target = Target { window: 1, receiver: 1, version: 5 };
const B: Target = Target { window: 2, receiver: 20, version: 5 };

/// A drag with a simulated clock.
struct Play {
    protocol: Protocol,
    now: Instant,
}

impl Play {
    fn new() -> Self {
        Self { protocol: Protocol::new(), now: Instant::now() }
    }

    /// Feeds an observation and returns the messages to send.
    fn look(
        &mut self,
        place: Place,
        target: Option<Target>,
        is_held: bool,
    ) -> Vec<(Target, Message)> {
        self.now += Duration::from_millis(16);
        self.protocol.look(self.now, Look { place, is_held, is_cancelled: false, target });
        self.protocol.outbox()
    }

    fn cancel(&mut self) -> Vec<(Target, Message)> {
        let look = Look { place: (0, 0), is_held: true, is_cancelled: true, target: Some(A) };
        self.protocol.look(self.now, look);
        self.protocol.outbox()
    }

    fn state(&self) -> State {
        self.protocol.state()
    }
}

fn goes_on(accepted: bool) -> State {
    State::Dragging { accepted }
}

#[test]
fn files_are_dropped_where_they_are_accepted() {
    let mut play = Play::new();
    assert_eq!(play.look((5, 5), None, true), []);
    assert_eq!(play.look((6, 6), Some(A), true), [(A, Enter), (A, Position((6, 6)))]);
    play.protocol.status(A.window, true);
    assert_eq!(play.state(), goes_on(true));
    assert_eq!(play.look((6, 6), Some(A), false), [(A, Drop)]);
    assert_eq!(play.state(), goes_on(true));
    play.protocol.asked(play.now);
    play.protocol.finished(A.window, true);
    assert_eq!(play.state(), State::Dropped);
    assert_eq!(play.look((7, 7), Some(B), true), []);
}

#[test]
fn a_target_gets_one_position_at_a_time() {
    let mut play = Play::new();
    play.look((1, 1), Some(A), true);
    assert_eq!(play.look((2, 2), Some(A), true), []);
    assert_eq!(play.look((3, 3), Some(A), true), []);
    play.protocol.status(A.window, true);
    assert_eq!(play.look((4, 4), Some(A), true), [(A, Position((4, 4)))]);
    play.protocol.status(A.window, true);
    assert_eq!(play.look((4, 4), Some(A), true), []); // the pointer has not moved
}

#[test]
fn the_drop_is_where_the_button_was_let_go() {
    let mut play = Play::new();
    play.look((1, 1), Some(A), true);
    assert_eq!(play.look((9, 9), Some(A), false), []); // the status for (1, 1) is pending
    play.protocol.status(A.window, true);
    // The pointer has moved on to another window since, but the drop position stays.
    assert_eq!(play.look((50, 50), Some(B), false), [(A, Position((9, 9)))]);
    assert_eq!(play.look((60, 60), Some(B), false), []);
    play.protocol.status(A.window, true);
    assert_eq!(play.look((70, 70), None, false), [(A, Drop)]);
}

#[test]
fn a_target_that_was_entered_is_left() {
    let mut play = Play::new();
    play.look((1, 1), Some(A), true);
    play.protocol.status(A.window, true);
    assert_eq!(play.look((2, 2), Some(B), true), [(A, Leave), (B, Enter), (B, Position((2, 2)))]);
    assert_eq!(play.state(), goes_on(false));
    play.protocol.status(A.window, true); // late, so ignored
    assert_eq!(play.state(), goes_on(false));
    assert_eq!(play.look((3, 3), None, true), [(B, Leave)]);
    assert_eq!(play.look((3, 3), None, false), []);
    assert_eq!(play.state(), State::Refused);
}

#[test]
fn a_refusal_ends_the_drag_without_a_drop() {
    let mut play = Play::new();
    play.look((1, 1), Some(A), true);
    play.protocol.status(A.window, false);
    assert_eq!(play.look((1, 1), Some(A), false), [(A, Leave)]);
    assert_eq!(play.state(), State::Refused);
}

#[test]
fn a_target_may_change_its_answer() {
    for (version, end) in [(5, State::Refused), (4, State::Dropped)] {
        let (mut play, target) = (Play::new(), Target { version, ..A });
        play.look((1, 1), Some(target), true);
        play.protocol.status(A.window, true);
        play.look((1, 1), Some(target), false);
        play.protocol.finished(B.window, true); // ignored
        assert_eq!(play.state(), goes_on(true));
        play.protocol.finished(A.window, false);
        assert_eq!(play.state(), end);
    }
}

#[test]
fn a_target_that_says_nothing_is_left() {
    let mut play = Play::new();
    play.look((1, 1), Some(A), true);
    assert_eq!(play.look((1, 1), Some(A), false), []);
    play.now += STATUS_WAIT;
    assert_eq!(play.look((1, 1), Some(A), false), [(A, Leave)]);
    assert_eq!(play.state(), State::Refused);
}

#[test]
fn a_target_that_never_finishes_is_not_waited_for() {
    for asks in [false, true] {
        let mut play = Play::new();
        play.look((1, 1), Some(A), true);
        play.protocol.status(A.window, true);
        play.look((1, 1), Some(A), false);
        play.now += FINISH_WAIT / 2;
        if asks {
            play.protocol.asked(play.now);
            play.now += FINISH_WAIT / 2;
            assert_eq!(play.look((1, 1), None, false), []);
            assert_eq!(play.state(), goes_on(true)); // a request extends the wait
        }
        play.now += FINISH_WAIT;
        assert_eq!(play.look((1, 1), None, false), []);
        assert_eq!(play.state() == State::Dropped, asks);
        assert_eq!(matches!(play.state(), State::Failed(_)), !asks);
    }
}

#[test]
fn it_can_be_cancelled_until_it_is_dropped() {
    let mut play = Play::new();
    play.look((1, 1), Some(A), true);
    assert_eq!(play.cancel(), [(A, Leave)]);
    assert_eq!(play.state(), State::Cancelled);

    let mut play = Play::new();
    play.look((1, 1), Some(A), true);
    play.protocol.status(A.window, true);
    play.look((1, 1), Some(A), false);
    assert_eq!(play.cancel(), []);
    play.protocol.finished(A.window, true);
    assert_eq!(play.state(), State::Dropped);
}

#[derive(Clone, Debug)]
enum Step {
    Look { place: Place, target: Option<Target>, is_held: bool, is_cancelled: bool },
    Status(u32, bool),
    Finished(u32, bool),
    Asked,
    Wait(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let target = prop_oneof![Just(None), Just(Some(A)), Just(Some(B))];
    let look = (0..3_i16, target, prop::bool::weighted(0.9), prop::bool::weighted(0.03)).prop_map(
        |(x, target, is_held, is_cancelled)| Step::Look {
            place: (x, x),
            target,
            is_held,
            is_cancelled,
        },
    );
    let step = prop_oneof![
        4 => look,
        2 => (1..4_u32, any::<bool>()).prop_map(|(from, accepts)| Step::Status(from, accepts)),
        1 => (1..4_u32, any::<bool>()).prop_map(|(from, took)| Step::Finished(from, took)),
        1 => Just(Step::Asked),
        1 => (0..30_u64).prop_map(Step::Wait),
    ];
    prop::collection::vec(step, 0..60)
}

proptest! {
    /// For any input, a target receives Enter, then Positions that it answers one by one, then
    /// Leave or Drop. Drop follows only an accepting status, and nothing follows the end.
    #[test]
    fn targets_hear_what_the_protocol_allows(steps in steps()) {
        let mut play = Play::new();
        let mut inside: Option<Target> = None;
        let (mut owed, mut accepts, mut dropped) = (0, false, false);
        for step in steps {
            let had_ended = !matches!(play.state(), State::Dragging { .. });
            match step {
                Step::Look { place, target, is_held, is_cancelled } => {
                    play.protocol.look(play.now, Look { place, is_held, is_cancelled, target });
                }
                Step::Status(from, yes) => {
                    play.protocol.status(from, yes);
                    if inside.is_some_and(|target| target.window == from) {
                        (owed, accepts) = (0, yes);
                    }
                }
                Step::Finished(from, took) => play.protocol.finished(from, took),
                Step::Asked => play.protocol.asked(play.now),
                Step::Wait(seconds) => play.now += Duration::from_secs(seconds),
            }
            for (target, message) in play.protocol.outbox() {
                prop_assert!(!had_ended && !dropped);
                if message == Enter {
                    prop_assert_eq!(inside, None);
                    (inside, owed, accepts) = (Some(target), 0, false);
                    continue;
                }
                prop_assert_eq!(inside, Some(target));
                match message {
                    Position(_) => owed += 1,
                    Leave => inside = None,
                    _ => {
                        prop_assert!(accepts && owed == 0);
                        dropped = true;
                    }
                }
                prop_assert!(owed <= 1);
            }
            let has_ended = !matches!(play.state(), State::Dragging { .. });
            prop_assert!(!has_ended || dropped || inside.is_none());
            prop_assert!(dropped || play.state() != State::Dropped);
        }
    }
}
