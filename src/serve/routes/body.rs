//! Bodies and parameters of requests, with errors as answers.

use axum::{
    body::{Body, Bytes},
    extract::{FromRequest, FromRequestParts, Request},
    http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse as _, Response},
};
use futures_util::StreamExt as _;
use http_body_util::{BodyExt as _, Limited};
use serde::de::DeserializeOwned;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};

use crate::serve::{
    answers::{etag, is_known, no_cache},
    fault::Fault,
    headers::ranges::{self, Asked},
    uploads::in_time,
};

/// Maximum size of a body in JSON.
const MOST_BYTES: usize = 256 << 10;

/// A body in JSON. Another content type is rejected: a page of another site could send it without asking
/// the browser for permission.
pub(in crate::serve) struct Json<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Fault;

    async fn from_request(request: Request, _: &S) -> Result<Self, Fault> {
        let kind = request.headers().get(header::CONTENT_TYPE);
        let is_json = kind.and_then(|kind| kind.to_str().ok()).is_some_and(is_json);
        let bytes = small_body(request.into_body()).await?;
        if !is_json && !bytes.is_empty() {
            return Err(Fault::NotJson);
        }
        // No body stands for no fields.
        let text: &[u8] = if bytes.is_empty() { b"{}" } else { &bytes };
        // Lists would be read as fields in their order.
        if text.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{') {
            return Err(Fault::Request("a JSON object is expected".into()));
        }
        serde_json::from_slice(text).map(Self).map_err(|error| Fault::Request(error.to_string()))
    }
}

fn is_json(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default();
    kind.trim().eq_ignore_ascii_case("application/json")
}

async fn small_body(body: Body) -> Result<Bytes, Fault> {
    let collected = in_time(Limited::new(body, MOST_BYTES).collect()).await?;
    let too_large = |_| Fault::TooLarge { most: MOST_BYTES as u64 };
    collected.map(http_body_util::Collected::to_bytes).map_err(too_large)
}

/// Parameters of an address.
pub(in crate::serve) struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Fault> {
        let query = axum::extract::Query::try_from_uri(&parts.uri);
        query
            .map(|axum::extract::Query(value)| Self(value))
            .map_err(|error| Fault::Request(error.to_string()))
    }
}

/// Name of a downloaded file, for `Content-Disposition`.
pub(super) fn attachment(name: &str) -> HeaderValue {
    let plain: String = name
        .chars()
        .map(|c| {
            if c.is_ascii_graphic() && !matches!(c, '"' | '\\' | '%') || c == ' ' { c } else { '_' }
        })
        .collect();
    let escaped = crate::serve::views::escaped(name);
    let text = format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{escaped}");
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static("attachment"))
}

/// Answers with a file, or the part of it that the client asks for.
///
/// # Errors
/// The file cannot be opened, or the range lies outside of it.
pub(super) async fn file(
    path: std::path::PathBuf,
    name: &str,
    content_type: &'static str,
    headers: &HeaderMap,
) -> Result<Response, Fault> {
    let gone = |_| Fault::UnknownThing { what: "file", id: name.to_owned() };
    let mut file = tokio::fs::File::open(&path).await.map_err(gone)?;
    let metadata = file.metadata().await.map_err(gone)?;
    let changed =
        metadata.modified().ok().and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
    let bytes = metadata.len();
    let tag = etag(&format!("{bytes:x}-{:x}", changed.unwrap_or_default().as_nanos()), false);
    let part = Part::of(headers, bytes, &tag)?;
    let Part::Bytes { range, .. } = &part else { return Ok(part.answer(&tag, Body::empty())) };
    file.seek(std::io::SeekFrom::Start(range.start)).await.map_err(gone)?;
    let stream =
        tokio_util::io::ReaderStream::with_capacity(file.take(range.end - range.start), 64 << 10);
    let mut response = part.answer(&tag, Body::from_stream(stream));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response.headers_mut().insert(header::CONTENT_DISPOSITION, attachment(name));
    Ok(response)
}

/// The part of a content that is answered.
pub(super) enum Part {
    /// The client has it.
    Known,
    /// These bytes of all.
    Bytes { range: std::ops::Range<u64>, all: u64, is_part: bool },
}

impl Part {
    /// The part that a request asks for of `all` bytes with this tag.
    ///
    /// # Errors
    /// [`Fault::Range`].
    pub fn of(headers: &HeaderMap, all: u64, tag: &HeaderValue) -> Result<Self, Fault> {
        if is_known(headers, tag) {
            return Ok(Self::Known);
        }
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        // A client that has a part of another version gets all of this one.
        let is_current = headers.get(header::IF_RANGE).is_none_or(|known| known == tag);
        let asked = text(header::RANGE).filter(|_| is_current);
        match ranges::asked(asked, all) {
            Asked::All => Ok(Self::Bytes { range: 0..all, all, is_part: false }),
            Asked::Part(range) => Ok(Self::Bytes { range, all, is_part: true }),
            Asked::Outside => Err(Fault::Range { bytes: all }),
        }
    }

    /// The answer with the bytes of the range as its body.
    pub fn answer(self, tag: &HeaderValue, body: Body) -> Response {
        let mut response = match self {
            Self::Known => StatusCode::NOT_MODIFIED.into_response(),
            Self::Bytes { range, all, is_part } => {
                let mut response = Response::new(body);
                let headers = response.headers_mut();
                headers.insert(header::CONTENT_LENGTH, (range.end - range.start).into());
                if is_part {
                    let text = format!("bytes {}-{}/{all}", range.start, range.end - 1);
                    if let Ok(value) = HeaderValue::try_from(text) {
                        headers.insert(header::CONTENT_RANGE, value);
                    }
                    *response.status_mut() = StatusCode::PARTIAL_CONTENT;
                }
                response
            }
        };
        let headers = response.headers_mut();
        headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        headers.insert(header::ETAG, tag.clone());
        headers.insert(header::CACHE_CONTROL, no_cache());
        response
    }
}

/// A body that is made block by block on threads for blocking work, as fast as the client takes it.
/// `next` returns an empty block at the end.
pub(super) fn blocks<F>(next: F) -> Body
where
    F: FnMut() -> std::io::Result<Vec<u8>> + Send + 'static,
{
    let stream = futures_util::stream::unfold(Some(next), |next| async {
        let mut next = next?;
        let read = tokio::task::spawn_blocking(move || (next(), next)).await;
        match read {
            Ok((Ok(block), _)) if block.is_empty() => None,
            Ok((Ok(block), next)) => Some((Ok(Bytes::from(block)), Some(next))),
            Ok((Err(error), _)) => Some((Err(error), None)),
            Err(error) => Some((Err(std::io::Error::other(error.to_string())), None)),
        }
    });
    Body::from_stream(stream.boxed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_cannot_leave_the_header() {
        let name = "a\r\nSet-Cookie: x\"é\\.wav";
        let value = attachment(name);
        let text = value.to_str().unwrap();
        assert!(text.starts_with("attachment; filename=\"a__Set-Cookie: x___.wav\";"), "{text}");
        assert!(text.ends_with("%C3%A9%5C.wav"), "{text}");
    }
}
