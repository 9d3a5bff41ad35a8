//! A client of `partita serve` for tests: requests by ureq, raw requests by a socket. It has a
//! function for each step of a session, and checks the answers that every session expects.

use std::{
    fmt::Write as _,
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    path::Path,
    time::{Duration, Instant},
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use ureq::{
    Agent,
    http::{HeaderMap, Request},
};

/// The time in which a small network has to finish a job.
pub const PATIENCE: Duration = Duration::from_mins(2);

/// The answer to a request.
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| {
            panic!("{error}: status {}, {:?}: {}", self.status, self.headers, self.text())
        })
    }

    /// A header's value; empty if it is missing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The JSON of an answer with this status.
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text());
        self.json()
    }

    /// The problem of an answer with this status and code.
    pub fn problem(&self, status: u16, code: &str) -> Value {
        let problem = self.expect(status);
        assert_eq!(self.header("content-type"), "application/problem+json", "{problem}");
        assert_eq!(problem["code"], code, "{problem}");
        assert_eq!(problem["type"], format!("urn:partita:problem:{code}"), "{problem}");
        assert_eq!(problem["status"], status, "{problem}");
        assert!(!problem["title"].as_str().unwrap().is_empty(), "{problem}");
        assert!(!problem["detail"].as_str().unwrap().is_empty(), "{problem}");
        problem
    }
}

/// A client of one server.
#[derive(Clone)]
pub struct Client {
    agent: Agent,
    url: String,
    token: Option<String>,
}

