//! Separation of one song: computes the segments missing in its stem stores, in the order that suits
//! the listener. A segment of a later step waits for those of earlier steps that its input needs.
//!
//! Independent of the queue and the library. The model runs on the given pool. Meanwhile the
//! calling thread stores the previous segment, so that no core waits for the disk.

#[cfg(test)]
mod chain_tests;
#[cfg(test)]
mod demix_tests;
#[cfg(test)]
mod tests;

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use super::{
    device::choice::Failure,
    scheduler::{Listener, Scheduler},
};
use crate::{
    engine::{
        problem::{Problem, Result},
        store::{At, MixStore, StemStore, StemTree, TreeLock, WriteLock},
        types::{CHANNELS, CancelToken},
    },
    model::{Level, ModelError, Separator, Stop},
};

/// Progress of a separation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SegmentEvent {
    /// The computation of this segment begins.
    Begins(At),
    /// This segment is readable.
    Readable(At),
    /// This segment is durably stored.
    Stored(At),
    /// A device failed, and the processor takes over.
    DeviceFailed(Failure),
}

/// A network of a model.
pub struct Member<'a> {
    /// Loaded network.
    pub network: &'a dyn Separator,
    /// Share of the network in each stem, before division by the sum of all shares.
    pub shares: &'a [f32],
}

/// A step of the chain that is computed.
pub struct RunStep<'a> {
    /// Index of the step in the chain.
    pub step: usize,
    /// Networks that compute the outputs.
    pub networks: Vec<Member<'a>>,
    /// Groups of outputs to compute; see [`StemStore`].
    pub groups: Vec<usize>,
    /// Whether the outputs are wanted for themselves. Otherwise only those segments are computed that
    /// other steps need.
    pub is_wanted: bool,
    /// Expected seconds per segment, if known.
    pub pace: Option<f64>,
}

/// Result of a segment: for each missing group, planar `[stems, channels, segment_frames]`.
type Separated = Vec<(usize, Vec<f32>)>;

/// A computed segment on its way to the disk.
struct Computed {
    at: At,
    groups: Separated,
    is_written: bool,
}

/// Input, output and networks of a separation.
pub struct Separation<'a> {
    /// Mix of the song. Its level is that of all steps, because a stem's own level would be known only
    /// after its last segment.
    pub mix: &'a MixStore,
    /// Stores for the stems.
    pub stems: &'a StemTree,
    /// Steps to compute, in the order of the chain.
    pub steps: &'a [RunStep<'a>],
    /// Locks of the steps.
    pub lock: &'a TreeLock,
    /// Pool that runs the networks.
    pub pool: &'a rayon::ThreadPool,
}

