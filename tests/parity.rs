//! Complete networks against the reference implementation (see `golden/README.md`).

use std::{fs, path::PathBuf};

use partita::model::{
    ModelError, Precision, Separator,
    htdemucs::{self, HtDemucs},
    kernels::cpu,
};
use safetensors::SafeTensors;

fn golden(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn values(file: &SafeTensors<'_>, name: &str) -> Vec<f32> {
    bytemuck::pod_collect_to_vec(file.tensor(name).unwrap().data())
}

/// Signal-to-error ratio in dB.
fn signal_to_error(signal: &[f32], got: &[f32]) -> f64 {
    assert_eq!(signal.len(), got.len());
    let power: f64 = signal.iter().map(|v| f64::from(*v).powi(2)).sum();
    let pairs = signal.iter().zip(got);
    let error: f64 = pairs.map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum();
    10.0 * (power / error).log10()
}

/// The required ratio for single precision; lower where products use two bf16 parts of each value.
fn least() -> f64 {
    if cpu::has_amx() { 95.0 } else { 100.0 }
}

/// Compares every stem of a small network with its golden output, with the ratio of [`least`].
fn small_network(name: &str) -> HtDemucs {
    let weights = golden(&format!("{name}.weights.safetensors"));
    let network = htdemucs::from_bytes(&weights, Precision::Single).unwrap();
    let file = golden(&format!("{name}.golden.safetensors"));
    let file = SafeTensors::deserialize(&file).unwrap();
    let stems = network.separate(&values(&file, "mix")).unwrap();
    let spec = network.spec();
    let stem = spec.channels * spec.segment_frames;
    let expected = values(&file, "stems");
    assert_eq!(expected.len(), stem * spec.sources.len());
    for ((source, expected), got) in
        spec.sources.iter().zip(expected.chunks(stem)).zip(stems.chunks(stem))
    {
        let db = signal_to_error(expected, got);
        println!("{name}, {source}: {db:.1} dB");
        assert!(db > least(), "{name}, {source}: {db:.1} dB");
    }
    network
}

#[test]
fn a_network_with_every_branch_open_matches_the_reference() {
    let network = small_network("general");
    assert_eq!(network.spec().sources, ["low", "high", "rest"]);
    assert_eq!(network.spec().segment_frames, 2800);
}

#[test]
fn a_network_of_the_six_stem_kind_matches_the_reference() {
    let network = small_network("six");
    assert_eq!(network.spec().sources.len(), 6);
    assert_eq!(network.spec().sources[5], "piano");
}

#[test]
fn the_number_of_threads_does_not_change_the_result() {
    let network =
        htdemucs::from_bytes(&golden("general.weights.safetensors"), Precision::Single).unwrap();
    let file = golden("general.golden.safetensors");
    let mix = values(&SafeTensors::deserialize(&file).unwrap(), "mix");
    let separate = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| network.separate(&mix)).unwrap()
    };
    let db = signal_to_error(&separate(1), &separate(3));
    assert!(db > least(), "{db:.1} dB");
}

#[test]
fn a_segment_of_another_length_is_an_error() {
    let network =
        htdemucs::from_bytes(&golden("six.weights.safetensors"), Precision::Single).unwrap();
    let error = network.separate(&[0.0; 7]).unwrap_err();
    assert!(matches!(error, ModelError::Segment { .. }));
}

/// Path of the installed model in the data folder, which `PARTITA_HOME` moves.
fn installed_model() -> PathBuf {
    partita::engine::default_home().unwrap().join("models/htdemucs.safetensors")
}

#[test]
fn the_published_network_matches_the_reference_on_music() {
    let path = installed_model();
    assert!(
        path.exists(),
        "the model is not installed: run `./x model install` (looked for {})",
        path.display()
    );
    let network = htdemucs::load(&path, Precision::Single).unwrap();
    let spec = network.spec().clone();
    assert_eq!(spec.sources, ["drums", "bass", "other", "vocals"]);
    assert_eq!(spec.segment_frames, 343_980);

    let file = golden("htdemucs.golden.safetensors");
    let file = SafeTensors::deserialize(&file).unwrap();
    let excerpt: Vec<i16> = bytemuck::pod_collect_to_vec(file.tensor("mix").unwrap().data());
    let frames = excerpt.len() / spec.channels;
    let mut mix = vec![0.0; spec.channels * spec.segment_frames];
    for (mix, excerpt) in mix.chunks_mut(spec.segment_frames).zip(excerpt.chunks(frames)) {
        for (v, sample) in mix.iter_mut().zip(excerpt) {
            *v = f32::from(*sample) / 8192.0;
        }
    }
    let stems = network.separate(&mix).unwrap();

    let places: Vec<i64> = bytemuck::pod_collect_to_vec(file.tensor("places").unwrap().data());
    let length = file.tensor("stems").unwrap().shape()[3];
    // Golden: [places, sources, channels, length].
    let expected = values(&file, "stems");
    for (index, source) in spec.sources.iter().enumerate() {
        let (mut want, mut got) = (Vec::new(), Vec::new());
        for (place, expected) in places.iter().zip(expected.chunks(expected.len() / places.len())) {
            for channel in index * spec.channels..(index + 1) * spec.channels {
                want.extend_from_slice(&expected[channel * length..][..length]);
                let start = channel * spec.segment_frames + *place as usize;
                got.extend_from_slice(&stems[start..][..length]);
            }
        }
        let db = signal_to_error(&want, &got);
        println!("{source}: {db:.1} dB");
        assert!(db > least(), "{source}: {db:.1} dB");
    }
}
