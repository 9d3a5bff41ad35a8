//! Errors as answers: `application/problem+json` (RFC 9457), in the language of the request.
//!
//! Engine problems come with their typed fields, except for paths of this computer. Pure, but for the
//! request's language.

use axum::{
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value, json};

use super::language::spoken;
use crate::{
    engine::{
        Problem,
        problem::{Class, PatternProblem},
    },
    i18n::{fl, in_english, numbers::decimal},
    words,
};

/// Number of known things that an error lists.
pub(super) const MOST_KNOWN: usize = 20;

/// An error of a request.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Fault {
    /// The engine's.
    Problem(Problem),
    /// No song has this number; some of those that exist, with their titles, and the number of others.
    UnknownSong { id: String, known: Vec<(i64, String)>, more: usize },
    /// The song was never processed.
    NotProcessed { song: i64 },
    /// The job has no such track, or the song no such lane.
    UnknownTrack { name: String, known: Vec<String> },
    /// No such upload, export or file of one.
    UnknownThing { what: &'static str, id: String },
    /// There is nothing at this address.
    UnknownAddress,
    /// The address does not support the method.
    Method,
    /// The request could not be read; the reason, in English.
    Request(String),
    /// A body has another content type than JSON.
    NotJson,
    /// A field has a value that is not accepted; the accepted ones.
    Value { field: &'static str, accepted: String },
    /// A field without effect unless another one is sent as well.
    FieldNeeded { field: &'static str, needed: &'static str },
    /// Bytes of an upload have another content type than tus wants.
    NotBytes,
    /// More bytes were sent than the upload was announced with.
    TooLong { announced: u64 },
    /// The part of the sound that the request asks for is not computed yet.
    NotComputed { covered: Vec<(u64, u64)> },
    /// The range lies outside of the content, which has this many bytes.
    Range { bytes: u64 },
    /// A file is larger than this.
    TooLarge { most: u64 },
    /// The uploaded files would take more than the server grants them.
    NoRoom { needed: u64, free: u64 },
    /// The library holds as many songs as the server permits.
    TooManySongs { most: usize },
    /// Another file than the song's was sent, or none.
    NoFile,
    /// The upload has received another number of bytes.
    Offset { expected: u64 },
    /// The upload is being written by another request.
    UploadBusy,
    /// A tus version that the server does not speak.
    Protocol,
    /// The token is missing or wrong.
    Token,
    /// Too many wrong tokens; the seconds until the next one is accepted.
    TooManyTries { seconds: u64 },
    /// The host is not one of this computer.
    Host { host: String },
    /// A page of another site sent the request.
    Origin,
    /// The reset was not confirmed; what it would remove.
    Confirmation { songs: usize, jobs: usize },
    /// The server has as many clients as it permits.
    Busy,
    /// The client sent nothing for too long.
    Slow,
    /// A fault of the program.
    Internal,
}

impl From<Problem> for Fault {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<PatternProblem> for Fault {
    fn from(problem: PatternProblem) -> Self {
        Self::Problem(problem.into())
    }
}

impl Fault {
    /// The status of the answer.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Problem(problem) => status_of(problem),
            Self::UnknownSong { .. }
            | Self::NotProcessed { .. }
            | Self::UnknownTrack { .. }
            | Self::UnknownThing { .. }
            | Self::UnknownAddress => StatusCode::NOT_FOUND,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::NotJson | Self::NotBytes => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Request(_) | Self::NoFile => StatusCode::BAD_REQUEST,
            Self::Value { .. } | Self::FieldNeeded { .. } | Self::Confirmation { .. } => {
                StatusCode::UNPROCESSABLE_ENTITY
            }
            Self::NotComputed { .. } | Self::Offset { .. } => StatusCode::CONFLICT,
            Self::UploadBusy => StatusCode::LOCKED,
            Self::Protocol => StatusCode::PRECONDITION_FAILED,
            Self::Range { .. } => StatusCode::RANGE_NOT_SATISFIABLE,
            Self::TooLarge { .. } | Self::TooLong { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::NoRoom { .. } | Self::TooManySongs { .. } => StatusCode::INSUFFICIENT_STORAGE,
            Self::Token => StatusCode::UNAUTHORIZED,
            Self::TooManyTries { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Host { .. } => StatusCode::MISDIRECTED_REQUEST,
            Self::Origin => StatusCode::FORBIDDEN,
            Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::Slow => StatusCode::REQUEST_TIMEOUT,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The identifier for programs, and the typed fields.
    fn fields(&self) -> (String, Map<String, Value>) {
        let (code, fields) = match self {
            Self::Problem(problem) => return problem_fields(problem),
            Self::UnknownSong { id, known, more } => {
                let song = |(id, title): &(i64, String)| json!({ "id": id, "title": title });
                let known: Vec<Value> = known.iter().map(song).collect();
                ("unknown_song", json!({ "id": id, "known": known, "more": more }))
            }
            Self::NotProcessed { song } => ("not_processed", json!({ "song": song })),
            Self::UnknownTrack { name, known } => {
                ("unknown_track", json!({ "name": name, "known": known }))
            }
            Self::UnknownThing { what, id } => ("unknown", json!({ "what": what, "id": id })),
            Self::UnknownAddress => ("unknown_address", json!({})),
            Self::Method => ("method_not_allowed", json!({})),
            Self::NotJson => ("not_json", json!({})),
            Self::Request(reason) => ("invalid_request", json!({ "reason": reason })),
            Self::Value { field, accepted } => {
                ("invalid_value", json!({ "field": field, "accepted": accepted }))
            }
            Self::FieldNeeded { field, needed } => {
                ("field_needed", json!({ "field": field, "needed": needed }))
            }
            Self::NotBytes => ("not_bytes", json!({})),
            Self::TooLong { announced } => ("too_long", json!({ "announced_bytes": announced })),
            Self::NotComputed { covered } => ("not_separated", json!({ "covered": covered })),
            Self::Range { bytes } => ("range", json!({ "bytes": bytes })),
            Self::TooLarge { most } => ("too_large", json!({ "most_bytes": most })),
            Self::NoRoom { needed, free } => {
                ("no_room", json!({ "needed_bytes": needed, "free_bytes": free }))
            }
            Self::TooManySongs { most } => ("too_many_songs", json!({ "most": most })),
            Self::NoFile => ("no_file", json!({})),
            Self::Offset { expected } => ("offset", json!({ "expected": expected })),
            Self::UploadBusy => ("upload_busy", json!({})),
            Self::Protocol => ("protocol", json!({})),
            Self::Token => ("token", json!({})),
            Self::TooManyTries { seconds } => ("too_many_tries", json!({ "seconds": seconds })),
            Self::Host { host } => ("host", json!({ "host": host })),
            Self::Origin => ("origin", json!({})),
            Self::Confirmation { songs, jobs } => {
                ("confirmation_needed", json!({ "songs": songs, "jobs": jobs }))
            }
            Self::Busy => ("busy", json!({})),
            Self::Slow => ("slow", json!({})),
            Self::Internal => ("internal", json!({})),
        };
        let fields = if let Value::Object(fields) = fields { fields } else { Map::new() };
        (code.to_owned(), fields)
    }

    /// The text in the language of this thread.
    fn text(&self) -> String {
        match self {
            Self::Problem(problem) => words::problem(problem),
            Self::UnknownSong { id, known, .. } => {
                let song = |(id, title): &(i64, String)| format!("{id} {title}");
                let known: Vec<String> = known.iter().map(song).collect();
                fl!(serve_unknown_song, id = id, known = listed(&known))
            }
            Self::NotProcessed { song } => fl!(serve_not_processed, song = song.to_string()),
            Self::UnknownTrack { name, known } => {
                fl!(serve_unknown_track, name = name, known = listed(known))
            }
            Self::UnknownThing { id, .. } => fl!(serve_unknown_thing, id = id),
            Self::UnknownAddress => fl!(serve_unknown_address).to_owned(),
            Self::Method => fl!(serve_method).to_owned(),
            Self::NotJson => fl!(serve_not_json).to_owned(),
            Self::Request(reason) => fl!(serve_request, reason = reason),
            Self::Value { field, accepted } => {
                fl!(serve_value, field = *field, accepted = accepted)
            }
            Self::FieldNeeded { field, needed } => {
                fl!(serve_field_needed, field = *field, needed = *needed)
            }
            Self::NotBytes => fl!(serve_not_bytes).to_owned(),
            Self::TooLong { announced } => {
                fl!(serve_too_long, announced = announced.to_string())
            }
            Self::NotComputed { .. } => fl!(serve_not_computed).to_owned(),
            Self::Range { .. } => fl!(serve_range).to_owned(),
            Self::TooLarge { most } => fl!(serve_too_large, most = size(*most)),
            Self::NoRoom { needed, free } => {
                fl!(serve_no_room, needed = size(*needed), free = size(*free))
            }
            Self::TooManySongs { most } => fl!(serve_too_many_songs, most = *most),
            Self::NoFile => fl!(serve_no_file).to_owned(),
            Self::Offset { expected } => fl!(serve_offset, expected = expected.to_string()),
            Self::UploadBusy => fl!(serve_upload_busy).to_owned(),
            Self::Protocol => fl!(serve_protocol).to_owned(),
            Self::Token => fl!(serve_token).to_owned(),
            Self::TooManyTries { seconds } => fl!(serve_too_many_tries, seconds = *seconds),
            Self::Host { host } => fl!(serve_host, host = host.escape_debug().to_string()),
            Self::Origin => fl!(serve_origin).to_owned(),
            Self::Confirmation { songs, jobs } => {
                let (songs, jobs) = (fl!(songs, count = *songs), fl!(jobs, count = *jobs));
                fl!(serve_confirmation, songs = songs, jobs = jobs)
            }
            Self::Busy => fl!(serve_busy).to_owned(),
            Self::Slow => fl!(serve_slow).to_owned(),
            Self::Internal => fl!(serve_internal).to_owned(),
        }
    }

    /// The error as JSON, in the language of this thread.
    pub fn json(&self) -> Value {
        let (code, mut fields) = self.fields();
        // Fields of a problem must not replace those of the standard.
        let status = self.status();
        fields.insert("type".into(), format!("urn:partita:problem:{code}").into());
        fields.insert("title".into(), status.canonical_reason().unwrap_or_default().into());
        fields.insert("status".into(), status.as_u16().into());
        fields.insert("detail".into(), self.text().into());
        fields.insert("code".into(), code.into());
        Value::Object(fields)
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let status = self.status();
        if status.is_server_error() {
            tracing::warn!("{}", in_english(|| self.text()).escape_debug());
        }
        let body = spoken(|| self.json()).to_string();
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        let json = HeaderValue::from_static("application/problem+json");
        headers.insert(header::CONTENT_TYPE, json);
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        match self {
            Self::Token => {
                let bearer = HeaderValue::from_static("Bearer realm=\"partita\"");
                headers.insert(header::WWW_AUTHENTICATE, bearer);
            }
            Self::TooManyTries { seconds } => {
                headers.insert(header::RETRY_AFTER, seconds.into());
            }
            Self::Busy => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
            }
            Self::Range { bytes } => {
                if let Ok(value) = HeaderValue::try_from(format!("bytes */{bytes}")) {
                    headers.insert(header::CONTENT_RANGE, value);
                }
            }
            // Clients of tus look for its version in every answer.
            Self::Protocol | Self::Offset { .. } | Self::UploadBusy | Self::NotBytes => {
                let version = HeaderValue::from_static("1.0.0");
                headers.insert(HeaderName::from_static("tus-version"), version.clone());
                headers.insert(HeaderName::from_static("tus-resumable"), version);
            }
            // The rest of the body is not read, so that the connection cannot be used again.
            Self::TooLarge { .. } | Self::TooLong { .. } | Self::Slow => {
                headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            _ => {}
        }
        response
    }
}

/// The status for a problem of the engine.
fn status_of(problem: &Problem) -> StatusCode {
    match problem {
        Problem::UnknownSong { .. }
        | Problem::NoSuchSong { .. }
        | Problem::UnknownJob { .. }
        | Problem::UnknownChain { .. }
        | Problem::SongRemoved => StatusCode::NOT_FOUND,
        Problem::Decode(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Problem::NoModel
        | Problem::ModelMissing { .. }
        | Problem::MissingNetwork { .. }
        | Problem::MissingChainModel { .. }
        | Problem::NotSeparated
        | Problem::Locked
        | Problem::Elsewhere { .. }
        | Problem::ModelBusy
        | Problem::SourceNeeded { .. }
        | Problem::Cancelled => StatusCode::CONFLICT,
        problem if problem.is_no_room() => StatusCode::INSUFFICIENT_STORAGE,
        problem => match problem.class() {
            Class::WaitForDisk => StatusCode::INSUFFICIENT_STORAGE,
            Class::Retry => StatusCode::SERVICE_UNAVAILABLE,
            Class::Permanent | Class::Usage => StatusCode::UNPROCESSABLE_ENTITY,
            Class::Cancelled => StatusCode::CONFLICT,
            Class::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        },
    }
}

/// The identifier and the fields of a problem, without paths.
fn problem_fields(problem: &Problem) -> (String, Map<String, Value>) {
    match serde_json::to_value(problem) {
        Ok(Value::String(code)) => (code, Map::new()),
        Ok(Value::Object(tagged)) => {
            let Some((code, fields)) = tagged.into_iter().next() else {
                return ("internal".into(), Map::new());
            };
            let mut fields = match fields {
                Value::Object(fields) => fields,
                // Lists of paths.
                Value::Array(_) => Map::new(),
                other => [("reason".to_owned(), other)].into_iter().collect(),
            };
            for path in ["path", "home", "folder", "target", "aside"] {
                fields.remove(path);
            }
            (code, fields)
        }
        _ => ("internal".into(), Map::new()),
    }
}

fn listed(known: &[String]) -> String {
    if known.is_empty() { fl!(serve_none).to_owned() } else { known.join(", ") }
}

/// A size in the language of this thread.
fn size(bytes: u64) -> String {
    const MEGABYTE: u64 = 1 << 20;
    if bytes < MEGABYTE {
        return format!("{} kB", decimal(bytes as f64 / 1024.0, 1));
    }
    format!("{} MB", decimal(bytes as f64 / MEGABYTE as f64, 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::problem::examples;

    #[test]
    fn every_problem_of_the_engine_is_an_answer() {
        for problem in examples() {
            let fault = Fault::Problem(problem.clone());
            let json = fault.json();
            let code = json["code"].as_str().unwrap();
            let is_code = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
            assert!(!code.is_empty() && code.bytes().all(is_code), "{problem:?}: {code}");
            assert!(fault.status().is_client_error() || fault.status().is_server_error());
            assert_eq!(json["status"], fault.status().as_u16());
            assert_eq!(json["detail"], words::problem(&problem));
            assert!(json.get("path").is_none(), "{json}");
        }
    }

    #[test]
    fn unknown_songs_and_tracks_name_the_known_ones() {
        let known = vec![(1, "First".to_owned()), (2, "Second".to_owned())];
        let json = Fault::UnknownSong { id: "9".into(), known, more: 3 }.json();
        assert_eq!(json["known"][1]["title"], "Second");
        let detail = json["detail"].as_str().unwrap();
        assert!(detail.contains('9') && detail.contains("First"), "{detail}");
        let known = vec!["vocals".to_owned()];
        let json = Fault::UnknownTrack { name: "kazoo".into(), known }.json();
        assert_eq!((json["status"].as_u64(), &json["known"][0]), (Some(404), &json!("vocals")));
    }
}
