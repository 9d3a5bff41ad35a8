//! Playback, pause, gains, monitor, and error handling.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use assert_no_alloc::assert_no_alloc;

use super::{Rig, Rising, all_at_one, at_gains, original_at, steepest, stem_at};
use crate::engine::{
    audio::repitch::KeySpeed,
    player::{
        Monitor, Track, gains,
        output_adapter::OutputAdapter,
        ramp::{FADE_FRAMES, GAIN_FRAMES},
    },
    types::{LaneSettings, SAMPLE_RATE},
};

#[test]
fn plays_every_frame_from_the_first_to_the_last_and_stops() {
    let (mut rig, _) = Rig::rising(4, 30_000);
    assert_eq!(rig.run(100), [0.0; 100], "silence before play");
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
    assert_eq!(rig.player.levels(), [0.0; 2], "levels must reset on each call");

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
        let gains = gains(&lanes, LaneSettings::of_residual());
        let before = rig.run(1)[0];
        rig.player.set_gains(&gains);
        let heard = rig.run(2000);
        at += 2001;
        let expected = |frame: usize| -> f32 {
            let lanes = gains.stems.iter().enumerate();
            let stem = |i| f64::from(stem_at(i, frame as u64));
            lanes.map(|(i, [gain, _])| f64::from(*gain) * stem(i)).sum::<f64>() as f32
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
fn gains_changed_during_silence_hold_from_the_first_frame() {
    let (mut rig, _) = Rig::rising(2, 100_000);
    rig.run(100); // the deck has its first gains
    rig.player.set_gains(&at_gains(&[1.0, 0.0], 0.0));
    rig.player.play();
    for (frame, sample) in rig.run(1_000).into_iter().enumerate() {
        assert_eq!(sample, stem_at(0, frame as u64), "frame {frame}");
    }
    rig.player.pause();
    rig.run(2_000);
    rig.player.set_gains(&at_gains(&[0.0, 1.0], 0.0));
    rig.run(100);
    rig.player.play();
    let start = rig.player.position();
    let fade = FADE_FRAMES as usize;
    for (at, sample) in rig.run(fade + 100).into_iter().enumerate() {
        let whole = stem_at(1, start + at as u64);
        let is_exact = at < fade || sample == whole;
        assert!(is_exact && sample.abs() <= whole, "frame {at}: {sample} of {whole}");
    }
}

#[test]
fn stems_and_residual_add_up_to_the_original_bit_for_bit() {
    let (mut rig, _) = Rig::rising(4, 100_000);
    rig.player.set_gains(&at_gains(&[1.0; 4], 1.0));
    rig.player.play();
    let heard = rig.run(20_000);
    for (frame, &sample) in heard.iter().enumerate() {
        assert_eq!(sample, original_at(frame as u64), "frame {frame}");
    }
    rig.player.set_gains(&at_gains(&[0.0; 4], 1.0));
    let at = 21_999;
    let alone = f64::from(original_at(at)) - f64::from(all_at_one(4, at));
    assert!((f64::from(rig.run(2_000)[1_999]) - alone).abs() < 1e-7, "residual alone");
    let levels = rig.player.lane_levels();
    assert_eq!(levels.len(), 5);
    rig.run(1_000);
    let levels = rig.player.lane_levels();
    assert_eq!(levels[..4], [[0.0; 2]; 4], "silent lanes");
    assert!((f64::from(levels[4][0]) - alone.abs()).abs() < 0.01, "{levels:?}");
}

#[test]
fn each_lane_has_its_own_two_sides_and_its_level() {
    let (mut rig, _) = Rig::rising(2, 100_000);
    let lane = LaneSettings::default();
    let left = LaneSettings { pan: -1.0, gain_db: -20.0, ..lane };
    rig.player.set_gains(&gains(&[lane, left], LaneSettings::of_residual()));
    rig.player.play();
    let mut block = [0.0; 4_000];
    for _ in 0..3 {
        rig.feed();
        rig.mixer.process(&mut block);
    }
    let [stem, other] = [0, 1].map(|stem| stem_at(stem, 5_999));
    let expected = [(f64::from(stem) + f64::from(0.1f32) * f64::from(other)) as f32, -stem];
    assert_eq!(block[3_998..], expected);
    let levels = rig.player.lane_levels();
    assert_eq!(levels, [[stem, stem], [0.1 * other, 0.0], [0.0; 2]]);
    assert_eq!(rig.player.lane_levels(), [[0.0; 2]; 3], "levels must reset on each call");
}

#[test]
fn gains_set_before_a_track_is_loaded_count() {
    let (mut rig, _) = Rig::rising(2, 50_000);
    rig.player.load(None);
    rig.run(10);
    rig.player.set_gains(&at_gains(&[0.5, 0.0, 7.0], 0.0));
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
fn pausing_holds_the_place_and_loses_no_frame() {
    let (mut rig, _) = Rig::rising(1, 100_000);
    rig.player.seek(50_000);
    rig.run(10);
    assert_eq!(rig.player.position(), 50_000, "paused, but the deck is loaded");
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
fn underruns_fade_out_are_counted_and_skip_no_frame() {
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

/// A track whose reads fail from some frame on.
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
fn a_failing_disk_plays_silence_and_time_advances() {
    let whole = Rising { frames: 40_000, stems: 1, covered: AtomicU64::new(40_000) };
    let mut rig = Rig::new(Arc::new(Broken(whole)));
    rig.player.play();
    let heard = rig.run(41_000);
    assert_eq!(heard[9_000], stem_at(0, 9_000));
    assert!(heard[20_000..].iter().all(|&sample| sample == 0.0));
    assert_eq!(rig.player.position(), 40_000);
}

/// A track that panics from some frame on.
struct Buggy(Rising);

impl Track for Buggy {
    fn frames(&self) -> u64 {
        self.0.frames
    }
    fn stems(&self) -> usize {
        self.0.stems
    }
    fn read_original(&self, start: u64, out: &mut [f32]) -> io::Result<()> {
        self.0.read_original(start, out)
    }
    fn read_stem(&self, stem: usize, start: u64, out: &mut [f32]) -> io::Result<()> {
        assert!(start < 10_000, "a bug");
        self.0.read_stem(stem, start, out)
    }
    fn covered_at(&self, at: u64) -> (bool, u64) {
        self.0.covered_at(at)
    }
}

#[test]
fn a_panic_in_reading_silences_only_that_track() {
    let rising = || Rising { frames: 40_000, stems: 1, covered: AtomicU64::new(40_000) };
    let mut rig = Rig::new(Arc::new(Buggy(rising())));
    rig.player.play();
    let heard = rig.run(41_000);
    assert_eq!(heard[9_000], stem_at(0, 9_000));
    assert!(heard[20_000..].iter().all(|&sample| sample == 0.0));
    assert_eq!(rig.player.position(), 40_000);
    rig.player.load(Some(Arc::new(rising())));
    rig.player.play();
    assert_eq!(rig.run(9_001)[9_000], stem_at(0, 9_000));
}

#[test]
fn the_callback_neither_allocates_nor_frees() {
    let (rig, _) = Rig::rising(4, 400_000);
    let Rig { player, mixer, mut feeder, mut spares } = rig;
    let Ok(mut output_adapter) = OutputAdapter::new(mixer, SAMPLE_RATE, 2) else {
        panic!("the engine's rate")
    };
    let mut block = vec![0.0f32; 2048];
    let changes = [(0, 1.0), (0, 0.75), (300, 1.4), (-1200, 1.0)];
    let changes = changes.map(|(cents, speed)| KeySpeed::new(cents, speed));
    player.play();
    for i in 0..600u64 {
        match i % 10 {
            3 => player.seek(i * 500),
            5 => player.refresh(),
            6 => player.set_gains(&at_gains(&[0.5, i as f32 / 600.0, 1.0, 0.0], 0.5)),
            7 => player.pause(),
            8 => player.play(),
            9 => player.set_key_speed(changes[i as usize / 10 % 4]),
            1 => player.set_loop((i % 20 < 10).then_some((i * 100, i * 2_000 + 500))),
            2 => player.set_monitor(if i % 20 == 2 { Monitor::Original } else { Monitor::Mix }),
            _ => {}
        }
        if i % 3 != 0 {
            feeder.serve(&player.inner.shared.wanted());
            spares.tend(player.key_speed());
        }
        if i % 37 == 36 {
            // The device is lost and another is opened, as the stream owner does.
            let (heard, mut source) = (player.position(), output_adapter.into_source());
            let shared = &player.inner.shared;
            shared.change(|wanted| shared.turn(wanted, heard, false));
            source.rest();
            let (rate_hz, channels) = [(48_000, 2), (SAMPLE_RATE, 6), (96_000, 1)][i as usize % 3];
            let Ok(other) = OutputAdapter::new(source, rate_hz, channels) else {
                panic!("{rate_hz} Hz")
            };
            output_adapter = other;
        }
        assert_no_alloc(|| output_adapter.fill(&mut block));
    }
}

#[test]
fn the_position_is_that_of_the_audible_frame() {
    let (mut rig, _) = Rig::rising(1, 100_000);
    rig.player.play();
    rig.run(5_000);
    rig.player.inner.shared.latency_frames.store(1_000, Ordering::Relaxed);
    assert_eq!(rig.player.position(), 4_000);
    rig.player.seek(50_000);
    rig.run(500);
    assert_eq!(rig.player.position(), 50_000, "never before the seek target");
    rig.player.pause();
    assert_eq!(rig.player.position(), 50_500, "frames on their way are still audible");
}

/// A track that panics in every method.
struct Clumsy;

impl Track for Clumsy {
    fn frames(&self) -> u64 {
        panic!("on purpose")
    }
    fn stems(&self) -> usize {
        1
    }
    fn read_original(&self, _start: u64, _out: &mut [f32]) -> std::io::Result<()> {
        panic!("on purpose")
    }
    fn read_stem(&self, _stem: usize, _start: u64, _out: &mut [f32]) -> std::io::Result<()> {
        panic!("on purpose")
    }
    fn covered_at(&self, _at: u64) -> (bool, u64) {
        panic!("on purpose")
    }
}

#[test]
fn a_panic_silences_only_one_song() {
    let (mut rig, track) = Rig::rising(1, 10_000);
    rig.player.load(Some(Arc::new(Clumsy)));
    rig.player.play();
    assert!(rig.run(4096).iter().all(|sample| *sample == 0.0));
    // Bypass the guard, so that the feeder itself panics.
    let shared = Arc::clone(&rig.player.inner.shared);
    shared.change(|wanted| {
        wanted.track = Some(Arc::new(Clumsy));
        shared.turn(wanted, 0, false);
    });
    assert!(rig.run(4096).iter().all(|sample| *sample == 0.0));
    rig.player.load(Some(track));
    rig.player.play();
    let heard = rig.run(4096);
    assert_eq!(heard[2000..], (2000..4096).map(|at| all_at_one(1, at)).collect::<Vec<_>>());
}
