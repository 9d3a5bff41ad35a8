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
    use std::collections::BTreeSet;

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

    /// The ids in calls of `t("id", …)` in the page's modules.
    fn ids() -> BTreeSet<String> {
        let modules = ASSETS.iter().filter(|asset| asset.content_type.contains("javascript"));
        let mut ids = BTreeSet::new();
        for module in modules.filter(|module| !module.name.starts_with("vendor/")) {
            let text = std::str::from_utf8(module.bytes).unwrap();
            for (at, _) in text.match_indices("t(") {
                let is_name = |c: char| c.is_alphanumeric() || c == '_' || c == '.' || c == '$';
                if text[..at].ends_with(is_name) {
                    continue;
                }
                let id = text[at + 2..].trim_start().strip_prefix('"').unwrap_or_default();
                ids.extend(id.split_once('"').map(|(id, _)| id.to_owned()));
            }
        }
        ids
    }

    /// Whether messages in Fluent's form define an id, or the attribute `id.attribute`.
    fn defines(messages: &str, id: &str) -> bool {
        let (id, attribute) = id.split_once('.').map_or((id, None), |(id, part)| (id, Some(part)));
        let Some((_, message)) = messages.split_once(&format!("\n{id} =")) else { return false };
        // A message ends where a line is not indented.
        let lines = message.lines().skip(1).take_while(|line| line.starts_with(' '));
        attribute.is_none_or(|attribute| {
            let start = format!(".{attribute} =");
            lines.into_iter().any(|line| line.trim_start().starts_with(&start))
        })
    }

    #[test]
    fn every_message_of_the_page_exists_and_is_used() {
        let ids = ids();
        assert!(ids.len() > 100, "{}", ids.len());
        for language in Language::all() {
            let text = format!("\n{}", language.text());
            for id in &ids {
                assert!(defines(&text, id), "{}: {id}", language.tag());
            }
        }
        let own = include_str!("../../../assets/i18n/en/page.ftl");
        let defined = own.lines().filter_map(|line| line.split_once(" =")).map(|(id, _)| id);
        for id in defined.filter(|id| id.starts_with("page-")) {
            assert!(ids.contains(id), "no module uses {id}");
        }
    }

    #[test]
    fn every_module_is_loaded_at_once() {
        let index = ASSETS.iter().find(|asset| asset.name == "index.html").unwrap();
        let text = std::str::from_utf8(index.bytes).unwrap();
        let modules = ASSETS.iter().filter(|asset| asset.content_type.contains("javascript"));
        for module in modules.filter(|module| !module.name.starts_with("vendor/")) {
            assert!(text.contains(&format!("\"/assets/{}\"", module.name)), "{}", module.name);
        }
    }
}
