//! The mix store: the decoded song, with the level that models need.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::raw::RawFile;
use crate::engine::{
    problem::{Problem, Result, StoreFault},
    system::atomic_file::{make_folders, sync_folder, write_atomically},
    types::CHANNELS,
};

const SAMPLES: &str = "mix.f32";
const SUMMARY: &str = "mix.json";

/// Summary of the mix; its file only exists once the samples are complete.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Summary {
    frames: u64,
    mean: f64,
    deviation: f64,
}

/// A complete mix on disk.
#[derive(Debug)]
pub struct MixStore {
    folder: PathBuf,
    samples: RawFile,
    summary: Summary,
}

impl MixStore {
    /// Opens the mix in `folder`.
    ///
    /// # Errors
    /// [`Problem::File`] if the mix is missing, incomplete or damaged.
    pub fn open(folder: &Path) -> Result<Self> {
        let path = folder.join(SUMMARY);
        let read = |error| Problem::read(&path, error);
        let text = fs::read(&path).map_err(read)?;
        let summary: Summary = serde_json::from_slice(&text).map_err(|e| read(e.into()))?;
        let path = folder.join(SAMPLES);
        let read = |error| Problem::read(&path, error);
        let samples = RawFile::open(&path).map_err(read)?;
        if samples.frames().map_err(read)? < summary.frames {
            return Err(Problem::store(&path, StoreFault::CutOff));
        }
        Ok(Self { folder: folder.to_owned(), samples, summary })
    }

    /// Whether the open file has been neither removed nor replaced.
    pub fn is_in_place(&self) -> bool {
        self.samples.is_at(&self.folder.join(SAMPLES)).is_ok_and(|there| there)
    }

    /// Length in frames.
    pub fn frames(&self) -> u64 {
        self.summary.frames
    }

    /// Path of the samples; derived files can be stored next to it.
    pub fn path(&self) -> PathBuf {
        self.folder.join(SAMPLES)
    }

    /// Mean over the track of the mean of both channels (`demucs/api.py`, `separate_tensor`).
    pub fn mean(&self) -> f32 {
        self.summary.mean as f32
    }

    /// Unbiased standard deviation of the same signal, plus the reference's 1e-8, so that silence
    /// can be divided by it. Before that addition, a single sample has 0, because its deviation is
    /// undefined.
    pub fn deviation(&self) -> f32 {
        (self.summary.deviation + 1e-8) as f32
    }

    /// Reads frames from `start` on into interleaved `out`; zeros past the end.
    ///
    /// # Errors
    /// I/O errors of the file.
    pub fn read(&self, start: u64, out: &mut [f32]) -> io::Result<()> {
        let have = self.frames().saturating_sub(start) as usize * CHANNELS;
        let (inside, beyond) = out.split_at_mut(have.min(out.len()));
        beyond.fill(0.0);
        if inside.is_empty() { Ok(()) } else { self.samples.read(start, inside) }
    }
}

/// Writer of a mix, block by block. The mix only becomes valid with [`Self::finish`].
#[derive(Debug)]
pub struct MixWriter {
    folder: PathBuf,
    samples: RawFile,
    frames: u64,
    mean: f64,
    squares: f64,
}

impl MixWriter {
    /// Starts a mix in `folder`, which is created if missing.
    ///
    /// # Errors
    /// [`Problem::File`].
    pub fn create(folder: &Path) -> Result<Self> {
        let write = |path: &Path, error: io::Error| Problem::write(path, error);
        make_folders(folder).map_err(|e| write(folder, e))?;
        let summary = folder.join(SUMMARY);
        match fs::remove_file(&summary) {
            // The removal must reach the disk before any samples of the new mix.
            Ok(()) => sync_folder(folder),
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            Err(e) => return Err(write(&summary, e)),
        }
        let path = folder.join(SAMPLES);
        let samples = RawFile::open_for_writing(&path).map_err(|e| write(&path, e))?;
        Ok(Self { folder: folder.to_owned(), samples, frames: 0, mean: 0.0, squares: 0.0 })
    }

    /// Appends interleaved samples.
    ///
    /// # Errors
    /// [`Problem::File`].
    pub fn push(&mut self, interleaved: &[f32]) -> Result<()> {
        self.samples.write(self.frames, interleaved).map_err(|e| self.error(SAMPLES, e))?;
        for frame in interleaved.chunks_exact(CHANNELS) {
            // Welford's update: accurate in one pass for any offset of the signal.
            let x = f64::midpoint(f64::from(frame[0]), f64::from(frame[1]));
            self.frames += 1;
            let delta = x - self.mean;
            self.mean += delta / self.frames as f64;
            self.squares += delta * (x - self.mean);
        }
        Ok(())
    }

    /// Number of frames so far.
    pub fn frames(&self) -> u64 {
        self.frames
    }

    /// Completes the mix and makes it valid.
    ///
    /// # Errors
    /// [`Problem::File`].
    pub fn finish(self) -> Result<MixStore> {
        self.samples.sync().map_err(|e| self.error(SAMPLES, e))?;
        let variance = if self.frames > 1 { self.squares / (self.frames - 1) as f64 } else { 0.0 };
        let summary = Summary { frames: self.frames, mean: self.mean, deviation: variance.sqrt() };
        let text = serde_json::to_vec(&summary).map_err(|e| self.error(SUMMARY, e.into()))?;
        write_atomically(&self.folder.join(SUMMARY), &text)?;
        MixStore::open(&self.folder)
    }

    fn error(&self, name: &str, source: io::Error) -> Problem {
        Problem::write(&self.folder.join(name), source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_back_what_was_written_and_zeros_beyond() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = MixWriter::create(folder.path()).unwrap();
        assert!(MixStore::open(folder.path()).is_err(), "unfinished must not open");
        let samples: Vec<f32> = (0..2000).map(|i| i as f32).collect();
        writer.push(&samples[..600]).unwrap();
        writer.push(&samples[600..]).unwrap();
        let store = writer.finish().unwrap();
        assert_eq!(store.frames(), 1000);
        let mut out = vec![9.0; 40];
        store.read(990, &mut out).unwrap();
        assert_eq!(out[..20], samples[1980..]);
        assert!(out[20..].iter().all(|&x| x == 0.0));
        store.read(5000, &mut out).unwrap();
        assert!(out.iter().all(|&x| x == 0.0));
    }

    #[test]
    fn level_is_computed_from_the_channel_mean() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = MixWriter::create(folder.path()).unwrap();
        writer.push(&[1.0, 3.0, 3.0, 5.0, 5.0, 7.0]).unwrap(); // means 2, 4, 6
        let store = writer.finish().unwrap();
        assert_eq!(store.mean(), 4.0);
        assert!((store.deviation() - 2.0).abs() < 1e-6);
    }

    #[test]
    fn deviation_of_silence_and_single_samples_is_positive() {
        for samples in [vec![0.0; 20], vec![0.5, 0.5]] {
            let folder = tempfile::tempdir().unwrap();
            let mut writer = MixWriter::create(folder.path()).unwrap();
            writer.push(&samples).unwrap();
            assert!(writer.finish().unwrap().deviation() > 0.0);
        }
    }

    #[test]
    fn rejects_a_truncated_file() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = MixWriter::create(folder.path()).unwrap();
        writer.push(&[0.0; 64]).unwrap();
        writer.finish().unwrap();
        File::options()
            .write(true)
            .open(folder.path().join(SAMPLES))
            .unwrap()
            .set_len(100)
            .unwrap();
        let error = MixStore::open(folder.path()).unwrap_err();
        assert!(error.to_string().contains("cut off"), "{error}");
    }

    use std::fs::File;
}
