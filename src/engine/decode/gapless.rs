//! Which frames of a stream its encoder added: priming at the start, padding at the end.
//!
//! Symphonia reads this for most formats; here is what it leaves out: the edit list and iTunes'
//! note in MP4 files, and the priming of AAC and Opus. Reads a file's headers only.
//!
//! Sources: ISO/IEC 14496-12 (boxes, edit list), RFC 7845 (Opus), and for `iTunSMPB` the
//! description in Apple's Technical Note TN2258.

use std::{
    io::{self, BufReader, Read as _, Seek as _, SeekFrom},
    path::Path,
};

use super::{
    bounds::BoundedFile,
    output::{End, Trim},
};
use crate::engine::{CancelToken, resample::rescale};

/// Frames that an AAC decoder gives before the first real one, where the file does not say: the
/// overlap of the first block.
pub const AAC_PRIMING: u64 = 1024;

/// What an MP4 file says about one track's start and length.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mp4Timing {
    /// Start and length of the only edit, if there is exactly one that is not empty: in ticks of
    /// the media, and of the movie (0: to the end).
    edit: Option<(u64, u64)>,
    media_ticks_per_second: u32,
    movie_ticks_per_second: u32,
    /// Priming, padding and length in frames, as iTunes writes them.
    itunes: Option<[u64; 3]>,
}

impl Mp4Timing {
    /// Reads the timing of track `id` from the file at `path`; the default where it says nothing.
    pub fn read(path: &Path, id: u32, cancel: &CancelToken) -> Self {
        let read = || -> io::Result<Self> {
            let file = BoundedFile::open(path, cancel).ok_or(io::ErrorKind::NotFound)?;
            let mut boxes = Boxes { file: BufReader::new(file) };
            let end = boxes.file.seek(SeekFrom::End(0))?;
            boxes.timing(end, id)
        };
        read().unwrap_or_default()
    }

    /// The frames to play of a stream at `rate` Hz. `frames` is the stream's whole length, where
    /// it is known; `priming` what its decoder adds at the start.
    pub fn trim(&self, rate: u32, frames: Option<u64>, priming: u64) -> Trim {
        let fits = |end: u64| frames.is_none_or(|frames| end <= frames);
        if let Some([skip, _, length]) = self.itunes
            && length > 0
            && fits(skip.saturating_add(length))
        {
            return Trim { skip, end: End::Length(length) };
        }
        let Some((start, length)) = self.edit else {
            return Trim { skip: priming, end: End::Natural };
        };
        let skip = rescale(start, rate, self.media_ticks_per_second);
        if length == 0 {
            return Trim { skip, end: End::Natural };
        }
        let length = rescale(length, rate, self.movie_ticks_per_second);
        // The movie's ticks are often milliseconds: then the media's own length is more precise.
        let tick = u64::from(rate / self.movie_ticks_per_second.max(1)) + 1;
        let rest = frames.map_or(u64::MAX, |frames| frames.saturating_sub(skip));
        let length = if rest.abs_diff(length) <= tick { rest } else { length };
        Trim { skip, end: End::Length(length) }
    }
}

/// Frames to leave out at the start of an Opus stream, from its identification header.
pub fn opus_pre_skip(header: Option<&[u8]>) -> u64 {
    match header {
        Some([b'O', b'p', b'u', b's', b'H', b'e', b'a', b'd', _, _, low, high, ..]) => {
            u64::from(u16::from_le_bytes([*low, *high]))
        }
        _ => 0,
    }
}

/// A walk through the boxes of an MP4 file.
struct Boxes {
    file: BufReader<BoundedFile>,
}

/// One box: its kind, and where its content starts and ends in the file.
type Found = ([u8; 4], u64, u64);

