//! How much memory Partita may take, and what separating a segment needs of it.
//!
//! Pure but for asking the system and the engine of a cluster for their limit. The need was measured
//! on the largest model of the catalogue; everything else that Partita does is small beside it, and
//! does not grow with songs.

use super::{Compute, EngineError, Result, allotment};
use crate::model::Spec;

/// The program itself, with a library.
const PROGRAM: u64 = 40 << 20;

/// What a window takes more, as a rule; that depends on how it is drawn.
pub const WINDOW: u64 = 88 << 20;

/// For each byte of weights in their file, which holds halves: as single precision, packed.
const PER_WEIGHT_BYTE: f64 = 2.1;

/// For each frame of a segment and each of its channels: the activations at their widest, what is
/// being stored meanwhile, and what is kept for the next segment.
const PER_SAMPLE: u64 = 540;

/// What each thread has to itself.
const PER_THREAD: u64 = 6 << 20;

/// What a text such as `2G`, `1500M` or `800000000` says, in bytes.
///
/// # Errors
/// In words.
pub fn parse(text: &str) -> std::result::Result<u64, String> {
    let wrong = || "it is a number of bytes, or one with K, M or G behind it: 2G, 1500M".to_owned();
    let text = text.trim().trim_end_matches(['B', 'b']).trim_end_matches('i');
    let digits = text.trim_end_matches(|it: char| it.is_ascii_alphabetic());
    let factor: u64 = match text[digits.len()..].to_ascii_uppercase().as_str() {
        "" => 1,
        "K" => 1 << 10,
        "M" => 1 << 20,
        "G" => 1 << 30,
        "T" => 1 << 40,
        _ => return Err(wrong()),
    };
    let number: f64 = digits.trim().parse().map_err(|_| wrong())?;
    let bytes = number * factor as f64;
    if bytes >= 1.0 && bytes < u64::MAX as f64 { Ok(bytes as u64) } else { Err(wrong()) }
}

/// The limit that holds: what the user says, or less where the system allows less.
pub fn limit(asked: Option<u64>) -> Option<u64> {
    asked.into_iter().chain(allotment::memory().map(|dealt| dealt.amount)).min()
}

/// What separating takes at its peak with this model, whose weights take `weight_bytes` in their
/// file, on so many threads, without a window.
pub fn need(spec: &Spec, weight_bytes: u64, threads: usize) -> u64 {
    let weights = (weight_bytes as f64 * PER_WEIGHT_BYTE) as u64;
    let samples = (spec.segment_frames * spec.channels) as u64;
    PROGRAM + weights + samples * PER_SAMPLE + threads as u64 * PER_THREAD
}

/// The threads that fit into the limit, beside so many bytes for other things: those that are wanted,
/// or fewer.
///
/// # Errors
/// [`EngineError::Busy`] when not even one fits; says what is needed.
pub fn fit(compute: Compute, spec: &Spec, weight_bytes: u64, beside: u64) -> Result<Compute> {
    let Some(limit) = limit(compute.memory) else { return Ok(compute) };
    let need = |threads| need(spec, weight_bytes, threads) + beside;
    let wanted = compute.threads.unwrap_or_else(|| allotment::threads().amount);
    let threads = (1..=wanted.max(1)).rev().find(|&it| need(it) <= limit);
    let Some(threads) = threads else {
        let megabytes = |bytes: u64| bytes.div_ceil(1 << 20);
        return Err(EngineError::Busy(format!(
            "this model needs {} MB of memory, and {} MB is the limit; raise it, in the settings or \
             by --memory",
            megabytes(need(1)),
            megabytes(limit)
        )));
    };
    if threads < wanted {
        tracing::warn!("{threads} threads of {wanted} fit into the limit of memory");
        return Ok(Compute { threads: Some(threads), ..compute });
    }
    Ok(compute)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_read_as_people_write_it() {
        assert_eq!(parse("2G"), Ok(2 << 30));
        assert_eq!(parse("1500m"), Ok(1500 << 20));
        assert_eq!(parse("1.5 GiB"), Ok(3 << 29));
        assert_eq!(parse("800000000"), Ok(800_000_000));
        for wrong in ["", "G", "two", "-1G", "1X", "0", "1e99G"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_does_not_fit_steps_down_and_then_is_refused_in_words() {
        let sources = vec!["one".into()];
        let spec = Spec { sources, sample_rate: 44_100, channels: 2, segment_frames: 343_980 };
        let compute = |threads, memory| Compute {
            threads: Some(threads),
            memory: Some(memory),
            ..Compute::default()
        };
        let fits = |threads, memory| {
            let fit = |beside| fit(compute(threads, memory), &spec, 84 << 20, beside);
            assert!(fit(1 << 40).is_err(), "a window leaves less");
            fit(0).map(|it| it.threads.unwrap())
        };
        assert_eq!(fits(8, 1 << 36).unwrap(), 8);
        let enough_for_two = need(&spec, 84 << 20, 2);
        assert_eq!(fits(8, enough_for_two).unwrap(), 2);
        let words = fits(8, 64 << 20).unwrap_err().in_words();
        assert!(words.contains("64 MB is the limit"), "{words}");
    }
}
