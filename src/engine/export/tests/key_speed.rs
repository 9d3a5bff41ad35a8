//! Exports in another key or at another speed: pitch, length, sums, and places.

use std::f64::consts::TAU;

use super::*;
use crate::engine::audio::repitch::KeySpeed;

const FRAMES: usize = 120_001;

/// A steady tone, and bursts of noise: the two stems of a song that has nothing else.
fn tone_and_bursts() -> InMemory {
    let tone = |n: usize| (0.3 * (TAU * 440.0 * n as f64 / f64::from(SAMPLE_RATE)).sin()) as f32;
    let noise = noise(400, 0.4, 5);
    let burst = |n: usize| noise.get(2 * (n % 30_000)).copied().unwrap_or_default();
    let stereo = |at: &dyn Fn(usize) -> f32| {
        (0..FRAMES).flat_map(|n| [at(n), 0.5 * at(n)]).collect::<Vec<f32>>()
    };
    let stems = vec![stereo(&tone), stereo(&burst), stereo(&|n| 0.3 * burst(n) + tone(n))];
    let original = stereo(&|n| 2.0 * tone(n) + 1.3 * burst(n));
    InMemory { original, stems, covered: FRAMES as u64 }
}

fn changed(change: KeySpeed, depth: Depth) -> Settings {
    Settings { key_speed: change, ..at_depth(depth) }
}

fn left(samples: &[f64]) -> Vec<f64> {
    samples.iter().copied().step_by(CHANNELS).collect()
}

/// Frequency in Hz of the middle half, from the upward zero crossings.
fn pitch(samples: &[f64]) -> f64 {
    let middle = &samples[samples.len() / 4..samples.len() * 3 / 4];
    let rises = middle.windows(2).enumerate().filter(|(_, p)| p[0] < 0.0 && p[1] >= 0.0);
    let at: Vec<f64> = rises.map(|(i, p)| i as f64 - p[0] / (p[1] - p[0])).collect();
    (at.len() - 1) as f64 / (at[at.len() - 1] - at[0]) * f64::from(SAMPLE_RATE)
}

#[test]
fn pitch_and_length_are_exact() {
    let home = tempfile::tempdir().unwrap();
    let to = home.path().join("tone.wav");
    let track = tone_and_bursts();
    for semitones in [-12, -5, -1, 1, 5, 12] {
        for (speed, frames) in [(1.0, FRAMES), (0.9, 133_334), (1.25, 96_001)] {
            let change = KeySpeed::new(100 * semitones, speed);
            run(&track, &[item(&to, &[(0, 1.0)])], &changed(change, Depth::Float32)).unwrap();
            let samples = read_back(&to);
            assert_eq!(samples.len(), CHANNELS * frames, "{change:?}");
            let cents = 1200.0 * (pitch(&left(&samples)) / (440.0 * change.factors().0)).log2();
            assert!(cents.abs() < 0.5, "{cents} cents off: {change:?}");
        }
    }
}

#[test]
fn bursts_of_two_stems_stay_on_the_same_sample() {
    let home = tempfile::tempdir().unwrap();
    let at = |name: &str| home.path().join(name);
    let track = tone_and_bursts();
    let (tone, burst, both) = (at("tone"), at("burst"), at("both"));
    for (cents, speed) in [(100, 1.0), (-700, 1.0), (0, 0.75), (250, 1.3)] {
        let settings = changed(KeySpeed::new(cents, speed), Depth::Float32);
        let items = [item(&tone, &[(0, 1.0)]), item(&burst, &[(1, 1.0)])];
        run(&track, &items, &settings).unwrap();
        run(&track, &[item(&both, &[(2, 1.0)])], &settings).unwrap(); // an export of its own
        let [tone, burst, both] = [&tone, &burst, &both].map(|path| left(&read_back(path)));
        let rest: Vec<f64> = both.iter().zip(&tone).map(|(both, tone)| both - tone).collect();
        let alike = |lag: usize| -> f64 {
            let shifted = rest[20 + lag..].iter().zip(&burst[40..burst.len() - 40]);
            shifted.map(|(a, b)| a * b).sum()
        };
        let best = (0..=40).max_by(|a, b| alike(*a).total_cmp(&alike(*b)));
        assert_eq!(best, Some(20), "{cents} cents, speed {speed}");
    }
}

#[test]
fn changed_stems_and_residual_add_up_to_the_changed_song() {
    let home = tempfile::tempdir().unwrap();
    let at = |name: &str| home.path().join(name);
    let track = InMemory::noise(50_000, 0.2);
    for depth in [Depth::Int16, Depth::Int24] {
        let items = [
            of("a", &at("a"), Content::stem(0)),
            of("b", &at("b"), Content::stem(1)),
            of("residual", &at("residual"), super::rest(&[0, 1])),
            of("song", &at("song"), super::rest(&[])),
        ];
        run(&track, &items, &changed(KeySpeed::new(-230, 0.85), depth)).unwrap();
        let files: Vec<Vec<f64>> = items.iter().map(|item| read_back(&item.to)).collect();
        assert_eq!(files[3].len(), CHANNELS * 58_824);
        for (n, whole) in files[3].iter().enumerate() {
            assert_eq!(files[0][n] + files[1][n] + files[2][n], *whole, "{n}");
        }
    }
}

#[test]
fn another_rate_and_mono_work_too() {
    let home = tempfile::tempdir().unwrap();
    let to = home.path().join("tone.wav");
    let track = tone_and_bursts();
    let change = KeySpeed::new(300, 0.8);
    let settings = Settings { rate: Some(48_000), ..changed(change, Depth::Float32) };
    let mono = AudioFormat { channels: 1, ..origin(&track).format };
    let origin = Origin { format: mono, ..origin(&track) };
    let items = [item(&to, &[(0, 1.0)])];
    export(&track, &origin, &items, &settings, &mut |_| (), &CancelToken::default()).unwrap();
    let samples = read_back(&to);
    let frames = crate::engine::audio::resample::rescale(FRAMES as u64, 48_000, SAMPLE_RATE);
    assert_eq!(samples.len() as u64, change.frames(frames));
    let hz = pitch(&samples) * 48_000.0 / f64::from(SAMPLE_RATE);
    let cents = 1200.0 * (hz / (440.0 * change.factors().0)).log2();
    assert!(cents.abs() < 0.5, "{cents} cents");
}

#[test]
fn tags_say_the_changed_tempo_and_key() {
    let tags = Tags::found(Some(120.0), Some("A minor")).changed(KeySpeed::new(200, 0.9));
    assert_eq!(tags.bpm(), Some(108.0));
    assert_eq!(tags.key().as_deref(), Some("B minor"));
    let same = Tags::found(Some(120.4), Some("A minor")).changed(KeySpeed::new(30, 1.0));
    assert_eq!((same.bpm(), same.key().as_deref()), (Some(120.0), Some("A minor")));
}
