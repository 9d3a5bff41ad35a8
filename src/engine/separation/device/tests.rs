//! Tests of simulated cards that are wrong, slow, full or lost: every song ends, with the stems of the
//! processor bit for bit. The simulated card computes with the kernels until it fails.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
};

use super::*;
use crate::engine::{
    export::{NamePattern, Place, Selection, Settings},
    note::Note,
    separation::{
        batch::{Batch, Request},
        chain::Chain,
        installed::InstalledModel,
        loaded_chain::{LoadedChain, Work},
        options::Quality,
        run::SegmentEvent,
        scheduler::Listener,
    },
    store::{MixStore, MixWriter, StemTree},
    types::{CHANNELS, CancelToken, Compute},
};

/// Milliseconds that the simulated devices have computed.
type Clock = Arc<AtomicUsize>;

const CARD: Device = Device::Cuda(0);
const SECOND: Device = Device::Cuda(1);
const MEMORY: &str = "DriverError(CUDA_ERROR_OUT_OF_MEMORY, \"out of memory\")";

/// The behaviour of the simulated card; segments count from 0.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Card {
    Good,
    Wrong,
    Slow,
    Quick,
    LostAtOpen,
    FullAt(usize),
    PanicsAt(usize),
    NanAt(usize),
    ShortAt(usize),
}

/// A machine with one card, and a clock that only the devices advance.
struct Simulated {
    card: Card,
    /// A second card, and its free memory.
    second: Option<(Card, u64)>,
    clock: Clock,
    /// Segments that the card has computed or refused.
    segments: Arc<AtomicUsize>,
    /// Networks that were loaded on the processor.
    loads: Arc<AtomicUsize>,
}

impl Opener for Simulated {
    fn cards(&self) -> Vec<crate::model::device::Card> {
        let card = |device, free_bytes| crate::model::device::Card {
            device,
            name: "simulated".into(),
            free_bytes,
        };
        let second = self.second.map(|(_, free)| card(SECOND, Some(free)));
        std::iter::once(card(CARD, None)).chain(second).collect()
    }

    fn driver(&self) -> String {
        "1.0".into()
    }

    fn seconds(&self) -> f64 {
        self.clock.load(Ordering::Relaxed) as f64 / 1000.0
    }

    fn open(
        &self,
        weights: &Path,
        device: Device,
        precision: Precision,
    ) -> model::Result<Box<dyn Separator>> {
        let network = model::load(weights, Device::Cpu, precision)?;
        let (card, segments) = (self.card, Arc::clone(&self.segments));
        let clock = Arc::clone(&self.clock);
        match device {
            CARD if card == Card::LostAtOpen => {
                Err(ModelError::Device { cause: "no device".into() })
            }
            CARD => Ok(Box::new(Simulation { network, card: Some(card), segments, clock })),
            SECOND => {
                let card = self.second.map(|(card, _)| card);
                Ok(Box::new(Simulation { network, card, segments, clock }))
            }
            _ => {
                self.loads.fetch_add(1, Ordering::Relaxed);
                Ok(Box::new(Simulation { network, card: None, segments, clock }))
            }
        }
    }
}

/// A network on the card or on the processor.
struct Simulation {
    network: Box<dyn Separator>,
    card: Option<Card>,
    segments: Arc<AtomicUsize>,
    clock: Clock,
}

impl Separator for Simulation {
    fn spec(&self) -> &model::Spec {
        self.network.spec()
    }

    fn separate_unless(&self, mix: &[f32], stop: Stop<'_>) -> model::Result<Vec<f32>> {
        let mut stems = self.network.separate_unless(mix, stop)?;
        let takes_ms = match self.card {
            None => 20,
            Some(Card::Slow) => 21,
            Some(Card::Quick) => 9,
            Some(_) => 19,
        };
        self.clock.fetch_add(takes_ms, Ordering::Relaxed);
        let Some(card) = self.card else { return Ok(stems) };
        let at = self.segments.fetch_add(1, Ordering::Relaxed);
        match card {
            Card::Wrong => stems.iter_mut().for_each(|x| *x *= 1.01),
            Card::FullAt(from) if at >= from => {
                return Err(ModelError::Device { cause: MEMORY.into() });
            }
            Card::PanicsAt(from) => assert!(at < from, "on purpose"),
            Card::NanAt(wrong) if at == wrong => stems[7] = f32::NAN,
            Card::ShortAt(wrong) if at == wrong => stems.truncate(9),
            _ => {}
        }
        Ok(stems)
    }
}

