//! Exports of a track in memory, read back with hound.

use std::{fs, io, path::Path};

use super::*;
use crate::engine::SAMPLE_RATE;

/// A track whose stems are in memory, complete up to frame `covered`.
struct Stems {
    stems: Vec<Vec<f32>>,
    covered: u64,
}

impl Stems {
    /// Two stems of noise, of `frames` frames, as loud as `peak`.
    fn noise(frames: usize, peak: f32) -> Self {
        let mut state = 1u32;
        let mut noise = || -> Vec<f32> {
            let samples = (0..frames * CHANNELS).map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 8) as f32 / (1 << 23) as f32 - 1.0
            });
            samples.map(|x| x * peak).collect()
        };
        Self { stems: vec![noise(), noise()], covered: frames as u64 }
    }
}

impl Track for Stems {
    fn frames(&self) -> u64 {
        (self.stems[0].len() / CHANNELS) as u64
    }

    fn stems(&self) -> usize {
        self.stems.len()
    }

    fn read_original(&self, _: u64, _: &mut [f32]) -> io::Result<()> {
        Err(io::Error::other("an export does not read the original"))
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

fn item(to: &Path, stems: &[(usize, f32)]) -> ExportItem {
    ExportItem { to: to.into(), stems: stems.into() }
}

fn run(track: &dyn Track, items: &[ExportItem], depth: Depth) -> Result<Exported> {
    export(track, items, depth, &mut |_| (), &CancelToken::default())
}

/// The samples of a WAV file, full scale 1.
fn read_back(path: &Path, depth: Depth) -> Vec<f64> {
    let mut reader = hound::WavReader::open(path).unwrap();
    let spec = reader.spec();
    assert_eq!((spec.channels, spec.sample_rate), (2, SAMPLE_RATE));
    match depth {
        Depth::Float32 => reader.samples::<f32>().map(|x| f64::from(x.unwrap())).collect(),
        Depth::Int16 | Depth::Int24 => {
            let full_scale = f64::from(1u32 << (spec.bits_per_sample - 1));
            reader.samples::<i32>().map(|x| f64::from(x.unwrap()) / full_scale).collect()
        }
    }
}

fn names_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn what_is_read_back_is_the_sum_of_the_stems() {
    let home = tempfile::tempdir().unwrap();
    let track = Stems::noise(BLOCK_FRAMES * 2 + 777, 0.4);
    for (depth, tolerance) in
        [(Depth::Int16, 0.5 / 32_768.0), (Depth::Int24, 0.5 / 8_388_608.0), (Depth::Float32, 0.0)]
    {
        let to = home.path().join(format!("{depth:?}.wav"));
        let done = run(&track, &[item(&to, &[(0, 0.5), (1, -1.0)])], depth).unwrap();
        assert_eq!(done, Exported { files: vec![to.clone()], gain_db: 0.0 });
        let got = read_back(&to, depth);
        assert_eq!(got.len() as u64, track.frames() * 2);
        for (at, got) in got.iter().enumerate() {
            let want = 0.5 * track.stems[0][at] - track.stems[1][at];
            let error = (got - f64::from(want)).abs();
            assert!(error <= tolerance, "{depth:?} at {at}: {error}");
        }
    }
}

#[test]
fn files_that_would_clip_share_one_gain() {
    let home = tempfile::tempdir().unwrap();
    let at = |name: &str| home.path().join(name);
    let track = Stems::noise(20_000, 0.9);
    let both = [(0, 1.0), (1, 1.0)];
    let items =
        [item(&at("0.wav"), &both[..1]), item(&at("1.wav"), &both[1..]), item(&at("m.wav"), &both)];
    let done = run(&track, &items, Depth::Int24).unwrap();
    assert!(done.gain_db < -3.0 && done.gain_db > -6.0, "{}", done.gain_db);

    let files: Vec<_> = items.iter().map(|item| read_back(&item.to, Depth::Int24)).collect();
    let gain = 10f64.powf(f64::from(done.gain_db) / 20.0);
    let step = 1.0 / 8_388_608.0;
    let mut loudest = 0f64;
    for (at, &mix) in files[2].iter().enumerate() {
        let sum = files[0][at] + files[1][at];
        assert!((sum - mix).abs() <= 1.5 * step, "the stems add up at {at}");
        let want = f64::from(track.stems[0][at]) * gain;
        assert!((files[0][at] - want).abs() <= step, "the gain is as reported at {at}");
        loudest = loudest.max(mix.abs());
    }
    assert!(loudest > 0.999_9 && loudest < 1.0, "as loud as it can be: {loudest}");

    let done = run(&track, &items, Depth::Float32).unwrap();
    assert_eq!(done.gain_db, 0.0, "float has no limit");
}

#[test]
fn full_scale_of_a_16_bit_source_needs_no_gain() {
    assert_eq!(common_gain((-1.0, 32_767.0 / 32_768.0), 32_768.0), 1.0);
    assert!(common_gain((-1.0, 1.0), 32_768.0) < 1.0);
    assert!(common_gain((-1.001, 0.0), 32_768.0) < 1.0);
    assert_eq!(common_gain((0.0, 0.0), 32_768.0), 1.0);
}

#[test]
fn a_cancelled_export_leaves_nothing() {
    let home = tempfile::tempdir().unwrap();
    let track = Stems::noise(BLOCK_FRAMES * 4, 0.4);
    let to = home.path().join("deep/down/a.wav");
    for stop_at in [0.0, 0.3, 0.6, 0.9] {
        let cancel = CancelToken::default();
        let mut progress = |done: f32| {
            if done >= stop_at {
                cancel.cancel();
            }
        };
        let items = [item(&to, &[(0, 1.0)])];
        let result = export(&track, &items, Depth::Int16, &mut progress, &cancel);
        assert!(matches!(result, Err(EngineError::Cancelled)), "{result:?}");
        assert!(names_in(home.path()).is_empty(), "cancelled at {stop_at}");
    }
}

#[test]
fn an_old_file_stays_until_the_new_one_is_complete() {
    let home = tempfile::tempdir().unwrap();
    let to = home.path().join("a.wav");
    fs::write(&to, b"old").unwrap();
    let track = Stems::noise(100, 0.4);
    let cancel = CancelToken::default();
    cancel.cancel();
    let items = [item(&to, &[(0, 1.0)])];
    assert!(export(&track, &items, Depth::Int16, &mut |_| (), &cancel).is_err());
    assert_eq!(fs::read(&to).unwrap(), b"old");
    run(&track, &items, Depth::Int16).unwrap();
    assert_eq!(read_back(&to, Depth::Int16).len(), 200);
    assert_eq!(names_in(home.path()), ["a.wav"]);
}

#[test]
fn what_cannot_be_written_is_told_and_leaves_nothing() {
    let home = tempfile::tempdir().unwrap();
    let at = |name: &str| home.path().join(name);
    fs::write(at("file"), b"x").unwrap();
    fs::create_dir(at("folder.wav")).unwrap();
    let track = Stems::noise(100, 0.4);
    let mut hopeless = vec![at("file/a.wav"), at("folder.wav")];
    if cfg!(target_os = "linux") {
        hopeless.push("/proc/a.wav".into()); // nobody may write there, not even root
    }
    for path in hopeless {
        let items = [item(&at("new/good.wav"), &[(0, 1.0)]), item(&path, &[(1, 1.0)])];
        let words = run(&track, &items, Depth::Int16).unwrap_err().in_words();
        assert!(words.starts_with("cannot write"), "{words}");
        assert!(words.contains(&path.display().to_string()), "{words}");
        assert_eq!(names_in(home.path()), ["file", "folder.wav"]);
    }
}

#[test]
fn what_makes_no_sense_is_refused_before_anything_is_written() {
    let home = tempfile::tempdir().unwrap();
    let to = home.path().join("a.wav");
    let mut track = Stems::noise(100, 0.4);
    let words = |track: &Stems, items: &[ExportItem]| {
        run(track, items, Depth::Int16).unwrap_err().in_words()
    };
    assert!(words(&track, &[item(&to, &[(2, 1.0)])]).contains("no stem 2"));
    let twice = item(&to, &[(0, 1.0)]);
    assert!(words(&track, &[twice.clone(), twice.clone()]).contains("two files"));
    track.covered = 99;
    assert!(words(&track, &[twice]).contains("not separated to its end"));
    assert!(names_in(home.path()).is_empty());
}

#[test]
fn more_than_four_gigabytes_are_refused() {
    struct Endless;
    impl Track for Endless {
        fn frames(&self) -> u64 {
            4 * 3600 * 44_100
        }
        fn stems(&self) -> usize {
            1
        }
        fn read_original(&self, _: u64, _: &mut [f32]) -> io::Result<()> {
            Ok(())
        }
        fn read_stem(&self, _: usize, _: u64, _: &mut [f32]) -> io::Result<()> {
            Err(io::Error::other("not even begun"))
        }
        fn covered_at(&self, _: u64) -> (bool, u64) {
            (true, self.frames())
        }
    }
    let home = tempfile::tempdir().unwrap();
    let items = [item(&home.path().join("a.wav"), &[(0, 1.0)])];
    let words = run(&Endless, &items, Depth::Float32).unwrap_err().in_words();
    assert!(words.contains("4 GB"), "{words}");
    // In 16 bits four hours fit: the export begins.
    let words = run(&Endless, &items, Depth::Int16).unwrap_err().in_words();
    assert!(words.contains("not even begun"), "{words}");
}

#[test]
fn nothing_is_a_valid_file() {
    let home = tempfile::tempdir().unwrap();
    let to = home.path().join("a.wav");
    run(&Stems::noise(0, 0.0), &[item(&to, &[(0, 1.0)])], Depth::Int24).unwrap();
    assert!(read_back(&to, Depth::Int24).is_empty());
}

#[cfg(unix)]
#[test]
fn the_file_has_the_rights_of_any_new_file() {
    use std::os::unix::fs::PermissionsExt as _;

    let home = tempfile::tempdir().unwrap();
    let (to, other) = (home.path().join("a.wav"), home.path().join("b"));
    run(&Stems::noise(10, 0.4), &[item(&to, &[(0, 1.0)])], Depth::Int16).unwrap();
    fs::write(&other, b"x").unwrap();
    let mode = |path| fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode(&to), mode(&other));
}
