//! Files that are not audio, corrupt, or not supported, each with its error message.

use std::{
    fs,
    path::{Path, PathBuf},
};

use partita::engine::{Problem, audio::decode::DecodeError};
use tempfile::TempDir;

use super::{data, decoded};

fn words(path: &Path) -> String {
    match decoded(path) {
        Err(error) => error.to_string(),
        Ok((about, _)) => format!("decoded: {about:?}"),
    }
}

fn file(name: &str, bytes: &[u8]) -> (TempDir, PathBuf) {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join(name);
    fs::write(&path, bytes).unwrap();
    (home, path)
}

/// Deterministic noise.
fn noise(count: usize) -> Vec<u8> {
    let mut state = 7u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    (0..count).map(|_| next()).collect()
}

#[test]
fn each_bad_file_has_its_own_error() {
    let flac = fs::read(data("chirp.flac")).unwrap();
    let m4a_with_index_last = fs::read(data("chirp-alac.m4a")).unwrap();
    let ogg = fs::read(data("chirp.ogg")).unwrap();
    let wav = fs::read(data("chirp-mono-8k-mulaw.wav")).unwrap();
    let mut unknown_codec = wav.clone();
    unknown_codec[20..22].copy_from_slice(&0x0161u16.to_le_bytes());
    let mut absurd_rate = wav.clone();
    absurd_rate[24..28].copy_from_slice(&1u32.to_le_bytes());
    let mut no_sound = wav[..58].to_vec();
    no_sound[54..58].fill(0);
    let text = "Dear reader, this is not a song. ".repeat(30);
    let cases: [(&str, &[u8], &str); 21] = [
        ("empty.mp3", b"", "the file is empty"),
        ("text.mp3", text.as_bytes(), "not an audio file but text"),
        ("playlist.wav", "#EXTM3U\nа.mp3\n".as_bytes(), "not an audio file but text"),
        ("noise.flac", &noise(100_000), "not an audio file"),
        ("picture.mp3", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "a picture"),
        ("photo.wav", b"\xff\xd8\xff\xe0\0\x10JFIF", "a picture"),
        ("archive.flac", b"PK\x03\x04\x14\0\0\0\x08\0", "a ZIP archive"),
        ("score.mp3", b"MThd\0\0\0\x06\0\x01\0\x02\x01\xe0", "a MIDI file"),
        ("song.wma", b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "Windows Media is not supported"),
        ("song.wv", b"wvpk\0\0\0\0\x10\x04", "WavPack is not supported"),
        ("big.wav", b"RF64\xff\xff\xff\xffWAVEds64", "before its sound begins"),
        ("header.flac", &flac[..30], "before its sound begins"),
        ("no frames.flac", &flac[..flac_sound_start(&flac)], "before its sound begins"),
        ("header.wav", &wav[..30], "before its sound begins"),
        ("no sound.wav", &no_sound, "there is no sound"),
        ("rate.wav", &absurd_rate, "the sample rate is 1 Hz"),
        ("codec.wav", &unknown_codec, "not supported"),
        ("download.m4a", &m4a_with_index_last[..8_000], "its index is missing"),
        ("ftyp.mp4", &m4a_with_index_last[..28], "its index is missing"),
        ("header.ogg", &ogg[..200], "before its sound begins"),
        ("one byte.mp3", b"\xff", "not an audio file"),
    ];
    for (name, bytes, expected) in cases {
        let (_home, path) = file(name, bytes);
        let words = words(&path);
        assert!(words.contains(expected), "{name}: {words}");
        assert!(!words.starts_with("decoded"), "{name}: {words}");
    }
}

/// Offset of the frames of a FLAC file: after the metadata block that is flagged as the last.
fn flac_sound_start(flac: &[u8]) -> usize {
    let mut at = 4;
    loop {
        let length = u32::from_be_bytes([0, flac[at + 1], flac[at + 2], flac[at + 3]]) as usize;
        let is_last = flac[at] & 0x80 != 0;
        at += 4 + length;
        if is_last {
            return at;
        }
    }
}

