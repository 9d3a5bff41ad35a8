//! How much memory Partita may take, and what separating a segment needs of it.
//!
//! Pure but for asking the system and the engine of a cluster for their limit. What a network needs, its
//! kind knows; everything else that Partita does is small beside it, and does not grow with songs.

use crate::{
    engine::{
        problem::{Problem, Result},
        system::limits,
        types::Compute,
    },
    model::Memory,
};

/// The program itself, with a library.
const PROGRAM: u64 = 40 << 20;

/// What a window takes more, as a rule; that depends on how it is drawn.
pub const WINDOW: u64 = 88 << 20;

/// What each thread has to itself, whatever the network.
const PER_THREAD: u64 = 6 << 20;

/// What a text such as `2G`, `1500M` or `800000000` says, in bytes.
///
/// # Errors
/// In words.
pub fn parse(text: &str) -> std::result::Result<u64, String> {
    let wrong = || "it is a number of bytes, or one with K, M or G behind it: 2G, 1500M".to_owned();
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

/// The limit that holds: what the user says, or less where the system allows less.
pub fn limit(asked: Option<u64>) -> Option<u64> {
    asked.into_iter().chain(limits::memory().map(|dealt| dealt.amount)).min()
}

/// What separating takes at its peak with networks that take so much, on so many threads, without a
/// window.
pub fn need(memory: Memory, threads: usize) -> u64 {
    PROGRAM + memory.weights + memory.work + threads as u64 * (PER_THREAD + memory.per_thread)
}

/// What networks take that work one after the other.
pub fn sum(networks: impl IntoIterator<Item = Memory>) -> Memory {
    networks.into_iter().fold(Memory::default(), |all, it| Memory {
        weights: all.weights + it.weights,
        work: all.work.max(it.work),
        per_thread: all.per_thread.max(it.per_thread),
        fast_saving: all.fast_saving + it.fast_saving,
    })
}

/// The threads that fit into the limit, beside so many bytes for other things: those that are wanted,
/// or fewer.
///
/// # Errors
/// [`Problem::MemoryLimit`] when not even one fits.
pub fn fit(compute: Compute, memory: Memory, beside: u64) -> Result<Compute> {
    let Some(limit) = limit(compute.memory) else { return Ok(compute) };
    let need = |threads| need(memory, threads) + beside;
    let wanted = compute.threads.unwrap_or_else(|| limits::threads().amount);
    let threads = (1..=wanted.max(1)).rev().find(|&threads| need(threads) <= limit);
    let Some(threads) = threads else {
        return Err(Problem::MemoryLimit { needed: need(1), limit });
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
        let memory = Memory { weights: 170 << 20, work: 260 << 20, ..Memory::default() };
        let compute = |threads, memory| Compute {
            threads: Some(threads),
            memory: Some(memory),
            ..Compute::default()
        };
        let fits = |threads, limit| {
            let fit = |beside| fit(compute(threads, limit), memory, beside);
            assert!(fit(1 << 40).is_err(), "a window leaves less");
            fit(0).map(|compute| compute.threads.unwrap())
        };
        assert_eq!(fits(8, 1 << 36).unwrap(), 8);
        let enough_for_two = need(memory, 2);
        assert_eq!(fits(8, enough_for_two).unwrap(), 2);
        let words = fits(8, 64 << 20).unwrap_err().to_string();
        assert!(words.contains("the limit is 64 MB"), "{words}");
    }
}
