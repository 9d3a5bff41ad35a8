//! Repair of the MP4 tables that locate a track's samples.
//!
//! Chunks of an audio-only file are contiguous, so the tables are redundant: a chunk begins where
//! the samples of the previous one end. This reveals and corrects a single wrong number. A sample
//! with an absurd size gets the bytes that the others leave. Without repair, the demuxer would read
//! from a wrong offset until the end of the file. Works on box contents in memory. Source: ISO/IEC
//! 14496-12, 8.6.1 and 8.7.

use crate::engine::audio::decode::integers::u32_be;

/// Bytes of a table header, of a size table's header, and of an entry of a run table.
const HEAD: usize = 8;
const SIZES_HEAD: usize = 12;
const RUN: usize = 12;
/// Maximum number of samples of a track: ten days of AAC.
const MOST_SAMPLES: usize = 1 << 26;

/// Contents of a track's tables.
pub struct Tables<'a, 'file> {
    /// Content of `stts` (durations).
    pub durations: &'a [u8],
    /// Content of `stsc` (runs of chunks).
    pub runs: &'a [u8],
    /// Content of `stsz` (sizes).
    pub sizes: &'a [u8],
    /// Content of `stco` or `co64` (offsets).
    pub offsets: &'a [u8],
    /// Whether the offsets have 64 bits.
    pub is_wide: bool,
    /// Returns the end of the media data that contains an offset.
    pub end_of_data: &'a dyn Fn(u64) -> u64,
    /// Reads the byte at an offset, if the file holds only this track.
    pub byte_at: Option<&'file mut (dyn FnMut(u64) -> Option<u8> + 'file)>,
}

/// Repaired contents of `stts`, `stsz` and `co64`.
pub struct Mended {
    /// Content of `stts`.
    pub durations: Vec<u8>,
    /// Content of `stsz`.
    pub sizes: Vec<u8>,
    /// Content of `co64`.
    pub offsets: Vec<u8>,
}

impl Tables<'_, '_> {
    /// Returns repaired tables. `None` if the tables are correct or cannot be checked: samples of
    /// equal size, or inconsistent tables.
    pub fn mended(&mut self) -> Option<Mended> {
        if u32_be(self.sizes, 4)? != 0 {
            return None;
        }
        let mut sizes = numbers::<4>(self.sizes.get(SIZES_HEAD..)?);
        let offsets = self.offsets.get(HEAD..)?;
        let mut offsets = if self.is_wide { numbers::<8>(offsets) } else { numbers::<4>(offsets) };
        let counts = self.counts(offsets.len(), sizes.len())?;
        let durations = self.durations_of(sizes.len());
        let before = (sizes.clone(), offsets.clone());
        self.mend(&mut sizes, &mut offsets, &counts);
        if durations == self.durations && before == (sizes.clone(), offsets.clone()) {
            return None;
        }
        let count = |length: usize| (length as u32).to_be_bytes();
        let mut size_table = [[0; 4], [0; 4], count(sizes.len())].concat();
        size_table.extend(sizes.iter().flat_map(|&size| (size as u32).to_be_bytes()));
        let mut offset_table = [[0; 4], count(offsets.len())].concat();
        offset_table.extend(offsets.iter().flat_map(|offset| offset.to_be_bytes()));
        Some(Mended { durations, sizes: size_table, offsets: offset_table })
    }

    fn mend(&mut self, sizes: &mut [u64], offsets: &mut [u64], counts: &[usize]) {
        let chunks = offsets.len();
        let mut firsts = vec![0; chunks + 1];
        for (chunk, count) in counts.iter().enumerate() {
            firsts[chunk + 1] = firsts[chunk] + count;
        }
        let lengths: Vec<u64> =
            (0..chunks).map(|chunk| sizes[firsts[chunk]..firsts[chunk + 1]].iter().sum()).collect();
        mend_offsets(offsets, &lengths);
        let limit = largest(sizes);
        for chunk in 0..chunks {
            let end = match offsets.get(chunk + 1) {
                Some(next) => *next,
                None => (self.end_of_data)(offsets[chunk]),
            };
            let sizes = &mut sizes[firsts[chunk]..firsts[chunk + 1]];
            let Some(room) = end.checked_sub(offsets[chunk]) else { continue };
            match &mut self.byte_at {
                Some(byte_at) if sizes.iter().all(|size| *size <= limit) && room <= most(sizes) => {
                    align(sizes, offsets[chunk], room, &mut **byte_at);
                }
                _ => fit(sizes, room, limit),
            }
        }
    }

