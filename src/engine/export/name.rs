//! File names that every operating system accepts.

/// Maximum length in bytes: leaves room for suffixes within the 255 that file systems allow.
pub(super) const LONGEST_BYTES: usize = 180;

/// Replacement for a title without usable characters.
const UNTITLED: &str = "Untitled";

/// Turns `title` into a file name without extension that is valid on every common system. Forbidden
/// characters become `_`, names that Windows reserves for devices are changed, and long names are
/// cut at a character. Letters of all scripts stay. The result is never empty, never hidden, and a
/// single path component.
pub fn safe_file_name(title: &str) -> String {
    let replaced: String = title.chars().map(|c| if is_forbidden(c) { '_' } else { c }).collect();
    let mut name = replaced.trim_matches(|c: char| c == '.' || c.is_whitespace()).to_owned();
    if is_reserved(&name) {
        name.insert(0, '_');
    }
    let fitting = name.char_indices().map(|(at, c)| at + c.len_utf8());
    let length = fitting.take_while(|&end| end <= LONGEST_BYTES).last().unwrap_or(0);
    name.truncate(length);
    let name = name.trim_end_matches(|c: char| c == '.' || c.is_whitespace());
    if name.is_empty() { UNTITLED.into() } else { name.into() }
}

/// Yields `name` with `ending`, then numbered variants: "song.wav", "song (2).wav", …
pub fn numbered(name: &str, ending: &str) -> impl Iterator<Item = String> {
    let later = (2u64..).map(move |n| format!("{name} ({n}){ending}"));
    std::iter::once(format!("{name}{ending}")).chain(later)
}

fn is_forbidden(c: char) -> bool {
    // The last group changes the writing direction, so that the displayed name would differ from
    // the real one.
    c.is_control()
        || matches!(c, '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|')
        || matches!(c, '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Whether Windows treats `name`, up to its first dot, as a device.
fn is_reserved(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_ascii_uppercase();
    let port = stem.strip_prefix("COM").or_else(|| stem.strip_prefix("LPT"));
    let is_digit = |rest: &str| {
        let mut chars = rest.chars();
        matches!((chars.next(), chars.next()), (Some('0'..='9' | '¹' | '²' | '³'), None))
    };
    matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$")
        || port.is_some_and(is_digit)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn titles_keep_valid_characters() {
        for (title, name) in [
            ("Let's Go Fishin'", "Let's Go Fishin'"),
            ("日本語 – ünïcødé 🎸 [50%]", "日本語 – ünïcødé 🎸 [50%]"),
            ("AC/DC: Who? \"Me\"", "AC_DC_ Who_ _Me_"),
            ("../../etc/passwd", "_.._etc_passwd"),
            ("C:\\x", "C__x"),
            ("  .hidden. ", "hidden"),
            ("a\nb\0c", "a_b_c"),
            ("con", "_con"),
            ("Lpt1.live", "_Lpt1.live"),
            ("COM10", "COM10"),
            ("Console", "Console"),
            ("", "Untitled"),
            ("...", "Untitled"),
        ] {
            assert_eq!(safe_file_name(title), name, "{title:?}");
        }
    }

    proptest! {
        #[test]
        fn any_title_becomes_one_file_name(title in any::<String>(), times in 1usize..60) {
            let name = safe_file_name(&title.repeat(times));
            prop_assert!(!name.is_empty() && name.len() <= LONGEST_BYTES);
            prop_assert!(!name.contains(is_forbidden), "{name:?}");
            prop_assert!(!name.starts_with(['.', ' ']) && !name.ends_with(['.', ' ']));
            prop_assert!(!is_reserved(&name));
            prop_assert_eq!(std::path::Path::new(&name).components().count(), 1);
            prop_assert_eq!(safe_file_name(&name), name);
        }
    }
}
