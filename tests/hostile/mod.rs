//! Files with impossible claims: ten years in three kilobytes, no channels, a picture of four
//! gigabytes, weights that unpack without end. Each ends in an error or in its real content. The
//! real program reads all of them with little memory and without a panic.

mod sound;
mod weights;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use partita::engine::{CancelToken, Problem, audio::decode, library::import::decode_to_store};
use tempfile::TempDir;

use self::sound::{HONEST, Wav, caf, deep_mkv, deep_mp4, flac, flac_block, id3, mp4, wav};
use crate::support::{stderr, stdout};

/// Every file, with a part of its error message; empty for a file that can be decoded.
fn files() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let picture = [&[0, 0, 0, 3][..], &[0xff; 4], b"image/png", &[0; 8]].concat();
    let comments = [&[0, 0, 0, 0][..], &[0xff; 4], &[0xff; 4], b"a=b"].concat();
    vec![
        ("ten years.wav", wav(Wav { claims: u32::MAX, rate: 1000, ..HONEST }), ""),
        ("no rate.wav", wav(Wav { rate: 0, ..HONEST }), "rate"),
        ("a rate of gigahertz.wav", wav(Wav { rate: u32::MAX, ..HONEST }), "rate"),
        ("no channels.wav", wav(Wav { channels: 0, align: 0, ..HONEST }), "channel"),
        ("65535 channels.wav", wav(Wav { channels: u16::MAX, align: 0xfffe, ..HONEST }), "channel"),
        ("65 channels.wav", wav(Wav { channels: 65, align: 130, ..HONEST }), "channel"),
        (
            "32 channels.wav",
            wav(Wav { channels: 32, align: 64, rate: 384_000, ..HONEST }),
            "channel",
        ),
        ("no bits.wav", wav(Wav { bits: 0, ..HONEST }), "bits"),
        ("no blocks.wav", wav(Wav { align: 0, ..HONEST }), ""),
        (
            "huge blocks.wav",
            wav(Wav { tag: 2, bits: 4, align: 0xffff, extra: &[0xff; 32], ..HONEST }),
            "",
        ),
        ("huge packets.caf", caf(b"ima4", 34 * 2, u32::MAX), ""),
        ("empty packets.caf", caf(b"lpcm", 0, 0), ""),
        ("long packets.caf", caf(b"lpcm", u32::MAX, 1), ""),
        ("same again.m4a", mp4(200, 50_000), "decoded"),
        ("every sample.m4a", mp4(1, u32::MAX), "cut off after"),
        ("deep.m4a", deep_mp4(b"moov", 100_000), ""),
        ("deep tags.m4a", deep_mp4(b"udta", 100_000), ""),
        ("deep.mka", deep_mkv(100_000), ""),
        ("huge tag.mp3", id3((1 << 28) - 1), ""),
        ("huge picture.flac", flac(44_100, 3, &flac_block(6, 0xff_ffff, &picture)), ""),
        ("inner picture.flac", flac(44_100, 4, &flac_block(6, 25, &picture)), ""),
        ("many comments.flac", flac(44_100, 5, &flac_block(4, 15, &comments)), ""),
        ("hours.flac", flac(8000, 200, &[]), "claim to hold more than"),
        ("a minute.flac", flac(44_100, 20, &[]), "decoded"),
    ]
}

fn written(home: &Path) -> Vec<(PathBuf, &'static str)> {
    let mut paths = Vec::new();
    for (name, bytes, words) in files() {
        let path = home.join(name);
        fs::write(&path, bytes).unwrap();
        paths.push((path, words));
    }
    paths
}

#[test]
fn each_cut_off_file_gives_an_error_or_the_rest() {
    let (home, mut odd) = (tempfile::tempdir().unwrap(), Vec::new());
    for (path, words) in written(home.path()) {
        let (mut frames, mut progress) = (0, |_| {});
        let mut sink = |block: &[f32]| {
            frames += block.len() / 2;
            Ok(())
        };
        let bytes = fs::metadata(&path).unwrap().len() as usize;
        let said =
            match decode::decode(&path, None, &CancelToken::default(), &mut progress, &mut sink) {
                Ok(decoded) => format!("decoded: {decoded:?}: {}", decoded.warning),
                Err(error) => error.to_string(),
            };
        println!("{}: {bytes} bytes, {frames} frames: {said}", path.display());
        odd.extend((!said.contains(words)).then_some(said));
        assert!(frames <= 44_100 * (61 + bytes / 4), "{}: {frames} frames", path.display());
    }
    assert_eq!(odd, Vec::<String>::new());
}

