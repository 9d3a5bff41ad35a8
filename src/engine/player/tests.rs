//! The player without threads and without a device: handle, feeder and mixer driven by hand, block
//! by block, so that every sample can be foretold.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use assert_no_alloc::assert_no_alloc;
use proptest::prelude::*;

use super::{
    Inner, LaneSettings, Monitor, Player, Track,
    deck::{Deck, Part},
    feeder::Feeder,
    gains,
    mixer::Mixer,
    outlet::Outlet,
    ramp::{FADE_FRAMES, GAIN_FRAMES},
    shared::Shared,
};
use crate::engine::SAMPLE_RATE;

/// A track whose samples say where they are from: the left is a slow rise, the right its negative.
pub(super) struct Rising {
    pub(super) frames: u64,
    pub(super) stems: usize,
    /// The stems are finished before this frame.
    pub(super) covered: AtomicU64,
}

/// Left sample of a stem at a frame; exact in f32, as are sums of a few.
pub(super) fn stem_at(stem: usize, frame: u64) -> f32 {
    (stem + 1) as f32 * frame as f32 / (1u32 << 22) as f32
}

/// Left sample of the original.
pub(super) fn original_at(frame: u64) -> f32 {
    0.25 - stem_at(0, frame)
}

fn write(start: u64, end: u64, out: &mut [f32], left: impl Fn(u64) -> f32) {
    for (frame, pair) in (start..).zip(out.chunks_exact_mut(2)) {
        let left = if frame < end { left(frame) } else { 0.0 };
        (pair[0], pair[1]) = (left, -left);
    }
}

impl Track for Rising {
    fn frames(&self) -> u64 {
        self.frames
    }
    fn stems(&self) -> usize {
        self.stems
    }
    fn read_original(&self, start: u64, out: &mut [f32]) -> io::Result<()> {
        write(start, self.frames, out, original_at);
        Ok(())
    }
    fn read_stem(&self, stem: usize, start: u64, out: &mut [f32]) -> io::Result<()> {
        let end = self.covered.load(Ordering::Relaxed);
        write(start, end, out, |frame| stem_at(stem, frame));
        Ok(())
    }
    fn covered_at(&self, at: u64) -> (bool, u64) {
        let covered = self.covered.load(Ordering::Relaxed);
        if at < covered { (true, covered) } else { (false, self.frames) }
    }
}

/// A player whose threads are the test.
pub(super) struct Rig {
    player: Player,
    feeder: Feeder,
    mixer: Box<Mixer>,
}

impl Rig {
    fn new(track: Arc<dyn Track>) -> Self {
        let (wake_stream, _) = crossbeam_channel::bounded(1);
        let shared = Arc::new(Shared::new(Arc::new(|| {}), wake_stream));
        let (feeder, mixer) = Feeder::new(Arc::clone(&shared));
        let player = Player { inner: Arc::new(Inner { shared, threads: Vec::new() }) };
        player.load(Some(track));
        Self { player, feeder, mixer: Box::new(mixer) }
    }

    /// One of `stems` stems, `frames` frames, all finished.
    fn rising(stems: usize, frames: u64) -> (Self, Arc<Rising>) {
        let track = Arc::new(Rising { frames, stems, covered: AtomicU64::new(frames) });
        (Self::new(Arc::clone(&track) as Arc<dyn Track>), track)
    }

    fn feed(&mut self) {
        let wanted = self.player.inner.shared.wanted();
        self.feeder.serve(&wanted);
    }

    /// Plays left samples, fed before every block of 512 frames; checks that the right ones match.
    fn run(&mut self, frames: usize) -> Vec<f32> {
        let mut left = Vec::new();
        while left.len() < frames {
            self.feed();
            left.extend(self.unfed((frames - left.len()).min(512)));
        }
        left
    }

    /// The same without feeding.
    fn unfed(&mut self, frames: usize) -> Vec<f32> {
        let mut block = vec![f32::NAN; 2 * frames];
        self.mixer.process(&mut block);
        block
            .chunks_exact(2)
            .map(|frame| {
                assert_eq!(frame[0], -frame[1], "channels are swapped or of different frames");
                frame[0]
            })
            .collect()
    }
}

