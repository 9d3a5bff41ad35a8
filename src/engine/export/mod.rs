//! Export of the original, its stems, and sums of them as audio files.
//!
//! This module depends on neither the library nor the job queue. It runs on the calling thread (an
//! export thread) and holds one block per stem in memory. Data flows in one direction: [`feed`]
//! reads the song at the files' rate and [`mixing`] computes the samples of each file. Then
//! [`level`] keeps them in range, a [`mod@format`] encodes them, and [`place`] renames the finished
//! files.
//!
//! Files are written under temporary names, synced, and renamed once all are complete, so a
//! cancelled or failed export leaves nothing behind. If any integer file would clip, all files get
//! one common gain so that they still add up. Float files are written unscaled.

pub mod drag_files;
mod feed;
mod form;
pub mod format;
pub mod job_tracks;
mod level;
mod limiter;
mod mixing;
mod name;
mod origin;
pub mod pattern;
mod place;
mod set;
mod settings;
pub mod song_export;
mod tags;
mod writer;

use std::{collections::BTreeSet, path::PathBuf};

pub use form::{Form, Scale};
pub use format::{FORMATS, Format};
pub use mixing::Content;
pub use name::{numbered, safe_file_name};
pub use origin::Origin;
pub use pattern::{DEFAULT_PATTERN, FIELDS, Fields, NamePattern};
pub use set::{MIX, Part, Place, RESIDUAL, Selection, ordered};
pub use settings::{OnExists, Settings};
pub use tags::{Tags, is_own_file};

use self::{
    feed::{Block, Feed},
    format::Spec,
    level::{Level, Measure},
    mixing::Dither,
    place::{Places, cannot_write},
    writer::Writer,
};
use crate::engine::{
    note::{Note, Notes},
    player::Track,
    problem::{Problem, Result},
    types::CancelToken,
};

/// Number of frames read, mixed and written at a time.
const BLOCK_FRAMES: usize = 1 << 14;

/// One file to write.
#[derive(Clone, Debug, PartialEq)]
pub struct ExportItem {
    /// Name for the user and for the tags: "vocals", [`MIX`].
    pub name: String,
    /// Path of the file; a missing parent folder is created.
    pub to: PathBuf,
    /// Streams by name; most formats have exactly one.
    pub streams: Vec<(String, Content)>,
}

/// Result of an export.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Exported {
    /// Name and path of each file, in the order of the items.
    pub files: Vec<(String, PathBuf)>,
    /// Gain applied to all files, in dB; 0 if none was needed.
    pub gain_db: f32,
    /// Notes for the user.
    pub notes: Notes,
}

/// Writes every item. `progress` receives 0 to 1; `cancel` is checked before each block.
///
/// # Errors
/// Fails if a stem is missing or incomplete, or if a file exists and may not be replaced. Also
/// fails if the disk is full or not writable, or if the export is cancelled. Nothing is left
/// behind, except files replaced before a later rename failed.
pub fn export(
    track: &dyn Track,
    origin: &Origin,
    items: &[ExportItem],
    settings: &Settings,
    progress: &mut dyn FnMut(f32),
    cancel: &CancelToken,
) -> Result<Exported> {
    check(track, items)?;
    let items = settings.on_exists.settle(items)?;
    if items.is_empty() {
        return Ok(Exported { notes: Note::AllExist.into(), ..Exported::default() });
    }
    let form = origin.form(track, settings)?;
    let work = Work { track, origin, items: &items, all: &items, settings, form, cancel };
    work.run(progress)
}

