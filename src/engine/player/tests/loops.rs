//! Loops: the repeated samples, the joints, and the reported position.

use std::sync::atomic::Ordering;

use proptest::prelude::*;

use super::{Rig, all_at_one, original_at, steepest, stem_at};
use crate::engine::player::ramp::FADE_FRAMES;

const FADE: usize = FADE_FRAMES as usize;

#[test]
fn a_loop_repeats_its_samples_except_at_the_joint() {
    let (mut rig, _) = Rig::rising(2, 100_000);
    let (start, end) = (20_000, 30_000);
    rig.player.set_loop(Some((start, end)));
    rig.player.seek(15_000);
    rig.player.play();
    let heard = rig.run(60_000);
    assert!(steepest(&heard[..FADE]) < 0.02 / FADE_FRAMES as f32, "fades in");
    for (i, &sample) in heard.iter().enumerate().skip(FADE) {
        let frame = 15_000 + i as u64;
        let frame = if frame < end { frame } else { start + (frame - end) % (end - start) };
        if frame < end - FADE as u64 {
            assert_eq!(sample, all_at_one(2, frame), "{i} frames on");
        }
    }
    // The joint continues from the sample before the loop's start, as in the song.
    let joint = (end - 15_000) as usize;
    assert_eq!(heard[joint], all_at_one(2, start));
    assert!((heard[joint - 1] - all_at_one(2, start - 1)).abs() < 1e-6);
    let jump = all_at_one(2, end) - all_at_one(2, start);
    let steepest = steepest(&heard[FADE..]);
    assert!(steepest < 1.5 * jump / FADE_FRAMES as f32, "{steepest}");
    assert_eq!(rig.player.position(), 20_000 + (75_000 - 30_000) % 10_000);
    assert_eq!(rig.player.underruns(), 0);
    assert!(rig.player.is_playing());

    rig.player.set_loop(None);
    let heard = rig.run(20_000);
    assert_eq!(rig.player.position(), 45_000, "playback must leave the loop");
    assert_eq!(heard[19_999], all_at_one(2, 44_999));
}

#[test]
fn a_loop_set_during_playback_acts_before_its_end() {
    let (mut rig, _) = Rig::rising(1, 100_000);
    rig.player.play();
    rig.run(10_000);
    rig.player.set_loop(Some((5_000, 16_000)));
    rig.run(10_000);
    assert_eq!(rig.player.position(), 9_000);
    rig.player.set_loop(Some((2_000, 4_000)));
    rig.run(20_000);
    assert_eq!(rig.player.position(), 29_000, "a position after the loop plays on");
    assert_eq!(rig.player.loop_region(), Some((2_000, 4_000)));
    rig.player.seek(3_000);
    rig.run(2_500);
    assert_eq!(rig.player.position(), 3_500);
}

#[test]
fn a_whole_track_can_be_looped() {
    let (mut rig, _) = Rig::rising(1, 30_000);
    rig.player.set_loop(Some((0, u64::MAX)));
    rig.player.play();
    let heard = rig.run(95_000);
    assert!(rig.player.is_playing());
    assert_eq!(rig.player.position(), 5_000);
    assert_eq!(heard[61_000], stem_at(0, 1_000));
    assert!(
        steepest(&heard) < 1.5 * stem_at(0, 30_000) / FADE_FRAMES as f32,
        "the joint must fade through silence"
    );
    assert!(heard[30_000 - 1].abs() < 1e-6 && heard[30_000].abs() < 1e-3);
    rig.player.load(None);
    assert_eq!(rig.player.loop_region(), None, "loading must clear the loop");
}

#[test]
fn the_position_stays_before_the_joint_while_the_output_does() {
    let (mut rig, _) = Rig::rising(1, 100_000);
    rig.player.set_loop(Some((20_000, 30_000)));
    rig.player.seek(20_000);
    rig.player.play();
    rig.run(10_400);
    let latency = &rig.player.inner.shared.latency_frames;
    latency.store(1_000, Ordering::Relaxed);
    assert_eq!(rig.player.position(), 29_400);
    rig.run(1_000);
    assert_eq!(rig.player.position(), 20_400);
}

#[test]
fn a_joint_between_stems_and_original_does_not_click() {
    let (mut rig, track) = Rig::rising(2, 100_000);
    for (covered, from) in [(25_000, 24_000), (15_000, 10_000), (21_000, 20_500)] {
        track.covered.store(covered, Ordering::Relaxed);
        rig.player.set_loop(Some((from, 32_000)));
        rig.player.seek(from);
        rig.player.play();
        let heard = rig.run(30_000);
        let jump = 2.0 * original_at(0);
        assert!(steepest(&heard) < jump / FADE_FRAMES as f32, "{}", steepest(&heard));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    /// Loops of any length and position repeat with their length, and no joint steps.
    #[test]
    fn short_loops_go_round_without_a_click(start in 0u64..3_000, len in 1u64..900) {
        let (mut rig, _) = Rig::rising(1, 5_000);
        rig.player.set_loop(Some((start, start + len)));
        rig.player.seek(start);
        rig.player.play();
        let heard = rig.run(4_000);
        prop_assert!(rig.player.is_playing());
        prop_assert_eq!(rig.player.position(), start + 4_000 % len);
        // Slope of a fade of half the loop, at most `FADE_FRAMES`.
        let fade = (len / 2).clamp(1, FADE_FRAMES.into()) as f32;
        let highest = stem_at(0, start + len);
        let reach = if start < FADE_FRAMES.into() { highest } else { stem_at(0, len) };
        let slope = 2.0 * reach / fade + stem_at(0, 4) + highest / FADE_FRAMES as f32;
        prop_assert!(steepest(&heard) <= slope, "{} over {}", steepest(&heard), slope);
    }
}