/// The largest difference between neighbours.
fn steepest(samples: &[f32]) -> f32 {
    samples.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max)
}

fn all_at_one(stems: usize, frame: u64) -> f32 {
    (0..stems).map(|stem| stem_at(stem, frame)).sum()
}

#[test]
fn plays_every_frame_from_the_first_to_the_last_and_stops() {
    let (mut rig, _) = Rig::rising(4, 30_000);
    assert_eq!(rig.run(100), [0.0; 100], "nothing sounds before play");
    rig.player.play();
    let heard = rig.run(30_500);
    for (frame, &sample) in heard[..30_000].iter().enumerate() {
        assert_eq!(sample, all_at_one(4, frame as u64), "frame {frame}");
    }
    assert_eq!(heard[30_000..], [0.0; 500]);
    assert!(!rig.player.is_playing());
    assert_eq!(rig.player.position(), 30_000);
    assert_eq!(rig.player.underruns(), 0);
    let peak = all_at_one(4, 29_999);
    assert_eq!(rig.player.levels(), [peak, peak]);
    assert_eq!(rig.player.levels(), [0.0; 2], "levels are those since the last call");

    rig.player.play(); // again, from the start
    assert_eq!(rig.player.position(), 0);
    let heard = rig.run(1000);
    assert_eq!(heard[999], all_at_one(4, 999));
}

#[test]
fn gains_ramp_and_then_are_exact() {
    let (mut rig, _) = Rig::rising(4, 200_000);
    rig.player.play();
    let mut at = 20_000;
    rig.run(at);
    let lane = LaneSettings::default();
    let settings = [
        [lane, lane, LaneSettings { muted: true, ..lane }, lane],
        [lane, LaneSettings { soloed: true, ..lane }, lane, lane],
        [
            LaneSettings { ticked: false, ..lane },
            lane,
            lane,
            LaneSettings { gain_db: -6.0, ..lane },
        ],
    ];
    for lanes in settings {
        let gains = gains(&lanes);
        let before = rig.run(1)[0];
        rig.player.set_gains(&gains);
        let heard = rig.run(2000);
        at += 2001;
        let expected = |frame: usize| -> f32 {
            gains.iter().enumerate().map(|(i, gain)| gain * stem_at(i, frame as u64)).sum()
        };
        let change = (expected(at) - before).abs();
        let steepest = steepest(&heard[..GAIN_FRAMES as usize + 50]);
        assert!(steepest <= 1.1 * change / GAIN_FRAMES as f32 + 1e-5, "a step of {steepest}");
        for (i, &sample) in heard.iter().enumerate().skip(GAIN_FRAMES as usize) {
            assert_eq!(sample, expected(at - 2000 + i));
        }
    }
}

#[test]
fn lane_settings_become_gains() {
    let lane = LaneSettings::default();
    let solo = LaneSettings { soloed: true, ..lane };
    let mute = LaneSettings { muted: true, ..lane };
    let off = |lane| LaneSettings { ticked: false, ..lane };
    assert_eq!(gains(&[]), [0.0; 0]);
    assert_eq!(gains(&[lane, mute, off(lane)]), [1.0, 0.0, 0.0]);
    assert_eq!(gains(&[lane, solo, mute]), [0.0, 1.0, 0.0]);
    assert_eq!(gains(&[solo, solo, lane]), [1.0, 1.0, 0.0]);
    assert_eq!(gains(&[lane, off(solo)]), [1.0, 0.0], "a solo that takes no part silences none");
    let both = LaneSettings { muted: true, soloed: true, ..lane };
    assert_eq!(gains(&[both, lane]), [1.0, 0.0], "solo is heard although muted");
    let loud = gains(&[LaneSettings { gain_db: 6.0, ..lane }])[0];
    assert!((loud - 1.995_262).abs() < 1e-5);
    assert_eq!(gains(&[LaneSettings { gain_db: f32::NEG_INFINITY, ..lane }]), [0.0]);
}

