//! What a file may cost, in proportion to its length: bytes read, packets, sound, time.
//!
//! Any file may be hostile, or damaged in a way that looks so: tables that lead to the same bytes a
//! million times, packets of nothing that last for hours, a walk in circles. Honest files stay far
//! below every bound here; what goes beyond one ends with an error, wherever the decoder is in it.
//! Memory is bounded by the decoders themselves, and by `source`'s look at what they are asked for.
//! Runs on the thread that decodes.

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

/// A file that is read by others' code: as a view shows it, no more than it should need, and not once
/// it is cancelled.
pub struct BoundedFile {
    file: File,
    view: View,
    /// Position in the view, in bytes.
    position: u64,
    /// Bytes that may still be read.
    left: u64,
    cancel: CancelToken,
}

/// So often a file may be read from end to end: once for its sound, a few times for its tags.
const READS: u64 = 16;
/// What any file may read besides.
const READS_SLACK: u64 = 64 << 20;
/// What a jump counts as: who only jumps never ends either.
const JUMP: u64 = 64;

impl BoundedFile {
    /// Takes a file that is `bytes` long, all of which is shown.
    pub fn new(file: File, bytes: u64, cancel: &CancelToken) -> Self {
        let left = bytes.saturating_mul(READS).saturating_add(READS_SLACK);
        Self { file, view: View::whole(bytes), position: 0, left, cancel: cancel.clone() }
    }

    /// Shows from now on only what `view` shows of what was shown until now, from its beginning.
    pub fn show(&mut self, view: &View) {
        (self.view, self.position) = (self.view.narrowed(view), 0);
    }

    /// Length of what is shown, in bytes.
    pub fn len(&self) -> u64 {
        self.view.len()
    }

    /// At most `count` bytes from `at` on; fewer at the end. The position is then behind them.
    ///
    /// # Errors
    /// I/O errors of the file; when the file may not be read any further.
    pub fn bytes_at(&mut self, at: u64, count: u64) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.seek(SeekFrom::Start(at))?;
        self.by_ref().take(count).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// No more than `bytes` in all.
    pub fn within(mut self, bytes: u64) -> Self {
        self.left = self.left.min(bytes);
        self
    }

    /// Opens a file; `None` where that is not possible, or it is no file.
    pub fn open(path: &Path, cancel: &CancelToken) -> Option<Self> {
        // Asked before opening: to open a pipe is to wait for whoever writes to it.
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
        // A position that no file can have is as far beyond this one's end as any other.
        let most = i64::MAX as u64;
        let position = position.filter(|&position| position <= most);
        self.position = position.ok_or(io::ErrorKind::UnexpectedEof)?;
        Ok(self.position)
    }
}

/// What may still come out of a file.
pub struct Allowance {
    bytes: u64,
    packet_bytes: u64,
    seconds: f64,
    time: Duration,
}

/// Every packet takes a byte of the file, and no byte is in two packets; so twice is enough.
const PACKETS: u64 = 2;
const PACKETS_SLACK: u64 = 1 << 16;
/// Digital silence in a FLAC file of telephone quality takes nearly twenty bytes a second; nothing
/// takes less that people listen to.
const LEAST_BYTES_PER_SECOND: f64 = 4.0;
/// What any file may last.
const SECONDS_SLACK: f64 = 60.0;
/// Decoders read a megabyte in well under a second, even where others want the processor too. Only
/// tables that are searched from their beginning for every packet take longer.
const TIME_PER_MEGABYTE: f64 = 10.0;
const TIME_SLACK: f64 = 60.0;

impl Allowance {
    /// For a file that is `bytes` long.
    pub fn new(bytes: u64) -> Self {
        Self {
            bytes,
            packet_bytes: bytes.saturating_mul(PACKETS).saturating_add(PACKETS_SLACK),
            seconds: bytes as f64 / LEAST_BYTES_PER_SECOND + SECONDS_SLACK,
            time: Duration::from_secs_f64(bytes as f64 * 1e-6 * TIME_PER_MEGABYTE + TIME_SLACK),
        }
    }

    /// What may still come, in seconds of sound.
    pub fn seconds(&self) -> f64 {
        self.seconds
    }

    /// Takes the time that a decoder needed.
    ///
    /// # Errors
    /// When that is more than a file of this length should need.
    pub fn time(&mut self, spent: Duration) -> Result<(), DecodeError> {
        let time = self.time.checked_sub(spent);
        self.time = time.ok_or(DecodeError::Damaged(Damage::TooSlow))?;
        Ok(())
    }

    /// Takes a packet of so many bytes.
    ///
    /// # Errors
    /// When the packets hold more than the file does.
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

    /// Takes so many frames of sound.
    ///
    /// # Errors
    /// When it is more than a file of this length can hold.
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
    fn who_reads_in_circles_is_stopped() {
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
        assert_eq!(rounds, 79, "16 times, and 64 MiB, but for the jumps");
        assert!(error.to_string().contains("without end"), "{error}");
        let mut file = opened(1, &CancelToken::default());
        let jumps = std::iter::repeat_with(|| file.rewind()).take_while(Result::is_ok).count();
        assert!((1_000_000..2_000_000).contains(&jumps), "{jumps}");
    }

    #[test]
    fn nothing_is_read_after_the_cancellation() {
        let cancel = CancelToken::default();
        let mut file = opened(100, &cancel);
        assert_eq!(file.read(&mut [0; 10]).unwrap(), 10);
        cancel.cancel();
        assert!(file.read(&mut [0; 10]).is_err());
        assert!(file.rewind().is_err());
    }

    #[test]
    fn what_honest_files_need_is_allowed() {
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
        // Minutes for a hundred bytes.
        allowance.time(Duration::from_secs(50)).unwrap();
        assert!(allowance.time(Duration::from_secs(50)).is_err());
        // Packets of nothing.
        let mut allowance = Allowance::new(100);
        let count = std::iter::repeat_with(|| allowance.packet(0)).take_while(Result::is_ok);
        assert_eq!(count.count(), 200 + (1 << 16));
    }
}
