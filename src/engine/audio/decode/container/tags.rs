//! Location of tags before and after the sound, for formats without a place for them: ID3v2, ID3v1,
//! APE and Lyrics3. Their contents are read elsewhere.
//!
//! Sources: id3.org (ID3v1, ID3v2.4 structure, Lyrics3 2.00), the APEv2 specification.

use std::io;

use crate::engine::audio::decode::bounds::BoundedFile;
use crate::engine::audio::decode::integers::u32_le;

/// Maximum number of consecutive tags.
const MOST: usize = 64;
/// Bytes of an ID3v2 header or footer, an APE header or footer, and an ID3v1 tag.
const ID3V2: u64 = 10;
const APE: u64 = 32;
const ID3V1: u64 = 128;

/// Length in bytes of the tag at the start of `bytes`; `None` without one. Recognises ID3v2,
/// APE with a header, ID3v1, and Lyrics3 up to its length field. Callers should pass at least 32
/// bytes if available.
pub fn tag_at(bytes: &[u8]) -> Option<u64> {
    if let Some(&[b'I', b'D', b'3', major, minor, flags, a, b, c, d]) = bytes.first_chunk() {
        if major == 0xff || minor == 0xff || [a, b, c, d].iter().any(|byte| byte & 0x80 != 0) {
            return None;
        }
        let size = [a, b, c, d].iter().fold(0, |size, &byte| (size << 7) | u64::from(byte));
        let footer = if flags & 0x10 == 0 { 0 } else { ID3V2 };
        return Some(ID3V2 + size + footer);
    }
    if bytes.starts_with(b"APETAGEX") {
        let size = u32_le(bytes, 12)?;
        let is_header = u32_le(bytes, 20)? & (1 << 29) != 0;
        return Some(if is_header { APE + u64::from(size) } else { APE });
    }
    if bytes.starts_with(b"TAG") && bytes.get(3) != Some(&b'+') {
        return Some(ID3V1);
    }
    // Extended ID3v1.
    bytes.starts_with(b"TAG+").then_some(227)
}

/// End of the sound: the start of the trailing tags.
///
/// # Errors
/// I/O errors of the file.
pub fn end_of_sound(file: &mut BoundedFile) -> io::Result<u64> {
    let mut end = file.len();
    for _ in 0..MOST {
        match tag_before(file, end)? {
            Some(before) if before < end => end = before,
            _ => break,
        }
    }
    Ok(end)
}

/// Start of the tag that ends at `end`.
fn tag_before(file: &mut BoundedFile, end: u64) -> io::Result<Option<u64>> {
    if let Some(start) = end.checked_sub(ID3V1)
        && file.bytes_at(start, 3)? == b"TAG"
    {
        return Ok(Some(start));
    }
    if let Some(footer) = end.checked_sub(APE) {
        let bytes = file.bytes_at(footer, APE)?;
        if bytes.starts_with(b"APETAGEX")
            && let (Some(size), Some(flags)) = (u32_le(&bytes, 12), u32_le(&bytes, 20))
        {
            let header = if flags & (1 << 31) == 0 { 0 } else { APE };
            return Ok(end.checked_sub(u64::from(size) + header));
        }
    }
    if let Some(footer) = end.checked_sub(ID3V2) {
        let bytes = file.bytes_at(footer, ID3V2)?;
        if let [b'3', b'D', b'I', ref rest @ ..] = bytes[..] {
            let header: Vec<u8> = b"ID3".iter().chain(rest).copied().collect();
            return Ok(tag_at(&header).and_then(|bytes| end.checked_sub(bytes)));
        }
    }
    lyrics_before(file, end)
}

fn lyrics_before(file: &mut BoundedFile, end: u64) -> io::Result<Option<u64>> {
    const LONGEST_OLD: u64 = 5100 + 20;
    let Some(mark) = end.checked_sub(9) else { return Ok(None) };
    let bytes = file.bytes_at(mark, 9)?;
    if bytes == b"LYRICS200" {
        let Some(number) = mark.checked_sub(6) else { return Ok(None) };
        let digits = file.bytes_at(number, 6)?;
        let size = std::str::from_utf8(&digits).ok().and_then(|digits| digits.parse::<u64>().ok());
        return Ok(size.and_then(|size| number.checked_sub(size)));
    }
    if bytes == b"LYRICSEND" {
        let from = end.saturating_sub(LONGEST_OLD);
        let text = file.bytes_at(from, end - from)?;
        let begin = text.windows(11).rposition(|window| window == b"LYRICSBEGIN");
        return Ok(begin.map(|at| from + at as u64));
    }
    Ok(None)
}

/// Length in bytes of the Lyrics3 tag at the start of `bytes`, if complete.
pub fn lyrics_at(bytes: &[u8]) -> Option<u64> {
    if !bytes.starts_with(b"LYRICSBEGIN") {
        return None;
    }
    let end = bytes.windows(9).position(|end| end == b"LYRICS200" || end == b"LYRICSEND")?;
    Some(end as u64 + 9)
}
