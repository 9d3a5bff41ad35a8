//! The stem store: every stem of a song, segment by segment, weighed together when it is read.
//!
//! Stems that one network makes together are a group; a group is finished segment by segment. In a
//! bag of networks only the groups that somebody has asked for count ([`StemStore::claim`]): the
//! others are as if they were not there.
//!
//! A segment's result lies in its own place, overlap included, so that writing it is idempotent and
//! needs no neighbour; a reader cross-fades what is there. That costs a third more disk than final
//! samples would, and buys any order of work, resumption, and no provisional state to keep.

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

use super::raw::{RawFile, is_at, read_exact_at, write_all_at};
use crate::engine::{
    CHANNELS, EngineError, Result,
    files::{make_folders, sync_folder, write_atomically},
    plan::Plan,
};

const HEADER: &str = "stems.json";
const DONE: &str = "segments";
const LOCK: &str = "lock";

/// What the store holds; one that says otherwise than the song and the model is not used.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Header {
    frames: u64,
    segment_frames: usize,
    stride: usize,
    sources: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    delays: Vec<u16>,
    /// Of a bag; else all stems are one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    groups: Vec<Vec<usize>>,
}

/// The stems of one song by one model.
#[derive(Debug)]
pub struct StemStore {
    folder: PathBuf,
    plan: Plan,
    sources: Vec<String>,
    files: Vec<RawFile>,
    groups: Vec<Group>,
}

/// Stems that are made together.
#[derive(Debug)]
struct Group {
    stems: Vec<usize>,
    /// The file of its finished segments; there is none until somebody asks for the group.
    file: OnceLock<File>,
    done: Vec<AtomicBool>,
}

