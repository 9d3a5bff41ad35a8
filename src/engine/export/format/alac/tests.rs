//! ALAC files, decoded again by Symphonia.

use std::{
    fs::File,
    io::Cursor,
    path::{Path, PathBuf},
};

use proptest::prelude::*;
use symphonia::core::{
    codecs::audio::AudioDecoderOptions,
    formats::{FormatOptions, probe::Hint},
    io::{MediaSourceStream, MediaSourceStreamOptions},
    meta::MetadataOptions,
};

use super::*;
use crate::engine::export::Tags;

/// Kinds of test signals.
#[derive(Clone, Copy, Debug)]
pub enum Signal {
    Silence,
    Noise,
    Extremes,
    Alternating,
    Sine,
    /// Amplitude near the lowest bit.
    Faint,
    /// Zeros with loud samples in between.
    Clicks,
    /// An eighth of each packet is silent, the rest is at full scale.
    LateNoise,
    /// 16-bit samples shifted up to 24 bits.
    Coarse,
}

pub const SIGNALS: [Signal; 9] = [
    Signal::Silence,
    Signal::Noise,
    Signal::Extremes,
    Signal::Alternating,
    Signal::Sine,
    Signal::Faint,
    Signal::Clicks,
    Signal::LateNoise,
    Signal::Coarse,
];

impl Signal {
    pub fn samples(self, seed: u64, frames: usize, channels: usize, bits: u16) -> Vec<i32> {
        let most = (1_i32 << (bits - 1)) - 1;
        let mut state = seed | 1;
        let mut random = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 20) as i32
        };
        let mut noise = |most: i32| random().rem_euclid(2 * most + 2) - most - 1;
        (0..frames * channels)
            .map(|i| {
                let (frame, channel) = (i / channels, i % channels);
                match self {
                    Self::Noise => noise(most),
                    Self::Extremes => [-most - 1, most][usize::from(noise(most) > 0)],
                    Self::Alternating => [-most - 1, most][(frame + channel) % 2],
                    Self::Sine => {
                        let step = 0.01 * (1.0 + channel as f64) * (1.0 + (seed % 7) as f64);
                        ((frame as f64 * step).sin() * f64::from(most)) as i32
                    }
                    Self::Faint => noise(1),
                    Self::Clicks if noise(most) % 97 == 0 => noise(most),
                    Self::LateNoise if frame % PACKET_FRAMES > PACKET_FRAMES / 8 => {
                        [-most - 1, most][usize::from(noise(most) > 0)]
                    }
                    Self::Silence | Self::Clicks | Self::LateNoise => 0,
                    Self::Coarse => noise(most) & !0xff,
                }
            })
            .collect()
    }
}

pub fn spec(channels: u16, depth: Depth, rate: u32, streams: &[&str]) -> Spec {
    let streams = streams.iter().map(|&name| name.to_owned()).collect();
    Spec { rate, channels, depth, frames: 0, streams, scratch: PathBuf::new() }
}

/// Decoded content of a track.
#[derive(Debug, PartialEq)]
pub struct Heard {
    pub samples: Vec<i32>,
    pub channels: usize,
    pub rate: u32,
    /// Number of frames according to the container.
    pub frames: u64,
}

/// Decodes track `track` of a file, counted from 0, to integers of `bits`.
pub fn decoded(path: &Path, track: usize, bits: u16) -> Heard {
    let stream = MediaSourceStream::new(
        Box::new(File::open(path).unwrap()),
        MediaSourceStreamOptions::default(),
    );
    let mut reader = symphonia::default::get_probe()
        .probe(&Hint::new(), stream, FormatOptions::default(), MetadataOptions::default())
        .unwrap();
    let of = reader.tracks()[track].clone();
    let codec = of.codec_params.as_ref().and_then(|params| params.audio()).unwrap();
    let mut decoder = symphonia::default::get_codecs()
        .make_audio_decoder(codec, &AudioDecoderOptions::default())
        .unwrap();
    let mut samples = Vec::new();
    while let Some(packet) = reader.next_packet().unwrap() {
        if packet.track_id == of.id {
            let mut block = Vec::<i32>::new();
            decoder.decode(&packet).unwrap().copy_to_vec_interleaved(&mut block);
            samples.extend(block.iter().map(|x| x >> (32 - bits)));
        }
    }
    let channels = decoder.codec_params().channels.as_ref().unwrap().count();
    let rate = decoder.codec_params().sample_rate.unwrap();
    Heard { samples, channels, rate, frames: of.num_frames.unwrap() }
}

/// Writes streams in turn, in blocks of `block` samples.
pub fn feed(mut encoder: Box<dyn Encoder>, streams: &[Vec<i32>], block: usize) {
    let longest = streams.iter().map(Vec::len).max().unwrap_or(0);
    for start in (0..longest).step_by(block) {
        for (stream, samples) in streams.iter().enumerate() {
            let end = samples.len().min(start + block);
            encoder.write(stream, Samples::Int(&samples[start..end])).unwrap();
        }
    }
    encoder.finish().unwrap();
}

