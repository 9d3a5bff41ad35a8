//! Every kind of input with a committed file.

use std::fs;

use partita::engine::{Problem, SAMPLE_RATE, audio::decode};

use super::{CancelToken, assert_is_chirp, chirp_at, data, decoded, snr_db};

/// Frames of the test sound at the rate of the stores.
const FRAMES: usize = 8_820;

/// File, codec name, rate, channels, bits, least signal-to-error ratio in dB, frames. Lossy files
/// are compared with the original signal, so a low ratio is due to the codec.
type Row = (&'static str, &'static str, u32, u16, Option<u32>, f64, usize);

const STEREO: [Row; 13] = [
    ("chirp.flac", "FLAC", 44_100, 2, Some(16), 80.0, FRAMES),
    ("chirp-24-48k.flac", "FLAC", 48_000, 2, Some(24), 75.0, FRAMES),
    ("chirp-22k.aiff", "AIFF", 22_050, 2, Some(16), 75.0, FRAMES),
    ("chirp-22k.caf", "CAF", 22_050, 2, Some(16), 75.0, FRAMES),
    ("chirp-alac.m4a", "ALAC", 44_100, 2, Some(16), 80.0, FRAMES),
    ("chirp.mp3", "MP3", 44_100, 2, None, 25.0, FRAMES),
    ("chirp.m4a", "AAC", 44_100, 2, None, 25.0, FRAMES),
    ("chirp.ogg", "Vorbis", 44_100, 2, None, 20.0, FRAMES),
    ("chirp.opus", "Opus", 48_000, 2, None, 20.0, FRAMES),
    // These containers do not state where the sound ends within the last packet.
    ("chirp.aac", "AAC", 44_100, 2, None, 25.0, 9_216),
    ("chirp.mka", "Vorbis (Matroska)", 44_100, 2, None, 20.0, 8_896),
    ("chirp.webm", "Opus (Matroska)", 48_000, 2, None, 20.0, FRAMES),
    // This format does not state where the sound starts either, so the encoder's 481 frames are
    // decoded.
    ("chirp.mp2", "MP2", 44_100, 2, None, -10.0, 9_216),
];

#[test]
fn every_kind_of_file_is_heard_on_time_and_whole() {
    let want = chirp_at(SAMPLE_RATE, FRAMES);
    for (file, name, rate, channels, bits, least_db, frames) in STEREO {
        let (about, samples) = decoded(&data(file)).unwrap();
        assert_eq!(about.format.name, name, "{file}");
        assert_eq!(about.format.sample_rate, rate, "{file}");
        assert_eq!(about.format.channels, channels, "{file}");
        assert_eq!(about.format.bits, bits, "{file}");
        assert_eq!(about.frames as usize, frames, "{file}");
        assert_eq!(about.warning.text(), None, "{file}");
        if name == "MP2" {
            assert!(snr_db(&samples, &want, 481) > 25.0, "{file} must have the encoder's delay");
        } else {
            assert_is_chirp(file, &samples, &want, least_db);
        }
    }
}

/// The mean of both chirps, on both channels.
fn mono_chirp() -> Vec<f64> {
    let stereo = chirp_at(SAMPLE_RATE, FRAMES);
    stereo.chunks(2).flat_map(|frame| [f64::midpoint(frame[0], frame[1]); 2]).collect()
}

#[test]
fn mono_is_heard_on_both_sides_at_any_rate() {
    let want = mono_chirp();
    for (file, rate, least_db) in
        [("chirp-mono-35467.flac", 35_467, 70.0), ("chirp-mono-8k-mulaw.wav", 8_000, 30.0)]
    {
        let (about, samples) = decoded(&data(file)).unwrap();
        assert_eq!((about.format.sample_rate, about.format.channels), (rate, 1), "{file}");
        assert_eq!(about.frames as usize, FRAMES, "{file}");
        assert!(samples.chunks(2).all(|frame| frame[0] == frame[1]), "{file}");
        assert_is_chirp(file, &samples, &want, least_db);
    }
}

#[test]
fn five_one_is_folded_down_by_position() {
    let (about, samples) = decoded(&data("chirp-5.1-16k.flac")).unwrap();
    assert_eq!(about.warning.text().as_deref(), Some("folded down from 5.1"));
    // The gains of ITU-R BS.775, divided by their sum, for the channels of make_data.sh.
    let half = std::f64::consts::FRAC_1_SQRT_2;
    let scale = 1.0 / (1.0 + 2.0 * half);
    let want: Vec<f64> = chirp_at(SAMPLE_RATE, FRAMES)
        .chunks(2)
        .flat_map(|frame| {
            let centre = half * frame[1];
            let left = frame[0] + centre + half * 0.25 * frame[0];
            let right = 0.5 * frame[0] + centre + half * 0.125 * frame[0];
            [left * scale, right * scale]
        })
        .collect();
    assert_is_chirp("5.1", &samples, &want, 60.0);
}

