//! Tests of a song's separation: samples, order, and termination.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::{
    engine::{
        problem::Activity,
        separation::{chain::StepNeeds, plan::Plan},
        store::MixWriter,
        types::Compute,
    },
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

fn store_mix(folder: &std::path::Path, samples: &[f32]) -> Arc<MixStore> {
    let mut writer = MixWriter::create(folder).unwrap();
    writer.push(samples).unwrap();
    Arc::new(writer.finish().unwrap())
}

/// Separates with the networks of the only step.
fn separate(
    mix: &MixStore,
    stems: &StemTree,
    networks: Vec<Member<'_>>,
    groups: &[usize],
    listener: &(dyn Fn() -> Listener + Sync),
    cancel: &CancelToken,
    on_event: &mut dyn FnMut(SegmentEvent),
) -> Result<()> {
    let outputs = groups.iter().flat_map(|group| stems.store(0).unwrap().stems_of(*group).to_vec());
    let needs = [StepNeeds { step: 0, outputs: outputs.collect(), is_wanted: true }];
    stems.claim(&needs)?;
    let lock = stems.lock(&needs)?;
    let groups = groups.to_vec();
    let steps = [RunStep { step: 0, networks, groups, is_wanted: true, pace: None }];
    let compute = Compute { threads: Some(1), ..Compute::default() };
    let pool = &crate::engine::separation::pool::new(compute)?;
    Separation { mix, stems, steps: &steps, lock: &lock, pool }.run(listener, cancel, on_event)
}

