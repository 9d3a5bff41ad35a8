//! Tests of chains: the input of each step, the order of segments, sums, and interruptions.

use std::{
    path::Path,
    sync::{Arc, Mutex},
};

use proptest::prelude::*;

use super::*;
use crate::{
    engine::{
        player::Track as _,
        separation::{
            chain::{Chain, Step, StepNeeds, tests::chain},
            options::Quality,
            pool,
        },
        store::{MixWriter, track::SongTrack},
        types::Compute,
    },
    model::{Result as ModelResult, Spec},
};

const FRAMES: usize = 5_000;

/// A network whose outputs depend on the sample and on its place in the segment. It keeps its inputs.
struct Curved {
    spec: Spec,
    inputs: Mutex<Vec<Vec<f32>>>,
}

impl Separator for Curved {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn separate_unless(&self, mix: &[f32], _stop: Stop<'_>) -> ModelResult<Vec<f32>> {
        self.inputs.lock().unwrap().push(mix.to_vec());
        let frames = self.spec.segment_frames;
        let output = |stem: usize| {
            mix.iter().enumerate().map(move |(at, x)| {
                let place = (at % frames) as f32 / frames as f32;
                x * (0.3 + 0.2 * stem as f32 + 0.1 * place) + 0.01 * x * x
            })
        };
        Ok((0..self.spec.sources.len()).flat_map(output).collect())
    }
}

/// A song with a chain of three steps, whose networks have different segments and joints.
struct Song {
    folder: tempfile::TempDir,
    chain: Arc<Chain>,
    networks: Vec<Curved>,
}

impl Song {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut state = 3u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 23) as f32 - 1.0
        };
        let samples: Vec<f32> = (0..FRAMES * CHANNELS).map(|_| next()).collect();
        let mut writer = MixWriter::create(folder.path()).unwrap();
        writer.push(&samples).unwrap();
        drop(writer.finish().unwrap());
        let Chain { name, mut steps, tree, .. } = chain("three");
        let sources = |step: &Step| step.model.spec.sources.clone();
        steps[0].model.spec = Spec::triangle(sources(&steps[0]), 1_000);
        steps[1].model.spec = Spec::fade(sources(&steps[1]), 730, 50);
        steps[2].model.spec = Spec::triangle(sources(&steps[2]), 610);
        let networks = steps
            .iter()
            .map(|step| Curved { spec: step.model.spec.clone(), inputs: Mutex::default() });
        let networks = networks.collect();
        let chain = Arc::new(Chain::new(name, steps, tree, Vec::new()));
        Self { folder, chain, networks }
    }

    fn track(&self) -> SongTrack {
        SongTrack::open(self.folder.path(), Some(&self.chain), Quality::default()).unwrap()
    }

    /// Computes stems, for a listener at `head`; `on_event` may cancel. Returns the events.
    fn run(
        &self,
        stems: &[usize],
        head: u64,
        on_event: &dyn Fn(SegmentEvent, &CancelToken),
    ) -> Result<Vec<SegmentEvent>> {
        let track = self.track();
        let tree = track.stems.as_deref().unwrap();
        let needs = self.chain.needs(stems);
        tree.claim(&needs).unwrap();
        let lock = tree.lock(&needs).unwrap();
        let step = |needs: &StepNeeds| RunStep {
            step: needs.step,
            networks: vec![Member { network: &self.networks[needs.step], shares: &[1.0; 2] }],
            groups: tree.groups(needs.step, &needs.outputs),
            is_wanted: needs.is_wanted,
            pace: None,
        };
        let steps: Vec<RunStep<'_>> = needs.iter().map(step).collect();
        let pool = pool::new(Compute { threads: Some(1), ..Compute::default() }).unwrap();
        let (mix, cancel, mut events) = (&track.mix, CancelToken::default(), Vec::new());
        let work = Separation { mix, stems: tree, steps: &steps, lock: &lock, pool: &pool };
        work.run(&|| Listener::at(head), &cancel, &mut |event| {
            events.push(event);
            on_event(event, &cancel);
        })?;
        Ok(events)
    }

    /// Samples of all stems.
    fn stems(&self) -> Vec<Vec<f32>> {
        let track = self.track();
        let read = |stem| {
            let mut out = vec![f32::NAN; FRAMES * CHANNELS];
            track.read_stem(stem, 0, &mut out).unwrap();
            out
        };
        (0..self.chain.stems().len()).map(read).collect()
    }
}

