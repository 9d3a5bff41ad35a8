//! Restores the PyTorch module's names and layouts from those of an exported graph.
//!
//! The exporter keeps the names of most parameters. Folded and transposed ones are called
//! `onnx::<Op>_<n>`; the node that uses one identifies it, because its name is the path of its
//! module. Linear weights come transposed, per-channel vectors as `[C, 1]`, the projections of
//! cross-attention in two parts (queries; keys and values), and the frequency embedding already
//! multiplied by its scale.

use std::collections::BTreeMap;

use half::f16;

use super::{ANONYMOUS, Graph, Initializer, User, Values};
use crate::model::{
    findings::Malformed,
    weights::{
        checkpoint::{self, Checkpoint, Dtype, Tensor},
        error::{Fault, Result, quoted},
    },
};

/// The reference's `emb_scale`, a factor of the exported frequency embedding.
const EMBEDDING_SCALE: f32 = 10.0;

/// Puts every tensor of the graph into the checkpoint, under its PyTorch name and in its layout.
pub(super) fn rename(mut graph: Graph, checkpoint: &mut Checkpoint) -> Result<()> {
    let mut parts: BTreeMap<String, Vec<Tensor>> = BTreeMap::new();
    for (name, initializer) in graph.initializers {
        if !name.starts_with(ANONYMOUS) {
            let tensor = initializer.half(&name)?;
            checkpoint.insert(name, tensor)?;
            continue;
        }
        let unused = || Malformed::TensorUnused { name: quoted(&name).into() };
        let user = graph.users.remove(&name).ok_or_else(unused)?;
        let (key, tensor) = restore(&name, initializer, &user)?;
        if key.contains(".cross_attn.in_proj_") {
            parts.entry(key).or_default().push(tensor);
        } else {
            checkpoint.insert(key, tensor)?;
        }
    }
    for (key, parts) in parts {
        let whole = join(&key, parts)?;
        checkpoint.insert(key, whole)?;
    }
    Ok(())
}

/// PyTorch name and layout of one anonymous initializer.
fn restore(name: &str, initializer: Initializer, user: &User) -> Result<(String, Tensor)> {
    let module = module_path(&user.name);
    let (last, layout) = match user.op.as_str() {
        "Expand" => {
            let tensor = embedding(name, initializer)?;
            return Ok(("freq_emb.embedding.weight".into(), tensor));
        }
        "MatMul" if module.ends_with("_attn") => ("in_proj_weight", Layout::Transposed),
        "MatMul" => ("weight", Layout::Transposed),
        "Add" if module.ends_with("_attn") => ("in_proj_bias", Layout::Vector),
        "Add" => ("bias", Layout::Vector),
        // The sixth member of a DConv layer is its LayerScale; every other `Mul` is a GroupNorm's.
        "Mul" if module.contains(".dconv.") && module.ends_with(".6") => ("scale", Layout::Vector),
        "Mul" => ("weight", Layout::Vector),
        op => {
            let (name, operator) = (quoted(name).into(), quoted(op).into());
            return Err(Malformed::TensorUse { name, operator }.into());
        }
    };
    let tensor = initializer.half(name)?;
    let tensor = match layout {
        Layout::Transposed => transposed(name, &tensor)?,
        Layout::Vector => vector(name, tensor)?,
    };
    Ok((format!("{module}.{last}"), tensor))
}

enum Layout {
    Transposed,
    Vector,
}

/// Path of a node's module: "encoder.0.dconv.layers.0.1" for
/// "/encoder.0/dconv/layers.0/layers.0.1/Mul". A part that the next one repeats is left out.
fn module_path(node: &str) -> String {
    let parts: Vec<_> = node.trim_start_matches('/').split('/').collect();
    let repeats = |part: &str, next: Option<&&str>| {
        next.and_then(|next| next.strip_prefix(part)).is_some_and(|rest| rest.starts_with('.'))
    };
    let modules = &parts[..parts.len() - 1];
    let kept: Vec<_> = (0..modules.len())
        .filter(|&i| !repeats(modules[i], modules.get(i + 1)))
        .map(|i| modules[i])
        .collect();
    kept.join(".")
}

