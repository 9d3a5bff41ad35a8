//! Hostile requests: paths, names, bodies and forms. Each is refused, and the server goes on. Slow and
//! many connections are in `floods`; strangers and other sites are in `access`.

use std::{fs, io::Write as _, net::Shutdown, path::Path};

use serde_json::{Value, json};

use super::{
    client::{Client, TUS, connect, form, head, raw, rest, status},
    server::Server,
};
use crate::support::{tiny_home, walk, write_song};

/// A file outside the data folder's served parts, which an answer must never contain.
const SECRET: &str = "the secret of this data folder";

/// A server with one song, and a secret file beside the songs.
pub fn server() -> (Server, Client, tempfile::TempDir, Value) {
    let home = tiny_home();
    fs::write(home.path().join("secret.txt"), SECRET).unwrap();
    let file = home.path().join("song.wav");
    write_song(&file, 20_000, 44_100, 1);
    let server = Server::start(home.path());
    let client = server.client();
    let song = client.upload(&file);
    (server, client, home, song)
}

/// Ends the server, which still has to answer as usual.
pub fn goes_on(server: Server, client: &Client) -> String {
    assert_eq!(client.get("songs").expect(200)["total"], 1);
    server.end()
}

/// Files of the songs' folder, the places of uploads included.
pub fn files(home: &Path) -> Vec<std::path::PathBuf> {
    let mut files = walk(home);
    files.retain(|path| !path.to_string_lossy().contains("partita.") && !path.ends_with("log"));
    files.sort();
    files
}

#[test]
fn paths_outside_the_served_files_are_not_found() {
    let (server, client, _home, song) = server();
    let ups = [
        "../",
        "..%2f",
        "%2e%2e/",
        "%2e%2e%2f",
        "..%5c",
        "%252e%252e%252f",
        "....//",
        "..;/",
        "%c0%ae%c0%ae/",
        "..\\",
        "%00/../",
    ];
    let roots = ["/", "/assets/", "/words/", "/api/v1/", "/api/v1/songs/1/", "/api/v1/uploads/"];
    let files = ["secret.txt", "home/secret.txt", "etc/passwd", "library.sqlite", "settings.toml"];
    for root in roots {
        for up in ups {
            for file in files {
                for times in [1, 6] {
                    let path = format!("{root}{}{file}", up.repeat(times));
                    let answer = raw(server.address(), &head("GET", &path, server.address(), &[]));
                    assert!((400..500).contains(&status(&answer)), "{path}: {answer}");
                    assert!(!answer.contains(SECRET) && !answer.contains("root:"), "{path}");
                }
            }
        }
    }
    let song = &song["id"];
    for name in ["..%2f..%2fsecret.txt", "%2e%2e", ".", "%00", "a%2fb", "mix%00.wav", "%ff"] {
        for path in [
            format!("songs/{song}/lanes/{name}/sound"),
            format!("songs/{song}/lanes/{name}/peaks"),
            format!("jobs/1/tracks/{name}"),
            format!("exports/{name}/files/{name}"),
            format!("uploads/{name}"),
        ] {
            let path = format!("/api/v1/{path}");
            let answer = raw(server.address(), &head("GET", &path, server.address(), &[]));
            assert!((400..500).contains(&status(&answer)), "{path}: {answer}");
        }
    }
    goes_on(server, &client);
}

