//! Reader and writer of EBML elements (RFC 8794).

use std::io;

use crate::engine::audio::decode::{bounds::BoundedFile, view::View};

/// Maximum length of an element header: four bytes of ID, eight of size.
pub const HEAD: u64 = 12;

/// An EBML element.
#[derive(Clone, Copy, Debug)]
pub struct Element {
    /// ID of the element.
    pub id: u32,
    /// Offset of the content.
    pub body: u64,
    /// Length of the content in bytes; `None` if unknown.
    pub bytes: Option<u64>,
}

/// Reads the element header at offset `at`; `None` if invalid.
///
/// # Errors
/// I/O errors of the file.
pub fn element_at(file: &mut BoundedFile, at: u64) -> io::Result<Option<Element>> {
    let bytes = file.bytes_at(at, HEAD)?;
    let Some((id, id_bytes, size, size_bytes)) = read_head(&bytes) else { return Ok(None) };
    Ok(Some(Element { id, body: at + (id_bytes + size_bytes) as u64, bytes: size }))
}

/// ID and size of an element, each with its encoded length in bytes.
fn read_head(bytes: &[u8]) -> Option<(u32, usize, Option<u64>, usize)> {
    let id_bytes = bytes.first()?.leading_zeros() as usize + 1;
    let name = bytes.get(..id_bytes).filter(|_| id_bytes <= 4)?;
    let id = name.iter().fold(0, |id, &byte| (id << 8) | u32::from(byte));
    let (size, size_bytes) = vint(&bytes[id_bytes..])?;
    let is_unknown = size == (1 << (7 * size_bytes)) - 1;
    Some((id, id_bytes, (!is_unknown).then_some(size), size_bytes))
}

/// Decodes a variable-length number, without its length marker, and returns its encoded length.
pub fn vint(bytes: &[u8]) -> Option<(u64, usize)> {
    let &first = bytes.first()?;
    let length = first.leading_zeros() as usize + 1;
    let rest = bytes.get(1..length).filter(|_| length <= 8)?;
    let first = u64::from(first) & ((1 << (8 - length)) - 1);
    Some((rest.iter().fold(first, |number, &byte| (number << 8) | u64::from(byte)), length))
}

/// Yields IDs and contents of the elements in `bytes`, up to the first invalid one.
pub fn children(mut bytes: &[u8]) -> impl Iterator<Item = (u32, &[u8])> {
    std::iter::from_fn(move || {
        let (id, id_bytes, size, size_bytes) = read_head(bytes)?;
        let content = bytes.get(id_bytes + size_bytes..)?;
        let (content, rest) = content.split_at_checked(usize::try_from(size?).ok()?)?;
        bytes = rest;
        Some((id, content))
    })
}

/// Builds the header of an element with `bytes` bytes of content.
pub fn head(id: u32, bytes: u64) -> Vec<u8> {
    let name = id.to_be_bytes();
    let mut head: Vec<u8> = name.into_iter().skip_while(|&byte| byte == 0).collect();
    head.extend(((1 << 56) | bytes).to_be_bytes());
    head
}

/// Appends an element to a view.
pub fn push_element(view: &mut View, id: u32, content: &[u8]) {
    view.push_literal(head(id, content.len() as u64));
    view.push_literal(content);
}

/// Decodes an unsigned integer of up to eight bytes.
pub fn unsigned(bytes: &[u8]) -> u64 {
    bytes.iter().take(8).fold(0, |number, &byte| (number << 8) | u64::from(byte))
}

/// Decodes a signed integer of up to eight bytes.
pub fn signed(bytes: &[u8]) -> i64 {
    let unused = 64 - 8 * bytes.len().clamp(1, 8) as u32;
    ((unsigned(bytes) << unused) as i64) >> unused
}

/// Decodes a float of four or eight bytes.
pub fn float(bytes: &[u8]) -> Option<f64> {
    match bytes.len() {
        4 => Some(f64::from(f32::from_be_bytes(bytes.try_into().ok()?))),
        8 => Some(f64::from_be_bytes(bytes.try_into().ok()?)),
        _ => None,
    }
}

/// Decodes a text up to its terminator, cut to a length sufficient for names.
pub fn text(bytes: &[u8]) -> String {
    const LONGEST: usize = 200;
    let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len()).min(LONGEST);
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}
