//! Separation of one song: computes the segments missing in its stem store, in the order that suits
//! the listener.
//!
//! Independent of the queue and the library. The model runs on the given pool. Meanwhile the
//! calling thread stores the previous segment, so that no core waits for the disk.

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

/// Progress of a separation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The computation of this segment begins.
    Begins(usize),
    /// This segment is readable.
    Readable(usize),
    /// This segment is durably stored.
    Stored(usize),
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

/// Result of a segment: for each missing group, planar `[stems, channels, segment_frames]`.
type Separated = Vec<(usize, Vec<f32>)>;

/// Input, output and networks of a separation.
pub struct Separation<'a> {
    /// Mix of the song.
    pub mix: &'a MixStore,
    /// Store for the stems.
    pub stems: &'a StemStore,
    /// Networks that compute the stems.
    pub networks: &'a [Member<'a>],
    /// Groups of stems to compute; see [`StemStore`].
    pub groups: &'a [usize],
    /// Pool that runs the networks.
    pub pool: &'a rayon::ThreadPool,
    /// Expected seconds per segment, if known.
    pub pace: Option<f64>,
}

impl Separation<'_> {
    /// Computes the missing segments. `listener` is queried before and during each segment; a
    /// segment far from the playback position may be preempted. `on_step` is called when a segment
    /// begins, becomes readable, and is durably stored.
    ///
    /// # Errors
    /// [`Problem::Cancelled`] within a part of a segment, or after the current one if there is time
    /// ([`CancelToken::end_within`]). [`Problem::Locked`] if another program writes these stems;
    /// errors of the model and the disk. Finished segments stay.
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
                    on_step(Step::Readable(index)); // playback never blocks on the disk
                    for (group, _) in &separated {
                        self.stems.keep_segment(&lock, index, *group)?;
                    }
                    on_step(Step::Stored(index));
                }
                Ok(())
            };
        let scheduler = Mutex::new(Scheduler::new(self.pace));
        let scheduler = || scheduler.lock().unwrap_or_else(PoisonError::into_inner);
        let mut computed: Option<(usize, Separated)> = None;
        loop {
            let before = computed.take();
            let is_finished = |segment| {
                self.is_done(segment) || before.as_ref().is_some_and(|(s, _)| *s == segment)
            };
            let next = scheduler().next(plan, listener(), Instant::now(), &is_finished);
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
                    scheduler().should_preempt(plan, index, listener(), Instant::now(), &is_done)
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
                scheduler().computed(Instant::now());
                computed = Some((index, stems));
            }
        }
    }

    fn is_done(&self, segment: usize) -> bool {
        self.stems.is_done_in(segment, self.groups)
    }

    /// Normalisation that the networks expect; those of a bag agree.
    fn level(&self) -> Level {
        self.networks.first().map_or(Level::AsIs, |member| member.network.spec().level)
    }

    /// Runs the networks on a segment; `None` if they were stopped.
    fn separate(&self, index: usize, stop: Stop<'_>) -> Result<Option<Separated>> {
        tracing::debug!("computing segment {index}");
        let mix = read_window(self.mix, self.stems.plan(), self.level(), index)?;
        match self.make(index, &mix, stop) {
            Ok(separated) => Ok(Some(separated)),
            Err(ModelError::Cancelled) => {
                tracing::debug!("segment {index} was preempted");
                Ok(None)
            }
            Err(e) => Err(e.into()),
        }
    }

    /// Runs every network with a share in a missing stem once. A stem from a single network is that
    /// network's unmodified output.
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

    /// Adds a network's output to the stems of a group, weighted by its share.
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

    /// Writes the segment's own frames to the store, at the song's level. NaN or infinite samples
    /// are an error: the mix is finite, so the weights or this build must be faulty.
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

/// Input of the networks for a segment: planar `[channels, segment_frames]`, at the level that they
/// expect.
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