fn round_trip(samples: &[i32], channels: u16, depth: Depth, rate: u32, block: usize) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("song.m4a");
    let spec = spec(channels, depth, rate, &["mix"]);
    let encoder = (FORMAT.begin)(File::create(&path).unwrap(), &spec, &Tags::default()).unwrap();
    feed(encoder, &[samples.to_vec()], block * usize::from(channels));
    let heard = decoded(&path, 0, depth.bits());
    assert_eq!(heard.frames, samples.len() as u64 / u64::from(channels));
    assert_eq!((heard.channels, heard.rate), (usize::from(channels), rate));
    // `assert_eq` would print hundreds of thousands of numbers.
    assert!(heard.samples == samples, "wrong samples");
}

#[test]
fn every_signal_survives_bit_for_bit() {
    for signal in SIGNALS {
        for (depth, channels) in
            [(Depth::Int16, 1), (Depth::Int16, 2), (Depth::Int24, 1), (Depth::Int24, 2)]
        {
            let frames = 3 * PACKET_FRAMES + 1234;
            let samples = signal.samples(7, frames, channels, depth.bits());
            round_trip(&samples, channels as u16, depth, 44_100, 10_000);
        }
    }
}

#[test]
fn lengths_around_a_packet_and_rates_beyond_16_bits_work() {
    let packet = PACKET_FRAMES;
    for frames in [1, 2, 15, 16, 17, packet - 1, packet, packet + 1, 5 * packet, 5 * packet + 1] {
        let samples = Signal::Sine.samples(3, frames, 2, 24);
        round_trip(&samples, 2, Depth::Int24, 96_000, 1 << 20);
    }
}

#[test]
fn an_empty_stream_becomes_a_file_without_frames() {
    let mut file = Cursor::new(Vec::new());
    let spec = spec(2, Depth::Int16, 44_100, &["mix"]);
    let tracks = [(String::new(), true)];
    let encoder = Alac::new(&mut file, &spec, tracks, Vec::new(), mp4::LONGEST_SHORT).unwrap();
    Box::new(encoder).finish().unwrap();
    let file = file.into_inner();
    assert!(file.windows(4).any(|name| name == b"moov"));
}

#[test]
fn rejects_unsupported_streams() {
    let begin = |channels, depth| {
        let spec = spec(channels, depth, 44_100, &["mix"]);
        (FORMAT.begin)(tempfile::tempfile().unwrap(), &spec, &Tags::default())
    };
    assert!(begin(2, Depth::Float32).is_err());
    assert!(begin(3, Depth::Int16).is_err());
    let mut encoder = begin(2, Depth::Int16).unwrap();
    assert!(encoder.write(0, Samples::Float(&[0.0, 0.0])).is_err());
    assert!(encoder.write(0, Samples::Int(&[0])).is_err());
    assert!(encoder.write(1, Samples::Int(&[0, 0])).is_err());
}

#[test]
fn music_gets_shorter_and_noise_hardly_longer() {
    let packet_bytes = |signal: Signal, bits: u16| {
        let mut codec = Codec::new(2, bits);
        let samples = signal.samples(1, 4 * PACKET_FRAMES, 2, bits);
        samples.chunks(2 * PACKET_FRAMES).map(|packet| codec.encode(packet).len()).max().unwrap()
    };
    for bits in [16, 24] {
        let plain = PACKET_FRAMES * 2 * usize::from(bits) / 8;
        for signal in SIGNALS {
            assert!(packet_bytes(signal, bits) <= plain + 4, "{signal:?}");
        }
        assert!(packet_bytes(Signal::Sine, bits) < plain / 2);
        assert!(packet_bytes(Signal::Silence, bits) < 100);
        assert!(packet_bytes(Signal::Faint, bits) < plain / 4);
    }
}

#[test]
fn never_writes_the_number_on_which_decoders_differ() {
    // After a run of zeros, a number is reduced by one; 2^15 folds to 0x10000.
    let fits = |residual| codec::fits_golomb(&[0, 0, residual, 1, 2, 3], 17);
    assert!(fits((1 << 15) - 1));
    assert!(!fits(1 << 15));
    assert!(fits((1 << 15) + 1));
}

/// Yields a signal, its seed, frames, channels, depth, and frames per block.
fn songs() -> impl Strategy<Value = (Signal, u64, usize, usize, Depth, usize)> {
    (
        prop::sample::select(SIGNALS.to_vec()),
        any::<u64>(),
        1_usize..14_000,
        1_usize..=2,
        prop::sample::select(vec![Depth::Int16, Depth::Int24]),
        1_usize..9_000,
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_length_in_any_blocks_survives(song in songs()) {
        let (signal, seed, frames, channels, depth, block) = song;
        let samples = signal.samples(seed, frames, channels, depth.bits());
        round_trip(&samples, channels as u16, depth, 48_000, block);
    }

    /// Concatenates pieces of all signals, so that the predictors meet input they have not adapted
    /// to.
    #[test]
    fn changing_signals_survive(
        pieces in prop::collection::vec((0..SIGNALS.len(), any::<u64>(), 1_usize..3_000), 1..12),
        channels in 1_usize..=2,
        depth in prop::sample::select(vec![Depth::Int16, Depth::Int24]),
    ) {
        let samples: Vec<i32> = pieces
            .into_iter()
            .flat_map(|(signal, seed, frames)| {
                SIGNALS[signal].samples(seed, frames, channels, depth.bits())
            })
            .collect();
        round_trip(&samples, channels as u16, depth, 44_100, 4_096);
    }
}
