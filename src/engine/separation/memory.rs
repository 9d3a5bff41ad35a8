//! Memory limit of Partita, and the memory that separating a segment needs.
//!
//! Pure, except for querying the limits of the system and of a cluster. Each kind of network states
//! its own needs; all other use is small in comparison, and independent of the songs' length.

use super::device::choice::DeviceChoice;
use crate::{
    engine::{
        problem::{Problem, Result},
        system::limits,
        types::Compute,
    },
    model::{Device, Memory},
};

/// Bytes for the program itself with a library.
const PROGRAM: u64 = 40 << 20;

/// Typical additional bytes for a window; the real number depends on the renderer.
pub const WINDOW: u64 = 88 << 20;

/// Bytes per thread, regardless of the network.
const PER_THREAD: u64 = 6 << 20;

/// Memory of candle's activations on the processor, as a multiple of the kernels'. Measured on
/// `htdemucs`: 2.3.
const CANDLE_WORK: u64 = 3;

/// Parses a number of bytes such as `2G`, `1500M` or `800000000`.
///
/// # Errors
/// Returns a message.
pub fn parse(text: &str) -> std::result::Result<u64, String> {
    let wrong = || "expected a number of bytes, optionally with K, M or G: 2G, 1500M".to_owned();
    let text = text.trim().trim_end_matches(['B', 'b']).trim_end_matches('i');
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
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

/// Effective limit in bytes: the user's, or a lower one of the system.
pub fn limit(asked: Option<u64>) -> Option<u64> {
    asked.into_iter().chain(limits::memory().map(|limit| limit.amount)).min()
}

/// Peak memory in bytes of separating with networks of this size on `threads` threads, without a
/// window.
pub fn need(memory: Memory, threads: usize) -> u64 {
    PROGRAM + memory.weights + memory.work + threads as u64 * (PER_THREAD + memory.per_thread)
}

/// Memory of a network on the chosen device. Graphics cards count like the processor, which may have
/// to take over.
pub fn on(choice: DeviceChoice, memory: Memory) -> Memory {
    match choice {
        DeviceChoice::Only(Device::CandleCpu) => {
            Memory { work: memory.work.saturating_mul(CANDLE_WORK), ..memory }
        }
        _ => memory,
    }
}

/// Combined memory of networks that run one after the other.
pub fn sum(networks: impl IntoIterator<Item = Memory>) -> Memory {
    networks.into_iter().fold(Memory::default(), |all, network| Memory {
        weights: all.weights + network.weights,
        work: all.work.max(network.work),
        per_thread: all.per_thread.max(network.per_thread),
        fast_saving: all.fast_saving + network.fast_saving,
    })
}

/// Limits the threads so that they fit into memory, next to `beside` bytes for other purposes.
///
/// # Errors
/// [`Problem::MemoryLimit`] if not even one thread fits.
pub fn fit(compute: Compute, memory: Memory, beside: u64) -> Result<Compute> {
    let Some(limit) = limit(compute.memory) else { return Ok(compute) };
    let need = |threads| need(memory, threads) + beside;
    let wanted = compute.threads.unwrap_or_else(|| limits::threads().amount);
    let threads = (1..=wanted.max(1)).rev().find(|&threads| need(threads) <= limit);
    let Some(threads) = threads else {
        return Err(Problem::MemoryLimit { needed: need(1), limit });
    };
    if threads < wanted {
        tracing::warn!("{threads} threads of {wanted} fit into the memory limit");
        return Ok(Compute { threads: Some(threads), ..compute });
    }
    Ok(compute)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_common_spellings_of_a_limit() {
        assert_eq!(parse("2G"), Ok(2 << 30));
        assert_eq!(parse("1500m"), Ok(1500 << 20));
        assert_eq!(parse("1.5 GiB"), Ok(3 << 29));
        assert_eq!(parse("800000000"), Ok(800_000_000));
        for wrong in ["", "G", "two", "-1G", "1X", "0", "1e99G"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn reduces_threads_and_then_fails_with_a_message() {
        let memory = Memory { weights: 170 << 20, work: 260 << 20, ..Memory::default() };
        let compute = |threads, memory| Compute {
            threads: Some(threads),
            memory: Some(memory),
            ..Compute::default()
        };
        let fits = |threads, limit| {
            let fit = |beside| fit(compute(threads, limit), memory, beside);
            assert!(fit(1 << 40).is_err(), "a window must reduce the memory left");
            fit(0).map(|compute| compute.threads.unwrap())
        };
        assert_eq!(fits(8, 1 << 36).unwrap(), 8);
        let enough_for_two = need(memory, 2);
        assert_eq!(fits(8, enough_for_two).unwrap(), 2);
        let message = fits(8, 64 << 20).unwrap_err().to_string();
        assert!(message.contains("the limit is 64 MB"), "{message}");
    }
}
