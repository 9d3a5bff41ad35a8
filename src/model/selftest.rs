//! Self-test of this build on this processor: a network's output for a built-in signal, compared
//! with PyTorch's.
//!
//! PyTorch's output is stored for weights with known digests (`tests/golden/make_selftest.py`).
//! Runs on the rayon pool of the caller.

use safetensors::SafeTensors;

use super::{
    ModelError, Precision, Result, Separator, Spec, Stop,
    findings::{Misfit, Printable},
};

/// All stored outputs.
const NUMBERS: &[&[u8]] = &[include_bytes!("../../assets/selftest/htdemucs.safetensors")];

/// Comparison result of one stem.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// Name of the stem.
    pub stem: String,
    /// Signal-to-error ratio in dB.
    pub db: f64,
    /// Minimum ratio to pass, in dB.
    pub least_db: f64,
}

impl Verdict {
    /// Whether the stem passes.
    pub fn is_good(&self) -> bool {
        self.db >= self.least_db
    }
}

/// Minimum signal-to-error ratio to pass, in dB. Correct builds are about 50 dB better; a wrong
/// padding, scale or instruction costs more than that.
fn least_db(precision: Precision) -> f64 {
    match precision {
        Precision::Single => 70.0,
        Precision::Fast => 30.0,
    }
}

/// Runs the network and compares its output; `None` without a stored output for weights of this
/// digest.
///
/// # Errors
/// Fails if the network fails; [`ModelError::Cancelled`].
pub fn check(
    network: &dyn Separator,
    digest: &str,
    precision: Precision,
    stop: Stop<'_>,
) -> Result<Option<Vec<Verdict>>> {
    let Some(numbers) = numbers_for(digest)? else { return Ok(None) };
    let spec = network.spec();
    let stems = network.separate_unless(&signal(spec), stop)?;
    let length = numbers.length;
    let verdicts = spec.sources.iter().enumerate().map(|(stem, name)| {
        let (mut power, mut error) = (0.0, 0.0);
        for (place, expected) in numbers
            .places
            .iter()
            .zip(numbers.stems.chunks_exact(spec.sources.len() * spec.channels * length))
        {
            for channel in stem * spec.channels..(stem + 1) * spec.channels {
                let expected = &expected[channel * length..][..length];
                let got = stems.get(channel * spec.segment_frames + place..).unwrap_or_default();
                for (want, have) in expected.iter().zip(got) {
                    power += f64::from(*want).powi(2);
                    error += (f64::from(*want) - f64::from(*have)).powi(2);
                }
            }
        }
        // NaN and infinity fail.
        let db = if error.is_finite() {
            10.0 * (power / error.max(f64::MIN_POSITIVE)).log10()
        } else {
            f64::NEG_INFINITY
        };
        Verdict { stem: name.clone(), db, least_db: least_db(precision) }
    });
    Ok(Some(verdicts.collect()))
}

/// A stored output.
struct Numbers {
    /// Start of each section, in frames.
    places: Vec<usize>,
    /// Length of each section in frames.
    length: usize,
    /// Samples as `[places, sources, channels, length]`.
    stems: Vec<f32>,
}

fn numbers_for(digest: &str) -> Result<Option<Numbers>> {
    let odd = |error: safetensors::SafeTensorError| {
        ModelError::from(Misfit::Reference { cause: Printable::of(error) })
    };
    for bytes in NUMBERS {
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(odd)?;
        let known = header.metadata().as_ref().and_then(|texts| texts.get("digest"));
        if known.is_none_or(|known| known != digest) {
            continue;
        }
        let file = SafeTensors::deserialize(bytes).map_err(odd)?;
        let (places, stems) =
            (file.tensor("places").map_err(odd)?, file.tensor("stems").map_err(odd)?);
        let starts: Vec<i64> = bytemuck::pod_collect_to_vec(places.data());
        return Ok(Some(Numbers {
            places: starts.into_iter().map(|at| at.max(0) as usize).collect(),
            length: stems.shape().last().copied().unwrap_or(0),
            stems: bytemuck::pod_collect_to_vec(stems.data()),
        }));
    }
    Ok(None)
}

/// Built-in signal, planar `[channels, segment_frames]`: a tone with overtones that changes every
/// quarter of a second, and noise in every second quarter. The values are integers divided by
/// powers of two, so that they are equal on every machine.
pub fn signal(spec: &Spec) -> Vec<f32> {
    let mut state = 1_u32;
    let mut noise = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(state >> 16) - 32_768.0
    };
    let mut mix = Vec::with_capacity(spec.channels * spec.segment_frames);
    for channel in 0..spec.channels {
        for at in 0..spec.segment_frames {
            let quarter = at / 11_025;
            let period = 64 + 16 * (quarter % 8) + channel;
            let saw = (at % period) as f64 * 256.0 - 8192.0;
            let noise = noise() / 4.0;
            let sum = if quarter % 2 == 1 { saw + noise } else { saw };
            mix.push((sum / 65_536.0) as f32);
        }
    }
    mix
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "e3a190feb64ab004e2f3dc49d02fa85bbf704a0b8c6c17d1cbb35f7c83728ac7";

    /// A network that returns the stored output, times a factor.
    struct Nearly(Spec, f32);

    impl Separator for Nearly {
        fn spec(&self) -> &Spec {
            &self.0
        }

        fn separate_unless(&self, mix: &[f32], _stop: Stop<'_>) -> Result<Vec<f32>> {
            let numbers = numbers_for(DIGEST)?.unwrap();
            let (frames, rows) = (self.0.segment_frames, self.0.sources.len() * self.0.channels);
            assert_eq!(mix.len(), 2 * frames);
            let mut stems = vec![0.0; rows * frames];
            let all = numbers.stems.chunks_exact(rows * numbers.length);
            for (place, expected) in numbers.places.iter().zip(all) {
                for (row, values) in expected.chunks_exact(numbers.length).enumerate() {
                    for (at, value) in values.iter().enumerate() {
                        stems[row * frames + place + at] = value * self.1;
                    }
                }
            }
            Ok(stems)
        }
    }

    #[test]
    fn fails_for_a_build_with_deviating_results() {
        let sources = ["drums", "bass", "other", "vocals"].map(str::to_owned).into();
        let spec = Spec::triangle(sources, 343_980);
        let check = |gain, precision| {
            let network = Nearly(spec.clone(), gain);
            let verdicts = check(&network, DIGEST, precision, &|| false).unwrap().unwrap();
            assert_eq!(verdicts.len(), 4);
            verdicts.iter().all(Verdict::is_good)
        };
        assert!(check(1.0, Precision::Single));
        assert!(!check(1.001, Precision::Single), "60 dB");
        assert!(check(1.01, Precision::Fast) && !check(1.1, Precision::Fast));
        assert!(!check(f32::NAN, Precision::Fast));
        let unknown =
            super::check(&Nearly(spec, 1.0), "0123", Precision::Single, &|| false).unwrap();
        assert_eq!(unknown, None);
    }
}
