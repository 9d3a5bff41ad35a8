//! Tests of whole networks and their layers against the reference, and of invalid files.

use std::{fs, path::PathBuf};

use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use serde_json::{Value, json};

use super::*;
use crate::model::kernels::testing::signal_to_error_db;

fn golden(name: &str) -> Vec<u8> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/roformer");
    fs::read(folder.join(name)).unwrap()
}

/// A tensor of a golden file.
fn get(file: &[u8], name: &str) -> Vec<f32> {
    let file = SafeTensors::deserialize(file).unwrap();
    bytemuck::pod_collect_to_vec(file.tensor(name).unwrap().data())
}

fn network(name: &str, precision: Precision) -> RoFormer {
    from_bytes(&golden(&format!("{name}.weights.safetensors")), precision).unwrap()
}

/// The stems of a golden network, and the reference's, as far as the network has channels.
fn stems(name: &str, precision: Precision) -> (Vec<f32>, Vec<f32>) {
    let (network, golden) =
        (network(name, precision), golden(&format!("{name}.golden.safetensors")));
    let mut mix = get(&golden, "mix");
    let is_mono = network.config.channels() == 1;
    if is_mono {
        mix.extend_from_within(..);
    }
    let mut got = network.separate(&mix).unwrap();
    if is_mono {
        let frames = network.spec.segment_frames;
        for stem in got.chunks_exact(2 * frames) {
            assert_eq!(stem[..frames], stem[frames..], "each channel separately");
        }
        got = got.chunks_exact(2 * frames).flat_map(|stem| stem[..frames].to_vec()).collect();
    }
    let mut expected = get(&golden, "stems");
    // The reference drops the last, incomplete hop, so its result is shorter than the mix.
    if expected.len() < got.len() {
        let stems = network.spec.sources.len() * network.config.channels();
        let (short, long) = (expected.len() / stems, got.len() / stems);
        expected = expected
            .chunks_exact(short)
            .flat_map(|channel| [channel.to_vec(), vec![0.0; long - short]].concat())
            .collect();
    }
    (got, expected)
}

const NAMES: [&str; 9] =
    ["mel", "mel-deep", "mel-mono", "mel-60", "bs", "bs-four", "bs-mono", "bs-half", "bs-62"];

#[test]
fn whole_networks_match_the_reference() {
    for name in NAMES {
        let (got, expected) = stems(name, Precision::Single);
        assert_eq!(got.len(), expected.len(), "{name}");
        let db = signal_to_error_db(&expected, &got);
        println!("{name}: {db:.1} dB");
        assert!(db > 100.0, "{name}: {db:.1} dB");
        let (got, _) = stems(name, Precision::Fast);
        let db = signal_to_error_db(&expected, &got);
        assert!(db > 25.0, "{name} in the fast precision: {db:.1} dB");
    }
}

#[test]
fn layers_match_the_reference() {
    for name in ["mel", "bs"] {
        let (network, golden) =
            (network(name, Precision::Single), golden(&format!("{name}.golden.safetensors")));
        let spectra = network.spectrogram.analyse(&get(&golden, "mix"), 2);
        let (bands, dim) = (network.config.bands.len(), network.config.arguments.dim);
        let columns = network.spectrogram.columns();
        let mut x = Buffer::any(bands * columns * dim);
        let same = |x: &[f32], what: &str| {
            let expected = get(&golden, what);
            // The golden layout is `[columns, bands, dim]`.
            let got: Vec<f32> = (0..columns * bands)
                .flat_map(|at| x[(at % bands * columns + at / bands) * dim..][..dim].to_vec())
                .collect();
            assert_eq!(expected.len(), got.len());
            let db = signal_to_error_db(&expected, &got);
            assert!(db > 100.0, "{name}, {what}: {db:.1} dB");
        };
        network.band_split.forward(&spectra, 4 * network.spectrogram.bins(), &mut x);
        same(&x, "band_split");
        for (index, layer) in network.layers.iter().enumerate() {
            over_time::<Cells<f32>>(&layer.time, &mut x, columns, dim, &|| false);
            same(&x, &format!("layers.{index}.time"));
            over_bands::<Cells<f32>>(&layer.bands, &mut x, [bands, columns, dim], &|| false);
            same(&x, &format!("layers.{index}"));
        }
    }
}