/// Names of files are text: they choose no place, and reach a header or the log only escaped.
#[test]
fn file_names_choose_no_place() {
    let (server, client, home, _) = server();
    let sound = fs::read(home.path().join("song.wav")).unwrap();
    let outside = home.path().parent().unwrap().join("partita-escaped.wav");
    let names = [
        "../../partita-escaped.wav".to_owned(),
        outside.display().to_string(),
        "..\\..\\partita-escaped.wav".to_owned(),
        "C:\\partita-escaped.wav".to_owned(),
        ".".to_owned(),
        "..".to_owned(),
        "/".to_owned(),
        "a%00b%0d%0aSet-Cookie: x=1.wav".to_owned(),
        "<img src=x onerror=alert(1)>.wav".to_owned(),
        "x".repeat(5000) + ".wav",
    ];
    for (index, name) in names.iter().enumerate() {
        let mut sound = sound.clone();
        let last = sound.len() - 1;
        sound[last] ^= index as u8 + 1; // each is a song of its own
        let answer = client.try_upload(&[(name, &sound)]).unwrap();
        if answer.status == 201 {
            let song = answer.json()["songs"][0].clone();
            let file_name = song["file_name"].as_str().unwrap();
            assert!(!file_name.contains(['/', '\\', '\0', '\n', '\r']), "{song}");
            assert!(![".", ".."].contains(&file_name) && file_name.len() < 1000, "{song}");
        } else {
            assert!((400..500).contains(&answer.status), "{name}: {}", answer.text());
        }
        let created = client.create_upload(name, sound.len() as u64);
        if created.status == 201 {
            let path = created.header("location").to_owned();
            assert_eq!(client.get(&path).expect(200)["offset"], 0);
            assert_eq!(client.send("DELETE", &path, &[TUS], &[]).status, 204);
        } else {
            assert!((400..500).contains(&created.status), "{name}: {}", created.text());
        }
    }
    assert!(!outside.exists());
    let escaped: Vec<_> = walk(home.path())
        .into_iter()
        .filter(|path| path.to_string_lossy().contains("escaped"))
        .filter(|path| !path.starts_with(home.path().join("uploads")))
        .collect();
    assert!(escaped.is_empty(), "{escaped:?}");
    // A title with control characters is refused or cleaned.
    let song = client.get("songs").expect(200)["songs"][0]["id"].clone();
    let title = "a\u{1b}[31m\r\nSet-Cookie: x=1\u{202e}\0<script>alert(1)</script>";
    let renamed = client.put("PATCH", &format!("songs/{song}"), &json!({ "title": title }));
    if renamed.status == 200 {
        let title = renamed.json()["title"].as_str().unwrap().to_owned();
        assert!(!title.contains(['\u{1b}', '\r', '\n', '\0']), "{title:?}");
    } else {
        assert!((400..500).contains(&renamed.status), "{}", renamed.text());
    }
    client.put("POST", &format!("songs/{song}/jobs"), &json!({ "stems": ["\u{1b}[31m\nx"] }));
    let log = server.end();
    let is_control = |letter: char| letter.is_control() && letter != '\n';
    let lines: Vec<_> = log.lines().filter(|line| line.contains(is_control)).collect();
    assert!(lines.is_empty(), "control characters are logged: {lines:?}");
}

/// A body that claims more, or has more, than the limit is refused before it is stored.
#[test]
fn bodies_beyond_the_limit_are_refused() {
    let home = tiny_home();
    let server = Server::start_with(home.path(), &["--max-upload", "100000"]);
    let client = server.client();
    let before = files(home.path());
    let (kind, body) = form(&[("large.wav", &vec![0; 3_000_000])]);
    let answer = client.try_send("POST", "songs", &[("content-type", &kind)], &body);
    // The server may close the connection while the client still sends.
    assert!(answer.is_err() || answer.is_ok_and(|answer| answer.status == 413));
    client.create_upload("large.wav", 100_001).problem(413, "too_large");
    // Without a length, by chunks.
    let mut stream = connect(server.address());
    let head = format!(
        "POST /api/v1/songs HTTP/1.1\r\nHost: {}\r\nContent-Type: {kind}\r\n\
         Transfer-Encoding: chunked\r\n\r\n",
        server.address()
    );
    stream.write_all(head.as_bytes()).unwrap();
    for block in body.chunks(65_536) {
        let chunk = [format!("{:x}\r\n", block.len()).as_bytes(), block, b"\r\n"].concat();
        if stream.write_all(&chunk).is_err() {
            break;
        }
    }
    stream.write_all(b"0\r\n\r\n").ok();
    let answer = rest(&mut stream);
    assert!([0, 413].contains(&status(&answer)), "{answer}");
    // JSON has a limit of its own.
    let long = json!({ "title": "x".repeat(20_000_000) });
    let answer = client.try_send(
        "PATCH",
        "songs/1",
        &[("content-type", "application/json")],
        long.to_string().as_bytes(),
    );
    assert!(answer.is_err() || answer.is_ok_and(|answer| answer.status == 413));
    assert_eq!(files(home.path()), before);
    server.end();
}