fn member(network: &dyn Separator) -> Vec<Member<'_>> {
    vec![Member { network, shares: &[1.0, 1.0] }]
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
    /// The first stem of the identity network equals the mix, including the first and last sample.
    /// This holds for any length and listener position, and with a cancellation in the middle.
    #[test]
    fn identity_gives_the_mix(frames in 1usize..900, segment in 8usize..200, head in 0u64..900) {
        let folder = tempfile::tempdir().unwrap();
        let samples = noise(frames, segment as u32);
        let mix = store_mix(folder.path(), &samples);
        let model = Identity::new(segment);
        let plan = Plan::new(frames as u64, segment);
        let stems = StemStore::open(&folder.path().join("s"), plan, &model.0.sources).unwrap();
        let tree = StemTree::of_store(stems, Arc::clone(&mix));
        let stems = tree.store(0).unwrap();
        let (cancel, listener) = (CancelToken::default(), &|| Listener::at(head));
        let mut stop_at_first = |event| {
            if matches!(event, SegmentEvent::Stored(_)) {
                cancel.cancel();
            }
        };
        let networks = member(&model);
        let ended = separate(&mix, &tree, networks, &[0], listener, &cancel, &mut stop_at_first);
        prop_assert!(plan.len() <= 2 || matches!(ended, Err(Problem::Cancelled)));
        // The segment in progress at that time is stored, too.
        let kept = stems.done_count();
        prop_assert!((1..=2).contains(&kept));
        let (mut begun, mut stored) = (Vec::new(), Vec::new());
        let (networks, cancel) = (member(&model), CancelToken::default());
        separate(&mix, &tree, networks, &[0], listener, &cancel, &mut |event| match event {
            SegmentEvent::Begins(at) => begun.push(at),
            SegmentEvent::Readable(_) | SegmentEvent::DeviceFailed(_) => {}
            SegmentEvent::Stored(at) => stored.push(at),
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

/// A network that counts its runs.
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

/// Separates with a bag whose networks have these shares, for the given groups in order. Returns
/// the stems, and the number of runs of each network.
fn with_bag(shares: [[f32; 2]; 2], orders: &[&[usize]]) -> (Vec<Vec<f32>>, [usize; 2]) {
    let folder = tempfile::tempdir().unwrap();
    let mix = store_mix(folder.path(), &noise(260, 5));
    let nets = [0.5, 0.3].map(|gain| Counting(Identity::new(100), gain, 0.into()));
    let plan = Plan::new(260, 100);
    let sources = nets[0].spec().sources.clone();
    let groups = [vec![0], vec![1]];
    let stems =
        StemStore::open_in_groups(&folder.path().join("s"), plan, (&sources, None), &groups);
    let tree = StemTree::of_store(stems.unwrap(), Arc::clone(&mix));
    let stems = tree.store(0).unwrap();
    for groups in orders {
        let networks =
            nets.iter().zip(&shares).map(|(network, shares)| Member { network, shares }).collect();
        let (listener, cancel) = (&|| Listener::at(0), CancelToken::default());
        separate(&mix, &tree, networks, groups, listener, &cancel, &mut |_| {}).unwrap();
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
fn a_bag_runs_only_needed_networks_with_equal_results() {
    let one_each = [[1.0, 0.0], [0.0, 1.0]];
    let (whole, counts) = with_bag(one_each, &[&[0, 1]]);
    assert_eq!(counts, [4, 4]);
    let (first, counts) = with_bag(one_each, &[&[0]]);
    assert_eq!(
        (counts, &first[0]),
        ([4, 0], &whole[0]),
        "one stem must run one network with equal samples"
    );
    assert!(first[1].iter().all(|x| *x == 0.0));
    let (later, counts) = with_bag(one_each, &[&[1], &[0, 1]]);
    assert_eq!((counts, &later), ([4, 4], &whole), "finished stems must not be computed again");

    let (mixed, counts) = with_bag([[1.0, 1.0], [3.0, 0.0]], &[&[0, 1]]);
    assert_eq!(counts, [4, 4], "each network must run once per segment");
    // Networks receive the song without its mean.
    let samples = noise(260, 5);
    let mean = samples.iter().sum::<f32>() / samples.len() as f32;
    for (at, x) in samples.iter().enumerate() {
        let expected = (0.5 * 0.25 + 0.3 * 0.75) * (x - mean) + mean;
        assert!((mixed[0][at] - expected).abs() < 1e-3, "{at}: {} {expected}", mixed[0][at]);
    }
}

/// A network with damaged weights: one output is NaN.
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
fn nan_is_an_error_and_never_stored() {
    let folder = tempfile::tempdir().unwrap();
    let mix = store_mix(folder.path(), &noise(160, 5));
    let model = Broken(Identity::new(100));
    let plan = Plan::new(160, 100);
    let stems = StemStore::open(&folder.path().join("s"), plan, &model.spec().sources).unwrap();
    let tree = StemTree::of_store(stems, Arc::clone(&mix));
    let (listener, cancel) = (&|| Listener::at(0), CancelToken::default());
    let ended = separate(&mix, &tree, member(&model), &[0], listener, &cancel, &mut |_| {});
    assert!(matches!(ended, Err(Problem::NotNumbers { segment: 0 })), "{ended:?}");
    assert_eq!(tree.done_count_of(&[0, 1]), 0);
}

/// A network that panics from its third segment on.
struct Buggy(Identity, std::sync::atomic::AtomicUsize);

impl Separator for Buggy {
    fn spec(&self) -> &Spec {
        self.0.spec()
    }

    fn separate_unless(&self, mix: &[f32], _stop: Stop<'_>) -> ModelResult<Vec<f32>> {
        let count = self.1.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        // Panic on the pool's threads, as a kernel would.
        rayon::join(|| assert!(count < 2, "a bug"), || ());
        self.0.separate(mix)
    }
}

#[test]
fn a_panic_ends_the_job_with_its_message_and_the_pool_survives() {
    use crate::engine::system::panics::caught;

    let folder = tempfile::tempdir().unwrap();
    let mix = store_mix(folder.path(), &noise(900, 5));
    let buggy = Buggy(Identity::new(100), 0.into());
    let sources = buggy.spec().sources.clone();
    let plan = Plan::new(900, 100);
    let stems = StemStore::open(&folder.path().join("s"), plan, &sources).unwrap();
    let tree = StemTree::of_store(stems, Arc::clone(&mix));
    let stems = tree.store(0).unwrap();
    let (never, listener) = (CancelToken::default(), &|| Listener::at(0));
    let run = |model: &dyn Separator| {
        let networks = member(model);
        let work = || separate(&mix, &tree, networks, &[0], listener, &never, &mut |_| {});
        caught(Activity::Separating, work)
    };
    let message = run(&buggy).unwrap_err().to_string();
    assert!(message.contains("a bug"), "{message}");
    assert_eq!(stems.done_count(), 2, "finished segments must stay");
    run(&Identity::new(100)).unwrap();
    assert!(stems.is_complete());
}

#[test]
fn a_short_last_segment_is_padded_with_real_audio() {
    // A short last segment is centred, after real audio.
    let folder = tempfile::tempdir().unwrap();
    let samples = noise(160, 5);
    let mix = store_mix(folder.path(), &samples);
    let store = StemStore::open(&folder.path().join("s"), Plan::new(160, 100), &["one".into()]);
    let stems = StemTree::of_store(store.unwrap(), Arc::clone(&mix));
    let (lock, pool) = (
        stems.lock(&[]).unwrap(),
        &crate::engine::separation::pool::new(Compute::default()).unwrap(),
    );
    let work = Separation { mix: &mix, stems: &stems, steps: &[], lock: &lock, pool };
    let window = work.read_window(At { step: 0, segment: 2 }).unwrap();
    assert!(window[..55].iter().all(|&x| x != 0.0));
}
