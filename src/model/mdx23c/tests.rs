//! Tests of the network against the reference, and of invalid files.

use std::{fs, io::Cursor, path::PathBuf};

use safetensors::SafeTensors;
use serde_json::{Value, json};

use super::*;
use crate::model::kernels::FreqMap;

fn golden(name: &str) -> Vec<u8> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/mdx23c");
    fs::read(folder.join(name)).unwrap()
}

fn network(name: &str) -> Mdx23c {
    read(Cursor::new(golden(&format!("{name}.weights.safetensors")))).unwrap()
}

/// Golden values of a network.
struct Golden(Vec<u8>);

impl Golden {
    fn of(name: &str) -> Self {
        Self(golden(&format!("{name}.golden.safetensors")))
    }

    fn get(&self, name: &str) -> Vec<f32> {
        let file = SafeTensors::deserialize(&self.0).unwrap();
        bytemuck::pod_collect_to_vec(file.tensor(name).unwrap().data())
    }

    /// `[channels, frames, freqs]` in the kernels' layout.
    fn map(&self, name: &str) -> FreqMap {
        let file = SafeTensors::deserialize(&self.0).unwrap();
        let [channels, frames, freqs] = *file.tensor(name).unwrap().shape() else { panic!() };
        let mut map = FreqMap::any(freqs, channels, frames);
        for (i, value) in self.get(name).into_iter().enumerate() {
            let (freq, frame, channel) = (i % freqs, i / freqs % frames, i / freqs / frames);
            map.data[(freq * channels + channel) * frames + frame] = value;
        }
        map
    }
}

fn assert_same(expected: &[f32], got: &[f32], least: f64, what: &str) {
    assert_eq!(expected.len(), got.len(), "{what}");
    let power: f64 = expected.iter().map(|v| f64::from(*v).powi(2)).sum();
    let pairs = expected.iter().zip(got);
    let error: f64 = pairs.map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum();
    let db = 10.0 * (power / error).log10();
    println!("{what}: {db:.1} dB");
    assert!(db > least, "{what}: {db:.1} dB");
}

#[test]
fn layers_match_the_reference() {
    let (network, golden) = (network("one"), Golden::of("one"));
    let input = network.spectrogram.analyse(&golden.get("mix"), 2);
    let x = Measured::new(network.first_conv.forward(&[&input]));
    let same = |name: &str, got: &FreqMap| {
        assert_same(&golden.map(name).data, &got.data, 100.0, name);
    };
    let encoder = &network.encoder_blocks[0];
    let skip = encoder.tfc_tdf.forward(vec![x]).unwrap();
    same("encoder_blocks.0.tfc_tdf", &skip.map);
    same("encoder_blocks.0.downscale", &encoder.down(&skip).map);
    let bottleneck = Measured::new(golden.map("bottleneck_block"));
    same("decoder_blocks.0.upscale", &network.decoder_blocks[0].up(&bottleneck).map);
    let spectra = network.final_conv.forward(&input, &golden.map("decoder_blocks.1.tfc_tdf"));
    assert_same(&golden.get("stems"), &network.spectrogram.synthesise(&spectra), 100.0, "stems");
}

#[test]
fn networks_match_the_reference() {
    for name in ["one", "four", "wide"] {
        let (network, golden) = (network(name), Golden::of(name));
        let stems = network.separate(&golden.get("mix")).unwrap();
        assert_same(&golden.get("stems"), &stems, 100.0, name);
    }
}

#[test]
fn a_segment_of_another_length_or_a_cancelled_one_is_an_error() {
    let network = network("four");
    assert!(matches!(network.separate(&[0.0; 7]), Err(ModelError::Segment { .. })));
    let mix = vec![0.0; 2 * network.spec.segment_frames];
    let cancelled = network.separate_unless(&mix, &|| true);
    assert!(matches!(cancelled, Err(ModelError::Cancelled)));
    let silence = network.separate(&mix).unwrap();
    assert!(silence.iter().all(|v| v.is_finite()));
}

