//! Runs every fuzz target over its seeds, over the fuzzers' findings, and over deterministic
//! mutations of each; `PARTITA_FUZZ_TIMES` multiplies their number. The fuzzers themselves go
//! further: `./x fuzz`.

mod entry;
mod make_seeds;

use std::{
    fs,
    path::{Path, PathBuf},
};

use self::entry::TARGETS;

fn files_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// The seeds of a target; audio targets also use the files of the decoder tests.
fn seeds(target: &str) -> Vec<PathBuf> {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut seeds = files_in(&tests.join("fuzz/seeds").join(target));
    if matches!(target, "audio" | "tags") {
        seeds.extend(files_in(&tests.join("data")));
        seeds.retain(|file| file.extension().is_none_or(|ending| ending != "sh"));
    }
    seeds
}

/// Inputs found by fuzzers whose bugs are fixed.
fn found(target: &str) -> Vec<PathBuf> {
    files_in(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/found").join(target))
}

/// Xorshift generator with a fixed sequence.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end.max(1) as u64) as usize
    }
}

/// Typical damage and attacks: bytes changed, truncated, removed, duplicated, numbers made huge.
fn mutated(seed: &[u8], numbers: &mut Numbers) -> Vec<u8> {
    const HUGE: [&[u8]; 6] =
        [&[0xff; 4], &[0x7f, 0xff, 0xff, 0xff], &[0; 4], &[0xff; 8], &[0, 0, 0, 1], &[0x80; 2]];
    let mut bytes = seed.to_vec();
    for _ in 0..=numbers.below(4) {
        // Headers decide the most.
        let reach = if numbers.below(2) == 0 { 256 } else { usize::MAX };
        let at = numbers.below(bytes.len().min(reach));
        match numbers.below(6) {
            0 => bytes.truncate(at),
            1 => drop(bytes.drain(at..(at + numbers.below(64)).min(bytes.len()))),
            2 => {
                let again = bytes[at..(at + numbers.below(64)).min(bytes.len())].to_vec();
                bytes.splice(at..at, again);
            }
            3 => {
                let huge = HUGE[numbers.below(HUGE.len())];
                let end = (at + huge.len()).min(bytes.len());
                bytes[at..end].copy_from_slice(&huge[..end - at]);
            }
            _ if bytes.is_empty() => {}
            4 => bytes[at] ^= 1 << numbers.below(8),
            _ => bytes[at] = numbers.below(256) as u8,
        }
    }
    bytes
}

/// Runs a target over all its inputs, each with this number of mutations.
fn smoke(name: &str, mutations: usize) {
    let (_, entry) = TARGETS.iter().find(|(target, _)| *target == name).unwrap();
    let times = std::env::var("PARTITA_FUZZ_TIMES").map_or(1, |times| times.parse().unwrap());
    let seeds = seeds(name);
    assert!(!seeds.is_empty(), "{name} has no seeds");
    for file in found(name) {
        println!("{}", file.display()); // after a failure, the last line names the input
        entry(&fs::read(&file).unwrap());
    }
    for file in seeds {
        let seed = fs::read(&file).unwrap();
        entry(&seed);
        let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
        for round in 0..mutations * times {
            println!("{}, mutation {round}", file.display());
            entry(&mutated(&seed, &mut numbers));
        }
    }
}

macro_rules! smoke_tests {
    ($($name:ident: $mutations:expr,)*) => {
        $(#[test]
        fn $name() {
            smoke(stringify!($name), $mutations);
        })*

        #[test]
        fn every_target_is_tested_and_has_a_fuzzer() {
            let tested = [$(stringify!($name)),*];
            assert_eq!(TARGETS.map(|(name, _)| name), tested);
            let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz");
            let listed = fs::read_to_string(fuzz.join("Cargo.toml")).unwrap();
            for name in tested {
                let fuzzer = fs::read_to_string(fuzz.join("targets").join(format!("{name}.rs")));
                assert!(fuzzer.unwrap().contains(&format!("entry::{name}(data)")));
                assert!(listed.contains(&format!("path = \"targets/{name}.rs\"")));
            }
        }
    };
}

/// The fuzzers build the engine and the model from source, and so need the same packages.
#[test]
fn the_fuzzers_have_the_same_packages() {
    const OF_THE_FRONT_ENDS: [&str; 30] = [
        "anyhow",
        "axum",
        "bytes",
        "clap",
        "ctrlc",
        "eframe",
        "egui",
        "fluent-bundle",
        "fluent-langneg",
        "futures-util",
        "getrandom",
        "http-body-util",
        "hyper",
        "hyper-util",
        "indicatif",
        "multer",
        "percent-encoding",
        "qrcode",
        "rfd",
        "subtle",
        "sys-locale",
        "tokio",
        "tokio-rustls",
        "tokio-util",
        "tower-http",
        "tracing-subscriber",
        "unic-langid",
        "utoipa",
        "utoipa-axum",
        "winit",
    ];
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let packages = |folder: PathBuf| {
        let text = fs::read_to_string(folder.join("Cargo.toml")).unwrap();
        let mut manifest: toml::Table = toml::from_str(&text).unwrap();
        let Some(toml::Value::Table(packages)) = manifest.remove("dependencies") else { panic!() };
        packages
    };
    let (mut own, mut fuzzed) = (packages(root.to_owned()), packages(root.join("tests/fuzz")));
    for name in OF_THE_FRONT_ENDS {
        own.remove(name);
    }
    fuzzed.remove("libfuzzer-sys");
    assert_eq!(fuzzed, own);
}

/// The gate does not build the fuzzers, so a layer that they lack would not be noticed.
#[test]
fn the_fuzzers_have_all_layers_below_the_front_ends() {
    const FRONT: [&str; 4] = ["cli", "i18n", "ui", "words"];
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let modules = |file: &str| {
        let text = fs::read_to_string(root.join(file)).unwrap();
        let modules = text.lines().filter_map(|line| line.strip_prefix("pub mod "));
        modules.map(|name| name.trim_end_matches(';').to_owned()).collect::<Vec<_>>()
    };
    let mut layers = modules("src/lib.rs");
    layers.retain(|name| !FRONT.contains(&name.as_str()));
    assert_eq!(modules("tests/fuzz/rooms.rs"), layers);
}

smoke_tests! {
    audio: 24,
    tags: 24,
    covers: 100,
    names: 300,
    safetensors: 100,
    torch: 100,
    onnx: 100,
    tgz: 100,
    library: 40,
    settings: 300,
    headers: 200,
}
