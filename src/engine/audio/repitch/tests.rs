//! Tests of stretches: pitch, length, places, sums, and changes while running.

use std::f64::consts::TAU;

use super::{KeySpeed, Stretch};
use crate::engine::types::{CHANNELS, SAMPLE_RATE};

/// Stretches lanes of stereo; the first one leads. `change` may change the factors at each step.
fn stretched(
    lanes: &[Vec<f32>],
    first: KeySpeed,
    mut change: impl FnMut(usize) -> Option<KeySpeed>,
) -> Vec<Vec<f32>> {
    let mut stretch = Stretch::new(SAMPLE_RATE, lanes.len(), first.factors()).unwrap();
    let frames = first.frames((lanes[0].len() / CHANNELS) as u64) as usize;
    let mut outs = vec![Vec::new(); lanes.len()];
    let mut at = 0;
    for step in 0.. {
        if let Some(new) = change(step) {
            stretch.set(new.factors());
        }
        let wanted = CHANNELS * stretch.wanted(0);
        for (index, lane) in lanes.iter().enumerate() {
            let mut input = lane[at.min(lane.len())..(at + wanted).min(lane.len())].to_vec();
            input.resize(wanted, 0.0);
            stretch.push(index, &input);
        }
        at += wanted;
        stretch.step();
        for (index, out) in outs.iter_mut().enumerate() {
            let mut block = [0.0; 2048];
            while let read @ 1.. = stretch.read(index, &mut block) {
                out.extend_from_slice(&block[..CHANNELS * read]);
            }
        }
        if outs[0].len() >= CHANNELS * frames {
            break;
        }
    }
    for out in &mut outs {
        out.truncate(CHANNELS * frames);
    }
    outs
}

fn stereo(frames: usize, sample: impl Fn(usize) -> f32) -> Vec<f32> {
    (0..frames).flat_map(|n| [sample(n), 0.5 * sample(n)]).collect()
}

fn sine(hz: f64, frames: usize) -> Vec<f32> {
    stereo(frames, |n| (0.5 * (TAU * hz * n as f64 / f64::from(SAMPLE_RATE)).sin()) as f32)
}

fn left(lane: &[f32]) -> Vec<f32> {
    lane.iter().copied().step_by(CHANNELS).collect()
}

/// Frequency in Hz of the middle half, from the upward zero crossings.
fn pitch(samples: &[f32]) -> f64 {
    let middle = &samples[samples.len() / 4..samples.len() * 3 / 4];
    let rises = middle.windows(2).enumerate().filter(|(_, p)| p[0] < 0.0 && p[1] >= 0.0);
    let at: Vec<f64> =
        rises.map(|(i, p)| i as f64 + f64::from(-p[0]) / f64::from(p[1] - p[0])).collect();
    (at.len() - 1) as f64 / (at[at.len() - 1] - at[0]) * f64::from(SAMPLE_RATE)
}

/// Largest second difference, the measure of a click.
fn sharpest(samples: &[f32]) -> f32 {
    samples.windows(3).map(|x| (x[2] - 2.0 * x[1] + x[0]).abs()).fold(0.0, f32::max)
}