/// A data folder with a small HTDemucs.
fn home() -> (tempfile::TempDir, InstalledModel) {
    let home = tempfile::tempdir().unwrap();
    let models = home.path().join("models");
    fs::create_dir(&models).unwrap();
    let golden = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let network = golden.join("general.weights.safetensors");
    fs::copy(network, models.join("htdemucs.safetensors")).unwrap();
    let model = InstalledModel::find(home.path(), "htdemucs").unwrap().unwrap();
    (home, model)
}

fn machine(card: Card, home: &Path) -> (Arc<Devices>, Arc<AtomicUsize>, Arc<AtomicUsize>) {
    let (segments, loads) = (Arc::default(), Arc::default());
    let clock = Clock::default();
    let simulated = Simulated {
        card,
        second: None,
        clock,
        segments: Arc::clone(&segments),
        loads: Arc::clone(&loads),
    };
    (Arc::new(Devices::with(Box::new(simulated), Some(home))), segments, loads)
}

/// A song of several segments.
fn song(folder: &Path, model: &InstalledModel) -> Arc<MixStore> {
    let mut writer = MixWriter::create(folder).unwrap();
    let frames = 4 * model.spec.segment_frames;
    let samples: Vec<f32> = (0..frames * CHANNELS).map(|i| (i as f32 * 0.13).sin() * 0.4).collect();
    writer.push(&samples).unwrap();
    Arc::new(writer.finish().unwrap())
}

/// Separates the song, and returns the samples of all stems and the failures of the card.
fn separate(
    devices: Arc<Devices>,
    compute: Compute,
    home: &Path,
    model: &InstalledModel,
) -> (Vec<Vec<f32>>, Vec<Failure>) {
    let folder = tempfile::tempdir_in(home).unwrap();
    let mix = song(folder.path(), model);
    let chain = Arc::new(Chain::of_model(model.clone()));
    let opened =
        StemTree::open(Arc::clone(&chain), folder.path(), Arc::clone(&mix), Quality::default());
    let stems = opened.unwrap();
    let wanted: Vec<usize> = (0..model.spec.sources.len()).collect();
    let work = Work { mix: &mix, stems: &stems, wanted: &wanted, is_draft: false, paces: &[] };
    let mut failures = Vec::new();
    let mut loaded = LoadedChain::new(chain, compute, 0, devices).unwrap();
    let cancel = CancelToken::default();
    let mut on_step = |step| {
        if let SegmentEvent::DeviceFailed(failure) = step {
            failures.push(failure);
        }
    };
    loaded.separate(&work, &Listener::default, &cancel, &mut on_step).unwrap();
    assert!(stems.is_complete());
    let read = |stem: usize| {
        let mut samples = vec![0.0; CHANNELS * mix.frames() as usize];
        stems.read(stem, 0, &mut samples).unwrap();
        samples
    };
    (wanted.iter().map(|stem| read(*stem)).collect(), failures)
}

fn on(choice: DeviceChoice) -> Compute {
    Compute { device: choice, threads: Some(1), ..Compute::default() }
}

const ONLY: DeviceChoice = DeviceChoice::Only(CARD);

