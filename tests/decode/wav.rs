//! WAV in all its sample formats, created by the tests; lengths, levels, and non-finite samples.

use std::{
    fs,
    path::{Path, PathBuf},
};

use partita::engine::{CancelToken, audio::decode};
use proptest::prelude::*;
use tempfile::TempDir;

use super::{assert_is_chirp, chirp_at, decoded};

const FRAMES: usize = 8_820;

/// Sample format of a WAV file.
#[derive(Clone, Copy, Debug)]
enum Sample {
    U8,
    I16,
    I24,
    I32,
    F32,
    F64,
    /// 24 bits in the upper bytes of 4, as in `WAVE_FORMAT_EXTENSIBLE`.
    I24In32,
}

impl Sample {
    fn bits(self) -> u16 {
        match self {
            Self::U8 => 8,
            Self::I16 => 16,
            Self::I24 => 24,
            Self::I32 | Self::F32 | Self::I24In32 => 32,
            Self::F64 => 64,
        }
    }

    fn bytes(self, x: f64) -> Vec<u8> {
        let integer = |bits: i32| (x * 2f64.powi(bits - 1)).round() as i32;
        match self {
            Self::U8 => vec![(integer(8) + 128) as u8],
            Self::I16 => (integer(16) as i16).to_le_bytes().to_vec(),
            Self::I24 => integer(24).to_le_bytes()[..3].to_vec(),
            Self::I32 => integer(32).to_le_bytes().to_vec(),
            Self::F32 => (x as f32).to_le_bytes().to_vec(),
            Self::F64 => x.to_le_bytes().to_vec(),
            Self::I24In32 => (integer(24) << 8).to_le_bytes().to_vec(),
        }
    }
}

/// The bytes of a WAV file.
fn wav(sample: Sample, rate: u32, channels: u16, samples: &[f64]) -> Vec<u8> {
    let block = channels * sample.bits() / 8;
    let tag: u16 = match sample {
        Sample::F32 | Sample::F64 => 3,
        Sample::I24In32 => 0xfffe,
        _ => 1,
    };
    let mut format = tag.to_le_bytes().to_vec();
    format.extend(channels.to_le_bytes());
    format.extend(rate.to_le_bytes());
    format.extend((rate * u32::from(block)).to_le_bytes());
    format.extend(block.to_le_bytes());
    format.extend(sample.bits().to_le_bytes());
    if let Sample::I24In32 = sample {
        format.extend(22u16.to_le_bytes());
        format.extend(24u16.to_le_bytes());
        format.extend(3u32.to_le_bytes());
        format.extend(b"\x01\0\0\0\0\0\x10\0\x80\0\0\xaa\0\x38\x9b\x71"); // PCM
    }
    let body: Vec<u8> = samples.iter().flat_map(|&x| sample.bytes(x)).collect();
    let chunk = |name: &[u8; 4], body: &[u8]| {
        [name.as_slice(), &(body.len() as u32).to_le_bytes(), body].concat()
    };
    let chunks = [b"WAVE".to_vec(), chunk(b"fmt ", &format), chunk(b"data", &body)].concat();
    chunk(b"RIFF", &chunks)
}

fn file(bytes: &[u8]) -> (TempDir, PathBuf) {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("a.wav");
    fs::write(&path, bytes).unwrap();
    (home, path)
}

#[test]
fn every_sample_format_is_exact() {
    let want = chirp_at(44_100, FRAMES);
    for (sample, bits, least_db) in [
        (Sample::U8, 8, 35.0),
        (Sample::I16, 16, 80.0),
        (Sample::I24, 24, 130.0),
        (Sample::I32, 32, 140.0),
        (Sample::F32, 32, 140.0),
        (Sample::F64, 64, 140.0),
        (Sample::I24In32, 24, 130.0),
    ] {
        let (_home, path) = file(&wav(sample, 44_100, 2, &want));
        let (about, samples) = decoded(&path).unwrap();
        assert_eq!(about.format.name, "WAV");
        assert_eq!(about.format.bits, Some(bits), "{sample:?}");
        assert_eq!(about.warning.text(), None);
        assert_eq!(about.frames as usize, FRAMES);
        assert_is_chirp(&format!("{sample:?}"), &samples, &want, least_db);
    }
}

#[test]
fn loud_float_is_not_clipped() {
    let (_home, path) = file(&wav(Sample::F32, 44_100, 2, &[3.5, -2.0, 1.0, 0.0]));
    assert_eq!(decoded(&path).unwrap().1, [3.5, -2.0, 1.0, 0.0]);
}

#[test]
fn non_finite_samples_are_silenced_and_reported() {
    let nan = f64::NAN;
    let (_home, path) = file(&wav(Sample::F32, 44_100, 2, &[0.5, nan, f64::INFINITY, -0.5]));
    let (about, samples) = decoded(&path).unwrap();
    assert_eq!(samples, [0.5, 0.0, 0.0, -0.5]);
    assert_eq!(
        about.warning.text().as_deref(),
        Some("implausible sound from 0:00 on was silenced (samples: 2)")
    );
}

