//! A second, minimal kind of network, to test that no code depends on the first. A test in
//! `engine/separation/loaded_model.rs` separates a song with it.
//!
//! Each stem is the mix through a filter of its own, like `torch.nn.Conv1d` with "same" padding and
//! one filter for all channels; tensor `filters`, `[sources, taps]`. A new kind of network consists
//! of these parts: a [`Kind`], a loader and a [`Separator`].

use std::{
    fs::{self, File},
    io::Read as _,
    path::Path,
};

use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use serde_json::json;

use super::{
    Device, Joint, Kind, Level, Memory, ModelError, Overlap, Precision, Result, Separator, Spec,
    Stop, describe,
    findings::Misfit,
    load,
    weights::{State, Store},
};

pub(super) const KIND: Kind = Kind {
    class_name: "FilterBank",
    title: None,
    describe: |file| {
        let weights = 2 * file.metadata()?.len();
        let spec = FilterBank::read(file)?.spec;
        let work = (4 * spec.channels * spec.segment_frames * spec.sources.len()) as u64;
        Ok((spec, Memory { weights, work, per_thread: 0, fast_saving: 0 }))
    },
    kernels: |path, _precision| read(path),
    candle: |path, _device| read(path),
    recognise: |_, _| None,
};

fn read(path: &Path) -> Result<Box<dyn Separator>> {
    let file = File::open(path).map_err(|source| ModelError::io(path, source))?;
    Ok(Box::new(FilterBank::read(file)?))
}

struct FilterBank {
    spec: Spec,
    filters: Vec<Vec<f32>>,
}

impl FilterBank {
    fn read(mut file: File) -> Result<Self> {
        let wrong = |what: &str| ModelError::from(Misfit::Reference { cause: what.into() });
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let (_, header) =
            SafeTensors::read_metadata(&bytes).map_err(|error| wrong(&error.to_string()))?;
        let metadata = header.metadata().clone().unwrap_or_default();
        let kwargs = metadata.get("kwargs").ok_or_else(|| wrong("no arguments"))?;
        let kwargs: serde_json::Value =
            serde_json::from_str(kwargs).map_err(|error| wrong(&error.to_string()))?;
        let sources: Vec<String> =
            serde_json::from_value(kwargs["sources"].clone()).map_err(|_| wrong("no sources"))?;
        let segment_frames = kwargs["segment_frames"].as_u64().unwrap_or(0) as usize;
        let file = SafeTensors::deserialize(&bytes).map_err(|error| wrong(&error.to_string()))?;
        let tensor = file.tensor("filters").map_err(|error| wrong(&error.to_string()))?;
        let values: Vec<half::f16> = bytemuck::pod_collect_to_vec::<u8, u16>(tensor.data())
            .into_iter()
            .map(half::f16::from_bits)
            .collect();
        let &[stems, taps] = tensor.shape() else { return Err(wrong("filters is not a matrix")) };
        if stems != sources.len() || segment_frames < taps {
            return Err(wrong("filters and arguments do not fit together"));
        }
        let filters = values.chunks(taps).map(|f| f.iter().map(|v| v.to_f32()).collect());
        let rest: Option<String> =
            serde_json::from_value(kwargs["rest"].clone()).map_err(|_| wrong("no rest"))?;
        let spec = match kwargs["overlap"].as_u64() {
            Some(overlap) => Spec { rest, ..Spec::fade(sources, segment_frames, overlap as u8) },
            None => Spec { rest, ..Spec::triangle(sources, segment_frames) },
        };
        Ok(Self { spec, filters: filters.collect() })
    }
}

impl Separator for FilterBank {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn separate_unless(&self, mix: &[f32], stop: Stop<'_>) -> Result<Vec<f32>> {
        let mut out = Vec::with_capacity(self.filters.len() * mix.len());
        for filter in &self.filters {
            if stop() {
                return Err(ModelError::Cancelled);
            }
            for channel in mix.chunks_exact(self.spec.segment_frames) {
                out.extend((0..channel.len()).map(|at| {
                    let sample = |(tap, gain): (usize, &f32)| {
                        let from = (at + tap).checked_sub(filter.len() / 2)?;
                        Some(gain * channel.get(from)?)
                    };
                    filter.iter().enumerate().filter_map(sample).sum::<f32>()
                }));
            }
        }
        Ok(out)
    }
}

