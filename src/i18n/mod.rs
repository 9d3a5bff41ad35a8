//! The program's messages in the user's language, from the Fluent files of `assets/i18n`, which are
//! embedded in the binary. A folder there is a language; the build finds it.
//!
//! [`fl!`] is checked by the compiler: the build script makes a function of each English message
//! (`fluent-bundle` with that is lighter than `i18n-embed` and its `fl!`, and a message without
//! arguments is a borrowed string, which a window that repaints can afford). A message that a language
//! lacks is shown in English. The language is a value of each thread, English at first ([`speak`]).
//!
//! A leaf: the window and the command line use it, engine and model do not. JSON, log lines and
//! identifiers of errors are English and do not come from here.

mod catalog;
#[cfg(test)]
mod entries;
mod language;
pub(crate) mod numbers;
#[cfg(test)]
mod tests;

pub use language::{Language, LanguageError, speak, spoken};

use std::borrow::Cow;

use catalog::Source;
use fluent_bundle::FluentValue;

/// The functions that the build script makes of the English messages.
#[expect(non_camel_case_types, reason = "the arguments of a message have the message's name")]
#[expect(clippy::doc_markdown, reason = "messages are for people, not documentation")]
pub(crate) mod messages {
    include!(concat!(env!("OUT_DIR"), "/messages.rs"));
}

/// A message in the language of this thread: `fl!(song_continue)`, or with its variables
/// `fl!(library_importing, percent = "42 %")`. Dashes and dots of an id are underscores here.
/// `&'static str` without variables, `String` with.
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

/// A number as an argument: the language chooses the plural by it, and writes it.
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

/// The message of this index, which has no variables.
fn fixed(index: usize) -> &'static str {
    let english = &messages::LANGUAGES[0];
    spoken().source().fixed(index).or_else(|| english.fixed(index)).unwrap_or_default()
}

/// The message of this index with its variables.
fn formatted<const N: usize>(index: usize, arguments: [(&str, FluentValue<'_>); N]) -> String {
    let arguments = arguments.into_iter().collect();
    let english = &messages::LANGUAGES[0];
    let message = spoken().source().formatted(index, &arguments);
    message.or_else(|| english.formatted(index, &arguments)).unwrap_or_default()
}
