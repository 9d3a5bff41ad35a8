//! The program's messages in the user's language, from the Fluent files in `assets/i18n`, which are
//! embedded in the binary. Each folder there is a language, found by the build script.
//!
//! The compiler checks [`fl!`], because the build script generates a function for each English
//! message. With them, `fluent-bundle` is lighter than `i18n-embed` with its own `fl!`, and a
//! message without arguments is a borrowed string, cheap enough for every frame. A message that a
//! language lacks is shown in English. Each thread has its own language, English by default
//! ([`speak`]).
//!
//! A leaf module: words, window and command line use it, engine and model do not. Fields of JSON, log
//! lines and error identifiers are always English.

mod catalog;
#[cfg(test)]
mod entries;
mod language;
mod medium;
pub(crate) mod numbers;
#[cfg(test)]
mod tests;

pub use language::{Language, LanguageError, speak, spoken};
pub use medium::{Medium, write_for};

use std::borrow::Cow;

use catalog::Source;
use fluent_bundle::{FluentArgs, FluentValue};

/// The functions generated from the English messages.
#[expect(non_camel_case_types, reason = "the arguments of a message have the message's name")]
#[expect(clippy::doc_markdown, reason = "messages are for people, not documentation")]
pub(crate) mod messages {
    include!(concat!(env!("OUT_DIR"), "/messages.rs"));
}

/// Formats a message in the language of this thread: `fl!(song_continue)`, or with variables
/// `fl!(library_importing, percent = "42 %")`. Dashes and dots of an id become underscores. Returns
/// `&'static str` without variables, otherwise `String`.
macro_rules! fl {
    ($id:ident) => { $crate::i18n::messages::$id() };
    ($id:ident, $($name:ident = $value:expr),+ $(,)?) => {
        $crate::i18n::messages::$id($crate::i18n::messages::$id { $($name: ($value).into()),+ })
    };
}
pub(crate) use fl;

/// A string as an argument.
pub(crate) struct Text<'a>(Cow<'a, str>);

impl<'a, T: Into<Cow<'a, str>>> From<T> for Text<'a> {
    fn from(text: T) -> Self {
        Self(text.into())
    }
}

impl<'a> From<Text<'a>> for FluentValue<'a> {
    fn from(text: Text<'a>) -> Self {
        Self::String(text.0)
    }
}

/// A number as an argument, which selects the plural and is formatted by the language.
pub(crate) struct Number(f64);

impl From<Number> for FluentValue<'_> {
    fn from(number: Number) -> Self {
        number.0.into()
    }
}

macro_rules! number {
    ($($kind:ty)+) => {
        $(impl From<$kind> for Number {
            fn from(number: $kind) -> Self {
                Self(number as f64)
            }
        })+
    };
}
number!(u8 u16 u32 u64 usize i32 i64 f32 f64);

/// The message with this index, which has no variables.
fn fixed(index: usize) -> &'static str {
    let english = &messages::LANGUAGES[0];
    spoken().source().fixed(index).or_else(|| english.fixed(index)).unwrap_or_default()
}

/// The message with this id, without variables, for ids that are only known at run time. `None` if the
/// language of this thread lacks it; there is no fallback to English.
pub(crate) fn by_id(id: &str) -> Option<String> {
    spoken().source().by_id(id, &FluentArgs::new())
}

/// Calls `text` in English, and returns to this thread's language.
pub fn in_english<T>(text: impl FnOnce() -> T) -> T {
    let language = spoken();
    speak(Language::english());
    let text = text();
    speak(language);
    text
}

/// The message with this index and its variables.
fn formatted<const N: usize>(index: usize, arguments: [(&str, FluentValue<'_>); N]) -> String {
    let arguments = arguments.into_iter().collect();
    let english = &messages::LANGUAGES[0];
    let message = spoken().source().formatted(index, &arguments);
    message.or_else(|| english.formatted(index, &arguments)).unwrap_or_default()
}