#[test]
fn gains_set_before_a_track_is_loaded_count() {
    let (mut rig, _) = Rig::rising(2, 50_000);
    rig.player.load(None);
    rig.run(10);
    rig.player.set_gains(&[0.5, 0.0, 7.0]);
    let track = Rising { frames: 50_000, stems: 2, covered: AtomicU64::new(50_000) };
    rig.player.load(Some(Arc::new(track)));
    rig.player.play();
    assert_eq!(rig.run(2000)[1999], 0.5 * stem_at(0, 1999));
}

#[test]
fn the_original_plays_where_stems_are_missing() {
    let (mut rig, track) = Rig::rising(3, 100_000);
    track.covered.store(30_000, Ordering::Relaxed);
    rig.player.play();
    let heard = rig.run(60_000);
    for (frame, &sample) in heard.iter().enumerate() {
        if frame < 29_000 {
            assert_eq!(sample, all_at_one(3, frame as u64));
        } else if frame >= 30_000 {
            assert_eq!(sample, original_at(frame as u64));
        }
    }
    assert!(steepest(&heard) < 0.5 / 882.0, "a step of {}", steepest(&heard));
}

#[test]
fn the_monitor_fades_between_mix_and_original() {
    let (mut rig, _) = Rig::rising(2, 100_000);
    rig.player.play();
    rig.run(10_000);
    rig.player.set_monitor(Monitor::Original);
    let heard = rig.run(1000);
    assert!(steepest(&heard) < 0.3 / GAIN_FRAMES as f32);
    assert_eq!(heard[999], original_at(10_999));
    rig.player.set_monitor(Monitor::Mix);
    assert_eq!(rig.run(1000)[999], all_at_one(2, 11_999));
}

#[test]
fn a_seek_fades_over_and_mixes_no_places() {
    let (mut rig, _) = Rig::rising(1, 400_000);
    rig.player.play();
    let before = rig.run(10_000)[9_999];
    rig.player.seek(300_000);
    assert_eq!(rig.player.position(), 300_000, "at once");
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
    assert!(steepest(&heard) < 0.1 / FADE_FRAMES as f32, "no click at a seek to the end");
    assert_eq!(rig.player.position(), 400_000);
    assert!(!rig.player.is_playing());
}

#[test]
fn a_seek_at_the_very_end_is_not_lost() {
    let (mut rig, _) = Rig::rising(1, 20_000);
    rig.player.play();
    rig.run(19_900);
    rig.player.seek(5_000);
    rig.unfed(1000); // the end comes before the feeder has read
    assert!(rig.player.is_playing());
    let heard = rig.run(2000);
    assert_eq!(heard[1999], stem_at(0, 6_999));
}

#[test]
fn pausing_holds_the_place_and_loses_no_frame() {
    let (mut rig, _) = Rig::rising(1, 100_000);
    rig.player.seek(50_000);
    rig.run(10);
    assert_eq!(rig.player.position(), 50_000, "paused, yet the deck is there");
    rig.player.play();
    let started = rig.run(5_000);
    assert!(steepest(&started) < 0.02 / FADE_FRAMES as f32, "fades in");
    rig.player.pause();
    let stopping = rig.run(1_000);
    assert!(steepest(&stopping) < 0.02 / FADE_FRAMES as f32, "fades out");
    assert_eq!(stopping[FADE_FRAMES as usize..], vec![0.0; 1_000 - FADE_FRAMES as usize]);
    let held = rig.player.position();
    assert_eq!(held, 55_000 + u64::from(FADE_FRAMES));
    rig.run(5_000);
    assert_eq!(rig.player.position(), held);
    rig.player.play();
    assert_eq!(rig.run(1000)[999], stem_at(0, held + 999));
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
    assert!(first.is_some_and(|frame| frame < 5_000), "soon: {first:?}");
    for (i, &sample) in heard.iter().enumerate().skip(5_000) {
        assert_eq!(sample, all_at_one(2, 20_000 + i as u64));
    }
    assert_eq!(rig.player.underruns(), 0);
}

