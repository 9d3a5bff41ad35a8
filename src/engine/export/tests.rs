//! Exports of an in-memory track, read back with hound.

mod files;
mod key_speed;

use std::{fs, io, path::Path};

use super::*;
use crate::engine::{
    audio::{decode, resample::Resampler},
    problem::Activity,
    system::panics::caught,
    types::{AudioFormat, CHANNELS, Depth, SAMPLE_RATE},
};

/// A track in memory, separated up to frame `covered`.
struct InMemory {
    original: Vec<f32>,
    stems: Vec<Vec<f32>>,
    covered: u64,
}

/// Interleaved stereo noise.
fn rest(minus: &[usize]) -> Content {
    Content::Rest(crate::engine::separation::chain::Terms { of: None, minus: minus.to_vec() })
}

fn noise(frames: usize, peak: f32, seed: u32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(747_796_405) | 1;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..frames * CHANNELS).map(|_| next() * peak).collect()
}

impl InMemory {
    /// Creates two stems of noise with `frames` frames and peak `peak`. The original is their sum
    /// plus some more noise, in whole 16-bit steps.
    fn noise(frames: usize, peak: f32) -> Self {
        let stems = vec![noise(frames, peak, 1), noise(frames, peak, 2)];
        let besides = noise(frames, 0.01, 3);
        let sums = stems[0].iter().zip(&stems[1]).zip(&besides).map(|((a, b), c)| a + b + c);
        let original = sums.map(|x| (x * 32_768.0).round().clamp(-32_768.0, 32_767.0) / 32_768.0);
        Self { original: original.collect(), stems, covered: frames as u64 }
    }
}

impl Track for InMemory {
    fn frames(&self) -> u64 {
        (self.original.len() / CHANNELS) as u64
    }

    fn stems(&self) -> usize {
        self.stems.len()
    }

    fn read_original(&self, start: u64, out: &mut [f32]) -> io::Result<()> {
        let start = start as usize * CHANNELS;
        out.copy_from_slice(&self.original[start..start + out.len()]);
        Ok(())
    }

    fn read_stem(&self, stem: usize, start: u64, out: &mut [f32]) -> io::Result<()> {
        let start = start as usize * CHANNELS;
        out.copy_from_slice(&self.stems[stem][start..start + out.len()]);
        Ok(())
    }

    fn covered_at(&self, at: u64) -> (bool, u64) {
        if at < self.covered { (true, self.covered) } else { (false, self.frames()) }
    }
}

fn of(name: &str, to: &Path, content: Content) -> ExportItem {
    ExportItem { name: name.into(), to: to.into(), streams: vec![(name.into(), content)] }
}

fn item(to: &Path, stems: &[(usize, f32)]) -> ExportItem {
    let weighted = stems.iter().map(|&(stem, gain)| (stem, [gain; 2])).collect();
    of("some", to, Content::Stems(weighted))
}

fn origin(track: &dyn Track) -> Origin {
    let format = AudioFormat {
        name: "FLAC".into(),
        sample_rate: SAMPLE_RATE,
        channels: 2,
        bits: Some(16),
        frames: Some(track.frames()),
    };
    Origin { format, is_at_hand: true, ..Origin::default() }
}

fn at_depth(depth: Depth) -> Settings {
    Settings { depth: Some(depth), on_exists: OnExists::Replace, ..Settings::default() }
}

fn run(track: &dyn Track, items: &[ExportItem], settings: &Settings) -> Result<Exported> {
    export(track, &origin(track), items, settings, &mut |_| (), &CancelToken::default())
}

/// Reads the samples of a WAV file: raw integers, or floats with full scale at 1.
fn read_back(path: &Path) -> Vec<f64> {
    let mut reader = hound::WavReader::open(path).unwrap();
    match reader.spec().sample_format {
        hound::SampleFormat::Float => reader.samples::<f32>().map(|x| x.unwrap().into()).collect(),
        hound::SampleFormat::Int => reader.samples::<i32>().map(|x| x.unwrap().into()).collect(),
    }
}

fn full_scale(depth: Depth) -> f64 {
    if depth == Depth::Float32 { 1.0 } else { f64::from(1u32 << (depth.bits() - 1)) }
}

fn names_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

const DEPTHS: [Depth; 3] = [Depth::Int16, Depth::Int24, Depth::Float32];

