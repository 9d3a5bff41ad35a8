//! Tags before and after the sound, in any file format: ID3v2, APE, Lyrics3 and ID3v1.
//!
//! This module locates the tags and reads their bytes; [`super::id3v2`] and [`super::ape`] parse
//! them. Runs on the thread that reads the tags.
//!
//! Sources: ID3v2.4.0 structure (header, footer), the APEv2 specification of Hydrogenaudio, ID3v1 and
//! "TAG+", Lyrics3 2.00.

use std::{
    io::{self, Read, Seek, SeekFrom},
    ops::Range,
};

/// Maximum number of tags on either side of the sound.
const MOST_TAGS: usize = 16;
/// Maximum length of a tag in bytes: twice the size of the largest cover. Longer ones are skipped.
const LONGEST_TAG: u64 = 32 << 20;
/// Bytes at the end of a file that are searched for an ID3v2 tag without a footer.
const SEARCHED: u64 = 4 << 20;

const ID3V2_HEADER: u64 = 10;
const APE_FOOTER: u64 = 32;
const ID3V1: u64 = 128;

/// Tags around the sound of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Around {
    /// ID3v2 tags with their headers, the leading ones first.
    pub id3v2: Vec<Vec<u8>>,
    /// APE tags with their footers; leading ones may have headers instead.
    pub ape: Vec<Vec<u8>>,
    /// The 128 bytes of an ID3v1 tag.
    pub id3v1: Option<Vec<u8>>,
    /// Range of the file between the tags.
    pub inner: Range<u64>,
}

/// Random access to a file.
pub struct Reader<'a, F>(pub &'a mut F);

impl<F: Read + Seek> Reader<'_, F> {
    /// Reads at most `count` bytes at offset `at`, fewer at the end of the file.
    ///
    /// # Errors
    /// I/O errors of the file.
    pub fn bytes(&mut self, at: u64, count: u64) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.0.seek(SeekFrom::Start(at))?;
        self.0.by_ref().take(count).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Length of the file in bytes.
    ///
    /// # Errors
    /// I/O errors of the file.
    pub fn len(&mut self) -> io::Result<u64> {
        self.0.seek(SeekFrom::End(0))
    }
}

impl Around {
    /// Finds the tags around the sound of `file`.
    ///
    /// # Errors
    /// I/O errors of the file.
    pub fn find(file: &mut (impl Read + Seek)) -> io::Result<Self> {
        let mut file = Reader(file);
        let mut around = Self { inner: 0..file.len()?, ..Self::default() };
        for _ in 0..MOST_TAGS {
            if !around.take_front(&mut file)? {
                break;
            }
        }
        for _ in 0..MOST_TAGS {
            if !around.take_back(&mut file)? {
                break;
            }
        }
        Ok(around)
    }

    fn take_front(&mut self, file: &mut Reader<'_, impl Read + Seek>) -> io::Result<bool> {
        let Range { start, end } = self.inner;
        let head = file.bytes(start, APE_FOOTER)?;
        let (bytes, is_ape) = match (id3v2_bytes(&head), ape_bytes(&head)) {
            (Some(bytes), _) => (bytes, false),
            (None, Some((bytes, _))) => (bytes.saturating_add(APE_FOOTER), true),
            (None, None) => return Ok(false),
        };
        if bytes > end - start {
            return Ok(false);
        }
        if bytes <= LONGEST_TAG {
            let tag = file.bytes(start, bytes)?;
            if is_ape { self.ape.push(tag) } else { self.id3v2.push(tag) }
        }
        self.inner.start += bytes;
        Ok(true)
    }

