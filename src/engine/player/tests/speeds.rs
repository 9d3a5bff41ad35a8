//! Speeds: pitch, position, and no clicks at changes.

use std::{io, sync::Arc};

use super::{Rig, at_gains, steepest, stem_at};
use crate::engine::{audio::repitch::KeySpeed, player::Track, types::SAMPLE_RATE};

/// A sine of 440 Hz on all lanes.
struct Tone;

const FRAMES: u64 = 40 * SAMPLE_RATE as u64;
const STEEPEST: f32 = 0.5 * 440.0 * std::f32::consts::TAU / SAMPLE_RATE as f32;

impl Track for Tone {
    fn frames(&self) -> u64 {
        FRAMES
    }
    fn stems(&self) -> usize {
        1
    }
    fn read_original(&self, start: u64, out: &mut [f32]) -> io::Result<()> {
        for (frame, pair) in (start..).zip(out.chunks_exact_mut(2)) {
            let phase = 440.0 * frame as f64 / f64::from(SAMPLE_RATE);
            let left = (0.5 * (std::f64::consts::TAU * phase.fract()).sin()) as f32;
            (pair[0], pair[1]) = (left, -left);
        }
        Ok(())
    }
    fn read_stem(&self, _stem: usize, start: u64, out: &mut [f32]) -> io::Result<()> {
        self.read_original(start, out)
    }
    fn covered_at(&self, _at: u64) -> (bool, u64) {
        (true, FRAMES)
    }
}

/// Plays left samples; after the stretch, the right channel is not exactly their negative.
fn run(rig: &mut Rig, frames: usize) -> Vec<f32> {
    let mut left = Vec::new();
    while left.len() < frames {
        rig.feed();
        let mut block = vec![f32::NAN; 2 * (frames - left.len()).min(512)];
        rig.mixer.process(&mut block);
        left.extend(block.chunks_exact(2).map(|frame| frame[0]));
    }
    left
}

/// Frequency in Hz, from the upward zero crossings.
fn pitch(samples: &[f32]) -> f64 {
    let pairs = samples.windows(2).enumerate();
    let rises = pairs.filter(|(_, pair)| pair[0] < 0.0 && pair[1] >= 0.0);
    let at: Vec<f64> =
        rises.map(|(i, p)| i as f64 + f64::from(-p[0]) / f64::from(p[1] - p[0])).collect();
    (at.len() - 1) as f64 / (at[at.len() - 1] - at[0]) * f64::from(SAMPLE_RATE)
}

#[test]
fn speed_changes_the_position_and_not_the_pitch() {
    for speed in [0.5, 0.8, 1.25, 1.5] {
        let mut rig = Rig::new(Arc::new(Tone));
        rig.player.set_key_speed(KeySpeed::new(0, speed));
        rig.player.play();
        let frames = 4 * SAMPLE_RATE as usize;
        let heard = run(&mut rig, frames);
        let hz = pitch(&heard[SAMPLE_RATE as usize..]);
        assert!((hz - 440.0).abs() < 0.5, "{hz} Hz at speed {speed}");
        let place = rig.player.position() as f64 / (f64::from(speed) * frames as f64);
        assert!((place - 1.0).abs() < 0.01, "{place} of the way at speed {speed}");
        assert_eq!(rig.player.underruns(), 0);
    }
}

/// Largest second difference, the measure of a click.
fn sharpest(samples: &[f32]) -> f32 {
    samples.windows(3).map(|x| (x[2] - 2.0 * x[1] + x[0]).abs()).fold(0.0, f32::max)
}

#[test]
fn key_changes_the_pitch_and_not_the_speed() {
    for semitones in [-12, -5, -1, 1, 5, 12] {
        for speed in [0.8, 1.0] {
            let mut rig = Rig::new(Arc::new(Tone));
            rig.player.set_key_speed(KeySpeed::new(100 * semitones, speed));
            rig.player.play();
            let frames = 4 * SAMPLE_RATE as usize;
            let heard = run(&mut rig, frames);
            let wanted = 440.0 * (f64::from(semitones) / 12.0).exp2();
            let cents = 1200.0 * (pitch(&heard[SAMPLE_RATE as usize..]) / wanted).log2();
            assert!(cents.abs() < 0.5, "{cents} cents at {semitones} semitones");
            let place = rig.player.position() as f64 - f64::from(speed) * frames as f64;
            assert!(place.abs() < 20.0, "{place} frames off at {semitones}, speed {speed}");
            assert_eq!(rig.player.underruns(), 0);
        }
    }
}

#[test]
fn key_changes_while_playing_do_not_click() {
    let mut rig = Rig::new(Arc::new(Tone));
    rig.player.set_key_speed(KeySpeed::new(700, 1.0));
    rig.player.play();
    run(&mut rig, 20_000);
    let steady = sharpest(&run(&mut rig, 20_000));
    let mut heard = Vec::new();
    for (cents, speed) in [(600, 1.0), (-1200, 1.0), (50, 0.8), (-300, 1.5), (700, 1.0), (0, 0.5)] {
        rig.player.set_key_speed(KeySpeed::new(cents, speed));
        heard.extend(run(&mut rig, 20_000));
    }
    assert!(sharpest(&heard) < 1.5 * steady, "{} over {steady}", sharpest(&heard));
    assert_eq!(rig.player.underruns(), 0);
}