/// Writes `wanted`, a subset of `all`, at the common level of `all`. Files exported one at a time
/// therefore still add up, and their content does not depend on the order.
///
/// # Errors
/// Fails under the conditions of [`export`].
pub fn export_some(
    track: &dyn Track,
    origin: &Origin,
    (all, wanted): (&[ExportItem], &[ExportItem]),
    settings: &Settings,
    cancel: &CancelToken,
) -> Result<Exported> {
    check(track, all)?;
    let items = settings.on_exists.settle(wanted)?;
    if items.is_empty() {
        return Ok(Exported::default());
    }
    let form = origin.form(track, settings)?;
    let work = |items| Work { track, origin, items, all, settings, form, cancel };
    let level = work(all).level(&mut |_| {})?;
    let work = work(&items);
    work.write_to(work.places()?, &level, &mut |_| {})
}

/// Stems that the items need, in ascending order.
pub fn stems_in(items: &[ExportItem]) -> Vec<usize> {
    let streams = items.iter().flat_map(|item| &item.streams);
    let stems: BTreeSet<usize> = streams.flat_map(|(_, content)| content.stems()).collect();
    stems.into_iter().collect()
}

/// Checks everything that can be checked before reading.
///
/// # Errors
/// [`Problem::NotSeparated`] if a stem is not finished, [`Problem::StemIndex`] for one that does not exist,
/// and [`Problem::SamePath`] for two items of one name.
pub fn check(track: &dyn Track, items: &[ExportItem]) -> Result<()> {
    let frames = track.frames();
    for (index, item) in items.iter().enumerate() {
        for stem in item.streams.iter().flat_map(|(_, content)| content.stems()) {
            if stem >= track.stems() {
                return Err(Problem::StemIndex { stem, stems: track.stems() });
            }
        }
        if items[..index].iter().any(|other| other.to == item.to) {
            return Err(Problem::SamePath { path: item.to.clone() });
        }
    }
    if frames > 0 && !stems_in(items).into_iter().all(|stem| track.has_all_of(stem)) {
        return Err(Problem::NotSeparated);
    }
    Ok(())
}

/// A running export.
struct Work<'a> {
    track: &'a dyn Track,
    origin: &'a Origin,
    items: &'a [ExportItem],
    /// The whole set with which `items` must add up.
    all: &'a [ExportItem],
    settings: &'a Settings,
    form: Form,
    cancel: &'a CancelToken,
}