impl Client {
    pub fn new(url: &str, token: Option<String>) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .proxy(None)
            .max_redirects(0)
            .timeout_global(Some(PATIENCE));
        Self { agent: config.build().into(), url: url.to_owned(), token }
    }

    /// A path of the interface, or a link of an answer, as a URL.
    fn url(&self, path: &str) -> String {
        if path.starts_with('/') {
            format!("{}{path}", self.url)
        } else {
            format!("{}/api/v1/{path}", self.url)
        }
    }

    /// Sends a request; an error is one of the connection.
    pub fn try_send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Answer, ureq::Error> {
        let mut request = Request::builder().method(method).uri(self.url(path));
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let is_empty = body.is_empty() && ["GET", "HEAD", "DELETE", "OPTIONS"].contains(&method);
        let mut response = if is_empty {
            self.agent.run(request.body(()).unwrap())?
        } else {
            self.agent.run(request.body(body).unwrap())?
        };
        let body = response.body_mut().with_config().limit(1 << 30).read_to_vec()?;
        Ok(Answer { status: response.status().as_u16(), headers: response.headers().clone(), body })
    }

    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        self.try_send(method, path, headers, body)
            .unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    pub fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], &[])
    }

    pub fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, &[], &[])
    }

    /// Sends JSON by `POST`, `PUT` or `PATCH`.
    pub fn put(&self, method: &str, path: &str, value: &Value) -> Answer {
        let body = value.to_string();
        self.send(method, path, &[("content-type", "application/json")], body.as_bytes())
    }

    /// Sends files as a browser's form does.
    pub fn try_upload(&self, files: &[(&str, &[u8])]) -> Result<Answer, ureq::Error> {
        let (kind, body) = form(files);
        self.try_send("POST", "songs", &[("content-type", &kind)], &body)
    }

    /// Uploads a file, and returns its song.
    pub fn upload(&self, file: &Path) -> Value {
        let name = file.file_name().unwrap().to_str().unwrap();
        let answer = self.try_upload(&[(name, &fs::read(file).unwrap())]).unwrap();
        let answer = answer.expect(201);
        assert_eq!(answer["failed"], json!([]), "{answer}");
        answer["songs"][0].clone()
    }

    /// Requests stems of a song, all if the list is empty, and returns the job.
    pub fn process(&self, song: i64, stems: &[&str]) -> Value {
        self.put("POST", &format!("songs/{song}/jobs"), &json!({ "stems": stems })).expect(202)
    }

    /// Waits until a song is separated, and returns its progress.
    pub fn separated(&self, song: i64) -> Value {
        self.ended(&format!("songs/{song}/progress"), |progress| progress["job"]["state"].clone())
    }

    /// Waits until an export is finished, and returns it.
    pub fn exported(&self, export: i64) -> Value {
        self.ended(&format!("exports/{export}"), |export| export["state"].clone())
    }

    /// Waits until the state at `path` is `done`. Any other end is a failure of the test.
    fn ended(&self, path: &str, state: impl Fn(&Value) -> Value) -> Value {
        let until = Instant::now() + PATIENCE;
        loop {
            let value = self.get(path).expect(200);
            let state = state(&value);
            if state == "done" {
                return value;
            }
            let is_going = ["waiting", "running"].iter().any(|going| state == *going);
            assert!(is_going && Instant::now() < until, "{path}: {value}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Creates a resumable upload, and returns its path.
    pub fn create_upload(&self, name: &str, length: u64) -> Answer {
        let name = format!("filename {}", BASE64_STANDARD.encode(name));
        let length = length.to_string();
        let headers = [TUS, ("upload-length", length.as_str()), ("upload-metadata", name.as_str())];
        self.send("POST", "uploads", &headers, &[])
    }

    /// Appends bytes to a resumable upload.
    pub fn try_append(&self, path: &str, offset: u64, body: &[u8]) -> Result<Answer, ureq::Error> {
        let offset = offset.to_string();
        let headers = [TUS, ("upload-offset", offset.as_str()), OFFSET_STREAM];
        self.try_send("PATCH", path, &headers, body)
    }

    /// The received bytes of a resumable upload.
    pub fn offset(&self, path: &str) -> u64 {
        let answer = self.send("HEAD", path, &[TUS], &[]);
        assert!([200, 204].contains(&answer.status), "{path}: {}", answer.status);
        answer.header("upload-offset").parse().unwrap()
    }
}

/// The version of tus in each request of a resumable upload.
pub const TUS: (&str, &str) = ("tus-resumable", "1.0.0");

/// The type of a part of a resumable upload.
pub const OFFSET_STREAM: (&str, &str) = ("content-type", "application/offset+octet-stream");

/// The content type and body of a form with files.
pub fn form(files: &[(&str, &[u8])]) -> (String, Vec<u8>) {
    const BOUNDARY: &str = "partita-test-27182818284";
    let mut body = Vec::new();
    for (name, bytes) in files {
        let head = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
             Content-Type: application/octet-stream\r\n\r\n"
        );
        body.extend(head.as_bytes());
        body.extend(*bytes);
        body.extend(b"\r\n");
    }
    body.extend(format!("--{BOUNDARY}--\r\n").as_bytes());
    (format!("multipart/form-data; boundary={BOUNDARY}"), body)
}

/// A connection without any HTTP client, with a limit on waiting.
pub fn connect(address: &str) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Sends bytes, and returns all that the server answers until it closes the connection.
pub fn raw(address: &str, request: &[u8]) -> String {
    let mut stream = connect(address);
    // The server may answer and close before it has read all.
    stream.write_all(request).ok();
    rest(&mut stream)
}

/// The rest of an answer, until the server closes the connection.
pub fn rest(stream: &mut TcpStream) -> String {
    let (mut answer, mut block) = (Vec::new(), [0; 4096]);
    while let Ok(count @ 1..) = stream.read(&mut block) {
        answer.extend(&block[..count]);
    }
    String::from_utf8_lossy(&answer).into_owned()
}

/// The status of a raw answer; 0 if it has no status.
pub fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
}

/// The bytes of a request without a body, for `raw`.
pub fn head(method: &str, path: &str, address: &str, headers: &[(&str, &str)]) -> Vec<u8> {
    let mut text = format!("{method} {path} HTTP/1.1\r\n");
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
        write!(text, "Host: {address}\r\n").unwrap();
    }
    for (name, value) in headers {
        write!(text, "{name}: {value}\r\n").unwrap();
    }
    text.push_str("Connection: close\r\n\r\n");
    text.into_bytes()
}
