//! Audible frames of an MP4 track: edit lists, and iTunes' record of priming and length.
//!
//! Sources: ISO/IEC 14496-12 (edit list), Apple's Technical Note TN2258 (`iTunSMPB`).

use std::ops::Range;

use super::boxes::{Child, children, find};
use crate::engine::audio::decode::integers::{u32_be, u64_be};
use crate::engine::audio::{
    decode::{
        container::Timing,
        output::{Part, Trim},
    },
    resample::rescale,
};

/// Maximum number of edits read per track.
const MOST_EDITS: usize = 4096;

/// Start, length and order that an MP4 file states for one track.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Timeline {
    edits: Vec<Edit>,
    media_ticks_per_second: u32,
    movie_ticks_per_second: u32,
    /// Length of all samples, in ticks of the media; 0 if unknown.
    media_ticks: u64,
    /// Priming, padding and length in frames, as written by iTunes.
    itunes: Option<[u64; 3]>,
}

/// A section of the media to play, or a pause.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Edit {
    /// Length in ticks of the movie; 0 extends to the end.
    length: u64,
    /// Start in ticks of the media; `None` for a pause.
    start: Option<u64>,
}

impl Timeline {
    /// Reads the timeline of the track in `trak`, a range of the index `moov` with these boxes.
    pub(in crate::engine::audio::decode::container) fn read(
        moov: &[u8],
        boxes: &[Child],
        trak: Range<usize>,
    ) -> Self {
        let mut timeline = Self::default();
        let ticks = |range: Range<usize>| {
            let at = if moov.get(range.start) == Some(&0) { 12 } else { 20 };
            u32_be(moov, range.start + at).unwrap_or(0)
        };
        for (kind, range) in boxes {
            match kind {
                b"mvhd" => timeline.movie_ticks_per_second = ticks(range.clone()),
                b"udta" => timeline.itunes = itunes_note(moov, range.clone()),
                _ => {}
            }
        }
        if let Some(times) = find(moov, trak.clone(), &[b"mdia", b"mdhd"]) {
            timeline.media_ticks_per_second = ticks(times);
        }
        if let Some(list) = find(moov, trak.clone(), &[b"edts", b"elst"]) {
            timeline.edits = edits(moov, &list);
        }
        if let Some(table) = find(moov, trak, &[b"mdia", b"minf", b"stbl", b"stts"]) {
            timeline.media_ticks = media_ticks(&moov[table]);
        }
        timeline
    }

    pub(in crate::engine::audio::decode::container) fn timing(self, is_fragmented: bool) -> Timing {
        let ticks = f64::from(self.media_ticks_per_second.max(1));
        let seconds = (!is_fragmented).then(|| self.media_ticks as f64 / ticks);
        Timing { seconds, timeline: Some(self), ..Timing::default() }
    }

    /// Audible frames of a track decoded at `rate` Hz, with one list per decoding pass. `priming`
    /// is the number of frames that the decoder adds at the start.
    pub fn passes(&self, rate: u32, priming: u64) -> Vec<Trim> {
        let all = Some(rescale(self.media_ticks, rate, self.media_ticks_per_second));
        let frames = all.filter(|&frames| frames > 0 && self.media_ticks_per_second > 0);
        let fits = |end: u64| frames.is_none_or(|frames| end <= frames);
        if let Some([skip, _, length]) = self.itunes
            && length > 0
            && fits(skip.saturating_add(length))
        {
            return vec![Trim::range(skip, length)];
        }
        let is_heard = |edit: &Edit| edit.start.is_some();
        let Some(first) = self.edits.iter().position(is_heard) else {
            return vec![Trim::from(priming)];
        };
        let mut passes: Vec<Trim> = Vec::new();
        let (mut silence, mut movie_ticks, mut before) = (0, 0, 0);
        for edit in &self.edits[first..] {
            // Round sums instead of lengths, so that rounding errors do not accumulate.
            movie_ticks += edit.length;
            let end = rescale(movie_ticks, rate, self.movie_ticks_per_second);
            let length = end.saturating_sub(before);
            before = end;
            let Some(start) = edit.start else {
                silence += length;
                continue;
            };
            let start = rescale(start, rate, self.media_ticks_per_second);
            let rest = frames.map_or(u64::MAX, |frames| frames.saturating_sub(start));
            // Movie ticks are often milliseconds; the length of the media is then more precise.
            let tick = u64::from(rate / self.movie_ticks_per_second.max(1)) + 1;
            let is_rest = edit.length == 0 || rest.abs_diff(length) <= tick;
            let length = if !is_rest {
                Some(length)
            } else if edit.length == 0 && frames.is_none() {
                None
            } else {
                Some(rest)
            };
            let part = Part { silence, start, length };
            silence = 0;
            match passes.last_mut() {
                Some(pass) if pass.goes_on_at(start) => pass.push(part),
                _ => passes.push(Trim::of(part)),
            }
        }
        passes
    }
}

