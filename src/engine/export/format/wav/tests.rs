//! WAV files, read by a minimal parser and by hound.

use std::{collections::BTreeMap, fs, path::Path};

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::engine::{export::format::tests::COVER, types::CancelToken};

fn spec(rate: u32, channels: u16, depth: Depth, frames: u64) -> Spec {
    Spec {
        rate,
        channels,
        depth,
        frames,
        streams: vec!["vocals".into()],
        scratch: std::path::PathBuf::new(),
    }
}

fn tags() -> Tags {
    Tags::new("Straße", Some("Kraft"), None, Some(COVER))
}

fn write(path: &Path, spec: &Spec, samples: Samples<'_>, longest_riff: u64) {
    let file = File::create(path).unwrap();
    let mut wav = Box::new(Wav::new(file, spec, &tags(), longest_riff).unwrap());
    wav.write(0, samples).unwrap();
    wav.finish().unwrap();
}

/// Name of the form, its declared size, and the chunks with their positions and contents.
struct Parsed {
    form: [u8; 4],
    riff_bytes: u64,
    chunks: BTreeMap<String, (usize, Vec<u8>)>,
    order: Vec<String>,
}

/// Parses strictly: sizes must add up to the file's, and chunks must begin at even offsets.
fn parse(path: &Path) -> Parsed {
    let bytes = fs::read(path).unwrap();
    let short = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
    let long = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap());
    let form: [u8; 4] = bytes[..4].try_into().unwrap();
    assert_eq!(&bytes[8..12], b"WAVE");
    let is_long = form == *b"RF64";
    // In RF64, the first chunk holds the 64-bit sizes.
    let (riff_bytes, data_bytes) = if is_long {
        assert_eq!((&bytes[12..16], short(4)), (&b"ds64"[..], u32::MAX));
        (long(20), long(28))
    } else {
        (short(4).into(), 0)
    };
    let mut parsed = Parsed { form, riff_bytes, chunks: BTreeMap::new(), order: Vec::new() };
    let mut at = 12;
    while at < bytes.len() {
        assert_eq!(at % 2, 0);
        let name = String::from_utf8(bytes[at..at + 4].to_vec()).unwrap();
        let mut size = short(at + 4) as usize;
        if is_long && name == "data" {
            assert_eq!(size, u32::MAX as usize);
            size = data_bytes as usize;
        }
        let content = bytes[at + 8..at + 8 + size].to_vec();
        parsed.order.push(name.clone());
        assert!(parsed.chunks.insert(name, (at, content)).is_none());
        at += 8 + size.next_multiple_of(2);
    }
    assert_eq!(at, bytes.len());
    assert_eq!(riff_bytes, bytes.len() as u64 - 8);
    parsed
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn hound_reads_every_integer(
        samples in prop::collection::vec(-8_388_608..=8_388_607, 0..60),
        channels in 1..=2u16,
        is_24 in any::<bool>(),
        rate in prop::sample::select(vec![8_000, 44_100, 96_000]),
    ) {
        let home = TempDir::new().unwrap();
        let path = home.path().join("a.wav");
        let depth = if is_24 { Depth::Int24 } else { Depth::Int16 };
        let mut samples: Vec<i32> = samples;
        samples.truncate(samples.len() / usize::from(channels) * usize::from(channels));
        if !is_24 {
            samples = samples.iter().map(|x| x >> 8).collect();
        }
        let frames = samples.len() as u64 / u64::from(channels);
        write(&path, &spec(rate, channels, depth, frames), Samples::Int(&samples), LONGEST_RIFF);
        parse(&path);
        let mut reader = hound::WavReader::open(&path).unwrap();
        let form = reader.spec();
        prop_assert_eq!((form.sample_rate, form.channels), (rate, channels));
        prop_assert_eq!(form.bits_per_sample, depth.bits());
        let got: Vec<i32> = reader.samples().map(Result::unwrap).collect();
        prop_assert_eq!(got, samples);
    }

    #[test]
    fn hound_reads_every_float(
        samples in prop::collection::vec(any::<f32>().prop_filter("not NaN", |x| !x.is_nan()), 0..60),
    ) {
        let home = TempDir::new().unwrap();
        let path = home.path().join("a.wav");
        let frames = samples.len() as u64;
        let spec = spec(44_100, 1, Depth::Float32, frames);
        write(&path, &spec, Samples::Float(&samples), LONGEST_RIFF);
        let fact = &parse(&path).chunks["fact"].1;
        prop_assert_eq!(&fact[..], (frames as u32).to_le_bytes());
        let mut reader = hound::WavReader::open(&path).unwrap();
        prop_assert_eq!(reader.spec().sample_format, hound::SampleFormat::Float);
        let got: Vec<f32> = reader.samples().map(Result::unwrap).collect();
        prop_assert_eq!(got, samples);
    }
}

