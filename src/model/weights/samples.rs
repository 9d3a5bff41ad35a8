//! Small valid files of each format, generated for tests.

use std::io::{Cursor, Write as _};

use flate2::{Compression, write::GzEncoder};
use half::f16;
use serde_json::{Map, Value, json};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use super::{
    catalog::{Catalog, Model, Network, Origin},
    checkpoint::{Checkpoint, Tensor, Values},
    progress::Watch,
};

/// Calls `work` without progress or cancellation.
pub(super) fn unwatched<T>(work: impl FnOnce(&mut Watch<'_>) -> T) -> T {
    work(&mut Watch { progress: &mut |_| {}, cancel: &|| false })
}

/// A checkpoint with one tensor of every kind that the exported graph treats differently.
pub(super) fn checkpoint() -> Checkpoint {
    let shapes: [(&str, &[usize]); 11] = [
        ("crosstransformer.layers.0.linear1.weight", &[4, 2]),
        ("crosstransformer.layers.0.norm_out.bias", &[2]),
        ("crosstransformer.layers.0.norm_out.weight", &[2]),
        ("crosstransformer.layers.0.self_attn.in_proj_weight", &[6, 2]),
        ("crosstransformer.layers.1.cross_attn.in_proj_bias", &[6]),
        ("crosstransformer.layers.1.cross_attn.in_proj_weight", &[6, 2]),
        ("encoder.0.conv.weight", &[2, 1, 3]),
        ("encoder.0.dconv.layers.0.1.bias", &[2]),
        ("encoder.0.dconv.layers.0.1.weight", &[2]),
        ("encoder.0.dconv.layers.0.6.scale", &[2]),
        ("freq_emb.embedding.weight", &[3, 2]),
    ];
    let mut checkpoint = Checkpoint::default();
    let mut next = 1.0_f32;
    for (name, shape) in shapes {
        let count = shape.iter().product();
        let mut value = || {
            next = -1.171_875 * next % 3.0;
            f16::from_f32(next)
        };
        let values = (0..count).map(|_| value()).collect();
        let tensor = Tensor::half(shape.to_vec(), values);
        checkpoint.insert(name.into(), tensor).unwrap();
    }
    checkpoint
}

/// A catalogue with one model, "tiny": the checkpoint above.
pub(super) fn catalog(origins: Vec<Origin>) -> &'static Catalog {
    let checkpoint = checkpoint();
    let kwargs = json!({"sources": ["left", "right"], "segment": "1/2", "depth": 1});
    let network = Network {
        signature: "00000000".into(),
        class_name: "HTDemucs".into(),
        digest: Some(unwatched(|watch| checkpoint.digest(watch)).unwrap()),
        sha256: Vec::new(),
        tensors: Some(checkpoint.tensors.len()),
        values: checkpoint.values(),
        is_single: false,
        weights: None,
        kwargs: Some(kwargs.as_object().unwrap().clone()),
        origins,
    };
    let model = Model {
        name: "tiny".into(),
        title: "For tests".into(),
        about: "Nothing".into(),
        sources: vec!["left".into(), "right".into()],
        terms: "None".into(),
        networks: vec![network],
        is_own: false,
    };
    Box::leak(Box::new(Catalog::with_models(vec![model])))
}

fn f32_bytes(tensor: &Tensor) -> Vec<u8> {
    floats(tensor).iter().flat_map(|value| value.to_le_bytes()).collect()
}

fn floats(tensor: &Tensor) -> Vec<f32> {
    match &tensor.values {
        Values::Half(values) => values.iter().map(|value| value.to_f32()).collect(),
        Values::Single(values) => values.clone(),
    }
}

/// Changes the first value of a tensor.
pub(super) fn change(checkpoint: &mut Checkpoint, name: &str, value: f32) {
    let tensor = checkpoint.tensors.get_mut(name).unwrap();
    let Values::Half(values) = &mut tensor.values else { panic!("{name}") };
    values[0] = f16::from_f32(value);
}

/// A safetensors file as the publisher writes them, in single precision, by the format's own crate.
pub(super) fn safetensors(checkpoint: &Checkpoint) -> Vec<u8> {
    let fraction = json!({"_type": "fraction", "numerator": 1, "denominator": 2});
    let kwargs = json!({"sources": ["left", "right"], "segment": fraction, "depth": 1});
    let metadata = [
        ("klass", "demucs.htdemucs.HTDemucs".to_owned()),
        ("args", "[]".to_owned()),
        ("kwargs", kwargs.to_string()),
    ];
    safetensors_with(checkpoint, metadata)
}

