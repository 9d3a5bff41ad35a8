//! Tests of the recognition with the shapes of the published networks.

use serde_json::{Value, json};

use super::*;
use crate::model::{ModelError, recognition::MissingFact};

/// The tensors that recognition reads, of the published size: 128 channels, growth 128, five scales.
fn shapes(stems: usize) -> Shapes {
    let mut shapes = Shapes::from([
        ("first_conv.weight".to_owned(), vec![128, 16, 1, 1]),
        ("final_conv.2.weight".to_owned(), vec![16 * stems, 128, 1, 1]),
    ]);
    for scale in 0..5 {
        let block = format!("encoder_blocks.{scale}");
        let (c, f) = (128 * (scale + 1), 1024 >> scale);
        for index in 0..2 {
            let name = format!("{block}.tfc_tdf.blocks.{index}");
            shapes.insert(format!("{name}.tfc1.0.weight"), vec![c]);
            shapes.insert(format!("{name}.tfc1.2.weight"), vec![c, c, 3, 3]);
            shapes.insert(format!("{name}.tdf.2.weight"), vec![f / 4, f]);
        }
        shapes.insert(format!("{block}.downscale.conv.2.weight"), vec![c + 128, c, 2, 2]);
    }
    shapes
}

fn config() -> Value {
    json!({
        "audio": {"chunk_size": 261_120, "dim_f": 4096, "dim_t": 256, "hop_length": 1024,
            "n_fft": 8192, "num_channels": 2, "sample_rate": 44100},
        "model": {"act": "gelu", "bottleneck_factor": 4, "growth": 128, "norm": "InstanceNorm",
            "num_blocks_per_scale": 2, "num_channels": 128, "num_scales": 5, "num_subbands": 4,
            "scale": [2, 2]},
        "training": {"instruments": ["vocals", "other"], "target_instrument": null},
        "inference": {"num_overlap": 4},
    })
}

fn with(config: Value) -> Facts {
    Facts { origin: "net.yaml".into(), config, ..Facts::default() }
}

#[test]
fn a_published_network_is_recognised() {
    let Some(Ok(Recognised::Complete(kwargs))) = recognise(&shapes(2), &with(config())) else {
        panic!()
    };
    let expected = json!({
        "sources": ["vocals", "other"], "rest": null, "samplerate": 44100, "segment_frames": 261_120,
        "overlap": 75, "normalize": false, "audio_channels": 2, "n_fft": 8192, "hop_length": 1024,
        "dim_f": 4096, "dim_t": 256, "num_channels": 128, "growth": 128, "num_scales": 5,
        "num_blocks_per_scale": 2, "bottleneck_factor": 4, "num_subbands": 4, "scale": [2, 2],
        "norm": "InstanceNorm", "act": "gelu",
    });
    assert_eq!(Value::Object(kwargs), expected);
}

#[test]
fn facts_that_only_a_configuration_states_are_asked_for() {
    let found = recognise(&shapes(5), &Facts::default()).unwrap();
    let missing = vec![
        MissingFact::Hop { usual: HOPS.to_vec() },
        MissingFact::Chunk { usual: CHUNKS.to_vec() },
        MissingFact::Stems { count: 5 },
    ];
    assert_eq!(found, Ok(Recognised::Missing(missing)));
}

#[test]
fn contradicting_facts_are_named() {
    let cases = [
        (["model", "growth"], json!(64), "model.growth in net.yaml is 64"),
        (["model", "num_scales"], json!(4), "model.num_scales"),
        (["model", "num_subbands"], json!(2), "model.num_subbands"),
        (["model", "bottleneck_factor"], json!(8), "narrows 1024 bins to 256"),
        (["model", "scale"], json!([2, 4]), "is not [2, 2]"),
        (["model", "norm"], json!("BatchNorm"), "is BatchNorm; only InstanceNorm is supported"),
        (["model", "act"], json!("relu"), "is relu; only gelu is supported"),
        (["audio", "dim_f"], json!(2048), "audio.dim_f"),
        (["audio", "n_fft"], json!(4096), "does not fit 4096 bins"),
        (["audio", "chunk_size"], json!(352_800), "such a segment has 359424 frames"),
        (["audio", "num_channels"], json!(1), "audio.num_channels"),
    ];
    for (path, value, expected) in cases {
        let mut config = config();
        config[path[0]][path[1]] = value;
        match recognise(&shapes(2), &with(config)) {
            Some(Err(ModelError::Header { misfit })) => {
                assert!(misfit.to_string().contains(expected), "{misfit}");
            }
            other => panic!("{other:?}"),
        }
    }
    let mut normed = shapes(2);
    normed.insert("encoder_blocks.0.tfc_tdf.blocks.0.tfc1.0.running_mean".into(), vec![128]);
    let found = recognise(&normed, &with(config())).unwrap();
    assert!(found.unwrap_err().to_string().contains("BatchNorm"));
    assert_eq!(recognise(&Shapes::new(), &with(config())), None);
}
