//! A file that is read forwards, with a look ahead.

use std::io::{self, Read, Seek, SeekFrom};

/// Bytes that are read at a time.
const STEP: usize = 1 << 15;

/// The bytes from one position of a file on, as far as they were asked for.
pub struct Window<R> {
    file: R,
    buffer: Vec<u8>,
    /// Bytes at the beginning of the buffer that were passed.
    passed: usize,
    is_at_end: bool,
}

impl<R: Read + Seek> Window<R> {
    /// Begins where `file` stands.
    pub fn new(file: R) -> Self {
        Self { file, buffer: Vec::new(), passed: 0, is_at_end: false }
    }

    /// At least `count` bytes from here on; fewer at the end of the file only.
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

    /// Moves forward by so many bytes, which may be beyond the end.
    ///
    /// # Errors
    /// I/O errors of the file.
    pub fn advance(&mut self, count: u64) -> io::Result<()> {
        let here = (self.buffer.len() - self.passed) as u64;
        if count <= here {
            self.passed += count as usize;
            return Ok(());
        }
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
    fn goes_forward_and_looks_ahead() {
        let bytes: Vec<u8> = (0..100_000_u32).map(|number| (number % 251) as u8).collect();
        let mut window = Window::new(io::Cursor::new(bytes.clone()));
        let mut at = 0;
        for (step, ahead) in [(0, 10), (7, 40_000), (39_000, 4), (5, 1), (40_000, 90_000)] {
            window.advance(step).unwrap();
            at += step as usize;
            let end = (at + ahead).min(bytes.len());
            assert!(window.bytes(ahead).unwrap().starts_with(&bytes[at..end]), "{at}");
        }
        window.advance(1 << 40).unwrap();
        assert!(window.bytes(1).unwrap().is_empty());
    }
}