/// A safetensors file with this metadata.
pub(super) fn safetensors_with(checkpoint: &Checkpoint, metadata: [(&str, String); 3]) -> Vec<u8> {
    let data: Vec<_> = checkpoint
        .tensors
        .iter()
        .map(|(name, tensor)| (name, tensor.shape.clone(), f32_bytes(tensor)))
        .collect();
    let views = data.iter().map(|(name, shape, bytes)| {
        let dtype = safetensors::Dtype::F32;
        (name, safetensors::tensor::TensorView::new(dtype, shape.clone(), bytes).unwrap())
    });
    let metadata = metadata.map(|(key, value)| (key.to_owned(), value)).into_iter().collect();
    safetensors::serialize(views, Some(metadata)).unwrap()
}

/// A graph as the exporter writes it: see `formats::onnx::names`.
pub(super) fn onnx(checkpoint: &Checkpoint) -> Vec<u8> {
    let mut graph = Vec::new();
    for (name, tensor) in &checkpoint.tensors {
        let (module, last) = name.rsplit_once('.').unwrap();
        let path = module.replace('.', "/");
        let path = path.replace("layers/0/1", "layers.0/layers.0.1");
        let path = path.replace("layers/0/6", "layers.0/layers.0.6");
        let path = path.replace("layers/0", "layers.0").replace("layers/1", "layers.1");
        let path = path.replace("encoder/0", "encoder.0");
        let node = |op: &str| (op.to_owned(), format!("/{path}/{op}"));
        let vector = |op: &str| vec![(node(op), vec![tensor.shape[0], 1], f32_bytes(tensor))];
        let nodes = match last {
            "weight" if name == "freq_emb.embedding.weight" => {
                let times_ten = floats(tensor).into_iter().map(|v| v * 10.0);
                let (shape, data) = transpose(&tensor.shape, &times_ten.collect::<Vec<_>>());
                vec![(
                    ("Expand".into(), "/Expand".into()),
                    [vec![1], shape, vec![1]].concat(),
                    data,
                )]
            }
            "weight" if tensor.shape.len() == 3 => {
                block(&mut graph, 5, &initializer(name, &tensor.shape, &f32_bytes(tensor)));
                continue;
            }
            "in_proj_weight" if name.contains("cross") && !name.contains("self_attn") => {
                let floats = floats(tensor);
                let (rows, columns) = (tensor.shape[0] / 3, tensor.shape[1]);
                let (queries, others) = floats.split_at(rows * columns);
                let (shape, data) = transpose(&[2 * rows, columns], others);
                let second = (node("MatMul"), shape, data);
                let (shape, data) = transpose(&[rows, columns], queries);
                vec![second, (node("MatMul"), shape, data)]
            }
            "in_proj_bias" => {
                let (bytes, rows) = (f32_bytes(tensor), tensor.shape[0] / 3);
                let (queries, others) = bytes.split_at(4 * rows);
                let part = |rows, bytes: &[u8]| (node("Add"), vec![rows], bytes.to_vec());
                vec![part(rows, queries), part(2 * rows, others)]
            }
            "weight" | "in_proj_weight" if tensor.shape.len() == 2 => {
                let floats = floats(tensor);
                let (shape, data) = transpose(&tensor.shape, &floats);
                vec![(node("MatMul"), shape, data)]
            }
            "bias" => vector("Add"),
            _ => vector("Mul"),
        };
        for ((op, node), shape, data) in nodes {
            let anonymous = format!("onnx::{op}_{}", graph.len());
            block(&mut graph, 1, &onnx_node(&anonymous, &op, &node));
            block(&mut graph, 5, &initializer(&anonymous, &shape, &data));
        }
    }
    model(&graph)
}

/// A model file around a graph.
pub(super) fn model(graph: &[u8]) -> Vec<u8> {
    let mut model = vec![0x08, 8];
    block(&mut model, 2, b"pytorch");
    block(&mut model, 7, graph);
    model
}

/// A node with an anonymous input and an output.
pub(super) fn onnx_node(input: &str, op: &str, name: &str) -> Vec<u8> {
    let mut node = Vec::new();
    block(&mut node, 1, b"/some/output");
    block(&mut node, 1, input.as_bytes());
    block(&mut node, 3, name.as_bytes());
    block(&mut node, 4, op.as_bytes());
    node
}

