//! Seeks and refreshes: decks that take over from each other.

use std::sync::{Arc, atomic::Ordering};

use proptest::prelude::*;

use super::{Rig, Rising, all_at_one, at_gains, original_at, steepest, stem_at};
use crate::engine::player::{
    Monitor, Track,
    deck::{Deck, Part},
    mixer::Mixer,
    ramp::FADE_FRAMES,
    shared::{Shared, Strip},
    timeline::Timeline,
};

#[test]
fn a_seek_crossfades_without_mixing_positions() {
    let (mut rig, _) = Rig::rising(1, 400_000);
    rig.player.play();
    let before = rig.run(10_000)[9_999];
    rig.player.seek(300_000);
    assert_eq!(rig.player.position(), 300_000, "immediately");
    let heard = rig.run(5_000);
    let fade = FADE_FRAMES as usize;
    assert!((heard[0] - before).abs() < 0.1 / FADE_FRAMES as f32);
    assert!(steepest(&heard) < 0.1 / FADE_FRAMES as f32, "{}", steepest(&heard));
    for (i, &sample) in heard.iter().enumerate().skip(fade) {
        assert_eq!(sample, stem_at(0, 300_000 + i as u64));
    }
    assert_eq!(rig.player.position(), 305_000);
    rig.player.seek(u64::MAX);
    let heard = rig.run(2_000);
    assert!(steepest(&heard) < 0.1 / FADE_FRAMES as f32, "a seek to the end must not click");
    assert_eq!(rig.player.position(), 400_000);
    assert!(!rig.player.is_playing());
}

#[test]
fn a_seek_at_the_very_end_is_not_lost() {
    let (mut rig, _) = Rig::rising(1, 20_000);
    rig.player.play();
    rig.run(19_900);
    rig.player.seek(5_000);
    rig.unfed(1000); // the track ends before the feeder has read
    assert!(rig.player.is_playing());
    let heard = rig.run(2000);
    assert_eq!(heard[1999], stem_at(0, 6_999));
}

#[test]
fn refreshed_stems_come_in_without_a_gap() {
    let (mut rig, track) = Rig::rising(2, 200_000);
    track.covered.store(0, Ordering::Relaxed);
    rig.player.play();
    assert_eq!(rig.run(20_000)[19_999], original_at(19_999));
    track.covered.store(200_000, Ordering::Relaxed);
    rig.player.refresh();
    let heard = rig.run(20_000);
    assert!(steepest(&heard) < 0.3 / FADE_FRAMES as f32, "{}", steepest(&heard));
    let first = heard.iter().enumerate().position(|(i, &s)| s == all_at_one(2, 20_000 + i as u64));
    assert!(first.is_some_and(|frame| frame < 5_000), "too late: {first:?}");
    for (i, &sample) in heard.iter().enumerate().skip(5_000) {
        assert_eq!(sample, all_at_one(2, 20_000 + i as u64));
    }
    assert_eq!(rig.player.underruns(), 0);
}

/// Another version of a track at half the level.
struct Softer(Arc<Rising>);

impl Track for Softer {
    fn frames(&self) -> u64 {
        self.0.frames()
    }
    fn stems(&self) -> usize {
        self.0.stems()
    }
    fn read_original(&self, start: u64, out: &mut [f32]) -> std::io::Result<()> {
        self.0.read_original(start, out)
    }
    fn read_stem(&self, stem: usize, start: u64, out: &mut [f32]) -> std::io::Result<()> {
        self.0.read_stem(stem, start, out)?;
        for sample in out {
            *sample /= 2.0;
        }
        Ok(())
    }
    fn covered_at(&self, at: u64) -> (bool, u64) {
        self.0.covered_at(at)
    }
}

#[test]
fn another_version_takes_over_at_the_same_position_without_a_click() {
    let (mut rig, track) = Rig::rising(1, 200_000);
    rig.player.set_loop(Some((10_000, 150_000)));
    rig.player.play();
    let before = rig.run(100_000)[99_999];
    assert_eq!(before, stem_at(0, 99_999));
    rig.player.exchange(Arc::new(Softer(track)));
    let heard = rig.run(20_000);
    let step = stem_at(0, 120_000) / 2.0;
    assert!(steepest(&heard) < 1.5 * step / FADE_FRAMES as f32, "{}", steepest(&heard));
    for (i, &sample) in heard.iter().enumerate().skip(5_000) {
        assert_eq!(sample, stem_at(0, 100_000 + i as u64) / 2.0);
    }
    assert!(rig.player.is_playing() && rig.player.loop_region().is_some());
    assert_eq!((rig.player.position(), rig.player.underruns()), (120_000, 0));
}

