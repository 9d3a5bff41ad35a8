//! Edited view of a file: ranges of its bytes in order, with literal bytes in between.
//!
//! Demuxers fail on damaged optional data and trust wrong sizes. The modules of
//! [`super::container`] therefore show them a minimal file with only the sound, the data to decode
//! it, and correct sizes. Pure data; [`super::bounds::BoundedFile`] reads through a view.

use std::ops::Range;

/// Sequence of file ranges and literal bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct View {
    pieces: Vec<Piece>,
    bytes: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Piece {
    /// Position in the view, in bytes.
    start: u64,
    bytes: u64,
    content: Content,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Content {
    /// Bytes of the file from this offset on.
    File(u64),
    Literal(Box<[u8]>),
}

/// Contiguous bytes at one position of a [`View`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span<'a> {
    /// A range of the file.
    File {
        /// Offset in the file, in bytes.
        start: u64,
        /// Number of contiguous bytes.
        bytes: u64,
    },
    /// Bytes that are not in the file.
    Literal(&'a [u8]),
}

impl View {
    /// Shows a whole file of `bytes` bytes.
    pub fn whole(bytes: u64) -> Self {
        let mut view = Self::default();
        view.push_file(0..bytes);
        view
    }

    /// Length of the view in bytes.
    pub fn len(&self) -> u64 {
        self.bytes
    }

    /// Appends a range of the file; an empty or inverted range adds nothing.
    pub fn push_file(&mut self, range: Range<u64>) {
        let bytes = range.end.saturating_sub(range.start);
        if let Some(Piece { start, bytes: before, content: Content::File(from) }) =
            self.pieces.last_mut()
            && *from + *before == range.start
            && *start + *before == self.bytes
        {
            *before += bytes;
            self.bytes += bytes;
            return;
        }
        self.push(bytes, Content::File(range.start));
    }

    /// Appends bytes that are not in the file.
    pub fn push_literal(&mut self, bytes: impl Into<Box<[u8]>>) {
        let bytes = bytes.into();
        self.push(bytes.len() as u64, Content::Literal(bytes));
    }

    fn push(&mut self, bytes: u64, content: Content) {
        if bytes > 0 {
            self.pieces.push(Piece { start: self.bytes, bytes, content });
            self.bytes += bytes;
        }
    }

    /// Appends everything that another view of the same file shows.
    pub fn append(&mut self, other: &Self) {
        self.copy(other, 0..other.bytes);
    }

    /// Composes `inner`, a view of this view, into a view of the file.
    pub fn narrowed(&self, inner: &Self) -> Self {
        let mut narrowed = Self::default();
        for piece in &inner.pieces {
            match &piece.content {
                Content::File(start) => narrowed.copy(self, *start..start + piece.bytes),
                Content::Literal(bytes) => narrowed.push_literal(bytes.clone()),
            }
        }
        narrowed
    }

    /// Overwrites the bytes from `at` on; bytes beyond the view's end are dropped.
    pub fn patch(&mut self, at: u64, literal: &[u8]) {
        let end = at.saturating_add(literal.len() as u64).min(self.bytes);
        let mut patched = Self::default();
        patched.copy(self, 0..at.min(self.bytes));
        patched.push_literal(&literal[..end.saturating_sub(at) as usize]);
        patched.copy(self, end..self.bytes);
        *self = patched;
    }

    fn copy(&mut self, from: &Self, range: Range<u64>) {
        let mut at = range.start;
        while at < range.end {
            let left = range.end - at;
            at += match from.at(at) {
                Some(Span::File { start, bytes }) => {
                    self.push_file(start..start + bytes.min(left));
                    bytes.min(left)
                }
                Some(Span::Literal(bytes)) => {
                    let bytes = &bytes[..(bytes.len() as u64).min(left) as usize];
                    self.push_literal(bytes);
                    bytes.len() as u64
                }
                None => return,
            };
        }
    }

    /// Contiguous bytes from position `at` on; `None` at the end and beyond.
    pub fn at(&self, at: u64) -> Option<Span<'_>> {
        let index = self.pieces.partition_point(|piece| piece.start <= at).checked_sub(1)?;
        let piece = &self.pieces[index];
        let offset = at - piece.start;
        if offset >= piece.bytes {
            return None;
        }
        Some(match &piece.content {
            Content::File(start) => {
                Span::File { start: start + offset, bytes: piece.bytes - offset }
            }
            Content::Literal(bytes) => Span::Literal(&bytes[offset as usize..]),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Collects the bytes that a view shows of `file`.
    fn shown(view: &View, file: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        while let Some(span) = view.at(bytes.len() as u64) {
            match span {
                Span::File { start, bytes: count } => {
                    bytes.extend_from_slice(&file[start as usize..(start + count) as usize]);
                }
                Span::Literal(literal) => bytes.extend_from_slice(literal),
            }
        }
        assert_eq!(bytes.len() as u64, view.len());
        bytes
    }

    #[test]
    fn shows_ranges_and_literals_in_order() {
        let file = b"0123456789";
        let mut view = View::default();
        view.push_literal(*b"ab");
        view.push_file(2..4);
        view.push_file(4..5);
        view.push_file(7..7);
        view.push_literal(*b"");
        view.push_file(8..10);
        assert_eq!(shown(&view, file), b"ab23489");
        assert_eq!(view.pieces.len(), 3, "adjacent ranges must merge");
        assert_eq!(view.at(3), Some(Span::File { start: 3, bytes: 2 }));
        assert_eq!((view.at(7), view.at(u64::MAX)), (None, None));
        assert_eq!(shown(&View::whole(10), file), file);
        assert_eq!(View::whole(0).at(0), None);
    }

    #[test]
    fn composes_views() {
        let file = b"0123456789";
        let mut outer = View::default();
        outer.push_file(5..10);
        outer.push_literal(*b"ab");
        let mut inner = View::default();
        inner.push_file(1..3);
        inner.push_literal(*b"-");
        inner.push_file(4..6);
        assert_eq!(shown(&outer.narrowed(&inner), file), b"67-9a");
        let mut beyond = View::default();
        beyond.push_file(5..100);
        assert_eq!(shown(&outer.narrowed(&beyond), file), b"ab");
    }

    #[test]
    fn patches_replace_bytes_across_pieces() {
        let file = b"0123456789";
        let mut view = View::whole(10);
        view.patch(3, b"xyz");
        view.patch(5, b"!!");
        assert_eq!(shown(&view, file), b"012xy!!789");
        view.patch(9, b"long");
        assert_eq!(shown(&view, file), b"012xy!!78l", "nothing may be added after the end");
        view.patch(20, b"far");
        assert_eq!(shown(&view, file), b"012xy!!78l");
        view.patch(0, b"");
        assert_eq!(shown(&view, file), b"012xy!!78l");
    }
}