#[test]
fn tags_and_covers_are_read() {
    let (about, _) = decoded(&data("chirp.mp3")).unwrap();
    assert_eq!(about.tags.title.as_deref(), Some("Тест 試験 🎵"));
    assert_eq!(about.tags.artist.as_deref(), Some("Ärtist"));
    assert_eq!(about.tags.album.as_deref(), Some("Album"));
    assert!(about.cover.is_some_and(|bytes| bytes.starts_with(b"\x89PNG")));
    for (file, title) in [("chirp.m4a", "In MP4"), ("chirp.ogg", "In Ogg")] {
        let (about, _) = decoded(&data(file)).unwrap();
        assert_eq!(about.tags.title.as_deref(), Some(title));
        assert_eq!(about.cover, None);
    }
    let (about, _) = decoded(&data("chirp.mka")).unwrap();
    assert_eq!(about.tags.artist.as_deref(), Some("In Matroska"));
}

#[test]
fn a_broken_tag_does_not_stop_the_sound() {
    let mut bytes = fs::read(data("chirp.mp3")).unwrap();
    assert!(bytes.starts_with(b"ID3"));
    // The first frame of the tag claims to be longer than the tag.
    bytes[14..18].copy_from_slice(&[0x7f; 4]);
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("broken tag.mp3");
    fs::write(&path, bytes).unwrap();
    let (about, samples) = decoded(&path).unwrap();
    assert_eq!(about.frames as usize, FRAMES);
    assert_is_chirp("broken tag", &samples, &chirp_at(SAMPLE_RATE, FRAMES), 25.0);
}

#[test]
fn the_rate_may_change_on_the_way() {
    let mut bytes = fs::read(data("bare-44k.mp3")).unwrap();
    bytes.extend(fs::read(data("bare-48k.mp3")).unwrap());
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("two rates.mp3");
    fs::write(&path, bytes).unwrap();
    let (about, samples) = decoded(&path).unwrap();
    assert_eq!(about.warning.text().as_deref(), Some("the sample rate changes at 0:00"));
    let alone: u64 = ["bare-44k.mp3", "bare-48k.mp3"]
        .iter()
        .map(|file| decoded(&data(file)).unwrap().0.frames)
        .sum();
    assert_eq!(about.frames, alone);
    // Both parts have the original pitch. The delay of LAME and the decoder is 1105 frames.
    let want = mono_chirp();
    let first = snr_db(&samples, &want, 1_105);
    assert!(first > 10.0, "{first:.1} dB");
    let start = 2 * decoded(&data("bare-44k.mp3")).unwrap().0.frames as usize;
    let delay = (1_105.0 * 44_100.0 / 48_000.0) as i64;
    let second = snr_db(&samples[start..], &want, delay);
    assert!(second > 10.0, "{second:.1} dB");
}

#[test]
fn cancelling_ends_within_a_packet() {
    let cancel = CancelToken::default();
    let mut blocks = 0;
    let result = decode::decode(&data("chirp.mp2"), None, &cancel, &mut |_| (), &mut |_| {
        blocks += 1;
        cancel.cancel();
        Ok(())
    });
    assert!(matches!(result, Err(Problem::Cancelled)), "{result:?}");
    assert_eq!(blocks, 1);
}

#[test]
fn an_error_of_the_sink_comes_back() {
    let result = decode::decode(
        &data("chirp.flac"),
        None,
        &CancelToken::default(),
        &mut |_| (),
        &mut |_| Err(Problem::NothingChosen),
    );
    assert_eq!(result.unwrap_err(), Problem::NothingChosen);
}

#[cfg(unix)] // Windows has no such names
#[test]
fn any_path_will_do() {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt as _};

    let home = tempfile::tempdir().unwrap();
    let names: [&[u8]; 3] = [
        "日本語 – ünïcødé (feat. 🎸) [50%].flac".as_bytes(),
        b"not utf-8 \xff\xfe\x80.flac",
        b"-no extension\nand two lines",
    ];
    for name in names {
        let path = home.path().join(OsStr::from_bytes(name));
        fs::copy(data("chirp.flac"), &path).unwrap();
        assert_eq!(decoded(&path).unwrap().0.frames as usize, FRAMES);
    }
}