#[test]
fn a_stop_ends_the_segment() {
    let network = network("bs", Precision::Single);
    let mix = vec![0.1; 2 * network.spec.segment_frames];
    let asked = std::sync::atomic::AtomicUsize::new(0);
    let stop = || asked.fetch_add(1, Ordering::Relaxed) >= 3;
    assert!(matches!(network.separate_unless(&mix, &stop), Err(ModelError::Cancelled)));
    assert!(network.separate(&mix[1..]).is_err(), "another length");
    let silence = vec![0.0; mix.len()];
    assert!(network.separate(&silence).unwrap().iter().all(|sample| *sample == 0.0));
}

/// A golden network with other arguments, and without the tensor `without`.
fn altered(name: &str, change: impl Fn(&mut Value), without: &str) -> Vec<u8> {
    let bytes = golden(&format!("{name}.weights.safetensors"));
    let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
    let mut metadata = header.metadata().clone().unwrap();
    let mut kwargs: Value = serde_json::from_str(&metadata["kwargs"]).unwrap();
    change(&mut kwargs);
    metadata.insert("kwargs".into(), kwargs.to_string());
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let tensors = file.tensors().into_iter().filter(|(name, _)| name != without);
    safetensors::serialize(tensors, Some(metadata)).unwrap()
}

#[test]
fn wrong_files_are_refused() {
    let refused = |bytes: &[u8], words: &str| {
        let error = from_bytes(bytes, Precision::Single).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    };
    let with = |key: &'static str, value: Value| altered("bs", |all| all[key] = value.clone(), "");
    refused(&with("dim", json!(16)), "has the shape");
    refused(&with("dim", json!(-1)), "are not valid");
    refused(&with("dim", json!(1_u64 << 40)), "dim = ");
    refused(&with("heads", json!(0)), "heads = 0");
    refused(&with("dim_head", json!(15)), "dim_head is not a multiple of 2");
    refused(&with("stft_hop_length", json!(65)), "stft_hop_length = 65");
    refused(&with("stft_n_fft", json!(127)), "stft_win_length = 128");
    refused(&with("segment_frames", json!(64)), "segment_frames, stft_n_fft do not fit together");
    let long = |all: &mut Value| {
        (all["segment_frames"], all["stft_hop_length"]) = (json!(1 << 24), json!(1));
    };
    refused(&altered("bs", long, ""), "too much memory");
    refused(&with("freqs_per_bands", json!([2, 3])), "5 bins instead of 65");
    refused(&with("freqs_per_bands", json!([65, 0])), "freqs_per_bands");
    refused(&with("freqs_per_bands", json!([usize::MAX, 67])), "freqs_per_bands");
    refused(&with("freqs_per_bands", Value::Null), "freqs_per_bands is missing");
    refused(&with("sources", json!(["a", "a"])), "different names");
    refused(&with("rest", json!("vocals")), "different names");
    refused(&with("mask_estimator_depth", json!(3)), "is missing");
    refused(&altered("bs", |_| {}, "final_norm.gamma"), "final_norm.gamma is missing");
    refused(&altered("mel", |all| all["num_bands"] = json!(200), ""), "without a frequency");
    let more = {
        let bytes = golden("bs.weights.safetensors");
        let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
        let file = SafeTensors::deserialize(&bytes).unwrap();
        let extra = ("extra", TensorView::new(Dtype::F16, vec![1], &[0, 0]).unwrap());
        let tensors = file.tensors();
        let all = tensors.iter().map(|(name, view)| (name.as_str(), view.clone())).chain([extra]);
        safetensors::serialize(all, header.metadata().clone()).unwrap()
    };
    refused(&more, "extra is not expected");
}

#[test]
fn biases_that_some_files_have_are_used() {
    let bytes = golden("bs.weights.safetensors");
    let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let tensors = file.tensors();
    let with_bias = |value: half::f16| {
        let bias = value.to_le_bytes().repeat(8);
        let view = TensorView::new(Dtype::F16, vec![8], &bias).unwrap();
        let extra = [("layers.0.0.layers.0.0.to_out.0.bias", view)];
        let all = tensors.iter().map(|(name, view)| (name.as_str(), view.clone())).chain(extra);
        let bytes = safetensors::serialize(all, header.metadata().clone()).unwrap();
        let mix = get(&golden("bs.golden.safetensors"), "mix");
        from_bytes(&bytes, Precision::Single).unwrap().separate(&mix).unwrap()
    };
    let (plain, _) = stems("bs", Precision::Single);
    assert_eq!(with_bias(half::f16::ZERO), plain);
    assert_ne!(with_bias(half::f16::ONE), plain);
}
