//! PyTorch's checkpoints (`.th`, `.ckpt`, `.pt`): a zip archive of a pickle and one entry for each
//! storage.
//!
//! Demucs writes a dictionary of `klass`, `args`, `kwargs` and `state`. Other programs write only the
//! state, or add a trainer's values, which are not read.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufReader, Read as _},
};

use serde_json::{Map, Value};
use zip::{CompressionMethod, ZipArchive, result::ZipError};

use super::pickle::{self, Id, Name, Node, Pickle, View};
use crate::model::{
    findings::{Bytes, Malformed, Printable},
    weights::{
        checkpoint::{Checkpoint, Dtype, Tensor, Values, count},
        error::{Fault, Result, quoted},
        progress::{Step, Watch},
    },
};

/// Largest length of a pickle, in bytes. HTDemucs's has 60 kB; the one of 13,000 tensors with an
/// optimiser's three values for each has 5 MB. The number of its values has a limit of its own.
const PICKLE_LIMIT: u64 = 16 << 20;

/// Largest length of a network's values, in bytes; the largest known network has 1.3 GB.
const STATE_LIMIT: u64 = 4 << 30;

/// Keys of the state in a trainer's checkpoint, in the order in which they are tried.
const STATE_KEYS: [&str; 4] = ["state", "state_dict", "model_state_dict", "model"];

/// Largest number of values and bytes of text in constructor arguments.
const ARGUMENT_LIMIT: usize = 100_000;

type Archive = ZipArchive<BufReader<File>>;

/// Reads the tensors of a checkpoint of `length` bytes.
pub(super) fn read(file: File, length: u64, watch: &mut Watch<'_>) -> Result<Checkpoint> {
    let mut archive = ZipArchive::new(BufReader::new(file)).map_err(|error| match error {
        ZipError::Io(error) => Fault::from(error),
        error => {
            let (length, cause) = (Bytes(length), Printable::of(error));
            Malformed::NoDirectory { length, cause }.into()
        }
    })?;
    let pickles: Vec<_> = archive
        .file_names_raw()
        .filter_map(|name| std::str::from_utf8(name).ok()?.strip_suffix("/data.pkl"))
        .map(str::to_owned)
        .collect();
    let [folder] = pickles.as_slice() else {
        return Err(Malformed::NotPyTorch.into());
    };
    let program = entry(&mut archive, &format!("{folder}/data.pkl"), PICKLE_LIMIT)?;
    let pickle = pickle::parse(&program)?;
    big_endian(&mut archive, folder)?;

    let mut checkpoint = described(&pickle)?;
    // Each storage is read once, so that all of them together are at most as long as the file.
    let mut left = length;
    let mut values_left = STATE_LIMIT.min(length.saturating_mul(2));
    for (key, tensors) in &by_storage(&pickle, state(&pickle)?)? {
        let stored = entry(&mut archive, &format!("{folder}/data/{key}"), left)?;
        left -= stored.len() as u64;
        for Named { name, dtype, view } in tensors {
            let values = gather(name, view, *dtype, &stored)?;
            // Tensors that share a storage could be many times as long as the file.
            let left = values_left.checked_sub((values.len() * dtype.size()) as u64);
            values_left = left.ok_or(Malformed::ManyValues)?;
            let tensor = Tensor { shape: view.shape.clone(), values };
            checkpoint.insert((*name).to_owned(), tensor)?;
        }
        watch.report(Step::Reading, length - left, Some(length))?;
    }
    Ok(checkpoint)
}

/// A tensor of floating-point values, by its name.
struct Named<'a> {
    name: &'a str,
    dtype: Dtype,
    view: &'a View,
}

/// The entries of the network's state: below one of [`STATE_KEYS`], or the root itself.
fn state(pickle: &Pickle) -> Result<&[(Id, Id)]> {
    /// The innermost dictionary with tensors, or the name of an object in its place.
    fn find<'a>(pickle: &'a Pickle, node: &'a Node, depth: usize) -> Found<'a> {
        let entries = match node {
            Node::Dict(entries) => entries,
            Node::Opaque(name) => return Found::Object(name),
            _ => return Found::Nothing,
        };
        let mut object = Found::Nothing;
        for key in STATE_KEYS.iter().filter(|_| depth < 3) {
            match pickle.get(node, key).map(|inner| find(pickle, inner, depth + 1)) {
                Some(Found::State(state)) => return Found::State(state),
                Some(found @ Found::Object(_)) => object = found,
                Some(Found::Nothing) | None => {}
            }
        }
        let is_tensor = |(_, value): &(Id, Id)| matches!(pickle.node(*value), Node::Tensor(_));
        if entries.iter().any(is_tensor) {
            return Found::State(entries);
        }
        // A state in which no value is a tensor, but an object in a tensor's place.
        let mut values = entries.iter().map(|(_, value)| pickle.node(*value));
        let inner = values.find_map(|value| match value {
            Node::Opaque(name) if depth > 0 => Some(Found::Object(name)),
            _ => None,
        });
        inner.unwrap_or(object)
    }
    match find(pickle, pickle.root(), 0) {
        Found::State(state) => Ok(state),
        Found::Object(name) => Err(asks_for(name)),
        Found::Nothing => Err(Malformed::NoState.into()),
    }
}