#[test]
fn an_exported_mix_is_the_sum_of_the_stems() {
    let home = tempfile::tempdir().unwrap();
    let track = InMemory::noise(BLOCK_FRAMES * 2 + 777, 0.4);
    for depth in DEPTHS {
        let to = home.path().join(format!("{depth:?}.wav"));
        let items = [item(&to, &[(0, 0.5), (1, -1.0)])];
        let done = run(&track, &items, &at_depth(depth)).unwrap();
        assert_eq!((done.files, done.gain_db), (vec![("some".into(), to.clone())], 0.0));
        let got = read_back(&to);
        assert_eq!(got.len() as u64, track.frames() * 2);
        // Dither adds at most one step to either side, rounding half a step.
        let tolerance = if depth == Depth::Float32 { 0.0 } else { 1.5 };
        let mut errors = Vec::new();
        for (at, got) in got.iter().enumerate() {
            let want = 0.5 * track.stems[0][at] - track.stems[1][at];
            let error = got - f64::from(want) * full_scale(depth);
            assert!(error.abs() <= tolerance, "{depth:?} at {at}: {error}");
            errors.push(error);
        }
        let mean = errors.iter().sum::<f64>() / errors.len() as f64;
        assert!(mean.abs() < 0.02, "{depth:?}: {mean}");
    }
}

/// Stems, residual and "all but" in one export. Their sums equal the original exactly for integers,
/// and up to rounding for floats.
#[test]
fn stems_and_residual_add_up_to_the_original() {
    let home = tempfile::tempdir().unwrap();
    let at = |name: &str| home.path().join(name);
    let track = InMemory::noise(BLOCK_FRAMES + 321, 0.4);
    let items = [
        of("a", &at("a"), Content::stem(0)),
        of("b", &at("b"), Content::stem(1)),
        of("residual", &at("residual"), rest(&[0, 1])),
        of("all but a", &at("all but a"), rest(&[0])),
        of("original", &at("original"), rest(&[])),
    ];
    for depth in DEPTHS {
        let done = run(&track, &items, &at_depth(depth)).unwrap();
        assert_eq!(done.gain_db, 0.0);
        let read: Vec<Vec<f64>> = items.iter().map(|item| read_back(&item.to)).collect();
        let [a, b, residual, all_but_a, original] = &read[..] else { unreachable!() };
        for at in 0..original.len() {
            let want = f64::from(track.original[at]) * full_scale(depth);
            let sums = [a[at] + b[at] + residual[at], a[at] + all_but_a[at], original[at]];
            for sum in sums {
                let tolerance = if depth == Depth::Float32 { 1e-7 } else { 0.0 };
                assert!((sum - want).abs() <= tolerance, "{depth:?} at {at}: {sum}, not {want}");
            }
        }
    }
}

/// A file at another rate: the stems are resampled to it, and the residual holds frequencies above
/// the model's rate.
#[test]
fn at_the_songs_own_rate_the_sum_is_the_song() {
    let home = tempfile::tempdir().unwrap();
    let at = |name: &str| home.path().join(name);
    for (rate, channels, frames) in
        [(96_000u32, 2u16, 60_001u32), (48_000, 1, 30_000), (8_000, 2, 9_999)]
    {
        let song = at("song.wav");
        let spec = hound::WavSpec {
            channels,
            sample_rate: rate,
            bits_per_sample: 24,
            sample_format: hound::SampleFormat::Int,
        };
        let mut writer = hound::WavWriter::create(&song, spec).unwrap();
        let samples = noise((frames * u32::from(channels) / 2) as usize + 1, 0.4, rate);
        let samples = &samples[..(frames * u32::from(channels)) as usize];
        let whole: Vec<i32> = samples.iter().map(|x| (x * 8_388_608.0) as i32).collect();
        for &x in &whole {
            writer.write_sample(x).unwrap();
        }
        writer.finalize().unwrap();
        let mut mix = Vec::new();
        let cancel = CancelToken::default();
        let mut take = |block: &[f32]| {
            mix.extend_from_slice(block);
            Ok(())
        };
        let decoded = decode::decode(&song, None, &cancel, &mut |_| (), &mut take).unwrap();
        assert_eq!(decoded.format.frames, Some(frames.into()));
        let half: Vec<f32> = mix.iter().map(|x| x * 0.5).collect();
        let covered = (mix.len() / CHANNELS) as u64;
        let track = InMemory { stems: vec![half.clone(), half], original: mix, covered };
        let origin =
            Origin { path: song, format: decoded.format, is_at_hand: true, ..Origin::default() };
        let items = [
            of("a", &at("a"), Content::stem(0)),
            of("b", &at("b"), Content::stem(1)),
            of("residual", &at("residual"), rest(&[0, 1])),
        ];
        let settings = Settings { on_exists: OnExists::Replace, ..Settings::default() };
        export(&track, &origin, &items, &settings, &mut |_| (), &cancel).unwrap();
        let read: Vec<Vec<f64>> = items.iter().map(|item| read_back(&item.to)).collect();
        let reader = hound::WavReader::open(&items[0].to).unwrap();
        assert_eq!((reader.spec().sample_rate, reader.spec().channels), (rate, channels));
        drop(reader); // wine does not replace open files
        assert_eq!(read[0].len(), whole.len(), "length at {rate} Hz");
        for (at, &want) in whole.iter().enumerate() {
            assert_eq!(
                read[0][at] + read[1][at] + read[2][at],
                f64::from(want),
                "{rate} Hz at {at}"
            );
        }
        // The stems are two halves of the song, so little energy is left below their band limit.
        let power = |x: &[f64]| x.iter().map(|x| x * x).sum::<f64>();
        let left = power(&read[2]) / power(&read[0]);
        let most = if rate > SAMPLE_RATE { 5.0 } else { 0.05 };
        assert!(left < most, "{rate} Hz: {left}");

        let gone = Origin { is_at_hand: false, ..origin };
        let problem = export(&track, &gone, &items, &settings, &mut |_| (), &cancel).unwrap_err();
        assert!(matches!(problem, Problem::SourceNeeded { .. }), "{problem}");
        let stems = &items[..2];
        export(&track, &gone, stems, &settings, &mut |_| (), &cancel).unwrap();
    }
}

