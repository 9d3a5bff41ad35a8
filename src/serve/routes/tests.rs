//! Requests and answers without sockets.

use std::sync::atomic::Ordering;

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, Method, StatusCode},
};
use http_body_util::BodyExt as _;
use proptest::prelude::*;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::test_server::{Server, request, wav};
use crate::serve::Limits;

#[test]
fn songs_are_submitted_listed_renamed_and_removed() {
    let server = Server::local();
    assert_eq!(server.get("/api/v1/songs"), (200, json!({ "total": 0, "offset": 0, "songs": [] })));
    let (status, submitted) = server.submit(&[
        ("First song.wav", &wav(4000, 1)),
        ("notes.txt", b"no sound"),
        ("b.wav", &wav(4000, 2)),
    ]);
    assert_eq!(status, 201, "{submitted}");
    assert_eq!(submitted["songs"][0]["title"], "First song");
    assert_eq!(submitted["songs"][0]["frames"], 4000);
    assert_eq!(submitted["failed"][0]["file_name"], "notes.txt");
    assert_eq!(submitted["failed"][0]["problem"]["status"], 415);
    assert_eq!(server.files(), 2, "the text file is removed");
    let (_, list) = server.get("/api/v1/songs?sort=title&limit=1&offset=1");
    assert_eq!((&list["total"], &list["songs"][0]["title"]), (&json!(2), &json!("First song")));
    let (_, found) = server.get("/api/v1/songs?search=FIRST%20song");
    assert_eq!(found["total"], 1);
    let (status, song) = server.json(Method::PATCH, "/api/v1/songs/1", &json!({ "title": "New" }));
    assert_eq!((status, &song["title"]), (200, &json!("New")));
    let (status, problem) = server.json(Method::PATCH, "/api/v1/songs/1", &json!({ "title": " " }));
    assert_eq!((status, &problem["code"]), (422, &json!("invalid_value")));
    assert_eq!(server.json(Method::DELETE, "/api/v1/songs/1", &Value::Null).0, 204);
    assert_eq!(server.files(), 1);
    let (status, problem) = server.get("/api/v1/songs/1");
    assert_eq!((status, &problem["known"]), (404, &json!([{ "id": 2, "title": "b" }])));
    assert_eq!(server.json(Method::POST, "/api/v1/reset", &json!({})).1["songs"], 1);
    let (status, removed) =
        server.json(Method::POST, "/api/v1/reset", &json!({ "confirm": "reset" }));
    assert_eq!((status, removed), (200, json!({ "songs": 1, "jobs": 0 })));
    assert_eq!(server.files(), 0);
}

#[test]
fn the_same_sound_twice_is_one_song_with_one_file() {
    let server = Server::local();
    let sound = wav(3000, 1);
    for name in ["one.wav", "two.wav"] {
        let (status, submitted) = server.submit(&[(name, &sound)]);
        assert_eq!((status, &submitted["songs"][0]["id"]), (201, &json!(1)));
    }
    assert_eq!(server.files(), 1);
}

