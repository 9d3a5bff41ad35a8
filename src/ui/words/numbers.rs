//! Texts about a song and its export: format, length, tempo, key. [`crate::i18n::numbers`] formats
//! plain numbers. Pure, except for the language.

use std::path::Path;

use crate::{
    engine::{
        AudioFormat, Depth, SAMPLE_RATE, Song,
        audio::{musical_key::transposed, repitch::KeySpeed},
        export::Format,
    },
    i18n::{fl, numbers},
};

pub(in crate::ui) use crate::i18n::numbers::{
    bytes, capitalised, decibels, decimal, duration, list, percent, stem, stem_title, stems,
    time_left, took,
};

/// Frames as "m:ss" or "h:mm:ss".
pub fn clock(frames: u64) -> String {
    numbers::clock(frames / u64::from(SAMPLE_RATE))
}

/// Frames as "m:ss.t".
pub fn clock_tenths(frames: u64) -> String {
    let tenths = frames * 10 / u64::from(SAMPLE_RATE) % 10;
    format!("{}{}{tenths}", clock(frames), fl!(number_decimal_mark))
}

/// A balance, such as "30 % left".
pub fn pan(value: f32) -> String {
    let part = percent(f64::from(value.abs()));
    match value {
        0.0 => fl!(lane_pan_center).to_owned(),
        right if right > 0.0 => fl!(lane_pan_right, percent = part),
        _ => fl!(lane_pan_left, percent = part),
    }
}

/// A speed, such as "0.75 ×".
pub fn speed(value: f32) -> String {
    fl!(speed, number = decimal(f64::from(value), 2))
}

/// A whole number with its sign, such as "+2".
pub fn signed(value: f32) -> String {
    let number = decimal(f64::from(value.abs()), 0);
    match value {
        0.0 => number,
        up if up > 0.0 => format!("+{number}"),
        _ => format!("−{number}"),
    }
}

/// Cents, such as "+15 ct".
pub fn cents(value: f32) -> String {
    fl!(cents, number = signed(value))
}

/// A change of key and speed, such as "+2.15, 0.90 ×".
pub fn key_speed(change: KeySpeed) -> String {
    let semitones = f64::from(change.cents()) / 100.0;
    let sign = if semitones < 0.0 { "−" } else { "+" };
    let places = if change.cents() % 100 == 0 { 0 } else { 2 };
    let key = format!("{sign}{}", decimal(semitones.abs(), places));
    match (change.cents(), change.speed()) {
        (0, by) => speed(by),
        (_, 1.0) => key,
        (_, by) => format!("{key}, {}", speed(by)),
    }
}

/// Format, length, tempo, key and loudness of a song, as far as known. The key is also shown as
/// changed by `semitones`.
pub fn sound_line(song: &Song, semitones: i32) -> String {
    let mut parts = vec![format_line(&song.format), clock(song.frames)];
    let tempo = |bpm| fl!(bpm, number = decimal(f64::from(bpm), 0));
    let about = if song.bpm_from_tags { "" } else { "≈ " };
    parts.extend(song.bpm.map(|bpm| format!("{about}{}", tempo(bpm))));
    let changed = |name: &str| match transposed(name, semitones) {
        Some(other) if semitones != 0 => format!("{} → {}", key(name), key(&other)),
        _ => key(name),
    };
    parts.extend(song.key.as_deref().map(changed));
    let lufs = |level: f32| {
        let sign = if level < 0.0 { "−" } else { "" };
        fl!(lufs, number = format!("{sign}{}", decimal(f64::from(level.abs()), 1)))
    };
    parts.extend(song.loudness_lufs.map(lufs));
    parts.join(" · ")
}

/// A musical key, which the engine writes as "F# minor"; tags may use another notation.
fn key(key: &str) -> String {
    match key.rsplit_once(' ') {
        Some((tonic, "minor")) => fl!(key_minor, tonic = tonic),
        Some((tonic, "major")) => fl!(key_major, tonic = tonic),
        _ => key.to_owned(),
    }
}

/// The origin of a song's tempo and key; `None` if the song has neither.
pub fn sound_origin(song: &Song) -> Option<String> {
    let origin = |what: &'static str, from_tags| {
        if from_tags { fl!(song_from_tags, what = what) } else { fl!(song_from_sound, what = what) }
    };
    let tempo = song.bpm.map(|_| origin(fl!(song_tempo), song.bpm_from_tags));
    let key = song.key.as_ref().map(|_| origin(fl!(song_key), song.key_from_tags));
    let parts: Vec<String> = tempo.into_iter().chain(key).collect();
    (!parts.is_empty()).then(|| parts.join("\n"))
}