/// Sums with delay, padding, an edit list, and six channels. The reference is the decoder's
/// output at the file's own rate.
#[test]
fn stems_and_residual_add_up_for_any_container() {
    let home = tempfile::tempdir().unwrap();
    let at = |name: &str| home.path().join(name);
    let cancel = CancelToken::default();
    for name in ["chirp.mp3", "chirp.m4a", "chirp.opus", "chirp.ogg", "chirp-5.1-16k.flac"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name);
        let mut mix = Vec::new();
        let mut take = |block: &[f32]| {
            mix.extend_from_slice(block);
            Ok(())
        };
        let decoded = decode::decode(&path, None, &cancel, &mut |_| (), &mut take).unwrap();
        let rate = decoded.format.sample_rate;
        let mut truth: Vec<f32> = Vec::new();
        let mut take = |block: &[f32]| {
            truth.extend_from_slice(block);
            Ok(())
        };
        decode::decode_at(&path, None, rate, &cancel, &mut take).unwrap();
        if decoded.format.channels == 1 {
            truth = truth.chunks(2).map(|frame| frame[0]).collect();
        }
        let quarter = mix.iter().map(|x| x * 0.25).collect();
        let covered = (mix.len() / CHANNELS) as u64;
        let track = InMemory { stems: vec![quarter], original: mix, covered };
        let origin = Origin { path, format: decoded.format, is_at_hand: true, ..Origin::default() };
        let items =
            [of("a", &at("a"), Content::stem(0)), of("residual", &at("residual"), rest(&[0]))];
        export(&track, &origin, &items, &at_depth(Depth::Int24), &mut |_| (), &cancel).unwrap();
        let (stem, residual) = (read_back(&items[0].to), read_back(&items[1].to));
        assert_eq!(stem.len(), truth.len(), "{name}");
        for (at, &x) in truth.iter().enumerate() {
            let want = (f64::from(x) * full_scale(Depth::Int24)).round();
            assert_eq!(stem[at] + residual[at], want, "{name} at {at}");
        }
    }
}

#[test]
fn stems_at_another_rate_are_resampled_without_delay() {
    let home = tempfile::tempdir().unwrap();
    let to = home.path().join("a.wav");
    let track = InMemory::noise(20_000, 0.4);
    let settings = Settings { rate: Some(48_000), ..at_depth(Depth::Float32) };
    run(&track, &[item(&to, &[(1, 1.0)])], &settings).unwrap();
    let mut want = Vec::new();
    let mut resampler = Resampler::new(SAMPLE_RATE, 48_000).unwrap();
    resampler.push(&track.stems[1], &mut want).unwrap();
    resampler.finish(&mut want).unwrap();
    let want: Vec<f64> = want.into_iter().map(f64::from).collect();
    assert_eq!(read_back(&to), want);
}