    /// Number of samples in each chunk; `None` if their sum differs from the number of sizes.
    fn counts(&self, chunks: usize, samples: usize) -> Option<Vec<usize>> {
        let mut counts = Vec::new();
        let runs: Vec<&[u8]> = self.runs.get(HEAD..)?.chunks_exact(RUN).collect();
        for (index, run) in runs.iter().enumerate() {
            let each = u32_be(run, 4)? as usize;
            let end = match runs.get(index + 1) {
                Some(next) => (u32_be(next, 0)? as usize).checked_sub(1)?,
                None => chunks,
            };
            if end > chunks || end < counts.len() {
                return None;
            }
            counts.resize(end, each);
        }
        let total = counts.iter().try_fold(0_usize, |sum, &count| sum.checked_add(count))?;
        (counts.len() == chunks && total == samples && samples <= MOST_SAMPLES).then_some(counts)
    }

    /// Extends or cuts the durations to the number of samples.
    fn durations_of(&self, samples: usize) -> Vec<u8> {
        let mut table = self.durations.to_vec();
        let entries = table.get(HEAD..).unwrap_or_default().chunks_exact(8);
        let counts: Vec<u64> = entries.map(|entry| u32_be(entry, 0).unwrap_or(0).into()).collect();
        let Some(longest) = (0..counts.len()).max_by_key(|&index| counts[index]) else {
            return table;
        };
        let others: u64 = counts.iter().sum::<u64>() - counts[longest];
        if let Some(count) = (samples as u64).checked_sub(others) {
            let at = HEAD + longest * 8;
            table[at..at + 4].copy_from_slice(&(count as u32).to_be_bytes());
        }
        table
    }
}

/// Corrects single wrong offsets if most chunks are contiguous.
fn mend_offsets(offsets: &mut [u64], lengths: &[u64]) {
    const FEWEST_CHUNKS: usize = 4;
    let chunks = offsets.len();
    let is_followed =
        |offsets: &[u64], chunk: usize| offsets[chunk] + lengths[chunk] == offsets[chunk + 1];
    let followed = (0..chunks.saturating_sub(1)).filter(|&chunk| is_followed(offsets, chunk));
    if chunks < FEWEST_CHUNKS || followed.count() * 4 < (chunks - 1) * 3 {
        return;
    }
    for chunk in 1..chunks - 1 {
        let begins = offsets[chunk - 1] + lengths[chunk - 1];
        if begins != offsets[chunk] && begins + lengths[chunk] == offsets[chunk + 1] {
            offsets[chunk] = begins;
        }
    }
    if offsets[0] >= offsets[1] {
        offsets[0] = offsets[1].saturating_sub(lengths[0]);
    }
}

/// Makes the sizes of a chunk fit into `room`. Sizes above `limit` are wrong and share the bytes
/// that the others leave; otherwise a single oversized entry is reduced. If neither helps, the
/// chunk is cut at `room`. A smaller sum is not damage: samples of another track may follow.
fn fit(sizes: &mut [u64], room: u64, limit: u64) {
    let sum: u64 = sizes.iter().sum();
    if sum <= room {
        return;
    }
    let known: u64 = sizes.iter().filter(|size| **size <= limit).sum();
    let mut left = room.saturating_sub(known);
    let mut wrong = sizes.iter().filter(|size| **size > limit).count() as u64;
    for size in sizes.iter_mut().filter(|size| **size > limit) {
        *size = (left / wrong).min(limit);
        (left, wrong) = (left - *size, wrong - 1);
    }
    let excess = known.saturating_sub(room);
    if let Some(size) = sizes.iter_mut().max().filter(|size| **size >= excess) {
        *size -= excess;
        return;
    }
    let mut left = room;
    for size in sizes {
        *size = left.min(*size);
        left -= *size;
    }
}

