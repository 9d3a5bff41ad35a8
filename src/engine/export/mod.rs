//! Exports: weighted sums of stems to files, in one pass over the stores per look at the samples.
//!
//! Knows no library and no job. Runs on the thread that calls it (an export thread); memory is a
//! block per stem. A format is an [`Encoder`] in a file of its own.
//!
//! Files are written under temporary names, synced, and renamed when all are complete: an export
//! that is cancelled or fails leaves nothing. Integers get one common gain where any of the files
//! would clip, so that what is exported together still adds up; float is written as it is.

mod name;
mod set;
mod wav;

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

pub use name::{numbered, safe_file_name};
pub use set::{ExportSet, MIX, ordered};
use tempfile::NamedTempFile;

use super::{CHANNELS, CancelToken, Depth, EngineError, Result, files, player::Track};

/// Frames that are read, mixed and written at a time.
const BLOCK_FRAMES: usize = 1 << 14;

/// One file to write.
#[derive(Clone, Debug, PartialEq)]
pub struct ExportItem {
    /// Where; its folder is made if it is missing, a file that is there is replaced.
    pub to: PathBuf,
    /// Which stems, by their place in the model's order, with linear gains.
    pub stems: Vec<(usize, f32)>,
}

/// What was written.
#[derive(Clone, Debug, PartialEq)]
pub struct Exported {
    /// The files, in the order of the items.
    pub files: Vec<PathBuf>,
    /// Gain of all files in dB; 0 where none was needed.
    pub gain_db: f32,
}

/// Writes samples in one format to one file.
trait Encoder {
    /// Appends interleaved stereo.
    fn write(&mut self, interleaved: &[f32]) -> io::Result<()>;

    /// Completes the file.
    fn finish(self: Box<Self>) -> io::Result<()>;
}

/// Writes every item as a WAV file at [`super::SAMPLE_RATE`]: the sum of its stems at their gains,
/// times the common gain. `progress` gets 0 to 1; `cancel` is asked before each block.
///
/// # Errors
/// When a stem is not there or not finished; when a file would be longer than its format allows;
/// when a folder or file cannot be written; when cancelled. Nothing is left then, but for files
/// that were replaced before a later one failed to be renamed.
pub fn export(
    track: &dyn Track,
    items: &[ExportItem],
    depth: Depth,
    progress: &mut dyn FnMut(f32),
    cancel: &CancelToken,
) -> Result<Exported> {
    check(track, items, depth)?;
    let mut made = MadeFolders::default();
    let exported = write_all(track, items, depth, progress, cancel, &mut made);
    if exported.is_err() {
        made.remove();
    }
    exported
}

fn check(track: &dyn Track, items: &[ExportItem], depth: Depth) -> Result<()> {
    let frames = track.frames();
    for (index, item) in items.iter().enumerate() {
        if let Some((stem, _)) = item.stems.iter().find(|(stem, _)| *stem >= track.stems()) {
            let known = track.stems();
            return Err(EngineError::Unknown(format!(
                "there is no stem {stem}, but {known} stems"
            )));
        }
        if items[..index].iter().any(|other| other.to == item.to) {
            let path = item.to.display();
            return Err(EngineError::Unknown(format!("two files would be written to {path}")));
        }
        if frames > wav::most_frames(depth) {
            let text = "the file would be larger than 4 GB, which WAV cannot be; \
                        choose fewer bits or a shorter song";
            let source = io::Error::new(io::ErrorKind::FileTooLarge, text);
            return Err(cannot_write(&item.to)(source));
        }
    }
    let uses_stems = items.iter().any(|item| !item.stems.is_empty());
    if frames > 0 && uses_stems && track.covered_at(0) != (true, frames) {
        return Err(EngineError::Busy(
            "the song is not separated to its end yet; process it first".into(),
        ));
    }
    Ok(())
}

fn write_all(
    track: &dyn Track,
    items: &[ExportItem],
    depth: Depth,
    progress: &mut dyn FnMut(f32),
    cancel: &CancelToken,
    made: &mut MadeFolders,
) -> Result<Exported> {
    let mut files = Vec::with_capacity(items.len());
    for item in items {
        files.push(temporary(&item.to, made).map_err(cannot_write(&item.to))?);
    }
    let mixer = Mixer { track, items, cancel };
    let gain = match wav::full_scale(depth) {
        None => 1.0,
        Some(full_scale) => {
            let mut extremes = (0f32, 0f32);
            mixer.run(&mut |done| progress(done / 2.0), &mut |_, block| {
                let fold = |(low, high): (f32, f32), &x: &f32| (low.min(x), high.max(x));
                extremes = block.iter().fold(extremes, fold);
                Ok(())
            })?;
            common_gain(extremes, full_scale)
        }
    };
    let from = if depth == Depth::Float32 { 0.0 } else { 0.5 };
    let mut encoders: Vec<Box<dyn Encoder>> = Vec::with_capacity(items.len());
    for (item, file) in items.iter().zip(&files) {
        let encoder = wav::Wav::new(file.as_file(), depth).map_err(cannot_write(&item.to))?;
        encoders.push(Box::new(encoder));
    }
    mixer.run(&mut |done| progress(from + done * (1.0 - from)), &mut |index, block| {
        if gain != 1.0 {
            for sample in block.iter_mut() {
                *sample *= gain;
            }
        }
        encoders[index].write(block).map_err(cannot_write(&items[index].to))
    })?;
    for (item, encoder) in items.iter().zip(encoders) {
        encoder.finish().map_err(cannot_write(&item.to))?;
    }
    if cancel.is_cancelled() {
        return Err(EngineError::Cancelled);
    }
    put_in_place(items, files)?;
    progress(1.0);
    let files = items.iter().map(|item| item.to.clone()).collect();
    Ok(Exported { files, gain_db: 20.0 * gain.log10() })
}

