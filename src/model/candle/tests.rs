//! Tests of every golden network in candle's operations against the reference and the kernels.

use std::{fs, path::PathBuf};

use safetensors::SafeTensors;

use crate::model::{
    Device, ModelError, Precision, Separator, kernels::testing::signal_to_error_db, kind_in, load,
    weights,
};

/// Small networks with every option; the published network would take seconds per test.
const NETWORKS: [&str; 14] = [
    "general",
    "six",
    "roformer/mel",
    "roformer/mel-deep",
    "roformer/mel-mono",
    "roformer/mel-60",
    "roformer/bs",
    "roformer/bs-four",
    "roformer/bs-mono",
    "roformer/bs-half",
    "roformer/bs-62",
    "mdx23c/one",
    "mdx23c/four",
    "mdx23c/wide",
];

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

fn candle(name: &str) -> Box<dyn Separator> {
    let path = path(&format!("{name}.weights.safetensors"));
    let kind = kind_in(&weights::read_metadata(&path).unwrap()).unwrap();
    kind.load(&path, Device::CandleCpu, Precision::Single).unwrap()
}

/// A tensor of the golden file.
fn golden(name: &str, tensor: &str) -> Vec<f32> {
    let file = fs::read(path(&format!("{name}.golden.safetensors"))).unwrap();
    let file = SafeTensors::deserialize(&file).unwrap();
    bytemuck::pod_collect_to_vec(file.tensor(tensor).unwrap().data())
}

#[test]
fn networks_match_the_reference_and_the_kernels() {
    for name in NETWORKS {
        let network = candle(name);
        let spec = network.spec();
        let mut mix = golden(name, "mix");
        mix.truncate(spec.channels * spec.segment_frames);
        let is_mono = mix.len() < spec.channels * spec.segment_frames;
        if is_mono {
            mix.extend_from_within(..);
        }
        let stems = network.separate(&mix).unwrap();
        let kernels =
            load(&path(&format!("{name}.weights.safetensors")), Device::Cpu, Precision::Single);
        let db = signal_to_error_db(&kernels.unwrap().separate(&mix).unwrap(), &stems);
        println!("{name}: {db:.1} dB from the kernels");
        assert!(db > 100.0, "{name}: {db:.1} dB from the kernels");
        let expected = golden(name, "stems");
        // Mono networks, and those that end with the last whole hop, have shorter golden stems.
        if expected.len() == stems.len() {
            let db = signal_to_error_db(&expected, &stems);
            println!("{name}: {db:.1} dB from the reference");
            assert!(db > 100.0, "{name}: {db:.1} dB from the reference");
        }
    }
}

#[test]
fn a_stop_ends_the_segment() {
    for name in ["general", "roformer/bs", "mdx23c/one"] {
        let network = candle(name);
        let mix = vec![0.1; network.spec().channels * network.spec().segment_frames];
        assert!(matches!(network.separate_unless(&mix, &|| true), Err(ModelError::Cancelled)));
        assert!(network.separate(&mix[1..]).is_err(), "another length");
    }
}