/// Number of bytes that samples of these sizes could take if one size were wrong.
fn most(sizes: &[u64]) -> u64 {
    let largest = sizes.iter().max().copied().unwrap_or(0);
    sizes.iter().sum::<u64>().saturating_add(largest)
}

/// Finds the wrong size if consecutive samples do not fill `room`. All samples begin with similar
/// bytes: before the wrong one at the stated offsets, after it shifted by the difference.
fn align(sizes: &mut [u64], start: u64, room: u64, byte_at: &mut dyn FnMut(u64) -> Option<u8>) {
    let sum: u64 = sizes.iter().sum();
    if sum == room {
        return;
    }
    let places = sizes.iter().scan(start, |at, size| {
        let place = *at;
        *at += size;
        Some(place)
    });
    let moved = |place: u64| (place + room).checked_sub(sum);
    let starts: Vec<[Option<u8>; 2]> =
        places.map(|place| [byte_at(place), moved(place).and_then(&mut *byte_at)]).collect();
    let mut counts = [0_usize; 256];
    for byte in starts.iter().flatten().flatten() {
        counts[usize::from(*byte)] += 1;
    }
    let usual = (0..=u8::MAX).max_by_key(|byte| counts[usize::from(*byte)]);
    let is_start = |byte: Option<u8>| i64::from(byte == usual);
    // Gain of trusting the sizes up to and including this sample.
    let (mut gain, mut best) = (0, (0, 0));
    for (index, [stated, moved]) in starts.iter().enumerate() {
        gain += is_start(*stated) - is_start(*moved);
        best = best.max((gain, index));
    }
    let size = &mut sizes[best.1];
    *size = (*size + room).saturating_sub(sum);
}

/// Largest plausible size: a multiple of the median.
fn largest(sizes: &[u64]) -> u64 {
    let mut sorted = sizes.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).map_or(0, |median| median.saturating_mul(8))
}