/// The gain that keeps samples between the two extremes within half a step of the integer range.
fn common_gain((low, high): (f32, f32), full_scale: f32) -> f32 {
    let fits = high * full_scale < full_scale - 0.5 && -low * full_scale <= full_scale + 0.5;
    if fits { 1.0 } else { (full_scale - 1.0) / full_scale / high.max(-low) }
}

/// Reads the stems and adds them up, item by item and block by block.
struct Mixer<'a> {
    track: &'a dyn Track,
    items: &'a [ExportItem],
    cancel: &'a CancelToken,
}

impl Mixer<'_> {
    /// Gives every block of every item to `take`, with the item's index.
    fn run(
        &self,
        progress: &mut dyn FnMut(f32),
        take: &mut dyn FnMut(usize, &mut [f32]) -> Result<()>,
    ) -> Result<()> {
        let frames = self.track.frames();
        let stems = self.items.iter().flat_map(|item| &item.stems);
        let mut blocks: BTreeMap<usize, Vec<f32>> =
            stems.map(|&(stem, _)| (stem, Vec::new())).collect();
        let mut mix = Vec::new();
        let mut start = 0;
        while start < frames {
            if self.cancel.is_cancelled() {
                return Err(EngineError::Cancelled);
            }
            let count = (frames - start).min(BLOCK_FRAMES as u64) as usize;
            for (&stem, block) in &mut blocks {
                block.resize(count * CHANNELS, 0.0);
                self.track.read_stem(stem, start, block).map_err(cannot_read_stem)?;
            }
            for (index, item) in self.items.iter().enumerate() {
                mix.clear();
                mix.resize(count * CHANNELS, 0.0);
                for (stem, gain) in &item.stems {
                    for (sum, sample) in mix.iter_mut().zip(&blocks[stem]) {
                        *sum += gain * sample;
                    }
                }
                take(index, &mut mix)?;
            }
            start += count as u64;
            progress(start as f32 / frames as f32);
        }
        Ok(())
    }
}

fn cannot_read_stem(source: io::Error) -> EngineError {
    EngineError::Io { what: "cannot read a stem of", path: PathBuf::from("the song"), source }
}

fn cannot_write(path: &Path) -> impl Fn(io::Error) -> EngineError {
    move |source| EngineError::Io { what: "cannot write", path: path.into(), source }
}

/// A temporary file in the folder of `to`.
fn temporary(to: &Path, made: &mut MadeFolders) -> io::Result<NamedTempFile> {
    if to.is_dir() {
        return Err(io::Error::new(io::ErrorKind::IsADirectory, "there is a folder of that name"));
    }
    let folder = match to.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    made.make(folder)?;
    files::temporary_in(folder)
}

/// Syncs all files, then renames all.
fn put_in_place(items: &[ExportItem], files: Vec<NamedTempFile>) -> Result<()> {
    for (item, file) in items.iter().zip(&files) {
        file.as_file().sync_all().map_err(cannot_write(&item.to))?;
    }
    let mut new = Vec::new();
    for (item, file) in items.iter().zip(files) {
        let is_new = !item.to.exists();
        match file.persist(&item.to) {
            Ok(_) if is_new => new.push(&item.to),
            Ok(_) => {}
            Err(error) => {
                for path in new {
                    tell(path, fs::remove_file(path));
                }
                return Err(cannot_write(&item.to)(error.error));
            }
        }
    }
    Ok(())
}

/// The folders that an export made, to take them away again.
#[derive(Default)]
struct MadeFolders(Vec<PathBuf>);

impl MadeFolders {
    fn make(&mut self, folder: &Path) -> io::Result<()> {
        let missing = folder
            .ancestors()
            .take_while(|folder| !folder.as_os_str().is_empty() && !folder.exists());
        let mut missing: Vec<PathBuf> = missing.map(Path::to_owned).collect();
        fs::create_dir_all(folder)?;
        missing.reverse();
        self.0.append(&mut missing);
        Ok(())
    }

    fn remove(&self) {
        for folder in self.0.iter().rev() {
            tell(folder, fs::remove_dir(folder));
        }
    }
}

/// Logs where something that a failed export had made could not be removed: the user is told of
/// the failure itself.
fn tell(path: &Path, removed: io::Result<()>) {
    if let Err(error) = removed {
        tracing::warn!(path = %path.display(), %error, "cannot remove");
    }
}

#[cfg(test)]
mod tests;