/// Held while segments are written: one writer to a store, also among processes.
#[derive(Debug)]
pub struct WriteLock(#[expect(dead_code, reason = "the lock is the open file")] File);

impl StemStore {
    /// Opens the store in `folder`, and makes it if it is missing.
    ///
    /// # Errors
    /// [`EngineError::Io`], also when the folder holds the stems of something else.
    pub fn open(folder: &Path, plan: Plan, sources: &[String]) -> Result<Self> {
        Self::open_in_groups(folder, plan, sources, &[(0..sources.len()).collect()])
    }

    /// As [`Self::open`], for stems that are made in several groups, of which none counts until it is
    /// claimed.
    ///
    /// # Errors
    /// Those of [`Self::open`].
    pub fn open_in_groups(
        folder: &Path,
        plan: Plan,
        sources: &[String],
        groups: &[Vec<usize>],
    ) -> Result<Self> {
        make_folders(folder).map_err(|e| cannot_write(folder, e))?;
        let header = Header {
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
        let (groups, sources) = (groups.collect(), sources.to_vec());
        let store = Self { folder: folder.to_owned(), plan, sources, files, groups };
        for group in 0..store.groups.len() {
            if store.groups.len() == 1 || store.done_path(group).exists() {
                store.open_group(group)?;
            }
        }
        // The names are on the disk before any segment counts.
        sync_folder(folder);
        store.forget_what_is_cut_off()?;
        Ok(store)
    }

    /// Asks for stems: their groups count from now on.
    ///
    /// # Errors
    /// [`EngineError::Io`].
    pub fn claim(&self, stems: &[usize]) -> Result<()> {
        for group in self.groups_of(stems) {
            if self.groups[group].file.get().is_none() {
                self.open_group(group)?;
                sync_folder(&self.folder);
            }
        }
        Ok(())
    }

    /// The groups that make these stems.
    pub fn groups_of(&self, stems: &[usize]) -> Vec<usize> {
        let makes = |group: &usize| self.groups[*group].stems.iter().any(|it| stems.contains(it));
        (0..self.groups.len()).filter(makes).collect()
    }

    /// The stems of a group.
    pub fn stems_of(&self, group: usize) -> &[usize] {
        &self.groups[group].stems
    }

    /// The groups that somebody has asked for.
    fn claimed(&self) -> impl Iterator<Item = &Group> {
        self.groups.iter().filter(|group| group.file.get().is_some())
    }

    fn group_of(&self, stem: usize) -> Option<&Group> {
        self.groups.iter().find(|group| group.stems.contains(&stem))
    }

    fn done_path(&self, group: usize) -> PathBuf {
        done_path(&self.folder, self.groups.len(), group)
    }

    fn open_group(&self, group: usize) -> Result<()> {
        let (file, flags) = open_done(&self.done_path(group), self.plan.len())?;
        for (done, flag) in self.groups[group].done.iter().zip(flags) {
            done.store(flag == 1, Ordering::Release);
        }
        // Somebody else may have been quicker: it is the same file.
        drop(self.groups[group].file.set(file));
        Ok(())
    }

    /// Whatever has happened to the files: a segment whose samples are not there is not finished.
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

    /// Whether the store is where it was: what is written to a file that somebody has removed is
    /// lost with it.
    pub fn is_in_place(&self) -> bool {
        let is_there = |(stem, file): (usize, &RawFile)| {
            file.is_at(&stem_path(&self.folder, stem)).is_ok_and(|there| there)
        };
        let has_flags = |(group, it): (usize, &Group)| {
            let is_there = |file| is_at(file, &self.done_path(group)).is_ok_and(|there| there);
            it.file.get().is_none_or(is_there)
        };
        self.groups.iter().enumerate().all(has_flags) && self.files.iter().enumerate().all(is_there)
    }

    /// How the song is cut.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Stem names in the order of their indices.
    pub fn sources(&self) -> &[String] {
        &self.sources
    }

    /// Whether a segment is in the store: all stems that somebody has asked for.
    pub fn is_done(&self, segment: usize) -> bool {
        let mut claimed = self.claimed().peekable();
        claimed.peek().is_some() && claimed.all(|group| group.is_done(segment))
    }

    /// Whether a segment of these groups is in the store.
    pub fn is_done_in(&self, segment: usize, groups: &[usize]) -> bool {
        groups.iter().all(|&group| self.groups[group].is_done(segment))
    }

    /// Whether a stem is in the store to its end.
    pub fn has_all_of(&self, stem: usize) -> bool {
        self.group_of(stem).is_some_and(|group| group.done_count() == self.plan.len())
    }

    /// Whether somebody has asked for a stem.
    pub fn is_claimed(&self, stem: usize) -> bool {
        self.group_of(stem).is_some_and(|group| group.file.get().is_some())
    }

    /// Number of segments in the store.
    pub fn done_count(&self) -> usize {
        (0..self.plan.len()).filter(|&segment| self.is_done(segment)).count()
    }

    /// The file of a stem's samples; what is made of them can be kept beside it.
    pub fn path(&self, stem: usize) -> PathBuf {
        stem_path(&self.folder, stem)
    }

    /// What is missing of these stems: segments, each once for every group that lacks it.
    pub fn missing(&self, stems: &[usize]) -> usize {
        let groups = self.groups_of(stems).into_iter();
        groups.map(|group| self.plan.len() - self.groups[group].done_count()).sum()
    }

    /// Bytes that the segments which are not in the store will take on the disk, of these stems.
    pub fn missing_bytes(&self, stems: &[usize]) -> u64 {
        let bytes = |group: usize| {
            let group = &self.groups[group];
            let frame_bytes = (group.stems.len() * CHANNELS * size_of::<f32>()) as u64;
            let missing = (self.plan.len() - group.done_count()) as u64;
            missing * self.plan.segment_frames as u64 * frame_bytes
        };
        self.groups_of(stems).into_iter().map(bytes).sum()
    }

    /// Number of segments in the store of which all of these stems are there.
    pub fn done_count_of(&self, stems: &[usize]) -> usize {
        let groups = self.groups_of(stems);
        (0..self.plan.len()).filter(|&segment| self.is_done_in(segment, &groups)).count()
    }

    /// Every stem that somebody has asked for.
    pub fn claimed_stems(&self) -> Vec<usize> {
        (0..self.sources.len()).filter(|&stem| self.is_claimed(stem)).collect()
    }

    /// Whether every segment is in the store, of all stems that somebody has asked for.
    pub fn is_complete(&self) -> bool {
        self.claimed().next().is_some() && self.done_count() == self.plan.len()
    }

    /// Whether the store in `folder`, of so many groups, has any segment.
    pub fn has_any_in(folder: &Path, groups: usize) -> bool {
        let flags = |group| fs::read(done_path(folder, groups, group)).unwrap_or_default();
        (0..groups).any(|group| flags(group).contains(&1))
    }

    /// Whether the store in `folder` has every segment of `plan` of what somebody has asked for of
    /// these groups of stems; asks nothing but one small file for each and the stems' lengths.
    pub fn is_complete_in(folder: &Path, plan: &Plan, groups: &[Vec<usize>]) -> bool {
        let is_whole = |stem: &usize| {
            let path = stem_path(folder, *stem);
            path.metadata().is_ok_and(|about| about.len() >= stem_bytes(plan))
        };
        let mut any = false;
        for (group, stems) in groups.iter().enumerate() {
            let Ok(flags) = fs::read(done_path(folder, groups.len(), group)) else { continue };
            let is_done = flags.len() >= plan.len()
                && flags[..plan.len()].iter().all(|&flag| flag == 1)
                && stems.iter().all(is_whole);
            if !is_done {
                return false;
            }
            any = true;
        }
        any
    }

    /// Takes the right to write, until the lock is dropped.
    ///
    /// # Errors
    /// [`EngineError::Locked`] when another Partita has it; [`EngineError::Io`].
    pub fn lock(&self) -> Result<WriteLock> {
        let path = self.folder.join(LOCK);
        let file = File::options()
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(|e| cannot_write(&path, e))?;
        match file.try_lock() {
            Ok(()) => Ok(WriteLock(file)),
            Err(TryLockError::WouldBlock) => Err(EngineError::Locked),
            // Some file systems of clusters have no locks. Whoever works there has a folder of its own.
            Err(TryLockError::Error(e)) if has_no_locks(&e) => {
                tracing::debug!("{} cannot be locked: {e}", path.display());
                Ok(WriteLock(file))
            }
            Err(TryLockError::Error(e)) => Err(cannot_write(&path, e)),
        }
    }

    /// Reads the finished segments from the disk again, under the lock of a writer that was not us.
    ///
    /// # Errors
    /// [`EngineError::Io`].
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

    /// Writes the result of a segment: planar `[stems of the group, channels, frames of the segment]`.
    /// It is read from now on, and kept once [`Self::keep_segment`] has returned. Writing it again is
    /// harmless.
    ///
    /// # Errors
    /// [`EngineError::Io`].
    pub fn write_segment(
        &self,
        _lock: &WriteLock,
        segment: usize,
        group: usize,
        stems: &[f32],
    ) -> Result<()> {
        let own = self.plan.segment(segment);
        let frames = (own.end - own.start) as usize;
        let it = &self.groups[group];
        debug_assert_eq!(stems.len(), it.stems.len() * CHANNELS * frames);
        let at = (segment * self.plan.segment_frames) as u64;
        let mut interleaved = vec![0.0f32; frames * CHANNELS];
        for (&stem, planar) in it.stems.iter().zip(stems.chunks_exact(CHANNELS * frames)) {
            for (channel, samples) in planar.chunks_exact(frames).enumerate() {
                for (frame, &x) in interleaved.chunks_exact_mut(CHANNELS).zip(samples) {
                    frame[channel] = x;
                }
            }
            let file = &self.files[stem];
            file.write(at, &interleaved)
                .map_err(|e| cannot_write(&stem_path(&self.folder, stem), e))?;
        }
        self.claim(&it.stems)?;
        it.done[segment].store(true, Ordering::Release);
        Ok(())
    }

    /// Brings a segment that was written to the disk: from then on it counts, whatever happens. One
    /// that the disk does not take is not read any more.
    ///
    /// # Errors
    /// [`EngineError::Io`].
    pub fn keep_segment(&self, _lock: &WriteLock, segment: usize, group: usize) -> Result<()> {
        let kept = self.sync_segment(segment, group);
        if kept.is_err() {
            self.groups[group].done[segment].store(false, Ordering::Release);
        }
        kept
    }

    fn sync_segment(&self, segment: usize, group: usize) -> Result<()> {
        let it = &self.groups[group];
        for &stem in &it.stems {
            self.files[stem].sync().map_err(|e| cannot_write(&stem_path(&self.folder, stem), e))?;
        }
        if let Some(file) = it.file.get() {
            write_all_at(file, &[1], segment as u64)
                .and_then(|()| file.sync_data())
                .map_err(|e| cannot_write(&self.done_path(group), e))?;
        }
        if !self.is_in_place() {
            let gone = io::Error::new(io::ErrorKind::NotFound, "somebody has removed it");
            return Err(cannot_write(&self.folder, gone));
        }
        Ok(())
    }

    /// Reads a stem from frame `start` on into interleaved `out`; unfinished frames, and those past
    /// the end, are zero. Where neighbouring segments overlap they are cross-faded as in
    /// `demucs/apply.py`, where there are several passes they are averaged; where only some of them
    /// are finished the samples are provisional.
    ///
    /// # Errors
    /// What the disk says.
    pub fn read(&self, stem: usize, start: u64, out: &mut [f32]) -> io::Result<()> {
        let end = (start + (out.len() / CHANNELS) as u64).min(self.plan.frames);
        let mut scratch = [Vec::new(), Vec::new()];
        let mut at = start;
        while at < end {
            let changes = (0..self.plan.passes()).map(|pass| self.plan.change_after(pass, at));
            let until = changes.fold(end, u64::min);
            let part = (at - start) as usize * CHANNELS..(until - start) as usize * CHANNELS;
            self.read_part(stem, at, &mut out[part], &mut scratch)?;
            at = until;
        }
        let rest = out.len().min((at.max(start) - start) as usize * CHANNELS);
        out[rest..].fill(0.0);
        Ok(())
    }

    /// Reads frames that the same segments hold.
    fn read_part(
        &self,
        stem: usize,
        at: u64,
        part: &mut [f32],
        [one, other]: &mut [Vec<f32>; 2],
    ) -> io::Result<()> {
        let group = self.group_of(stem);
        let mut passes_there = 0;
        for pass in 0..self.plan.passes() {
            let holders = self.plan.segments_at(pass, at);
            let is_done = |segment: &usize| group.is_some_and(|group| group.is_done(*segment));
            let done: Vec<usize> = holders.filter(is_done).collect();
            if done.is_empty() {
                continue;
            }
            passes_there += 1;
            if passes_there == 1 {
                self.read_pass(stem, &done, at, part, other)?;
                continue;
            }
            one.resize(part.len(), 0.0);
            self.read_pass(stem, &done, at, one, other)?;
            for (sum, sample) in part.iter_mut().zip(&*one) {
                *sum += sample;
            }
        }
        match passes_there {
            0 => part.fill(0.0),
            1 => {}
            several => part.iter_mut().for_each(|sample| *sample /= several as f32),
        }
        Ok(())
    }

    /// Reads frames of one pass from the segments that hold them, cross-faded.
    fn read_pass(
        &self,
        stem: usize,
        done: &[usize],
        at: u64,
        part: &mut [f32],
        other: &mut Vec<f32>,
    ) -> io::Result<()> {
        let Some((&first, others)) = done.split_first() else { return Ok(()) };
        self.read_segment(stem, first, at, part)?;
        if others.is_empty() {
            return Ok(());
        }
        let weight = |segment: usize, k: usize| self.plan.weight_at(segment, at + k as u64) as f32;
        for (k, frame) in part.chunks_exact_mut(CHANNELS).enumerate() {
            for sample in frame {
                *sample *= weight(first, k);
            }
        }
        other.resize(part.len(), 0.0);
        for &segment in others {
            self.read_segment(stem, segment, at, other)?;
            let frames = part.chunks_exact_mut(CHANNELS).zip(other.chunks_exact(CHANNELS));
            for (k, (sum, frame)) in frames.enumerate() {
                for (sum, sample) in sum.iter_mut().zip(frame) {
                    *sum += weight(segment, k) * sample;
                }
            }
        }
        for (k, frame) in part.chunks_exact_mut(CHANNELS).enumerate() {
            let all: f32 = done.iter().map(|&segment| weight(segment, k)).sum();
            for sample in frame {
                *sample /= all;
            }
        }
        Ok(())
    }

    fn read_segment(
        &self,
        stem: usize,
        segment: usize,
        at: u64,
        out: &mut [f32],
    ) -> io::Result<()> {
        let offset = at - self.plan.segment(segment).start;
        self.files[stem].read((segment * self.plan.segment_frames) as u64 + offset, out)
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

/// Whether that says that the file system, or its server, has no locks.
fn has_no_locks(error: &io::Error) -> bool {
    // ENOLCK, ENOSYS, EOPNOTSUPP
    let is_told = cfg!(target_os = "linux") && matches!(error.raw_os_error(), Some(37 | 38 | 95));
    is_told || error.kind() == io::ErrorKind::Unsupported
}

/// How long the file of a whole stem is.
fn stem_bytes(plan: &Plan) -> u64 {
    let Some(last) = plan.len().checked_sub(1) else { return 0 };
    let own = plan.segment(last);
    let frames = (last * plan.segment_frames) as u64 + (own.end - own.start);
    frames * (CHANNELS * size_of::<f32>()) as u64
}

fn stem_path(folder: &Path, stem: usize) -> PathBuf {
    folder.join(format!("stem-{stem}.f32"))
}

/// The file of a group's finished segments.
fn done_path(folder: &Path, groups: usize, group: usize) -> PathBuf {
    if groups == 1 { folder.join(DONE) } else { folder.join(format!("{DONE}-{group}")) }
}

/// One byte a segment: 1 when it is finished.
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

fn cannot_read(path: &Path, source: io::Error) -> EngineError {
    EngineError::Io { what: "cannot read", path: path.to_owned(), source }
}

fn cannot_write(path: &Path, source: io::Error) -> EngineError {
    EngineError::Io { what: "cannot write", path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sources() -> Vec<String> {
        vec!["drums".into(), "bass".into()]
    }

    /// The samples that a model would give that returns stem `s` as the mix times `s + 1`.
    fn result(plan: &Plan, segment: usize, mix: impl Fn(u64, usize) -> f32) -> Vec<f32> {
        let own = plan.segment(segment);
        let mut planar = Vec::new();
        for stem in 0..2 {
            for channel in 0..CHANNELS {
                planar.extend(own.clone().map(|f| mix(f, channel) * (stem + 1) as f32));
            }
        }
        planar
    }

    /// Writes a segment and keeps it.
    fn put(store: &StemStore, lock: &WriteLock, segment: usize, stems: &[f32]) -> Result<()> {
        store.write_segment(lock, segment, 0, stems)?;
        store.keep_segment(lock, segment, 0)
    }

    fn ramp(frame: u64, channel: usize) -> f32 {
        frame as f32 + channel as f32 / 2.0
    }

    #[test]
    fn a_killed_store_opens_with_what_was_finished() {
        let folder = tempfile::tempdir().unwrap();
        let plan = Plan::new(250, 100);
        {
            let store = StemStore::open(folder.path(), plan, &sources()).unwrap();
            let lock = store.lock().unwrap();
            put(&store, &lock, 2, &result(&plan, 2, ramp)).unwrap();
        }
        let store = StemStore::open(folder.path(), plan, &sources()).unwrap();
        assert_eq!(store.done_count(), 1);
        assert!(store.is_done(2) && !store.is_done(0));
        assert_eq!(store.plan().covered(|i| store.is_done(i)), [(150, 250)]);
    }

    #[test]
    fn what_was_not_kept_is_read_and_does_not_outlive_the_store() {
        let folder = tempfile::tempdir().unwrap();
        let plan = Plan::new(250, 100);
        let store = StemStore::open(folder.path(), plan, &sources()).unwrap();
        let lock = store.lock().unwrap();
        store.write_segment(&lock, 0, 0, &result(&plan, 0, ramp)).unwrap();
        let mut out = [0.0; 20];
        store.read(1, 5, &mut out).unwrap();
        assert_eq!(out[0], 2.0 * ramp(5, 0));
        drop((store, lock));
        assert_eq!(StemStore::open(folder.path(), plan, &sources()).unwrap().done_count(), 0);
    }

    #[test]
    fn one_writer_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let plan = Plan::new(250, 100);
        let one = StemStore::open(folder.path(), plan, &sources()).unwrap();
        let two = StemStore::open(folder.path(), plan, &sources()).unwrap();
        let lock = one.lock().unwrap();
        assert!(matches!(two.lock(), Err(EngineError::Locked)));
        put(&one, &lock, 0, &result(&plan, 0, ramp)).unwrap();
        drop(lock);
        let lock = two.lock().unwrap();
        assert!(!two.is_done(0));
        two.reload(&lock).unwrap();
        assert!(two.is_done(0));
    }

    #[test]
    fn another_songs_stems_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        StemStore::open(folder.path(), Plan::new(250, 100), &sources()).unwrap();
        assert!(StemStore::open(folder.path(), Plan::new(251, 100), &sources()).is_err());
    }

    #[test]
    fn a_segment_whose_samples_are_gone_is_not_finished() {
        let folder = tempfile::tempdir().unwrap();
        let plan = Plan::new(250, 100);
        let store = StemStore::open(folder.path(), plan, &sources()).unwrap();
        let lock = store.lock().unwrap();
        for segment in 0..plan.len() {
            put(&store, &lock, segment, &result(&plan, segment, ramp)).unwrap();
        }
        assert!(store.is_complete());
        let path = stem_path(folder.path(), 1);
        let file = File::options().write(true).open(path).unwrap();
        file.set_len(150 * 8).unwrap(); // within the second segment's place
        store.reload(&lock).unwrap();
        assert_eq!(store.done_count(), 1);
        drop((lock, store));
        let again = StemStore::open(folder.path(), plan, &sources()).unwrap();
        assert!(again.is_done(0) && !again.is_done(1) && !again.is_done(2));
    }

    #[test]
    fn what_is_cut_off_or_removed_is_not_complete() {
        let folder = tempfile::tempdir().unwrap();
        let plan = Plan::new(250, 100);
        let store = StemStore::open(folder.path(), plan, &sources()).unwrap();
        let lock = store.lock().unwrap();
        for segment in 0..plan.len() {
            put(&store, &lock, segment, &result(&plan, segment, ramp)).unwrap();
        }
        assert!(StemStore::is_complete_in(folder.path(), &plan, &[vec![0, 1]]));
        assert!(!StemStore::is_complete_in(folder.path(), &plan, &[vec![0, 1, 2]]));
        let path = stem_path(folder.path(), 1);
        let bytes = fs::read(&path).unwrap();
        fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
        assert!(!StemStore::is_complete_in(folder.path(), &plan, &[vec![0, 1]]));
        assert!(store.is_in_place());
        fs::remove_file(&path).unwrap();
        assert!(!store.is_in_place());
        #[cfg(unix)]
        {
            fs::write(&path, &bytes).unwrap();
            assert!(!store.is_in_place(), "another file of that name");
            let again = put(&store, &lock, 0, &result(&plan, 0, ramp)).unwrap_err();
            assert!(again.is_passing(), "{again}");
        }
    }

    #[test]
    fn joints_are_cross_faded_with_the_triangles() {
        let folder = tempfile::tempdir().unwrap();
        let plan = Plan::new(14, 8);
        let store = StemStore::open(folder.path(), plan, &sources()).unwrap();
        let lock = store.lock().unwrap();
        put(&store, &lock, 0, &result(&plan, 0, |_, _| 1.0)).unwrap();
        put(&store, &lock, 1, &result(&plan, 1, |_, _| 4.0)).unwrap();
        let mut out = vec![0.0; 28];
        store.read(0, 0, &mut out).unwrap();
        let left: Vec<f32> = out.iter().copied().step_by(2).collect();
        // Frames 6 and 7 have weights 2, 1 of the first segment and 1, 2 of the second.
        assert_eq!(left[..9], [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 2.0, 3.0, 4.0]);
        assert!(left[12..].iter().all(|&x| x == 4.0 || x == 0.0));
    }

    proptest! {
        /// A model that returns its input gives stems equal to the mix, whatever the order in which
        /// segments are written and the ranges in which they are read.
        #[test]
        fn identity_model_gives_the_mix(
            frames in 1u64..700, segment in 8usize..120, seed in 0usize..1000, step in 1usize..97,
        ) {
            let folder = tempfile::tempdir().unwrap();
            let plan = Plan::new(frames, segment);
            let store = StemStore::open(folder.path(), plan, &sources()).unwrap();
            let lock = store.lock().unwrap();
            for k in 0..plan.len() {
                let index = (k + seed) % plan.len();
                put(&store, &lock, index, &result(&plan, index, ramp)).unwrap();
            }
            prop_assert!(store.is_complete());
            for stem in 0..2usize {
                let mut start = 0u64;
                while start < frames + 5 {
                    let mut out = vec![-1.0; step * CHANNELS];
                    store.read(stem, start, &mut out).unwrap();
                    for (i, &x) in out.iter().enumerate() {
                        let frame = start + (i / CHANNELS) as u64;
                        let want = if frame < frames {
                            ramp(frame, i % CHANNELS) * (stem + 1) as f32
                        } else {
                            0.0
                        };
                        prop_assert!((x - want).abs() <= want.abs() * 1e-6, "{x} {want}");
                    }
                    start += step as u64;
                }
            }
        }
    }
}
