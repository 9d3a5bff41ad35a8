//! Forward reader of a file with lookahead.

use std::io::{self, Read, Seek, SeekFrom};

use symphonia::core::{checksum::Crc16AnsiLe, io::Monitor as _};

/// Number of bytes read at a time.
const STEP: usize = 1 << 15;

/// Buffered bytes from the current position of a file on.
pub struct Window<R> {
    file: R,
    buffer: Vec<u8>,
    /// Consumed bytes at the beginning of the buffer.
    passed: usize,
    is_at_end: bool,
    /// Checksum of the passed bytes, once requested.
    sum: Option<Sum>,
}

/// Checksum of passed bytes.
struct Sum {
    crc: Crc16AnsiLe,
    bytes: u64,
}

impl<R: Read + Seek> Window<R> {
    /// Creates a window at the current position of `file`.
    pub fn new(file: R) -> Self {
        Self { file, buffer: Vec::new(), passed: 0, is_at_end: false, sum: None }
    }

    /// Returns at least `count` bytes from the current position, fewer only at the end of the file.
    ///
    /// # Errors
    /// I/O errors of the file.
    pub fn bytes(&mut self, count: usize) -> io::Result<&[u8]> {
        while self.buffer.len() - self.passed < count && !self.is_at_end {
            self.buffer.drain(..self.passed);
            self.passed = 0;
            let wanted = (count - self.buffer.len()).next_multiple_of(STEP) as u64;
            let read = self.file.by_ref().take(wanted).read_to_end(&mut self.buffer)?;
            self.is_at_end = (read as u64) < wanted;
        }
        Ok(&self.buffer[self.passed..])
    }

    /// Starts a checksum of the bytes that are passed from here on.
    pub fn start_sum(&mut self) {
        self.sum = Some(Sum { crc: Crc16AnsiLe::new(0), bytes: 0 });
    }

    /// Number and CRC-16 of the bytes passed since [`Self::start_sum`]; `None` if some were skipped
    /// unread.
    pub fn sum(&self) -> Option<(u64, u16)> {
        self.sum.as_ref().map(|sum| (sum.bytes, sum.crc.crc()))
    }

    /// Advances by `count` bytes, possibly beyond the end.
    ///
    /// # Errors
    /// I/O errors of the file.
    pub fn advance(&mut self, count: u64) -> io::Result<()> {
        let here = (self.buffer.len() - self.passed) as u64;
        if let Some(sum) = &mut self.sum {
            let bytes = &self.buffer[self.passed..self.passed + count.min(here) as usize];
            sum.crc.process_buf_bytes(bytes);
            sum.bytes += bytes.len() as u64;
        }
        if count <= here {
            self.passed += count as usize;
            return Ok(());
        }
        self.sum = None; // bytes are skipped unread
        self.buffer.clear();
        self.passed = 0;
        if !self.is_at_end {
            let beyond = i64::try_from(count - here).unwrap_or(i64::MAX);
            self.file.seek(SeekFrom::Current(beyond))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advances_and_looks_ahead() {
        let bytes: Vec<u8> = (0..100_000_u32).map(|number| (number % 251) as u8).collect();
        let mut window = Window::new(io::Cursor::new(bytes.clone()));
        let mut at = 0;
        for (step, ahead) in [(0, 10), (7, 40_000), (39_000, 4), (5, 1), (40_000, 90_000)] {
            window.advance(step).unwrap();
            at += step as usize;
            let end = (at + ahead).min(bytes.len());
            assert!(window.bytes(ahead).unwrap().starts_with(&bytes[at..end]), "{at}");
        }
        window.start_sum();
        window.advance(9).unwrap();
        assert_eq!(window.sum().unwrap().0, 9);
        window.advance(1 << 40).unwrap();
        assert_eq!(window.sum(), None);
        assert!(window.bytes(1).unwrap().is_empty());
    }
}
