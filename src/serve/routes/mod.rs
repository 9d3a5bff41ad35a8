//! The addresses of the server, one file for each group, and what all answers share.
//!
//! Handlers run on tokio's threads and only wait there; what reads or writes a disk is
//! [`blocking`](super::answers::blocking).

mod archive;
mod body;
mod events;
mod export_request;
mod exports;
mod jobs;
mod known;
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
    http::{HeaderName, HeaderValue, StatusCode},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::{Value, json};
use tower_http::catch_panic::CatchPanicLayer;
use utoipa::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(super) use exports::Exports;

use super::{App, access, answers::json_text, drain, fault::Fault, language, metrics, views};

/// The rules for browsers: the page loads everything from the server itself. The shifter of the pitch
/// is WebAssembly, which needs a permission of its own.
const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' blob: data:; \
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
    let description = described(&description).to_string();
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
        .layer(middleware::from_fn(drain::rest))
        .layer(middleware::from_fn(common))
        .layer(middleware::from_fn(language::set))
        .with_state(app)
}

/// The description with what all addresses have in common: texts of statuses, the content type of
/// errors, and answers to clients that have the content already.
fn described(description: &utoipa::openapi::OpenApi) -> Value {
    const PROBLEM: &str = "application/problem+json";
    let mut description = serde_json::to_value(description).unwrap_or_default();
    let paths = description["paths"].as_object_mut().into_iter().flatten();
    for (_, path) in paths {
        for (method, operation) in path.as_object_mut().into_iter().flatten() {
            // Names of handlers repeat from file to file.
            let parts = [&operation["tags"][0], &operation["operationId"]];
            let id = parts.map(|part| part.as_str().unwrap_or_default()).join("_");
            operation["operationId"] = id.into();
            let Some(responses) = operation["responses"].as_object_mut() else { continue };
            if method == "get" {
                responses.insert("304".into(), Value::Object(serde_json::Map::new()));
            }
            let problem = |status: &str| {
                let reference = json!({ "$ref": "#/components/schemas/Problem" });
                let content = json!({ PROBLEM: { "schema": reference } });
                json!({ "description": status, "content": content })
            };
            responses.entry("4XX").or_insert_with(|| problem("The request was rejected"));
            responses.entry("5XX").or_insert_with(|| problem("The server could not answer"));
            for (status, response) in responses {
                let code = status.parse().ok().and_then(|code| StatusCode::from_u16(code).ok());
                let text = code.and_then(|code| code.canonical_reason());
                let text = text.unwrap_or("The request was rejected");
                if response["description"].as_str().is_none_or(str::is_empty) {
                    response["description"] = text.into();
                }
                let is_problem =
                    |content: &Value| content["schema"]["$ref"] == "#/components/schemas/Problem";
                if let Some(content) = response.get_mut("content").and_then(Value::as_object_mut)
                    && content.get("application/json").is_some_and(is_problem)
                    && let Some(of_problem) = content.remove("application/json")
                {
                    content.insert(PROBLEM.into(), of_problem);
                }
            }
        }
    }
    description
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
        .routes(routes!(models::install))
        .routes(routes!(models::cancel_installation))
        .routes(routes!(models::remove))
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

#[cfg(test)]
mod test_server;
#[cfg(test)]
mod tests;
