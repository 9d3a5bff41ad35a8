//! Numbers and names as the spoken language writes them: times, decibels, percentages, instruments.
//! Pure but for the language.

use std::path::Path;

use super::{get, sections};
use crate::{
    engine::{AudioFormat, Depth, SAMPLE_RATE, Song, export::Format},
    i18n::text,
};

pub(in crate::ui) use crate::i18n::numbers::decimal;

/// Frames as "m:ss", or "h:mm:ss".
pub fn clock(frames: u64) -> String {
    let secs = frames / u64::from(SAMPLE_RATE);
    let (hours, minutes, secs) = (secs / 3600, secs / 60 % 60, secs % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{secs:02}")
    } else {
        format!("{minutes}:{secs:02}")
    }
}

/// Frames as "m:ss.t".
pub fn clock_tenths(frames: u64) -> String {
    let tenths = frames * 10 / u64::from(SAMPLE_RATE) % 10;
    format!("{}{}{tenths}", clock(frames), get().decimal)
}

/// What is left of a job: "1 min 05 left".
pub fn time_left(seconds: f64) -> String {
    let secs = seconds.ceil().max(1.0) as u64;
    let words = &get().general;
    match secs {
        0..60 => (words.seconds_left)(secs),
        60..3600 => (words.minutes_left)(secs / 60, secs % 60),
        _ => (words.hours_left)(secs / 3600, secs / 60 % 60),
    }
}

/// A part as "42 %"; 100 only when it is whole.
pub fn percent(fraction: f64) -> String {
    // The little more undoes what a fraction loses as `f32`.
    let whole = (fraction * 100.0 + 1e-3).floor().clamp(0.0, 100.0);
    format!("{whole:.0} %")
}

/// How long something took: "in 1 min 05 s".
pub fn took(seconds: f64) -> String {
    let secs = seconds.round().max(1.0) as u64;
    let words = &get().general;
    match secs {
        0..60 => (words.took_seconds)(secs),
        60..3600 => (words.took_minutes)(secs / 60, secs % 60),
        _ => (words.took_hours)(secs / 3600, secs / 60 % 60),
    }
}

/// "3.2 GB"; a thousand bytes are a kilobyte.
pub fn bytes(bytes: u64) -> String {
    let units = get().general.bytes;
    let (mut size, mut unit) = (bytes as f64, 0);
    while size >= 999.5 && unit + 1 < units.len() {
        (size, unit) = (size / 1000.0, unit + 1);
    }
    let places = usize::from(unit > 0 && size < 9.95);
    format!("{} {}", decimal(size, places), units[unit])
}

/// A number with the decimal mark of the language instead of a point.
fn with_mark(number: &str) -> String {
    number.replace('.', get().decimal.encode_utf8(&mut [0; 4]))
}

/// Decibels with their sign: "+1.5 dB", "0.0 dB", "−∞ dB".
pub fn decibels(db: f32) -> String {
    if db == f32::NEG_INFINITY {
        return "−∞ dB".to_owned();
    }
    let tenths = (f64::from(db) * 10.0).round() / 10.0;
    let sign = match tenths {
        0.0 => "",
        more if more > 0.0 => "+",
        _ => "−",
    };
    format!("{sign}{} dB", decimal(tenths.abs(), 1))
}

/// A balance: "30 % left".
pub fn pan(value: f32) -> String {
    let words = &get().lanes;
    let part = percent(f64::from(value.abs()));
    match value {
        0.0 => words.pan_middle.to_owned(),
        right if right > 0.0 => (words.pan_right)(&part),
        _ => (words.pan_left)(&part),
    }
}

/// A speed: "0.75 ×".
pub fn speed(value: f32) -> String {
    format!("{} ×", decimal(f64::from(value), 2))
}