impl Work<'_> {
    fn run(&self, progress: &mut dyn FnMut(f32)) -> Result<Exported> {
        let places = self.places()?;
        let from = if self.is_measured() { 0.5 } else { 0.0 };
        let level = self.level(&mut |done| progress(done * from))?;
        self.write_to(places, &level, &mut |done| progress(from + done * (1.0 - from)))
    }

    /// Reserves space for the files.
    fn places(&self) -> Result<Places<'_>> {
        let format = self.settings.format;
        let bytes: Vec<u64> =
            self.items.iter().map(|item| format.most_bytes(&self.spec(item))).collect();
        Places::make(self.items, &bytes)
    }

    /// Whether finding the level needs a separate pass over the samples.
    fn is_measured(&self) -> bool {
        Measure::is_needed(&self.form, self.settings)
    }

    fn level(&self, progress: &mut dyn FnMut(f32)) -> Result<Level> {
        if self.is_measured() {
            self.measure(progress)
        } else {
            Ok(Level { gain: 1.0, ceiling: None, short_lufs: None })
        }
    }

    /// Writes the files at this level, then renames them.
    fn write_to(
        &self,
        places: Places<'_>,
        level: &Level,
        progress: &mut dyn FnMut(f32),
    ) -> Result<Exported> {
        let limited_lufs = self.write(&places, level, progress)?;
        if self.cancel.is_cancelled() {
            return Err(Problem::Cancelled);
        }
        let paths = places.put_in_place(self.settings.on_exists)?;
        progress(1.0);
        let files = self.items.iter().map(|item| item.name.clone()).zip(paths).collect();
        Ok(Exported {
            files,
            gain_db: 20.0 * level.gain.log10() as f32,
            notes: self.notes(level, limited_lufs),
        })
    }

    fn measure(&self, progress: &mut dyn FnMut(f32)) -> Result<Level> {
        let mut measure = Measure::new(self.form, self.settings)?;
        let mut dithers = self.dithers();
        self.read(progress, &mut |block| {
            for (item, dithers) in self.items.iter().zip(&mut dithers) {
                for ((_, content), dither) in item.streams.iter().zip(dithers) {
                    measure.see(item, content, dither.as_mut(), block)?;
                }
            }
            Ok(())
        })?;
        measure.level()
    }

    /// Returns the loudness of a mix that went through the limiter, in LUFS.
    fn write(
        &self,
        places: &Places<'_>,
        level: &Level,
        progress: &mut dyn FnMut(f32),
    ) -> Result<Option<f64>> {
        let mut writers = Vec::with_capacity(self.items.len());
        for (index, (item, dithers)) in self.items.iter().zip(self.dithers()).enumerate() {
            let tags = self.origin.tags_of(item, level.gain, self.form.key_speed);
            let begin = self.settings.format.begin;
            let encoder = begin(places.file(index)?, &self.spec(item), &tags)
                .map_err(cannot_write(&item.to))?;
            writers.push(Writer::new(self.form, item, level, dithers, encoder)?);
        }
        self.read(progress, &mut |block| {
            writers.iter_mut().try_for_each(|writer| writer.write(block))
        })?;
        let mut limited_lufs = None;
        for writer in writers {
            limited_lufs = writer.finish()?.or(limited_lufs);
        }
        Ok(limited_lufs)
    }

    /// Passes every block to `take`.
    fn read(
        &self,
        progress: &mut dyn FnMut(f32),
        take: &mut dyn FnMut(&Block) -> Result<()>,
    ) -> Result<()> {
        let contents =
            || self.items.iter().flat_map(|item| &item.streams).map(|(_, content)| content);
        let wants_original = contents().any(Content::needs_original);
        let stems: BTreeSet<usize> = contents().flat_map(Content::stems).collect();
        let mut feed = Feed::new(self.track, self.origin, &self.form, wants_original, &stems)?;
        let mut block = Block::default();
        let mut done = 0;
        loop {
            if self.cancel.is_cancelled() {
                return Err(Problem::Cancelled);
            }
            if !feed.next(BLOCK_FRAMES, &mut block)? {
                return Ok(());
            }
            take(&block)?;
            done += block.frames as u64;
            progress(done as f32 / self.form.frames as f32);
        }
    }

    /// Returns a dither per stream if bits are dropped and the files need not add up exactly.
    fn dithers(&self) -> Vec<Vec<Option<Dither>>> {
        let mut streams = self.all.iter().flat_map(|item| &item.streams);
        let is_exact = streams.any(|(_, content)| content.is_difference());
        let is_dithered = matches!(self.form.scale, Scale::Steps(_)) && !is_exact;
        let dither = |(name, _): &(String, Content)| is_dithered.then(|| Dither::new(name));
        self.items.iter().map(|item| item.streams.iter().map(dither).collect()).collect()
    }

    fn spec(&self, item: &ExportItem) -> Spec {
        let Form { rate, channels, depth, frames, .. } = self.form;
        let streams = item.streams.iter().map(|(name, _)| name.clone()).collect();
        let scratch = item.to.parent().map(PathBuf::from).unwrap_or_default();
        Spec { rate, channels, depth, frames, streams, scratch }
    }

    fn notes(&self, level: &Level, limited_lufs: Option<f64>) -> Notes {
        let mut notes = Vec::new();
        if self.origin.format.channels > 2 {
            let channels = self.origin.format.channels;
            notes.push(Note::ExportedInStereo { channels });
        }
        if let Some(lufs) = level.short_lufs {
            notes.push(Note::BelowLoudness { lufs });
        }
        if let Some(lufs) = limited_lufs {
            notes.push(Note::Limited { lufs });
        }
        Notes(notes)
    }
}

#[cfg(test)]
mod tests;
