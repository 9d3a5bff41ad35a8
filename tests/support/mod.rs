//! Shared by the whole-program tests: a data folder with the real model, and synthetic songs.

pub mod xvfb;

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

use partita::engine::{CHANNELS, default_home};
use tempfile::TempDir;

/// The installed model. Tests on real weights fail without it; `./x test` installs it.
pub fn model_file() -> PathBuf {
    let model = default_home().unwrap().join("models/htdemucs.safetensors");
    assert!(model.is_file(), "{} is missing: run ./x model install", model.display());
    model
}

/// A temporary data folder with the real model.
pub fn home() -> TempDir {
    let home = tempfile::tempdir().unwrap();
    let models = home.path().join("models");
    std::fs::create_dir(&models).unwrap();
    let to = models.join("htdemucs.safetensors");
    std::fs::hard_link(model_file(), &to)
        .or_else(|_| std::fs::copy(model_file(), &to).map(drop))
        .unwrap();
    home
}

/// A temporary data folder with a small network as the default model: three stems, 2800 frames a
/// segment. The stems are not music, but deterministic.
pub fn tiny_home() -> TempDir {
    let home = tempfile::tempdir().unwrap();
    let models = home.path().join("models");
    std::fs::create_dir(&models).unwrap();
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let network = golden.join("general.weights.safetensors");
    std::fs::copy(network, models.join("htdemucs.safetensors")).unwrap();
    home
}

/// A deterministic random generator.
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, count: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % count
    }
}

/// Every file below a folder.
pub fn walk(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if entry.file_type().unwrap().is_dir() {
            found.extend(walk(&path));
        } else {
            found.push(path);
        }
    }
    found
}

/// Runs the real program on a data folder.
pub fn partita(home: &Path, arguments: &[&str]) -> Output {
    command(home, arguments).output().unwrap()
}

/// The command for the real program on a data folder.
pub fn command(home: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_partita"));
    command.env("PARTITA_HOME", home).args(arguments);
    // English, whatever the system's language.
    command.env("LC_ALL", "C").env_remove("LANGUAGE");
    command
}

/// The language of a command on a data folder. Windows has no variable for it; there, the folder's
/// settings say it.
pub fn speak<'a>(command: &'a mut Command, home: &Path, locale: &str) -> &'a mut Command {
    if cfg!(windows) {
        let language = if locale.starts_with("pt") { "pt" } else { "en" };
        let settings = format!("language = \"{language}\"\n");
        std::fs::write(home.join("settings.toml"), settings).unwrap();
    }
    command.env("LC_ALL", locale)
}

/// A path with slashes on every system.
pub fn slashes(path: &Path) -> String {
    path.to_string_lossy().replace(std::path::MAIN_SEPARATOR, "/")
}

/// Removes all permissions from a file or folder.
#[cfg(unix)] // Windows has no permission bits
pub fn forbid(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o0)).unwrap();
}

/// Runs a command as an unprivileged user, because permissions do not apply to root. That user gets
/// read and write access to these folders.
#[cfg(unix)] // Windows has no user ids
pub fn as_another_user(command: &mut Command, folders: &[&Path]) {
    use std::os::unix::{fs::PermissionsExt as _, process::CommandExt as _};
    const OTHER_USER: u32 = 65_534;
    for folder in folders {
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o777)).unwrap();
    }
    if rustix::process::geteuid().is_root() {
        command.uid(OTHER_USER).gid(OTHER_USER);
    }
}

pub fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Parses one JSON object a line.
pub fn json_lines(output: &Output) -> Vec<serde_json::Value> {
    stdout(output).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Writes a synthetic song, which depends on the seed: a bass line, chords with vibrato, a beat of
/// noise.
pub fn write_song(path: &Path, frames: usize, sample_rate: u32, seed: u32) {
    write_song_at(path, frames, sample_rate, seed, 12_000.0);
}

/// Writes a song at a level: 12,000 is moderate, 60,000 clips, 0 is silence.
pub fn write_song_at(path: &Path, frames: usize, sample_rate: u32, seed: u32, level: f64) {
    let spec = hound::WavSpec {
        channels: CHANNELS as u16,
        sample_rate,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(path, spec).unwrap();
    let mut noise = seed.wrapping_mul(2_654_435_761) | 1;
    let base = 55.0 * 2f64.powf(f64::from(seed % 12) / 12.0);
    for frame in 0..frames {
        let t = frame as f64 / f64::from(sample_rate);
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let beat = (-(t % 0.5) * 30.0).exp() * (f64::from(noise >> 16) / 32_768.0 - 1.0);
        let tone = |f: f64| (std::f64::consts::TAU * f * t).sin();
        let vibrato = 1.0 + 0.003 * tone(5.0);
        let chord = tone(base * 8.0 * vibrato) + tone(base * 10.0) + tone(base * 12.0);
        let x = 0.25 * tone(base) + 0.1 * chord + 0.25 * beat;
        for pan in [0.9, 1.1] {
            writer.write_sample((x * pan * level) as i16).unwrap();
        }
    }
    writer.finalize().unwrap();
}

/// All samples of a WAV file at 44.1 kHz, interleaved, full scale 1.
pub fn read_wav(path: &Path) -> Vec<f32> {
    read_any(path, 44_100)
}

/// All samples of a WAV file at `rate`, interleaved, full scale 1.
pub fn read_any(path: &Path, rate: u32) -> Vec<f32> {
    let mut reader =
        hound::WavReader::open(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let spec = reader.spec();
    assert_eq!((spec.channels, spec.sample_rate), (2, rate));
    match spec.sample_format {
        hound::SampleFormat::Float => reader.samples::<f32>().map(Result::unwrap).collect(),
        hound::SampleFormat::Int => {
            let scale = 1.0 / f64::from(1u32 << (spec.bits_per_sample - 1));
            let samples = reader.samples::<i32>().map(Result::unwrap);
            samples.map(|x| (f64::from(x) * scale) as f32).collect()
        }
    }
}

/// The largest difference of two signals of equal length.
pub fn largest_difference(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}
