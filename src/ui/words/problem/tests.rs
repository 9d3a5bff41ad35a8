//! Tests that the English texts equal the engine's, and that every other language has its own texts.

use super::problem;
use crate::{
    engine::{Problem, note, problem::examples},
    i18n::{Language, speak},
    ui::words::notes::note as note_text,
};

/// Texts of the system, of libraries, and of earlier versions, which stay as they are.
fn is_foreign(text: &str) -> bool {
    text.starts_with("an earlier sentence")
}

/// Whether the command line's remedy is an option of `partita model`; the window names a field
/// instead.
fn names_options(problem: &Problem) -> bool {
    matches!(problem, Problem::Model(_)) && problem.to_string().contains("--")
}

/// The problem as the window shows it, without options of the command line.
fn in_window(problem: Problem) -> Problem {
    match problem {
        Problem::ExistsUnasked(paths) => Problem::Exists(paths),
        other => other,
    }
}

#[test]
fn english_texts_equal_the_command_lines() {
    speak(Language::english());
    for example in examples().into_iter().map(in_window) {
        let text = problem(&example);
        if names_options(&example) {
            assert!(!text.contains("--"), "{text}");
            assert!(example.to_string().contains("--"), "{example}");
        } else {
            assert_eq!(text, example.to_string(), "{example:?}");
        }
    }
    for example in note::examples() {
        assert_eq!(note_text(&example), example.to_string(), "{example:?}");
    }
}

#[test]
fn every_language_has_texts_for_every_problem_and_note() {
    for language in Language::all().filter(|other| *other != Language::english()) {
        speak(language);
        let problems =
            examples().into_iter().map(|example| (problem(&example), example.to_string()));
        let notes =
            note::examples().into_iter().map(|example| (note_text(&example), example.to_string()));
        for (text, english) in problems.chain(notes) {
            assert!(!text.is_empty(), "{language:?}: {english}");
            let is_neutral = is_foreign(&english) || english.contains("/x.th: ");
            assert!(text != english || is_neutral, "{language:?}: {english}");
        }
        speak(Language::english());
    }
}

#[test]
fn a_system_error_and_a_search_in_portuguese() {
    speak(Language::for_locale("pt-BR").unwrap());
    let denied = std::io::Error::from_raw_os_error(13);
    let text = problem(&Problem::read(std::path::Path::new("/a b.flac"), denied));
    #[cfg(target_os = "linux")]
    assert_eq!(text, "não foi possível ler /a b.flac: permissão negada (erro 13 do sistema)");
    assert!(text.starts_with("não foi possível ler"), "{text}");
    speak(Language::english());
}