fn edits(moov: &[u8], list: &Range<usize>) -> Vec<Edit> {
    let is_long = moov.get(list.start).is_some_and(|&version| version != 0);
    let count = u32_be(moov, list.start + 4).unwrap_or(0) as usize;
    let bytes = if is_long { 20 } else { 12 };
    let entries = moov.get(list.start + 8..list.end).unwrap_or(&[]).chunks_exact(bytes);
    let mut found = Vec::new();
    for entry in entries.take(count.min(MOST_EDITS)) {
        let (length, start) = if is_long {
            (u64_be(entry, 0), u64_be(entry, 8).filter(|&start| start != u64::MAX))
        } else {
            let start = u32_be(entry, 4).filter(|&start| start != u32::MAX);
            (u32_be(entry, 0).map(u64::from), start.map(u64::from))
        };
        let is_still = entry[bytes - 4..bytes - 2] == [0, 0];
        let start = start.filter(|_| !is_still);
        found.push(Edit { length: length.unwrap_or(0), start });
    }
    found
}

/// Length of all samples according to the table of durations.
fn media_ticks(table: &[u8]) -> u64 {
    let entries = table.get(8..).unwrap_or(&[]).chunks_exact(8);
    entries.fold(0, |sum: u64, entry| {
        let (count, ticks) = (u32_be(entry, 0).unwrap_or(0), u32_be(entry, 4).unwrap_or(0));
        sum.saturating_add(u64::from(count) * u64::from(ticks))
    })
}

fn itunes_note(moov: &[u8], user_data: Range<usize>) -> Option<[u64; 3]> {
    let meta = find(moov, user_data, &[b"meta"])?;
    let list = find(moov, meta.start + 4..meta.end, &[b"ilst"])?;
    for (_, entry) in children(moov, list).into_iter().filter(|(kind, _)| kind == b"----") {
        let text = |kind: &[u8; 4], skip: usize| {
            let range = find(moov, entry.clone(), &[kind])?;
            Some(String::from_utf8_lossy(moov.get(range.start + skip..range.end)?).into_owned())
        };
        if text(b"name", 4).is_some_and(|name| name == "iTunSMPB") {
            return itunes_numbers(&text(b"data", 8)?);
        }
    }
    None
}

/// Priming, padding and length: the second to fourth hexadecimal number of the record.
fn itunes_numbers(note: &str) -> Option<[u64; 3]> {
    let mut numbers = note.split_whitespace().skip(1).map(|word| u64::from_str_radix(word, 16));
    let mut next = || numbers.next()?.ok();
    Some([next()?, next()?, next()?])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timeline(edits: &[(Option<u64>, u64)], frames: u64) -> Timeline {
        let edits = edits.iter().map(|&(start, length)| Edit { length, start }).collect();
        Timeline {
            edits,
            media_ticks_per_second: 44_100,
            movie_ticks_per_second: 1_000,
            media_ticks: frames,
            itunes: None,
        }
    }

    #[test]
    fn the_media_length_refines_an_edit() {
        let passes = timeline(&[(Some(1_024), 10_000)], 1_024 + 441_017).passes(44_100, 1_024);
        assert_eq!(passes, [Trim::range(1_024, 441_017)]);
    }

    #[test]
    fn keeps_an_edit_that_ends_early() {
        let passes = timeline(&[(Some(1_024), 5_000)], 500_000).passes(44_100, 1_024);
        assert_eq!(passes, [Trim::range(1_024, 220_500)]);
    }

    #[test]
    fn plays_several_edits_with_the_pauses_between_them() {
        let edits = [(None, 500), (Some(44_100), 1_000), (None, 250), (Some(132_300), 1_000)];
        let [pass] = &timeline(&edits, 441_000).passes(44_100, 0)[..] else { panic!("one pass") };
        let mut expected = Trim::range(44_100, 44_100);
        expected.push(Part { silence: 11_025, start: 132_300, length: Some(44_100) });
        assert_eq!(*pass, expected, "an initial pause must be dropped");
    }

    #[test]
    fn backward_edits_need_separate_passes() {
        let edits = [(Some(44_100), 1_000), (Some(0), 1_000), (Some(88_200), 1_000)];
        let passes = timeline(&edits, 441_000).passes(44_100, 0);
        let mut second = Trim::range(0, 44_100);
        second.push(Part { silence: 0, start: 88_200, length: Some(44_100) });
        assert_eq!(passes, [Trim::range(44_100, 44_100), second]);
    }

    #[test]
    fn times_scale_to_the_decoded_rate() {
        // HE-AAC whose media ticks are at the rate of its core.
        let timeline =
            Timeline { media_ticks_per_second: 22_050, ..timeline(&[(Some(1_024), 0)], 23_074) };
        assert_eq!(timeline.passes(44_100, 2_048), [Trim::range(2_048, 44_100)]);
    }

    #[test]
    fn a_plausible_itunes_record_overrides_the_edit_list() {
        let note = itunes_numbers(" 00000000 00000840 000001C0 000000000006B900 00000000");
        assert_eq!(note, Some([2_112, 448, 440_576]));
        let noted = |frames| Timeline { itunes: note, ..timeline(&[(Some(1_024), 0)], frames) };
        assert_eq!(noted(443_136).passes(44_100, 1_024), [Trim::range(2_112, 440_576)]);
        assert_eq!(noted(100_000).passes(44_100, 1_024), [Trim::range(1_024, 98_976)]);
    }

    #[test]
    fn without_edits_the_decoder_priming_is_skipped() {
        assert_eq!(Timeline::default().passes(44_100, 1_024), [Trim::from(1_024)]);
    }
}
