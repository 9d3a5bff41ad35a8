//! One data folder for server, window and command line; and certificates.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
    time::{Duration, Instant},
};

use serde_json::json;

use super::{client::PATIENCE, server::Server};
use crate::support::{command, json_lines, partita, stderr, stdout, tiny_home, write_song};

#[test]
fn a_second_server_says_who_has_the_library() {
    let home = tiny_home();
    let server = Server::start(home.path());
    let second = partita(home.path(), &["serve", "--port", "0"]);
    assert_eq!(second.status.code(), Some(1));
    assert!(stderr(&second).contains("another server uses this library"), "{}", stderr(&second));
    server.end();
    Server::start(home.path()).end();
}

/// The window asks for the library before it needs a display.
#[test]
fn a_window_hands_its_files_to_the_server() {
    let home = tiny_home();
    let song = home.path().join("Handed over.wav");
    write_song(&song, 4000, 44_100, 1);
    let server = Server::start(home.path());
    let window = |file: &Path| {
        command(home.path(), &[file.to_str().unwrap()])
            .env_remove("DISPLAY")
            .env_remove("WAYLAND_DISPLAY")
            .env("PATH", "") // without a browser
            .output()
            .unwrap()
    };
    let missing = window(&home.path().join("Missing.wav"));
    assert_eq!(missing.status.code(), Some(1), "{}", stderr(&missing));
    assert!(stderr(&missing).contains("Missing.wav"), "{}", stderr(&missing));
    let window = window(&song);
    assert_eq!(window.status.code(), Some(0), "{}", stderr(&window));
    assert!(stderr(&window).contains(&server.url), "{}", stderr(&window));
    let until = Instant::now() + PATIENCE;
    let client = server.client();
    while client.get("songs").json()["total"] != 1 {
        assert!(Instant::now() < until, "{}", server.log());
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(client.get("songs/1").json()["title"], "Handed over");
    server.end();
    assert!(song.exists(), "a file of the user stays");
}

#[test]
fn subcommands_work_beside_the_server() {
    let home = tiny_home();
    let song = home.path().join("Beside.wav");
    write_song(&song, 4000, 44_100, 1);
    let server = Server::start(home.path());
    let added = partita(home.path(), &["add", song.to_str().unwrap()]);
    assert!(added.status.success(), "{}", stderr(&added));
    let client = server.client();
    let until = Instant::now() + PATIENCE;
    while client.get("songs").json()["total"] != 1 {
        assert!(Instant::now() < until, "{}", server.log());
        std::thread::sleep(Duration::from_millis(50));
    }
    client.process(1, &[]);
    client.separated(1);
    let listed = json_lines(&partita(home.path(), &["list", "--json"]));
    assert_eq!(listed[0]["job"]["state"], "done", "{}", listed[0]);
    server.end();
}

/// The server shows at once which models another program has removed or installed.
#[test]
fn models_that_are_removed_beside_the_server_are_missing() {
    let home = tiny_home();
    let song = home.path().join("Beside.wav");
    write_song(&song, 4000, 44_100, 1);
    let weights = home.path().join("models/htdemucs.safetensors");
    let copy = home.path().join("copy");
    std::fs::copy(&weights, &copy).unwrap();
    let server = Server::start(home.path());
    let client = server.client();
    client.upload(&song);
    let is_ready = |expected: bool| {
        let until = Instant::now() + PATIENCE;
        while client.get("health").json()["is_ready"] != expected {
            assert!(Instant::now() < until, "{}", server.log());
            std::thread::sleep(Duration::from_millis(50));
        }
    };
    is_ready(true);
    let removed = partita(home.path(), &["model", "remove", "htdemucs"]);
    assert!(removed.status.success(), "{}", stderr(&removed));
    is_ready(false);
    client.put("POST", "songs/1/jobs", &json!({})).problem(409, "no_model");
    std::fs::rename(&copy, &weights).unwrap();
    is_ready(true);
    client.process(1, &[]);
    client.separated(1);
    server.end();
}

fn tls(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/serve/tls").join(name)
}

fn curl(url: &str, authority: &Path) -> Output {
    Command::new("curl")
        .args(["--silent", "--show-error", "--noproxy", "*", "--cacert"])
        .arg(authority)
        .arg(url)
        .output()
        .expect("curl is missing; ./x test installs it")
}

#[test]
fn a_certificate_protects_the_connection() {
    let home = tiny_home();
    let (certificate, key) = (tls("certificate.pem"), tls("key.pem"));
    let [shown, hidden] = [&certificate, &key].map(|path| path.to_str().unwrap().to_owned());
    let arguments = ["--certificate", &shown, "--private-key", &hidden];
    let server = Server::start_with(home.path(), &arguments);
    assert!(server.url.starts_with("https://"), "{}", server.url);
    let health = curl(&format!("{}/api/v1/health", server.url), &certificate);
    assert!(stdout(&health).contains("\"ok\""), "{}", stderr(&health));
    let plain = server.url.replace("https", "http");
    assert!(!curl(&format!("{plain}/api/v1/health"), &certificate).status.success());
    server.end();
}

#[test]
fn files_that_are_no_certificates_are_named() {
    let home = tiny_home();
    let [certificate, key] =
        ["certificate.pem", "key.pem"].map(|name| tls(name).to_str().unwrap().to_owned());
    let missing = home.path().join("missing.pem").to_str().unwrap().to_owned();
    for (certificate, key, named) in
        [(&missing, &key, &missing), (&key, &key, &key), (&certificate, &certificate, &certificate)]
    {
        let line = ["serve", "--port", "0", "--certificate", certificate, "--private-key", key];
        let output = partita(home.path(), &line);
        assert_eq!(output.status.code(), Some(1));
        assert!(stderr(&output).contains(named.as_str()), "{}", stderr(&output));
    }
}
