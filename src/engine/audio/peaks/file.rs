//! Cache of the peaks of whole lanes, stored next to the samples, so that opening a long song does
//! not read it completely again. A file that is damaged or belongs to other samples is ignored.
//!
//! A file consists of a header (magic, stamp of the samples, number of peaks, digest) and the
//! peaks, each three little-endian `f32`. Runs on the waveform thread.

use std::{
    fs::File,
    io::{self, BufWriter, Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

use sha2::{Digest as _, Sha256};
use tempfile::NamedTempFile;

use super::{FRAMES_PER_PEAK, Peak};
use crate::{engine::system::atomic_file::temporary_in, file_moves};

const MAGIC: [u8; 8] = *b"PARTPEAK";
const DIGEST: usize = 32;
const HEADER: usize = MAGIC.len() + DIGEST + 8 + DIGEST;
const PEAK: usize = 3 * size_of::<f32>();

/// Number of peaks read at once.
const PART: usize = 1 << 14;

/// Path of a lane's peaks, and the stamp of its samples.
#[derive(Debug)]
pub struct PeakFile {
    path: PathBuf,
    /// Digest of the sample files' lengths and ages, the number of frames, and the bin size.
    stamp: [u8; DIGEST],
    count: u64,
}

impl PeakFile {
    /// Describes the peaks at `path` for a lane of `frames` frames in the files `sources`.
    ///
    /// # Errors
    /// Fails if the metadata of the files cannot be read.
    pub fn new(path: PathBuf, sources: &[PathBuf], frames: u64) -> io::Result<Self> {
        let mut stamp = Sha256::new();
        for number in [frames, FRAMES_PER_PEAK as u64] {
            stamp.update(number.to_le_bytes());
        }
        for source in sources {
            let about = source.metadata()?;
            let age = about.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
            stamp.update(about.len().to_le_bytes());
            stamp.update(age.as_nanos().to_le_bytes());
        }
        let count = frames.div_ceil(FRAMES_PER_PEAK as u64);
        Ok(Self { path, stamp: stamp.finalize().into(), count })
    }

    /// Opens the stored peaks; `None` if there are none for these samples.
    pub fn open(&self) -> Option<PeakReader> {
        let mut file = File::open(&self.path).ok()?;
        let mut header = [0; HEADER];
        file.read_exact(&mut header).ok()?;
        let (magic, rest) = header.split_at(MAGIC.len());
        let (stamp, rest) = rest.split_at(DIGEST);
        let (count, digest) = rest.split_at(8);
        let is_ours = magic == MAGIC && stamp == self.stamp && count == self.count.to_le_bytes();
        let length = HEADER as u64 + self.count * PEAK as u64;
        if !is_ours || file.metadata().ok()?.len() != length {
            return None;
        }
        let mut found = Sha256::new();
        let mut block = vec![0; PART * PEAK];
        loop {
            match file.read(&mut block).ok()? {
                0 => break,
                bytes => found.update(&block[..bytes]),
            }
        }
        if found.finalize()[..] != *digest {
            return None;
        }
        file.seek(SeekFrom::Start(HEADER as u64)).ok()?;
        Some(PeakReader { file, left: self.count })
    }

    /// Begins to write peaks, which become valid with [`PeakWriter::finish`].
    ///
    /// # Errors
    /// Fails if the disk cannot be written.
    pub fn begin(&self) -> io::Result<PeakWriter> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        let mut file = BufWriter::new(temporary_in(folder)?);
        file.write_all(&[0; HEADER])?;
        let (path, stamp, left) = (self.path.clone(), self.stamp, self.count);
        Ok(PeakWriter { file, path, stamp, left, count: left, digest: Sha256::new() })
    }
}

/// Reader of stored peaks.
#[derive(Debug)]
pub struct PeakReader {
    file: File,
    left: u64,
}

impl PeakReader {
    /// Reads the next peaks; empty at the end.
    ///
    /// # Errors
    /// Fails if the disk cannot be read.
    pub fn part(&mut self) -> io::Result<Vec<Peak>> {
        let now = self.left.min(PART as u64);
        let mut bytes = vec![0; now as usize * PEAK];
        self.file.read_exact(&mut bytes)?;
        self.left -= now;
        let number = |at: &[u8]| f32::from_le_bytes([at[0], at[1], at[2], at[3]]);
        let peak =
            |at: &[u8]| Peak { min: number(at), max: number(&at[4..]), rms: number(&at[8..]) };
        Ok(bytes.chunks_exact(PEAK).map(peak).collect())
    }
}

/// Writer of peaks, from the first to the last.
#[derive(Debug)]
pub struct PeakWriter {
    file: BufWriter<NamedTempFile>,
    path: PathBuf,
    stamp: [u8; DIGEST],
    count: u64,
    left: u64,
    digest: Sha256,
}

impl PeakWriter {
    /// Appends peaks.
    ///
    /// # Errors
    /// Fails if the disk cannot be written.
    pub fn push(&mut self, peaks: &[Peak]) -> io::Result<()> {
        for peak in peaks {
            for number in [peak.min, peak.max, peak.rms] {
                let bytes = number.to_le_bytes();
                self.digest.update(bytes);
                self.file.write_all(&bytes)?;
            }
        }
        self.left = self.left.saturating_sub(peaks.len() as u64);
        Ok(())
    }

    /// Renames the file to its final name, if all peaks are written.
    ///
    /// # Errors
    /// Fails if the disk cannot be written.
    pub fn finish(mut self) -> io::Result<()> {
        if self.left > 0 {
            return Ok(());
        }
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(&MAGIC)?;
        self.file.write_all(&self.stamp)?;
        self.file.write_all(&self.count.to_le_bytes())?;
        self.file.write_all(&self.digest.finalize())?;
        let file = self.file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.as_file().sync_data()?;
        file_moves::persist(file, &self.path)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn peaks(count: usize) -> Vec<Peak> {
        let peak = |k: usize| Peak { min: -(k as f32), max: k as f32, rms: 0.5 * k as f32 };
        (0..count).map(peak).collect()
    }

    fn all(file: &PeakFile) -> Option<Vec<Peak>> {
        let mut reader = file.open()?;
        let mut all = Vec::new();
        loop {
            let next = reader.part().unwrap();
            if next.is_empty() {
                return Some(all);
            }
            all.extend(next);
        }
    }

    #[test]
    fn stored_peaks_are_valid_until_the_samples_change() {
        let folder = tempfile::tempdir().unwrap();
        let (samples, path) = (folder.path().join("a.f32"), folder.path().join("a.peaks"));
        fs::write(&samples, [1; 80]).unwrap();
        let frames = (PART * 2 + 3) as u64 * FRAMES_PER_PEAK as u64 - 7;
        let file = || PeakFile::new(path.clone(), std::slice::from_ref(&samples), frames).unwrap();
        assert!(file().open().is_none());
        let peaks = peaks(PART * 2 + 3);
        let mut writer = file().begin().unwrap();
        writer.push(&peaks[..100]).unwrap();
        writer.finish().unwrap();
        assert!(!path.exists(), "an incomplete file must not appear");
        let mut writer = file().begin().unwrap();
        writer.push(&peaks[..100]).unwrap();
        writer.push(&peaks[100..]).unwrap();
        assert!(!path.exists());
        writer.finish().unwrap();
        assert_eq!(all(&file()).unwrap(), peaks);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "no temporary file may remain");

        let other = PeakFile::new(path.clone(), std::slice::from_ref(&samples), frames - 512);
        assert!(other.unwrap().open().is_none(), "another length");
        fs::write(&samples, [1; 88]).unwrap();
        assert!(file().open().is_none(), "other samples");
    }

    #[test]
    fn ignores_a_damaged_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.peaks");
        let file = PeakFile::new(path.clone(), &[], 5000).unwrap();
        let mut writer = file.begin().unwrap();
        writer.push(&peaks(10)).unwrap();
        writer.finish().unwrap();
        let whole = fs::read(&path).unwrap();
        assert!(file.open().is_some());
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 4;
            fs::write(&path, bytes).unwrap();
            assert!(file.open().is_none(), "byte {at}");
        }
        fs::write(&path, &whole[..whole.len() - 1]).unwrap();
        assert!(file.open().is_none());
        fs::write(&path, [&whole[..], &[0]].concat()).unwrap();
        assert!(file.open().is_none());
    }
}