/// The content of a place in a checkpoint.
enum Found<'a> {
    State(&'a [(Id, Id)]),
    /// A Python object, by the name of its class or function.
    Object(&'a str),
    Nothing,
}

/// The error of a Python object where a network's state is needed.
fn asks_for(name: &str) -> Fault {
    Malformed::Asks { name: name.into() }.into()
}

/// The floating-point tensors of a state, by the key of their storage. Tensors of whole numbers,
/// such as counters, and entries that are plain values are left out.
fn by_storage<'a>(
    pickle: &'a Pickle,
    state: &'a [(Id, Id)],
) -> Result<BTreeMap<&'a str, Vec<Named<'a>>>> {
    let mut storages = BTreeMap::<&str, Vec<Named<'_>>>::new();
    for &(name, value) in state {
        let view = match pickle.node(value) {
            Node::Tensor(view) => view,
            Node::Opaque(name) => return Err(asks_for(name)),
            _ => continue,
        };
        let Node::Text(name) = pickle.node(name) else {
            return Err(Malformed::TensorName.into());
        };
        if let Some(dtype) = view.dtype {
            storages.entry(&view.key).or_default().push(Named { name, dtype, view });
        }
    }
    if storages.is_empty() {
        return Err(Malformed::NoState.into());
    }
    Ok(storages)
}

/// Reads an entry of the archive. PyTorch never compresses, so that an entry is at most as long as
/// the file.
fn entry(archive: &mut Archive, name: &str, limit: u64) -> Result<Vec<u8>> {
    let label = || Printable::from(quoted(name));
    let index = archive
        .index_for_name_raw(name.as_bytes())
        .ok_or_else(|| Malformed::EntryMissing { name: label() })?;
    let damaged = |error: &dyn std::fmt::Display| Malformed::Entry {
        name: label(),
        cause: Printable::of(error),
    };
    let mut entry = archive.by_index(index).map_err(|error| damaged(&error))?;
    let size = entry.size();
    if entry.compression() != CompressionMethod::Stored {
        return Err(Malformed::EntryCompressed { name: label() }.into());
    }
    if size > limit {
        let (size, limit) = (Bytes(size), Bytes(limit));
        return Err(Malformed::EntryTooLarge { name: label(), size, limit }.into());
    }
    let mut data = Vec::new();
    entry.by_ref().take(size).read_to_end(&mut data).map_err(|error| damaged(&error))?;
    // The reader compares the checksum when it meets the end.
    let rest = entry.read(&mut [0]).map_err(|error| damaged(&error))?;
    if data.len() as u64 != size || rest != 0 {
        return Err(Malformed::EntryLength { name: label() }.into());
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
        return Err(Malformed::BigEndian.into());
    }
    Ok(())
}

/// The values of a tensor in row-major order, whatever its strides.
fn gather(name: &str, view: &View, dtype: Dtype, stored: &[u8]) -> Result<Values> {
    let size = dtype.size();
    let available = stored.len() / size;
    let beyond = || Malformed::TensorShort {
        name: quoted(name).into(),
        shape: (&view.shape).into(),
        available,
    };
    let count = count(&view.shape, available as u64).ok_or_else(beyond)?;
    let mut reach = view.offset;
    for (&dimension, &stride) in view.shape.iter().zip(&view.strides) {
        let step = (dimension - 1).checked_mul(stride).ok_or_else(beyond)?;
        reach = reach.checked_add(step).ok_or_else(beyond)?;
    }
    if reach >= available {
        return Err(beyond().into());
    }
    let values = if contiguous(view) {
        dtype.values(&stored[view.offset * size..(view.offset + count) * size])
    } else {
        let mut bytes = Vec::with_capacity(count * size);
        for index in 0..count {
            let at = position(view, index) * size;
            bytes.extend_from_slice(&stored[at..at + size]);
        }
        dtype.values(&bytes)
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

/// The position in the storage of the value with this row-major index.
fn position(view: &View, mut index: usize) -> usize {
    let mut at = view.offset;
    for (&dimension, &stride) in view.shape.iter().zip(&view.strides).rev() {
        at += index % dimension * stride;
        index /= dimension;
    }
    at
}

/// Class and constructor arguments, of a checkpoint with a class; others keep something else under
/// these names. The first positional argument is the list of sources.
fn described(pickle: &Pickle) -> Result<Checkpoint> {
    let mut checkpoint = Checkpoint::default();
    let Some(Node::Name(Name::Class(class_name)) | Node::Opaque(class_name)) =
        pickle.get(pickle.root(), "klass")
    else {
        return Ok(checkpoint);
    };
    checkpoint.class_name = class_name.rsplit('.').next().map(str::to_owned);
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
    *left = left.checked_sub(cost).filter(|_| depth < 16).ok_or(Malformed::EndlessArguments)?;
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
        Node::Name(_) | Node::Storage { .. } | Node::Tensor(_) | Node::Opaque(_) => {
            return Err(Malformed::OddArguments.into());
        }
    })
}