impl Separation<'_> {
    /// Computes the missing segments. `listener` is queried before and during each segment; a
    /// segment far from the playback position may be preempted. The segment under the play head goes
    /// through all steps before others. `on_event` is called when a segment begins, becomes readable, and
    /// is durably stored.
    ///
    /// # Errors
    /// [`Problem::Cancelled`] within a part of a segment, or after the current one if there is time
    /// ([`CancelToken::end_within`]); errors of the model and the disk. Finished segments stay.
    pub fn run(
        &self,
        listener: &(dyn Fn() -> Listener + Sync),
        cancel: &CancelToken,
        on_event: &mut dyn FnMut(SegmentEvent),
    ) -> Result<()> {
        let schedulers = self.steps.iter().map(|step| Scheduler::new(step.pace)).collect();
        let schedulers: Mutex<Vec<Scheduler>> = Mutex::new(schedulers);
        let schedulers = || schedulers.lock().unwrap_or_else(PoisonError::into_inner);
        let mut computed: Option<Computed> = None;
        loop {
            let mut before = computed.take();
            let next = {
                let at_hand = before.as_ref().map(|before| before.at);
                let is_finished = |at| self.is_done(at) || at_hand == Some(at);
                self.next(&mut schedulers(), listener(), &is_finished)
            };
            let Some((index, at)) = next.filter(|_| !cancel.is_ending()) else {
                self.keep(before, on_event)?;
                return if next.is_some() { Err(Problem::Cancelled) } else { Ok(()) };
            };
            if let Some(before) = &mut before
                && self.stems.first_needed(at, &|at| self.is_done(at)) != at
            {
                // This segment reads the previous one.
                self.write(before)?;
            }
            on_event(SegmentEvent::Begins(at));
            let (mut separated, stops) = (Ok(None), AtomicBool::new(false));
            let stop = || {
                let should_preempt = || {
                    let is_done = |segment| self.is_done(At { segment, ..at });
                    let (plan, now) = (self.stems.plan(at.step), Instant::now());
                    schedulers()[index].should_preempt(plan, at.segment, listener(), now, &is_done)
                };
                if cancel.is_cancelled() || should_preempt() {
                    stops.store(true, Ordering::Relaxed);
                }
                stops.load(Ordering::Relaxed)
            };
            let kept = self.pool.in_place_scope(|scope| {
                scope.spawn(|_| separated = self.separate(index, at, &stop));
                self.keep(before, on_event)
            });
            kept?;
            if let Some(groups) = separated? {
                schedulers()[index].computed(Instant::now());
                computed = Some(Computed { at, groups, is_written: false });
            }
        }
    }

    /// The next segment, with the index of its step among [`Self::steps`]: for the wanted step that is
    /// furthest behind at the play head, the first segment that its next one needs.
    fn next(
        &self,
        schedulers: &mut [Scheduler],
        listener: Listener,
        is_done: &dyn Fn(At) -> bool,
    ) -> Option<(usize, At)> {
        let now = Instant::now();
        let mut best: Option<((usize, bool, u64), At)> = None;
        for (run, scheduler) in self.steps.iter().zip(&mut *schedulers) {
            let (step, plan) = (run.step, self.stems.plan(run.step));
            let is_done = |segment| is_done(At { step, segment });
            let next = scheduler.next(plan, listener, now, &is_done);
            let Some(segment) = next.filter(|_| run.is_wanted) else { continue };
            let frames = plan.segment(segment);
            let place = (plan.pass_of(segment), frames.end <= listener.frame, frames.start);
            if best.as_ref().is_none_or(|(other, _)| place < *other) {
                best = Some((place, At { step, segment }));
            }
        }
        let at = self.stems.first_needed(best?.1, is_done);
        let index = self.steps.iter().position(|run| run.step == at.step)?;
        Some((index, at))
    }

    fn is_done(&self, at: At) -> bool {
        let run = self.steps.iter().find(|run| run.step == at.step);
        let store = self.stems.store(at.step);
        match (store, run) {
            (Some(store), Some(run)) => store.is_done_in(at.segment, &run.groups),
            // A step that is not computed here was finished before.
            (Some(store), None) => store.is_done(at.segment),
            (None, _) => false,
        }
    }

    /// Writes a computed segment, then syncs it.
    fn keep(
        &self,
        computed: Option<Computed>,
        on_event: &mut dyn FnMut(SegmentEvent),
    ) -> Result<()> {
        let Some(mut computed) = computed else { return Ok(()) };
        self.write(&mut computed)?;
        let At { step, segment } = computed.at;
        on_event(SegmentEvent::Readable(computed.at)); // playback never blocks on the disk
        for (group, _) in &computed.groups {
            let (store, lock) = self.store(step)?;
            store.keep_segment(lock, segment, *group)?;
        }
        on_event(SegmentEvent::Stored(computed.at));
        Ok(())
    }

    /// The store of a step, and its lock.
    fn store(&self, step: usize) -> Result<(&StemStore, &WriteLock)> {
        self.stems.store(step).zip(self.lock.of(step)).ok_or(Problem::Locked)
    }

    /// Normalisation that the networks of a step expect; those of a bag agree.
    fn level(&self, step: usize) -> Level {
        self.stems.chain().steps[step].model.spec.level
    }

    /// Runs the networks on a segment; `None` if they were stopped.
    fn separate(&self, index: usize, at: At, stop: Stop<'_>) -> Result<Option<Separated>> {
        tracing::debug!("computing segment {} of step {}", at.segment, at.step);
        let input = self.read_window(at)?;
        match self.make(&self.steps[index], at.segment, &input, stop) {
            Ok(separated) => Ok(Some(separated)),
            Err(ModelError::Cancelled) => {
                tracing::debug!("segment {} of step {} was preempted", at.segment, at.step);
                Ok(None)
            }
            Err(e) => Err(e.into()),
        }
    }

    /// Runs every network with a share in a missing stem once. A stem from a single network is that
    /// network's unmodified output.
    fn make(
        &self,
        run: &RunStep<'_>,
        segment: usize,
        input: &[f32],
        stop: Stop<'_>,
    ) -> Result<Separated, ModelError> {
        let Some(store) = self.stems.store(run.step) else { return Ok(Vec::new()) };
        let missing = run.groups.iter().copied();
        let missing: Vec<usize> =
            missing.filter(|&group| !store.is_done_in(segment, &[group])).collect();
        if let ([only], [group]) = (&run.networks[..], &missing[..])
            && store.stems_of(*group).len() == store.sources().len()
        {
            return Ok(vec![(*group, only.network.separate_unless(input, stop)?)]);
        }
        let mut made: Vec<(usize, Vec<f32>)> =
            missing.into_iter().map(|group| (group, Vec::new())).collect();
        for member in &run.networks {
            let has_share = |stem: &usize| member.share_of(*stem) > 0.0;
            let wanted =
                |(group, _): &(usize, Vec<f32>)| store.stems_of(*group).iter().any(has_share);
            if !made.iter().any(wanted) {
                continue;
            }
            let output = member.network.separate_unless(input, stop)?;
            for (group, sum) in &mut made {
                run.add(member, &output, store.stems_of(*group), sum, input.len());
            }
        }
        Ok(made)
    }

    /// Writes the segment's own frames to the store, at the song's level, unless that was done. NaN or
    /// infinite samples are an error: the input is finite, so the weights or this build must be faulty.
    fn write(&self, computed: &mut Computed) -> Result<()> {
        let At { step, segment } = computed.at;
        if std::mem::replace(&mut computed.is_written, true) {
            return Ok(());
        }
        let (store, lock) = self.store(step)?;
        let plan = store.plan();
        let own = plan.segment(segment);
        let (frames, at) = ((own.end - own.start) as usize, plan.result_at(segment));
        let (mean, deviation) = (self.mix.mean(), self.mix.deviation());
        for (group, separated) in &computed.groups {
            let mut stems = Vec::with_capacity(separated.len() / plan.segment_frames * frames);
            for channel in separated.chunks_exact(plan.segment_frames) {
                let channel = &channel[at..at + frames];
                match self.level(step) {
                    Level::Track => stems.extend(channel.iter().map(|x| x * deviation + mean)),
                    Level::AsIs => stems.extend_from_slice(channel),
                }
            }
            if !stems.iter().all(|sample| sample.is_finite()) {
                return Err(Problem::NotNumbers { segment });
            }
            store.write_segment(lock, segment, *group, &stems)?;
        }
        Ok(())
    }

    /// Input of the networks for a segment: planar `[channels, segment_frames]`, at the level that they
    /// expect.
    fn read_window(&self, at: At) -> Result<Vec<f32>> {
        let (plan, level) = (self.stems.plan(at.step), self.level(at.step));
        let (mean, deviation) = (self.mix.mean(), self.mix.deviation());
        let mut planar = vec![0.0; CHANNELS * plan.segment_frames];
        let mut interleaved = Vec::new();
        for stretch in plan.window(at.segment).stretches {
            interleaved.resize(stretch.len() * CHANNELS, 0.0);
            let read = self.stems.read_input(at.step, stretch.frames.start, &mut interleaved);
            read.map_err(|e| Problem::read(&self.mix.path(), e))?;
            for (channel, out) in planar.chunks_exact_mut(plan.segment_frames).enumerate() {
                let out = &mut out[stretch.at..][..stretch.len()];
                for (x, frame) in out.iter_mut().zip(interleaved.chunks_exact(CHANNELS)) {
                    *x = match level {
                        Level::Track => (frame[channel] - mean) / deviation,
                        Level::AsIs => frame[channel],
                    };
                }
                if stretch.is_reversed {
                    out.reverse();
                }
            }
        }
        Ok(planar)
    }
}

impl RunStep<'_> {
    /// Adds a network's output to stems, weighted by its share.
    fn add(
        &self,
        member: &Member<'_>,
        output: &[f32],
        stems: &[usize],
        sum: &mut Vec<f32>,
        stem_len: usize,
    ) {
        sum.resize(stems.len() * stem_len, 0.0);
        for (&stem, sum) in stems.iter().zip(sum.chunks_exact_mut(stem_len)) {
            let all: f32 = self.networks.iter().map(|other| other.share_of(stem)).sum();
            let share = member.share_of(stem) / all;
            let output = &output[stem * stem_len..][..stem_len];
            if share >= 1.0 {
                sum.copy_from_slice(output);
            } else if share > 0.0 {
                for (sum, sample) in sum.iter_mut().zip(output) {
                    *sum += share * sample;
                }
            }
        }
    }
}

impl Member<'_> {
    fn share_of(&self, stem: usize) -> f32 {
        self.shares.get(stem).copied().unwrap_or(0.0)
    }
}
