//! Ogg pages: reading with checksum, repair by checksum, and writing, independent of their packets.
//! Runs on the decoder thread.

use std::{collections::BTreeSet, io, ops::Range};

use super::checksum::{SUM, fault, seal, single_fault};
#[cfg(test)]
use crate::engine::audio::decode::view::Span;
use crate::engine::audio::decode::{bounds::BoundedFile, integers::u32_le, view::View};

/// Bytes of a page header before its size table.
const HEAD: u64 = 27;
/// Maximum length of a page, in bytes.
const LONGEST: u64 = HEAD + 255 + 255 * 255;
const MARK: &[u8; 4] = b"OggS";
/// Offsets of the header fields.
pub const VERSION: usize = 4;
pub const FLAGS: usize = 5;
pub const GRANULE: usize = 6;
pub const SERIAL: usize = 14;
pub const SEQUENCE: usize = 18;
const COUNT: usize = 26;
/// Flags of a page.
pub const CONTINUED: u8 = 1;
pub const FIRST: u8 = 2;
pub const LAST: u8 = 4;
/// Bytes searched at a time for the next page.
const STRIDE: u64 = 1 << 16;

/// Reliability of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// Correct checksum.
    Right,
    /// Repaired: the checksum located a single wrong byte.
    Restored,
    /// Wrong checksum, although the sizes lead to the next page.
    Doubtful,
}

/// An Ogg page.
#[derive(Clone)]
pub struct Page {
    /// Offset in the file.
    pub start: u64,
    /// All bytes of the page.
    pub bytes: Vec<u8>,
    /// Reliability of the bytes.
    pub trust: Trust,
    /// Offsets of bytes that differ from the file.
    changed: BTreeSet<usize>,
}

impl Page {
    fn new(start: u64, bytes: Vec<u8>, trust: Trust) -> Self {
        Self { start, bytes, trust, changed: BTreeSet::new() }
    }

    /// Header flags.
    pub fn flags(&self) -> u8 {
        self.bytes[FLAGS]
    }

    /// Time at the end of the page.
    pub fn granule(&self) -> u64 {
        u64::from_le_bytes(std::array::from_fn(|index| self.bytes[GRANULE + index]))
    }

    /// Serial number of the stream.
    pub fn serial(&self) -> u32 {
        self.u32_at(SERIAL)
    }

    /// Number of the page within its stream.
    pub fn sequence(&self) -> u32 {
        self.u32_at(SEQUENCE)
    }

    fn u32_at(&self, at: usize) -> u32 {
        u32::from_le_bytes(std::array::from_fn(|index| self.bytes[at + index]))
    }

    /// Offset of the page's end in the file.
    pub fn end(&self) -> u64 {
        self.start + self.bytes.len() as u64
    }

    fn sizes(&self) -> &[u8] {
        let count = usize::from(self.bytes[COUNT]);
        self.bytes.get(HEAD as usize..HEAD as usize + count).unwrap_or_default()
    }

    /// Content after the header.
    pub fn content(&self) -> &[u8] {
        self.bytes.get(HEAD as usize + self.sizes().len()..).unwrap_or_default()
    }

    /// Ranges of the packet parts in `bytes`, and whether each part ends its packet.
    pub fn ranges(&self) -> Vec<(Range<usize>, bool)> {
        let (mut ranges, mut start) = (Vec::new(), HEAD as usize + self.sizes().len());
        let mut end = start;
        for &size in self.sizes() {
            end = (end + usize::from(size)).min(self.bytes.len());
            if size < 255 {
                ranges.push((start..end, true));
                start = end;
            }
        }
        if end > start {
            ranges.push((start..end, false));
        }
        ranges
    }

    /// Packet parts, and whether each ends its packet.
    pub fn parts(&self) -> Vec<(&[u8], bool)> {
        let part = |(range, is_end): (Range<usize>, bool)| (&self.bytes[range], is_end);
        self.ranges().into_iter().map(part).collect()
    }

    /// Whether the last packet continues in the next page.
    pub fn goes_on(&self) -> bool {
        self.sizes().last() == Some(&255)
    }

    /// Whether the sizes add up to the page's length.
    pub fn is_fitted(&self) -> bool {
        let sizes = self.sizes();
        sizes.len() == usize::from(self.bytes[COUNT])
            && HEAD as usize + sizes.len() + sum(sizes) == self.bytes.len()
    }

    /// Overwrites bytes at `at`.
    pub fn put(&mut self, at: usize, bytes: &[u8]) {
        for (index, &byte) in (at..).zip(bytes) {
            if self.bytes[index] != byte {
                self.bytes[index] = byte;
                self.changed.insert(index);
            }
        }
    }