impl Boxes {
    fn timing(&mut self, end: u64, id: u32) -> io::Result<Mp4Timing> {
        let mut timing = Mp4Timing::default();
        let Some((start, end)) = self.find(0, end, *b"moov")? else {
            return Ok(timing);
        };
        for (kind, start, end) in self.children(start, end)? {
            match &kind {
                b"mvhd" => timing.movie_ticks_per_second = self.ticks_per_second(start)?,
                b"trak" if self.track_id(start, end)? == Some(id) => {
                    if let Some((start, end)) = self.find(start, end, *b"mdia")?
                        && let Some((start, _)) = self.find(start, end, *b"mdhd")?
                    {
                        timing.media_ticks_per_second = self.ticks_per_second(start)?;
                    }
                    if let Some((start, end)) = self.find(start, end, *b"edts")?
                        && let Some((start, _)) = self.find(start, end, *b"elst")?
                    {
                        timing.edit = self.only_edit(start)?;
                    }
                }
                b"udta" => timing.itunes = self.itunes_note(start, end)?,
                _ => {}
            }
        }
        Ok(timing)
    }

    /// The boxes between two places. Stops quietly at what is no box.
    fn children(&mut self, mut start: u64, end: u64) -> io::Result<Vec<Found>> {
        const MOST: usize = 4096;
        let mut found = Vec::new();
        while start + 8 <= end && found.len() < MOST {
            self.file.seek(SeekFrom::Start(start))?;
            let short = self.u32()?;
            let mut kind = [0; 4];
            self.file.read_exact(&mut kind)?;
            let (header, size) = match short {
                0 => (8, end - start),
                1 => (16, self.u64()?),
                size => (8, u64::from(size)),
            };
            let Some(next) = start.checked_add(size).filter(|&next| size >= header && next <= end)
            else {
                break;
            };
            found.push((kind, start + header, next));
            start = next;
        }
        Ok(found)
    }

    fn find(&mut self, start: u64, end: u64, kind: [u8; 4]) -> io::Result<Option<(u64, u64)>> {
        let found = self.children(start, end)?.into_iter().find(|(other, ..)| *other == kind);
        Ok(found.map(|(_, start, end)| (start, end)))
    }

    /// Version of the full box at `start`; then comes its content.
    fn version(&mut self, start: u64) -> io::Result<u8> {
        self.file.seek(SeekFrom::Start(start))?;
        Ok((self.u32()? >> 24) as u8)
    }

    /// Of `mvhd` and `mdhd`, which begin alike: two times of 32 or 64 bits, then the time scale.
    fn ticks_per_second(&mut self, start: u64) -> io::Result<u32> {
        let times = if self.version(start)? == 0 { 8 } else { 16 };
        self.file.seek_relative(times)?;
        self.u32()
    }

    fn track_id(&mut self, start: u64, end: u64) -> io::Result<Option<u32>> {
        let Some((start, _)) = self.find(start, end, *b"tkhd")? else {
            return Ok(None);
        };
        let times = if self.version(start)? == 0 { 8 } else { 16 };
        self.file.seek_relative(times)?;
        self.u32().map(Some)
    }

    fn only_edit(&mut self, start: u64) -> io::Result<Option<(u64, u64)>> {
        const EMPTY: u64 = u64::MAX;
        let long = self.version(start)? != 0;
        let mut edits = Vec::new();
        for _ in 0..self.u32()?.min(16) {
            let (length, start) = if long {
                (self.u64()?, self.u64()?)
            } else {
                let (length, start) = (self.u32()?, self.u32()?);
                (length.into(), if start == u32::MAX { EMPTY } else { start.into() })
            };
            self.file.seek_relative(4)?; // its speed
            if start != EMPTY {
                edits.push((start, length));
            }
        }
        Ok(if let [edit] = edits[..] { Some(edit) } else { None })
    }

