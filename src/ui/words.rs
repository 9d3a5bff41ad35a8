//! Numbers and names in words: times, decibels, percentages, file names. Pure functions.

use std::path::Path;

use crate::engine::{AudioFormat, Depth, SAMPLE_RATE, Song};

/// What is not changed: depth, rate.
const AS_THE_SONG: &str = "As the song";

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
    format!("{}.{tenths}", clock(frames))
}

/// What is left of a job: "1 min 05 left".
pub fn time_left(seconds: f64) -> String {
    let secs = seconds.ceil().max(1.0) as u64;
    match secs {
        0..60 => format!("{secs} s left"),
        60..3600 => format!("{} min {:02} left", secs / 60, secs % 60),
        _ => format!("{} h {:02} min left", secs / 3600, secs / 60 % 60),
    }
}

/// A part as "42 %"; 100 only when it is whole.
pub fn percent(fraction: f64) -> String {
    // The little more undoes what a fraction loses as `f32`.
    let whole = (fraction * 100.0 + 1e-3).floor().clamp(0.0, 100.0);
    format!("{whole:.0} %")
}

/// Decibels with their sign: "+1.5 dB", "0.0 dB", "−∞ dB".
pub fn decibels(db: f32) -> String {
    if db == f32::NEG_INFINITY {
        return "−∞ dB".to_owned();
    }
    let tenths = (db * 10.0).round() / 10.0;
    if tenths > 0.0 {
        format!("+{tenths:.1} dB")
    } else if tenths < 0.0 {
        format!("−{:.1} dB", -tenths)
    } else {
        "0.0 dB".to_owned()
    }
}

/// "44.1 kHz, 16 bit FLAC".
pub fn format_line(format: &AudioFormat) -> String {
    let khz = f64::from(format.sample_rate) / 1000.0;
    let channels = match format.channels {
        1 => ", mono".to_owned(),
        0 | 2 => String::new(),
        6 => ", 5.1".to_owned(),
        8 => ", 7.1".to_owned(),
        more => format!(", {more} channels"),
    };
    let bits = format.bits.map(|bits| format!("{bits} bit ")).unwrap_or_default();
    format!("{khz} kHz, {bits}{}{channels}", format.name)
}

/// The artist, or that there is none.
pub fn artist(song: &Song) -> &str {
    song.artist.as_deref().unwrap_or("Unknown artist")
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
        (None, None) => "Unknown artist".to_owned(),
    }
}

/// The last part of a path, for people.
pub fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

/// "1 file", "4 files".
pub fn files(count: usize) -> String {
    if count == 1 { "1 file".to_owned() } else { format!("{count} files") }
}

/// A choice of depths: "24 bit".
pub fn depth(depth: Option<Depth>) -> &'static str {
    match depth {
        None => AS_THE_SONG,
        Some(Depth::Int16) => "16 bit",
        Some(Depth::Int24) => "24 bit",
        Some(Depth::Float32) => "32-bit float",
    }
}

/// A choice of rates: "44.1 kHz".
pub fn rate(rate: Option<u32>) -> String {
    rate.map_or(AS_THE_SONG.to_owned(), |hz| format!("{} kHz", f64::from(hz) / 1000.0))
}

/// What was done to the level of an export, for its card; nothing where nothing was done.
pub fn common_gain(gain_db: f32, has_loudness: bool) -> Option<String> {
    let reason = if has_loudness { "for the loudness" } else { "so that nothing clips" };
    match gain_db {
        0.0 => None,
        db if db.abs() < 0.05 => Some(format!("Less than 0.1 dB on all of it, {reason}")),
        db => Some(format!("{} on all of it, {reason}", decibels(db))),
    }
}

/// What a placeholder of a name stands for.
pub fn placeholder(field: &str) -> &'static str {
    match field {
        "artist" => "The artist",
        "title" => "The song's title",
        "album" => "The album",
        "track" => "The song's number on the album",
        "stem" => "What is in the file: vocals, mix, residual",
        "model" => "The model that found the stems",
        "n" => "The file's number in this export",
        "file" => "The name of the song's own file",
        _ => "Something of the song",
    }
}

/// "vocals" as "Vocals".
pub fn capitalised(name: &str) -> String {
    let mut chars = name.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// "vocals, drums and bass".
pub fn list(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
