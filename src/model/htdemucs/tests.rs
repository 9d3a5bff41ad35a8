//! Tests of the layers against the reference, and of invalid files.

use std::{fs, path::PathBuf};

use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use serde_json::{Value, json};

use super::*;

fn golden(name: &str) -> Vec<u8> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    fs::read(folder.join(name)).unwrap()
}

/// Golden values of the small network with every branch open.
struct Golden(Vec<u8>);

impl Golden {
    fn get(&self, name: &str) -> Vec<f32> {
        let file = SafeTensors::deserialize(&self.0).unwrap();
        bytemuck::pod_collect_to_vec(file.tensor(name).unwrap().data())
    }

    /// `[channels, freqs, frames]` in the kernels' layout.
    fn freq_map(&self, name: &str) -> FreqMap {
        let file = SafeTensors::deserialize(&self.0).unwrap();
        let [channels, freqs, frames] = *file.tensor(name).unwrap().shape() else { panic!() };
        let values = self.get(name);
        let mut map = FreqMap::any(freqs, channels, frames);
        for (i, line) in values.chunks(frames).enumerate() {
            let at = (i % freqs * channels + i / freqs) * frames;
            map.data[at..at + frames].copy_from_slice(line);
        }
        map
    }

    /// `[channels, frames]` in the kernels' layout.
    fn time_map(&self, name: &str, margin: usize) -> TimeMap {
        let file = SafeTensors::deserialize(&self.0).unwrap();
        let [channels, frames] = *file.tensor(name).unwrap().shape() else { panic!() };
        let mut map = TimeMap::any(frames, channels, margin);
        for (i, value) in self.get(name).into_iter().enumerate() {
            map.inner_mut()[i % frames * channels + i / frames] = value;
        }
        map
    }
}

fn assert_same(expected: &[f32], got: &[f32], what: &str) {
    assert_eq!(expected.len(), got.len(), "{what}");
    let power: f64 = expected.iter().map(|v| f64::from(*v).powi(2)).sum();
    let pairs = expected.iter().zip(got);
    let error: f64 = pairs.map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum();
    let db = 10.0 * (power / error).log10();
    assert!(db > 95.0, "{what}: {db:.1} dB");
}

fn general() -> (HtDemucs, Golden) {
    let network = from_bytes(&golden("general.weights.safetensors"), Precision::Single).unwrap();
    (network, Golden(golden("general.golden.safetensors")))
}

#[test]
fn the_spectrogram_and_its_inverse_match_the_reference() {
    let (network, golden) = general();
    let mix = golden.get("mix");
    let map = network.spectrogram.analyse(&mix, 2).map(0.0, 1.0);
    assert_same(&golden.freq_map("spectrogram").data, &map.data, "spectrogram");
    let expected = golden.get("resynthesis");
    for (channel, expected) in expected.chunks(2800).enumerate() {
        let mut synthesis = network.spectrogram.synthesis(&map, 0.0, 1.0);
        let mut signal = vec![0.0; 2800];
        synthesis.add(channel, 0, &mut signal);
        assert_same(expected, &signal, "resynthesis");
        let mut pieces = vec![0.0; 2800];
        for (i, piece) in pieces.chunks_mut(700).enumerate() {
            synthesis.add(channel, 700 * i, piece);
        }
        assert_same(expected, &pieces, "resynthesis in pieces");
    }
}

