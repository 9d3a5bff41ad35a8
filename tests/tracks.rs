//! Whole tracks against the reference: segmentation, normalisation, cross-fades, first and last
//! sample.

use std::{fs, path::PathBuf, sync::Arc};

use partita::{
    engine::{
        CancelToken, Compute,
        separation::{
            chain::Chain,
            installed::{InstalledModel, InstalledNetwork},
            options::Quality,
            pool,
            run::{Member, RunStep, Separation},
            scheduler::Listener,
        },
        store::{MixStore, MixWriter, StemTree},
    },
    model::{Memory, Precision, Separator as _, htdemucs},
};
use safetensors::SafeTensors;
use tempfile::TempDir;

fn golden(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn values(file: &SafeTensors<'_>, name: &str) -> Vec<f32> {
    bytemuck::pod_collect_to_vec(file.tensor(name).unwrap().data())
}

/// Converts planar `[2, frames]` samples to frames.
fn interleaved(planar: &[f32]) -> Vec<f32> {
    let (left, right) = planar.split_at(planar.len() / 2);
    left.iter().zip(right).flat_map(|(l, r)| [*l, *r]).collect()
}

fn mix_store(folder: &TempDir, samples: &[f32]) -> MixStore {
    let mut writer = MixWriter::create(folder.path()).unwrap();
    writer.push(samples).unwrap();
    writer.finish().unwrap()
}

#[test]
fn tracks_of_any_length_match_the_reference() {
    let network =
        htdemucs::from_bytes(&golden("general.weights.safetensors"), Precision::Single).unwrap();
    let sources = network.spec().sources.clone();
    let own = InstalledNetwork {
        weights: "general".into(),
        identity: "general".into(),
        memory: Memory::default(),
        shares: vec![1.0; 3],
    };
    let (digest, spec) = ("general".to_owned(), network.spec().clone());
    let model = InstalledModel { name: "general".into(), networks: vec![own], digest, spec };
    let chain = Arc::new(Chain::of_model(model));
    let pool = pool::new(Compute::default()).unwrap();
    let file = golden("tracks.golden.safetensors");
    let file = SafeTensors::deserialize(&file).unwrap();
    for frames in [1, 1000, 2800, 2801, 4201, 7001] {
        let folder = tempfile::tempdir().unwrap();
        let mix = mix_store(&folder, &interleaved(&values(&file, &format!("mix.{frames}"))));
        let mix = Arc::new(mix);
        let stems =
            StemTree::open(Arc::clone(&chain), folder.path(), Arc::clone(&mix), Quality::default());
        let stems = stems.unwrap();
        let lock = stems.lock(&chain.needs(&[0, 1, 2])).unwrap();
        let networks = vec![Member { network: &network, shares: &[1.0; 3] }];
        let steps = [RunStep { step: 0, networks, groups: vec![0], is_wanted: true, pace: None }];
        let work = Separation { mix: &mix, stems: &stems, steps: &steps, lock: &lock, pool: &pool };
        // Starts in the middle, because the order must not matter.
        let head = move || Listener::at(frames as u64 / 2);
        work.run(&head, &CancelToken::default(), &mut |_| {}).unwrap();
        let expected = values(&file, &format!("stems.{frames}"));
        for (stem, expected) in expected.chunks_exact(2 * frames).enumerate() {
            let expected = interleaved(expected);
            let mut got = vec![0.0; 2 * frames];
            stems.read(stem, 0, &mut got).unwrap();
            let power = |x: f32| f64::from(x).powi(2);
            let signal: f64 = expected.iter().map(|&x| power(x)).sum();
            let error: f64 = expected.iter().zip(&got).map(|(a, b)| power(a - b)).sum();
            let db = 10.0 * (signal / error.max(f64::MIN_POSITIVE)).log10();
            assert!(db > 90.0, "{frames} frames, {}: {db:.1} dB", sources[stem]);
        }
    }
}
