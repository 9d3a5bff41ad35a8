//! A small HTTP server for the tests of downloads, whose answers may be invalid.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

/// The parts of a request that the tests check.
#[derive(Clone, Debug, Default)]
pub(super) struct Request {
    pub(super) path: String,
    /// Value of `Range`.
    pub(super) range: Option<String>,
    /// Value of `If-Range`.
    pub(super) if_range: Option<String>,
}

impl Request {
    /// First byte asked for.
    pub(super) fn start(&self) -> usize {
        let start = |range: &String| range.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok();
        self.range.as_ref().and_then(start).unwrap_or(0)
    }
}

/// An answer: a head without its last empty line, and a body that may have another length than the
/// head says. The connection is closed after it.
pub(super) struct Answer {
    pub(super) head: String,
    pub(super) body: Vec<u8>,
    /// The pause between two of twenty pieces of the body.
    pub(super) pause: Duration,
}

impl Answer {
    /// A whole file, with a validator.
    pub(super) fn whole(data: &[u8]) -> Self {
        let head = format!("HTTP/1.1 200 OK\r\nETag: \"v1\"\r\nContent-Length: {}", data.len());
        Self { head, body: data.to_vec(), pause: Duration::ZERO }
    }

    /// The rest of a file from `start`.
    pub(super) fn rest(data: &[u8], start: usize) -> Self {
        let (last, total) = (data.len() - 1, data.len());
        let head = format!(
            "HTTP/1.1 206 Partial Content\r\nETag: \"v1\"\r\nContent-Length: {}\r\n\
             Content-Range: bytes {start}-{last}/{total}",
            total - start,
        );
        Self { head, body: data[start..].to_vec(), pause: Duration::ZERO }
    }

    /// A status line without headers or a body.
    pub(super) fn bare(status: &str) -> Self {
        let head = format!("HTTP/1.1 {status}\r\nContent-Length: 0");
        Self { head, body: Vec::new(), pause: Duration::ZERO }
    }

    /// The answer in pieces, with a pause between them.
    pub(super) fn slowly(mut self, pause: Duration) -> Self {
        self.pause = pause;
        self
    }

    /// The answer, broken off after `count` bytes of the body.
    pub(super) fn cut(mut self, count: usize) -> Self {
        self.body.truncate(count);
        self
    }
}

/// A running server; it ends with the test.
pub(super) struct Server {
    pub(super) address: String,
    seen: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    /// Answers each request by its number from zero.
    pub(super) fn start(answer: impl Fn(usize, &Request) -> Answer + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&seen);
        thread::Builder::new()
            .name("test-server".into())
            .spawn(move || {
                for (number, stream) in listener.incoming().enumerate() {
                    let stream = stream.unwrap();
                    let request = read(&stream);
                    noted.lock().unwrap().push(request.clone());
                    // The client may hang up first.
                    send(stream, &answer(number, &request)).ok();
                }
            })
            .unwrap();
        Self { address, seen }
    }

    /// The requests so far.
    pub(super) fn seen(&self) -> Vec<Request> {
        self.seen.lock().unwrap().clone()
    }
}

fn read(stream: &TcpStream) -> Request {
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    let path = lines.next().and_then(|line| Some(line.split(' ').nth(1)?.to_owned()));
    let mut request = Request { path: path.unwrap_or_default(), ..Request::default() };
    for line in lines.take_while(|line| !line.is_empty()) {
        let Some((name, value)) = line.split_once(": ") else { continue };
        match name.to_ascii_lowercase().as_str() {
            "range" => request.range = Some(value.to_owned()),
            "if-range" => request.if_range = Some(value.to_owned()),
            _ => {}
        }
    }
    request
}

fn send(mut stream: TcpStream, answer: &Answer) -> std::io::Result<()> {
    stream.write_all(answer.head.as_bytes())?;
    stream.write_all(b"\r\nConnection: close\r\n\r\n")?;
    for piece in answer.body.chunks(answer.body.len().div_ceil(20).max(1)) {
        stream.write_all(piece)?;
        stream.flush()?;
        thread::sleep(answer.pause);
    }
    Ok(())
}
