//! Answers of handlers: JSON in the language of the request, versions, pages of lists, and work on a disk.
//!
//! Runs on tokio's threads; [`blocking`] moves work to those for blocking work.

use axum::{
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use serde::Serialize;

use super::{
    App,
    fault::Fault,
    hub::state::State,
    language::{self, spoken},
};

/// Runs work that reads or writes a disk.
pub(super) async fn blocking<T, E>(
    work: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Result<T, Fault>
where
    T: Send + 'static,
    E: Into<Fault> + Send + 'static,
{
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result.map_err(Into::into),
        // It panicked, which is logged, or the server ends.
        Err(_) => Err(Fault::Internal),
    }
}

/// An answer in JSON, made in the language of the request.
pub(super) fn answer<T: Serialize>(make: impl FnOnce() -> T) -> Response {
    match serde_json::to_string(&spoken(make)) {
        Ok(text) => json_text(text),
        Err(error) => {
            tracing::error!("could not write an answer: {error}");
            Fault::Internal.into_response()
        }
    }
}

/// An answer in JSON with a status.
pub(super) fn answer_with<T: Serialize>(status: StatusCode, make: impl FnOnce() -> T) -> Response {
    (status, answer(make)).into_response()
}

pub(super) fn json_text(text: String) -> Response {
    let json = HeaderValue::from_static("application/json");
    ([(header::CONTENT_TYPE, json), (header::CACHE_CONTROL, no_cache())], text).into_response()
}

pub(super) fn no_cache() -> HeaderValue {
    HeaderValue::from_static("no-cache")
}

/// An answer that clients may keep for as long as its `ETag` is the same. `make` is only called if the
/// client has another version.
pub(super) fn versioned<T: Serialize>(
    headers: &HeaderMap,
    version: &str,
    make: impl FnOnce() -> T,
) -> Response {
    let tag = etag(&format!("{version}-{}", language::current().tag()), true);
    let mut response = if is_known(headers, &tag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        answer(make)
    };
    response.headers_mut().insert(header::ETAG, tag);
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("Accept-Language"));
    response
}

/// An `ETag`; a weak one names content that may differ in bytes.
pub(super) fn etag(version: &str, is_weak: bool) -> HeaderValue {
    let text = if is_weak { format!("W/\"{version}\"") } else { format!("\"{version}\"") };
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static("\"\""))
}

/// Whether the client has this version.
pub(super) fn is_known(headers: &HeaderMap, tag: &HeaderValue) -> bool {
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let plain = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let Ok(tag) = tag.to_str().map(plain) else { return false };
    known.is_some_and(|known| known.trim() == "*" || known.split(',').any(|one| plain(one) == tag))
}

/// Version of answers that depend on the engine's state. It differs between runs of the server.
pub(super) fn state_version(app: &App, state: &State) -> String {
    format!("{:x}-{:x}", app.hub.run(), state.version)
}

/// A page of a list.
#[derive(Clone, Copy, Debug, serde::Deserialize, utoipa::IntoParams)]
#[serde(default)]
pub(super) struct Page {
    /// Number of entries to skip.
    pub offset: usize,
    /// Maximum number of entries, up to 200.
    pub limit: usize,
}

impl Default for Page {
    fn default() -> Self {
        Self { offset: 0, limit: 50 }
    }
}

impl Page {
    const MOST: usize = 200;

    pub fn of<T>(self, all: impl Iterator<Item = T>) -> impl Iterator<Item = T> {
        all.skip(self.offset).take(self.limit.min(Self::MOST))
    }
}
