//! The addresses of the server, one file for each group, and what all answers share.
//!
//! Handlers run on tokio's threads and only wait there; [`blocking`] runs what reads or writes a disk.

mod body;
mod events;
mod exports;
mod jobs;
mod lanes;
mod models;
mod page;
mod session;
mod songs;
mod status;
mod uploads;

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use axum::{
    Router,
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::get,
};
use serde::Serialize;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(super) use body::Json;
pub(super) use exports::Exports;

use super::{
    App, access,
    fault::Fault,
    language::{self, spoken},
    metrics, views,
};

/// What browsers may load and do with the page. All of it comes from the server itself.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; \
                      media-src 'self' blob:; connect-src 'self'; font-src 'self'; manifest-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Headers of every answer.
const HEADERS: [(&str, &str); 6] = [
    ("content-security-policy", POLICY),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
];

/// The description's own facts; the handlers add the rest.
#[derive(OpenApi)]
#[openapi(
    info(title = "Partita", description = "Separates songs into their instruments."),
    components(schemas(views::Problem))
)]
struct Description;

/// All addresses.
pub(super) fn router(app: App) -> Router {
    let (router, description) = api().split_for_parts();
    let description = serde_json::to_string(&description).unwrap_or_default();
    let openapi = move || async move { json_text(description) };
    router
        .route("/api/v1/openapi.json", get(openapi))
        .merge(page::router())
        .fallback(async || Fault::UnknownAddress)
        .method_not_allowed_fallback(async || Fault::Method)
        .layer(middleware::from_fn_with_state(Arc::clone(&app), access::check))
        .layer(CatchPanicLayer::custom(|_: Box<dyn std::any::Any + Send>| {
            Fault::Internal.into_response()
        }))
        .layer(middleware::from_fn_with_state(Arc::clone(&app), metrics::count))
        .layer(middleware::from_fn(common))
        .layer(middleware::from_fn(language::set))
        .with_state(app)
}

/// The addresses of the interface, with their description.
fn api() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(Description::openapi())
        .routes(routes!(session::get_session, session::open, session::close))
        .routes(routes!(songs::list, songs::submit))
        .routes(routes!(songs::get_song, songs::rename, songs::remove))
        .routes(routes!(songs::cover))
        .routes(routes!(songs::reset))
        .routes(routes!(uploads::options, uploads::create))
        .routes(routes!(uploads::offset, uploads::get_upload, uploads::append, uploads::remove))
        .routes(routes!(models::list))
        .routes(routes!(models::get_options, models::set_options))
        .routes(routes!(jobs::process))
        .routes(routes!(jobs::progress))
        .routes(routes!(jobs::list))
        .routes(routes!(jobs::get_job, jobs::remove))
        .routes(routes!(jobs::cancel))
        .routes(routes!(jobs::pause))
        .routes(routes!(jobs::resume))
        .routes(routes!(jobs::retry))
        .routes(routes!(jobs::track))
        .routes(routes!(lanes::list))
        .routes(routes!(lanes::sound))
        .routes(routes!(lanes::peaks))
        .routes(routes!(lanes::get_mixer, lanes::set_mixer))
        .routes(routes!(exports::create))
        .routes(routes!(exports::list))
        .routes(routes!(exports::get_export, exports::remove))
        .routes(routes!(exports::file))
        .routes(routes!(exports::archive))
        .routes(routes!(exports::formats))
        .routes(routes!(events::stream))
        .routes(routes!(status::health))
        .routes(routes!(status::metrics))
}

/// Adds the headers of every answer, and a number by which the log and the client name a request.
async fn common(request: Request, next: Next) -> Response {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let line = format!("{} {}", request.method(), request.uri().path().escape_debug());
    let mut response = next.run(request).await;
    tracing::debug!("request {number}: {line}: {}", response.status().as_u16());
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    headers.insert(HeaderName::from_static("x-request-id"), number.into());
    response
}

/// Does what has to be done from time to time, until the server ends.
pub(super) async fn keep_house(app: App) {
    tokio::join!(uploads::keep_house(Arc::clone(&app)), exports::keep_house(app));
}

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
fn answer<T: Serialize>(make: impl FnOnce() -> T) -> Response {
    match serde_json::to_string(&spoken(make)) {
        Ok(text) => json_text(text),
        Err(error) => {
            tracing::error!("could not write an answer: {error}");
            Fault::Internal.into_response()
        }
    }
}

/// An answer in JSON with a status.
fn answer_with<T: Serialize>(status: StatusCode, make: impl FnOnce() -> T) -> Response {
    (status, answer(make)).into_response()
}

fn json_text(text: String) -> Response {
    let json = HeaderValue::from_static("application/json");
    ([(header::CONTENT_TYPE, json), (header::CACHE_CONTROL, no_cache())], text).into_response()
}

fn no_cache() -> HeaderValue {
    HeaderValue::from_static("no-cache")
}

/// An answer that clients may keep for as long as its `ETag` is the same. `make` is only called if the
/// client has another version.
fn versioned<T: Serialize>(
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
fn etag(version: &str, is_weak: bool) -> HeaderValue {
    let text = if is_weak { format!("W/\"{version}\"") } else { format!("\"{version}\"") };
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static("\"\""))
}

/// Whether the client has this version.
fn is_known(headers: &HeaderMap, tag: &HeaderValue) -> bool {
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let plain = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let Ok(tag) = tag.to_str().map(plain) else { return false };
    known.is_some_and(|known| known.trim() == "*" || known.split(',').any(|one| plain(one) == tag))
}

/// Version of answers that depend on the engine's state. It differs between runs of the server.
fn state_version(app: &App, state: &super::hub::state::State) -> String {
    format!("{:x}-{:x}", app.hub.run(), state.version)
}

/// A page of a list.
#[derive(Clone, Copy, Debug, serde::Deserialize, utoipa::IntoParams)]
#[serde(default)]
struct Page {
    /// Number of entries to skip.
    offset: usize,
    /// Maximum number of entries, up to 200.
    limit: usize,
}

impl Default for Page {
    fn default() -> Self {
        Self { offset: 0, limit: 50 }
    }
}

impl Page {
    const MOST: usize = 200;

    fn of<T>(self, all: impl Iterator<Item = T>) -> impl Iterator<Item = T> {
        all.skip(self.offset).take(self.limit.min(Self::MOST))
    }
}

#[cfg(test)]
mod tests;
