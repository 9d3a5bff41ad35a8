//! Bags, shifts and user models against the reference (see `golden/README.md`), through the
//! importer and the real stores.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use partita::{
    engine::{
        CancelToken, Compute,
        separation::{
            chain::Chain,
            installed::InstalledModel,
            loaded_chain::{LoadedChain, Work},
            options::Quality,
            plan::Plan,
            run::SegmentEvent,
            scheduler::Listener,
        },
        store::{MixStore, MixWriter, StemStore, StemTree},
    },
    model::{
        self, Device, Precision,
        weights::{Model, State, Store},
    },
};
use safetensors::SafeTensors;
use tempfile::TempDir;

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

fn values<T: bytemuck::Pod>(file: &SafeTensors<'_>, name: &str) -> Vec<T> {
    bytemuck::pod_collect_to_vec(file.tensor(name).unwrap().data())
}

/// Converts planar `[2, frames]` samples to frames.
fn interleaved(planar: &[f32]) -> Vec<f32> {
    let (left, right) = planar.split_at(planar.len() / 2);
    left.iter().zip(right).flat_map(|(l, r)| [*l, *r]).collect()
}

/// Signal-to-error ratio in dB.
fn signal_to_error(signal: &[f32], got: &[f32]) -> f64 {
    assert_eq!(signal.len(), got.len());
    let power: f64 = signal.iter().map(|v| f64::from(*v).powi(2)).sum();
    let pairs = signal.iter().zip(got);
    let error: f64 = pairs.map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum();
    10.0 * (power / error.max(f64::MIN_POSITIVE)).log10()
}

fn import(home: &Path, file: &str) -> Model {
    Store::new(home).import(&golden(file), &mut |_| {}, &|| false).unwrap()
}

fn mix_store(folder: &TempDir, samples: &[f32]) -> Arc<MixStore> {
    let mut writer = MixWriter::create(&folder.path().join("mix")).unwrap();
    writer.push(samples).unwrap();
    Arc::new(writer.finish().unwrap())
}

fn read(stems: &StemTree, stem: usize) -> Vec<f32> {
    let mut out = vec![0.0; 2 * stems.plan(0).frames as usize];
    stems.read(stem, 0, &mut out).unwrap();
    out
}

/// Separates with these stems requested; returns the number of computed segments.
fn separate(
    ensemble: &mut LoadedChain,
    mix: &MixStore,
    stems: &StemTree,
    wanted: &[usize],
) -> usize {
    let work = Work { mix, stems, wanted, is_draft: false, paces: &[] };
    let mut stored = 0;
    let head = || Listener::at(0);
    let mut on_step = |step| stored += usize::from(matches!(step, SegmentEvent::Stored(_)));
    ensemble.separate(&work, &head, &CancelToken::default(), &mut on_step).unwrap();
    stored
}

#[test]
fn a_bag_matches_the_reference_and_one_tick_gives_the_same_samples() {
    let home = tempfile::tempdir().unwrap();
    let model = import(home.path(), "bag/pair.yaml");
    assert_eq!((model.name.as_str(), model.networks.len(), model.is_own), ("pair", 2, true));
    assert_eq!(model.sources, ["low", "high", "rest"]);
    let store = Store::new(home.path());
    assert!(matches!(store.state("pair"), State::Installed { .. }));
    store.verify("pair", &mut |_| {}, &|| false).unwrap();

    let file = std::fs::read(golden("bag/pair.golden.safetensors")).unwrap();
    let file = SafeTensors::deserialize(&file).unwrap();
    let mix = mix_store(&home, &interleaved(&values(&file, "mix")));
    let installed = InstalledModel::find(home.path(), "pair").unwrap().unwrap();
    assert_eq!(installed.networks_for(&[0]), [0]);
    assert_eq!(installed.networks_for(&[1]), [1]);
    assert_eq!(installed.networks_for(&[2]), [0, 1]);
    let chain = Arc::new(Chain::of_model(installed.clone()));
    let open = |name: &str| {
        let (chain, mix) = (Arc::clone(&chain), Arc::clone(&mix));
        StemTree::open(chain, &home.path().join(name), mix, Quality::default()).unwrap()
    };
    let mut ensemble =
        LoadedChain::new(Arc::clone(&chain), Compute::default(), 0, Arc::default()).unwrap();

    let whole = open("whole");
    let segments = whole.plan(0).len();
    assert_eq!(separate(&mut ensemble, &mix, &whole, &[0, 1, 2]), segments);
    let expected: Vec<f32> = values(&file, "stems");
    let stem_len = expected.len() / 3;
    for (stem, expected) in expected.chunks_exact(stem_len).enumerate() {
        let db = signal_to_error(&interleaved(expected), &read(&whole, stem));
        println!("{}: {db:.1} dB", model.sources[stem]);
        assert!(db > 90.0, "{}: {db:.1} dB", model.sources[stem]);
    }

    let part = open("part");
    assert!(!part.is_complete(), "the other stems were not requested");
    separate(&mut ensemble, &mix, &part, &[1]);
    assert!(part.is_complete() && part.has_all_of(1) && !part.has_all_of(2));
    assert_eq!(read(&part, 1), read(&whole, 1), "expected the same bits");
    assert!(read(&part, 0).iter().all(|x| *x == 0.0));
    separate(&mut ensemble, &mix, &part, &[0, 2]);
    for stem in 0..3 {
        assert_eq!(read(&part, stem), read(&whole, stem));
    }
    assert_eq!(
        separate(&mut ensemble, &mix, &part, &[0, 1, 2]),
        0,
        "everything is computed already"
    );
}

