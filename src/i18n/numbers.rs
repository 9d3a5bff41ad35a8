//! Numbers, times, sizes, lists and stem names in the language of this thread. Pure, except for the
//! language.

use fluent_bundle::types::FluentNumber;

use super::fl;

/// A number with `places` decimals.
pub(crate) fn decimal(number: f64, places: usize) -> String {
    with_marks(&format!("{number:.places$}"), true)
}

/// Seconds as "m:ss" or "h:mm:ss".
pub(crate) fn clock(seconds: u64) -> String {
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes}:{seconds:02}")
    }
}

/// The time left of a job, such as "1 min 05 left".
pub(crate) fn time_left(seconds: f64) -> String {
    let secs = seconds.ceil().max(1.0) as u64;
    match secs {
        0..60 => fl!(left_seconds, seconds = secs),
        60..3600 => fl!(left_minutes, minutes = secs / 60, seconds = secs % 60),
        _ => fl!(left_hours, hours = secs / 3600, minutes = secs / 60 % 60),
    }
}

/// An elapsed time, such as "in 1 min 05 s".
pub(crate) fn took(seconds: f64) -> String {
    let secs = seconds.round().max(1.0) as u64;
    match secs {
        0..60 => fl!(took_seconds, seconds = secs),
        60..3600 => fl!(took_minutes, minutes = secs / 60, seconds = secs % 60),
        _ => fl!(took_hours, hours = secs / 3600, minutes = secs / 60 % 60),
    }
}

/// A rounded duration, such as "40 s", "5 min" or "1 h 20 min".
pub(crate) fn duration(seconds: f64) -> String {
    let secs = seconds.ceil().max(1.0) as u64;
    match secs {
        0..10 => fl!(duration_seconds, seconds = secs),
        10..100 => fl!(duration_seconds, seconds = secs.next_multiple_of(5)),
        100..3600 => fl!(duration_minutes, minutes = secs.div_ceil(60)),
        _ => fl!(duration_hours, hours = secs / 3600, minutes = secs / 60 % 60),
    }
}

/// A network as one line: kind, width, layers, bands, stems, rest, and the length of a segment.
pub(crate) fn network(
    kind: &str,
    [width, layers]: [usize; 2],
    bands: Option<usize>,
    sources: &[String],
    rest: Option<&str>,
    seconds: f64,
) -> String {
    let decimals = match seconds {
        1.0.. => 1,
        0.1.. => 2,
        _ => 4,
    };
    let bands = bands.map(|count| fl!(cli_model_bands, count = count));
    let stems = fl!(cli_model_stems, count = sources.len(), names = sources.join(", "));
    let parts = [Some(format!("{kind}, {width} × {layers}")), bands, Some(stems)];
    let network = parts.into_iter().flatten().collect::<Vec<_>>().join(", ");
    let rest = rest.map(|name| fl!(cli_model_rest, name = name));
    let segment = fl!(cli_model_segments, seconds = decimal(seconds, decimals));
    [Some(network), rest, Some(segment)].into_iter().flatten().collect::<Vec<_>>().join("; ")
}

/// A fraction as a percentage, such as "42 %"; 100 only for a complete one.
pub(crate) fn percent(fraction: f64) -> String {
    // The small addend compensates the rounding of an `f32` fraction.
    let whole = (fraction * 100.0 + 1e-3).floor().clamp(0.0, 100.0);
    fl!(percent, percent = whole)
}

/// A size, such as "3.2 GB", in powers of 1000.
pub(crate) fn bytes(bytes: u64) -> String {
    if bytes < 1000 {
        return fl!(size_bytes, count = bytes);
    }
    let (mut size, mut unit) = (bytes as f64 / 1000.0, 1);
    while size >= 999.5 && unit < 4 {
        (size, unit) = (size / 1000.0, unit + 1);
    }
    let number = decimal(size, usize::from(size < 9.95));
    match unit {
        1 => fl!(size_kilobytes, number = number),
        2 => fl!(size_megabytes, number = number),
        3 => fl!(size_gigabytes, number = number),
        _ => fl!(size_terabytes, number = number),
    }
}

/// Decibels with a sign, such as "+1.5 dB", "0.0 dB" or "−∞ dB".
pub(crate) fn decibels(db: f32) -> String {
    if db == f32::NEG_INFINITY {
        return fl!(decibels, number = "−∞");
    }
    let tenths = (f64::from(db) * 10.0).round() / 10.0;
    let sign = match tenths {
        0.0 => "",
        more if more > 0.0 => "+",
        _ => "−",
    };
    fl!(decibels, number = format!("{sign}{}", decimal(tenths.abs(), 1)))
}

/// A list, such as "a.wav, b.wav and c.wav".
pub(crate) fn list(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => fl!(list_and, most = most.join(", "), last = last),
    }
}

/// An instrument within a sentence, such as "vocals". An unknown stem keeps its name.
pub(crate) fn stem(name: &str) -> &str {
    match &*name.to_ascii_lowercase() {
        "vocals" => fl!(stem_vocals),
        "instrumental" => fl!(stem_instrumental),
        "drums" => fl!(stem_drums),
        "bass" => fl!(stem_bass),
        "other" => fl!(stem_other),
        "guitar" => fl!(stem_guitar),
        "piano" => fl!(stem_piano),
        "kick" => fl!(stem_kick),
        "snare" => fl!(stem_snare),
        "toms" => fl!(stem_toms),
        "hh" | "hihat" | "hi-hat" => fl!(stem_hihat),
        "ride" => fl!(stem_ride),
        "crash" => fl!(stem_crash),
        "cymbals" => fl!(stem_cymbals),
        "lead" => fl!(stem_lead),
        "backing" => fl!(stem_backing),
        _ => name,
    }
}

/// An instrument as a heading, such as "Vocals".
pub(crate) fn stem_title(name: &str) -> String {
    capitalised(stem(name))
}

/// Instruments within a sentence, such as "vocals, drums and bass".
pub(crate) fn stems(names: &[String]) -> String {
    let names: Vec<String> = names.iter().map(|name| stem(name).to_owned()).collect();
    list(&names)
}

/// The name with an initial capital.
pub(crate) fn capitalised(name: &str) -> String {
    let mut chars = name.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// Formats a number with the options of a message.
pub(super) fn in_message(number: &FluentNumber) -> String {
    let options = &number.options;
    let plain = number.as_string();
    let plain = match options.maximum_fraction_digits {
        Some(most) if plain.split_once('.').is_some_and(|(_, rest)| rest.len() > most) => {
            format!("{:.most$}", number.value)
        }
        _ => plain.into_owned(),
    };
    let digits = plain.split('.').next().unwrap_or_default().len();
    let missing = options.minimum_integer_digits.unwrap_or(0).saturating_sub(digits);
    with_marks(&format!("{}{plain}", "0".repeat(missing)), options.use_grouping)
}

/// Adds the language's marks to a number in Rust's notation.
fn with_marks(number: &str, is_grouped: bool) -> String {
    let (whole, decimals) = number.split_once('.').unwrap_or((number, ""));
    let (sign, digits) = whole.split_at(usize::from(whole.starts_with('-')));
    let mut text = sign.to_owned();
    for (index, digit) in digits.chars().enumerate() {
        if is_grouped && index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push_str(fl!(number_group_mark));
        }
        text.push(digit);
    }
    if !decimals.is_empty() {
        text.push_str(fl!(number_decimal_mark));
        text.push_str(decimals);
    }
    text
}
