//! Separating one song: every segment that its stem store lacks, the listener's first.
//!
//! Knows no queue and no library. The model runs on the given pool; meanwhile the thread that calls
//! puts the segment before into the store, so that no core waits for the disk.

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
    plan::Plan,
    scheduler::{Listener, Scheduler},
};
use crate::{
    engine::{
        problem::{Problem, Result},
        store::{MixStore, StemStore, WriteLock},
        types::{CHANNELS, CancelToken},
    },
    model::{Level, ModelError, Separator, Stop},
};

/// What a separation tells on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// This segment is being computed now.
    Begins(usize),
    /// This segment can be read.
    Readable(usize),
    /// This segment is kept.
    Stored(usize),
}

/// A network of a model.
pub struct Member<'a> {
    /// The network.
    pub network: &'a dyn Separator,
    /// Its share in each stem, before it is divided by the sum of all shares.
    pub shares: &'a [f32],
}

/// A segment's result: for each group that was missing, planar `[stems, channels, segment_frames]`.
type Separated = Vec<(usize, Vec<f32>)>;

/// What a song is separated from, into, and with.
pub struct Separation<'a> {
    /// The song.
    pub mix: &'a MixStore,
    /// Where its stems go.
    pub stems: &'a StemStore,
    /// The networks that make them.
    pub networks: &'a [Member<'a>],
    /// The groups of stems that are made; see [`StemStore`].
    pub groups: &'a [usize],
    /// Where the networks run.
    pub pool: &'a rayon::ThreadPool,
    /// Seconds that a segment is expected to take, where that is known.
    pub pace: Option<f64>,
}

