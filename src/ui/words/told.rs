//! What the engine says, in the language of the window.
//!
//! The engine speaks English, as the command line does and as a report should. Its sentences are
//! patterns here, with `{}` where they name a file or a number, and stand beside what they are in the
//! other language; a test reads the engine's sources and fails over one that is missing. What
//! libraries and the system say, and what is wrong inside of a file of weights, stays as a detail.

mod sentences;

use std::borrow::Cow;

use crate::i18n::spoken;
use sentences::PORTUGUESE;

/// The engine's words in the language of the window.
pub fn told(text: &str) -> Cow<'_, str> {
    match spoken().tag() {
        "pt-BR" => in_language(text, PORTUGUESE),
        _ => Cow::Borrowed(text),
    }
}

/// The sentence of `sentences` that says the most of `text`; what it names is looked up likewise.
fn in_language<'a>(text: &'a str, sentences: &[(&str, &str)]) -> Cow<'a, str> {
    let fitting = sentences.iter().filter_map(|(english, other)| {
        let named = named(english, text)?;
        Some((english.len() - 2 * named.len(), other, named))
    });
    let Some((_, other, named)) = fitting.max_by_key(|(literal, ..)| *literal) else {
        return Cow::Borrowed(text);
    };
    let mut pieces = other.split("{}");
    let mut words = pieces.next().unwrap_or_default().to_owned();
    for (named, piece) in named.into_iter().zip(pieces) {
        words.push_str(&in_language(named, sentences));
        words.push_str(piece);
    }
    Cow::Owned(words)
}

/// What `text` has where `pattern` has `{}`, if it fits.
fn named<'a>(pattern: &str, text: &'a str) -> Option<Vec<&'a str>> {
    let mut pieces = pattern.split("{}");
    let mut rest = text.strip_prefix(pieces.next()?)?;
    let mut named = Vec::new();
    let pieces: Vec<&str> = pieces.collect();
    for (index, piece) in pieces.iter().enumerate() {
        let is_last = index + 1 == pieces.len();
        let at = if is_last { rest.strip_suffix(piece)?.len() } else { rest.find(piece)? };
        // A sentence never names nothing, and so never fits itself over again.
        named.push(rest.get(..at).filter(|named| !named.is_empty() && named.len() < text.len())?);
        rest = &rest[at + piece.len()..];
    }
    rest.is_empty().then_some(named)
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;

    fn portuguese(text: &str) -> Cow<'_, str> {
        in_language(text, PORTUGUESE)
    }

    #[test]
    fn what_a_sentence_names_is_put_where_the_other_language_has_it() {
        assert_eq!(
            portuguese("cannot read /a b.flac: Permission denied (os error 13)"),
            "não foi possível ler /a b.flac: permissão negada (os error 13)"
        );
        assert_eq!(
            portuguese("folded down from 6 channels; cut off after 1:02 of 3:00"),
            "reduzida de 6 canais; cortada depois de 1:02 de 3:00"
        );
        let unknown = "the moon is full";
        assert_eq!(portuguese(unknown), unknown);
        let detail = "cannot read /x.th: holds a pickle that is damaged";
        assert_eq!(
            portuguese(detail),
            "não foi possível ler /x.th: holds a pickle that is damaged"
        );
    }

    #[test]
    fn a_folder_is_described_in_the_windows_language() {
        use crate::engine::inputs::{FolderError, PassedOver};

        let passed_over =
            PassedOver { not_audio: 1, own: 2, hidden: 3, not_files: 4, unreadable: 5 };
        let counts = "15 deixado(s) de lado: 1 sem nome de áudio; 2 feito(s) pelo Partita; 3 com nome \
                      oculto; 4 link(s) sem destino ou dispositivo(s); 5 que não pôde ou não puderam \
                      ser lidos";
        assert_eq!(portuguese(&format!("Album: {passed_over}")), format!("Album: {counts}"));
        let none = FolderError::NoSong(passed_over).to_string();
        assert_eq!(portuguese(&none), format!("não há música nesta pasta: {counts}"));
        let denied = std::io::Error::from_raw_os_error(13);
        let unreadable = FolderError::Unreadable(denied).to_string();
        assert_eq!(
            portuguese(&unreadable),
            "a pasta não pôde ser lida: permissão negada (os error 13)"
        );
        assert_eq!(portuguese(&FolderError::Empty.to_string()), "esta pasta está vazia");
    }

    #[test]
    fn both_languages_name_as_much() {
        for (english, other) in PORTUGUESE {
            let count = |text: &str| text.matches("{}").count();
            assert_eq!(count(english), count(other), "{english}");
            assert!(!english.contains("  ") && !other.contains("  "), "{english}");
        }
    }

    /// Reads a literal that begins at `text`, as it will be said: `{}` for whatever it names.
    fn literal(text: &str) -> String {
        let mut said = String::new();
        let mut letters = text.chars().peekable();
        while let Some(letter) = letters.next() {
            match letter {
                '"' => break,
                '\\' if letters.next_if_eq(&'\n').is_some() => {
                    while letters.next_if(|next| next.is_whitespace()).is_some() {}
                }
                '\\' => said.extend(letters.next()),
                '{' if letters.next_if_eq(&'{').is_some() => said.push('{'),
                '}' if letters.next_if_eq(&'}').is_some() => said.push('}'),
                '{' => {
                    while letters.next_if(|next| *next != '}').is_some() {}
                    letters.next();
                    said.push_str("{}");
                }
                letter => said.push(letter),
            }
        }
        said
    }

    /// Every literal that an error of the engine is made of.
    fn sentences_in(source: &str) -> Vec<String> {
        const MADE: [&str; 9] = [
            "Problem::Busy(",
            "Problem::Unknown(",
            "DecodeError::NotAudio(",
            "DecodeError::Unsupported(",
            "DecodeError::Empty(",
            "DecodeError::Damaged(",
            "warnings.push(",
            "notes.push(",
            "what: \"cannot",
        ];
        let source = source.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        let mut found = Vec::new();
        for made in MADE {
            for (at, _) in source.match_indices(made) {
                let after = &source[at + made.len()..];
                let end = after.find(';').unwrap_or(after.len());
                if made.ends_with("cannot") {
                    found.push(format!("cannot{} {{}}: {{}}", literal(after)));
                } else if let Some(quote) = after[..end].find('"') {
                    found.push(literal(&after[quote + 1..]));
                }
            }
        }
        found
    }

    fn visit(folder: &Path, missing: &mut Vec<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                visit(&path, missing);
            } else if !name.contains("test") && name != "find.rs" {
                for said in sentences_in(&fs::read_to_string(&path).unwrap()) {
                    let shown = said.replace("{}", "x1");
                    let is_known = PORTUGUESE.iter().any(|(it, _)| named(it, &shown).is_some());
                    if said.contains(' ') && !is_known {
                        missing.push(format!("{}: {said}", path.display()));
                    }
                }
            }
        }
    }

    #[test]
    fn no_sentence_of_the_engine_is_missing() {
        let mut missing = Vec::new();
        visit(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/engine"), &mut missing);
        assert!(missing.is_empty(), "not in Portuguese:\n{}", missing.join("\n"));
        let all = sentences_in("Problem::Busy(\n  \"a {x} \\\n   b\".into());");
        assert_eq!(all, ["a {} b"], "the sources are read as they are written");
    }
}
