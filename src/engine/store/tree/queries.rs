//! Queries of a tree of stems: names, what is finished, what a segment depends on. Callable from any
//! thread.

use std::{ops::Range, path::PathBuf};

use super::{At, StemTree, combine::MARGIN};
use crate::engine::{
    separation::{
        chain::{Chain, Part, StepNeeds, Terms, Tree},
        options::Quality,
        plan::{Plan, intersection},
    },
    store::StemStore,
    types::CHANNELS,
};

/// Whether a segment counts as finished.
type IsDone<'a> = &'a dyn Fn(At) -> bool;

impl StemTree {
    /// The chain.
    pub fn chain(&self) -> &Chain {
        &self.chain
    }

    /// The quality of the chain.
    pub fn quality(&self) -> Quality {
        self.quality
    }

    /// The tree of stems.
    pub fn tree(&self) -> &Tree {
        &self.chain.tree
    }

    /// Names of all stems in the order of their indices.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The store of a step, once the step was requested.
    pub fn store(&self, step: usize) -> Option<&StemStore> {
        self.steps[step].store.get()
    }

    /// The stores of all requested steps.
    fn stores(&self) -> impl Iterator<Item = &StemStore> {
        self.steps.iter().filter_map(|step| step.store.get())
    }

    /// Division of the song into a step's segments.
    pub fn plan(&self, step: usize) -> &Plan {
        &self.steps[step].plan
    }

    /// Frames of a segment.
    pub fn frames_of(&self, at: At) -> Range<u64> {
        self.plan(at.step).segment(at.segment)
    }

    /// Whether the files of all stores are still in place; see [`StemStore::is_in_place`].
    pub fn is_in_place(&self) -> bool {
        self.stores().all(StemStore::is_in_place)
    }

    /// Groups of a step's store that make outputs.
    pub fn groups(&self, step: usize, outputs: &[usize]) -> Vec<usize> {
        let model = &self.chain.steps[step].model;
        let sources = model.sources_of(outputs);
        let groups = model.groups();
        let makes = |group: &usize| groups[*group].iter().any(|stem| sources.contains(stem));
        (0..groups.len()).filter(makes).collect()
    }

    /// Number of segments of all steps that these stems need.
    pub fn segments_of(&self, stems: &[usize]) -> usize {
        self.chain.needs(stems).iter().map(|needs| self.plan(needs.step).len()).sum()
    }

    /// Number of those segments that are finished.
    pub fn done_count_of(&self, stems: &[usize]) -> usize {
        self.chain.needs(stems).iter().map(|needs| self.done_count_in(needs)).sum()
    }

    /// Number of a step's segments with all of these outputs.
    pub fn done_count_in(&self, needs: &StepNeeds) -> usize {
        let groups = self.groups(needs.step, &needs.outputs);
        let Some(store) = self.store(needs.step) else { return 0 };
        (0..store.plan().len()).filter(|&segment| store.is_done_in(segment, &groups)).count()
    }

    /// Number of unfinished segments of these stems, counted once per step and group.
    pub fn missing(&self, stems: &[usize]) -> usize {
        let missing = |needs: &StepNeeds| match self.store(needs.step) {
            Some(store) => store.missing(&needs.outputs),
            None => self.plan(needs.step).len() * self.groups(needs.step, &needs.outputs).len(),
        };
        self.chain.needs(stems).iter().map(missing).sum()
    }

    /// Bytes on disk that the unfinished segments of these stems will take.
    pub fn missing_bytes(&self, stems: &[usize]) -> u64 {
        let bytes = |needs: &StepNeeds| {
            if let Some(store) = self.store(needs.step) {
                return store.missing_bytes(&needs.outputs);
            }
            let (plan, model) = (self.plan(needs.step), &self.chain.steps[needs.step].model);
            let groups = self.groups(needs.step, &needs.outputs);
            let stems: usize = groups.iter().map(|group| model.groups()[*group].len()).sum();
            plan.stored_frames(|_| true) * (stems * CHANNELS * size_of::<f32>()) as u64
        };
        self.chain.needs(stems).iter().map(bytes).sum()
    }

    /// Whether every segment of these stems is finished.
    fn has_all(&self, stems: &[usize]) -> bool {
        let needs = self.chain.needs(stems);
        let is_whole = |needs: &StepNeeds| {
            let groups = self.groups(needs.step, &needs.outputs);
            let store = self.store(needs.step);
            store.is_some_and(|store| {
                (0..store.plan().len()).all(|segment| store.is_done_in(segment, &groups))
            })
        };
        !needs.is_empty() && needs.iter().filter(|needs| needs.is_wanted).all(is_whole)
    }

    /// Whether all segments of a stem are finished.
    pub fn has_all_of(&self, stem: usize) -> bool {
        self.has_all(&[stem])
    }

    /// Whether a stem has been requested.
    pub fn is_claimed(&self, stem: usize) -> bool {
        let needs = self.chain.needs(&[stem]);
        let is_claimed = |needs: &StepNeeds| {
            self.store(needs.step)
                .is_some_and(|store| needs.outputs.iter().all(|output| store.is_claimed(*output)))
        };
        !needs.is_empty() && needs.iter().filter(|needs| needs.is_wanted).all(is_claimed)
    }

    /// Indices of all requested stems.
    pub fn claimed_stems(&self) -> Vec<usize> {
        (0..self.names.len()).filter(|&stem| self.is_claimed(stem)).collect()
    }

    /// Whether every segment of every requested stem is finished, and there is one.
    pub fn is_complete(&self) -> bool {
        self.stores().next().is_some() && self.stores().all(StemStore::is_complete)
    }