fn unexpected(name: &str, shape: &[usize]) -> Fault {
    Malformed::TensorShape { name: quoted(name).into(), shape: shape.into() }.into()
}

impl Initializer {
    fn half(self, name: &str) -> Result<Tensor> {
        match self.values {
            Values::Half(values) => Ok(Tensor::half(self.shape, values)),
            Values::Single(_, inexact) => Err(inexact.of(name)),
        }
    }

    fn single(self) -> (Vec<usize>, Vec<f32>) {
        match self.values {
            Values::Half(values) => (self.shape, values.iter().map(|v| v.to_f32()).collect()),
            Values::Single(values, _) => (self.shape, values),
        }
    }
}

/// `[1, C, F, 1]` times the scale becomes `[F, C]`.
fn embedding(name: &str, initializer: Initializer) -> Result<Tensor> {
    let (shape, values) = initializer.single();
    let &[1, channels, bands, 1] = shape.as_slice() else {
        return Err(unexpected(name, &shape));
    };
    let mut stored = Vec::with_capacity(4 * values.len());
    for band in 0..bands {
        for channel in 0..channels {
            let value = values[channel * bands + band] / EMBEDDING_SCALE;
            stored.extend(value.to_le_bytes());
        }
    }
    let values = Dtype::F32.to_f16(&stored).map_err(|inexact| inexact.of(name))?;
    Ok(Tensor::half(vec![bands, channels], values))
}

/// A graph's tensors are all in half precision.
fn halves<'a>(name: &str, tensor: &'a Tensor) -> Result<&'a [f16]> {
    match &tensor.values {
        checkpoint::Values::Half(values) => Ok(values),
        checkpoint::Values::Single(_) => Err(unexpected(name, &tensor.shape)),
    }
}

/// `[in, out]` becomes `[out, in]`.
fn transposed(name: &str, tensor: &Tensor) -> Result<Tensor> {
    let &[rows, columns] = tensor.shape.as_slice() else {
        return Err(unexpected(name, &tensor.shape));
    };
    let stored = halves(name, tensor)?;
    let mut values = vec![f16::ZERO; stored.len()];
    for (row, line) in stored.chunks(columns.max(1)).enumerate() {
        for (column, &value) in line.iter().enumerate() {
            values[column * rows + row] = value;
        }
    }
    Ok(Tensor::half(vec![columns, rows], values))
}

/// `[C, 1]` or `[C]` becomes `[C]`.
fn vector(name: &str, tensor: Tensor) -> Result<Tensor> {
    match *tensor.shape.as_slice() {
        [channels] | [channels, 1] => Ok(Tensor { shape: vec![channels], ..tensor }),
        _ => Err(unexpected(name, &tensor.shape)),
    }
}

/// The two parts of a cross-attention's projection in the module's order: queries, then keys and
/// values, which have twice the rows.
fn join(key: &str, mut parts: Vec<Tensor>) -> Result<Tensor> {
    parts.sort_by_key(|part| part.shape[0]);
    let [queries, others] = parts.as_slice() else {
        let (name, count) = (quoted(key).into(), parts.len());
        return Err(Malformed::TensorParts { name, count }.into());
    };
    if 2 * queries.shape[0] != others.shape[0] || queries.shape[1..] != others.shape[1..] {
        return Err(unexpected(key, &others.shape));
    }
    let mut shape = queries.shape.clone();
    shape[0] *= 3;
    Ok(Tensor::half(shape, [halves(key, queries)?, halves(key, others)?].concat()))
}

#[cfg(test)]
mod tests {
    use super::module_path;

    #[test]
    fn a_node_names_its_module() {
        let cases = [
            ("/encoder.0/dconv/layers.0/layers.0.1/Mul", "encoder.0.dconv.layers.0.1"),
            ("/crosstransformer/layers.0/self_attn/MatMul", "crosstransformer.layers.0.self_attn"),
            ("/crosstransformer/layers_t.1/norm_out/Add", "crosstransformer.layers_t.1.norm_out"),
            ("/Expand", ""),
            ("", ""),
        ];
        for (node, module) in cases {
            assert_eq!(module_path(node), module);
        }
    }
}