#[test]
fn speed_changes_are_seamless_and_keep_the_position() {
    let mut rig = Rig::new(Arc::new(Tone));
    rig.player.play();
    let mut heard = run(&mut rig, 20_000);
    let mut place = 20_000.0;
    for speed in [0.8, 1.3, 0.6, 1.0, 1.5, 1.0] {
        rig.player.set_key_speed(KeySpeed::new(0, speed));
        heard.extend(run(&mut rig, 60_000));
        // A new speed acts within a third of a second.
        place += 60_000.0 * f64::from(speed);
        let at = rig.player.position() as f64;
        assert!((at - place).abs() < 15_000.0, "{at} instead of {place} after speed {speed}");
        place = at;
    }
    assert!(steepest(&heard) < 1.5 * STEEPEST, "{} over {STEEPEST}", steepest(&heard));
    assert_eq!(rig.player.underruns(), 0);
}

#[test]
fn at_speed_one_again_the_samples_are_exact() {
    let (mut rig, _) = Rig::rising(1, 400_000);
    rig.player.play();
    run(&mut rig, 5_000);
    rig.player.set_key_speed(KeySpeed::new(0, 0.9));
    run(&mut rig, 30_000);
    rig.player.set_key_speed(KeySpeed::new(0, 1.0));
    let ahead = rig.player.position();
    let heard = run(&mut rig, 5_000);
    let at = rig.player.position();
    assert!(at - ahead <= 5_000, "must resume at the audible position");
    assert_eq!(heard[4_999], stem_at(0, at - 1));
}

#[test]
fn a_pause_acts_immediately_and_keeps_the_audible_position() {
    let mut rig = Rig::new(Arc::new(Tone));
    rig.player.set_key_speed(KeySpeed::new(0, 0.75));
    rig.player.play();
    run(&mut rig, 50_000);
    let held = rig.player.position();
    rig.player.pause();
    let heard = run(&mut rig, 5_000);
    assert!(heard[1_000..].iter().all(|&sample| sample == 0.0), "must be silent soon");
    assert!(steepest(&heard) < 1.5 * STEEPEST);
    assert_eq!(rig.player.position(), held);
    rig.player.seek(600_000);
    run(&mut rig, 5_000);
    rig.player.play();
    let heard = run(&mut rig, 20_000);
    assert!(heard[..3_000].iter().any(|sample| sample.abs() > 0.3), "must sound soon");
    let moved = rig.player.position() - 600_000;
    assert!((moved as f64 - 15_000.0).abs() < 1_000.0, "{moved}");
}

#[test]
fn a_mute_acts_within_30_ms_at_any_speed() {
    const SOON: usize = 30 * SAMPLE_RATE as usize / 1000;
    for speed in [0.5, 0.8, 1.0, 1.5] {
        let mut rig = Rig::new(Arc::new(Tone));
        rig.player.set_key_speed(KeySpeed::new(0, speed));
        rig.player.play();
        let mut heard = run(&mut rig, 50_000);
        let mut place = rig.player.position() as f64;
        for round in 0..4 {
            let sounds = round % 2 == 1;
            rig.player.set_gains(&at_gains(&[f32::from(sounds)], 0.0));
            let now = run(&mut rig, 30_000);
            for (block, frames) in now[SOON..].chunks_exact(200).enumerate() {
                let peak = frames.iter().fold(0.0, |peak: f32, sample| peak.max(sample.abs()));
                // A new stretch takes a while to reach its full level.
                let loud = if block < 50 { 0.2 } else { 0.4 };
                let is_right = if sounds { peak > loud } else { peak < 1e-3 };
                assert!(is_right, "{peak} in block {block} of turn {round} at speed {speed}");
            }
            heard.extend(now);
            place += 30_000.0 * f64::from(speed);
            let at = rig.player.position() as f64;
            assert!((at - place).abs() < 3_000.0, "{at} instead of {place} at speed {speed}");
        }
        assert!(steepest(&heard) < 2.0 * STEEPEST, "{} over {STEEPEST}", steepest(&heard));
        assert_eq!(rig.player.underruns(), 0);
    }
}

#[test]
fn a_dragged_fader_does_not_restart_the_stretch() {
    let mut rig = Rig::new(Arc::new(Tone));
    rig.player.set_key_speed(KeySpeed::new(0, 0.8));
    rig.player.play();
    run(&mut rig, 50_000);
    let generation = rig.player.inner.shared.wanted().generation;
    for step in 0..=20 {
        rig.player.set_gains(&at_gains(&[1.0 - step as f32 / 40.0], 0.0));
        run(&mut rig, 500);
    }
    assert_eq!(rig.player.inner.shared.wanted().generation, generation);
    let heard = run(&mut rig, 20_000);
    let peak = heard[6_000..].iter().fold(0.0, |peak: f32, sample| peak.max(sample.abs()));
    assert!((peak - 0.25).abs() < 0.02, "{peak}");
}

#[test]
fn plays_to_the_last_frame() {
    let mut rig = Rig::new(Arc::new(Tone));
    rig.player.set_key_speed(KeySpeed::new(0, 1.25));
    rig.player.seek(FRAMES - 50_000);
    rig.player.play();
    let heard = run(&mut rig, 60_000);
    let sounding = heard.iter().rposition(|sample| sample.abs() > 0.1).unwrap_or_default();
    assert!((sounding as f64 - 40_000.0).abs() < 1_500.0, "last sound at {sounding}");
    assert!(!rig.player.is_playing());
    assert_eq!(rig.player.position(), FRAMES);
}