    /// Overwrites the sizes from `index` on.
    pub fn put_sizes(&mut self, index: usize, sizes: &[u8]) {
        self.put(HEAD as usize + index, sizes);
    }

    /// Updates the checksum after a change and returns the bytes.
    pub fn sealed(mut self) -> Vec<u8> {
        seal(&mut self.bytes);
        self.bytes
    }

    /// Appends this page with a correct checksum to a view of its file.
    pub fn show(mut self, view: &mut View) {
        if self.changed.is_empty() && self.trust == Trust::Right {
            return view.push_file(self.start..self.end());
        }
        seal(&mut self.bytes);
        let mut from = 0;
        self.changed.extend(SUM..SUM + 4);
        for &at in &self.changed {
            view.push_file(self.start + from as u64..self.start + at as u64);
            view.push_literal(&self.bytes[at..=at]);
            from = at + 1;
        }
        view.push_file(self.start + from as u64..self.end());
    }

    /// Repairs the single wrong byte that explains the checksum; returns false if no such byte exists.
    fn is_restored(&mut self) -> bool {
        let Some((at, change)) = single_fault(&self.bytes) else { return false };
        let byte = self.bytes[at] ^ change;
        self.put(at, &[byte]);
        self.trust = Trust::Restored;
        self.is_fitted() && self.bytes.starts_with(MARK) && self.bytes[VERSION] == 0
    }

    /// Corrects the number of sizes if another number fits the page's length.
    fn fit_count(&mut self) {
        let head = HEAD as usize;
        let fits = |count: &u8| {
            let sizes = self.bytes.get(head..head + usize::from(*count));
            sizes.is_some_and(|sizes| head + sizes.len() + sum(sizes) == self.bytes.len())
        };
        if let Some(count) = (0..=255).find(fits) {
            self.put(COUNT, &[count]);
        }
    }

    /// Alternative sizes that fit the page's length, at each index: a single one, or a few in a
    /// row.
    pub fn fits(&self) -> Vec<(usize, Vec<u8>)> {
        const IN_A_ROW: [usize; 6] = [1, 2, 4, 8, 16, 24];
        let sizes = self.sizes();
        let content = self.bytes.len().saturating_sub(HEAD as usize + sizes.len());
        let others = content.checked_sub(sum(sizes));
        let (more, less) = (others.unwrap_or(0), sum(sizes).saturating_sub(content));
        let mut fits = Vec::new();
        for count in IN_A_ROW {
            for (index, row) in sizes.windows(count).enumerate() {
                let Some(wanted) = (sum(row) + more).checked_sub(less) else { continue };
                if wanted > 255 * count {
                    continue;
                }
                let share = |at: usize| (wanted * (at + 1) / count - wanted * at / count) as u8;
                let full = |at: usize| wanted.saturating_sub(255 * at).min(255) as u8;
                fits.push((index, (0..count).map(share).collect()));
                if count > 1 {
                    fits.push((index, (0..count).map(full).collect()));
                }
            }
        }
        fits
    }
}

fn sum(sizes: &[u8]) -> usize {
    sizes.iter().map(|&size| usize::from(size)).sum()
}

/// Data at an offset of the file.
pub enum Found {
    /// A valid or repaired page.
    Page(Page),
    /// No page, or an unrecognisable one.
    Damaged,
    /// A page that extends beyond the end of the file.
    CutOff,
}

/// Reads the page at `at`. If `follows` gives the expected serial and page number, a damaged
/// capture pattern is accepted.
///
/// # Errors
/// I/O errors of the file.
pub fn page_at(file: &mut BoundedFile, at: u64, follows: Option<(u32, u32)>) -> io::Result<Found> {
    let head = file.bytes_at(at, HEAD + 255)?;
    let is_marked = head.starts_with(MARK);
    if !is_marked && at + 4 > file.len() && MARK.starts_with(&head) {
        return Ok(Found::CutOff);
    }
    let is_here = is_marked || follows.is_some_and(|follows| is_head(&head, follows));
    if !is_marked && follows.is_none() {
        return Ok(Found::Damaged);
    }
    let sizes = head.get(COUNT).and_then(|&count| head.get(27..27 + usize::from(count)));
    let Some(sizes) = sizes else { return mended_or_cut(file, at, is_marked) };
    let length = HEAD + sizes.len() as u64 + sum(sizes) as u64;
    let bytes = file.bytes_at(at, length)?;
    if (bytes.len() as u64) < length {
        return mended_or_cut(file, at, is_marked);
    }
    let page = Page::new(at, bytes, Trust::Right);
    if is_marked && fault(&page.bytes) == 0 {
        return Ok(Found::Page(page));
    }
    if let Some(page) = fitting(file, page, is_marked)? {
        return Ok(Found::Page(page));
    }
    if is_here { mended(file, at) } else { Ok(Found::Damaged) }
}