/// The error of the network `four` with one argument changed or, for `Null`, removed.
fn error_with(name: &str, value: &Value) -> String {
    let bytes = golden("four.weights.safetensors");
    let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
    let metadata = header.metadata().clone().unwrap();
    let mut kwargs: Value = serde_json::from_str(&metadata["kwargs"]).unwrap();
    match value {
        Value::Null => drop(kwargs.as_object_mut().unwrap().remove(name)),
        value => kwargs[name] = value.clone(),
    }
    let metadata = [("kwargs".to_owned(), kwargs.to_string())].into();
    match Config::from_metadata(&metadata) {
        Err(ModelError::Header { misfit }) => misfit.to_string(),
        other => panic!("{name} = {value}: {other:?}"),
    }
}

#[test]
fn arguments_that_are_not_supported_are_named() {
    for (name, value) in [
        ("sources", json!([])),
        ("sources", json!(["a", "a"])),
        ("sources", json!("a")),
        ("segment_frames", json!(1266)),
        ("segment_frames", json!(55 * 24)),
        ("segment_frames", json!(110)),
        ("segment_frames", json!(1_u64 << 40)),
        ("audio_channels", json!(1)),
        ("n_fft", json!(257)),
        ("hop_length", json!(0)),
        ("hop_length", json!(-1)),
        ("dim_f", json!(130)),
        ("dim_f", json!(100)),
        ("num_channels", json!(0)),
        ("num_channels", json!(1e9)),
        ("growth", json!(1.5)),
        ("num_scales", json!(40)),
        ("num_blocks_per_scale", json!(0)),
        ("bottleneck_factor", json!(1000)),
        ("num_subbands", json!(7)),
        ("scale", json!([2, 4])),
        ("norm", json!("BatchNorm")),
        ("norm", Value::Null),
        ("act", json!("elu1.0")),
        ("act", Value::Null),
        ("num_scales", Value::Null),
    ] {
        let error = error_with(name, &value);
        // serde names the position of a value of another type.
        assert!(error.contains(name) || error.contains("kwargs"), "{name} = {value}: {error}");
    }
    assert!(Config::from_metadata(&[].into()).is_err());
    let nonsense = [("kwargs".to_owned(), "nonsense".to_owned())].into();
    assert!(Config::from_metadata(&nonsense).is_err());
}

#[test]
fn the_expected_tensors_of_the_published_networks_are_all_there() {
    let kwargs = json!({
        "sources": ["vocals", "instrumental"], "samplerate": 44100, "segment_frames": 261_120,
        "rest": null, "overlap": 50, "normalize": false,
        "audio_channels": 2, "n_fft": 8192, "hop_length": 1024, "dim_f": 4096, "dim_t": 256,
        "num_channels": 128, "growth": 128, "num_scales": 5, "num_blocks_per_scale": 2,
        "bottleneck_factor": 4, "num_subbands": 4, "scale": [2, 2], "norm": "InstanceNorm",
        "act": "gelu",
    });
    let config = Config::from_metadata(&[("kwargs".to_owned(), kwargs.to_string())].into());
    let config = config.unwrap();
    let expected = config.expected_tensors();
    assert_eq!(expected.len(), 319);
    let values: usize = expected.values().map(|shape| shape.iter().product::<usize>()).sum();
    assert_eq!(values, 111_990_272);
    // The figure of PyTorch's `FlopCounterMode`.
    let flop = cost::spec(&config).megaflop as f64 / 1e6;
    assert!((flop / 2.43 - 1.0).abs() < 0.01, "{flop}");
    // The measured memory use is 1.5 GB.
    let memory = cost::memory(&config);
    assert_eq!((memory.weights + memory.work) / 100_000_000, 15);
}

/// Checks the parity of a network of the published size, and prints its time. `make_mdx23c.py --size`
/// writes it to the folder that `PARTITA_MDX23C` names.
#[test]
#[ignore = "needs 450 MB of weights that are not in the repository"]
fn the_published_size_matches_the_reference() {
    let folder = PathBuf::from(std::env::var("PARTITA_MDX23C").unwrap());
    let network = load(&folder.join("weights.safetensors")).unwrap();
    let golden = Golden(fs::read(folder.join("golden.safetensors")).unwrap());
    let mix = golden.get("mix");
    let stems = network.separate(&mix).unwrap();
    let start = std::time::Instant::now();
    network.separate(&mix).unwrap();
    println!("{:.2} s", start.elapsed().as_secs_f64());
    assert_same(&golden.get("stems"), &stems, 80.0, "stems");
}