    fn itunes_note(&mut self, start: u64, end: u64) -> io::Result<Option<[u64; 3]>> {
        let Some((start, end)) = self.find(start, end, *b"meta")? else {
            return Ok(None);
        };
        let Some((start, end)) = self.find(start + 4, end, *b"ilst")? else {
            return Ok(None);
        };
        for (kind, start, end) in self.children(start, end)? {
            if kind != *b"----" {
                continue;
            }
            let (mut name, mut value) = (String::new(), String::new());
            for (kind, start, end) in self.children(start, end)? {
                match &kind {
                    b"name" => name = self.text(start + 4, end)?,
                    b"data" => value = self.text(start + 8, end)?,
                    _ => {}
                }
            }
            if name == "iTunSMPB" {
                return Ok(itunes_numbers(&value));
            }
        }
        Ok(None)
    }

    fn text(&mut self, start: u64, end: u64) -> io::Result<String> {
        const LONGEST: u64 = 1024;
        self.file.seek(SeekFrom::Start(start))?;
        let mut bytes = Vec::new();
        let length = end.saturating_sub(start).min(LONGEST);
        self.file.by_ref().take(length).read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn u32(&mut self) -> io::Result<u32> {
        let mut bytes = [0; 4];
        self.file.read_exact(&mut bytes)?;
        Ok(u32::from_be_bytes(bytes))
    }

    fn u64(&mut self) -> io::Result<u64> {
        let mut bytes = [0; 8];
        self.file.read_exact(&mut bytes)?;
        Ok(u64::from_be_bytes(bytes))
    }
}

/// The second to fourth of the note's hexadecimal numbers: priming, padding, length.
fn itunes_numbers(note: &str) -> Option<[u64; 3]> {
    let mut numbers = note.split_whitespace().skip(1).map(|word| u64::from_str_radix(word, 16));
    let mut next = || numbers.next()?.ok();
    Some([next()?, next()?, next()?])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timing(edit: Option<(u64, u64)>, itunes: Option<[u64; 3]>) -> Mp4Timing {
        Mp4Timing { edit, media_ticks_per_second: 44_100, movie_ticks_per_second: 1_000, itunes }
    }

    #[test]
    fn the_edit_list_is_made_precise_by_the_length_of_the_media() {
        let frames = Some(1_024 + 441_017);
        let trim = timing(Some((1_024, 10_000)), None).trim(44_100, frames, 1_024);
        assert_eq!(trim, Trim { skip: 1_024, end: End::Length(441_017) });
    }

    #[test]
    fn an_edit_that_ends_earlier_is_kept() {
        let trim = timing(Some((1_024, 5_000)), None).trim(44_100, Some(500_000), 1_024);
        assert_eq!(trim, Trim { skip: 1_024, end: End::Length(220_500) });
    }

    #[test]
    fn itunes_note_goes_before_the_edit_list_unless_it_cannot_be() {
        let note = itunes_numbers(" 00000000 00000840 000001C0 000000000006B900 00000000");
        assert_eq!(note, Some([2_112, 448, 440_576]));
        let timing = timing(Some((1_024, 0)), note);
        let sane = timing.trim(44_100, Some(443_136), 1_024);
        assert_eq!(sane, Trim { skip: 2_112, end: End::Length(440_576) });
        let beyond = timing.trim(44_100, Some(100_000), 1_024);
        assert_eq!(beyond, Trim { skip: 1_024, end: End::Natural });
    }

    #[test]
    fn without_a_word_the_decoders_priming_goes() {
        let trim = Mp4Timing::default().trim(44_100, None, AAC_PRIMING);
        assert_eq!(trim, Trim { skip: 1_024, end: End::Natural });
    }

    #[test]
    fn opus_says_it_in_its_header() {
        assert_eq!(opus_pre_skip(Some(b"OpusHead\x01\x02\x38\x01rest")), 312);
        assert_eq!(opus_pre_skip(Some(b"OpusHead")), 0);
        assert_eq!(opus_pre_skip(None), 0);
    }

    #[test]
    fn what_is_no_mp4_file_says_nothing() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), [0xff; 100]).unwrap();
        assert_eq!(Mp4Timing::read(file.path(), 1, &CancelToken::default()), Mp4Timing::default());
    }
}