/// A file of a bank whose stems are a quarter and three quarters of the mix. The filters see no
/// neighbours, so that the edges of segments have no effect.
pub(crate) fn file(class_name: &str) -> Vec<u8> {
    let kwargs = json!({"sources": ["low", "high"], "segment_frames": 400});
    bank(class_name, &[0.25, 0.75], &kwargs)
}

/// A file of another bank: as [`file`], with other weights.
pub(crate) fn other_file() -> Vec<u8> {
    let kwargs = json!({"sources": ["low", "high"], "segment_frames": 400});
    bank("FilterBank", &[0.5, 0.5], &kwargs)
}

/// A file of a bank with the policy of other kinds than HTDemucs: its only source is a quarter of
/// the mix, and "Instrumental" is the rest; segments fade, and the song is not normalised.
pub(crate) fn file_with_rest() -> Vec<u8> {
    let kwargs = json!({
        "sources": ["voice"], "rest": "Instrumental", "segment_frames": 4000, "overlap": 50
    });
    bank("FilterBank", &[0.25], &kwargs)
}

fn bank(class_name: &str, gains: &[f32], kwargs: &serde_json::Value) -> Vec<u8> {
    let filters = gains.iter().flat_map(|gain| [0.0, *gain, 0.0]);
    let bytes: Vec<u8> = filters.flat_map(|v| half::f16::from_f32(v).to_le_bytes()).collect();
    let view = TensorView::new(Dtype::F16, vec![gains.len(), 3], &bytes).unwrap();
    let metadata = [("klass", class_name.to_owned()), ("kwargs", kwargs.to_string())];
    let metadata = metadata.map(|(key, text)| (key.to_owned(), text)).into_iter().collect();
    safetensors::serialize([("filters", view)], Some(metadata)).unwrap()
}

#[test]
fn another_kind_of_network_is_imported_and_described() {
    let home = tempfile::tempdir().unwrap();
    let weights = home.path().join("Höhen und Tiefen.safetensors");
    fs::write(&weights, file("some.module.FilterBank")).unwrap();
    let store = Store::new(home.path());
    let model = store.import(&weights, &mut |_| {}, &|| false).unwrap();
    assert_eq!((model.name.as_str(), model.is_own), ("Hohen-und-Tiefen", true));
    assert_eq!(model.sources, ["low", "high"]);
    assert!(matches!(store.state(&model.name), State::Installed { .. }));
    store.verify(&model.name, &mut |_| {}, &|| false).unwrap();
    let path = store.path(&model.name);
    assert_eq!(describe(&path).unwrap().spec.segment_frames, 400);
    assert_eq!(
        load(&path, Device::Cpu, Precision::Single).unwrap().spec().sources,
        ["low", "high"]
    );
}

#[test]
fn the_file_states_how_the_engine_uses_it() {
    let home = tempfile::tempdir().unwrap();
    let weights = home.path().join("bank.safetensors");
    fs::write(&weights, file_with_rest()).unwrap();
    let described = describe(&weights).unwrap();
    let spec = described.spec;
    assert_eq!(spec.stems(), ["voice", "Instrumental"]);
    assert_eq!((spec.level, spec.joint), (Level::AsIs, Joint::Fade));
    assert_eq!(spec.overlap, Overlap { default: 50, least: 10, most: 75 });
    assert!(!spec.allows_shifts);
    let other = home.path().join("other.safetensors");
    let kwargs = json!({"sources": ["voice"], "segment_frames": 4000, "overlap": 50});
    fs::write(&other, bank("FilterBank", &[0.25], &kwargs)).unwrap();
    let other = describe(&other).unwrap();
    assert!(other.identity != described.identity, "the same weights, used in another way");
}

#[test]
fn an_unknown_kind_is_refused_by_name() {
    let home = tempfile::tempdir().unwrap();
    let weights = home.path().join("new.safetensors");
    fs::write(&weights, file("RoFormer")).unwrap();
    let message =
        Store::new(home.path()).import(&weights, &mut |_| {}, &|| false).unwrap_err().to_string();
    assert!(
        message.contains("a network of the class RoFormer, which is not supported"),
        "{message}"
    );
}