/// Handles a page that seems to extend beyond the end of the file, possibly because of a damaged
/// size.
fn mended_or_cut(file: &mut BoundedFile, at: u64, is_marked: bool) -> io::Result<Found> {
    if !is_marked {
        return Ok(Found::Damaged);
    }
    Ok(match mended(file, at)? {
        Found::Page(page) if page.trust == Trust::Restored || page.end() < file.len() => {
            Found::Page(page)
        }
        _ if next_mark(file, at + 1)?.is_some() => Found::Damaged,
        _ => Found::CutOff,
    })
}

/// Accepts a damaged page whose sizes lead to the next page or to the end of the file.
fn fitting(file: &mut BoundedFile, mut page: Page, is_marked: bool) -> io::Result<Option<Page>> {
    let next = file.bytes_at(page.end(), HEAD)?;
    let follows = (page.serial(), page.sequence().wrapping_add(1));
    // Without its own capture pattern, a page is confirmed by that of the next one.
    let leads_on =
        next.starts_with(MARK) || is_head(&next, follows) || is_marked && next.is_empty();
    if !leads_on {
        return Ok(None);
    }
    let mut restored = page.clone();
    if restored.is_restored() {
        return Ok(Some(restored));
    }
    page.put(0, MARK);
    let is_right = fault(&page.bytes) == 0; // only the capture pattern was damaged
    page.trust = if is_right { Trust::Restored } else { Trust::Doubtful };
    Ok(Some(page))
}

/// Repairs a damaged page with wrong sizes, by its checksum or by the start of the next page.
fn mended(file: &mut BoundedFile, at: u64) -> io::Result<Found> {
    let end = next_mark(file, at + 1)?.unwrap_or(file.len());
    if end - at > LONGEST || end - at < HEAD {
        return Ok(Found::Damaged);
    }
    let mut page = Page::new(at, file.bytes_at(at, end - at)?, Trust::Doubtful);
    let mut restored = page.clone();
    if restored.is_restored() {
        return Ok(Found::Page(restored));
    }
    page.put(0, MARK);
    if !page.is_fitted() {
        page.fit_count();
    }
    Ok(if page.is_fitted() || !page.fits().is_empty() { Found::Page(page) } else { Found::Damaged })
}

/// Whether a page with this serial and page number begins here despite a damaged capture pattern.
fn is_head(bytes: &[u8], expected: (u32, u32)) -> bool {
    const MOST_FLAGS: u8 = 7;
    u32_le(bytes, SERIAL).zip(u32_le(bytes, SEQUENCE)) == Some(expected)
        && bytes.get(VERSION) == Some(&0)
        && bytes.get(FLAGS).is_some_and(|&flags| flags <= MOST_FLAGS)
}

/// Offset of the next capture pattern at or after `at`.
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

/// Builds pages that hold these packets; the first page gets the number `sequence`.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_sizes_that_fit_the_length() {
        let bytes = pages_of(&[vec![1; 100], vec![2; 100], vec![3; 100], vec![4; 100]], 7, 3);
        let mut page = Page::new(0, bytes, Trust::Doubtful);
        page.put_sizes(1, &[90]);
        assert!(!page.is_fitted());
        assert!(page.fits().contains(&(1, vec![100])));
        page.put_sizes(1, &[250, 251]);
        assert!(page.fits().contains(&(1, vec![100, 100])));
        for (index, sizes) in page.fits() {
            let mut fitted = page.clone();
            fitted.put_sizes(index, &sizes);
            assert!(fitted.is_fitted(), "{index} {sizes:?}");
        }
        page.put(COUNT, &[9]);
        page.put_sizes(1, &[100, 100]);
        page.fit_count();
        assert!(page.is_fitted());
    }

    #[test]
    fn shows_a_page_as_repaired() {
        let bytes = pages_of(&[vec![9; 600]], 7, 3);
        let mut page = Page::new(0, bytes.clone(), Trust::Doubtful);
        page.put(GRANULE, &[1, 2]);
        page.put_sizes(1, &[9, 89]);
        page.put_sizes(1, &[255, 90]);
        let mut view = View::default();
        let want = page.clone().sealed();
        page.show(&mut view);
        let mut got = Vec::new();
        while let Some(span) = view.at(got.len() as u64) {
            match span {
                Span::Literal(literal) => got.extend_from_slice(literal),
                Span::File { start, bytes: count } => {
                    got.extend_from_slice(&bytes[start as usize..(start + count) as usize]);
                }
            }
        }
        assert_eq!(got, want);
        assert_ne!(got, bytes);
    }
}
