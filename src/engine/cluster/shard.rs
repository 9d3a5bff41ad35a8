//! Division of a manifest into shares of nearly equal length, computed by each node independently.
//!
//! Pure; accesses no files. Every node must compute the same shares, so they depend only on the
//! manifest's text and the songs' lengths. The longest song goes first, each to the share with the
//! least; equal ones are ordered by a digest of their text. A song of unknown length is assigned by
//! its digest alone, so that it does not move others.

use std::{cmp::Reverse, collections::BinaryHeap, str::FromStr};

use crate::engine::system::digest::digest_of;

/// One of several shares, from 1: `3/8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// Number of the share, from 1.
    pub index: usize,
    /// Number of shares.
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
        let wrong = || "expected I/N, such as 3/8: the third of eight shares".to_owned();
        let (index, count) = text.split_once('/').ok_or_else(wrong)?;
        let number = |text: &str| text.trim().parse::<usize>().map_err(|_| wrong());
        let (index, count) = (number(index)?, number(count)?);
        if index == 0 {
            return Err("shares count from 1; the first is 1/N".into());
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

/// Assigns each song, given by its text and its length in seconds, to a share, counted from 0.
/// Every song is in exactly one share.
pub fn shares(songs: &[(String, Option<f64>)], count: usize) -> Vec<usize> {
    let count = count.max(1);
    let digests: Vec<String> = songs.iter().map(|(text, _)| digest_of([text.as_str()])).collect();
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

/// Digest of the input of the division. If two nodes differ, one could not read a file that the
/// other could, and a song may be in no share.
pub fn basis(songs: &[(String, Option<f64>)]) -> String {
    let lines = songs.iter().map(|(text, seconds)| match seconds {
        // This spelling is fixed: shares compare it with records of older versions.
        Some(seconds) => format!("{text} Some({})", (seconds * 1e3).round() as u64),
        None => format!("{text} None"),
    });
    let lines: Vec<String> = lines.collect();
    digest_of(lines.iter().map(String::as_str))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn parses_and_prints_shares() {
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
        /// For any lengths, every song is in one share regardless of the order of lines, and shares
        /// differ by at most one song in length.
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
            prop_assert_eq!(again, found, "the order of the lines must not matter");
        }

        /// A song that one node cannot measure, or whose stated length is too short, stays in one
        /// share of the nodes that agree. A song of unknown length does not move others.
        #[test]
        fn a_song_of_unknown_length_does_not_move_others(
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
    fn unreadable_files_change_the_basis() {
        let all = songs(&[Some(1.0), Some(2.0)]);
        let fewer = songs(&[Some(1.0), None]);
        assert_eq!(basis(&all), basis(&all.clone()));
        assert_ne!(basis(&all), basis(&fewer));
    }

    /// Nodes of different versions divide one manifest, so they have to agree.
    #[test]
    fn divisions_match_those_of_earlier_versions() {
        let songs = [("a".to_owned(), Some(1.5)), ("b".to_owned(), None)];
        assert_eq!(basis(&songs), "269b364f0fb37fb90822ab1374b692c8");
        let songs: Vec<_> = (0..6).map(|number| (format!("song {number}"), None)).collect();
        assert_eq!(shares(&songs, 4), [3, 3, 3, 0, 1, 3]);
    }
}