/// A burst of noise.
fn burst(n: usize) -> f32 {
    let mut x = n as u64 + 1;
    for _ in 0..2 {
        x = (x ^ (x >> 31)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
    ((x >> 40) as f32 / (1 << 23) as f32 - 1.0) * 0.6 * (-(n as f32) / 100.0).exp()
}

const BURSTS: [usize; 5] = [20_000, 47_013, 74_026, 101_039, 128_052];

fn bursts(frames: usize) -> Vec<f32> {
    stereo(frames, |n| {
        let started = BURSTS.iter().rev().find(|start| **start <= n);
        started.map_or(0.0, |start| burst(n - start))
    })
}

#[test]
fn sines_are_shifted_within_a_tenth_of_a_cent() {
    for hz in [82.4, 440.0, 3_000.0, 9_000.0] {
        for semitones in [-12, -5, -1, 0, 1, 5, 12] {
            for speed in [0.5, 0.8, 1.0, 1.5] {
                let change = KeySpeed::new(100 * semitones + 7, speed);
                let shifted = hz * change.factors().0;
                let frames = 2 * SAMPLE_RATE as usize;
                let out = stretched(&[sine(hz, frames)], change, |_| None);
                assert_eq!(
                    out[0].len() / CHANNELS,
                    (frames as f64 / change.factors().1).round() as usize
                );
                if shifted > 10_000.0 {
                    continue; // too few samples per period for zero crossings
                }
                let cents = 1200.0 * (pitch(&left(&out[0])) / shifted).log2();
                assert!(cents.abs() < 0.1, "{cents} cents off: {hz} Hz, {change:?}");
            }
        }
    }
}

#[test]
fn lanes_that_add_up_still_add_up_and_attacks_stay_in_place() {
    let frames = 150_000;
    let parts = [bursts(frames), sine(220.0, frames)];
    let sum: Vec<f32> = parts[0].iter().zip(&parts[1]).map(|(a, b)| a + b).collect();
    for (cents, speed) in [(100, 1.0), (-500, 1.0), (1200, 1.0), (0, 0.8), (-300, 1.25)] {
        let change = KeySpeed::new(cents, speed);
        let lanes = [sum.clone(), parts[0].clone(), parts[1].clone(), parts[0].clone()];
        let out = stretched(&lanes, change, |_| None);
        let off = out[0].iter().zip(&out[1]).zip(&out[2]).map(|((sum, a), b)| (sum - a - b).abs());
        assert!(off.fold(0.0, f32::max) < 1e-6, "{change:?}");
        assert_eq!(out[1], out[3], "equal lanes must stay equal");
        let burst = left(&out[1]);
        for start in BURSTS {
            let place = (start as f64 / f64::from(change.speed())).round() as usize;
            let near = &burst[place - 2_000..place + 2_000];
            let peak = near.iter().fold(0.0f32, |peak, x| peak.max(x.abs()));
            assert!(peak > 0.2, "the burst at {start} is smeared to {peak}: {change:?}");
            let first = near.iter().position(|x| x.abs() > 0.3 * peak).unwrap_or_default();
            // The detector knows an attack to 32 frames.
            assert!(first.abs_diff(2_000) < 64, "{first} for {start}: {change:?}");
        }
    }
}

#[test]
fn changes_while_running_do_not_click() {
    let lanes = [sine(440.0, 4 * SAMPLE_RATE as usize)];
    let steady = |change| sharpest(&left(&stretched(&lanes, change, |_| None)[0])[4_000..100_000]);
    let highest = steady(KeySpeed::new(700, 1.0));
    let out = stretched(&lanes, KeySpeed::default(), |step| {
        let cents = [0, 700, -400, 50, -1200, 300, 0][step / 40 % 7];
        let speed = [1.0, 1.0, 0.7, 1.5, 0.9][step / 40 % 5];
        (step % 40 == 0).then(|| KeySpeed::new(cents, speed))
    });
    let sharp = sharpest(&left(&out[0])[4_000..100_000]);
    assert!(sharp < 1.5 * highest, "{sharp} over {highest}");
}

#[test]
fn position_follows_the_input() {
    let change = KeySpeed::new(300, 0.8);
    let mut stretch = Stretch::new(SAMPLE_RATE, 1, change.factors()).unwrap();
    let mut read = 0;
    for _ in 0..200 {
        let wanted = vec![0.0; CHANNELS * stretch.wanted(0)];
        stretch.push(0, &wanted);
        stretch.step();
        read += stretch.read(0, &mut [0.0; 4_096]);
        if read > 0 {
            assert!((stretch.position() - 0.8 * read as f64).abs() < 4.0);
        }
    }
    assert!(read > 50_000);
}

#[test]
fn an_unchanged_stretch_delays_nothing() {
    let lanes = [bursts(60_000)];
    let out = left(&stretched(&lanes, KeySpeed::default(), |_| None)[0]);
    let input = left(&lanes[0]);
    let alike = |lag: usize| -> f32 {
        out[lag..].iter().zip(&input[10..50_000]).map(|(out, input)| out * input).sum()
    };
    let best = (0..=20).max_by(|a, b| alike(*a).total_cmp(&alike(*b)));
    assert_eq!(best, Some(10));
}

#[test]
fn lengths_are_exact() {
    assert_eq!(KeySpeed::new(100, 1.0).frames(12_345_677), 12_345_677);
    assert_eq!(KeySpeed::new(0, 0.9).frames(10_000_003), 11_111_114);
    assert_eq!(KeySpeed::new(0, 1.5).frames(1), 1);
    assert_eq!(KeySpeed::new(0, 0.5).frames(u64::MAX), u64::MAX);
    for change in [KeySpeed::new(-1250, 0.5), KeySpeed::new(3, 1.234), KeySpeed::default()] {
        assert_eq!(KeySpeed::from_bits(change.to_bits()), change);
    }
    assert_eq!(KeySpeed::new(5_000, f32::NAN), KeySpeed::new(1250, 1.0));
}