fn all(song: &Song) -> Vec<usize> {
    (0..song.chain.stems().len()).collect()
}

#[test]
fn each_step_reads_its_input_bit_for_bit_as_it_is_exported() {
    let song = Song::new();
    song.run(&all(&song), 0, &|_, _| {}).unwrap();
    let (track, stems) = (song.track(), song.stems());
    let tree = track.stems.as_deref().unwrap();
    assert!(tree.is_complete());
    let mut mix = vec![0.0; FRAMES * CHANNELS];
    track.mix.read(0, &mut mix).unwrap();
    // The second step reads the vocals, the third the band: the mix minus the vocals.
    let names = song.chain.stems();
    let stem = |name: &str| &stems[names.iter().position(|other| other == name).unwrap()];
    let expected = [&mix, stem("vocals"), stem("band")];
    for (step, whole) in expected.into_iter().enumerate() {
        let inputs = song.networks[step].inputs.lock().unwrap();
        let (plan, level) = (tree.plan(step), song.networks[step].spec.level);
        assert_eq!(inputs.len(), plan.len(), "each segment of step {step} runs once");
        let (mean, deviation) = (track.mix.mean(), track.mix.deviation());
        for index in 0..plan.len() {
            let mut window = vec![0.0f32; CHANNELS * plan.segment_frames];
            for stretch in plan.window(index).stretches {
                for k in 0..stretch.len() {
                    let at = if stretch.is_reversed { stretch.len() - 1 - k } else { k };
                    let frame = stretch.frames.start as usize + at;
                    for channel in 0..CHANNELS {
                        let x = whole[frame * CHANNELS + channel];
                        window[channel * plan.segment_frames + stretch.at + k] = match level {
                            Level::Track => (x - mean) / deviation,
                            Level::AsIs => x,
                        };
                    }
                }
            }
            assert!(inputs.contains(&window), "step {step}, segment {index}");
        }
    }
}

#[test]
fn stems_add_up_at_every_level_while_they_are_made() {
    let song = Song::new();
    let check = |song: &Song| {
        let (stems, tree) = (song.stems(), &song.chain.tree);
        for parent in [0, 3] {
            for (at, whole) in stems[parent].iter().enumerate() {
                let sum: f64 = tree.children(Some(parent)).map(|s| f64::from(stems[s][at])).sum();
                assert!((sum - f64::from(*whole)).abs() < 1e-6, "{parent} {at}");
            }
        }
    };
    let count = Mutex::new(0);
    let ended = song.run(&all(&song), 2_000, &|event, cancel| {
        if matches!(event, SegmentEvent::Stored(_)) {
            *count.lock().unwrap() += 1;
            if *count.lock().unwrap() == 9 {
                cancel.cancel();
            }
        }
    });
    assert!(matches!(ended, Err(Problem::Cancelled)));
    check(&song);
    song.run(&all(&song), 0, &|_, _| {}).unwrap();
    check(&song);
}

