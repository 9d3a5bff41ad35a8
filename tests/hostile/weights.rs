//! Weight files that claim more than they contain, or unpack to more than fits in memory.

use std::io::{Cursor, Write as _};

use flate2::{Compression, write::GzEncoder};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

/// Every file, with a part of its error message.
pub fn files() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let tensor = |name: &str, shape: &str, range: &str| {
        format!(r#""{name}":{{"dtype":"F16","shape":{shape},"data_offsets":{range}}}"#)
    };
    let two = |a: String, b: String| safetensors(&format!("{{{a},{b}}}"), 8);
    let first = || tensor("a", "[2]", "[0,4]");
    vec![
        ("overlap.safetensors", two(first(), tensor("b", "[2]", "[2,6]")), "not valid"),
        ("gap.safetensors", two(first(), tensor("b", "[1]", "[6,8]")), "not valid"),
        (
            "outside.safetensors",
            two(first(), tensor("b", "[2147483647]", "[4,4294967298]")),
            "is cut off",
        ),
        (
            "huge.safetensors",
            two(first(), tensor("b", "[9223372036854775807]", "[4,18446744073709551614]")),
            "not valid",
        ),
        ("header.safetensors", safetensors_claiming(u64::from(u32::MAX)), "claims a header"),
        ("dense header.safetensors", dense_header(), "is cut off"),
        ("deep header.safetensors", safetensors(&"[".repeat(1_000_000), 0), "not a model file"),
        ("values.pkl.th", torch(&program(&[b'N'; (1 << 20) - 20])), "without a network's state"),
        ("deep.th", torch(&program(&deep())), "without a network's state"),
        ("memo.th", torch(&program(&memo())), "without a network's state"),
        ("system.th", torch(&program(b"cos\nsystem\nX\x02\0\0\0id\x85R")), "os.system: refused"),
        ("builtins.th", torch(&program(b"cbuiltins\nexec\n")), "builtins.exec: refused"),
        ("zip bomb.th", zip_bomb(), "is compressed"),
        ("many entries.th", many_entries(), "not one that PyTorch wrote"),
        ("bomb.tgz", tar_bomb("package/model.bin"), "more than eight times its length"),
        ("graph bomb.tgz", tar_bomb("package/model.onnx"), "of type ONNX 0"),
        ("claims.onnx", onnx_claiming(1 << 60), "is cut off"),
        ("many tensors.onnx", many_tensors(), "twice"),
    ]
}

fn safetensors(header: &str, values: usize) -> Vec<u8> {
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header.as_bytes());
    file.resize(file.len() + values, 0);
    file
}

fn safetensors_claiming(header: u64) -> Vec<u8> {
    let mut file = header.to_le_bytes().to_vec();
    file.extend(b"{\"a\":");
    file
}

/// A header of the maximum length full of tensors, all without values.
fn dense_header() -> Vec<u8> {
    let mut header = String::from("{");
    for number in 0.. {
        let range = format!("[{},{}]", 2 * number, 2 * number + 2);
        let entry =
            format!("\"{number:x}\":{{\"dtype\":\"F16\",\"shape\":[1],\"data_offsets\":{range}}},");
        if header.len() + entry.len() > 4 << 20 {
            break;
        }
        header.push_str(&entry);
    }
    header.pop();
    header.push('}');
    safetensors(&header, 0)
}

fn program(instructions: &[u8]) -> Vec<u8> {
    [b"\x80\x02", instructions, b"."].concat()
}

/// A million nested tuples.
fn deep() -> Vec<u8> {
    let mut program = vec![b')'];
    program.resize(1_000_000, 0x85);
    program
}

/// A value memoized under as many numbers as fit.
fn memo() -> Vec<u8> {
    let remember = |slot: u32| [&b"r"[..], &slot.to_le_bytes()].concat();
    [&b"N"[..], &(0..200_000).flat_map(remember).collect::<Vec<_>>()].concat()
}

fn torch(program: &[u8]) -> Vec<u8> {
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("archive/data.pkl", options).unwrap();
    zip.write_all(program).unwrap();
    zip.finish().unwrap().into_inner()
}

/// 64 MB of zeros as a ZIP entry.
fn zip_bomb() -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("archive/data.pkl", SimpleFileOptions::default()).unwrap();
    for _ in 0..64 {
        zip.write_all(&vec![0; 1 << 20]).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn many_entries() -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for number in 0..30_000 {
        zip.start_file(number.to_string(), SimpleFileOptions::default()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// 512 MB of zeros as a tar entry.
fn tar_bomb(name: &str) -> Vec<u8> {
    let mut header = tar::Header::new_ustar();
    header.set_path(name).unwrap();
    header.set_size(512 << 20);
    header.set_cksum();
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(header.as_bytes()).unwrap();
    if name.ends_with("onnx") {
        // A graph with a tensor of 32 MB, followed by more data.
        gzip.write_all(b"\x08\x08\x3a\xe0\xff\xff\xff\x01\x2a\x85\x80\x80\x10").unwrap();
        gzip.write_all(b"\x4a\x80\x80\x80\x10").unwrap();
    }
    for _ in 0..512 {
        gzip.write_all(&vec![0; 1 << 20]).unwrap();
    }
    gzip.finish().unwrap()
}

fn onnx_claiming(length: u64) -> Vec<u8> {
    let mut file = vec![0x08, 8, 0x3a];
    let mut rest = length;
    while rest >= 0x80 {
        file.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    file.push(rest as u8);
    file.extend([0x2a, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x4a, 0xff, 0xff, 0xff, 0xff, 0x0e, 1, 2, 3]);
    file
}

/// A graph of two tensors without names.
fn many_tensors() -> Vec<u8> {
    let tensor = [0x2a, 10, 0x08, 1, 0x10, 1, 0x4a, 4, 0, 0, 0x80, 0x3f];
    let graph = tensor.repeat(2);
    [&[0x08, 8, 0x3a, graph.len() as u8][..], &graph].concat()
}
