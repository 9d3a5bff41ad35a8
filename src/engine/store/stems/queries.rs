//! Queries of a stem store: its stems, their groups, and the finished segments.
//!
//! Most queries read flags in memory; [`StemStore::has_any_in`] and [`StemStore::is_complete_in`]
//! check a folder without opening it. Callable from any thread.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{Group, StemStore, done_path, stem_bytes, stem_path};
use crate::engine::{separation::plan::Plan, types::CHANNELS};

impl StemStore {
    /// Groups that compute these stems; the rest needs all groups.
    pub fn groups_of(&self, stems: &[usize]) -> Vec<usize> {
        let has_rest = self.rest().is_some_and(|rest| stems.contains(&rest));
        let makes = |group: &usize| {
            has_rest || self.groups[*group].stems.iter().any(|stem| stems.contains(stem))
        };
        (0..self.groups.len()).filter(makes).collect()
    }

    /// Stems of a group.
    pub fn stems_of(&self, group: usize) -> &[usize] {
        &self.groups[group].stems
    }

    /// Groups that have been requested.
    pub(super) fn claimed(&self) -> impl Iterator<Item = &Group> {
        self.groups.iter().filter(|group| group.file.get().is_some())
    }

    pub(super) fn group_of(&self, stem: usize) -> Option<&Group> {
        self.groups.iter().find(|group| group.stems.contains(&stem))
    }

    /// Division of the song into segments.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Names of all stems in the order of their indices, the rest last.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Names of the stems that networks compute.
    pub fn sources(&self) -> &[String] {
        &self.names[..self.files.len()]
    }

    /// Index of the rest, if there is one.
    pub fn rest(&self) -> Option<usize> {
        (self.names.len() > self.files.len()).then_some(self.files.len())
    }

    /// Whether a segment is finished for all requested stems.
    pub fn is_done(&self, segment: usize) -> bool {
        let mut claimed = self.claimed().peekable();
        claimed.peek().is_some() && claimed.all(|group| group.is_done(segment))
    }

    /// Whether a segment is finished for these groups.
    pub fn is_done_in(&self, segment: usize, groups: &[usize]) -> bool {
        groups.iter().all(|&group| self.groups[group].is_done(segment))
    }

    /// Whether all segments of a stem are finished.
    pub fn has_all_of(&self, stem: usize) -> bool {
        let groups = self.groups_of(&[stem]);
        let is_whole = |group: &usize| self.groups[*group].done_count() == self.plan.len();
        !groups.is_empty() && groups.iter().all(is_whole)
    }

    /// Whether a stem has been requested.
    pub fn is_claimed(&self, stem: usize) -> bool {
        let groups = self.groups_of(&[stem]);
        let is_claimed = |group: &usize| self.groups[*group].file.get().is_some();
        !groups.is_empty() && groups.iter().all(is_claimed)
    }

    /// Number of finished segments.
    pub fn done_count(&self) -> usize {
        (0..self.plan.len()).filter(|&segment| self.is_done(segment)).count()
    }

    /// Path of a source's samples; derived files can be stored next to it.
    pub fn path(&self, stem: usize) -> PathBuf {
        stem_path(&self.folder, stem)
    }

    /// Number of unfinished segments of these stems, counted once per group.
    pub fn missing(&self, stems: &[usize]) -> usize {
        let groups = self.groups_of(stems).into_iter();
        groups.map(|group| self.plan.len() - self.groups[group].done_count()).sum()
    }

    /// Bytes on disk that the unfinished segments of these stems will take.
    pub fn missing_bytes(&self, stems: &[usize]) -> u64 {
        let bytes = |group: usize| {
            let group = &self.groups[group];
            let frame_bytes = (group.stems.len() * CHANNELS * size_of::<f32>()) as u64;
            self.plan.stored_frames(|segment| !group.is_done(segment)) * frame_bytes
        };
        self.groups_of(stems).into_iter().map(bytes).sum()
    }

    /// Indices of all requested stems.
    pub fn claimed_stems(&self) -> Vec<usize> {
        (0..self.names.len()).filter(|&stem| self.is_claimed(stem)).collect()
    }

    /// Whether every segment is finished for all requested stems.
    pub fn is_complete(&self) -> bool {
        self.claimed().next().is_some() && self.done_count() == self.plan.len()
    }

    /// Whether the store in `folder` with `groups` groups has any finished segment.
    pub fn has_any_in(folder: &Path, groups: usize) -> bool {
        let flags = |group| fs::read(done_path(folder, groups, group)).unwrap_or_default();
        (0..groups).any(|group| flags(group).contains(&1))
    }

    /// Whether the store in `folder` has every segment of `plan` for the requested ones of these
    /// groups. Reads only one small file per group, and the stems' lengths.
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
}