/// How long something takes, roundly: "40 s", "5 min", "1 h 20 min".
pub fn duration(seconds: f64) -> String {
    let secs = seconds.ceil().max(1.0) as u64;
    let words = &get().song;
    match secs {
        0..10 => (words.seconds)(secs),
        10..100 => (words.seconds)(secs.next_multiple_of(5)),
        100..3600 => (words.minutes)(secs.div_ceil(60)),
        _ => (words.hours)(secs / 3600, secs / 60 % 60),
    }
}

/// What is known of a song's sound: its format, length, tempo, key and loudness.
pub fn sound_line(song: &Song) -> String {
    let words = &get().song;
    let mut parts = vec![format_line(&song.format), clock(song.frames)];
    let tempo = |bpm| (words.bpm)(&decimal(f64::from(bpm), 0));
    let about = if song.bpm_from_tags { "" } else { "≈ " };
    parts.extend(song.bpm.map(|bpm| format!("{about}{}", tempo(bpm))));
    let key = |key: &String| key.replace("minor", words.minor).replace("major", words.major);
    parts.extend(song.key.as_ref().map(key));
    let lufs = |level: f32| {
        let sign = if level < 0.0 { "−" } else { "" };
        (words.lufs)(&format!("{sign}{}", decimal(f64::from(level.abs()), 1)))
    };
    parts.extend(song.loudness_lufs.map(lufs));
    parts.join(" · ")
}

/// Where a song's tempo and key come from; `None` where it has neither.
pub fn sound_origin(song: &Song) -> Option<String> {
    let words = &get().song;
    let part = |is_known: bool, what, from_tags| {
        let origin = if from_tags { words.from_tags } else { words.from_sound };
        is_known.then(|| origin(what))
    };
    let tempo = part(song.bpm.is_some(), words.tempo, song.bpm_from_tags);
    let key = part(song.key.is_some(), words.key, song.key_from_tags);
    let parts: Vec<String> = tempo.into_iter().chain(key).collect();
    (!parts.is_empty()).then(|| parts.join("\n"))
}

/// "44.1 kHz".
fn kilohertz(hz: u32) -> String {
    with_mark(&format!("{} kHz", f64::from(hz) / 1000.0))
}

/// "44.1 kHz, 16 bit FLAC".
pub fn format_line(format: &AudioFormat) -> String {
    let words = &get().general;
    let channels = match format.channels {
        1 => format!(", {}", words.mono),
        0 | 2 => String::new(),
        6 => ", 5.1".to_owned(),
        8 => ", 7.1".to_owned(),
        more => format!(", {}", (words.channels)(more)),
    };
    let bits = format.bits.map(|bits| format!("{} ", (words.bits)(bits))).unwrap_or_default();
    format!("{}, {bits}{}{channels}", kilohertz(format.sample_rate), format.name)
}

/// The artist, or that there is none.
pub fn artist(song: &Song) -> &str {
    song.artist.as_deref().unwrap_or(get().general.unknown_artist)
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
        (None, None) => get().general.unknown_artist.to_owned(),
    }
}

/// The last part of a path, for people.
pub fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

/// "1 file", "4 files".
pub fn files(count: usize) -> String {
    text!(files, count = count)
}

/// A choice of depths: "24 bit".
pub fn depth(depth: Option<Depth>) -> String {
    let words = get();
    match depth {
        None => words.export.as_the_song.to_owned(),
        Some(Depth::Int16) => (words.general.bits)(16),
        Some(Depth::Int24) => (words.general.bits)(24),
        Some(Depth::Float32) => words.general.float.to_owned(),
    }
}

/// A choice of rates: "44.1 kHz".
pub fn rate(rate: Option<u32>) -> String {
    rate.map_or_else(|| get().export.as_the_song.to_owned(), kilohertz)
}

/// What a kind of file is called.
pub fn format_name(format: &Format) -> &'static str {
    let words = &get().export;
    match format.name {
        "Stems for DJs" => words.dj_stems,
        "DAW session" => words.daw_session,
        // "FLAC" is "FLAC" everywhere.
        name => name,
    }
}

