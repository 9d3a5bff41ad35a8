//! The measurement of a device beside the processor: the same segment on both. Runs on the thread
//! pool of the caller.

use std::path::Path;

use super::{
    opener::Opener,
    verdict::{Conditions, Verdict},
};
use crate::model::{
    self, Device, ModelError, Precision, Separator, Stop, describe,
    selftest::{self, signal},
};

/// The least distance of a device's stems from the processor's, in dB. Right ones are 100 dB away in
/// single precision.
fn least_db(precision: Precision) -> f64 {
    match precision {
        Precision::Single => 60.0,
        Precision::Fast => 45.0,
    }
}

/// A measured device: the verdict, and both loaded networks.
pub struct Measured {
    pub verdict: Verdict,
    pub device: Box<dyn Separator>,
    pub processor: Box<dyn Separator>,
}

/// Separates the self-test's signal on the device and on the processor.
///
/// # Errors
/// Errors of either network; [`ModelError::Cancelled`].
pub fn measure(
    opener: &dyn Opener,
    weights: &Path,
    conditions: Conditions,
    precision: Precision,
    stop: Stop<'_>,
) -> model::Result<Measured> {
    let device = opener.open(weights, conditions.device, precision)?;
    let mix = signal(device.spec());
    // Also translates the card's programs, before the time is taken.
    let known = selftest::check(&*device, &describe(weights)?.digest, precision, stop)?;
    let known = known.into_iter().flatten().map(|verdict| verdict.db);
    device.separate_unless(&mix, stop)?;
    let (stems, seconds) = timed(opener, &*device, &mix, stop)?;
    let processor = opener.open(weights, Device::Cpu, precision)?;
    let (expected, processor_seconds) = timed(opener, &*processor, &mix, stop)?;
    let verdict = Verdict {
        conditions,
        model: weights.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
        db: known.fold(distance_db(&expected, &stems), worse),
        least_db: least_db(precision),
        seconds,
        processor_seconds,
    };
    Ok(Measured { verdict, device, processor })
}

fn timed(
    opener: &dyn Opener,
    network: &dyn Separator,
    mix: &[f32],
    stop: Stop<'_>,
) -> Result<(Vec<f32>, f64), ModelError> {
    let start = opener.seconds();
    let stems = network.separate_unless(mix, stop)?;
    Ok((stems, opener.seconds() - start))
}

/// The worse of two distances; NaN is the worst.
fn worse(a: f64, b: f64) -> f64 {
    if a.is_nan() || a < b { a } else { b }
}

/// Signal-to-error ratio in dB; NaN for another length or a sample that is not a number.
fn distance_db(expected: &[f32], found: &[f32]) -> f64 {
    if expected.len() != found.len() {
        return f64::NAN;
    }
    let (mut power, mut error) = (0.0, 0.0);
    for (expected, found) in expected.iter().zip(found) {
        let (expected, found) = (f64::from(*expected), f64::from(*found));
        power += expected.powi(2);
        error += (expected - found).powi(2);
    }
    if error.is_finite() { 10.0 * (power / error.max(f64::MIN_POSITIVE)).log10() } else { f64::NAN }
}