#[test]
fn the_original_is_heard_by_ranges() {
    let server = Server::local();
    server.submit(&[("a.wav", &wav(5000, 3))]);
    let (_, lanes) = server.get("/api/v1/songs/1/lanes");
    assert_eq!(lanes["lanes"][0]["name"], "original");
    assert_eq!(lanes["lanes"][0]["covered"], json!([[0, 5000]]));
    let sound = lanes["lanes"][0]["sound"].as_str().unwrap();
    let part = |range: &str| {
        let request = request(Method::GET, sound).header("range", range).body(Body::empty());
        server.send(request.unwrap())
    };
    let (status, headers, whole) =
        server.send(request(Method::GET, sound).body(Body::empty()).unwrap());
    assert_eq!((status, whole.len()), (StatusCode::OK, 80 + 8 * 5000));
    assert_eq!(headers["accept-ranges"], "bytes");
    let samples: Vec<f32> =
        hound::WavReader::new(&whole[..]).unwrap().into_samples().map(Result::unwrap).collect();
    let sent: Vec<i16> = hound::WavReader::new(&wav(5000, 3)[..])
        .unwrap()
        .into_samples()
        .map(Result::unwrap)
        .collect();
    assert!(samples.iter().zip(&sent).all(|(a, b)| *a == f32::from(*b) / 32_768.0));
    for (from, to) in [(0, 79), (3, 100), (80, 87), (85, 40_079), (40_079, 40_079)] {
        let (status, headers, bytes) = part(&format!("bytes={from}-{to}"));
        assert_eq!(status, StatusCode::PARTIAL_CONTENT);
        assert_eq!(bytes, whole[from..=to], "{from}-{to}");
        assert_eq!(headers["content-range"], format!("bytes {from}-{to}/40080"));
    }
    assert_eq!(part("bytes=40080-").0, StatusCode::RANGE_NOT_SATISFIABLE);
    let tag = headers["etag"].clone();
    let known = request(Method::GET, sound).header("if-none-match", tag).body(Body::empty());
    assert_eq!(server.send(known.unwrap()).0, StatusCode::NOT_MODIFIED);
    let (_, peaks) = server.get("/api/v1/songs/1/lanes/original/peaks?bins=10");
    assert_eq!(peaks["bins"].as_array().unwrap().len(), 10);
    let (status, problem) = server.get("/api/v1/songs/1/lanes/kazoo/sound");
    assert_eq!((status, &problem["known"]), (404, &json!(["original"])));
}

#[test]
fn a_song_cannot_be_processed_without_a_model() {
    let server = Server::local();
    server.submit(&[("a.wav", &wav(3000, 1))]);
    let (status, problem) = server.json(Method::POST, "/api/v1/songs/1/jobs", &json!({}));
    assert_eq!((status, &problem["code"]), (409, &json!("no_model")));
    let (status, problem) = server.get("/api/v1/songs/1/progress");
    assert_eq!((status, &problem["code"]), (404, &json!("not_processed")));
    let (status, problem) = server.get("/api/v1/jobs/7");
    assert_eq!((status, &problem["code"]), (404, &json!("unknown_job")));
    let (status, problem) = server.json(Method::POST, "/api/v1/songs/9/jobs", &json!({}));
    assert_eq!((status, &problem["code"]), (404, &json!("unknown_song")));
}

