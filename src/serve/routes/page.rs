//! The web page: files that are part of the program, and the window's messages in every language.

use std::sync::LazyLock;

use axum::{
    Router,
    extract::Path,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use sha2::{Digest as _, Sha256};

use crate::{
    i18n::Language,
    model::weights::hex,
    serve::{
        App,
        answers::{etag, is_known, no_cache},
        fault::Fault,
    },
};

/// A file of the page.
struct Asset {
    name: &'static str,
    content_type: &'static str,
    bytes: &'static [u8],
}

include!(concat!(env!("OUT_DIR"), "/page_assets.rs"));

static TAGS: LazyLock<Vec<HeaderValue>> =
    LazyLock::new(|| ASSETS.iter().map(|asset| tag_of(asset.bytes)).collect());

fn tag_of(bytes: &[u8]) -> HeaderValue {
    let digest = Sha256::digest(bytes);
    etag(&hex(&digest[..12]), false)
}

pub(super) fn router() -> Router<App> {
    Router::new()
        .route("/", get(async |headers: HeaderMap| asset(&headers, "index.html")))
        .route("/favicon.ico", get(async |headers: HeaderMap| asset(&headers, "icon.png")))
        .route(
            "/assets/{*name}",
            get(async |headers: HeaderMap, Path(name): Path<String>| asset(&headers, &name)),
        )
        .route("/words/{name}", get(words))
}

/// Answers with a file of the program; names are only compared, and never reach a disk.
fn asset(headers: &HeaderMap, name: &str) -> Result<Response, Fault> {
    let at = ASSETS.iter().position(|asset| asset.name == name).ok_or(Fault::UnknownAddress)?;
    let Asset { content_type, bytes, .. } = ASSETS[at];
    Ok(content(headers, content_type, &TAGS[at], bytes))
}

fn content(
    headers: &HeaderMap,
    content_type: &'static str,
    tag: &HeaderValue,
    bytes: impl IntoResponse,
) -> Response {
    let mut response = if is_known(headers, tag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(header::CONTENT_TYPE, HeaderValue::from_static(content_type))], bytes).into_response()
    };
    response.headers_mut().insert(header::ETAG, tag.clone());
    response.headers_mut().insert(header::CACHE_CONTROL, no_cache());
    response
}

/// The messages of a language, as Fluent reads them.
async fn words(headers: HeaderMap, Path(name): Path<String>) -> Result<Response, Fault> {
    let tag = name.strip_suffix(".ftl").ok_or(Fault::UnknownAddress)?;
    let language = Language::all().find(|language| language.tag() == tag);
    let text = language.ok_or(Fault::UnknownAddress)?.text();
    let tag = tag_of(text.as_bytes());
    Ok(content(&headers, "text/plain; charset=utf-8", &tag, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_loads_nothing_that_the_program_lacks() {
        let index = ASSETS.iter().find(|asset| asset.name == "index.html").unwrap();
        let text = std::str::from_utf8(index.bytes).unwrap();
        let mut loaded = 0;
        for attribute in ["src=\"", "href=\""] {
            for rest in text.split(attribute).skip(1) {
                let address = rest.split('"').next().unwrap();
                if let Some(name) = address.strip_prefix("/assets/") {
                    assert!(ASSETS.iter().any(|asset| asset.name == name), "{name}");
                    loaded += 1;
                }
            }
        }
        assert!(loaded > 1);
        assert!(!text.contains("style=\"") && !text.contains("onclick"), "the policy forbids them");
    }
}