#[test]
fn a_file_above_4_gb_is_recognised_as_partitas_own() {
    let home = TempDir::new().unwrap();
    let path = home.path().join("a.wav");
    for (tags, is_own) in [(tags().signed(), true), (tags(), false)] {
        let spec = spec(48_000, 1, Depth::Int24, 1);
        let mut wav = Box::new(Wav::new(File::create(&path).unwrap(), &spec, &tags, 0).unwrap());
        wav.write(0, Samples::Int(&[1])).unwrap();
        wav.finish().unwrap();
        assert_eq!(parse(&path).form, *b"RF64");
        let cancel = CancelToken::default();
        assert_eq!(crate::engine::export::is_own_file(&path, &cancel), is_own);
    }
}

#[test]
fn the_limit_between_riff_and_rf64_is_exact() {
    let home = TempDir::new().unwrap();
    let path = home.path().join("a.wav");
    let samples = [1, -2, 3, -8_388_608, 8_388_607]; // an odd number of bytes
    let spec = spec(48_000, 1, Depth::Int24, 5);
    write(&path, &spec, Samples::Int(&samples), LONGEST_RIFF);
    let short = parse(&path);
    assert_eq!(short.form, *b"RIFF");
    write(&path, &spec, Samples::Int(&samples), short.riff_bytes);
    assert_eq!(parse(&path).form, *b"RIFF");
    write(&path, &spec, Samples::Int(&samples), short.riff_bytes - 1);
    let long = parse(&path);
    assert_eq!(long.form, *b"RF64");
    assert_eq!(long.riff_bytes, short.riff_bytes);
    assert_eq!(long.chunks["data"], short.chunks["data"]);
    assert_eq!(long.chunks["data"].1.len(), 15);
    let sizes = &long.chunks["ds64"].1;
    assert_eq!(sizes[16..24], 5u64.to_le_bytes(), "frames");
    assert_eq!(sizes[24..28], [0; 4], "empty table");
}

#[test]
fn studio_chunks_precede_the_samples() {
    let home = TempDir::new().unwrap();
    let path = home.path().join("a.wav");
    write(&path, &spec(44_100, 2, Depth::Int24, 1), Samples::Int(&[1, 2]), LONGEST_RIFF);
    let parsed = parse(&path);
    assert_eq!(parsed.order, ["JUNK", "bext", "fmt ", "LIST", "data", "id3 "]);
    let bext = &parsed.chunks["bext"].1;
    let text = |from: usize, to: usize| {
        let text = String::from_utf8(bext[from..to].to_vec()).unwrap();
        text.trim_end_matches('\0').to_owned()
    };
    assert_eq!(text(0, 256), "Stra?e");
    assert_eq!(text(256, 288), "Partita");
    assert_eq!(bext[338..346], [0; 8], "at the start of the song");
    assert_eq!(bext[346..348], [1, 0], "version 1");
    assert_eq!(text(602, bext.len()), "A=PCM,F=44100,W=24,M=stereo,T=Partita\r\n");
    let info = &parsed.chunks["LIST"].1;
    assert!(info.starts_with(b"INFO"));
    for entry in ["INAM\x08\0\0\0Straße\0", "IART\x06\0\0\0Kraft\0"] {
        let found = info.windows(entry.len()).any(|window| window == entry.as_bytes());
        assert!(found, "{entry}");
    }
    assert!(parsed.chunks["id3 "].1.starts_with(b"ID3\x04"));
}

#[test]
fn without_tags_no_tag_chunks_are_written() {
    let home = TempDir::new().unwrap();
    let path = home.path().join("a.wav");
    let spec = spec(44_100, 1, Depth::Int16, 1);
    let file = File::create(&path).unwrap();
    let mut wav = Box::new(Wav::new(file, &spec, &Tags::default(), LONGEST_RIFF).unwrap());
    wav.write(0, Samples::Int(&[5])).unwrap();
    wav.finish().unwrap();
    assert_eq!(parse(&path).order, ["JUNK", "bext", "fmt ", "data"]);
}
