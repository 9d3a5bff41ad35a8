//! Limits on the cost of decoding, in proportion to a file's length: bytes read, packets, duration,
//! time.
//!
//! Any file may be hostile or damaged: tables that point to the same bytes a million times, empty
//! packets that last for hours, endless loops. Valid files stay far below every limit. A file that
//! exceeds one ends with an error, wherever the decoder is in the file. The decoders themselves and
//! the checks in `source` bound the memory. Runs on the decoder thread.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::Path,
    time::Duration,
};

use super::{
    Damage, DecodeError,
    view::{Span, View},
};
use crate::engine::types::CancelToken;

/// File for third-party decoders. It shows only a view, limits the bytes read, and fails once the
/// operation is cancelled.
pub struct BoundedFile {
    file: File,
    view: View,
    /// Position in the view, in bytes.
    position: u64,
    /// Number of bytes that may still be read.
    left: u64,
    cancel: CancelToken,
}

/// Number of times a file may be read completely: once for its sound, a few times for its tags.
const READS: u64 = 16;
/// Additional bytes that any file may read.
const READS_SLACK: u64 = 64 << 20;
/// Cost of a seek in bytes; a loop of seeks alone would never end otherwise.
const JUMP: u64 = 64;

impl BoundedFile {
    /// Wraps a file that is `bytes` long and shows all of it.
    pub fn new(file: File, bytes: u64, cancel: &CancelToken) -> Self {
        let left = bytes.saturating_mul(READS).saturating_add(READS_SLACK);
        Self { file, view: View::whole(bytes), position: 0, left, cancel: cancel.clone() }
    }

    /// Restricts the file to `view`, relative to the current view, and rewinds.
    pub fn show(&mut self, view: &View) {
        (self.view, self.position) = (self.view.narrowed(view), 0);
    }

    /// Length of the view in bytes.
    pub fn len(&self) -> u64 {
        self.view.len()
    }

    /// Reads at most `count` bytes at offset `at`, fewer at the end. Leaves the position after
    /// them.
    ///
    /// # Errors
    /// Fails with the I/O errors of the file, or if the read limit is reached.
    pub fn bytes_at(&mut self, at: u64, count: u64) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.seek(SeekFrom::Start(at))?;
        self.by_ref().take(count).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Lowers the limit to `bytes` in total.
    pub fn within(mut self, bytes: u64) -> Self {
        self.left = self.left.min(bytes);
        self
    }

    /// Opens a regular file; `None` on failure or for any other kind of file.
    pub fn open(path: &Path, cancel: &CancelToken) -> Option<Self> {
        // Check before opening: opening a pipe would block until another process writes to it.
        let metadata = std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file)?;
        Some(Self::new(File::open(path).ok()?, metadata.len(), cancel))
    }

    fn pay(&mut self, bytes: u64) -> io::Result<()> {
        if self.cancel.is_cancelled() {
            return Err(io::Error::other("cancelled"));
        }
        let endless = || io::Error::other(DecodeError::Damaged(Damage::Endless));
        self.left = self.left.checked_sub(bytes).ok_or_else(endless)?;
        Ok(())
    }
}

impl Read for BoundedFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.pay(0)?;
        let count = match self.view.at(self.position) {
            None => 0,
            Some(Span::Literal(bytes)) => {
                let count = bytes.len().min(buffer.len());
                buffer[..count].copy_from_slice(&bytes[..count]);
                count
            }
            Some(Span::File { start, bytes }) => {
                let wanted = bytes.min(buffer.len() as u64) as usize;
                self.file.seek(SeekFrom::Start(start))?;
                self.file.read(&mut buffer[..wanted])?
            }
        };
        self.position += count as u64;
        self.pay(count as u64)?;
        Ok(count)
    }
}

impl Seek for BoundedFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.pay(JUMP)?;
        let position = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(offset) => self.view.len().checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        // A position beyond any possible file is treated as the end of this one.
        let most = i64::MAX as u64;
        let position = position.filter(|&position| position <= most);
        self.position = position.ok_or(io::ErrorKind::UnexpectedEof)?;
        Ok(self.position)
    }
}

/// Remaining allowance for a file's output.
pub struct Allowance {
    bytes: u64,
    packet_bytes: u64,
    seconds: f64,
    time: Duration,
}

/// Every packet takes at least a byte of the file, and no byte is in two packets; twice the length
/// is ample.
const PACKETS: u64 = 2;
const PACKETS_SLACK: u64 = 1 << 16;
/// Lower limit of the data rate. Digital silence in a FLAC file of telephone quality takes nearly
/// twenty bytes per second, and no real recording takes less.
const LEAST_BYTES_PER_SECOND: f64 = 4.0;
/// Additional seconds that any file may last.
const SECONDS_SLACK: f64 = 60.0;
/// Decoders read a megabyte in well under a second, even on a busy processor. Only tables that are
/// searched from the start for every packet take longer.
const TIME_PER_MEGABYTE: f64 = 10.0;
const TIME_SLACK: f64 = 60.0;