#[test]
fn a_cancelled_read_ends_early() {
    let home = tempfile::tempdir().unwrap();
    let cancelled = CancelToken::default();
    cancelled.cancel();
    for (path, _) in written(home.path()) {
        let read =
            decode_to_store(&path, None, &home.path().join("store"), &cancelled, &mut |_| {});
        match read {
            Err(Problem::Cancelled) => {}
            // The first bytes already show the error.
            Err(Problem::Decode(error)) => println!("{}: {error}", path.display()),
            other => panic!("{}: {other:?}", path.display()),
        }
    }
    // Cancels within a file, at the first report of progress.
    let path = home.path().join("long.flac");
    fs::write(&path, flac(44_100, 2_000, &[])).unwrap();
    let (cancel, mut blocks) = (CancelToken::default(), 0);
    let token = cancel.clone();
    let mut sink = |_: &[f32]| {
        blocks += 1;
        if blocks == 3 {
            token.cancel();
        }
        Ok(())
    };
    let read = decode::decode(&path, None, &cancel, &mut |_| {}, &mut sink);
    assert!(matches!(read, Err(Problem::Cancelled)), "{read:?}");
    assert_eq!(blocks, 3, "decoding continued after the cancellation");
}

/// Runs the program with a limit, in MB, of its data segment, which includes the threads' stacks.
fn limited(home: &TempDir, megabytes: u32, arguments: &[&str]) -> Output {
    Command::new("sh")
        .args(["-c", &format!("ulimit -d {}; exec \"$0\" \"$@\"", megabytes * 1024)])
        .arg(env!("CARGO_BIN_EXE_partita"))
        .args(arguments)
        .args(["--threads", "1"])
        .env("PARTITA_HOME", home.path())
        .env("RAYON_NUM_THREADS", "1")
        .output()
        .unwrap()
}

#[cfg(target_os = "linux")] // limits memory by the shell's ulimit
#[test]
fn the_program_reads_them_all_with_little_memory() {
    let home = tempfile::tempdir().unwrap();
    let paths: Vec<PathBuf> = written(home.path()).into_iter().map(|(path, _)| path).collect();
    let mut arguments = vec!["add"];
    arguments.extend(paths.iter().map(|path| path.to_str().unwrap()));
    let output = limited(&home, MEGABYTES, &arguments);
    let (out, errors) = (stdout(&output), stderr(&output));
    assert_eq!(output.status.code(), Some(1), "{out}{errors}");
    for path in &paths {
        let name = path.file_name().unwrap().to_str().unwrap();
        let stem = path.file_stem().unwrap().to_str().unwrap();
        assert!(errors.contains(name) || out.contains(stem), "{name}: {out}{errors}");
    }
    assert!(!errors.contains("panicked") && !errors.contains("internal error"), "{errors}");
    // Files with errors are not in the library.
    let songs = fs::read_dir(home.path().join("songs")).unwrap().count();
    assert_eq!(songs, out.lines().count(), "{out}");
}

/// Memory limit for reading all files of a kind in sequence.
const MEGABYTES: u32 = 200;

#[cfg(target_os = "linux")] // limits memory by the shell's ulimit
#[test]
fn the_program_reads_weights_with_little_memory() {
    let home = tempfile::tempdir().unwrap();
    for (name, bytes, words) in weights::files() {
        let path = home.path().join(name);
        fs::write(&path, bytes).unwrap();
        let arguments = ["model", "import", path.to_str().unwrap()];
        let output = limited(&home, MEGABYTES, &arguments);
        let errors = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{name}: {errors}");
        assert!(errors.contains(words) && !errors.contains("panicked"), "{name}: {errors}");
        fs::remove_file(path).unwrap();
    }
    assert_eq!(fs::read_dir(home.path().join("models")).unwrap().count(), 0);
}
