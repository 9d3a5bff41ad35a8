//! The words of the window: every text has its place in both languages.

use super::*;

/// Texts that are the same in both languages, and rightly so.
const SAME: [&str; 8] = ["mono", "Original", "Solo", "piano", "Mix", "Volume", "Karaoke", "Error"];

/// The texts of a language, one a line with its name, as `Debug` writes them.
fn lines(language: Language) -> Vec<String> {
    let all = format!("{:#?}", language.words());
    all.lines().map(|line| line.trim().to_owned()).filter(|line| line.contains('"')).collect()
}

#[test]
fn no_text_was_forgotten_in_either_language() {
    let (english, portuguese) = (lines(Language::English), lines(Language::Portuguese));
    assert_eq!(english.len(), portuguese.len());
    assert!(english.len() > 100);
    for (english, portuguese) in english.iter().zip(&portuguese) {
        for line in [english, portuguese] {
            assert!(!line.contains("\"\"") && !line.contains("TODO"), "empty: {line}");
        }
        let is_known = SAME.iter().any(|same| english.contains(&format!("\"{same}\"")));
        assert!(english != portuguese || is_known, "the same in both languages: {english}");
    }
}

#[test]
fn the_language_of_a_locale() {
    for (locale, language) in [
        ("pt_BR.UTF-8", Some(Language::Portuguese)),
        ("pt-PT", Some(Language::Portuguese)),
        ("PT", Some(Language::Portuguese)),
        ("en_GB@euro", Some(Language::English)),
        ("de-DE", None),
        ("C", None),
        ("ptx", None),
        ("", None),
    ] {
        assert_eq!(Language::of_locale(locale), language, "{locale}");
    }
}

#[test]
fn the_language_is_one_value_of_the_thread() {
    assert_eq!(spoken(), Language::English);
    speak(Language::Portuguese);
    assert_eq!(get().general.cancel, "Cancelar");
    let other = std::thread::Builder::new().spawn(spoken).unwrap();
    let elsewhere = other.join().unwrap();
    assert_eq!(elsewhere, Language::English);
    speak(Language::English);
}
