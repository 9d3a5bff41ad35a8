//! Numbers and names in words: times, decibels, percentages, file names. Pure functions.

use std::path::Path;

use crate::engine::{AudioFormat, SAMPLE_RATE, Song};

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
    fn names() {
        assert_eq!(capitalised("vocals"), "Vocals");
        assert_eq!(list(&["a".into(), "b".into(), "c".into()]), "a, b and c");
        let format =
            AudioFormat { name: "FLAC".into(), sample_rate: 44_100, channels: 2, bits: Some(16) };
        assert_eq!(format_line(&format), "44.1 kHz, 16 bit FLAC");
    }
}
