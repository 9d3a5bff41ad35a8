//! Parser of MP4 boxes in memory. Pure.
//!
//! Source: ISO/IEC 14496-12.

use std::ops::Range;

/// Maximum number of boxes read in one place.
pub(in crate::engine::audio::decode::container) const MOST: usize = 1 << 16;

/// Kind of a box in memory, and the range of its content.
pub(in crate::engine::audio::decode::container) type Child = ([u8; 4], Range<usize>);

/// Kind, header length and size of a box; a size of 0 extends to the end.
pub(in crate::engine::audio::decode::container) fn read_head(
    bytes: &[u8],
) -> Option<([u8; 4], u64, u64)> {
    let size = u32::from_be_bytes(*bytes.first_chunk()?);
    let kind = *bytes.get(4..)?.first_chunk()?;
    match size {
        1 => Some((kind, 16, u64::from_be_bytes(*bytes.get(8..)?.first_chunk()?))),
        size => Some((kind, 8, size.into())),
    }
}

/// Lists the boxes within a range of bytes, up to the first invalid one.
pub(in crate::engine::audio::decode::container) fn children(
    bytes: &[u8],
    range: Range<usize>,
) -> Vec<Child> {
    let mut found = Vec::new();
    let mut at = range.start;
    while found.len() < MOST
        && let Some((kind, head_bytes, size)) = bytes.get(at..range.end).and_then(read_head)
    {
        let size = if size == 0 { (range.end - at) as u64 } else { size };
        let end = (at as u64).saturating_add(size);
        if size < head_bytes || end > range.end as u64 {
            break;
        }
        found.push((kind, at + head_bytes as usize..end as usize));
        at = end as usize;
    }
    found
}

/// Finds the content of the box at the end of a path of kinds.
pub(in crate::engine::audio::decode::container) fn find(
    bytes: &[u8],
    range: Range<usize>,
    path: &[&[u8; 4]],
) -> Option<Range<usize>> {
    let Some((&first, rest)) = path.split_first() else { return Some(range) };
    let (_, inner) = children(bytes, range).into_iter().find(|(kind, _)| kind == first)?;
    find(bytes, inner, rest)
}
