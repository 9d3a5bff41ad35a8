//! Tests that every language has the messages and variables of English.

use std::collections::BTreeMap;

use super::{
    entries::{Entry, Kind, entries},
    messages::LANGUAGES,
    numbers::decimal,
    *,
};

/// The entries of a language by id.
fn all_of(source: &Source) -> BTreeMap<String, Entry> {
    let mut all = BTreeMap::new();
    for file in source.files() {
        for entry in entries(file).unwrap() {
            let before = all.insert(entry.id.clone(), entry);
            assert!(before.is_none(), "{}: {before:?} is a duplicate", source.tag());
        }
    }
    all
}

#[test]
fn each_language_has_the_messages_and_variables_of_english() {
    let english = all_of(&LANGUAGES[0]);
    for source in &LANGUAGES[1..] {
        let other = all_of(source);
        let tag = source.tag();
        let missing: Vec<_> = english.keys().filter(|id| !other.contains_key(*id)).collect();
        assert!(missing.is_empty(), "{tag} lacks {missing:#?}");
        let unknown: Vec<_> = other.keys().filter(|id| !english.contains_key(*id)).collect();
        assert!(unknown.is_empty(), "{tag} has what English lacks: {unknown:#?}");
        for (id, entry) in &other {
            let (mine, reference) = (entry.variables.keys(), english[id].variables.keys());
            assert!(mine.eq(reference), "{tag}: {id} has other variables than in English");
        }
    }
}

/// Messages that are rightly the same in another language.
const SAME: [&str; 31] = [
    "action-compare",
    "action-solo",
    "action-toggle-loop",
    "lane-loop",
    "percent",
    "decibels",
    "kilohertz",
    "speed",
    "size-bytes",
    "size-kilobytes",
    "size-megabytes",
    "size-gigabytes",
    "size-terabytes",
    "duration-seconds",
    "facts-seconds",
    "duration-minutes",
    "duration-hours",
    "mono",
    "cents",
    "bpm",
    "cli-model-stems",
    "lufs",
    "stem-piano",
    "stem-instrumental",
    "export-loudness",
    "job-button",
    "settings-threads",
    "lane-original",
    "transport-mix",
    "transport-original",
    "transport-volume",
];

#[test]
fn no_message_was_left_in_english() {
    let english = all_of(&LANGUAGES[0]);
    for source in &LANGUAGES[1..] {
        for (id, entry) in all_of(source) {
            let is_same = english.get(&id).is_some_and(|english| english.source == entry.source);
            // Placeholders such as N and LUFS are the same in many languages.
            let may_be_same = SAME.contains(&&*id) || id.starts_with("help-value-");
            assert!(!is_same || may_be_same, "{}: {id} is the same as in English", source.tag());
        }
    }
}

#[test]
fn every_message_can_be_formatted() {
    for language in Language::all() {
        speak(language);
        for (id, entry) in all_of(language.source()) {
            for number in [0.0, 1.0, 2.0, 5.0, 1234.0] {
                let value = |kind: &Kind| match kind {
                    Kind::Text => FluentValue::from("x"),
                    Kind::Number => FluentValue::from(number),
                };
                let variables = entry.variables.iter();
                let arguments = variables.map(|(name, kind)| (&**name, value(kind))).collect();
                let text = language.source().by_id(&id, &arguments);
                let text = text.unwrap_or_else(|| panic!("{language:?}: {id} fails"));
                assert!(!text.trim().is_empty(), "{language:?}: {id} is empty");
            }
        }
    }
    speak(Language::english());
}

#[test]
fn a_locale_finds_its_language() {
    for (locale, tag) in [
        ("pt_BR.UTF-8", Some("pt-BR")),
        ("pt-PT", Some("pt-BR")),
        ("PT", Some("pt-BR")),
        ("en_GB@euro", Some("en")),
        ("de-DE", None),
        ("C", None),
        ("ptx", None),
        ("", None),
    ] {
        assert_eq!(Language::for_locale(locale).map(Language::tag), tag, "{locale}");
    }
}

#[test]
fn the_language_is_one_value_of_the_thread() {
    assert_eq!(spoken(), Language::english());
    speak(Language::for_locale("pt").unwrap());
    assert_eq!(fl!(language_name), "Português");
    let other = std::thread::Builder::new().spawn(spoken).unwrap();
    assert_eq!(other.join().unwrap(), Language::english());
    speak(Language::english());
    assert_eq!(Language::for_locale("pt").unwrap().name(), "Português");
}

#[test]
fn a_message_that_is_missing_is_shown_in_english() {
    speak(Language::from_files("eo", vec!["number-decimal-mark = ;\nlanguage-name =".into()]));
    assert_eq!(fl!(language_name), "English");
    assert_eq!(decimal(1.5, 1), "1;5");
    speak(Language::english());
}

#[test]
fn the_plural_is_the_languages_own() {
    let both = || (fl!(files, count = 1usize), fl!(files, count = 1_500usize));
    assert_eq!(both(), ("1 file".into(), "1,500 files".into()));
    speak(Language::for_locale("pt").unwrap());
    assert_eq!(both(), ("1 arquivo".into(), "1.500 arquivos".into()));
    speak(Language::english());
}

#[test]
fn numbers_have_the_marks_of_the_language() {
    assert_eq!(decimal(1_234_567.25, 2), "1,234,567.25");
    assert_eq!((decimal(-999.0, 0), decimal(0.5, 1)), ("-999".into(), "0.5".into()));
    speak(Language::for_locale("pt").unwrap());
    assert_eq!(decimal(1_234.25, 2), "1.234,25");
    speak(Language::english());
}