#[test]
fn encoders_transformer_and_decoders_match_the_reference() {
    let (network, golden) = general();
    let margin = network.config.margin();
    let mix = golden.get("mix");
    let spectra = network.spectrogram.analyse(&mix, 2);
    let scale = Scale::from_moments(spectra.moments);
    let x = spectra.map(scale.mean, scale.rate());
    let xt = network.interleave(&mix, Scale::from_moments(Moments::from_slice(&mix)));
    let (mut x0, xt0) = (network.encoder[0].forward(&x), network.tencoder[0].forward(&xt));
    network.embed_freqs(&mut x0);
    let (x1, xt1) = (network.encoder[1].forward(&x0), network.tencoder[1].forward(&xt0));
    assert_same(&golden.freq_map("encoder.1").data, &x1.data, "encoder.1");
    assert_same(golden.time_map("tencoder.1", margin).inner(), xt1.inner(), "tencoder.1");

    let (x2, xt2) = (network.encoder[2].forward(&x1), network.tencoder[2].forward(&xt1));
    let tokens = |map: &FreqMap| {
        let mut tokens = vec![0.0; map.data.len()];
        tokens_from_map(map, &mut tokens);
        tokens
    };
    let (up, up_t) = (network.channel_upsampler.as_ref(), network.channel_upsampler_t.as_ref());
    let mut wide = through(up, &tokens(&x2)).unwrap();
    let mut wide_t = through(up_t, xt2.inner()).unwrap();
    let transformer = network.crosstransformer.as_ref().unwrap();
    transformer.forward(&mut wide, &mut wide_t, x2.freqs, &|| false);
    assert_same(&tokens(&golden.freq_map("crosstransformer")), &wide, "crosstransformer");
    let expected = golden.time_map("crosstransformer.t", margin);
    assert_same(expected.inner(), &wide_t, "crosstransformer, time");

    let (mut x3, mut xt3) = (x2.clone(), xt2.clone());
    network.transform(&mut x3, &mut xt3, &|| false);
    let x4 = network.decoder[0].forward(x3, x2);
    let xt4 = network.tdecoder[0].forward(xt3, xt2, xt1.frames);
    let x5 = network.decoder[1].forward(x4, x1);
    let xt5 = network.tdecoder[1].forward(xt4, xt1, xt0.frames);
    assert_same(&golden.freq_map("decoder.1").data, &x5.data, "decoder.1");
    assert_same(golden.time_map("tdecoder.1", margin).inner(), xt5.inner(), "tdecoder.1");
}

#[test]
fn silence_separates_into_finite_values() {
    let (network, _) = general();
    let stems = network.separate(&vec![0.0; 5600]).unwrap();
    assert!(stems.iter().all(|v| v.is_finite()));
}

fn arguments(change: &[(&str, Value)]) -> Result<Config> {
    let mut kwargs = json!({ "sources": ["a", "b"], "segment": "39/5" });
    for (name, value) in change {
        kwargs[*name] = value.clone();
    }
    Config::from_arguments(&json!([]), &kwargs)
}

#[test]
fn omitted_arguments_have_the_references_defaults() {
    let config = arguments(&[]).unwrap();
    assert_eq!((config.channels, config.growth, config.nfft, config.depth), (48, 2, 4096, 4));
    assert_eq!((config.dconv_mode, config.bottom_channels), (1, 0));
    assert_eq!((config.t_layers, config.t_heads, config.t_hidden_scale), (5, 8, 4.0));
    assert_eq!(config.segment_frames, 343_980);
    let config = Config::from_arguments(&json!([["x"], 1, 24]), &json!({})).unwrap();
    assert_eq!((config.audio_channels, config.channels), (1, 24));
    assert_eq!(config.segment_frames, 441_000);
}

#[test]
fn a_segment_is_a_number_or_a_fraction_in_any_form() {
    for (segment, frames) in [
        (json!("39/5"), 343_980),
        (json!({ "_type": "fraction", "numerator": 39, "denominator": 5 }), 343_980),
        (json!(7.8), 343_980),
        (json!(10), 441_000),
        (json!("10"), 441_000),
    ] {
        assert_eq!(arguments(&[("segment", segment)]).unwrap().segment_frames, frames);
    }
}

#[test]
fn arguments_that_are_not_supported_are_named() {
    for (name, value) in [
        ("wiener_iters", json!(1)),
        ("cac", json!(false)),
        ("rewrite", json!(false)),
        ("multi_freqs", json!([0.5])),
        ("channels_time", json!(32)),
        ("t_emb", json!("cape")),
        ("t_sparse_self_attn", json!(true)),
        ("t_sparse_cross_attn", json!(true)),
        ("t_group_norm", json!(true)),
        ("t_norm_first", json!(false)),
        ("use_train_segment", json!(false)),
        ("dconv_lstm", json!(4)),
        ("channels", json!(-1)),
        ("channels", json!(1e9)),
        ("channels", json!("many")),
        ("growth", json!(1.5)),
        ("depth", json!(5)),
        ("nfft", json!(4100)),
        ("norm_groups", json!(0)),
        ("t_heads", json!(7)),
        ("segment", json!("39/0")),
        ("segment", json!(1e12)),
        ("segment", json!(-1)),
        ("segment", json!(0.01)),
        ("segment", json!([])),
        ("sources", json!([])),
        ("sources", json!(["a", "a"])),
        ("sources", json!([1])),
    ] {
        let error = arguments(&[(name, value.clone())]).unwrap_err();
        let ModelError::Header { misfit } = error else { panic!("{error}") };
        let what = misfit.to_string();
        assert!(what.contains(name), "{name} = {value}: {what}");
    }
}