#[test]
fn files_that_would_clip_share_one_gain() {
    let home = tempfile::tempdir().unwrap();
    let at = |name: &str| home.path().join(name);
    let track = InMemory::noise(20_000, 0.9);
    let both = [(0, 1.0), (1, 1.0)];
    let items =
        [item(&at("0.wav"), &both[..1]), item(&at("1.wav"), &both[1..]), item(&at("m.wav"), &both)];
    let done = run(&track, &items, &at_depth(Depth::Int24)).unwrap();
    assert!(done.gain_db < -3.0 && done.gain_db > -6.0, "{}", done.gain_db);

    let files: Vec<_> = items.iter().map(|item| read_back(&item.to)).collect();
    let gain = 10f64.powf(f64::from(done.gain_db) / 20.0);
    let mut loudest = 0f64;
    for (at, &mix) in files[2].iter().enumerate() {
        let sum = files[0][at] + files[1][at];
        assert!((sum - mix).abs() <= 4.5, "the stems do not add up at {at}");
        let want = f64::from(track.stems[0][at]) * gain * full_scale(Depth::Int24);
        assert!((files[0][at] - want).abs() <= 3.0, "wrong gain at {at}");
        loudest = loudest.max(mix.abs());
    }
    let loudest = loudest / full_scale(Depth::Int24);
    assert!(loudest > 0.999_9 && loudest < 1.0, "not just below full scale: {loudest}");

    let done = run(&track, &items, &at_depth(Depth::Float32)).unwrap();
    assert_eq!(done.gain_db, 0.0, "float must stay unscaled");
}

#[test]
fn a_song_at_full_scale_needs_no_gain() {
    let home = tempfile::tempdir().unwrap();
    let to = home.path().join("a.wav");
    let mut track = InMemory::noise(1_000, 0.1);
    track.original[10] = -1.0;
    track.original[11] = 32_767.0 / 32_768.0;
    let whole = [of("original", &to, rest(&[]))];
    assert_eq!(run(&track, &whole, &at_depth(Depth::Int16)).unwrap().gain_db, 0.0);
    assert_eq!(read_back(&to)[10..12], [-32_768.0, 32_767.0]);
    track.original[11] = 1.0;
    assert!(run(&track, &whole, &at_depth(Depth::Int16)).unwrap().gain_db < 0.0);
}

#[test]
fn a_mix_reaches_the_requested_loudness() {
    let home = tempfile::tempdir().unwrap();
    let at = |name: &str| home.path().join(name);
    let track = InMemory::noise(5 * SAMPLE_RATE as usize, 0.1);
    let items = [
        of("a", &at("a"), Content::stem(0)),
        of(MIX, &at(MIX), Content::Stems(vec![(0, [1.0; 2]), (1, [1.0; 2])])),
    ];
    let measured = |path: &Path| {
        let mut meter = ebur128::EbuR128::new(2, SAMPLE_RATE, ebur128::Mode::all()).unwrap();
        meter.add_frames_f64(&read_back(path)).unwrap();
        let peak = meter.true_peak(0).unwrap().max(meter.true_peak(1).unwrap());
        (meter.loudness_global().unwrap(), 20.0 * peak.log10())
    };
    let loud = |lufs, limiter| {
        let depth = Some(Depth::Float32);
        Settings {
            loudness_lufs: Some(lufs),
            limiter,
            depth,
            on_exists: OnExists::Replace,
            ..Settings::default()
        }
    };
    let done = run(&track, &items, &loud(-23.0, false)).unwrap();
    assert!((measured(&at(MIX)).0 + 23.0).abs() < 0.05, "{:?}", measured(&at(MIX)));
    let ratio = read_back(&at("a"))[7] / f64::from(track.stems[0][7]);
    assert!((20.0 * ratio.log10() - f64::from(done.gain_db)).abs() < 1e-3, "stem gain");

    // Louder than the peaks allow: either as loud as possible with a note, or limited.
    let done = run(&track, &items, &loud(-3.0, false)).unwrap();
    let (lufs, peak_db) = measured(&at(MIX));
    assert!((peak_db + 1.0).abs() < 0.05, "{peak_db}");
    assert!(done.notes.to_string().contains(&format!("{lufs:.1} LUFS")), "{:?}", done.notes);
    let done = run(&track, &items, &loud(-3.0, true)).unwrap();
    let (louder, peak_db) = measured(&at(MIX));
    assert!(peak_db < -0.9 && louder > lufs + 1.0, "{louder} LUFS, {peak_db} dB");
    assert!(done.notes.to_string().contains("limiter"), "{:?}", done.notes);
}