/// A rate, such as "44.1 kHz".
fn kilohertz(hz: u32) -> String {
    let places = if hz.is_multiple_of(1000) {
        0
    } else if hz.is_multiple_of(100) {
        1
    } else {
        3
    };
    fl!(kilohertz, number = decimal(f64::from(hz) / 1000.0, places))
}

/// An audio format, such as "44.1 kHz, 16 bit FLAC".
pub fn format_line(format: &AudioFormat) -> String {
    let channels = match format.channels {
        1 => format!(", {}", fl!(mono)),
        0 | 2 => String::new(),
        6 => ", 5.1".to_owned(),
        8 => ", 7.1".to_owned(),
        more => format!(", {}", fl!(channels, count = more)),
    };
    let bits = format.bits.map(|bits| format!("{} ", fl!(bits, bits = bits))).unwrap_or_default();
    format!("{}, {bits}{}{channels}", kilohertz(format.sample_rate), format.name)
}

/// The artist or "Unknown artist".
pub fn artist(song: &Song) -> &str {
    song.artist.as_deref().unwrap_or(fl!(unknown_artist))
}

/// Artist and length, for a row of the library.
pub fn artist_and_length(song: &Song) -> String {
    format!("{} · {}", artist(song), clock(song.frames))
}

/// Artist and album, for the head of a song.
pub fn artist_and_album(song: &Song) -> String {
    match (&song.artist, &song.album) {
        (Some(artist), Some(album)) => format!("{artist} · {album}"),
        (Some(one), None) | (None, Some(one)) => one.clone(),
        (None, None) => fl!(unknown_artist).to_owned(),
    }
}

/// The last component of a path, as lossy text.
pub fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

/// A number of files, such as "1 file" or "4 files".
pub fn files(count: usize) -> String {
    fl!(files, count = count)
}

/// A choice of depths, such as "24 bit".
pub fn depth(depth: Option<Depth>) -> String {
    match depth {
        None => fl!(export_same_as_song).to_owned(),
        Some(Depth::Int16) => fl!(bits, bits = 16u32),
        Some(Depth::Int24) => fl!(bits, bits = 24u32),
        Some(Depth::Float32) => fl!(float).to_owned(),
    }
}

/// A choice of rates, such as "44.1 kHz".
pub fn rate(rate: Option<u32>) -> String {
    rate.map_or_else(|| fl!(export_same_as_song).to_owned(), kilohertz)
}

/// The name of a file format.
pub fn format_name(format: &Format) -> &'static str {
    match format.name {
        "Stems for DJs" => fl!(export_format_dj),
        "DAW session" => fl!(export_format_daw),
        // Names such as "FLAC" are the same in every language.
        name => name,
    }
}

/// The change of an export's level, for its card; `None` if unchanged.
pub fn common_gain(gain_db: f32, has_loudness: bool) -> Option<String> {
    let gain = match gain_db {
        0.0 => return None,
        db if db.abs() < 0.05 => fl!(card_gain_small).to_owned(),
        db => decibels(db),
    };
    Some(if has_loudness {
        fl!(card_gain_loudness, gain = gain)
    } else {
        fl!(card_gain_clipping, gain = gain)
    })
}

