//! Tests of the recognition with the shapes of published networks.

use serde_json::json;

use super::*;
use crate::model::{
    ModelError,
    recognition::{MissingFact, Stated},
};

/// Widths of the 60 bands of every published Mel-Band RoFormer, in bins.
const MEL_60: [usize; 60] = [
    7, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 7, 7, 7, 9, 9, 9, 10, 10, 11, 13, 13, 13, 15, 16,
    17, 19, 20, 20, 22, 24, 26, 28, 29, 31, 33, 36, 39, 41, 44, 47, 50, 54, 57, 61, 66, 71, 76, 80,
    86, 93, 99, 105, 113, 122, 130,
];

/// Sizes of a network whose shapes are wanted.
#[derive(Clone)]
struct Sizes {
    is_mel: bool,
    dim: usize,
    depth: usize,
    linear: usize,
    widths: Vec<usize>,
    hidden: Option<usize>,
    stems: usize,
}

fn kim() -> Sizes {
    let widths = MEL_60.iter().map(|bins| 4 * bins).collect();
    Sizes { is_mel: true, dim: 384, depth: 6, linear: 0, widths, hidden: Some(1536), stems: 1 }
}

fn viperx() -> Sizes {
    let bands = [(24, 2), (12, 4), (8, 12), (8, 24), (8, 48), (1, 128), (1, 129)];
    let widths = bands.iter().flat_map(|(count, bins)| vec![4 * bins; *count]).collect();
    Sizes { is_mel: false, dim: 512, depth: 12, linear: 0, widths, hidden: Some(2048), stems: 1 }
}

/// Names and shapes of a network, of 8 heads of 64 features.
fn shapes(sizes: &Sizes) -> Shapes {
    let Sizes { is_mel, dim, depth, linear, ref widths, hidden, stems } = *sizes;
    let mut shapes = Shapes::new();
    let mut add =
        |name: String, shape: &[usize]| assert!(shapes.insert(name, shape.into()).is_none());
    for (band, width) in widths.iter().enumerate() {
        let name = format!("band_split.to_features.{band}");
        add(format!("{name}.0.gamma"), &[*width]);
        add(format!("{name}.1.weight"), &[dim, *width]);
        add(format!("{name}.1.bias"), &[dim]);
    }
    for layer in 0..depth {
        let first = usize::from(linear > 0);
        for part in 0..2 + first {
            let name = format!("layers.{layer}.{part}");
            let is_linear = part < first;
            for block in 0..if is_linear { linear } else { 1 } {
                let attention = format!("{name}.layers.{block}.0");
                add(format!("{attention}.norm.gamma"), &[dim]);
                if is_linear {
                    add(format!("{attention}.to_qkv.0.weight"), &[1536, dim]);
                    add(format!("{attention}.temperature"), &[8, 1, 1]);
                    add(format!("{attention}.to_out.1.weight"), &[dim, 512]);
                } else {
                    add(format!("{attention}.rotary_embed.freqs"), &[32]);
                    add(format!("{attention}.to_qkv.weight"), &[1536, dim]);
                    add(format!("{attention}.to_gates.weight"), &[8, dim]);
                    add(format!("{attention}.to_gates.bias"), &[8]);
                    add(format!("{attention}.to_out.0.weight"), &[dim, 512]);
                }
                let net = format!("{name}.layers.{block}.1.net");
                add(format!("{net}.0.gamma"), &[dim]);
                add(format!("{net}.1.weight"), &[4 * dim, dim]);
                add(format!("{net}.1.bias"), &[4 * dim]);
                add(format!("{net}.4.weight"), &[dim, 4 * dim]);
                add(format!("{net}.4.bias"), &[dim]);
            }
            if is_mel {
                add(format!("{name}.norm.gamma"), &[dim]);
            }
        }
    }
    if !is_mel {
        add("final_norm.gamma".into(), &[dim]);
    }
    for stem in 0..stems {
        for (band, width) in widths.iter().enumerate() {
            let name = format!("mask_estimators.{stem}.to_freqs.{band}.0");
            // Two hidden layers in Mel, one in BS: a depth of two in both.
            let mut inputs = dim;
            let wide: Vec<usize> =
                hidden.map_or(Vec::new(), |hidden| vec![hidden; if is_mel { 2 } else { 1 }]);
            for (index, outputs) in wide.into_iter().chain([2 * width]).enumerate() {
                add(format!("{name}.{}.weight", 2 * index), &[outputs, inputs]);
                add(format!("{name}.{}.bias", 2 * index), &[outputs]);
                inputs = outputs;
            }
        }
    }
    shapes
}