#[test]
fn a_file_that_is_cut_off_gives_what_there_is_and_says_so() {
    let mut bytes = wav(Sample::I16, 44_100, 2, &vec![0.25; 44_100 * 2 * 3]);
    bytes.truncate(bytes.len() / 3 + 100);
    let (_home, path) = file(&bytes);
    let (about, samples) = decoded(&path).unwrap();
    assert_eq!(about.warning.text().as_deref(), Some("cut off after 0:01 of 0:03"));
    assert!(about.frames.abs_diff(44_100) < 50, "{}", about.frames);
    assert!(samples.iter().all(|&x| x == 0.25));
}

#[test]
fn a_length_that_is_not_known_is_found() {
    // Both sizes are the maximum, as in files from programs that cannot seek.
    let mut bytes = wav(Sample::I16, 44_100, 2, &chirp_at(44_100, FRAMES));
    bytes[4..8].fill(0xff);
    bytes[40..44].fill(0xff);
    let (_home, path) = file(&bytes);
    let (about, _) = decoded(&path).unwrap();
    assert_eq!((about.frames as usize, about.warning.text()), (FRAMES, None));
}

fn frames_of(path: &Path) -> u64 {
    decoded(path).unwrap().0.frames
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn any_length_at_any_rate_comes_out_exactly(
        frames in 1usize..3_000,
        rate in prop::sample::select(vec![8_000u32, 22_050, 32_000, 44_100, 48_000, 192_000]),
        channels in 1u16..9,
    ) {
        let samples = vec![0.1; frames * usize::from(channels)];
        let (_home, path) = file(&wav(Sample::I16, rate, channels, &samples));
        let want = (frames as f64 * 44_100.0 / f64::from(rate)).round() as u64;
        if want == 0 {
            prop_assert!(decoded(&path).is_err());
        } else {
            prop_assert_eq!(frames_of(&path), want);
        }
    }
}

/// A WAV file in the form for more than 4 GB, with `data_bytes` of sound, and a chunk behind the
/// sound.
fn rf64(wav: &[u8], mark: [u8; 4], data_bytes: u64) -> Vec<u8> {
    let data = wav.windows(4).position(|window| window == b"data").unwrap();
    let mut out = [&mark[..], &[0xff; 4], b"WAVEds64\x1c\0\0\0"].concat();
    for size in [wav.len() as u64 + 36, data_bytes, 0] {
        out.extend(size.to_le_bytes());
    }
    out.extend([0; 4]);
    out.extend(&wav[12..data + 4]);
    out.extend([0xff; 4]);
    out.extend(&wav[data + 8..]);
    out.extend(b"LIST\x14\0\0\0INFOINAM\x08\0\0\0A title\0");
    out
}

#[test]
fn more_than_4_gb_are_read_as_any_wav() {
    let want = chirp_at(44_100, FRAMES);
    for (sample, mark) in
        [(Sample::I24, *b"RF64"), (Sample::F32, *b"BW64"), (Sample::I24In32, *b"RF64")]
    {
        let plain = wav(sample, 44_100, 2, &want);
        let data_bytes = (want.len() * sample.bits() as usize / 8) as u64;
        let (_home, path) = file(&plain);
        let (as_wav, samples_as_wav) = decoded(&path).unwrap();
        let (_home, path) = file(&rf64(&plain, mark, data_bytes));
        let (about, samples) = decoded(&path).unwrap();
        assert_eq!((about.warning.text(), about.frames as usize), (None, FRAMES), "{sample:?}");
        assert_eq!(about.format, as_wav.format);
        assert!(samples == samples_as_wav, "{sample:?}: data behind the sound was decoded");

        let (_home, path) = file(&rf64(&plain, mark, data_bytes)[..plain.len() / 2]);
        let (about, samples) = decoded(&path).unwrap();
        assert!(!about.warning.is_empty() && samples.len() < samples_as_wav.len());
        assert!(samples == samples_as_wav[..samples.len()]);
    }
}

/// A sparse file, which needs no disk space.
#[cfg(unix)] // files are not sparse by default on Windows
#[test]
fn the_length_of_more_than_4_gb_is_known() {
    let data_bytes = 6_u64 << 30;
    let bytes = rf64(&wav(Sample::I16, 44_100, 2, &[]), *b"RF64", data_bytes);
    let (_home, path) = file(&bytes[..bytes.len() - 28]);
    let hole = fs::File::options().append(true).open(&path).unwrap();
    hole.set_len(bytes.len() as u64 - 28 + data_bytes).unwrap();
    let seconds = decode::seconds(&path, None, &CancelToken::default()).unwrap().unwrap();
    assert!((seconds - data_bytes as f64 / 4.0 / 44_100.0).abs() < 0.001, "{seconds}");
}