/// A tensor in single precision.
pub(super) fn initializer(name: &str, shape: &[usize], data: &[u8]) -> Vec<u8> {
    let mut tensor = Vec::new();
    for &dimension in shape {
        tensor.push(0x08);
        varint(&mut tensor, dimension as u64);
    }
    tensor.extend([0x10, 1]);
    block(&mut tensor, 8, name.as_bytes());
    block(&mut tensor, 9, data);
    tensor
}

/// Appends a length-delimited field.
pub(super) fn block(out: &mut Vec<u8>, number: u64, data: &[u8]) {
    varint(out, number << 3 | 2);
    varint(out, data.len() as u64);
    out.extend(data);
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn transpose(shape: &[usize], values: &[f32]) -> (Vec<usize>, Vec<u8>) {
    let (rows, columns) = (shape[0], shape[1]);
    let order = (0..columns).flat_map(|column| (0..rows).map(move |row| row * columns + column));
    (vec![columns, rows], order.flat_map(|at| values[at].to_le_bytes()).collect())
}

/// An npm package with the graph.
pub(super) fn tgz(onnx: &[u8]) -> Vec<u8> {
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (name, data) in [("package/package.json", &b"{}"[..]), ("package/model.onnx", onnx)] {
        let mut header = tar::Header::new_ustar();
        header.set_size(data.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, name, data).unwrap();
    }
    archive.into_inner().unwrap().finish().unwrap()
}

/// A checkpoint as PyTorch writes it: a zip archive of stored entries.
pub(super) fn torch(pickle: &[u8], storages: &[Vec<u8>]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    zip.start_file("archive/data.pkl", stored).unwrap();
    zip.write_all(pickle).unwrap();
    for (key, data) in storages.iter().enumerate() {
        zip.start_file(format!("archive/data/{key}"), stored).unwrap();
        zip.write_all(data).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// The storages of a checkpoint, in the order of the names.
pub(super) fn storages(checkpoint: &Checkpoint) -> Vec<Vec<u8>> {
    checkpoint.tensors.values().map(|tensor| tensor.le_bytes().to_vec()).collect()
}

/// The pickle of a checkpoint's package, spelled out instruction by instruction.
pub(super) fn pickle(checkpoint: &Checkpoint) -> Vec<u8> {
    pickle_with(checkpoint, &Map::new())
}

/// The pickle of a checkpoint with more arguments, which are whole numbers.
pub(super) fn pickle_with(checkpoint: &Checkpoint, more: &Map<String, Value>) -> Vec<u8> {
    let mut program = b"\x80\x02}(".to_vec();
    text(&mut program, "klass");
    program.extend(b"cdemucs.htdemucs\nHTDemucs\n");
    text(&mut program, "kwargs");
    program.extend(b"}(");
    text(&mut program, "sources");
    program.extend(b"](");
    text(&mut program, "left");
    text(&mut program, "right");
    program.push(b'e');
    text(&mut program, "segment");
    program.extend(b"cfractions\nFraction\nK\x01K\x02\x86R");
    for (name, value) in more {
        text(&mut program, name);
        program.push(b'J');
        program.extend((value.as_i64().unwrap() as i32).to_le_bytes());
    }
    program.push(b'u');
    text(&mut program, "state");
    program.extend(b"ccollections\nOrderedDict\n)R(");
    for (key, (name, tensor)) in checkpoint.tensors.iter().enumerate() {
        text(&mut program, name);
        tensor_program(&mut program, &key.to_string(), &tensor.shape);
    }
    program.extend(b"uu.");
    program
}

/// Instructions for a text.
pub(super) fn text(program: &mut Vec<u8>, text: &str) {
    program.push(b'X');
    program.extend((text.len() as u32).to_le_bytes());
    program.extend(text.as_bytes());
}

/// Instructions for a tensor in half precision.
pub(super) fn tensor_program(program: &mut Vec<u8>, key: &str, shape: &[usize]) {
    program.extend(b"ctorch._utils\n_rebuild_tensor_v2\n((");
    text(program, "storage");
    program.extend(b"ctorch\nHalfStorage\n");
    text(program, key);
    text(program, "cpu");
    program.extend(b"K\x07tQK\x00(");
    let mut number = |value: usize| {
        program.push(b'J');
        program.extend((value as i32).to_le_bytes());
    };
    for &dimension in shape {
        number(dimension);
    }
    program.extend(b"t(");
    for at in 0..shape.len() {
        program.push(b'J');
        let stride =
            shape[at + 1..].iter().fold(1, |n: usize, &size| n.wrapping_mul(size) % (1 << 31));
        program.extend((stride as i32).to_le_bytes());
    }
    program.extend(b"t\x89ccollections\nOrderedDict\n)RtR");
}