/// What was done to the level of an export, for its card; nothing where nothing was done.
pub fn common_gain(gain_db: f32, has_loudness: bool) -> Option<String> {
    let words = &get().cards;
    let say = if has_loudness { words.gain_for_loudness } else { words.gain_against_clips };
    match gain_db {
        0.0 => None,
        db if db.abs() < 0.05 => Some(say(words.small_gain)),
        db => Some(say(&decibels(db))),
    }
}

/// What a placeholder of a name stands for.
pub fn placeholder(field: &str) -> &'static str {
    let words = &get().export;
    match field {
        "artist" => words.field_artist,
        "title" => words.field_title,
        "album" => words.field_album,
        "track" => words.field_track,
        "stem" => words.field_stem,
        "model" => words.field_model,
        "n" => words.field_number,
        "file" => words.field_file,
        _ => words.field_other,
    }
}

/// An instrument within a sentence: "vocals". A stem that is not known keeps its name.
pub fn stem(name: &str) -> &str {
    let sections::Stems { vocals, drums, bass, other, guitar, piano } = &get().stems;
    match name {
        "vocals" => vocals,
        "drums" => drums,
        "bass" => bass,
        "other" => other,
        "guitar" => guitar,
        "piano" => piano,
        name => name,
    }
}

/// An instrument as a heading: "Vocals".
pub fn stem_title(name: &str) -> String {
    capitalised(stem(name))
}

/// Instruments within a sentence: "vocals, drums and bass".
pub fn stems(names: &[String]) -> String {
    let names: Vec<String> = names.iter().map(|name| stem(name).to_owned()).collect();
    list(&names)
}

/// "vocals" as "Vocals".
pub fn capitalised(name: &str) -> String {
    let mut chars = name.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// "a.wav, b.wav and c.wav".
pub fn list(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{}{}{last}", most.join(", "), get().general.and),
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Language, speak},
        *,
    };

    #[test]
    fn balance_speed_and_need() {
        assert_eq!((pan(0.0), pan(-0.3)), ("middle".to_owned(), "30 % left".to_owned()));
        assert_eq!((speed(0.75), speed(1.0)), ("0.75 ×".to_owned(), "1.00 ×".to_owned()));
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
        assert_eq!((rate(None), rate(Some(44_100))), ("As the song".to_owned(), "44.1 kHz".into()));
        assert_eq!(rate(Some(48_000)), "48 kHz");
        assert_eq!(common_gain(0.0, true), None);
        assert_eq!(
            common_gain(-1.24, false).unwrap(),
            "−1.2 dB on all of it, so that nothing clips"
        );
        assert_eq!(common_gain(3.0, true).unwrap(), "+3.0 dB on all of it, for the loudness");
        assert_eq!(
            common_gain(-0.001, false).unwrap(),
            "Less than 0.1 dB on all of it, so that nothing clips"
        );
        for field in crate::engine::export::pattern::FIELDS {
            assert_ne!(placeholder(field), placeholder("another"), "{field} has no words");
        }
    }

    #[test]
    fn numbers_have_the_languages_decimal_mark() {
        speak(Language::Portuguese);
        assert_eq!(clock_tenths(44_100 * 103 + 4_410), "1:43,1");
        assert_eq!(decibels(-1.24), "−1,2 dB");
        assert_eq!(rate(Some(44_100)), "44,1 kHz");
        assert_eq!(
            stems(&["vocals".into(), "drums".into(), "kazoo".into()]),
            "voz, bateria e kazoo"
        );
        let gain = common_gain(-0.001, false).unwrap();
        assert_eq!(gain, "Menos de 0,1 dB em tudo, para que nada distorça");
        speak(Language::English);
    }

    #[test]
    fn every_format_has_a_name_in_every_language() {
        let short = |name: &str| name.chars().all(|c| c.is_ascii_uppercase() || c.is_numeric());
        for format in crate::engine::export::FORMATS {
            speak(Language::Portuguese);
            let name = format_name(format);
            speak(Language::English);
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
