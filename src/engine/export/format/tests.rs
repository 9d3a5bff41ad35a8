//! Round trips of every registered format: Symphonia decodes with the engine's settings, lofty
//! reads the tags.

use std::path::{Path, PathBuf};

use lofty::{file::TaggedFileExt as _, tag::Accessor as _};
use tempfile::TempDir;

use super::*;
use crate::engine::{
    audio::decode::{Decoder, Next, Output, Source},
    types::{CancelToken, SAMPLE_RATE},
};

/// Frame counts: within one packet of every codec, just above one, just below one MP3 packet, and
/// many packets.
const LENGTHS: [u64; 5] = [1, 577, 961, 1151, 100_003];

/// A 1×1 PNG.
pub const COVER: &[u8] =
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\0\0\0\0\x3a\x7e\x9b\
\x55\0\0\0\nIDATx\x9cc\xf8\x0f\0\x01\x01\x01\0\x1b\xb6\xee\x56\0\0\0\0IEND\xaeB`\x82";

/// Deterministic noise from -1 to 1.
pub struct Noise(u32);

impl Noise {
    pub fn new(seed: u32) -> Self {
        Self(seed.wrapping_mul(747_796_405).wrapping_add(1))
    }

    pub fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.0 >> 8) as f32 / (1 << 23) as f32 - 1.0
    }
}

/// Interleaved samples: a slowly fading chord with a little noise, different in each channel and
/// stream. Within -0.9 to 0.9.
fn music(spec: &Spec, stream: usize) -> Vec<f32> {
    const CHORD: [f32; 4] = [110.0, 277.18, 659.26, 3520.0];
    let mut noise = Noise::new(stream as u32);
    let rate = spec.rate as f32;
    let mut samples = Vec::new();
    for frame in 0..spec.frames {
        let time = frame as f32 / rate;
        for channel in 0..spec.channels {
            let shift = 1.0 + 0.01 * f32::from(channel) + 0.1 * stream as f32;
            let tone = |hertz: &f32| (std::f32::consts::TAU * hertz * shift * time).sin();
            let tones: f32 = CHORD.iter().map(tone).sum();
            samples.push(0.2 * tones * (1.0 - 0.1 * time) + 0.02 * noise.next());
        }
    }
    samples
}

/// Spec of a file that `format` writes for a song at the engine's rate.
pub fn spec(format: &Format, channels: u16, depth: Depth, frames: u64) -> Spec {
    let names: &[&str] = match format.streams {
        Streams::One => &["vocals"],
        Streams::All => &["vocals", "residual"],
        Streams::MixAndFourStems => &["mix", "drums", "bass", "other", "vocals"],
    };
    let streams = names.iter().map(|&name| name.into()).collect();
    let channels = format.channels(channels);
    Spec {
        rate: (format.rate)(SAMPLE_RATE),
        channels,
        depth,
        frames,
        streams,
        scratch: std::env::temp_dir(),
    }
}

fn tags() -> Tags {
    Tags::new("Für Elise", Some("Ludwig"), Some("Bagatellen"), Some(COVER)).marked("vocals")
}

/// Rounds samples to integers of `depth`.
fn rounded(samples: &[f32], depth: Depth) -> Vec<i32> {
    let scale = 2f32.powi(i32::from(depth.bits()) - 1);
    samples.iter().map(|x| (x * scale).round() as i32).collect()
}

/// Writes in blocks of uneven length. Returns the expected samples of the first stream.
fn write(format: &Format, spec: &Spec, path: &Path) -> io::Result<Vec<f32>> {
    const BLOCK_FRAMES: usize = 4099;
    let is_float = spec.depth == Depth::Float32 || matches!(format.keeps, Keeps::Roughly(_));
    let floats: Vec<_> = (0..spec.streams.len()).map(|stream| music(spec, stream)).collect();
    let ints: Vec<_> = floats.iter().map(|samples| rounded(samples, spec.depth)).collect();
    let mut encoder = (format.begin)(File::create(path)?, spec, &tags())?;
    let block = BLOCK_FRAMES * usize::from(spec.channels);
    for start in (0..floats[0].len()).step_by(block) {
        let range = start..(start + block).min(floats[0].len());
        for stream in 0..spec.streams.len() {
            let samples = if is_float {
                Samples::Float(&floats[stream][range.clone()])
            } else {
                Samples::Int(&ints[stream][range.clone()])
            };
            encoder.write(stream, samples)?;
        }
    }
    encoder.finish()?;
    let scale = 2f32.powi(1 - i32::from(spec.depth.bits()));
    Ok(if is_float {
        floats[0].clone()
    } else {
        ints[0].iter().map(|&x| x as f32 * scale).collect()
    })
}

/// Extracts the first track of a session into `folder`.
fn first_track(path: &Path, folder: &Path) -> Option<PathBuf> {
    let is_session = path.extension().is_some_and(|extension| extension == "dawproject");
    let mut archive =
        is_session.then(|| zip::ZipArchive::new(File::open(path).unwrap()).unwrap())?;
    let mut track = archive.by_name("audio/vocals.wav").unwrap();
    let to = folder.join("vocals.wav");
    io::copy(&mut track, &mut File::create(&to).unwrap()).unwrap();
    Some(to)
}

/// Returns rate, channels, and all samples of the first track without the encoder's padding.
fn read(path: &Path) -> (u32, u16, Vec<f32>) {
    let folder = TempDir::new().unwrap();
    let first = first_track(path, folder.path());
    let path = first.as_deref().unwrap_or(path);
    let mut source = Source::open(path, None, &CancelToken::default()).unwrap();
    let mut decoder = Decoder::new(&source.codec).unwrap();
    let (rate, channels) = (source.format.sample_rate, source.format.channels);
    let mut got = Vec::new();
    let mut sink = |block: &[f32]| {
        got.extend_from_slice(block);
        Ok(())
    };
    // At this rate no resampling takes place.
    let mut output = Output::new(SAMPLE_RATE, source.passes[0].clone(), &mut sink).unwrap();
    while let Next::Packet(packet) = source.next().unwrap() {
        if !source.is_ours(&packet) || output.is_full() {
            continue;
        }
        let mut samples = Vec::<f32>::new();
        let spec = decoder.decode(&packet, &mut samples).unwrap();
        assert_eq!(spec.rate(), rate);
        assert_eq!(spec.channels().count(), usize::from(channels));
        if channels == 1 {
            samples = samples.iter().flat_map(|&x| [x; 2]).collect();
        }
        output.push(&samples).unwrap();
    }
    output.end(true).unwrap();
    output.finish().unwrap();
    if channels == 1 {
        got = got.into_iter().step_by(2).collect();
    }
    (rate, channels, got)
}

/// Runs `check` for every format, depth and channel count, with `frames` frames.
fn each(frames: u64, check: &mut dyn FnMut(&'static Format, &Spec, &Path)) {
    let home = TempDir::new().unwrap();
    for format in FORMATS {
        let depths = match format.keeps {
            Keeps::Exactly(depths) => depths,
            Keeps::Roughly(_) => &[Depth::Float32],
        };
        for (&depth, channels) in depths.iter().flat_map(|depth| [(depth, 1), (depth, 2)]) {
            let name = format!("{}-{channels}-{frames}.{}", depth.bits(), format.extension);
            check(format, &spec(format, channels, depth, frames), &home.path().join(name));
        }
    }
}

/// Signal-to-error ratio in dB.
fn signal_to_noise(wanted: &[f32], got: &[f32]) -> f64 {
    let power = |samples: &mut dyn Iterator<Item = f32>| -> f64 {
        samples.map(|x| f64::from(x) * f64::from(x)).sum()
    };
    let signal = power(&mut wanted.iter().copied());
    let noise = power(&mut wanted.iter().zip(got).map(|(wanted, got)| wanted - got));
    10.0 * (signal / noise.max(f64::MIN_POSITIVE)).log10()
}

/// Delay of `got` in samples, by correlation of a section from the middle.
fn lag(wanted: &[f32], got: &[f32]) -> isize {
    const FURTHEST: usize = 3_000;
    const STRETCH: usize = 20_000;
    let start = (wanted.len() - STRETCH) / 2;
    let stretch = &wanted[start..start + STRETCH];
    let alike = |shift: &isize| -> f64 {
        let moved = &got[(start as isize + shift) as usize..];
        stretch.iter().zip(moved).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
    };
    let furthest = FURTHEST as isize;
    (-furthest..=furthest).max_by(|a, b| alike(a).total_cmp(&alike(b))).unwrap()
}

#[test]
fn samples_survive_within_the_precision_of_the_format() {
    /// Minimum in dB. Measured: 32 for MP3, 27 for Opus.
    const LEAST: f64 = 24.0;
    for frames in LENGTHS {
        each(frames, &mut |format, spec, path| {
            let wanted = write(format, spec, path).unwrap();
            let (rate, channels, got) = read(path);
            let label = format!("{} {spec:?}", format.id);
            assert_eq!((rate, channels), (spec.rate, spec.channels), "{label}");
            assert_eq!(got.len(), wanted.len(), "{label}");
            if matches!(format.keeps, Keeps::Exactly(_)) {
                assert!(got == wanted, "{label}");
            } else if frames > 50_000 {
                assert_eq!(lag(&wanted, &got), 0, "{label}");
                let ratio = signal_to_noise(&wanted, &got);
                println!("{label}: {ratio:.1} dB");
                assert!(ratio > LEAST, "{label}: {ratio} dB");
            }
        });
    }
}

#[test]
fn every_supported_rate_survives() {
    for rate in [8_000, 11_025, 22_050, 44_101, 48_000, 88_200, 96_000, 176_400, 192_000] {
        each(1151, &mut |format, spec, path| {
            let spec = Spec { rate: (format.rate)(rate), ..spec.clone() };
            let wanted = write(format, &spec, path).unwrap();
            let (rate, _, got) = read(path);
            assert_eq!((rate, got.len()), (spec.rate, wanted.len()), "{} {spec:?}", format.id);
        });
    }
}

#[test]
fn zero_frames_write_an_empty_file_or_fail_clearly() {
    each(0, &mut |format, spec, path| match write(format, spec, path) {
        Ok(_) => assert!(read(path).2.is_empty(), "{}", format.id),
        Err(error) => {
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{}", format.id);
            assert!(error.to_string().contains(format.name), "{error}");
        }
    });
}

#[cfg(target_os = "linux")] // /dev/full
#[test]
fn reports_a_full_disk() {
    each(1151, &mut |format, spec, _| {
        let error = write(format, spec, Path::new("/dev/full")).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull, "{}: {error}", format.id);
    });
}

#[test]
fn title_and_cover_survive() {
    each(1151, &mut |format, spec, path| {
        write(format, spec, path).unwrap();
        if format.streams == Streams::All {
            return; // a session, not a song: its own tests read the names
        }
        let file = lofty::read_from_path(path).unwrap();
        let label = format.id;
        let tag = file.primary_tag().or(file.first_tag()).expect(label);
        assert_eq!(tag.title().as_deref(), Some("Für Elise (vocals)"), "{label}");
        assert_eq!(tag.artist().as_deref(), Some("Ludwig"), "{label}");
        let pictures: Vec<_> = file.tags().iter().flat_map(lofty::tag::Tag::pictures).collect();
        assert_eq!(pictures.len(), 1, "{label}");
        assert_eq!(pictures[0].data(), COVER, "{label}");
    });
}

#[test]
fn no_file_exceeds_most_bytes() {
    let mut noise = Noise::new(7);
    each(48_000, &mut |format, spec, path| {
        let count = spec.frames as usize * usize::from(spec.channels);
        let floats: Vec<f32> = (0..count).map(|_| 0.99 * noise.next()).collect();
        let ints = rounded(&floats, spec.depth);
        let mut encoder = (format.begin)(File::create(path).unwrap(), spec, &tags()).unwrap();
        let is_float = spec.depth == Depth::Float32;
        for stream in 0..spec.streams.len() {
            let samples = if is_float { Samples::Float(&floats) } else { Samples::Int(&ints) };
            encoder.write(stream, samples).unwrap();
        }
        encoder.finish().unwrap();
        let bytes = path.metadata().unwrap().len();
        assert!(bytes <= format.most_bytes(spec), "{} {spec:?}: {bytes}", format.id);
    });
}

#[test]
fn rejects_samples_of_the_wrong_kind() {
    each(2, &mut |format, spec, path| {
        let mut encoder = (format.begin)(File::create(path).unwrap(), spec, &tags()).unwrap();
        let wrong = match spec.depth {
            Depth::Float32 => Samples::Int(&[0; 4]),
            _ => Samples::Float(&[0.0; 4]),
        };
        let error = encoder.write(0, wrong).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{}", format.id);
    });
}

#[test]
fn ids_are_unique_and_rates_are_stable() {
    for (index, format) in FORMATS.iter().enumerate() {
        assert_eq!(Format::find(format.id), Some(*format));
        assert!(FORMATS[..index].iter().all(|other| other.id != format.id));
        for rate in [1, 8_000, 22_050, 44_100, 48_000, 96_000, 192_000, u32::MAX] {
            let kept = (format.rate)(rate);
            assert_eq!((format.rate)(kept), kept, "{} {rate}", format.id);
        }
    }
    assert_eq!(Format::find("nothing"), None);
}
