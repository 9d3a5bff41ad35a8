//! The stem store: all stems of a song by segment, blended on reading.
//!
//! Stems that one network computes together form a group, which is completed segment by segment. In
//! a bag of networks, only requested groups count ([`StemStore::claim`]); others are treated as
//! absent.
//!
//! Each segment is stored separately with its overlap, so that writing is idempotent and
//! independent of neighbours; readers crossfade segments. That takes a third more disk space than
//! final samples. In return, segments can be computed in any order and resumed, without
//! intermediate state.
//!
//! Some networks leave a rest: the mix minus all of their stems. It is the last stem, is available
//! when all others are, and has no file. Readers with access to the mix compute it
//! ([`super::track::SongTrack`]).

mod queries;
mod reading;
#[cfg(test)]
mod tests;

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

use serde::{Deserialize, Serialize};

use super::raw::{RawFile, read_exact_at, write_all_at};
use crate::{
    engine::{
        problem::{Problem, Result, StoreFault},
        separation::plan::Plan,
        system::atomic_file::{make_folders, sync_folder, write_atomically},
        types::CHANNELS,
    },
    file_identity::is_at,
    file_lock::FileLock,
    model::Joint,
    os::has_no_locks,
};

const HEADER: &str = "stems.json";
const DONE: &str = "segments";
const LOCK: &str = "lock";

/// Parameters of the store; a store whose header does not match the song and the model is rejected.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Header {
    frames: u64,
    segment_frames: usize,
    stride: usize,
    sources: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rest: Option<String>,
    /// Length of the faded border in frames at both ends of the song; `None` for triangular
    /// weights.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    border: Option<usize>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    delays: Vec<u16>,
    /// Groups of a bag; empty if all stems form one group.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    groups: Vec<Vec<usize>>,
}

/// Stems of one song by one model.
#[derive(Debug)]
pub struct StemStore {
    folder: PathBuf,
    plan: Plan,
    /// Names of the sources, then of the rest if there is one.
    names: Vec<String>,
    /// One file per source.
    files: Vec<RawFile>,
    groups: Vec<Group>,
}

/// Stems that are computed together.
#[derive(Debug)]
struct Group {
    stems: Vec<usize>,
    /// File of the finished segments; created when the group is first requested.
    file: OnceLock<File>,
    done: Vec<AtomicBool>,
}

/// Exclusive right to write segments, also across processes.
#[derive(Debug)]
pub struct WriteLock(
    #[expect(dead_code, reason = "dropping it unlocks the store")] Option<FileLock>,
);

impl StemStore {
    /// Opens the store in `folder`; creates it if missing.
    ///
    /// # Errors
    /// [`Problem::File`], also if the folder holds the stems of something else.
    pub fn open(folder: &Path, plan: Plan, sources: &[String]) -> Result<Self> {
        Self::open_in_groups(folder, plan, (sources, None), &[(0..sources.len()).collect()])
    }

