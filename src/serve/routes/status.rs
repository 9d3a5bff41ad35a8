//! Health and counters, for those who watch over servers.

use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse as _, Response},
};

use crate::{
    engine::{Job, ModelState},
    serve::{App, answers::answer, metrics, views::Health},
};

/// Show whether the server works. Without the token, nothing else.
#[utoipa::path(get, path = "/api/v1/health", tag = "status", responses((status = 200, body = Health)))]
pub(super) async fn health(State(app): State<App>, headers: HeaderMap) -> Response {
    let state = app.hub.state();
    let is_open = app.access.is_open(&headers);
    let active = state.jobs.values().filter(|job| Job::is_active(job)).count();
    answer(|| Health {
        status: "ok".into(),
        is_ready: is_open.then(|| matches!(state.model, Some(ModelState::Ready { .. }))),
        songs: is_open.then(|| state.songs.len()),
        jobs_active: is_open.then_some(active),
        version: env!("CARGO_PKG_VERSION").into(),
    })
}

/// Show counters in Prometheus' text format.
#[utoipa::path(get, path = "/api/v1/metrics", tag = "status",
    responses((status = 200, content_type = "text/plain", body = String)))]
pub(super) async fn metrics(State(app): State<App>) -> Response {
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    ([(header::CONTENT_TYPE, kind)], metrics::text(&app)).into_response()
}