impl Allowance {
    /// Creates the allowance for a file that is `bytes` long.
    pub fn new(bytes: u64) -> Self {
        Self {
            bytes,
            packet_bytes: bytes.saturating_mul(PACKETS).saturating_add(PACKETS_SLACK),
            seconds: bytes as f64 / LEAST_BYTES_PER_SECOND + SECONDS_SLACK,
            time: Duration::from_secs_f64(bytes as f64 * 1e-6 * TIME_PER_MEGABYTE + TIME_SLACK),
        }
    }

    /// Remaining allowance in seconds of sound.
    pub fn seconds(&self) -> f64 {
        self.seconds
    }

    /// Charges the time that a decoder took.
    ///
    /// # Errors
    /// Fails if the total exceeds the time allowed for the file's length.
    pub fn time(&mut self, spent: Duration) -> Result<(), DecodeError> {
        let time = self.time.checked_sub(spent);
        self.time = time.ok_or(DecodeError::Damaged(Damage::TooSlow))?;
        Ok(())
    }

    /// Charges a packet of `bytes` bytes.
    ///
    /// # Errors
    /// Fails if the packets together exceed the size of the file.
    pub fn packet(&mut self, bytes: usize) -> Result<(), DecodeError> {
        let cost = (bytes as u64).max(1);
        match self.packet_bytes.checked_sub(cost) {
            Some(left) => {
                self.packet_bytes = left;
                Ok(())
            }
            None => Err(DecodeError::Damaged(Damage::Index { bytes: self.bytes })),
        }
    }

    /// Charges `frames` frames of sound.
    ///
    /// # Errors
    /// Fails if the total exceeds the duration allowed for the file's length.
    pub fn sound(&mut self, frames: u64, rate: u32) -> Result<(), DecodeError> {
        self.seconds -= frames as f64 / f64::from(rate.max(1));
        if self.seconds >= 0.0 {
            return Ok(());
        }
        let most = self.bytes as f64 / LEAST_BYTES_PER_SECOND + SECONDS_SLACK;
        let (bytes, minutes) = (self.bytes, (most / 60.0).round() as u64);
        Err(DecodeError::Damaged(Damage::TooLong { bytes, minutes }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(bytes: usize, cancel: &CancelToken) -> BoundedFile {
        let mut file = tempfile::tempfile().unwrap();
        io::Write::write_all(&mut file, &vec![7; bytes]).unwrap();
        file.rewind().unwrap();
        BoundedFile::new(file, bytes as u64, cancel)
    }

    #[test]
    fn stops_endless_reading() {
        let mut file = opened(1 << 20, &CancelToken::default());
        let mut block = vec![0; 1 << 20];
        let mut rounds = 0;
        let error = loop {
            let read = file.rewind().and_then(|()| file.read_exact(&mut block));
            match read {
                Ok(()) => rounds += 1,
                Err(error) => break error,
            }
        };
        assert_eq!(rounds, 79, "16 times plus 64 MiB, minus the seeks");
        assert!(error.to_string().contains("without end"), "{error}");
        let mut file = opened(1, &CancelToken::default());
        let jumps = std::iter::repeat_with(|| file.rewind()).take_while(Result::is_ok).count();
        assert!((1_000_000..2_000_000).contains(&jumps), "{jumps}");
    }

    #[test]
    fn reading_fails_after_cancellation() {
        let cancel = CancelToken::default();
        let mut file = opened(100, &cancel);
        assert_eq!(file.read(&mut [0; 10]).unwrap(), 10);
        cancel.cancel();
        assert!(file.read(&mut [0; 10]).is_err());
        assert!(file.rewind().is_err());
    }

    #[test]
    fn allows_valid_files() {
        // An hour of digital silence in FLAC, 8 kHz mono: 4608 frames in 11 bytes.
        let packets = 3600 * 8000 / 4608;
        let mut allowance = Allowance::new(42 + 11 * packets);
        for _ in 0..packets {
            allowance.packet(11).unwrap();
            allowance.sound(4608, 8000).unwrap();
        }
        // One packet that lasts a minute.
        let mut allowance = Allowance::new(100);
        allowance.sound(60 * 44_100, 44_100).unwrap();
        let more = allowance.sound(60 * 44_100, 44_100).unwrap_err().to_string();
        assert!(more.contains("its 100 bytes claim to hold more than 1 minutes"), "{more}");
        // A hundred bytes that take minutes.
        allowance.time(Duration::from_secs(50)).unwrap();
        assert!(allowance.time(Duration::from_secs(50)).is_err());
        // Empty packets.
        let mut allowance = Allowance::new(100);
        let count = std::iter::repeat_with(|| allowance.packet(0)).take_while(Result::is_ok);
        assert_eq!(count.count(), 200 + (1 << 16));
    }
}