    fn take_back(&mut self, file: &mut Reader<'_, impl Read + Seek>) -> io::Result<bool> {
        let Range { start, end } = self.inner;
        let tail = file.bytes(end.saturating_sub(ID3V1).max(start), ID3V1.min(end - start))?;
        let last = |count: usize| &tail[tail.len().saturating_sub(count)..];
        let mut bytes = None;
        if tail.len() as u64 == ID3V1 && tail.starts_with(b"TAG") {
            self.id3v1.get_or_insert_with(|| tail.clone());
            bytes = Some(ID3V1 + enhanced_bytes(file, start, end)?);
        } else if let Some((size, has_header)) = ape_bytes(last(APE_FOOTER as usize)) {
            let whole = size.saturating_add(if has_header { APE_FOOTER } else { 0 });
            if size <= LONGEST_TAG && whole <= end - start {
                self.ape.push(file.bytes(end - size, size)?);
            }
            bytes = Some(whole);
        } else if let Some(size) = lyrics_bytes(last(15)) {
            bytes = Some(size);
        } else if let Some(size) = id3v2_footer_bytes(last(ID3V2_HEADER as usize)) {
            bytes = Some(size);
        } else if let Some(at) = self.unmarked_id3v2(file)? {
            bytes = Some(end - at);
        }
        let Some(bytes) = bytes.filter(|&bytes| bytes <= end - start) else { return Ok(false) };
        let begin = file.bytes(end - bytes, ID3V2_HEADER)?;
        if begin.starts_with(b"ID3") && bytes <= LONGEST_TAG {
            self.id3v2.push(file.bytes(end - bytes, bytes)?);
        }
        self.inner.end -= bytes;
        Ok(true)
    }

    /// Offset of an ID3v2 tag without a footer at the end of the file. Only MPEG, AAC and FLAC are
    /// searched, because other formats hold their tags inside.
    fn unmarked_id3v2(&self, file: &mut Reader<'_, impl Read + Seek>) -> io::Result<Option<u64>> {
        let Range { start, end } = self.inner;
        let begin = file.bytes(start, 12)?;
        let is_frames = begin.first() == Some(&0xff) || begin.starts_with(b"fLaC");
        if !is_frames {
            return Ok(None);
        }
        let from = end.saturating_sub(SEARCHED).max(start);
        let bytes = file.bytes(from, end - from)?;
        let is_tag = |at: &usize| {
            let left = (bytes.len() - at) as u64;
            bytes[*at] == b'I' && id3v2_bytes(&bytes[*at..]) == Some(left)
        };
        Ok((0..bytes.len()).find(is_tag).map(|at| from + at as u64))
    }
}

/// Length of the ID3v2 tag that begins with `head`, including its header and footer.
fn id3v2_bytes(head: &[u8]) -> Option<u64> {
    let &[b'I', b'D', b'3', 2..=4, minor, flags, a, b, c, d, ..] = head else { return None };
    if minor == 0xff {
        return None;
    }
    let size = [a, b, c, d];
    let is_synchsafe = size.iter().all(|byte| *byte < 0x80);
    let size = u64::from(u32::from_be_bytes(size));
    let size = if is_synchsafe { synchsafe(size) } else { size };
    let has_footer = head[3] == 4 && flags & 0x10 != 0;
    Some(size + ID3V2_HEADER * if has_footer { 2 } else { 1 })
}

/// Total length of the tag that ends with this ID3v2 footer.
fn id3v2_footer_bytes(footer: &[u8]) -> Option<u64> {
    let &[b'3', b'D', b'I', 4, _, _, a, b, c, d] = footer else { return None };
    Some(synchsafe(u32::from_be_bytes([a, b, c, d]).into()) + 2 * ID3V2_HEADER)
}

/// Decodes a synchsafe number of four bytes, with seven bits per byte.
pub fn synchsafe(number: u64) -> u64 {
    (0..4).fold(0, |sum, at| sum | (number >> (8 * at) & 0x7f) << (7 * at))
}

/// Length in bytes of the items and the footer of the APE tag with this header or footer, and
/// whether the tag has a header.
fn ape_bytes(mark: &[u8]) -> Option<(u64, bool)> {
    let rest = mark.strip_prefix(b"APETAGEX")?;
    let number = |at: usize| Some(u32::from_le_bytes(*rest.get(at..)?.first_chunk()?));
    let (version, size, flags) = (number(0)?, number(4)?, number(12)?);
    let is_sane = matches!(version, 1_000 | 2_000) && u64::from(size) >= APE_FOOTER;
    is_sane.then_some((size.into(), flags >> 31 == 1))
}

/// Length of the Lyrics3 2.00 tag with this end: six digits and the marker.
fn lyrics_bytes(end: &[u8]) -> Option<u64> {
    let digits = end.strip_suffix(b"LYRICS200")?;
    let size: u64 = std::str::from_utf8(digits).ok()?.parse().ok()?;
    Some(size + 15)
}

