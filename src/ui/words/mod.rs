//! Every word that the window shows, once for each language, and numbers as that language writes
//! them.
//!
//! [`Words`] has a field for each text: a language that lacks one does not compile. The language
//! that is spoken is one value of the main thread ([`speak`], [`get`]); what the engine says of errors
//! is said in it too ([`told`]). Not here: the terms of the weights, and the command line, which are
//! English; names of stems in files, which other programs read.

mod english;
mod numbers;
mod portuguese;
mod sections;
#[cfg(test)]
mod tests;
mod told;

use std::cell::Cell;

use crate::i18n;

pub use numbers::*;
pub(in crate::ui) use sections::{Named, Paths, Verbs, Words};
pub use told::told;

/// A language of the window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// Portuguese, in Brazilian spelling.
    Portuguese,
}

thread_local! {
    static SPOKEN: Cell<Language> = const { Cell::new(Language::English) };
}

/// Changes the language of the window; from the next frame on it is another.
pub fn speak(language: Language) {
    SPOKEN.set(language);
    // Messages move there area by area.
    i18n::speak(i18n::Language::for_locale(language.code()).unwrap_or(i18n::Language::english()));
}

/// The language of the window.
pub fn spoken() -> Language {
    SPOKEN.get()
}

/// The words of the language that is spoken.
pub(in crate::ui) fn get() -> &'static Words {
    spoken().words()
}

impl Language {
    /// Every language.
    pub const ALL: [Self; 2] = [Self::English, Self::Portuguese];

    /// Its words.
    pub(in crate::ui) fn words(self) -> &'static Words {
        match self {
            Self::English => &english::WORDS,
            Self::Portuguese => &portuguese::WORDS,
        }
    }

    /// What it is called by those who speak it.
    pub fn name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::Portuguese => "Português",
        }
    }

    /// Its code in ISO 639-1.
    pub fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Portuguese => "pt",
        }
    }

    /// The language of a locale such as "pt-BR" or "pt_PT.UTF-8"; `None` for one that is not here.
    pub fn of_locale(locale: &str) -> Option<Self> {
        let code = locale.split(['-', '_', '.', '@']).next()?;
        Self::ALL.into_iter().find(|language| language.code().eq_ignore_ascii_case(code))
    }

    /// The first of the user's languages that is here; else English.
    pub fn of_system() -> Self {
        sys_locale::get_locales().find_map(|locale| Self::of_locale(&locale)).unwrap_or_default()
    }
}
