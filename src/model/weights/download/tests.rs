//! Downloads from a correct server, and from faulty ones.

use std::cell::Cell;

use super::*;
use crate::model::weights::{
    progress::Progress,
    samples::unwatched,
    server::{Answer, Server},
};

const IMPATIENT: Patience = Patience {
    connect: Duration::from_secs(5),
    silence: Duration::from_millis(400),
    pause: Duration::from_millis(1),
};

/// 300,000 bytes, each group of four with its own position.
fn data() -> Vec<u8> {
    (0..75_000_u32).flat_map(u32::to_le_bytes).collect()
}

struct Target {
    _folder: tempfile::TempDir,
    url: String,
    path: PathBuf,
}

impl Target {
    fn new(server: &Server) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.th");
        Self { _folder: folder, url: format!("{}/model.th", server.address), path }
    }

    fn download(&self) -> Download<'_> {
        Download { url: &self.url, path: &self.path, sha256: None }
    }

    fn fetch(&self) -> Result<()> {
        unwatched(|watch| fetch_with(&self.download(), IMPATIENT, watch))
    }

    fn message(&self) -> String {
        match self.fetch() {
            Err(Fault::Wrong(fault)) => fault.to_string(),
            other => panic!("{other:?}"),
        }
    }

    fn is_whole(&self) -> bool {
        let leftovers = [self.download().part_path(), self.download().note_path()];
        fs::read(&self.path).unwrap() == data() && !leftovers.iter().any(|path| path.exists())
    }
}

#[test]
fn a_whole_file_is_fetched_with_progress() {
    let server = Server::start(|_, _| Answer::whole(&data()));
    let target = Target::new(&server);
    let mut seen = Vec::new();
    let mut watch = Watch { progress: &mut |progress| seen.push(progress), cancel: &|| false };
    fetch_with(&target.download(), IMPATIENT, &mut watch).unwrap();
    assert!(target.is_whole());
    assert!(seen.is_sorted_by_key(|progress| progress.done));
    let host = server.address.strip_prefix("http://").unwrap().to_owned();
    let last = Progress { what: Step::Downloading(host), done: 300_000, total: Some(300_000) };
    assert_eq!(seen.last(), Some(&last));
    // The file exists: no second request.
    target.fetch().unwrap();
    assert_eq!(server.seen().len(), 1);
}

#[test]
fn a_broken_download_resumes() {
    let server = Server::start(|number, request| match number {
        0 => Answer::whole(&data()).cut(100_000),
        1 => Answer::rest(&data(), request.start()).cut(50_000),
        _ => Answer::rest(&data(), request.start()),
    });
    let target = Target::new(&server);
    target.fetch().unwrap();
    assert!(target.is_whole());
    let seen = server.seen();
    assert_eq!(seen.len(), 3);
    assert_eq!((seen[0].range.as_deref(), seen[0].if_range.as_deref()), (None, None));
    assert_eq!(seen[1].range.as_deref(), Some("bytes=100000-"));
    assert_eq!(seen[1].if_range.as_deref(), Some("\"v1\""));
    assert_eq!(seen[2].range.as_deref(), Some("bytes=150000-"));
}

#[test]
fn a_cancelled_download_resumes_at_the_next_call() {
    let server = Server::start(|number, request| match number {
        0 => Answer::whole(&data()),
        _ => Answer::rest(&data(), request.start()),
    });
    let target = Target::new(&server);
    let done = Cell::new(0);
    let mut watch =
        Watch { progress: &mut |progress| done.set(progress.done), cancel: &|| done.get() > 0 };
    let got = fetch_with(&target.download(), IMPATIENT, &mut watch);
    assert!(matches!(got, Err(Fault::Cancelled)));
    assert!(!target.path.exists() && target.download().have() > 0);
    target.fetch().unwrap();
    assert!(target.is_whole());
    assert!(server.seen()[1].start() > 0);
}

#[test]
fn a_server_that_ignores_ranges_restarts_the_download() {
    let server = Server::start(|number, _| match number {
        0 => Answer::whole(&data()).cut(100_000),
        _ => Answer::whole(&data()),
    });
    let target = Target::new(&server);
    target.fetch().unwrap();
    assert!(target.is_whole());
}

#[test]
fn the_rest_of_another_file_is_not_appended() {
    // The wrong part, a part of another length, and a part without a range.
    for wrong in [
        |start| Answer::rest(&data(), start + 1),
        |start| Answer::rest(&[data(), vec![7]].concat(), start),
        |_| Answer {
            head: "HTTP/1.1 206 Partial Content\r\nContent-Length: 2".into(),
            body: vec![7; 2],
            pause: Duration::ZERO,
        },
        |_| Answer::bare("416 Range Not Satisfiable"),
    ] {
        let server = Server::start(move |number, request| match number {
            0 => Answer::whole(&data()).cut(100_000),
            1 => wrong(request.start()),
            _ => Answer::whole(&data()),
        });
        let target = Target::new(&server);
        target.fetch().unwrap();
        assert!(target.is_whole());
        assert_eq!(server.seen()[2].range, None);
    }
}

#[test]
fn a_partial_file_of_another_address_or_without_a_validator_is_discarded() {
    let server = Server::start(|_, _| Answer::whole(&data()));
    for part in [
        Part { url: "http://elsewhere/".into(), validator: Some("\"v1\"".into()), total: None },
        Part { url: format!("{}/model.th", server.address), validator: None, total: None },
    ] {
        let target = Target::new(&server);
        target.download().restart(&part).unwrap();
        fs::write(target.download().part_path(), [7; 100]).unwrap();
        target.fetch().unwrap();
        assert!(target.is_whole());
    }
    assert!(server.seen().iter().all(|request| request.range.is_none()));
}

