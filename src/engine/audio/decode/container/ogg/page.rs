//! Pages of Ogg: read with their checksum, and written.

use std::io;

use crate::engine::audio::decode::bounds::BoundedFile;

/// Bytes of a page's head before its table of sizes.
const HEAD: u64 = 27;
const MARK: &[u8; 4] = b"OggS";
/// Flags of a page.
pub const FIRST: u8 = 2;
pub const LAST: u8 = 4;
/// Bytes that are looked through at a time for the next page.
const STRIDE: u64 = 1 << 16;

/// A page whose checksum is right.
#[derive(Clone)]
pub struct Page {
    /// Where it is in the file.
    pub start: u64,
    /// All its bytes.
    pub bytes: Vec<u8>,
}

impl Page {
    /// Its flags.
    pub fn flags(&self) -> u8 {
        self.bytes[5]
    }

    /// The serial number of its stream.
    pub fn serial(&self) -> u32 {
        self.u32_at(14)
    }

    /// Its number within its stream.
    pub fn sequence(&self) -> u32 {
        self.u32_at(18)
    }

    fn u32_at(&self, at: usize) -> u32 {
        u32::from_le_bytes(std::array::from_fn(|index| self.bytes[at + index]))
    }

    fn sizes(&self) -> &[u8] {
        let count = usize::from(self.bytes[26]);
        self.bytes.get(HEAD as usize..HEAD as usize + count).unwrap_or_default()
    }

    /// Its content, after its head.
    pub fn content(&self) -> &[u8] {
        self.bytes.get(HEAD as usize + self.sizes().len()..).unwrap_or_default()
    }

    /// The parts of packets in it, and whether each ends in it.
    pub fn parts(&self) -> Vec<(&[u8], bool)> {
        let (mut parts, mut rest, mut length) = (Vec::new(), self.content(), 0);
        for &size in self.sizes() {
            length += usize::from(size);
            if size < 255 {
                let (part, after) = rest.split_at(length.min(rest.len()));
                parts.push((part, true));
                (rest, length) = (after, 0);
            }
        }
        if length > 0 {
            parts.push((rest, false));
        }
        parts
    }

    /// This page with its checksum, after a change.
    pub fn sealed(mut self) -> Vec<u8> {
        seal(&mut self.bytes);
        self.bytes
    }

    /// This page, marked as the last of its stream.
    pub fn as_last(&self) -> Vec<u8> {
        let mut page = self.clone();
        page.bytes[5] |= LAST;
        page.sealed()
    }
}

/// What is at one place of the file.
pub enum Found {
    /// A page whose checksum is right.
    Page(Page),
    /// No page, or a damaged one.
    Damaged,
    /// A page that goes on beyond the end of the file.
    CutOff,
}

/// The page at `at`.
///
/// # Errors
/// I/O errors of the file.
pub fn page_at(file: &mut BoundedFile, at: u64) -> io::Result<Found> {
    let head = file.bytes_at(at, HEAD + 255)?;
    if !head.starts_with(MARK) {
        let is_begun = at + 4 > file.len() && MARK.starts_with(&head);
        return Ok(if is_begun { Found::CutOff } else { Found::Damaged });
    }
    let sizes = head.get(26).and_then(|&count| head.get(27..27 + usize::from(count)));
    let Some(sizes) = sizes else { return Ok(Found::CutOff) };
    let content: u64 = sizes.iter().map(|&size| u64::from(size)).sum();
    let length = HEAD + sizes.len() as u64 + content;
    let mut bytes = file.bytes_at(at, length)?;
    if (bytes.len() as u64) < length {
        // A damaged size may lead beyond the end, too: then another page follows.
        let goes_on = next_mark(file, at + 1)?.is_some();
        return Ok(if goes_on { Found::Damaged } else { Found::CutOff });
    }
    let stated: [u8; 4] = std::array::from_fn(|index| bytes[22 + index]);
    seal(&mut bytes);
    let is_right = bytes[22..26] == stated;
    Ok(if is_right { Found::Page(Page { start: at, bytes }) } else { Found::Damaged })
}

/// Where a page's mark comes next, from `at` on.
///
/// # Errors
/// I/O errors of the file.
pub fn next_mark(file: &mut BoundedFile, mut at: u64) -> io::Result<Option<u64>> {
    while at < file.len() {
        let bytes = file.bytes_at(at, STRIDE + 3)?;
        if let Some(found) = bytes.windows(4).position(|window| window == MARK) {
            return Ok(Some(at + found as u64));
        }
        at += STRIDE;
    }
    Ok(None)
}

/// Pages that hold these packets, the first of them with this number.
pub fn pages_of(packets: &[Vec<u8>], serial: u32, sequence: u32) -> Vec<u8> {
    const MOST_SIZES: usize = 255;
    let mut sizes = Vec::new();
    for packet in packets {
        sizes.extend(std::iter::repeat_n(255, packet.len() / 255));
        sizes.push((packet.len() % 255) as u8);
    }
    let content = packets.concat();
    let (mut pages, mut content) = (Vec::new(), &content[..]);
    let mut is_continued = false;
    for (sizes, number) in sizes.chunks(MOST_SIZES).zip(sequence..) {
        let length: usize = sizes.iter().map(|&size| usize::from(size)).sum();
        let (part, rest) = content.split_at(length);
        content = rest;
        let ends = sizes.iter().any(|&size| size < 255);
        let granule = if ends { 0 } else { u64::MAX };
        let mut page = MARK.to_vec();
        page.extend([0, u8::from(is_continued)]);
        page.extend(granule.to_le_bytes());
        page.extend(serial.to_le_bytes());
        page.extend(number.to_le_bytes());
        page.extend([0; 4]);
        page.push(sizes.len() as u8);
        page.extend_from_slice(sizes);
        page.extend_from_slice(part);
        seal(&mut page);
        pages.extend(page);
        is_continued = sizes.last() == Some(&255);
    }
    pages
}

/// Writes a page's checksum into it.
fn seal(page: &mut [u8]) {
    page[22..26].fill(0);
    let sum = checksum(page);
    page[22..26].copy_from_slice(&sum.to_le_bytes());
}

/// CRC-32 with the polynomial 0x04c11db7, neither reflected nor inverted.
fn checksum(bytes: &[u8]) -> u32 {
    const TABLE: [u32; 256] = {
        let mut table = [0; 256];
        let mut index = 0;
        while index < 256 {
            let mut crc = (index as u32) << 24;
            let mut bit = 0;
            while bit < 8 {
                crc = if crc & (1 << 31) == 0 { crc << 1 } else { (crc << 1) ^ 0x04c1_1db7 };
                bit += 1;
            }
            table[index] = crc;
            index += 1;
        }
        table
    };
    bytes.iter().fold(0, |crc, &byte| (crc << 8) ^ TABLE[usize::from((crc >> 24) as u8 ^ byte)])
}