    /// Opens a store like [`Self::open`], with several groups that must be claimed first, and with
    /// the name of the rest.
    ///
    /// # Errors
    /// Fails with the errors of [`Self::open`].
    pub fn open_in_groups(
        folder: &Path,
        plan: Plan,
        (sources, rest): (&[String], Option<&str>),
        groups: &[Vec<usize>],
    ) -> Result<Self> {
        make_folders(folder).map_err(|e| cannot_write(folder, e))?;
        let header = Header {
            rest: rest.map(str::to_owned),
            border: (plan.joint == Joint::Fade).then_some(plan.border),
            delays: plan.delays().to_vec(),
            groups: if groups.len() > 1 { groups.to_vec() } else { Vec::new() },
            frames: plan.frames,
            segment_frames: plan.segment_frames,
            stride: plan.stride,
            sources: sources.to_vec(),
        };
        let path = folder.join(HEADER);
        match fs::read(&path) {
            Ok(text) => {
                let found: Header =
                    serde_json::from_slice(&text).map_err(|e| cannot_read(&path, e.into()))?;
                if found != header {
                    let odd = io::Error::other("it belongs to another song or model");
                    return Err(cannot_read(&path, odd));
                }
            }
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                let text =
                    serde_json::to_vec(&header).map_err(|e| cannot_write(&path, e.into()))?;
                write_atomically(&path, &text)?;
            }
            Err(e) => return Err(cannot_read(&path, e)),
        }
        let files = (0..sources.len())
            .map(|stem| {
                let path = stem_path(folder, stem);
                RawFile::open_for_writing(&path).map_err(|e| cannot_write(&path, e))
            })
            .collect::<Result<Vec<_>>>()?;
        let groups = groups.iter().map(|stems| Group {
            stems: stems.clone(),
            file: OnceLock::new(),
            done: (0..plan.len()).map(|_| AtomicBool::new(false)).collect(),
        });
        let names = sources.iter().map(String::as_str).chain(rest).map(str::to_owned).collect();
        let groups = groups.collect();
        let store = Self { folder: folder.to_owned(), plan, names, files, groups };
        for group in 0..store.groups.len() {
            if store.groups.len() == 1 || store.done_path(group).exists() {
                store.open_group(group)?;
            }
        }
        // The file names must reach the disk before any segment becomes valid.
        sync_folder(folder);
        store.forget_what_is_cut_off()?;
        Ok(store)
    }

    /// Requests stems: their groups count from now on.
    ///
    /// # Errors
    /// [`Problem::File`].
    pub fn claim(&self, stems: &[usize]) -> Result<()> {
        for group in self.groups_of(stems) {
            if self.groups[group].file.get().is_none() {
                self.open_group(group)?;
                sync_folder(&self.folder);
            }
        }
        Ok(())
    }

    fn done_path(&self, group: usize) -> PathBuf {
        done_path(&self.folder, self.groups.len(), group)
    }

    fn open_group(&self, group: usize) -> Result<()> {
        let (file, flags) = open_done(&self.done_path(group), self.plan.len())?;
        for (done, flag) in self.groups[group].done.iter().zip(flags) {
            done.store(flag == 1, Ordering::Release);
        }
        // If another process was faster, the file is the same.
        drop(self.groups[group].file.set(file));
        Ok(())
    }

    /// Marks segments without samples as unfinished, regardless of how the samples were lost.
    fn forget_what_is_cut_off(&self) -> Result<()> {
        for group in &self.groups {
            for &stem in &group.stems {
                let path = stem_path(&self.folder, stem);
                let frames = self.files[stem].frames().map_err(|e| cannot_read(&path, e))?;
                for (segment, done) in group.done.iter().enumerate() {
                    let own = self.plan.segment(segment);
                    let end = (segment * self.plan.segment_frames) as u64 + (own.end - own.start);
                    if frames < end {
                        done.store(false, Ordering::Release);
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether the store's files are still in place. Data written to a file that was removed would
    /// be lost with it.
    pub fn is_in_place(&self) -> bool {
        let is_in_place = |(stem, file): (usize, &RawFile)| {
            file.is_at(&stem_path(&self.folder, stem)).is_ok_and(|there| there)
        };
        let has_flags = |(index, group): (usize, &Group)| {
            let is_in_place = |file| is_at(file, &self.done_path(index)).is_ok_and(|there| there);
            group.file.get().is_none_or(is_in_place)
        };
        self.groups.iter().enumerate().all(has_flags)
            && self.files.iter().enumerate().all(is_in_place)
    }

    /// Takes the write lock, which is held until dropped.
    ///
    /// # Errors
    /// [`Problem::Locked`] if another Partita holds the lock; [`Problem::File`].
    pub fn lock(&self) -> Result<WriteLock> {
        let path = self.folder.join(LOCK);
        let file = File::options()
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(|e| cannot_write(&path, e))?;
        match FileLock::try_on(file) {
            Ok(lock) => Ok(WriteLock(Some(lock))),
            Err(TryLockError::WouldBlock) => Err(Problem::Locked),
            // Some cluster file systems have no locks. Each process has a separate folder there.
            Err(TryLockError::Error(e)) if has_no_locks(&e) => {
                tracing::debug!("could not lock {}: {e}", path.display());
                Ok(WriteLock(None))
            }
            Err(TryLockError::Error(e)) => Err(cannot_write(&path, e)),
        }
    }

    /// Reads the finished segments from the disk again, after another process has written.
    ///
    /// # Errors
    /// [`Problem::File`].
    pub fn reload(&self, _lock: &WriteLock) -> Result<()> {
        for (index, group) in self.groups.iter().enumerate() {
            let Some(file) = group.file.get() else { continue };
            let mut flags = vec![0u8; group.done.len()];
            read_exact_at(file, &mut flags, 0)
                .map_err(|e| cannot_read(&self.done_path(index), e))?;
            for (done, flag) in group.done.iter().zip(flags) {
                done.store(flag == 1, Ordering::Release);
            }
        }
        self.forget_what_is_cut_off()
    }

    /// Writes the result of a segment: planar `[stems of the group, channels, frames of the
    /// segment]`. It is readable immediately, and durable once [`Self::keep_segment`] has returned.
    /// Writing it again is harmless.
    ///
    /// # Errors
    /// [`Problem::File`].
    pub fn write_segment(
        &self,
        _lock: &WriteLock,
        segment: usize,
        group: usize,
        stems: &[f32],
    ) -> Result<()> {
        let own = self.plan.segment(segment);
        let frames = (own.end - own.start) as usize;
        let target = &self.groups[group];
        debug_assert_eq!(stems.len(), target.stems.len() * CHANNELS * frames);
        let at = (segment * self.plan.segment_frames) as u64;
        let mut interleaved = vec![0.0f32; frames * CHANNELS];
        for (&stem, planar) in target.stems.iter().zip(stems.chunks_exact(CHANNELS * frames)) {
            for (channel, samples) in planar.chunks_exact(frames).enumerate() {
                for (frame, &x) in interleaved.chunks_exact_mut(CHANNELS).zip(samples) {
                    frame[channel] = x;
                }
            }
            let file = &self.files[stem];
            file.write(at, &interleaved)
                .map_err(|e| cannot_write(&stem_path(&self.folder, stem), e))?;
        }
        self.claim(&target.stems)?;
        target.done[segment].store(true, Ordering::Release);
        Ok(())
    }

    /// Syncs a written segment to the disk, which makes it durable. A segment whose sync fails is
    /// no longer read.
    ///
    /// # Errors
    /// [`Problem::File`].
    pub fn keep_segment(&self, _lock: &WriteLock, segment: usize, group: usize) -> Result<()> {
        let kept = self.sync_segment(segment, group);
        if kept.is_err() {
            self.groups[group].done[segment].store(false, Ordering::Release);
        }
        kept
    }

    fn sync_segment(&self, segment: usize, group: usize) -> Result<()> {
        let target = &self.groups[group];
        for &stem in &target.stems {
            self.files[stem].sync().map_err(|e| cannot_write(&stem_path(&self.folder, stem), e))?;
        }
        if let Some(file) = target.file.get() {
            write_all_at(file, &[1], segment as u64)
                .and_then(|()| file.sync_data())
                .map_err(|e| cannot_write(&self.done_path(group), e))?;
        }
        if !self.is_in_place() {
            return Err(Problem::store(&self.folder, StoreFault::Removed));
        }
        Ok(())
    }
}

impl Group {
    fn is_done(&self, segment: usize) -> bool {
        self.done.get(segment).is_some_and(|done| done.load(Ordering::Acquire))
    }

    fn done_count(&self) -> usize {
        self.done.iter().filter(|done| done.load(Ordering::Acquire)).count()
    }
}

/// Length in bytes of the file of a complete stem.
fn stem_bytes(plan: &Plan) -> u64 {
    let Some(last) = plan.len().checked_sub(1) else { return 0 };
    let own = plan.segment(last);
    let frames = (last * plan.segment_frames) as u64 + (own.end - own.start);
    frames * (CHANNELS * size_of::<f32>()) as u64
}

fn stem_path(folder: &Path, stem: usize) -> PathBuf {
    folder.join(format!("stem-{stem}.f32"))
}

/// Path of the file of a group's finished segments.
fn done_path(folder: &Path, groups: usize, group: usize) -> PathBuf {
    if groups == 1 { folder.join(DONE) } else { folder.join(format!("{DONE}-{group}")) }
}

/// Opens the file of finished segments: one byte per segment, 1 if finished.
fn open_done(path: &Path, segments: usize) -> Result<(File, Vec<u8>)> {
    let mut options = File::options();
    let file = options
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .map_err(|e| cannot_write(path, e))?;
    if file.metadata().map_err(|e| cannot_read(path, e))?.len() < segments as u64 {
        file.set_len(segments as u64).map_err(|e| cannot_write(path, e))?;
    }
    let mut flags = vec![0u8; segments];
    read_exact_at(&file, &mut flags, 0).map_err(|e| cannot_read(path, e))?;
    Ok((file, flags))
}

fn cannot_read(path: &Path, source: io::Error) -> Problem {
    Problem::read(path, source)
}

fn cannot_write(path: &Path, source: io::Error) -> Problem {
    Problem::write(path, source)
}
