//! A pseudo-language made from the English messages: every letter accented, every text a third
//! longer. A plain text in the window does not come from a message, and a truncated one would be
//! truncated in longer languages.

use std::{fs, path::Path, sync::OnceLock};

use fluent_syntax::{
    ast::{Entry, Expression, Pattern, PatternElement},
    parser, serializer,
};
use partita::i18n::Language;

/// The tag that translation tools use for such a language.
const TAG: &str = "en-XA";

/// The pseudo-language, created once.
pub fn pseudo() -> Language {
    static LANGUAGE: OnceLock<Language> = OnceLock::new();
    *LANGUAGE.get_or_init(|| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/i18n/en");
        let files = fs::read_dir(folder).unwrap();
        let files = files.map(|file| fs::read_to_string(file.unwrap().path()).unwrap());
        Language::from_files(TAG, files.map(accented_file).collect())
    })
}

fn accented_file(text: String) -> String {
    let mut resource = parser::parse(text).unwrap();
    for entry in &mut resource.body {
        let Entry::Message(message) = entry else { continue };
        let attributes = message.attributes.iter_mut().map(|attribute| &mut attribute.value);
        for pattern in message.value.iter_mut().chain(attributes) {
            accent(pattern);
        }
    }
    serializer::serialize(&resource)
}

fn accent(pattern: &mut Pattern<String>) {
    for element in &mut pattern.elements {
        match element {
            PatternElement::TextElement { value } => *value = accented(value),
            PatternElement::Placeable { expression: Expression::Select { variants, .. } } => {
                for variant in variants {
                    accent(&mut variant.value);
                }
            }
            PatternElement::Placeable { expression: Expression::Inline(_) } => {}
        }
    }
}

/// The text with an accent on each letter, and each third letter doubled.
pub fn accented(text: &str) -> String {
    const PLAIN: &str = "abcdefghijklmnopqrstuvwxyz";
    const ACCENTED: &str = "áḃçďéƒğĥíĵķľṁñöṗǫřšťüṽŵẋýž";
    let mut longer = String::new();
    let mut letters = 0;
    for letter in text.chars() {
        let at = PLAIN.find(letter.to_ascii_lowercase());
        let Some(other) = at.and_then(|at| ACCENTED.chars().nth(at)) else {
            longer.push(letter);
            continue;
        };
        letters += 1;
        if letter.is_ascii_uppercase() {
            longer.extend(other.to_uppercase());
        } else {
            longer.push(other);
        }
        if letters % 3 == 0 {
            longer.push(other);
        }
    }
    longer
}

#[test]
fn every_letter_is_accented_and_placeholders_stay() {
    assert_eq!(accented("Zoom in"), "Žöööṁ íññ");
    let file = "a = To { $b } go\n    .hint = x\n".to_owned();
    let other = accented_file(file);
    assert!(
        other.contains("{ $b }") && other.contains("Ťö") && other.contains(".hint = ẋ"),
        "{other}"
    );
    assert_eq!(pseudo().name(), accented("English"));
}
