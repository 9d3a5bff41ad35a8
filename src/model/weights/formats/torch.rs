//! PyTorch's checkpoints (`.th`): a zip archive of a pickle and one entry for each storage.
//!
//! The package that the reference writes is a dictionary of `klass`, `args`, `kwargs` and `state`.

use std::{
    fs::File,
    io::{BufReader, Read as _},
};

use serde_json::{Map, Value};
use zip::{CompressionMethod, ZipArchive, result::ZipError};

use super::pickle::{self, Name, Node, Pickle, View};
use crate::model::weights::{
    checkpoint::{Checkpoint, Tensor, Values, count},
    error::{Fault, Result, bytes, quoted},
    progress::{Step, Watch},
};

/// Largest length of a pickle, in bytes; the known model's has 60 kB. Each byte can be an
/// instruction that makes a value of some eighty bytes.
const PICKLE_LIMIT: u64 = 1 << 20;

/// Largest number of values and bytes of text in constructor arguments.
const ARGUMENT_LIMIT: usize = 100_000;

type Archive = ZipArchive<BufReader<File>>;

/// Reads the tensors of a checkpoint of `length` bytes.
pub(super) fn read(file: File, length: u64, watch: &mut Watch<'_>) -> Result<Checkpoint> {
    let mut archive = ZipArchive::new(BufReader::new(file)).map_err(|error| match error {
        ZipError::Io(error) => Fault::from(error),
        error => Fault::wrong(format!(
            "is cut off or damaged: the directory at the end of its {} was not found ({error})",
            bytes(length)
        )),
    })?;
    let pickles: Vec<_> = archive
        .file_names_raw()
        .filter_map(|name| std::str::from_utf8(name).ok()?.strip_suffix("/data.pkl"))
        .map(str::to_owned)
        .collect();
    let [folder] = pickles.as_slice() else {
        return Err(Fault::wrong("is a zip archive, but not one that PyTorch wrote"));
    };
    let program = entry(&mut archive, &format!("{folder}/data.pkl"), PICKLE_LIMIT)?;
    let pickle = pickle::parse(&program)?;
    big_endian(&mut archive, folder)?;

    let mut checkpoint = described(&pickle)?;
    let Some(Node::Dict(state)) = pickle.get(pickle.root(), "state") else {
        return Err(Fault::wrong("is a PyTorch file without a network's state in it"));
    };
    // No storage is used twice, so that all of them together are at most as long as the file.
    let mut left = length;
    for &(name, value) in state {
        let Node::Text(name) = pickle.node(name) else {
            return Err(Fault::wrong("holds a tensor whose name is not a text"));
        };
        let Node::Tensor(view) = pickle.node(value) else {
            return Err(Fault::wrong(format!("holds {}, which is not a tensor", quoted(name))));
        };
        let stored = entry(&mut archive, &format!("{folder}/data/{}", view.key), left)?;
        left -= stored.len() as u64;
        let values = gather(name, view, &stored)?;
        checkpoint.insert(name.clone(), Tensor { shape: view.shape.clone(), values })?;
        watch.report(Step::Reading, length - left, Some(length))?;
    }
    Ok(checkpoint)
}

/// Reads an entry of the archive. PyTorch never compresses, so that an entry is at most as long as
/// the file.
fn entry(archive: &mut Archive, name: &str, limit: u64) -> Result<Vec<u8>> {
    let index = archive.index_for_name_raw(name.as_bytes()).ok_or_else(|| {
        Fault::wrong(format!("is damaged: its entry {} is missing", quoted(name)))
    })?;
    let damaged = |error: &dyn std::fmt::Display| {
        Fault::wrong(format!("is damaged: its entry {} cannot be read ({error})", quoted(name)))
    };
    let mut entry = archive.by_index(index).map_err(|error| damaged(&error))?;
    let size = entry.size();
    if entry.compression() != CompressionMethod::Stored {
        return Err(damaged(&"it is compressed, which PyTorch never does"));
    }
    if size > limit {
        return Err(damaged(&format!("it claims {}", bytes(size))));
    }
    let mut data = Vec::new();
    entry.by_ref().take(size).read_to_end(&mut data).map_err(|error| damaged(&error))?;
    // The reader compares the checksum when it meets the end.
    let rest = entry.read(&mut [0]).map_err(|error| damaged(&error))?;
    if data.len() as u64 != size || rest != 0 {
        return Err(damaged(&"it is not as long as it says"));
    }
    Ok(data)
}

