//! Tests that the English texts equal the engine's, and that every other language has its own texts.

use super::{problem, problem_of};
use crate::{
    engine::{Problem, note, problem::examples},
    i18n::{Language, Medium, speak, write_for},
    words::note as note_text,
};

/// Texts of the system, of libraries, and of earlier versions, which stay as they are.
fn is_foreign(text: &str) -> bool {
    text.starts_with("an earlier sentence")
}

#[test]
fn english_texts_equal_the_engines() {
    speak(Language::english());
    write_for(Medium::CommandLine);
    for example in examples() {
        assert_eq!(problem(&example), example.to_string(), "{example:?}");
    }
    for example in note::examples() {
        assert_eq!(note_text(&example), example.to_string(), "{example:?}");
    }
    write_for(Medium::Window);
}

#[test]
fn the_window_names_fields_and_the_command_line_options() {
    // The window, too, has the command line's remedy for a memory limit.
    let models = || examples().into_iter().filter(|it| matches!(it, Problem::Model(_)));
    for language in Language::all() {
        speak(language);
        for example in models() {
            let has_option = |medium| {
                write_for(medium);
                problem(&example).contains("--")
            };
            assert!(!has_option(Medium::Window), "{language:?}: {example:?}");
            let is_in_english = example.to_string().contains("--");
            assert_eq!(has_option(Medium::CommandLine), is_in_english, "{language:?}: {example:?}");
        }
    }
    write_for(Medium::Window);
    speak(Language::english());
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
    #[cfg(target_os = "linux")] // its error number
    assert_eq!(text, "não foi possível ler /a b.flac: permissão negada (erro 13 do sistema)");
    assert!(text.starts_with("não foi possível ler"), "{text}");
    let path = std::path::Path::new("/a b.flac");
    let denied = std::io::Error::from_raw_os_error(13);
    let text = problem_of(path, &Problem::input(path, denied));
    assert!(!text.contains("/a b.flac") && !text.contains("Permission"), "{text}");
    speak(Language::english());
}