/// Length of the "TAG+" before an ID3v1 tag that ends at `end`.
fn enhanced_bytes(
    file: &mut Reader<'_, impl Read + Seek>,
    start: u64,
    end: u64,
) -> io::Result<u64> {
    const ENHANCED: u64 = 227;
    let at = end.saturating_sub(ID3V1 + ENHANCED);
    let exists = at > start && file.bytes(at, 4)? == b"TAG+";
    Ok(if exists { ENHANCED } else { 0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id3v2(body: &[u8], flags: u8) -> Vec<u8> {
        let size = body.len() as u32;
        let size = [size >> 21 & 0x7f, size >> 14 & 0x7f, size >> 7 & 0x7f, size & 0x7f];
        [&b"ID3\x04\0"[..], &[flags], &size.map(|part| part as u8)[..], body].concat()
    }

    fn ape(items: &[u8], has_header: bool) -> Vec<u8> {
        let size = items.len() as u32 + 32;
        let mark = |flags: u32| {
            let numbers = [2_000, size, 0, flags].map(u32::to_le_bytes).concat();
            [b"APETAGEX", &numbers[..], &[0; 8]].concat()
        };
        let header = if has_header { mark(0xa000_0000) } else { Vec::new() };
        [header, items.to_vec(), mark(u32::from(has_header) << 31)].concat()
    }

    fn id3v1() -> Vec<u8> {
        let mut tag = b"TAGtitle".to_vec();
        tag.resize(128, 0);
        tag
    }

    fn find(parts: &[&[u8]]) -> (Around, Vec<u8>) {
        let bytes = parts.concat();
        let around = Around::find(&mut io::Cursor::new(&bytes)).unwrap();
        let inner = bytes[around.inner.start as usize..around.inner.end as usize].to_vec();
        (around, inner)
    }

    #[test]
    fn finds_tags_on_both_sides_in_every_order() {
        let sound = [0xff, 0xfb, 1, 2, 3, 4];
        let (front, ape, id3v1) = (id3v2(&[7; 300], 0), ape(&[8; 70], true), id3v1());
        let behind = id3v2(&[9; 40], 0);
        let lyrics = b"LYRICSBEGININD00003110000022LYRICS200".to_vec();
        let orders: [[&[u8]; 4]; 6] = [
            [&ape, &id3v1, &[], &[]],
            [&id3v1, &ape, &[], &[]],
            [&behind, &ape, &lyrics, &id3v1],
            [&ape, &behind, &id3v1, &lyrics],
            [&lyrics, &id3v1, &behind, &ape],
            [&id3v1, &behind, &ape, &lyrics],
        ];
        for [a, b, c, d] in orders {
            let (around, inner) = find(&[&front, &sound, a, b, c, d]);
            assert_eq!(inner, sound);
            assert_eq!(around.ape, [ape[32..].to_vec()]);
            assert_eq!(around.id3v1.as_ref(), Some(&id3v1));
            assert_eq!(around.id3v2[0], front);
            let is_behind = [a, b, c, d].contains(&&behind[..]);
            assert_eq!(around.id3v2.get(1), is_behind.then_some(&behind));
        }
        let (around, inner) = find(&[&front, &ape, &front, &sound]);
        assert_eq!((around.id3v2.len(), around.ape.len(), inner), (2, 1, sound.to_vec()));
    }

    #[test]
    fn finds_a_tag_by_its_footer() {
        let mut tag = id3v2(&[9; 200], 0x10);
        let footer = [b"3DI", &tag[3..10]].concat();
        tag.extend(footer);
        for parts in [[&tag[..], &[0xff, 0xfb, 1]], [&[0xff, 0xfb, 1], &tag[..]]] {
            let (around, inner) = find(&parts);
            assert_eq!((around.id3v2, inner), (vec![tag.clone()], vec![0xff, 0xfb, 1]));
        }
    }

    #[test]
    fn ignores_data_that_resembles_a_tag() {
        for odd in [&b"ID3\x04\0\0\0\0\x7f\x7frest"[..], b"ID3", b"TAG", b"", b"9LYRICS200", b"3DI"]
        {
            let (around, inner) = find(&[odd]);
            assert_eq!((inner, around.id3v2), (odd.to_vec(), vec![]));
        }
        let mut cut = ape(&[1; 40], true);
        cut.drain(..50);
        assert_eq!(find(&[&cut]).1, cut);
    }
}
