//! Conversion of tempo and key between tags, which contain "F#m" and "127,6", and display texts
//! such as "F# minor". Pure.
//!
//! Source: ID3v2.4.0, native frames, TBPM and TKEY.

/// Parses beats per minute from a tag; `None` if invalid.
pub fn tempo_of(text: &str) -> Option<f32> {
    let bpm: f32 = text.trim().replace(',', ".").parse().ok()?;
    (20.0..1_000.0).contains(&bpm).then_some(bpm)
}

/// Converts a tag's key for display: "F#m" becomes "F# minor". Other notations, such as "8A", are
/// kept.
pub fn key_of(text: &str) -> Option<String> {
    /// Maximum length of any key notation.
    const LONGEST: usize = 16;
    let text = text.trim();
    let is_line = !text.is_empty() && text.chars().count() <= LONGEST;
    let is_known = is_line && !text.chars().any(char::is_control);
    let note = text.strip_suffix('m').unwrap_or(text);
    let is_note = match note.as_bytes() {
        [letter, signs @ ..] => {
            (b'A'..=b'G').contains(letter) && matches!(signs, [] | [b'#' | b'b'])
        }
        [] => false,
    };
    is_known.then(|| match (is_note, note.len() < text.len()) {
        (true, true) => format!("{note} minor"),
        (true, false) => format!("{note} major"),
        (false, _) => text.to_owned(),
    })
}

/// Converts a key for tags: "F# minor" becomes "F#m".
pub fn key_tag(key: &str) -> String {
    match (key.strip_suffix(" minor"), key.strip_suffix(" major")) {
        (Some(note), _) => format!("{note}m"),
        (None, Some(note)) => note.to_owned(),
        (None, None) => key.to_owned(),
    }
}

/// Transposes a displayed key by semitones: "A minor" by 2 becomes "B minor". `None` for other
/// notations.
pub fn transposed(key: &str, semitones: i32) -> Option<String> {
    const NAMES: [&str; 12] = ["C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B"];
    let (tonic, mode) = key.rsplit_once(' ')?;
    let (letter, sign) = tonic.split_at_checked(1)?;
    let natural = NAMES.iter().position(|name| *name == letter)? as i32;
    let sign = match sign {
        "" => 0,
        "#" => 1,
        "b" => -1,
        _ => return None,
    };
    let place = (natural + sign + semitones).rem_euclid(12) as usize;
    Some(format!("{} {mode}", NAMES[place]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tempos_are_numbers_in_range() {
        assert_eq!(tempo_of(" 128 "), Some(128.0));
        assert_eq!(tempo_of("127,6"), Some(127.6));
        for odd in ["", "fast", "0", "-120", "NaN", "inf", "1e30", "120 bpm"] {
            assert_eq!(tempo_of(odd), None, "{odd}");
        }
    }

    #[test]
    fn keys_are_transposed() {
        for (key, semitones, other) in [
            ("A minor", 2, "B minor"),
            ("C major", -1, "B major"),
            ("Bb major", 12, "Bb major"),
            ("F# minor", -3, "Eb minor"),
        ] {
            assert_eq!(transposed(key, semitones).as_deref(), Some(other));
        }
        for odd in ["8A", "", "o minor", "é minor"] {
            assert_eq!(transposed(odd, 1), None, "{odd}");
        }
    }

    #[test]
    fn keys_convert_to_display_texts_and_back() {
        for (tag, people) in
            [("Am", "A minor"), ("C", "C major"), ("F#m", "F# minor"), ("Bb", "Bb major")]
        {
            assert_eq!(key_of(tag).as_deref(), Some(people));
            assert_eq!(key_tag(people), tag);
        }
        for as_it_is in ["8A", "o", "A minor", "Hm", "m", "Abbm"] {
            assert_eq!(key_of(as_it_is).as_deref(), Some(as_it_is));
        }
        assert_eq!(key_tag("A minor"), "Am");
        assert_eq!(key_tag("8A"), "8A");
        for odd in ["", "  ", "A\nminor", "a text that is far too long to be a key"] {
            assert_eq!(key_of(odd), None, "{odd}");
        }
    }
}
