//! MDX23C (TFC-TDF v3): convolutions over a spectrogram, with layers over frequency.

pub mod recognise;

use std::{fs::File, path::Path};

use crate::model::{Kind, Memory, ModelError, Precision, Result, Separator, Spec, weights};

/// The kind of network.
pub const KIND: Kind =
    Kind { class_name: "TFC_TDF_net", describe, load, recognise: recognise::recognise };

/// The shape that a file's arguments state.
#[expect(clippy::needless_pass_by_value, reason = "the signature of `Kind::describe`")]
fn describe(file: File) -> Result<(Spec, Memory)> {
    let header = weights::read_texts(&file)?;
    let kwargs = header.get("kwargs").map(String::as_str).unwrap_or_default();
    let kwargs: serde_json::Value = serde_json::from_str(kwargs)
        .map_err(|error| ModelError::header(&format!("its arguments are not valid: {error}")))?;
    let sources = serde_json::from_value(kwargs["sources"].clone())
        .map_err(|_| ModelError::header("it does not name its stems"))?;
    let segment_frames = kwargs["segment_frames"].as_u64().unwrap_or(0) as usize;
    let sample_rate = kwargs["samplerate"].as_u64().unwrap_or(0) as u32;
    let spec = Spec { sample_rate, ..Spec::fade(sources, segment_frames, 50) };
    Ok((spec, Memory::default()))
}

/// Fails: the computation is not part of this build.
fn load(path: &Path, _: Precision) -> Result<Box<dyn Separator>> {
    Err(ModelError::header("this build cannot run its kind of network").of_file(path))
}