/// The meaning of a placeholder in a file name pattern.
pub fn placeholder(field: &str) -> &'static str {
    match field {
        "artist" => fl!(export_field_artist),
        "title" => fl!(export_field_title),
        "album" => fl!(export_field_album),
        "track" => fl!(export_field_track),
        "stem" => fl!(export_field_stem),
        "model" => fl!(export_field_model),
        "n" => fl!(export_field_number),
        "file" => fl!(export_field_file),
        _ => fl!(export_field_other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        engine::export::{FORMATS, pattern::FIELDS},
        i18n::{Language, speak},
    };

    fn speak_portuguese() {
        speak(Language::for_locale("pt-BR").unwrap());
    }

    #[test]
    fn balance_speed_and_need() {
        assert_eq!((pan(0.0), pan(-0.3)), ("center".to_owned(), "30 % left".to_owned()));
        assert_eq!((speed(0.75), speed(1.0)), ("0.75 ×".to_owned(), "1.00 ×".to_owned()));
        assert_eq!((signed(2.0), signed(0.0)), ("+2".to_owned(), "0".to_owned()));
        assert_eq!(cents(-15.0), "−15 ct");
        assert_eq!(bytes(340_000_001), "340 MB");
        assert_eq!(bytes(1_240_000_000), "1.2 GB");
        assert_eq!((duration(0.3), duration(41.0)), ("1 s".to_owned(), "45 s".to_owned()));
        assert_eq!((duration(130.0), duration(4_860.0)), ("3 min".into(), "1 h 21 min".to_owned()));
    }

    #[test]
    fn times() {
        assert_eq!(clock(0), "0:00");
        assert_eq!(clock(44_100 * 327), "5:27");
        assert_eq!(clock(44_100 * 3_725), "1:02:05");
        assert_eq!(clock_tenths(44_100 * 103 + 4_410), "1:43.1");
        assert_eq!(time_left(65.0), "1 min 05 left");
        assert_eq!(time_left(0.2), "1 s left");
        assert_eq!(time_left(7_260.0), "2 h 01 min left");
    }

    #[test]
    fn numbers() {
        assert_eq!(percent(0.999), "99 %");
        assert_eq!(percent(f64::from(0.42f32)), "42 %");
        assert_eq!(percent(1.0), "100 %");
        assert_eq!(decibels(1.5), "+1.5 dB");
        assert_eq!(decibels(-6.0), "−6.0 dB");
        assert_eq!(decibels(-0.01), "0.0 dB");
        assert_eq!(decibels(f32::NEG_INFINITY), "−∞ dB");
    }

    #[test]
    fn sizes_and_durations() {
        for (size, words) in [
            (0, "0 bytes"),
            (999, "999 bytes"),
            (1_000, "1.0 KB"),
            (999_999, "1.0 MB"),
            (3_240_000_000, "3.2 GB"),
            (42_000_000_000, "42 GB"),
            (u64::MAX, "18,446,744 TB"),
        ] {
            assert_eq!(bytes(size), words);
        }
        assert_eq!(took(0.2), "in 1 s");
        assert_eq!(took(65.0), "in 1 min 05 s");
        assert_eq!(took(7_265.0), "in 2 h 01 min");
    }

    #[test]
    fn exports() {
        assert_eq!((files(1), files(4)), ("1 file".to_owned(), "4 files".to_owned()));
        assert_eq!(
            (rate(None), rate(Some(44_100))),
            ("Same as song".to_owned(), "44.1 kHz".into())
        );
        assert_eq!(rate(Some(48_000)), "48 kHz");
        assert_eq!(common_gain(0.0, true), None);
        assert_eq!(common_gain(-1.24, false).unwrap(), "−1.2 dB on all files, to avoid clipping");
        assert_eq!(common_gain(3.0, true).unwrap(), "+3.0 dB on all files, for the loudness");
        assert_eq!(
            common_gain(-0.001, false).unwrap(),
            "Less than 0.1 dB on all files, to avoid clipping"
        );
        for field in FIELDS {
            assert_ne!(placeholder(field), placeholder("another"), "{field} has no text");
        }
    }

    #[test]
    fn numbers_have_the_languages_decimal_mark() {
        speak_portuguese();
        assert_eq!(clock_tenths(44_100 * 103 + 4_410), "1:43,1");
        assert_eq!(decibels(-1.24), "−1,2 dB");
        assert_eq!(rate(Some(44_100)), "44,1 kHz");
        assert_eq!(
            stems(&["Vocals".into(), "drums".into(), "Kazoo".into()]),
            "voz, bateria e Kazoo"
        );
        let gain = common_gain(-0.001, false).unwrap();
        assert_eq!(gain, "Menos de 0,1 dB em todos os arquivos, para evitar distorção");
        speak(Language::english());
    }

    #[test]
    fn every_format_has_a_name_in_every_language() {
        let short = |name: &str| name.chars().all(|c| c.is_ascii_uppercase() || c.is_numeric());
        for format in FORMATS {
            speak_portuguese();
            let name = format_name(format);
            speak(Language::english());
            assert_eq!(format_name(format), format.name);
            assert!(name != format.name || short(name) || name == "Opus", "{name}");
        }
    }

    #[test]
    fn names() {
        assert_eq!(capitalised("vocals"), "Vocals");
        assert_eq!(list(&["a".into(), "b".into(), "c".into()]), "a, b and c");
        let format = AudioFormat {
            name: "FLAC".into(),
            sample_rate: 44_100,
            channels: 2,
            bits: Some(16),
            ..AudioFormat::default()
        };
        assert_eq!(format_line(&format), "44.1 kHz, 16 bit FLAC");
    }
}
