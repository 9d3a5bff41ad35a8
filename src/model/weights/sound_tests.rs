//! Tests of networks for another sample rate or channel count, in every file format that states them.

use std::fs;

use half::f16;
use serde_json::{Map, Value, json};

use super::{
    State, Store,
    checkpoint::{Checkpoint, Tensor},
    samples,
};
use crate::model::{
    Device, ModelError, Precision, describe,
    htdemucs::{Config, expected_tensors},
    load,
};

/// Arguments of the smallest possible network for this sample rate and channel count.
fn arguments(sample_rate: u32, channels: u32) -> Map<String, Value> {
    let arguments = json!({
        "channels": 2, "depth": 1, "nfft": 64, "norm_starts": 0, "norm_groups": 1, "dconv_comp": 1,
        "t_layers": 1, "t_heads": 1, "bottom_channels": 4, "t_hidden_scale": 1,
        "samplerate": sample_rate, "audio_channels": channels,
    });
    arguments.as_object().unwrap().clone()
}

/// A whole network with these arguments, all of whose values are zero.
fn network(arguments: &Map<String, Value>) -> Checkpoint {
    let mut kwargs = arguments.clone();
    kwargs.insert("sources".into(), json!(["left", "right"]));
    kwargs.insert("segment".into(), json!("1/2"));
    let config = Config::from_arguments(&json!([]), &Value::Object(kwargs.clone())).unwrap();
    let mut checkpoint =
        Checkpoint { class_name: Some("HTDemucs".into()), kwargs, ..Checkpoint::default() };
    for (name, shape) in expected_tensors(&config) {
        let values = vec![f16::ZERO; shape.iter().product()];
        checkpoint.insert(name, Tensor::half(shape, values)).unwrap();
    }
    checkpoint
}

/// A safetensors file; with `by_place`, the arguments up to the channels have no names.
fn safetensors(checkpoint: &Checkpoint, by_place: bool) -> Vec<u8> {
    let mut kwargs = checkpoint.kwargs.clone();
    let mut args = Vec::new();
    if by_place {
        args = ["sources", "audio_channels"].map(|name| kwargs.remove(name).unwrap()).to_vec();
    }
    let metadata = [
        ("klass", "demucs.htdemucs.HTDemucs".to_owned()),
        ("args", Value::Array(args).to_string()),
        ("kwargs", Value::Object(kwargs).to_string()),
    ];
    samples::safetensors_with(checkpoint, metadata)
}

fn torch(checkpoint: &Checkpoint, arguments: &Map<String, Value>) -> Vec<u8> {
    let pickle = samples::pickle_with(checkpoint, arguments);
    samples::torch(&pickle, &samples::storages(checkpoint))
}

const FORMS: [(u32, u32, Option<&str>); 4] = [
    (44_100, 2, None),
    (48_000, 1, Some("the network was trained at 48000 Hz, mono; only 44100 Hz stereo networks")),
    (16_000, 2, Some("the network was trained at 16000 Hz, stereo; only 44100 Hz stereo networks")),
    (44_100, 6, Some("the network was trained at 44100 Hz, 6 channels; only 44100 Hz stereo")),
];

#[test]
fn a_network_for_other_sound_is_refused_at_import() {
    for (sample_rate, channels, refusal) in FORMS {
        let arguments = arguments(sample_rate, channels);
        let checkpoint = network(&arguments);
        let files = [
            ("named.safetensors", safetensors(&checkpoint, false)),
            ("placed.safetensors", safetensors(&checkpoint, true)),
            ("pickled.th", torch(&checkpoint, &arguments)),
        ];
        for (name, bytes) in files {
            let home = tempfile::tempdir().unwrap();
            let file = home.path().join(name);
            fs::write(&file, bytes).unwrap();
            let store = Store::new(home.path());
            let imported = store.import(&file, &mut |_| {}, &|| false);
            match (imported, refusal) {
                (Ok(model), None) => {
                    assert!(matches!(store.state(&model.name), State::Installed { .. }), "{name}");
                }
                (Err(error), Some(refusal)) => {
                    let message = error.to_string();
                    assert!(
                        message.contains(refusal) && message.contains(name),
                        "{name}: {message}"
                    );
                    assert!(store.models().iter().all(|model| !model.is_own), "{name}");
                }
                (imported, refusal) => panic!("{name}: {imported:?}, expected {refusal:?}"),
            }
        }
    }
}

#[test]
fn a_bag_with_a_network_for_other_sound_is_refused_whole() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("bag");
    fs::create_dir(&folder).unwrap();
    for (signature, rate) in [("aaaa", 44_100), ("bbbb", 48_000)] {
        let checkpoint = network(&arguments(rate, 2));
        let path = folder.join(format!("{signature}.safetensors"));
        fs::write(path, safetensors(&checkpoint, false)).unwrap();
    }
    let bag = folder.join("pair.yaml");
    fs::write(&bag, "models: [aaaa, bbbb]\nweights: [[1, 0], [0, 1]]").unwrap();
    let store = Store::new(home.path());
    let message = store.import(&bag, &mut |_| {}, &|| false).unwrap_err().to_string();
    assert!(message.contains("48000 Hz, stereo; only 44100 Hz stereo"), "{message}");
    let left: Vec<_> = fs::read_dir(home.path().join("models")).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}

/// Earlier versions accepted such networks, so some may be installed.
#[test]
fn an_installed_network_for_other_sound_is_not_loaded() {
    let home = tempfile::tempdir().unwrap();
    let store = Store::new(home.path());
    let file = home.path().join("mine.safetensors");
    fs::write(&file, safetensors(&network(&arguments(44_100, 2)), false)).unwrap();
    let model = store.import(&file, &mut |_| {}, &|| false).unwrap();
    let path = store.path(&model.name);
    let bytes = fs::read(&path).unwrap();
    let (from, to) = (br#"samplerate\":44100"#, br#"samplerate\":48000"#);
    let at = bytes.windows(from.len()).position(|window| window == from).unwrap();
    let mut changed = bytes;
    changed[at..at + to.len()].copy_from_slice(to);
    fs::write(&path, changed).unwrap();
    for error in
        [describe(&path).unwrap_err(), load(&path, Device::Cpu, Precision::Single).err().unwrap()]
    {
        assert!(matches!(error, ModelError::OtherSound { path: Some(_), .. }), "{error:?}");
        let text = error.to_string();
        assert!(text.contains("mine.safetensors: the network was trained at 48000"), "{text}");
        assert!(!text.contains("install the model again"), "{text}");
    }
    let State::Unusable(error) = store.state("mine") else { panic!() };
    let words = error.to_string();
    assert!(words.starts_with("the network was trained at 48000 Hz, stereo"), "{words}");
}
