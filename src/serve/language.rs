//! The language of a request, from its `Accept-Language`. Async code changes threads between requests,
//! so that the language of the thread is set only while a text is made.

use axum::{
    extract::Request,
    http::{HeaderMap, header},
    middleware::Next,
    response::Response,
};

use super::headers::accept_language;
use crate::i18n::{self, Language};

tokio::task_local! {
    static LANGUAGE: Language;
}

/// Sets the language for the rest of a request's handling.
pub(super) async fn set(request: Request, next: Next) -> Response {
    let language = of_headers(request.headers());
    LANGUAGE.scope(language, next.run(request)).await
}

/// The language of the request that this task handles; English outside of requests.
pub(super) fn current() -> Language {
    LANGUAGE.try_with(|language| *language).unwrap_or_else(|_| Language::english())
}

/// Calls `text` in a language.
pub(super) fn speaking<T>(language: Language, text: impl FnOnce() -> T) -> T {
    let before = i18n::spoken();
    i18n::speak(language);
    let text = text();
    i18n::speak(before);
    text
}

/// Calls `text` in the language of the request that this task handles.
pub(super) fn spoken<T>(text: impl FnOnce() -> T) -> T {
    speaking(current(), text)
}

/// The best language for `Accept-Language`.
pub(super) fn of_headers(headers: &HeaderMap) -> Language {
    let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    let languages = accepted.map(accept_language::by_weight).unwrap_or_default();
    languages.into_iter().find_map(Language::for_locale).unwrap_or_else(Language::english)
}