    /// Whether the stems of a branch were requested, so that they are heard instead of their parent.
    pub fn is_open(&self, stem: usize) -> bool {
        let made = self.tree().made_in(Some(stem));
        made.into_iter().any(|child| self.is_claimed(child))
    }

    /// Stems that are heard: together with the residual they are the song. A stem whose parts were
    /// requested is heard through them.
    pub fn heard(&self) -> Vec<bool> {
        let tree = self.tree();
        let is_heard = |stem: usize| {
            !self.is_open(stem) && tree.line(stem).skip(1).all(|parent| self.is_open(parent))
        };
        (0..self.names.len()).map(is_heard).collect()
    }

    /// Steps that make stems of the song itself.
    fn first_steps(&self) -> Vec<usize> {
        let made = self.tree().made_in(None);
        let made = made.into_iter().filter_map(|stem| self.tree().stems()[stem].made.as_ref());
        let mut steps: Vec<usize> =
            made.flat_map(|made| made.parts.iter().map(|part| part.step)).collect();
        steps.sort_unstable();
        steps.dedup();
        steps
    }

    /// Frame ranges with all requested stems of the song itself: ascending, disjoint.
    pub fn covered(&self) -> Vec<(u64, u64)> {
        self.ranges(|store| store.plan().covered(|segment| store.is_done(segment)))
    }

    /// Like [`Self::covered`], with every pass finished.
    pub fn refined(&self) -> Vec<(u64, u64)> {
        self.ranges(|store| match store.plan() {
            plan if plan.passes() > 1 => plan.finished(|segment| store.is_done(segment)),
            plan => plan.covered(|segment| store.is_done(segment)),
        })
    }

    fn ranges(&self, of: impl Fn(&StemStore) -> Vec<(u64, u64)>) -> Vec<(u64, u64)> {
        let stores = self.first_steps().into_iter().filter_map(|step| self.store(step));
        stores.map(of).reduce(|one, other| intersection(&one, &other)).unwrap_or_default()
    }

    /// Frame ranges of a made stem: ascending, disjoint.
    pub fn covered_of(&self, stem: usize) -> Vec<(u64, u64)> {
        self.ranges_of(stem, |store, groups| {
            store.plan().covered(|segment| store.is_done_in(segment, groups))
        })
    }

    /// Frame ranges of a made stem that do not change any more: ascending, disjoint.
    pub fn finished_of(&self, stem: usize) -> Vec<(u64, u64)> {
        self.ranges_of(stem, |store, groups| {
            store.plan().finished(|segment| store.is_done_in(segment, groups))
        })
    }

    fn ranges_of(
        &self,
        stem: usize,
        ranges: impl Fn(&StemStore, &[usize]) -> Vec<(u64, u64)>,
    ) -> Vec<(u64, u64)> {
        let Some(made) = &self.tree().stems()[stem].made else { return Vec::new() };
        let of_part = |part: &Part| {
            let groups = self.groups(part.step, &[part.output]);
            Some(ranges(self.store(part.step)?, &groups))
        };
        let all = made.parts.iter().map(|part| of_part(part).unwrap_or_default());
        all.reduce(|one, other| intersection(&one, &other)).unwrap_or_default()
    }

    /// Paths of the samples that a stem is read from; none if some were not requested yet.
    pub fn paths_of(&self, stem: usize) -> Option<Vec<PathBuf>> {
        let mut paths = Vec::new();
        let Terms { of, minus } = self.tree().terms(stem);
        if of.is_none() {
            paths.push(self.mix.path());
        }
        for made in of.into_iter().chain(minus) {
            for part in self.tree().stems()[made].made.iter().flat_map(|made| &made.parts) {
                let (store, model) = (self.store(part.step)?, &self.chain.steps[part.step].model);
                let sources = model.sources_of(&[part.output]);
                paths.extend(sources.into_iter().map(|source| store.path(source)));
            }
        }
        Some(paths)
    }

    /// The segment to compute first so that `at` can be computed: `at` itself, or a segment of an
    /// earlier step that its input needs. `is_done` states which segments are finished.
    pub fn first_needed(&self, at: At, is_done: IsDone<'_>) -> At {
        let input = &self.chain.steps[at.step].input;
        let window = self.plan(at.step).window(at.segment);
        let frames = window.stretches.iter().fold(None, |all: Option<Range<u64>>, stretch| {
            let (start, end) = (stretch.frames.start, stretch.frames.end);
            let all = all.unwrap_or(start..end);
            Some(all.start.min(start)..all.end.max(end))
        });
        let needed = frames.and_then(|frames| self.needed_for(input, frames, is_done));
        needed.unwrap_or(at)
    }

    /// The first missing segment for reading frames of these terms.
    fn needed_for(&self, terms: &Terms, frames: Range<u64>, is_done: IsDone<'_>) -> Option<At> {
        for stem in terms.of.iter().chain(&terms.minus) {
            let Some(made) = &self.tree().stems()[*stem].made else { continue };
            let margin = if made.by.is_spectral() && made.only().is_none() { MARGIN } else { 0 };
            let start = frames.start.saturating_sub(margin);
            let frames = start..(frames.end + margin).min(self.mix.frames());
            for part in &made.parts {
                let plan = self.plan(part.step);
                for pass in 0..plan.passes() {
                    for segment in plan.segments_in(pass, frames.clone()) {
                        let at = At { step: part.step, segment };
                        if !is_done(at) {
                            return Some(self.first_needed(at, is_done));
                        }
                    }
                }
                // The rest of a network is its input minus its sources.
                let step = &self.chain.steps[part.step];
                if part.output >= step.model.spec.sources.len()
                    && let Some(at) = self.needed_for(&step.input, frames.clone(), is_done)
                {
                    return Some(at);
                }
            }
        }
        None
    }
}
