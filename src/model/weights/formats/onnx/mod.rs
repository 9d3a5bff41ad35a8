//! An ONNX graph: its initializers, and the nodes that use those without a name of their own.
//!
//! Read as a stream, because a graph may be a file or an entry of an archive. Field numbers are
//! those of `onnx.proto`: `ModelProto`, `GraphProto`, `NodeProto`, `TensorProto`.

mod names;
mod protobuf;

use std::{
    collections::BTreeMap,
    io::{BufReader, Read},
};

use half::f16;

use crate::model::{
    findings::Malformed,
    weights::{
        checkpoint::{Checkpoint, Dtype, Inexact, count},
        error::{Result, quoted},
        progress::{Step, Watch},
    },
};
use protobuf::{Field, Wire};

/// Beginning of the names that the exporter made up for initializers.
pub(super) const ANONYMOUS: &str = "onnx::";

/// Largest number of nodes and initializers; the known graph has 3,268 and 537.
const ITEM_LIMIT: usize = 50_000;

/// Largest size of a tensor, in bytes; the largest known one has 11 MB.
const TENSOR_LIMIT: u64 = 64 << 20;

/// A tensor of the graph.
#[derive(Debug)]
pub(super) struct Initializer {
    pub(super) shape: Vec<usize>,
    pub(super) values: Values,
}

/// Values in half precision where that is exact. A few constants are folded with a factor, and are
/// exact only without it.
#[derive(Debug)]
pub(super) enum Values {
    Half(Vec<f16>),
    Single(Vec<f32>, Inexact),
}

/// The node that uses an initializer.
#[derive(Debug)]
pub(super) struct User {
    /// Operation: "`MatMul`".
    pub(super) op: String,
    /// The node's name, which is its module's path: "/encoder.0/dconv/layers.0/layers.0.1/Mul".
    pub(super) name: String,
}

/// The used parts of a graph.
#[derive(Debug, Default)]
pub(super) struct Graph {
    pub(super) initializers: BTreeMap<String, Initializer>,
    /// Nodes by the name of the anonymous initializer that they use.
    pub(super) users: BTreeMap<String, User>,
}

/// Reads the tensors of a graph of `length` bytes, under their PyTorch names.
pub(in crate::model::weights) fn read(
    input: impl Read,
    length: u64,
    watch: &mut Watch<'_>,
) -> Result<Checkpoint> {
    let mut wire = Wire::new(BufReader::with_capacity(1 << 18, input), length);
    let mut graph = None;
    while let Some(field) = wire.field(length)? {
        match field {
            Field::Block(7, end) if graph.is_none() => {
                graph = Some(read_graph(&mut wire, end, length, watch)?);
            }
            Field::Block(_, end) => wire.skip(end)?,
            Field::Number(..) => {}
        }
    }
    let graph = graph.ok_or(Malformed::NoGraph)?;
    let mut checkpoint = Checkpoint::default();
    names::rename(graph, &mut checkpoint)?;
    Ok(checkpoint)
}

fn read_graph<R: Read>(
    wire: &mut Wire<R>,
    end: u64,
    length: u64,
    watch: &mut Watch<'_>,
) -> Result<Graph> {
    let mut graph = Graph::default();
    let mut items = 0;
    while let Some(field) = wire.field(end)? {
        items += 1;
        if items > ITEM_LIMIT {
            return Err(Malformed::LargeGraph { limit: ITEM_LIMIT }.into());
        }
        match field {
            Field::Block(1, end) => read_node(wire, end, &mut graph)?,
            Field::Block(5, end) => {
                let (name, initializer) = read_tensor(wire, end)?;
                if graph.initializers.insert(name.clone(), initializer).is_some() {
                    return Err(Malformed::TensorTwice { name: quoted(&name).into() }.into());
                }
                watch.report(Step::Reading, wire.position(), Some(length))?;
            }
            Field::Block(_, end) => wire.skip(end)?,
            Field::Number(..) => {}
        }
    }
    Ok(graph)
}

fn read_node<R: Read>(wire: &mut Wire<R>, end: u64, graph: &mut Graph) -> Result<()> {
    let mut inputs = Vec::new();
    let mut user = User { op: String::new(), name: String::new() };
    while let Some(field) = wire.field(end)? {
        match field {
            Field::Block(1, end) => {
                let input = wire.text(end)?;
                if input.starts_with(ANONYMOUS) {
                    inputs.push(input);
                }
            }
            Field::Block(3, end) => user.name = wire.text(end)?,
            Field::Block(4, end) => user.op = wire.text(end)?,
            Field::Block(_, end) => wire.skip(end)?,
            Field::Number(..) => {}
        }
        if inputs.len() > 16 {
            return Err(Malformed::ManyInputs.into());
        }
    }
    for input in inputs {
        let user = User { op: user.op.clone(), name: user.name.clone() };
        graph.users.insert(input, user);
    }
    Ok(())
}

fn read_tensor<R: Read>(wire: &mut Wire<R>, end: u64) -> Result<(String, Initializer)> {
    let mut shape = Vec::new();
    let (mut dtype, mut name, mut data) = (0, String::new(), Vec::new());
    while let Some(field) = wire.field(end)? {
        match field {
            Field::Number(1, dimension) => shape.push(dimension as usize),
            Field::Block(1, end) => {
                while wire.position() < end {
                    shape.push(wire.varint(end)? as usize);
                }
            }
            Field::Number(2, number) => dtype = number,
            Field::Block(8, end) => name = wire.text(end)?,
            // `float_data`, packed, has the same bytes as `raw_data`.
            Field::Block(4 | 9, end) => data = wire.bytes(end, TENSOR_LIMIT)?,
            Field::Block(13, _) => {
                return Err(Malformed::OutsideTensors.into());
            }
            Field::Block(_, end) => wire.skip(end)?,
            Field::Number(..) => {}
        }
        if shape.len() > 8 {
            return Err(Malformed::Dimensions.into());
        }
    }
    let initializer = initializer(&name, shape, dtype, &data)?;
    Ok((name, initializer))
}

fn initializer(name: &str, shape: Vec<usize>, dtype: u64, data: &[u8]) -> Result<Initializer> {
    let dtype = match dtype {
        1 => Dtype::F32,
        10 => Dtype::F16,
        11 => Dtype::F64,
        16 => Dtype::Bf16,
        other => {
            let (name, found) = (quoted(name).into(), format!("ONNX {other}").into());
            return Err(Malformed::TensorType { name, found }.into());
        }
    };
    let count = count(&shape, data.len() as u64);
    if count.and_then(|count| count.checked_mul(dtype.size())) != Some(data.len()) {
        let (name, shape) = (quoted(name).into(), (&shape).into());
        return Err(Malformed::TensorBytes { name, shape, bytes: data.len() }.into());
    }
    let values = match dtype.to_f16(data) {
        Ok(halves) => Values::Half(halves),
        Err(inexact) => {
            let mut single = vec![0.0; data.len() / dtype.size()];
            dtype.widen(data, &mut single);
            Values::Single(single, inexact)
        }
    };
    Ok(Initializer { shape, values })
}
