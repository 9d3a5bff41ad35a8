//! The token of a browser: kept in a cookie that scripts cannot read.

use axum::{
    extract::{ConnectInfo, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::body::Json;
use crate::serve::{
    App,
    access::COOKIE,
    answers::answer,
    fault::Fault,
    listener::Peer,
    views::{self, Session},
};

/// Time for which a browser keeps the token, in seconds: 90 days.
const KEPT_SECONDS: u32 = 90 * 24 * 3600;

/// Show whether a token is needed.
#[utoipa::path(get, path = "/api/v1/session", tag = "session", responses((status = 200, body = Session)))]
pub(super) async fn get_session(State(app): State<App>, headers: HeaderMap) -> Response {
    answer(|| Session {
        needs_token: app.access.needs_token(),
        is_open: app.access.is_open(&headers),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    })
}

/// The token.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Token {
    token: String,
}

/// Send the token; the answer sets a cookie.
#[utoipa::path(post, path = "/api/v1/session", tag = "session", request_body = Token,
    responses((status = 204), (status = 401, body = views::Problem), (status = 429, body = views::Problem)))]
pub(super) async fn open(
    State(app): State<App>,
    ConnectInfo(Peer(from)): ConnectInfo<Peer>,
    Json(Token { token }): Json<Token>,
) -> Result<Response, Fault> {
    app.access.check_token(&token, from)?;
    // Without a token, nothing a client sends may become part of the header.
    let cookie = if app.access.needs_token() { cookie(&app, &token, KEPT_SECONDS) } else { None };
    let mut response = StatusCode::NO_CONTENT.into_response();
    if let Some(cookie) = cookie {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// Forget the token.
#[utoipa::path(delete, path = "/api/v1/session", tag = "session", responses((status = 204)))]
pub(super) async fn close(State(app): State<App>) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    if let Some(cookie) = cookie(&app, "", 0) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

fn cookie(app: &App, token: &str, seconds: u32) -> Option<HeaderValue> {
    let secure = if app.options.tls.is_some() { "; Secure" } else { "" };
    let text =
        format!("{COOKIE}={token}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}");
    HeaderValue::try_from(text).ok()
}
