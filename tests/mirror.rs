//! The real program installs a model through a proxy from a mirror: an interrupted download
//! resumes, and no other server is contacted.

use std::{
    fs::File,
    io::{BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
};

use partita::engine::{Command, Event, ModelState, ModelTask, Preferences};

use crate::{
    engine::Running,
    support::{command, model_file, stderr, stdout},
};

const MIRROR: &str = "mirror.example";

/// Serves one file for every request; interrupts the first download in the middle.
fn serve(stream: TcpStream, seen: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    loop {
        let (mut line, mut range) = (String::new(), 0);
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let mut header = String::new();
        while reader.read_line(&mut header)? > 2 {
            if let Some(rest) = header.to_ascii_lowercase().strip_prefix("range: bytes=") {
                range = rest.trim().trim_end_matches('-').parse().unwrap();
            }
            header.clear();
        }
        seen.lock().unwrap().push(line.trim().to_owned());
        let stream = reader.get_mut();
        if line.starts_with("CONNECT") {
            if line.contains(MIRROR) {
                stream.write_all(b"HTTP/1.1 200 Connected\r\n\r\n")?;
                continue;
            }
            return stream.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
        }
        let mut file = File::open(model_file())?;
        let total = file.metadata()?.len();
        file.seek(SeekFrom::Start(range))?;
        let status = if range > 0 { "206 Partial Content" } else { "200 OK" };
        write!(
            stream,
            "HTTP/1.1 {status}\r\nETag: \"v1\"\r\nContent-Length: {}\r\nContent-Range: bytes \
             {range}-{}/{total}\r\nConnection: close\r\n\r\n",
            total - range,
            total - 1,
        )?;
        let most = if range == 0 { total / 2 } else { total };
        std::io::copy(&mut file.take(most), stream)?;
        return Ok(());
    }
}

/// Starts a proxy; returns its address and the log of its requests.
fn start() -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let seen = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&seen);
    std::thread::Builder::new()
        .name("proxy".into())
        .spawn(move || {
            for stream in listener.incoming().flatten() {
                // The client may close the connection first.
                serve(stream, &noted).ok();
            }
        })
        .unwrap();
    (address, seen)
}

/// A mirror from the settings can also be contacted directly.
#[test]
fn a_mirror_from_the_settings_is_asked_from_then_on() {
    let (address, seen) = start();
    let home = tempfile::tempdir().unwrap();
    let running = Running::start(home.path(), true);
    let mirror = Some(format!("{address}/weights"));
    let preferences = Preferences { mirror, ..Preferences::default() };
    running.engine.send(Command::KeepPreferences(Box::new(preferences)));
    running.engine.send(Command::InstallModel("htdemucs".into()));
    running.wait(|event| match event {
        Event::ModelTask(_, ModelTask::Failed(reason)) => panic!("{reason}"),
        Event::Model(ModelState::Ready { .. }) => Some(()),
        _ => None,
    });
    let seen = seen.lock().unwrap();
    assert!(!seen.is_empty(), "no other server was available");
    assert!(seen.iter().all(|line| line.contains("/weights/955717e8.safetensors")), "{seen:?}");
}

#[test]
fn a_mirror_behind_a_proxy_is_enough() {
    let (proxy, seen) = start();
    let home = tempfile::tempdir().unwrap();
    let mirror = format!("http://{MIRROR}/weights");
    let output = command(home.path(), &["model", "install", "htdemucs"])
        .env("PARTITA_MIRROR", &mirror)
        .envs([("ALL_PROXY", &proxy), ("HTTP_PROXY", &proxy), ("HTTPS_PROXY", &proxy)])
        .env_remove("NO_PROXY")
        .env_remove("no_proxy")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(stdout(&output).contains("installed ("), "{}", stdout(&output));
    let seen = seen.lock().unwrap().clone();
    let gets: Vec<_> = seen.iter().filter(|line| line.starts_with("GET")).collect();
    assert_eq!(gets.len(), 2, "expected one interruption and one resumption: {seen:?}");
    assert!(gets.iter().all(|line| line.contains("/weights/955717e8.safetensors")), "{seen:?}");
    assert!(
        seen.iter().all(|line| line.contains(MIRROR) || !line.starts_with("CONNECT")),
        "{seen:?}"
    );
    let verified = command(home.path(), &["model", "verify"]).output().unwrap();
    assert!(verified.status.success(), "{}", stderr(&verified));
}