#[test]
fn the_kinds_of_error_are_as_documented() {
    let kind = |path: &Path| match decoded(path) {
        Err(Problem::Decode(error)) => error,
        other => panic!("{other:?}"),
    };
    let (_home, text) = file("a.mp3", b"text");
    assert!(matches!(kind(&text), DecodeError::NotAudio(_)));
    let (_home, empty) = file("a.mp3", b"");
    assert!(matches!(kind(&empty), DecodeError::Empty(_)));
    let (_home, cut) = file("a.flac", b"fLaC\0\0");
    assert!(matches!(kind(&cut), DecodeError::Damaged(_)));
    let surround = kind(&data("chirp-5.1.ogg"));
    assert!(matches!(surround, DecodeError::Unsupported(_)));
    assert!(surround.to_string().contains("Vorbis with 6 channels"), "{surround}");
}

#[test]
fn a_path_without_a_regular_file_is_an_error() {
    let home = tempfile::tempdir().unwrap();
    assert!(words(home.path()).contains("a folder"));
    let missing = home.path().join("nowhere.mp3");
    let text = words(&missing);
    assert!(text.starts_with("could not read") && text.contains("nowhere.mp3"), "{text}");
    if cfg!(target_os = "linux") {
        assert!(words(Path::new("/dev/null")).contains("a device"));
    }
}

#[cfg(unix)] // Windows has no permission bits
#[test]
fn a_file_without_read_permission_is_an_error() {
    use std::os::unix::fs::PermissionsExt as _;

    let (_home, path) = file("secret.mp3", b"x");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    let text = words(&path);
    let may_read_anything = fs::read(&path).is_ok(); // root
    let expected = if may_read_anything { "not an audio file" } else { "could not read" };
    assert!(text.contains(expected), "{text}");
}

#[test]
fn a_file_that_is_cut_off_gives_what_there_is_and_says_so() {
    for (name, tenths) in [
        ("chirp.flac", 8),
        ("chirp.mp3", 7),
        ("chirp.m4a", 7),
        ("chirp.ogg", 9), // mostly headers
        ("chirp-22k.aiff", 5),
    ] {
        let whole = fs::read(data(name)).unwrap();
        let (_home, path) = file(name, &whole[..whole.len() * tenths / 10]);
        let (about, samples) = decoded(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
        let warning = about.warning.to_string();
        assert!(warning.starts_with("cut off after 0:00"), "{name}: {warning:?}");
        assert!((1_000..8_820).contains(&about.frames), "{name}: {} frames", about.frames);
        assert!(samples.iter().any(|&x| x.abs() > 0.2), "{name} is silent");
    }
}

#[test]
fn damage_in_the_middle_is_bridged_and_reported() {
    let whole = fs::read(data("chirp.flac")).unwrap();
    let mut bytes = whole.clone();
    let middle = bytes.len() * 3 / 4; // the first half is padding
    bytes[middle..middle + 40].fill(0x55);
    let (_home, path) = file("a.flac", &bytes);
    let (about, _) = decoded(&path).unwrap();
    let warning = about.warning.to_string();
    assert!(warning.contains("damaged in 1 place from 0:00 on"), "{warning:?}");
    assert_eq!(about.frames, 8_820, "the sound after the damage is delayed");
}

#[test]
fn a_damaged_first_frame_of_flac_delays_and_shortens_nothing() {
    let whole = fs::read(data("chirp.flac")).unwrap();
    let (_, want) = decoded(&data("chirp.flac")).unwrap();
    let first = whole.windows(5).position(|head| head[..2] == [0xff, 0xf8] && head[4] == 0);
    let first = first.unwrap();
    for damaged in [first..first + 1, first + 2..first + 5, first + 40..first + 60] {
        let mut bytes = whole.clone();
        bytes[damaged.clone()].fill(0x33);
        let (_home, path) = file("a.flac", &bytes);
        let (about, samples) = decoded(&path).unwrap();
        assert_eq!(about.frames, 8_820, "{damaged:?}");
        let far = 2 * 1_152..;
        assert!(samples[far.clone()] == want[far], "{damaged:?}: the sound has moved");
        let warning = about.warning.to_string();
        assert!(warning.contains("damaged in 1 place from 0:00 on"), "{damaged:?}: {warning:?}");
    }
}

#[test]
fn any_changed_byte_of_an_mp3_with_a_checksum_is_reported() {
    let whole = fs::read(data("chirp.mp3")).unwrap();
    let tag = whole.windows(4).position(|name| name == b"Info" || name == b"Xing").unwrap();
    let first = tag + whole[tag..].windows(2).position(|sync| sync == [0xff, 0xfb]).unwrap();
    let note = "damaged or changed since it was encoded: its checksum is wrong";
    let mut altered = 0;
    for at in (first + 4..whole.len()).step_by(37) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x10;
        let (_home, path) = file("a.mp3", &bytes);
        let warning = decoded(&path).unwrap().0.warning.to_string();
        assert!(!warning.is_empty(), "byte {at}");
        altered += usize::from(warning == note);
        // A program that changes levels says so in a tag.
        bytes.extend(b"APETAGEX\xd0\x07\0\0\x3d\0\0\0\x01\0\0\0\0\0\0\xa0\0\0\0\0\0\0\0\0");
        bytes.extend(b"\x08\0\0\0\0\0\0\0MP3GAIN_UNDO\0+001,+00");
        bytes.extend(b"APETAGEX\xd0\x07\0\0\x3d\0\0\0\x01\0\0\0\0\0\0\x80\0\0\0\0\0\0\0\0");
        let (_home, path) = file("a.mp3", &bytes);
        let warning = decoded(&path).unwrap().0.warning.to_string();
        assert!(!warning.contains(note), "byte {at}: {warning}");
    }
    assert!(altered > 10, "{altered}");
}