#[test]
fn the_expected_tensors_of_the_published_network_are_all_there() {
    let config = arguments(&[
        ("sources", json!(["drums", "bass", "other", "vocals"])),
        ("dconv_mode", json!(3)),
        ("bottom_channels", json!(512)),
    ]);
    let expected = expected_tensors(&config.unwrap());
    assert_eq!(expected.len(), 533);
    let values: usize = expected.values().map(|shape| shape.iter().product::<usize>()).sum();
    assert_eq!(values, 41_984_456);
    assert_eq!(expected["decoder.3.conv_tr.weight"], [48, 16, 8, 1]);
}

/// A file with the tensors of the six-stem network, changed.
fn changed(change: impl Fn(&str, &mut Vec<usize>) -> bool, metadata: Option<&str>) -> Vec<u8> {
    let bytes = golden("six.weights.safetensors");
    let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
    let mut strings = header.metadata().clone().unwrap();
    if let Some(kwargs) = metadata {
        strings.insert("kwargs".to_owned(), kwargs.to_owned());
    }
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let mut tensors = Vec::new();
    for (name, view) in file.tensors() {
        let mut shape = view.shape().to_vec();
        if change(&name, &mut shape) {
            let length = 2 * shape.iter().product::<usize>();
            let mut data = view.data().to_vec();
            data.resize(length, 0);
            tensors.push((name, shape, data));
        }
    }
    let views = tensors.iter().map(|(name, shape, data)| {
        (name.as_str(), TensorView::new(Dtype::F16, shape.clone(), data).unwrap())
    });
    safetensors::serialize(views.collect::<Vec<_>>(), Some(strings)).unwrap()
}

fn error_of(bytes: &[u8]) -> String {
    match from_bytes(bytes, Precision::Single) {
        Err(ModelError::Header { misfit }) => misfit.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_invalid_file_is_refused_with_the_reason() {
    let missing = changed(|name, _| name != "encoder.2.conv.bias", None);
    assert!(error_of(&missing).contains("encoder.2.conv.bias is missing"));
    let reshaped = changed(
        |name, shape| {
            if name == "tdecoder.0.rewrite.bias" {
                shape[0] += 1;
            }
            true
        },
        None,
    );
    assert!(error_of(&reshaped).contains("tdecoder.0.rewrite.bias has the shape [65]"));
    let foreign = changed(|_, _| true, Some(r#"{"sources": ["a"], "segment": 1}"#));
    assert!(error_of(&foreign).contains("the tensor"));
    assert!(error_of(&changed(|_, _| true, Some("nonsense"))).contains("are not valid: "));
    assert!(error_of(&changed(|_, _| true, Some("[]"))).contains("kwargs an object"));
    let whole = golden("six.weights.safetensors");
    for length in [0, 7, 8, 100, whole.len() / 2, whole.len() - 1] {
        assert!(error_of(&whole[..length]).contains("not a safetensors file"), "{length}");
    }
    let mut hostile = whole;
    hostile[..8].fill(0xff);
    assert!(error_of(&hostile).contains("not a safetensors file"));
}

#[test]
fn a_missing_file_is_named() {
    let error = load(Path::new("no/such/model.safetensors"), Precision::Single).unwrap_err();
    assert!(error.to_string().contains("no/such/model.safetensors"));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("broken.safetensors");
    fs::write(&path, b"not a model").unwrap();
    assert!(load(&path, Precision::Single).unwrap_err().to_string().contains("broken.safetensors"));
}
