//! Counts wrong tokens: after a few from an address, or many from all, further ones are answered with a
//! time to wait. Of 256 random bits none can be guessed; the count keeps the log and the processor free.
//! Pure but for its own memory, which is bounded.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Number of wrong tokens from an address before it waits.
const MOST: u32 = 10;
/// Number of wrong tokens from all addresses before all wait.
const MOST_OF_ALL: u32 = 200;
/// Time after which the counts begin again.
const PERIOD: Duration = Duration::from_mins(1);
/// Number of addresses that are remembered.
const MOST_ADDRESSES: usize = 4096;

/// Counts of wrong tokens.
#[derive(Default)]
pub(super) struct Tries(Mutex<Counts>);

#[derive(Default)]
struct Counts {
    since: Option<Instant>,
    all: u32,
    each: HashMap<IpAddr, u32>,
}

impl Tries {
    /// Counts a wrong token. If there were too many, returns the seconds to wait.
    pub fn count(&self, from: IpAddr, now: Instant) -> Result<(), u64> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let since = *counts.since.get_or_insert(now);
        if now.duration_since(since) >= PERIOD {
            *counts = Counts { since: Some(now), ..Counts::default() };
        }
        let begun = counts.since.unwrap_or(now);
        let is_known = counts.each.contains_key(&from);
        let tries = counts.each.get(&from).copied().unwrap_or(0);
        let is_full = !is_known && counts.each.len() >= MOST_ADDRESSES;
        if tries >= MOST || counts.all >= MOST_OF_ALL || is_full {
            let left = PERIOD.saturating_sub(now.duration_since(begun));
            return Err(left.as_secs() + 1);
        }
        counts.all += 1;
        *counts.each.entry(from).or_default() += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(number: u32) -> IpAddr {
        std::net::Ipv4Addr::from(number).into()
    }

    #[test]
    fn an_address_waits_after_a_few_wrong_tokens() {
        let (tries, now) = (Tries::default(), Instant::now());
        for _ in 0..MOST {
            tries.count(address(1), now).unwrap();
        }
        assert_eq!(tries.count(address(1), now), Err(61));
        assert_eq!(tries.count(address(1), now + Duration::from_secs(30)), Err(31));
        tries.count(address(2), now).unwrap();
        tries.count(address(1), now + PERIOD).unwrap();
    }

    #[test]
    fn many_addresses_wait_together() {
        let (tries, now) = (Tries::default(), Instant::now());
        let permitted = (0..10_000).filter(|n| tries.count(address(*n), now).is_ok()).count();
        assert_eq!(permitted, MOST_OF_ALL as usize);
    }
}