/// Creates a deck with one stem of `stem_at(0, …) + offset`, filled for `frames` frames from
/// `start` on.
fn deck(start: u64, frames: u64, offset: f32) -> Deck {
    let strips = Arc::new([Strip::new([1.0; 2]), Strip::new([0.0; 2])]);
    let timeline = Timeline { start, frame: start, end: 100_000, region: None };
    let part = Part { generation: 1, timeline, strips };
    let (mut ring, deck) = Deck::new(part, frames as usize);
    for frame in start..start + frames {
        let left = stem_at(0, frame) + offset;
        assert!(ring.push_entire_slice(&[1.0, 0.0, 0.0, left, -left]).is_ok());
    }
    deck
}

#[test]
fn a_deck_that_the_callback_has_overtaken_joins_at_the_right_frame() {
    let (wake_stream, _) = crossbeam_channel::bounded(1);
    let shared = Arc::new(Shared::new(Arc::new(|| {}), wake_stream));
    shared.change(|wanted| shared.turn(wanted, 0, false));
    shared.set_playing(true);
    let (mut arriving, arrived) = rtrb::RingBuffer::new(4);
    let (returning, mut returned) = rtrb::RingBuffer::new(4);
    let mut mixer = Mixer::new(Arc::clone(&shared), arrived, returning);
    let left = |mixer: &mut Mixer| {
        let mut block = [0.0; 2000];
        mixer.process(&mut block);
        block[1998]
    };
    assert!(arriving.push(Box::new(deck(0, 10_000, 0.0))).is_ok());
    assert_eq!(left(&mut mixer), stem_at(0, 999));
    for (start, offset) in [(500, 0.25), (5_000, 0.5)] {
        // One deck starts behind the play head, one ahead of it.
        assert!(arriving.push(Box::new(deck(start, 5_000, offset))).is_ok());
        let mut heard = [0; 3].map(|_| left(&mut mixer)).to_vec();
        let at = shared.read_position(&shared.wanted());
        assert_eq!(heard.pop(), Some(stem_at(0, at - 1) + offset));
    }
    assert_eq!(shared.underruns.load(Ordering::Relaxed), 0);
    assert_eq!([0; 3].map(|_| returned.pop().is_ok()), [true; 3], "all old decks must be returned");
}

#[test]
fn constant_refreshing_keeps_playing() {
    let (mut rig, _) = Rig::rising(1, 200_000);
    rig.player.play();
    let mut heard = Vec::new();
    for _ in 0..300 {
        rig.player.refresh();
        heard.extend(rig.run(512));
    }
    for (frame, &sample) in heard.iter().enumerate() {
        assert!((sample - stem_at(0, frame as u64)).abs() < 1e-6, "frame {frame}");
    }
    assert_eq!(rig.player.underruns(), 0);
}

#[test]
fn scrubbing_returns_every_deck() {
    let (mut rig, _) = Rig::rising(2, 400_000);
    rig.player.play();
    for i in 0..200 {
        rig.player.seek(i * 1_777);
        rig.feed();
        if i % 7 == 0 {
            rig.unfed(64);
        }
    }
    rig.run(1_000); // the mixer takes pending decks and returns them
    let at = rig.player.position();
    assert!((199 * 1_777..=199 * 1_777 + 1_000).contains(&at), "{at}");
    assert_eq!(rig.run(3_000)[2_999], all_at_one(2, at + 2_999));
}

proptest! {
    /// Any sequence of actions at any block size keeps channels in sync (checked by the rig), never
    /// clicks, and never exceeds the track's peak. The track's own start and end, which may step,
    /// are excluded.
    #[test]
    fn nothing_a_user_does_clicks(
        acts in prop::collection::vec((0u8..9, 1_000u64..120_000, 1usize..3_000), 1..40),
    ) {
        let (mut rig, track) = Rig::rising(2, 1_000_000);
        track.covered.store(0, Ordering::Relaxed);
        rig.player.seek(1_000);
        let mut heard = Vec::new();
        for (act, frame, frames) in acts {
            match act {
                0 | 1 => rig.player.play(),
                2 => rig.player.pause(),
                3 => rig.player.seek(frame),
                4 => rig.player.refresh(),
                5 => rig.player.set_gains(&at_gains(&[frame as f32 / 120_000.0, 1.0], 0.0)),
                6 => rig.player.set_monitor(Monitor::Original),
                7 => _ = track.covered.fetch_max(frame, Ordering::Relaxed),
                _ => rig.player.set_monitor(Monitor::Mix),
            }
            heard.extend(if frame % 3 == 0 { rig.unfed(frames) } else { rig.run(frames) });
        }
        let loudest = 0.25;
        // Up to four ramps can run at the same time: of playback, between decks, to the original,
        // and of a gain or level. Each changes the sound at most as fast as a fade from full level.
        let steepest = steepest(&heard) / (loudest / FADE_FRAMES as f32);
        prop_assert!(steepest < 4.0, "as steep as {steepest} fades");
        prop_assert!(heard.iter().all(|sample| sample.abs() <= loudest + 1e-6));
    }
}