#[test]
fn a_header_that_promises_days_costs_nothing() {
    let mut bytes = fs::read(data("chirp.flac")).unwrap();
    // Sets the lowest 36 bits from byte 18 on, the maximum number of frames: 433 hours.
    bytes[21] |= 0x0f;
    bytes[22..26].fill(0xff);
    let (_home, path) = file("a.flac", &bytes);
    let (about, _) = decoded(&path).unwrap();
    assert_eq!(about.frames, 8_820);
    let warning = about.warning.to_string();
    assert!(warning.starts_with("cut off after 0:00 of 432:"), "{warning:?}");
}

#[test]
fn a_damaged_packet_of_aac_lasts_as_long_as_any_other() {
    let mut bytes = fs::read(data("chirp.m4a")).unwrap();
    let at = bytes.windows(4).position(|kind| kind == b"stts").unwrap();
    // The sample table states 576 frames for packets that have 1,024.
    assert_eq!(bytes[at + 18..at + 20], 1024_u16.to_be_bytes());
    bytes[at + 18..at + 20].copy_from_slice(&576_u16.to_be_bytes());
    let (_home, path) = file("a.m4a", &bytes);
    let (_, whole) = decoded(&path).unwrap();
    let sound = bytes.windows(4).position(|kind| kind == b"mdat").unwrap();
    let middle = sound + (bytes.len() - sound) / 2;
    bytes[middle..middle + 300].fill(0xff);
    let (_home, path) = file("a.m4a", &bytes);
    let (about, samples) = decoded(&path).unwrap();
    let warning = about.warning.to_string();
    assert!(warning.contains("damaged in 1 place"), "{warning:?}");
    assert_eq!(samples.len(), whole.len(), "{warning}");
    let far = samples.len() * 9 / 10..;
    let most = samples[far.clone()].iter().zip(&whole[far]).map(|(a, b)| (a - b).abs());
    assert!(most.fold(0.0, f32::max) < 0.01, "the end has moved");
}
