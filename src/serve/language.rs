//! The language of a request, from its `Accept-Language`. Async code changes threads between requests,
//! so that the language of the thread is set only while a text is made.

use std::cell::Cell;

use axum::{
    extract::Request,
    http::{HeaderMap, header},
    middleware::Next,
    response::Response,
};

use crate::i18n::{self, Language};

tokio::task_local! {
    static LANGUAGE: Cell<Language>;
}

/// Sets the language for the rest of a request's handling.
pub(super) async fn set(request: Request, next: Next) -> Response {
    let language = of_headers(request.headers());
    LANGUAGE.scope(Cell::new(language), next.run(request)).await
}

/// The language of the request that this task handles; English outside of requests.
pub(super) fn current() -> Language {
    LANGUAGE.try_with(Cell::get).unwrap_or_else(|_| Language::english())
}

/// Calls `text` in a language.
pub(super) fn speaking<T>(language: Language, text: impl FnOnce() -> T) -> T {
    let before = i18n::spoken();
    i18n::speak(language);
    let text = text();
    i18n::speak(before);
    text
}

/// Calls `text` in English, for the log.
pub(super) fn in_english<T>(text: impl FnOnce() -> T) -> T {
    speaking(Language::english(), text)
}

/// Calls `text` in the language of the request that this task handles.
pub(super) fn spoken<T>(text: impl FnOnce() -> T) -> T {
    speaking(current(), text)
}

/// The best language for `Accept-Language`.
pub(super) fn of_headers(headers: &HeaderMap) -> Language {
    let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    accepted.and_then(preferred).unwrap_or_else(Language::english)
}

/// The available language with the greatest weight in a header such as `pt-BR,pt;q=0.9,en;q=0.8`.
fn preferred(accepted: &str) -> Option<Language> {
    const MOST: usize = 32;
    let weighted = |entry: &str| {
        let mut parts = entry.split(';').map(str::trim);
        let language = Language::for_locale(parts.next()?)?;
        let weight = parts.find_map(|part| part.strip_prefix("q="));
        Some((language, weight.map_or(Some(1.0), |weight| weight.parse().ok())?))
    };
    let entries = accepted.split(',').take(MOST).filter_map(weighted);
    let better = |best: Option<(Language, f32)>, next: (Language, f32)| match best {
        Some(best) if best.1 >= next.1 => Some(best),
        _ => Some(next),
    };
    entries.filter(|(_, weight)| *weight > 0.0).fold(None, better).map(|(language, _)| language)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_with_the_greatest_weight_is_chosen() {
        for (accepted, expected) in [
            ("pt-BR,pt;q=0.9,en;q=0.8", Some("pt-BR")),
            ("de, en;q=0.5, pt;q=0.7", Some("pt-BR")),
            ("en, pt", Some("en")),
            ("pt;q=0, en;q=0.1", Some("en")),
            ("de", None),
            ("", None),
            (";;;,q=1,\u{0}", None),
        ] {
            assert_eq!(preferred(accepted).map(Language::tag), expected, "{accepted}");
        }
    }
}