#[test]
fn a_song_ends_as_on_the_processor_however_the_card_fails() {
    let (home, model) = home();
    let cpu = on(DeviceChoice::Only(Device::Cpu));
    let (expected, _) = separate(Arc::default(), cpu, home.path(), &model);
    for (card, fault, segments) in [
        (Card::Good, None, 6),
        (Card::LostAtOpen, Some(Fault::Other), 0),
        (Card::FullAt(0), Some(Fault::Memory), 1),
        (Card::FullAt(2), Some(Fault::Memory), 3),
        (Card::PanicsAt(1), Some(Fault::Other), 2),
        (Card::NanAt(3), Some(Fault::NotNumbers), 4),
        (Card::ShortAt(1), Some(Fault::Other), 2),
    ] {
        let (devices, computed, loads) = machine(card, home.path());
        let (stems, failures) = separate(Arc::clone(&devices), on(ONLY), home.path(), &model);
        assert!(stems == expected, "{card:?}: other samples than on the processor");
        let fault = fault.map(|fault| Failure { device: CARD, fault });
        assert_eq!(failures, Vec::from_iter(fault), "{card:?}: the user is notified once");
        assert_eq!(computed.load(Ordering::Relaxed), segments, "{card:?}: segments on the card");
        let is_good = card == Card::Good;
        assert_eq!(loads.load(Ordering::Relaxed), usize::from(!is_good), "{card:?}");
        // The next song of this process does not try the card again.
        let network = &model.networks[0];
        let settled = devices.settled(ONLY, network, Precision::Single);
        assert_eq!(settled, if is_good { CARD } else { Device::Cpu }, "{card:?}");
        if !is_good {
            let (stems, failures) = separate(devices, on(ONLY), home.path(), &model);
            assert!(stems == expected && failures.is_empty(), "{card:?}");
            assert_eq!(computed.load(Ordering::Relaxed), segments, "{card:?}");
        }
    }
}

#[test]
fn auto_takes_a_card_only_if_it_is_right_and_quicker() {
    let (home, model) = home();
    let cpu = on(DeviceChoice::Only(Device::Cpu));
    let (expected, _) = separate(Arc::default(), cpu, home.path(), &model);
    let network = &model.networks[0];
    for (card, is_taken) in [(Card::Good, true), (Card::Wrong, false), (Card::Slow, false)] {
        let folder = tempfile::tempdir().unwrap();
        let (devices, computed, _) = machine(card, folder.path());
        let settled =
            |devices: &Devices| devices.settled(DeviceChoice::Auto, network, Precision::Single);
        assert_eq!(settled(&devices), Device::Cpu, "nothing is measured without a need");
        let auto = on(DeviceChoice::Auto);
        let (stems, failures) = separate(Arc::clone(&devices), auto, home.path(), &model);
        assert!(stems == expected && failures.is_empty(), "{card:?}");
        let verdict = devices.verdicts().remove(0);
        println!(
            "{card:?}: {:.1} dB, {:.3} s, processor {:.3} s",
            verdict.db, verdict.seconds, verdict.processor_seconds
        );
        assert_eq!(verdict.is_taken(), is_taken, "{verdict:?}");
        assert_eq!(settled(&devices), if is_taken { CARD } else { Device::Cpu }, "{card:?}");
        // Two segments of the measurement, then those of the song.
        assert_eq!(computed.load(Ordering::Relaxed), if is_taken { 8 } else { 2 }, "{card:?}");

        // The next process knows the verdict, and measures nothing.
        let (devices, computed, _) = machine(card, folder.path());
        assert_eq!(devices.verdicts(), [verdict]);
        let (stems, _) = separate(devices, auto, home.path(), &model);
        assert!(stems == expected, "{card:?}");
        assert_eq!(computed.load(Ordering::Relaxed), if is_taken { 6 } else { 0 }, "{card:?}");
    }
}

#[test]
fn auto_takes_the_quickest_of_several_cards_that_holds_the_network() {
    let (home, model) = home();
    let cpu = on(DeviceChoice::Only(Device::Cpu));
    let (expected, _) = separate(Arc::default(), cpu, home.path(), &model);
    for (first, second, free, taken, measured) in [
        (Card::Good, Card::Quick, u64::MAX, SECOND, 2),
        (Card::Quick, Card::Good, u64::MAX, CARD, 2),
        (Card::Wrong, Card::Good, u64::MAX, SECOND, 2),
        (Card::LostAtOpen, Card::Good, u64::MAX, SECOND, 1),
        (Card::Slow, Card::Wrong, u64::MAX, Device::Cpu, 2),
        (Card::Good, Card::Quick, 1, CARD, 1),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let second = Some((second, free));
        let (clock, segments, loads) = (Clock::default(), Arc::default(), Arc::default());
        let simulated = Simulated { card: first, second, clock, segments, loads };
        let devices = Arc::new(Devices::with(Box::new(simulated), Some(folder.path())));
        let auto = on(DeviceChoice::Auto);
        let (stems, _) = separate(Arc::clone(&devices), auto, home.path(), &model);
        assert!(stems == expected, "{first:?} {second:?}");
        assert_eq!(devices.of_model(auto, &model), taken, "{first:?} {second:?}");
        assert_eq!(devices.verdicts().len(), measured, "{first:?} {second:?}");
    }
}