/// A deck with one stem of `stem_at(0, …) + offset`, filled for `frames` frames from `start` on.
fn deck(start: u64, frames: u64, offset: f32) -> Deck {
    let gains = Arc::new([1f32.to_bits().into()]);
    let part = Part { generation: 1, start, end: 100_000, gains };
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
        // One is behind the play head, one ahead of it.
        assert!(arriving.push(Box::new(deck(start, 5_000, offset))).is_ok());
        let mut heard = [0; 3].map(|_| left(&mut mixer)).to_vec();
        let at = shared.followed_position(&shared.wanted()).unwrap_or_default();
        assert_eq!(heard.pop(), Some(stem_at(0, at - 1) + offset));
    }
    assert_eq!(shared.underruns.load(Ordering::Relaxed), 0);
    assert_eq!([0; 3].map(|_| returned.pop().is_ok()), [true; 3], "all old decks came back");
}

#[test]
fn refreshing_at_every_turn_keeps_playing() {
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
fn missing_data_fade_out_are_counted_and_cost_no_frame() {
    let (mut rig, _) = Rig::rising(1, 200_000);
    rig.player.seek(100_000);
    rig.player.play();
    rig.run(1_000);
    let mut heard = Vec::new();
    for _ in 0..100 {
        heard.extend(rig.unfed(512));
    }
    assert!(rig.player.underruns() > 0);
    assert!(rig.player.is_playing());
    let held = rig.player.position();
    heard.extend(rig.run(4_000));
    assert!(steepest(&heard) < 0.05 / FADE_FRAMES as f32, "{}", steepest(&heard));
    assert_eq!(heard.last(), Some(&stem_at(0, held + 3_999)));
}

#[test]
fn loading_another_track_stops_at_its_start() {
    let (mut rig, _) = Rig::rising(4, 100_000);
    rig.player.play();
    rig.run(10_000);
    let other = Rising { frames: 50_000, stems: 6, covered: AtomicU64::new(50_000) };
    rig.player.load(Some(Arc::new(other)));
    assert!(!rig.player.is_playing());
    let heard = rig.run(2_000);
    assert!(steepest(&heard) < 0.2 / FADE_FRAMES as f32);
    assert_eq!((rig.player.position(), heard[1_999]), (0, 0.0));
    rig.player.play();
    assert_eq!(rig.run(1_000)[999], all_at_one(6, 999));
    rig.player.load(None);
    rig.run(1_000);
    rig.player.play();
    assert!(!rig.player.is_playing(), "nothing to play");
    assert_eq!(rig.player.position(), 0);
}

#[test]
fn scrubbing_brings_every_deck_back() {
    let (mut rig, _) = Rig::rising(2, 400_000);
    rig.player.play();
    for i in 0..200 {
        rig.player.seek(i * 1_777);
        rig.feed();
        if i % 7 == 0 {
            rig.unfed(64);
        }
    }
    rig.run(1_000); // what was under way is taken up and given back
    let at = rig.player.position();
    assert!((199 * 1_777..=199 * 1_777 + 1_000).contains(&at), "{at}");
    assert_eq!(rig.run(3_000)[2_999], all_at_one(2, at + 2_999));
}

/// Reads fail from a frame on.
struct Broken(Rising);

impl Track for Broken {
    fn frames(&self) -> u64 {
        self.0.frames()
    }
    fn stems(&self) -> usize {
        self.0.stems()
    }
    fn read_original(&self, start: u64, out: &mut [f32]) -> io::Result<()> {
        self.0.read_original(start, out)
    }
    fn read_stem(&self, stem: usize, start: u64, out: &mut [f32]) -> io::Result<()> {
        if start > 10_000 {
            Err(io::Error::other("gone"))
        } else {
            self.0.read_stem(stem, start, out)
        }
    }
    fn covered_at(&self, at: u64) -> (bool, u64) {
        self.0.covered_at(at)
    }
}

#[test]
fn a_disk_that_fails_is_silence_and_the_time_goes_on() {
    let whole = Rising { frames: 40_000, stems: 1, covered: AtomicU64::new(40_000) };
    let mut rig = Rig::new(Arc::new(Broken(whole)));
    rig.player.play();
    let heard = rig.run(41_000);
    assert_eq!(heard[9_000], stem_at(0, 9_000));
    assert!(heard[20_000..].iter().all(|&sample| sample == 0.0));
    assert_eq!(rig.player.position(), 40_000);
}

#[test]
fn the_callback_neither_allocates_nor_frees() {
    let (mut rig, _) = Rig::rising(4, 400_000);
    let Rig { player, mixer, feeder } = &mut rig;
    let mut block = vec![0.0; 2048];
    player.play();
    for i in 0..200u64 {
        match i % 10 {
            3 => player.seek(i * 1_500),
            5 => player.refresh(),
            6 => player.set_gains(&[0.5, i as f32 / 200.0, 1.0, 0.0]),
            7 => player.pause(),
            8 => player.play(),
            _ => {}
        }
        if i % 3 != 0 {
            feeder.serve(&player.inner.shared.wanted());
        }
        assert_no_alloc(|| mixer.process(&mut block));
    }
    for rate_hz in [SAMPLE_RATE, 48_000, 22_050, 96_000] {
        let (mut rig, _) = Rig::rising(2, 50_000);
        rig.player.play();
        rig.feed();
        let Ok(mut outlet) = Outlet::new(rig.mixer, rate_hz, 2) else { panic!("{rate_hz} Hz") };
        let mut block = vec![0i16; 1000];
        for _ in 0..12 {
            assert_no_alloc(|| outlet.fill(&mut block));
        }
        assert!(block.iter().all(|&sample| sample != 0), "there is data all along");
    }
}

proptest! {
    /// Whatever is done, at whatever block size: channels stay together (checked by the rig),
    /// nothing clicks, and no sample is louder than the loudest of the track. The track's own
    /// start and end, which may step, are kept out of it.
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
                5 => rig.player.set_gains(&[frame as f32 / 120_000.0, 1.0]),
                6 => rig.player.set_monitor(Monitor::Original),
                7 => _ = track.covered.fetch_max(frame, Ordering::Relaxed),
                _ => rig.player.set_monitor(Monitor::Mix),
            }
            heard.extend(if frame % 3 == 0 { rig.unfed(frames) } else { rig.run(frames) });
        }
        let loudest = 0.25;
        prop_assert!(steepest(&heard) < 2.0 * loudest / FADE_FRAMES as f32);
        prop_assert!(heard.iter().all(|sample| sample.abs() <= loudest + 1e-6));
    }
}

