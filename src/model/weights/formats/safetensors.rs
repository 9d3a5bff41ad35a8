//! Safetensors: the publisher's files are read, and the canonical file is read and written.
//!
//! The `safetensors` crate checks the header; the values are read one tensor at a time.

use std::{
    collections::BTreeMap,
    io::{Read, Write},
};

use safetensors::tensor::{Dtype as Stored, Metadata};
use serde_json::{Map, Value, json};

use crate::model::{
    findings::{Bytes, Malformed, Printable},
    weights::{
        catalog::Network,
        checkpoint::{Checkpoint, Dtype, Tensor},
        error::{Fault, Result, quoted},
        progress::{Step, Watch},
    },
};

/// Largest length of a header, in bytes; the largest known model's has 60 kB.
const HEADER_LIMIT: u64 = 4 << 20;

/// Reads the header of a file of `length` bytes and checks it against that length.
pub(in crate::model::weights) fn read_header(mut file: impl Read, length: u64) -> Result<Metadata> {
    let mut size = [0; 8];
    file.read_exact(&mut size)?;
    let size = u64::from_le_bytes(size);
    if size > HEADER_LIMIT {
        let (size, limit) = (Bytes(size), Bytes(HEADER_LIMIT));
        return Err(Malformed::HeaderTooLarge { size, limit }.into());
    }
    let mut header = Vec::new();
    file.take(size).read_to_end(&mut header)?;
    if header.len() as u64 != size {
        return Err(cut_off(length, 8 + size));
    }
    let metadata: Metadata = serde_json::from_slice(&header)
        .map_err(|error| Malformed::Header { cause: Printable::of(error) })?;
    let expected = 8 + size + metadata.data_len() as u64;
    match length {
        _ if length < expected => Err(cut_off(length, expected)),
        _ if length > expected => {
            Err(Malformed::TooLong { excess: Bytes(length - expected) }.into())
        }
        _ => Ok(metadata),
    }
}

fn cut_off(length: u64, expected: u64) -> Fault {
    Fault::cut_off(Some(length), Some(expected))
}

/// Reads all tensors of a file of `length` bytes.
pub(super) fn read(mut file: impl Read, length: u64, watch: &mut Watch<'_>) -> Result<Checkpoint> {
    let metadata = read_header(&mut file, length)?;
    let mut checkpoint = described(metadata.metadata().as_ref())?;
    let mut done = length - metadata.data_len() as u64;
    // The header was checked: the tensors follow one another without a gap, up to the file's end.
    for name in metadata.offset_keys() {
        let Some(info) = metadata.info(&name) else { continue };
        let dtype = match info.dtype {
            Stored::F16 => Dtype::F16,
            Stored::BF16 => Dtype::Bf16,
            Stored::F32 => Dtype::F32,
            Stored::F64 => Dtype::F64,
            // Counters and indices, which no network needs.
            Stored::BOOL
            | Stored::U8
            | Stored::I8
            | Stored::I16
            | Stored::U16
            | Stored::I32
            | Stored::U32
            | Stored::I64
            | Stored::U64 => {
                let count = (info.data_offsets.1 - info.data_offsets.0) as u64;
                if std::io::copy(&mut file.by_ref().take(count), &mut std::io::sink())? != count {
                    return Err(cut_off(length, length + 1));
                }
                done += count;
                continue;
            }
            other => {
                let (name, found) = (quoted(&name).into(), format!("{other:?}").into());
                return Err(Malformed::TensorType { name, found }.into());
            }
        };
        let mut stored = vec![0; info.data_offsets.1 - info.data_offsets.0];
        file.read_exact(&mut stored)?;
        let values = dtype.values(&stored).map_err(|error| error.of(&name))?;
        checkpoint.insert(name, Tensor { shape: info.shape.clone(), values })?;
        done += stored.len() as u64;
        watch.report(Step::Reading, done, Some(length))?;
    }
    Ok(checkpoint)
}

/// Class and constructor arguments from the header's metadata. The publisher writes the class with
/// its module, and a fraction as an object with a numerator and a denominator.
pub(in crate::model::weights) fn described(
    metadata: Option<&std::collections::HashMap<String, String>>,
) -> Result<Checkpoint> {
    let mut checkpoint = Checkpoint::default();
    let Some(metadata) = metadata else { return Ok(checkpoint) };
    if metadata.contains_key("structure") {
        return Err(Malformed::Quantised.into());
    }
    let invalid = |error: serde_json::Error| Malformed::Arguments { cause: Printable::of(error) };
    let last = |class_name: &String| class_name.rsplit('.').next().map(str::to_owned);
    checkpoint.class_name = metadata.get("klass").and_then(last);
    if let Some(text) = metadata.get("kwargs") {
        let kwargs: Map<String, Value> = serde_json::from_str(text).map_err(invalid)?;
        checkpoint.kwargs = kwargs;
    }
    if let Some(text) = metadata.get("args") {
        checkpoint.args = serde_json::from_str(text).map_err(invalid)?;
    }
    Ok(checkpoint)
}

/// Writes the canonical file of a network: f16 (f32 where f16 is inexact), ordered by name, so that
/// equal content gives equal bytes.
pub(in crate::model::weights) fn write(
    mut file: impl Write,
    network: &Network,
    checkpoint: &Checkpoint,
    watch: &mut Watch<'_>,
) -> Result<()> {
    let mut offset = 0;
    let mut header = BTreeMap::from([("__metadata__", canonical_metadata(network, checkpoint))]);
    for (name, tensor) in &checkpoint.tensors {
        let end = offset + tensor.bytes() as usize;
        let dtype = if tensor.values.is_half() { "F16" } else { "F32" };
        let entry = json!({"dtype": dtype, "shape": tensor.shape, "data_offsets": [offset, end]});
        header.insert(name, entry);
        offset = end;
    }
    let mut header = serde_json::to_vec(&header).map_err(std::io::Error::from)?;
    header.resize(header.len().next_multiple_of(8), b' ');
    file.write_all(&(header.len() as u64).to_le_bytes())?;
    file.write_all(&header)?;
    let mut done = 0;
    for tensor in checkpoint.tensors.values() {
        file.write_all(&tensor.le_bytes())?;
        done += tensor.bytes();
        watch.report(Step::Writing, done, Some(offset as u64))?;
    }
    Ok(())
}

/// The metadata of the canonical file, all texts, as the format requires. The constructor arguments
/// are the catalogue's, if it has them, so that they do not depend on the origin; otherwise the
/// file's.
fn canonical_metadata(network: &Network, checkpoint: &Checkpoint) -> Value {
    let mut texts = json!({
        "digest": network.digest.as_deref().unwrap_or_default(),
        "klass": network.class_name,
        "signature": network.signature,
    });
    match (&network.kwargs, checkpoint.described()) {
        (Some(kwargs), _) => texts["kwargs"] = Value::Object(kwargs.clone()).to_string().into(),
        (None, Some(described)) => {
            texts["kwargs"] = described.kwargs.into();
            if described.args != "[]" {
                texts["args"] = described.args.into();
            }
        }
        (None, None) => {}
    }
    texts
}