#[test]
fn malformed_forms_are_refused_and_leave_nothing() {
    let (server, client, home, _) = server();
    let before = files(home.path());
    let part = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.wav\"\r\n\r\n";
    let many = "--b\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\n1\r\n".repeat(20_000);
    let bomb = format!("--b\r\n{}\r\nx", "X-Header: 1\r\n".repeat(50_000));
    let long = format!("--b\r\nContent-Disposition: {}", "x".repeat(2_000_000));
    let nested = "--b\r\nContent-Disposition: form-data; name=\"file\"\r\n\
                  Content-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n\
                  Content-Disposition: file; filename=\"a.wav\"\r\n\r\nRIFF\r\n--c--\r\n--b--\r\n";
    let cases: [(&str, &str, &str); 12] = [
        ("no boundary", "multipart/form-data", part),
        ("an empty boundary", "multipart/form-data; boundary=", part),
        ("another type", "text/plain", part),
        ("no body", "multipart/form-data; boundary=b", ""),
        ("no part", "multipart/form-data; boundary=b", "--b--\r\n"),
        ("a truncated head", "multipart/form-data; boundary=b", "--b\r\nContent-Dispo"),
        ("a truncated part", "multipart/form-data; boundary=b", &format!("{part}RIFF1234WAVE")),
        ("another boundary", "multipart/form-data; boundary=c", part),
        ("many parts", "multipart/form-data; boundary=b", &many),
        ("many headers", "multipart/form-data; boundary=b", &bomb),
        ("a long header", "multipart/form-data; boundary=b", &long),
        ("nested", "multipart/form-data; boundary=b", nested),
    ];
    for (name, kind, body) in cases {
        match client.try_send("POST", "songs", &[("content-type", kind)], body.as_bytes()) {
            Ok(answer) => {
                assert!((400..500).contains(&answer.status), "{name}: {}", answer.text());
                assert!(answer.json()["code"].is_string(), "{name}: {}", answer.text());
            }
            // The server may close the connection while the client still sends.
            Err(error) => assert!(body.len() > 100_000, "{name}: {error}"),
        }
        assert_eq!(files(home.path()), before, "{name}");
    }
    goes_on(server, &client);
}

#[test]
fn malformed_requests_are_refused() {
    let (server, client, _home, _) = server();
    let host = format!("Host: {}\r\n", server.address());
    let long = "x".repeat(200_000);
    let many = "X: 1\r\n".repeat(20_000);
    let requests = [
        "GET\r\n\r\n".to_owned(),
        "\0\0\0\0\r\n\r\n".to_owned(),
        "GET / HTTP/9.9\r\n\r\n".to_owned(),
        format!("GET /{long} HTTP/1.1\r\n{host}\r\n"),
        format!("GET / HTTP/1.1\r\n{host}X: {long}\r\n\r\n"),
        format!("GET / HTTP/1.1\r\n{host}{many}\r\n"),
        format!("GET / HTTP/1.1\r\n{host}{host}Connection: close\r\n\r\n"),
        "GET / HTTP/1.1\r\nConnection: close\r\n\r\n".to_owned(),
        format!("POST /api/v1/reset HTTP/1.1\r\n{host}Content-Length: -1\r\n\r\n"),
        format!(
            "POST /api/v1/reset HTTP/1.1\r\n{host}Content-Length: 1\r\nContent-Length: 2\r\n\r\n{{}}"
        ),
        format!(
            "POST /api/v1/reset HTTP/1.1\r\n{host}Content-Length: 4\r\nTransfer-Encoding: \
             chunked\r\nConnection: close\r\n\r\nzz\r\n\r\n"
        ),
        format!(
            "POST /api/v1/reset HTTP/1.1\r\n{host}Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n"
        ),
        format!("GET / HTTP/1.1\r\n{host}X : space\r\nConnection: close\r\n\r\n"),
        format!("GET / HTTP/1.1\r\n{host}X: a\r\n folded\r\nConnection: close\r\n\r\n"),
        format!("BREW /api/v1/songs HTTP/1.1\r\n{host}Connection: close\r\n\r\n"),
        "\u{16}\u{3}\u{1}\u{2}\0\u{1}\0".to_owned(), // TLS
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(),
    ];
    for request in requests {
        let mut stream = connect(server.address());
        stream.write_all(request.as_bytes()).ok();
        stream.shutdown(Shutdown::Write).ok();
        let answer = rest(&mut stream);
        let start = &request[..request.len().min(100)];
        let status = status(&answer);
        assert!(status == 0 || (400..600).contains(&status), "{start:?}: {answer}");
        assert!(status != 500, "{start:?}: {answer}");
    }
    for (method, path) in [("POST", "songs/1"), ("PUT", "songs"), ("PATCH", "reset")] {
        assert_eq!(client.send(method, path, &[], b"{}").status, 405, "{method} {path}");
    }
    for body in ["", "{", "[]", "null", "{\"confirm\":1}", "\u{feff}{}", "{\"a\":1e999}"] {
        let headers = [("content-type", "application/json")];
        let answer = client.send("POST", "reset", &headers, body.as_bytes());
        assert!((400..500).contains(&answer.status), "{body}: {}", answer.text());
    }
    // Deeper than any reader with a recursive descent can take.
    let deep = "[".repeat(100_000);
    let answer = client.try_send(
        "POST",
        "songs/1/exports",
        &[("content-type", "application/json")],
        deep.as_bytes(),
    );
    assert!(answer.is_err() || answer.is_ok_and(|answer| (400..500).contains(&answer.status)));
    goes_on(server, &client);
}
