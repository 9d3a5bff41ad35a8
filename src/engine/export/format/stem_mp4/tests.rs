//! Stem files, with the streams decoded by Symphonia and the boxes parsed directly.

use super::*;
use crate::engine::export::format::{
    alac::tests::{Signal, decoded, feed, spec},
    mp4::tests::{boxes, number},
};

const NAMES: [&str; STREAMS] = ["mix", "drums", "bass", "other", "vocals"];

fn written(depth: Depth) -> (tempfile::TempDir, std::path::PathBuf, Vec<Vec<i32>>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("song.stem.mp4");
    let spec = spec(2, depth, 44_100, &NAMES);
    let signals = [Signal::Noise, Signal::Clicks, Signal::Sine, Signal::Faint, Signal::LateNoise];
    let streams: Vec<_> = signals
        .iter()
        .zip(1..)
        .map(|(signal, seed)| signal.samples(seed, 50_001, 2, depth.bits()))
        .collect();
    let encoder = (FORMAT.begin)(File::create(&path).unwrap(), &spec, &Tags::default()).unwrap();
    feed(encoder, &streams, 8_000);
    (folder, path, streams)
}

#[test]
fn every_stream_survives_bit_for_bit() {
    for depth in [Depth::Int16, Depth::Int24] {
        let (_folder, path, streams) = written(depth);
        for (track, samples) in streams.iter().enumerate() {
            let heard = decoded(&path, track, depth.bits());
            assert_eq!((heard.channels, heard.rate, heard.frames), (2, 44_100, 50_001));
            assert!(heard.samples == *samples, "track {track} differs");
        }
    }
}

#[test]
fn rejects_mono() {
    let folder = tempfile::tempdir().unwrap();
    let file = File::create(folder.path().join("song.stem.mp4")).unwrap();
    let spec = spec(1, Depth::Int16, 44_100, &NAMES);
    let error = (FORMAT.begin)(file, &spec, &Tags::default()).err().unwrap();
    assert!(error.to_string().contains("two channels"), "{error}");
}

#[test]
fn the_manifest_names_the_stems() {
    let (_folder, path, _) = written(Depth::Int16);
    let boxes = boxes(&std::fs::read(path).unwrap());
    let stem = boxes.iter().find(|(name, _)| name == "moov/udta/stem").unwrap();
    let manifest: serde_json::Value = serde_json::from_slice(&stem.1).unwrap();
    assert_eq!(manifest["version"], 1);
    assert_eq!(manifest["mastering_dsp"]["compressor"]["enabled"], false);
    assert_eq!(manifest["mastering_dsp"]["limiter"]["enabled"], false);
    let stems = manifest["stems"].as_array().unwrap();
    let names: Vec<_> = stems.iter().map(|stem| stem["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["Drums", "Bass", "Other", "Vocals"]);
    assert_eq!(stems[3]["color"], "#F27FA5");
    let enabled: Vec<_> = boxes
        .iter()
        .filter(|(name, _)| name == "moov/trak/tkhd")
        .map(|(_, header)| number(header, 0) & 1)
        .collect();
    assert_eq!(enabled, [1, 0, 0, 0, 0]);
}

#[test]
fn other_stems_have_distinct_colours() {
    let names = ["drums", "guitar", "piano", "vocals"].map(str::to_owned);
    let manifest = manifest(&names);
    let colours: std::collections::BTreeSet<_> = manifest["stems"]
        .as_array()
        .unwrap()
        .iter()
        .map(|stem| stem["color"].as_str().unwrap())
        .collect();
    assert_eq!(colours.len(), 4);
}

#[test]
fn requires_the_mix_and_four_stems() {
    for count in [0, 1, 4, 6] {
        let names = vec!["mix"; count];
        let spec = spec(2, Depth::Int16, 44_100, &names);
        let begun = (FORMAT.begin)(tempfile::tempfile().unwrap(), &spec, &Tags::default());
        let error = begun.err().unwrap();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        assert_eq!(error.to_string(), "a stem file holds the mix and four stems");
    }
}

#[test]
fn rates_map_to_the_nearest_of_their_family() {
    for (from, to) in [(44_100, 44_100), (88_200, 44_100), (22_050, 44_100), (176_400, 44_100)] {
        assert_eq!((FORMAT.rate)(from), to);
    }
    for from in [8_000, 32_000, 48_000, 96_000, 192_000] {
        assert_eq!((FORMAT.rate)(from), 48_000);
    }
}