impl Separation<'_> {
    /// Computes the missing segments. `listener` is asked before each and while it is computed: one
    /// that is far from what is heard now gives way. `on_step` is told what begins, what can be read,
    /// and what is in the store for good.
    ///
    /// # Errors
    /// [`Problem::Cancelled`] within a part of a segment, or after the one in hand where there is
    /// time for it ([`CancelToken::end_within`]); [`Problem::Locked`] when another program
    /// writes these stems; those of the model and the disk. Finished segments stay.
    pub fn run(
        &self,
        listener: &(dyn Fn() -> Listener + Sync),
        cancel: &CancelToken,
        on_step: &mut dyn FnMut(Step),
    ) -> Result<()> {
        let lock = self.stems.lock()?;
        self.stems.reload(&lock)?;
        let plan = self.stems.plan();
        let keep =
            |computed: Option<(usize, Separated)>, on_step: &mut dyn FnMut(Step)| -> Result<()> {
                if let Some((index, separated)) = computed {
                    for (group, stems) in &separated {
                        self.write(&lock, index, *group, stems)?;
                    }
                    on_step(Step::Readable(index)); // nobody who listens waits for the disk
                    for (group, _) in &separated {
                        self.stems.keep_segment(&lock, index, *group)?;
                    }
                    on_step(Step::Stored(index));
                }
                Ok(())
            };
        let aim = Mutex::new(Scheduler::new(self.pace));
        let aim = || aim.lock().unwrap_or_else(PoisonError::into_inner);
        let mut computed: Option<(usize, Separated)> = None;
        loop {
            let before = computed.take();
            let is_there = |segment| {
                self.is_done(segment) || before.as_ref().is_some_and(|(s, _)| *s == segment)
            };
            let next = aim().next(plan, listener(), Instant::now(), &is_there);
            let Some(index) = next.filter(|_| !cancel.is_ending()) else {
                keep(before, on_step)?;
                return if next.is_some() { Err(Problem::Cancelled) } else { Ok(()) };
            };
            on_step(Step::Begins(index));
            let mut separated = Ok(None);
            let stops = AtomicBool::new(false);
            let stop = || {
                let should_preempt = || {
                    let is_done = |segment| self.is_done(segment);
                    aim().should_preempt(plan, index, listener(), Instant::now(), &is_done)
                };
                if cancel.is_cancelled() || should_preempt() {
                    stops.store(true, Ordering::Relaxed);
                }
                stops.load(Ordering::Relaxed)
            };
            let kept = self.pool.in_place_scope(|scope| {
                scope.spawn(|_| separated = self.separate(index, &stop));
                keep(before, on_step)
            });
            kept?;
            if let Some(stems) = separated? {
                aim().computed(Instant::now());
                computed = Some((index, stems));
            }
        }
    }

    fn is_done(&self, segment: usize) -> bool {
        self.stems.is_done_in(segment, self.groups)
    }

    /// The normalisation that the networks ask for; those of a bag are of one shape.
    fn level(&self) -> Level {
        self.networks.first().map_or(Level::AsIs, |member| member.network.spec().level)
    }

    /// What the networks make of a segment; `None` if they were stopped.
    fn separate(&self, index: usize, stop: Stop<'_>) -> Result<Option<Separated>> {
        tracing::debug!("computing segment {index}");
        let mix = read_window(self.mix, self.stems.plan(), self.level(), index)?;
        match self.make(index, &mix, stop) {
            Ok(separated) => Ok(Some(separated)),
            Err(ModelError::Cancelled) => {
                tracing::debug!("segment {index} gives way");
                Ok(None)
            }
            Err(e) => Err(e.into()),
        }
    }

    /// Runs every network that has a share in a stem that is missing, once. A stem that comes from
    /// one network alone is that network's output as it is.
    fn make(&self, index: usize, mix: &[f32], stop: Stop<'_>) -> Result<Separated, ModelError> {
        let missing = self.groups.iter().copied();
        let missing: Vec<usize> =
            missing.filter(|&group| !self.stems.is_done_in(index, &[group])).collect();
        if let ([only], [group]) = (self.networks, &missing[..])
            && self.stems.stems_of(*group).len() == self.stems.sources().len()
        {
            return Ok(vec![(*group, only.network.separate_unless(mix, stop)?)]);
        }
        let mut made: Vec<(usize, Vec<f32>)> =
            missing.into_iter().map(|group| (group, Vec::new())).collect();
        for member in self.networks {
            let has_share = |stem: &usize| member.share_of(*stem) > 0.0;
            let wanted =
                |(group, _): &(usize, Vec<f32>)| self.stems.stems_of(*group).iter().any(has_share);
            if !made.iter().any(wanted) {
                continue;
            }
            let output = member.network.separate_unless(mix, stop)?;
            for (group, sum) in &mut made {
                self.add(member, &output, *group, sum, mix.len());
            }
        }
        Ok(made)
    }

    /// Adds a network's output to the stems of a group, as much as its share is.
    fn add(
        &self,
        member: &Member<'_>,
        output: &[f32],
        group: usize,
        sum: &mut Vec<f32>,
        stem_len: usize,
    ) {
        let stems = self.stems.stems_of(group);
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

    /// Puts the segment's own frames into the store, at the song's level. A store never holds what is
    /// no number: the mix is finite, so that would be a fault of the weights or of this build.
    fn write(&self, lock: &WriteLock, index: usize, group: usize, separated: &[f32]) -> Result<()> {
        let plan = self.stems.plan();
        let own = plan.segment(index);
        let (frames, at) = ((own.end - own.start) as usize, plan.result_at(index));
        let (mean, deviation) = (self.mix.mean(), self.mix.deviation());
        let mut stems = Vec::with_capacity(separated.len() / plan.segment_frames * frames);
        for channel in separated.chunks_exact(plan.segment_frames) {
            let channel = &channel[at..at + frames];
            match self.level() {
                Level::Track => stems.extend(channel.iter().map(|x| x * deviation + mean)),
                Level::AsIs => stems.extend_from_slice(channel),
            }
        }
        if !stems.iter().all(|sample| sample.is_finite()) {
            return Err(Problem::NotNumbers { segment: index });
        }
        self.stems.write_segment(lock, index, group, &stems)
    }
}

impl Member<'_> {
    fn share_of(&self, stem: usize) -> f32 {
        self.shares.get(stem).copied().unwrap_or(0.0)
    }
}

/// The input of the networks for a segment: planar `[channels, segment_frames]`, at the level that
/// they ask for.
fn read_window(mix: &MixStore, plan: &Plan, level: Level, index: usize) -> Result<Vec<f32>> {
    let (mean, deviation) = (mix.mean(), mix.deviation());
    let mut planar = vec![0.0; CHANNELS * plan.segment_frames];
    let mut interleaved = Vec::new();
    for stretch in plan.window(index).stretches {
        interleaved.resize(stretch.len() * CHANNELS, 0.0);
        mix.read(stretch.frames.start, &mut interleaved)
            .map_err(|e| Problem::read(&mix.path(), e))?;
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
