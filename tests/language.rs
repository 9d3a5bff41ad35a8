//! Plain English in comments, texts and documents: finds idioms against which CONTRIBUTING advises.
//! The patterns are in pieces, so that this file does not contain them.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Words to avoid, in any case.
const WORDS: [&str; 11] = [
    concat!("to", "ld"),
    concat!("te", "ll"),
    concat!("te", "lls"),
    concat!("an", "ew"),
    concat!("no", "body"),
    concat!("some", "body"),
    concat!("who", "ever"),
    concat!("stum", "ble"),
    concat!("stum", "bled"),
    concat!("stum", "bles"),
    concat!("like", "wise"),
];

/// Phrases to avoid.
const PHRASES: [&str; 5] = [
    concat!("is", " none"),
    concat!("give", " way"),
    concat!("gives", " way"),
    concat!("would be", " much"),
    concat!("See the", " module"),
];

/// A denial of the noun after it. It is plain English after "there" and before "longer".
const DENIAL: &str = concat!("is", " no ");

/// Beginnings of comments that are not a sentence with a subject.
const OPENINGS: [&str; 6] = ["What ", "Which ", "As ", "Those of ", "The same ", "Its "];

/// Extensions of files with English texts; the script `x` has none.
const EXTENSIONS: [&str; 5] = ["rs", "md", "ftl", "py", "sh"];

/// Files with English texts below `folder`, without build results and hidden folders.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        // A symbolic link is neither a folder nor a file here.
        let kind = entry.file_type().unwrap();
        let is_skipped = name.starts_with('.') || name.starts_with("target");
        let is_translation = folder.ends_with("assets/i18n") && name != "en";
        if kind.is_dir() && !is_skipped && !is_translation {
            found.extend(files(&path));
        }
        let is_text = path
            .extension()
            .is_some_and(|extension| EXTENSIONS.iter().any(|known| extension == *known));
        if kind.is_file() && (is_text || name == "x") {
            found.push(path);
        }
    }
    found
}

/// Whether `text` contains `phrase` between word boundaries.
fn contains(text: &str, phrase: &str) -> bool {
    let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
    text.match_indices(phrase).any(|(at, _)| {
        !text[..at].ends_with(is_word) && !text[at + phrase.len()..].starts_with(is_word)
    })
}

/// Whether a line denies a noun; `previous` is the line before.
fn denies_a_noun(line: &str, previous: &str) -> bool {
    line.match_indices(DENIAL).any(|(at, _)| {
        let (before, after) = (&line[..at], &line[at + DENIAL.len()..]);
        let wraps = !before.contains(char::is_alphanumeric);
        let context = if wraps { previous } else { before };
        let is_plain =
            context.trim_end().to_lowercase().ends_with("there") || after.starts_with("longer");
        let is_bounded = !before.ends_with(char::is_alphanumeric);
        is_bounded && after.starts_with(char::is_lowercase) && !is_plain
    })
}

/// The text of a comment line of Rust.
fn comment(line: &str) -> Option<&str> {
    let text = line.trim_start().strip_prefix("//")?;
    text.trim_start_matches(['/', '!']).strip_prefix(' ')
}

/// Whether a comment, or a paragraph of one, lacks a subject at its beginning.
fn opens_badly(line: &str, previous: &str) -> bool {
    let Some(text) = comment(line) else { return false };
    let is_first = comment(previous).is_none_or(|before| before.starts_with('#'));
    // In the middle of a paragraph, the other words may begin a sentence with a subject.
    let count = if is_first { OPENINGS.len() } else { 1 };
    OPENINGS.iter().take(count).any(|opening| text.starts_with(*opening))
}

/// Whether a line has one of the idioms; `previous` is the line before.
fn is_odd(line: &str, previous: &str) -> bool {
    let lower = line.to_lowercase();
    WORDS.iter().any(|word| contains(&lower, word))
        || PHRASES.iter().any(|phrase| contains(line, phrase))
        || denies_a_noun(line, previous)
        || opens_badly(line, previous)
}

#[test]
fn comments_texts_and_documents_are_plain_english() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = files(root);
    for name in ["src/lib.rs", "tests/language.rs", "build.rs", "README.md", "x"] {
        assert!(files.contains(&root.join(name)), "{name} is not searched");
    }
    let mut found = Vec::new();
    for path in files {
        let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
        let mut previous = "";
        for (number, line) in text.lines().enumerate() {
            if is_odd(line, previous) {
                let path = path.strip_prefix(root).unwrap().display();
                found.push(format!("{path}:{}: {}", number + 1, line.trim()));
            }
            previous = line;
        }
    }
    assert!(found.is_empty(), "reword these lines, see CONTRIBUTING:\n{}", found.join("\n"));
}

#[test]
fn the_idioms_are_found() {
    for word in WORDS.iter().chain(&PHRASES) {
        assert!(is_odd(&format!("// The file {word}."), ""), "{word}");
        assert!(!is_odd(&format!("let a{word}_b = 1;"), ""), "a part of a name: {word}");
    }
    for opening in OPENINGS {
        assert!(is_odd(&format!("    /// {opening}the file."), "struct File {{"), "{opening}");
        assert!(is_odd(&format!("//! {opening}the file."), "//!"), "{opening}");
        assert!(!is_odd(&format!("let text = \"{opening}\";"), ""), "{opening}");
    }
    assert!(is_odd(&format!("// {}remains.", OPENINGS[0]), "// A sentence."));
    assert!(is_odd(&format!("/// The file {DENIAL}folder."), ""));
    assert!(is_odd(&format!("/// {DENIAL}folder."), "/// The file"));
    assert!(!is_odd(&format!("/// {DENIAL}folder."), "/// While there"));
    assert!(!is_odd(&format!("/// There {DENIAL}folder, and the file {DENIAL}longer open."), ""));
}
