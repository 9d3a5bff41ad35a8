//! The wire format of protocol buffers, read as a stream: keys, numbers, lengths.
//!
//! A message ends at a known position, and may not reach beyond the enclosing one. Only requested
//! fields are kept in memory; all others are skipped.

use std::io::{self, Read};

use crate::model::{
    findings::{Bytes, Malformed},
    weights::error::{Fault, Result},
};

/// A field of a message: its number, and its value or where that ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    /// A number; fixed-width ones by their bits.
    Number(u32, u64),
    /// A text, bytes or message, to be read up to this position.
    Block(u32, u64),
}

/// A stream of messages.
pub(super) struct Wire<R> {
    input: R,
    position: u64,
    length: u64,
}

impl<R: Read> Wire<R> {
    /// A stream of `length` bytes.
    pub(super) fn new(input: R, length: u64) -> Self {
        Self { input, position: 0, length }
    }

    /// Bytes read so far.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// The next field of the message that ends at `end`; `None` there.
    pub(super) fn field(&mut self, end: u64) -> Result<Option<Field>> {
        if self.position >= end {
            return Ok(None);
        }
        let key = self.varint(end)?;
        let number = u32::try_from(key >> 3).map_err(|_| self.damaged())?;
        let field = match key & 7 {
            0 => Field::Number(number, self.varint(end)?),
            1 => Field::Number(number, u64::from_le_bytes(self.fixed(end)?)),
            2 => Field::Block(number, self.block(end)?),
            5 => Field::Number(number, u32::from_le_bytes(self.fixed(end)?).into()),
            _ => return Err(self.damaged()),
        };
        Ok(Some(field))
    }

    /// A number of variable length.
    pub(super) fn varint(&mut self, end: u64) -> Result<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let [byte] = self.fixed(end)?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(self.damaged())
    }

    /// The bytes up to `end`, at most `limit`.
    pub(super) fn bytes(&mut self, end: u64, limit: u64) -> Result<Vec<u8>> {
        let count = end.saturating_sub(self.position);
        if count > limit {
            let (size, limit) = (Bytes(count), Bytes(limit));
            return Err(Malformed::LargeField { size, limit }.into());
        }
        // Grows with the bytes that are read, not with the claimed length.
        let mut data = Vec::new();
        let read = self.input.by_ref().take(count).read_to_end(&mut data)?;
        self.position += read as u64;
        if (read as u64) < count { Err(cut_off()) } else { Ok(data) }
    }

    /// The text up to `end`.
    pub(super) fn text(&mut self, end: u64) -> Result<String> {
        let bytes = self.bytes(end, 4096)?;
        String::from_utf8(bytes).map_err(|_| self.damaged())
    }

    /// Skips all bytes up to `end`.
    pub(super) fn skip(&mut self, end: u64) -> Result<()> {
        let count = end.saturating_sub(self.position);
        let read = io::copy(&mut self.input.by_ref().take(count), &mut io::sink())?;
        self.position += read;
        if read < count { Err(cut_off()) } else { Ok(()) }
    }

    fn block(&mut self, end: u64) -> Result<u64> {
        let length = self.varint(end)?;
        match self.position.checked_add(length) {
            Some(stop) if stop <= end => Ok(stop),
            // The outermost message ends with the file, so this one was cut off there.
            Some(stop) if end == self.length => Err(Fault::cut_off(Some(end), Some(stop))),
            _ => Err(self.damaged()),
        }
    }

    fn fixed<const N: usize>(&mut self, end: u64) -> Result<[u8; N]> {
        if end.saturating_sub(self.position) < N as u64 {
            return Err(if end == self.length { cut_off() } else { self.damaged() });
        }
        let mut data = [0; N];
        self.input.read_exact(&mut data)?;
        self.position += N as u64;
        Ok(data)
    }

    fn damaged(&self) -> Fault {
        Malformed::Protobuf { at: self.position }.into()
    }
}

fn cut_off() -> Fault {
    Fault::cut_off(None, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wire(data: &[u8]) -> Wire<&[u8]> {
        Wire::new(data, data.len() as u64)
    }

    #[test]
    fn fields_of_every_type_are_read() {
        let data =
            [0x08, 0x96, 0x01, 0x12, 2, b'o', b'k', 0x1d, 1, 0, 0, 0, 0x21, 2, 0, 0, 0, 0, 0, 0, 0];
        let end = data.len() as u64;
        let mut wire = wire(&data);
        assert_eq!(wire.field(end).unwrap(), Some(Field::Number(1, 150)));
        assert_eq!(wire.field(end).unwrap(), Some(Field::Block(2, 7)));
        assert_eq!(wire.text(7).unwrap(), "ok");
        assert_eq!(wire.field(end).unwrap(), Some(Field::Number(3, 1)));
        assert_eq!(wire.field(end).unwrap(), Some(Field::Number(4, 2)));
        assert_eq!(wire.field(end).unwrap(), None);
    }

    #[test]
    fn claimed_lengths_are_checked() {
        // A block of 2^62 bytes in a file of ten; a number that never ends; a group.
        let huge = [0x12, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x40];
        assert!(wire(&huge).field(10).is_err());
        assert!(wire(&[0xff; 12]).field(12).is_err());
        assert!(wire(&[0x0b]).field(1).is_err());
        assert!(wire(b"abc").bytes(1 << 40, u64::MAX).is_err());
        assert!(wire(b"abc").skip(1 << 40).is_err());
    }
}