/// A sine in all lanes' stead.
struct Sine {
    hz: f64,
    level: f64,
}

impl Track for Sine {
    fn frames(&self) -> u64 {
        200_000
    }
    fn stems(&self) -> usize {
        0
    }
    fn read_original(&self, start: u64, out: &mut [f32]) -> io::Result<()> {
        let radians = std::f64::consts::TAU * self.hz / f64::from(SAMPLE_RATE);
        for (frame, pair) in (start..).zip(out.chunks_exact_mut(2)) {
            pair.fill((self.level * (radians * frame as f64).sin()) as f32);
        }
        Ok(())
    }
    fn read_stem(&self, _stem: usize, _start: u64, _out: &mut [f32]) -> io::Result<()> {
        Ok(())
    }
    fn covered_at(&self, _at: u64) -> (bool, u64) {
        (false, 200_000)
    }
}

fn through_outlet<T: cpal::FromSample<f32> + Copy>(
    sine: Sine,
    (rate_hz, channels): (u32, usize),
    zero: T,
) -> Vec<T> {
    let Rig { player, mut feeder, mixer } = Rig::new(Arc::new(sine));
    let Ok(mut outlet) = Outlet::new(mixer, rate_hz, channels) else { panic!("{rate_hz} Hz") };
    player.play();
    let mut heard = Vec::new();
    for _ in 0..100 {
        feeder.serve(&player.inner.shared.wanted());
        let mut block = vec![zero; 700 * channels];
        outlet.fill(&mut block);
        heard.extend(block);
    }
    heard
}

