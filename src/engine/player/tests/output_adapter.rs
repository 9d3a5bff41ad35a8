//! The output adapter: other rates, channels and sample types.

use std::{io, sync::Arc};

use assert_no_alloc::assert_no_alloc;

use super::Rig;
use crate::engine::{
    player::{Track, output_adapter::OutputAdapter},
    types::SAMPLE_RATE,
};

/// A sine in place of all lanes.
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
    let Rig { player, mut feeder, mixer, .. } = Rig::new(Arc::new(sine));
    let Ok(mut output_adapter) = OutputAdapter::new(mixer, rate_hz, channels) else {
        panic!("{rate_hz} Hz")
    };
    player.play();
    let mut heard = Vec::new();
    for _ in 0..100 {
        feeder.serve(&player.inner.shared.wanted());
        let mut block = vec![zero; 700 * channels];
        output_adapter.fill(&mut block);
        heard.extend(block);
    }
    heard
}

/// Level of a sine of unknown phase, and its ratio to everything else in dB, by least squares.
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
fn converts_to_other_rates_cleanly() {
    for rate_hz in [48_000, 96_000, 32_000, 47_000] {
        for hz in [1_000.0, 12_000.0] {
            let heard = through_outlet(Sine { hz, level: 0.5 }, (rate_hz, 2), 0f32);
            // Skip the settling time, and use a whole number of milliseconds so that both periods
            // fit.
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
fn adapts_channels_and_formats() {
    let stereo = through_outlet(Sine { hz: 441.0, level: 0.5 }, (SAMPLE_RATE, 2), 0f32);
    let mono = through_outlet(Sine { hz: 441.0, level: 0.5 }, (SAMPLE_RATE, 1), 0f32);
    let six = through_outlet(Sine { hz: 441.0, level: 0.5 }, (SAMPLE_RATE, 6), 9f32);
    let short = through_outlet(Sine { hz: 441.0, level: 0.5 }, (SAMPLE_RATE, 2), 0i16);
    let unsigned = through_outlet(Sine { hz: 441.0, level: 0.5 }, (SAMPLE_RATE, 3), 0u16);
    for (i, frame) in stereo.chunks_exact(2).enumerate() {
        assert_eq!(mono[i], frame[0]);
        assert_eq!(six[6 * i..6 * i + 6], [frame[0], frame[1], 0.0, 0.0, 0.0, 0.0]);
        assert!((f32::from(short[2 * i]) / 32_768.0 - frame[0]).abs() <= 1.0 / 32_768.0);
        assert_eq!(unsigned[3 * i + 2], 32_768, "silence in an unsigned format");
    }
    let loud = through_outlet(Sine { hz: 441.0, level: 3.0 }, (SAMPLE_RATE, 2), 0f32);
    assert!(loud.iter().all(|sample| sample.abs() <= 1.0), "must be clipped");
    assert!(loud.contains(&1.0));
    let loud = through_outlet(Sine { hz: 441.0, level: 3.0 }, (48_000, 2), 0i16);
    assert!(loud.contains(&i16::MAX) && loud.contains(&i16::MIN));
}

#[test]
fn the_callback_at_another_rate_neither_allocates_nor_frees() {
    for rate_hz in [SAMPLE_RATE, 48_000, 22_050, 96_000] {
        let (mut rig, _) = Rig::rising(2, 50_000);
        rig.player.play();
        rig.feed();
        let Ok(mut output_adapter) = OutputAdapter::new(rig.mixer, rate_hz, 2) else {
            panic!("{rate_hz} Hz")
        };
        let mut block = vec![0i16; 1000];
        for _ in 0..12 {
            assert_no_alloc(|| output_adapter.fill(&mut block));
        }
        assert!(block.iter().all(|&sample| sample != 0), "data must not run out");
    }
}
