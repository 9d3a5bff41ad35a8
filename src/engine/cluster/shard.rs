//! Which songs of a manifest are this node's: shares of nearly one length, told by each node for itself.
//!
//! Pure; no files. Every node must come to the same shares, so they depend on the manifest's words and
//! the songs' lengths alone: the longest song first, each to the share that has least, equal ones in
//! the order of a digest of their words. A song whose length nobody knows goes by its digest, so that
//! it moves no other.

use std::{cmp::Reverse, collections::BinaryHeap, str::FromStr};

use crate::engine::system::digest::digest_of;

/// One share of several, from 1: `3/8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// Which.
    pub index: usize,
    /// Of how many.
    pub count: usize,
}

impl Default for Shard {
    fn default() -> Self {
        Self { index: 1, count: 1 }
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const MOST: usize = 1_000_000;
        let wrong =
            || "it is I/N, such as 3/8: the third of eight shares, counted from 1".to_owned();
        let (index, count) = text.split_once('/').ok_or_else(wrong)?;
        let number = |text: &str| text.trim().parse::<usize>().map_err(|_| wrong());
        let (index, count) = (number(index)?, number(count)?);
        if index == 0 {
            return Err("shares are counted from 1, so the first is 1/N".into());
        }
        if (1..=MOST).contains(&count) && index <= count {
            Ok(Self { index, count })
        } else {
            Err(wrong())
        }
    }
}

impl std::fmt::Display for Shard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

/// The share, from 0, of each of these songs, which are told by their words and their lengths in
/// seconds. No song is in two, and none in none.
pub fn shares(songs: &[(String, Option<f64>)], count: usize) -> Vec<usize> {
    let count = count.max(1);
    let digests: Vec<String> = songs.iter().map(|(words, _)| digest_of([words.as_str()])).collect();
    let by_digest = |song: usize| {
        let number = u64::from_str_radix(&digests[song][..15], 16).unwrap_or(0);
        (number % count as u64) as usize
    };
    let milliseconds = |song: usize| songs[song].1.map(|seconds| (seconds * 1e3).round() as u64);
    let mut shares: Vec<usize> = (0..songs.len()).map(by_digest).collect();
    let mut known: Vec<(Reverse<u64>, usize)> =
        (0..songs.len()).filter_map(|song| Some((Reverse(milliseconds(song)?), song))).collect();
    known.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| digests[a.1].cmp(&digests[b.1])));
    let mut loads: BinaryHeap<Reverse<(u64, usize)>> =
        (0..count).map(|share| Reverse((0, share))).collect();
    for (Reverse(length), song) in known {
        if let Some(Reverse((load, share))) = loads.pop() {
            shares[song] = share;
            loads.push(Reverse((load + length, share)));
        }
    }
    shares
}

/// What the shares were told from: where two nodes differ in it, one of them could not read what the
/// other could, and a song may be in no share.
pub fn basis(songs: &[(String, Option<f64>)]) -> String {
    let lines = songs.iter().map(|(words, seconds)| match seconds {
        // Spelled out: shares compare it with what nodes of older versions wrote.
        Some(seconds) => format!("{words} Some({})", (seconds * 1e3).round() as u64),
        None => format!("{words} None"),
    });
    let lines: Vec<String> = lines.collect();
    digest_of(lines.iter().map(String::as_str))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_share_is_read_as_people_write_it() {
        assert_eq!("3/8".parse(), Ok(Shard { index: 3, count: 8 }));
        assert_eq!(Shard { index: 3, count: 8 }.to_string(), "3/8");
        for wrong in ["", "3", "0/8", "9/8", "1/0", "-1/2", "a/b", "1/2/3", "1/99999999"] {
            assert!(wrong.parse::<Shard>().is_err(), "{wrong}");
        }
        assert!("0/8".parse::<Shard>().unwrap_err().contains("from 1"));
    }

    fn songs(lengths: &[Option<f64>]) -> Vec<(String, Option<f64>)> {
        lengths
            .iter()
            .enumerate()
            .map(|(number, seconds)| (format!("song {number}"), *seconds))
            .collect()
    }

    proptest! {
        /// Whatever the lengths: every song in one share, whatever the order of the lines, and no
        /// share longer than the shortest by more than one song.
        #[test]
        fn every_song_is_in_one_share_and_they_are_balanced(
            lengths in proptest::collection::vec(proptest::option::weighted(0.9, 0.1f64..900.0), 0..200),
            count in 1usize..40, rotate in 0usize..200,
        ) {
            let songs = songs(&lengths);
            let found = shares(&songs, count);
            prop_assert_eq!(found.len(), songs.len());
            prop_assert!(found.iter().all(|&share| share < count));
            let mut load = vec![0.0; count];
            for (share, (_, seconds)) in found.iter().zip(&songs) {
                load[*share] += seconds.unwrap_or(0.0);
            }
            let longest = lengths.iter().flatten().copied().fold(0.0, f64::max);
            let most = load.iter().copied().fold(0.0, f64::max);
            let least = load.iter().copied().fold(f64::INFINITY, f64::min);
            prop_assert!(most - least <= longest + 0.5, "{most} {least} {longest}");

            let mut other = songs.clone();
            let by = rotate.min(other.len());
            other.rotate_left(by);
            let mut again = shares(&other, count);
            again.rotate_right(by);
            prop_assert_eq!(again, found, "the order of the lines is nothing");
        }

        /// A song that one node cannot measure, or that is longer than it says, stays in one share of
        /// those nodes that agree; a song that nobody can measure moves no other.
        #[test]
        fn one_that_nobody_can_measure_moves_no_other(
            lengths in proptest::collection::vec(0.1f64..900.0, 1..100), count in 1usize..20,
        ) {
            let known: Vec<Option<f64>> = lengths.iter().copied().map(Some).collect();
            let without = shares(&songs(&known), count);
            let with: Vec<Option<f64>> = known.iter().copied().chain([None, None]).collect();
            let with = shares(&songs(&with), count);
            prop_assert_eq!(&with[..without.len()], &without[..]);
        }
    }

    #[test]
    fn who_reads_less_has_another_basis() {
        let all = songs(&[Some(1.0), Some(2.0)]);
        let fewer = songs(&[Some(1.0), None]);
        assert_eq!(basis(&all), basis(&all.clone()));
        assert_ne!(basis(&all), basis(&fewer));
    }

    /// Nodes of different versions divide one manifest: they have to agree.
    #[test]
    fn divisions_are_those_of_earlier_versions() {
        let songs = [("a".to_owned(), Some(1.5)), ("b".to_owned(), None)];
        assert_eq!(basis(&songs), "269b364f0fb37fb90822ab1374b692c8");
        let songs: Vec<_> = (0..6).map(|number| (format!("song {number}"), None)).collect();
        assert_eq!(shares(&songs, 4), [3, 3, 3, 0, 1, 3]);
    }
}