#[test]
fn the_segment_under_the_head_goes_through_all_steps_first() {
    let song = Song::new();
    let head = 3_300;
    let events = song.run(&[1, 4], head, &|_, _| {}).unwrap();
    let stored: Vec<At> = events
        .into_iter()
        .filter_map(|event| match event {
            SegmentEvent::Stored(at) => Some(at),
            _ => None,
        })
        .collect();
    let track = song.track();
    let tree = track.stems.as_deref().unwrap();
    let first = |step: usize| {
        let holds = |at: &At| at.step == step && tree.frames_of(*at).contains(&head);
        stored.iter().position(holds).unwrap()
    };
    // The window of a segment of 730 frames overlaps at most four of 1,000 with a stride of 750, and
    // so does one of 610.
    assert!(first(1) <= 4, "{stored:?}");
    assert!(first(2) <= 8, "{stored:?}");
    // Nothing is computed that no requested stem needs.
    assert_eq!(stored.len(), (0..3).map(|step| tree.plan(step).len()).sum::<usize>());
    let song = Song::new();
    let events = song.run(&[0], 0, &|_, _| {}).unwrap();
    let is_first = |event: &SegmentEvent| match event {
        SegmentEvent::Begins(at) | SegmentEvent::Readable(at) | SegmentEvent::Stored(at) => {
            at.step == 0
        }
        SegmentEvent::DeviceFailed(_) => false,
    };
    assert!(events.iter().all(is_first), "only the vocals were requested");
}

#[test]
fn a_chain_goes_on_from_the_stems_of_a_model_alone() {
    let song = Song::new();
    let model = song.chain.steps[0].model.clone();
    let alone = Song { chain: Arc::new(Chain::of_model(model)), ..Song::new() };
    let link = |from: &Path, to: &Path| {
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::rename(from, to).unwrap();
    };
    alone.run(&[0, 1], 0, &|_, _| {}).unwrap();
    let folder = |song: &Song| song.chain.step_folder(song.folder.path(), 0, Quality::default());
    link(&folder(&alone), &folder(&song));
    song.run(&all(&song), 0, &|_, _| {}).unwrap();
    assert!(song.networks[0].inputs.lock().unwrap().is_empty(), "the first step was done");
    let other = Song::new();
    other.run(&all(&other), 0, &|_, _| {}).unwrap();
    assert!(song.stems() == other.stems());
}

#[test]
fn parts_are_heard_instead_of_their_parent_once_they_are_requested() {
    let song = Song::new();
    song.run(&[0], 0, &|_, _| {}).unwrap();
    assert_eq!(song.track().heard(), [true, false, false, true, false, false]);
    song.run(&[1], 0, &|_, _| {}).unwrap();
    let track = song.track();
    assert_eq!(track.heard(), [false, true, true, true, false, false]);
    let mut out = [f32::NAN; 20];
    track.as_heard().read_stem(0, 100, &mut out).unwrap();
    assert_eq!(out, [0.0; 20], "the vocals are heard through their parts");
    track.read_stem(0, 100, &mut out).unwrap();
    assert!(out.iter().all(|x| *x != 0.0), "exports read them as before");
    assert!(track.has_all_of(2) && !track.has_all_of(4));
    assert_eq!(track.covered(), [(0, FRAMES as u64)]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    /// Interrupted anywhere, resumed for another listener: the same bits.
    #[test]
    fn an_interrupted_chain_ends_with_the_same_bits(
        stops in prop::collection::vec((1usize..12, 0u64..FRAMES as u64), 1..4)
    ) {
        let whole = Song::new();
        whole.run(&all(&whole), 0, &|_, _| {}).unwrap();
        let song = Song::new();
        for (count, head) in stops {
            let left = Mutex::new(count);
            let ended = song.run(&all(&song), head, &|event, cancel| {
                if matches!(event, SegmentEvent::Begins(_)) {
                    let mut left = left.lock().unwrap();
                    *left -= 1;
                    if *left == 0 {
                        cancel.cancel();
                    }
                }
            });
            prop_assert!(matches!(ended, Ok(_) | Err(Problem::Cancelled)));
        }
        song.run(&all(&song), 1_234, &|_, _| {}).unwrap();
        prop_assert!(song.stems() == whole.stems());
        // Cancelled segments may run twice; finished ones never do.
        for network in &song.networks {
            prop_assert!(network.inputs.lock().unwrap().len() <= 8 * 4 + 20);
        }
    }
}
