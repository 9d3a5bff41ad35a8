//! Decoding of real files: every kind of input against its formula, and the messages about unusual,
//! corrupt and non-audio files.
//!
//! `make_data.sh` in `tests/data` created the files there; the tests create plain WAV files.

mod bad;
mod containers;
mod good;
mod ogg;
mod wav;

use std::{
    f64::consts::{PI, TAU},
    path::{Path, PathBuf},
};

use partita::engine::{
    CancelToken, Problem,
    audio::decode::{self, Decoded},
};

/// Duration of the test sound in seconds.
const SECONDS: f64 = 0.2;

/// The test sound at time `t`: two chirps that swell and fade, as in `make_data.sh`.
fn chirp(t: f64) -> [f64; 2] {
    let swell = if (0.0..SECONDS).contains(&t) { (PI * t / SECONDS).sin() } else { 0.0 };
    let left = 0.5 * (TAU * (200.0 * t + 3000.0 * t * t)).sin();
    let right = 0.4 * (TAU * (3000.0 * t - 2000.0 * t * t)).sin();
    [left * swell, right * swell]
}

/// `frames` frames of the test sound at `rate` Hz, interleaved.
fn chirp_at(rate: u32, frames: usize) -> Vec<f64> {
    (0..frames).flat_map(|n| chirp(n as f64 / f64::from(rate))).collect()
}

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

/// Decodes a file with general checks: the number of frames is as stated, samples are finite, and
/// progress increases to 1.
fn decoded(path: &Path) -> Result<(Decoded, Vec<f32>), Problem> {
    let mut samples = Vec::new();
    let mut shown = Vec::new();
    let decoded = decode::decode(
        path,
        None,
        &CancelToken::default(),
        &mut |fraction| shown.push(fraction),
        &mut |block| {
            samples.extend_from_slice(block);
            Ok(())
        },
    )?;
    assert_eq!(samples.len() as u64, 2 * decoded.frames);
    assert!(samples.iter().all(|sample| sample.is_finite()));
    assert!(shown.is_sorted(), "{shown:?}");
    assert_eq!(shown.last(), Some(&1.0));
    Ok((decoded, samples))
}

/// Signal-to-error ratio in dB of the decoded samples against the test sound, delayed by `delay`
/// frames.
fn snr_db(got: &[f32], want: &[f64], delay: i64) -> f64 {
    let (mut signal, mut error) = (0.0, 1e-30);
    for (at, want) in want.iter().enumerate() {
        let at = usize::try_from(at as i64 + 2 * delay).ok();
        let got = at.and_then(|at| got.get(at)).copied().map_or(0.0, f64::from);
        signal += want * want;
        error += (got - want) * (got - want);
    }
    10.0 * (signal / error).log10()
}

/// Asserts that `got` is the test sound, aligned to the frame, with at least `least_db`.
fn assert_is_chirp(name: &str, got: &[f32], want: &[f64], least_db: f64) {
    let on_time = snr_db(got, want, 0);
    assert!(on_time >= least_db, "{name}: {on_time:.1} dB");
    for delay in [-1, 1] {
        let off = snr_db(got, want, delay);
        assert!(off < on_time, "{name}: {off:.1} dB when {delay} frames late");
    }
}