#[test]
fn shifts_and_overlap_match_the_reference() {
    let home = tempfile::tempdir().unwrap();
    let weights = golden("bag/aaaa0001-00000000.th");
    let model = Store::new(home.path()).import(&weights, &mut |_| {}, &|| false).unwrap();
    let file = std::fs::read(golden("bag/pair.golden.safetensors")).unwrap();
    let file = SafeTensors::deserialize(&file).unwrap();
    let mix = mix_store(&home, &interleaved(&values(&file, "mix")));
    let installed = InstalledModel::find(home.path(), &model.name).unwrap().unwrap();
    let delays: Vec<i64> = values(&file, "delays");
    let delays: Vec<u16> = delays.into_iter().map(|delay| delay as u16).collect();
    assert_eq!(delays.len(), 2);
    let plan = Plan::with_delays(mix.frames(), 2800, 1400, &delays);
    let sources = &installed.spec.sources;
    let store = StemStore::open(&home.path().join("shifted"), plan, sources).unwrap();
    let chain = Arc::new(Chain::of_model(installed.clone()));
    let stems = StemTree::with_store(Arc::clone(&chain), store, Arc::clone(&mix));
    let mut ensemble =
        LoadedChain::new(Arc::clone(&chain), Compute::default(), 0, Arc::default()).unwrap();
    assert_eq!(separate(&mut ensemble, &mix, &stems, &[0, 1, 2]), plan.len());
    let expected: Vec<f32> = values(&file, "shifted");
    let stem_len = expected.len() / 3;
    for (stem, expected) in expected.chunks_exact(stem_len).enumerate() {
        let db = signal_to_error(&interleaved(expected), &read(&stems, stem));
        println!("{}: {db:.1} dB", sources[stem]);
        assert!(db > 90.0, "{}: {db:.1} dB", sources[stem]);
    }
}

#[test]
fn a_seed_gives_the_same_stems_again() {
    let home = tempfile::tempdir().unwrap();
    let model = import(home.path(), "own.th");
    let samples: Vec<f32> = (0..16_000).map(|i| ((i as f32) * 0.11).sin() * 0.4).collect();
    let mix = mix_store(&home, &samples);
    let installed = InstalledModel::find(home.path(), &model.name).unwrap().unwrap();
    let chain = Arc::new(Chain::of_model(installed));
    let mut ensemble =
        LoadedChain::new(Arc::clone(&chain), Compute::default(), 0, Arc::default()).unwrap();
    let mut with_seed = |name: &str, seed| {
        let quality = Quality { shifts: 3, seed, ..Quality::default() };
        let stems =
            StemTree::open(Arc::clone(&chain), &home.path().join(name), Arc::clone(&mix), quality)
                .unwrap();
        separate(&mut ensemble, &mix, &stems, &[0, 1]);
        read(&stems, 0)
    };
    let first = with_seed("a", 5);
    assert_eq!(first, with_seed("b", 5));
    assert_ne!(first, with_seed("c", 6));
}

#[test]
fn a_checkpoint_of_the_users_own_keeps_its_values_and_its_stems() {
    let home = tempfile::tempdir().unwrap();
    let model = import(home.path(), "own.th");
    assert_eq!((model.name.as_str(), model.is_own), ("own", true));
    assert_eq!(model.sources, ["Dholak", "rest of it"]);
    let store = Store::new(home.path());
    assert_eq!(store.models().last(), store.get("own").as_ref());
    let again = import(home.path(), "own.th");
    assert_eq!(again.name, "own", "the same file is imported only once");

    let network = model::load(&store.path("own"), Device::Cpu, Precision::Single).unwrap();
    let file = std::fs::read(golden("own.golden.safetensors")).unwrap();
    let file = SafeTensors::deserialize(&file).unwrap();
    let got = network.separate(&values::<f32>(&file, "mix")).unwrap();
    let db = signal_to_error(&values::<f32>(&file, "stems"), &got);
    println!("own: {db:.1} dB");
    assert!(db > 90.0, "{db:.1} dB: expected values without rounding to half precision");

    store.remove("own").unwrap();
    assert_eq!(store.get("own"), None);
    assert!(store.remove("own").unwrap_err().to_string().contains("unknown model own"));
}

#[test]
fn a_bag_that_is_not_whole_is_refused_in_words() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("bag");
    std::fs::create_dir(&folder).unwrap();
    std::fs::copy(golden("bag/aaaa0001-00000000.th"), folder.join("aaaa0001.th")).unwrap();
    let refused = |yaml: &str| {
        let file = folder.join("odd.yaml");
        std::fs::write(&file, yaml).unwrap();
        let error = Store::new(home.path()).import(&file, &mut |_| {}, &|| false).unwrap_err();
        assert!(!home.path().join("models/odd.bag.json").exists());
        error.to_string()
    };
    for (yaml, words) in [
        ("models: [aaaa0001, bbbb0002]\nweights: [[1, 0, 1], [0, 1, 1]]", "no bbbb0002.th"),
        ("models: [aaaa0001]\nweights: [[1, 1]]", "no weight for each of its 3 stems"),
        ("models: [aaaa0001]\nweights: [[1, 0, 1]]", "lets no network make high"),
        ("models: [aaaa0001]", "no weights"),
        ("models: [../aaaa0001]\nweights: [[1, 1, 1]]", "not a signature"),
        ("models: []", "no list \"models\""),
        ("models: [", "not valid YAML"),
        ("- just\n- a list", "no list \"models\""),
    ] {
        let got = refused(yaml);
        assert!(got.contains(words), "{yaml}: {got}");
    }
}