/// Level of a sine of unknown phase, and its distance from everything else in dB: least squares.
fn level_and_purity_db(samples: &[f32], hz: f64, rate_hz: u32) -> (f64, f64) {
    let radians = std::f64::consts::TAU * hz / f64::from(rate_hz);
    let (mut sin, mut cos) = (0.0, 0.0);
    for (n, &x) in samples.iter().enumerate() {
        sin += f64::from(x) * (radians * n as f64).sin();
        cos += f64::from(x) * (radians * n as f64).cos();
    }
    let scale = 2.0 / samples.len() as f64;
    let (mut signal, mut error) = (0.0, 0.0);
    for (n, &x) in samples.iter().enumerate() {
        let phase = radians * n as f64;
        let fitted = scale * (sin * phase.sin() + cos * phase.cos());
        signal += fitted * fitted;
        error += (f64::from(x) - fitted).powi(2);
    }
    (scale * sin.hypot(cos), 10.0 * (signal / error).log10())
}

#[test]
fn other_rates_are_reached_cleanly() {
    for rate_hz in [48_000, 96_000, 32_000, 47_000] {
        for hz in [1_000.0, 12_000.0] {
            let heard = through_outlet(Sine { hz, level: 0.5 }, (rate_hz, 2), 0f32);
            // From where it has settled on, a whole number of milliseconds so that both fit.
            let left: Vec<f32> = heard.chunks_exact(2).map(|frame| frame[0]).collect();
            let ms = rate_hz as usize / 1000;
            let settled = &left[20 * ms..(left.len() / ms) * ms];
            let (level, purity) = level_and_purity_db(settled, hz, rate_hz);
            assert!(purity > 90.0, "{hz} Hz at {rate_hz} Hz: {purity:.1} dB");
            assert!((level - 0.5).abs() < 0.001, "{hz} Hz at {rate_hz} Hz: level {level}");
        }
    }
}

#[test]
fn channels_and_formats_are_fitted() {
    let stereo = through_outlet(Sine { hz: 441.0, level: 0.5 }, (SAMPLE_RATE, 2), 0f32);
    let mono = through_outlet(Sine { hz: 441.0, level: 0.5 }, (SAMPLE_RATE, 1), 0f32);
    let six = through_outlet(Sine { hz: 441.0, level: 0.5 }, (SAMPLE_RATE, 6), 9f32);
    let short = through_outlet(Sine { hz: 441.0, level: 0.5 }, (SAMPLE_RATE, 2), 0i16);
    let unsigned = through_outlet(Sine { hz: 441.0, level: 0.5 }, (SAMPLE_RATE, 3), 0u16);
    for (i, frame) in stereo.chunks_exact(2).enumerate() {
        assert_eq!(mono[i], frame[0]);
        assert_eq!(six[6 * i..6 * i + 6], [frame[0], frame[1], 0.0, 0.0, 0.0, 0.0]);
        assert!((f32::from(short[2 * i]) / 32_768.0 - frame[0]).abs() <= 1.0 / 32_768.0);
        assert_eq!(unsigned[3 * i + 2], 32_768, "silence of an unsigned format");
    }
    let loud = through_outlet(Sine { hz: 441.0, level: 3.0 }, (SAMPLE_RATE, 2), 0f32);
    assert!(loud.iter().all(|sample| sample.abs() <= 1.0), "clipped, not more");
    assert!(loud.contains(&1.0));
    let loud = through_outlet(Sine { hz: 441.0, level: 3.0 }, (48_000, 2), 0i16);
    assert!(loud.contains(&i16::MAX) && loud.contains(&i16::MIN));
}