#[test]
fn a_card_that_fails_while_it_is_measured_leaves_no_verdict() {
    let (home, model) = home();
    for card in [Card::LostAtOpen, Card::FullAt(1), Card::PanicsAt(0)] {
        let (devices, ..) = machine(card, home.path());
        let auto = on(DeviceChoice::Auto);
        let (_, failures) = separate(Arc::clone(&devices), auto, home.path(), &model);
        assert_eq!(failures.len(), 1, "{card:?}");
        assert_eq!(devices.verdicts(), [], "{card:?}: the next process tries again");
        assert_eq!(devices.of_model(auto, &model), Device::Cpu);
    }
}

#[test]
fn without_a_card_nothing_is_measured_or_written() {
    let (home, model) = home();
    let devices = Devices::new(home.path());
    if !devices.cards().is_empty() {
        return; // this machine has one
    }
    separate(Arc::clone(&devices), on(DeviceChoice::Auto), home.path(), &model);
    assert_eq!(devices.verdicts(), []);
    assert!(!home.path().join("devices.json").exists());
    let missing = devices.check(ONLY).unwrap_err();
    let is_built = CARD.is_built();
    assert_eq!(missing, ModelError::NoDevice { device: CARD, is_built }.into());
}

#[test]
fn the_processor_takes_over_only_if_its_network_fits() {
    let (home, model) = home();
    let (devices, ..) = machine(Card::NanAt(1), home.path());
    let least = crate::engine::separation::memory::need(model.memory(), 1);
    let compute = Compute { memory: Some(least - 1), ..on(ONLY) };
    let mix = song(home.path(), &model);
    let chain = Arc::new(Chain::of_model(model));
    let stems =
        StemTree::open(Arc::clone(&chain), home.path(), Arc::clone(&mix), Quality::default())
            .unwrap();
    let work = Work { mix: &mix, stems: &stems, wanted: &[0], is_draft: false, paces: &[] };
    let mut loaded = LoadedChain::new(chain, compute, 0, devices).unwrap();
    let cancel = CancelToken::default();
    let ended = loaded.separate(&work, &Listener::default, &cancel, &mut |_| {});
    let limit = least - 1;
    assert_eq!(ended, Err(crate::engine::Problem::MemoryLimit { needed: least, limit }));
    assert_eq!(stems.done_count_of(&[0]), 1, "the card's segment stays");
}

#[test]
fn a_batch_notes_the_failure_and_keeps_paces_apart() {
    let (home, model) = home();
    let (devices, ..) = machine(Card::FullAt(1), home.path());
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/chirp.flac");
    let chain = Chain::of_model(model.clone());
    let tree = chain.tree.clone();
    let name = |device| model.pace_name(Quality::default(), Precision::Single, device);
    assert_eq!((name(Device::Cpu), name(CARD)), ("htdemucs".into(), "htdemucs cuda".into()));
    let batch = Batch::on(devices, chain, Quality::default(), on(ONLY), home.path()).unwrap();
    let request = Request {
        track: None,
        file,
        called: "song".into(),
        selection: Selection::of_stems(&tree, &[]).unwrap(),
        place: Place {
            folder: home.path().join("out"),
            pattern: NamePattern::new("{stem}").unwrap(),
        },
        settings: Settings::default(),
    };
    let cancel = CancelToken::default();
    let separated = batch.separate(&request, &cancel, &mut |_| {}).unwrap();
    let note = Note::DeviceFailed { device: CARD, fault: Fault::Memory };
    assert!(separated.exported.notes.0.contains(&note), "{separated:?}");
}