#[test]
fn a_file_arrives_in_parts() {
    let server = Server::local();
    let sound = wav(6000, 5);
    let tus = |method, path: &str| request(method, path).header("tus-resumable", "1.0.0");
    let create = tus(Method::POST, "/api/v1/uploads")
        .header("upload-length", sound.len())
        .header("upload-metadata", "filename cGFydHMud2F2");
    let (status, headers, _) = server.send(create.body(Body::empty()).unwrap());
    assert_eq!(status, StatusCode::CREATED);
    let place = headers["location"].to_str().unwrap().to_owned();
    let append = |offset: usize, bytes: &[u8]| {
        let request = tus(Method::PATCH, &place)
            .header("content-type", "application/offset+octet-stream")
            .header("upload-offset", offset);
        server.send(request.body(bytes.to_vec().into()).unwrap())
    };
    let (first, rest) = sound.split_at(10_000);
    assert_eq!(append(0, first).0, StatusCode::NO_CONTENT);
    let (status, headers, _) = server.send(tus(Method::HEAD, &place).body(Body::empty()).unwrap());
    assert_eq!((status, headers["upload-offset"].to_str().unwrap()), (StatusCode::OK, "10000"));
    let (status, _, problem) = append(500, rest);
    let problem: Value = serde_json::from_slice(&problem).unwrap();
    assert_eq!((status, &problem["expected"]), (StatusCode::CONFLICT, &json!(10_000)));
    let more = [rest, b"more"].concat();
    let (status, _, problem) = append(10_000, &more);
    let problem: Value = serde_json::from_slice(&problem).unwrap();
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(problem["announced_bytes"], sound.len());
    // Where what was too much began depends on the blocks, so that the client asks.
    let (_, headers, _) = server.send(tus(Method::HEAD, &place).body(Body::empty()).unwrap());
    let offset: usize = headers["upload-offset"].to_str().unwrap().parse().unwrap();
    assert_eq!(append(offset, &sound[offset..]).0, StatusCode::NO_CONTENT);
    let upload = (0..200).find_map(|_| {
        let (_, upload) = server.get(&place);
        std::thread::sleep(std::time::Duration::from_millis(50));
        Some(upload).filter(|upload| upload["state"] == "imported")
    });
    assert_eq!(upload.unwrap()["song"], 1);
    assert_eq!(server.get("/api/v1/songs/1").1["title"], "parts");
    assert_eq!(append(0, b"x").0, StatusCode::CONFLICT);
    let (status, _, _) =
        server.send(tus(Method::GET, "/api/v1/uploads/../../etc").body(Body::empty()).unwrap());
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[test]
fn uploads_that_break_the_protocol_are_rejected() {
    let server = Server::local();
    let tus = |method, path: &str| request(method, path).header("tus-resumable", "1.0.0");
    let create = |metadata: &[u8]| {
        let create = tus(Method::POST, "/api/v1/uploads").header("upload-length", 4);
        let value = HeaderValue::from_bytes(metadata).unwrap();
        server.send(create.header("upload-metadata", value).body(Body::empty()).unwrap())
    };
    for metadata in [&b"filename a song.wav"[..], b"filename !!!", b"filename \xff"] {
        assert_eq!(create(metadata).0, StatusCode::BAD_REQUEST, "{metadata:?}");
    }
    let (status, headers, _) = create(b"filename c29uZy53YXY=,is_x");
    assert_eq!(status, StatusCode::CREATED);
    let place = headers["location"].to_str().unwrap();
    for kind in ["", "text/plain", "application/json"] {
        let append = tus(Method::PATCH, place).header("upload-offset", 0);
        let append = append.header("content-type", kind).body("abcd".into()).unwrap();
        assert_eq!(server.send(append).0, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{kind}");
    }
}

#[test]
fn limits_are_kept() {
    let limits = Limits { songs: 1, upload_bytes: 20_000, ..Limits::default() };
    let server = Server::start(limits, true);
    let (status, problem) = server.submit(&[("big.wav", &wav(6000, 1))]);
    assert_eq!((status, &problem["code"]), (413, &json!("too_large")));
    assert_eq!(server.submit(&[("a.wav", &wav(3000, 1))]).0, 201);
    let (status, problem) = server.submit(&[("b.wav", &wav(3000, 2))]);
    assert_eq!((status, &problem["code"]), (507, &json!("too_many_songs")));
    assert_eq!(server.files(), 1);
}

#[test]
fn forms_that_are_no_forms_leave_nothing() {
    let server = Server::local();
    let form = "multipart/form-data; boundary=edge";
    let head =
        "--edge\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.wav\"\r\n\r\n";
    let bomb = [b"--edge\r\nX: ".to_vec(), vec![b'x'; 400_000], b"\r\n\r\n".to_vec()].concat();
    for (content_type, body) in [
        ("multipart/form-data", Vec::new()),
        ("text/plain", b"x".to_vec()),
        (form, Vec::new()),
        (form, b"--edge--\r\n".to_vec()),
        (form, head.into()),
        (form, [head.as_bytes(), b"half of a file"].concat()),
        (form, bomb),
        (form, vec![b'-'; 300_000]),
    ] {
        let (status, problem) = server.submit_bytes(content_type, body);
        assert_eq!(status, 400, "{problem}");
    }
    assert_eq!(server.files(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    #[test]
    fn no_form_breaks_the_server(parts in prop::collection::vec(form_part(), 0..6)) {
        use std::sync::LazyLock;
        static SERVER: LazyLock<Server> = LazyLock::new(Server::local);
        let (status, _) =
            SERVER.submit_bytes("multipart/form-data; boundary=edge", parts.concat());
        prop_assert!((400..500).contains(&status), "{}", status);
    }
}

fn form_part() -> impl Strategy<Value = Vec<u8>> {
    let known = [
        "--edge",
        "\r\n",
        "--",
        "\r",
        "Content-Disposition: form-data; filename=\"a\"",
        "\r\n\r\n",
        ";",
        "=",
        "\"",
    ];
    prop_oneof![
        prop::sample::select(known.to_vec()).prop_map(|text| text.as_bytes().to_vec()),
        prop::collection::vec(any::<u8>(), 0..200),
    ]
}

#[test]
fn others_hosts_and_pages_are_rejected() {
    let server = Server::local();
    let status = |name: &str, value: &str| {
        let mut request = request(Method::POST, "/api/v1/reset").body(Body::empty()).unwrap();
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        request.headers_mut().insert(name, value.parse().unwrap());
        server.send(request).0.as_u16()
    };
    assert_eq!(status("x-nothing", "1"), 422, "asks for the confirmation");
    assert_eq!(status("host", "evil.example"), 421);
    assert_eq!(status("origin", "http://evil.example"), 403);
    assert_eq!(status("sec-fetch-site", "cross-site"), 403);
    assert_eq!(status("origin", "http://localhost:8077"), 422);
}

#[test]
fn only_json_is_read_as_json() {
    let server = Server::local();
    let status = |kind: &str| {
        let request = request(Method::POST, "/api/v1/reset").header("content-type", kind);
        let body = json!({ "confirm": "reset" }).to_string();
        server.send(request.body(body.into()).unwrap()).0.as_u16()
    };
    for kind in ["text/plain", "application/x-www-form-urlencoded", ""] {
        assert_eq!(status(kind), 415, "{kind}");
    }
    assert_eq!(status("application/json; charset=utf-8"), 200);
    for list in [json!([]), json!(["reset"]), json!("reset"), json!(7)] {
        let (status, problem) = server.json(Method::POST, "/api/v1/reset", &list);
        assert_eq!((status, &problem["code"]), (400, &json!("invalid_request")), "{list}");
    }
}

#[test]
fn a_server_for_others_needs_the_token() {
    let server = Server::start(Limits::default(), false);
    let token = server.token.clone().unwrap();
    let status = |header: Option<(&str, String)>, path: &str| {
        let mut request = request(Method::GET, path);
        if let Some((name, value)) = header {
            request = request.header(name, value);
        }
        server.send(request.body(Body::empty()).unwrap()).0.as_u16()
    };
    for path in ["/", "/favicon.ico", "/api/v1/session", "/api/v1/health", "/words/en.ftl"] {
        assert_eq!(status(None, path), 200, "{path}");
    }
    assert_eq!(server.get("/api/v1/health").1["songs"], Value::Null);
    for path in ["/api/v1/songs", "/api/v1/events", "/api/v1/metrics", "/api/v1/openapi.json"] {
        assert_eq!(status(None, path), 401, "{path}");
    }
    let bearer = |token: &str| Some(("authorization", format!("Bearer {token}")));
    assert_eq!(status(bearer(&token), "/api/v1/songs"), 200);
    assert_eq!(status(Some(("cookie", format!("partita_token={token}"))), "/api/v1/songs"), 200);
    let tries: Vec<u16> = (0..20).map(|_| status(bearer("wrong"), "/api/v1/songs")).collect();
    assert_eq!((tries[0], tries[19]), (401, 429));
    assert_eq!(status(bearer(&token), "/api/v1/songs"), 200, "its owner is not locked out");
    let (code, headers, _) = {
        let body = json!({ "token": token }).to_string();
        let request = request(Method::POST, "/api/v1/session");
        let request = request.header("content-type", "application/json");
        server.send(request.body(body.into()).unwrap())
    };
    let cookie = headers["set-cookie"].to_str().unwrap();
    assert_eq!(code, StatusCode::NO_CONTENT);
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
}

#[test]
fn errors_are_in_the_language_of_the_request() {
    let server = Server::local();
    let detail = |language: &str| {
        let request = request(Method::GET, "/api/v1/songs/9").header("accept-language", language);
        let (_, headers, body) = server.send(request.body(Body::empty()).unwrap());
        assert_eq!(headers["content-type"], "application/problem+json");
        let json: Value = serde_json::from_slice(&body).unwrap();
        json["detail"].as_str().unwrap().to_owned()
    };
    assert!(detail("en").starts_with("no song"), "{}", detail("en"));
    assert!(detail("pt-BR").starts_with("nenhuma"), "{}", detail("pt-BR"));
    assert_eq!(detail("de"), detail("en"));
}

#[test]
fn every_answer_has_its_headers() {
    let server = Server::local();
    for path in ["/", "/nothing", "/api/v1/songs", "/api/v1/songs/9", "/assets/icon.png"] {
        let (_, headers, _) = server.send(request(Method::GET, path).body(Body::empty()).unwrap());
        let policy = headers["content-security-policy"].to_str().unwrap();
        let others = policy.replace("script-src 'self' 'wasm-unsafe-eval';", "");
        assert!(policy.starts_with("default-src 'none'") && !others.contains("unsafe"), "{path}");
        assert!(
            headers.contains_key("x-request-id") && headers["x-content-type-options"] == "nosniff"
        );
    }
    let (status, _) = server.json(Method::PUT, "/api/v1/songs", &Value::Null);
    assert_eq!(status, 405);
}

#[test]
fn lists_are_not_sent_again_until_they_change() {
    let server = Server::local();
    let list = |tag: Option<HeaderValue>| {
        let mut request = request(Method::GET, "/api/v1/songs");
        if let Some(tag) = tag {
            request = request.header("if-none-match", tag);
        }
        let (status, headers, _) = server.send(request.body(Body::empty()).unwrap());
        (status, headers["etag"].clone())
    };
    let (status, tag) = list(None);
    assert_eq!(status, StatusCode::OK);
    assert_eq!(list(Some(tag.clone())).0, StatusCode::NOT_MODIFIED);
    server.submit(&[("a.wav", &wav(3000, 1))]);
    assert_eq!(list(Some(tag)).0, StatusCode::OK);
}

#[test]
fn events_follow_the_library() {
    let server = Server::local();
    let stream = |last: Option<&str>| {
        let mut request = request(Method::GET, "/api/v1/events");
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let request = request.body(Body::empty()).unwrap();
        let response = server.runtime.block_on(server.router.clone().oneshot(request)).unwrap();
        response.into_body()
    };
    let read = |body: &mut Body, wanted: &str| {
        server.runtime.block_on(async {
            let mut text = String::new();
            let reading = async {
                while !text.contains(wanted) {
                    let frame = body.frame().await.unwrap().unwrap();
                    text += std::str::from_utf8(frame.data_ref().unwrap()).unwrap();
                }
            };
            let time = std::time::Duration::from_secs(20);
            assert!(tokio::time::timeout(time, reading).await.is_ok(), "{wanted} in {text}");
            text
        })
    };
    let mut events = stream(None);
    server.submit(&[("Heard.wav", &wav(3000, 1))]);
    let text = read(&mut events, "event: song\n");
    assert!(text.contains("\"title\":\"Heard\""), "{text}");
    let id = text.lines().find_map(|line| line.strip_prefix("id: ")).unwrap().to_owned();
    drop(events);
    server.json(Method::DELETE, "/api/v1/songs/1", &Value::Null);
    read(&mut stream(Some(&id)), "event: song_removed");
    read(&mut stream(Some("0-1")), "event: resync");
    assert_eq!(server.app.metrics.streams.load(Ordering::Relaxed), 0, "closed streams are free");
}

#[test]
fn the_description_names_every_address() {
    let server = Server::local();
    let (status, description) = server.get("/api/v1/openapi.json");
    assert_eq!(status, 200);
    let paths = description["paths"].as_object().unwrap();
    assert!(paths.len() > 25, "{}", paths.len());
    for path in
        ["/api/v1/songs", "/api/v1/songs/{id}/jobs", "/api/v1/uploads/{id}", "/api/v1/reset"]
    {
        assert!(paths.contains_key(path), "{path}");
    }
}