/// Fails for a big-endian file. PyTorch before 2.1 does not store the byte order, and writes
/// little-endian files.
fn big_endian(archive: &mut Archive, folder: &str) -> Result<()> {
    let name = format!("{folder}/byteorder");
    if archive.index_for_name_raw(name.as_bytes()).is_some()
        && entry(archive, &name, 16)? != b"little"
    {
        return Err(Fault::wrong("was written on a big-endian machine, which Partita cannot read"));
    }
    Ok(())
}

/// The values of a tensor in row-major order, whatever its strides.
fn gather(name: &str, view: &View, stored: &[u8]) -> Result<Values> {
    let size = view.dtype.size();
    let available = stored.len() / size;
    let beyond = || {
        Fault::wrong(format!(
            "holds tensor {} of shape {:?}, but only {available} values for it",
            quoted(name),
            view.shape
        ))
    };
    let count = count(&view.shape, available as u64).ok_or_else(beyond)?;
    let mut reach = view.offset;
    for (&dimension, &stride) in view.shape.iter().zip(&view.strides) {
        let step = (dimension - 1).checked_mul(stride).ok_or_else(beyond)?;
        reach = reach.checked_add(step).ok_or_else(beyond)?;
    }
    if reach >= available {
        return Err(beyond());
    }
    let values = if contiguous(view) {
        view.dtype.values(&stored[view.offset * size..(view.offset + count) * size])
    } else {
        let mut bytes = Vec::with_capacity(count * size);
        for index in 0..count {
            let at = position(view, index) * size;
            bytes.extend_from_slice(&stored[at..at + size]);
        }
        view.dtype.values(&bytes)
    };
    values.map_err(|inexact| inexact.of(name))
}

fn contiguous(view: &View) -> bool {
    let mut expected = 1;
    view.shape.iter().zip(&view.strides).rev().all(|(&dimension, &stride)| {
        let fits = dimension == 1 || stride == expected;
        expected *= dimension;
        fits
    })
}

/// Where in its storage the value with this row-major index is.
fn position(view: &View, mut index: usize) -> usize {
    let mut at = view.offset;
    for (&dimension, &stride) in view.shape.iter().zip(&view.strides).rev() {
        at += index % dimension * stride;
        index /= dimension;
    }
    at
}

/// Class and constructor arguments. The first positional argument is the list of sources.
fn described(pickle: &Pickle) -> Result<Checkpoint> {
    let mut checkpoint = Checkpoint::default();
    if let Some(Node::Name(Name::Class(class_name))) = pickle.get(pickle.root(), "klass") {
        checkpoint.class_name = Some(class_name.clone());
    }
    let mut left = ARGUMENT_LIMIT;
    if let Some(kwargs) = pickle.get(pickle.root(), "kwargs")
        && let Value::Object(kwargs) = json(pickle, kwargs, 0, &mut left)?
    {
        checkpoint.kwargs = kwargs;
    }
    if let Some(Node::Tuple(args)) = pickle.get(pickle.root(), "args")
        && let Some((&first, others)) = args.split_first()
    {
        let sources = json(pickle, pickle.node(first), 0, &mut left)?;
        checkpoint.kwargs.insert("sources".into(), sources.clone());
        if !others.is_empty() {
            checkpoint.args.push(sources);
            for &other in others {
                checkpoint.args.push(json(pickle, pickle.node(other), 0, &mut left)?);
            }
        }
    }
    Ok(checkpoint)
}

/// A plain value as JSON; a fraction as a text.
fn json(pickle: &Pickle, node: &Node, depth: usize, left: &mut usize) -> Result<Value> {
    let inner = |id, left: &mut usize| json(pickle, pickle.node(id), depth + 1, left);
    let cost = 1 + if let Node::Text(text) = node { text.len() } else { 0 };
    *left = left
        .checked_sub(cost)
        .filter(|_| depth < 16)
        .ok_or_else(|| Fault::wrong("holds constructor arguments without end: refused"))?;
    Ok(match node {
        Node::None => Value::Null,
        Node::Bool(value) => (*value).into(),
        Node::Int(value) => (*value).into(),
        Node::Float(value) => (*value).into(),
        Node::Text(text) | Node::Fraction(text) => text.as_str().into(),
        Node::List(items) | Node::Tuple(items) => {
            Value::Array(items.iter().map(|&id| inner(id, left)).collect::<Result<_>>()?)
        }
        Node::Dict(entries) => {
            let mut map = Map::new();
            for &(key, value) in entries {
                if let Value::String(key) = inner(key, left)? {
                    map.insert(key, inner(value, left)?);
                }
            }
            Value::Object(map)
        }
        Node::Name(_) | Node::Storage { .. } | Node::Tensor(_) => {
            return Err(Fault::wrong("holds constructor arguments that are not plain values"));
        }
    })
}
