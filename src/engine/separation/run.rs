//! Separating one song: every segment that its stem store lacks, the listener's first.
//!
//! Knows no queue and no library. The model runs on the given pool; meanwhile the thread that calls
//! puts the segment before into the store, so that no core waits for the disk.

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
    model::{ModelError, Separator, Stop},
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

    /// What the networks make of a segment; `None` if they were stopped.
    fn separate(&self, index: usize, stop: Stop<'_>) -> Result<Option<Separated>> {
        tracing::debug!("computing segment {index}");
        let mix = read_window(self.mix, self.stems.plan(), index)?;
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
        let (frames, at) = ((own.end - own.start) as usize, plan.window(index).result_at);
        let (mean, deviation) = (self.mix.mean(), self.mix.deviation());
        let mut stems = Vec::with_capacity(separated.len() / plan.segment_frames * frames);
        for channel in separated.chunks_exact(plan.segment_frames) {
            stems.extend(channel[at..at + frames].iter().map(|x| x * deviation + mean));
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

/// What the model is given for a segment: planar `[channels, segment_frames]`, normalised by the
/// level of the track, zero only beyond its ends.
fn read_window(mix: &MixStore, plan: &Plan, index: usize) -> Result<Vec<f32>> {
    let window = plan.window(index);
    let frames = (window.frames.end - window.frames.start) as usize;
    let mut interleaved = vec![0.0; frames * CHANNELS];
    mix.read(window.frames.start, &mut interleaved).map_err(|e| Problem::read(&mix.path(), e))?;
    let (mean, deviation) = (mix.mean(), mix.deviation());
    let mut planar = vec![0.0; CHANNELS * plan.segment_frames];
    for (channel, out) in planar.chunks_exact_mut(plan.segment_frames).enumerate() {
        let out = &mut out[window.zeros_before..][..frames];
        for (x, frame) in out.iter_mut().zip(interleaved.chunks_exact(CHANNELS)) {
            *x = (frame[channel] - mean) / deviation;
        }
    }
    Ok(planar)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        engine::{problem::Activity, store::MixWriter, types::Compute},
        model::{Result as ModelResult, Spec},
    };

    /// A network whose stem `s` is its input times `s + 1`.
    struct Identity(Spec);

    impl Identity {
        fn new(segment_frames: usize) -> Self {
            let sources = vec!["one".into(), "two".into()];
            Self(Spec::triangle(sources, segment_frames))
        }
    }

    impl Separator for Identity {
        fn spec(&self) -> &Spec {
            &self.0
        }

        fn separate_unless(&self, mix: &[f32], _stop: Stop<'_>) -> ModelResult<Vec<f32>> {
            assert_eq!(mix.len(), CHANNELS * self.0.segment_frames);
            Ok(mix.iter().copied().chain(mix.iter().map(|x| 2.0 * x)).collect())
        }
    }

    fn store_mix(folder: &std::path::Path, samples: &[f32]) -> MixStore {
        let mut writer = MixWriter::create(folder).unwrap();
        writer.push(samples).unwrap();
        writer.finish().unwrap()
    }

    fn noise(frames: usize, seed: u32) -> Vec<f32> {
        let mut state = seed | 1;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 24) as f32 - 0.3
        };
        (0..frames * CHANNELS).map(|_| next()).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        /// The first stem of the identity network is the mix, first and last sample included, for
        /// any length, wherever the listener is, and with a cancellation in the middle.
        #[test]
        fn identity_gives_the_mix(frames in 1usize..900, segment in 8usize..200, head in 0u64..900) {
            let folder = tempfile::tempdir().unwrap();
            let samples = noise(frames, segment as u32);
            let mix = store_mix(folder.path(), &samples);
            let model = Identity::new(segment);
            let plan = Plan::new(frames as u64, segment);
            let stems = StemStore::open(&folder.path().join("s"), plan, &model.0.sources).unwrap();
            let pool = crate::engine::separation::pool::new(Compute { threads: Some(1), ..Compute::default() }).unwrap();
            let networks = [Member { network: &model, shares: &[1.0, 1.0] }];
            let work = Separation { mix: &mix, stems: &stems, networks: &networks, groups: &[0], pool: &pool, pace: None };
            let cancel = CancelToken::default();
            let ended = work.run(&|| Listener::at(head), &cancel, &mut |step| {
                if matches!(step, Step::Stored(_)) {
                    cancel.cancel();
                }
            });
            prop_assert!(plan.len() <= 2 || matches!(ended, Err(Problem::Cancelled)));
            // The one that was being computed meanwhile is kept too.
            let kept = stems.done_count();
            prop_assert!((1..=2).contains(&kept));
            let (mut begun, mut stored) = (Vec::new(), Vec::new());
            work.run(&|| Listener::at(head), &CancelToken::default(), &mut |step| match step {
                Step::Begins(index) => begun.push(index),
                Step::Readable(_) => {}
                Step::Stored(index) => stored.push(index),
            })
            .unwrap();
            prop_assert_eq!(stored.len(), plan.len() - kept);
            prop_assert_eq!(begun, stored);
            let mut out = vec![0.0; samples.len()];
            stems.read(0, 0, &mut out).unwrap();
            for (have, want) in out.iter().zip(&samples) {
                prop_assert!((have - want).abs() < 1e-5, "{have} {want}");
            }
        }
    }

    /// A network that counts how often it is run.
    struct Counting(Identity, f32, std::sync::atomic::AtomicUsize);

    impl Separator for Counting {
        fn spec(&self) -> &Spec {
            self.0.spec()
        }

        fn separate_unless(&self, mix: &[f32], stop: Stop<'_>) -> ModelResult<Vec<f32>> {
            self.2.fetch_add(1, Ordering::Relaxed);
            let stems = self.0.separate_unless(mix, stop)?;
            Ok(stems.iter().map(|x| x * self.1).collect())
        }
    }

    /// Separates with a bag whose networks have these shares, of the given groups one after the
    /// other; the stems, and how often each network was run.
    fn with_bag(shares: [[f32; 2]; 2], orders: &[&[usize]]) -> (Vec<Vec<f32>>, [usize; 2]) {
        let folder = tempfile::tempdir().unwrap();
        let mix = store_mix(folder.path(), &noise(260, 5));
        let nets = [0.5, 0.3].map(|gain| Counting(Identity::new(100), gain, 0.into()));
        let plan = Plan::new(260, 100);
        let sources = nets[0].spec().sources.clone();
        let groups = [vec![0], vec![1]];
        let stems = StemStore::open_in_groups(&folder.path().join("s"), plan, &sources, &groups);
        let stems = stems.unwrap();
        let pool = crate::engine::separation::pool::new(Compute::default()).unwrap();
        let networks: Vec<_> =
            nets.iter().zip(&shares).map(|(network, shares)| Member { network, shares }).collect();
        for groups in orders {
            let work = Separation {
                mix: &mix,
                stems: &stems,
                networks: &networks,
                groups,
                pool: &pool,
                pace: None,
            };
            work.run(&|| Listener::at(0), &CancelToken::default(), &mut |_| {}).unwrap();
            assert!(stems.is_complete());
        }
        let read = |stem| {
            let mut out = vec![0.0; 260 * CHANNELS];
            stems.read(stem, 0, &mut out).unwrap();
            out
        };
        let counts = [0, 1].map(|net: usize| nets[net].2.load(Ordering::Relaxed));
        ([0, 1].map(read).into(), counts)
    }

    #[test]
    fn a_bag_runs_only_what_is_wanted_and_gives_the_same() {
        let one_each = [[1.0, 0.0], [0.0, 1.0]];
        let (whole, counts) = with_bag(one_each, &[&[0, 1]]);
        assert_eq!(counts, [4, 4]);
        let (first, counts) = with_bag(one_each, &[&[0]]);
        assert_eq!((counts, &first[0]), ([4, 0], &whole[0]), "one tick, one network, same samples");
        assert!(first[1].iter().all(|x| *x == 0.0));
        let (later, counts) = with_bag(one_each, &[&[1], &[0, 1]]);
        assert_eq!((counts, &later), ([4, 4], &whole), "what is there is not made again");

        let (mixed, counts) = with_bag([[1.0, 1.0], [3.0, 0.0]], &[&[0, 1]]);
        assert_eq!(counts, [4, 4], "each network once, whatever it is for");
        // Networks are given the song without its mean.
        let samples = noise(260, 5);
        let mean = samples.iter().sum::<f32>() / samples.len() as f32;
        for (at, x) in samples.iter().enumerate() {
            let expected = (0.5 * 0.25 + 0.3 * 0.75) * (x - mean) + mean;
            assert!((mixed[0][at] - expected).abs() < 1e-3, "{at}: {} {expected}", mixed[0][at]);
        }
    }

    /// A network whose weights are damaged: one value is no number.
    struct Broken(Identity);

    impl Separator for Broken {
        fn spec(&self) -> &Spec {
            self.0.spec()
        }

        fn separate_unless(&self, mix: &[f32], _stop: Stop<'_>) -> ModelResult<Vec<f32>> {
            let mut stems = self.0.separate(mix)?;
            let middle = stems.len() / 2;
            stems[middle] = f32::NAN;
            Ok(stems)
        }
    }

    #[test]
    fn what_is_no_number_is_an_error_and_never_kept() {
        let folder = tempfile::tempdir().unwrap();
        let mix = store_mix(folder.path(), &noise(160, 5));
        let model = Broken(Identity::new(100));
        let plan = Plan::new(160, 100);
        let stems = StemStore::open(&folder.path().join("s"), plan, &model.spec().sources).unwrap();
        let pool = crate::engine::separation::pool::new(Compute::default()).unwrap();
        let networks = [Member { network: &model, shares: &[1.0, 1.0] }];
        let work = Separation {
            mix: &mix,
            stems: &stems,
            networks: &networks,
            groups: &[0],
            pool: &pool,
            pace: None,
        };
        let ended = work.run(&|| Listener::at(0), &CancelToken::default(), &mut |_| {});
        assert!(matches!(ended, Err(Problem::NotNumbers { segment: 0 })), "{ended:?}");
        assert_eq!(stems.done_count(), 0);
    }

    /// A network with a bug, which shows from its third segment on.
    struct Buggy(Identity, std::sync::atomic::AtomicUsize);

    impl Separator for Buggy {
        fn spec(&self) -> &Spec {
            self.0.spec()
        }

        fn separate_unless(&self, mix: &[f32], _stop: Stop<'_>) -> ModelResult<Vec<f32>> {
            let count = self.1.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            // On the pool's threads, as a kernel would.
            rayon::join(|| assert!(count < 2, "a bug"), || ());
            self.0.separate(mix)
        }
    }

    #[test]
    fn a_bug_ends_the_job_with_its_words_and_the_pool_goes_on() {
        use crate::engine::system::panics::caught;

        let folder = tempfile::tempdir().unwrap();
        let mix = store_mix(folder.path(), &noise(900, 5));
        let buggy = Buggy(Identity::new(100), 0.into());
        let sources = buggy.spec().sources.clone();
        let plan = Plan::new(900, 100);
        let stems = StemStore::open(&folder.path().join("s"), plan, &sources).unwrap();
        let pool = crate::engine::separation::pool::new(Compute::default()).unwrap();
        let never = CancelToken::default();
        let run = |model: &dyn Separator| {
            let networks = [Member { network: model, shares: &[1.0, 1.0] }];
            let work = Separation {
                mix: &mix,
                stems: &stems,
                networks: &networks,
                groups: &[0],
                pool: &pool,
                pace: None,
            };
            caught(Activity::Separating, || work.run(&|| Listener::at(0), &never, &mut |_| {}))
        };
        let words = run(&buggy).unwrap_err().to_string();
        assert!(words.contains("a bug"), "{words}");
        assert_eq!(stems.done_count(), 2, "what was finished stays");
        run(&Identity::new(100)).unwrap();
        assert!(stems.is_complete());
    }

    #[test]
    fn the_last_sound_is_not_borrowed_from_zeros() {
        // A short last segment is centred: the window is full of real audio before it.
        let folder = tempfile::tempdir().unwrap();
        let samples = noise(160, 5);
        let mix = store_mix(folder.path(), &samples);
        let window = read_window(&mix, &Plan::new(160, 100), 2).unwrap();
        assert_eq!(Plan::new(160, 100).window(2).zeros_before, 0);
        assert!(window[..55].iter().all(|&x| x != 0.0));
    }
}