/// Decodes numbers of `N` bytes.
fn numbers<const N: usize>(bytes: &[u8]) -> Vec<u64> {
    let number = |bytes: &[u8]| bytes.iter().fold(0, |sum, &byte| sum << 8 | u64::from(byte));
    // Clamp: larger numbers, which no real file has, could overflow sums.
    bytes.chunks_exact(N).map(|bytes| number(bytes).min(1 << 48)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLES: u32 = 100;
    const EACH: u32 = 10;

    fn table(head: &[u32], entries: impl IntoIterator<Item = u32>) -> Vec<u8> {
        head.iter().copied().chain(entries).flat_map(u32::to_be_bytes).collect()
    }

    fn size(sample: u32) -> u32 {
        300 + sample * 37 % 90
    }

    /// Durations, runs, sizes and offsets of ten chunks of ten samples.
    fn whole() -> [Vec<u8>; 4] {
        let mut at = 1000;
        let mut offsets = Vec::new();
        for sample in 0..SAMPLES {
            if sample % EACH == 0 {
                offsets.push(at);
            }
            at += size(sample);
        }
        [
            table(&[0, 1], [SAMPLES, 1024]),
            table(&[0, 1], [1, EACH, 1]),
            table(&[0, 0, SAMPLES], (0..SAMPLES).map(size)),
            table(&[0, 10], offsets),
        ]
    }

    fn mended([durations, runs, sizes, offsets]: &[Vec<u8>; 4]) -> Option<Mended> {
        let end = 1000 + u64::from((0..SAMPLES).map(size).sum::<u32>());
        let (is_wide, end_of_data) = (false, &|_: u64| end);
        let byte_at = None;
        Tables { durations, runs, sizes, offsets, is_wide, end_of_data, byte_at }.mended()
    }

    #[test]
    fn keeps_correct_tables() {
        assert!(mended(&whole()).is_none());
    }

    #[test]
    fn corrects_a_wrong_offset() {
        let right = numbers::<4>(&whole()[3][8..]);
        for at in 8..8 + 4 * 9 {
            for value in [0, 0x55, 0xff] {
                let mut tables = whole();
                tables[3][at] = value;
                let is_first = at < 12 && u64::from(value) << (8 * (11 - at)) < right[1];
                if tables[3] == whole()[3] || is_first {
                    continue; // unchanged, or plausible with samples of another track
                }
                let offsets = numbers::<8>(&mended(&tables).unwrap().offsets[8..]);
                assert_eq!(offsets, right, "{at} {value}");
            }
        }
    }

    #[test]
    fn chunks_never_overlap() {
        for at in 12..12 + 4 * 90 {
            for value in [0x55, 0xff] {
                let mut tables = whole();
                tables[2][at] = value;
                let Some(mended) = mended(&tables) else { continue };
                let sizes = numbers::<4>(&mended.sizes[12..]);
                let right = numbers::<4>(&whole()[2][12..]);
                for (chunk, right) in sizes.chunks(10).zip(right.chunks(10)) {
                    assert!(chunk.iter().sum::<u64>() <= right.iter().sum(), "{at} {value}");
                }
            }
        }
    }

    #[test]
    fn corrects_an_absurd_size() {
        let mut tables = whole();
        tables[2][12 + 4 * 33] = 0x7f;
        assert_eq!(mended(&tables).unwrap().sizes, whole()[2]);
    }

    #[test]
    fn samples_after_wrong_sizes_keep_their_offsets() {
        // A single chunk, as some programs write it.
        let mut tables = whole();
        tables[1] = table(&[0, 1], [1, SAMPLES, 1]);
        tables[3] = table(&[0, 1], [1000]);
        assert!(mended(&tables).is_none());
        tables[2][12 + 4 * 40..12 + 4 * 43].fill(0x55);
        let sizes = numbers::<4>(&mended(&tables).unwrap().sizes[12..]);
        let right = numbers::<4>(&whole()[2][12..]);
        assert_eq!((&sizes[..40], &sizes[43..]), (&right[..40], &right[43..]));
        assert_eq!(sizes[40..43].iter().sum::<u64>(), right[40..43].iter().sum::<u64>());
    }

    #[test]
    fn finds_a_wrong_size_by_the_starts_of_samples() {
        let right = numbers::<4>(&whole()[2][12..]);
        let begins: Vec<u64> =
            (0..right.len()).map(|index| 1000 + right[..index].iter().sum::<u64>()).collect();
        let room: u64 = right.iter().sum();
        for (index, wrong) in [(0, 301), (17, 30), (40, 390), (99, 200)] {
            let mut sizes = right.clone();
            sizes[index] = wrong;
            align(&mut sizes, 1000, room, &mut |at| {
                Some(if begins.contains(&at) { 0x21 } else { (at * 7) as u8 | 0x80 })
            });
            assert_eq!(sizes, right, "{index} {wrong}");
        }
    }

    #[test]
    fn cuts_a_chunk_of_many_samples_in_linear_time() {
        let mut sizes = vec![300; 1 << 20];
        fit(&mut sizes, 1_000, 2_400);
        assert_eq!(&sizes[..5], [300, 300, 300, 100, 0]);
        assert_eq!(sizes.iter().sum::<u64>(), 1_000);
    }

    #[test]
    fn durations_cover_all_samples() {
        let mut tables = whole();
        tables[0][9] = 0x7f;
        assert_eq!(mended(&tables).unwrap().durations, whole()[0]);
    }

    #[test]
    fn ignores_interleaved_chunks() {
        let mut tables = whole();
        for at in (8..tables[3].len()).step_by(4) {
            tables[3][at + 1] = (at / 4) as u8;
        }
        assert!(mended(&tables).is_none());
    }
}