fn either(shapes: &Shapes, facts: &Facts) -> Result<Recognised> {
    let found = [mel(shapes, facts), bands(shapes, facts)];
    let [one] = <[_; 1]>::try_from(found.into_iter().flatten().collect::<Vec<_>>()).unwrap();
    one
}

fn complete(shapes: &Shapes, facts: &Facts) -> Map<String, Value> {
    match either(shapes, facts) {
        Ok(Recognised::Complete(kwargs)) => kwargs,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn refused(shapes: &Shapes, facts: &Facts, expected: &str) {
    match either(shapes, facts) {
        Err(ModelError::Header { misfit }) => {
            assert!(misfit.to_string().contains(expected), "{misfit}");
        }
        other => panic!("{other:?}"),
    }
}

fn facts(config: Value) -> Facts {
    Facts { origin: "net.yaml".into(), config, stated: Stated::default() }
}

/// The parts of Kimberley Jensen's configuration that matter.
fn kims() -> Value {
    json!({
        "audio": {"chunk_size": 352_800, "dim_t": 256, "hop_length": 441, "num_channels": 2,
            "sample_rate": 44100},
        "model": {"dim": 384, "depth": 6, "stereo": true, "num_stems": 1, "time_transformer_depth": 1,
            "freq_transformer_depth": 1, "num_bands": 60, "dim_head": 64, "heads": 8,
            "sample_rate": 44100, "stft_n_fft": 2048, "stft_hop_length": 441, "stft_win_length": 2048,
            "stft_normalized": false, "mask_estimator_depth": 2, "attn_dropout": 0},
        "training": {"instruments": ["vocals", "other"], "target_instrument": "vocals", "lr": 1e-5},
        "inference": {"batch_size": 4, "dim_t": 256, "num_overlap": 2},
    })
}

#[test]
fn the_filter_bank_is_the_reference_s() {
    let widths = super::super::bands::mel(44_100.0, 2048, 60).unwrap();
    assert_eq!(widths.iter().map(ExactSizeIterator::len).collect::<Vec<_>>(), MEL_60);
    assert_eq!(MEL_60.iter().sum::<usize>(), 1979);
}

#[test]
fn a_published_mel_band_network_is_recognised() {
    let kwargs = complete(&shapes(&kim()), &facts(kims()));
    let expected = json!({
        "dim": 384, "depth": 6, "stereo": true, "num_stems": 1, "time_transformer_depth": 1,
        "freq_transformer_depth": 1, "linear_transformer_depth": 0, "dim_head": 64, "heads": 8,
        "num_bands": 60, "sample_rate": 44100, "match_input_audio_length": false, "stft_n_fft": 2048,
        "stft_hop_length": 441, "stft_win_length": 2048, "stft_normalized": false, "zero_dc": true,
        "mask_estimator_depth": 2, "mlp_expansion_factor": 4, "skip_connection": false,
        "sources": ["vocals"], "rest": "other", "samplerate": 44100, "segment_frames": 352_800,
        "overlap": 50, "normalize": false,
    });
    assert_eq!(Value::Object(kwargs), expected);
}

#[test]
fn a_published_band_split_network_is_recognised() {
    let mut sizes = viperx();
    sizes.stems = 4;
    let instruments = ["Drums", "bass", "other", "vocals"];
    let config = json!({
        "audio": {"chunk_size": 131_584},
        "model": {"stft_hop_length": 512, "zero_dc": false, "stft_normalized": "yes"},
        "training": {"instruments": instruments, "target_instrument": "None"},
        "inference": {"num_overlap": 4, "normalize": true},
    });
    let kwargs = complete(&shapes(&sizes), &facts(config));
    assert_eq!(kwargs["sources"], json!(["drums", "bass", "other", "vocals"]));
    assert_eq!(kwargs["freqs_per_bands"].as_array().unwrap().len(), 62);
    let names = ["rest", "stft_n_fft", "mask_estimator_depth", "overlap", "normalize", "zero_dc"];
    let values = names.map(|name| kwargs[name].clone());
    assert_eq!(json!(values), json!([null, 2048, 2, 75, true, false]));
}

#[test]
fn depths_of_the_mask_estimators_differ_between_the_kinds() {
    for (sizes, depth) in [(kim(), 0), (viperx(), 1)] {
        let flat = Sizes { hidden: None, ..sizes };
        let stated = Stated {
            hop: Some(441),
            chunk: Some(352_800),
            stems: vec!["Vocals".into()],
            rest: None,
        };
        let kwargs = complete(&shapes(&flat), &Facts { stated, ..Facts::default() });
        assert_eq!(kwargs["mask_estimator_depth"], depth);
        assert_eq!(
            (&kwargs["sources"], &kwargs["rest"]),
            (&json!(["vocals"]), &json!("instrumental"))
        );
    }
}

#[test]
fn transformers_over_channels_are_counted() {
    let kwargs = complete(&shapes(&Sizes { linear: 2, ..kim() }), &facts(kims()));
    let names = ["linear_transformer_depth", "time_transformer_depth", "freq_transformer_depth"];
    assert_eq!(names.map(|name| kwargs[name].clone()), [2, 1, 1]);
}

#[test]
fn facts_that_only_a_configuration_states_are_asked_for() {
    let found = either(&shapes(&kim()), &Facts::default());
    let missing = vec![
        MissingFact::Hop { usual: vec![441, 512] },
        MissingFact::Chunk { usual: CHUNKS.to_vec() },
        MissingFact::Stems { count: 1 },
    ];
    assert_eq!(found, Ok(Recognised::Missing(missing)));
    // The hop is the network's own argument: the loader of another program reads `audio`.
    let config = json!({"audio": {"hop_length": 512}, "training": {"instruments": ["a"]}});
    let found = either(&shapes(&kim()), &facts(config));
    let missing = vec![
        MissingFact::Hop { usual: vec![512, 441] },
        MissingFact::Chunk { usual: CHUNKS.to_vec() },
    ];
    assert_eq!(found, Ok(Recognised::Missing(missing)));
}

#[test]
fn the_user_s_facts_override_the_configuration() {
    let stated = Stated {
        hop: Some(512),
        chunk: Some(131_584),
        stems: vec!["voice".into()],
        rest: Some("band".into()),
    };
    let kwargs = complete(&shapes(&kim()), &Facts { stated, ..facts(kims()) });
    assert_eq!(kwargs["stft_hop_length"], 512);
    assert_eq!(kwargs["segment_frames"], 131_584);
    assert_eq!((&kwargs["sources"], &kwargs["rest"]), (&json!(["voice"]), &json!("band")));
}

#[test]
fn a_segment_may_be_stated_in_spectra() {
    let mut config = kims();
    config["audio"]["chunk_size"] = Value::Null;
    let kwargs = complete(&shapes(&kim()), &facts(config));
    assert_eq!(kwargs["segment_frames"], 441 * 255);
}

#[test]
fn a_configuration_of_another_network_is_named() {
    let cases = [
        (
            ["model", "dim"],
            json!(512),
            "model.dim in net.yaml is 512, but the tensors of the checkpoint say 384",
        ),
        (["model", "depth"], json!("12"), "model.depth in net.yaml is 12, but"),
        (["model", "heads"], json!(4), "model.heads"),
        (["model", "dim_head"], json!(32), "model.dim_head"),
        (["model", "num_stems"], json!(4), "model.num_stems"),
        (["model", "num_bands"], json!(64), "model.num_bands"),
        (["model", "mask_estimator_depth"], json!(1), "model.mask_estimator_depth"),
        (["model", "mlp_expansion_factor"], json!(2), "model.mlp_expansion_factor"),
        (["model", "time_transformer_depth"], json!(2), "model.time_transformer_depth"),
        (["model", "linear_transformer_depth"], json!(1), "model.linear_transformer_depth"),
        (["model", "stereo"], json!(false), "model.stereo in net.yaml is false"),
        (["model", "stft_n_fft"], json!(4096), "not those of a mel filter bank"),
        (
            ["model", "sample_rate"],
            json!(48000),
            "not those of a mel filter bank of 60 bands at 48000",
        ),
        (["model", "stft_win_length"], json!(4096), "is longer than stft_n_fft"),
        (["model", "stft_hop_length"], json!(0), "a hop of 0 frames does not fit"),
        (
            ["model", "stft_hop_length"],
            json!("fast"),
            "stft_hop_length in net.yaml is not a number",
        ),
        (["model", "dim"], json!(1.5), "is not a whole number"),
        (["audio", "chunk_size"], json!(100), "a segment of 100 frames is not between 2048"),
        (["training", "instruments"], json!("vocals"), "is not a list of names"),
        (["training", "target_instrument"], json!(["a"]), "is not a name"),
        (["model", "use_pope"], json!(true), "asks for PoPE embeddings (PolarFormer)"),
        (["model", "num_residual_streams"], json!(4), "with hyper-connections"),
        (["model", "add_value_residual"], json!(true), "asks for value residuals"),
    ];
    let shapes = shapes(&kim());
    for (path, value, expected) in cases {
        let mut config = kims();
        config[path[0]][path[1]] = value;
        refused(&shapes, &facts(config), expected);
    }
    let several = super::tests::shapes(&Sizes { stems: 2, ..kim() });
    let mut config = kims();
    config["model"]["num_stems"] = json!(2);
    refused(&several, &facts(config.clone()), "is vocals, but the network makes 2 stems");
    config["training"] = json!({"instruments": ["a", "b", "c"]});
    refused(&several, &facts(config.clone()), "has 3 names, but the network makes 2 stems");
    config["training"] = json!({"instruments": ["a", " A"]});
    refused(&several, &facts(config), "\"a\" is the name of two stems");
    let bands = super::tests::shapes(&viperx());
    let config = json!({"model": {"freqs_per_bands": [1, 2]}});
    refused(&bands, &facts(config), "has other bands than the checkpoint");
}

#[test]
fn variants_are_refused_by_name() {
    for (name, expected) in [
        ("layers.0.0.layers.0.0.pope_embed.bias", "PolarFormer"),
        ("layers.1.0.layers.0.0.to_value_residual_mix.weight", "value residuals"),
        ("mask_estimators.0.segm.conv.weight", "HyperACE or Segm"),
        ("layers.0.0.layers.0.0.to_qkv.lora_A", "LoRA weights"),
        ("layers.0.0.layers.0.out_norm.gamma", "Conformer"),
        ("layers.0.0.layers.0.0.static_alpha", "hyper-connections"),
    ] {
        let mut shapes = shapes(&viperx());
        shapes.insert(name.into(), vec![1]);
        refused(&shapes, &Facts::default(), expected);
    }
}

#[test]
fn broken_shapes_are_refused() {
    let all = shapes(&kim());
    let mut without = all.clone();
    without.remove("layers.0.0.layers.0.0.to_gates.weight");
    refused(
        &without,
        &facts(kims()),
        "the tensor layers.0.0.layers.0.0.to_gates.weight is missing",
    );
    let mut gap = all.clone();
    gap.retain(|name, _| !name.starts_with("layers.3."));
    refused(&gap, &facts(kims()), "the tensors of layers.3 are missing");
    let mut huge = all.clone();
    huge.insert("layers.99999999999999999999.0.norm.gamma".into(), vec![384]);
    let mut wide = all.clone();
    wide.insert("band_split.to_features.7.0.gamma".into(), vec![usize::MAX]);
    refused(&wide, &facts(kims()), "not those of a mel filter bank");
    let mut flat = all.clone();
    flat.insert("band_split.to_features.0.1.weight".into(), vec![384]);
    refused(&flat, &facts(kims()), "instead of 2 dimensions");
    let mut empty = all;
    empty.insert("layers.0.0.layers.0.0.to_gates.weight".into(), vec![0, 384]);
    refused(&empty, &facts(kims()), "instead of 2 dimensions");
}

#[test]
fn other_networks_are_not_recognised() {
    let shapes = Shapes::from([("separation_net.a".into(), vec![1])]);
    assert_eq!(mel(&shapes, &Facts::default()), None);
    assert_eq!(bands(&shapes, &Facts::default()), None);
}