#[test]
fn a_complete_partial_file_is_accepted() {
    let server = Server::start(|_, _| Answer::bare("416 Range Not Satisfiable"));
    let target = Target::new(&server);
    let (url, validator) = (target.url.clone(), Some("\"v1\"".to_owned()));
    target.download().restart(&Part { url, validator, total: Some(300_000) }).unwrap();
    fs::write(target.download().part_path(), data()).unwrap();
    target.fetch().unwrap();
    assert!(target.is_whole());
}

#[test]
fn a_server_that_never_completes_is_given_up() {
    let server = Server::start(|_, request| Answer {
        head: "HTTP/1.1 200 OK\r\nContent-Length: 300000\r\nETag: \"v1\"".into(),
        body: if request.start() == 0 { vec![7; 1000] } else { Vec::new() },
        pause: Duration::ZERO,
    });
    let target = Target::new(&server);
    assert!(target.message().starts_with("broke off after "));
    assert!(server.seen().len() <= 2 * FRUITLESS_ATTEMPTS as usize);
}

#[test]
fn a_silent_server_is_given_up() {
    // This listener never accepts.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let url = format!("http://{}/model.th", listener.local_addr().unwrap());
    let download = Download { url: &url, path: &folder.path().join("model.th"), sha256: None };
    let got = unwatched(|watch| fetch_with(&download, IMPATIENT, watch));
    assert!(
        matches!(got, Err(Fault::Wrong(fault)) if fault.to_string().starts_with("cannot be reached: timeout"))
    );
    drop(listener);
    let got = unwatched(|watch| fetch_with(&download, IMPATIENT, watch));
    assert!(
        matches!(got, Err(Fault::Wrong(fault)) if fault.to_string().starts_with("cannot be reached: "))
    );
}

#[test]
fn refusals_state_their_reason() {
    let page = "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: 6";
    let huge = "HTTP/1.1 200 OK\r\nContent-Length: 99999999999";
    let server = Server::start(move |_, request| match request.path.as_str() {
        "/page" => Answer { head: page.into(), body: b"<html>".to_vec(), pause: Duration::ZERO },
        "/huge" => Answer { head: huge.into(), body: Vec::new(), pause: Duration::ZERO },
        "/busy" => Answer::bare("503 Service Unavailable"),
        "/loop" => Answer::bare("302 Found\r\nLocation: /loop"),
        _ => Answer::bare("404 Not Found"),
    });
    let message = |path: &str| {
        let mut target = Target::new(&server);
        target.url = format!("{}{path}", server.address);
        target.message()
    };
    assert_eq!(message("/gone"), "answers 404 Not Found");
    assert_eq!(message("/busy"), "answers 503 Service Unavailable");
    assert!(message("/page").contains("a page (text/html; charset=utf-8) instead of the file"));
    assert_eq!(message("/huge"), "offers a file of 99999 MB; the limit is 4294 MB");
    assert!(message("/loop").contains("redirect"));
    assert!(message("::").starts_with("cannot be reached"));
}

#[test]
fn redirects_are_followed_and_lengths_may_be_unknown() {
    let server = Server::start(|_, request| match request.path.as_str() {
        "/model.th" => Answer::bare("302 Found\r\nLocation: /elsewhere"),
        _ => Answer { head: "HTTP/1.1 200 OK".into(), body: data(), pause: Duration::ZERO },
    });
    let target = Target::new(&server);
    target.fetch().unwrap();
    assert!(target.is_whole());
}

#[test]
fn a_file_with_another_hash_is_discarded() {
    let server = Server::start(|_, _| Answer::whole(&data()));
    let target = Target::new(&server);
    let right = hex(&Sha256::digest(data()));
    for (sha256, good) in [("00000000", false), (&right[..8], true)] {
        let download = Download { sha256: Some(sha256), ..target.download() };
        let got = unwatched(|watch| fetch_with(&download, IMPATIENT, watch));
        assert_eq!(got.is_ok(), good);
        assert_eq!((target.path.exists(), target.download().part_path().exists()), (good, false));
    }
}

#[test]
fn a_wrong_content_length_is_detected_by_the_hash() {
    let server = Server::start(|_, _| {
        let said = data().len() - 1000;
        let head = format!("HTTP/1.1 200 OK\r\nETag: \"v1\"\r\nContent-Length: {said}");
        Answer { head, ..Answer::whole(&data()) }
    });
    let target = Target::new(&server);
    let hash = hex(&Sha256::digest(data()));
    let download = Download { sha256: Some(&hash[..8]), ..target.download() };
    let got = unwatched(|watch| fetch_with(&download, IMPATIENT, watch));
    let Err(Fault::Wrong(fault)) = got else { panic!("{got:?}") };
    let words = fault.to_string();
    assert!(words.contains("does not begin with"), "{words}");
    assert!(!target.path.exists() && !target.download().part_path().exists());
}

#[test]
fn a_slow_server_does_not_time_out() {
    let server = Server::start(|_, _| Answer::whole(&data()).slowly(Duration::from_millis(60)));
    let target = Target::new(&server);
    target.fetch().unwrap();
    assert!(target.is_whole());
    assert_eq!(server.seen().len(), 1, "slower than the timeout in total, but never silent");
}
